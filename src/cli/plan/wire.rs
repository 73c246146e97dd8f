//! `maestro.plan/v1`: what a change affects, what runs, and why.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::rest::{MOST_ROWS, rest};
use crate::finding::{Finding, Location, Severity};
use crate::output::{Cell, Column, Page, Report, Tone};
use crate::plan::assess::{Assessment, ChangedFile, Reason, Verdict};
use crate::plan::closure::way;
use crate::plan::graph::Graph;
use crate::plan::jobs::{Decision, Job, ProjectRef, Situation, by_default, decide};
use crate::plan::matrix::{self, Matrix};

/// What a change affects, what runs, and why.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.plan/v1"))]
pub(crate) struct PlanDocument {
    /// `maestro.plan/v1`
    schema: &'static str,
    /// What the change is: for some projects, for everything, or for nothing.
    pub(super) mode: Mode,
    /// Whether what is not affected is skipped; otherwise everything runs, and `selected` says what would have.
    pub(super) enforced: bool,
    /// What the change was held against: the tip of a branch, a given revision; none when everything runs without looking.
    pub(super) base: Option<String>,
    /// The planned commit, or the tree of the files as they stand.
    pub(super) head: String,
    /// The commit that was compared with; of several best common ancestors the first.
    pub(super) merge_base: Option<String>,
    /// All of them, when there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, schemars(default))]
    pub(super) merge_bases: Vec<String>,
    /// Why everything runs; empty in the mode `affected`.
    pub(super) reasons: Vec<ReasonRow>,
    /// The changed paths.
    pub(super) changed_files: Vec<FileRow>,
    /// The projects of the planned commit, and those that the change removed.
    pub(super) projects: Vec<ProjectRow>,
    /// The jobs.
    pub(super) jobs: Vec<JobRow>,
    /// A matrix for GitHub Actions: at most 256 lines, at most one megabyte.
    pub(super) matrix: Value,
    /// The commit of the state branch that shards take times from; none where no job is split, or nothing was fetched.
    pub(super) state: Option<String>,
    /// The quarantine that jobs without credentials judge by; in the outputs only.
    #[serde(skip)]
    pub(super) trusted: String,
    /// What the lines of a matrix that goes by number stand for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, schemars(default))]
    legs: Vec<Value>,
}

/// What a change is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    /// Some projects or jobs.
    Affected,
    /// Everything runs; `reasons` say why.
    All,
    /// No project and no job that could be skipped.
    None,
}

impl Mode {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Affected => "affected",
            Self::All => "all",
            Self::None => "none",
        }
    }
}

/// Why everything runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(super) struct ReasonRow {
    /// Stable; `maestro explain plan/CODE` says more.
    pub(super) code: String,
    /// The changed path that it comes from, if it is one.
    pub(super) path: Option<String>,
    pub(super) detail: String,
}

/// A changed path.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(super) struct FileRow {
    pub(super) path: String,
    /// `added`, `deleted`, `modified` or `type-changed`; a rename is a deletion and an addition.
    status: &'static str,
    /// What it comes to: `concerns` projects or jobs, `all`, or `nothing`.
    effect: &'static str,
    /// Why it comes to everything or nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) detail: Option<String>,
    /// Projects that it concerns by itself.
    projects: Vec<String>,
    /// Jobs whose own paths take it in.
    jobs: Vec<String>,
}

/// A project.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(super) struct ProjectRow {
    /// The kind, and the folder from the top: `cargo:crates/a`, `npm:.`; `component:name`.
    pub(super) id: String,
    /// `cargo`, `npm`, `python`, `go`, `docker` or `component`.
    kind: &'static str,
    /// As its manifest calls it; need not be unique.
    name: String,
    /// From the top; `.` is the top.
    dir: String,
    pub(super) affected: bool,
    /// Stable code of the cause; none when it is not affected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<&'static str>,
    /// How the change gets there: the changed path, and the projects from the first that it concerns to this one.
    pub(super) why: Vec<String>,
    /// Whether the planned commit has it no more.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, schemars(default))]
    removed: bool,
    /// How its image is built, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<ImageRow>,
}

/// How an image is built.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct ImageRow {
    /// The build context from the top; none when only the build knows it.
    context: Option<String>,
    /// The Dockerfile from the top.
    dockerfile: Option<String>,
    /// The stage.
    target: Option<String>,
    /// A name for its build cache that no other image of the repository has.
    cache_scope: String,
}

/// A job.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(super) struct JobRow {
    pub(super) id: String,
    /// Whether it runs.
    pub(super) run: bool,
    /// Whether the change selects it; when plans are not enforced, it may run all the same.
    pub(super) selected: bool,
    /// Stable.
    pub(super) code: &'static str,
    /// How the change gets there: path, projects, job.
    pub(super) why: Vec<String>,
    pub(super) detail: String,
    /// The projects that it runs for.
    pub(super) projects: Vec<String>,
    /// The command, as configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<String>,
    /// How likely it fails, by its last hundred stored runs; lines of the matrix come in this order, the likeliest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<f64>,
}

/// Where a plan comes from.
#[derive(Debug, Clone, Default)]
pub(super) struct Ends {
    pub(super) base: Option<String>,
    pub(super) head: String,
    pub(super) merge_bases: Vec<String>,
}

/// What a plan is decided from.
pub(super) struct Decided<'a> {
    pub(super) ends: Ends,
    pub(super) graph: &'a Graph,
    pub(super) old_graphs: &'a [&'a Graph],
    pub(super) assessment: &'a Assessment,
    pub(super) jobs: Option<&'a [Job]>,
    pub(super) situation: &'a Situation,
    pub(super) enforced: bool,
    pub(super) likelihood: &'a BTreeMap<String, f64>,
}

impl PlanDocument {
    pub(super) fn new(from: &Decided<'_>) -> Self {
        let assessment = from.assessment;
        let refs: Vec<ProjectRef<'_>> = from
            .graph
            .projects()
            .map(|(id, project)| ProjectRef {
                id,
                kind: project.kind,
                dir: &project.dir,
                name: &project.name,
            })
            .collect();
        let own;
        let jobs = match from.jobs {
            Some(jobs) => jobs,
            None => {
                own = by_default(&refs);
                &own
            }
        };
        let decisions = decide(jobs, &refs, assessment, from.situation, from.enforced);
        let mut legs = matrix::legs(jobs, &decisions);
        // Runners may be few: what is likeliest to fail comes first, and nothing is skipped for it.
        let likely = |job: &str| from.likelihood.get(job).copied();
        crate::order::sort_by(&mut legs, |a, b| {
            let (a, b) = (likely(&a.job), likely(&b.job));
            b.unwrap_or(0.0).total_cmp(&a.unwrap_or(0.0))
        });
        let matrix: Matrix = matrix::fit(&legs);
        let mode = if !assessment.reasons.is_empty() {
            Mode::All
        } else if assessment.affected.is_empty() && assessment.jobs.is_empty() {
            Mode::None
        } else {
            Mode::Affected
        };
        let Ends {
            base,
            head,
            merge_bases,
        } = from.ends.clone();
        Self {
            schema: "maestro.plan/v1",
            mode,
            enforced: from.enforced,
            base,
            head,
            merge_base: merge_bases.first().cloned(),
            merge_bases: if merge_bases.len() > 1 {
                merge_bases
            } else {
                Vec::new()
            },
            reasons: assessment.reasons.iter().map(reason_row).collect(),
            changed_files: assessment
                .files
                .iter()
                .map(|file| file_row(file, assessment))
                .collect(),
            projects: projects(from, mode),
            jobs: jobs
                .iter()
                .zip(decisions)
                .map(|(job, decision)| JobRow {
                    priority: likely(&job.id),
                    ..job_row(job, decision)
                })
                .collect(),
            legs: if matrix.by_number {
                matrix.legs()
            } else {
                Vec::new()
            },
            state: None,
            trusted: String::new(),
            matrix: matrix.include(),
        }
    }

    /// Returns the number of legs of each job that runs.
    pub(super) fn legs_of_jobs(&self) -> BTreeMap<String, u64> {
        let lines = self.matrix.get("include").and_then(Value::as_array);
        let inner = |line: &Value| match line.get("legs") {
            Some(Value::Array(legs)) => legs.clone(),
            Some(_) => Vec::new(),
            None => vec![line.clone()],
        };
        let legs: Vec<Value> = lines.into_iter().flatten().flat_map(inner).collect();
        let mut count = BTreeMap::new();
        for leg in legs.iter().chain(&self.legs) {
            let job = leg.get("job").and_then(Value::as_str).unwrap_or_default();
            *count.entry(job.to_owned()).or_default() += 1;
        }
        count
    }

    pub(super) fn lines(&self) -> usize {
        self.matrix
            .get("include")
            .and_then(Value::as_array)
            .map_or(0, Vec::len)
    }

    fn summary(&self) -> String {
        let all = self.jobs.len();
        let selected = self.jobs.iter().filter(|job| job.selected).count();
        let affected = self
            .projects
            .iter()
            .filter(|project| project.affected)
            .count();
        let what = format!(
            "{} changed {}, {affected} of {} affected",
            self.changed_files.len(),
            if self.changed_files.len() == 1 {
                "file"
            } else {
                "files"
            },
            crate::flakes::verdict::times(self.projects.len() as u64, "project"),
        );
        match (self.mode, self.enforced) {
            (Mode::All, _) => match self.reasons.first() {
                Some(ReasonRow {
                    path: Some(path),
                    detail,
                    ..
                }) => format!("Everything runs, for {path}: {detail}."),
                Some(reason) => format!("Everything runs: {}.", reason.detail),
                None => "Everything runs.".to_owned(),
            },
            (_, true) => format!("{selected} of {all} jobs run: {what}."),
            (_, false) if selected == all => format!("All {all} jobs run: {what}."),
            (_, false) => format!(
                "All {all} jobs run, because plans are not enforced; {} would be skipped: {what}.",
                all - selected
            ),
        }
    }
}

fn reason_row(reason: &Reason) -> ReasonRow {
    ReasonRow {
        code: reason.code.to_owned(),
        path: reason.path.clone(),
        detail: reason.detail.clone(),
    }
}

fn file_row(file: &ChangedFile, assessment: &Assessment) -> FileRow {
    let (effect, detail) = match &file.verdict {
        Verdict::Concerns => ("concerns", None),
        Verdict::Nothing(why) => ("nothing", Some(why.clone())),
        Verdict::All(code) => {
            let reasons = assessment.reasons.iter();
            let mut own = reasons
                .filter(|reason| reason.code == *code && reason.path.as_ref() == Some(&file.path));
            ("all", own.next().map(|reason| reason.detail.clone()))
        }
    };
    FileRow {
        path: file.path.clone(),
        status: file.status.name(),
        effect,
        detail,
        projects: file.projects.iter().cloned().collect(),
        jobs: file.jobs.iter().cloned().collect(),
    }
}

fn projects(from: &Decided<'_>, mode: Mode) -> Vec<ProjectRow> {
    let mut rows = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for (graph, removed) in std::iter::once((from.graph, false))
        .chain(from.old_graphs.iter().map(|graph| (*graph, true)))
    {
        for (id, project) in graph.projects() {
            if !seen.insert(id.clone()) {
                continue;
            }
            let found = way(&from.assessment.affected, id);
            let why = found.as_ref().map(|(cause, projects)| {
                let path = cause.path.iter().cloned();
                path.chain(projects.iter().map(|id| (*id).to_owned()))
                    .collect()
            });
            let reason = from
                .assessment
                .reasons
                .first()
                .filter(|_| mode == Mode::All);
            let by_reason = || {
                let path = reason.and_then(|reason| reason.path.clone());
                path.into_iter().chain([id.clone()]).collect()
            };
            let is_affected = found.is_some() || mode == Mode::All && !removed;
            let code = found
                .as_ref()
                .map(|(cause, _)| cause.code)
                .or(reason.map(|reason| reason.code));
            let row = ProjectRow {
                id: id.clone(),
                kind: project.kind.name(),
                name: project.name.clone(),
                dir: if project.dir.is_empty() {
                    ".".to_owned()
                } else {
                    project.dir.clone()
                },
                affected: is_affected,
                code: code.filter(|_| is_affected),
                why: why.unwrap_or_else(|| if is_affected { by_reason() } else { Vec::new() }),
                removed,
                image: project.image.as_ref().map(|image| ImageRow {
                    context: image.context.clone(),
                    dockerfile: image.dockerfile.clone(),
                    target: image.target.clone(),
                    cache_scope: image.cache_scope.clone(),
                }),
            };
            rows.insert(id.clone(), row);
        }
    }
    rows.into_values().collect()
}

fn job_row(job: &Job, decision: Decision) -> JobRow {
    JobRow {
        id: decision.job,
        run: decision.run,
        selected: decision.selected,
        code: decision.code,
        why: decision.chain,
        detail: decision.detail,
        projects: decision.projects,
        command: job.run.clone(),
        priority: None,
    }
}

/// Returns a job's name as workflows may use it in an expression.
pub(super) fn slug(job: &str) -> String {
    let plain = job.chars().map(|c| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '_'
        }
    });
    plain.collect()
}

/// Shows a chain without its last part, which the row is about.
fn chain(why: &[String]) -> String {
    match why {
        [] | [_] => String::new(),
        [rest @ .., _] => rest.join(" → "),
    }
}

impl Report for PlanDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(out, self).map_err(io::Error::from)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        page.heading("Plan");
        page.text(self.summary());
        if self.mode == Mode::All && !self.reasons.is_empty() {
            let rows = self.reasons.iter().take(MOST_ROWS).map(|reason| {
                let path = reason.path.clone().unwrap_or_default();
                vec![
                    Cell::plain(&reason.code),
                    Cell::code(path),
                    Cell::plain(&reason.detail),
                ]
            });
            page.table(
                vec![
                    Column::left("Reason"),
                    Column::left("Path"),
                    Column::left("Why"),
                ],
                rows.collect(),
            );
            rest(&mut page, self.reasons.len(), "reason");
        }
        if self.jobs.is_empty() {
            page.text("There is no project here, and the configuration names no job.");
            return page;
        }
        let rows = self.jobs.iter().map(|job| {
            let (word, tone) = match (job.run, job.selected) {
                (true, true) => ("run", Tone::Good),
                (true, false) => ("run, would skip", Tone::Warn),
                (false, _) => ("skip", Tone::Plain),
            };
            let why = chain(&job.why);
            let why = if why.is_empty() {
                Cell::plain(&job.detail)
            } else {
                Cell::code(why)
            };
            vec![
                Cell::code(&job.id),
                Cell::toned(word, tone),
                Cell::plain(job.code),
                why,
            ]
        });
        let head = ["Job", "Verdict", "Because", "Why"];
        page.table(head.map(Column::left).to_vec(), rows.collect());
        let affected: Vec<&ProjectRow> = self
            .projects
            .iter()
            .filter(|project| project.affected)
            .collect();
        if self.mode == Mode::Affected && !affected.is_empty() {
            let rows = affected.iter().take(MOST_ROWS).map(|project| {
                let why = chain(&project.why);
                vec![
                    Cell::code(&project.id),
                    Cell::plain(project.code.unwrap_or_default()),
                    Cell::code(why),
                ]
            });
            page.table(
                vec![
                    Column::left("Affected"),
                    Column::left("Because"),
                    Column::left("Why"),
                ],
                rows.collect(),
            );
            rest(&mut page, affected.len(), "project");
        }
        page
    }

    fn findings(&self) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self
            .reasons
            .iter()
            .map(|reason| Finding {
                code: format!("plan/{}", reason.code),
                // A path says what changed; without one, something is not as it should be.
                severity: if reason.path.is_some() {
                    Severity::Notice
                } else {
                    Severity::Warning
                },
                message: format!("everything runs: {}", reason.detail),
                location: reason.path.clone().map(|path| Location {
                    path,
                    line: None,
                    column: None,
                }),
            })
            .collect();
        crate::order::sort_by_key(&mut findings, |finding| finding.location.is_some());
        findings
    }

    fn outputs(&self) -> Vec<(String, String)> {
        let lines = self.lines();
        let mut outputs = vec![
            ("mode".to_owned(), self.mode.name().to_owned()),
            ("matrix".to_owned(), self.matrix.to_string()),
            ("has_jobs".to_owned(), (lines > 0).to_string()),
            ("count".to_owned(), lines.to_string()),
            (
                "reason".to_owned(),
                self.reasons
                    .first()
                    .map_or_else(String::new, |reason| reason.code.clone()),
            ),
        ];
        outputs.push(("state".to_owned(), self.state.clone().unwrap_or_default()));
        outputs.push(("trusted".to_owned(), self.trusted.clone()));
        let mut switches: BTreeMap<String, bool> = BTreeMap::new();
        for job in &self.jobs {
            // Of two jobs whose names differ in signs only, one that runs is enough.
            *switches
                .entry(format!("job_{}", slug(&job.id)))
                .or_default() |= job.run;
        }
        outputs.extend(
            switches
                .into_iter()
                .map(|(name, run)| (name, run.to_string())),
        );
        outputs
    }
}
