//! A cascade: begin with a cheap model, check what it made, and ask a stronger one only when the check failed.
//!
//! After FrugalGPT (Chen, Zaharia and Zou, arXiv:2305.05176, section 3): there a learnt scorer accepts an answer; here tests or a schema do.

use super::{Tier, Worst};
use crate::money::Usd;

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The check accepted it.
    Passed,
    /// The check refused it: tests failed, or the answer has not the form that was asked for.
    Failed,
    /// There was no answer to check: refused, cut off, or never there.
    Broken,
}

impl Outcome {
    pub(crate) const ALL: [(&'static str, Self); 3] = [
        ("passed", Self::Passed),
        ("failed", Self::Failed),
        ("broken", Self::Broken),
    ];

    pub(crate) fn named(name: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(known, _)| *known == name);
        found.map(|(_, outcome)| *outcome)
    }
}

/// A call that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Attempt {
    pub(crate) tier: Tier,
    pub(crate) outcome: Outcome,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// An answer passed.
    Done,
    /// The first call.
    Start(Tier),
    /// The same tier once more, since there was no answer.
    Again(Tier),
    /// A stronger tier, since the check failed.
    Escalate(Tier),
    /// The strongest tier failed.
    Exhausted,
    /// What is left does not pay the next call's worst case.
    OutOfMoney(Tier),
    /// The next tier has no price, and there is a budget to keep.
    Unpriced(Tier),
}

/// A tier may be without an answer so often before a stronger one is asked.
const BROKEN: usize = 2;

/// Returns what follows from the calls that were made.
pub(crate) fn next(
    start: Tier,
    attempts: &[Attempt],
    worst: &Worst,
    remaining: Option<Usd>,
) -> Next {
    let Some(last) = attempts.last() else {
        return paid(Next::Start(start), start, worst, remaining);
    };
    if attempts.iter().any(|one| one.outcome == Outcome::Passed) {
        return Next::Done;
    }
    let broken = attempts.iter().rev();
    let broken = broken.take_while(|one| one.tier == last.tier && one.outcome == Outcome::Broken);
    if last.outcome == Outcome::Broken && broken.count() < BROKEN {
        return paid(Next::Again(last.tier), last.tier, worst, remaining);
    }
    // A check that failed at a strong tier is not asked of a weaker one.
    let strongest = attempts.iter().map(|one| one.tier).max();
    match strongest.and_then(Tier::up) {
        Some(tier) => paid(Next::Escalate(tier), tier, worst, remaining),
        None => Next::Exhausted,
    }
}

fn paid(next: Next, tier: Tier, worst: &Worst, remaining: Option<Usd>) -> Next {
    match (remaining, worst[tier as usize]) {
        (None, _) => next,
        (Some(remaining), Some(worst)) if worst <= remaining => next,
        (Some(_), Some(_)) => Next::OutOfMoney(tier),
        (Some(_), None) => Next::Unpriced(tier),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORST: Worst = [
        Some(Usd::from_pico(1)),
        Some(Usd::from_pico(10)),
        Some(Usd::from_pico(100)),
    ];

    /// Attempts as `small:failed`, with what is left.
    fn check(attempts: &[&str], left: Option<u128>) -> Next {
        let attempts: Vec<Attempt> = attempts
            .iter()
            .map(|text| {
                let (tier, outcome) = text.split_once(':').unwrap();
                Attempt {
                    tier: Tier::named(tier).unwrap(),
                    outcome: Outcome::named(outcome).unwrap(),
                }
            })
            .collect();
        next(Tier::Small, &attempts, &WORST, left.map(Usd::from_pico))
    }

    #[test]
    fn a_cascade_goes_up_when_the_check_fails() {
        assert_eq!(check(&[], None), Next::Start(Tier::Small));
        assert_eq!(check(&["small:passed"], None), Next::Done);
        assert_eq!(check(&["small:failed"], None), Next::Escalate(Tier::Medium));
        assert_eq!(
            check(&["small:failed", "medium:failed"], None),
            Next::Escalate(Tier::Large)
        );
        assert_eq!(check(&["large:failed"], None), Next::Exhausted);
    }

    #[test]
    fn no_answer_is_asked_for_once_more() {
        assert_eq!(check(&["small:broken"], None), Next::Again(Tier::Small));
        assert_eq!(
            check(&["small:broken", "small:broken"], None),
            Next::Escalate(Tier::Medium)
        );
        assert_eq!(
            check(&["small:broken", "small:failed"], None),
            Next::Escalate(Tier::Medium)
        );
        assert_eq!(
            check(&["large:broken", "large:broken"], None),
            Next::Exhausted
        );
    }

    #[test]
    fn nothing_follows_that_cannot_be_paid() {
        assert_eq!(check(&[], Some(0)), Next::OutOfMoney(Tier::Small));
        assert_eq!(
            check(&["small:failed"], Some(9)),
            Next::OutOfMoney(Tier::Medium)
        );
        assert_eq!(
            check(&["small:failed"], Some(10)),
            Next::Escalate(Tier::Medium)
        );
        let unknown = [WORST[0], None, None];
        let failed = [Attempt {
            tier: Tier::Small,
            outcome: Outcome::Failed,
        }];
        let with = |left| next(Tier::Small, &failed, &unknown, left);
        assert_eq!(with(Some(Usd::from_pico(9))), Next::Unpriced(Tier::Medium));
        assert_eq!(with(None), Next::Escalate(Tier::Medium));
    }

    #[test]
    fn a_cascade_ends_whatever_happens() {
        for outcome in ["failed", "broken"] {
            let mut made = Vec::new();
            loop {
                let texts: Vec<&str> = made.iter().map(String::as_str).collect();
                match check(&texts, None) {
                    Next::Start(tier) | Next::Again(tier) | Next::Escalate(tier) => {
                        made.push(format!("{}:{outcome}", tier.name()));
                    }
                    end => {
                        assert_eq!(end, Next::Exhausted);
                        break;
                    }
                }
            }
            assert!(made.len() <= 6, "{made:?}");
        }
    }
}
