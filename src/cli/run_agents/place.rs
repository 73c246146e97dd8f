//! Where a run lies, and what it is made from: begun, gone on with, or played again.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::RunAgentsArgs;
use crate::agents::board::RunKey;
use crate::agents::canaries;
use crate::agents::graph::Bounds;
use crate::agents::record::{Head, SCHEMA};
use crate::agents::step::Limits;
use crate::cli::session::Session;
use crate::cli::trouble::Reported;
use crate::conduct::agents::recording::Altered;
use crate::conduct::agents::recording::Recording;
use crate::config::agents::RoleFile;
use crate::error::{CommandError, ErrorKind};
use crate::llm::router::Tier;
use crate::llm::router::tiers::{TierModel, Tiers};
use crate::ports::Checkout;
use crate::prompts::set::Library;
use crate::sha::Sha;

/// What somebody chose for a run; the journal's head has it, so that it stays the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Chosen {
    /// Provider and model of each tier, weakest first.
    pub(super) models: [(String, String); 3],
    pub(super) width: u32,
    pub(super) tries: u8,
    pub(super) tasks: usize,
    pub(super) commands: Vec<String>,
    /// The words of a program that works in place of the built-in engine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) agent: Option<Vec<String>>,
    /// What the configuration says of roles.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) roles: BTreeMap<String, RoleFile>,
}

impl Chosen {
    pub(super) fn tiers(&self) -> [TierModel; 3] {
        self.models
            .clone()
            .map(|(provider, model)| TierModel { provider, model })
    }

    pub(super) fn limits(&self) -> Limits {
        Limits {
            width: self.width,
            tries: self.tries,
        }
    }

    pub(super) fn bounds(&self) -> Bounds {
        Bounds {
            tasks: self.tasks,
            ..Bounds::default()
        }
    }
}

/// No journal or issue is larger.
const LARGEST_JOURNAL: u64 = 1 << 30;

/// Where a run lies, and what is known of it.
pub(super) struct Place {
    pub(super) folder: PathBuf,
    /// Where its work trees are while it runs.
    pub(super) root: PathBuf,
    pub(super) head: Head,
    pub(super) chosen: Chosen,
    pub(super) key: RunKey,
    /// What the run's canaries are made of.
    pub(super) canaries: [u8; 32],
    pub(super) recording: Recording,
}

pub(in crate::cli) fn runs(checkout: &Checkout) -> PathBuf {
    checkout.common_dir.join("maestro").join("runs")
}

pub(super) fn random(session: &Session<'_>) -> Result<Sha, CommandError> {
    let token = session.world.relay.token();
    let token = token.map_err(CommandError::internal)?;
    Ok(Sha::of(token.as_bytes()))
}

pub(super) fn begun(
    session: &mut Session<'_>,
    checkout: &Checkout,
    args: &RunAgentsArgs,
    library: &Library,
) -> Result<Place, CommandError> {
    let issue = issue(session, args)?;
    let base = commit_of(session, checkout, &args.from)?;
    let chosen = chosen(session, checkout, args)?;
    let random = random(session)?.to_string();
    let run = match &args.run_id {
        Some(name) if crate::agents::words::is_name(name) => name.clone(),
        Some(name) => {
            let message = format!("`{name}` is no name of a run");
            return Err(CommandError::message(ErrorKind::Usage, message)
                .hint("small letters, digits and `-`, beginning with a letter"));
        }
        None => format!("r{}", &random[..12]),
    };
    let folder = if args.dry_run {
        temporary(session)?
    } else {
        runs(checkout).join(&run)
    };
    if !args.dry_run && session.world.files.kind(&folder).is_ok() {
        let message = format!("there is a run `{run}` already");
        return Err(
            CommandError::message(ErrorKind::Usage, message).hint(format!(
                "go on with it: `maestro run-agents --resume {run}`"
            )),
        );
    }
    let head = Head {
        schema: SCHEMA.to_owned(),
        run,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        at: session.now(),
        base,
        branch: session
            .world
            .git
            .head(&session.base)
            .ok()
            .and_then(|head| head.branch),
        delimiter: random[16..40].to_owned(),
        issue,
        settings: json!(chosen),
        inputs: json!({"prompts": digests(library)}),
    };
    let canaries = canaries::seed(&head.delimiter);
    let bytes = self::random(session)?;
    let files = session.world.files.as_ref();
    let made = files
        .create_folder(&folder)
        .and_then(|()| files.write_private(&folder.join("key"), bytes.to_string().as_bytes()));
    made.map_err(|error| CommandError::writing(&folder, error))?;
    let root = root(session, &folder)?;
    Ok(Place {
        folder,
        root,
        head,
        chosen,
        key: RunKey::new(&bytes.0),
        canaries,
        recording: Recording::default(),
    })
}

/// The file that says where the work trees of a run are.
const TREES: &str = "trees";

/// How their folders begin.
const ROOT: &str = "maestro-trees-";

/// Makes the folder of a run's work trees; what a killed process left of an earlier one is removed.
fn root(session: &Session<'_>, folder: &Path) -> Result<PathBuf, CommandError> {
    let files = session.world.files.as_ref();
    let note = folder.join(TREES);
    if files.kind(&note).is_ok() {
        let old = read_bytes(session, &note, 4096)?;
        let old = PathBuf::from(String::from_utf8_lossy(&old).into_owned());
        let is_ours = old
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with(ROOT));
        if is_ours && old.is_absolute() {
            // A process that outlived its keeper may still write there; the system empties the folder some day.
            let _may_stay = files.remove_folder(&old);
        }
    }
    let made = files.temporary_folder(ROOT);
    let made =
        made.map_err(|error| CommandError::writing(Path::new("a temporary folder"), error))?;
    let text = made.to_string_lossy().into_owned();
    files
        .write_atomic(&note, &mut |out| out.write_all(text.as_bytes()))
        .map_err(|error| CommandError::writing(&note, error))?;
    Ok(made)
}

pub(super) fn temporary(session: &Session<'_>) -> Result<PathBuf, CommandError> {
    let made = session.world.files.temporary_folder("maestro-run-");
    made.map_err(|error| CommandError::writing(Path::new("a temporary folder"), error))
}

pub(super) fn read_bytes(
    session: &Session<'_>,
    path: &Path,
    most: u64,
) -> Result<Vec<u8>, CommandError> {
    let reading = |error| CommandError::reading(path, error);
    let file = session.world.files.open(path).map_err(reading)?;
    let mut bytes = Vec::new();
    file.take(most + 1)
        .read_to_end(&mut bytes)
        .map_err(reading)?;
    if bytes.len() as u64 > most {
        let message = format!("`{}` is larger than {most} bytes", path.display());
        return Err(CommandError::message(ErrorKind::BadInput, message)
            .hint("no run leaves so much: give the file as the run left it"));
    }
    Ok(bytes)
}

pub(in crate::cli) fn recording(
    session: &Session<'_>,
    path: &Path,
) -> Result<Recording, CommandError> {
    let bytes = read_bytes(session, path, LARGEST_JOURNAL)?;
    Recording::read(&bytes).map_err(|altered| altered.reported(&path.display().to_string()))
}

impl Reported for Altered {
    fn reported(self, of: &str) -> CommandError {
        CommandError::message(
            ErrorKind::AgentRun,
            format!("the journal `{of}` was altered: {self}"),
        )
        .hint("nothing was done; what stands before that line is as it was written")
    }
}

pub(super) fn opened(
    session: &Session<'_>,
    folder: PathBuf,
    recording: Recording,
    key: RunKey,
    path: &Path,
) -> Result<Place, CommandError> {
    let bad = |what: String| {
        CommandError::message(ErrorKind::BadInput, format!("`{}` {what}", path.display()))
            .hint("give the journal of a run as `maestro run-agents` wrote it")
    };
    let head = recording
        .head
        .clone()
        .ok_or_else(|| bad("has no beginning".to_owned()))?;
    if head.schema != SCHEMA {
        return Err(bad(format!(
            "has the schema `{}`, and this version reads `{SCHEMA}`",
            head.schema
        )));
    }
    let chosen = serde_json::from_value(head.settings.clone())
        .map_err(|error| bad(format!("has settings that are not understood: {error}")))?;
    let root = root(session, &folder)?;
    let canaries = canaries::seed(&head.delimiter);
    Ok(Place {
        folder,
        root,
        head,
        chosen,
        key,
        canaries,
        recording,
    })
}

pub(super) fn resumed(
    session: &Session<'_>,
    checkout: &Checkout,
    run: &str,
) -> Result<Place, CommandError> {
    let folder = runs(checkout).join(run);
    let path = folder.join("journal.ndjson");
    if !crate::agents::words::is_name(run) || session.world.files.kind(&path).is_err() {
        let message = format!("there is no run `{run}` in this repository");
        return Err(CommandError::message(ErrorKind::NotFound, message)
            .hint("`maestro run-agents` prints a run's id when it begins"));
    }
    let recording = recording(session, &path)?;
    let key = read_bytes(session, &folder.join("key"), 64)?;
    let key = Sha::parse(&String::from_utf8_lossy(&key)).ok_or_else(|| {
        let message = format!("the key of the run `{run}` cannot be read");
        CommandError::message(ErrorKind::BadInput, message)
            .hint("it cannot be gone on with; begin a new run")
    })?;
    opened(session, folder, recording, RunKey::new(&key.0), &path)
}

/// Returns where the journal of a run lies that was named by its id, its folder, or the file itself.
pub(super) fn journal_path(session: &Session<'_>, checkout: &Checkout, run: &str) -> PathBuf {
    let named = runs(checkout).join(run).join("journal.ndjson");
    if crate::agents::words::is_name(run) && session.world.files.kind(&named).is_ok() {
        return named;
    }
    let path = session.base.join(run);
    match session.world.files.kind(&path) {
        Ok(crate::ports::FileKind::Folder) => path.join("journal.ndjson"),
        _ => path,
    }
}

pub(super) fn replayed(
    session: &Session<'_>,
    checkout: &Checkout,
    run: &str,
) -> Result<Place, CommandError> {
    let path = journal_path(session, checkout, run);
    let recording = recording(session, &path)?;
    let folder = temporary(session)?;
    // What is played again is signed anew: only what entries say is compared.
    opened(session, folder, recording, RunKey::new(&[0; 32]), &path)
}

/// Reads an issue, and says what was taken out of it.
fn issue(session: &mut Session<'_>, args: &RunAgentsArgs) -> Result<Value, CommandError> {
    let issue = super::intake::issue(session, &args.issue)?;
    for note in issue.notes() {
        session.ui.warn(&note);
    }
    let mut value = issue.variable();
    let mut add = |name: &str, text: Option<String>| {
        if let Some(text) = text {
            value[name] = Value::String(text);
        }
    };
    add("url", issue.url.clone());
    add("author", issue.author.clone());
    Ok(value)
}

fn commit_of(
    session: &Session<'_>,
    checkout: &Checkout,
    revision: &str,
) -> Result<String, CommandError> {
    let folder = checkout.top.as_ref().unwrap_or(&checkout.common_dir);
    let mut objects = session
        .world
        .history
        .objects(folder, false)
        .map_err(crate::state::StateError::from)?;
    let mut found = None;
    let name = format!("{revision}^{{commit}}");
    objects
        .read(&[name], &mut |_, object| {
            found = object.map(|object| object.id);
        })
        .map_err(crate::state::StateError::from)?;
    found.ok_or_else(|| {
        let message = format!("there is no commit `{revision}`");
        CommandError::message(ErrorKind::NotFound, message)
            .hint("name a commit, branch or tag that this clone has")
    })
}

/// Returns what the run is made with.
pub(super) fn chosen(
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
    let agent = match &args.agent {
        Some(command) => Some(crate::agents::words::words(command).map_err(|what| {
            CommandError::message(ErrorKind::Usage, format!("`--agent {command}` {what}"))
                .hint("name a program and its arguments, such as `claude -p`")
        })?),
        None => None,
    };
    let team = super::team::team(session, args)?;
    let mut commands = team.commands;
    if commands.is_empty() {
        commands = default_commands(session, checkout);
    }
    Ok(Chosen {
        models: [model(Tier::Small), model(Tier::Medium), model(Tier::Large)],
        width: team.width,
        tries: team.tries,
        tasks: team.tasks,
        commands,
        agent,
        roles: team.roles,
    })
}

/// The commands that an ecosystem is built and tested with, by the manifest at the top.
const BY_MANIFEST: [(&str, &[&str]); 6] = [
    (
        "Cargo.toml",
        &[
            "cargo test",
            "cargo check",
            "cargo build",
            "cargo clippy",
            "cargo fmt",
        ],
    ),
    (
        "package.json",
        &["npm test", "npm run", "npx tsc", "node --test"],
    ),
    ("go.mod", &["go test", "go build", "go vet"]),
    (
        "pyproject.toml",
        &["python -m pytest", "python -m unittest", "pytest"],
    ),
    ("setup.py", &["python -m pytest", "python -m unittest"]),
    ("Makefile", &["make"]),
];

fn default_commands(session: &Session<'_>, checkout: &Checkout) -> Vec<String> {
    let jobs = session.config.jobs.values();
    let mut commands: Vec<String> = jobs
        .filter_map(|job| job.run.clone())
        .filter(|run| crate::agents::words::words(run).is_ok())
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
pub(super) fn digests(library: &Library) -> BTreeMap<String, String> {
    let names = library.names().into_iter();
    crate::order::map(
        names.filter_map(|name| {
            Some((name.to_owned(), library.load(name).ok()?.sha256.to_string()))
        }),
    )
}
