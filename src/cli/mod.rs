//! The command line: one file a command, each of five verbs: load, decide, save, render, answer.

mod audit;
mod authors;
mod budget;
mod check_policy;
mod comment;
mod config;
mod configured;
mod demo;
mod doctor;
mod dora;
mod exec;
mod explain;
mod extends;
mod flakes;
mod fleet;
mod gate;
mod gateway;
mod github;
mod globals;
mod init;
mod late;
mod learning_pack;
mod notify;
mod observe;
mod plan;
mod policy_pages;
mod pr_health;
mod prompts;
mod provenance;
mod reading;
#[cfg(test)]
mod reported;
mod run_agents;
mod schemas;
mod session;
mod settings;
mod state;
mod trouble;
mod util;

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::error::{CommandError, CommandResult};
use crate::exit_code::{ExitCode, Verdict};
use crate::ports::World;
use crate::ports::sandbox::KEEPER;
use crate::ui::{ColorChoice, LogFormat, Ui};

use globals::GlobalArgs;
use late::{AtOnce, Called, Late, When};
use session::Session;

/// Run only the CI that a change needs, stop flaky tests from blocking people, cap what coding agents spend
///
/// maestro is one binary. It needs no server and sends nothing anywhere; what it knows is JSON in your repository.
#[derive(Debug, Parser)]
#[command(
    name = "maestro",
    version,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true,
    args_override_self = true,
    after_help = "Exit codes: docs/reference/exit-codes.md, or `maestro explain exit-codes`."
)]
struct Cli<W: When> {
    #[command(flatten)]
    globals: GlobalArgs,
    #[command(subcommand)]
    command: Command<W>,
}

#[derive(Debug, Subcommand)]
enum Command<W: When> {
    Audit(Late<audit::AuditArgs, W>),
    Init(Late<init::InitArgs, W>),
    Doctor(Late<doctor::DoctorArgs, W>),
    Plan(Late<plan::PlanArgs, W>),
    Exec(Box<Late<exec::ExecArgs, W>>),
    Gate(Late<gate::GateArgs, W>),
    /// Tell flaky tests from broken ones
    #[command(subcommand)]
    Flakes(Late<flakes::FlakesCommand, W>),
    /// Cap what models cost, and see what they cost
    #[command(subcommand)]
    Budget(Late<budget::BudgetCommand, W>),
    RunAgents(Box<Late<run_agents::RunAgentsArgs, W>>),
    Gateway(Late<gateway::GatewayArgs, W>),
    CheckPolicy(Box<Late<check_policy::CheckPolicyArgs, W>>),
    PrHealth(Box<Late<pr_health::PrHealthArgs, W>>),
    /// What models are told, as versioned files with tests
    #[command(subcommand)]
    Prompts(Late<prompts::PromptsCommand, W>),
    /// Say what a run did, sign it, and check what others say
    #[command(subcommand)]
    Provenance(Late<provenance::ProvenanceCommand, W>),
    Dora(Box<Late<dora::DoraArgs, W>>),
    LearningPack(Box<Late<learning_pack::PackArgs, W>>),
    Notify(Late<notify::NotifyArgs, W>),
    /// Tell collectors, Prometheus and Grafana what is known
    #[command(subcommand)]
    Observe(Late<observe::ObserveCommand, W>),
    /// Compare many repositories with what their organisation shares
    #[command(subcommand)]
    Fleet(Late<fleet::FleetCommand, W>),
    /// Look after what maestro has stored
    #[command(subcommand)]
    State(Late<state::StateCommand, W>),
    /// Show the configuration
    #[command(subcommand)]
    Config(Late<config::ConfigCommand, W>),
    Demo(Late<demo::DemoArgs, W>),
    Explain(Late<explain::ExplainArgs, W>),
    /// Completions, manual pages and schemas
    #[command(subcommand)]
    Util(Late<util::UtilCommand, W>),
}

/// Runs maestro in a world and returns its verdict.
pub fn run(args: impl IntoIterator<Item = OsString>, mut world: World) -> Verdict {
    let args: Vec<OsString> = args.into_iter().collect();
    if let Some(rest) = kept(&args) {
        return Verdict::Passed(world.sandbox.keep(&rest));
    }
    let mut ui = Ui::new(&mut world);
    let (cli, name) = match parse(&args) {
        Ok(read) => read,
        Err(error) => {
            let (color, log_format) = globals::guess(&args, world.environment.as_ref());
            ui.configure(world.environment.as_ref(), color, log_format, 0);
            ui.clap(&error);
            let verdict = if error.use_stderr() {
                ExitCode::Usage
            } else {
                ExitCode::Success
            };
            return Verdict::Own(ui.finish(verdict));
        }
    };
    let Cli { globals, command } = cli;
    let color = globals.color.unwrap_or(ColorChoice::Auto);
    let log_format = globals.log_format.unwrap_or(LogFormat::Human);
    ui.configure(
        world.environment.as_ref(),
        color,
        log_format,
        globals.verbosity(),
    );
    ui.stand(Some(&name), globals.now);
    let done = answer(&mut ui, &world, globals, command);
    let verdict = match done {
        Ok(Verdict::Own(verdict)) => verdict,
        Ok(passed @ Verdict::Passed(_)) => {
            return match ui.finish(ExitCode::Success) {
                ExitCode::Success => passed,
                trouble => Verdict::Own(trouble),
            };
        }
        Err(error) => {
            ui.error(&error);
            error.kind.exit_code()
        }
    };
    Verdict::Own(ui.finish(verdict))
}

/// Reads a command line; the second is the command's name, such as `flakes ingest`.
fn parse(args: &[OsString]) -> Result<(Cli<Called>, String), clap::Error> {
    // Most command lines need one command of the tree; help and errors may speak of all of it.
    let mut matches = match Cli::<Called>::command().try_get_matches_from(args) {
        Err(error) if error.kind() != ErrorKind::DisplayVersion => {
            tree().try_get_matches_from(args)?
        }
        found => found?,
    };
    let mut words = Vec::new();
    let mut below = matches.subcommand();
    while let Some((word, deeper)) = below {
        words.push(word.to_owned());
        below = deeper.subcommand();
    }
    let cli = Cli::from_arg_matches_mut(&mut matches)?;
    Ok((cli, words.join(" ")))
}

/// Returns what follows the word that makes this process a keeper of another program: no command for people, and so not in the tree.
fn kept(args: &[OsString]) -> Option<Vec<String>> {
    let rest = args.get(1..)?;
    let text = |word: &OsString| word.to_string_lossy().into_owned();
    let (first, rest) = rest.split_first()?;
    (first == KEEPER).then(|| rest.iter().map(text).collect())
}

fn answer(
    ui: &mut Ui,
    world: &World,
    globals: GlobalArgs,
    command: Command<Called>,
) -> Result<Verdict, CommandError> {
    let done: CommandResult = match command {
        Command::RunAgents(args) => {
            return run_agents::run(&mut Session::configured(ui, world, globals)?, &args);
        }
        Command::Gateway(args) => {
            return gateway::run(&mut Session::configured(ui, world, globals)?, &args);
        }
        Command::Exec(args) => {
            return exec::run(&mut Session::forgiving(ui, world, globals)?, &args);
        }
        // These need neither a repository nor a configuration.
        Command::Explain(args) => explain::run(&mut Session::bare(ui, world, globals)?, &args),
        Command::Util(command) => util::run(&mut Session::bare(ui, world, globals)?, &command),
        Command::Doctor(args) => doctor::run(&mut Session::located(ui, world, globals)?, &args),
        Command::Init(args) => {
            // A configuration that cannot be read is no reason to keep it.
            let mut session = if args.needs_settings() {
                Session::configured(ui, world, globals)?
            } else {
                Session::located(ui, world, globals)?
            };
            init::run(&mut session, &args)
        }
        Command::Demo(args) => demo::run(&mut Session::bare(ui, world, globals)?, &args),
        Command::CheckPolicy(args) => {
            check_policy::run(&mut Session::configured(ui, world, globals)?, &args)
        }
        Command::PrHealth(args) => {
            pr_health::run(&mut Session::configured(ui, world, globals)?, &args)
        }
        Command::Gate(args) => gate::run(&mut Session::configured(ui, world, globals)?, &args),
        Command::Audit(args) => audit::run(&mut Session::configured(ui, world, globals)?, &args),
        Command::Plan(args) => plan::run(&mut Session::configured(ui, world, globals)?, &args),
        Command::Dora(args) => dora::run(&mut Session::configured(ui, world, globals)?, &args),
        Command::LearningPack(args) => {
            learning_pack::run(&mut Session::configured(ui, world, globals)?, &args)
        }
        Command::Notify(args) => notify::run(&mut Session::configured(ui, world, globals)?, &args),
        Command::Fleet(command) => {
            fleet::run(&mut Session::configured(ui, world, globals)?, &command)
        }
        Command::Observe(command) => {
            observe::run(&mut Session::configured(ui, world, globals)?, &command)
        }
        Command::Flakes(command) if matches!(*command, flakes::FlakesCommand::Ingest(_)) => {
            flakes::run(&mut Session::forgiving(ui, world, globals)?, &command)
        }
        Command::Flakes(command) => {
            flakes::run(&mut Session::configured(ui, world, globals)?, &command)
        }
        Command::Budget(command) => {
            budget::run(&mut Session::configured(ui, world, globals)?, &command)
        }
        Command::Prompts(command) => {
            prompts::run(&mut Session::configured(ui, world, globals)?, &command)
        }
        Command::Provenance(command) => {
            provenance::run(&mut Session::configured(ui, world, globals)?, &command)
        }
        Command::State(command) if matches!(*command, state::StateCommand::Pack(_)) => {
            state::run(&mut Session::forgiving(ui, world, globals)?, &command)
        }
        Command::State(command) => {
            state::run(&mut Session::configured(ui, world, globals)?, &command)
        }
        Command::Config(command) => {
            config::run(&mut Session::configured(ui, world, globals)?, &command)
        }
    };
    done.map(Verdict::Own)
}

/// Returns the whole command tree, for help, completions and manual pages.
pub(crate) fn tree() -> clap::Command {
    Cli::<AtOnce>::command()
}
