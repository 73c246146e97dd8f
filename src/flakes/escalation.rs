//! Which tests are somebody's work: in clusters, each with an issue of its own that lasts as long as one of its tests stands.
//!
//! A test stands while it is in quarantine, or while it is flaky and not shown to be well again. One that was released stands again only
//! when it fails again. What is not known closes nothing: a history that is not whole must not say that all is well.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::clusters::{Known, Named, is_silent, keep_silent, key_of, name, together};
use super::detect::Analysis;
use super::failures::Failures;
use super::history::{History, Tally};
use super::quarantine::{Entry, Quarantine, is_well};
use super::verdict::{Counted, Judgement, Verdict};

/// A test that is somebody's work, or was.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub(crate) suite: String,
    pub(crate) test: String,
    /// Its entry, while it is in quarantine.
    pub(crate) entry: Option<Entry>,
    pub(crate) judgement: Judgement,
    pub(crate) tally: Tally,
    pub(crate) failures: Failures,
    /// How often it passed since it last failed.
    pub(crate) quiet: u64,
}

/// What is known of a cluster and its issue, as it is stored. Keys are sorted, as in all of the state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Link {
    /// The id, for good.
    pub(crate) cluster: String,
    pub(crate) first_seen: Timestamp,
    /// The number of the issue, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) issue: Option<u64>,
    /// The older cluster that it became a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) merged_into: Option<String>,
    /// Whether one of its tests stands.
    pub(crate) open: bool,
    /// Its tests, the one that it is named after first.
    pub(crate) tests: Vec<LinkedTest>,
    /// Until when failures were told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) told: Option<Timestamp>,
    /// The day (UTC) of the last comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) told_on: Option<Date>,
    /// Where the issue is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
}

/// A test of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LinkedTest {
    /// Whether it was in quarantine when that was last looked at.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) quarantined: bool,
    /// When it was first seen to be out of quarantine again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) released: Option<Timestamp>,
    pub(crate) suite: String,
    pub(crate) test: String,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands out references"
)]
fn is_false(value: &bool) -> bool {
    !value
}

/// More tests of one cluster are not named.
const MOST_TESTS: usize = 1_000;

/// A cluster whose issue is to be kept.
#[derive(Debug, Clone)]
pub(crate) struct Cluster {
    /// What is to be stored once its issue stands.
    pub(crate) link: Link,
    /// Numbers of its subjects that stand, the one that it is named after first.
    pub(crate) subjects: Vec<usize>,
    /// Ids of younger clusters that are a part of it now.
    pub(crate) merged: Vec<String>,
    /// Failures that nobody was told of.
    pub(crate) news: Option<News>,
}

/// Failures that nobody was told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct News {
    pub(crate) after: Timestamp,
    pub(crate) until: Timestamp,
}

/// What is to be kept, and what is to be closed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Escalation {
    pub(crate) clusters: Vec<Cluster>,
    /// Clusters of which no test stands any more, or that became a part of others.
    pub(crate) closing: Vec<Link>,
}

/// Gives tests the names that they have now.
pub(crate) fn rename(links: &mut [Link], known: &mut [Known], history: &History) {
    let mut now: BTreeMap<(String, String), (String, String)> = BTreeMap::new();
    let mut keys: BTreeMap<String, String> = BTreeMap::new();
    let owned = |(suite, test): (&str, &str)| (suite.to_owned(), test.to_owned());
    for number in history.in_order() {
        let new = history.test(number);
        for old in history.former_names(number) {
            keys.insert(key_of(old.0, old.1), key_of(new.0, new.1));
            now.insert(owned(old), owned(new));
        }
    }
    for linked in links.iter_mut().flat_map(|link| &mut link.tests) {
        let key = (linked.suite.clone(), linked.test.clone());
        if let Some(new) = now.get(&key) {
            (linked.suite, linked.test) = new.clone();
        }
    }
    for key in known.iter_mut().flat_map(|known| &mut known.tests) {
        if let Some(new) = keys.get(key) {
            key.clone_from(new);
        }
    }
}

/// Gathers the tests that are in quarantine, are flaky, or belong to a cluster that is open.
pub(crate) fn subjects(
    history: &History,
    quarantine: &Quarantine,
    known: &[Known],
    links: &[Link],
    analysis: &Analysis,
) -> Vec<Subject> {
    let runs = history.ci_runs(&|run| analysis.is_outage(run));
    let mut linked: BTreeSet<String> = BTreeSet::new();
    linked.extend(known.iter().flat_map(|one| one.tests.iter().cloned()));
    let mut entries: BTreeMap<(&str, &str), &Entry> = BTreeMap::new();
    for entry in &quarantine.tests {
        entries.insert((&entry.suite, &entry.test), entry);
    }
    let mut subjects = Vec::new();
    for number in history.in_order() {
        let (suite, test) = history.test(number);
        let entry = entries.remove(&(suite, test));
        let tally = history.tally(number);
        let is_linked = !linked.is_empty() && linked.contains(&key_of(suite, test));
        if entry.is_none() && !is_linked && tally.failures == 0 {
            continue;
        }
        let judgement = analysis.judge(history, number);
        if entry.is_none() && !is_linked && judgement.verdict != Verdict::Flaky {
            continue;
        }
        subjects.push(Subject {
            suite: suite.to_owned(),
            test: test.to_owned(),
            entry: entry.cloned(),
            judgement,
            tally,
            failures: history.failures(number, &runs),
            quiet: history.quiet(number),
        });
    }
    let mut unseen: BTreeMap<(String, String), Option<Entry>> = BTreeMap::new();
    for (_, entry) in entries {
        let key = (entry.suite.clone(), entry.test.clone());
        unseen.insert(key, Some(entry.clone()));
    }
    let here: BTreeSet<(&str, &str)> = subjects
        .iter()
        .map(|subject| (subject.suite.as_str(), subject.test.as_str()))
        .collect();
    for linked in links.iter().flat_map(|link| &link.tests) {
        if !here.contains(&(linked.suite.as_str(), linked.test.as_str())) {
            let key = (linked.suite.clone(), linked.test.clone());
            unseen.entry(key).or_insert(None);
        }
    }
    subjects.extend(unseen.into_iter().map(|(key, entry)| unheard(key, entry)));
    subjects
}

/// A test of which no run is stored.
fn unheard((suite, test): (String, String), entry: Option<Entry>) -> Subject {
    Subject {
        suite,
        test,
        judgement: Judgement {
            verdict: Verdict::Unknown,
            confidence: 0.0,
            flaky: 0.0,
            counted: Counted::default(),
            suspects: None,
            evidence: vec!["no stored run has it".into()],
        },
        entry,
        tally: Tally::default(),
        failures: Failures::default(),
        quiet: 0,
    }
}

impl LinkedTest {
    fn name(&self) -> (&str, &str) {
        (&self.suite, &self.test)
    }
}

impl Subject {
    fn name(&self) -> (&str, &str) {
        (&self.suite, &self.test)
    }

    fn key(&self) -> String {
        key_of(&self.suite, &self.test)
    }

    /// Returns when it began: with its first failure, or with its quarantine.
    fn since(&self) -> Option<Timestamp> {
        let day = self.entry.as_ref().map(|entry| entry.since);
        let day = day.and_then(|day| day.to_zoned(TimeZone::UTC).ok());
        self.failures.first.or(day.map(|day| day.timestamp()))
    }

    /// Whether somebody has to see to it.
    fn stands(&self, is_of_open: bool, released: Option<Timestamp>) -> bool {
        if self.entry.is_some() {
            return true;
        }
        let is_flaky = self.judgement.verdict == Verdict::Flaky;
        if let Some(released) = released {
            return is_flaky && self.failures.last.is_some_and(|last| last > released);
        }
        let is_mended = self.judgement.verdict == Verdict::Fixed || is_well(0, self.quiet);
        (is_flaky || is_of_open) && !is_mended
    }
}

/// Decides what is to be kept and what is to be closed; `known` are the clusters of `links`, and those that only their issues tell of.
pub(crate) fn decide(
    subjects: &[Subject],
    runs: u32,
    known: &[Known],
    links: &[Link],
    now: Timestamp,
) -> Escalation {
    let deciding = Deciding::new(subjects, known, links, now);
    let mut standing: Vec<usize> = (0..subjects.len())
        .filter(|at| deciding.stands(&subjects[*at]))
        .collect();
    // Each cluster begins with the test that failed first.
    crate::order::sort_by_key(&mut standing, |at| {
        let subject = &subjects[*at];
        let first = subject.failures.first;
        (first.is_none(), first, &subject.suite, &subject.test)
    });
    let failing: Vec<Vec<u32>> = standing
        .iter()
        .map(|at| subjects[*at].failures.runs.clone())
        .collect();
    let silent: Vec<bool> = failing.iter().map(|runs| is_silent(runs)).collect();
    let former = deciding.former(&standing);
    let groups: Vec<Vec<usize>> = keep_silent(&together(&failing, runs), &silent, &former)
        .into_iter()
        .map(|cluster| cluster.into_iter().map(|at| standing[at]).collect())
        .collect();
    let keys: Vec<Vec<String>> = groups
        .iter()
        .map(|group| group.iter().map(|at| subjects[*at].key()).collect())
        .collect();
    let named = name(&keys, known);
    let clusters = groups.into_iter().zip(named);
    let clusters = clusters.map(|(group, named)| deciding.keep(group, named));
    deciding.close(clusters.collect())
}

/// What a decision looks at.
struct Deciding<'a> {
    subjects: &'a [Subject],
    known: &'a [Known],
    links: &'a [Link],
    now: Timestamp,
    by_name: HashMap<(&'a str, &'a str), &'a Subject>,
    /// When tests left quarantine.
    released: HashMap<(&'a str, &'a str), Timestamp>,
    /// Keys of the tests of open clusters.
    open: BTreeSet<String>,
}

impl<'a> Deciding<'a> {
    fn new(subjects: &'a [Subject], known: &'a [Known], links: &'a [Link], now: Timestamp) -> Self {
        let mut released: HashMap<(&str, &str), Timestamp> = HashMap::new();
        let mut open: BTreeSet<String> = BTreeSet::new();
        for link in links {
            for linked in &link.tests {
                // One that was in quarantine and still is stands before this is asked.
                let since = linked.quarantined.then_some(now).or(linked.released);
                if let Some(since) = since {
                    let latest = released.entry(linked.name()).or_insert(since);
                    *latest = since.max(*latest);
                }
                if link.open {
                    open.insert(key_of(&linked.suite, &linked.test));
                }
            }
        }
        // What only an issue tells of is taken for open.
        let stored: BTreeSet<&str> = links.iter().map(|link| link.cluster.as_str()).collect();
        let untold = known.iter().filter(|one| !stored.contains(one.id.as_str()));
        open.extend(untold.flat_map(|one| one.tests.iter().cloned()));
        Self {
            subjects,
            known,
            links,
            now,
            by_name: subjects
                .iter()
                .map(|subject| (subject.name(), subject))
                .collect(),
            released,
            open,
        }
    }

    fn stands(&self, subject: &Subject) -> bool {
        let released = self.released.get(&subject.name()).copied();
        subject.stands(self.open.contains(&subject.key()), released)
    }

    /// Returns the clusters that are known to be open, as places among the tests that stand.
    fn former(&self, standing: &[usize]) -> Vec<Vec<usize>> {
        let mut places: HashMap<String, usize> = HashMap::new();
        for (place, at) in standing.iter().enumerate() {
            places.insert(self.subjects[*at].key(), place);
        }
        let closed = self.links.iter().filter(|link| !link.open);
        let closed: BTreeSet<&str> = closed.map(|link| link.cluster.as_str()).collect();
        let open = self
            .known
            .iter()
            .filter(|one| !closed.contains(one.id.as_str()));
        let tests = |one: &Known| {
            one.tests
                .iter()
                .filter_map(|key| places.get(key).copied())
                .collect()
        };
        open.map(tests).collect()
    }

    /// Lays out a cluster that stands.
    fn keep(&self, group: Vec<usize>, named: Named) -> Cluster {
        let before = self.links.iter().find(|link| link.cluster == named.id);
        let known = self.known.iter().find(|one| one.id == named.id);
        let members = || group.iter().map(|at| &self.subjects[*at]);
        let first_seen = members()
            .filter_map(Subject::since)
            .min()
            .unwrap_or(self.now);
        let last = members().filter_map(|subject| subject.failures.last).max();
        let told = before.and_then(|link| link.told);
        let told_on = before.and_then(|link| link.told_on);
        let news = match (told, last) {
            (Some(after), Some(until)) if until > after && told_on != Some(day(self.now)) => {
                Some(News { after, until })
            }
            _ => None,
        };
        let mut tests: Vec<LinkedTest> = members()
            .map(|subject| LinkedTest {
                quarantined: subject.entry.is_some(),
                released: None,
                suite: subject.suite.clone(),
                test: subject.test.clone(),
            })
            .collect();
        // Whoever comes back is known by them.
        let here: BTreeSet<(&str, &str)> = members().map(Subject::name).collect();
        let former = before.into_iter().flat_map(|link| &link.tests);
        let former = former.filter(|linked| !here.contains(&linked.name()));
        let room = MOST_TESTS.saturating_sub(tests.len());
        tests.extend(former.take(room).map(|linked| self.at_rest(linked)));
        Cluster {
            link: Link {
                cluster: named.id,
                first_seen: known.map_or(first_seen, |known| first_seen.min(known.first_seen)),
                issue: before.and_then(|link| link.issue),
                merged_into: None,
                open: true,
                tests,
                // What nobody told of so far is told by the issue itself.
                told: told.or(last),
                told_on,
                url: before.and_then(|link| link.url.clone()),
            },
            subjects: group,
            merged: named.merged,
            news,
        }
    }

    /// What is kept of a test that does not stand any more, or stands elsewhere.
    fn at_rest(&self, linked: &LinkedTest) -> LinkedTest {
        let subject = self.by_name.get(&linked.name());
        let quarantined = subject.is_some_and(|subject| subject.entry.is_some());
        let released = self.released.get(&linked.name()).copied();
        LinkedTest {
            quarantined,
            released: released.filter(|_| !quarantined),
            ..linked.clone()
        }
    }

    /// Finds the clusters that are open and were not met again.
    fn close(&self, clusters: Vec<Cluster>) -> Escalation {
        let mut into: BTreeMap<&str, &str> = BTreeMap::new();
        let mut kept: BTreeSet<&str> = BTreeSet::new();
        for cluster in &clusters {
            kept.insert(&cluster.link.cluster);
            for id in &cluster.merged {
                into.insert(id, &cluster.link.cluster);
            }
        }
        let gone = self
            .links
            .iter()
            .filter(|link| link.open && !kept.contains(link.cluster.as_str()));
        let closing = gone.map(|link| Link {
            merged_into: into.get(link.cluster.as_str()).map(|id| (*id).to_owned()),
            open: false,
            tests: link
                .tests
                .iter()
                .map(|linked| self.at_rest(linked))
                .collect(),
            ..link.clone()
        });
        let closing = closing.collect();
        Escalation { clusters, closing }
    }
}

/// Returns the day of a time (UTC).
pub(crate) fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

#[cfg(test)]
mod tests;
