//! Globs of one name: stars, and question marks.

/// A piece of a glob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece {
    Byte(u8),
    /// One character.
    Question,
    /// Any number of characters, and none.
    Star,
}

impl Piece {
    fn of(byte: u8) -> Self {
        match byte {
            b'*' => Self::Star,
            b'?' => Self::Question,
            byte => Self::Byte(byte),
        }
    }
}

/// Whether a glob of stars and question marks matches a name. A backslash is a character like any other.
pub(crate) fn matches(glob: &[u8], name: &[u8]) -> bool {
    is_match(|at| glob.get(at).copied().map(Piece::of), name)
}

/// Whether pieces match a name.
pub(crate) fn pieces_match(glob: &[Piece], name: &[u8]) -> bool {
    is_match(|at| glob.get(at).copied(), name)
}

/// Returns the pieces of a glob in which a backslash makes the next character stand for itself; nothing where there is no next one.
pub(crate) fn escaped_pieces(glob: &[u8]) -> Option<Vec<Piece>> {
    let mut bytes = glob.iter().copied();
    let mut pieces = Vec::with_capacity(glob.len());
    while let Some(byte) = bytes.next() {
        pieces.push(match byte {
            b'\\' => Piece::Byte(bytes.next()?),
            byte => Piece::of(byte),
        });
    }
    Some(pieces)
}

fn is_match(glob: impl Fn(usize) -> Option<Piece>, name: &[u8]) -> bool {
    let (mut at, mut place) = (0, 0);
    // Where the last star stands, and from where it takes the rest.
    let mut star: Option<(usize, usize)> = None;
    while place < name.len() {
        match glob(at) {
            Some(Piece::Star) => {
                star = Some((at, place));
                at += 1;
            }
            Some(Piece::Question) => {
                // One character, of however many bytes.
                place += 1;
                while name.get(place).is_some_and(|byte| byte & 0xc0 == 0x80) {
                    place += 1;
                }
                at += 1;
            }
            Some(Piece::Byte(byte)) if byte == name[place] => {
                at += 1;
                place += 1;
            }
            _ => match star {
                Some((star_at, from)) => {
                    star = Some((star_at, from + 1));
                    at = star_at + 1;
                    place = from + 1;
                }
                None => return false,
            },
        }
    }
    (at..).map_while(glob).all(|piece| piece == Piece::Star)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_text_and_question_marks_for_one_character() {
        let like = |glob: &str, name: &str| matches(glob.as_bytes(), name.as_bytes());
        assert!(like("a*b*", "axxbx") && like("*", "") && like("t?st", "tést"));
        assert!(!like("a*a", "a") && !like("t?st", "tst") && !like("a", "ab"));
        // Each star is tried from where the last one ended, and no further back.
        assert!(!like(&"*a".repeat(60), &"a".repeat(59)));
    }
}
