//! `maestro flakes quarantine import`: muted tests of another list.

use std::io::Read;
use std::path::PathBuf;

use jiff::civil::Date;

use super::wire::Change;
use super::{Common, later};
use crate::cli::flakes::owners::owners_of;
use crate::cli::flakes::report::load;
use crate::cli::session::Session;
use crate::cli::trouble::Reported;
use crate::error::{CommandError, ErrorKind};
use crate::flakes::muted::NoList;
use crate::flakes::muted::{Muted, read};
use crate::flakes::quarantine::{Entry, Mode, Quarantine, shown};
use crate::flakes::verdict::times;

/// Take over muted tests from another list
///
/// Reads Elasticsearch's `muted-tests.yml` (class, method or methods, issue) and YDB's `muted_ya.txt` (suite and test a line, with stars). What names a
/// suite or has stars becomes the tests of the stored history that it means. Each entry gets a day of review.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  See what would come in
    $ maestro flakes quarantine import muted-tests.yml --dry-run

  For a month
    $ maestro flakes quarantine import muted-tests.yml --days 30 --dry-run")]
pub(crate) struct ImportArgs {
    /// The list
    #[arg(value_name = "FILE")]
    file: PathBuf,

    #[command(flatten)]
    pub(super) common: Common,
}

/// No such list is longer.
const LONGEST: u64 = 16 * 1024 * 1024;

pub(super) fn import(
    session: &mut Session<'_>,
    quarantine: &mut Quarantine,
    args: &ImportArgs,
    (today, days): (Date, u16),
) -> Result<Change, CommandError> {
    let failed = |error| CommandError::reading(&args.file, error);
    let file = session
        .world
        .files
        .open(&session.base.join(&args.file))
        .map_err(failed)?;
    let mut text = String::new();
    file.take(LONGEST)
        .read_to_string(&mut text)
        .map_err(failed)?;
    let muted = read(&text).map_err(|why| why.reported(&args.file.display().to_string()))?;
    let (history, _) = load(&session.state()?)?;
    let known: Vec<(&str, &str)> = history
        .in_order()
        .into_iter()
        .map(|test| history.test(test))
        .collect();
    let (mut added, mut nobody) = (0_u64, 0_u64);
    let file = args.file.display().to_string();
    let mut entries = Vec::new();
    for one in &muted {
        let mut tests: Vec<(String, String)> = known
            .iter()
            .filter(|(suite, test)| one.means(suite, test))
            .map(|(suite, test)| ((*suite).to_owned(), (*test).to_owned()))
            .collect();
        if tests.is_empty() && one.is_one() {
            tests.extend(one.test.clone().map(|test| (one.suite.clone(), test)));
        }
        nobody += u64::from(tests.is_empty());
        for (suite, test) in tests {
            if quarantine.find(&suite, &test).is_none() {
                let days = (today, days);
                entries.push(entry(one, suite, test, days, &file));
            }
        }
    }
    let suites: Vec<&str> = entries.iter().map(|entry| entry.suite.as_str()).collect();
    let owners = owners_of(session, &suites);
    for (entry, owner) in entries.into_iter().zip(owners) {
        added += u64::from(quarantine.put(Entry { owner, ..entry }).is_none());
    }
    if nobody > 0 {
        session.ui.warn(&format!(
            "{} of the list mean no test of the stored history, and were left out",
            times(nobody, "line")
        ));
    }
    Ok(Change::Imported(added))
}

fn entry(
    muted: &Muted,
    suite: String,
    test: String,
    (today, days): (Date, u16),
    file: &str,
) -> Entry {
    let whole = shown(&muted.suite, muted.test.as_deref().unwrap_or("*"));
    Entry {
        owner: None,
        suite,
        test,
        mode: Mode::Gate,
        reason: format!("muted in {file} as {whole}"),
        evidence: Vec::new(),
        issue: muted.issue.clone(),
        since: today,
        review_by: later(today, days),
    }
}

impl Reported for NoList {
    fn reported(self, of: &str) -> CommandError {
        let message = format!("`{of}` is no list of muted tests: {self}");
        CommandError::message(ErrorKind::BadInput, message)
            .hint("it is `tests:` with `class` and `method`, or a suite and a test on each line")
    }
}
