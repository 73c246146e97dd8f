//! Base64 (RFC 4648) as envelopes have it: in either alphabet, padded or not, and each text for one sequence of bytes only.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::Malformed;

const FORM: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, FORM);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, FORM);

/// Reads a text of either alphabet; one of both is refused.
pub(super) fn decode(what: &str, text: &str) -> Result<Vec<u8>, Malformed> {
    let engine = if text.contains(['-', '_']) {
        URL_SAFE
    } else {
        STANDARD
    };
    engine
        .decode(text)
        .map_err(|error| Malformed(format!("{what} is no base64: {error}")))
}

/// Writes bytes in the standard alphabet, padded: what every reader takes.
pub(super) fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_alphabets_are_read_and_never_both_at_once() {
        let bytes = [0xfb, 0xef, 0xff, 0xfe];
        for text in ["++///g==", "--___g", "++///g", "--___g=="] {
            assert!(decode("it", text).is_ok(), "{text}");
        }
        assert_eq!(decode("it", &encode(&bytes)).unwrap(), bytes);
        for text in ["+-//", "++//g", "a", "++///h==", "++// /g=="] {
            assert!(decode("it", text).is_err(), "{text}");
        }
    }
}
