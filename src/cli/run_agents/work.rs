//! A run at work: everything that it works with, put together, and what came of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::json;

use super::RunAgentsArgs;
use super::affected::Affected;
use super::oracle::Payer;
use super::program::Played;
use super::recorded::Recorded;
use super::runner::Cell;
use super::seats::seats;
use super::totals::Totals;
use super::wire::{Estimate, RunDocument, RunPlanDocument, estimate};
use super::{kept, leave, team};
use crate::agents::canaries::Canaries;
use crate::agents::graph::{Graph, TaskSpec};
use crate::agents::record::{Chain, Record};
use crate::agents::roles;
use crate::agents::roster::Roster;
use crate::agents::step::{End, State};
use crate::cli::budget::{self, wallet};
use crate::cli::check_policy::{self, Loaded};
use crate::cli::session::Session;
use crate::cli::trouble::Reported;
use crate::conduct::agents::crew::Agent;
use crate::conduct::agents::journal::{Forgets, Journal};
use crate::conduct::agents::planning::{PlanTab, Planned, Stuck, Want};
use crate::conduct::agents::recording::Recording;
use crate::conduct::agents::run::{self, RunProblem};
use crate::conduct::agents::steps::{Abandon, Steps};
use crate::conduct::agents::team::{Patience, Shared, Team};
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::money::Usd;
use crate::ports::Checkout;
use crate::ports::trees::RunStore;
use crate::prompts::set::Library;
use crate::redact::Redactor;

use super::means::{check_shield, guard, known, program, today};
use super::place::{Place, digests, recording};

pub(super) fn work(
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
    if args.replay.is_none() && !args.dry_run {
        check_shield(session, args.sandbox)?;
    }
    let loaded = check_policy::of_base(session, None, !args.no_fetch)?;
    let table = budget::table(session, args.prices.as_deref())?;
    let is_paid = args.replay.is_none() && !args.unpriced;
    let purse = if is_paid && args.recorded.is_none() {
        Some(wallet::open(session, &args.wallet)?)
    } else {
        None
    };
    let mut variables = world.environment.vars();
    let seats = if args.replay.is_some() || args.recorded.is_some() {
        super::oracle::nobody(place.chosen.tiers())
    } else {
        seats(session, args, place.chosen.tiers())?
    };
    for seat in &seats {
        if let Some(key) = &seat.key {
            // Whatever its variable is called.
            variables.push(("API_KEY".to_owned(), key.expose().to_owned()));
        }
    }
    let redactor = Redactor::new(&variables);
    let roster = team::of_place(place)?;
    let cap = team::cap(session, args)?;
    let mut payer = Payer::new(
        seats,
        &table,
        purse.as_ref(),
        world.model.as_ref(),
        world.clock.as_ref(),
        &redactor,
        session.now(),
        (Some(cap), spent(&place.recording), !is_paid),
        team::task_caps(place, &roster),
    );
    if let Some(file) = &args.recorded {
        payer.recorded = Some(Recorded::read(session, file)?);
    }
    let done = with_team(
        session,
        args,
        place,
        (library, roster),
        (&store, &checkout.common_dir),
        &loaded,
        &redactor,
        &payer,
    );
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
    let names = place
        .recording
        .plan
        .as_ref()
        .map(|(tasks, _)| tasks.iter().map(|task| task.role.as_str()));
    let names = names.into_iter().flatten().chain([roles::PLANNER]);
    for name in names {
        if here[name] != there[name] {
            let message = format!("the prompt `{name}` is not the one that the run was begun with");
            return Err(CommandError::message(ErrorKind::AgentRun, message).hint(
                "check out the commit, and use the version of maestro, that it was begun with",
            ));
        }
    }
    Ok(())
}

/// Returns what a recording says was spent.
fn spent(recording: &Recording) -> Usd {
    let bills = recording
        .steps
        .values()
        .filter_map(|kept| kept.result["usd"].as_str());
    bills
        .filter_map(|usd| usd.parse::<Usd>().ok())
        .fold(Usd::ZERO, Usd::saturating_add)
}

#[expect(
    clippy::too_many_arguments,
    reason = "each is a part of the world that a team works in"
)]
fn with_team(
    session: &mut Session<'_>,
    args: &RunAgentsArgs,
    place: &Place,
    (library, roster): (&Library, Roster),
    (store, common_dir): (&RunStore, &Path),
    loaded: &Loaded,
    redactor: &Redactor,
    payer: &Payer<'_>,
) -> CommandResult {
    let world = session.world;
    let canaries = Canaries::new(&place.canaries);
    let guard = guard(place, loaded, (world.trees.as_ref(), store), &canaries)?;
    let known = known(session)?;
    let tests = Affected {
        history: world.history.as_ref(),
        files: world.files.as_ref(),
        store: &store.git_dir,
        settings: &known.settings,
        config: &known.config,
        rules: &known.rules,
        redactor,
        today: today(place),
    };
    let own = world.environment.vars();
    let cell = Cell {
        sandbox: world.sandbox.as_ref(),
        files: world.files.as_ref(),
        shield: args.sandbox,
        own: &own,
        asked: &args.pass_env,
        shown: &args.allow_read,
        canaries: &canaries,
        root: &place.root,
        folder: &place.folder,
        common_dir,
        redactor,
    };
    let program = match (&place.chosen.agent, args.replay.is_some()) {
        (Some(words), false) => Some(program(session, args, place, (words, &cell), payer)?),
        _ => None,
    };
    let is_played = program.is_none() && place.chosen.agent.is_some();
    let played = is_played.then_some(&Played as &dyn Agent);
    let agent = program
        .as_ref()
        .map(|program| program as &dyn Agent)
        .or(played);
    let journal = match (args.replay.is_some(), args.dry_run) {
        (true, _) => None,
        // A plan that is only shown is asked for all the same.
        (false, true) => Some(Journal::new(Box::new(Forgets), Chain::default(), None)),
        (false, false) => Some(journal(session, place)?),
    };
    let steps = Steps::new(journal.as_ref(), &place.recording.steps);
    let tiers = place.chosen.tiers();
    let mut team = Team {
        head: &place.head,
        trees: world.trees.as_ref(),
        store: store.clone(),
        root: place.root.clone(),
        files: world.files.as_ref(),
        steps: &steps,
        oracle: payer,
        guard: &guard,
        runner: &cell,
        tests: &tests,
        agent,
        library,
        models: tiers.map(|tier| format!("{}/{}", tier.provider, tier.model)),
        roles: roster.roles,
        planner: roster.planner,
        tries: place.chosen.tries,
        specs: Vec::new(),
        graph: Graph::default(),
        key: place.key.clone(),
        mark: canaries.sentence(),
        patience: Patience::default(),
        commands: place.chosen.commands.clone(),
        shared: Mutex::new(Shared::default()),
    };
    let planned = match &journal {
        Some(journal) => with_writer(journal, || plan(&mut team, place, Some(journal))),
        None => plan(&mut team, place, None),
    };
    let planned = planned.map_err(|problem| problem.reported(""))?;
    let planned = planned.map(|usd| (usd, estimate(&team, payer.table, session.now())));
    after_plan(session, args, place, &team, planned, journal.as_ref())
}

/// Shows the plan, or has it carried out and says what came of it.
fn after_plan(
    session: &mut Session<'_>,
    args: &RunAgentsArgs,
    place: &Place,
    team: &Team<'_>,
    planned: Result<(Usd, Estimate), NoPlan>,
    journal: Option<&Journal>,
) -> CommandResult {
    let (plan_usd, estimate) = match planned {
        Ok(planned) => planned,
        Err(no_plan) => return Err(refuse(session, args, place, no_plan)?),
    };
    if args.dry_run {
        let document = RunPlanDocument::new(&place.head, team, estimate, plan_usd);
        session.render(&document)?;
        return Ok(ExitCode::Success);
    }
    let state = carry_out(session, args, place, team, journal)?;
    let outcome = run::conclude(team, state).map_err(|problem| problem.reported(""))?;
    conclude(place, &outcome, journal)?;
    let totals = totals(session, place, team, &outcome, journal.is_some())?;
    let document = RunDocument::new(&place.head, team, &outcome, &totals, team.steps.counts());
    if let Some(folder) = &args.bundle {
        let folder = session.base.join(folder);
        let cap = team::cap(session, args)?;
        leave::bundle(session, &folder, place, team, &document, cap)?;
    }
    if journal.is_some() {
        kept::ended(session, args, place, &document, None)?;
    }
    session.render(&document)?;
    document.verdict()
}

/// Says why there is nothing to carry out.
fn refuse(
    session: &mut Session<'_>,
    args: &RunAgentsArgs,
    place: &Place,
    no_plan: NoPlan,
) -> Result<CommandError, CommandError> {
    let is_shown_only = args.dry_run || args.replay.is_some();
    match no_plan {
        NoPlan::Questions(questions) => {
            let document = RunDocument::without_plan(&place.head, "needs-answers", questions);
            if !is_shown_only {
                kept::ended(session, args, place, &document, None)?;
            }
            session.render(&document)?;
            let message = "the planner needs to know more before anything can be done";
            Ok(CommandError::message(ErrorKind::AgentRun, message)
                .hint("answer the questions in the issue, and run it again"))
        }
        NoPlan::Stuck(Stuck { want, why }) => {
            let (kind, outcome) = match want {
                Want::Money => (ErrorKind::Budget, Some(("stopped-by-budget", End::Money))),
                // Nothing is kept of such a run.
                Want::Provider => (ErrorKind::Unavailable, None),
                Want::Sense => (ErrorKind::AgentRun, Some(("no-plan", End::Hopeless))),
            };
            if let Some((outcome, end)) = outcome
                && !is_shown_only
            {
                let document = RunDocument::without_plan(&place.head, outcome, Vec::new());
                kept::ended(session, args, place, &document, Some((end, &why)))?;
            }
            let error = CommandError::message(kind, format!("there is no plan: {why}"));
            Ok(error.hint(match want {
                Want::Provider => "run it again when the provider answers",
                Want::Money => "allow more with `--max-usd`; `maestro budget status` shows what was spent",
                Want::Sense => "say in the issue what is wanted and where, or give the planner a stronger model",
            }))
        }
    }
}

/// Lets the team work, or plays what it did.
fn carry_out(
    session: &mut Session<'_>,
    args: &RunAgentsArgs,
    place: &Place,
    team: &Team<'_>,
    journal: Option<&Journal>,
) -> Result<State, CommandError> {
    let limits = place.chosen.limits();
    let Some(journal) = journal else {
        return run::play(team, limits, &place.recording).map_err(|problem| problem.reported(""));
    };
    if place.recording.head.is_none() {
        let (run, tasks) = (&place.head.run, team.specs.len());
        session
            .ui
            .status(&format!("run {run} begins: {tasks} tasks"));
    }
    let minutes = |minutes| Duration::from_secs(minutes * 60);
    let within = args.stop_after.map(minutes);
    let past = run::past(&place.recording);
    run::carry_out(team, journal, limits, past, within).map_err(|problem| problem.reported(""))
}

/// Writes the last line, or holds the end against the recorded one.
fn conclude(
    place: &Place,
    outcome: &run::Outcome,
    journal: Option<&Journal>,
) -> Result<(), CommandError> {
    let Some(journal) = journal else {
        return match &place.recording.last {
            Some(last) if *last != outcome.last => {
                let message = "the run came to another end than the one that was recorded";
                Err(CommandError::message(ErrorKind::AgentRun, message)
                    .hint(format!("recorded: {last:?}; now: {:?}", outcome.last)))
            }
            _ => Ok(()),
        };
    };
    let last = run::over(&outcome.last);
    let kept = with_writer(journal, || journal.keep(&last));
    kept.map_err(|error| CommandError::writing(&place.folder, error))
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
            let changes = team
                .trees
                .changes(&team.store, &place.head.base, &left.commit);
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
    // Two runs with the same fixed time write the same.
    let clock = session
        .settings
        .now
        .value
        .is_none()
        .then(|| session.world.clock.shared());
    let journal = Journal::new(log, place.recording.chain.clone(), clock);
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
    Stuck(Stuck),
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
            return Ok(Err(NoPlan::Stuck(stuck)));
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
    let entry = team
        .shared()
        .board
        .write(&team.key, roles::PLANNER, roles::PLANNER, body);
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
    let numbers: BTreeMap<&str, u32> =
        crate::order::map(tasks.iter().map(|task| task.id.as_str()).zip(0..));
    let needs = tasks.iter().map(|task| {
        let known = task
            .depends_on
            .iter()
            .filter_map(|name| numbers.get(name.as_str()));
        known
            .map(|number| crate::agents::graph::TaskNo(*number))
            .collect()
    });
    let needs: Vec<_> = needs.collect();
    team.graph = Graph::new(&needs).map_err(|_| Abandon::Diverged {
        step: "plan".to_owned(),
        what: "its tasks wait for each other".to_owned(),
    })?;
    team.specs = tasks;
    Ok(())
}

impl Reported for RunProblem {
    fn reported(self, _of: &str) -> CommandError {
        let (kind, hint) = match &self {
            RunProblem::Abandon(Abandon::Diverged { .. } | Abandon::NotRecorded(_))
            | RunProblem::Other { .. } => (
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
        CommandError::new(kind, self).hint(hint)
    }
}
