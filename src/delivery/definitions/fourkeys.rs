//! Four Keys (dora-team/fourkeys, METRICS.md and queries/*.sql at 6cc642e037a9; archived in 2024).

use super::{Definition, Lead, Odd};

pub(super) const DEFINITION: Definition = Definition {
    name: "fourkeys",
    source: "dora-team/fourkeys 6cc642e037a9, METRICS.md",
    lead: Lead::Commit,
    odd: Odd::DropAll,
    sums_parts: false,
    counts_incidents: true,
    from_detection: true,
    counts_open: false,
    infers: false,
    strictly_before: false,
    blames_forever: false,
    reads_pulls: false,
    has_rework: false,
    differences: &[
        (
            "lead-time-deploy",
            "of each commit that a deployment brought, from its commit date: a squashed pull request starts when it is merged; zero and negative times are dropped without a word",
        ),
        (
            "change-fail-rate",
            "incidents over deployments, which may be above 1; only incidents that name a change",
        ),
        (
            "recovery",
            "from when the incident was opened; incidents that are still open do not count",
        ),
        ("rework-rate", "not defined"),
    ],
};
