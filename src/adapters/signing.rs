//! Private keys by `ring`.

use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::ports::signing::{Signing, SigningKey, SigningProblem};
use crate::provenance::keys::{KeyKind, PublicKey, pem};

/// What stands before the 32 secret bytes of Ed25519 in version 1 of PKCS#8, as OpenSSL writes it (RFC 8410, section 7). Version 2, which `ring` writes,
/// holds the public key too, and many programs do not read it.
const ED25519_HEAD: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

pub(super) struct Ring;

impl Signing for Ring {
    fn open(&self, text: &[u8]) -> Result<Box<dyn SigningKey>, SigningProblem> {
        let key = match PrivateKeyDer::from_pem_slice(text) {
            Ok(PrivateKeyDer::Pkcs8(key)) => key,
            Ok(PrivateKeyDer::Sec1(_)) => return Err(SigningProblem::OldForm),
            Ok(_) => return Err(SigningProblem::OtherKind),
            Err(_) => return Err(no_key(text)),
        };
        // A key that OpenSSL made does not hold its public half, so that there is nothing to check it against.
        if let Ok(pair) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(key.secret_pkcs8_der()) {
            return Ok(Box::new(Edwards(pair)));
        }
        match p256(&key) {
            Some(pair) => Ok(Box::new(Curve(pair))),
            None => Err(SigningProblem::OtherKind),
        }
    }

    fn make(&self, kind: KeyKind) -> Result<String, SigningProblem> {
        let der = match kind {
            KeyKind::Ed25519 => {
                let mut secret = [0; 32];
                let filled = SystemRandom::new().fill(&mut secret);
                filled.map_err(|_| SigningProblem::NoRandomness)?;
                [&ED25519_HEAD[..], &secret].concat()
            }
            KeyKind::P256 => {
                let random = SystemRandom::new();
                let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random);
                let made = made.map_err(|_| SigningProblem::NoRandomness)?;
                made.as_ref().to_vec()
            }
        };
        Ok(pem("PRIVATE KEY", &der))
    }
}

fn p256(key: &PrivatePkcs8KeyDer<'_>) -> Option<EcdsaKeyPair> {
    let random = SystemRandom::new();
    let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
    EcdsaKeyPair::from_pkcs8(algorithm, key.secret_pkcs8_der(), &random).ok()
}

fn no_key(text: &[u8]) -> SigningProblem {
    let text = String::from_utf8_lossy(text);
    if text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED") {
        SigningProblem::Encrypted
    } else if text.contains("BEGIN PUBLIC KEY") {
        SigningProblem::Public
    } else {
        SigningProblem::NotPem
    }
}

struct Edwards(Ed25519KeyPair);

impl SigningKey for Edwards {
    fn public(&self) -> PublicKey {
        public(KeyKind::Ed25519, &self.0)
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningProblem> {
        Ok(self.0.sign(message).as_ref().to_vec())
    }
}

struct Curve(EcdsaKeyPair);

impl SigningKey for Curve {
    fn public(&self) -> PublicKey {
        public(KeyKind::P256, &self.0)
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningProblem> {
        let signed = self.0.sign(&SystemRandom::new(), message);
        let signed = signed.map_err(|_| SigningProblem::NoRandomness)?;
        Ok(signed.as_ref().to_vec())
    }
}

fn public<K: KeyPair>(kind: KeyKind, pair: &K) -> PublicKey {
    PublicKey::of_pair(kind, pair.public_key().as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_made_signs_and_its_public_half_tells() {
        let ring = Ring;
        for kind in [KeyKind::Ed25519, KeyKind::P256] {
            let made = ring.make(kind).unwrap();
            let key = ring.open(made.as_bytes()).unwrap();
            let signature = key.sign(b"m").unwrap();
            let public = PublicKey::from_pem(key.public().to_pem().as_bytes()).unwrap();
            assert_eq!(public.kind(), kind);
            assert!(public.has_signed(b"m", &signature));
            assert!(!public.has_signed(b"n", &signature));
        }
    }

    /// `openssl genpkey -algorithm ED25519` and `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`.
    #[test]
    fn keys_of_openssl_are_opened() {
        for (key, public) in [
            (
                include_str!("../../tests/suite/provenance/ed25519.pem"),
                include_str!("../../tests/suite/provenance/ed25519.pub"),
            ),
            (
                include_str!("../../tests/suite/provenance/p256.pem"),
                include_str!("../../tests/suite/provenance/p256.pub"),
            ),
        ] {
            let key = Ring.open(key.as_bytes()).unwrap();
            assert_eq!(key.public().to_pem(), public);
        }
    }

    #[test]
    fn what_is_no_key_is_told_apart_and_never_repeated() {
        let framed =
            |label: &str| format!("-----BEGIN {label}-----\nU0VDUkVU\n-----END {label}-----\n");
        for (text, problem) in [
            (String::new(), SigningProblem::NotPem),
            (framed("ENCRYPTED PRIVATE KEY"), SigningProblem::Encrypted),
            (framed("PUBLIC KEY"), SigningProblem::Public),
            (framed("EC PRIVATE KEY"), SigningProblem::OldForm),
            (framed("RSA PRIVATE KEY"), SigningProblem::OtherKind),
            (framed("PRIVATE KEY"), SigningProblem::OtherKind),
        ] {
            let found = Ring.open(text.as_bytes()).map(drop).unwrap_err();
            assert_eq!(found, problem);
            assert!(!found.to_string().contains("U0VDUkVU"));
        }
    }
}
