//! Vulnerabilities v0.2 (in-toto/attestation, `spec/predicates/vulns_02.md`): what a scanner found, and how old its knowledge was.

use serde_json::{Value, json};

use crate::provenance::readings::Scan;

pub(crate) const TYPE: &str = "https://in-toto.io/attestation/vulns/v0.2";

pub(crate) fn predicate(scan: &Scan) -> Value {
    let at = scan.at.to_string();
    json!({
        // Scanners say when they were done, and not when they began.
        "metadata": { "scanFinishedOn": at, "scanStartedOn": at },
        "scanner": {
            "db": { "lastUpdate": scan.database.to_string(), "version": scan.database_version },
            "result": scan.results,
            "uri": scan.scanner,
            "version": scan.version,
        },
    })
}
