//! `maestro state pull`

use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::RemoteArgs;
use crate::cli::session::Session;
use crate::error::CommandResult;
use crate::exit_code::ExitCode;
use crate::flakes::verdict::times;
use crate::output::{Inline, Page, Report};
use crate::state::{Pulled, Remote};

/// Fetch what other machines have stored
///
/// Fetches the state branch and whatever waits in the inbox. Every report reads both, so that nothing has to be folded
/// first. The work tree, the branches and the settings of the repository stay as they are.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  Fetch, then look
    $ maestro state pull

  From another remote
    $ maestro state pull --remote upstream")]
pub(crate) struct PullArgs {
    #[command(flatten)]
    remote: RemoteArgs,
}

pub(super) fn run(session: &mut Session<'_>, args: &PullArgs) -> CommandResult {
    let remote = session.remote(args.remote.remote.as_deref(), args.remote.deadline)?;
    let pulled = remote.pull()?;
    session.render(&PullDocument::new(&remote, &pulled))?;
    Ok(ExitCode::Success)
}

/// What was fetched.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.state-pull/v1"))]
pub(crate) struct PullDocument {
    /// `maestro.state-pull/v1`
    schema: &'static str,
    /// The remote.
    remote: String,
    /// Its state branch.
    branch: String,
    /// The commit of the state branch; nothing when nobody has folded yet.
    commit: Option<String>,
    /// Commits that wait to be folded.
    waiting: u64,
}

impl PullDocument {
    pub(super) fn new(remote: &Remote<'_>, pulled: &Pulled) -> Self {
        Self {
            schema: "maestro.state-pull/v1",
            remote: remote.name(),
            branch: remote.branch().to_owned(),
            commit: pulled.tip.clone(),
            waiting: pulled.waiting,
        }
    }
}

impl Report for PullDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        Ok(serde_json::to_writer(out, self)?)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        page.heading(format!("Fetched the state of {}", self.remote));
        match &self.commit {
            Some(commit) => page.line(vec![
                Inline::Code(self.branch.clone()),
                Inline::Plain(" is at ".into()),
                Inline::Code(commit.clone()),
            ]),
            None => page.line(vec![
                Inline::Plain("there is no ".into()),
                Inline::Code(self.branch.clone()),
                Inline::Plain(" yet; `maestro state fold` makes it".into()),
            ]),
        }
        page.text(format!("{} to be folded", times(self.waiting, "commit")));
        page
    }
}
