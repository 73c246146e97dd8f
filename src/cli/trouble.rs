//! Errors of the state and of git, as users meet them: kind, words, and the way out.

use crate::config::nearest;
use crate::error::{CommandError, ErrorKind};
use crate::flakes::runners::{self, Runner, Sharded};
use crate::ports::GitError;
use crate::redact::Redactor;
use crate::state::StateError;

/// The error of a room, as whoever meets it hears it: kind, words, and the way out.
pub(super) trait Reported: Sized {
    /// `of` is what they know it by, such as the name of a file.
    fn reported(self, of: &str) -> CommandError;
}

/// Returns the test runner of a name.
pub(super) fn named_runner(name: &str) -> Result<&'static dyn Runner, CommandError> {
    runners::find(name).ok_or_else(|| {
        let all = runners::RUNNERS.iter();
        let names: Vec<&str> = all.map(|runner| runner.name()).collect();
        let error = CommandError::message(ErrorKind::Usage, format!("there is no runner `{name}`"));
        match nearest(name, &names) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("one of {}", names.join(", "))),
        }
    })
}

/// Returns the test runner of a name, whose tests can be split.
pub(super) fn sharded_runner(name: &str) -> Result<&'static dyn Sharded, CommandError> {
    named_runner(name)?.shards().ok_or_else(|| {
        let all = runners::RUNNERS.iter();
        let names: Vec<&str> = all
            .filter_map(|runner| runner.shards().map(|_| runner.name()))
            .collect();
        let message = format!("the tests of `{name}` cannot be split");
        CommandError::message(ErrorKind::Unsupported, message)
            .hint(format!("those of {} can", names.join(", ")))
    })
}

pub(super) fn no_repository(error: &GitError) -> CommandError {
    let message = error.to_string();
    match error {
        GitError::Refused(words) if words.contains("dubious ownership") => {
            CommandError::message(ErrorKind::Permission, "git does not trust a repository that another user owns")
                .hint("git config --global --add safe.directory '*' (or the folder), or say where state lies with `--dir DIR`")
        }
        GitError::Refused(_) => CommandError::message(ErrorKind::NotFound, message)
            .hint("mend what git complains about, or say where state lies with `--dir DIR`"),
        GitError::NoProgram => CommandError::message(ErrorKind::Unsupported, message)
            .hint("install git, or say where state lies with `--dir DIR`"),
        _ => CommandError::message(ErrorKind::NotFound, message).hint(
            "run it inside a repository, name one with `-C DIR`, or say where state lies with `--dir DIR`",
        ),
    }
}

impl From<StateError> for CommandError {
    fn from(error: StateError) -> Self {
        match error {
            StateError::Write { path, source } => Self::writing(&path, source),
            StateError::Read { path, source } => Self::reading(&path, source),
            StateError::Locked(_) => Self::new(ErrorKind::Locked, error)
                .hint("another maestro is at work on this repository; run the command again when it is done"),
            StateError::Newer { .. } => Self::new(ErrorKind::BadInput, error)
                .hint("install a newer maestro; this one writes nothing here, so nothing is lost"),
            StateError::TooLarge(_) => Self::new(ErrorKind::BadInput, error)
                .hint("ingest the reports in several calls, each with its own --leg"),
            StateError::Encode(_) => Self::internal(error),
            StateError::Damaged { .. } => Self::new(ErrorKind::BadInput, error)
                .hint("`maestro state doctor` says what can be done about it"),
            StateError::Contended { .. } => Self::new(ErrorKind::Locked, error)
                .hint("run the command again, or give it more time with `--deadline`; nothing is lost"),
            StateError::Refused { .. } => Self::new(ErrorKind::Permission, error).hint(
                "nothing is lost: what was to be published is still here. Let CI write the branch and `refs/maestro/*` (in GitHub \
                 Actions `permissions: contents: write`, in rulesets an exception); where commits must be signed, set \
                 `commit.gpgsign` and a key",
            ),
            StateError::Git(error) => git_failure(&error),
            StateError::Forge(error) => error.into(),
        }
    }
}

fn git_failure(error: &GitError) -> CommandError {
    // Git may quote an address or a header; whatever looks like a secret goes.
    let words = error.to_string();
    let words = Redactor::new(&[]).message(&words).unwrap_or(words);
    let new = |kind| CommandError::message(kind, words.clone());
    match error {
        GitError::NoRepository(_) | GitError::NoProgram => no_repository(error),
        GitError::NoRemote(_) => new(ErrorKind::NotFound).hint(
            "add it (`git remote add origin URL`), name another with `--remote` or `state.remote`, or stay on this machine with \
             `maestro state fold --local`",
        ),
        GitError::NotARepository { .. } => new(ErrorKind::NotFound)
            .hint("check the remote's address (`git remote -v`); what is stored here is kept"),
        GitError::Unreachable { .. } => new(ErrorKind::Unavailable)
            .hint("run the command again when the remote answers; what is stored here is kept"),
        GitError::Moving { .. } => new(ErrorKind::Locked).hint("run the command again; nothing is lost"),
        GitError::Denied { .. } => new(ErrorKind::Permission).hint(
            "git's own credentials are used: check that `git push` works here (in GitHub Actions `permissions: contents: write` \
             and `persist-credentials: true`); what is stored here is kept",
        ),
        GitError::CannotWrite(_) => new(ErrorKind::CannotWrite)
            .hint("free some room and run the command again: nothing was half-written"),
        GitError::Io(_) | GitError::NoSuchRef { .. } | GitError::Refused(_) => {
            new(ErrorKind::BadInput)
                .hint("mend what git complains about and run the command again; what is stored here is kept")
        }
    }
}
