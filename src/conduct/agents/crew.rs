//! What a team works with: who answers, who judges, who runs commands. Traits, so that tests and recordings can stand in for them.

use serde_json::{Value, json};

use super::steps::Abandon;
use crate::agents::answers;
use crate::agents::graph::TaskSpec;
use crate::llm::reply::{Answer, Part};
use crate::llm::request::{Message, Tool};
use crate::llm::router::Tier;
use crate::money::Usd;
use crate::sha::Sha;

/// What a model is asked.
pub(crate) struct Wish<'w> {
    pub(crate) task: &'w str,
    pub(crate) role: &'w str,
    pub(crate) tier: Tier,
    pub(crate) system: Option<&'w str>,
    /// What is added to it, the run's mark: no part of what decides the answer.
    pub(crate) mark: &'w str,
    pub(crate) messages: &'w [Message],
    pub(crate) tools: &'w [Tool],
    /// What the answer must look like, where no tools are given.
    pub(crate) schema: Option<&'w Value>,
    pub(crate) max_tokens: u64,
}

impl Wish<'_> {
    /// Returns the digest of all that decides the answer; `model` is who is asked.
    pub(crate) fn digest(&self, model: &str) -> Sha {
        let messages = self.messages.iter().map(|message| {
            let parts = message.parts.iter().map(|part| match part {
                Part::Text(text) => json!(["text", text]),
                Part::Call(call) => json!(["call", call.id, call.name, call.arguments]),
                Part::Result(result) => json!(["result", format!("{result:?}")]),
                Part::Opaque(value) => json!(["opaque", value]),
            });
            json!([message.is_from_model, parts.collect::<Vec<_>>()])
        });
        let tools = self.tools.iter().map(|tool| (&tool.name, &tool.parameters));
        let whole = json!([
            model,
            self.system,
            messages.collect::<Vec<_>>(),
            tools.collect::<Vec<_>>(),
            self.schema,
            self.max_tokens,
        ]);
        Sha::of(whole.to_string().as_bytes())
    }
}

/// What a model answered.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    pub(crate) answer: Answer,
    /// As the provider names it.
    pub(crate) model: String,
    pub(crate) usd: Usd,
}

/// Why it did not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Silent {
    /// There is no money for it.
    Money(String),
    /// Nobody will answer this, however often it is asked.
    Refused(String),
    /// It may be answered another time.
    Broken(String, Usd),
}

/// Asks models, and pays them.
pub(crate) trait Oracle: Sync {
    fn ask(&self, wish: &Wish<'_>) -> Result<Result<Heard, Silent>, Abandon>;
}

/// Returns what came of asking, for the journal.
pub(super) fn keep(heard: &Result<Heard, Silent>) -> Value {
    match heard {
        Ok(heard) => json!({
            "answer": answers::keep(&heard.answer),
            "model": heard.model,
            "usd": heard.usd,
        }),
        Err(Silent::Money(why)) => json!({"money": why}),
        Err(Silent::Refused(why)) => json!({"refused": why}),
        Err(Silent::Broken(why, usd)) => json!({"broken": why, "usd": usd}),
    }
}

/// Returns what came of asking, from the journal.
pub(super) fn kept(value: &Value) -> Option<Result<Heard, Silent>> {
    let text = |name: &str| value[name].as_str().map(str::to_owned);
    let usd = || {
        text("usd")
            .and_then(|usd| usd.parse().ok())
            .unwrap_or(Usd::ZERO)
    };
    if let Some(why) = text("money") {
        return Some(Err(Silent::Money(why)));
    }
    if let Some(why) = text("refused") {
        return Some(Err(Silent::Refused(why)));
    }
    if let Some(why) = text("broken") {
        return Some(Err(Silent::Broken(why, usd())));
    }
    Some(Ok(Heard {
        answer: answers::kept(&value["answer"])?,
        model: text("model")?,
        usd: usd(),
    }))
}

/// A judgement of the policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Judged {
    Passes,
    /// What stands against it, for people and for whoever tries again.
    Blocked(String),
}

/// The policy's guard.
pub(crate) trait Guard: Sync {
    /// Says which canary stands in a text that leaves the run, if one does.
    fn leak(&self, text: &str) -> Option<String>;
    /// Judges what a task means to do.
    fn before(&self, task: &TaskSpec) -> Result<Judged, Abandon>;
    /// Judges what lies between two trees; `scope` are globs of what may be touched.
    fn after(
        &self,
        task: &TaskSpec,
        scope: &[String],
        trees: (&str, &str),
    ) -> Result<Judged, Abandon>;
}

/// A command that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ran {
    /// None when a signal or a limit ended it.
    pub(crate) code: Option<i32>,
    /// Why it was ended, if it was.
    pub(crate) ended: Option<String>,
    /// What it said, secrets taken out; the middle of what is too long is left out.
    pub(crate) output: String,
}

impl Ran {
    pub(crate) fn is_fine(&self) -> bool {
        self.code == Some(0)
    }
}

/// What is run.
pub(crate) struct Command<'c> {
    pub(crate) task: &'c str,
    pub(crate) words: &'c [String],
    pub(crate) folder: &'c std::path::Path,
    /// Set beside what every command has.
    pub(crate) variables: &'c [(String, String)],
}

/// Runs commands, confined.
pub(crate) trait Runner: Sync {
    fn run(&self, command: &Command<'_>) -> Result<Ran, Abandon>;
}

/// Tests that a change may affect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TestRun {
    pub(crate) ran: u64,
    pub(crate) passed: u64,
    pub(crate) failed: Vec<String>,
    pub(crate) excused: Vec<String>,
    pub(crate) commands: Vec<String>,
    /// What failed said.
    pub(crate) output: String,
}

/// Tests in reports: all, the failed, and the failed but forgiven.
pub(crate) type Reported = (u64, Vec<String>, Vec<String>);

/// Reads what commands left behind, and knows which are wanted.
pub(crate) trait Tests: Sync {
    /// Returns the commands that run what the change between two commits affects, each with the glob of its reports.
    fn planned(&self, trees: (&str, &str)) -> Result<Vec<(String, Option<String>)>, Abandon>;
    /// Reads reports that a command left in a work tree, and returns tests: all, failed, and failed but forgiven.
    fn reports(&self, folder: &std::path::Path, glob: &str) -> Result<Option<Reported>, Abandon>;
}

/// What somebody else's program is to do.
pub(crate) struct Errand<'e> {
    pub(crate) task: &'e str,
    pub(crate) role: &'e str,
    pub(crate) tier: Tier,
    pub(crate) folder: &'e std::path::Path,
    pub(crate) prompt: &'e str,
}

/// What came of it, beside what it changed.
#[derive(Debug, Clone)]
pub(crate) struct Came {
    pub(crate) ran: Ran,
    /// What went through the gateway.
    pub(crate) usd: Usd,
    pub(crate) models: Vec<String>,
    /// Whether a cap refused a call.
    pub(crate) is_out_of_money: bool,
    /// Whether it was the cap of its own task.
    pub(crate) is_at_task_cap: bool,
    /// What it left as its answer.
    pub(crate) answer: Option<String>,
}

/// Runs somebody else's program behind the gateway, confined.
pub(crate) trait Agent: Sync {
    fn work(&self, errand: &Errand<'_>) -> Result<Came, Abandon>;
}
