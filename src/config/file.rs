//! The configuration file, version 1.

use std::collections::BTreeMap;

#[cfg(test)]
use schemars::JsonSchema;
use serde::Deserialize;

use super::extends::Extends;
use super::locks::Locked;

/// What `schema:` must say.
pub(crate) const CONFIG_SCHEMA: &str = "maestro.config/v1";

/// What is looked at before anything else, whatever the other keys are.
#[derive(Debug, Deserialize)]
pub(crate) struct Head {
    pub(crate) requires: Option<String>,
}

/// `.maestro/maestro.yaml`
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, schemars(title = "maestro.config/v1", inline))]
pub(crate) struct ConfigFile {
    /// The version of this file: `maestro.config/v1`.
    pub(crate) schema: String,
    /// Which versions of maestro may read it, as a Cargo version requirement, for example ">=0.1, <0.2".
    #[serde(default)]
    pub(crate) requires: Option<String>,
    /// An organisation's configuration below this one, at a commit: `acme/ci-policy//base.yaml@` and the 40 digits of a commit. Without a repository before
    /// `//` it is a file of this one.
    #[serde(default)]
    pub(crate) extends: Option<Extends>,
    /// What a configuration that extends this one may tighten and never loosen: `all`, or keys as `flakes.review_by`.
    #[serde(default)]
    pub(crate) locked: Locked,
    /// What may block or skip; what is not named here runs, and only says what it would have done.
    #[serde(default)]
    pub(crate) enforce: Vec<EnforceWord>,
    /// What `gate` does when no plan can be made: `run-all` (everything has to have run), unless set, or `fail`.
    #[serde(default)]
    pub(crate) on_internal_error: Option<InternalErrorWord>,
    /// When `gate --comment` writes the one comment of a pull request: `never`, `when-actionable`, unless set, or `always`.
    #[serde(default)]
    pub(crate) comment: Option<CommentWord>,
    /// Who may let something pass; nobody unless set.
    #[serde(default)]
    pub(crate) overrides: OverridesFile,
    /// The jobs of your CI, by name.
    #[serde(default)]
    pub(crate) jobs: BTreeMap<String, JobFile>,
    /// Parts of the repository that no manifest describes, by name.
    #[serde(default)]
    pub(crate) components: BTreeMap<String, ComponentFile>,
    /// Globs of files whose change runs every job, beside CI's and the toolchains' own.
    #[serde(default)]
    pub(crate) run_all_on: Vec<String>,
    /// Globs of files that affect no project. Jobs whose `paths` name them still run, and so does what reads them.
    #[serde(default)]
    pub(crate) ignore: Vec<String>,
    /// What becomes of flaky tests.
    #[serde(default)]
    pub(crate) flakes: FlakesFile,
    /// The team of `run-agents`, and whose changes are those of agents.
    #[serde(default)]
    pub(crate) agents: super::agents::AgentsFile,
    /// What stands for a deployment, and how `dora` counts.
    #[serde(default)]
    pub(crate) delivery: super::delivery::DeliveryFile,
    /// Which models are asked, and what they cost.
    #[serde(default)]
    pub(crate) models: ModelsFile,
    /// How a pull request's health is judged.
    #[serde(default)]
    pub(crate) health: HealthFile,
    /// What the team wants its indicators to be.
    #[serde(default)]
    pub(crate) kpi: super::kpi::KpiFile,
    /// Who is told when something happens that somebody should know.
    #[serde(default)]
    pub(crate) notify: Vec<super::notify::NotifyFile>,
    /// How results are shown.
    #[serde(default)]
    pub(crate) output: OutputFile,
    /// How state is kept.
    #[serde(default)]
    pub(crate) state: StateFile,
}

/// Who may let something pass, by `/maestro override RULE REASON` or a label `maestro-override:RULE`.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct OverridesFile {
    /// Accounts.
    #[serde(default)]
    pub(crate) users: Vec<String>,
    /// Teams, as `organisation/team`; the token must be allowed to read their members.
    #[serde(default)]
    pub(crate) teams: Vec<String>,
    /// For how long one counts, in days or weeks as `7d` or `2w`; `7d` unless set.
    #[serde(default)]
    pub(crate) expires: Option<String>,
}

/// One job of your CI.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct JobFile {
    /// The projects that it is about: an ecosystem (`cargo`, `npm`, `python`, `go`, `docker`, `component`), an id as `cargo:crates/a`,
    /// a glob of folders as `npm:packages/*`, or a list of them. A job without projects and paths always runs.
    #[serde(default)]
    pub(crate) projects: Option<OneOrMany>,
    /// Globs of files whose change runs it, whatever project they belong to.
    #[serde(default)]
    pub(crate) paths: Vec<String>,
    /// The command that it runs.
    #[serde(default)]
    pub(crate) run: Option<String>,
    /// Where the job leaves its test reports: a path or glob, relative to the repository's top.
    #[serde(default)]
    pub(crate) junit: Option<String>,
    /// The runner: a label or a list of labels; `{axis}` stands for an axis's value.
    #[serde(default)]
    pub(crate) runs_on: Option<serde_json::Value>,
    /// Axes of its matrix, each with its values: every combination is a run.
    #[serde(default)]
    pub(crate) axes: BTreeMap<String, Vec<serde_json::Value>>,
    /// Combinations of axes to leave out.
    #[serde(default)]
    pub(crate) exclude: Vec<BTreeMap<String, serde_json::Value>>,
    /// Containers beside it, as `services:` of a workflow's job; handed on in the matrix.
    #[serde(default)]
    pub(crate) services: Option<serde_json::Value>,
    /// When it may run at all; always unless set.
    #[serde(default)]
    pub(crate) when: WhenFile,
    /// Into how many parts its tests are split; `auto` for as many as pay.
    #[serde(default)]
    pub(crate) shards: Option<ShardsFile>,
    /// `project`: one run for each of its affected projects instead of one for all of them.
    #[serde(default)]
    pub(crate) per: Option<PerWord>,
    /// After so many minutes it is stopped.
    #[serde(default)]
    pub(crate) timeout_minutes: Option<u32>,
}

/// A text, or several.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(untagged, expecting = "expected a text or a list of texts")]
pub(crate) enum OneOrMany {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl OneOrMany {
    pub(crate) fn texts(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

/// Into how many parts a job's tests are split.
#[derive(Debug, Clone, Copy, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(untagged, expecting = "expected a number of shards, or `auto`")]
pub(crate) enum ShardsFile {
    /// So many.
    Count(u32),
    /// As many as pay.
    Auto(AutoWord),
}

/// When a job may run.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct WhenFile {
    /// Events as GitHub calls them, for example `pull_request`; all unless set.
    #[serde(default)]
    pub(crate) events: Vec<String>,
    /// Globs of branches: the one that is pushed to, or that a pull request wants to change; all unless set.
    #[serde(default)]
    pub(crate) branches: Vec<String>,
    /// Labels of the pull request, of which one is enough; on other events they do not count.
    #[serde(default)]
    pub(crate) labels: Vec<String>,
}

/// A part of the repository that no manifest describes.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct ComponentFile {
    /// Globs of its files; a later one that begins with `!` takes out again.
    pub(crate) paths: Vec<String>,
    /// What it depends on: components by name, projects by id as `cargo:crates/a`.
    #[serde(default)]
    pub(crate) depends_on: Vec<String>,
}

/// What becomes of flaky tests.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct FlakesFile {
    /// What quarantine means for a test that comes in: `gate` (it runs, and does not fail the job), unless set, or `skip` (it does not run).
    #[serde(default)]
    pub(crate) quarantine: Option<QuarantineWord>,
    /// For how long a test that comes in is forgiven, in days or weeks as `14d` or `2w`; `14d` unless set.
    #[serde(default)]
    pub(crate) review_by: Option<String>,
    /// How many tests of one owner `quarantine add --auto` takes in at most, those that are there included: a number, or a share of the owner's tests
    /// as `2%`, which is never less than 5 tests; `2%` unless set.
    #[serde(default)]
    pub(crate) most_per_owner: Option<CapFile>,
    /// Globs of tests that are never forgiven, over files, suites and names: `tests/security/**`.
    #[serde(default)]
    pub(crate) never: Vec<String>,
}

/// How many tests of one owner.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(untagged, expecting = "expected a number of tests, or a share as `2%`")]
pub(crate) enum CapFile {
    /// So many.
    Count(u32),
    /// A share of the owner's tests.
    Share(String),
}

/// Which models are asked, and what they cost.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct ModelsFile {
    /// Models by how strong they are.
    #[serde(default)]
    pub(crate) tiers: TiersFile,
    /// A table of prices for commands that only tell, from the repository's top; the built-in one unless set.
    #[serde(default)]
    pub(crate) prices: Option<String>,
}

/// Models by how strong they are.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct TiersFile {
    /// For what is easy; `claude-haiku-4-5` of `anthropic` unless set.
    #[serde(default)]
    pub(crate) small: Option<TierFile>,
    /// For what is not; `claude-sonnet-5` of `anthropic`, from a score of 58, unless set.
    #[serde(default)]
    pub(crate) medium: Option<TierFile>,
    /// For what is hard; `claude-opus-5` of `anthropic`, from a score of 80, unless set.
    #[serde(default)]
    pub(crate) large: Option<TierFile>,
}

/// A model, and which prompts are for it.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct TierFile {
    /// Who runs it, as the table of prices names it; `anthropic` unless set.
    #[serde(default)]
    pub(crate) provider: Option<String>,
    /// The model.
    #[serde(default)]
    pub(crate) model: Option<String>,
    /// Prompts with this score, or a higher one, are for it, unless a stronger model takes them; not for `small`, which takes the rest.
    #[serde(default)]
    pub(crate) from: Option<f64>,
}

/// How a pull request's health is judged; it counts as the branch has it that the pull request goes to.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct HealthFile {
    /// How much each factor counts, by its name: 0 for not at all.
    #[serde(default)]
    pub(crate) weights: BTreeMap<String, u32>,
}

/// How results are shown.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct OutputFile {
    /// How results are written to standard output.
    #[serde(default)]
    pub(crate) format: Option<FormatWord>,
    /// When to colour.
    #[serde(default)]
    pub(crate) color: Option<ColorWord>,
    /// How messages on standard error look.
    #[serde(default)]
    pub(crate) log_format: Option<LogWord>,
}

/// Words of the file; a wrong one is shown with its place.
macro_rules! words {
    ($($name:ident { $($variant:ident = $word:literal),+ })+) => {
        $(
            #[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
            #[cfg_attr(test, derive(JsonSchema))]
            pub(crate) enum $name {
                $(#[serde(rename = $word)] $variant,)+
            }

            impl From<$name> for String {
                fn from(word: $name) -> Self {
                    match word { $($name::$variant => $word.to_owned(),)+ }
                }
            }
        )+
    };
}

words! {
    FormatWord { Human = "human", Json = "json", Ndjson = "ndjson", Markdown = "markdown", Github = "github", Sarif = "sarif", Junit = "junit" }
    ColorWord { Auto = "auto", Always = "always", Never = "never" }
    LogWord { Human = "human", Json = "json" }
    InternalErrorWord { RunAll = "run-all", Fail = "fail" }
    CommentWord { Never = "never", WhenActionable = "when-actionable", Always = "always" }
    EnforceWord { Plan = "plan", Flakes = "flakes", Policy = "policy", Budget = "budget" }
    QuarantineWord { Gate = "gate", Skip = "skip" }
    PerWord { Project = "project" }
    AutoWord { Auto = "auto" }
}

/// How state is kept.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct StateFile {
    /// Whether secrets are taken out of test messages before they are written; `true` unless set.
    #[serde(default)]
    pub(crate) redact: Option<bool>,
    /// The git remote that the state is shared through; `origin` unless set.
    #[serde(default)]
    pub(crate) remote: Option<String>,
    /// The branch that holds the folded state; `maestro-state` unless set. A small repository may name its default branch.
    #[serde(default)]
    pub(crate) branch: Option<String>,
}
