//! History that was there before anybody kept it: what was read already, which attempt left what, and what a job says by itself.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::json;

/// The suite of what jobs say by themselves, where no report says more; the workflow's file stands beside it.
const JOB_SUITE: &str = "GitHub Actions";

/// Whether a suite's tests are jobs.
pub(crate) fn is_of_jobs(suite: &str) -> bool {
    suite.starts_with(JOB_SUITE)
}

/// What is looked at again each time: runs are tried again for days.
const UNSETTLED: SignedDuration = SignedDuration::from_hours(72);

/// A cursor has room for so many spans; more are forgotten, the oldest first, and read again.
const MOST_SPANS: usize = 32;

/// From when to when all runs were created that have been read, both inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Span {
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
}

/// What has been read: apart, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Done {
    spans: Vec<Span>,
}

impl Done {
    /// Reads a position; one that cannot be read costs a longer look, nothing else.
    pub(crate) fn read(position: &str) -> Self {
        json::read(position).unwrap_or_default()
    }

    /// Adds what has been read.
    pub(crate) fn add(&mut self, span: Span) {
        if span.from > span.to {
            return;
        }
        self.spans.push(span);
        crate::order::sort(&mut self.spans);
        let mut joined: Vec<Span> = Vec::new();
        for span in self.spans.drain(..) {
            match joined.last_mut() {
                Some(last) if span.from <= last.to => last.to = last.to.max(span.to),
                _ => joined.push(span),
            }
        }
        let surplus = joined.len().saturating_sub(MOST_SPANS);
        joined.drain(..surplus);
        self.spans = joined;
    }

    /// Returns what is to be read between two times, newest first; the last days before now are never done.
    pub(crate) fn missing(&self, from: Timestamp, now: Timestamp) -> Vec<Span> {
        let settled = now.saturating_sub(UNSETTLED).unwrap_or(now);
        let mut missing = Vec::new();
        let mut at = from;
        for span in &self.spans {
            let end = span.to.min(settled);
            if end <= at || span.from >= end {
                continue;
            }
            if span.from > at {
                missing.push(Span {
                    from: at,
                    to: span.from,
                });
            }
            at = end;
        }
        if at < now {
            missing.push(Span { from: at, to: now });
        }
        missing.reverse();
        missing
    }
}

/// Returns the attempt that was at work at a time, given when each began; the first where nothing tells.
pub(crate) fn attempt_at(at: Option<Timestamp>, begun: &[(u32, Timestamp)]) -> u32 {
    let before = begun
        .iter()
        .filter(|(_, begun)| at.is_some_and(|at| at >= *begun));
    let latest = before.max_by_key(|(number, begun)| (*begun, *number));
    let first = begun.iter().min_by_key(|(number, _)| *number);
    latest.or(first).map_or(1, |(number, _)| *number)
}

/// Words in the names of artifacts with test reports.
const WORDS: [&str; 8] = [
    "test", "junit", "report", "result", "surefire", "nextest", "spec", "e2e",
];

/// Whether an artifact's name says that there are test reports in it.
pub(crate) fn may_have_reports(name: &str) -> bool {
    let name = name.to_lowercase();
    WORDS.iter().any(|word| name.contains(word))
}

/// A job, as its attempt of its run ended.
#[derive(Debug, Clone)]
pub(crate) struct JobEnd<'a> {
    pub(crate) run: u64,
    pub(crate) attempt: u32,
    pub(crate) commit: &'a str,
    pub(crate) branch: &'a str,
    /// The file of the workflow, or its name.
    pub(crate) workflow: &'a str,
    pub(crate) name: &'a str,
    /// As GitHub calls it.
    pub(crate) conclusion: &'a str,
    pub(crate) at: Timestamp,
    pub(crate) milliseconds: Option<i64>,
}

/// Writes a job's end as a line of the neutral form; nothing when it says nothing about the code.
///
/// Conclusions are those of docs.github.com, "Workflow jobs": a cancelled or skipped job neither passed nor failed.
pub(crate) fn line_of_job(job: &JobEnd<'_>) -> Option<String> {
    let status = match job.conclusion {
        "success" => "passed",
        "failure" => "failed",
        "timed_out" | "startup_failure" => "errored",
        _ => return None,
    };
    let line = json!({
        "run": job.run.to_string(), "attempt": job.attempt, "commit": job.commit, "branch": job.branch, "job": job.workflow,
        "at": job.at.to_string(), "suite": format!("{JOB_SUITE} > {}", job.workflow), "test": job.name, "status": status,
        "duration_ms": job.milliseconds,
    });
    Some(format!("{line}\n"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(hour * 3600).unwrap()
    }

    fn span(from: i64, to: i64) -> Span {
        Span {
            from: at(from),
            to: at(to),
        }
    }

    #[track_caller]
    fn check(done: &[(i64, i64)], wanted: &[(i64, i64)]) {
        let mut all = Done::default();
        for (from, to) in done {
            all.add(span(*from, *to));
        }
        let wanted: Vec<Span> = wanted.iter().map(|(from, to)| span(*from, *to)).collect();
        assert_eq!(all.missing(at(0), at(1000)), wanted);
    }

    #[test]
    fn what_was_read_is_not_read_again_but_for_the_last_days() {
        check(&[], &[(0, 1000)]);
        check(&[(900, 1000)], &[(928, 1000), (0, 900)]);
        check(&[(0, 1000)], &[(928, 1000)]);
        check(&[(950, 1000)], &[(0, 1000)]);
        check(
            &[(800, 850), (100, 200), (150, 300), (-50, 20)],
            &[(850, 1000), (300, 800), (20, 100)],
        );
    }

    proptest! {
        #[test]
        fn a_position_is_read_back_and_has_room_in_a_cursor(spans in prop::collection::vec((0_i64..2000, 0_i64..50), 0..60)) {
            let mut done = Done::default();
            for (from, length) in spans {
                done.add(span(from, from + length));
            }
            let text = serde_json::to_string(&done).unwrap();
            prop_assert!(text.len() <= 4096);
            prop_assert_eq!(Done::read(&text), done);
        }
    }

    #[test]
    fn an_artifact_is_of_the_attempt_that_was_at_work() {
        let begun = [(1, at(10)), (2, at(20)), (3, at(30))];
        for (hour, attempt) in [(5, 1), (10, 1), (19, 1), (20, 2), (31, 3)] {
            assert_eq!(attempt_at(Some(at(hour)), &begun), attempt, "{hour}");
        }
        assert_eq!(attempt_at(None, &begun), 1);
    }

    #[test]
    fn what_was_cancelled_says_nothing() {
        let end = |conclusion| {
            line_of_job(&JobEnd {
                run: 1,
                attempt: 2,
                commit: "c",
                branch: "main",
                workflow: "ci.yml",
                name: "test (3.9)",
                conclusion,
                at: at(0),
                milliseconds: None,
            })
        };
        assert_eq!(end("cancelled"), None);
        assert!(end("timed_out").unwrap().contains("\"status\":\"errored\""));
    }
}
