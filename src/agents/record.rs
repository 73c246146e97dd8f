//! The journal's lines: an intent before each effect, an outcome after it, each line bound to all before it.
//!
//! A line is a JSON object whose last member `sum` is SHA-256 over the sum of the line before and the bytes of the line up to it. Whoever
//! changes a byte breaks the line that it stands in.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::board::Entry;
use super::graph::TaskSpec;
use super::step::{End, Halt, Turn};
use crate::json;
use crate::money::Usd;
use crate::sha::{Hasher, Sha};

pub(crate) const SCHEMA: &str = "maestro.run-journal/v1";

/// No line is longer; what is larger lies beside the journal.
pub(crate) const LONGEST: usize = 64 * 1024 * 1024;

/// What a run is made from. Two runs with equal heads that hear equal answers do the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Head {
    pub(crate) schema: String,
    pub(crate) run: String,
    /// Of maestro.
    pub(crate) version: String,
    /// When it began; also the time of its commits.
    pub(crate) at: jiff::Timestamp,
    /// The commit that it starts from.
    pub(crate) base: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) branch: Option<String>,
    /// The word that data stands between.
    pub(crate) delimiter: String,
    /// The issue, cleaned.
    pub(crate) issue: Value,
    /// Everything that somebody chose: limits, engines, models, what is allowed.
    pub(crate) settings: Value,
    /// Digests of prompts and policy.
    pub(crate) inputs: Value,
}

/// What came of a turn.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Work {
    /// The commit that has it; none where the task changes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) commit: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tree: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) entries: Vec<Entry>,
    /// Why it is not done, for people and for whoever tries again.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) why: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) models: Vec<String>,
    #[serde(default)]
    pub(crate) usd: Usd,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum Record {
    Run(Head),
    /// The plan that was taken.
    Plan {
        tasks: Vec<TaskSpec>,
        entries: Vec<Entry>,
    },
    /// A task is about to be worked on.
    Begun {
        turn: Turn,
    },
    /// It was.
    Ended {
        turn: Turn,
        end: End,
        work: Work,
    },
    /// Something outside of the process is about to happen.
    Intent {
        step: String,
        /// Digest of all that decides what happens.
        input: String,
    },
    /// It happened.
    Outcome {
        step: String,
        result: Value,
    },
    Halted {
        halt: Halt,
    },
    /// Another process goes on.
    Resumed {
        at: jiff::Timestamp,
    },
    /// The last line.
    Over {
        outcome: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        commit: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tree: Option<String>,
        board: String,
    },
}

impl Record {
    /// Returns what it is about, for people.
    pub(crate) fn step(&self) -> String {
        match self {
            Self::Run(head) => format!("run {}", head.run),
            Self::Plan { .. } => "plan".to_owned(),
            Self::Begun { turn } | Self::Ended { turn, .. } => {
                format!("task {}, try {}", turn.task.0, turn.number)
            }
            Self::Intent { step, .. } | Self::Outcome { step, .. } => step.clone(),
            Self::Halted { .. } => "halt".to_owned(),
            Self::Resumed { .. } => "resume".to_owned(),
            Self::Over { .. } => "end".to_owned(),
        }
    }
}

/// Writes lines, each bound to the one before.
#[derive(Debug, Clone)]
pub(crate) struct Chain(Sha);

/// How a line ends, without the digits.
const SUM: &str = ",\"sum\":\"";

impl Default for Chain {
    fn default() -> Self {
        Self(Sha([0; 32]))
    }
}

impl Chain {
    /// Adds a record as a line, with its line end; `ms` is when, in milliseconds since 1970.
    pub(crate) fn line(
        &mut self,
        record: &Record,
        ms: Option<i64>,
        out: &mut Vec<u8>,
    ) -> serde_json::Result<()> {
        let from = out.len();
        serde_json::to_writer(&mut *out, record)?;
        // The object's end comes after the sum.
        out.pop();
        if let Some(ms) = ms {
            out.extend_from_slice(format!(",\"ms\":{ms}").as_bytes());
        }
        self.0 = self.next(&out[from..]);
        out.extend_from_slice(SUM.as_bytes());
        out.extend_from_slice(self.0.to_string().as_bytes());
        out.extend_from_slice(b"\"}\n");
        Ok(())
    }

    fn next(&self, body: &[u8]) -> Sha {
        let mut hasher = Hasher::default();
        hasher.update(&self.0.0);
        hasher.update(body);
        hasher.sha()
    }

    /// Reads a line without its line end, if it follows the one before.
    pub(crate) fn read(&mut self, line: &[u8]) -> Result<Record, Broken> {
        let tail = SUM.len() + 64 + 2;
        let at = line.len().checked_sub(tail).ok_or(Broken::Form)?;
        let (body, end) = line.split_at(at);
        let end = std::str::from_utf8(end).map_err(|_| Broken::Form)?;
        let digits = end
            .strip_prefix(SUM)
            .and_then(|end| end.strip_suffix("\"}"))
            .ok_or(Broken::Form)?;
        let sum = self.next(body);
        if Sha::parse(digits) != Some(sum) {
            return Err(Broken::Sum);
        }
        let mut whole = body.to_vec();
        whole.push(b'}');
        let record = json::read(&whole).map_err(|error| Broken::Json(error.to_string()))?;
        self.0 = sum;
        Ok(record)
    }
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Broken {
    #[error("it is no line of a journal")]
    Form,
    #[error("its bytes are not those that were written")]
    Sum,
    #[error("this version does not understand it: {0}")]
    Json(String),
}

/// Returns when a line was written, in milliseconds since 1970.
pub(crate) fn when(line: &[u8]) -> Option<i64> {
    let tail = SUM.len() + 64 + 2;
    let body = line.get(..line.len().checked_sub(tail)?)?;
    let from = body.len().checked_sub(32)?;
    let end = std::str::from_utf8(body.get(from..)?).ok()?;
    end.rsplit_once(",\"ms\":")?.1.parse().ok()
}

/// Guesses which step a broken line was about, as far as it can be read.
pub(crate) fn about(line: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Peek<'a> {
        #[serde(borrow)]
        step: Option<&'a RawValue>,
        #[serde(borrow)]
        turn: Option<&'a RawValue>,
    }
    let peek: Peek<'_> = json::read(line).ok()?;
    let step = peek
        .step
        .map(|step| step.get().trim_matches('"').to_owned());
    step.or_else(|| peek.turn.map(|turn| turn.get().to_owned()))
        .map(|text| text.chars().take(120).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::graph::TaskNo;

    fn lines() -> Vec<Record> {
        let turn = Turn {
            task: TaskNo(1),
            number: 1,
            round: 0,
            climb: 0,
        };
        vec![
            Record::Begun { turn },
            Record::Intent {
                step: "a/0/1/model/1".to_owned(),
                input: "00".to_owned(),
            },
            Record::Outcome {
                step: "a/0/1/model/1".to_owned(),
                result: serde_json::json!({"text": "ü \"x\" \u{1f600}", "n": 1}),
            },
            Record::Ended {
                turn,
                end: End::Rejected(vec![TaskNo(0)]),
                work: Work {
                    why: "tests failed".to_owned(),
                    ..Work::default()
                },
            },
        ]
    }

    fn written() -> Vec<u8> {
        let mut chain = Chain::default();
        let mut bytes = Vec::new();
        for record in lines() {
            chain
                .line(&record, Some(1_767_225_600_000), &mut bytes)
                .unwrap();
        }
        bytes
    }

    fn read(bytes: &[u8]) -> Result<Vec<Record>, (usize, Broken)> {
        let mut chain = Chain::default();
        let lines = bytes
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty());
        lines
            .enumerate()
            .map(|(at, line)| chain.read(line).map_err(|broken| (at, broken)))
            .collect()
    }

    #[test]
    fn what_was_written_is_read() {
        assert_eq!(read(&written()).unwrap(), lines());
        let bytes = written();
        let line = bytes.split(|byte| *byte == b'\n').next().unwrap();
        assert_eq!(when(line), Some(1_767_225_600_000));
        assert_eq!(when(b"{}"), None);
    }

    #[test]
    fn a_changed_byte_breaks_its_own_line() {
        let bytes = written();
        let mut line = 0;
        for at in 0..bytes.len() {
            if bytes[at] == b'\n' {
                line += 1;
                continue;
            }
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            if changed[at] == b'\n' {
                changed[at] ^= 3;
            }
            assert_eq!(read(&changed).unwrap_err().0, line, "byte {at}");
        }
    }

    #[test]
    fn lines_that_are_gone_or_swapped_are_seen() {
        let bytes = written();
        let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
        assert_eq!(read(&lines[1..].concat()), Err((0, Broken::Sum)));
        let swapped = [lines[0], lines[2], lines[1], lines[3]].concat();
        assert_eq!(read(&swapped), Err((1, Broken::Sum)));
    }

    #[test]
    fn a_broken_line_still_says_what_it_was_about() {
        let bytes = written();
        let line = bytes.split(|byte| *byte == b'\n').nth(1).unwrap();
        assert_eq!(about(line).unwrap(), "a/0/1/model/1");
        assert_eq!(about(b"{"), None);
    }
}
