//! The token by which a GitHub App speaks as itself: a JWT (RFC 7519) signed with RS256 (RFC 7518, section 3.3).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use serde_json::json;

/// GitHub takes ten minutes at most, by its own clock.
const SECONDS: i64 = 9 * 60;

/// Our clock may be ahead of GitHub's by so many seconds.
const DRIFT: i64 = 60;

/// Signs a token for the app with this number; `now` is in seconds of Unix time. An error says what is wrong with the key.
pub(super) fn sign(app: u64, key: &str, now: i64) -> Result<String, &'static str> {
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes())
        .map_err(|_| "the app's private key is no key in PEM form")?;
    let key = match &key {
        PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
        PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
        _ => return Err("the app's private key is no RSA key"),
    };
    let key = key.map_err(|_| "the app's private key is no RSA key of 2048 bits or more")?;
    let header = json!({ "alg": "RS256", "typ": "JWT" });
    let claims = json!({ "iat": now - DRIFT, "exp": now + SECONDS, "iss": app.to_string() });
    let mut token = format!("{}.{}", part(header.to_string()), part(claims.to_string()));
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        token.as_bytes(),
        &mut signature,
    )
    .map_err(|_| "the app's private key cannot sign")?;
    token.push('.');
    token.push_str(&part(signature));
    Ok(token)
}

fn part(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::sign;

    const KEY: &str = include_str!("../../tests/suite/github/test-key.pem");

    /// The signature that `openssl dgst -sha256 -sign test-key.pem` makes: RS256 has one signature for a text.
    #[test]
    fn the_signature_is_the_one_that_openssl_makes() {
        let token = sign(7, KEY, 1_767_603_600).unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        assert_eq!(
            signed,
            "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjE3Njc2MDQxNDAsImlhdCI6MTc2NzYwMzU0MCwiaXNzIjoiNyJ9"
        );
        assert_eq!(
            signature,
            "KZMmoAS4x8X-czyLP_LVmkFvMeykIdDYZBlkThtr0CrtUniGR7di7k9qefraHCfvdt6LE4j_7u6m2tXN0Nnx3L4T90MyqagOu9qqo3ZhAgA_HwFEcGjJ32gG5lCnGDvdIkhb_yaI9VBdStD_jivdJpo_oFDZ1woSemaelxuhVp2YrZE0ctSgqu9rxJ7F50U811BvI3mQhsrvKVFfPO7pO9reQELFmvETY4ULnBjsatD9VbB0dBy0f31yJntC9GE-YPh65oaTBknUJN33V65ROyyikQ0d2DP1jLVm6o74qZBJV_RHPIagiopZRXWtsSywcWRaLFy1iRp_wBLoWrkAYg"
        );
    }

    #[test]
    fn a_key_that_is_none_is_told_apart() {
        for (key, words) in [
            ("", "no key in PEM form"),
            (
                "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n",
                "no RSA key of 2048 bits",
            ),
            (
                "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n",
                "no RSA key",
            ),
        ] {
            let error = sign(7, key, 0).unwrap_err();
            assert!(error.contains(words), "{error}");
            assert!(!error.contains("AAAA"), "{error}");
        }
    }
}
