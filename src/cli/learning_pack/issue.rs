//! The page as one GitHub issue a week.

use super::PackArgs;
use super::wire::{IssueRow, IssueStep};
use crate::cli::session::Session;
use crate::conduct::github::GitHub;
use crate::conduct::identity::me;
use crate::conduct::upsert::{self, issues_of};
use crate::error::CommandError;
use crate::forge::api::issues::Issue;
use crate::forge::body::{self, LONGEST, fit};
use crate::forge::upsert::{has_key, key, same};
use crate::report::markdown;
use crate::report::organisation::{self, Organisation, repositories};
use crate::report::pack::Pack;
use crate::report::week::Week;

/// By which the issues are found.
const LABEL: &str = "maestro-weekly";

/// What marks the issue of a repository's week, beside its name.
const MARK: &str = "week ";

/// The same of many repositories: both may be kept in one place.
const MARK_OF_MANY: &str = "week of repositories ";

/// What an issue is about.
pub(super) struct Subject {
    mark: &'static str,
    week: String,
    title: String,
    parts: Vec<body::Section>,
}

impl Subject {
    pub(super) fn of_pack(pack: &Pack) -> Self {
        Self {
            mark: MARK,
            title: title(&pack.week, &pack.repository),
            parts: markdown::parts(pack),
            week: pack.week.clone(),
        }
    }

    pub(super) fn of_many(all: &Organisation) -> Self {
        Self {
            mark: MARK_OF_MANY,
            title: title(&all.week, &repositories(all.repositories.len())),
            // No page lies beside an issue.
            parts: organisation::markdown::parts(all, false),
            week: all.week.clone(),
        }
    }
}

/// Keeps the issue of the week, and closes those of earlier weeks; returns what came of it, and the text.
pub(super) fn keep(
    session: &mut Session<'_>,
    args: &PackArgs,
    subject: &Subject,
) -> Result<(IssueRow, String), CommandError> {
    let Subject { mark, week, .. } = subject;
    let key = key(&format!("{mark}{week}"));
    let text = fit(
        &subject.parts,
        &key,
        "`maestro learning-pack` writes all of it.",
        LONGEST,
    )
    .text;
    let title = subject.title.clone();
    let mut row = IssueRow {
        title: title.clone(),
        step: IssueStep::Opened,
        url: None,
        closed: 0,
    };
    let Some((github, whose)) =
        session.wanted_github(&args.github, args.dry_run, "learning-pack --issue")?
    else {
        return Ok((row, text));
    };
    let me = me(&github, &whose)?;
    let mut issues = issues_of(&github, LABEL, &[])?;
    issues.retain(|issue| issue.user.as_ref().is_some_and(|user| user.id == me));
    let found = issues.iter().find(|issue| has_key(text_of(issue), &key));
    if let Some(found) = found {
        let is_kept = same(text_of(found), &text) && found.title == title && found.state == "open";
        row.step = if is_kept {
            IssueStep::Kept
        } else {
            IssueStep::Updated
        };
        row.url = Some(found.html_url.clone());
    }
    let older: Vec<&Issue> = issues
        .iter()
        .filter(|issue| issue.state == "open" && is_older(issue, mark, week))
        .collect();
    row.closed = older.len() as u64;
    if args.dry_run {
        return Ok((row, text));
    }
    let number = found.map(|found| found.number);
    let kept = put(&github, me, (&title, &text, &key), number, true)?;
    row.url = Some(kept);
    for issue in older {
        if let Some(key) = key_of(issue, mark) {
            put(
                &github,
                me,
                (&issue.title, text_of(issue), &key),
                Some(issue.number),
                false,
            )?;
        }
    }
    Ok((row, text))
}

/// Returns the title: foreign text in it stays what it is, GitHub expands nothing there.
fn title(week: &str, of: &str) -> String {
    let number = week.split_once("-W").map_or("", |(_, number)| number);
    format!("Week {} \u{b7} {of}", number.trim_start_matches('0'))
}

fn text_of(issue: &Issue) -> &str {
    issue.body.as_deref().unwrap_or_default()
}

/// Returns the line that marks an issue as that of a week.
fn key_of(issue: &Issue, mark: &str) -> Option<String> {
    week_of(issue, mark).map(|week| key(&format!("{mark}{week}")))
}

fn week_of(issue: &Issue, mark: &str) -> Option<String> {
    let mut lines = text_of(issue).lines();
    lines.find_map(|line| {
        let name = line
            .trim_end()
            .strip_prefix("`maestro: ")?
            .strip_suffix('`')?
            .strip_prefix(mark)?;
        Week::parse(name).map(Week::name)
    })
}

fn is_older(issue: &Issue, mark: &str, week: &str) -> bool {
    week_of(issue, mark).is_some_and(|own| own.as_str() < week)
}

fn put(
    github: &GitHub<'_>,
    me: u64,
    (title, text, key): (&str, &str, &str),
    number: Option<u64>,
    is_open: bool,
) -> Result<String, CommandError> {
    let new = upsert::Issue {
        title,
        text,
        key,
        label: LABEL,
        number,
        is_open,
    };
    Ok(upsert::issue(github, me, new)?.url)
}
