//! A job's command, decided: how it ended, whether its failures are forgiven, and what the process answers.
//!
//! Invariant: only a command that failed by itself can be forgiven. What is not certain is not forgiven, and what succeeded stays so.

pub(crate) mod script;
pub(crate) mod skip;

use jiff::{SignedDuration, Timestamp};

use crate::flakes::gate::{Judged, Ruling};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// By itself, with this status.
    Exited(i32),
    /// By the signal of that number.
    Killed(i32),
    /// It ran for too long and was stopped.
    TimedOut,
}

/// What timeout(1) of GNU coreutils exits with when it stopped a command.
const TIMED_OUT: u8 = 124;

impl Ending {
    /// Returns what the process exits with: the command's own status, and of a signal 128 and its number, as shells have it.
    pub(crate) fn code(self) -> u8 {
        let fits = |number: i32| u8::try_from(number).unwrap_or(u8::MAX);
        match self {
            Self::Exited(status) => fits(status),
            Self::Killed(signal) => fits(128 + signal),
            Self::TimedOut => TIMED_OUT,
        }
    }
}

/// Why a failed command is not forgiven, beside what its reports say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Obstacle {
    /// The quarantine of the base was not handed on.
    NoRules,
    /// What was handed on as the quarantine cannot be used; in words.
    BadRules(String),
    /// A signal ended it.
    Killed(i32),
    TimedOut,
    /// The last command of several was not reached.
    NotReached,
    /// A report is from before the last command of several.
    Earlier,
    /// The command is more than a list of commands; what it has.
    Unclear(&'static str),
    /// Reports could not be looked at; in words.
    NotRead(String),
}

impl Obstacle {
    /// Returns the word that programs compare.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::NoRules => "no-rules",
            Self::BadRules(_) => "bad-rules",
            Self::Killed(_) => "killed",
            Self::TimedOut => "timed-out",
            Self::NotReached => "not-reached",
            Self::Earlier => "earlier-report",
            Self::Unclear(_) => "unclear-command",
            Self::NotRead(_) => "not-read",
        }
    }

    /// Returns the same for people.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::NoRules => {
                "the plan's output `trusted` was not handed on, so that nothing is forgiven"
                    .to_owned()
            }
            Self::BadRules(why) => format!("what was handed on as trusted cannot be used: {why}"),
            Self::Killed(signal) => {
                format!("signal {signal} ended it, so that not everything may have run")
            }
            Self::TimedOut => "it ran for too long and was stopped".to_owned(),
            Self::NotReached => {
                "a command before the last one failed, so that what stands behind it did not run"
                    .to_owned()
            }
            Self::Earlier => {
                "a report is from before the last command began, which may have failed by itself"
                    .to_owned()
            }
            Self::Unclear(what) => format!(
                "the command has {what}, so that it is not known whether a failed test kept something from running"
            ),
            Self::NotRead(why) => format!("its reports could not be looked at: {why}"),
        }
    }
}

/// How a command stands in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It succeeded by itself.
    Passed,
    /// It failed, and every failure is forgiven.
    Forgiven,
    /// The same would be, with `enforce: [flakes]` on the base.
    WouldForgive,
    Failed,
}

impl Standing {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Forgiven => "forgiven",
            Self::WouldForgive => "would-forgive",
            Self::Failed => "failed",
        }
    }
}

/// Returns why an ending alone is no failure of tests.
pub(crate) fn obstacle(ending: Ending) -> Option<Obstacle> {
    match ending {
        Ending::Exited(_) => None,
        Ending::Killed(signal) => Some(Obstacle::Killed(signal)),
        Ending::TimedOut => Some(Obstacle::TimedOut),
    }
}

/// Decides how a command stands. `judged` is what its reports say under the rules that were handed on.
pub(crate) fn stands(ending: Ending, judged: &Judged, obstacles: &[Obstacle]) -> Standing {
    if ending == Ending::Exited(0) {
        return Standing::Passed;
    }
    if !obstacles.is_empty() || !matches!(ending, Ending::Exited(_)) {
        return Standing::Failed;
    }
    if judged.failures.is_empty() || !judged.troubles.is_empty() {
        return Standing::Failed;
    }
    if judged.passes() {
        return Standing::Forgiven;
    }
    let would = |ruling: &Ruling| matches!(ruling, Ruling::Forgiven(_) | Ruling::NotEnforced);
    if judged.failures.iter().all(|failure| would(&failure.ruling)) {
        Standing::WouldForgive
    } else {
        Standing::Failed
    }
}

/// Returns what the process exits with.
pub(crate) fn answer(standing: Standing, ending: Ending) -> u8 {
    match standing {
        Standing::Passed | Standing::Forgiven => 0,
        Standing::WouldForgive | Standing::Failed => ending.code(),
    }
}

/// How far a command came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// It is one command.
    One,
    /// The last of several began at this time, as the file system has it.
    Last(Timestamp),
    /// The last of several did not begin, as far as is known.
    NotLast,
}

/// Returns why a list of commands alone keeps a failure: `oldest` is when the oldest report of the run was written. What the last command
/// did not write is not what it failed for.
pub(crate) fn unreached(reach: Reach, oldest: Option<Timestamp>) -> Option<Obstacle> {
    match (reach, oldest) {
        (Reach::NotLast, _) => Some(Obstacle::NotReached),
        (Reach::Last(began), Some(oldest)) if oldest < began => Some(Obstacle::Earlier),
        _ => None,
    }
}

/// File systems keep times as coarse as this (FAT).
const COARSE: SignedDuration = SignedDuration::from_secs(2);

/// Whether a report was written by a command that began at `start`: not the one that lay there before, and not one that is older.
pub(crate) fn is_fresh(before: Option<Timestamp>, now: Timestamp, start: Timestamp) -> bool {
    before != Some(now) && now.saturating_add(COARSE).unwrap_or(now) >= start
}

/// Returns what keeps two equal legs of a job apart: what somebody says, and the shard where that does not say it.
pub(crate) fn leg(said: &str, shard: Option<(u32, u32)>) -> String {
    let Some((part, parts)) = shard else {
        return said.to_owned();
    };
    let shard = format!("{part}/{parts}");
    match said.trim() {
        "" => shard,
        said if said.contains(&shard) => said.to_owned(),
        said => format!("{said} {shard}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flakes::gate::{Failure, Trouble};

    fn judged(rulings: &[Ruling], troubles: &[Trouble]) -> Judged {
        let failures = rulings.iter().map(|ruling| Failure {
            suite: "s".to_owned(),
            test: "t".to_owned(),
            message: String::new(),
            ruling: ruling.clone(),
        });
        Judged {
            failures: failures.collect(),
            troubles: troubles.to_vec(),
            ..Judged::default()
        }
    }

    fn forgiven() -> Ruling {
        let text = br#"{"schema": "maestro.quarantine/v1", "tests": [{"suite": "s", "test": "t", "reason": "r", "since": "2026-01-01", "review_by": "2026-01-15"}]}"#;
        let quarantine = crate::flakes::quarantine::Quarantine::read(text).unwrap();
        Ruling::Forgiven(Box::new(quarantine.tests[0].clone()))
    }

    #[track_caller]
    fn check(ending: Ending, judged: &Judged, obstacles: &[Obstacle], expected: (Standing, u8)) {
        let standing = stands(ending, judged, obstacles);
        assert_eq!((standing, answer(standing, ending)), expected);
    }

    #[test]
    fn what_is_forgiven_is_a_success_and_nothing_else_changes() {
        let good = judged(&[forgiven()], &[]);
        let red = Ending::Exited(100);
        check(red, &good, &[], (Standing::Forgiven, 0));
        check(Ending::Exited(0), &good, &[], (Standing::Passed, 0));
        let mixed = judged(&[forgiven(), Ruling::NotQuarantined], &[]);
        check(red, &mixed, &[], (Standing::Failed, 100));
        check(Ending::Exited(0), &mixed, &[], (Standing::Passed, 0));
        let shadow = judged(&[Ruling::NotEnforced], &[]);
        check(red, &shadow, &[], (Standing::WouldForgive, 100));
        check(red, &Judged::default(), &[], (Standing::Failed, 100));
        let cut = judged(&[forgiven()], &[Trouble::NotWhole("r.xml".into())]);
        check(red, &cut, &[], (Standing::Failed, 100));
    }

    #[test]
    fn every_obstacle_keeps_a_failure() {
        let good = judged(&[forgiven()], &[]);
        for obstacle in [
            Obstacle::NoRules,
            Obstacle::BadRules("cut".into()),
            Obstacle::NotReached,
            Obstacle::Unclear("a loop"),
            Obstacle::NotRead("gone".into()),
        ] {
            check(
                Ending::Exited(1),
                &good,
                std::slice::from_ref(&obstacle),
                (Standing::Failed, 1),
            );
            check(Ending::Exited(0), &good, &[obstacle], (Standing::Passed, 0));
        }
        check(Ending::Killed(9), &good, &[], (Standing::Failed, 137));
        check(Ending::TimedOut, &good, &[], (Standing::Failed, 124));
        assert_eq!(obstacle(Ending::Killed(9)), Some(Obstacle::Killed(9)));
        assert_eq!(obstacle(Ending::TimedOut), Some(Obstacle::TimedOut));
        assert_eq!(obstacle(Ending::Exited(1)), None);
    }

    #[test]
    fn a_status_that_does_not_fit_stays_a_failure() {
        assert_eq!(Ending::Exited(-1).code(), 255);
        assert_eq!(Ending::Exited(3_221_225_477_u32.cast_signed()).code(), 255);
        assert_eq!(Ending::Killed(15).code(), 143);
    }

    #[test]
    fn only_what_the_command_wrote_is_fresh() {
        let at = |seconds: i64| Timestamp::from_second(seconds).unwrap();
        assert!(is_fresh(None, at(100), at(100)));
        assert!(is_fresh(Some(at(50)), at(100), at(100)));
        // The clock of the file system may be coarse.
        assert!(is_fresh(None, at(98), at(100)));
        assert!(!is_fresh(None, at(97), at(100)));
        assert!(!is_fresh(Some(at(100)), at(100), at(100)));
        assert!(is_fresh(None, Timestamp::MAX, at(100)));
    }

    #[test]
    fn a_report_counts_for_the_last_command_only_if_that_wrote_it() {
        let at = |seconds: i64| Timestamp::from_second(seconds).unwrap();
        assert_eq!(unreached(Reach::One, Some(at(1))), None);
        assert_eq!(unreached(Reach::Last(at(5)), Some(at(5))), None);
        assert_eq!(unreached(Reach::Last(at(5)), None), None);
        let earlier = unreached(Reach::Last(at(5)), Some(at(4)));
        assert_eq!(earlier, Some(Obstacle::Earlier));
        let not_last = unreached(Reach::NotLast, Some(at(9)));
        assert_eq!(not_last, Some(Obstacle::NotReached));
    }

    #[test]
    fn a_leg_names_the_shard_once() {
        assert_eq!(leg("", None), "");
        assert_eq!(leg("linux", None), "linux");
        assert_eq!(leg("", Some((2, 4))), "2/4");
        assert_eq!(leg("linux", Some((2, 4))), "linux 2/4");
        assert_eq!(
            leg(r#"{"shard":"2/4"}"#, Some((2, 4))),
            r#"{"shard":"2/4"}"#
        );
    }
}
