//! The gate: whether what was planned ran, and what everything together says of a change.
//!
//! Invariant: nothing that is missing counts as good. A job without a result, a plan without its outputs and a part that could not be
//! judged are problems like a failed test.

pub(crate) mod comment;
pub(crate) mod compare;
pub(crate) mod flakes;
pub(crate) mod needs;
pub(crate) mod overrides;
pub(crate) mod parts;

/// What the gate looks at; each is enforced by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Capability {
    Plan,
    Flakes,
    Policy,
    Budget,
}

impl Capability {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Flakes => "flakes",
            Self::Policy => "policy",
            Self::Budget => "budget",
        }
    }
}

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) capability: Capability,
    /// Stable; what `/maestro override` names.
    pub(crate) rule: String,
    /// What it is about: a job, a path, a sum; may be foreign text.
    pub(crate) about: String,
    /// The same for people, a sentence without its full stop.
    pub(crate) words: String,
    /// What to do.
    pub(crate) fix: String,
    /// Who let it pass, and why.
    pub(crate) overridden: Option<overrides::Override>,
}

impl Problem {
    pub(crate) fn new(
        capability: Capability,
        rule: &str,
        about: impl Into<String>,
        words: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            capability,
            rule: rule.to_owned(),
            about: about.into(),
            words: words.into(),
            fix: fix.into(),
            overridden: None,
        }
    }
}

/// How a problem stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// It blocks.
    Blocks,
    /// It would, if its capability were enforced.
    WouldBlock,
    /// Somebody let it pass.
    Overridden,
}

impl Weight {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Blocks => "blocks",
            Self::WouldBlock => "would-block",
            Self::Overridden => "overridden",
        }
    }
}

/// Returns how a problem stands.
pub(crate) fn weight(problem: &Problem, enforced: &[Capability]) -> Weight {
    if problem.overridden.is_some() {
        Weight::Overridden
    } else if enforced.contains(&problem.capability) {
        Weight::Blocks
    } else {
        Weight::WouldBlock
    }
}

/// Returns the capability that the gate fails for, the first in order; nothing when it passes.
pub(crate) fn verdict(problems: &[Problem], enforced: &[Capability]) -> Option<Capability> {
    let blocking = problems
        .iter()
        .filter(|problem| weight(problem, enforced) == Weight::Blocks);
    blocking.map(|problem| problem.capability).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(capability: Capability) -> Problem {
        Problem::new(capability, "r", "a", "w", "f")
    }

    #[test]
    fn only_what_is_enforced_blocks_and_only_what_nobody_let_pass() {
        use Capability::{Budget, Plan, Policy};
        let problems = [problem(Budget), problem(Policy)];
        assert_eq!(verdict(&problems, &[]), None);
        assert_eq!(verdict(&problems, &[Plan]), None);
        assert_eq!(verdict(&problems, &[Budget]), Some(Budget));
        assert_eq!(verdict(&problems, &[Budget, Policy]), Some(Policy));
        let mut passed = problem(Policy);
        passed.overridden = Some(overrides::Override::for_tests());
        assert_eq!(verdict(&[passed], &[Policy]), None);
    }
}
