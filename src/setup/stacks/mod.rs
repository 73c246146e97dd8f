//! How projects are tested, read from their manifests. One file an ecosystem.
//!
//! Rule: a job tests as the repository does already. Options that only add a report are added; another test runner is never put in.

mod cargo;
mod go;
mod node;
mod node_builds;
mod node_tests;
mod others;
mod python;
mod python_sessions;
mod python_tests;

pub(crate) use python_tests::is_requirements;

use std::collections::BTreeSet;

use super::{Proposal, Seen, Tool, slug};
use crate::plan::graph::{Kind, Scope};
use crate::plan::sources::is_within;

/// Proposes the jobs of every ecosystem.
pub(super) fn propose(seen: Seen<'_>, proposal: &mut Proposal) {
    cargo::propose(seen, proposal);
    node::propose(seen, proposal);
    python::propose(seen, proposal);
    go::propose(seen, proposal);
    others::propose(seen, proposal);
    if proposal.jobs.is_empty() {
        let words = if proposal.sketches.is_empty() {
            "nothing was found that maestro knows how to test: write the first job by hand (docs/plan.md)"
        } else {
            "no job was written: take what fits out of its comment, and look at what it runs (docs/plan.md)"
        };
        proposal.notice("no-job", ".", words);
    }
}

/// Returns what installs the packages of the top's `package.json`, and what runs a program of theirs.
pub(super) fn package_manager(seen: Seen<'_>) -> (&'static str, &'static str) {
    node::at_top(seen)
}

/// Returns what a runner needs for that.
pub(super) fn package_tools(seen: Seen<'_>) -> BTreeSet<Tool> {
    node::tools_at_top(seen)
}

/// Returns the folders that tests are started in: those of workspaces, and of projects that belong to none.
fn roots(seen: Seen<'_>, kind: Kind) -> Vec<String> {
    // A package that no workspace knows, inside another one, may be its test data.
    let is_inside = |dir: &str| {
        let mut others = seen.graph.projects().map(|(_, other)| other);
        others.any(|other| other.kind == kind && other.dir != dir && is_within(dir, &other.dir))
    };
    let projects = seen.graph.projects().filter(|(_, project)| {
        let is_loose = project.scope == Scope::Loose && is_inside(&project.dir);
        project.kind == kind && !is_loose
    });
    let roots: BTreeSet<String> = projects
        .map(|(_, project)| {
            project
                .workspace
                .clone()
                .unwrap_or_else(|| project.dir.clone())
        })
        .filter(|root| !is_for_show(root))
        .collect();
    roots.into_iter().collect()
}

/// Whether a folder holds what tests and readers are given, and nothing that CI would run by itself.
fn is_for_show(folder: &str) -> bool {
    folder.split('/').any(|part| {
        matches!(
            part,
            "fixture"
                | "fixtures"
                | "__fixtures__"
                | "testdata"
                | "test-data"
                | "test"
                | "tests"
                | "example"
                | "examples"
                | "template"
                | "templates"
                | "playground"
                | "playgrounds"
                | "third_party"
                | "vendor"
        )
    })
}

/// Returns what selects the projects of a root: the ecosystem where it is all there is, else ids and globs.
fn selectors(seen: Seen<'_>, kind: Kind, root: &str, is_only: bool) -> Vec<String> {
    if is_only {
        return vec![kind.name().to_owned()];
    }
    let ids: Vec<&str> = seen
        .graph
        .projects()
        .filter(|(_, project)| project.kind == kind && (project.dir == root || project.is_of(root)))
        .map(|(id, _)| id.as_str())
        .collect();
    let below = format!("{}:{root}/", kind.name());
    let (inside, mut chosen): (Vec<&str>, Vec<&str>) =
        ids.into_iter().partition(|id| id.starts_with(&below));
    let glob = format!("{below}**");
    match inside.as_slice() {
        [] => {}
        _ if root.is_empty() => chosen.extend(&inside),
        [one] => chosen.push(one),
        _ => chosen.push(&glob),
    }
    chosen.into_iter().map(str::to_owned).collect()
}

/// Returns a job's name: the ecosystem's word, and the folder where it is not the only one.
fn name(word: &str, root: &str, is_only: bool) -> String {
    if is_only || root.is_empty() {
        word.to_owned()
    } else {
        format!("{word}-{}", slug(root))
    }
}

/// Returns a command that runs in a folder.
fn within(root: &str, command: &str) -> String {
    if root.is_empty() {
        command.to_owned()
    } else {
        format!("cd {} && {command}", quoted(root))
    }
}

/// Returns a word as a shell takes it for one word.
pub(super) fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// Returns a path of a folder, from the top.
fn at(root: &str, path: &str) -> String {
    if root.is_empty() {
        path.to_owned()
    } else {
        format!("{root}/{path}")
    }
}

/// Whether a workflow of the repository says a word.
fn in_workflows(seen: Seen<'_>, word: &str) -> bool {
    let files = seen.sources.tree.iter().map(|(path, _)| path);
    files
        .filter(|path| super::is_workflow(path))
        .filter_map(|path| seen.sources.text(path))
        .any(|text| text.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup::tests::look;

    /// Returns `name: run -> junit` of each job.
    pub(super) fn jobs(files: &[(&str, &str)]) -> Vec<String> {
        look(files, |seen| {
            let mut proposal = Proposal::default();
            propose(seen, &mut proposal);
            let jobs = proposal.jobs.iter().map(|job| {
                let run = job.run.as_deref().unwrap_or("-");
                let junit = job.junit.as_deref().unwrap_or("-");
                format!("{}: {run} -> {junit}", job.name)
            });
            jobs.collect()
        })
    }

    pub(super) fn notices(files: &[(&str, &str)]) -> Vec<&'static str> {
        look(files, |seen| {
            let mut proposal = Proposal::default();
            propose(seen, &mut proposal);
            proposal.notices.iter().map(|one| one.code).collect()
        })
    }

    #[test]
    fn folders_are_quoted_where_a_shell_would_read_them_otherwise() {
        assert_eq!(within("", "x"), "x");
        assert_eq!(within("a/b", "x"), "cd a/b && x");
        assert_eq!(within("a b's", "x"), r"cd 'a b'\''s' && x");
    }

    #[test]
    fn a_repository_without_projects_has_no_job_and_says_so() {
        assert!(jobs(&[("README.md", "x")]).is_empty());
        assert_eq!(notices(&[("README.md", "x")]), ["no-job"]);
    }

    #[test]
    fn several_roots_are_several_jobs_each_with_its_own_projects() {
        let files = [
            ("a/go.mod", "module a"),
            ("b/go.mod", "module b"),
            ("b/testdata/c/go.mod", "module c"),
        ];
        look(&files, |seen| {
            let mut proposal = Proposal::default();
            propose(seen, &mut proposal);
            let seen: Vec<_> = proposal
                .jobs
                .iter()
                .map(|job| (job.name.as_str(), job.projects.join(" ")))
                .collect();
            assert_eq!(
                seen,
                [("go-a", "go:a".to_owned()), ("go-b", "go:b".to_owned())]
            );
        });
    }
}
