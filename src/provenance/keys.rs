//! Public keys that signatures are checked with: Ed25519 (RFC 8032, in the form of RFC 8410) and ECDSA over P-256 with SHA-256 (FIPS 186-5, in the
//! form of RFC 5480).

use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey,
    VerificationAlgorithm,
};
use rustls_pki_types::SubjectPublicKeyInfoDer;
use rustls_pki_types::pem::PemObject;

use super::sixty_four;
use crate::sha::Sha;

/// What stands before the key's own bytes in a `SubjectPublicKeyInfo` of Ed25519.
const ED25519_HEAD: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// The same of an uncompressed point of P-256.
const P256_HEAD: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// How a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyKind {
    Ed25519,
    P256,
}

impl KeyKind {
    /// Returns its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "Ed25519",
            Self::P256 => "ECDSA P-256",
        }
    }

    fn head(self) -> &'static [u8] {
        match self {
            Self::Ed25519 => &ED25519_HEAD,
            Self::P256 => &P256_HEAD,
        }
    }

    fn length(self) -> usize {
        match self {
            Self::Ed25519 => 32,
            Self::P256 => 65,
        }
    }
}

/// Why a key is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyProblem {
    #[error("it is no public key in PEM form")]
    NotPem,
    #[error("it is a private key, and signatures are checked with the public one")]
    Private,
    #[error("it is a certificate, and only bare public keys are taken")]
    Certificate,
    #[error("it is neither an Ed25519 nor a P-256 key")]
    OtherKind,
}

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PublicKey {
    kind: KeyKind,
    bytes: Vec<u8>,
}

impl PublicKey {
    /// Takes the public half of a pair of keys, as libraries hand it out: whole.
    pub(crate) fn of_pair(kind: KeyKind, bytes: &[u8]) -> Self {
        let bytes = bytes.to_vec();
        Self { kind, bytes }
    }

    /// Takes the key's own bytes; none when there are too many or too few.
    fn new(kind: KeyKind, bytes: &[u8]) -> Option<Self> {
        // A point in another form is the same key under another digest.
        let is_whole =
            bytes.len() == kind.length() && (kind == KeyKind::Ed25519 || bytes.first() == Some(&4));
        is_whole.then(|| Self {
            kind,
            bytes: bytes.to_vec(),
        })
    }

    /// Reads a `PUBLIC KEY` in PEM form.
    pub(crate) fn from_pem(pem: &[u8]) -> Result<Self, KeyProblem> {
        let Ok(der) = SubjectPublicKeyInfoDer::from_pem_slice(pem) else {
            let text = String::from_utf8_lossy(pem);
            return Err(if text.contains("PRIVATE KEY-----") {
                KeyProblem::Private
            } else if text.contains("CERTIFICATE-----") {
                KeyProblem::Certificate
            } else {
                KeyProblem::NotPem
            });
        };
        let known = [KeyKind::Ed25519, KeyKind::P256].into_iter();
        let mut found = known.filter_map(|kind| Self::new(kind, der.strip_prefix(kind.head())?));
        found.next().ok_or(KeyProblem::OtherKind)
    }

    pub(crate) fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Returns its `SubjectPublicKeyInfo` in DER.
    fn spki(&self) -> Vec<u8> {
        [self.kind.head(), &self.bytes].concat()
    }

    /// Returns it in PEM form.
    pub(crate) fn to_pem(&self) -> String {
        pem("PUBLIC KEY", &self.spki())
    }

    /// Returns what bundles and envelopes call it: the digest of its `SubjectPublicKeyInfo`. It finds a key and proves nothing.
    pub(crate) fn hint(&self) -> String {
        sixty_four::encode(&Sha::of(&self.spki()).0)
    }

    /// Whether the key's owner signed the message. ECDSA signatures are DER, as most write them, or the two bare numbers, as Google does.
    pub(crate) fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        let is_by = |algorithm: &'static dyn VerificationAlgorithm| {
            UnparsedPublicKey::new(algorithm, &self.bytes)
                .verify(message, signature)
                .is_ok()
        };
        match self.kind {
            KeyKind::Ed25519 => is_by(&ED25519),
            KeyKind::P256 => is_by(&ECDSA_P256_SHA256_ASN1) || is_by(&ECDSA_P256_SHA256_FIXED),
        }
    }
}

/// Writes bytes in PEM form (RFC 7468).
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    for (at, letter) in sixty_four::encode(der).chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            text.push('\n');
        }
        text.push(letter);
    }
    text.push_str(&format!("\n-----END {label}-----\n"));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by `openssl genpkey` and `openssl pkey -pubout`; the digest by `openssl pkey -pubin -outform DER | sha256sum`.
    const ED25519_PEM: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";

    fn hex(text: &str) -> Vec<u8> {
        let digit = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
        (0..text.len()).step_by(2).map(digit).collect()
    }

    /// RFC 8032, section 7.1, the first test: the signature of nothing.
    #[test]
    fn the_signature_of_rfc_8032_is_one() {
        let key = PublicKey::from_pem(ED25519_PEM.as_bytes()).unwrap();
        let signature = hex(
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        );
        assert!(key.has_signed(b"", &signature));
        assert!(!key.has_signed(b"x", &signature));
        assert_eq!(key.to_pem(), ED25519_PEM);
        assert_eq!(key.kind().name(), "Ed25519");
    }

    /// RFC 6979, section A.2.5, "sample" with SHA-256: the signature as two bare numbers, and the same in DER.
    #[test]
    fn the_signature_of_rfc_6979_is_one_in_both_forms() {
        let point = hex(
            "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
        );
        let key = PublicKey::new(KeyKind::P256, &point).unwrap();
        let key = PublicKey::from_pem(key.to_pem().as_bytes()).unwrap();
        let r = "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716";
        let s = "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8";
        assert!(key.has_signed(b"sample", &hex(&format!("{r}{s}"))));
        let der = hex(&format!("3046022100{r}022100{s}"));
        assert!(key.has_signed(b"sample", &der));
        assert!(!key.has_signed(b"simple", &der));
        assert!(!key.has_signed(b"sample", &der[..70]));
    }

    #[test]
    fn keys_of_other_kinds_are_told_apart() {
        for (text, problem) in [
            ("", KeyProblem::NotPem),
            (
                "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
                KeyProblem::Private,
            ),
            (
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                KeyProblem::Certificate,
            ),
            (
                "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VuAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n",
                KeyProblem::OtherKind,
            ),
        ] {
            assert_eq!(PublicKey::from_pem(text.as_bytes()), Err(problem));
        }
    }
}
