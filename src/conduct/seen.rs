//! What was read of a repository last, so that nobody asks git for it again.
//!
//! Invariant: what is kept by ids of objects is the same whenever it is read; of what moves only the tip of a remote's branch is kept, so that
//! all parts of one answer are about the same commit.

use crate::change::base::Commit;
use crate::change::{Change, Tree};

/// The last answer to a question.
#[derive(Debug)]
pub(crate) struct Last<K, V>(Option<(K, V)>);

impl<K, V> Default for Last<K, V> {
    fn default() -> Self {
        Self(None)
    }
}

impl<K: PartialEq, V: Clone> Last<K, V> {
    /// Whether this was the question.
    pub(crate) fn has(&self, key: &K) -> bool {
        self.0.as_ref().is_some_and(|(known, _)| known == key)
    }

    /// Returns the answer, if this was the question.
    pub(crate) fn of(&self, key: &K) -> Option<V> {
        let found = self.0.as_ref().filter(|_| self.has(key));
        found.map(|(_, value)| value.clone())
    }

    /// Keeps an answer, and hands it back.
    pub(crate) fn keep(&mut self, key: K, value: V) -> V {
        self.0 = Some((key, value.clone()));
        value
    }
}

/// The last answers. One is enough: whoever asks twice asks about the same change.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// A commit's files.
    pub(super) tree: Last<String, Tree>,
    /// What differs between some commits and one.
    pub(super) diffs: Last<(Vec<String>, String), Vec<Vec<Change>>>,
    /// Every best common ancestor of two commits; never of a clone that ends before it can tell.
    pub(super) ancestors: Last<[String; 2], Vec<Commit>>,
    /// Where a branch of a remote is.
    pub(super) tip: Last<[String; 2], String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_question_has_an_answer() {
        let mut last = Last::default();
        assert_eq!(last.of(&"a"), None);
        assert_eq!(last.keep("a", 1), 1);
        assert_eq!(last.of(&"a"), Some(1));
        let _ = last.keep("b", 2);
        assert_eq!((last.of(&"a"), last.of(&"b")), (None, Some(2)));
    }
}
