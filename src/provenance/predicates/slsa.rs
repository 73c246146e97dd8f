//! SLSA Provenance v1 (slsa.dev/spec/v1.2, "Build: Provenance"): how the artifacts came to be.
//!
//! The build type of GitHub's runs is theirs (actions.github.io/buildtypes/workflow/v1); the builder is not. Whoever signs inside the job can be made to
//! say anything by the job, so that this is Build L1, or L2 where a service signs it.

use serde_json::{Map, Value, json};

use crate::provenance::facts::{Evidence, FileFact, Run, local_build_type};

pub(crate) const TYPE: &str = "https://slsa.dev/provenance/v1";

/// How GitHub calls what a workflow does.
const WORKFLOW: &str = "https://actions.github.io/buildtypes/workflow/v1";

pub(crate) fn predicate(evidence: &Evidence) -> Value {
    let run = &evidence.run;
    let source: Vec<Value> = run.source().into_iter().collect();
    let files = evidence.reports.iter().map(FileFact::descriptor);
    let scans = evidence.scans.iter().map(|scan| scan.report.descriptor());
    let sboms = evidence.sboms.iter().map(|sbom| sbom.file.descriptor());
    let byproducts: Vec<Value> = files.chain(scans).chain(sboms).collect();
    let mut metadata = Map::new();
    metadata.insert("finishedOn".to_owned(), json!(evidence.at.to_string()));
    if let Some(url) = run.url() {
        let invocation = format!("{url}/attempts/{}", run.attempt);
        metadata.insert("invocationId".to_owned(), json!(invocation));
    }
    json!({
        "buildDefinition": {
            "buildType": if run.is_github() { WORKFLOW.to_owned() } else { local_build_type() },
            "externalParameters": external(run),
            "internalParameters": internal(run),
            "resolvedDependencies": source,
        },
        "runDetails": {
            "builder": { "id": evidence.builder, "version": { "maestro": env!("CARGO_PKG_VERSION") } },
            "byproducts": byproducts,
            "metadata": metadata,
        },
    })
}

fn external(run: &Run) -> Value {
    match (run.repository_uri(), run.workflow()) {
        (Some(repository), Some((path, reference))) => json!({
            "workflow": { "path": path, "ref": reference, "repository": repository },
        }),
        _ => json!({ "ref": run.branch }),
    }
}

fn internal(run: &Run) -> Value {
    if !run.is_github() {
        return json!({ "workTreeChanged": run.is_changed });
    }
    json!({
        "github": {
            "event_name": run.event,
            "repository_id": run.repository_id,
            "repository_owner_id": run.owner_id,
            "runner_environment": run.runner_environment,
        },
    })
}
