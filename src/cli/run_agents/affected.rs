//! The tests of a run: which jobs its change affects, what their reports say, and what of it is known to be flaky.

use std::path::Path;

use jiff::civil::Date;

use crate::cli::flakes::ingest::source::{self, Content};
use crate::cli::flakes::rules;
use crate::cli::plan::settings::PlanSettings;
use crate::conduct::agents::crew::{Reported, Tests};
use crate::conduct::agents::steps::Abandon;
use crate::conduct::planner::Planner;
use crate::config::ConfigFile;
use crate::flakes::gate::{Law, Ruling, judge};
use crate::flakes::quarantine::shown;
use crate::flakes::results::Results;
use crate::flakes::trusted::Trusted;
use crate::plan::graph::components::Components;
use crate::plan::graph::patterns::Patterns;
use crate::plan::jobs::{ProjectRef, Situation, decide};
use crate::ports::Files;
use crate::ports::history::History;
use crate::redact::Redactor;

/// Knows the jobs of the configuration.
pub(super) struct Affected<'a> {
    pub(super) history: &'a dyn History,
    pub(super) files: &'a dyn Files,
    pub(super) store: &'a Path,
    pub(super) settings: &'a PlanSettings,
    pub(super) config: &'a ConfigFile,
    pub(super) rules: &'a Trusted,
    pub(super) redactor: &'a Redactor,
    pub(super) today: Date,
}

impl Tests for Affected<'_> {
    fn planned(
        &self,
        (base, head): (&str, &str),
    ) -> Result<Vec<(String, Option<String>)>, Abandon> {
        let settings = self.settings;
        let Some(jobs) = settings.jobs.as_deref().filter(|_| base != head) else {
            return Ok(Vec::new());
        };
        let git = |error| Abandon::trouble("what the change affects is not known", error);
        let mut planner = Planner::new(
            self.history,
            self.store,
            self.store,
            None,
            Components::default(),
        )
        .map_err(git)?;
        planner.set_components(settings.components.clone());
        let (tree, diffs) = planner.changes(&[base.to_owned()], head).map_err(git)?;
        let plan = planner.plan(tree, diffs, &settings.rules).map_err(git)?;
        let projects: Vec<ProjectRef<'_>> = plan
            .after
            .graph
            .projects()
            .map(|(id, project)| ProjectRef {
                id,
                kind: project.kind,
                dir: &project.dir,
                name: &project.name,
            })
            .collect();
        let situation = Situation {
            event: None,
            branch: None,
            is_branch_known: false,
            labels: None,
        };
        let decisions = decide(jobs, &projects, &plan.assessment, &situation, true);
        let wanted = decisions.iter().filter(|decision| decision.run);
        let commands = wanted.filter_map(|decision| {
            let job = self.config.jobs.get(&decision.job)?;
            Some((job.run.clone()?, job.junit.clone()))
        });
        Ok(commands.collect())
    }

    fn reports(&self, folder: &Path, glob: &str) -> Result<Option<Reported>, Abandon> {
        let Ok(patterns) = Patterns::new([glob]) else {
            return Ok(None);
        };
        let root = folder.to_string_lossy();
        let mut results = Results::default();
        let mut count = 0;
        for path in self.files.walk(folder, &|path| path.ends_with(".git")) {
            let Ok(path) = path else { continue };
            let name = path
                .strip_prefix(folder)
                .unwrap_or(&path)
                .to_string_lossy()
                .replace('\\', "/");
            if !patterns.is_match(&name) {
                continue;
            }
            let Ok(parsed) = source::read(self.files, &path, true, &root, Some(self.redactor))
            else {
                continue;
            };
            if let Content::Report(found) = parsed.content {
                results.absorb(found);
                count += 1;
            }
        }
        if count == 0 {
            return Ok(None);
        }
        let results = results.with_stable_names();
        let never = rules::never(&self.rules.never).map_err(|error| {
            Abandon::trouble(
                "the tests that are never forgiven are not known",
                error.into_failure().error,
            )
        })?;
        let law = Law {
            quarantine: &self.rules.quarantine,
            today: self.today,
            // What an agent is held to is what the gate would say if it counted.
            is_enforced: true,
            never: &|suite, test, file| rules::never_by(&never, suite, test, file),
            failed: None,
        };
        let judged = judge(&results, Vec::new(), None, &law);
        let (mut failed, mut excused) = (Vec::new(), Vec::new());
        for failure in &judged.failures {
            let name = shown(&failure.suite, &failure.test);
            match failure.ruling {
                Ruling::Forgiven(_) => excused.push(name),
                _ => failed.push(name),
            }
        }
        Ok(Some((judged.tests, failed, excused)))
    }
}
