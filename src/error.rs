//! The one error that reaches a user: what failed, why, where, and the way out.
//!
//! Rooms have their own `thiserror` enums; a command turns them into a [`CommandError`] here, at the boundary.
//! Invariant: nothing here prints a backtrace, each kind has exactly one exit code, and each error names a way out.

use std::io;
use std::ops::Deref;
use std::path::Path;

use crate::exit_code::ExitCode;

/// What whoever meets a fault of ours can do.
const REPORT_IT: &str = "this is a fault of maestro: please report it with these lines and what `maestro --version` says";

/// What kind of trouble it is; decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    Internal,
    Usage,
    BadInput,
    NotFound,
    Unavailable,
    CannotWrite,
    Locked,
    Permission,
    BadConfig,
    Unsupported,
    /// A gate of tests that failed.
    FlakeGate,
    /// A cap is reached.
    Budget,
    /// A document that is not to be believed.
    Verification,
    /// Agents did not come to the end of their work.
    AgentRun,
    /// The policy blocks, or wants a person's approval.
    Policy,
}

impl ErrorKind {
    pub(crate) fn exit_code(self) -> ExitCode {
        match self {
            Self::Internal => ExitCode::Internal,
            Self::Usage => ExitCode::Usage,
            Self::BadInput => ExitCode::BadInput,
            Self::NotFound => ExitCode::NotFound,
            Self::Unavailable => ExitCode::Unavailable,
            Self::CannotWrite => ExitCode::CannotWrite,
            Self::Locked => ExitCode::Locked,
            Self::Permission => ExitCode::Permission,
            Self::BadConfig => ExitCode::BadConfig,
            Self::Unsupported => ExitCode::Unsupported,
            Self::FlakeGate => ExitCode::FlakeGate,
            Self::Budget => ExitCode::BudgetExceeded,
            Self::Verification => ExitCode::VerificationFailed,
            Self::AgentRun => ExitCode::AgentRunFailed,
            Self::Policy => ExitCode::PolicyBlocked,
        }
    }

    /// Returns the word that machine-readable errors carry.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Internal => "internal",
            Self::Usage => "usage",
            Self::BadInput => "bad-input",
            Self::NotFound => "not-found",
            Self::Unavailable => "unavailable",
            Self::CannotWrite => "cannot-write",
            Self::Locked => "locked",
            Self::Permission => "permission",
            Self::BadConfig => "bad-config",
            Self::Unsupported => "unsupported",
            Self::FlakeGate => "flake-gate",
            Self::Budget => "budget",
            Self::Verification => "verification",
            Self::AgentRun => "agent-run",
            Self::Policy => "policy",
        }
    }
}

/// A failure of a command, with its causes and hints. It is one pointer, as every `?` on the way up moves it.
#[derive(Debug)]
pub(crate) struct CommandError(Box<Failure>);

/// What a [`CommandError`] tells.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: ErrorKind,
    pub(crate) error: anyhow::Error,
    pub(crate) hints: Vec<String>,
    /// A source excerpt with a caret, already laid out as plain text, where the trouble has a place in a file.
    pub(crate) excerpt: Option<String>,
}

impl Deref for CommandError {
    type Target = Failure;

    fn deref(&self) -> &Failure {
        &self.0
    }
}

pub(crate) type CommandResult = Result<ExitCode, CommandError>;

/// A failure for which nobody has named a way out yet. Only [`Unhinted::hint`] makes an error of it, so that the compiler
/// refuses an error without one.
#[must_use = "name the way out with `hint`"]
pub(crate) struct Unhinted(CommandError);

impl Unhinted {
    /// Names the way out.
    pub(crate) fn hint(self, hint: impl Into<String>) -> CommandError {
        self.0.hint(hint)
    }

    pub(crate) fn excerpt(self, excerpt: String) -> Self {
        Self(self.0.excerpt(excerpt))
    }
}

impl CommandError {
    #[expect(
        clippy::new_ret_no_self,
        reason = "an error is one when it has a way out"
    )]
    pub(crate) fn new(kind: ErrorKind, error: impl Into<anyhow::Error>) -> Unhinted {
        Self::told(kind, error.into())
    }

    fn told(kind: ErrorKind, error: anyhow::Error) -> Unhinted {
        Unhinted(Self(Box::new(Failure {
            kind,
            error,
            hints: Vec::new(),
            excerpt: None,
        })))
    }

    /// Returns what it tells, to be taken apart.
    pub(crate) fn into_failure(self) -> Failure {
        *self.0
    }

    pub(crate) fn message(kind: ErrorKind, message: impl Into<String>) -> Unhinted {
        Self::new(kind, anyhow::Error::msg(message.into()))
    }

    /// A fault of maestro's own: nobody who meets it can do more than tell us.
    pub(crate) fn internal(error: impl Into<anyhow::Error>) -> Self {
        Self::new(ErrorKind::Internal, error).hint(REPORT_IT)
    }

    pub(crate) fn of_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hints.push(hint.into());
        self
    }

    pub(crate) fn excerpt(mut self, excerpt: String) -> Self {
        self.0.excerpt = Some(excerpt);
        self
    }

    /// A file that could not be read.
    pub(crate) fn reading(path: &Path, error: io::Error) -> Self {
        let (kind, hint) = match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => (
                ErrorKind::NotFound,
                "check the spelling, and from which folder the path is meant",
            ),
            io::ErrorKind::PermissionDenied => {
                (ErrorKind::Permission, "check who may read it (`ls -l`)")
            }
            io::ErrorKind::IsADirectory => (ErrorKind::BadInput, "name a file in that folder"),
            io::ErrorKind::InvalidData => (ErrorKind::BadInput, "give a text file in UTF-8"),
            _ => (
                ErrorKind::BadInput,
                "check what it is (`ls -l`); nothing was read of it",
            ),
        };
        let failure =
            anyhow::Error::new(error).context(format!("cannot read `{}`", path.display()));
        Self::new(kind, failure).hint(hint)
    }

    /// Standard output that took no more.
    pub(crate) fn output(error: io::Error) -> Self {
        let failure = anyhow::Error::new(error).context("cannot write to standard output");
        Self::new(ErrorKind::CannotWrite, failure)
            .hint("the output is incomplete: free some room, or send it elsewhere")
    }

    /// A result that could not be written.
    pub(crate) fn writing(path: &Path, error: io::Error) -> Self {
        let hint = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                "the disk is full; free some room and run the command again: nothing was half-written"
            }
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                "nothing can be written there; mend the permissions, or choose another place"
            }
            _ => "nothing was half-written; mend the cause and run the command again",
        };
        let failure =
            anyhow::Error::new(error).context(format!("cannot write `{}`", path.display()));
        Self::new(ErrorKind::CannotWrite, failure).hint(hint)
    }
}
