//! Sigstore bundles, versions 0.1 to 0.3 (sigstore/protobuf-specs, `sigstore_bundle.proto`), as far as they can be judged with a key.

use serde_json::{Value, json};

use super::dsse::Envelope;
use super::log_entry::LogEntry;
use super::{Malformed, sixty_four};

/// What bundles of version 0.3 are called.
const V0_3: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// How every version's name begins.
const FAMILY: &str = "application/vnd.dev.sigstore.bundle";

/// Versions that can be read.
const READ: [&str; 4] = [
    V0_3,
    "application/vnd.dev.sigstore.bundle+json;version=0.1",
    "application/vnd.dev.sigstore.bundle+json;version=0.2",
    "application/vnd.dev.sigstore.bundle+json;version=0.3",
];

/// What a bundle says that its signature is to be checked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Material {
    /// A key that the reader has.
    Key { hint: String },
    /// A certificate of Sigstore's: whose it is, and whether it held at the time, needs a trusted root.
    Certificate,
}

/// What was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    Envelope(Envelope),
    /// A file that is not in the bundle.
    File {
        signature: Vec<u8>,
        /// The SHA-256 digest that the bundle says it has.
        digest: Option<Vec<u8>>,
    },
}

/// A bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bundle {
    pub(crate) material: Material,
    pub(crate) content: Content,
    /// Entries of a transparency log.
    pub(crate) log_entries: Vec<LogEntry>,
    /// RFC 3161 timestamps.
    pub(crate) timestamps: usize,
}

/// Whether a value says that it is a bundle.
pub(crate) fn is_bundle(value: &Value) -> bool {
    media_type(value).starts_with(FAMILY)
}

/// Returns what it says that it is.
pub(crate) fn media_type(value: &Value) -> &str {
    value
        .get("mediaType")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// Whether this version of a bundle can be read.
pub(crate) fn is_known_version(value: &Value) -> bool {
    READ.contains(&media_type(value))
}

impl Bundle {
    /// Reads a bundle of a known version.
    pub(crate) fn read(value: &Value) -> Result<Self, Malformed> {
        let material = value.get("verificationMaterial");
        let material = material.ok_or_else(|| Malformed::new("it has no verification material"))?;
        let entries = list(material, "tlogEntries");
        let stamps = material.get("timestampVerificationData");
        let stamps = stamps.map_or(&[][..], |stamps| list(stamps, "rfc3161Timestamps"));
        Ok(Self {
            material: read_material(material)?,
            content: read_content(value)?,
            log_entries: entries
                .iter()
                .map(LogEntry::read)
                .collect::<Result<_, _>>()?,
            timestamps: stamps.len(),
        })
    }
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    let items = value.get(name).and_then(Value::as_array);
    items.map_or(&[], Vec::as_slice)
}

fn read_material(material: &Value) -> Result<Material, Malformed> {
    let known = ["publicKey", "certificate", "x509CertificateChain"];
    let there = known.iter().filter(|name| material.get(**name).is_some());
    match there.copied().collect::<Vec<_>>()[..] {
        ["publicKey"] => {
            let hint = material.pointer("/publicKey/hint").and_then(Value::as_str);
            Ok(Material::Key {
                hint: hint.unwrap_or_default().to_owned(),
            })
        }
        ["certificate"] => {
            certificate(material.get("certificate"))?;
            Ok(Material::Certificate)
        }
        ["x509CertificateChain"] => {
            let chain = material.pointer("/x509CertificateChain/certificates");
            let chain = chain.and_then(Value::as_array);
            let chain = chain.filter(|chain| !chain.is_empty());
            let chain =
                chain.ok_or_else(|| Malformed::new("its chain of certificates is empty"))?;
            for each in chain {
                certificate(Some(each))?;
            }
            Ok(Material::Certificate)
        }
        [] => Err(Malformed::new("it names neither a key nor a certificate")),
        _ => Err(Malformed::new("it names a key and a certificate")),
    }
}

fn certificate(value: Option<&Value>) -> Result<(), Malformed> {
    let bytes = value.and_then(|value| value.get("rawBytes"));
    let bytes = bytes.and_then(Value::as_str).unwrap_or_default();
    let der = sixty_four::decode("a certificate", bytes)?;
    // A certificate is a sequence.
    if der.first() == Some(&0x30) {
        return Ok(());
    }
    Err(Malformed::new("a certificate is no certificate"))
}

fn read_content(value: &Value) -> Result<Content, Malformed> {
    match (value.get("dsseEnvelope"), value.get("messageSignature")) {
        (Some(envelope), None) => {
            let envelope = Envelope::read(envelope)?;
            if envelope.signatures.len() == 1 {
                return Ok(Content::Envelope(envelope));
            }
            Err(Malformed::new("a bundle's envelope has one signature"))
        }
        (None, Some(message)) => {
            let signature = message.get("signature").and_then(Value::as_str);
            let signature = signature.ok_or_else(|| Malformed::new("it has no signature"))?;
            let algorithm = message.pointer("/messageDigest/algorithm");
            let digest = message.pointer("/messageDigest/digest");
            let digest = digest
                .filter(|_| algorithm.and_then(Value::as_str) == Some("SHA2_256"))
                .map(|digest| digest.as_str().unwrap_or_default())
                .map(|digest| sixty_four::decode("the digest", digest));
            Ok(Content::File {
                signature: sixty_four::decode("the signature", signature)?,
                digest: digest.transpose()?,
            })
        }
        (None, None) => Err(Malformed::new("nothing in it is signed")),
        (Some(_), Some(_)) => Err(Malformed::new("it signs an envelope and a file at once")),
    }
}

/// Writes a bundle of version 0.3 around an envelope that was signed with a key.
pub(crate) fn write(envelope: &Value, hint: &str) -> String {
    json!({
        "dsseEnvelope": envelope,
        "mediaType": V0_3,
        "verificationMaterial": {
            "publicKey": { "hint": hint },
            "tlogEntries": [],
        },
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provenance::dsse;

    fn bundle() -> Value {
        let envelope = dsse::write(b"{}", "k", &[1]);
        serde_json::from_str(&write(&envelope, "k")).unwrap()
    }

    #[test]
    fn a_bundle_reads_back() {
        let value = bundle();
        assert!(is_bundle(&value) && is_known_version(&value));
        let read = Bundle::read(&value).unwrap();
        assert_eq!(read.material, Material::Key { hint: "k".into() });
        assert!(matches!(read.content, Content::Envelope(_)));
        assert_eq!((read.log_entries.len(), read.timestamps), (0, 0));
    }

    #[test]
    fn what_is_ambiguous_or_empty_is_refused() {
        for (pointer, replacement, words) in [
            ("/verificationMaterial", json!({}), "neither a key nor"),
            (
                "/verificationMaterial",
                json!({ "publicKey": {}, "certificate": {} }),
                "a key and a certificate",
            ),
            (
                "/verificationMaterial",
                json!({ "x509CertificateChain": { "certificates": [] } }),
                "is empty",
            ),
            (
                "/verificationMaterial",
                json!({ "certificate": { "rawBytes": "AAAA" } }),
                "no certificate",
            ),
            (
                "/verificationMaterial/tlogEntries",
                json!([{ "logIndex": "-1" }]),
                "no count",
            ),
            (
                "/dsseEnvelope/signatures",
                json!([{ "sig": "AQ==" }, { "sig": "AQ==" }]),
                "one signature",
            ),
        ] {
            let mut value = bundle();
            *value.pointer_mut(pointer).unwrap() = replacement;
            let error = Bundle::read(&value).unwrap_err();
            assert!(error.0.contains(words), "{error}");
        }
        let mut value = bundle();
        value["messageSignature"] = json!({});
        assert!(Bundle::read(&value).is_err());
    }
}
