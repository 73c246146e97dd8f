//! Values that are secret because of what stands around them: a command, a header, a name. What says itself that it is none (a variable, a word
//! in brackets, `password`) is left alone.

use regex::bytes::Captures;

use super::{Check, Shape, entropy, shape};

pub(super) const CONTEXTS: &[Shape] = &[
    shape(
        "google-service-account",
        "service_account",
        r#""type"\s{0,8}:\s{0,8}"service_account""#,
        Check::AsItStands,
    ),
    shape(
        "facebook-app-secret",
        "facebook Facebook FACEBOOK",
        r"(?i)facebook[^\n]{0,60}?\b[0-9]{15,16}(?:\||%7c)[A-Za-z0-9_\-]{27,40}",
        Check::Varied(3.0),
    ),
    shape(
        "azure-storage-key",
        "AccountKey=",
        r"\bAccountKey=(?P<secret>[A-Za-z0-9+/]{86}==)",
        Check::Varied(3.0),
    ),
    shape(
        "url-password",
        "://",
        r#"\b[a-zA-Z][a-zA-Z0-9+.\-]{1,20}://[^\s/:@"'<>]{0,100}:(?P<secret>[^\s/@"'<>]{3,200})@(?P<host>[^\s/:"'<>]{1,100})"#,
        Check::Url,
    ),
    shape(
        "npmrc-token",
        "_authToken",
        r"\b_authToken\s{0,4}=\s{0,4}(?P<secret>[A-Za-z0-9_\-./+=]{10,})",
        Check::Varied(3.0),
    ),
    shape(
        "curl-user",
        "curl",
        r#"\bcurl\b[^\n]{0,400}?\s(?:-u|--user)(?:=|\s{0,8})(?:"(?P<a>[^"]{3,200})"(?::"(?P<b>[^"]{1,200})")?|'(?P<c>[^']{3,200})'|(?P<d>[^\s"'`]{1,100}:(?:'[^']{2,100}'|"[^"]{2,100}"|[^\s"'`]{2,200})))"#,
        Check::CurlUser,
    ),
    shape(
        "http-header",
        "uthorization: uthorization:",
        r#"(?i)(?:^|[\s"'`])authorization['"]?\s{0,4}:\s{0,8}['"]?(?:(?P<scheme>basic|bearer|(?:api-)?token|digest|apikey)\s{1,8})?(?P<secret>[A-Za-z0-9=~@.+/_\-]{8,})"#,
        Check::Header,
    ),
    shape(
        "http-header-key",
        "pi-Key pi-key pikey piKey pi-Token pi-token Token: oken: PIKEY PI-KEY",
        r#"(?i)(?:^|-H\s{0,4}|header[\s=]{1,4})["']?(?:(?:x-[a-z0-9\-]{0,40})?api-?(?:key|token)|(?:x-[a-z\-]{0,40})?token|x-[a-z\-]{0,40}secret)\s{0,4}:\s{0,8}(?P<secret>[A-Za-z0-9=~@.+/_\-]{8,})"#,
        Check::HeaderKey,
    ),
];

/// Found by words in any case: a name that ends like one of a secret, and a quoted value with some variety.
pub(super) const NAMED: &[Shape] = &[shape(
    "named-secret",
    "key secret passw passphrase pwd token",
    r#"(?i)(?:^|[^a-z0-9])(?P<name>[a-z0-9_.\-]{0,40}?(?:api[_.\-]?key|apikey|secret[_.\-]?key|access[_.\-]?key|auth[_.\-]?key|encryption[_.\-]?key|client[_.\-]?secret|secret|passwd|password|passphrase|pwd|token))["'\]]{0,2}\s{0,8}(?::=|=>|==?|:)\s{0,8}(?:"(?P<secret>[!#-&(-~]{8,150})"|'(?P<single>[!#-&(-~]{8,150})'|`(?P<tick>[!#-&(-_a-~]{8,150})`)"#,
    Check::Named,
)];

/// Words that stand where a secret would.
const WORDS: [&str; 16] = [
    "admin", "bar", "changeme", "foo", "key", "pass", "passwd", "password", "pwd", "secret",
    "test", "token", "user", "username", "xxx", "yyy",
];

/// Marks of a value that is filled in later, or made up for a page of documentation.
const MADE_UP: [&str; 14] = [
    "xxxx",
    "****",
    "....",
    "example",
    "placeholder",
    "changeme",
    "change_me",
    "change-me",
    "dummy",
    "redacted",
    "your_",
    "your-",
    "%(",
    "todo",
];

/// Whether a value is a variable, a word in brackets or a name of what should stand there.
fn is_placeholder(value: &str) -> bool {
    let value = value.trim().trim_matches(['"', '\'']);
    let Some(first) = value.chars().next() else {
        return true;
    };
    let lower = value.to_ascii_lowercase();
    let is_braced = value.len() > 7
        && value.starts_with('{')
        && value.ends_with('}')
        && value[1..value.len() - 1]
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    (matches!(first, '$' | '<' | '[' | '{' | '%') && !is_braced)
        || WORDS.contains(&lower.as_str())
        || ["${", "$(", "{{"].iter().any(|mark| value.contains(mark))
        || has_shell_variable(value)
        || has_bracketed_name(value)
        || value
            .bytes()
            .all(|byte| matches!(byte, b'*' | b'.' | b'x' | b'X' | b'-'))
}

/// `$NAME` of three letters or more.
fn has_shell_variable(value: &str) -> bool {
    value.match_indices('$').any(|(at, _)| {
        let name = value[at + 1..].bytes();
        name.take_while(|byte| byte.is_ascii_uppercase() || *byte == b'_')
            .count()
            >= 3
    })
}

/// `[NAME]`.
fn has_bracketed_name(value: &str) -> bool {
    value.split('[').skip(1).any(|rest| {
        rest.split_once(']').is_some_and(|(name, _)| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase())
        })
    })
}

fn is_made_up(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    MADE_UP.iter().any(|mark| lower.contains(mark))
}

fn text<'t>(captures: &Captures<'t>, name: &str) -> Option<&'t str> {
    captures
        .name(name)
        .and_then(|found| std::str::from_utf8(found.as_bytes()).ok())
}

fn has_digit_or_mark(value: &str) -> bool {
    value
        .bytes()
        .any(|byte| byte.is_ascii_digit() || (byte.is_ascii_punctuation() && byte <= b'@'))
}

/// `curl -u user:password`, quoted in any way.
pub(super) fn is_curl_user(captures: &Captures<'_>) -> bool {
    let (user, password) = match (text(captures, "a"), text(captures, "b")) {
        (Some(user), Some(password)) => (user, password),
        (whole, _) => {
            let whole = whole
                .or_else(|| text(captures, "c"))
                .or_else(|| text(captures, "d"));
            let Some((user, password)) = whole.and_then(|whole| whole.split_once(':')) else {
                return false;
            };
            (user, password)
        }
    };
    let password = password.trim_matches(['"', '\'']);
    // A token may stand in place of the user, without a password.
    let (user, password) = if password.is_empty() {
        ("", user)
    } else {
        (user, password)
    };
    !is_placeholder(password)
        && (user.is_empty() || !is_placeholder(user))
        && password.len() >= 4
        && has_digit_or_mark(password)
}

/// `Authorization: Basic …`, and whatever else may stand there.
pub(super) fn is_authorization(captures: &Captures<'_>) -> bool {
    let Some(value) = text(captures, "secret") else {
        return false;
    };
    let is_word = value.bytes().all(|byte| byte.is_ascii_alphabetic());
    if is_placeholder(value) || is_word || is_member(value) {
        return false;
    }
    let scheme = text(captures, "scheme").unwrap_or_default();
    if scheme.eq_ignore_ascii_case("basic") {
        return holds_user_and_password(value);
    }
    entropy(value.as_bytes()) >= 2.0
        && (value.bytes().any(|byte| byte.is_ascii_digit()) || value.len() >= 20)
}

/// `request.headers.authorization`: code that reads a header. The parts of a JWT have digits in them, or are longer.
fn is_member(value: &str) -> bool {
    let is_name = |part: &str| {
        let is_letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
        (1..=40).contains(&part.len()) && part.bytes().all(is_letter)
    };
    value.contains('.') && value.split('.').all(is_name)
}

/// RFC 7617: a user, a colon and a password, in Base64.
fn holds_user_and_password(value: &str) -> bool {
    use base64::Engine as _;
    let forgiving = base64::engine::GeneralPurposeConfig::new()
        .with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let engine = base64::engine::GeneralPurpose::new(&base64::alphabet::STANDARD, forgiving);
    engine
        .decode(value)
        .is_ok_and(|bytes| bytes.contains(&b':'))
}

/// `X-Api-Key: …` and its like.
pub(super) fn is_key_header(captures: &Captures<'_>) -> bool {
    text(captures, "secret").is_some_and(|value| {
        !is_placeholder(value)
            && value.bytes().any(|byte| byte.is_ascii_digit())
            && entropy(value.as_bytes()) >= 2.5
    })
}

/// A password in a URL, to a host that may exist (RFC 2606 keeps some names for examples).
pub(super) fn is_url_password(captures: &Captures<'_>) -> bool {
    let (Some(value), Some(host)) = (text(captures, "secret"), text(captures, "host")) else {
        return false;
    };
    let host = host.to_ascii_lowercase();
    let kept = [".test", ".example", ".invalid", ".localhost"];
    let examples = ["example.com", "example.org", "example.net"];
    let is_kept = kept.iter().any(|end| host.ends_with(end))
        || examples
            .iter()
            .any(|name| host == *name || host.ends_with(&format!(".{name}")))
        || matches!(
            host.as_str(),
            "localhost" | "127.0.0.1" | "0.0.0.0" | "host" | "example"
        );
    !is_kept
        && !is_placeholder(value)
        && !is_made_up(value)
        && has_digit_or_mark(value)
        && entropy(value.as_bytes()) >= 2.0
}

/// A value whose name says that it is secret.
pub(super) fn is_named(captures: &Captures<'_>) -> bool {
    let value = ["secret", "single", "tick"]
        .iter()
        .find_map(|name| text(captures, name));
    let (Some(value), Some(name)) = (value, text(captures, "name")) else {
        return false;
    };
    let name = name.to_ascii_lowercase();
    let is_harmless = name.contains("public") || name.contains("csrf") || name.contains("xsrf");
    let has = |is: fn(&u8) -> bool| value.as_bytes().iter().any(is);
    !is_harmless
        && !is_placeholder(value)
        && !is_made_up(value)
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_alphabetic)
        && !value.bytes().take(8).any(|byte| byte == b'/')
        && !is_uuid(value)
        && entropy(value.as_bytes()) >= 3.3
}

fn is_uuid(value: &str) -> bool {
    let mut lengths = value.split('-').map(|part| {
        let is_hexadecimal = part.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_hexadecimal { part.len() } else { 0 }
    });
    let expected = [8, 4, 4, 4, 12];
    expected
        .iter()
        .all(|length| lengths.next() == Some(*length))
        && lengths.next().is_none()
}
