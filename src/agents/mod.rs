//! A team of agents: what they are told to do, in which order, what they may touch, and what becomes of it.
//!
//! Decisions only. `conduct` carries out what is decided here, and tells what came of it.

pub(crate) mod account;
pub(crate) mod answers;
pub(crate) mod board;
pub(crate) mod bundle;
pub(crate) mod canaries;
pub(crate) mod change_record;
pub(crate) mod commits;
pub(crate) mod edits;
pub(crate) mod environment;
pub(crate) mod graph;
pub(crate) mod intake;
pub(crate) mod page;
pub(crate) mod preflight;
pub(crate) mod proofs;
pub(crate) mod pull_request;
pub(crate) mod record;
pub(crate) mod roles;
pub(crate) mod roster;
pub(crate) mod scan;
pub(crate) mod step;
pub(crate) mod story;
pub(crate) mod tools;
pub(crate) mod trailers;
pub(crate) mod words;
