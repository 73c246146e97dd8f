//! Whether a signed document is to be believed: by whom it is signed, and whether it says what was asked for.
//!
//! The order is the point: first the signature over the bytes, then the content of those very bytes. What is not signed is not looked into.

use serde_json::Value;

use super::bundle::{self, Bundle, Content, Material};
use super::codes::{self, Code};
use super::dsse::{Envelope, IN_TOTO};
use super::facts::FileFact;
use super::keys::PublicKey;
use super::statement::{Statement, is_statement};
use super::{Malformed, content};
use crate::sha::Sha;

/// What form a document has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Bundle,
    Envelope,
    Statement,
}

impl Form {
    /// Recognises a document.
    pub(crate) fn of(value: &Value) -> Option<Self> {
        if bundle::is_bundle(value) {
            Some(Self::Bundle)
        } else if value.get("payloadType").is_some() {
            Some(Self::Envelope)
        } else {
            is_statement(value).then_some(Self::Statement)
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bundle => "sigstore-bundle",
            Self::Envelope => "dsse-envelope",
            Self::Statement => "statement",
        }
    }
}

/// What is said in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    Verified,
    /// Nobody here can tell.
    Unsupported,
    Failed,
}

impl Standing {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Unsupported => "unsupported",
            Self::Failed => "failed",
        }
    }
}

/// Why something is not verified.
#[derive(Debug, Clone)]
pub(crate) struct Reason {
    pub(crate) code: &'static Code,
    pub(crate) message: String,
}

/// What is known of a file that a document names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OnDisk {
    Is(Sha),
    /// And why.
    Missing(String),
}

/// What is asked of a document. What is empty is not asked.
#[derive(Default)]
pub(crate) struct Asked<'a> {
    pub(crate) keys: &'a [PublicKey],
    pub(crate) predicate_type: Option<String>,
    /// Files that it must be about.
    pub(crate) artifacts: &'a [FileFact],
    /// The bytes of the only one of them, when there is one and it is not too long: what is signed may be those.
    pub(crate) content: Option<&'a [u8]>,
    /// Looks for a file by the name that a document has for it.
    pub(crate) on_disk: Option<&'a dyn Fn(&str) -> OnDisk>,
    /// SHA-256 of the policy.
    pub(crate) policy: Option<String>,
    pub(crate) commit: Option<String>,
    pub(crate) builder: Option<String>,
    pub(crate) resource: Option<String>,
    pub(crate) properties: &'a [String],
    pub(crate) takes_bad_news: bool,
}

/// What was found out about a document.
#[derive(Debug, Clone)]
pub(crate) struct Judgement {
    pub(crate) form: Form,
    pub(crate) reasons: Vec<Reason>,
    /// What was not looked at, and may matter to somebody.
    pub(crate) notes: Vec<String>,
    /// The hint of the key that signed it.
    pub(crate) key: Option<String>,
    /// Read only after the signature over it held.
    pub(crate) statement: Option<Statement>,
    /// Of the signed bytes.
    pub(crate) sha: Option<Sha>,
}

impl Judgement {
    fn new(form: Form) -> Self {
        Self {
            form,
            reasons: Vec::new(),
            notes: Vec::new(),
            key: None,
            statement: None,
            sha: None,
        }
    }

    pub(crate) fn standing(&self) -> Standing {
        let standing = |reason: &Reason| {
            if reason.code.is_unsupported {
                Standing::Unsupported
            } else {
                Standing::Failed
            }
        };
        let worst = self.reasons.iter().map(standing).max();
        worst.unwrap_or(Standing::Verified)
    }

    pub(crate) fn because(&mut self, code: &'static Code, message: impl Into<String>) {
        let message: String = message.into();
        self.reasons.push(Reason {
            code,
            message: super::short(&message).into_owned(),
        });
    }

    fn malformed(&mut self, error: &Malformed) {
        self.because(codes::MALFORMED, error.to_string());
    }

    /// Finds the key that signed; whether there is one.
    fn is_signed(&mut self, asked: &Asked<'_>, message: &[u8], signatures: &[Vec<u8>]) -> bool {
        if asked.keys.is_empty() {
            self.because(codes::NO_KEY, "it is signed with a key, and none was given");
            return false;
        }
        let signed = |key: &&PublicKey| {
            let mut signatures = signatures.iter();
            signatures.any(|signature| key.has_signed(message, signature))
        };
        match asked.keys.iter().find(signed) {
            Some(key) => {
                self.key = Some(key.hint());
                true
            }
            None => {
                let message = match asked.keys.len() {
                    1 => "the key that was given did not sign these bytes".to_owned(),
                    count => format!("none of the {count} keys that were given signed these bytes"),
                };
                self.because(codes::BAD_SIGNATURE, message);
                false
            }
        }
    }
}

/// Judges a document of a form that was recognised.
pub(crate) fn judge(form: Form, value: &Value, asked: &Asked<'_>) -> Judgement {
    let mut judgement = Judgement::new(form);
    match form {
        Form::Statement => {
            let message = "it is a bare statement without a signature";
            judgement.because(codes::NOT_SIGNED, message);
        }
        Form::Envelope => match Envelope::read(value) {
            Ok(envelope) => judge_envelope(&mut judgement, &envelope, asked),
            Err(error) => judgement.malformed(&error),
        },
        Form::Bundle if !bundle::is_known_version(value) => {
            let message = format!("`{}` is not known here", bundle::media_type(value));
            judgement.because(codes::VERSION, message);
        }
        Form::Bundle => match Bundle::read(value) {
            Ok(bundle) => judge_bundle(&mut judgement, &bundle, asked),
            Err(error) => judgement.malformed(&error),
        },
    }
    judgement
}

fn judge_bundle(judgement: &mut Judgement, bundle: &Bundle, asked: &Asked<'_>) {
    if let Content::File {
        digest: Some(digest),
        ..
    } = &bundle.content
        && let [artifact] = asked.artifacts
        && artifact.sha.0[..] != digest[..]
    {
        let message = format!(
            "`{}` has sha256 {}, and the bundle is about another file",
            artifact.path, artifact.sha
        );
        judgement.because(codes::FILE_DIFFERS, message);
        return;
    }
    let signature = match &bundle.content {
        Content::Envelope(envelope) => envelope.signatures.first(),
        Content::File { signature, .. } => Some(signature),
    };
    if let Some(signature) = signature
        && let mut entries = bundle.log_entries.iter()
        && entries.any(|entry| entry.is_of_another(signature))
    {
        let message = "its entry of a transparency log is about another signature";
        judgement.because(codes::LOG_ENTRY, message);
        return;
    }
    if bundle.material == Material::Certificate {
        let message = "it is signed with a certificate, which cannot be judged here";
        judgement.because(codes::CERTIFICATE, message);
        return;
    }
    for (count, what) in [
        (bundle.log_entries.len(), "entries of a transparency log"),
        (bundle.timestamps, "timestamps"),
    ] {
        if count > 0 {
            let note = format!("{count} {what} were not looked at: what counts is the key");
            judgement.notes.push(note);
        }
    }
    match &bundle.content {
        Content::Envelope(envelope) => judge_envelope(judgement, envelope, asked),
        Content::File { signature, .. } => judge_file(judgement, signature, asked),
    }
}

/// Judges the signature of a file that is not in the bundle.
fn judge_file(judgement: &mut Judgement, signature: &[u8], asked: &Asked<'_>) {
    if asked.keys.is_empty() {
        judgement.because(codes::NO_KEY, "it is signed with a key, and none was given");
        return;
    }
    let (Some(bytes), [artifact]) = (asked.content, asked.artifacts) else {
        let message = "it signs a file: name that one file with `--artifact` (256 MiB at most)";
        judgement.because(codes::PAYLOAD_TYPE, message);
        return;
    };
    if !judgement.is_signed(asked, bytes, &[signature.to_vec()]) {
        return;
    }
    judgement.sha = Some(artifact.sha);
    // A file says nothing about predicates and policies.
    let asks_content = asked.predicate_type.is_some()
        || asked.policy.is_some()
        || asked.commit.is_some()
        || asked.builder.is_some()
        || asked.resource.is_some()
        || !asked.properties.is_empty();
    if asks_content {
        let message = "a file is signed, and no statement about it";
        judgement.because(codes::PREDICATE_TYPE, message);
    }
}

fn judge_envelope(judgement: &mut Judgement, envelope: &Envelope, asked: &Asked<'_>) {
    if !judgement.is_signed(asked, &envelope.signed(), &envelope.signatures) {
        return;
    }
    judgement.sha = Some(Sha::of(&envelope.payload));
    if envelope.payload_type != IN_TOTO {
        let message = format!("what is signed is `{}`", envelope.payload_type);
        judgement.because(codes::PAYLOAD_TYPE, message);
        return;
    }
    match Statement::read(&envelope.payload) {
        Ok(statement) => {
            content::check(judgement, &statement, asked);
            judgement.statement = Some(statement);
        }
        Err(error) => judgement.malformed(&error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::World;
    use crate::ports::signing::SigningKey;
    use crate::provenance::dsse;
    use crate::provenance::keys::KeyKind;
    use serde_json::json;

    const TEXT: &str = r#"{"_type":"https://in-toto.io/Statement/v1","predicate":{"a":[1,2,3]},"predicateType":"t","subject":[{"digest":{"sha256":"ab"},"name":"n"}]}"#;

    fn made(kind: KeyKind) -> Box<dyn SigningKey> {
        let signing = World::signing();
        signing
            .open(signing.make(kind).unwrap().as_bytes())
            .unwrap()
    }

    fn standing(value: &Value, keys: &[PublicKey]) -> Standing {
        let asked = Asked {
            keys,
            ..Asked::default()
        };
        judge(Form::of(value).unwrap(), value, &asked).standing()
    }

    /// Deterministic, and good enough to pick bytes (Marsaglia, "Xorshift RNGs", 2003).
    fn dice(state: &mut u64) -> usize {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        usize::try_from(*state >> 33).unwrap()
    }

    /// A thousand changes of one byte of payload, signature or type, with either kind of key, in an envelope and in a bundle.
    #[test]
    fn no_change_of_a_byte_is_accepted() {
        for kind in [KeyKind::Ed25519, KeyKind::P256] {
            let key = made(kind);
            let keys = [key.public()];
            let payload = TEXT.as_bytes();
            let signature = key.sign(&dsse::pae(IN_TOTO, payload)).unwrap();
            let sealed = |payload: &[u8], signature: &[u8], kind: &str| {
                let mut envelope = dsse::write(payload, "k", signature);
                envelope["payloadType"] = json!(kind);
                let bundle = bundle::write(&envelope, "k");
                [envelope, serde_json::from_str(&bundle).unwrap()]
            };
            for value in sealed(payload, &signature, IN_TOTO) {
                assert_eq!(standing(&value, &keys), Standing::Verified);
            }
            let mut seed = 0x9e37_79b9_7f4a_7c15;
            let mut accepted = 0;
            for turn in 0..1000 {
                let mut parts = [payload.to_vec(), signature.clone(), IN_TOTO.into()];
                let part = &mut parts[turn % 3];
                let at = dice(&mut seed) % part.len();
                // A type stays a text: an envelope can have no other.
                let most = if turn % 3 == 2 { 127 } else { 255 };
                let change = dice(&mut seed) % most + 1;
                part[at] ^= u8::try_from(change).unwrap();
                let [payload, signature, kind] = &parts;
                let kind = std::str::from_utf8(kind).unwrap();
                for value in sealed(payload, signature, kind) {
                    accepted += usize::from(standing(&value, &keys) != Standing::Failed);
                }
            }
            assert_eq!(accepted, 0);
        }
    }

    #[test]
    fn every_letter_of_an_envelope_counts() {
        let key = made(KeyKind::Ed25519);
        let keys = [key.public()];
        let signature = key.sign(&dsse::pae(IN_TOTO, TEXT.as_bytes())).unwrap();
        let whole = dsse::write(TEXT.as_bytes(), "k", &signature);
        let meant = Envelope::read(&whole).unwrap();
        let mut same = 0;
        for (pointer, name) in [("/payload", "payload"), ("/signatures/0/sig", "sig")] {
            let text = whole.pointer(pointer).unwrap().as_str().unwrap();
            for at in 0..text.len() {
                for letter in ["A", "B", "-", "=", "\u{e9}"] {
                    let mut changed = text.to_owned();
                    changed.replace_range(at..=at, letter);
                    if changed == text {
                        continue;
                    }
                    let mut value = whole.clone();
                    *value.pointer_mut(pointer).unwrap() = json!(changed);
                    // A lone letter that the other alphabet has too stands for the same bytes.
                    let is_same = Envelope::read(&value).is_ok_and(|read| read == meant);
                    let wanted = if is_same {
                        Standing::Verified
                    } else {
                        Standing::Failed
                    };
                    assert_eq!(standing(&value, &keys), wanted, "{name} {at} {letter}");
                    same += usize::from(is_same);
                }
            }
        }
        assert!(same <= 2, "{same}");
    }

    #[test]
    fn raw_signatures_and_either_alphabet_are_taken() {
        let key = made(KeyKind::P256);
        let keys = [key.public()];
        // Of many signatures some have letters that differ between the alphabets.
        for _ in 0..20 {
            let der = key.sign(&dsse::pae(IN_TOTO, TEXT.as_bytes())).unwrap();
            for signature in [der.clone(), raw(&der)] {
                let mut value = dsse::write(TEXT.as_bytes(), "k", &signature);
                assert_eq!(standing(&value, &keys), Standing::Verified);
                for pointer in ["/payload", "/signatures/0/sig"] {
                    let text = value.pointer_mut(pointer).unwrap();
                    let safe = text.as_str().unwrap();
                    let safe = safe.replace('+', "-").replace('/', "_").replace('=', "");
                    *text = json!(safe);
                }
                assert_eq!(standing(&value, &keys), Standing::Verified);
            }
        }
    }

    /// Two integers in DER as two numbers of 32 bytes.
    fn raw(der: &[u8]) -> Vec<u8> {
        let mut rest = &der[2..];
        let mut numbers = Vec::new();
        for _ in 0..2 {
            let length = usize::from(rest[1]);
            let number = &rest[2..2 + length];
            let number: Vec<u8> = number
                .iter()
                .copied()
                .skip_while(|byte| *byte == 0)
                .collect();
            numbers.extend(std::iter::repeat_n(0, 32 - number.len()));
            numbers.extend(number);
            rest = &rest[2 + length..];
        }
        numbers
    }

    #[test]
    fn a_keyid_decides_nothing() {
        let key = made(KeyKind::Ed25519);
        let signature = key.sign(&dsse::pae(IN_TOTO, TEXT.as_bytes())).unwrap();
        let value = dsse::write(TEXT.as_bytes(), "somebody else", &signature);
        assert_eq!(standing(&value, &[key.public()]), Standing::Verified);
        let other = made(KeyKind::Ed25519);
        let value = dsse::write(TEXT.as_bytes(), &other.public().hint(), &signature);
        assert_eq!(standing(&value, &[other.public()]), Standing::Failed);
        assert_eq!(standing(&value, &[]), Standing::Unsupported);
    }

    #[test]
    fn what_is_signed_and_no_statement_is_not_verified() {
        let key = made(KeyKind::Ed25519);
        let signed = |payload: &[u8], kind: &str| {
            let mut value =
                dsse::write(payload, "k", &key.sign(&dsse::pae(kind, payload)).unwrap());
            value["payloadType"] = json!(kind);
            standing(&value, &[key.public()])
        };
        assert_eq!(signed(b"hello", "text/plain"), Standing::Unsupported);
        assert_eq!(signed(b"hello", IN_TOTO), Standing::Failed);
        let twice = TEXT.replacen('{', r#"{"_type":"x","#, 1);
        assert_eq!(signed(twice.as_bytes(), IN_TOTO), Standing::Failed);
        assert_eq!(signed(TEXT.as_bytes(), IN_TOTO), Standing::Verified);
    }

    /// Whatever becomes of the text, nothing panics, and what is still verified holds the same bytes.
    #[test]
    fn mutants_of_the_text_are_never_verified_by_accident() {
        let key = made(KeyKind::P256);
        let keys = [key.public()];
        let signature = key.sign(&dsse::pae(IN_TOTO, TEXT.as_bytes())).unwrap();
        let whole = bundle::write(&dsse::write(TEXT.as_bytes(), "k", &signature), "k");
        let asked = Asked {
            keys: &keys,
            ..Asked::default()
        };
        let mut seed = 7;
        let (mut judged, mut verified) = (0, 0);
        for _ in 0..10_000 {
            let mut text = whole.clone().into_bytes();
            let at = dice(&mut seed) % text.len();
            match dice(&mut seed) % 3 {
                0 => text[at] = u8::try_from(dice(&mut seed) % 256).unwrap(),
                1 => drop(text.drain(at..(at + 9).min(whole.len()))),
                _ => text.truncate(at),
            }
            let Ok(value) = crate::provenance::strict::read(&text) else {
                continue;
            };
            let Some(form) = Form::of(&value) else {
                continue;
            };
            judged += 1;
            let judgement = judge(form, &value, &asked);
            if judgement.standing() == Standing::Verified {
                verified += 1;
                assert_eq!(judgement.sha, Some(Sha::of(TEXT.as_bytes())));
            }
        }
        assert!(judged > 1_000 && verified < judged, "{judged} {verified}");
    }
}
