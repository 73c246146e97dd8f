//! Runs the commands of agents: shut in, with an environment of their own.

use std::path::{Path, PathBuf};

use crate::agents::canaries::Canaries;
use crate::agents::environment::{Places, scrub};
use crate::conduct::agents::crew::{Command, Ran, Runner};
use crate::conduct::agents::steps::Abandon;
use crate::ports::Files;
use crate::ports::sandbox::{Confined, Ended, How, Limit, Limits, Network, Sandbox, Shield};
use crate::redact::Redactor;

/// What confined programs are given.
pub(super) struct Cell<'c> {
    pub(super) sandbox: &'c dyn Sandbox,
    pub(super) files: &'c dyn Files,
    pub(super) shield: Shield,
    /// The environment of this process.
    pub(super) own: &'c [(String, String)],
    /// Variables that are passed on as well.
    pub(super) asked: &'c [String],
    /// Folders that may be read as well.
    pub(super) shown: &'c [PathBuf],
    /// Decoys.
    pub(super) canaries: &'c Canaries,
    /// Where homes and work trees are.
    pub(super) root: &'c Path,
    /// Of the run.
    pub(super) folder: &'c Path,
    /// Of the user's repository.
    pub(super) common_dir: &'c Path,
    pub(super) redactor: &'c Redactor,
}

impl Cell<'_> {
    /// Returns a program with all that it may know, touch and use.
    pub(super) fn confined(
        &self,
        task: &str,
        folder: &Path,
        words: &[String],
        network: Network,
        given: &[(String, String)],
    ) -> Result<Confined, Abandon> {
        let home = self.root.join("home").join(task);
        let temporary = self.root.join("tmp").join(task);
        for folder in [&home, &temporary] {
            self.files.create_folder(folder).map_err(|error| {
                Abandon::trouble("a folder for a command cannot be made", error)
            })?;
        }
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let (home_text, temporary_text, tree) = (text(&home), text(&temporary), text(folder));
        let places = Places {
            home: &home_text,
            temporary: &temporary_text,
            tree: &tree,
        };
        let decoys = self.canaries.environment();
        let mut all: Vec<(String, String)> = decoys
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        all.extend_from_slice(given);
        let scrubbed = scrub(self.own, self.asked, places, &all);
        let mut readable: Vec<PathBuf> = scrubbed.tools.iter().map(PathBuf::from).collect();
        readable.extend_from_slice(self.shown);
        readable.push(self.folder.join("store.git"));
        readable.push(self.common_dir.join("objects"));
        let real_home = self.own.iter().find(|(name, _)| name == "HOME");
        let mut hidden: Vec<PathBuf> = real_home.map(|(_, home)| home.into()).into_iter().collect();
        hidden.push(self.folder.join("key"));
        let (program, args) = words
            .split_first()
            .map_or(("false", &[][..]), |(first, rest)| (first.as_str(), rest));
        Ok(Confined {
            shield: self.shield,
            program: program.to_owned(),
            args: args.to_vec(),
            folder: folder.to_path_buf(),
            env: scrubbed.variables,
            readable,
            writable: vec![folder.to_path_buf(), home, temporary],
            hidden,
            network,
            limits: Limits::default(),
            ..Confined::default()
        })
    }

    /// Runs it.
    pub(super) fn run(&self, confined: &Confined) -> Result<Ran, Abandon> {
        use crate::ports::sandbox::SandboxProblem;
        match self.sandbox.run(confined) {
            Ok(ended) => Ok(self.ran(&ended)),
            Err(SandboxProblem::NotStarted { program, why }) => Ok(Ran {
                code: Some(127),
                ended: None,
                output: format!("`{program}` cannot be started: {why}"),
            }),
            Err(problem) => Err(Abandon::trouble("a command cannot be run", problem)),
        }
    }

    fn ran(&self, ended: &Ended) -> Ran {
        let mut output = ended.stdout.text();
        let errors = ended.stderr.text();
        if !output.is_empty() && !output.ends_with('\n') && !errors.is_empty() {
            output.push('\n');
        }
        output.push_str(&errors);
        let output = self.canaries.hide(&output);
        let output = self.redactor.message(&output).unwrap_or(output);
        let (code, signal) = match ended.how {
            How::Exited(code) => (Some(code), None),
            How::Killed(signal) => (None, Some(signal)),
        };
        let limit = ended.limit.map(|limit| {
            let what = match limit {
                Limit::Time => "time",
                Limit::Cpu => "processor time",
                Limit::Memory => "memory",
                Limit::Processes => "processes",
                Limit::FileSize => "room in a file",
                Limit::Disk => "room on the disk",
            };
            format!("ended: it used more {what} than it may")
        });
        Ran {
            code: if limit.is_some() { None } else { code },
            ended: limit.or_else(|| signal.map(|signal| format!("ended by signal {signal}"))),
            output,
        }
    }
}

impl Runner for Cell<'_> {
    fn run(&self, command: &Command<'_>) -> Result<Ran, Abandon> {
        let confined = self.confined(
            command.task,
            command.folder,
            command.words,
            Network::None,
            command.variables,
        )?;
        self.run(&confined)
    }
}
