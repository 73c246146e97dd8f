//! The issues that are there, and what is done about them.

use std::collections::BTreeSet;

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::github::GithubArgs;
use crate::cli::session::Session;
use crate::conduct::github::GitHub;
use crate::conduct::identity::me;
use crate::conduct::upsert::{self, Upserted, issues_of};
use crate::error::CommandError;
use crate::flakes::clusters::{Known, key_of};
use crate::flakes::escalation::{Link, Subject};
use crate::flakes::issue::{LABEL, mark, read_back};
use crate::forge::api::issues::Issue;
use crate::forge::body::{LONGEST, Section, fit};
use crate::forge::problem::ForgeError;
use crate::forge::upsert::{has_key, key, same};

/// What is done about an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(super) enum Step {
    /// It is opened.
    Opened,
    /// Its text changes.
    Updated,
    /// It was closed, and is opened again.
    Reopened,
    /// It says that already.
    Kept,
    /// Somebody closed it, and nothing failed since.
    Rests,
    /// It is closed.
    Closed,
    /// It is opened another time: so many are not opened at once.
    Waits,
}

impl Step {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Updated => "updated",
            Self::Reopened => "reopened",
            Self::Kept => "kept",
            Self::Rests => "rests",
            Self::Closed => "closed",
            Self::Waits => "waits",
        }
    }

    pub(super) fn is_written(self) -> bool {
        matches!(self, Self::Opened | Self::Updated | Self::Reopened)
    }
}

/// The issues of ours that are there.
pub(super) struct Desk<'w> {
    github: GitHub<'w>,
    me: u64,
    /// Oldest first.
    issues: Vec<Issue>,
}

impl<'w> Desk<'w> {
    /// Looks at what is there; a dry run does without GitHub where it is not meant or there is no token.
    pub(super) fn open(
        session: &mut Session<'w>,
        args: &GithubArgs,
        dry_run: bool,
        links: &[Link],
    ) -> Result<Option<Self>, CommandError> {
        let Some((github, whose)) = session.wanted_github(args, dry_run, "escalating")? else {
            return Ok(None);
        };
        let me = me(&github, &whose)?;
        let numbers: BTreeSet<u64> = links.iter().filter_map(|link| link.issue).collect();
        let numbers: Vec<u64> = numbers.into_iter().collect();
        let mut issues = issues_of(&github, LABEL, &numbers)?;
        issues.retain(|issue| issue.user.as_ref().is_some_and(|user| user.id == me));
        Ok(Some(Self { github, me, issues }))
    }

    pub(super) fn repository(&self) -> String {
        self.github.repository.to_string()
    }

    /// Returns the issue of a cluster.
    pub(super) fn find(&self, cluster: &str) -> Option<&Issue> {
        let key = key(&mark(cluster));
        let has_key = |issue: &&Issue| has_key(issue.body.as_deref().unwrap_or_default(), &key);
        self.issues.iter().find(has_key)
    }

    /// Decides what is to be done about the issue of a cluster that stands.
    pub(super) fn step(
        &self,
        link: &Link,
        title: &str,
        text: &str,
        members: &[(&Subject, Option<&str>)],
    ) -> Step {
        let Some(issue) = self.find(&link.cluster) else {
            return Step::Opened;
        };
        if issue.state == "open" {
            let body = issue.body.as_deref().unwrap_or_default();
            let is_same = issue.title == title && same(body, text);
            return if is_same { Step::Kept } else { Step::Updated };
        }
        let is_quarantined = members.iter().any(|(subject, _)| subject.entry.is_some());
        let last = members
            .iter()
            .filter_map(|(subject, _)| subject.failures.last)
            .max();
        let is_news = match (last, issue.closed_at) {
            (Some(last), Some(closed)) => last > closed,
            (last, _) => last.is_some(),
        };
        if is_quarantined || is_news {
            Step::Reopened
        } else {
            Step::Rests
        }
    }

    /// Writes the issue of a cluster.
    pub(super) fn write(
        &self,
        link: &Link,
        title: &str,
        text: &str,
        is_open: bool,
    ) -> Result<Upserted, ForgeError> {
        let number = self.find(&link.cluster).map(|issue| issue.number);
        let new = upsert::Issue {
            title,
            text,
            key: &key(&mark(&link.cluster)),
            label: LABEL,
            number: number.or(link.issue),
            is_open,
        };
        upsert::issue(&self.github, self.me, new)
    }

    /// Keeps a comment on an issue.
    pub(super) fn comment(
        &self,
        number: u64,
        mark: &str,
        sections: &[Section],
    ) -> Result<Upserted, ForgeError> {
        let text = fitted(sections, mark);
        upsert::comment(&self.github, self.me, number, &key(mark), &text)
    }
}

/// Lays out a text that GitHub takes, with the line that marks it as ours.
pub(super) fn fitted(sections: &[Section], mark: &str) -> String {
    let elsewhere = "`maestro flakes report` has all of it.";
    fit(sections, &key(mark), elsewhere, LONGEST).text
}

/// Returns the clusters that are known: from the state, and from issues where the state has lost them.
pub(super) fn known(links: &[Link], desk: Option<&Desk<'_>>) -> Vec<Known> {
    let of_link = |link: &Link| Known {
        id: link.cluster.clone(),
        first_seen: link.first_seen,
        tests: link
            .tests
            .iter()
            .map(|linked| key_of(&linked.suite, &linked.test))
            .collect(),
    };
    let mut known: Vec<Known> = links.iter().map(of_link).collect();
    for issue in desk.into_iter().flat_map(|desk| &desk.issues) {
        let body = issue.body.as_deref().unwrap_or_default();
        let Some((id, tests)) = read_back(body) else {
            continue;
        };
        if has_key(body, &key(&mark(&id))) && !known.iter().any(|one| one.id == id) {
            known.push(Known {
                id,
                first_seen: issue.created_at,
                tests,
            });
        }
    }
    known
}
