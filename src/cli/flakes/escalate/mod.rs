//! `maestro flakes escalate`: one issue for each cluster of tests that fail together.

mod desk;
mod wire;

use jiff::SignedDuration;

use super::owners;
use super::quarantine::WorkFile;
use super::report::{load, missing_lists_error};
use crate::cli::github::GithubArgs;
use crate::cli::session::Session;
use crate::cli::state::{damage_error, warn_of_damage};
use crate::error::{CommandError, CommandResult};
use crate::exit_code::ExitCode;
use crate::flakes::detect::Analysis;
use crate::flakes::escalation::{
    Cluster, Escalation, Link, Subject, day, decide, rename, subjects,
};
use crate::flakes::history::History;
use crate::flakes::issue;
use crate::flakes::quarantine::Quarantine;
use crate::forge::problem::ForgeError;

use desk::{Desk, Step, known};
pub(crate) use wire::EscalateDocument;
use wire::{ClusterRow, TestName};

/// Keep one GitHub issue for each cluster of flaky tests
///
/// Tests that fail in the same runs are one cluster, which keeps its id from first sight. Its issue names the tests, what was seen of them, the
/// owner by CODEOWNERS and the failure rates. It is opened once, changed when that changes, opened again when a test fails again, and closed when
/// each test is out of quarantine or well. New failures are told in one comment a day at most. Tests are in quarantine by
/// `.maestro/quarantine.json` of the work tree: run this on the default branch, with GITHUB_TOKEN and `issues: write`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  See what would be opened, changed and closed
    $ maestro flakes escalate --dry-run

  The same, for a program
    $ maestro flakes escalate --dry-run --format json")]
pub(crate) struct EscalateArgs {
    #[command(flatten)]
    github: GithubArgs,

    /// How many issues are opened at once, those of what fails most first; the others wait for the next time
    #[arg(long, value_name = "NUMBER", default_value_t = 25)]
    most_new: u64,

    /// Say what would be, and change nothing
    #[arg(long)]
    dry_run: bool,

    /// Exit with 3 when nothing is stored yet
    #[arg(long)]
    require_input: bool,
}

pub(super) fn run(session: &mut Session<'_>, args: &EscalateArgs) -> CommandResult {
    let state = session.state()?;
    let (history, survey) = load(&state)?;
    warn_of_damage(session, &survey);
    // A history with holes would say that what it does not know is well.
    if !survey.damage.is_empty() {
        return Err(damage_error(session, &survey));
    }
    if history.missing_lists > 0 {
        return Err(missing_lists_error(history.missing_lists));
    }
    let mut links = state.issue_links()?;
    let quarantine = WorkFile::open(session)?.quarantine;
    // A quarantine alone does not say what fails together.
    if history.runs.is_empty() {
        session.ui.warn("no test run is stored yet");
        session
            .ui
            .hint("on a fresh machine, fetch what is known first: maestro state pull");
        session.render(&EscalateDocument::new(args.dry_run, None, Vec::new()))?;
        return Ok(if args.require_input {
            ExitCode::NothingToDo
        } else {
            ExitCode::Success
        });
    }
    let desk = Desk::open(session, &args.github, args.dry_run, &links)?;
    let mut known = known(&links, desk.as_ref());
    rename(&mut links, &mut known, &history);
    let analysis = Analysis::of(&history);
    let subjects = subjects(&history, &quarantine, &known, &links, &analysis);
    let runs = history.ci_runs(&|_| false).count;
    let decided = decide(&subjects, runs, &known, &links, session.now());
    let work = Work {
        owners: owners_of(session, &subjects),
        subjects,
        links,
        desk,
        most_new: args.most_new,
        dry_run: args.dry_run,
    };
    work.carry_out(session, decided)
}

/// Returns the tests that somebody has to see to, and what fails together of them, as an escalation would find them.
pub(in crate::cli) fn standing(
    session: &Session<'_>,
    history: &History,
    analysis: &Analysis,
    quarantine: &Quarantine,
) -> Result<(Vec<Subject>, Vec<Cluster>), CommandError> {
    let mut links = session.state()?.issue_links()?;
    let mut known = known(&links, None);
    rename(&mut links, &mut known, history);
    let subjects = subjects(history, quarantine, &known, &links, analysis);
    let runs = history.ci_runs(&|_| false).count;
    let decided = decide(&subjects, runs, &known, &links, session.now());
    Ok((subjects, decided.clusters))
}

/// Returns the owner of each subject: as its quarantine says, else by CODEOWNERS.
fn owners_of(session: &Session<'_>, subjects: &[Subject]) -> Vec<Option<String>> {
    let suites: Vec<&str> = subjects
        .iter()
        .map(|subject| subject.suite.as_str())
        .collect();
    let owners = owners::owners_of(session, &suites);
    let named = |subject: &Subject| subject.entry.as_ref().and_then(|entry| entry.owner.clone());
    let both = subjects.iter().zip(owners);
    both.map(|(subject, owner)| named(subject).or(owner))
        .collect()
}

/// Everything that carrying out a decision needs.
struct Work<'w> {
    subjects: Vec<Subject>,
    owners: Vec<Option<String>>,
    /// What was known before.
    links: Vec<Link>,
    desk: Option<Desk<'w>>,
    most_new: u64,
    dry_run: bool,
}

impl Work<'_> {
    fn carry_out(mut self, session: &mut Session<'_>, decided: Escalation) -> CommandResult {
        let Escalation {
            mut clusters,
            closing,
        } = decided;
        crate::order::sort_by_key(&mut clusters, |cluster| {
            std::cmp::Reverse(self.failures(cluster))
        });
        let mut opened = 0;
        let now = session.now();
        let state = session.state()?;
        if !self.dry_run {
            // Ids are for good before anybody sees them.
            let is_new = |link: &&Link| self.before(link).is_none();
            let new = clusters.iter().map(|cluster| &cluster.link).filter(is_new);
            let new: Vec<Link> = new.cloned().collect();
            state.save_issue_links(&new, now)?;
            self.links.extend(new);
        }
        let bar = session
            .ui
            .progress((clusters.len() + closing.len()) as u64, "issues");
        let (mut rows, mut done, mut broken) = (Vec::new(), Vec::new(), None);
        for cluster in clusters {
            match self.keep(session, cluster, opened < self.most_new) {
                Ok((row, link)) => {
                    opened += u64::from(row.step == Step::Opened);
                    rows.push(row);
                    done.push(link);
                }
                Err(error) => {
                    broken = Some(error);
                    break;
                }
            }
            bar.inc(1);
        }
        for link in closing {
            if broken.is_some() {
                break;
            }
            let older = done
                .iter()
                .find(|other| Some(&other.cluster) == link.merged_into.as_ref())
                .and_then(|other| other.issue);
            match self.close(&link, older) {
                Ok(row) => {
                    rows.push(row);
                    done.push(link);
                }
                Err(error) => broken = Some(error),
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        if !self.dry_run {
            done.retain(|link| self.before(link) != Some(link));
            // Later than what was stored before the issues were there.
            let after = now
                .saturating_add(SignedDuration::from_micros(1))
                .unwrap_or(now);
            state.save_issue_links(&done, after)?;
        }
        let repository = self.desk.as_ref().map(Desk::repository);
        session.render(&EscalateDocument::new(self.dry_run, repository, rows))?;
        match broken {
            Some(error) => Err(CommandError::from(error)),
            None => Ok(ExitCode::Success),
        }
    }

    fn failures(&self, cluster: &Cluster) -> u64 {
        let subjects = cluster.subjects.iter();
        subjects.map(|at| self.subjects[*at].tally.failures).sum()
    }

    fn before(&self, link: &Link) -> Option<&Link> {
        self.links
            .iter()
            .rev()
            .find(|before| before.cluster == link.cluster)
    }

    /// Keeps the issue of a cluster, and tells what is new; returns what came of it and what is to be stored.
    fn keep(
        &self,
        session: &Session<'_>,
        cluster: Cluster,
        has_room: bool,
    ) -> Result<(ClusterRow, Link), ForgeError> {
        let Cluster {
            mut link,
            subjects,
            merged,
            news,
        } = cluster;
        let of = |at: &usize| (&self.subjects[*at], self.owners[*at].as_deref());
        let members: Vec<(&Subject, Option<&str>)> = subjects.iter().map(of).collect();
        let title = issue::title(&link);
        let text = desk::fitted(&issue::text(&link, &members), &issue::mark(&link.cluster));
        let mut row = ClusterRow::new(&link, &members, merged);
        let Some(desk) = &self.desk else {
            row.step = match link.issue {
                Some(_) => Step::Updated,
                None if has_room => Step::Opened,
                None => Step::Waits,
            };
            return Ok((row, link));
        };
        row.step = desk.step(&link, &title, &text, &members);
        if row.step == Step::Opened && !has_room {
            row.step = Step::Waits;
        }
        row.commented = news.is_some() && row.step != Step::Rests;
        if let Some(found) = desk.find(&link.cluster) {
            row.issue = Some(found.number);
            row.url = Some(found.html_url.clone());
        }
        if self.dry_run {
            return Ok((row, link));
        }
        if row.step.is_written() {
            let kept = desk.write(&link, &title, &text, true)?;
            row.issue = Some(kept.id);
            row.url = Some(kept.url);
        }
        link.issue = row.issue;
        link.url.clone_from(&row.url);
        if let (Some(news), Some(number), true) = (news, row.issue, row.commented) {
            let now = session.now();
            let mark = issue::mark_of_comment(&link.cluster, now);
            desk.comment(number, &mark, &issue::comment(news, &members))?;
            link.told = Some(news.until);
            link.told_on = Some(day(now));
        }
        Ok((row, link))
    }

    /// Closes the issue of a cluster of which no test stands any more.
    fn close(&self, link: &Link, older: Option<u64>) -> Result<ClusterRow, ForgeError> {
        let mut row = ClusterRow::new(link, &[], Vec::new());
        row.step = Step::Closed;
        row.tests = link.tests.iter().map(TestName::from).collect();
        let Some(desk) = &self.desk else {
            return Ok(row);
        };
        let Some(found) = desk.find(&link.cluster) else {
            row.step = Step::Kept;
            return Ok(row);
        };
        row.issue = Some(found.number);
        row.url = Some(found.html_url.clone());
        if found.state != "open" {
            row.step = Step::Kept;
        } else if !self.dry_run {
            let text = desk::fitted(
                &issue::closing_text(link, older),
                &issue::mark(&link.cluster),
            );
            desk.write(link, &found.title, &text, false)?;
        }
        Ok(row)
    }
}
