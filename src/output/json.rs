//! JSON that a log may show: the values are the same, and the runner of GitHub Actions finds no command in them.

use std::io::{self, Write};

/// What begins a command of the older form, wherever it stands; in JSON it can stand inside a text only.
const COMMAND: &[u8] = b"##[";

/// A writer that spells out the second sign of a command, which reads back as it was.
///
/// Serde writes what needs no escape of a text in one piece, so that no command is torn over two.
pub(super) struct Calm<'w>(pub(super) &'w mut dyn Write);

impl Write for Calm<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut from = 0;
        for at in memchr::memmem::find_iter(bytes, COMMAND) {
            self.0.write_all(&bytes[from..=at])?;
            self.0.write_all(b"\\u0023")?;
            from = at + 2;
        }
        self.0.write_all(&bytes[from..])
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_reads_back_and_commands_nobody() {
        for text in ["##[error]x", "###[", "a##[##[", "# #[", "\"##[\n"] {
            let mut out = Vec::new();
            serde_json::to_writer(Calm(&mut out), &text).unwrap();
            let json = String::from_utf8(out).unwrap();
            assert!(!json.contains("##["), "{json}");
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
    }
}
