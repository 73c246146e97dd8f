//! What a keeper is told, and what it answers.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};

use crate::json;
use crate::ports::sandbox::{Confined, How, Limit};

/// What a keeper answers: one line of JSON.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Answer {
    /// The kernel lacks something, and nothing ran.
    Unsupported(String),
    /// The program could not be started.
    NotStarted(String),
    /// It ran, and some of its processes do not end.
    Stuck,
    Ended {
        how: How,
        limit: Option<Limit>,
        /// The version of the kernel's Landlock.
        abi: u8,
        /// Whether the program had a network of its own.
        own_network: bool,
    },
}

/// No specification is longer.
const LONGEST: u64 = 64 * 1024 * 1024;

/// Sends a specification.
pub(super) fn send(stream: &mut impl Write, confined: &Confined) -> io::Result<()> {
    let text = json::bytes(confined)?;
    stream.write_all(&(text.len() as u64).to_be_bytes())?;
    stream.write_all(&text)
}

/// Receives a specification.
pub(super) fn receive(stream: &mut impl Read) -> io::Result<Confined> {
    let mut length = [0; 8];
    stream.read_exact(&mut length)?;
    let length = u64::from_be_bytes(length);
    if length > LONGEST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut text = Vec::new();
    stream.take(length).read_to_end(&mut text)?;
    Ok(json::read(&text)?)
}
