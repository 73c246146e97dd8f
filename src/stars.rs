//! Globs of one name: stars, and question marks.

/// Whether a glob of stars and question marks matches a name. A backslash is a character like any other.
pub(crate) fn matches(glob: &[u8], name: &[u8]) -> bool {
    let (mut at, mut place) = (0, 0);
    // Where the last star stands, and from where it takes the rest.
    let mut star: Option<(usize, usize)> = None;
    while place < name.len() {
        match glob.get(at) {
            Some(b'*') => {
                star = Some((at, place));
                at += 1;
            }
            Some(b'?') => {
                // One character, of however many bytes.
                place += 1;
                while name.get(place).is_some_and(|byte| byte & 0xc0 == 0x80) {
                    place += 1;
                }
                at += 1;
            }
            Some(byte) if *byte == name[place] => {
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
    glob[at..].iter().all(|byte| *byte == b'*')
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
