//! What is wrong with a repository's rules: globs that match nothing, files that no job covers, names that nobody has.

use std::collections::{BTreeMap, BTreeSet};

use super::assess::workspace_around;
use super::graph::Graph;
use super::graph::owners::Owners;
use super::graph::patterns::Patterns;
use super::jobs::{Job, ProjectRef};
use super::manifests::is_compared;
use super::rules::{ForPeople, Meaning, Rules};
use super::sources::folder_of;
use crate::change::Tree;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Weight {
    /// It is wrong.
    Error,
    /// It may be meant so.
    Warning,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Complaint {
    pub(crate) weight: Weight,
    /// Stable.
    pub(crate) code: &'static str,
    /// The key of the configuration, or the folder that it is about.
    pub(crate) place: String,
    pub(crate) words: String,
}

/// What is looked at.
pub(crate) struct Looked<'a> {
    pub(crate) tree: &'a Tree,
    pub(crate) graph: &'a Graph,
    pub(crate) rules: &'a Rules,
    /// Jobs with the words that select their projects.
    pub(crate) jobs: &'a [(Job, Vec<String>)],
    /// The patterns of the configuration, by key.
    pub(crate) patterns: &'a [(String, Patterns)],
    /// What components depend on, by key: ids of projects.
    pub(crate) named: &'a [(String, String)],
}

/// Returns what is wrong, the worst first.
pub(crate) fn lint(looked: &Looked<'_>) -> Vec<Complaint> {
    let mut found = Vec::new();
    dead_globs(looked, &mut found);
    unknown_projects(looked, &mut found);
    uncovered(looked, &mut found);
    for trouble in &looked.graph.troubles {
        found.push(Complaint {
            weight: Weight::Error,
            code: "manifest-unreadable",
            place: trouble.path.clone(),
            words: format!("{}; every change runs everything", trouble.words),
        });
    }
    crate::order::sort(&mut found);
    found
}

/// A glob that matches no tracked file is a rule that never applies: mostly a name that was mistyped or moved.
fn dead_globs(looked: &Looked<'_>, found: &mut Vec<Complaint>) {
    for (key, patterns) in looked.patterns {
        let globs: Vec<&str> = patterns.sources().collect();
        let mut alive = vec![false; globs.len()];
        for (path, _) in looked.tree.iter() {
            for (alive, touched) in alive.iter_mut().zip(patterns.touched(path)) {
                *alive |= touched;
            }
        }
        for (glob, _) in globs.iter().zip(&alive).filter(|(_, alive)| !**alive) {
            found.push(Complaint {
                weight: Weight::Error,
                code: "dead-glob",
                place: key.clone(),
                words: match nearest_path(glob, looked.tree) {
                    Some(near) => format!("`{glob}` matches no file; did you mean `{near}`?"),
                    None => format!("`{glob}` matches no file"),
                },
            });
        }
        let mut seen = BTreeSet::new();
        for glob in globs.iter().filter(|glob| !seen.insert(**glob)) {
            found.push(Complaint {
                weight: Weight::Warning,
                code: "duplicate-glob",
                place: key.clone(),
                words: format!("`{glob}` is there twice"),
            });
        }
    }
}

/// A plain name that is the end of a tracked path, or one whose folder only lacks its dot.
fn nearest_path(glob: &str, tree: &Tree) -> Option<String> {
    let glob = glob.trim_start_matches('!');
    if glob.contains(['*', '?', '[', '{']) {
        return None;
    }
    let dotted = format!(".{glob}");
    if tree.get(&dotted).is_some() || tree.has_folder(&dotted) {
        return Some(dotted);
    }
    let end = format!("/{glob}");
    tree.iter()
        .find(|(path, _)| path.ends_with(&end))
        .map(|(path, _)| path.to_string())
}

fn unknown_projects(looked: &Looked<'_>, found: &mut Vec<Complaint>) {
    let refs = refs(looked.graph);
    for (job, words) in looked.jobs {
        for (matcher, text) in job.projects.iter().zip(words) {
            if !refs.iter().any(|project| matcher.is_match(project)) {
                found.push(Complaint {
                    weight: Weight::Error,
                    code: "unknown-project",
                    place: format!("jobs.{}.projects", job.id),
                    words: format!("`{text}` is no project of this repository"),
                });
            }
        }
    }
    for (key, id) in looked.named {
        if looked.graph.get(id).is_none() {
            found.push(Complaint {
                weight: Weight::Error,
                code: "unknown-project",
                place: key.clone(),
                words: format!("`{id}` is no project of this repository"),
            });
        }
    }
}

fn refs(graph: &Graph) -> Vec<ProjectRef<'_>> {
    let projects = graph.projects();
    projects
        .map(|(id, project)| ProjectRef {
            id,
            kind: project.kind,
            dir: &project.dir,
            name: &project.name,
        })
        .collect()
}

/// Files whose change runs no job, or every job because nobody has them; by folder.
fn uncovered(looked: &Looked<'_>, found: &mut Vec<Complaint>) {
    let owners = Owners::new(looked.graph);
    let people = ForPeople::default();
    let refs = refs(looked.graph).into_iter().map(|one| (one.id, one));
    let refs: BTreeMap<&str, ProjectRef<'_>> = crate::order::map(refs);
    let covers = |id: &str| {
        let project = refs.get(id);
        project.is_some_and(|project| looked.jobs.iter().any(|(job, _)| job.is_about(project)))
    };
    let always = looked
        .jobs
        .iter()
        .any(|(job, _)| job.projects.is_empty() && !job.has_paths);
    let mut unowned: BTreeMap<String, usize> = BTreeMap::new();
    let mut jobless: BTreeMap<String, usize> = BTreeMap::new();
    for (path, _) in looked.tree.iter() {
        let is_ruled = looked.rules.meaning(path) != Meaning::Ask
            || !looked.rules.jobs_of(path).is_empty()
            || is_compared(path, looked.graph);
        if is_ruled {
            continue;
        }
        let owned = owners.of(path);
        if owned.is_empty() {
            let is_members = workspace_around(path, &[looked.graph]).is_some();
            if people.matched(path).is_none() && !is_members {
                *unowned.entry(top_of(path)).or_default() += 1;
            }
        } else if !always && !looked.jobs.is_empty() && !owned.iter().any(|(id, _)| covers(id)) {
            let id = owned[0].0.to_owned();
            *jobless.entry(id).or_default() += 1;
        }
    }
    for (place, files) in unowned {
        found.push(Complaint {
            weight: Weight::Warning,
            code: "unowned-file",
            place,
            words: format!(
                "{files} of no project, component, job or rule: a change runs everything"
            ),
        });
    }
    for (place, files) in jobless {
        found.push(Complaint {
            weight: Weight::Warning,
            code: "no-job",
            place,
            words: format!("{files} that no job covers: a change runs nothing"),
        });
    }
}

/// Returns the folder at the top, or the file itself where it lies there.
fn top_of(path: &str) -> String {
    match path.split_once('/') {
        Some((top, _)) => format!("{top}/"),
        None => {
            debug_assert!(folder_of(path).is_empty());
            path.to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::tests_support::tree;
    use crate::plan::graph::tests::read;
    use crate::plan::jobs::Selector;

    #[test]
    fn what_never_applies_and_what_nobody_has_is_named() {
        let files = [
            ("Cargo.toml", "[workspace]\nmembers = ['a', 'b']"),
            ("a/Cargo.toml", "[package]\nname='a'"),
            ("b/Cargo.toml", "[package]\nname='b'"),
            (".cargo/config.toml", ""),
            ("scripts/x.sh", ""),
            ("inner/Cargo.toml", "[workspace]\nmembers = ['c']"),
            ("inner/c/Cargo.toml", "[package]\nname='c'"),
            ("inner/deny.toml", ""),
            ("README.md", ""),
        ];
        let graph = read(&files);
        let tree = tree(files);
        let rules = Rules::none(".maestro");
        let matcher = |text: &str| Selector::parse(text).matcher().unwrap();
        let job = Job {
            projects: vec![matcher("cargo:a"), matcher("npm:web")],
            ..Job::named("test")
        };
        let patterns = Patterns::new(["cargo/config.toml", "scripts", "scripts"]).unwrap();
        let looked = Looked {
            tree: &tree,
            graph: &graph,
            rules: &rules,
            jobs: &[(job, vec!["cargo:a".into(), "npm:web".into()])],
            patterns: &[("run_all_on".into(), patterns)],
            named: &[],
        };
        let shown: Vec<String> = lint(&looked)
            .iter()
            .map(|one| format!("{} {}: {}", one.code, one.place, one.words))
            .collect();
        assert_eq!(
            shown,
            [
                "dead-glob run_all_on: `cargo/config.toml` matches no file; did you mean `.cargo/config.toml`?",
                "unknown-project jobs.test.projects: `npm:web` is no project of this repository",
                "duplicate-glob run_all_on: `scripts` is there twice",
                "no-job cargo:b: 1 that no job covers: a change runs nothing",
                "no-job cargo:inner/c: 1 that no job covers: a change runs nothing",
                "unowned-file scripts/: 1 of no project, component, job or rule: a change runs everything",
            ]
        );
    }
}
