//! Private keys: they sign, and are never shown.

use crate::provenance::keys::{KeyKind, PublicKey};

/// Why a key cannot be used. Nothing of the key is in the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SigningProblem {
    #[error("it is no private key in PEM form")]
    NotPem,
    #[error("it is encrypted")]
    Encrypted,
    #[error("it is a public key")]
    Public,
    #[error("it is a key in the older form `EC PRIVATE KEY`")]
    OldForm,
    #[error("it is neither an Ed25519 nor a P-256 key")]
    OtherKind,
    #[error("the system gives no random numbers")]
    NoRandomness,
}

/// A key that signs.
pub(crate) trait SigningKey {
    /// Returns the public half.
    fn public(&self) -> PublicKey;
    /// Signs a message; ECDSA in DER.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningProblem>;
}

/// Private keys.
pub(crate) trait Signing: Send + Sync {
    /// Opens a key in PEM form (PKCS#8).
    fn open(&self, pem: &[u8]) -> Result<Box<dyn SigningKey>, SigningProblem>;
    /// Makes a key; its PEM form (PKCS#8).
    fn make(&self, kind: KeyKind) -> Result<String, SigningProblem>;
}
