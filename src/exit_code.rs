//! Exit codes: a public interface, listed in `docs/reference/exit-codes.md`.
//!
//! Invariant: the code never depends on `--format`, and no other file names a number.

macro_rules! exit_codes {
    ($($name:ident = $code:literal, $meaning:literal;)+) => {
        /// What the process tells its caller. Every number that is not listed is reserved.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum ExitCode {
            $(#[doc = $meaning] $name = $code,)+
        }

        impl ExitCode {
            /// Every code, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// Returns one sentence for people.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$name => $meaning,)+
                }
            }
        }
    };
}

exit_codes! {
    Success = 0, "All done, and every gate passed.";
    Internal = 1, "A fault of maestro itself; please report it.";
    Usage = 2, "The command line was not understood.";
    NothingToDo = 3, "There was nothing to do, and `--require-input` was given.";
    PolicyBlocked = 10, "The policy blocks, or a person has to approve the change first.";
    BudgetExceeded = 11, "A budget cap is reached.";
    FlakeGate = 12, "The flake gate found failures that nothing excuses.";
    AgentRunFailed = 13, "The agent run failed.";
    VerificationFailed = 14, "A signature, digest or record did not verify, or what ran is not what was planned.";
    Unsupported = 15, "This machine or version cannot do what was asked.";
    LintFailed = 16, "A lint or golden test of your configuration or prompts failed.";
    BadInput = 65, "An input file could not be read as what it claims to be, or the stored state is damaged.";
    NotFound = 66, "An input file, folder, repository or revision does not exist.";
    Unavailable = 69, "A network service did not answer, or `--offline` forbids asking it.";
    CannotWrite = 74, "A result could not be written.";
    Locked = 75, "Another process holds the lock; try again.";
    Permission = 77, "A permission is missing.";
    BadConfig = 78, "The configuration is not valid.";
}

impl ExitCode {
    /// Returns the number that the process exits with.
    pub fn code(self) -> u8 {
        self as u8
    }
}

/// What the process answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// A code of maestro's own.
    Own(ExitCode),
    /// The code of a command that ran inside maestro.
    Passed(u8),
}

impl From<Verdict> for std::process::ExitCode {
    fn from(verdict: Verdict) -> Self {
        Self::from(match verdict {
            Verdict::Own(code) => code.code(),
            Verdict::Passed(code) => code,
        })
    }
}
