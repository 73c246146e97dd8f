//! Starts a run, goes on with one, or plays one again.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::RunAgentsArgs;
use super::guard::PolicyGuard;
use super::oracle::Payer;
use super::affected::Affected;
use super::runner::Plain;
use super::seats::seats;
use super::wire::{RunDocument, RunPlanDocument, Totals, estimate};
use crate::agents::board::RunKey;
use crate::agents::graph::{Bounds, Graph, TaskSpec};
use crate::agents::record::{Chain, Head, Record, SCHEMA};
use crate::agents::roles;
use crate::agents::step::Limits;
use crate::cli::budget::{self, wallet};
use crate::cli::check_policy::{self, Loaded};
use crate::cli::flakes::{self, rules::RulesArgs};
use crate::cli::prompts;
use crate::cli::session::Session;
use crate::cli::trouble::no_repository;
use crate::conduct::agents::journal::Journal;
use crate::conduct::agents::planning::{PlanTab, Planned};
use crate::conduct::agents::recording::Recording;
use crate::conduct::agents::run::{self, RunProblem};
use crate::conduct::agents::steps::{Abandon, Steps};
use crate::conduct::agents::team::{Patience, Shared, Team};
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::event::Sha;
use crate::exit_code::ExitCode;
use crate::llm::router::Tier;
use crate::llm::router::tiers::{TierModel, Tiers};
use crate::money::Usd;
use crate::policy::subject::Asked;
use crate::ports::Checkout;
use crate::ports::trees::RunStore;
use crate::prompts::set::Library;
use crate::redact::Redactor;

/// What somebody chose for a run; the journal's head has it, so that it stays the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Chosen {
    /// Provider and model of each tier, weakest first.
    models: [(String, String); 3],
    width: u32,
    tries: u8,
    tasks: usize,
    commands: Vec<String>,
}

impl Chosen {
    fn tiers(&self) -> [TierModel; 3] {
        self.models.clone().map(|(provider, model)| TierModel { provider, model })
    }

    fn limits(&self) -> Limits {
        Limits {
            width: self.width,
            tries: self.tries,
        }
    }

    fn bounds(&self) -> Bounds {
        Bounds {
            tasks: self.tasks,
            ..Bounds::default()
        }
    }
}

/// No journal or issue is larger.
const LARGEST_JOURNAL: u64 = 1 << 30;
const LARGEST_ISSUE: u64 = 256 * 1024;

/// Where a run lies, and what is known of it.
struct Place {
    folder: PathBuf,
    head: Head,
    chosen: Chosen,
    key: RunKey,
    recording: Recording,
}

pub(super) fn run(session: &mut Session<'_>, args: &RunAgentsArgs) -> CommandResult {
    let checkout = session.checkout.as_ref().map_err(no_repository)?.clone();
    if session.settings.offline.value && args.replay.is_none() {
        let message = "`--offline` forbids asking a model";
        return Err(CommandError::message(ErrorKind::Unavailable, message)
            .hint("run it without --offline, or play a run again with `--replay`"));
    }
    let library = prompts::library(session)?;
    let place = match (&args.resume, &args.replay) {
        (Some(run), _) => resumed(session, &checkout, run)?,
        (None, Some(run)) => replayed(session, &checkout, run)?,
        (None, None) => begun(session, &checkout, args, &library)?,
    };
    let done = work(session, args, &checkout, &place, &library);
    if args.replay.is_some() || args.dry_run {
        // Nothing of it is kept.
        let removed = session.world.files.remove_folder(&place.folder);
        removed.map_err(|error| CommandError::writing(&place.folder, error))?;
    }
    done
}

fn runs(checkout: &Checkout) -> PathBuf {
    checkout.common_dir.join("maestro").join("runs")
}

fn random(session: &Session<'_>) -> Result<Sha, CommandError> {
    let token = session.world.relay.token();
    let token = token.map_err(|error| CommandError::new(ErrorKind::Internal, error))?;
    Ok(Sha::of(token.as_bytes()))
}

fn begun(
    session: &mut Session<'_>,
    checkout: &Checkout,
    args: &RunAgentsArgs,
    library: &Library,
) -> Result<Place, CommandError> {
    let issue = issue(session, args.issue.as_deref())?;
    let base = commit_of(session, checkout, &args.from)?;
    let chosen = chosen(session, checkout, args)?;
    let random = random(session)?.to_string();
    let run = match &args.run_id {
        Some(name) if crate::agents::graph::is_name(name) => name.clone(),
        Some(name) => {
            let message = format!("`{name}` is no name of a run");
            return Err(CommandError::message(ErrorKind::Usage, message)
                .hint("small letters, digits and `-`, beginning with a letter"));
        }
        None => format!("r{}", &random[..12]),
    };
    let folder = match args.dry_run {
        true => temporary(session)?,
        false => runs(checkout).join(&run),
    };
    if !args.dry_run && session.world.files.kind(&folder).is_ok() {
        let message = format!("there is a run `{run}` already");
        return Err(CommandError::message(ErrorKind::Usage, message)
            .hint(format!("go on with it: `maestro run-agents --resume {run}`")));
    }
    let head = Head {
        schema: SCHEMA.to_owned(),
        run,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        at: session.now(),
        base,
        branch: session.world.git.head(&session.base).ok().and_then(|head| head.branch),
        delimiter: random[16..40].to_owned(),
        issue,
        settings: json!(chosen),
        inputs: json!({"prompts": digests(library)}),
    };
    let bytes = self::random(session)?;
    let files = session.world.files.as_ref();
    let made = files
        .create_folder(&folder)
        .and_then(|()| files.write_private(&folder.join("key"), bytes.to_string().as_bytes()));
    made.map_err(|error| CommandError::writing(&folder, error))?;
    Ok(Place {
        folder,
        head,
        chosen,
        key: RunKey::new(&bytes.0),
        recording: Recording::default(),
    })
}

fn temporary(session: &Session<'_>) -> Result<PathBuf, CommandError> {
    let made = session.world.files.temporary_folder("maestro-run-");
    made.map_err(|error| CommandError::writing(Path::new("a temporary folder"), error))
}

fn read_bytes(session: &Session<'_>, path: &Path, most: u64) -> Result<Vec<u8>, CommandError> {
    let reading = |error| CommandError::reading(path, error);
    let file = session.world.files.open(path).map_err(reading)?;
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes).map_err(reading)?;
    if bytes.len() as u64 > most {
        let message = format!("`{}` is larger than {most} bytes", path.display());
        return Err(CommandError::message(ErrorKind::BadInput, message));
    }
    Ok(bytes)
}

pub(super) fn recording(session: &Session<'_>, path: &Path) -> Result<Recording, CommandError> {
    let bytes = read_bytes(session, path, LARGEST_JOURNAL)?;
    Recording::read(&bytes).map_err(|altered| {
        let message = format!("the journal `{}` was altered: {altered}", path.display());
        CommandError::message(ErrorKind::AgentRun, message)
            .hint("nothing was done; what stands before that line is as it was written")
    })
}

fn opened(folder: PathBuf, recording: Recording, key: RunKey, path: &Path) -> Result<Place, CommandError> {
    let bad = |what: String| {
        CommandError::message(ErrorKind::BadInput, format!("`{}` {what}", path.display()))
            .hint("give the journal of a run as `maestro run-agents` wrote it")
    };
    let head = recording.head.clone().ok_or_else(|| bad("has no beginning".to_owned()))?;
    if head.schema != SCHEMA {
        return Err(bad(format!("has the schema `{}`, and this version reads `{SCHEMA}`", head.schema)));
    }
    let chosen = serde_json::from_value(head.settings.clone())
        .map_err(|error| bad(format!("has settings that are not understood: {error}")))?;
    Ok(Place {
        folder,
        head,
        chosen,
        key,
        recording,
    })
}

fn resumed(session: &Session<'_>, checkout: &Checkout, run: &str) -> Result<Place, CommandError> {
    let folder = runs(checkout).join(run);
    let path = folder.join("journal.ndjson");
    if !crate::agents::graph::is_name(run) || session.world.files.kind(&path).is_err() {
        let message = format!("there is no run `{run}` in this repository");
        return Err(CommandError::message(ErrorKind::NotFound, message)
            .hint("`maestro run-agents` prints a run's id when it begins"));
    }
    let recording = recording(session, &path)?;
    let key = read_bytes(session, &folder.join("key"), 64)?;
    let key = Sha::parse(&String::from_utf8_lossy(&key)).ok_or_else(|| {
        let message = format!("the key of the run `{run}` cannot be read");
        CommandError::message(ErrorKind::BadInput, message)
    })?;
    opened(folder, recording, RunKey::new(&key.0), &path)
}

/// Returns where the journal of a run lies that was named by its id, its folder, or the file itself.
pub(super) fn journal_path(session: &Session<'_>, checkout: &Checkout, run: &str) -> PathBuf {
    let named = runs(checkout).join(run).join("journal.ndjson");
    if crate::agents::graph::is_name(run) && session.world.files.kind(&named).is_ok() {
        return named;
    }
    let path = session.base.join(run);
    match session.world.files.kind(&path) {
        Ok(crate::ports::FileKind::Folder) => path.join("journal.ndjson"),
        _ => path,
    }
}

fn replayed(session: &Session<'_>, checkout: &Checkout, run: &str) -> Result<Place, CommandError> {
    let path = journal_path(session, checkout, run);
    let recording = recording(session, &path)?;
    let folder = temporary(session)?;
    // What is played again is signed anew: only what entries say is compared.
    opened(folder, recording, RunKey::new(&[0; 32]), &path)
}

/// Reads an issue: the first heading is its title.
fn issue(session: &Session<'_>, path: Option<&Path>) -> Result<Value, CommandError> {
    let Some(path) = path else {
        return Err(CommandError::message(ErrorKind::Usage, "no issue was given").hint("name one with `--issue`"));
    };
    let bytes = read_bytes(session, &session.base.join(path), LARGEST_ISSUE)?;
    let text = String::from_utf8(bytes).map_err(|_| {
        let message = format!("`{}` is no text", path.display());
        CommandError::message(ErrorKind::BadInput, message)
    })?;
    let mut lines = text.lines();
    let title = lines
        .by_ref()
        .find(|line| !line.trim().is_empty())
        .map(|line| line.trim_start_matches('#').trim().to_owned());
    let Some(title) = title.filter(|title| !title.is_empty()) else {
        let message = format!("`{}` says nothing", path.display());
        return Err(CommandError::message(ErrorKind::BadInput, message));
    };
    let body: Vec<&str> = lines.collect();
    Ok(json!({"title": title, "body": body.join("\n").trim(), "comments": []}))
}

fn commit_of(session: &Session<'_>, checkout: &Checkout, revision: &str) -> Result<String, CommandError> {
    let folder = checkout.top.as_ref().unwrap_or(&checkout.common_dir);
    let mut objects = session
        .world
        .history
        .objects(folder, false)
        .map_err(crate::state::StateError::from)?;
    let mut found = None;
    let name = format!("{revision}^{{commit}}");
    objects
        .read(&[name], &mut |_, object| found = object.map(|object| object.id))
        .map_err(crate::state::StateError::from)?;
    found.ok_or_else(|| {
        let message = format!("there is no commit `{revision}`");
        CommandError::message(ErrorKind::NotFound, message)
            .hint("name a commit, branch or tag that this clone has")
    })
}

/// Returns what the run is made with.
fn chosen(
    session: &Session<'_>,
    checkout: &Checkout,
    args: &RunAgentsArgs,
) -> Result<Chosen, CommandError> {
    let tiers = Tiers::read(&session.config.models.tiers).map_err(|problem| {
        CommandError::new(ErrorKind::BadConfig, problem)
            .hint("`maestro util schema config` prints what may stand where")
    })?;
    let model = |tier| {
        let TierModel { provider, model } = tiers.model(tier).clone();
        (provider, model)
    };
    let mut commands = args.allow_command.clone();
    if commands.is_empty() {
        commands = default_commands(session, checkout);
    }
    Ok(Chosen {
        models: [model(Tier::Small), model(Tier::Medium), model(Tier::Large)],
        width: args.width,
        tries: args.tries,
        tasks: args.max_tasks as usize,
        commands,
    })
}

/// The commands that an ecosystem is built and tested with, by the manifest at the top.
const BY_MANIFEST: [(&str, &[&str]); 6] = [
    ("Cargo.toml", &["cargo test", "cargo check", "cargo build", "cargo clippy", "cargo fmt"]),
    ("package.json", &["npm test", "npm run", "npx tsc", "node --test"]),
    ("go.mod", &["go test", "go build", "go vet"]),
    ("pyproject.toml", &["python -m pytest", "python -m unittest", "pytest"]),
    ("setup.py", &["python -m pytest", "python -m unittest"]),
    ("Makefile", &["make"]),
];

fn default_commands(session: &Session<'_>, checkout: &Checkout) -> Vec<String> {
    let jobs = session.config.jobs.values();
    let mut commands: Vec<String> = jobs
        .filter_map(|job| job.run.clone())
        .filter(|run| crate::agents::graph::words(run).is_ok())
        .collect();
    let top = checkout.top.as_ref().unwrap_or(&checkout.common_dir);
    for (manifest, own) in BY_MANIFEST {
        if session.world.files.kind(&top.join(manifest)).is_ok() {
            commands.extend(own.iter().map(|&command| command.to_owned()));
        }
    }
    commands
}

/// Returns the digest of each prompt that can be used.
fn digests(library: &Library) -> BTreeMap<String, String> {
    let names = library.names().into_iter();
    names
        .filter_map(|name| Some((name.to_owned(), library.load(name).ok()?.sha256.to_string())))
        .collect()
}

fn work(
    session: &mut Session<'_>,
    args: &RunAgentsArgs,
    checkout: &Checkout,
    place: &Place,
    library: &Library,
) -> CommandResult {
    let world = session.world;
    let store = RunStore {
        git_dir: place.folder.join("store.git"),
    };
    let prepared = world.trees.prepare(&store, &checkout.common_dir);
    prepared.map_err(crate::state::StateError::from)?;
    check_inputs(place, library)?;
    let loaded = check_policy::of_base(session, None, !args.no_fetch)?;
    let table = budget::table(session, args.prices.as_deref())?;
    let is_paid = args.replay.is_none() && !args.unpriced;
    let purse = match is_paid {
        true => Some(wallet::open(session, &args.wallet)?),
        false => None,
    };
    let mut variables = world.environment.vars();
    let seats = match args.replay.is_some() {
        true => super::oracle::nobody(place.chosen.tiers()),
        false => seats(session, args, place.chosen.tiers())?,
    };
    for seat in &seats {
        if let Some(key) = &seat.key {
            // Whatever its variable is called.
            variables.push(("API_KEY".to_owned(), key.expose().to_owned()));
        }
    }
    let redactor = Redactor::new(&variables);
    let payer = Payer::new(
        seats,
        &table,
        purse.as_ref(),
        world.model.as_ref(),
        world.clock.as_ref(),
        &redactor,
        session.now(),
        (Some(args.max_usd), spent(&place.recording), !is_paid),
    );
    let done = with_team(session, args, place, library, &store, &loaded, &redactor, &payer);
    if let Some(purse) = &purse {
        // Whatever happened, what was spent is written down.
        wallet::drain(session, purse, true)?;
    }
    for words in payer.told() {
        session.ui.warn(&words);
    }
    done
}

/// Whether a recording's prompts are those that are here.
fn check_inputs(place: &Place, library: &Library) -> Result<(), CommandError> {
    let here = json!(digests(library));
    let there = &place.head.inputs["prompts"];
    let names = place.recording.plan.as_ref().map(|(tasks, _)| tasks.iter().map(|task| task.role.as_str()));
    let names = names.into_iter().flatten().chain([roles::PLANNER]);
    for name in names {
        if here[name] != there[name] {
            let message = format!("the prompt `{name}` is not the one that the run was begun with");
            return Err(CommandError::message(ErrorKind::AgentRun, message)
                .hint("check out the commit, and use the version of maestro, that it was begun with"));
        }
    }
    Ok(())
}

/// Returns what a recording says was spent.
fn spent(recording: &Recording) -> Usd {
    let bills = recording.steps.values().filter_map(|kept| kept.result["usd"].as_str());
    bills
        .filter_map(|usd| usd.parse::<Usd>().ok())
        .fold(Usd::ZERO, Usd::saturating_add)
}

#[expect(clippy::too_many_arguments, reason = "each is a part of the world that a team works in")]
fn with_team(
    session: &mut Session<'_>,
    args: &RunAgentsArgs,
    place: &Place,
    library: &Library,
    store: &RunStore,
    loaded: &Loaded,
    redactor: &Redactor,
    payer: &Payer<'_>,
) -> CommandResult {
    let world = session.world;
    let guard = PolicyGuard {
        loaded,
        trees: world.trees.as_ref(),
        store,
        asked: Asked {
            is_agent: true,
            ..Asked::default()
        },
        today: place.head.at.to_zoned(TimeZone::UTC).date(),
        base: BTreeMap::new(),
    };
    let rules = flakes::rules::load(session, &RulesArgs { base: None, trusted: None })?;
    let settings = crate::cli::plan::settings::read(session, &session.config)?;
    let config = session.config.clone();
    let tests = Affected {
        history: world.history.as_ref(),
        files: world.files.as_ref(),
        store: &store.git_dir,
        settings: &settings,
        config: &config,
        rules: &rules,
        redactor,
        today: place.head.at.to_zoned(TimeZone::UTC).date(),
    };
    let runner = Plain {
        processes: world.processes.as_ref(),
        redactor,
    };
    let journal = match args.replay.is_some() || args.dry_run {
        true => None,
        false => Some(journal(session, place)?),
    };
    let is_play = args.replay.is_some();
    // A plan that is only shown is asked for all the same.
    let memory = Journal::new(Box::new(crate::conduct::agents::journal::Forgets), Chain::default(), None);
    let writer = journal.as_ref().unwrap_or(&memory);
    let steps = Steps::new((!is_play).then_some(writer), &place.recording.steps);
    let tiers = place.chosen.tiers();
    let mut team = Team {
        head: &place.head,
        trees: world.trees.as_ref(),
        store: store.clone(),
        folder: place.folder.clone(),
        files: world.files.as_ref(),
        steps: &steps,
        oracle: payer,
        guard: &guard,
        runner: &runner,
        tests: &tests,
        agent: None,
        library,
        models: tiers.map(|tier| format!("{}/{}", tier.provider, tier.model)),
        roles: roles::built_in(),
        specs: Vec::new(),
        graph: Graph::default(),
        key: place.key.clone(),
        life: place.recording.resumed + u32::from(place.recording.head.is_some()),
        patience: Patience::default(),
        commands: place.chosen.commands.clone(),
        shared: Mutex::new(Shared::default()),
    };
    let planned = std::thread::scope(|scope| {
        if journal.is_none() {
            scope.spawn(|| memory.keep_writing(&|_| {}));
        }
        let planned = match &journal {
            Some(journal) => with_writer(journal, || plan(&mut team, place, Some(journal))),
            None => plan(&mut team, place, None),
        };
        memory.close();
        planned
    });
    let planned = planned.map_err(trouble)?;
    let plan_usd = match planned {
        Ok(usd) => usd,
        Err(NoPlan::Questions(questions)) => {
            let document = RunDocument::questions(&place.head, questions);
            session.render(&document)?;
            return Err(CommandError::message(ErrorKind::AgentRun, "the planner needs to know more before anything can be done")
                .hint("answer the questions in the issue, and run it again"));
        }
        Err(NoPlan::Stuck { is_money, why }) => {
            let kind = if is_money { ErrorKind::Budget } else { ErrorKind::AgentRun };
            return Err(CommandError::message(kind, format!("there is no plan: {why}")));
        }
    };
    if args.dry_run {
        let estimate = estimate(&team, payer.table, session.now());
        let document = RunPlanDocument::new(&place.head, &team, estimate, plan_usd);
        session.render(&document)?;
        return Ok(ExitCode::Success);
    }
    let limits = place.chosen.limits();
    let state = match &journal {
        Some(journal) => {
            if place.recording.head.is_none() {
                session.ui.status(&format!("run {} begins: {} tasks", place.head.run, team.specs.len()));
            }
            let within = args.deadline.map(|minutes| Duration::from_secs(minutes * 60));
            run::carry_out(&team, &steps, journal, limits, run::past(&place.recording), within)
        }
        None => run::play(&team, limits, &place.recording),
    };
    let state = state.map_err(trouble)?;
    let outcome = run::conclude(&team, state).map_err(trouble)?;
    match &journal {
        Some(journal) => {
            let last = run::over(&outcome.last);
            let kept = with_writer(journal, || journal.keep(&last));
            kept.map_err(|error| CommandError::writing(&place.folder, error))?;
        }
        None => {
            if let Some(last) = &place.recording.last
                && *last != outcome.last
            {
                let message = "the run came to another end than the one that was recorded";
                return Err(CommandError::message(ErrorKind::AgentRun, message)
                    .hint(format!("recorded: {last:?}; now: {:?}", outcome.last)));
            }
        }
    }
    let counts = steps.counts();
    let totals = totals(session, place, &team, &outcome, journal.is_some())?;
    let document = RunDocument::new(&place.head, &team, &outcome, &totals, counts);
    session.render(&document)?;
    document.verdict()
}

/// Adds up what the journal says.
fn totals(
    session: &Session<'_>,
    place: &Place,
    team: &Team<'_>,
    outcome: &run::Outcome,
    is_kept: bool,
) -> Result<Totals, CommandError> {
    let files = match &outcome.left {
        Some(left) => {
            let changes = team.trees.changes(&team.store, &place.head.base, &left.commit);
            let changes = changes.map_err(crate::state::StateError::from)?;
            changes.into_iter().map(|change| change.path).collect()
        }
        None => Vec::new(),
    };
    if is_kept {
        let recording = recording(session, &place.folder.join("journal.ndjson"))?;
        return Ok(Totals::new(&recording, team.specs.len(), files));
    }
    Ok(Totals::new(&place.recording, team.specs.len(), files))
}

/// Lets lines be written while something is done.
fn with_writer<T>(journal: &Journal, act: impl FnOnce() -> T) -> T {
    journal.open();
    std::thread::scope(|scope| {
        scope.spawn(|| journal.keep_writing(&|_| {}));
        let done = act();
        journal.close();
        done
    })
}

/// Opens the journal of a run, and begins or goes on with it.
fn journal(session: &Session<'_>, place: &Place) -> Result<Journal, CommandError> {
    let path = place.folder.join("journal.ndjson");
    let failed = |error| CommandError::writing(&path, error);
    let log = session.world.files.log(&path).map_err(failed)?;
    if !log.try_lock().map_err(failed)? {
        let message = format!("somebody works on the run `{}` already", place.head.run);
        return Err(CommandError::message(ErrorKind::Locked, message).hint("wait until it is done"));
    }
    // What the last process did not write to its end does not count.
    log.cut(place.recording.length).map_err(failed)?;
    let journal = Journal::new(log, place.recording.chain.clone(), Some(session.world.clock.shared()));
    let first = match &place.recording.head {
        None => Record::Run(place.head.clone()),
        Some(_) => Record::Resumed { at: session.now() },
    };
    journal.add(&first).map_err(failed)?;
    Ok(journal)
}

/// Why there is nothing to carry out.
enum NoPlan {
    Questions(Vec<String>),
    Stuck { is_money: bool, why: String },
}

/// Makes the plan, or takes the one that was made.
fn plan(
    team: &mut Team<'_>,
    place: &Place,
    journal: Option<&Journal>,
) -> Result<Result<Usd, NoPlan>, RunProblem> {
    if let (Some((tasks, entries)), false) = (&place.recording.plan, team.steps.is_replay()) {
        take_plan(team, tasks.clone())?;
        for entry in entries {
            let _taken = team.shared().board.take(&team.key, entry.clone());
        }
        return Ok(Ok(Usd::ZERO));
    }
    let mut tab = PlanTab::default();
    let planned = match team.plan(place.chosen.bounds(), &mut tab)? {
        Ok(planned) => planned,
        Err(stuck) => {
            return Ok(Err(NoPlan::Stuck {
                is_money: stuck.is_money,
                why: stuck.why,
            }));
        }
    };
    let (tasks, graph, body) = match planned {
        Planned::Questions(questions) => return Ok(Err(NoPlan::Questions(questions))),
        Planned::Plan { tasks, graph, body } => (tasks, graph, body),
    };
    if let Some((recorded, _)) = &place.recording.plan
        && *recorded != tasks
    {
        return Err(Abandon::Diverged {
            step: "plan".to_owned(),
            what: "the plan is another one".to_owned(),
        }
        .into());
    }
    team.specs.clone_from(&tasks);
    team.graph = graph;
    let entry = team.shared().board.write(&team.key, roles::PLANNER, roles::PLANNER, body);
    if let Some(journal) = journal {
        let record = Record::Plan {
            tasks,
            entries: vec![entry],
        };
        journal.keep(&record).map_err(Abandon::Journal)?;
    }
    Ok(Ok(tab.usd()))
}

/// Takes a plan that was held against its bounds when it was made.
fn take_plan(team: &mut Team<'_>, tasks: Vec<TaskSpec>) -> Result<(), RunProblem> {
    let numbers: BTreeMap<&str, u32> = tasks.iter().map(|task| task.id.as_str()).zip(0..).collect();
    let needs = tasks.iter().map(|task| {
        let known = task.depends_on.iter().filter_map(|name| numbers.get(name.as_str()));
        known.map(|number| crate::agents::graph::TaskNo(*number)).collect()
    });
    let needs: Vec<_> = needs.collect();
    team.graph = Graph::new(&needs).map_err(|_| Abandon::Diverged {
        step: "plan".to_owned(),
        what: "its tasks wait for each other".to_owned(),
    })?;
    team.specs = tasks;
    Ok(())
}

fn trouble(problem: RunProblem) -> CommandError {
    let (kind, hint) = match &problem {
        RunProblem::Abandon(Abandon::Diverged { .. } | Abandon::NotRecorded(_)) | RunProblem::Other { .. } => (
            ErrorKind::AgentRun,
            "what is here is not what the run was made with, or its journal was altered",
        ),
        RunProblem::Abandon(Abandon::Journal(_)) | RunProblem::Drive(_) => (
            ErrorKind::CannotWrite,
            "free some room or mend the disk, and go on with `--resume`",
        ),
        RunProblem::Abandon(_) => (
            ErrorKind::AgentRun,
            "what was finished is kept; go on with `--resume`",
        ),
    };
    CommandError::new(kind, problem).hint(hint)
}
