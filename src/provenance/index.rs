//! The index of a run, `maestro.provenance/v1`: what was built, tested, scanned, judged and spent, by whom, and which earlier runs had been seen.
//!
//! It is the predicate of a statement, and that statement's bytes are the payload of the event `provenance_index`. Its digest is what later runs
//! link to, so that runs form a graph without cycles.

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::facts::{Evidence, FileFact};

/// `maestro.provenance/v1`
pub(crate) const SCHEMA: &str = "maestro.provenance/v1";

/// What happened in a run.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.provenance/v1"))]
pub(crate) struct Index {
    /// `maestro.provenance/v1`
    schema: &'static str,
    /// When it was written, or what `SOURCE_DATE_EPOCH` says.
    created: String,
    /// Who says it.
    builder: String,
    run: RunRow,
    /// What was built.
    artifacts: Vec<FileRow>,
    /// How its tests went; nothing where no report was given.
    tests: Option<TestsRow>,
    /// What scanners found.
    scans: Vec<ScanRow>,
    /// What the policy said; nothing where nobody asked.
    policy: Option<PolicyRow>,
    /// Bills of materials.
    sbom: Vec<FileRow>,
    /// What models cost; nothing where nobody asked.
    budget: Option<BudgetRow>,
    /// The statements that say each of these in a form of its own.
    statements: Vec<StatementRow>,
    /// Earlier runs that had been seen when this one began, and that no other of them had seen.
    previous: Vec<PreviousRow>,
}

/// Where it ran, for whom, and on what.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct RunRow {
    id: String,
    attempt: u32,
    job: Option<String>,
    url: Option<String>,
    /// What started it, as GitHub calls it.
    event: Option<String>,
    repository: Option<String>,
    /// `owner/name/.github/workflows/ci.yml@refs/heads/main`
    workflow_ref: Option<String>,
    workflow_commit: Option<String>,
    actor: Option<String>,
    actor_id: Option<String>,
    /// Who started this very attempt.
    triggering_actor: Option<String>,
    /// What was checked out.
    commit: Option<String>,
    #[serde(rename = "ref")]
    reference: Option<String>,
    /// The newest commit of the change.
    head: Option<String>,
    base_branch: Option<String>,
    base_commit: Option<String>,
    /// `github-hosted` or `self-hosted`.
    runner_environment: Option<String>,
    runner_os: Option<String>,
    runner_arch: Option<String>,
    /// Whether tracked files differed from the commit.
    work_tree_changed: bool,
}

/// A file.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct FileRow {
    /// From the folder that the run worked in.
    path: String,
    sha256: String,
    bytes: u64,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct TestsRow {
    /// `PASSED`, `WARNED` or `FAILED`.
    result: &'static str,
    passed: u64,
    /// Failed first, and passed when they were run again.
    warned: u64,
    failed: u64,
    skipped: u64,
    reports: Vec<FileRow>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct ScanRow {
    /// As a package URL.
    scanner: String,
    findings: u64,
    /// When what the scanner knows was made.
    database: String,
    report: FileRow,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct PolicyRow {
    /// `passed`, `warned`, `review`, `blocked` or `disabled`.
    outcome: &'static str,
    /// Of the policy.
    sha256: String,
    path: Option<String>,
    /// The commit that the policy was taken from.
    commit: Option<String>,
    report: FileRow,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct BudgetRow {
    pull_request: Option<u64>,
    month: Option<String>,
    calls: u64,
    /// In US dollars; nothing where no call has a price.
    usd: Option<String>,
    unknown_usd: String,
    unpriced: u64,
    /// Hundredths of the cap.
    share: Option<u64>,
    report: FileRow,
}

/// A statement beside the index.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct StatementRow {
    pub(crate) file: String,
    pub(crate) predicate_type: String,
    /// Of the statement's bytes: the payload of what is signed.
    pub(crate) sha256: String,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct PreviousRow {
    /// Of the earlier index's statement.
    sha256: String,
    run: String,
    attempt: u32,
    at: String,
}

fn known(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

impl FileRow {
    fn new(file: &FileFact) -> Self {
        Self {
            path: file.path.clone(),
            sha256: file.sha.to_string(),
            bytes: file.bytes,
        }
    }
}

impl RunRow {
    fn new(evidence: &Evidence) -> Self {
        let run = &evidence.run;
        let base = run.base.as_ref();
        Self {
            id: run.id.clone(),
            attempt: run.attempt,
            job: known(&run.job),
            url: run.url(),
            event: known(&run.event),
            repository: run.repository_uri(),
            workflow_ref: known(&run.workflow_ref),
            workflow_commit: known(&run.workflow_commit),
            actor: known(&run.actor),
            actor_id: known(&run.actor_id),
            triggering_actor: known(&run.triggering_actor),
            commit: known(&run.commit),
            reference: known(&run.reference),
            head: known(&run.head),
            base_branch: base.and_then(|base| known(&base.branch)),
            base_commit: base.and_then(|base| known(&base.commit)),
            runner_environment: known(&run.runner_environment),
            runner_os: known(&run.runner_os),
            runner_arch: known(&run.runner_arch),
            work_tree_changed: run.is_changed,
        }
    }
}

impl Index {
    /// Sums up what is known, with the statements that say it.
    pub(crate) fn new(evidence: &Evidence, statements: Vec<StatementRow>) -> Self {
        let rows = |files: &[FileFact]| files.iter().map(FileRow::new).collect();
        let tests = evidence.tests.as_ref().map(|tests| TestsRow {
            result: tests.result(),
            passed: tests.passed.len() as u64,
            warned: tests.warned.len() as u64,
            failed: tests.failed.len() as u64,
            skipped: tests.skipped,
            reports: rows(&evidence.reports),
        });
        let scans = evidence.scans.iter().map(|scan| ScanRow {
            scanner: scan.scanner.clone(),
            findings: scan.results.len() as u64,
            database: scan.database.to_string(),
            report: FileRow::new(&scan.report),
        });
        let policy = evidence.policy.as_ref().map(|policy| PolicyRow {
            outcome: policy.outcome.name(),
            sha256: policy.sha256.clone(),
            path: known(&policy.path),
            commit: known(&policy.commit),
            report: FileRow::new(&policy.report),
        });
        let budget = evidence.budget.as_ref().map(|budget| BudgetRow {
            pull_request: budget.pull_request,
            month: budget.month.clone(),
            calls: budget.calls,
            usd: budget.usd.clone(),
            unknown_usd: budget.unknown_usd.clone(),
            unpriced: budget.unpriced,
            share: budget.share,
            report: FileRow::new(&budget.report),
        });
        let previous = evidence.previous.iter().map(|previous| PreviousRow {
            sha256: previous.sha.to_string(),
            run: previous.run.clone(),
            attempt: previous.attempt,
            at: previous.at.to_string(),
        });
        let sboms = evidence.sboms.iter().map(|sbom| FileRow::new(&sbom.file));
        Self {
            schema: SCHEMA,
            created: evidence.at.to_string(),
            builder: evidence.builder.clone(),
            run: RunRow::new(evidence),
            artifacts: rows(&evidence.artifacts),
            tests,
            scans: scans.collect(),
            policy,
            sbom: sboms.collect(),
            budget,
            statements,
            previous: previous.collect(),
        }
    }
}

/// A file that an index names, with the digest that it must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) path: String,
    pub(crate) sha256: String,
}

/// Returns every file that an index says was read or built.
pub(crate) fn files(index: &Value) -> Vec<Named> {
    let mut files = Vec::new();
    for pointer in ["/artifacts", "/sbom", "/tests/reports"] {
        for file in index
            .pointer(pointer)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            files.extend(named(file, "path"));
        }
    }
    for scan in index
        .get("scans")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        files.extend(scan.get("report").and_then(|file| named(file, "path")));
    }
    for pointer in ["/policy/report", "/budget/report"] {
        files.extend(index.pointer(pointer).and_then(|file| named(file, "path")));
    }
    files
}

/// Returns the statements that an index refers to.
pub(crate) fn statements(index: &Value) -> Vec<Named> {
    let rows = index.get("statements").and_then(Value::as_array);
    let rows = rows.into_iter().flatten();
    rows.filter_map(|row| named(row, "file")).collect()
}

/// Returns the digests of the earlier runs that an index links to.
pub(crate) fn previous(index: &Value) -> Vec<&str> {
    let rows = index.get("previous").and_then(Value::as_array);
    let rows = rows.into_iter().flatten();
    rows.filter_map(|row| row.get("sha256").and_then(Value::as_str))
        .collect()
}

fn named(row: &Value, name: &str) -> Option<Named> {
    let text = |name: &str| row.get(name).and_then(Value::as_str).map(str::to_owned);
    Some(Named {
        path: text(name)?,
        sha256: text("sha256")?,
    })
}

/// Says what stands against taking a run for a good one.
pub(crate) fn trouble(index: &Value) -> Option<String> {
    if index.get("schema").and_then(Value::as_str) != Some(SCHEMA) {
        return Some(format!("it is no `{SCHEMA}`"));
    }
    let word = |pointer: &str| index.pointer(pointer).and_then(Value::as_str);
    if let Some(result) = word("/tests/result")
        && result == "FAILED"
    {
        return Some("its tests failed".to_owned());
    }
    match word("/policy/outcome") {
        None | Some("passed" | "warned") => None,
        Some(outcome) => Some(format!("its policy says `{outcome}`")),
    }
}
