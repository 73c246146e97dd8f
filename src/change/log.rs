//! A branch's past, one commit at a time, as `git log --first-parent -m --raw -z` prints it.

use std::io::{self, BufRead};

use super::{Change, parse_one};

/// A commit and what it changed of its first parent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Logged {
    /// Full object id.
    pub(crate) commit: String,
    /// Its first parent; none for the first commit, and where a shallow clone ends.
    pub(crate) parent: Option<String>,
    /// When it was committed, in seconds since 1970.
    pub(crate) at: i64,
    pub(crate) changes: Vec<Change>,
}

/// What the header of a commit begins with, so that no path can be taken for one.
const MARK: u8 = 1;

/// Reads commits and hands each out; whoever takes them may stop with false.
pub(crate) fn read(
    input: &mut dyn BufRead,
    take: &mut dyn FnMut(Logged) -> bool,
) -> io::Result<()> {
    let mut current: Option<Logged> = None;
    loop {
        let mut field = Vec::new();
        if input.read_until(0, &mut field)? == 0 {
            break;
        }
        if field.last() == Some(&0) {
            field.pop();
        }
        // Between a header and what it changed stands a line break.
        let field = field.strip_prefix(b"\n").unwrap_or(&field);
        match field.first() {
            Some(&MARK) => {
                if let Some(logged) = current.take()
                    && !take(logged)
                {
                    return Ok(());
                }
                current = header(&field[1..]);
            }
            Some(b':') => {
                let mut path = Vec::new();
                input.read_until(0, &mut path)?;
                if path.last() == Some(&0) {
                    path.pop();
                }
                if let (Some(logged), Some(change)) = (&mut current, parse_one(field, &path)) {
                    logged.changes.push(change);
                }
            }
            _ => {}
        }
    }
    if let Some(logged) = current {
        take(logged);
    }
    Ok(())
}

fn header(field: &[u8]) -> Option<Logged> {
    let text = String::from_utf8_lossy(field);
    let words: Vec<&str> = text.split_whitespace().collect();
    let [commit, parents @ .., at] = &words[..] else {
        return None;
    };
    Some(Logged {
        commit: (*commit).to_owned(),
        parent: parents.first().map(|parent| (*parent).to_owned()),
        at: at.parse().ok()?,
        changes: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_are_read_with_what_they_changed() {
        let text =
            b"\x01c2 c1 c0 20\0\n:100644 100644 a b M\0x\0:100644 000000 a 0 D\0:odd\0\x01c1  10\0";
        let mut found = Vec::new();
        read(&mut &text[..], &mut |logged| {
            let paths: Vec<String> = logged
                .changes
                .iter()
                .map(|change| change.path.clone())
                .collect();
            found.push((logged.commit, logged.parent, logged.at, paths));
            true
        })
        .unwrap();
        let expected = [
            (
                "c2".to_owned(),
                Some("c1".to_owned()),
                20,
                vec!["x".to_owned(), ":odd".to_owned()],
            ),
            ("c1".to_owned(), None, 10, vec![]),
        ];
        assert_eq!(found, expected);
    }
}
