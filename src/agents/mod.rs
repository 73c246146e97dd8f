//! A team of agents: what they are told to do, in which order, what they may touch, and what becomes of it.
//!
//! Decisions only. `conduct` carries out what is decided here, and tells what came of it.

#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the engine that applies edits comes next")
)]
#[expect(unused_imports, reason = "the engine that applies edits comes next")]
pub(crate) mod edits;
