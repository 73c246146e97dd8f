//! Which jobs follow from an assessment, and why each runs or does not.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::assess::Assessment;
use super::closure::way;
use super::graph::Kind;
use super::graph::patterns::{BadGlob, Patterns};

/// Which projects a job is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Selector {
    /// All of an ecosystem.
    Kind(Kind),
    /// Those whose id is this.
    Id(String),
    /// Those whose folder a glob names: the kind, if it is given, and the glob.
    Glob(Option<Kind>, String),
}

impl Selector {
    /// Reads `cargo`, `cargo:crates/a`, `npm:packages/*` or `packages/*`.
    pub(crate) fn parse(text: &str) -> Self {
        if let Some(kind) = Kind::parse(text) {
            return Self::Kind(kind);
        }
        let (kind, rest) = match text.split_once(':') {
            Some((word, rest)) if Kind::parse(word).is_some() => (Kind::parse(word), rest),
            _ => (None, text),
        };
        match kind {
            Some(kind) if !rest.contains(['*', '?', '[', '{']) => {
                Self::Id(format!("{}:{rest}", kind.name()))
            }
            kind => Self::Glob(kind, rest.to_owned()),
        }
    }

    /// Returns what tells its projects, or the glob that is none.
    pub(crate) fn matcher(&self) -> Result<Matcher, BadGlob> {
        Ok(match self {
            Self::Glob(kind, glob) => Matcher::Glob(*kind, Patterns::new([glob])?),
            other => Matcher::Other(other.clone()),
        })
    }
}

/// A selector that is ready.
#[derive(Debug, Clone)]
pub(crate) enum Matcher {
    Glob(Option<Kind>, Patterns),
    Other(Selector),
}

impl Matcher {
    /// Whether it is about a project.
    pub(crate) fn is_match(&self, project: &ProjectRef<'_>) -> bool {
        match self {
            Self::Glob(kind, patterns) => {
                kind.is_none_or(|kind| kind == project.kind) && patterns.is_match(project.place())
            }
            Self::Other(Selector::Kind(kind)) => *kind == project.kind,
            Self::Other(Selector::Id(id)) => id == project.id,
            Self::Other(Selector::Glob(..)) => false,
        }
    }
}

/// A project of the planned commit, as jobs see it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProjectRef<'a> {
    pub(crate) id: &'a str,
    pub(crate) kind: Kind,
    pub(crate) dir: &'a str,
    pub(crate) name: &'a str,
}

impl ProjectRef<'_> {
    fn place(&self) -> &str {
        match self.kind {
            Kind::Component => self.name,
            _ if self.dir.is_empty() => ".",
            _ => self.dir,
        }
    }
}

/// When a job may run at all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct When {
    /// Events, as GitHub calls them; all when empty.
    pub(crate) events: Vec<String>,
    /// Globs of branches: what a push is to, what a pull request wants to change; all when empty.
    pub(crate) branches: Vec<String>,
    /// Labels of the pull request, of which one is enough; all when empty.
    pub(crate) labels: Vec<String>,
}

/// What is known of the run, for `when`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Situation {
    /// None for a person at a terminal, for whom every event counts.
    pub(crate) event: Option<String>,
    pub(crate) branch: Option<String>,
    /// Whether it is certain that the branch is this one, or that there is none.
    pub(crate) is_branch_known: bool,
    /// Of a pull request; none where they are not known.
    pub(crate) labels: Option<Vec<String>>,
}

impl When {
    /// Returns why the job may not run, if so.
    fn refuses(&self, situation: &Situation) -> Option<String> {
        let Some(event) = &situation.event else {
            return None;
        };
        if !self.events.is_empty() && !self.events.contains(event) {
            return Some(format!("`when` has no event `{event}`"));
        }
        // What is not known refuses nothing.
        if !self.branches.is_empty() && situation.is_branch_known {
            let branch = situation.branch.as_deref().unwrap_or_default();
            let matches =
                Patterns::new(&self.branches).is_ok_and(|patterns| patterns.is_match(branch));
            if !matches {
                return Some(format!("`when` has no branch `{branch}`"));
            }
        }
        let is_pull_request = event.starts_with("pull_request");
        let has_label = situation
            .labels
            .as_ref()
            .is_none_or(|known| self.labels.iter().any(|label| known.contains(label)));
        if !self.labels.is_empty() && is_pull_request && !has_label {
            return Some(format!(
                "the pull request has no label `{}`",
                self.labels.join("` or `")
            ));
        }
        None
    }
}

/// A job of the configuration.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) id: String,
    /// Empty with empty paths: the job always runs.
    pub(crate) projects: Vec<Matcher>,
    pub(crate) has_paths: bool,
    pub(crate) run: Option<String>,
    pub(crate) runs_on: Option<Value>,
    pub(crate) axes: BTreeMap<String, Vec<Value>>,
    pub(crate) exclude: Vec<BTreeMap<String, Value>>,
    pub(crate) services: Option<Value>,
    pub(crate) when: When,
    pub(crate) shards: Option<u32>,
    /// As many shards as its tests need.
    pub(crate) auto_shards: bool,
    /// One run for each of its affected projects.
    pub(crate) per_project: bool,
    pub(crate) timeout_minutes: Option<u32>,
}

impl Job {
    /// A job of this name and nothing else.
    pub(crate) fn named(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            projects: Vec::new(),
            has_paths: false,
            run: None,
            runs_on: None,
            axes: BTreeMap::new(),
            exclude: Vec::new(),
            services: None,
            when: When::default(),
            shards: None,
            auto_shards: false,
            per_project: false,
            timeout_minutes: None,
        }
    }

    /// Whether it names projects or folders, and not only ecosystems, of which a repository may have none.
    fn names_projects(&self) -> bool {
        let is_kind = |matcher: &Matcher| matches!(matcher, Matcher::Other(Selector::Kind(_)));
        !self.projects.iter().any(is_kind) && !self.projects.is_empty()
    }

    pub(crate) fn is_about(&self, project: &ProjectRef<'_>) -> bool {
        self.projects
            .iter()
            .any(|matcher| matcher.is_match(project))
    }
}

/// Nothing has the names that a job's `projects` say.
pub(crate) const NO_PROJECT: &str = "no-project";

/// Whether a job runs, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) job: String,
    /// Whether the change affects it.
    pub(crate) selected: bool,
    /// Whether it runs: what is not enforced runs everything that may run.
    pub(crate) run: bool,
    /// Stable.
    pub(crate) code: &'static str,
    /// Path, projects, and last the job; for people and programs.
    pub(crate) chain: Vec<String>,
    pub(crate) detail: String,
    /// The affected projects that it is about.
    pub(crate) projects: Vec<String>,
}

/// Decides about every job.
pub(crate) fn decide(
    jobs: &[Job],
    projects: &[ProjectRef<'_>],
    assessment: &Assessment,
    situation: &Situation,
    enforced: bool,
) -> Vec<Decision> {
    jobs.iter()
        .map(|job| one(job, projects, assessment, situation, enforced))
        .collect()
}

fn one(
    job: &Job,
    projects: &[ProjectRef<'_>],
    assessment: &Assessment,
    situation: &Situation,
    enforced: bool,
) -> Decision {
    let about: Vec<&ProjectRef<'_>> = projects
        .iter()
        .filter(|project| job.is_about(project))
        .collect();
    let is_all = !assessment.reasons.is_empty();
    let hit = |project: &&&ProjectRef<'_>| assessment.affected.contains_key(project.id);
    // What a removed project's dependents need is in the graph; what it was is gone.
    let affected: Vec<String> = about
        .iter()
        .filter(hit)
        .map(|project| project.id.to_owned())
        .collect();
    // A project that is gone was somebody's.
    let removed = assessment.affected.keys().find(|id| {
        !projects.iter().any(|project| project.id == id.as_str()) && matches_removed(job, id)
    });
    // A file of the job's own, or what is gone, may be about any of its projects.
    let is_wide = is_all || removed.is_some() || assessment.jobs.contains_key(&job.id);
    let all = || -> Vec<String> { about.iter().map(|project| project.id.to_owned()).collect() };
    let run_for = |selected: bool| {
        if is_wide || !enforced && !selected {
            all()
        } else {
            affected.clone()
        }
    };
    let decision = |selected: bool, code: &'static str, mut chain: Vec<String>, detail: String| {
        chain.push(format!("job:{}", job.id));
        Decision {
            job: job.id.clone(),
            selected,
            run: selected || !enforced,
            code,
            chain,
            detail,
            projects: run_for(selected),
        }
    };
    if let Some(refusal) = job.when.refuses(situation) {
        let mut refused = decision(false, "when", Vec::new(), refusal);
        refused.run = false;
        refused.projects.clear();
        return refused;
    }
    if let Some(reason) = assessment.reasons.first() {
        let chain = reason.path.iter().cloned().collect();
        return decision(true, reason.code, chain, reason.detail.clone());
    }
    if job.projects.is_empty() && !job.has_paths {
        return decision(
            true,
            "always",
            Vec::new(),
            "it names neither projects nor paths".into(),
        );
    }
    if let Some((path, glob)) = assessment.jobs.get(&job.id) {
        return decision(
            true,
            "changed-file",
            vec![path.clone()],
            format!("its `paths` have `{glob}`"),
        );
    }
    if let Some((chain, detail, code)) = shortest(assessment, &affected) {
        return decision(true, code, chain, detail);
    }
    if let Some(id) = removed {
        let chain = vec![id.clone()];
        return decision(
            true,
            "project-removed",
            chain,
            "the project is gone, and the job was about it".into(),
        );
    }
    if about.is_empty() && !job.has_paths && job.names_projects() {
        let detail = "nothing has the names in its `projects`: are they spelt right?";
        return decision(true, NO_PROJECT, Vec::new(), detail.into());
    }
    decision(false, "not-affected", Vec::new(), why_not(job, &about))
}

fn why_not(job: &Job, about: &[&ProjectRef<'_>]) -> String {
    match about.len() {
        0 if job.has_paths => "no changed file is one of its `paths`".to_owned(),
        0 => "no project of this commit is one that it is about".to_owned(),
        1 => format!("nothing reaches `{}`", about[0].id),
        many => format!("nothing reaches the {many} projects that it is about"),
    }
}

fn matches_removed(job: &Job, id: &str) -> bool {
    let Some((kind, dir)) = id.split_once(':') else {
        return false;
    };
    let Some(kind) = Kind::parse(kind) else {
        return false;
    };
    let dir = dir.split('#').next().unwrap_or(dir);
    let dir = if dir == "." { "" } else { dir };
    job.is_about(&ProjectRef {
        id,
        kind,
        dir,
        name: dir,
    })
}

/// Returns the shortest chain of the affected projects, its words and its code.
fn shortest(
    assessment: &Assessment,
    affected: &[String],
) -> Option<(Vec<String>, String, &'static str)> {
    let ways = affected
        .iter()
        .filter_map(|id| way(&assessment.affected, id));
    let (cause, projects) = ways.min_by_key(|(_, projects)| projects.len())?;
    let mut chain: Vec<String> = cause.path.iter().cloned().collect();
    chain.extend(projects.iter().map(|id| (*id).to_owned()));
    Some((chain, cause.detail.clone(), cause.code))
}

/// The jobs of a repository that names none: one for each ecosystem, run for each affected project.
pub(crate) fn by_default(projects: &[ProjectRef<'_>]) -> Vec<Job> {
    let kinds: BTreeSet<Kind> = crate::order::set(projects.iter().map(|project| project.kind));
    let jobs = kinds.into_iter().map(|kind| Job {
        projects: vec![Matcher::Other(Selector::Kind(kind))],
        per_project: true,
        ..Job::named(kind.name())
    });
    jobs.collect()
}

#[cfg(test)]
mod tests;
