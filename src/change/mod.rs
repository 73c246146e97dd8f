//! What changed between two commits: paths with modes and objects, and the trees that they change.
//!
//! Invariant: a rename is a deletion and an addition, always. Whoever moves a file out of a project has changed that project.

pub(crate) mod base;
pub(crate) mod lines;
pub(crate) mod log;
pub(crate) mod paths;
mod tree;
pub(crate) mod trust;

#[cfg(test)]
pub(crate) use tree::tests as tests_support;
pub(crate) use tree::{Entry, Kind, Tree};

/// What became of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Status {
    /// It is new.
    Added,
    /// It is gone.
    Deleted,
    /// Its bytes, its mode or both are others.
    Modified,
    /// It was a file and is a link or submodule, or the other way round.
    TypeChanged,
}

impl Status {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Deleted => "deleted",
            Self::Modified => "modified",
            Self::TypeChanged => "type-changed",
        }
    }
}

/// One changed path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    /// From the top of the repository; bytes that are no UTF-8 are replaced.
    pub(crate) path: String,
    /// Whether the path is UTF-8.
    pub(crate) is_text: bool,
    /// What it was.
    pub(crate) old: Option<Entry>,
    /// What it is.
    pub(crate) new: Option<Entry>,
}

impl Change {
    pub(crate) fn status(&self) -> Status {
        match (&self.old, &self.new) {
            (_, None) => Status::Deleted,
            (None, _) => Status::Added,
            (Some(old), Some(new)) if old.kind() == new.kind() => Status::Modified,
            _ => Status::TypeChanged,
        }
    }
}

/// Why git's words were not understood.
#[derive(Debug, thiserror::Error)]
#[error("git printed what is no list of changes: {0}")]
pub(crate) struct NotRaw(pub(crate) String);

/// Reads `git diff-tree -r -z --raw --no-renames --no-abbrev`: `:old-mode new-mode old-object new-object status`, NUL, path, NUL.
pub(crate) fn parse_raw(bytes: &[u8]) -> Result<Vec<Change>, NotRaw> {
    let mut changes = Vec::new();
    let mut fields = bytes.split(|byte| *byte == 0);
    while let Some(head) = fields.next() {
        if head.is_empty() {
            continue;
        }
        let odd = || NotRaw(String::from_utf8_lossy(head).into_owned());
        let path = fields.next().ok_or_else(odd)?;
        changes.push(parse_one(head, path).ok_or_else(odd)?);
    }
    Ok(changes)
}

/// Reads one change.
pub(crate) fn parse_one(head: &[u8], path: &[u8]) -> Option<Change> {
    let head = std::str::from_utf8(head).ok()?.strip_prefix(':')?;
    let mut words = head.split(' ');
    let old_mode = words.next()?;
    let new_mode = words.next()?;
    let old_object = words.next()?;
    let new_object = words.next()?;
    words.next()?;
    Some(Change {
        path: String::from_utf8_lossy(path).into_owned(),
        is_text: std::str::from_utf8(path).is_ok(),
        old: Entry::parse(old_mode, old_object).ok()?,
        new: Entry::parse(new_mode, new_object).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "1111111111111111111111111111111111111111";
    const B: &str = "2222222222222222222222222222222222222222";
    const NONE: &str = "0000000000000000000000000000000000000000";

    fn raw(lines: &[(&str, &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (head, path) in lines {
            bytes.extend_from_slice(head.as_bytes());
            bytes.push(0);
            bytes.extend_from_slice(path);
            bytes.push(0);
        }
        bytes
    }

    #[test]
    fn every_kind_of_change_is_read() {
        let bytes = raw(&[
            (&format!(":000000 100644 {NONE} {A} A"), b"new"),
            (&format!(":100644 000000 {A} {NONE} D"), b"gone"),
            (&format!(":100644 100755 {A} {A} M"), b"mode"),
            (&format!(":100644 120000 {A} {B} T"), b"link"),
            (&format!(":160000 160000 {A} {B} M"), b"sub"),
            (&format!(":100644 100644 {A} {B} M"), b"gr\xfcn\n\"x\""),
        ]);
        let changes = parse_raw(&bytes).unwrap();
        let statuses: Vec<_> = changes
            .iter()
            .map(|change| change.status().name())
            .collect();
        let expected = [
            "added",
            "deleted",
            "modified",
            "type-changed",
            "modified",
            "modified",
        ];
        assert_eq!(statuses, expected);
        assert_eq!(changes[4].new.as_ref().unwrap().kind(), Kind::Submodule);
        assert!(!changes[5].is_text);
        assert_eq!(changes[5].path, "gr\u{fffd}n\n\"x\"");
    }

    #[test]
    fn other_words_are_refused() {
        assert!(parse_raw(b"fatal: bad object\0x\0").is_err());
        assert!(parse_raw(b":100644 100644 1 2 M\0").is_ok_and(|changes| changes.len() == 1));
        assert!(parse_raw(b":100644").is_err());
    }
}
