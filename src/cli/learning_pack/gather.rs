//! Facts for the page: each from where the command that is about it has it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::PackArgs;
use super::how_tests_went;
use crate::agents::account::Account;
use crate::budget::sums::{Sums, Wanted};
use crate::cli::budget::status::caps_if_known;
use crate::cli::budget::wallet;
use crate::cli::dora::Stored;
use crate::cli::dora::kpi::{self, TargetsWord};
use crate::cli::session::Session;
use crate::delivery::ask::Window;
use crate::delivery::kpi::INDICATORS;
use crate::delivery::metrics::Metric;
use crate::delivery::table::Rows;
use crate::error::CommandError;
use crate::json;
use crate::report::facts::{
    AgentRun, AgentTask, Call, Delivery, Facts, Indicated, Known, Money, Override, Planned,
    Verdict, merges,
};
use crate::report::sections::WEEKS;
use crate::report::week::Week;
use crate::sha::Sha;
use crate::state::Survey;
use crate::state::v1::{self, AGENT_RUN, PLAN, POLICY_VERDICT, StoredEvent};

/// The kind of event that tells of a person who overruled a rule.
const OVERRIDE: &str = "override";

/// GitHub's own address.
const SERVER: &str = "https://github.com";

/// Where facts are gathered from, beside the state.
pub(super) struct Sources {
    /// What is known of deliveries, or why nothing is.
    pub(super) stored: Known<Stored>,
    /// The server that the repository's pages are at; nothing where it is at none that is known.
    pub(super) server: Option<String>,
    /// The commit with the caps; by default the base.
    pub(super) base: Option<&'static str>,
}

impl Sources {
    /// Returns the sources of the repository that we are in.
    pub(super) fn here(session: &mut Session<'_>, args: &PackArgs) -> Result<Self, CommandError> {
        let stored = if session.checkout.is_err() && args.rows.is_none() {
            Err("There is no repository here, and no file of rows was named.".to_owned())
        } else {
            Ok(Stored::of(
                session,
                args.rows.clone(),
                Some(args.github.clone()),
            )?)
        };
        Ok(Self {
            stored,
            server: Some(server(session)),
            base: None,
        })
    }
}

/// Returns the server that is meant here.
pub(super) fn server(session: &Session<'_>) -> String {
    let server = session
        .var("GITHUB_SERVER_URL")
        .filter(|server| server.starts_with("https://"));
    server.unwrap_or_else(|| SERVER.to_owned())
}

/// What a week's page is made from, and the rows of deliveries behind it.
pub(super) struct Gathered {
    pub(super) facts: Facts,
    pub(super) rows: Rows,
}

/// Gathers everything.
pub(super) fn gather(
    session: &mut Session<'_>,
    sources: Sources,
    week: Week,
) -> Result<Gathered, CommandError> {
    let mut troubles = Vec::new();
    let tests = how_tests_went::tests(session, &mut troubles)?;
    let money = money(session, sources.base, &mut troubles)?;
    let Deliveries {
        repository,
        known: delivery,
        rows,
        indicators,
    } = deliveries(session, sources.stored, week)?;
    let others = others(session, &mut troubles)?;
    let web = sources.server.zip(repository.as_ref());
    let web = web.map(|(server, name)| format!("{}/{name}", server.trim_end_matches('/')));
    let facts = Facts {
        week,
        now: session.now(),
        repository: repository.unwrap_or_else(|| folder(session)),
        web,
        tests,
        money,
        delivery,
        indicators,
        decided: session
            .state()?
            .decisions(&[week.name(), week.back(1).name()])?,
        troubles,
        agents: or_nothing(
            agent_runs(others.agents),
            "No run of agents is stored: `maestro run-agents` stores what each one came to.",
        ),
        verdicts: or_nothing(
            others.verdicts,
            "No verdict of a policy is stored: `maestro check-policy` stores one for each change.",
        ),
        overrides: others.overrides,
        plans: or_nothing(
            others.plans,
            "No plan is stored: `maestro plan` stores what each run of CI left out.",
        ),
    };
    Ok(Gathered { facts, rows })
}

fn or_nothing<T>(found: Vec<T>, why: &str) -> Known<Vec<T>> {
    if found.is_empty() {
        Err(why.to_owned())
    } else {
        Ok(found)
    }
}

/// Says what of a reading could not be used.
pub(super) fn note_damage(survey: &Survey, what: &str, troubles: &mut Vec<String>) {
    match survey.damage.len() {
        0 => {}
        1 => troubles.push(format!("1 line of {what} cannot be used and is missing here; `maestro state verify` names it")),
        more => troubles.push(format!("{more} lines of {what} cannot be used and are missing here; `maestro state verify` names them")),
    }
}

/// Returns the name of the folder that the repository is in.
fn folder(session: &Session<'_>) -> String {
    let top = session
        .checkout
        .as_ref()
        .ok()
        .and_then(|checkout| checkout.top.clone());
    let folder = top.unwrap_or_else(|| session.base.clone());
    let name = folder
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    name.unwrap_or_else(|| "this repository".to_owned())
}

fn money(
    session: &mut Session<'_>,
    base: Option<&str>,
    troubles: &mut Vec<String>,
) -> Result<Known<Money>, CommandError> {
    let state = session.state()?;
    let (accounts, damage) = wallet::accounts(session, &state)?;
    if !damage.is_empty() {
        troubles.push(format!("{} lines of what was spent cannot be used, and may be money; `maestro state verify` names them", damage.len()));
    }
    let sums = Sums::new(&accounts, &Wanted::default(), session.now());
    if sums.by_week.is_empty() {
        return Ok(Err("No call of a model is stored: `maestro gateway`, `maestro run-agents` and `maestro budget import` store them.".to_owned()));
    }
    let calls = accounts.calls().map(|paid| Call {
        at: paid.at,
        usd: paid.spend.usd,
        role: paid.spend.role.clone(),
        model: format!("{}/{}", paid.spend.provider, paid.spend.model),
        pull_request: paid.spend.pull_request,
    });
    let calls = calls.collect();
    let weeks = sums
        .by_week
        .iter()
        .map(|(week, sum)| (week.clone(), (sum.usd(), sum.unpriced)));
    let weeks = crate::order::map(weeks);
    let caps = if session.checkout.is_ok() {
        caps_if_known(session, base)
    } else {
        None
    };
    let caps = caps.map(|caps| (caps.pull_request, caps.month));
    Ok(Ok(Money { calls, weeks, caps }))
}

/// What is known of deliveries, and of the seven indicators.
struct Deliveries {
    repository: Option<String>,
    known: Known<Delivery>,
    rows: Rows,
    indicators: Vec<Indicated>,
}

fn deliveries(
    session: &mut Session<'_>,
    stored: Known<Stored>,
    week: Week,
) -> Result<Deliveries, CommandError> {
    let stored = match stored {
        Ok(stored) => stored,
        Err(why) => {
            return Ok(Deliveries {
                repository: None,
                known: Err(why),
                rows: Rows::default(),
                indicators: Vec::new(),
            });
        }
    };
    let loaded = kpi::load(session)?;
    let (this, last) = (week.window(), week.back(1).window());
    let now = stored.indicators(session, &loaded, this)?;
    let before = stored.indicators(session, &loaded, last)?;
    let found = INDICATORS.iter().zip(now).zip(before);
    let indicators = found.map(|((indicator, now), before)| Indicated {
        now: now.measured,
        before: before.measured,
        why: now.why,
        target: TargetsWord::Config.of(&session.config.kpi.targets, indicator),
    });
    let indicators = indicators.collect();
    let spans = spans(session, &stored, week)?;
    let (rows, from, repository, notes) = stored.into_parts();
    let earliest = rows.earliest();
    let known = if earliest.is_none() {
        Err("Nothing is known of changes or deployments: `maestro dora` reads them from GitHub and keeps them, or from git.".to_owned())
    } else {
        let merged = merges(&rows).collect();
        Ok(spans.delivery((merged, earliest), from, notes))
    };
    Ok(Deliveries {
        repository,
        known,
        rows,
        indicators,
    })
}

/// The metrics of a week, of the one before, and of the weeks that are drawn.
pub(super) struct Spans([Vec<Metric>; 3]);

/// Works out how changes were delivered.
pub(super) fn spans(
    session: &Session<'_>,
    stored: &Stored,
    week: Week,
) -> Result<Spans, CommandError> {
    let long = Window {
        since: week.back(WEEKS - 1).window().since,
        until: week.window().until,
    };
    Ok(Spans([
        stored.over(session, week.window())?,
        stored.over(session, week.back(1).window())?,
        stored.over(session, long)?,
    ]))
}

impl Spans {
    pub(super) fn delivery(
        self,
        (merged, earliest): (Vec<Timestamp>, Option<Timestamp>),
        from: &'static str,
        notes: Vec<String>,
    ) -> Delivery {
        let [now, before, long] = self.0;
        Delivery {
            merged,
            earliest,
            now,
            before,
            long,
            from,
            notes,
        }
    }
}

/// What small events tell.
#[derive(Default)]
struct Others {
    /// By run: when, which event, and what it came to.
    agents: BTreeMap<String, Vec<(Timestamp, Sha, Account)>>,
    verdicts: Vec<Verdict>,
    overrides: Vec<Override>,
    plans: Vec<Planned>,
}

fn others(session: &Session<'_>, troubles: &mut Vec<String>) -> Result<Others, CommandError> {
    let mut others = Others::default();
    let kinds = [AGENT_RUN, PLAN, POLICY_VERDICT, OVERRIDE];
    let mut seen = std::collections::BTreeSet::new();
    let survey = session
        .state()?
        .read(&|kind, _| kinds.contains(&kind), &mut |event| {
            // An event may stand in more than one place.
            if seen.insert(event.id) {
                others.add(event)
            } else {
                Ok(())
            }
        })?;
    note_damage(&survey, "plans, verdicts and runs of agents", troubles);
    crate::order::sort_by(&mut others.verdicts, |a, b| {
        a.at.cmp(&b.at).then_with(|| a.head.cmp(&b.head))
    });
    crate::order::sort_by(&mut others.plans, |a, b| {
        a.at.cmp(&b.at).then_with(|| a.head.cmp(&b.head))
    });
    crate::order::sort_by(&mut others.overrides, |a, b| {
        a.at.cmp(&b.at).then_with(|| a.rule.cmp(&b.rule))
    });
    Ok(others)
}

impl Others {
    fn add(&mut self, event: &StoredEvent<'_>) -> Result<(), v1::LineProblem> {
        match event.kind.as_ref() {
            AGENT_RUN => {
                let account = v1::decode_agent_run(event)?;
                let runs = self.agents.entry(account.run.clone()).or_default();
                runs.push((event.at, event.id, account));
            }
            PLAN => {
                let plan = v1::decode_plan(event)?;
                self.plans.push(Planned {
                    at: event.at,
                    head: plan.head,
                    enforced: plan.enforced,
                    mode: plan.mode,
                    selected: plan.selected,
                    unselected: plan.unselected,
                    reasons: plan.reasons,
                });
            }
            POLICY_VERDICT => {
                let verdict = v1::decode_policy_verdict(event)?;
                // A task of an agent is no change yet.
                if verdict.task.is_none() {
                    self.verdicts.push(Verdict {
                        at: event.at,
                        outcome: verdict.outcome,
                        enforced: verdict.enforced,
                        blocked_by: verdict.blocked_by,
                        review_by: verdict.review_by,
                        warned_by: verdict.warned_by,
                        forgiven: verdict.forgiven,
                        head: verdict.head,
                        pull_request: verdict.pull_request,
                    });
                }
            }
            _ => self.overrides.push(overridden(event)),
        }
        Ok(())
    }
}

/// Reads what is there of an override: its kind may get more fields.
fn overridden(event: &StoredEvent<'_>) -> Override {
    let payload: serde_json::Value = json::read(event.payload).unwrap_or_default();
    let text = |names: &[&str]| {
        let found = names.iter().find_map(|name| payload.get(name)?.as_str());
        found.unwrap_or("not told").to_owned()
    };
    Override {
        at: event.at,
        rule: text(&["rule", "entry"]),
        reason: text(&["reason"]),
        by: text(&["by", "actor", "login"]),
        pull_request: payload
            .get("pull_request")
            .and_then(serde_json::Value::as_u64),
    }
}

/// Of several accounts of a run the newest that ended counts, else the newest; a published one knows the pull request.
fn agent_runs(runs: BTreeMap<String, Vec<(Timestamp, Sha, Account)>>) -> Vec<AgentRun> {
    let mut all = Vec::new();
    for (run, mut accounts) in runs {
        crate::order::sort_by_key(&mut accounts, |(at, id, account)| {
            (account.stage == "ended", *at, *id)
        });
        let pull_request = accounts
            .iter()
            .rev()
            .find_map(|(.., account)| account.pull_request);
        let Some((at, _, account)) = accounts.pop() else {
            continue;
        };
        all.push(AgentRun {
            at,
            run,
            outcome: account.outcome,
            usd: account.spent_usd,
            pull_request,
            tasks: account
                .tasks
                .into_iter()
                .map(|task| AgentTask {
                    role: task.role,
                    state: task.state,
                    attempts: task.attempts,
                    usd: task.usd,
                    failures: task
                        .failures
                        .into_iter()
                        .map(|failure| (failure.end, failure.why))
                        .collect(),
                })
                .collect(),
        });
    }
    crate::order::sort_by(&mut all, |a, b| {
        a.at.cmp(&b.at).then_with(|| a.run.cmp(&b.run))
    });
    all
}
