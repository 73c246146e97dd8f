//! Spans of what a team's CI and its agents did, from plain values: `pipeline.rs` for attempts of workflow runs, their jobs and steps, `agents.rs` for
//! runs of agents, their tasks and the calls of models.

mod agents;
mod pipeline;

pub(crate) use self::agents::{AgentRun, Call, GenAi, Task, Tokens, of_agents};
pub(crate) use self::pipeline::{Job, Repository, Run, Step, Worker, of_run, resource};
