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

use clap::{FromArgMatches as _, Parser, Subcommand};

use crate::error::{CommandError, CommandResult};
use crate::exit_code::{ExitCode, Verdict};
use crate::ports::World;
use crate::ports::sandbox::KEEPER;
use crate::ui::{ColorChoice, LogFormat, Ui};

use globals::GlobalArgs;
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
pub(crate) struct Cli {
    #[command(flatten)]
    globals: GlobalArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Audit(audit::AuditArgs),
    Init(init::InitArgs),
    Doctor(doctor::DoctorArgs),
    Plan(plan::PlanArgs),
    Exec(Box<exec::ExecArgs>),
    Gate(gate::GateArgs),
    /// Tell flaky tests from broken ones
    #[command(subcommand)]
    Flakes(flakes::FlakesCommand),
    /// Cap what models cost, and see what they cost
    #[command(subcommand)]
    Budget(budget::BudgetCommand),
    RunAgents(Box<run_agents::RunAgentsArgs>),
    Gateway(gateway::GatewayArgs),
    CheckPolicy(Box<check_policy::CheckPolicyArgs>),
    PrHealth(Box<pr_health::PrHealthArgs>),
    /// What models are told, as versioned files with tests
    #[command(subcommand)]
    Prompts(prompts::PromptsCommand),
    /// Say what a run did, sign it, and check what others say
    #[command(subcommand)]
    Provenance(provenance::ProvenanceCommand),
    Dora(Box<dora::DoraArgs>),
    LearningPack(Box<learning_pack::PackArgs>),
    Notify(notify::NotifyArgs),
    /// Tell collectors, Prometheus and Grafana what is known
    #[command(subcommand)]
    Observe(observe::ObserveCommand),
    /// Compare many repositories with what their organisation shares
    #[command(subcommand)]
    Fleet(fleet::FleetCommand),
    /// Look after what maestro has stored
    #[command(subcommand)]
    State(state::StateCommand),
    /// Show the configuration
    #[command(subcommand)]
    Config(config::ConfigCommand),
    Demo(demo::DemoArgs),
    Explain(explain::ExplainArgs),
    /// Completions, manual pages and schemas
    #[command(subcommand)]
    Util(util::UtilCommand),
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
fn parse(args: &[OsString]) -> Result<(Cli, String), clap::Error> {
    let mut matches = tree().try_get_matches_from(args)?;
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
    command: Command,
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
        Command::Flakes(command @ flakes::FlakesCommand::Ingest(_)) => {
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
        Command::State(command @ state::StateCommand::Pack(_)) => {
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
    use clap::CommandFactory;
    Cli::command()
}
