//! Which policy counts: the one of the branch that a change goes to, over its organisation's.

use std::io::Read;
use std::path::Path;

use crate::cli::configured;
use crate::cli::extends::Asked;
use crate::cli::flakes::rules::trusted_files;
use crate::cli::session::Session;
use crate::cli::trouble::Reported;
use crate::config::YamlError;
use crate::config::extends::Extends;
use crate::config::file::EnforceWord;
use crate::error::{CommandError, ErrorKind, Unhinted};
use crate::policy::baseline::Baseline;
use crate::policy::baseline::BaselineProblem;
use crate::policy::file::{self, PATH, PolicyFile};
use crate::policy::tighten::{Loosened, Policy, tighten};
use crate::prompts::place::{Step, line_of};
use crate::sha::Sha;

/// What `init` writes, and what counts where there is no policy.
const BUILT_IN: &str = include_str!("../../policy/default.yaml");

/// No policy or baseline is larger.
const LARGEST: u64 = 16 * 1024 * 1024;

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

fn bad(message: String) -> Unhinted {
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
            let config = configured::trusted(session, &bytes, config_path, may_fetch)?;
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
            let asked = Asked {
                what: "policy",
                may_fetch,
                may_keep: false,
            };
            let floor_bytes = crate::cli::extends::read(session, extends, asked)?;
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
    failure.hint(
        error.hint.unwrap_or_else(|| {
            "`maestro util schema policy` prints what may stand where".to_owned()
        }),
    )
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
    Baseline::read(&bytes).map_err(|problem| problem.reported(path))
}

impl Reported for BaselineProblem {
    fn reported(self, of: &str) -> CommandError {
        bad(format!("`{of}`: {self}"))
            .hint("`maestro check-policy --write-baseline FILE` makes one")
    }
}
