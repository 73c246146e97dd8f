//! The envelope: one line, one event, whatever its kind.

use std::borrow::Cow;
use std::io;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::event::{EVENT_SCHEMA, Event, Origin, event_id};
use crate::json;
use crate::sha::Sha;

#[derive(Deserialize)]
struct EventRecord<'a> {
    #[serde(borrow)]
    schema: Cow<'a, str>,
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    at: Cow<'a, str>,
    #[serde(borrow)]
    run: Cow<'a, str>,
    attempt: u32,
    #[serde(borrow)]
    job: Cow<'a, str>,
    #[serde(borrow)]
    commit: Cow<'a, str>,
    #[serde(borrow)]
    branch: Cow<'a, str>,
    #[serde(borrow)]
    payload: &'a RawValue,
}

/// A stored event, its payload still as text.
#[derive(Debug)]
pub(crate) struct StoredEvent<'a> {
    pub(crate) kind: Cow<'a, str>,
    pub(crate) id: Sha,
    pub(crate) at: Timestamp,
    /// Whether the time is written as this program writes it.
    pub(crate) is_plain_time: bool,
    pub(crate) origin: Origin,
    pub(crate) payload: &'a str,
    /// The whole line, as it stands.
    pub(crate) line: &'a str,
}

/// Why a line is no event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LineProblem {
    #[error("it is not a JSON event ({0})")]
    NotAnEvent(String),
    #[error("its schema `{0}` is newer than this maestro understands")]
    OtherSchema(String),
    #[error("its kind `{0}` is not a plain name")]
    BadKind(String),
    #[error("its id does not match its content")]
    WrongId,
    #[error("it is cut off: the last line has no end")]
    CutOff,
    #[error("its payload cannot be read ({0})")]
    BadPayload(String),
}

/// Writes the line of an event, with its line break; the payload goes out as it is.
pub(crate) fn write_line(event: &Event, out: &mut dyn io::Write) -> io::Result<()> {
    let origin = &event.origin;
    write!(
        out,
        "{{\"schema\":\"{EVENT_SCHEMA}\",\"kind\":\"{}\"",
        event.kind
    )?;
    write!(
        out,
        ",\"id\":\"{}\",\"at\":\"{}\",\"run\":",
        event.id, event.at
    )?;
    serde_json::to_writer(&mut *out, &origin.run)?;
    write!(out, ",\"attempt\":{},\"job\":", origin.attempt)?;
    serde_json::to_writer(&mut *out, &origin.job)?;
    out.write_all(b",\"commit\":")?;
    serde_json::to_writer(&mut *out, &origin.commit)?;
    out.write_all(b",\"branch\":")?;
    serde_json::to_writer(&mut *out, &origin.branch)?;
    out.write_all(b",\"payload\":")?;
    out.write_all(event.payload.as_bytes())?;
    out.write_all(b"}\n")
}

/// Reads a line and checks its identity.
pub(crate) fn parse(line: &str) -> Result<StoredEvent<'_>, LineProblem> {
    #[derive(Deserialize)]
    struct SchemaOnly<'a> {
        #[serde(borrow)]
        schema: Cow<'a, str>,
    }
    let record: EventRecord<'_> = match json::read(line) {
        Ok(record) => record,
        Err(error) => {
            return Err(match json::read::<SchemaOnly<'_>>(line) {
                Ok(only) if only.schema != EVENT_SCHEMA => {
                    LineProblem::OtherSchema(only.schema.into_owned())
                }
                _ => LineProblem::NotAnEvent(error.to_string()),
            });
        }
    };
    if record.schema != EVENT_SCHEMA {
        return Err(LineProblem::OtherSchema(record.schema.into_owned()));
    }
    if !is_plain_kind(&record.kind) {
        return Err(LineProblem::BadKind(record.kind.into_owned()));
    }
    let origin = Origin {
        run: record.run.into_owned(),
        attempt: record.attempt,
        job: record.job.into_owned(),
        commit: record.commit.into_owned(),
        branch: record.branch.into_owned(),
    };
    let at: Timestamp = (record.at.parse())
        .map_err(|error: jiff::Error| LineProblem::NotAnEvent(error.to_string()))?;
    let payload = record.payload.get();
    let id = event_id(&record.kind, &origin, payload.as_bytes());
    if Sha::parse(&record.id) != Some(id) {
        return Err(LineProblem::WrongId);
    }
    Ok(StoredEvent {
        kind: record.kind,
        id,
        at,
        is_plain_time: at.to_string() == record.at,
        origin,
        payload,
        line,
    })
}

/// A kind names a folder, so it is made of harmless letters.
fn is_plain_kind(kind: &str) -> bool {
    (1..=40).contains(&kind.len())
        && kind
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// What stands first in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LineHead<'a> {
    pub(crate) kind: &'a str,
    pub(crate) id: Sha,
    pub(crate) at: Timestamp,
}

/// Returns kind, id and time of a line as this program writes it, without reading the payload.
pub(crate) fn head(line: &str) -> Option<LineHead<'_>> {
    let rest = line.strip_prefix("{\"schema\":\"maestro.event/v1\",\"kind\":\"")?;
    let (kind, rest) = rest.split_at_checked(rest.bytes().take(41).position(|b| b == b'"')?)?;
    let rest = rest.strip_prefix("\",\"id\":\"")?;
    let id = Sha::parse(rest.get(..64)?)?;
    let rest = rest[64..].strip_prefix("\",\"at\":\"")?;
    let at = &rest[..rest.bytes().take(40).position(|b| b == b'"')?];
    let at = at.parse().ok()?;
    is_plain_kind(kind).then_some(LineHead { kind, id, at })
}
