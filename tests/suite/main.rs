//! The one test binary: each file is a command or a contract.
#![expect(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::format_collect,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "tests run the real program on real files, and stop where something is not as expected"
)]

#[cfg(unix)]
mod action;
mod architecture;
mod audit;
mod budget;
mod budget_call;
mod budget_import;
mod budget_prices;
mod budget_route;
mod check_policy;
mod config;
mod conversions;
mod corpus;
mod demo;
mod dialects;
mod dist;
mod doctor;
mod dora;
mod dora_github;
mod dora_kpi;
mod dora_repos;
mod escalate_renames;
mod exec;
#[cfg(unix)]
mod faults;
mod flakes_backfill;
mod flakes_causes;
mod flakes_escalate;
mod flakes_gate;
mod flakes_ingest;
mod flakes_report;
mod flakes_skip;
mod fleet;
#[cfg(unix)]
mod gate;
#[cfg(unix)]
mod gate_flakes;
mod gateway;
mod generated;
#[cfg(unix)]
mod git_calls;
mod github;
mod harness;
mod hostile;
mod init;
mod intake;
mod keys;
mod killed;
mod learning_pack;
mod learning_pack_repos;
mod leases;
mod newcomer;
#[cfg(unix)]
mod notify;
mod observe;
#[cfg(unix)]
mod pipelines;
mod plan;
mod plan_base;
mod plan_graphs;
mod plan_misses;
mod plan_past;
mod plan_shard;
mod policy_broken;
mod policy_diffs;
mod policy_hostile;
mod policy_supply;
mod pr_health;
mod producers;
mod promises;
mod prompts;
mod provenance;
mod provenance_corpus;
mod publish;
mod pull_request;
mod purse;
mod purse_killed;
mod quarantine_auto;
mod run_agents;
#[cfg(unix)]
mod runner;
mod sandbox;
mod snapshot;
mod state;
mod state_artifact;
mod state_compact;
mod state_compat;
mod state_doctor;
mod state_hostile;
mod state_shared;
mod state_transport;
#[cfg(unix)]
mod strangers;
mod terminal_contract;
#[cfg(unix)]
mod workflow;
#[cfg(unix)]
mod workflows;
