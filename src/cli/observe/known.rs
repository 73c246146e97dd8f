//! What is known: the state, by the readers of the commands that show it, and the journals of this machine.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::agents::account::Account;
use crate::cli::budget::standing::standing;
use crate::cli::dora::Stored;
use crate::cli::flakes::report;
use crate::cli::flakes::rules;
use crate::cli::run_agents::place;
use crate::cli::session::Session;
use crate::delivery::quantiles::quantile;
use crate::error::CommandError;
use crate::event::Origin;
use crate::flakes::detect::Analysis;
use crate::json;
use crate::ports::FileKind;
use crate::sha::Sha;
use crate::state::v1::{
    self, AGENT_RUN, LineProblem, PLAN, POLICY_VERDICT, PROVENANCE_INDEX, PlanRecord,
    PolicyVerdictRecord, StoredEvent, TEST_TIMING,
};
use crate::state::{Place, StateFolder};
use crate::telemetry::gather::{Budget, Figure, Happened, Marks, Material};
use crate::telemetry::instruments::{self as of, Instrument};
use crate::telemetry::known::agents::{accounted, journal};
use crate::telemetry::known::flakes::{JobTimes, runs as test_runs};
use crate::telemetry::known::{delivery, money};
use crate::telemetry::logs::{self, Log, Severity};
use crate::telemetry::semconv as key;
use crate::telemetry::spans::{AgentRun, Repository};

/// The days that metrics of delivery are about.
pub(super) const DAYS: i64 = 30;

/// What is known.
pub(super) struct Known {
    pub(super) material: Material,
    /// Deliveries, for the metrics of other times.
    pub(super) stored: Option<Stored>,
    /// What happened, by the event that tells of it.
    pub(super) logs: Vec<(String, Log)>,
    /// Lines of the state that cannot be used.
    pub(super) damaged: u64,
}

/// What is gathered of events while they are read; each counts once.
#[derive(Default)]
struct Events {
    accounts: BTreeMap<String, (Account, Timestamp, Origin)>,
    verdicts: BTreeMap<Sha, (Timestamp, Origin, PolicyVerdictRecord)>,
    plans: BTreeMap<Sha, (Timestamp, Origin, PlanRecord)>,
    statements: BTreeMap<Sha, (Timestamp, serde_json::Value)>,
    times: BTreeMap<Sha, crate::flakes::timing::Timing>,
}

impl Events {
    fn take(&mut self, event: &StoredEvent<'_>) -> Result<(), LineProblem> {
        let (at, origin) = (event.at, || event.origin.clone());
        match event.kind.as_ref() {
            AGENT_RUN => {
                let account = v1::decode_agent_run(event)?;
                let known = self.accounts.get(&account.run);
                // Whoever ran it knows more than whoever published it.
                if known.is_none_or(|(known, ..)| known.stage != "ended") {
                    let entry = (account, at, origin());
                    self.accounts.insert(entry.0.run.clone(), entry);
                }
            }
            POLICY_VERDICT => {
                let record = v1::decode_policy_verdict(event)?;
                self.verdicts.insert(event.id, (at, origin(), record));
            }
            PLAN => {
                let record = v1::decode_plan(event)?;
                self.plans.insert(event.id, (at, origin(), record));
            }
            PROVENANCE_INDEX => {
                let payload = json::read(event.payload).unwrap_or_default();
                self.statements.insert(event.id, (at, payload));
            }
            TEST_TIMING => {
                self.times.insert(event.id, v1::decode_timing(event)?);
            }
            _ => {}
        }
        Ok(())
    }
}

/// Reads all that is known. No server is asked, but for the caps of the branch that a change goes to.
pub(super) fn load(
    session: &mut Session<'_>,
    repository: &Repository,
) -> Result<Known, CommandError> {
    let state = session.state()?;
    let mut events = Events::default();
    let mut damaged = 0;
    let mut figures = Vec::new();
    for (lies, name) in [(Place::Here, "here"), (Place::Fetched, "fetched")] {
        let survey = state.read(&|_, place| place == lies, &mut |event| events.take(event))?;
        damaged += survey.damage.len() as u64;
        let labels = vec![(key::QUEUE, name.to_owned())];
        figures.push(figure(&of::STATE_EVENTS, labels, survey.events));
    }
    let mut material = Material {
        repository_url: repository.url.clone(),
        inbox: state.waiting()?,
        figures,
        ..Material::default()
    };
    let times = add_tests(session, &state, &events, &mut material)?;
    let logs = add_events(&events, &times, &mut material);
    add_money(session, &state, &mut material)?;
    let stored = add_deliveries(session, &mut material)?;
    Ok(Known {
        material,
        stored,
        logs,
        damaged,
    })
}

fn figure(of: &'static Instrument, labels: Marks, count: u64) -> Figure {
    #[expect(clippy::cast_precision_loss, reason = "nobody has 2^52 of them")]
    let value = count as f64;
    Figure { of, labels, value }
}

fn add_tests(
    session: &mut Session<'_>,
    state: &StateFolder<'_>,
    events: &Events,
    to: &mut Material,
) -> Result<JobTimes, CommandError> {
    let mut times = JobTimes::default();
    events.times.values().for_each(|timing| times.add(timing));
    let (history, _) = report::load(state)?;
    let (found, again) = test_runs(&history, &times, quantile);
    to.test_runs = found;
    to.happened.extend(again);
    if history.runs.is_empty() {
        return Ok(times);
    }
    let analysis = Analysis::of(&history);
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for test in history.in_order() {
        let verdict = analysis.verdict(&history, test);
        *counts.entry(verdict.name()).or_default() += 1;
    }
    // Nobody's quarantine is no empty one.
    if let Ok(rules) = rules::from_base(session, None, false) {
        let today = session.now().to_zoned(TimeZone::UTC).date();
        let entries = &rules.quarantine.tests;
        let overdue = entries.iter().filter(|entry| entry.is_overdue(today));
        counts.insert("overdue", overdue.count() as u64);
        counts.insert("quarantined", entries.len() as u64);
    }
    for (state, count) in counts {
        let labels = vec![(key::FLAKE_STATE, state.to_owned())];
        to.figures.push(figure(&of::FLAKE_TESTS, labels, count));
    }
    Ok(times)
}

/// Adds what events tell, and returns their log.
fn add_events(events: &Events, times: &JobTimes, to: &mut Material) -> Vec<(String, Log)> {
    let mut logs = Vec::new();
    for (account, at, origin) in events.accounts.values() {
        let run = accounted(account, *at, origin);
        logs.push((
            format!("log/agents/{}", run.id),
            log_of_agents(&run, origin),
        ));
        to.agents.push(run);
    }
    for (id, (at, origin, record)) in &events.verdicts {
        add_verdict(*at, record, to);
        logs.push((format!("log/{id}"), log_of_verdict(*at, origin, record)));
    }
    for (id, (at, origin, plan)) in &events.plans {
        let left_out = plan.unselected.iter().filter(|_| plan.enforced);
        for seconds in left_out.filter_map(|job| times.of(job, quantile)) {
            to.happened
                .push(happened(&of::TIME_SAVED, Vec::new(), *at, Some(seconds)));
        }
        logs.push((format!("log/{id}"), log_of_plan(*at, origin, plan)));
    }
    let mut newest: Option<(Timestamp, &serde_json::Value)> = None;
    for (at, statement) in events.statements.values() {
        to.happened
            .push(happened(&of::STATEMENTS, Vec::new(), *at, None));
        let of_pull_request = statement["predicate"]["run"]["base_branch"].is_string();
        if !of_pull_request && newest.is_none_or(|(before, _)| before < *at) {
            newest = Some((*at, statement));
        }
    }
    let scans = newest.and_then(|(_, statement)| statement["predicate"]["scans"].as_array());
    let mut findings: BTreeMap<&str, u64> = BTreeMap::new();
    for scan in scans.into_iter().flatten() {
        let scanner = scan["scanner"].as_str().unwrap_or_default();
        // A new version is no other scanner.
        let name = scanner.rsplit_once('@').map_or(scanner, |(name, _)| name);
        *findings.entry(name).or_default() += scan["findings"].as_u64().unwrap_or(0);
    }
    for (scanner, count) in findings {
        let labels = vec![(key::SCANNER, scanner.to_owned())];
        to.figures.push(figure(&of::FINDINGS, labels, count));
    }
    logs
}

fn happened(
    of: &'static Instrument,
    labels: Marks,
    at: Timestamp,
    seconds: Option<f64>,
) -> Happened {
    Happened {
        of,
        labels,
        at,
        seconds,
    }
}

fn add_verdict(at: Timestamp, record: &PolicyVerdictRecord, to: &mut Material) {
    let outcome = vec![(key::POLICY_OUTCOME, record.outcome.clone())];
    to.happened
        .push(happened(&of::POLICY_VERDICTS, outcome, at, None));
    for (severity, rules) in [
        ("block", &record.blocked_by),
        ("review", &record.review_by),
        ("warn", &record.warned_by),
    ] {
        for rule in rules {
            let labels = vec![
                (key::POLICY_RULE, rule.clone()),
                (key::SEVERITY, severity.to_owned()),
            ];
            to.happened
                .push(happened(&of::POLICY_VIOLATIONS, labels, at, None));
        }
    }
}

fn place_of(origin: &Origin, command: &str, change: Option<u64>) -> logs::Place {
    logs::Place {
        run: origin.run.parse().ok(),
        attempt: origin.attempt,
        job: origin.job.clone(),
        change,
        commit: origin.commit.clone(),
        command: command.into(),
    }
}

fn log_of_agents(run: &AgentRun, origin: &Origin) -> Log {
    let done = run.tasks.iter().filter(|task| task.succeeded).count();
    let body = format!(
        "run of agents {}: {}, {done} of {} tasks done",
        run.id,
        run.outcome,
        run.tasks.len()
    );
    let severity = if run.succeeded {
        Severity::Info
    } else {
        Severity::Error
    };
    place_of(origin, "run-agents", run.change).log(run.ended, severity, &body)
}

fn log_of_verdict(at: Timestamp, origin: &Origin, record: &PolicyVerdictRecord) -> Log {
    let mut body = format!("policy: {}", record.outcome);
    for (words, rules) in [
        ("blocked by", &record.blocked_by),
        ("a person is wanted by", &record.review_by),
        ("warned by", &record.warned_by),
    ] {
        if !rules.is_empty() {
            body.push_str(&format!(", {words} {}", rules.join(" ")));
        }
    }
    let severity = match record.outcome.as_str() {
        "passed" => Severity::Info,
        "blocked" => Severity::Error,
        _ => Severity::Warn,
    };
    place_of(origin, "check-policy", record.pull_request).log(at, severity, &body)
}

fn log_of_plan(at: Timestamp, origin: &Origin, plan: &PlanRecord) -> Log {
    let all = plan.selected.len() + plan.unselected.len();
    let body = format!(
        "plan: {}, {} of {all} jobs selected",
        plan.mode,
        plan.selected.len()
    );
    place_of(origin, "plan", None).log(at, Severity::Info, &body)
}

fn add_money(
    session: &mut Session<'_>,
    state: &StateFolder<'_>,
    to: &mut Material,
) -> Result<(), CommandError> {
    let standing = standing(session, state)?;
    to.calls = standing.accounts.calls().map(money::spent).collect();
    let is_known = standing.cap.is_some() || !to.calls.is_empty();
    to.budgets.extend(is_known.then(|| Budget {
        scope: "month".into(),
        spent: standing.spoken_for,
        cap: standing.cap,
        forecast: standing.forecast,
    }));
    Ok(())
}

fn add_deliveries(
    session: &mut Session<'_>,
    to: &mut Material,
) -> Result<Option<Stored>, CommandError> {
    if session.checkout.is_err() {
        return Ok(None);
    }
    let stored = Stored::read(session)?;
    if let Some(rows) = stored.of_forge() {
        to.runs = rows.runs.iter().map(delivery::run).collect();
        to.changes = rows.pulls.iter().map(delivery::change).collect();
        let deployments = rows.deployments.iter().filter_map(delivery::deployment);
        to.happened.extend(deployments);
    }
    let metrics = stored.metrics(session, session.now(), DAYS)?;
    to.figures.extend(delivery::figures(&metrics));
    Ok(Some(stored))
}

/// Returns the runs of agents whose journals are on this machine and that ended, but for those that are known.
pub(super) fn journals(
    session: &mut Session<'_>,
    accounts: &[AgentRun],
    is_known: &dyn Fn(&str) -> bool,
) -> Result<Vec<AgentRun>, CommandError> {
    let Ok(checkout) = &session.checkout else {
        return Ok(Vec::new());
    };
    let folder = place::runs(checkout);
    let files = session.world.files.as_ref();
    let names = files.names(&folder);
    let names = names.map_err(|error| CommandError::reading(&folder, error))?;
    let own = crate::cli::budget::wallet::origin(session);
    let own = crate::telemetry::known::agents::place(&own.run, own.attempt);
    let mut runs = Vec::new();
    for name in names {
        let name = name.to_string_lossy().into_owned();
        let path = folder.join(&name).join("journal.ndjson");
        if is_known(&name) || !matches!(files.kind(&path), Ok(FileKind::File)) {
            continue;
        }
        let recording = match place::recording(session, &path) {
            Ok(recording) => recording,
            Err(error) => {
                let message = format!("the run `{name}` is left out: {}", error.error);
                session.ui.warn(&message);
                continue;
            }
        };
        let Some(head) = &recording.head else {
            continue;
        };
        let account = accounts.iter().find(|known| known.id == head.run);
        let ci = account.map_or(own, |known| known.ci);
        let told = journal(head, &recording.records, &recording.times, ci);
        runs.extend(told.map(|run| AgentRun {
            change: account.and_then(|known| known.change),
            ..run
        }));
    }
    Ok(runs)
}
