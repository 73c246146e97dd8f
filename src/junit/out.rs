//! Where every reader's cases go: the suites around them, the counts, and the sink.

use super::Counts;
use super::case::{Case, Outcome, bound_name, bound_name_to};
use super::notes::{NoteCode, Notes};

/// Suite names nested deeper than this do not become part of a test's identity.
pub(super) const SUITE_PATH: usize = 32;

/// Longest sum of suite names around a case, in bytes; what would go beyond it becomes a digest. Every case of a file
/// may carry its whole path into the results, so a few long names could grow to gigabytes there.
const PATH_LIMIT: usize = 1024;

/// Nobody runs a test more often than this in one report.
const MOST_ATTEMPTS: usize = 1000;

/// What a reader hands out.
pub(super) struct Out<'s> {
    pub(super) sink: &'s mut dyn FnMut(&[String], u64, &Case),
    pub(super) suites: Vec<String>,
    /// Changes whenever the suites do.
    pub(super) serial: u64,
    /// The case at hand; its buffers are used again.
    pub(super) case: Case,
    pub(super) counts: Counts,
}

impl<'s> Out<'s> {
    pub(super) fn new(sink: &'s mut dyn FnMut(&[String], u64, &Case)) -> Self {
        Self {
            sink,
            suites: Vec::new(),
            serial: 0,
            case: Case::default(),
            counts: Counts::default(),
        }
    }

    /// Sets the suites around the cases that follow; empty names are left out.
    pub(super) fn enter(&mut self, path: &[&str]) {
        let wanted = || path.iter().filter(|name| !name.is_empty()).take(SUITE_PATH);
        let is_same = self.serial > 0
            && wanted().count() == self.suites.len()
            && wanted().zip(&self.suites).all(|(new, old)| new == old);
        if is_same {
            return;
        }
        self.serial += 1;
        self.suites.clear();
        for name in wanted() {
            let mut name = (*name).to_owned();
            bound_path(&self.suites, &mut name);
            self.suites.push(name);
        }
    }

    /// Begins a case.
    pub(super) fn begin(&mut self, class: &str, name: &str, offset: u64) {
        self.case.clear();
        self.case.class.push_str(class);
        self.case.name.push_str(name);
        self.case.offset = offset;
    }

    /// Adds to the message, without the colours of a terminal.
    pub(super) fn say(&mut self, words: &str) {
        let mut rest = words;
        while let Some(at) = rest.find('\x1b') {
            self.case.say(&rest[..at]);
            rest = after_escape(&rest[at + 1..]);
        }
        self.case.say(rest);
    }

    /// Sets how the case ended, in a single execution or none.
    pub(super) fn outcome(&mut self, outcome: Outcome) {
        self.case.attempts.clear();
        self.attempt(outcome);
    }

    /// Adds an execution; what was skipped is none.
    pub(super) fn attempt(&mut self, outcome: Outcome) {
        if outcome != Outcome::Skipped && self.case.attempts.len() < MOST_ATTEMPTS {
            self.case.attempts.push(outcome);
        }
    }

    /// Sets the time, where it makes sense.
    pub(super) fn seconds(&mut self, seconds: f64) {
        self.case.seconds = Some(seconds).filter(|time| time.is_finite() && *time >= 0.0);
    }

    /// Hands the case out.
    pub(super) fn give(&mut self, notes: &mut Notes) {
        let case = &mut self.case;
        let is_long = bound_name(&mut case.name);
        if bound_name(&mut case.class) || is_long {
            notes.add(NoteCode::LongValue, case.offset);
        }
        if case.name.is_empty() {
            notes.add(NoteCode::Nameless, case.offset);
        }
        if !case.attempts.iter().any(|outcome| outcome.is_failing()) {
            case.message.clear();
        }
        case.settle_message();
        let counts = &mut self.counts;
        counts.cases += 1;
        counts.attempts += case.attempts.len() as u64;
        *match case.attempts.last() {
            Some(Outcome::Passed) => &mut counts.passed,
            Some(Outcome::Failed) => &mut counts.failed,
            Some(Outcome::Errored) => &mut counts.errored,
            Some(Outcome::Skipped) | None => &mut counts.skipped,
        } += 1;
        (self.sink)(&self.suites, self.serial, case);
    }
}

/// Bounds a name that is to follow others on a path; tells whether it was cut.
pub(super) fn bound_path(around: &[String], name: &mut String) -> bool {
    let around: usize = around.iter().map(String::len).sum();
    bound_name_to(name, PATH_LIMIT.saturating_sub(around))
}

/// Returns what follows an escape sequence whose first character is already taken off.
fn after_escape(text: &str) -> &str {
    let Some(body) = text.strip_prefix('[') else {
        return text;
    };
    let end = body
        .bytes()
        .position(|byte| !matches!(byte, 0x20..=0x3f))
        .unwrap_or(body.len());
    let end = match body.as_bytes().get(end) {
        Some(0x40..=0x7e) => end + 1,
        _ => end,
    };
    &body[end..]
}
