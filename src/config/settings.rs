//! Settings with their origin, and the table of all names that decide them.

/// Where a setting's value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    Flag(&'static str),
    Environment(&'static str),
    File(String),
    Default,
}

impl Origin {
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Flag(name) => format!("flag {name}"),
            Self::Environment(name) => format!("environment {name}"),
            Self::File(path) => format!("file {path}"),
            Self::Default => "default".into(),
        }
    }
}

/// A value with its origin.
#[derive(Debug, Clone)]
pub(crate) struct Setting<T> {
    pub(crate) value: T,
    pub(crate) origin: Origin,
}

/// A setting's names.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    pub(crate) key: &'static str,
    pub(crate) flag: &'static str,
    pub(crate) variable: &'static str,
    /// Whether the configuration file may set it, under `key`.
    pub(crate) in_file: bool,
    pub(crate) what: &'static str,
}

macro_rules! known {
    ($($key:literal, $flag:literal, $variable:literal, $in_file:literal, $what:literal;)+) => {
        /// Every setting that has more than one source.
        pub(crate) const KNOWN: &[Known] = &[$(Known {
            key: $key, flag: $flag, variable: $variable, in_file: $in_file, what: $what,
        }),+];
    };
}

known! {
    "repo", "--repo", "MAESTRO_REPO", false, "Folder to work in.";
    "dir", "--dir", "MAESTRO_DIR", false, "The `.maestro` folder; without a git repository, state lies there too.";
    "output.format", "--format", "MAESTRO_FORMAT", true, "How results are written to standard output.";
    "output.color", "--color", "MAESTRO_COLOR", true, "When to colour.";
    "output.log_format", "--log-format", "MAESTRO_LOG_FORMAT", true, "How messages on standard error look.";
    "now", "--now", "MAESTRO_NOW", false, "The time to use instead of the clock's.";
    "offline", "--offline", "MAESTRO_OFFLINE", false, "Whether to refuse every use of the network.";
    "state.redact", "", "MAESTRO_REDACT", true, "Whether secrets are taken out of test messages before they are written.";
    "state.remote", "--remote", "MAESTRO_REMOTE", true, "The git remote that the state is shared through.";
    "state.branch", "", "MAESTRO_STATE_BRANCH", true, "The branch that holds the folded state.";
    "run", "--run", "MAESTRO_RUN", false, "Name of the CI run that reports are from (else `GITHUB_RUN_ID`, else a digest of the reports).";
    "attempt", "--attempt", "MAESTRO_ATTEMPT", false, "Which try of the run (else `GITHUB_RUN_ATTEMPT`, else 1).";
    "job", "--job", "MAESTRO_JOB", false, "The job that reports are from (else `GITHUB_JOB`).";
    "leg", "--leg", "MAESTRO_LEG", false, "Shard or matrix axes of the job.";
    "commit", "--commit", "MAESTRO_COMMIT", false, "The commit that was tested (else `GITHUB_SHA`, else HEAD).";
    "signing_key", "--key", "MAESTRO_SIGNING_KEY", false, "The private key that `provenance sign` signs with, in PEM form; the flag takes the file that holds it.";
    "trusted", "--trusted", "MAESTRO_TRUSTED", false, "The quarantine that the plan hands on (its output `trusted`), for jobs without credentials.";
    "branch", "--branch", "MAESTRO_BRANCH", false, "The branch that was tested (else `GITHUB_HEAD_REF` or `GITHUB_REF_NAME`, else the one checked out).";
}

/// Picks the first source that has a value.
pub(crate) fn choose<T>(
    flag: Option<T>,
    flag_name: &'static str,
    environment: Option<T>,
    variable: &'static str,
    file: Option<(T, &str)>,
    default: T,
) -> Setting<T> {
    if let Some(value) = flag {
        return Setting {
            value,
            origin: Origin::Flag(flag_name),
        };
    }
    if let Some(value) = environment {
        return Setting {
            value,
            origin: Origin::Environment(variable),
        };
    }
    match file {
        Some((value, path)) => Setting {
            value,
            origin: Origin::File(path.to_owned()),
        },
        None => Setting {
            value: default,
            origin: Origin::Default,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pick(flag: Option<u8>, environment: Option<u8>, file: Option<u8>) -> (u8, Origin) {
        let file = file.map(|value| (value, "f.yaml"));
        let setting = choose(flag, "--x", environment, "X", file, 0);
        (setting.value, setting.origin)
    }

    #[test]
    fn a_flag_wins_over_the_environment_the_file_and_the_default() {
        assert_eq!(pick(Some(3), Some(2), Some(1)), (3, Origin::Flag("--x")));
        assert_eq!(pick(None, Some(2), Some(1)), (2, Origin::Environment("X")));
        assert_eq!(
            pick(None, None, Some(1)),
            (1, Origin::File("f.yaml".into()))
        );
        assert_eq!(pick(None, None, None), (0, Origin::Default));
    }
}
