//! By which quarantine a run is judged: that of the branch that a change goes to.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use crate::change::trust::trust;
use crate::cli::configured;
use crate::cli::plan::trigger::occasion;
use crate::cli::session::Session;
use crate::cli::trouble::Reported;
use crate::conduct::trusted::{NoTrust, Trustee};
use crate::config::ConfigFile;
use crate::config::file::EnforceWord;
use crate::error::{CommandError, ErrorKind};
use crate::flakes::quarantine::{self, Quarantine};
use crate::flakes::trusted::NotTrusted;
use crate::flakes::trusted::Trusted;
use crate::plan::graph::patterns::Patterns;
use crate::state::StateError;

/// A server that says nothing for so long is given up.
const FETCH_SECONDS: u64 = 60;

/// The variable that hands the plan's output on.
pub(crate) const VARIABLE: &str = "MAESTRO_TRUSTED";

/// No such document is longer.
const LONGEST: u64 = 16 * 1024 * 1024;

/// Where rules are to be read from.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct RulesArgs {
    /// Take the rules from this revision, instead of where the change goes to
    #[arg(long, value_name = "REV")]
    pub(crate) base: Option<String>,

    /// Take the rules from the plan's output `trusted`: the text itself, or a file [env: MAESTRO_TRUSTED]
    #[arg(long, value_name = "JSON|FILE", conflicts_with = "base")]
    pub(crate) trusted: Option<String>,
}

/// Returns the rules that count.
pub(crate) fn load(session: &mut Session<'_>, args: &RulesArgs) -> Result<Trusted, CommandError> {
    let base = args.base.as_deref().filter(|base| !base.is_empty());
    let given = args.trusted.clone().filter(|text| !text.is_empty());
    let given = given.or_else(|| session.var(VARIABLE));
    if let Some(given) = given
        && base.is_none()
    {
        return handed_on(session, &given);
    }
    from_base(session, base, true)
}

/// Reads the rules that a plan handed on: the text itself, or a file that holds it.
pub(crate) fn handed_on(session: &Session<'_>, given: &str) -> Result<Trusted, CommandError> {
    let text = if given.trim_start().starts_with('{') {
        given.to_owned()
    } else {
        let path = Path::new(given);
        let failed = |error| CommandError::reading(path, error);
        let file = session
            .world
            .files
            .open(&session.base.join(path))
            .map_err(failed)?;
        let mut text = String::new();
        file.take(LONGEST)
            .read_to_string(&mut text)
            .map_err(failed)?;
        text
    };
    Trusted::read(&text).map_err(|problem| problem.reported(""))
}

impl Reported for NotTrusted {
    fn reported(self, _of: &str) -> CommandError {
        let message = format!("what is handed on as trusted cannot be used: {self}");
        CommandError::message(ErrorKind::BadInput, message)
            .hint("give the output `trusted` of `maestro plan` as it is")
    }
}

/// Reads the rules of the commit that counts.
pub(crate) fn from_base(
    session: &mut Session<'_>,
    base: Option<&str>,
    may_fetch: bool,
) -> Result<Trusted, CommandError> {
    let path = ".maestro/maestro.yaml";
    let files = [quarantine::PATH, path];
    let (commit, [bytes, text]) = trusted_files(session, base, may_fetch, files)?;
    let quarantine = Quarantine::read(&bytes.unwrap_or_default()).map_err(|error| {
        let message = format!("`{}` of {}: {error}", quarantine::PATH, &commit[..9]);
        CommandError::message(ErrorKind::BadConfig, message)
            .hint("`maestro flakes quarantine review` reads the one in the work tree; merge one that it accepts")
    })?;
    let config = match text {
        Some(bytes) => configured::trusted(session, &bytes, path, may_fetch)?,
        None => ConfigFile::default(),
    };
    never(&config.flakes.never)?;
    Ok(Trusted::new(
        commit,
        config.enforce.contains(&EnforceWord::Flakes),
        config.flakes.never,
        quarantine,
    ))
}

/// A commit, and what some of its files hold; nothing for those that it does not have.
pub(in crate::cli) type TrustedFiles<const N: usize> = (String, [Option<Vec<u8>>; N]);

/// Reads files of the commit that counts.
pub(in crate::cli) fn trusted_files<const N: usize>(
    session: &mut Session<'_>,
    base: Option<&str>,
    may_fetch: bool,
    paths: [&str; N],
) -> Result<TrustedFiles<N>, CommandError> {
    let mut planner = session.reader(may_fetch)?;
    let occasion = occasion(session);
    let remote = session.source_remote();
    let may_fetch = may_fetch && !session.settings.offline.value;
    let mut trustee = Trustee {
        planner: &mut planner,
        remote,
        may_fetch,
        deadline: Duration::from_secs(FETCH_SECONDS),
    };
    let commit = match base {
        Some(base) => trustee.here(base),
        None => {
            let trust = trust(&occasion.trigger, &occasion.branches);
            let started = session
                .var("GITHUB_SHA")
                .unwrap_or_else(|| "HEAD".to_owned());
            trustee.commit(&trust, &started)
        }
    };
    let commit = commit.map_err(|why| why.reported(""))?;
    let mut found = [const { None }; N];
    for (slot, path) in found.iter_mut().zip(paths) {
        *slot = trustee
            .file(&commit, path)
            .map_err(|why| why.reported(""))?;
    }
    session.give_back(planner);
    Ok((commit, found))
}

impl Reported for NoTrust {
    fn reported(self, _of: &str) -> CommandError {
        let kind = match self {
            Self::Git(error) => return StateError::from(error).into(),
            Self::NotFound(_) => ErrorKind::NotFound,
            Self::NotFetched { .. } | Self::Offline(_) | Self::Nobody(_) => ErrorKind::Unavailable,
        };
        CommandError::new(kind, self).hint(
            "rules are read from the branch that a change goes to; give the plan's output `trusted`, or a revision with `--base`",
        )
    }
}

/// Compiles the globs of tests that are never forgiven.
pub(crate) fn never(globs: &[String]) -> Result<Patterns, CommandError> {
    Patterns::new(globs).map_err(|error| {
        CommandError::message(ErrorKind::BadConfig, format!("`flakes.never`: {error}"))
            .hint("a glob over files, suites or names: `tests/security/**`, `*::auth::*`")
    })
}

/// Returns the glob that takes a test in: by its name, by its suite and name, by a suite around it, by the file that a suite is, or by the
/// file that its report names, which may be an absolute path.
pub(crate) fn never_by(patterns: &Patterns, suite: &str, test: &str, file: &str) -> Option<String> {
    let mut names = vec![test.to_owned(), quarantine::shown(suite, test)];
    for part in suite.split(" > ").chain([test]) {
        names.push(part.to_owned());
        names.push(part.replace("::", "/"));
        names.push(part.replace('.', "/"));
    }
    let file = file.replace('\\', "/");
    let parts = file.match_indices('/').map(|(at, _)| &file[at + 1..]);
    let files = [file.as_str()].into_iter().chain(parts);
    let mut names = names.iter().map(String::as_str).chain(files);
    names
        .find_map(|name| patterns.matched(name))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_is_known_by_its_names_and_by_the_files_they_stand_for() {
        let named = |glob: &str, suite: &str, test: &str, file: &str| {
            never_by(&Patterns::new([glob]).unwrap(), suite, test, file).is_some()
        };
        let by = |glob: &str, suite: &str, test: &str| named(glob, suite, test, "");
        assert!(by(
            "tests/security/**",
            "pytest > tests.security.test_a.TestB",
            "test_x"
        ));
        assert!(by("auth/**", "crate", "auth::login::works"));
        assert!(by("src/auth/**", "src/auth/a.test.ts", "d > works"));
        assert!(by("crate > works", "crate", "works"));
        assert!(!by("tests/security/**", "pytest > tests.test_a", "test_x"));
        for file in [
            "src/auth/a.test.ts",
            "./src/auth/a.test.ts",
            "/__w/r/r/src/auth/a.test.ts",
            "C:\\w\\src\\auth\\a.test.ts",
        ] {
            assert!(named("src/auth/**", "login", "works", file), "{file}");
        }
        assert!(!named("src/auth/**", "login", "works", "src/author/a.ts"));
    }
}
