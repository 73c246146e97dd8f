//! Which flaky tests come into quarantine by themselves: those that the history shows to be flaky, up to a cap by owner.
//!
//! A quarantine that takes in everything hides everything: a cap makes its owner mend something first.

use std::collections::BTreeMap;

use super::backfill::is_of_jobs;
use super::quarantine::Quarantine;
use super::verdict::{Judgement, Verdict};

/// However few tests an owner has, so many may be in quarantine where the cap is a share.
const LEAST: u64 = 5;

/// How many tests of one owner may be in quarantine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cap {
    Count(u64),
    /// In ten thousandths of the owner's tests.
    Share(u64),
}

impl Cap {
    /// What counts unless somebody says otherwise: a fiftieth.
    pub(crate) const USUAL: Self = Self::Share(200);

    /// Reads a share as `2%` or `0.5%`.
    pub(crate) fn share(text: &str) -> Option<Self> {
        let number = text.trim().strip_suffix('%')?.trim_end();
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || part.len() > 2 || !digits(whole) || !digits(part) {
            return None;
        }
        let share: u64 = format!("{whole}{part:0<2}").parse().ok()?;
        (share <= 10_000).then_some(Self::Share(share))
    }

    /// Returns how many of so many tests may be in quarantine.
    pub(crate) fn of(self, tests: u64) -> u64 {
        match self {
            Self::Count(count) => count,
            Self::Share(share) => (tests.saturating_mul(share) / 10_000).max(LEAST),
        }
    }
}

/// A test that may come in.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(crate) suite: String,
    pub(crate) test: String,
    pub(crate) owner: Option<String>,
    pub(crate) judgement: Judgement,
    pub(crate) failures: u64,
}

/// A test that does not come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LeftOut {
    pub(crate) suite: String,
    pub(crate) test: String,
    pub(crate) why: String,
}

/// What decides beside the history.
pub(crate) struct Rules<'a> {
    pub(crate) cap: Cap,
    /// How many tests each owner has; those of nobody under nothing.
    pub(crate) tests: &'a BTreeMap<Option<String>, u64>,
    /// How many of them are in quarantine.
    pub(crate) quarantined: BTreeMap<Option<String>, u64>,
    /// The glob of tests that are never forgiven, where one takes it in.
    pub(crate) never: &'a dyn Fn(&str, &str) -> Option<String>,
}

/// Chooses what comes in, and says why the rest does not. What fails most comes first.
pub(crate) fn choose(
    mut candidates: Vec<Candidate>,
    quarantine: &Quarantine,
    mut rules: Rules<'_>,
) -> (Vec<Candidate>, Vec<LeftOut>) {
    candidates.retain(|one| {
        one.judgement.verdict == Verdict::Flaky
            && !is_of_jobs(&one.suite)
            && quarantine.find(&one.suite, &one.test).is_none()
    });
    crate::order::sort_by(&mut candidates, |a, b| {
        (b.failures.cmp(&a.failures)).then_with(|| (&a.suite, &a.test).cmp(&(&b.suite, &b.test)))
    });
    let (mut chosen, mut left_out) = (Vec::new(), Vec::new());
    for one in candidates {
        let why = match (rules.never)(&one.suite, &one.test) {
            Some(glob) => Some(format!("`flakes.never` has `{glob}`")),
            None => rules.full(one.owner.as_ref()),
        };
        match why {
            Some(why) => left_out.push(LeftOut {
                suite: one.suite,
                test: one.test,
                why,
            }),
            None => chosen.push(one),
        }
    }
    (chosen, left_out)
}

impl Rules<'_> {
    /// Counts one more test of an owner; says so when there is no room for it.
    fn full(&mut self, owner: Option<&String>) -> Option<String> {
        let owner = owner.cloned();
        let tests = self.tests.get(&owner).copied().unwrap_or_default();
        let most = self.cap.of(tests);
        let shown = owner.clone().unwrap_or_else(|| "nobody".to_owned());
        let count = self.quarantined.entry(owner).or_default();
        if *count >= most {
            return Some(format!(
                "{shown} has {count} in quarantine, and {most} is the most"
            ));
        }
        *count += 1;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flakes::verdict::Counted;

    fn candidate(
        suite: &str,
        test: &str,
        failures: u64,
        owner: &str,
        verdict: Verdict,
    ) -> Candidate {
        Candidate {
            suite: suite.into(),
            test: test.into(),
            owner: (!owner.is_empty()).then(|| owner.to_owned()),
            judgement: Judgement {
                verdict,
                confidence: 0.9,
                flaky: 0.9,
                counted: Counted::default(),
                suspects: None,
                evidence: Vec::new(),
            },
            failures,
        }
    }

    #[test]
    fn shares_are_read_and_leave_room_for_some() {
        assert_eq!(Cap::share("2%"), Some(Cap::USUAL));
        assert_eq!(Cap::share("0.5 %"), Some(Cap::Share(50)));
        for wrong in ["2", "%", "2.555%", "-1%", "101%", "a%", "1.%x"] {
            assert_eq!(Cap::share(wrong), None, "{wrong}");
        }
        assert_eq!(Cap::USUAL.of(10), 5);
        assert_eq!(Cap::USUAL.of(1_000), 20);
        assert_eq!(Cap::Count(0).of(1_000), 0);
    }

    #[test]
    fn what_fails_most_comes_in_and_broken_never_does() {
        let all = vec![
            candidate("s", "rare", 1, "@a", Verdict::Flaky),
            candidate("s", "often", 9, "@a", Verdict::Flaky),
            candidate("s", "never", 50, "@a", Verdict::Flaky),
            candidate("s", "broken", 99, "@a", Verdict::Broken),
            candidate("s", "unknown", 99, "@a", Verdict::Unknown),
            candidate("s", "other", 1, "", Verdict::Flaky),
            candidate("GitHub Actions > ci.yml", "unit", 7, "", Verdict::Flaky),
        ];
        let tests = BTreeMap::new();
        let rules = Rules {
            cap: Cap::Count(2),
            tests: &tests,
            quarantined: BTreeMap::from([(Some("@a".to_owned()), 1)]),
            never: &|_, test| (test == "never").then(|| "never".to_owned()),
        };
        let (chosen, left_out) = choose(all, &Quarantine::default(), rules);
        let chosen: Vec<&str> = chosen.iter().map(|one| one.test.as_str()).collect();
        assert_eq!(chosen, ["often", "other"]);
        let why: Vec<(&str, &str)> = left_out
            .iter()
            .map(|one| (one.test.as_str(), one.why.as_str()))
            .collect();
        assert_eq!(
            why,
            [
                ("never", "`flakes.never` has `never`"),
                ("rare", "@a has 2 in quarantine, and 2 is the most")
            ]
        );
    }
}
