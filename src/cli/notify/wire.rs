//! `maestro.notify/v1`: who was told what, and why of the rest nobody is.

use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::channel::Fault;
use crate::config::notify::NotifyFile;
use crate::notify::Chosen;
use crate::output::{Inline, Page, Report};

/// Who was told what.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.notify/v1"))]
pub(crate) struct NotifyDocument {
    /// `maestro.notify/v1`
    schema: &'static str,
    dry_run: bool,
    /// Whether samples were sent.
    test: bool,
    channels: Vec<ChannelRow>,
}

/// A channel, and what it was told.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct ChannelRow {
    /// `slack`, `teams` or `webhook`.
    to: &'static str,
    /// The variable that has its address.
    url_env: String,
    /// `told`, `would-tell` (with `--dry-run`), `nothing` (there is no news), `left-out` (its variable is not set, or `--offline`) or `not-told` (it was not reached).
    state: &'static str,
    /// What went wrong.
    problem: Option<String>,
    notices: Vec<NoticeRow>,
    /// Notices that are for the next time: there were too many.
    waiting: u64,
    /// Events that it hears of, of which there is nothing to tell.
    quiet: Vec<QuietRow>,
}

/// A notice.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct NoticeRow {
    /// As `on:` names it; `test` for a sample.
    event: &'static str,
    title: String,
    lines: Vec<String>,
    link: Option<String>,
    /// By what it is told once.
    keys: Vec<String>,
    /// Whether it was taken.
    told: bool,
}

/// An event of which there is nothing to tell.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct QuietRow {
    /// As `on:` names it.
    event: &'static str,
    why: String,
    /// When it would be told.
    when: &'static str,
    /// Once per what.
    once: &'static str,
}

impl ChannelRow {
    pub(super) fn new(
        file: &NotifyFile,
        chosen: Chosen,
        taken: usize,
        fault: Option<Fault>,
        is_dry: bool,
    ) -> Self {
        let is_empty = chosen.notices.is_empty();
        let (state, problem) = match fault {
            Some(Fault::NotSet(words)) => ("left-out", Some(words)),
            Some(Fault::Unreached(words)) => ("not-told", Some(words)),
            None if is_empty => ("nothing", None),
            None if is_dry => ("would-tell", None),
            None => ("told", None),
        };
        let notices = chosen.notices.into_iter().enumerate();
        let notices = notices.map(|(at, notice)| NoticeRow {
            event: notice.event,
            title: notice.title,
            lines: notice.lines,
            link: notice.link,
            keys: notice.keys.into_iter().collect(),
            told: at < taken,
        });
        let quiet = chosen.quiet.into_iter();
        Self {
            to: file.to.word(),
            url_env: file.url_env.clone(),
            state,
            problem,
            notices: notices.collect(),
            waiting: chosen.waiting,
            quiet: quiet
                .map(|(known, why)| QuietRow {
                    event: known.name,
                    why,
                    when: known.when,
                    once: known.once,
                })
                .collect(),
        }
    }

    pub(super) fn was_told(&self) -> bool {
        self.notices.iter().any(|notice| notice.told)
    }

    pub(super) fn was_not_reached(&self) -> bool {
        self.state == "not-told"
    }

    pub(super) fn name(&self) -> String {
        format!("{} ({})", self.to, self.url_env)
    }

    pub(super) fn problem(&self) -> &str {
        self.problem.as_deref().unwrap_or_default()
    }
}

impl NotifyDocument {
    pub(super) fn new(channels: Vec<ChannelRow>, dry_run: bool, test: bool) -> Self {
        Self {
            schema: "maestro.notify/v1",
            dry_run,
            test,
            channels,
        }
    }
}

impl Report for NotifyDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        Ok(serde_json::to_writer(out, self)?)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        if self.channels.is_empty() {
            page.text("Nobody is told: the configuration names no channel.");
        }
        for row in &self.channels {
            channel(row, &mut page, true);
        }
        page
    }

    fn outputs(&self) -> Vec<(String, String)> {
        let notices = self.channels.iter().flat_map(|row| &row.notices);
        let told = notices.filter(|notice| notice.told).count();
        vec![("told".to_owned(), told.to_string())]
    }
}

/// Says what channels were told, below the page of another command; those that were told nothing are left out.
pub(crate) fn page(rows: &[ChannelRow], page: &mut Page) {
    for row in rows
        .iter()
        .filter(|row| row.was_told() || row.was_not_reached())
    {
        channel(row, page, false);
    }
}

fn channel(row: &ChannelRow, page: &mut Page, says_why: bool) {
    let state = match row.state {
        "would-tell" => "would be told",
        "nothing" => "there is nothing to tell",
        "left-out" => "is left out",
        "not-told" => "was not told",
        state => state,
    };
    let problem = row.problem.as_ref().map(|words| format!(": {words}"));
    page.heading(format!(
        "{}: {state}{}",
        row.name(),
        problem.unwrap_or_default()
    ));
    for notice in &row.notices {
        page.line(vec![
            Inline::Plain(format!("{} ", notice.event)),
            Inline::Code(notice.title.clone()),
        ]);
        if says_why {
            for line in &notice.lines {
                page.line(vec![
                    Inline::Plain("\u{2022} ".to_owned()),
                    Inline::Code(line.clone()),
                ]);
            }
        }
    }
    if row.waiting > 0 {
        page.text(format!("{} more for the next time.", row.waiting));
    }
    if says_why {
        for quiet in &row.quiet {
            page.line(vec![
                Inline::Plain(format!("{}: ", quiet.event)),
                Inline::Code(quiet.why.clone()),
                Inline::Plain(format!(" (told when {})", quiet.when)),
            ]);
        }
    }
}
