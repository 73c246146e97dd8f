//! `maestro plan lint`: rules that never apply, files that no job covers, and the graph beside Cargo's own.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;

use cargo_metadata::PackageId;
use cargo_metadata::camino::Utf8PathBuf;
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Desk, MakeArgs, git_trouble, settings};
use crate::cli::session::Session;
use crate::error::CommandResult;
use crate::exit_code::ExitCode;
use crate::finding::{Finding, Location, Severity};
use crate::json;
use crate::output::{Cell, Column, Page, Report, Tone};
use crate::plan::graph::{Graph, Kind};
use crate::plan::lint::{Complaint, Looked, Weight, lint};
use crate::ports::Call;

/// Find rules that never apply and files that no job covers
///
/// Where there is a checkout and a Rust workspace, the projects and their dependencies are compared with what `cargo metadata` says.
/// Exits with 16 when something is wrong; warnings alone do not count.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  Look at the rules of this repository
    $ maestro plan lint

  The same, for a program
    $ maestro plan lint --format json")]
pub(crate) struct LintArgs {
    /// Do not ask cargo
    #[arg(long)]
    no_cargo: bool,
}

/// What is wrong with a repository's rules.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.plan-lint/v1"))]
pub(crate) struct PlanLintDocument {
    /// `maestro.plan-lint/v1`
    schema: &'static str,
    /// Projects that were seen.
    projects: u64,
    /// Workspaces that were compared with what cargo says.
    cargo_workspaces: u64,
    /// What is wrong, the worst first.
    complaints: Vec<ComplaintRow>,
}

/// One thing that is wrong.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct ComplaintRow {
    /// `error` or `warning`.
    severity: &'static str,
    /// Stable: `dead-glob`, `duplicate-glob`, `unknown-project`, `unowned-file`, `no-job`, `manifest-unreadable`, `graph-differs`.
    code: &'static str,
    /// The key of the configuration, the folder or the file that it is about.
    place: String,
    message: String,
}

pub(super) fn run(session: &mut Session<'_>, args: &LintArgs) -> CommandResult {
    let make = MakeArgs {
        base: None,
        head: "HEAD".to_owned(),
        worktree: false,
        files_from: None,
        enforce: true,
        no_fetch: true,
    };
    let mut desk = Desk::open(session, &make)?;
    let tree = desk.planner.list(&desk.head.object).map_err(git_trouble)?;
    let planned = desk
        .planner
        .plan(tree, Vec::new(), &desk.settings.rules)
        .map_err(git_trouble)?;
    let graph = planned.after.graph.as_ref();
    let lists = settings::lists(&session.config)?;
    let jobs = desk.settings.jobs.clone().unwrap_or_default();
    let words = |id: &str| {
        let projects = session
            .config
            .jobs
            .get(id)
            .and_then(|job| job.projects.as_ref());
        projects
            .map(|projects| projects.texts().to_vec())
            .unwrap_or_default()
    };
    let jobs: Vec<_> = jobs
        .into_iter()
        .map(|job| {
            let words = words(&job.id);
            (job, words)
        })
        .collect();
    let mut complaints = lint(&Looked {
        tree: &planned.after.tree,
        graph,
        rules: &desk.settings.rules,
        jobs: &jobs,
        patterns: &lists.patterns,
        named: &lists.named,
    });
    let compared = if args.no_cargo {
        0
    } else {
        compare_with_cargo(session, graph, &mut complaints)
    };
    crate::order::sort(&mut complaints);
    let is_wrong = complaints.iter().any(|one| one.weight == Weight::Error);
    let document = PlanLintDocument {
        schema: "maestro.plan-lint/v1",
        projects: graph.len() as u64,
        cargo_workspaces: compared,
        complaints: complaints.into_iter().map(row).collect(),
    };
    session.render(&document)?;
    Ok(if is_wrong {
        ExitCode::LintFailed
    } else {
        ExitCode::Success
    })
}

fn row(complaint: Complaint) -> ComplaintRow {
    ComplaintRow {
        severity: match complaint.weight {
            Weight::Error => "error",
            Weight::Warning => "warning",
        },
        code: complaint.code,
        place: complaint.place,
        message: complaint.words,
    }
}

/// Holds each Cargo workspace of the checkout against what cargo itself says; returns how many there were.
fn compare_with_cargo(
    session: &mut Session<'_>,
    graph: &Graph,
    complaints: &mut Vec<Complaint>,
) -> u64 {
    let top = session
        .checkout
        .as_ref()
        .ok()
        .and_then(|checkout| checkout.top.clone());
    let Some(top) = top else { return 0 };
    let cargo = graph
        .projects()
        .filter(|(_, project)| project.kind == Kind::Cargo);
    let roots: BTreeSet<String> = cargo
        .filter_map(|(_, project)| project.workspace.clone())
        .collect();
    let mut compared = 0;
    for root in roots {
        let folder = if root.is_empty() {
            top.clone()
        } else {
            top.join(&root)
        };
        match metadata(session, &folder) {
            Ok(metadata) => {
                compared += 1;
                compare(graph, &root, &top, &metadata, complaints);
            }
            Err(words) => session.ui.warn(&format!(
                "cargo did not answer for `{}`: {words}",
                folder.display()
            )),
        }
    }
    compared
}

fn metadata(session: &Session<'_>, folder: &Path) -> Result<Metadata, String> {
    let call = Call {
        program: OsString::from("cargo"),
        args: [
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ]
        .map(OsString::from)
        .to_vec(),
        folder: folder.to_owned(),
        ..Call::default()
    };
    let done = session
        .world
        .processes
        .run(&call)
        .map_err(|error| error.to_string())?;
    if done.code != Some(0) {
        let words = String::from_utf8_lossy(&done.stderr).into_owned();
        return Err(words.lines().next().unwrap_or_default().to_owned());
    }
    let text = String::from_utf8_lossy(&done.stdout);
    json::read(&*text)
        .map_err(|error| format!("failed to interpret `cargo metadata`'s json: {error}"))
}

/// What is compared of `cargo metadata`: the reader of all of it takes 50 kB.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_members: Vec<PackageId>,
}

#[derive(Deserialize)]
struct Package {
    id: PackageId,
    manifest_path: Utf8PathBuf,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    path: Option<Utf8PathBuf>,
}

/// Packages of a workspace by folder, with the folders of their path dependencies.
type Members = BTreeMap<String, BTreeSet<String>>;

fn compare(
    graph: &Graph,
    root: &str,
    top: &Path,
    metadata: &Metadata,
    complaints: &mut Vec<Complaint>,
) {
    let from_top = |path: &Path| {
        let path = path.strip_prefix(top).ok()?;
        Some(path.to_string_lossy().replace('\\', "/"))
    };
    let mut theirs = Members::new();
    let members = &metadata.workspace_members;
    let packages = metadata.packages.iter();
    for package in packages.filter(|package| members.contains(&package.id)) {
        let folder = package
            .manifest_path
            .parent()
            .and_then(|folder| from_top(folder.as_std_path()));
        let paths = package
            .dependencies
            .iter()
            .filter_map(|one| one.path.as_ref());
        let needs = paths.filter_map(|path| from_top(path.as_std_path()));
        if let Some(folder) = folder {
            theirs.insert(
                folder.clone(),
                needs.filter(|need| *need != folder).collect(),
            );
        }
    }
    let mut ours = Members::new();
    for (id, project) in graph.members_of(Kind::Cargo, root) {
        let needs = graph.edges().filter(|(from, _)| from == id);
        let needs = needs.filter_map(|(_, on)| graph.get(on).map(|project| project.dir.clone()));
        ours.insert(project.dir.clone(), needs.collect());
    }
    let mut complain = |dir: &str, words: String| {
        complaints.push(Complaint {
            weight: Weight::Error,
            code: "graph-differs",
            place: if dir.is_empty() {
                ".".to_owned()
            } else {
                dir.to_owned()
            },
            words,
        });
    };
    for (dir, needs) in &theirs {
        let Some(own) = ours.get(dir) else {
            complain(
                dir,
                "cargo has a package here that the plan does not see".into(),
            );
            continue;
        };
        // The plan may know more: what a patch replaces is no dependency in a manifest.
        for need in needs.difference(own) {
            complain(
                dir,
                format!("cargo sees a dependency on `{need}` that the plan does not see"),
            );
        }
    }
    for dir in ours.keys().filter(|dir| !theirs.contains_key(*dir)) {
        complain(
            dir,
            "the plan has a package here that cargo does not see; is all of it committed?".into(),
        );
    }
}

impl Report for PlanLintDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(out, self).map_err(io::Error::from)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        let errors = self
            .complaints
            .iter()
            .filter(|row| row.severity == "error")
            .count();
        let warnings = self.complaints.len() - errors;
        let seen = crate::flakes::verdict::times(self.projects, "project");
        page.text(format!("{seen}: {errors} wrong, {warnings} to look at."));
        if self.complaints.is_empty() {
            return page;
        }
        let rows = self.complaints.iter().map(|row| {
            let tone = if row.severity == "error" {
                Tone::Bad
            } else {
                Tone::Warn
            };
            vec![
                Cell::toned(row.severity, tone),
                Cell::plain(row.code),
                Cell::code(&row.place),
                Cell::plain(&row.message),
            ]
        });
        page.table(
            ["Severity", "Code", "Where", "What"]
                .map(Column::left)
                .to_vec(),
            rows.collect(),
        );
        page
    }

    fn findings(&self) -> Vec<Finding> {
        let rows = self.complaints.iter().map(|row| Finding {
            code: format!("plan/{}", row.code),
            severity: if row.severity == "error" {
                Severity::Error
            } else {
                Severity::Warning
            },
            message: format!("{}: {}", row.place, row.message),
            location: Some(Location {
                path: ".maestro/maestro.yaml".to_owned(),
                line: None,
                column: None,
            }),
        });
        rows.collect()
    }
}
