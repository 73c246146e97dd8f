//! Apache DevLake (apache/incubator-devlake at 420e494b4ede, backend/plugins/dora: change_lead_time_calculator.go, incident_deploy_connector.go;
//! the change fail rate as since pull request 8890).

use super::{Definition, Lead, Odd};

pub(super) const DEFINITION: Definition = Definition {
    name: "devlake",
    source: "apache/incubator-devlake 420e494b4ede, backend/plugins/dora",
    lead: Lead::Pull,
    odd: Odd::Keep,
    sums_parts: true,
    counts_incidents: false,
    from_detection: false,
    counts_open: false,
    infers: true,
    strictly_before: true,
    blames_forever: true,
    reads_pulls: false,
    has_rework: false,
    differences: &[
        (
            "lead-time-deploy",
            "the sum of its parts (from the first commit to when it was opened, to the merge, to the deployment), each in whole minutes, rounded up; a part that is negative is left out",
        ),
        (
            "change-fail-rate",
            "incidents only, each of the last deployment strictly before it, however old",
        ),
        ("recovery", "incidents that are still open do not count"),
        ("rework-rate", "not defined"),
    ],
};
