//! What `maestro init` proposes for a repository: which jobs test it, what other tools know of it already, and the files that say so.
//!
//! Pure: a commit's files and the graph in them come in, texts come out. Nothing here knows whether a file is there already on the disk.

pub(crate) mod actions;
pub(crate) mod config_text;
pub(crate) mod neighbours;
pub(crate) mod record;
pub(crate) mod stacks;
pub(crate) mod translate;
pub(crate) mod workflows;
mod yaml_text;

use std::collections::BTreeSet;

use crate::plan::graph::Graph;
use crate::plan::sources::{Sources, extension, file_name, folder_of, is_within};

/// More jobs than this nobody wants to have written for them.
const MOST_JOBS: usize = 20;

/// What is looked at.
#[derive(Clone, Copy)]
pub(crate) struct Seen<'a> {
    pub(crate) sources: Sources<'a>,
    pub(crate) graph: &'a Graph,
}

/// What a job's runner needs beside what GitHub's runners have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tool {
    Nextest,
    Pnpm,
    Node,
    Bun,
    Python,
    Uv,
    Poetry,
    Go,
}

/// A job of the configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) name: String,
    pub(crate) projects: Vec<String>,
    pub(crate) paths: Vec<String>,
    pub(crate) run: Option<String>,
    pub(crate) junit: Option<String>,
    /// Lines for whoever reads the configuration.
    pub(crate) comments: Vec<String>,
    pub(crate) tools: BTreeSet<Tool>,
}

/// A component of the configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Component {
    pub(crate) name: String,
    pub(crate) paths: Vec<String>,
    pub(crate) depends_on: Vec<String>,
}

/// Something that a person should know.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Notice {
    /// Stable.
    pub(crate) code: &'static str,
    /// The file or folder that it is about.
    pub(crate) place: String,
    pub(crate) words: String,
}

impl Notice {
    pub(crate) fn new(
        code: &'static str,
        place: impl Into<String>,
        words: impl Into<String>,
    ) -> Self {
        Self {
            code,
            place: place.into(),
            words: words.into(),
        }
    }
}

/// What is proposed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Proposal {
    /// What was found, in words, for people.
    pub(crate) found: Vec<String>,
    pub(crate) jobs: Vec<Job>,
    /// Jobs that a person has to look at first: they stand in the configuration as comments.
    pub(crate) sketches: Vec<Job>,
    pub(crate) components: Vec<Component>,
    pub(crate) run_all_on: Vec<String>,
    pub(crate) notices: Vec<Notice>,
}

impl Proposal {
    /// Adds a job under a name that no other has.
    pub(crate) fn add(&mut self, mut job: Job) {
        let wanted = job.name.clone();
        let mut number = 2;
        while self.jobs.iter().any(|known| known.name == job.name) {
            job.name = format!("{wanted}-{number}");
            number += 1;
        }
        self.jobs.push(job);
    }

    pub(crate) fn notice(
        &mut self,
        code: &'static str,
        place: impl Into<String>,
        words: impl Into<String>,
    ) {
        self.notices.push(Notice::new(code, place, words));
    }
}

/// Whether the text of a file is looked at.
pub(crate) fn is_wanted(path: &str) -> bool {
    let name = file_name(path);
    let is_named = matches!(
        name,
        "package.json"
            | "Cargo.toml"
            | "pyproject.toml"
            | "go.mod"
            | "nextest.toml"
            | "pytest.ini"
            | "setup.cfg"
            | "tox.ini"
            | "noxfile.py"
            | "Makefile"
            | "GNUmakefile"
            | "makefile"
            | "nx.json"
            | "project.json"
            | "turbo.json"
            | "turbo.jsonc"
    );
    is_named
        || is_workflow(path)
        || stacks::is_requirements(path)
        || (folder_of(path) == ".maestro" && is_yaml(path))
        // Filters of dorny/paths-filter, wherever a workflow says that they lie.
        || (is_within(path, ".github") && is_yaml(path))
}

fn is_yaml(path: &str) -> bool {
    matches!(extension(path), Some("yml" | "yaml"))
}

/// Whether a file is a workflow of GitHub's.
pub(crate) fn is_workflow(path: &str) -> bool {
    folder_of(path) == ".github/workflows" && is_yaml(path)
}

/// Proposes jobs for what is there.
pub(crate) fn propose(seen: Seen<'_>) -> Proposal {
    let mut proposal = Proposal::default();
    stacks::propose(seen, &mut proposal);
    neighbours::notice(seen, &mut proposal);
    finish(proposal)
}

/// Proposes what another tool's configuration says.
pub(crate) fn propose_from(seen: Seen<'_>, tool: translate::Foreign) -> Proposal {
    let mut proposal = Proposal::default();
    translate::translate(tool, seen, &mut proposal);
    neighbours::notice(seen, &mut proposal);
    finish(proposal)
}

fn finish(mut proposal: Proposal) -> Proposal {
    if proposal.jobs.len() > MOST_JOBS {
        let left: Vec<String> = proposal
            .jobs
            .split_off(MOST_JOBS)
            .into_iter()
            .map(|job| job.name)
            .collect();
        let words = format!(
            "more than {MOST_JOBS} jobs; these are left to you: {}",
            left.join(", ")
        );
        proposal.notice("too-many-jobs", "jobs", words);
    }
    proposal.notices.dedup();
    proposal
}

/// Returns a name that a job may have: letters, digits and dashes.
pub(crate) fn slug(text: &str) -> String {
    let words = text
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    let slug = words
        .map(str::to_ascii_lowercase)
        .collect::<Vec<_>>()
        .join("-");
    if slug.is_empty() {
        "job".to_owned()
    } else {
        slug
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::change::tests_support::tree;
    use crate::plan::graph;
    use crate::plan::graph::components::Components;
    use crate::plan::sources::Blobs;

    /// Looks at a repository of these files with one function.
    pub(crate) fn look<R>(files: &[(&str, &str)], see: impl FnOnce(Seen<'_>) -> R) -> R {
        let tree = tree(files.iter().copied());
        let mut blobs = Blobs::default();
        for (_, text) in files {
            blobs.insert((*text).into(), Some(text.as_bytes().into()));
        }
        let sources = Sources {
            tree: &tree,
            blobs: &blobs,
        };
        let graph = graph::read(sources, &Components::new());
        see(Seen {
            sources,
            graph: &graph,
        })
    }

    #[test]
    fn names_are_slugs_and_never_empty() {
        assert_eq!(slug("services/API v2"), "services-api-v2");
        assert_eq!(slug("@/"), "job");
    }

    #[test]
    fn two_jobs_never_share_a_name() {
        let mut proposal = Proposal::default();
        for _ in 0..3 {
            proposal.add(Job {
                name: "test".to_owned(),
                ..Job::default()
            });
        }
        let names: Vec<&str> = proposal.jobs.iter().map(|job| job.name.as_str()).collect();
        assert_eq!(names, ["test", "test-2", "test-3"]);
    }

    #[test]
    fn jobs_beyond_twenty_are_named_and_left_out() {
        let mut proposal = Proposal::default();
        for number in 0..22 {
            proposal.add(Job {
                name: format!("j{number}"),
                ..Job::default()
            });
        }
        let done = finish(proposal);
        assert_eq!(done.jobs.len(), 20);
        assert!(done.notices[0].words.ends_with("j20, j21"));
    }
}
