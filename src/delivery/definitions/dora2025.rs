//! The five metrics as dora.dev gives them ("DORA's software delivery performance metrics", updated 2026-01-05; State of AI-assisted Software
//! Development 2025).

use super::{Definition, Lead, Odd};

pub(super) const DEFINITION: Definition = Definition {
    name: "dora2025",
    source: "dora.dev/guides/dora-metrics, 2026-01-05",
    lead: Lead::Pull,
    odd: Odd::Keep,
    sums_parts: false,
    counts_incidents: false,
    from_detection: false,
    counts_open: true,
    infers: true,
    strictly_before: false,
    blames_forever: false,
    reads_pulls: true,
    has_rework: true,
    differences: &[],
};
