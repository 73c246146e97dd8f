//! Export: the state as rows for somebody else's engine, in Hive-style partitions (`kind=…/month=…`).
//!
//! Tests are laid out as tables: `test_run` a row for each run, `test_result` a row for each result that differs from what its
//! list expects, and `test_total` a row for each month, job, leg and test, which sums up to what `flakes report` says. Events
//! of every other kind are rows as they stand.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::disk::{StateError, StateFolder, Survey};
use super::segment::month_of;
use super::v1;
use crate::flakes::history::{History, HistoryBuilder, Run, executions};
use crate::flakes::rollup::{Key, Rollup};

/// Says that a folder is an export of ours, whose partitions may be replaced.
const MARK: &str = "maestro-export.json";

/// What was written.
#[derive(Debug, Default)]
pub(crate) struct Exported {
    /// Rows, by kind.
    pub(crate) rows: BTreeMap<String, u64>,
    pub(crate) files: u64,
    /// Runs whose list of tests is missing; they are in `test_run` only.
    pub(crate) runs_without_list: u64,
    pub(crate) survey: Survey,
    /// The folder holds something that no export wrote.
    pub(crate) is_foreign: bool,
}

#[derive(Serialize)]
struct RunRow<'a> {
    id: String,
    at: String,
    run: &'a str,
    attempt: u32,
    job: &'a str,
    leg: &'a str,
    commit: &'a str,
    branch: &'a str,
    list: String,
    cases: u64,
    attempts: u64,
    passed: u64,
    failed: u64,
    errored: u64,
    skipped: u64,
}

#[derive(Serialize)]
struct ResultRow<'a> {
    run_id: String,
    at: String,
    run: &'a str,
    attempt: u32,
    job: &'a str,
    leg: &'a str,
    commit: &'a str,
    branch: &'a str,
    suite: &'a str,
    test: &'a str,
    outcome: &'a str,
    expected: &'a str,
    executions: u64,
    failures: u64,
}

#[derive(Serialize)]
struct TotalRow<'a> {
    job: &'a str,
    leg: &'a str,
    suite: &'a str,
    test: &'a str,
    executions: u64,
    failures: u64,
    retry_passes: u64,
}

impl StateFolder<'_> {
    /// Writes everything that is known to a folder.
    pub(crate) fn export(&self, folder: &Path, dry_run: bool) -> Result<Exported, StateError> {
        let mut export = Export {
            state: self,
            folder,
            dry_run,
            done: Exported::default(),
        };
        if !export.clear()? {
            export.done.is_foreign = true;
            return Ok(export.done);
        }
        let mut builder = HistoryBuilder::default();
        let mut others: BTreeMap<(String, String), BTreeMap<_, String>> = BTreeMap::new();
        export.done.survey = self.read(&|_, _| true, &mut |event| {
            if v1::is_about_tests(&event.kind) {
                return v1::decode(event, &mut builder);
            }
            let partition = (event.kind.to_string(), month_of(event.at));
            let rows = others.entry(partition).or_default();
            rows.insert((event.at, event.id), event.line.to_owned());
            Ok(())
        })?;
        for ((kind, month), rows) in others {
            export.partition(&kind, &month, &mut |out| {
                for row in rows.values() {
                    out.write_all(row.as_bytes())?;
                    out.write_all(b"\n")?;
                }
                Ok(rows.len() as u64)
            })?;
        }
        export.tests(&builder.finish())?;
        Ok(export.done)
    }
}

struct Export<'s, 'w> {
    state: &'s StateFolder<'w>,
    folder: &'s Path,
    dry_run: bool,
    done: Exported,
}

impl Export<'_, '_> {
    fn failed(path: &Path) -> impl Fn(io::Error) -> StateError + '_ {
        |source| StateError::Write {
            path: path.to_path_buf(),
            source,
        }
    }

    /// Removes an earlier export: a partition that no longer is would be counted too. Answers false when something else lies
    /// there.
    fn clear(&self) -> Result<bool, StateError> {
        let files = self.state.files;
        let names = files
            .names(self.folder)
            .map_err(Self::failed(self.folder))?;
        let is_ours = names.iter().any(|name| name == MARK);
        if !names.is_empty() && !is_ours {
            return Ok(false);
        }
        if self.dry_run {
            return Ok(true);
        }
        for name in names
            .iter()
            .filter(|name| name.to_string_lossy().starts_with("kind="))
        {
            let path = self.folder.join(name);
            files.remove_folder(&path).map_err(Self::failed(&path))?;
        }
        let mark = self.folder.join(MARK);
        files
            .write_atomic(&mark, &mut |out| {
                out.write_all(b"{\"schema\":\"maestro.export/v1\"}\n")
            })
            .map_err(Self::failed(&mark))?;
        Ok(true)
    }

    /// Writes the rows of one kind and month; `fill` says how many.
    fn partition(
        &mut self,
        kind: &str,
        month: &str,
        fill: &mut dyn FnMut(&mut dyn Write) -> io::Result<u64>,
    ) -> Result<(), StateError> {
        let path: PathBuf = self
            .folder
            .join(format!("kind={kind}"))
            .join(format!("month={month}"))
            .join("rows.ndjson");
        let mut rows = 0;
        let written = if self.dry_run {
            fill(&mut io::sink()).map(|count| rows = count)
        } else {
            self.state.files.write_atomic(&path, &mut |out| {
                rows = fill(out)?;
                Ok(())
            })
        };
        written.map_err(Self::failed(&path))?;
        self.done.files += 1;
        *self.done.rows.entry(kind.to_owned()).or_default() += rows;
        Ok(())
    }

    fn tests(&mut self, history: &History) -> Result<(), StateError> {
        let mut months: BTreeMap<String, Vec<&Run>> = BTreeMap::new();
        for run in &history.runs {
            months.entry(month_of(run.at)).or_default().push(run);
        }
        for (month, runs) in &months {
            self.partition("test_run", month, &mut |out| {
                for run in runs {
                    row(out, &run_row(run))?;
                }
                Ok(runs.len() as u64)
            })?;
            self.partition("test_result", month, &mut |out| {
                let mut rows = 0;
                for run in runs {
                    rows += results(history, run, out)?;
                }
                Ok(rows)
            })?;
        }
        let mut totals: BTreeMap<&str, Vec<&Rollup>> = BTreeMap::new();
        let keys = keys(history);
        self.done.runs_without_list = keys.iter().filter(|key| key.is_none()).count() as u64;
        let summed = history.roll_up(&keys);
        for rollup in history.rollups.iter().chain(&summed) {
            totals.entry(&rollup.key.month).or_default().push(rollup);
        }
        for (month, rollups) in totals {
            self.partition("test_total", month, &mut |out| {
                let mut rows = 0;
                for rollup in &rollups {
                    for (test, tally) in &rollup.tests {
                        let (suite, test) = history.test(*test);
                        rows += 1;
                        let total = TotalRow {
                            job: &rollup.key.job,
                            leg: &rollup.key.leg,
                            suite,
                            test,
                            executions: tally.runs,
                            failures: tally.failures,
                            retry_passes: tally.retry_passes,
                        };
                        row(out, &total)?;
                    }
                }
                Ok(rows)
            })?;
        }
        Ok(())
    }
}

/// Attempts of one run share a key: the month of the last one.
fn keys(history: &History) -> Vec<Option<Key>> {
    let group = |run: &Run| {
        (
            run.origin.run.clone(),
            run.origin.job.clone(),
            run.leg.clone(),
        )
    };
    let mut last: BTreeMap<_, String> = BTreeMap::new();
    for run in &history.runs {
        // The oldest run comes first.
        last.insert(group(run), month_of(run.at));
    }
    let key = |run: &Run| {
        let month = last.get(&group(run)).filter(|_| history.has_list_of(run));
        month.map(|month| Key {
            month: month.clone(),
            job: run.origin.job.clone(),
            leg: run.leg.clone(),
        })
    };
    history.runs.iter().map(key).collect()
}

fn run_row(run: &Run) -> RunRow<'_> {
    RunRow {
        id: run.id.to_string(),
        at: run.at.to_string(),
        run: &run.origin.run,
        attempt: run.origin.attempt,
        job: &run.origin.job,
        leg: &run.leg,
        commit: &run.origin.commit,
        branch: &run.origin.branch,
        list: run.list.to_string(),
        cases: run.counts.cases,
        attempts: run.counts.attempts,
        passed: run.counts.passed,
        failed: run.counts.failed,
        errored: run.counts.errored,
        skipped: run.counts.skipped,
    }
}

fn results(history: &History, run: &Run, out: &mut dyn Write) -> io::Result<u64> {
    let mut rows = 0;
    let mut seen = BTreeSet::new();
    for (place, outcome) in &run.differs {
        let Some((test, expected)) = history.at(run, *place) else {
            continue;
        };
        if !seen.insert(test) {
            continue;
        }
        let (suite, name) = history.test(test);
        let outcome = history.sequence_text(*outcome);
        let (executions, failures) = executions(outcome);
        rows += 1;
        let result = ResultRow {
            run_id: run.id.to_string(),
            at: run.at.to_string(),
            run: &run.origin.run,
            attempt: run.origin.attempt,
            job: &run.origin.job,
            leg: &run.leg,
            commit: &run.origin.commit,
            branch: &run.origin.branch,
            suite,
            test: name,
            outcome,
            expected,
            executions,
            failures,
        };
        row(out, &result)?;
    }
    Ok(rows)
}

fn row(out: &mut dyn Write, row: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, row)?;
    out.write_all(b"\n")
}
