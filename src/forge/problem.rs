//! What went wrong with GitHub, and which permission or setting would mend it.
//!
//! Messages are those that api.github.com sends; docs.github.com, "Troubleshooting the REST API" and "Permissions required for GitHub
//! Apps". An answer's own header `X-Accepted-GitHub-Permissions` is believed before our table.

use jiff::Timestamp;
use serde::Deserialize;

use super::request::{Request, Response};

use crate::json;

/// Why something did not come about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ForgeError {
    /// Nothing may be asked.
    #[error("cannot {purpose}: `--offline` forbids asking GitHub")]
    Offline { purpose: String },
    /// There is no token.
    #[error("cannot {purpose}: there is no token for GitHub")]
    NoToken { purpose: String },
    /// The token is not taken.
    #[error("cannot {purpose}: GitHub does not accept the token ({words})")]
    BadToken { purpose: String, words: String },
    /// A permission or setting is missing.
    #[error("cannot {purpose}: GitHub answers 403 ({words})")]
    Denied {
        purpose: String,
        words: String,
        hint: String,
    },
    /// It is not there, or may not be seen.
    #[error("cannot {purpose}: GitHub answers 404 (not there, or the token may not see it)")]
    Missing { purpose: String, hint: String },
    /// GitHub understood and does not do it.
    #[error("cannot {purpose}: GitHub answers {status} ({words})")]
    Refused {
        purpose: String,
        status: u16,
        words: String,
    },
    /// Too many requests.
    #[error("cannot {purpose}: the rate limit is used up until {until}")]
    RateLimited { purpose: String, until: Timestamp },
    /// No answer, after several tries.
    #[error("cannot {purpose}: GitHub does not answer ({words})")]
    Unavailable { purpose: String, words: String },
    /// The time is up.
    #[error("cannot {purpose}: the deadline of {seconds} s is over")]
    Deadline { purpose: String, seconds: u64 },
    /// No more requests may be made.
    #[error("cannot {purpose}: the {calls} requests that may be made are used up")]
    Enough { purpose: String, calls: u64 },
    /// It went out, and nobody knows what became of it.
    #[error("it is not known whether GitHub did {purpose}: {words}")]
    MayHaveHappened { purpose: String, words: String },
    /// The answer is not what it should be.
    #[error("cannot {purpose}: GitHub's answer cannot be read ({words})")]
    Nonsense { purpose: String, words: String },
}

impl ForgeError {
    /// Returns the way out.
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::Offline { .. } => "run it without --offline".into(),
            Self::NoToken { .. } => "set GITHUB_TOKEN (in a workflow: `env: { GITHUB_TOKEN: \"${{ github.token }}\" }`), or GH_TOKEN, or \
                MAESTRO_APP_ID and MAESTRO_APP_PRIVATE_KEY"
                .into(),
            Self::BadToken { words, .. } if words.contains("'exp'") || words.contains("'iat'") => {
                "this machine's clock is wrong; set it".into()
            }
            Self::BadToken { .. } => "it has expired, was revoked, or belongs to another server; make a new one, or check GITHUB_API_URL".into(),
            Self::Denied { hint, .. } | Self::Missing { hint, .. } => hint.clone(),
            Self::Refused { .. } => "mend what it says, and run the command again".into(),
            Self::RateLimited { .. } => "run it again after that, or with a token of its own: GITHUB_TOKEN has 1,000 requests an hour for each repository".into(),
            Self::Unavailable { words, .. } if words.contains("certificate") => {
                "the server's certificate is not trusted here; SSL_CERT_FILE names a file of roots (PEM) that are".into()
            }
            Self::Unavailable { .. } => "see www.githubstatus.com, and run it again; what was done so far is kept".into(),
            Self::Deadline { .. } => "run it again, or with a longer --deadline; what was done so far is kept".into(),
            Self::Enough { .. } => "allow more requests".into(),
            Self::MayHaveHappened { .. } => "run it again: what is there already is found and not made twice".into(),
            Self::Nonsense { .. } => "if GITHUB_API_URL names a GitHub server, this is a fault of maestro: please report it".into(),
        }
    }
}

#[derive(Deserialize, Default)]
struct ErrorBody {
    #[serde(default)]
    message: String,
    #[serde(default)]
    errors: Vec<serde_json::Value>,
}

/// Returns GitHub's words: the message, and what it says about single fields.
pub(crate) fn message_of(response: &Response) -> String {
    let body: ErrorBody = json::read(&response.body).unwrap_or_default();
    let mut words = body.message;
    for error in body.errors.iter().take(5) {
        let detail = match error {
            serde_json::Value::String(text) => text.clone(),
            error => {
                let part = |name: &str| error.get(name).and_then(|value| value.as_str());
                match (part("message"), part("field"), part("code")) {
                    (Some(message), ..) => message.to_owned(),
                    (None, Some(field), Some(code)) => format!("{field} is {code}"),
                    (None, _, Some(code)) => code.to_owned(),
                    _ => continue,
                }
            }
        };
        if !words.contains(&detail) {
            words.push_str(if words.is_empty() { "" } else { ": " });
            words.push_str(&detail);
        }
    }
    let mut short: String = words
        .chars()
        .filter(|c| !c.is_control())
        .take(400)
        .collect();
    if short.is_empty() {
        short = "no reason given".into();
    }
    short
}

/// Says what a refusal is about.
pub(crate) fn explain(request: &Request, response: &Response) -> ForgeError {
    let purpose = request.purpose.clone();
    let words = message_of(response);
    match response.status {
        401 => ForgeError::BadToken { purpose, words },
        403 => ForgeError::Denied {
            hint: what_is_missing(request, response, &words),
            purpose,
            words,
        },
        404 => ForgeError::Missing {
            hint: format!("check the name; {}", permission(request, response)),
            purpose,
        },
        410 if words.contains("disabled") => ForgeError::Denied {
            hint: "switch it on in the repository's settings (Settings → General → Features)"
                .into(),
            purpose,
            words,
        },
        status => ForgeError::Refused {
            purpose,
            status,
            words,
        },
    }
}

/// Sentences of GitHub's that have a setting behind them, in lower case, and the way out.
const SETTINGS: &[(&str, &str)] = &[
    (
        "not permitted to create or approve pull requests",
        "an owner allows it under Settings → Actions → General → Workflow permissions → “Allow GitHub Actions to create and approve pull requests”, in the repository and in its organisation",
    ),
    (
        "ip allow list",
        "the organisation has an IP allow list; run on a runner inside it, or add this address under Settings → Authentication security",
    ),
    (
        "personal access token (classic)",
        "the organisation forbids classic tokens; use a fine-grained one, or GITHUB_TOKEN",
    ),
    (
        "lifetime is greater than",
        "the organisation limits how long a token may live; make one that ends sooner",
    ),
    (
        "archived",
        "the repository is archived and takes no changes; an owner may unarchive it under Settings → General",
    ),
    (
        "suspended",
        "the app's installation, or the account, is suspended; an owner can lift that under Settings → GitHub Apps",
    ),
    (
        "actions is disabled",
        "an owner switches Actions on under Settings → Actions → General",
    ),
    (
        "actions has been disabled",
        "an owner switches Actions on under Settings → Actions → General",
    ),
    (
        "locked",
        "the conversation is locked; only people with write access may comment there",
    ),
];

fn what_is_missing(request: &Request, response: &Response, words: &str) -> String {
    if let Some(sso) = response.header("x-github-sso") {
        let url = sso.split_once("url=").map_or("", |(_, url)| url.trim());
        return format!("authorise the token for the organisation's single sign-on {url}")
            .trim_end()
            .to_owned();
    }
    let lower = words.to_lowercase();
    if let Some((_, hint)) = SETTINGS
        .iter()
        .find(|(sentence, _)| lower.contains(sentence))
    {
        return (*hint).to_owned();
    }
    if let (Some(wanted), Some(has)) = (
        response
            .header("x-accepted-oauth-scopes")
            .filter(|scopes| !scopes.is_empty()),
        response.header("x-oauth-scopes"),
    ) {
        let has = if has.is_empty() { "none" } else { has };
        return format!("the token has the scopes {has}, and one of these is needed: {wanted}");
    }
    permission(request, response)
}

/// Says which permission is missing.
fn permission(request: &Request, response: &Response) -> String {
    // As `pull_requests=write,contents=read`; alternatives stand apart by semicolons.
    let accepted = response.header("x-accepted-github-permissions");
    let accepted = accepted.filter(|accepted| !accepted.trim().is_empty());
    let wanted = match accepted {
        Some(accepted) => {
            let first = accepted.split(';').next().unwrap_or_default();
            let pairs = first
                .split(',')
                .filter_map(|pair| pair.trim().split_once('='));
            let pairs: Vec<String> = pairs
                .map(|(name, level)| format!("{}: {level}", name.replace('_', "-")))
                .collect();
            pairs.join(", ")
        }
        None if request.need.permission.is_empty() => return "the token may not see it".into(),
        None => format!("{}: {}", request.need.permission, request.need.level),
    };
    let forks = if wanted.contains("write") {
        "; a workflow for a fork's pull request has read rights whatever it asks for"
    } else {
        ""
    };
    format!(
        "the token needs `permissions: {{ {wanted} }}` in the job (of a personal token or an app: the permission of that name){forks}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forge::request::{Method, Need};

    #[track_caller]
    fn check(status: u16, headers: &[(&str, &str)], body: &str, wanted: &str) {
        let request = Request::new(
            Method::Post,
            "/x".into(),
            "comment on o/n#1".into(),
            Need::write("pull-requests"),
        );
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let response = Response {
            status,
            headers: headers.collect(),
            body: body.into(),
        };
        let error = explain(&request, &response);
        let said = format!("{error}; {}", error.hint());
        assert!(said.contains(wanted), "{said}");
    }

    #[test]
    fn a_missing_permission_is_named_as_a_workflow_writes_it() {
        let body = "{\"message\":\"Resource not accessible by integration\"}";
        check(403, &[], body, "`permissions: { pull-requests: write }`");
        check(403, &[], body, "a fork's pull request has read rights");
        let header = [(
            "x-accepted-github-permissions",
            "issues=write; pull_requests=write",
        )];
        check(403, &header, body, "`permissions: { issues: write }`");
        check(
            404,
            &[],
            "{\"message\":\"Not Found\"}",
            "`permissions: { pull-requests: write }`",
        );
    }

    #[test]
    fn a_setting_of_the_organisation_is_named() {
        check(
            403,
            &[],
            "{\"message\":\"GitHub Actions is not permitted to create or approve pull requests.\"}",
            "Allow GitHub Actions to create",
        );
        check(
            403,
            &[(
                "x-github-sso",
                "required; url=https://github.com/orgs/o/sso",
            )],
            "{}",
            "https://github.com/orgs/o/sso",
        );
        check(
            403,
            &[("x-accepted-oauth-scopes", "repo"), ("x-oauth-scopes", "")],
            "{}",
            "has the scopes none, and one of these is needed: repo",
        );
        check(
            410,
            &[],
            "{\"message\":\"Issues are disabled for this repo\"}",
            "Settings → General",
        );
    }

    #[test]
    fn a_wrong_clock_is_named() {
        check(
            401,
            &[],
            "{\"message\":\"'Expiration time' claim ('exp') is too far in the future\"}",
            "clock is wrong",
        );
        check(401, &[], "{\"message\":\"Bad credentials\"}", "expired");
    }

    #[test]
    fn fields_that_are_wrong_are_named() {
        let body = "{\"message\":\"Validation Failed\",\"errors\":[{\"resource\":\"PullRequest\",\"code\":\"custom\",\"message\":\"No commits between main and x\"},{\"field\":\"head\",\"code\":\"invalid\"}]}";
        check(
            422,
            &[],
            body,
            "Validation Failed: No commits between main and x: head is invalid",
        );
        check(422, &[], "<html>", "no reason given");
    }
}
