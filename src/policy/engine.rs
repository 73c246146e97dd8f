//! Judges a change by a policy. The same function guards a pull request, and an agent's task before and after.

use jiff::civil::Date;

use super::baseline::{Baseline, fingerprint};
use super::entry::{Entry, Ignore};
use super::rules::About;
use super::subject::Subject;
use super::task::Task;
use super::tighten::Policy;
use super::{Breach, Target, Weight, standing};

/// What became of a breach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Forgiven {
    /// Somebody answers for it, until a day.
    Ignored {
        reason: String,
        owner: String,
        expires: Date,
    },
    /// It was there before.
    Baseline,
    /// Persons approved this head, which is what the breach asked for.
    Approved(Vec<String>),
}

/// A breach, with all that is said around it.
#[derive(Debug, Clone)]
pub(crate) struct Violation {
    /// The entry's id, or the rule's own name where no entry stands for it.
    pub(crate) entry: String,
    pub(crate) rule: &'static About,
    pub(crate) weight: Weight,
    pub(crate) target: Target,
    pub(crate) message: String,
    pub(crate) observed: String,
    pub(crate) limit: String,
    pub(crate) reason: String,
    pub(crate) fix: String,
    pub(crate) owner: Option<String>,
    pub(crate) expires: Option<Date>,
    pub(crate) is_locked: bool,
    /// What a baseline knows it by; none for what no baseline may forgive.
    pub(crate) fingerprint: Option<String>,
    pub(crate) forgiven: Option<Forgiven>,
}

/// How an entry was judged.
#[derive(Debug, Clone)]
pub(crate) struct Judged {
    pub(crate) id: String,
    pub(crate) rule: &'static About,
    pub(crate) state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Judged,
    /// It is about other people's changes.
    NotMeant,
    /// Its day is over.
    Expired,
}

impl State {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Judged => "judged",
            Self::NotMeant => "not-meant",
            Self::Expired => "expired",
        }
    }
}

/// What follows from all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    Passed,
    Warned,
    /// A person has to approve this head.
    Review,
    Blocked,
}

impl Outcome {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Warned => "warned",
            Self::Review => "review",
            Self::Blocked => "blocked",
        }
    }
}

/// What a policy says of a change.
#[derive(Debug, Clone)]
pub(crate) struct Judgement {
    pub(crate) entries: Vec<Judged>,
    /// The heaviest first, then by rule and place.
    pub(crate) violations: Vec<Violation>,
    pub(crate) outcome: Outcome,
}

/// Judges a change, or what an agent means to do or did; then also by the task that it was given.
pub(crate) fn judge(
    policy: &Policy,
    baseline: &Baseline,
    subject: &Subject<'_>,
    task: Option<&Task>,
) -> Judgement {
    let mut violations = Vec::new();
    if let Some(task) = task {
        task.outside(subject, &mut violations);
    }
    let mut entries = Vec::with_capacity(policy.entries.len() + 1);
    standing::maestro_files(subject, &mut violations);
    entries.push(Judged {
        id: standing::MAESTRO_FILES.name.to_owned(),
        rule: &standing::MAESTRO_FILES,
        state: State::Judged,
    });
    for entry in &policy.entries {
        let state = state_of(policy, entry, subject);
        if state == State::Judged {
            let mut breaches = Vec::new();
            entry.check.check(subject, &mut breaches);
            violations.extend(breaches.into_iter().map(|breach| violation(entry, breach)));
        } else if state == State::Expired {
            violations.push(standing::expired_entry(entry));
        }
        entries.push(Judged {
            id: entry.id.clone(),
            rule: entry.rule,
            state,
        });
    }
    for ignore in &policy.ignores {
        if !ignore.ignore.holds(subject.today) {
            violations.push(standing::expired_ignore(&ignore.ignore));
        }
    }
    for violation in &mut violations {
        violation.forgiven = forgiven(policy, baseline, subject, violation);
    }
    sort(&mut violations);
    Judgement {
        outcome: outcome(&violations),
        entries,
        violations,
    }
}

fn state_of(policy: &Policy, entry: &Entry, subject: &Subject<'_>) -> State {
    let declared = |team: &str| {
        policy
            .teams
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case(team))
    };
    if entry.expires.is_some_and(|last| subject.today > last) {
        State::Expired
    } else if entry.applies_to.includes(subject.asked, declared) {
        State::Judged
    } else {
        State::NotMeant
    }
}

fn violation(entry: &Entry, breach: Breach) -> Violation {
    Violation {
        entry: entry.id.clone(),
        rule: entry.rule,
        weight: breach
            .weight
            .unwrap_or(entry.severity)
            .min(cap(entry.severity)),
        fingerprint: breach
            .fingerprint
            .as_deref()
            .map(|print| fingerprint(entry.rule.name, print)),
        target: breach.target,
        message: breach.message,
        observed: breach.observed,
        limit: breach.limit,
        reason: entry.reason.clone(),
        fix: entry
            .fix
            .clone()
            .or(breach.fix)
            .unwrap_or_else(|| entry.rule.fix.to_owned()),
        owner: entry.owner.clone(),
        expires: entry.expires,
        is_locked: entry.is_locked,
        forgiven: None,
    }
}

/// An entry that only warns stays one: a rule may say less or more than `review`, and not turn a word of advice into a gate.
fn cap(severity: Weight) -> Weight {
    match severity {
        Weight::Warn => Weight::Warn,
        Weight::Review | Weight::Block => Weight::Block,
    }
}

fn forgiven(
    policy: &Policy,
    baseline: &Baseline,
    subject: &Subject<'_>,
    violation: &Violation,
) -> Option<Forgiven> {
    let is_standing = standing::STANDING
        .iter()
        .any(|about| about.name == violation.rule.name);
    let may = |of_floor: bool| !violation.is_locked || of_floor && !is_standing;
    let in_force = policy
        .ignores
        .iter()
        .filter(|one| may(one.is_floors) && one.ignore.holds(subject.today));
    let found = in_force
        .map(|one| &one.ignore)
        .find(|ignore| ignore.is_about(&violation.entry, &violation.target));
    if let Some(Ignore {
        reason,
        owner,
        expires,
        ..
    }) = found
    {
        return Some(Forgiven::Ignored {
            reason: reason.0.clone(),
            owner: owner.0.clone(),
            expires: expires.0,
        });
    }
    let print = violation
        .fingerprint
        .as_deref()
        .filter(|_| !violation.is_locked);
    if print.is_some_and(|print| baseline.has(&violation.entry, print)) {
        return Some(Forgiven::Baseline);
    }
    let people: Vec<String> = subject.asked.others().map(str::to_owned).collect();
    (violation.weight == Weight::Review && !people.is_empty()).then_some(Forgiven::Approved(people))
}

/// Puts the heaviest first; of several entries of one id that say the same, the heaviest stays.
fn sort(violations: &mut Vec<Violation>) {
    crate::order::sort_by(violations, |one, other| {
        let key = |one: &Violation| (one.forgiven.is_some(), std::cmp::Reverse(one.weight));
        key(one)
            .cmp(&key(other))
            .then_with(|| {
                (one.rule.name, &one.entry, &one.target).cmp(&(
                    other.rule.name,
                    &other.entry,
                    &other.target,
                ))
            })
            .then_with(|| {
                (&one.message, &one.observed, other.is_locked).cmp(&(
                    &other.message,
                    &other.observed,
                    one.is_locked,
                ))
            })
    });
    let mut seen = std::collections::BTreeSet::new();
    violations.retain(|one| {
        seen.insert((
            one.entry.clone(),
            one.target.clone(),
            one.message.clone(),
            one.observed.clone(),
        ))
    });
}

fn outcome(violations: &[Violation]) -> Outcome {
    let open = violations.iter().filter(|one| one.forgiven.is_none());
    match open.map(|one| one.weight).max() {
        Some(Weight::Block) => Outcome::Blocked,
        Some(Weight::Review) => Outcome::Review,
        Some(Weight::Warn) => Outcome::Warned,
        None => Outcome::Passed,
    }
}

#[cfg(test)]
mod tests;
