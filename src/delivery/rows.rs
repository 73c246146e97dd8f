//! What happened to a repository's changes: one kind of row each, as they are stored and as sources hand them out.
//!
//! A row is the payload of a `delivery_row` event. It holds no login: who wrote a change is a kind and, where a key is set, a keyed hash.
//! Unknown fields are passed over, and what is missing is none.

use jiff::Timestamp;
use serde_json::{Map, Value};

/// Who wrote a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) enum Author {
    #[default]
    Human,
    /// A program that does what it is told, as one that raises versions.
    Bot,
    /// A program that writes code.
    Agent,
}

impl Author {
    pub(crate) const ALL: [Self; 3] = [Self::Human, Self::Bot, Self::Agent];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Bot => "bot",
            Self::Agent => "agent",
        }
    }

    fn parse(word: &str) -> Self {
        let found = Self::ALL.into_iter().find(|kind| kind.word() == word);
        found.unwrap_or_default()
    }
}

/// A pull request, or what git shows of one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Pull {
    /// Zero where git alone tells of it and names none.
    pub(crate) number: u64,
    pub(crate) url: String,
    /// `open`, `merged` or `closed`.
    pub(crate) state: String,
    pub(crate) draft: bool,
    pub(crate) created: Timestamp,
    /// When it was last marked as ready for review.
    pub(crate) ready: Option<Timestamp>,
    /// The earliest author date over its commits.
    pub(crate) first_commit: Option<Timestamp>,
    pub(crate) merged: Option<Timestamp>,
    pub(crate) closed: Option<Timestamp>,
    pub(crate) merge_sha: String,
    pub(crate) head_sha: String,
    pub(crate) base: String,
    pub(crate) author_kind: Author,
    pub(crate) author_hash: String,
    pub(crate) labels: Vec<String>,
    pub(crate) additions: u64,
    pub(crate) deletions: u64,
    pub(crate) files: u64,
    pub(crate) commits: u64,
    pub(crate) first_review: Option<Timestamp>,
    pub(crate) approved: Option<Timestamp>,
    /// Numbers, as `#12`, and full ids of what it takes back.
    pub(crate) reverts: Vec<String>,
    /// Whether its branch or a label says that it mends what is in production.
    pub(crate) hotfix: bool,
    /// Folders at the top of the repository that it changes.
    pub(crate) paths: Vec<String>,
    /// How git shows it, where no forge was asked: `merge`, `squash` or `rebase`.
    pub(crate) form: String,
}

/// A deployment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Deployment {
    pub(crate) id: u64,
    pub(crate) url: String,
    pub(crate) sha: String,
    pub(crate) environment: String,
    pub(crate) production: bool,
    pub(crate) created: Timestamp,
    /// Its last status, as GitHub calls it.
    pub(crate) status: String,
    pub(crate) first_success: Option<Timestamp>,
    /// The first `failure` or `error`, before or after a success.
    pub(crate) failed_at: Option<Timestamp>,
}

/// One attempt of a workflow's run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Run {
    pub(crate) id: u64,
    pub(crate) attempt: u64,
    pub(crate) url: String,
    pub(crate) workflow: String,
    pub(crate) event: String,
    pub(crate) branch: String,
    pub(crate) sha: String,
    pub(crate) created: Timestamp,
    pub(crate) started: Option<Timestamp>,
    pub(crate) updated: Timestamp,
    pub(crate) conclusion: String,
}

/// A release.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Release {
    pub(crate) id: u64,
    pub(crate) url: String,
    pub(crate) tag: String,
    pub(crate) sha: String,
    pub(crate) published: Option<Timestamp>,
    pub(crate) prerelease: bool,
    pub(crate) draft: bool,
}

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Tag {
    pub(crate) name: String,
    pub(crate) sha: String,
    pub(crate) at: Timestamp,
}

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
#[expect(
    clippy::struct_field_names,
    reason = "git calls the committer's time so"
)]
pub(crate) struct Commit {
    pub(crate) sha: String,
    pub(crate) author_date: Timestamp,
    pub(crate) commit_date: Timestamp,
    pub(crate) parents: Vec<String>,
}

/// Something that went wrong in production.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Incident {
    pub(crate) id: u64,
    pub(crate) url: String,
    pub(crate) opened: Timestamp,
    pub(crate) closed: Option<Timestamp>,
    /// The deployment that it names.
    pub(crate) deployment: Option<u64>,
    /// The commit that it names.
    pub(crate) sha: String,
}

/// A row of any kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Row {
    Pull(Box<Pull>),
    Deployment(Deployment),
    Run(Run),
    Release(Release),
    Tag(Tag),
    Commit(Commit),
    Incident(Incident),
}

/// What a row is known by: its kind and id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) kind: &'static str,
    pub(crate) id: String,
}

impl Pull {
    pub(crate) fn key(&self) -> Key {
        let id = match self.number {
            0 => self.merge_sha.clone(),
            number => number.to_string(),
        };
        Key { kind: "pull", id }
    }
}

impl Row {
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Pull(_) => "pull",
            Self::Deployment(_) => "deployment",
            Self::Run(_) => "run",
            Self::Release(_) => "release",
            Self::Tag(_) => "tag",
            Self::Commit(_) => "commit",
            Self::Incident(_) => "incident",
        }
    }

    pub(crate) fn key(&self) -> Key {
        let id = match self {
            Self::Pull(row) => return row.key(),
            Self::Deployment(row) => row.id.to_string(),
            Self::Run(row) => format!("{}.{}", row.id, row.attempt),
            Self::Release(row) => row.id.to_string(),
            Self::Tag(row) => row.name.clone(),
            Self::Commit(row) => row.sha.clone(),
            Self::Incident(row) => row.id.to_string(),
        };
        Key {
            kind: self.kind(),
            id,
        }
    }

    /// Shows every text that somebody chose; ids, addresses and commits are none.
    pub(crate) fn each_text(&mut self, look: &mut dyn FnMut(&mut String)) {
        match self {
            Self::Pull(row) => {
                look(&mut row.base);
                row.labels.iter_mut().for_each(&mut *look);
                row.paths.iter_mut().for_each(look);
            }
            Self::Deployment(row) => look(&mut row.environment),
            Self::Run(row) => {
                look(&mut row.workflow);
                look(&mut row.branch);
            }
            Self::Release(row) => look(&mut row.tag),
            Self::Tag(row) => look(&mut row.name),
            Self::Commit(_) | Self::Incident(_) => {}
        }
    }

    /// Writes a row as one JSON object with sorted names.
    pub(crate) fn write(&self) -> Value {
        let mut to = Writer(Map::new());
        to.text("kind", self.kind());
        match self {
            Self::Pull(row) => write_pull(row, &mut to),
            Self::Deployment(row) => {
                to.number("id", row.id);
                to.text("url", &row.url);
                to.text("sha", &row.sha);
                to.text("environment", &row.environment);
                to.flag("production", row.production);
                to.time("created", Some(row.created));
                to.text("status", &row.status);
                to.time("first_success", row.first_success);
                to.time("failed_at", row.failed_at);
            }
            Self::Run(row) => {
                to.number("id", row.id);
                to.number("attempt", row.attempt);
                to.text("url", &row.url);
                to.text("workflow", &row.workflow);
                to.text("event", &row.event);
                to.text("branch", &row.branch);
                to.text("sha", &row.sha);
                to.time("created", Some(row.created));
                to.time("started", row.started);
                to.time("updated", Some(row.updated));
                to.text("conclusion", &row.conclusion);
            }
            Self::Release(row) => {
                to.number("id", row.id);
                to.text("url", &row.url);
                to.text("tag", &row.tag);
                to.text("sha", &row.sha);
                to.time("published", row.published);
                to.flag("prerelease", row.prerelease);
                to.flag("draft", row.draft);
            }
            Self::Tag(row) => {
                to.text("name", &row.name);
                to.text("sha", &row.sha);
                to.time("at", Some(row.at));
            }
            Self::Commit(row) => {
                to.text("sha", &row.sha);
                to.time("author_date", Some(row.author_date));
                to.time("commit_date", Some(row.commit_date));
                to.texts("parents", &row.parents);
            }
            Self::Incident(row) => {
                to.number("id", row.id);
                to.text("url", &row.url);
                to.time("opened", Some(row.opened));
                to.time("closed", row.closed);
                if let Some(deployment) = row.deployment {
                    to.number("deployment", deployment);
                }
                to.text("sha", &row.sha);
            }
        }
        Value::Object(to.0)
    }

    /// Reads a row; the error says what is wrong with it.
    pub(crate) fn read(value: &Value) -> Result<Self, String> {
        let from = Reader(value.as_object().ok_or("it is no object")?);
        let row = match from.text("kind").as_str() {
            "pull" => Self::Pull(Box::new(read_pull(&from)?)),
            "deployment" => Self::Deployment(Deployment {
                id: from.must_number("id")?,
                url: from.text("url"),
                sha: from.text("sha"),
                environment: from.text("environment"),
                production: from.flag("production"),
                created: from.must_time("created")?,
                status: from.text("status"),
                first_success: from.time("first_success")?,
                failed_at: from.time("failed_at")?,
            }),
            "run" => Self::Run(Run {
                id: from.must_number("id")?,
                attempt: from.number("attempt").max(1),
                url: from.text("url"),
                workflow: from.text("workflow"),
                event: from.text("event"),
                branch: from.text("branch"),
                sha: from.text("sha"),
                created: from.must_time("created")?,
                started: from.time("started")?,
                updated: from.must_time("updated")?,
                conclusion: from.text("conclusion"),
            }),
            "release" => Self::Release(Release {
                id: from.must_number("id")?,
                url: from.text("url"),
                tag: from.text("tag"),
                sha: from.text("sha"),
                published: from.time("published")?,
                prerelease: from.flag("prerelease"),
                draft: from.flag("draft"),
            }),
            "tag" => Self::Tag(Tag {
                name: from.must_text("name")?,
                sha: from.text("sha"),
                at: from.must_time("at")?,
            }),
            "commit" => Self::Commit(Commit {
                sha: from.must_text("sha")?,
                author_date: from.must_time("author_date")?,
                commit_date: from.must_time("commit_date")?,
                parents: from.texts("parents"),
            }),
            "incident" => Self::Incident(Incident {
                id: from.must_number("id")?,
                url: from.text("url"),
                opened: from.must_time("opened")?,
                closed: from.time("closed")?,
                deployment: from.0.get("deployment").and_then(Value::as_u64),
                sha: from.text("sha"),
            }),
            other => return Err(format!("there is no row of the kind `{other}`")),
        };
        Ok(row)
    }
}

fn write_pull(row: &Pull, to: &mut Writer) {
    to.number("number", row.number);
    to.text("url", &row.url);
    to.text("state", &row.state);
    to.flag("draft", row.draft);
    to.time("created", Some(row.created));
    to.time("ready", row.ready);
    to.time("first_commit", row.first_commit);
    to.time("merged", row.merged);
    to.time("closed", row.closed);
    to.text("merge_sha", &row.merge_sha);
    to.text("head_sha", &row.head_sha);
    to.text("base", &row.base);
    to.text("author_kind", row.author_kind.word());
    to.text("author_hash", &row.author_hash);
    to.texts("labels", &row.labels);
    to.number("additions", row.additions);
    to.number("deletions", row.deletions);
    to.number("files", row.files);
    to.number("commits", row.commits);
    to.time("first_review", row.first_review);
    to.time("approved", row.approved);
    to.texts("reverts", &row.reverts);
    to.flag("hotfix", row.hotfix);
    to.texts("paths", &row.paths);
    to.text("form", &row.form);
}

fn read_pull(from: &Reader<'_>) -> Result<Pull, String> {
    Ok(Pull {
        number: from.number("number"),
        url: from.text("url"),
        state: from.text("state"),
        draft: from.flag("draft"),
        created: from.must_time("created")?,
        ready: from.time("ready")?,
        first_commit: from.time("first_commit")?,
        merged: from.time("merged")?,
        closed: from.time("closed")?,
        merge_sha: from.text("merge_sha"),
        head_sha: from.text("head_sha"),
        base: from.text("base"),
        author_kind: Author::parse(&from.text("author_kind")),
        author_hash: from.text("author_hash"),
        labels: from.texts("labels"),
        additions: from.number("additions"),
        deletions: from.number("deletions"),
        files: from.number("files"),
        commits: from.number("commits"),
        first_review: from.time("first_review")?,
        approved: from.time("approved")?,
        reverts: from.texts("reverts"),
        hotfix: from.flag("hotfix"),
        paths: from.texts("paths"),
        form: from.text("form"),
    })
}

/// An object that is being written: what is empty is left out.
struct Writer(Map<String, Value>);

impl Writer {
    fn put(&mut self, name: &str, value: Value) {
        self.0.insert(name.to_owned(), value);
    }

    fn text(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.put(name, text.into());
        }
    }

    fn texts(&mut self, name: &str, texts: &[String]) {
        if !texts.is_empty() {
            self.put(name, texts.into());
        }
    }

    fn time(&mut self, name: &str, at: Option<Timestamp>) {
        if let Some(at) = at {
            self.put(name, at.to_string().into());
        }
    }

    fn number(&mut self, name: &str, number: u64) {
        if number > 0 {
            self.put(name, number.into());
        }
    }

    fn flag(&mut self, name: &str, flag: bool) {
        if flag {
            self.put(name, true.into());
        }
    }
}

/// An object that is being read.
struct Reader<'a>(&'a Map<String, Value>);

impl Reader<'_> {
    fn text(&self, name: &str) -> String {
        let text = self.0.get(name).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    }

    fn must_text(&self, name: &str) -> Result<String, String> {
        let text = self.text(name);
        if text.is_empty() {
            return Err(format!("it has no `{name}`"));
        }
        Ok(text)
    }

    fn texts(&self, name: &str) -> Vec<String> {
        let items = self.0.get(name).and_then(Value::as_array);
        let texts = items.into_iter().flatten().filter_map(Value::as_str);
        texts.map(str::to_owned).collect()
    }

    fn number(&self, name: &str) -> u64 {
        self.0.get(name).and_then(Value::as_u64).unwrap_or_default()
    }

    fn must_number(&self, name: &str) -> Result<u64, String> {
        let number = self.0.get(name).and_then(Value::as_u64);
        number.ok_or_else(|| format!("it has no `{name}`"))
    }

    fn flag(&self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_bool) == Some(true)
    }

    fn time(&self, name: &str) -> Result<Option<Timestamp>, String> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => {
                let at = value.as_str().and_then(|text| text.parse().ok());
                at.map(Some)
                    .ok_or_else(|| format!("its `{name}` is no time"))
            }
        }
    }

    fn must_time(&self, name: &str) -> Result<Timestamp, String> {
        self.time(name)?
            .ok_or_else(|| format!("it has no `{name}`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: [&str; 7] = [
        r##"{"additions":3,"author_hash":"h","author_kind":"agent","base":"main","commits":2,"created":"2026-01-05T09:00:00Z","draft":true,"first_commit":"2026-01-04T09:00:00Z","head_sha":"h","hotfix":true,"kind":"pull","labels":["a"],"merge_sha":"m","merged":"2026-01-06T09:00:00Z","number":7,"paths":["src"],"ready":"2026-01-05T10:00:00Z","reverts":["#3"],"state":"merged","url":"u"}"##,
        r#"{"created":"2026-01-05T09:00:00Z","environment":"production","failed_at":"2026-01-05T11:00:00Z","first_success":"2026-01-05T10:00:00Z","id":4,"kind":"deployment","production":true,"sha":"s","status":"inactive","url":"u"}"#,
        r#"{"attempt":2,"branch":"main","conclusion":"success","created":"2026-01-05T09:00:00Z","event":"push","id":4,"kind":"run","sha":"s","started":"2026-01-05T09:30:00Z","updated":"2026-01-05T10:00:00Z","url":"u","workflow":"deploy"}"#,
        r#"{"draft":true,"id":5,"kind":"release","prerelease":true,"published":"2026-01-05T09:00:00Z","sha":"s","tag":"v1","url":"u"}"#,
        r#"{"at":"2026-01-05T09:00:00Z","kind":"tag","name":"v1","sha":"s"}"#,
        r#"{"author_date":"2026-01-05T09:00:00Z","commit_date":"2026-01-05T09:01:00Z","kind":"commit","parents":["p"],"sha":"s"}"#,
        r#"{"closed":"2026-01-05T10:00:00Z","deployment":4,"id":6,"kind":"incident","opened":"2026-01-05T09:00:00Z","sha":"s","url":"u"}"#,
    ];

    #[test]
    fn every_kind_is_read_and_written_as_it_was() {
        for line in LINES {
            let row = Row::read(&serde_json::from_str(line).unwrap()).unwrap();
            assert_eq!(row.write().to_string(), line);
        }
    }

    #[test]
    fn a_row_without_its_time_is_refused_and_says_why() {
        let row = |text: &str| Row::read(&serde_json::from_str(text).unwrap());
        let missing = row(r#"{"kind":"deployment","id":1}"#);
        assert_eq!(missing.unwrap_err(), "it has no `created`");
        let odd = row(r#"{"kind":"deployment","id":1,"created":"soon"}"#);
        assert_eq!(odd.unwrap_err(), "its `created` is no time");
        assert!(row(r#"{"kind":"riddle"}"#).is_err());
        assert!(row("[]").is_err());
    }

    #[test]
    fn a_time_means_the_same_in_every_zone() {
        let at = |at: &str| {
            let text = format!(r#"{{"kind":"tag","name":"v1","at":"{at}"}}"#);
            Row::read(&serde_json::from_str(&text).unwrap()).unwrap()
        };
        assert_eq!(at("2026-01-05T09:00:00Z"), at("2026-01-05T11:00:00+02:00"));
    }
}
