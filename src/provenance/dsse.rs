//! Dead Simple Signing Envelopes (secure-systems-lab/dsse, protocol and envelope 1.0.2).

use serde_json::{Value, json};

use super::{Malformed, sixty_four};

/// What in-toto statements are called in an envelope (in-toto/attestation v1, `spec/v1/envelope.md`).
pub(crate) const IN_TOTO: &str = "application/vnd.in-toto+json";

/// Nobody signs one document more often.
const MOST_SIGNATURES: usize = 64;

/// A signed document. What a `keyid` says is left out: it must decide nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Envelope {
    pub(crate) payload_type: String,
    /// The very bytes that were signed.
    pub(crate) payload: Vec<u8>,
    pub(crate) signatures: Vec<Vec<u8>>,
}

/// Returns what is signed (pre-authentication encoding): type and body, each with its length before it.
pub(crate) fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!(
        "DSSEv1 {} {payload_type} {} ",
        payload_type.len(),
        payload.len()
    )
    .into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

impl Envelope {
    /// Reads an envelope.
    pub(crate) fn read(value: &Value) -> Result<Self, Malformed> {
        let text = |value: &Value, name: &str| {
            let text = value.get(name).and_then(Value::as_str).map(str::to_owned);
            text.ok_or_else(|| Malformed(format!("the envelope's `{name}` is no text")))
        };
        let payload_type = text(value, "payloadType")?;
        let payload = sixty_four::decode("the payload", &text(value, "payload")?)?;
        let signatures = value.get("signatures").and_then(Value::as_array);
        let signatures = signatures.ok_or_else(|| Malformed::new("it has no signatures"))?;
        if signatures.is_empty() || signatures.len() > MOST_SIGNATURES {
            let count = signatures.len();
            return Err(Malformed(format!(
                "it has {count} signatures, and 1 to {MOST_SIGNATURES} can be read"
            )));
        }
        let signatures = signatures
            .iter()
            .map(|signature| sixty_four::decode("a signature", &text(signature, "sig")?));
        Ok(Self {
            payload_type,
            payload,
            signatures: signatures.collect::<Result<_, _>>()?,
        })
    }

    /// Returns what its signatures are over.
    pub(crate) fn signed(&self) -> Vec<u8> {
        pae(&self.payload_type, &self.payload)
    }
}

/// Writes an envelope with one signature.
pub(crate) fn write(payload: &[u8], keyid: &str, signature: &[u8]) -> Value {
    json!({
        "payload": sixty_four::encode(payload),
        "payloadType": IN_TOTO,
        "signatures": [{ "keyid": keyid, "sig": sixty_four::encode(signature) }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the protocol's specification.
    #[test]
    fn lengths_stand_before_type_and_body() {
        let bytes = pae("http://example.com/HelloWorld", b"hello world");
        assert_eq!(
            bytes,
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
        assert_ne!(pae("a", b"b 1 c"), pae("a 1 b", b"c"));
    }

    #[test]
    fn an_envelope_reads_back() {
        let read = Envelope::read(&write(b"{}", "k", &[1, 2])).unwrap();
        assert_eq!(read.payload, b"{}");
        assert_eq!(read.signatures, [[1, 2]]);
    }

    #[test]
    fn an_envelope_without_signature_is_none() {
        for (text, words) in [
            (
                r#"{"payload": "", "payloadType": "t", "signatures": []}"#,
                "0 signatures",
            ),
            (r#"{"payload": "", "payloadType": "t"}"#, "no signatures"),
            (r#"{"payload": "!", "payloadType": "t"}"#, "no base64"),
            (r#"{"payload": ""}"#, "`payloadType`"),
            (
                r#"{"payload": "", "payloadType": "t", "signatures": [{}]}"#,
                "`sig`",
            ),
        ] {
            let error = Envelope::read(&serde_json::from_str(text).unwrap()).unwrap_err();
            assert!(error.0.contains(words), "{error}");
        }
    }
}
