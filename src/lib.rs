//! maestro conducts a team's CI. Read `ARCHITECTURE.md` for the map; the rooms below stand in reading order.

mod cli;
mod error;
mod exit_code;
mod ui;

mod config;

// Decisions: pure and synchronous. No I/O, clock, environment or randomness; all of it comes in as arguments.
mod agents;
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the commands that spend are the first to use it")
)]
mod budget;
mod change;
mod delivery;
mod doctor;
mod event;
mod exec;
mod finding;
mod flakes;
mod fleet;
#[cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "comments, escalation, metrics and agents are the first to use the rest"
    )
)]
mod forge;
mod gate;
mod gateway;
mod health;
mod inert;
mod junit;
mod llm;
mod money;
mod order;
mod packed;
mod plan;
mod policy;
mod prompts;
mod provenance;
mod redact;
mod report;
mod setup;
mod stars;
mod stats;
mod supply;
mod telemetry;

mod output;

// Effects.
mod adapters;
#[cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "comments, escalation and agents are the first to use the rest"
    )
)]
mod conduct;
mod ports;
mod state;

pub use cli::run;
#[cfg(feature = "bench")]
pub use conduct::agents::speed as agents_speed;
pub use exit_code::{ExitCode, Verdict};
#[cfg(feature = "bench")]
pub use flakes::trial;
pub use ports::World;
#[cfg(feature = "bench")]
pub use prompts::speed;
#[cfg(feature = "bench")]
pub use state::year;

/// Reads arbitrary bytes as a report; for the fuzzer.
#[cfg(fuzzing)]
pub fn fuzz_junit(bytes: &[u8]) -> Option<u64> {
    let mut handed_out = 0;
    let form = junit::form(&bytes[..bytes.len().min(4096)]);
    let read = junit::read(form, bytes, "", &mut |_, _, _| handed_out += 1);
    assert_eq!(read.ok()?.counts.cases, handed_out);
    Some(handed_out)
}
