//! Runs the commands of agents, and reads the tests that they leave.

use crate::conduct::agents::crew::{Command, Ran, Runner};
use crate::conduct::agents::steps::Abandon;
use crate::ports::{Call, Processes};
use crate::redact::Redactor;

/// Runs commands as they are.
pub(super) struct Plain<'p> {
    pub(super) processes: &'p dyn Processes,
    pub(super) redactor: &'p Redactor,
}

impl Runner for Plain<'_> {
    fn run(&self, command: &Command<'_>) -> Result<Ran, Abandon> {
        let Some((program, rest)) = command.words.split_first() else {
            return Ok(Ran {
                code: Some(127),
                ended: None,
                output: "there is no command".to_owned(),
            });
        };
        let call = Call {
            program: program.into(),
            args: rest.iter().map(Into::into).collect(),
            folder: command.folder.to_path_buf(),
            env: command
                .variables
                .iter()
                .map(|(name, value)| (name.clone(), Some(value.into())))
                .collect(),
            stdin: Vec::new(),
        };
        let done = match self.processes.run(&call) {
            Ok(done) => done,
            Err(error) => {
                return Ok(Ran {
                    code: Some(127),
                    ended: None,
                    output: format!("`{program}` cannot be started: {error}"),
                });
            }
        };
        let mut output = String::from_utf8_lossy(&done.stdout).into_owned();
        output.push_str(&String::from_utf8_lossy(&done.stderr));
        let output = self.redactor.message(&output).unwrap_or(output);
        Ok(Ran {
            code: done.code,
            ended: None,
            output,
        })
    }
}
