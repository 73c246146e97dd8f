//! Letters on their way to channels: all channels at once, within a time that they have together, and each letter once.
//!
//! Nothing is tried again here: who is down or wants patience hears the next time. Words about what went wrong never hold an address, and an answer's text is shown
//! only where it is one word.

use std::time::Duration;

use jiff::Timestamp;

use crate::forge::request::Silence;
use crate::notify::letters::Letter;
use crate::ports::Clock;
use crate::ports::forge::Secret;
use crate::ports::model::{Model, Patience, Piece, Post, Wish};

/// No connection takes longer to be made.
const CONNECT: Duration = Duration::from_secs(1);

/// No answer is read further.
const LONGEST_ANSWER: usize = 1024;

/// What goes to a channel.
pub(crate) struct Parcel {
    pub(crate) url: Secret,
    pub(crate) letters: Vec<Letter>,
}

/// Sends letters; of each parcel, how many were taken from the front, and why no more.
pub(crate) fn send(
    model: &dyn Model,
    clock: &dyn Clock,
    parcels: &[Parcel],
    within: Duration,
) -> Vec<(usize, Option<String>)> {
    let within = jiff::SignedDuration::try_from(within).unwrap_or_default();
    let end = clock.now().saturating_add(within).unwrap_or(Timestamp::MAX);
    std::thread::scope(|scope| {
        let running: Vec<_> = parcels
            .iter()
            .map(|parcel| scope.spawn(move || deliver(model, clock, parcel, end)))
            .collect();
        let joined = running.into_iter().map(std::thread::ScopedJoinHandle::join);
        joined
            .map(|done| done.unwrap_or_else(|_| (0, Some("it was not tried".to_owned()))))
            .collect()
    })
}

fn deliver(
    model: &dyn Model,
    clock: &dyn Clock,
    parcel: &Parcel,
    end: Timestamp,
) -> (usize, Option<String>) {
    for (at, letter) in parcel.letters.iter().enumerate() {
        let left = end.duration_since(clock.now());
        let left = left.try_into().unwrap_or(Duration::ZERO);
        if let Err(why) = post(model, &parcel.url, letter, left) {
            return (at, Some(why));
        }
    }
    (parcel.letters.len(), None)
}

fn post(model: &dyn Model, url: &Secret, letter: &Letter, left: Duration) -> Result<(), String> {
    if left.is_zero() {
        return Err("there was no time left for it".to_owned());
    }
    let keys = letter.headers.iter();
    let post = Post {
        method: "POST",
        url: url.expose(),
        headers: &[("content-type", "application/json")],
        keys: keys
            .map(|(name, value)| ((*name).to_owned(), Secret::new(value.clone())))
            .collect(),
        body: &letter.body,
        is_gzip: false,
        patience: Patience {
            connect: CONNECT.min(left),
            first_byte: left,
            between: left,
            total: left,
        },
    };
    let (mut status, mut bytes) = (0, Vec::new());
    let done = model.post(&post, &mut |piece| match piece {
        Piece::Head { status: said, .. } => {
            status = said;
            // It was heard: what else it says is nobody's business.
            if (200..300).contains(&said) {
                Wish::Enough
            } else {
                Wish::More
            }
        }
        Piece::Bytes(more) => {
            bytes.extend_from_slice(more);
            if bytes.len() > LONGEST_ANSWER {
                Wish::Nothing
            } else {
                Wish::More
            }
        }
    });
    match (status, done) {
        (200..300, _) => Ok(()),
        (0, Err(silence)) => Err(words(&silence).to_owned()),
        (429, _) => Err("it wants patience (429)".to_owned()),
        (status, _) => Err(format!("it answered {status}{}", word(&bytes))),
    }
}

/// Says what happened without what a client's words would tell of the address.
fn words(silence: &Silence) -> &'static str {
    match silence {
        Silence::NotSent(_) => "it cannot be reached",
        Silence::Unknown(_) => "it did not answer in time",
        Silence::Unusable(_) => "its address or certificate cannot be used",
    }
}

/// Returns an answer's text where it is one plain word, such as Slack's `invalid_blocks`.
fn word(bytes: &[u8]) -> String {
    let bytes = bytes.trim_ascii();
    let is_word = !bytes.is_empty()
        && bytes.len() <= 40
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_lowercase() || *byte == b'_');
    if is_word {
        format!(" ({})", String::from_utf8_lossy(bytes))
    } else {
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_shown_where_it_is_one_plain_word() {
        assert_eq!(word(b"invalid_blocks\n"), " (invalid_blocks)");
        for bytes in [
            &b""[..],
            b"no such hook T0/B0",
            b"<html>",
            b"\x1b[2J",
            b"Secret1",
        ] {
            assert_eq!(word(bytes), "");
        }
    }
}
