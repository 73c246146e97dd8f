//! What the demo runs: this binary and others, in surroundings of their own.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use super::{Demo, Runner};
use crate::error::{CommandError, ErrorKind};
use crate::ports::{Call, Finished};

impl Demo<'_, '_> {
    pub(super) fn maestro_call(&self, args: &[&str]) -> Call {
        let program = self.maestro.clone();
        self.prepare(program, args, &self.repository)
    }

    pub(super) fn call(&self, program: &str, args: &[&str], folder: &Path) -> io::Result<Finished> {
        let call = self.prepare(program, args, folder);
        self.session.world.processes.run(&call)
    }

    /// Prepares a child whose surroundings are the demo's own: what points at another repository, target folder or CI run
    /// is taken away.
    pub(super) fn prepare(
        &self,
        program: impl Into<OsString>,
        args: &[&str],
        folder: &Path,
    ) -> Call {
        let mut env: Vec<(String, Option<OsString>)> = Vec::new();
        for (name, _) in self.session.world.environment.vars() {
            let foreign = [
                "CARGO_PKG_",
                "CARGO_BIN_",
                "CARGO_BUILD_",
                "GITHUB_",
                "MAESTRO_",
                "NEXTEST",
            ];
            let exact = [
                "CARGO_TARGET_DIR",
                "CARGO_MANIFEST_DIR",
                "CARGO_MANIFEST_PATH",
                "CARGO_ENCODED_RUSTFLAGS",
                "CARGO",
                "GIT_DIR",
                "GIT_WORK_TREE",
                "GIT_INDEX_FILE",
                "GIT_PREFIX",
                "GIT_COMMON_DIR",
                "RUSTFLAGS",
            ];
            if foreign.iter().any(|prefix| name.starts_with(prefix))
                || exact.contains(&name.as_str())
            {
                env.push((name, None));
            }
        }
        env.push((
            "RUSTC_BOOTSTRAP".into(),
            match self.runner {
                Runner::Nextest => None,
                Runner::CargoTest => Some("1".into()),
            },
        ));
        if let Some(now) = self.session.settings.now.value {
            // Two demos with the same fixed time make the same commits.
            for name in ["GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"] {
                env.push((name.into(), Some(now.to_string().into())));
            }
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
