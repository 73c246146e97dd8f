//! Trace and span identities that anybody can compute again, equal to those of the OpenTelemetry collector's `githubreceiver`
//! (opentelemetry-collector-contrib, `receiver/githubreceiver/trace_event_handling.go`), so that its traces and ours are one.
//!
//! A trace is the first half of SHA-256 over `{run}{attempt}t`, a span the second quarter of one over what it is of. A job is known by its id
//! (the receiver's gate `UseCheckRunID`, on since v0.151.0); where only its name is known, the receiver's older form is taken.

use std::fmt;

use crate::sha::Sha;

/// A trace: one attempt of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TraceId([u8; 16]);

/// A span of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SpanId([u8; 8]);

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(&self.0, f)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(&self.0, f)
    }
}

fn hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for byte in bytes {
        write!(f, "{byte:02x}")?;
    }
    Ok(())
}

impl TraceId {
    /// Returns the trace of an attempt of a run.
    pub(crate) fn of_run(run: u64, attempt: u32) -> Self {
        Self::of(&format!("{run}{attempt}t"))
    }

    /// Returns the trace of a run of agents that no CI run stands behind.
    pub(crate) fn of_agents(run: &str) -> Self {
        Self::of(&format!("maestro/{run}/t"))
    }

    fn of(words: &str) -> Self {
        let Sha(digest) = Sha::of(words.as_bytes());
        let mut id = [0; 16];
        id.copy_from_slice(&digest[..16]);
        Self(id)
    }
}

impl SpanId {
    /// Returns the span of the run itself, the root of its trace.
    pub(crate) fn of_run(run: u64, attempt: u32) -> Self {
        Self::of(&format!("{run}{attempt}s"))
    }

    /// Returns the span of a job.
    pub(crate) fn of_job(job: JobRef<'_>) -> Self {
        match job {
            JobRef::Id(id) => Self::of(&format!("{id}-j")),
            JobRef::Name { run, attempt, name } => Self::of(&format!("{run}{attempt}{name}")),
        }
    }

    /// Returns the span of a job's time in the queue.
    pub(crate) fn of_queue(job: JobRef<'_>) -> Self {
        match job {
            JobRef::Id(id) => Self::of(&format!("{id}-q")),
            JobRef::Name { run, attempt, name } => {
                Self::of(&format!("{run}{attempt}{name}queue-{name}1"))
            }
        }
    }

    /// Returns the span of a job's step. Of steps with one name the receiver gives all the same span; here the first has it, and each later one,
    /// the `again`th, a span of its own.
    pub(crate) fn of_step(job: JobRef<'_>, step: &str, number: u32, again: u32) -> Self {
        match job {
            JobRef::Id(id) if again == 0 => Self::of(&format!("{id}-{step}-s")),
            JobRef::Id(id) => Self::of(&format!("{id}-{step}-{again}-s")),
            JobRef::Name { run, attempt, name } => {
                Self::of(&format!("{run}{attempt}{name}{step}{number}"))
            }
        }
    }

    /// Returns the span of a part of a run of agents: the run (no parts), a task, a call.
    pub(crate) fn of_agents(run: &str, parts: &[&str]) -> Self {
        Self::of(&format!("maestro/{run}/{}/s", parts.join("/")))
    }

    fn of(words: &str) -> Self {
        let Sha(digest) = Sha::of(words.as_bytes());
        let mut id = [0; 8];
        id.copy_from_slice(&digest[8..16]);
        Self(id)
    }
}

/// How a job is known.
#[derive(Debug, Clone, Copy)]
pub(crate) enum JobRef<'a> {
    /// By its id.
    Id(u64),
    /// By its name in an attempt of a run.
    Name {
        /// The run.
        run: u64,
        /// Which try of it.
        attempt: u32,
        /// The job's name.
        name: &'a str,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The run, attempt and job of the receiver's own golden files (`testdata/workflow-run-expected.yaml`, `workflow-job-expected.yaml`).
    const RUN: u64 = 14_460_881_260;
    const NAMED: JobRef<'_> = JobRef::Name {
        run: RUN,
        attempt: 13,
        name: "test (1.23)",
    };

    #[test]
    fn a_run_has_the_trace_and_the_root_that_the_receiver_gives_it() {
        let trace = TraceId::of_run(RUN, 13).to_string();
        assert_eq!(trace, "731ec8a47fd7450f753a812a4a8aa5a0");
        assert_eq!(SpanId::of_run(RUN, 13).to_string(), "aba151af7cfbcf0f");
    }

    #[test]
    fn the_attempt_before_has_the_trace_that_the_receiver_links_to() {
        let before = TraceId::of_run(RUN, 12).to_string();
        assert_eq!(before, "3ab150c94bf95169f4958bc860bddc3b");
    }

    #[test]
    fn a_job_without_an_id_has_the_spans_of_the_receivers_older_form() {
        assert_eq!(SpanId::of_job(NAMED).to_string(), "e68a36b3514c8634");
        assert_eq!(SpanId::of_queue(NAMED).to_string(), "d328504edfc4f5dc");
        for (step, number, span) in [
            ("Set up job", 1, "103b52e85d34ae1c"),
            ("Make test-all", 4, "1684627ec86a096c"),
        ] {
            assert_eq!(SpanId::of_step(NAMED, step, number, 0).to_string(), span);
        }
    }

    /// Reckoned with another SHA-256 from the receiver's formulas.
    #[test]
    fn a_job_with_an_id_has_the_spans_of_the_receivers_formulas() {
        let job = JobRef::Id(40_685_651_258);
        assert_eq!(SpanId::of_job(job).to_string(), "2b09b38c69b64a9c");
        assert_eq!(SpanId::of_queue(job).to_string(), "79ff76cc79430e14");
        let step = |name| SpanId::of_step(job, name, 1, 0).to_string();
        assert_eq!(step("Set up job"), "d592338e114eb265");
        assert_eq!(step("Complete job"), "39890c36be341dce");
    }

    #[test]
    fn steps_of_one_name_have_spans_of_their_own() {
        let job = JobRef::Id(1);
        let first = SpanId::of_step(job, "Build", 1, 0);
        assert_ne!(first, SpanId::of_step(job, "Build", 2, 1));
    }
}
