//! Why a test fails, in `maestro.flakes-report/v1`.

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::flakes::causes::past::Found;
use crate::flakes::signature::Signature;
use crate::output::Inline;
use crate::stats::rounded;

/// Why a test fails, as far as its messages or its history tell.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(super) struct CauseRow {
    /// The class of the cause; `unsure` where nothing tells.
    #[cfg_attr(test, schemars(extend("enum" = [
        "resource-dependent", "environment", "network", "intermittent-concurrency", "order-dependent", "randomness", "time-dependent", "async-wait",
        "unsure",
    ])))]
    class: &'static str,
    /// How sure that is, between 0 and 1.
    confidence: f64,
    /// The words of a message that say so, as they stand there, or a sentence about the history.
    evidence: Vec<String>,
    /// Of the last failures with a message, so many say so.
    agreeing: u64,
    /// The last failures with a message, at most 64.
    read: u64,
}

/// So many messages of a test are told.
pub(super) const MOST_MESSAGES: usize = 3;

/// No longer text is told of a message.
const LONGEST: usize = 512;

/// What failures said.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(super) struct MessageRow {
    /// A digest of the text: equal ones are the same trouble, in any test.
    signature: String,
    /// The message, with marks in place of what differs from run to run, at most 512 bytes.
    text: String,
    /// How many of the last failures said so.
    failures: u64,
}

impl From<(Signature, u64)> for MessageRow {
    fn from((signature, failures): (Signature, u64)) -> Self {
        let mut text = signature.text;
        text.truncate(text.floor_char_boundary(LONGEST));
        Self {
            signature: signature.id,
            text,
            failures,
        }
    }
}

impl From<Found> for CauseRow {
    fn from(found: Found) -> Self {
        Self {
            class: found.class.map_or("unsure", |class| class.name()),
            confidence: rounded(found.confidence),
            evidence: found.evidence,
            agreeing: found.agreeing,
            read: found.read,
        }
    }
}

impl CauseRow {
    /// Returns it as the end of a line; nothing where it is unsure.
    pub(super) fn words(&self) -> Vec<Inline> {
        match self.evidence.first() {
            Some(evidence) => vec![
                Inline::Plain(format!("; probably {}: ", self.class)),
                Inline::Code(evidence.clone()),
            ],
            None => Vec::new(),
        }
    }
}
