//! `--repos FILE`: the page of each repository of a list, and one page of all. What is stored of them is read, and nothing of theirs is written.

use std::path::Path;

use super::gather::{Gathered, Sources, gather, spans};
use super::issue::{self, Subject};
use super::wire::{Around, ToldOfMany};
use super::{Files, PackArgs, clean, json, show_issue};
use crate::cli::dora::Stored;
use crate::cli::dora::listed::{List, Once, Place, notes, verdict};
use crate::cli::session::Session;
use crate::delivery::pool::Repository;
use crate::delivery::repositories::{Listed, Unread};
use crate::delivery::table::Rows;
use crate::error::{CommandError, CommandResult};
use crate::forge::repository::api_of_host;
use crate::redact::Redactor;
use crate::report;
use crate::report::facts::{Delivery, Known, merges};
use crate::report::organisation::{Facts, Member, Organisation, PAGE, Read, organisation};
use crate::report::sections::brief;
use crate::report::week::Week;

/// The caps of a clone are those of its head.
const HEAD: &str = "HEAD";

/// What is read of all repositories, one after the other.
struct Reading<'a> {
    week: Week,
    redactor: &'a Redactor,
    once: Once,
    /// Rows of those that were read.
    pool: Vec<Repository>,
    shallow: usize,
    /// Of which git alone tells.
    bare: usize,
}

pub(super) fn run(
    session: &mut Session<'_>,
    args: &PackArgs,
    file: &Path,
    week: Week,
) -> CommandResult {
    let redactor = Redactor::new(&session.world.environment.vars());
    let mut files = Files::new(session, args)?;
    let list = List::open(session, file)?;
    let mut reading = Reading {
        week,
        redactor: &redactor,
        once: Once::default(),
        pool: Vec::new(),
        shallow: 0,
        bare: 0,
    };
    let mut members = Vec::with_capacity(list.listed.len());
    for one in &list.listed {
        members.push(reading.take(session, &list, one));
    }
    let delivery = reading.delivery(session)?;
    let facts = Facts {
        week,
        now: session.now(),
        list: file.display().to_string(),
        members,
        delivery,
    };
    let all = organisation(&facts, &|text| clean(&redactor, text));
    write(session, &mut files, &facts, &all)?;
    let issue = if args.issue {
        Some(issue::keep(session, args, &Subject::of_many(&all))?)
    } else {
        None
    };
    let (issue, text) = issue.unzip();
    let told = ToldOfMany {
        all: &all,
        around: Around {
            dry_run: args.dry_run,
            files: files.shown,
            issue,
        },
    };
    session.render(&told)?;
    show_issue(session, args, text)?;
    let unread = facts.members.iter().filter_map(|one| {
        let why = one.found.as_ref().err()?;
        Some((one.line, one.path.as_str(), why))
    });
    verdict(session, file, facts.members.len(), unread)
}

/// Writes the page of each repository, and then that of all, whose links then lead somewhere.
fn write(
    session: &Session<'_>,
    files: &mut Files,
    facts: &Facts,
    all: &Organisation,
) -> Result<(), CommandError> {
    for (member, row) in facts.members.iter().zip(&all.repositories) {
        if let (Ok(read), Some(stem)) = (&member.found, &row.page) {
            files.put(session, stem, "md", &report::markdown::page(&read.pack))?;
            files.put(session, stem, "html", &report::html::page(&read.pack))?;
        }
    }
    let stem = format!("{PAGE}-{}", all.week);
    files.write(
        session,
        &stem,
        "md",
        &report::organisation::markdown::page(all),
    )?;
    files.write(
        session,
        &stem,
        "html",
        &report::organisation::html::page(all),
    )?;
    files.write(session, &stem, "json", &json(all)?)
}

impl Reading<'_> {
    fn take(&mut self, session: &mut Session<'_>, list: &List, one: &Listed) -> Member {
        let mut name = one.name.as_ref().map(ToString::to_string);
        let found = self.read(session, list, one, &mut name);
        Member {
            line: one.line,
            name: name.unwrap_or_else(|| one.path.clone()),
            path: one.path.clone(),
            found: found.map(Box::new),
        }
    }

    fn read(
        &mut self,
        session: &mut Session<'_>,
        list: &List,
        one: &Listed,
        name: &mut Option<String>,
    ) -> Result<Read, Unread> {
        let bad = |error: CommandError| Unread::bad(format!("{:#}", error.error));
        let mut place = list.place(session, one)?;
        let mut there = session
            .elsewhere(place.folder.clone(), place.checkout.clone())
            .map_err(bad)?;
        let stored = Stored::listed(&mut there, &mut place).map_err(bad)?;
        name.clone_from(&place.name);
        let stored = stored?;
        self.once.meet(one.line, &place)?;
        let (is_shallow, is_bare) = stored.lacks();
        let sources = Sources {
            stored: Ok(stored),
            server: server(&place, &there),
            base: place.checkout.is_some().then_some(HEAD),
        };
        let Gathered { facts, rows } = gather(&mut there, sources, self.week).map_err(bad)?;
        self.shallow += usize::from(is_shallow);
        self.bare += usize::from(is_bare);
        self.pool.push(Repository {
            name: name.clone().unwrap_or_else(|| one.path.clone()),
            rows,
        });
        Ok(Read {
            brief: brief(&facts),
            pack: report::pack(&facts, &|text| clean(self.redactor, text)),
        })
    }

    /// Says how all that were read deliver.
    fn delivery(self, session: &Session<'_>) -> Result<Known<Delivery>, CommandError> {
        let notes = notes(self.shallow, self.bare);
        let rows = || self.pool.iter().map(|one| &one.rows);
        let earliest = rows().filter_map(Rows::earliest).min();
        if earliest.is_none() {
            let why = "Nothing is known of changes or deployments of any of them: `maestro dora` reads them from GitHub and keeps them, or from git.";
            return Ok(Err(why.to_owned()));
        }
        let merged = rows().flat_map(merges).collect();
        let stored = Stored::pooled(self.pool)?;
        let spans = spans(session, &stored, self.week)?;
        Ok(Ok(spans.delivery((merged, earliest), "states", notes)))
    }
}

/// Returns the server that pages of a repository are at: the one of its remote if that is GitHub's, else the one that is meant here.
fn server(place: &Place<'_>, session: &Session<'_>) -> Option<String> {
    match &place.host {
        Some(host) => {
            api_of_host(host).map(|_| format!("https://{}", host.trim_start_matches("ssh.")))
        }
        None => Some(super::gather::server(session)),
    }
}
