//! One test case as the reader hands it out.

use crate::sha::Sha;

/// How one execution, or a whole case, ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Outcome {
    Passed,
    Failed,
    Errored,
    Skipped,
}

impl Outcome {
    /// Returns the letter that stands for it in stored sequences.
    pub(crate) fn letter(self) -> char {
        match self {
            Self::Passed => 'p',
            Self::Failed => 'f',
            Self::Errored => 'e',
            Self::Skipped => 's',
        }
    }

    pub(crate) fn from_letter(letter: char) -> Option<Self> {
        Some(match letter {
            'p' => Self::Passed,
            'f' => Self::Failed,
            'e' => Self::Errored,
            's' => Self::Skipped,
            _ => return None,
        })
    }

    pub(crate) fn is_failing(self) -> bool {
        matches!(self, Self::Failed | Self::Errored)
    }
}

/// Longest name or suite that is kept whole, in bytes.
const NAME_LIMIT: usize = 4096;

/// How much of a failure's message and text is handed out, in bytes; more than is stored, so that secrets can be taken
/// out of a whole text before it is cut.
pub(super) const MESSAGE_LIMIT: usize = 4096;

/// A word longer than this at the end of a cut text is no secret that anybody would recognise.
const LONGEST_WORD: usize = 512;

/// One `<testcase>`; its buffers are used again for the next one.
#[derive(Debug, Default)]
pub(crate) struct Case {
    /// `classname=`, or empty.
    pub(crate) class: String,
    /// `name=`, or empty.
    pub(crate) name: String,
    /// `file=` or `filepath=`, of the case or of a suite around it, or empty.
    pub(crate) file: String,
    /// How each execution ended, in order; empty when it did not run.
    pub(crate) attempts: Vec<Outcome>,
    /// The first failure's or error's words, cut to a bounded length.
    pub(crate) message: String,
    /// `time=` in seconds, where it is a number that makes sense.
    pub(crate) seconds: Option<f64>,
    pub(super) failures: u32,
    pub(super) errors: u32,
    pub(super) skips: u32,
    pub(super) flaky: Vec<Outcome>,
    pub(super) rerun: Vec<Outcome>,
    pub(super) status_word: StatusWord,
    pub(super) offset: u64,
    message_is_cut: bool,
}

/// What `status=` or `result=` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum StatusWord {
    #[default]
    Silent,
    NotRun,
    Disabled,
    Failing,
}

impl StatusWord {
    pub(super) fn read(word: &[u8]) -> Self {
        let is = |words: &[&str]| {
            words
                .iter()
                .any(|w| word.eq_ignore_ascii_case(w.as_bytes()))
        };
        if is(&[
            "notrun",
            "skipped",
            "skip",
            "suppressed",
            "ignored",
            "ignore",
            "pending",
            "undefined",
            "notrunnable",
            "notexecuted",
            "todo",
        ]) {
            Self::NotRun
        } else if is(&["disabled"]) {
            Self::Disabled
        } else if is(&["failed", "fail", "failure", "error", "errored", "broken"]) {
            Self::Failing
        } else {
            Self::Silent
        }
    }

    /// `status=` and `result=` may both be there (`GoogleTest`: `run` and `completed`); the one that says more wins.
    pub(super) fn or(self, other: Self) -> Self {
        if self == Self::Silent { other } else { self }
    }
}

impl Case {
    pub(super) fn clear(&mut self) {
        self.class.clear();
        self.name.clear();
        self.file.clear();
        self.attempts.clear();
        self.message.clear();
        self.seconds = None;
        self.failures = 0;
        self.errors = 0;
        self.skips = 0;
        self.flaky.clear();
        self.rerun.clear();
        self.status_word = StatusWord::Silent;
        self.message_is_cut = false;
    }

    /// Reads `time=`; some writers group thousands (`1,234.5`).
    pub(super) fn read_time(&mut self, value: &[u8]) {
        let text = std::str::from_utf8(value).unwrap_or_default().trim();
        let seconds: Option<f64> = match text.parse() {
            Ok(seconds) => Some(seconds),
            Err(_) => text.replace(',', "").parse().ok(),
        };
        self.seconds = seconds.filter(|seconds| seconds.is_finite() && *seconds >= 0.0);
    }

    /// Adds to the message, up to the limit.
    pub(super) fn say(&mut self, words: &str) {
        self.message.push_str(words);
        self.message_is_cut |= truncate(&mut self.message, MESSAGE_LIMIT);
    }

    pub(super) fn settle_message(&mut self) {
        if self.message_is_cut {
            drop_last_word(&mut self.message);
        }
        let end = self.message.trim_end_matches('\n').len();
        self.message.truncate(end);
    }

    /// Returns the status that counts: an error wins over a failure, a failure over a skip, a child over a word.
    pub(crate) fn status(&self) -> Outcome {
        if self.errors > 0 {
            Outcome::Errored
        } else if self.failures > 0 {
            Outcome::Failed
        } else if self.skips > 0 {
            Outcome::Skipped
        } else if let Some(last) = self.rerun.last() {
            *last
        } else if self.status_word == StatusWord::NotRun {
            Outcome::Skipped
        } else {
            Outcome::Passed
        }
    }

    /// Whether a word alone says that it did not run, in a way that other readers count as passed.
    pub(super) fn is_only_disabled(&self) -> bool {
        self.status_word == StatusWord::Disabled
            && self.status() == Outcome::Passed
            && self.flaky.is_empty()
    }

    /// Fills in the executions, once all children are known.
    ///
    /// `flakyFailure` and `flakyError` are failed executions before one that passed, also where the runner was told to
    /// fail the case for it (nextest's `flaky-result = "fail"`); `rerunFailure` and `rerunError` come after a first
    /// failure and never passed (Maven Surefire's "rerunFailingTestsCount").
    pub(super) fn settle(&mut self) {
        self.settle_message();
        let status = self.status();
        if !self.flaky.is_empty() {
            self.attempts.append(&mut self.flaky);
            self.attempts.push(Outcome::Passed);
        } else if status == Outcome::Skipped || self.is_only_disabled() {
            // Not executed.
        } else {
            // Surefire writes the first run as the main child and each further run as a rerun child. Where the main
            // child is missing, the rerun children are all there is.
            if self.rerun.is_empty() || self.failures + self.errors > 0 {
                self.attempts.push(status);
            }
            self.attempts.append(&mut self.rerun);
        }
    }
}

/// Cuts a long name and appends a digest of the whole, so that two long names stay two; tells whether it did.
pub(crate) fn bound_name(name: &mut String) -> bool {
    bound_name_to(name, NAME_LIMIT)
}

/// The same with another limit.
pub(super) fn bound_name_to(name: &mut String, limit: usize) -> bool {
    if name.len() <= limit {
        return false;
    }
    let digest = Sha::of(name.as_bytes());
    truncate(name, limit);
    drop_last_word(name);
    name.push('~');
    name.push_str(&digest.start(8));
    true
}

/// Cuts a text to at most so many bytes, at a character's edge; tells whether it did.
pub(super) fn truncate(text: &mut String, limit: usize) -> bool {
    let is_long = text.len() > limit;
    if is_long {
        text.truncate(text.floor_char_boundary(limit));
    }
    is_long
}

/// Takes the last word off a text that was cut: half a secret is not recognised, and still half a secret.
pub(super) fn drop_last_word(text: &mut String) {
    let is_inside = |c: char| c.is_ascii_alphanumeric() || "_-.+/=~".contains(c);
    let word = text.trim_end_matches(is_inside).len();
    if text.len() - word <= LONGEST_WORD {
        text.truncate(word);
    }
}
