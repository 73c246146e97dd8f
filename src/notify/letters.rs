//! Notices as the requests that a receiver takes: which notices go together, and what is written.

use std::ops::Range;

use jiff::Timestamp;

use super::{Notice, slack, teams, webhook};
use crate::config::notify::ReceiverWord;

/// What every letter says beside its notices.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sheet<'s> {
    /// As people know the repository.
    pub(crate) repository: &'s str,
    /// When it is sent.
    pub(crate) at: Timestamp,
    pub(crate) is_test: bool,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Letter {
    pub(crate) body: String,
    /// Headers beside the content's type.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// Which notices it holds.
    pub(crate) holds: Range<usize>,
}

/// How much a receiver takes in one request: bytes, and notices.
const fn most(to: ReceiverWord) -> (usize, usize) {
    match to {
        // Slack takes 50 blocks and refuses about 13,000 characters of them (slackapi/bolt-js issue 2509).
        ReceiverWord::Slack => (12_000, 10),
        // Teams takes about 28 KB (learn.microsoft.com, connectors/teams, "known issues and limitations").
        ReceiverWord::Teams => (24_000, 10),
        // Whoever reads them with a program wants one at a time.
        ReceiverWord::Webhook => (usize::MAX, 1),
    }
}

/// Writes notices as letters, in their order.
pub(crate) fn letters(
    to: ReceiverWord,
    notices: &[Notice],
    sheet: Sheet<'_>,
    secret: Option<&str>,
) -> Vec<Letter> {
    let write = |part: &[Notice]| match to {
        ReceiverWord::Slack => slack::body(part, sheet),
        ReceiverWord::Teams => teams::body(part, sheet),
        ReceiverWord::Webhook => part
            .first()
            .map_or_else(String::new, |one| webhook::body(one, sheet)),
    };
    let (bytes, count) = most(to);
    let mut letters = Vec::new();
    let mut start = 0;
    while start < notices.len() {
        let mut end = start + 1;
        let mut body = write(&notices[start..end]);
        while end < notices.len() && end - start < count {
            let longer = write(&notices[start..=end]);
            if longer.len() > bytes {
                break;
            }
            body = longer;
            end += 1;
        }
        let headers = match to {
            ReceiverWord::Webhook => webhook::headers(&notices[start], sheet, &body, secret),
            _ => Vec::new(),
        };
        letters.push(Letter {
            body,
            headers,
            holds: start..end,
        });
        start = end;
    }
    letters
}
