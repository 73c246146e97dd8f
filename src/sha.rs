//! SHA-256 (FIPS 180-4): the digest of bytes, at once or part by part, and how it is written.

use std::fmt;

use ring::digest::{Context, SHA256, digest};

/// A SHA-256 digest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Sha(pub(crate) [u8; 32]);

impl Sha {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self::from(digest(&SHA256, bytes))
    }

    /// Reads 64 lower-case hexadecimal digits.
    pub(crate) fn parse(hex: &str) -> Option<Self> {
        let digits = hex.as_bytes();
        if digits.len() != 64 {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
        }
        Some(Self(bytes))
    }

    /// Returns the digits of so many of its bytes, from the first.
    pub(crate) fn start(&self, bytes: usize) -> String {
        let mut digits = self.to_string();
        digits.truncate(2 * bytes);
        digits
    }

    fn from(digest: ring::digest::Digest) -> Self {
        let mut bytes = [0; 32];
        for (byte, digested) in bytes.iter_mut().zip(digest.as_ref()) {
            *byte = *digested;
        }
        Self(bytes)
    }
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl fmt::Display for Sha {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0 {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Sha {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The digest of what comes part by part.
#[derive(Clone)]
pub(crate) struct Hasher(Context);

impl Default for Hasher {
    fn default() -> Self {
        Self(Context::new(&SHA256))
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hasher")
    }
}

impl Hasher {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Takes a part with its length before it, so that no two lists of parts are the same bytes.
    pub(crate) fn part(&mut self, bytes: &[u8]) {
        self.update(&(bytes.len() as u64).to_be_bytes());
        self.update(bytes);
    }

    pub(crate) fn sha(self) -> Sha {
        Sha::from(self.0.finish())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn it_is_that_of_the_standard() {
        // `printf abc | sha256sum`, as in the standard's examples.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Sha::of(b"abc").to_string(), abc);
        assert_eq!(Sha::of(b"abc").start(4), "ba7816bf");
        assert_eq!(Sha::parse(abc), Some(Sha::of(b"abc")));
        for wrong in ["", &abc[1..], &abc.to_uppercase(), &abc.replace('b', "g")] {
            assert_eq!(Sha::parse(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn parts_are_the_whole(parts: Vec<Vec<u8>>) {
            let mut hasher = Hasher::default();
            for part in &parts {
                hasher.update(part);
            }
            prop_assert_eq!(hasher.sha(), Sha::of(&parts.concat()));
        }

        #[test]
        fn where_parts_end_counts(a: Vec<u8>, b: Vec<u8>) {
            let digest = |parts: &[&[u8]]| {
                let mut hasher = Hasher::default();
                for part in parts {
                    hasher.part(part);
                }
                hasher.sha()
            };
            prop_assert_ne!(digest(&[&a, &b]), digest(&[&[&a[..], &b].concat()]));
        }
    }
}
