//! A labelled change, as `git fast-import` is told of it.

use std::collections::BTreeSet;

use super::labels;

/// One change: what it is, what fast-import is told, and which entries name which paths.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) script: Vec<u8>,
    pub(super) expected: BTreeSet<(String, String)>,
}

/// Quotes a path as fast-import reads it.
fn quoted(path: &[u8]) -> Vec<u8> {
    let mut quoted = vec![b'"'];
    for byte in path {
        quoted.extend(format!("\\{byte:03o}").bytes());
    }
    quoted.push(b'"');
    quoted
}

impl Case {
    pub(super) fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            script: Vec::new(),
            expected: BTreeSet::new(),
        }
    }

    pub(super) fn put(
        mut self,
        mode: &str,
        path: impl AsRef<[u8]>,
        content: impl AsRef<[u8]>,
    ) -> Self {
        let content = content.as_ref();
        self.script.extend(format!("M {mode} inline ").bytes());
        self.script.extend(quoted(path.as_ref()));
        self.script
            .extend(format!("\ndata {}\n", content.len()).bytes());
        self.script.extend(content);
        self.script.push(b'\n');
        self
    }

    pub(super) fn file(self, path: impl AsRef<[u8]>) -> Self {
        self.put("100644", path, "x\n")
    }

    pub(super) fn link(self, path: &str, target: &str) -> Self {
        self.put("120000", path, target)
    }

    pub(super) fn submodule(mut self, path: &str, digit: char) -> Self {
        self.script
            .extend(format!("M 160000 {} ", digit.to_string().repeat(40)).bytes());
        self.script.extend(quoted(path.as_bytes()));
        self.script.push(b'\n');
        self
    }

    pub(super) fn gone(mut self, path: &str) -> Self {
        self.script.extend(b"D ");
        self.script.extend(quoted(path.as_bytes()));
        self.script.push(b'\n');
        self
    }

    pub(super) fn moved(mut self, from: &str, to: &str) -> Self {
        self.script.extend(b"R ");
        self.script.extend(quoted(from.as_bytes()));
        self.script.push(b' ');
        self.script.extend(quoted(to.as_bytes()));
        self.script.push(b'\n');
        self
    }

    pub(super) fn names(mut self, entry: &str, paths: &[&str]) -> Self {
        self.expected.extend(
            paths
                .iter()
                .map(|path| (entry.to_owned(), (*path).to_owned())),
        );
        self
    }
}

/// Every labelled change.
pub(super) fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    for fill in labels::ALL {
        fill(&mut cases);
    }
    cases
}
