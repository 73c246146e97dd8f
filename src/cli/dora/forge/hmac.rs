//! Who wrote a change, hidden: HMAC-SHA-256 (RFC 2104) of a login, under a key that only the repository's owners have. Without a key there is none:
//! logins are few, and a plain hash of one is soon guessed.

/// Returns half of the digest, in hexadecimal digits; nothing without a key.
pub(super) fn hidden(key: &str, login: &str) -> String {
    if key.is_empty() || login.is_empty() {
        return String::new();
    }
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key.as_bytes());
    let tag = ring::hmac::sign(&key, login.to_lowercase().as_bytes());
    let bytes = tag.as_ref().iter().take(16);
    bytes.fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::hidden;

    #[test]
    fn a_login_is_hidden_under_a_key_and_never_without() {
        assert_eq!(hidden("", "octocat"), "");
        assert_eq!(hidden("k", ""), "");
        let one = hidden("k", "octocat");
        assert_eq!(one, hidden("k", "Octocat"));
        assert_eq!(one.len(), 32);
        assert_ne!(one, hidden("other", "octocat"));
        // Test case 2 of RFC 4231, its first sixteen bytes.
        assert_eq!(
            hidden("Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c7"
        );
    }
}
