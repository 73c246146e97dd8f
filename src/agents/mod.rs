//! A team of agents: what they are told to do, in which order, what they may touch, and what becomes of it.
//!
//! Decisions only. `conduct` carries out what is decided here, and tells what came of it.

pub(crate) mod bundle;
#[cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "`run-agents` plants them, and is the first to use it"
    )
)]
pub(crate) mod canaries;
pub(crate) mod commits;
pub(crate) mod intake;
pub(crate) mod preflight;
pub(crate) mod pull_request;
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "`run-agents` is the first to use the rest")
)]
pub(crate) mod record;
pub(crate) mod scan;
pub(crate) mod trailers;
