//! maestro conducts a team's CI. Read `ARCHITECTURE.md` for the map; the rooms below stand in reading order.

mod cli;
mod error;
mod exit_code;
mod ui;

mod config;

// Decisions: pure and synchronous. No I/O, clock, environment or randomness; all of it comes in as arguments.
mod agents;
mod audit;
mod budget;
mod change;
mod delivery;
mod doctor;
mod event;
mod exec;
mod finding;
mod flakes;
mod fleet;
mod forge;
mod gate;
mod gateway;
mod health;
mod inert;
mod json;
mod junit;
mod llm;
mod money;
mod notify;
mod order;
mod packed;
mod plan;
mod policy;
mod prompts;
mod provenance;
mod redact;
mod report;
mod setup;
mod sha;
mod stars;
mod stats;
mod supply;
mod telemetry;

mod output;

// Effects.
mod adapters;
mod conduct;
mod ports;
mod state;

// What others wrote, and who reads it.
#[cfg(any(test, fuzzing))]
mod fuzzing;

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

#[cfg(fuzzing)]
pub use fuzzing::{feed as fuzz_feed, seed as fuzz_seed};
