//! What a journal says happened: read line by line, each held against the one before.

use std::collections::{BTreeMap, VecDeque};

use serde_json::Value;

use crate::agents::board::Entry;
use crate::agents::graph::TaskSpec;
use crate::agents::record::Work;
use crate::agents::record::{Broken, Chain, Head, LONGEST, Record, about, when};
use crate::agents::step::{End, Halt, Turn};

/// A step whose outcome is known.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Kept {
    pub(crate) input: String,
    pub(crate) result: Value,
}

/// The last line of a run that came to its end.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Final {
    pub(crate) outcome: String,
    pub(crate) commit: Option<String>,
    pub(crate) tree: Option<String>,
    pub(crate) board: String,
}

/// What a journal says.
#[derive(Debug, Default)]
pub(crate) struct Recording {
    pub(crate) head: Option<Head>,
    pub(crate) plan: Option<(Vec<TaskSpec>, Vec<Entry>)>,
    /// Steps with an outcome.
    pub(crate) steps: BTreeMap<String, Kept>,
    /// Steps that began, and whose outcome nobody knows.
    pub(crate) open: BTreeMap<String, String>,
    /// Turns that ended, in the order in which they did.
    pub(crate) ended: VecDeque<(Turn, End, Work)>,
    pub(crate) halts: Vec<Halt>,
    pub(crate) resumed: u32,
    pub(crate) last: Option<Final>,
    /// When each record was written, in milliseconds since 1970.
    pub(crate) times: Vec<Option<i64>>,
    /// Every record in order.
    pub(crate) records: Vec<Record>,
    /// Where the last whole line ends.
    pub(crate) length: u64,
    pub(crate) chain: Chain,
}

/// Why a journal cannot be believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}{}: {broken}", step.as_ref().map(|step| format!(", step `{step}`")).unwrap_or_default())]
pub(crate) struct Altered {
    pub(crate) line: usize,
    pub(crate) step: Option<String>,
    pub(crate) broken: Broken,
}

impl Recording {
    /// Reads a journal. A last line without an end was cut off by whatever ended the process: it does not count.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Altered> {
        let mut recording = Self::default();
        let whole = memchr::memrchr(b'\n', bytes).map_or(0, |end| end + 1);
        let lines = bytes[..whole].split_inclusive(|byte| *byte == b'\n');
        for (line, text) in (1..).zip(lines) {
            let text = text.strip_suffix(b"\n").unwrap_or(text);
            let altered = |broken| Altered {
                line,
                step: about(text).or_else(|| recording.records.last().map(after)),
                broken,
            };
            if text.len() > LONGEST {
                return Err(altered(Broken::Form));
            }
            let mut chain = recording.chain.clone();
            let record = chain.read(text).map_err(altered)?;
            recording.chain = chain;
            recording.times.push(when(text));
            recording.take(record);
        }
        recording.length = whole as u64;
        Ok(recording)
    }

    fn take(&mut self, record: Record) {
        match &record {
            Record::Run(head) => self.head = Some(head.clone()),
            Record::Plan { tasks, entries } => self.plan = Some((tasks.clone(), entries.clone())),
            Record::Begun { .. } => {}
            Record::Ended { turn, end, work } => {
                self.ended.push_back((*turn, end.clone(), work.clone()));
            }
            Record::Intent { step, input } => {
                self.open.insert(step.clone(), input.clone());
            }
            Record::Outcome { step, result } => {
                if let Some(input) = self.open.remove(step) {
                    let result = result.clone();
                    self.steps.insert(step.clone(), Kept { input, result });
                }
            }
            Record::Halted { halt } => self.halts.push(*halt),
            Record::Resumed { .. } => {
                self.resumed += 1;
                self.last = None;
                self.halts.clear();
            }
            Record::Over {
                outcome,
                commit,
                tree,
                board,
            } => {
                self.last = Some(Final {
                    outcome: outcome.clone(),
                    commit: commit.clone(),
                    tree: tree.clone(),
                    board: board.clone(),
                });
            }
        }
        self.records.push(record);
    }
}

fn after(record: &Record) -> String {
    format!("after {}", record.step())
}
