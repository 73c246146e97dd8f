//! `maestro run-agents`: an issue in, a branch with green tests and the text of a draft pull request out.

mod affected;
mod folder;
mod guard;
pub(super) mod intake;
mod kept;
mod leave;
mod means;
mod oracle;
pub(super) mod place;
mod places;
mod program;
mod publish;
mod publish_wire;
mod recorded;
mod runner;
mod seats;
mod show;
mod start;
mod team;
mod totals;
mod wire;
mod work;

use std::path::PathBuf;

use super::budget::wallet::WalletArgs;
use super::session::Session;
use crate::error::{CommandError, ErrorKind};
use crate::exit_code::Verdict;
use crate::money::Usd;
use crate::ports::sandbox::Shield;
#[cfg(test)]
pub(super) use intake::IntakeDocument;
#[cfg(test)]
pub(super) use publish_wire::PublishDocument;
#[cfg(test)]
pub(super) use recorded::AnswersFile;
#[cfg(test)]
pub(crate) use wire::{RunDocument, RunPlanDocument};

/// Let a team of agents work on an issue
///
/// A planner turns the issue into a graph of tasks. Each task is done by a role (scaffolder, implementer, tester, reviewer, docs, or one of your own) in a work tree of its own, within its files, under the policy of the base, and is done when its commands end well.
/// What may be spent is put aside before each call. The run is a journal: `--resume` goes on after a crash and repeats nothing that was finished; `--replay` plays it again without asking anybody.
///
/// Nothing is written to your work tree or your branches, and nothing is sent anywhere but to the model: `--bundle` leaves what `maestro run-agents publish` opens a draft pull request from.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_long_help = "\
Examples:
  What would be done, and what it may cost at most; a model is asked for the plan
    $ maestro run-agents --issue issue.md --dry-run --max-usd 1

  All of it, at most three dollars
    $ maestro run-agents --issue issue.md --max-usd 3 --bundle bundle")]
pub(crate) struct RunAgentsArgs {
    #[command(subcommand)]
    command: Option<RunAgentsCommand>,

    #[command(flatten)]
    issue: intake::IssueArgs,

    /// Start from this commit
    #[arg(long, value_name = "REV", default_value = "HEAD", conflicts_with_all = ["resume", "replay"])]
    from: String,

    /// Only plan, and say what the plan may cost
    #[arg(long)]
    dry_run: bool,

    /// Go on with a run that was stopped: its id
    #[arg(long, value_name = "RUN", conflicts_with_all = ["issue", "issue_number", "replay", "dry_run"])]
    resume: Option<String>,

    /// Play a run again from its journal, and ask nobody: its id, or the file
    #[arg(long, value_name = "RUN", conflicts_with_all = ["issue", "issue_number", "dry_run"])]
    replay: Option<String>,

    /// The name of the run [default: a random one]
    #[arg(long, value_name = "NAME", conflicts_with_all = ["resume", "replay"])]
    run_id: Option<String>,

    /// Leave what can be published in this folder
    #[arg(long, value_name = "DIR")]
    bundle: Option<PathBuf>,

    /// The most that the run may cost [default: `agents.max_usd`, else 10]
    #[arg(long, value_name = "USD")]
    max_usd: Option<Usd>,

    /// Tasks that are worked on at once [default: `agents.concurrency`, else 4]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=64))]
    width: Option<u32>,

    /// How often a task is tried, whatever its role [default: `agents.max_attempts`, else 3]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u8).range(1..=9))]
    tries: Option<u8>,

    /// The most tasks of a plan [default: `agents.max_tasks`, else 12]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=200))]
    max_tasks: Option<u32>,

    /// Stop after so many minutes; what is under way is finished when the run is resumed
    #[arg(long, value_name = "MINUTES")]
    stop_after: Option<u64>,

    /// A command that agents may run, and longer forms of it (can be repeated) [default: `agents.commands`, else those of the jobs, and of the manifests at the top]
    #[arg(long, value_name = "COMMAND")]
    allow_command: Vec<String>,

    /// Let this program do the work instead of the built-in engine, behind the gateway: it reads the prompt on its standard input, and leaves its answer in
    /// $MAESTRO_ANSWER; `{prompt_file}` and `{model}` stand for what they say
    #[arg(long, value_name = "COMMAND", conflicts_with_all = ["resume", "replay", "unpriced"])]
    agent: Option<String>,

    /// Take the answers of models from this file, ask nobody and pay nobody: to show a team at work, or to try out what it may do
    #[arg(long, value_name = "FILE", conflicts_with_all = ["resume", "replay", "agent", "unpriced", "base_url", "lease"])]
    recorded: Option<PathBuf>,

    /// Who shuts in what models write
    #[arg(long, value_enum, value_name = "WHO", default_value_t = Shield::Require)]
    sandbox: Shield,

    /// Pass a variable on to commands, unless it holds a secret (can be repeated)
    #[arg(long, value_name = "NAME")]
    pass_env: Vec<String>,

    /// Let commands read a folder, such as one that holds tools; the system's own and Cargo's are readable anyway (can be repeated)
    #[arg(long, value_name = "DIR")]
    allow_read: Vec<PathBuf>,

    #[command(flatten)]
    wallet: WalletArgs,

    /// Ask another server than the providers' own, such as http://localhost:8080
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,

    /// What is spoken: messages (or anthropic), chat or responses [default: that of the provider]
    #[arg(long, value_name = "FLAVOR")]
    api_flavor: Option<String>,

    /// The variable that holds the key [default: that of the provider, for its own server]
    #[arg(long, value_name = "NAME")]
    key_env: Option<String>,

    /// Another table of prices than the built-in one
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,

    /// Calls cost nothing that is counted here, because the server is your own
    #[arg(long, requires = "base_url")]
    unpriced: bool,

    /// Do not fetch what the clone lacks
    #[arg(long)]
    no_fetch: bool,
}

/// What else can be done with runs.
#[derive(Debug, clap::Subcommand)]
enum RunAgentsCommand {
    Show(show::ShowArgs),
    Intake(intake::IntakeArgs),
    Publish(Box<publish::PublishArgs>),
}

pub(super) fn run(
    session: &mut Session<'_>,
    args: &RunAgentsArgs,
) -> Result<Verdict, CommandError> {
    match &args.command {
        Some(RunAgentsCommand::Show(args)) => return show::run(session, args).map(Verdict::Own),
        Some(RunAgentsCommand::Intake(args)) => {
            return intake::run(session, args).map(Verdict::Own);
        }
        Some(RunAgentsCommand::Publish(args)) => {
            return publish::run(session, args).map(Verdict::Own);
        }
        None => {}
    }
    if session
        .var("MAESTRO_DISABLE")
        .is_some_and(|value| value != "0" && value != "false")
    {
        let message = "MAESTRO_DISABLE is set: no agent runs";
        return Err(CommandError::message(ErrorKind::Permission, message)
            .hint("unset the variable to let agents run"));
    }
    start::run(session, args).map(Verdict::Own)
}
