//! A change of the quarantine as a pull request, instead of an edit of the work tree.

use std::collections::BTreeMap;

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::github::GithubArgs;
use crate::cli::session::Session;
use crate::cli::trouble::Reported;
use crate::conduct::github::GitHub;
use crate::conduct::identity::me;
use crate::conduct::propose::{Outcome, Place, Standing, look};
use crate::conduct::upsert::Pull;
use crate::error::{CommandError, ErrorKind};
use crate::flakes::proposal::{rebase, text};
use crate::flakes::quarantine::{PATH, Quarantine};
use crate::forge::body::{LONGEST, fit};
use crate::forge::upsert::key;

/// The branch, always the same one: there is one pull request at most.
const BRANCH: &str = "maestro/quarantine";

const SUBJECT: &str = "Change the quarantine of flaky tests";

const PLACE: Place<'static> = Place {
    branch: BRANCH,
    path: PATH,
    subject: SUBJECT,
};

#[derive(Debug, clap::Args)]
pub(super) struct PullArgs {
    /// Propose it by a pull request of the branch `maestro/quarantine`, and edit nothing here
    #[arg(long)]
    pub(super) pull_request: bool,

    #[command(flatten)]
    github: GithubArgs,
}

/// The pull request of the quarantine.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(super) struct PullRow {
    /// `proposed`, or `nothing` when the default branch says it already.
    state: &'static str,
    /// Its number, where there is one.
    number: Option<u64>,
    url: Option<String>,
}

/// Who proposed a test before, by suite and test: the number of a pull request that somebody closed.
pub(super) type Rejected = BTreeMap<(String, String), u64>;

/// A quarantine that is to be proposed.
pub(super) struct Proposal<'w> {
    github: GitHub<'w>,
    me: u64,
    standing: Standing,
    /// What the default branch has.
    onto: Quarantine,
    /// What is proposed: what waits already, and the change.
    pub(super) quarantine: Quarantine,
    pub(super) rejected: Rejected,
}

fn parsed(bytes: &[u8], of: &str) -> Result<Quarantine, CommandError> {
    Quarantine::read(bytes).map_err(|problem| problem.reported(&format!("`{PATH}` of {of}")))
}

impl<'w> Proposal<'w> {
    pub(super) fn open(
        session: &Session<'w>,
        args: &PullArgs,
        with_rejected: bool,
    ) -> Result<Self, CommandError> {
        let (github, whose) = session.needed_github(&args.github, "--pull-request")?;
        let me = me(&github, &whose)?;
        let standing = look(&github, PLACE, with_rejected)?;
        let onto = parsed(&standing.file, &standing.base)?;
        let quarantine = match standing.waiting() {
            Some(waiting) => {
                let before = parsed(&waiting.before, BRANCH)?;
                rebase(&onto, &before, &parsed(&waiting.after, BRANCH)?)
            }
            None => onto.clone(),
        };
        let mut rejected = Rejected::new();
        for closed in &standing.rejected {
            // A proposal that cannot be read any more rejects nothing.
            let before = Quarantine::read(&closed.before).unwrap_or_default();
            let after = Quarantine::read(&closed.after).unwrap_or_default();
            for entry in after.tests {
                if let (None, Some(number)) =
                    (before.find(&entry.suite, &entry.test), closed.number)
                {
                    rejected.entry((entry.suite, entry.test)).or_insert(number);
                }
            }
        }
        Ok(Self {
            github,
            me,
            standing,
            onto,
            quarantine,
            rejected,
        })
    }

    /// Opens the pull request, or brings it up to date.
    pub(super) fn propose(&self) -> Result<PullRow, CommandError> {
        let bytes = self.quarantine.write();
        let bytes = bytes.map_err(CommandError::internal)?;
        let is_same = self.quarantine == self.onto;
        let file = if is_same { &self.standing.file } else { &bytes };
        let key = key("quarantine");
        let elsewhere = "The change itself has all of it.";
        let text = fit(
            &text(&self.onto, &self.quarantine),
            &key,
            elsewhere,
            LONGEST,
        )
        .text;
        let pull = Pull {
            title: SUBJECT,
            text: &text,
            key: &key,
            head: BRANCH,
            base: &self.standing.base,
            is_draft: false,
        };
        match self
            .standing
            .propose(&self.github, self.me, PLACE, file, pull)?
        {
            Outcome::Nothing => Ok(PullRow {
                state: "nothing",
                number: None,
                url: None,
            }),
            Outcome::Proposed(kept) => Ok(PullRow {
                state: "proposed",
                number: Some(kept.id),
                url: Some(kept.url),
            }),
            Outcome::Foreign => {
                let message = format!("somebody else has pushed to the branch `{BRANCH}`");
                Err(CommandError::message(ErrorKind::BadInput, message).hint(
                    "merge or close its pull request first: nothing of theirs is overwritten",
                ))
            }
        }
    }
}

impl PullRow {
    /// Returns what people read.
    pub(super) fn sentence(&self) -> String {
        match (self.number, &self.url) {
            (Some(number), Some(url)) => format!("Pull request #{number}: {url}"),
            _ => "The default branch says it already: no pull request was opened.".to_owned(),
        }
    }
}
