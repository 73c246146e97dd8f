//! What GitHub is asked, within a budget of requests: runs, pull requests, releases, deployments, incidents, and the jobs of an even sample of runs.
//!
//! Whatever cannot be had is a line of what is missing, and no reason to stop: the rest stands.

use jiff::{SignedDuration, Timestamp};

use crate::audit::document::Missing;
use crate::audit::facts::{Change, PullHead, Runs};
use crate::audit::links::Links;
use crate::audit::reruns::is_worth_a_look;
use crate::audit::sample::{even, spread_order};
use crate::audit::savings::may_be_missed;
use crate::conduct::github::{End, GitHub, Listed};
use crate::delivery::authors::Authors;
use crate::delivery::from_github;
use crate::delivery::rows::Row;
use crate::delivery::shipments::is_production;
use crate::forge::api::deployments::Deployment;
use crate::forge::api::pulls::Pull;
use crate::forge::api::{deployments, issues, pulls, releases, runs};
use crate::forge::problem::ForgeError;

/// What was deployed or released within the time was begun before.
const BEFORE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// So many of a short list are read at most: one page.
const PAGE: usize = 100;

/// No run has more jobs.
const MOST_JOBS: usize = 5_000;

/// The issues that are incidents, where nobody says otherwise.
const INCIDENTS: &str = "incident";

/// What is asked for.
pub(super) struct Wanted<'a> {
    pub(super) since: Timestamp,
    pub(super) now: Timestamp,
    /// So many runs at most.
    pub(super) limit: usize,
    pub(super) changes: &'a [Change],
    pub(super) authors: &'a Authors,
    /// The label of incidents, where the configuration names one.
    pub(super) incidents: Option<&'a str>,
    /// Told how many jobs' lists are wanted, and of each that came.
    pub(super) progress: &'a dyn Fn(Step),
}

/// How far it is.
pub(super) enum Step {
    Of(u64),
    One,
}

/// What GitHub said.
#[derive(Default)]
pub(super) struct Told {
    pub(super) runs: Option<Runs>,
    pub(super) rows: Vec<(Timestamp, Row)>,
    pub(super) missing: Vec<Missing>,
}

pub(super) fn ask(github: &GitHub<'_>, wanted: &Wanted<'_>) -> Told {
    let mut asking = Asking {
        github,
        wanted,
        told: Told::default(),
        is_over: false,
    };
    asking.all();
    asking.told
}

struct Asking<'a, 'w> {
    github: &'a GitHub<'w>,
    wanted: &'a Wanted<'a>,
    told: Told,
    /// Whether more questions are in vain: the token, the time or the requests are no more.
    is_over: bool,
}

impl Asking<'_, '_> {
    fn all(&mut self) {
        let runs = self.runs();
        let pulls = self.pulls();
        self.releases();
        self.deployments();
        self.incidents();
        let Some(mut runs) = runs else { return };
        runs.pulls = pulls;
        self.jobs(&mut runs);
        for run in &runs.list {
            let row = Row::Run(from_github::run(run));
            self.told.rows.push((run.updated_at, row));
        }
        self.told.runs = Some(runs);
    }

    fn miss(&mut self, what: &str, error: &ForgeError) {
        self.is_over |= !matches!(
            error,
            ForgeError::Denied { .. } | ForgeError::Missing { .. } | ForgeError::Nonsense { .. }
        );
        let how = match error {
            ForgeError::Enough { .. } => "allow more requests with --calls".to_owned(),
            error => error.hint(),
        };
        self.told
            .missing
            .push(Missing::new(what, error.to_string(), how));
    }

    /// Takes a list as far as it came; nothing where it did not begin.
    fn taken<T>(&mut self, what: &str, listed: Listed<T>) -> Option<Vec<T>> {
        let Listed { items, end, .. } = listed;
        match end {
            End::Broken(error) => {
                self.miss(what, &error);
                (!items.is_empty()).then_some(items)
            }
            End::Whole | End::Enough | End::Cut => Some(items),
        }
    }

    fn runs(&mut self) -> Option<Runs> {
        let filter = runs::Filter {
            status: Some("completed"),
            created: Some((self.wanted.since, self.wanted.now)),
            ..runs::Filter::default()
        };
        let listing = runs::list(&self.github.repository, &filter);
        let listed = self.github.list(&listing, self.wanted.limit, &mut |_| true);
        let total = listed.total.unwrap_or_default();
        let mut list = self.taken(
            "workflow runs, their jobs, and what follows from them",
            listed,
        )?;
        let (since, now) = (self.wanted.since, self.wanted.now);
        list.retain(|run| since <= run.created_at && run.created_at <= now);
        crate::order::sort_by_key(&mut list, |run| std::cmp::Reverse((run.created_at, run.id)));
        list.dedup_by_key(|run| run.id);
        Some(Runs {
            list,
            total,
            ..Runs::default()
        })
    }

    fn pulls(&mut self) -> Vec<PullHead> {
        if self.is_over {
            return Vec::new();
        }
        let since = self.wanted.since;
        // A tenth of the requests, and one in any case.
        let pages = usize::try_from(self.github.calls_left() / 10).unwrap_or_default();
        let most = PAGE * pages.max(1);
        let listing = pulls::list(&self.github.repository, "closed");
        let listed = self
            .github
            .list(&listing, most, &mut |pull| pull.updated_at >= since);
        let is_cut = listed.end == End::Cut;
        let Some(found) = self.taken("pull requests", listed) else {
            return Vec::new();
        };
        if is_cut {
            self.told.missing.push(Missing::new(
                "pull requests",
                format!("more than {most} changed in this time: runs of the others are not linked to a change"),
                "look at fewer --days, or allow more --calls",
            ));
        }
        let hash = |_: &str| String::new();
        for pull in &found {
            let row = from_github::pull(pull, &[], self.wanted.authors, &hash);
            self.told
                .rows
                .push((pull.updated_at, Row::Pull(Box::new(row))));
        }
        found.into_iter().filter_map(head).collect()
    }

    fn releases(&mut self) {
        if self.is_over {
            return;
        }
        let since = self.before();
        let listing = releases::list(&self.github.repository);
        let listed = self.github.list(&listing, PAGE, &mut |found| {
            found.draft || from_github::released_at(found) >= since
        });
        let found = self.taken("releases", listed).unwrap_or_default();
        for release in &found {
            let at = from_github::released_at(release);
            let row = Row::Release(from_github::release(release));
            self.told.rows.push((at, row));
        }
    }

    fn before(&self) -> Timestamp {
        let since = self.wanted.since;
        since.saturating_sub(BEFORE).unwrap_or(since)
    }

    fn deployments(&mut self) {
        if self.is_over {
            return;
        }
        let since = self.before();
        let listing = deployments::list(&self.github.repository, None);
        let listed = self
            .github
            .list(&listing, PAGE, &mut |found| found.created_at >= since);
        let is_cut = listed.end == End::Cut;
        let found = self.taken("deployments", listed).unwrap_or_default();
        let is_to_production = |found: &Deployment| {
            found.production_environment == Some(true) || is_production(&found.environment)
        };
        let wanted: Vec<Deployment> = found.into_iter().filter(is_to_production).collect();
        let most = usize::try_from(self.github.calls_left() / 10).unwrap_or_default();
        if wanted.len() > most || is_cut && !wanted.is_empty() {
            // A part of them would say that there are fewer than there are.
            self.told.missing.push(Missing::new(
                "deployments",
                format!(
                    "there are {} or more to production, and what became of each takes a request",
                    wanted.len()
                ),
                "ask with `maestro dora`, which keeps what it has read",
            ));
            return;
        }
        for deployment in wanted {
            let listing = deployments::statuses(&self.github.repository, deployment.id);
            let listed = self.github.list(&listing, PAGE, &mut |_| true);
            let Some(statuses) = self.taken("what became of deployments", listed) else {
                return;
            };
            let url = deployment.url.clone();
            let row = from_github::deployment(&deployment, &statuses, url);
            self.told
                .rows
                .push((deployment.updated_at, Row::Deployment(row)));
        }
    }

    fn incidents(&mut self) {
        if self.is_over {
            return;
        }
        let label = self.wanted.incidents.unwrap_or(INCIDENTS);
        let listing = issues::labelled(&self.github.repository, label);
        let listed = self.github.list(&listing, PAGE, &mut |_| true);
        let found = self
            .taken("issues that are incidents", listed)
            .unwrap_or_default();
        for issue in found.iter().filter(|issue| issue.pull_request.is_none()) {
            let row = Row::Incident(from_github::incident(issue));
            self.told.rows.push((issue.updated_at, row));
        }
    }

    /// Asks for the jobs of an even sample of runs, and of those that failed where it says most.
    fn jobs(&mut self, runs: &mut Runs) {
        if self.is_over || runs.list.is_empty() {
            return;
        }
        let left = usize::try_from(self.github.calls_left()).unwrap_or(usize::MAX);
        let mut telling: Vec<usize> = {
            let links = Links::new(self.wanted.changes, runs);
            let is_telling = |place: &usize| {
                let run = &runs.list[*place];
                is_worth_a_look(run) || may_be_missed(run, self.wanted.changes, &links)
            };
            (0..runs.list.len()).filter(is_telling).collect()
        };
        // All of them where there is room; else a third of the requests is for those that tell most.
        telling.truncate(if runs.list.len() <= left { 0 } else { left / 3 });
        let sample = even(runs.list.len(), left.saturating_sub(telling.len()));
        (self.wanted.progress)(Step::Of((sample.len() + telling.len()) as u64));
        let order = spread_order(sample.len()).into_iter();
        let (mut known, mut is_whole) = (Vec::new(), true);
        for (place, is_sample) in order
            .map(|number| (sample[number], true))
            .chain(telling.into_iter().map(|place| (place, false)))
        {
            is_whole = is_whole && self.jobs_of(runs, place);
            if !is_whole {
                break;
            }
            (self.wanted.progress)(Step::One);
            if is_sample && runs.jobs.contains_key(&runs.list[place].id) {
                known.push(place);
            }
        }
        crate::order::sort(&mut known);
        runs.sample = known;
    }

    /// Reads the jobs of a run; false where there is no use in going on.
    fn jobs_of(&mut self, runs: &mut Runs, place: usize) -> bool {
        let run = &runs.list[place];
        if runs.jobs.contains_key(&run.id) {
            return true;
        }
        let listing = runs::every_job(&self.github.repository, run.id);
        let listed = self.github.list(&listing, MOST_JOBS, &mut |_| true);
        match listed.end {
            End::Broken(ForgeError::Missing { .. }) => true,
            End::Broken(error) => {
                self.miss("jobs of more runs", &error);
                false
            }
            End::Whole | End::Enough | End::Cut => {
                runs.jobs.insert(run.id, listed.items);
                true
            }
        }
    }
}

fn head(pull: Pull) -> Option<PullHead> {
    Some(PullHead {
        number: pull.number,
        merged: pull.merged_at?,
        merge_sha: pull.merge_commit_sha.unwrap_or_default(),
        created: pull.created_at,
        repository: pull
            .head
            .repo
            .map(|repo| repo.full_name)
            .unwrap_or_default(),
        head_sha: pull.head.sha,
        branch: pull.head.branch,
    })
}
