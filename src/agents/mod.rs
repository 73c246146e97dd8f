//! A team of agents: what they are told to do, in which order, what they may touch, and what becomes of it.
//!
//! Decisions only. `conduct` carries out what is decided here, and tells what came of it.

pub(crate) mod answers;
pub(crate) mod board;
pub(crate) mod graph;
pub(crate) mod page;
pub(crate) mod record;
pub(crate) mod roles;
pub(crate) mod step;
pub(crate) mod story;
pub(crate) mod tools;
pub(crate) mod words;
pub(crate) mod edits;
pub(crate) mod environment;
