//! Which policy counts: the one of the branch that a change goes to, over its organisation's.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::cli::flakes::rules::trusted_files;
use crate::cli::session::{Session, parse_config};
use crate::config::YamlError;
use crate::config::file::EnforceWord;
use crate::error::{CommandError, ErrorKind};
use crate::event::Sha;
use crate::forge::api::contents;
use crate::forge::repository::RepoName;
use crate::policy::baseline::Baseline;
use crate::policy::extends::Extends;
use crate::policy::file::{self, PATH, PolicyFile};
use crate::policy::tighten::{Loosened, Policy, tighten};
use crate::ports::history::Depth;
use crate::prompts::place::{Step, line_of};

/// What `init` writes, and what counts where there is no policy.
const BUILT_IN: &str = include_str!("../../policy/default.yaml");

/// No policy or baseline is larger.
const LARGEST: u64 = 16 * 1024 * 1024;

/// How long GitHub is asked for an organisation's policy.
const SECONDS: u64 = 60;

/// A policy, and where it is from.
pub(in crate::cli) struct Loaded {
    pub(in crate::cli) policy: Policy,
    pub(in crate::cli) baseline: Baseline,
    /// Whether the outcome counts.
    pub(super) enforced: bool,
    /// `file`, `built-in` or `given`.
    pub(super) source: &'static str,
    pub(super) path: String,
    /// The commit that it was read from.
    pub(super) commit: Option<String>,
    pub(super) extends: Option<String>,
    pub(super) sha256: String,
}

fn bad(message: String) -> CommandError {
    CommandError::message(ErrorKind::BadConfig, message)
}

/// Loads the policy of a revision, or of where the change goes to.
pub(in crate::cli) fn of_base(
    session: &mut Session<'_>,
    base: Option<&str>,
    may_fetch: bool,
) -> Result<Loaded, CommandError> {
    let config_path = ".maestro/maestro.yaml";
    let (commit, [own, config]) = trusted_files(session, base, may_fetch, [PATH, config_path])?;
    let asks = match config {
        Some(bytes) => {
            let config = parse_config(&String::from_utf8_lossy(&bytes), config_path)?;
            Some(config.enforce.contains(&EnforceWord::Policy))
        }
        None => None,
    };
    let mut loaded = match &own {
        Some(bytes) => read(session, bytes, PATH, Some(&commit), may_fetch)?,
        None => read(
            session,
            BUILT_IN.as_bytes(),
            "(built in)",
            Some(&commit),
            may_fetch,
        )?,
    };
    loaded.source = if own.is_some() { "file" } else { "built-in" };
    // Who wrote a policy and no configuration wants it to count; who wrote both said what counts.
    loaded.enforced = asks.unwrap_or(own.is_some());
    loaded.commit = Some(commit);
    Ok(loaded)
}

/// Loads the built-in policy, whatever the repository has.
pub(in crate::cli) fn built_in(session: &mut Session<'_>) -> Result<Loaded, CommandError> {
    let mut loaded = read(session, BUILT_IN.as_bytes(), "(built in)", None, false)?;
    loaded.source = "built-in";
    Ok(loaded)
}

/// Loads a policy that somebody wants to try out.
pub(super) fn given(
    session: &mut Session<'_>,
    path: &Path,
    may_fetch: bool,
) -> Result<Loaded, CommandError> {
    let failed = |error| CommandError::reading(path, error);
    let opened = session
        .world
        .files
        .open(&session.base.join(path))
        .map_err(failed)?;
    let mut bytes = Vec::new();
    opened
        .take(LARGEST)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    let mut loaded = read(session, &bytes, &path.to_string_lossy(), None, may_fetch)?;
    loaded.source = "given";
    loaded.enforced = true;
    Ok(loaded)
}

/// Reads a policy, its organisation's, and its baseline; `commit` is where the baseline is read from.
fn read(
    session: &mut Session<'_>,
    bytes: &[u8],
    shown: &str,
    commit: Option<&str>,
    may_fetch: bool,
) -> Result<Loaded, CommandError> {
    let text = text_of(bytes, shown)?;
    let own = file::read(text, shown).map_err(|error| refused(error, shown))?;
    let extends = own.extends.clone();
    let baseline_path = own.baseline.clone();
    let (policy, sha256) = match &extends {
        None => (Policy::alone(own), Sha::of(bytes)),
        Some(extends) => {
            let floor_bytes = floor(session, extends, may_fetch)?;
            let floor = floor_file(&floor_bytes, extends)?;
            let policy =
                tighten(floor, own).map_err(|loosened| looser(&loosened, text, shown, extends))?;
            let both = [Sha::of(&floor_bytes).0, Sha::of(bytes).0].concat();
            (policy, Sha::of(&both))
        }
    };
    let baseline = match baseline_path {
        None => Baseline::default(),
        Some(path) => baseline(session, &path, commit, may_fetch)?,
    };
    Ok(Loaded {
        policy,
        baseline,
        enforced: false,
        source: "",
        path: shown.to_owned(),
        commit: None,
        extends: extends.map(|extends| extends.shown()),
        sha256: sha256.to_string(),
    })
}

fn text_of<'b>(bytes: &'b [u8], shown: &str) -> Result<&'b str, CommandError> {
    std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = 1 + memchr::memchr_iter(b'\n', before).count();
        bad(format!("`{shown}:{line}:1`: it is not UTF-8 text")).hint("save it as UTF-8")
    })
}

fn refused(error: YamlError, shown: &str) -> CommandError {
    let (line, column) = error.place.unwrap_or((1, 1));
    let mut failure = bad(format!("`{shown}:{line}:{column}`: {}", error.message));
    if let Some(excerpt) = error.excerpt {
        failure = failure.excerpt(excerpt);
    }
    match error.hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// What a repository would loosen, each with its line.
fn looser(loosened: &[Loosened], text: &str, shown: &str, extends: &Extends) -> CommandError {
    let line = |one: &Loosened| {
        let way = [
            Step::Key(one.list),
            Step::Entry(one.at),
            Step::Key(&one.key),
        ];
        let teams = [Step::Key(one.list), Step::Key(&one.key)];
        line_of(text, if one.list == "teams" { &teams } else { &way })
    };
    let rows: Vec<String> = loosened
        .iter()
        .map(|one| {
            let place = format!("{shown}:{}:1", line(one));
            format!(
                "`{place}`: `{}` of `{}` is looser than locked: {} instead of {}",
                one.key, one.id, one.own, one.floor
            )
        })
        .collect();
    bad(rows.join("; ")).hint(format!(
        "{} holds it: make it as strict or stricter, or leave the entry out",
        extends.shown()
    ))
}

fn floor_file(bytes: &[u8], extends: &Extends) -> Result<PolicyFile, CommandError> {
    let shown = extends.shown();
    let floor =
        file::read(text_of(bytes, &shown)?, &shown).map_err(|error| refused(error, &shown))?;
    if floor.extends.is_some() {
        return Err(bad(format!("`{shown}` extends another policy itself"))
            .hint("an organisation's policy stands alone: put both into one file"));
    }
    Ok(floor)
}

/// Reads an organisation's policy from an object that is here; nothing when its commit is not.
fn floor_here(
    session: &mut Session<'_>,
    extends: &Extends,
) -> Result<Option<Vec<u8>>, CommandError> {
    let path = extends.path.as_str();
    match trusted_files(session, Some(&extends.commit), false, [path]) {
        Ok((_, [Some(bytes)])) => Ok(Some(bytes)),
        Ok((_, [None])) => {
            let message = format!("there is no `{path}` in the commit that `extends` names");
            Err(CommandError::message(ErrorKind::NotFound, message)
                .hint(format!("mend `extends: {}`", extends.shown())))
        }
        Err(_) => Ok(None),
    }
}

/// Fetches a commit of this repository, so far as its remote hands it out; no ref moves.
fn fetch(session: &Session<'_>, commit: &str) {
    if let Ok(checkout) = &session.checkout {
        let folder = checkout.top.as_ref().unwrap_or(&checkout.common_dir);
        let deadline = Duration::from_secs(SECONDS);
        let refspec = [commit.to_owned()];
        // What did not come is looked for elsewhere, and missed there.
        let _ = session.world.history.fetch_commits(
            folder,
            &session.source_remote(),
            &refspec,
            Depth::Same,
            deadline,
        );
    }
}

/// Reads an organisation's policy: from an object that is here, from the remote where it is this repository's own, or from GitHub. Its commit says
/// which bytes they are.
fn floor(
    session: &mut Session<'_>,
    extends: &Extends,
    may_fetch: bool,
) -> Result<Vec<u8>, CommandError> {
    if let Some(bytes) = floor_here(session, extends)? {
        return Ok(bytes);
    }
    let may_fetch = may_fetch && !session.settings.offline.value;
    if may_fetch && extends.repository.is_none() {
        fetch(session, &extends.commit);
        if let Some(bytes) = floor_here(session, extends)? {
            return Ok(bytes);
        }
    }
    let unavailable = |words: &str| {
        let message = format!("the policy that `extends` names could not be read: {words}");
        CommandError::message(ErrorKind::Unavailable, message).hint(format!(
            "fetch it (git fetch REMOTE {}), or let maestro ask GitHub: set GITHUB_TOKEN to one that may read {}",
            extends.commit,
            extends.repository.as_deref().unwrap_or("this repository")
        ))
    };
    if !may_fetch {
        return Err(unavailable(
            "its commit is not in this clone, and nothing may be fetched",
        ));
    }
    let github = session.github(extends.repository.as_deref(), None, SECONDS)?;
    let Some((github, _)) = github else {
        return Err(unavailable(
            "its commit is not in this clone, and no repository at GitHub is meant",
        ));
    };
    let repository = match &extends.repository {
        Some(name) => RepoName::parse(name).unwrap_or_else(|| github.repository.clone()),
        None => github.repository.clone(),
    };
    let file = github.call(&contents::get(&repository, &extends.path, &extends.commit))?;
    let encoded: String = file.content.split_whitespace().collect();
    let bytes = STANDARD
        .decode(encoded)
        .ok()
        .filter(|bytes| bytes.len() as u64 == file.size);
    bytes.ok_or_else(|| unavailable("GitHub sent something else than the file"))
}

/// Reads what was there before. A policy that names a baseline is nothing without it.
fn baseline(
    session: &mut Session<'_>,
    path: &str,
    commit: Option<&str>,
    may_fetch: bool,
) -> Result<Baseline, CommandError> {
    let bytes = match commit {
        Some(commit) => {
            let (_, [bytes]) = trusted_files(session, Some(commit), may_fetch, [path])?;
            bytes
        }
        None => match session.world.files.open(
            &session
                .maestro_dir()
                .parent()
                .unwrap_or(&session.base)
                .join(path),
        ) {
            Ok(file) => {
                let mut bytes = Vec::new();
                let read = file.take(LARGEST).read_to_end(&mut bytes);
                read.map_err(|error| CommandError::reading(Path::new(path), error))?;
                Some(bytes)
            }
            Err(_) => None,
        },
    };
    let bytes = bytes.ok_or_else(|| {
        bad(format!("the policy names the baseline `{path}`, and there is none")).hint("commit it where the policy is (`maestro check-policy --write-baseline FILE` makes one), or take `baseline:` out of the policy")
    })?;
    Baseline::read(&bytes).map_err(|error| {
        bad(format!("`{path}`: {error}"))
            .hint("`maestro check-policy --write-baseline FILE` makes one")
    })
}
