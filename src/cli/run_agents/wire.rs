//! The documents of `run-agents`: a plan with its price, and what a run came to.

use std::io::{self, Write};

use jiff::Timestamp;
#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::totals::{Totals, advice};
use crate::agents::board::Body;
use crate::agents::graph::TaskNo;
use crate::agents::record::Head;
use crate::agents::roles;
use crate::agents::step::Phase;
use crate::conduct::agents::run::Outcome;
use crate::conduct::agents::team::Team;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::llm::prices::Table;
use crate::llm::router::Tier;
use crate::llm::usage::Usage;
use crate::money::Usd;
use crate::output::{Cell, Column, Page, Report};

/// A task of a plan.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct TaskRow {
    id: String,
    role: String,
    title: String,
    depends_on: Vec<String>,
    files: Vec<String>,
    new_files: Vec<String>,
    /// Each ends with exit code 0 when the task is done.
    commands: Vec<String>,
    /// `small`, `medium` or `large`: who is asked first.
    tier: &'static str,
}

/// What a plan may cost, in US dollars.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[expect(
    clippy::struct_field_names,
    reason = "readers of the document need the unit"
)]
pub(super) struct Estimate {
    /// Every task done at the first try by the model that is asked first; nothing where a model has no price.
    low_usd: Option<String>,
    /// Half of the tasks take another try, by the next stronger model.
    likely_usd: Option<String>,
    /// Every task takes all tries, each by the next stronger model.
    high_usd: Option<String>,
}

/// A plan, and what it may cost.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.run-plan/v1"))]
pub(crate) struct RunPlanDocument {
    /// `maestro.run-plan/v1`
    schema: &'static str,
    /// The commit that the work would start from.
    base: String,
    /// What will be different for users.
    summary: String,
    tasks: Vec<TaskRow>,
    /// What could go wrong: `risk`, `severity` and `mitigation`.
    risks: Vec<Value>,
    assumptions: Vec<String>,
    estimate: Estimate,
    /// What making the plan cost.
    spent_usd: String,
}

/// Tokens of a prompt without what it is about, and of an answer, as the built-in prompts have them.
const PROMPT: u64 = 2500;
const ANSWER: u64 = 1500;

/// Answers that a turn takes: looking around comes before writing.
const ANSWERS: u64 = 3;

/// Says what a plan may cost.
pub(super) fn estimate(team: &Team<'_>, table: &Table, at: Timestamp) -> Estimate {
    let cost = |no: usize, climb: u8| -> Option<Usd> {
        let spec = &team.specs[no];
        let role = team.role_named(&spec.role)?;
        let prompt = team.library.load(&role.prompt).ok()?;
        let own = Tier::named(prompt.file.model.tier.name())?;
        let tier = roles::tier(role, own, spec, climb);
        let (provider, model) = team.models[tier as usize].split_once('/')?;
        let (payee, priced) = table.model(provider, model).ok()?;
        let sizes = spec.files.iter().map(|path| team.size_of(path));
        let files: u64 = sizes.sum();
        let input = PROMPT + spec.goal.len() as u64 / 4 + files / 4;
        let output = ANSWER + files / 8;
        let usage = Usage {
            net_input_tokens: input * ANSWERS,
            output_tokens: output * ANSWERS,
            ..Usage::default()
        };
        Some(payee.bill(priced, &usage, at).ok()?.total)
    };
    let sum = |costs: &mut dyn Iterator<Item = Option<Usd>>| {
        let mut sum = Usd::ZERO;
        for cost in costs {
            sum = sum.saturating_add(cost?);
        }
        Some(sum)
    };
    let all = 0..team.specs.len();
    let low = sum(&mut all.clone().map(|no| cost(no, 0)));
    let second = sum(&mut all.clone().map(|no| cost(no, 1)));
    let high = sum(&mut all
        .clone()
        .flat_map(|no| (0..3).map(move |climb| (no, climb)))
        .map(|(no, climb)| cost(no, climb)));
    let likely = low.zip(second).map(|(low, second)| {
        let half = Usd::from_pico(second.pico() / 2);
        low.saturating_add(half)
    });
    let text = |usd: Option<Usd>| usd.map(|usd| usd.to_string());
    Estimate {
        low_usd: text(low),
        likely_usd: text(likely),
        high_usd: text(high),
    }
}

fn cents(usd: Option<&String>) -> String {
    usd.map_or_else(|| "?".to_owned(), |usd| dollars(usd))
}

/// Shows dollars with as many digits as help.
pub(super) fn dollars(usd: &str) -> String {
    let (whole, rest) = usd.split_once('.').unwrap_or((usd, ""));
    let digits: String = rest.chars().chain("0000".chars()).take(4).collect();
    let digits = match digits.strip_suffix("00") {
        Some(two) => two.to_owned(),
        None => digits,
    };
    format!("${whole}.{digits}")
}

impl RunPlanDocument {
    pub(super) fn new(head: &Head, team: &Team<'_>, estimate: Estimate, spent: Usd) -> Self {
        let (mut summary, mut risks, mut assumptions) = (String::new(), Vec::new(), Vec::new());
        for entry in team.shared().board.newest() {
            if let Body::Plan {
                summary: said,
                risks: seen,
                assumptions: taken,
                ..
            } = &entry.body
            {
                summary.clone_from(said);
                risks.clone_from(seen);
                assumptions.clone_from(taken);
            }
        }
        Self {
            schema: "maestro.run-plan/v1",
            base: head.base.clone(),
            summary,
            tasks: team.specs.iter().map(|spec| row(team, spec)).collect(),
            risks,
            assumptions,
            estimate,
            spent_usd: spent.to_string(),
        }
    }
}

fn row(team: &Team<'_>, spec: &crate::agents::graph::TaskSpec) -> TaskRow {
    let tier = team.role_named(&spec.role).and_then(|role| {
        let prompt = team.library.load(&role.prompt).ok()?;
        let own = Tier::named(prompt.file.model.tier.name())?;
        Some(roles::tier(role, own, spec, 0))
    });
    TaskRow {
        id: spec.id.clone(),
        role: spec.role.clone(),
        title: spec.title.clone(),
        depends_on: spec.depends_on.clone(),
        files: spec.files.clone(),
        new_files: spec.new_files.clone(),
        commands: spec.acceptance.commands.clone(),
        tier: tier.map_or("medium", Tier::name),
    }
}

impl Report for RunPlanDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        Ok(serde_json::to_writer(out, self)?)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        page.heading("The plan");
        page.text(self.summary.clone());
        let head = vec![
            Column::left("task"),
            Column::left("role"),
            Column::left("after"),
            Column::left("may change"),
            Column::left("model"),
        ];
        let rows = self.tasks.iter().map(|task| {
            let files: Vec<&str> = task
                .files
                .iter()
                .chain(&task.new_files)
                .map(String::as_str)
                .collect();
            vec![
                Cell::plain(format!("{}: {}", task.id, task.title)),
                Cell::plain(task.role.clone()),
                Cell::plain(task.depends_on.join(", ")),
                Cell::plain(files.join(", ")),
                Cell::plain(task.tier),
            ]
        });
        page.table(head, rows.collect());
        for risk in &self.risks {
            let text = |name: &str| risk[name].as_str().unwrap_or_default();
            page.text(format!(
                "risk ({}): {}. {}",
                text("severity"),
                text("risk"),
                text("mitigation")
            ));
        }
        for assumption in &self.assumptions {
            page.text(format!("taken for granted: {assumption}"));
        }
        let estimate = &self.estimate;
        page.text(format!(
            "it may cost {} (from {} to {}); making the plan cost {}",
            cents(estimate.likely_usd.as_ref()),
            cents(estimate.low_usd.as_ref()),
            cents(estimate.high_usd.as_ref()),
            dollars(&self.spent_usd)
        ));
        page
    }
}

/// What became of a task.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(super) struct DoneRow {
    pub(super) id: String,
    pub(super) role: String,
    pub(super) title: String,
    /// `done`, `failed`, `skipped` or `open`.
    pub(super) state: &'static str,
    /// Why it is not done.
    pub(super) why: Option<String>,
    /// How often it was tried.
    pub(super) tries: u64,
    pub(super) models: Vec<String>,
    pub(super) usd: String,
}

/// What a run came to.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.agent-run/v1"))]
pub(crate) struct RunDocument {
    /// `maestro.agent-run/v1`
    schema: &'static str,
    run: String,
    /// `complete`, `partial`, `failed`, `needs-answers`, `stopped`, `stopped-by-budget` or `stopped-by-deadline`.
    outcome: String,
    /// The commit that the work started from.
    base: String,
    /// The commit that has all that is done.
    commit: Option<String>,
    tree: Option<String>,
    /// The digest of the blackboard.
    board_sha256: String,
    tasks: Vec<DoneRow>,
    /// What the run cost.
    spent_usd: String,
    /// Files that the run changed.
    files: Vec<String>,
    pull_request: Option<RequestRow>,
    /// What the planner wants to know.
    questions: Vec<String>,
    /// What is not done, in sentences.
    unfinished: Vec<String>,
    /// What roles found that do not stop the run, in sentences.
    advice: Vec<String>,
    /// Steps that were done now, and steps whose outcome was in the journal.
    steps_done: u64,
    steps_reused: u64,
}

/// The text of the pull request.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct RequestRow {
    title: String,
    body: String,
}

impl RunDocument {
    pub(super) fn without_plan(head: &Head, outcome: &str, questions: Vec<String>) -> Self {
        Self {
            schema: "maestro.agent-run/v1",
            run: head.run.clone(),
            outcome: outcome.to_owned(),
            base: head.base.clone(),
            commit: None,
            tree: None,
            board_sha256: String::new(),
            tasks: Vec::new(),
            spent_usd: Usd::ZERO.to_string(),
            files: Vec::new(),
            pull_request: None,
            questions,
            unfinished: Vec::new(),
            advice: Vec::new(),
            steps_done: 0,
            steps_reused: 0,
        }
    }

    pub(super) fn new(
        head: &Head,
        team: &Team<'_>,
        outcome: &Outcome,
        totals: &Totals,
        (steps_done, steps_reused): (u64, u64),
    ) -> Self {
        let rows = (0..).map(TaskNo).zip(&team.specs).map(|(no, spec)| {
            let let_through = team.shared().let_through.get(&no).cloned();
            let (state, why) = match outcome.state.phase(no) {
                Phase::Done if let_through.is_some() => ("failed", let_through),
                Phase::Done => ("done", None),
                Phase::Failed => (
                    "failed",
                    team.shared()
                        .failures
                        .get(&no)
                        .and_then(|all| all.last().cloned()),
                ),
                Phase::Skipped => ("skipped", Some("what it needs was not done".to_owned())),
                Phase::Waiting | Phase::Ready | Phase::Running | Phase::Stale => {
                    ("open", Some("the run was stopped before".to_owned()))
                }
            };
            let total = totals.of(no);
            DoneRow {
                id: spec.id.clone(),
                role: spec.role.clone(),
                title: spec.title.clone(),
                state,
                why,
                tries: total.tries,
                models: total.models.clone(),
                usd: total.usd.to_string(),
            }
        });
        let tasks: Vec<DoneRow> = rows.collect();
        let mut unfinished: Vec<String> = tasks
            .iter()
            .filter(|task| task.state != "done")
            .map(|task| {
                let why = task.why.as_deref().unwrap_or_default();
                let first = why.lines().next().unwrap_or_default();
                format!("{} ({}) is {}: {first}", task.id, task.role, task.state)
            })
            .collect();
        unfinished.extend(outcome.conflict.clone());
        let pull_request = team
            .shared()
            .board
            .newest()
            .find_map(|entry| match &entry.body {
                Body::Summary { title, body, .. } => Some(RequestRow {
                    title: title.clone(),
                    body: body.clone(),
                }),
                _ => None,
            });
        Self {
            schema: "maestro.agent-run/v1",
            run: head.run.clone(),
            outcome: outcome.last.outcome.clone(),
            base: head.base.clone(),
            commit: outcome.last.commit.clone(),
            tree: outcome.last.tree.clone(),
            board_sha256: outcome.last.board.clone(),
            tasks,
            spent_usd: totals.usd.to_string(),
            files: totals.files.clone(),
            pull_request,
            questions: Vec::new(),
            unfinished,
            advice: advice(team),
            steps_done,
            steps_reused,
        }
    }

    pub(super) fn outcome(&self) -> &str {
        &self.outcome
    }

    pub(super) fn changed(&self) -> u64 {
        self.files.len() as u64
    }

    pub(super) fn commit(&self) -> Option<&str> {
        self.commit.as_deref()
    }

    pub(super) fn tree(&self) -> Option<&str> {
        self.tree.as_deref()
    }

    pub(super) fn is_complete(&self) -> bool {
        self.outcome == "complete"
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = &DoneRow> {
        self.tasks.iter()
    }

    pub(super) fn unfinished(&self) -> &[String] {
        &self.unfinished
    }

    pub(super) fn advice(&self) -> &[String] {
        &self.advice
    }

    pub(super) fn spent(&self) -> Usd {
        self.spent_usd.parse().unwrap_or_default()
    }

    /// Returns title and text of the pull request.
    pub(super) fn request(&self) -> Option<(String, String)> {
        let request = self.pull_request.as_ref()?;
        Some((request.title.clone(), request.body.clone()))
    }

    /// Returns the verdict of the command.
    pub(super) fn verdict(&self) -> CommandResult {
        let kind = match self.outcome.as_str() {
            "complete" => return Ok(ExitCode::Success),
            "stopped-by-budget" => ErrorKind::Budget,
            _ => ErrorKind::AgentRun,
        };
        let first = self.unfinished.first().cloned().unwrap_or_default();
        let message = format!("the run is {}: {first}", self.outcome);
        let hint = match self.outcome.as_str() {
            "stopped" | "stopped-by-deadline" => {
                format!("go on with it: `maestro run-agents --resume {}`", self.run)
            }
            "stopped-by-budget" => format!(
                "with more money it goes on where it stopped: `maestro run-agents --resume {} --max-usd USD`",
                self.run
            ),
            _ => "what is done is kept; its branch can be published as a draft all the same"
                .to_owned(),
        };
        Err(CommandError::message(kind, message).hint(hint))
    }
}

impl Report for RunDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        Ok(serde_json::to_writer(out, self)?)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        page.heading(format!("Run {}: {}", self.run, self.outcome));
        for question in &self.questions {
            page.text(format!("question: {question}"));
        }
        if !self.tasks.is_empty() {
            let head = vec![
                Column::left("task"),
                Column::left("role"),
                Column::left("state"),
                Column::right("tries"),
                Column::right("cost"),
                Column::left("models"),
            ];
            let rows = self.tasks.iter().map(|task| {
                vec![
                    Cell::plain(task.id.clone()),
                    Cell::plain(task.role.clone()),
                    Cell::plain(task.state),
                    Cell::plain(task.tries.to_string()),
                    Cell::plain(dollars(&task.usd)),
                    Cell::plain(task.models.join(", ")),
                ]
            });
            page.table(head, rows.collect());
            page.text(format!("it cost {}", dollars(&self.spent_usd)));
        }
        for sentence in &self.unfinished {
            page.text(format!("not done: {sentence}"));
        }
        for sentence in &self.advice {
            page.text(format!("found: {sentence}"));
        }
        if let Some(request) = &self.pull_request {
            page.heading(request.title.clone());
            page.text(request.body.clone());
        }
        page
    }

    fn outputs(&self) -> Vec<(String, String)> {
        vec![
            ("run".to_owned(), self.run.clone()),
            ("outcome".to_owned(), self.outcome.clone()),
            ("commit".to_owned(), self.commit.clone().unwrap_or_default()),
            ("spent_usd".to_owned(), self.spent_usd.clone()),
        ]
    }
}
