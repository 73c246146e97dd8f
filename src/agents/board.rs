//! The blackboard: what tasks write down for those after them. Entries are typed, numbered, and signed by their task.

use std::collections::BTreeMap;

use ring::hmac;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::graph::TaskSpec;
use crate::sha::Sha;

/// What an entry says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub(crate) enum Body {
    /// The planner's: the graph, what may go wrong, and what it took for granted.
    Plan {
        summary: String,
        tasks: Vec<TaskSpec>,
        risks: Vec<Value>,
        assumptions: Vec<String>,
    },
    /// What a task changed, and why.
    Patch { summary: String, files: Vec<String> },
    /// What those after it must know.
    Notes { notes: Vec<String> },
    /// Places that the scaffolder promised.
    Skeleton { interfaces: Vec<Value> },
    /// What tests said.
    Tests {
        ran: u64,
        passed: u64,
        failed: Vec<String>,
        /// Failed, known to be flaky, and forgiven.
        excused: Vec<String>,
        commands: Vec<String>,
    },
    /// What the reviewer found.
    Review {
        verdict: String,
        summary: String,
        findings: Vec<Value>,
    },
    /// The text of the pull request, and the record of the change.
    Summary {
        title: String,
        body: String,
        change_record: Option<String>,
    },
    /// What somebody's words tried to talk the agent into.
    Suspicions { lines: Vec<String> },
}

impl Body {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Plan { .. } => "plan",
            Self::Patch { .. } => "patch",
            Self::Notes { .. } => "notes",
            Self::Skeleton { .. } => "skeleton",
            Self::Tests { .. } => "tests",
            Self::Review { .. } => "review",
            Self::Summary { .. } => "summary",
            Self::Suspicions { .. } => "suspicions",
        }
    }
}

/// An entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Whose it is.
    pub(crate) task: String,
    pub(crate) role: String,
    /// From 1: a task that is done again writes the next one.
    pub(crate) version: u32,
    pub(crate) body: Body,
    /// HMAC-SHA256 (RFC 2104) with the task's key, over everything above.
    pub(crate) signature: String,
}

/// The key of a run, from which each task has its own.
#[derive(Clone)]
pub(crate) struct RunKey(hmac::Key);

impl std::fmt::Debug for RunKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RunKey")
    }
}

impl RunKey {
    pub(crate) fn new(bytes: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    fn of_task(&self, task: &str) -> hmac::Key {
        let label = format!("maestro.blackboard/v1\0{task}");
        let own = hmac::sign(&self.0, label.as_bytes());
        hmac::Key::new(hmac::HMAC_SHA256, own.as_ref())
    }
}

/// Returns what is signed.
fn signed(task: &str, role: &str, version: u32, body: &Body) -> Vec<u8> {
    let body = serde_json::to_value(body).unwrap_or_default();
    serde_json::json!([task, role, version, body])
        .to_string()
        .into_bytes()
}

fn hex(bytes: &[u8]) -> String {
    let mut digits = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        digits.push_str(&format!("{byte:02x}"));
    }
    digits
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    Sha::parse(text).map(|sha| sha.0.to_vec())
}

/// Everything that was written, by task and kind; the newest version of each counts.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Board(BTreeMap<(String, &'static str), Vec<Entry>>);

impl Board {
    /// Writes an entry in the name of a task, and returns it.
    pub(crate) fn write(&mut self, key: &RunKey, task: &str, role: &str, body: Body) -> Entry {
        let place = (task.to_owned(), body.name());
        let own = self.0.entry(place).or_default();
        let version = u32::try_from(own.len() + 1).unwrap_or(u32::MAX);
        let tag = hmac::sign(&key.of_task(task), &signed(task, role, version, &body));
        let entry = Entry {
            task: task.to_owned(),
            role: role.to_owned(),
            version,
            body,
            signature: hex(tag.as_ref()),
        };
        own.push(entry.clone());
        entry
    }

    /// Takes an entry that was written before; false when its task did not sign it, or it is not the next one.
    pub(crate) fn take(&mut self, key: &RunKey, entry: Entry) -> bool {
        let bytes = signed(&entry.task, &entry.role, entry.version, &entry.body);
        let tag = unhex(&entry.signature).unwrap_or_default();
        if hmac::verify(&key.of_task(&entry.task), &bytes, &tag).is_err() {
            return false;
        }
        let place = (entry.task.clone(), entry.body.name());
        let own = self.0.entry(place).or_default();
        if usize::try_from(entry.version).is_ok_and(|version| version == own.len() + 1) {
            own.push(entry);
            return true;
        }
        false
    }

    /// Returns the newest entries of some tasks, in the order of the tasks.
    pub(crate) fn of<'b>(&'b self, tasks: &'b [&str]) -> impl Iterator<Item = &'b Entry> {
        tasks.iter().flat_map(|task| {
            let own = self.0.iter().filter(move |((of, _), _)| of == task);
            own.filter_map(|(_, entries)| entries.last())
        })
    }

    /// Returns all of the newest entries.
    pub(crate) fn newest(&self) -> impl Iterator<Item = &Entry> {
        self.0.values().filter_map(|entries| entries.last())
    }

    /// Returns every entry, older versions first.
    #[cfg(test)]
    pub(crate) fn all(&self) -> impl Iterator<Item = &Entry> {
        self.0.values().flatten()
    }

    /// Returns the digest of what the newest entries say, whoever's key signed them.
    pub(crate) fn digest(&self) -> Sha {
        let newest: Vec<_> = self
            .newest()
            .map(|entry| (&entry.task, &entry.role, &entry.body))
            .collect();
        let bytes = crate::json::bytes(&newest).unwrap_or_default();
        Sha::of(&bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notes(text: &str) -> Body {
        Body::Notes {
            notes: vec![text.to_owned()],
        }
    }

    #[test]
    fn the_newest_of_a_task_counts_and_older_ones_stay() {
        let key = RunKey::new(&[7; 32]);
        let mut board = Board::default();
        board.write(&key, "a", "implementer", notes("first"));
        let second = board.write(&key, "a", "implementer", notes("second"));
        board.write(&key, "b", "tester", notes("other"));
        assert_eq!(second.version, 2);
        let seen: Vec<_> = board.of(&["a"]).collect();
        assert_eq!(seen, [&second]);
        assert_eq!(board.all().count(), 3);
        assert_eq!(board.newest().count(), 2);
    }

    #[test]
    fn an_entry_stands_for_its_task_alone() {
        let key = RunKey::new(&[7; 32]);
        let mut board = Board::default();
        let entry = board.write(&key, "a", "implementer", notes("mine"));
        let mut other = Board::default();
        for forge in [
            |entry: &mut Entry| entry.task = "b".to_owned(),
            |entry: &mut Entry| entry.role = "reviewer".to_owned(),
            |entry: &mut Entry| entry.version = 2,
            |entry: &mut Entry| entry.body = notes("theirs"),
            |entry: &mut Entry| entry.signature = "00".repeat(32),
            |entry: &mut Entry| entry.signature.clear(),
        ] {
            let mut forged = entry.clone();
            forge(&mut forged);
            assert!(!other.take(&key, forged));
        }
        assert!(!other.take(&RunKey::new(&[8; 32]), entry.clone()));
        assert!(other.take(&key, entry.clone()));
        assert!(!other.take(&key, entry), "twice");
        assert_eq!(other.digest(), board.digest());
    }

    #[test]
    fn the_digest_is_of_what_is_said_not_of_who_signed() {
        let mut one = Board::default();
        let mut two = Board::default();
        one.write(&RunKey::new(&[1; 32]), "a", "docs", notes("x"));
        two.write(&RunKey::new(&[2; 32]), "a", "docs", notes("old"));
        two.write(&RunKey::new(&[2; 32]), "a", "docs", notes("x"));
        assert_eq!(one.digest(), two.digest());
        two.write(&RunKey::new(&[2; 32]), "a", "docs", notes("y"));
        assert_ne!(one.digest(), two.digest());
    }
}
