//! What a run of agents leaves behind for the job that may write: `bundle.json`, and the files beside it.
//!
//! The job that publishes holds a token; the one that wrote this ran what models asked for. So all of it is read as hostile data: bounded, every name
//! checked, every file by its digest, one ref and one prerequisite in the pack (gitformat-bundle(5)). Whoever could change one file could change all, so that
//! digests show accidents; what a change may do is judged anew from its objects.

use std::collections::BTreeMap;

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::money::Usd;
use crate::provenance::strict;
use crate::sha::Sha;

pub(crate) const SCHEMA: &str = "maestro.agent-bundle/v1";

/// The files of a bundle.
pub(crate) const INDEX: &str = "bundle.json";
pub(crate) const PACK: &str = "change.bundle";
pub(crate) const BOARD: &str = "blackboard.json";

/// The one ref of its pack.
pub(crate) const REF: &str = "refs/maestro/run";

/// No index is larger.
pub(crate) const LARGEST_INDEX: u64 = 2 * 1024 * 1024;

/// No file beside it is larger.
pub(crate) const LARGEST_FILE: u64 = 64 * 1024 * 1024;

/// There are no more files, tasks or sentences.
const MOST: usize = 500;

/// No title, name or sentence is longer, in bytes.
const LONGEST: usize = 1000;

/// GitHub takes no longer text.
const LONGEST_TEXT: usize = 4 * 65_536;

/// What a run of agents leaves behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.agent-bundle/v1"))]
pub(crate) struct Bundle {
    /// `maestro.agent-bundle/v1`
    pub(crate) schema: String,
    /// The run's id: letters, digits, `-`, `_` and `.`.
    pub(crate) run: String,
    pub(crate) outcome: RunOutcome,
    pub(crate) issue: BundleIssue,
    pub(crate) base: BundleBase,
    pub(crate) head: BundleHead,
    /// In the order of the plan.
    #[serde(default)]
    pub(crate) tasks: Vec<BundleTask>,
    /// US dollars that models cost.
    #[cfg_attr(test, schemars(with = "String"))]
    pub(crate) spent_usd: Usd,
    /// US dollars that they could have cost at most.
    #[cfg_attr(test, schemars(with = "String"))]
    pub(crate) cap_usd: Usd,
    /// Nothing where no test ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tests: Option<BundleTests>,
    pub(crate) pull_request: BundleText,
    /// The change record, from the top of the repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) change_record: Option<String>,
    /// What is not done, in sentences.
    #[serde(default)]
    pub(crate) unfinished: Vec<String>,
    /// The SHA-256 of each file beside this one, by name.
    pub(crate) files: BTreeMap<String, String>,
}

/// Whether all of it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum RunOutcome {
    /// Every task is done.
    Complete,
    /// Some are not.
    Partial,
}

impl RunOutcome {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Partial => "partial",
        }
    }
}

/// The issue that it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct BundleIssue {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) number: Option<u64>,
    pub(crate) title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
    /// The account that wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) author: Option<String>,
    /// How that account stands to the repository, in GitHub's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) association: Option<String>,
}

/// What the change stands on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct BundleBase {
    /// Full id.
    pub(crate) commit: String,
    /// The branch that the change is for.
    pub(crate) branch: String,
}

/// The change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct BundleHead {
    /// Full id.
    pub(crate) commit: String,
    /// Full id of its tree.
    pub(crate) tree: String,
}

/// A task of the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct BundleTask {
    pub(crate) id: String,
    pub(crate) role: String,
    pub(crate) title: String,
    pub(crate) state: TaskState,
    /// Why it is not done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) why: Option<String>,
    pub(crate) attempts: u32,
    /// Models that were asked.
    #[serde(default)]
    pub(crate) models: Vec<String>,
    /// US dollars.
    #[cfg_attr(test, schemars(with = "String"))]
    pub(crate) cost_usd: Usd,
}

/// What became of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum TaskState {
    Done,
    Failed,
    /// A task that it needs failed.
    Skipped,
}

impl TaskState {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// Tests that ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct BundleTests {
    pub(crate) ran: u64,
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    /// Names of those that failed and are in quarantine.
    #[serde(default)]
    pub(crate) excused: Vec<String>,
}

/// What the pull request says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct BundleText {
    pub(crate) title: String,
    /// Markdown, as a model wrote it.
    pub(crate) body: String,
}

/// Why something is no bundle.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoBundle {
    #[error("{INDEX}: {0}")]
    Json(#[from] strict::NotStrict),
    #[error("{INDEX}: {0}")]
    Shape(String),
    #[error("{INDEX}: its schema is `{0}`, and this version reads `{SCHEMA}`")]
    Schema(String),
    #[error("{INDEX}: {place}: {what}")]
    Odd { place: String, what: &'static str },
    #[error("{name}: {what}")]
    File { name: String, what: &'static str },
    #[error("{PACK}: {0}")]
    Pack(&'static str),
}

fn odd(place: &str, what: &'static str) -> NoBundle {
    NoBundle::Odd {
        place: place.to_owned(),
        what,
    }
}

/// Returns the digest of a file, as `files` has it.
pub(crate) fn digest(bytes: &[u8]) -> String {
    Sha::of(bytes).to_string()
}

impl Bundle {
    /// Reads an index, and checks everything that it says.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, NoBundle> {
        if bytes.len() as u64 > LARGEST_INDEX {
            return Err(NoBundle::File {
                name: INDEX.to_owned(),
                what: "it is larger than any index",
            });
        }
        let value = strict::read(bytes)?;
        let schema = value.get("schema").and_then(serde_json::Value::as_str);
        if schema != Some(SCHEMA) {
            let shown: String = schema.unwrap_or("none").chars().take(60).collect();
            return Err(NoBundle::Schema(shown));
        }
        let bundle: Self =
            serde_json::from_value(value).map_err(|error| NoBundle::Shape(error.to_string()))?;
        bundle.check()?;
        Ok(bundle)
    }

    /// Returns the index as it is written.
    pub(crate) fn write(&self) -> Result<Vec<u8>, NoBundle> {
        self.check()?;
        let mut text =
            crate::json::pretty_bytes(self).map_err(|error| NoBundle::Shape(error.to_string()))?;
        text.push(b'\n');
        Ok(text)
    }

    fn check(&self) -> Result<(), NoBundle> {
        if !is_run(&self.run) {
            return Err(odd("run", "it is no id of a run"));
        }
        for (place, id) in [
            ("base.commit", &self.base.commit),
            ("head.commit", &self.head.commit),
            ("head.tree", &self.head.tree),
        ] {
            if !is_object(id) {
                return Err(odd(place, "it is no object id"));
            }
        }
        if !is_branch(&self.base.branch) {
            return Err(odd("base.branch", "it is no name of a branch"));
        }
        if self.tasks.len() > MOST || self.unfinished.len() > MOST || self.files.len() > MOST {
            return Err(odd("", "there is more than any run has"));
        }
        self.check_texts()?;
        for (name, digest) in &self.files {
            if !is_file(name) {
                return Err(odd("files", "it names a file that no bundle has"));
            }
            if Sha::parse(digest).is_none() {
                return Err(odd("files", "it has a digest that is none"));
            }
        }
        for name in [PACK, BOARD] {
            if !self.files.contains_key(name) {
                return Err(odd(
                    "files",
                    "it does not name the change or the blackboard",
                ));
            }
        }
        if let Some(path) = &self.change_record {
            let name = path.strip_prefix(".maestro/changes/");
            if !name.is_some_and(|name| is_plain(name, 120)) {
                return Err(odd("change_record", "it is no path of a change record"));
            }
        }
        let tests = self.tests.as_ref();
        if tests.is_some_and(|tests| {
            tests
                .passed
                .checked_add(tests.failed)
                .is_none_or(|sum| sum > tests.ran)
        }) {
            return Err(odd("tests", "more ended than ran"));
        }
        Ok(())
    }

    fn check_texts(&self) -> Result<(), NoBundle> {
        let short = |place: &str, text: &str| {
            if text.len() > LONGEST {
                return Err(odd(place, "it is too long"));
            }
            Ok(())
        };
        short("issue.title", &self.issue.title)?;
        short("pull_request.title", &self.pull_request.title)?;
        if self.pull_request.title.trim().is_empty() {
            return Err(odd("pull_request.title", "it says nothing"));
        }
        if self.pull_request.body.len() > LONGEST_TEXT {
            return Err(odd("pull_request.body", "it is too long"));
        }
        let issue = [
            ("issue.url", &self.issue.url),
            ("issue.author", &self.issue.author),
            ("issue.association", &self.issue.association),
        ];
        for (place, text) in issue {
            short(place, text.as_deref().unwrap_or_default())?;
        }
        for sentence in &self.unfinished {
            short("unfinished", sentence)?;
        }
        let mut ids = std::collections::BTreeSet::new();
        for task in &self.tasks {
            if !is_plain(&task.id, 64) || !is_plain(&task.role, 64) {
                return Err(odd("tasks", "an id or role is no name"));
            }
            if !ids.insert(&task.id) {
                return Err(odd("tasks", "two have one id"));
            }
            short("tasks.title", &task.title)?;
            short("tasks.why", task.why.as_deref().unwrap_or_default())?;
            if task.models.len() > MOST {
                return Err(odd("tasks.models", "there are too many"));
            }
            for model in &task.models {
                short("tasks.models", model)?;
            }
        }
        let excused = self.tests.iter().flat_map(|tests| &tests.excused);
        for (at, name) in excused.enumerate() {
            short("tests.excused", name)?;
            if at >= MOST {
                return Err(odd("tests.excused", "there are too many"));
            }
        }
        Ok(())
    }

    /// Checks a file beside the index.
    pub(crate) fn check_file(&self, name: &str, bytes: &[u8]) -> Result<(), NoBundle> {
        let file = |what| NoBundle::File {
            name: name.to_owned(),
            what,
        };
        let wanted = self
            .files
            .get(name)
            .ok_or_else(|| file("the index does not name it"))?;
        if &digest(bytes) != wanted {
            return Err(file("it is not the file whose digest the index has"));
        }
        Ok(())
    }

    /// Returns the pack of the change, whose head says what the index says.
    pub(crate) fn pack<'b>(&self, bytes: &'b [u8]) -> Result<&'b [u8], NoBundle> {
        let (head, pack) = Header::read(bytes)?;
        if head.prerequisites != [self.base.commit.as_str()] {
            return Err(NoBundle::Pack("it does not stand on the base commit alone"));
        }
        if head.refs != [(self.head.commit.as_str(), REF)] {
            return Err(NoBundle::Pack(
                "it has other refs than the run's, or another commit",
            ));
        }
        Ok(pack)
    }
}

/// The text that a pack of git begins with (gitformat-bundle(5)).
struct Header<'b> {
    prerequisites: Vec<&'b str>,
    refs: Vec<(&'b str, &'b str)>,
}

impl<'b> Header<'b> {
    fn read(bytes: &'b [u8]) -> Result<(Self, &'b [u8]), NoBundle> {
        let mut header = Self {
            prerequisites: Vec::new(),
            refs: Vec::new(),
        };
        let mut at = 0;
        for number in 0..64 {
            let rest = bytes.get(at..).unwrap_or_default();
            let rest = rest.get(..rest.len().min(4096)).unwrap_or_default();
            let end = memchr::memchr(b'\n', rest).ok_or(NoBundle::Pack("its head does not end"))?;
            let line = rest.get(..end).unwrap_or_default();
            at += end + 1;
            let line =
                std::str::from_utf8(line).map_err(|_| NoBundle::Pack("its head is no text"))?;
            if number == 0 {
                if !matches!(line, "# v2 git bundle" | "# v3 git bundle") {
                    return Err(NoBundle::Pack("it is no bundle of git, version 2 or 3"));
                }
                continue;
            }
            if line.is_empty() {
                let pack = bytes.get(at..).unwrap_or_default();
                if !pack.starts_with(b"PACK") {
                    return Err(NoBundle::Pack("it has no pack"));
                }
                return Ok((header, pack));
            }
            if let Some(capability) = line.strip_prefix('@') {
                // A filter would leave objects out.
                if !matches!(capability, "object-format=sha1" | "object-format=sha256") {
                    return Err(NoBundle::Pack(
                        "it asks for what no bundle of maestro needs",
                    ));
                }
                continue;
            }
            if let Some(rest) = line.strip_prefix('-') {
                header
                    .prerequisites
                    .push(rest.split(' ').next().unwrap_or_default());
                continue;
            }
            let pair = line.split_once(' ');
            header
                .refs
                .push(pair.ok_or(NoBundle::Pack("a line of its head names no ref"))?);
        }
        Err(NoBundle::Pack("its head is longer than any"))
    }
}

fn is_object(text: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    matches!(text.len(), 40 | 64)
        && text.bytes().all(is_digit)
        && text.bytes().any(|byte| byte != b'0')
}

/// Whether a text is the id of a run.
fn is_run(text: &str) -> bool {
    is_plain(text, 100)
}

fn is_plain(text: &str, most: usize) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !text.is_empty()
        && text.len() <= most
        && text.bytes().all(is_plain)
        && !text.starts_with(['.', '-'])
        && !text.contains("..")
}

/// Whether a text may be the name of a branch (git-check-ref-format(1)), and one that is no option and no ref's full name.
pub(crate) fn is_branch(text: &str) -> bool {
    let is_odd = |c: char| c.is_control() || " ~^:?*[\\".contains(c) || crate::inert::is_unseen(c);
    let parts_are_fine = text.split('/').all(|part| {
        let ends = std::path::Path::new(part)
            .extension()
            .is_some_and(|end| end == "lock");
        !part.is_empty() && !part.starts_with('.') && !part.ends_with('.') && !ends
    });
    !text.is_empty()
        && text.len() <= 200
        && !text.contains(is_odd)
        && !text.contains("..")
        && !text.contains("@{")
        && text != "@"
        && !text.starts_with(['-'])
        && !text.starts_with("refs/")
        && parts_are_fine
}

/// Whether a bundle may have a file of that name.
fn is_file(name: &str) -> bool {
    let is_proof = name.strip_prefix("provenance/").is_some_and(|name| {
        name.strip_suffix(".json")
            .is_some_and(|stem| is_plain(stem, 120))
    });
    is_proof || [PACK, BOARD].contains(&name)
}

#[cfg(test)]
pub(crate) mod tests;
