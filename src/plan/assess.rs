//! What a change means: for each changed path whom it concerns, and from there who is affected.

use std::collections::{BTreeMap, BTreeSet};

use super::closure::{Affected, Cause, close};
use super::graph::owners::{Bond, Owners};
use super::graph::{Graph, Kind, Scope, python};
use super::links::Links;
use super::manifests::{Reach, Side, UNREADABLE, reach};
use super::rules::{ForPeople, Meaning, Rules};
use super::sources::{ancestors, file_name, folder_of, is_within};
use crate::change::{Change, Kind as ChangeKind, Status};
use crate::order;

/// Why everything runs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Reason {
    /// Stable.
    pub(crate) code: &'static str,
    /// The changed path that it comes from, if it is one.
    pub(crate) path: Option<String>,
    /// For people.
    pub(crate) detail: String,
}

pub(crate) const UNOWNED_FILE: &str = "unowned-file";
pub(crate) const TOOLCHAIN: &str = "toolchain";
pub(crate) const SOURCE_MISSING: &str = "source-missing";
pub(crate) const PATH_NOT_UTF8: &str = "path-not-utf8";

/// A base and what changed since.
#[derive(Clone, Copy)]
pub(crate) struct Since<'a> {
    pub(crate) old: Side<'a>,
    pub(crate) links: &'a Links,
    pub(crate) changes: &'a [Change],
}

/// A file that a project was seen to read, though it lies elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Reading {
    pub(crate) project: String,
    /// The file or folder, from the top.
    pub(crate) target: String,
    /// Where it says so.
    pub(crate) from: String,
}

/// Everything that a plan is made from.
#[derive(Clone, Copy)]
pub(crate) struct Input<'a> {
    pub(crate) new: Side<'a>,
    pub(crate) links: &'a Links,
    /// One for each base; a change with several merge bases has several.
    pub(crate) since: &'a [Since<'a>],
    pub(crate) rules: &'a Rules,
    pub(crate) readings: &'a [Reading],
    /// Edges that only sources tell.
    pub(crate) imported: &'a Graph,
}

/// A changed path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChangedFile {
    pub(crate) path: String,
    pub(crate) status: Status,
    pub(crate) is_submodule: bool,
    /// Projects that it concerns by itself.
    pub(crate) projects: BTreeSet<String>,
    /// Jobs whose own paths take it in.
    pub(crate) jobs: BTreeSet<String>,
    /// What became of it, where it concerns no project and no job.
    pub(crate) verdict: Verdict,
}

/// What a changed path comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It concerns projects or jobs.
    Concerns,
    /// Everything runs; the reason's code.
    All(&'static str),
    /// Nothing is made from it: a rule says so, or it says the same as before.
    Nothing(String),
}

/// What a change means.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Assessment {
    pub(crate) reasons: Vec<Reason>,
    pub(crate) files: Vec<ChangedFile>,
    pub(crate) affected: Affected,
    /// Jobs whose own paths were changed: the path and the glob.
    pub(crate) jobs: BTreeMap<String, (String, String)>,
}

/// Decides what a change means.
pub(crate) fn assess(input: Input<'_>) -> Assessment {
    let mut assessor = Assessor {
        input,
        new: Owners::new(input.new.graph),
        people: ForPeople::default(),
        seeds: BTreeMap::new(),
        reasons: BTreeSet::new(),
        files: BTreeMap::new(),
        jobs: BTreeMap::new(),
    };
    for since in input.since {
        assessor.since(*since);
    }
    let mut graphs = vec![input.new.graph];
    graphs.extend(input.since.iter().map(|since| since.old.graph));
    for graph in &graphs {
        for trouble in &graph.troubles {
            assessor.reasons.insert(Reason {
                code: UNREADABLE,
                path: Some(trouble.path.clone()),
                detail: trouble.words.clone(),
            });
        }
    }
    graphs.push(input.imported);
    Assessment {
        reasons: assessor.reasons.into_iter().collect(),
        files: assessor.files.into_values().collect(),
        affected: close(&assessor.seeds, &graphs),
        jobs: assessor.jobs,
    }
}

struct Assessor<'a> {
    input: Input<'a>,
    new: Owners<'a>,
    people: ForPeople,
    seeds: BTreeMap<String, Cause>,
    reasons: BTreeSet<Reason>,
    files: BTreeMap<String, ChangedFile>,
    jobs: BTreeMap<String, (String, String)>,
}

impl<'a> Assessor<'a> {
    fn since(&mut self, since: Since<'a>) {
        let old = Owners::new(since.old.graph);
        for change in since.changes {
            let mut file = self.file(change, since, &old);
            // Several bases see one path.
            if let Some(known) = self.files.remove(&change.path) {
                file.projects.extend(known.projects);
                file.jobs.extend(known.jobs);
                if !matches!(known.verdict, Verdict::Nothing(_)) {
                    file.verdict = known.verdict;
                }
            }
            self.files.insert(change.path.clone(), file);
        }
        self.graph_change(since.old.graph, self.input.new.graph, "project-removed");
        self.graph_change(self.input.new.graph, since.old.graph, "project-added");
    }

    fn file(&mut self, change: &Change, since: Since<'a>, old: &Owners<'a>) -> ChangedFile {
        let path = change.path.as_str();
        let mut file = ChangedFile {
            path: path.to_owned(),
            status: change.status(),
            is_submodule: [&change.old, &change.new]
                .into_iter()
                .flatten()
                .any(|entry| entry.kind() == ChangeKind::Submodule),
            projects: BTreeSet::new(),
            jobs: BTreeSet::new(),
            verdict: Verdict::Concerns,
        };
        self.note_jobs(path, &mut file);
        if !change.is_text {
            self.run_all(
                &mut file,
                PATH_NOT_UTF8,
                "its name is no UTF-8: no rule can be about it".into(),
            );
            return file;
        }
        let meaning = self.input.rules.meaning(path);
        match meaning {
            Meaning::All(code, words) => {
                self.run_all(&mut file, code, words);
                self.note_owners(path, old, &mut file);
                return file;
            }
            Meaning::Toolchain(folder) => {
                self.toolchain(&folder, since, &mut file);
                self.note_owners(path, old, &mut file);
                return file;
            }
            Meaning::Ignored(rule) => {
                self.note_readers(path, &mut file);
                settle(&mut file, rule);
                return file;
            }
            Meaning::Ask => {}
        }
        self.note_readers(path, &mut file);
        self.note_other_names(path, since, old, &mut file);
        self.note_settings(path, since, &mut file);
        match reach(change, since.old, self.input.new) {
            Some(Reach::Projects(code, projects)) => {
                for (id, words) in projects {
                    self.seed(&id, code, path, words, &mut file);
                }
                settle(
                    &mut file,
                    "it says the same as before to every project".into(),
                );
                return file;
            }
            Some(Reach::Unreadable(code, words)) => {
                self.run_all(&mut file, code, words);
                return file;
            }
            None => {}
        }
        let is_owned = self.note_owners(path, old, &mut file) || !file.jobs.is_empty();
        // Whoever reads a file from elsewhere need not be the only one.
        if !is_owned {
            self.unowned(change, since, &mut file);
        }
        file
    }

    /// Jobs whose own paths take the path in.
    fn note_jobs(&mut self, path: &str, file: &mut ChangedFile) {
        let mut jobs = self.input.rules.jobs_of(path);
        if file.is_submodule {
            jobs.extend(self.input.rules.jobs_inside(path));
        }
        for (job, glob) in jobs {
            file.jobs.insert(job.to_owned());
            let because = (path.to_owned(), glob.to_owned());
            self.jobs.entry(job.to_owned()).or_insert(because);
        }
    }

    /// Notes the projects that the path belongs to, on either side, and those that are made from it; returns whether it belongs
    /// to one.
    fn note_owners(&mut self, path: &str, old: &Owners<'a>, file: &mut ChangedFile) -> bool {
        let mut found = self.new.of(path);
        found.extend(old.of(path));
        if file.is_submodule {
            found.extend(self.new.inside(path));
            found.extend(old.inside(path));
        }
        let mut is_owned = false;
        for (id, bond) in found {
            match bond {
                Bond::Own => {
                    is_owned = true;
                    self.seed(id, "changed-file", path, String::new(), file);
                }
                Bond::Reads => self.seed(
                    id,
                    "read-file",
                    path,
                    "it is made from the file".into(),
                    file,
                ),
            }
        }
        is_owned
    }

    /// Projects that were seen to read the path.
    fn note_readers(&mut self, path: &str, file: &mut ChangedFile) {
        for reading in self.input.readings {
            // Of a submodule only that it changed is known, and not what in it did.
            let is_inside = file.is_submodule && is_within(&reading.target, path);
            if is_within(path, &reading.target) || is_inside {
                let words = format!("`{}` reads it", reading.from);
                self.seed(&reading.project, "read-file", path, words, file);
            }
        }
    }

    /// A file that a link leads to belongs to the link's owner too.
    fn note_other_names(
        &mut self,
        path: &str,
        since: Since<'a>,
        old: &Owners<'a>,
        file: &mut ChangedFile,
    ) {
        let mut names = self.input.links.names_of(path);
        names.extend(since.links.names_of(path));
        if file.is_submodule {
            names.extend(self.input.links.leading_into(path));
            names.extend(since.links.leading_into(path));
        }
        order::sort(&mut names);
        names.dedup();
        for name in names {
            let mut found = self.new.of(&name);
            found.extend(old.of(&name));
            for (id, _) in found {
                self.seed(
                    id,
                    "linked-file",
                    path,
                    format!("`{name}` is a link to it"),
                    file,
                );
            }
            self.note_jobs(&name, file);
            self.note_readers(&name, file);
        }
    }

    /// Tools of Python look for their settings in the folders above a project too.
    fn note_settings(&mut self, path: &str, since: Since<'a>, file: &mut ChangedFile) {
        let of_manifest = || {
            let sides = [since.old, self.input.new];
            let [old, new] = sides.map(|side| side.sources.toml(path).transpose());
            let differ = match (old, new) {
                (Ok(old), Ok(new)) => {
                    python::tools_differ(&old.unwrap_or_default(), &new.unwrap_or_default())
                }
                _ => true,
            };
            differ.then(|| folder_of(path))
        };
        let folder = match file_name(path) {
            "pyproject.toml" => of_manifest(),
            _ => python::settings_folder(path),
        };
        let Some(folder) = folder else { return };
        for graph in [self.input.new.graph, since.old.graph] {
            for (id, project) in graph.projects() {
                if project.kind == Kind::Python && is_within(&project.dir, folder) {
                    let words = "tools look for it from the folders below";
                    self.seed(id, "read-file", path, words.into(), file);
                }
            }
        }
    }

    /// A file that chooses tools is about all below its folder.
    fn toolchain(&mut self, folder: &str, since: Since<'a>, file: &mut ChangedFile) {
        if folder.is_empty() {
            self.run_all(file, TOOLCHAIN, "it chooses tools or their settings".into());
            return;
        }
        let path = file.path.clone();
        for graph in [self.input.new.graph, since.old.graph] {
            for (id, project) in graph
                .projects()
                .filter(|(_, project)| is_within(&project.dir, folder))
            {
                if project.kind != Kind::Component {
                    self.seed(
                        id,
                        TOOLCHAIN,
                        &path,
                        "it chooses tools or their settings".into(),
                        file,
                    );
                }
            }
        }
        if file.projects.is_empty() {
            self.run_all(
                file,
                TOOLCHAIN,
                "it chooses tools, and below it lies no project".into(),
            );
        }
    }

    /// A file that belongs to nobody.
    fn unowned(&mut self, change: &Change, since: Since<'a>, file: &mut ChangedFile) {
        let path = change.path.as_str();
        if let Some(glob) = self.people.matched(path).map(str::to_owned) {
            // A project at the top may well be made of it: documents are built by somebody.
            for graph in [self.input.new.graph, since.old.graph] {
                for (id, _) in graph.projects().filter(|(_, project)| project.is_fallback) {
                    let words = "it is at the top, and nobody else has the file";
                    self.seed(id, "changed-file", path, words.into(), file);
                }
            }
            if !file.projects.is_empty() {
                return;
            }
            file.verdict = Verdict::Nothing(format!(
                "`{glob}`: it is for people, and nothing was seen to read it"
            ));
            return;
        }
        // Below a workspace's root that is not the top it is at most that workspace's.
        let graphs = [self.input.new.graph, since.old.graph];
        let Some(root) = workspace_around(path, &graphs) else {
            self.run_all(
                file,
                UNOWNED_FILE,
                "no project, component, job or rule has it".into(),
            );
            return;
        };
        for graph in graphs {
            for (id, project) in graph.projects() {
                if project.is_of(root) {
                    let words = format!("the file is the workspace's at `{root}`, and no member's");
                    self.seed(id, "workspace-file", path, words, file);
                }
            }
        }
    }

    fn run_all(&mut self, file: &mut ChangedFile, code: &'static str, detail: String) {
        file.verdict = Verdict::All(code);
        self.reasons.insert(Reason {
            code,
            path: Some(file.path.clone()),
            detail,
        });
    }

    fn seed(
        &mut self,
        id: &str,
        code: &'static str,
        path: &str,
        detail: String,
        file: &mut ChangedFile,
    ) {
        file.projects.insert(id.to_owned());
        let cause = Cause {
            code,
            path: Some(path.to_owned()),
            detail,
        };
        // Of several causes the first in order counts, whichever came first.
        let known = self
            .seeds
            .entry(id.to_owned())
            .or_insert_with(|| cause.clone());
        if cause < *known {
            *known = cause;
        }
    }

    /// Projects and edges that only one graph has.
    fn graph_change(&mut self, one: &Graph, other: &Graph, code: &'static str) {
        for (id, project) in one.projects() {
            if other.get(id).is_none() && project.scope != Scope::Nothing {
                let cause = Cause {
                    code,
                    path: None,
                    detail: "only one of the two commits has it".into(),
                };
                self.seeds.entry(id.clone()).or_insert(cause);
            }
        }
        let others: BTreeSet<(&str, &str)> = other.edges().collect();
        for (from, on) in one.edges().filter(|edge| !others.contains(edge)) {
            let cause = Cause {
                code: "dependency-changed",
                path: None,
                detail: format!("only in one of the two commits it depends on `{on}`"),
            };
            self.seeds.entry(from.to_owned()).or_insert(cause);
        }
    }
}

/// Returns the nearest workspace's root around a file, other than the top.
pub(crate) fn workspace_around<'p>(path: &'p str, graphs: &[&Graph]) -> Option<&'p str> {
    ancestors(path).skip(1).find(|folder| {
        let is_root = |graph: &&Graph| graph.projects().any(|(_, project)| project.is_of(folder));
        !folder.is_empty() && graphs.iter().any(is_root)
    })
}

/// A file that concerns nobody comes to nothing.
fn settle(file: &mut ChangedFile, rule: String) {
    if file.projects.is_empty() && file.jobs.is_empty() {
        file.verdict = Verdict::Nothing(rule);
    }
}

#[cfg(test)]
mod tests;
