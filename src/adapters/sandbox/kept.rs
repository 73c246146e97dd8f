//! Reads a stream to its end, whatever its length, and keeps its beginning and its end.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};

use crate::ports::sandbox::Kept;

/// What was heard so far; others may look while it is still being read.
#[derive(Clone, Default)]
pub(super) struct Ear(Arc<Mutex<Heard>>);

#[derive(Default)]
struct Heard {
    head: Vec<u8>,
    cut: u64,
    tail: VecDeque<u8>,
}

impl Ear {
    /// Reads until there is no more; keeps at most so many bytes.
    pub(super) fn listen(&self, mut stream: impl Read, most: u64) {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let mut buffer = vec![0_u8; 64 * 1024];
        loop {
            match stream.read(&mut buffer) {
                Ok(0) => return,
                Ok(length) => self.hear(buffer.get(..length).unwrap_or_default(), most),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    }

    fn hear(&self, bytes: &[u8], most: usize) {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = (most / 2).saturating_sub(heard.head.len());
        let (first, rest) = bytes.split_at(room.min(bytes.len()));
        heard.head.extend_from_slice(first);
        // Of a piece that is longer than what is kept, only the end is looked at.
        let longest = most - most / 2;
        let (gone, last) = rest.split_at(rest.len().saturating_sub(longest));
        heard.tail.extend(last);
        let surplus = heard.tail.len().saturating_sub(longest);
        heard.tail.drain(..surplus);
        heard.cut += (gone.len() + surplus) as u64;
    }

    pub(super) fn kept(&self) -> Kept {
        let heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Kept {
            head: heard.head.clone(),
            cut: heard.cut,
            tail: heard.tail.iter().copied().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, most: u64, head: &str, cut: u64, tail: &str) {
        for piece in [1, 3, 1000] {
            let ear = Ear::default();
            for bytes in text.as_bytes().chunks(piece) {
                ear.listen(bytes, most);
            }
            let kept = ear.kept();
            assert_eq!(kept.head, head.as_bytes(), "{piece}");
            assert_eq!(kept.tail, tail.as_bytes(), "{piece}");
            assert_eq!(kept.cut, cut, "{piece}");
        }
    }

    #[test]
    fn the_beginning_and_the_end_are_kept_however_the_bytes_come() {
        check("", 4, "", 0, "");
        check("abcd", 4, "ab", 0, "cd");
        check("abcde", 5, "ab", 0, "cde");
        check("abcdefgh", 5, "ab", 3, "fgh");
        check("abcdefghijklmnop", 4, "ab", 12, "op");
        check("abc", 0, "", 3, "");
    }
}
