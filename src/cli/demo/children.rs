//! What the demo runs: this binary and others, in surroundings of their own.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use super::Demo;
use crate::error::{CommandError, ErrorKind};
use crate::ports::{Call, Finished};

/// What points at another repository, target folder, CI run, account or collector: names, and how names begin.
const FOREIGN: [&str; 17] = [
    "CARGO",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_PATH",
    "CARGO_TARGET_DIR",
    "CLICOLOR_FORCE",
    "GH_TOKEN",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_WORK_TREE",
    "RUSTFLAGS",
    "RUST_BACKTRACE",
    "SHARD",
    "SHARD_INDEX",
    "SHARD_TOTAL",
];
const FOREIGN_PREFIXES: [&str; 9] = [
    "ANTHROPIC_",
    "CARGO_BIN_",
    "CARGO_BUILD_",
    "CARGO_PKG_",
    "GITHUB_",
    "MAESTRO_",
    "NEXTEST",
    "OPENAI_",
    "OTEL_",
];

impl Demo<'_, '_> {
    pub(super) fn maestro_call(&self, args: &[&str]) -> Call {
        let program = self.maestro.clone();
        self.prepare(program, args, &self.folder)
    }

    pub(super) fn call(&self, program: &str, args: &[&str], folder: &Path) -> io::Result<Finished> {
        let call = self.prepare(program, args, folder);
        self.session.world.processes.run(&call)
    }

    /// Prepares a child whose surroundings are the demo's own.
    pub(super) fn prepare(
        &self,
        program: impl Into<OsString>,
        args: &[&str],
        folder: &Path,
    ) -> Call {
        let mut env: Vec<(String, Option<OsString>)> = Vec::new();
        for (name, _) in self.session.world.environment.vars() {
            let is_foreign = FOREIGN_PREFIXES
                .iter()
                .any(|prefix| name.starts_with(prefix))
                || FOREIGN.contains(&name.as_str());
            if is_foreign {
                env.push((name, None));
            }
        }
        let mut set = |name: &str, value: OsString| env.push((name.to_owned(), Some(value)));
        // Nobody's own settings of git, language or colour change what is shown.
        set("GIT_CONFIG_GLOBAL", "/dev/null".into());
        set("GIT_CONFIG_NOSYSTEM", "1".into());
        set("LC_ALL", "C".into());
        set("NO_COLOR", "1".into());
        set("NO_PROXY", "127.0.0.1,localhost".into());
        set("MAESTRO", self.maestro.clone().into());
        if self.session.settings.offline.value {
            set("CARGO_NET_OFFLINE", "true".into());
        }
        if let Some(now) = self.session.settings.now.value {
            // Two demos with the same fixed time make the same commits. Each act is a minute later than the one before: what happened is in the past.
            let now = now.saturating_add(SignedDuration::from_mins(self.act));
            let now = now.unwrap_or(Timestamp::MAX);
            for name in ["MAESTRO_NOW", "GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"] {
                set(name, now.to_string().into());
            }
        }
        for (name, value) in &self.variables {
            set(name, value.into());
        }
        Call {
            program: program.into(),
            args: args.iter().map(OsString::from).collect(),
            folder: folder.to_path_buf(),
            env,
            stdin: Vec::new(),
        }
    }
}

pub(super) fn missing(program: &str, error: io::Error) -> CommandError {
    let failure = anyhow::Error::new(error).context(format!("cannot run `{program}`"));
    CommandError::new(ErrorKind::Unsupported, failure)
        .hint(format!("install {program}, or put it on the PATH"))
}

/// Returns a command as a shell takes it.
pub(super) fn command_line(program: &str, args: &[&str]) -> String {
    let quote = |word: &str| {
        let is_plain = !word.is_empty()
            && word
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_./=:,+@".contains(&b));
        if is_plain {
            word.to_owned()
        } else {
            format!("'{}'", word.replace('\'', "'\\''"))
        }
    };
    std::iter::once(&program)
        .chain(args)
        .map(|word| quote(word))
        .collect::<Vec<_>>()
        .join(" ")
}
