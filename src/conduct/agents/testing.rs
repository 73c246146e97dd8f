//! The tester's proof: what the change affects is run, and what is known to be flaky is forgiven.

use super::crew::{Ran, Reported, TestRun};
use super::engine::Workplace;
use super::steps::Abandon;
use super::team::{Team, git, input, step_name};
use super::turn::{Tab, Undone, told};
use crate::agents::board::Body;
use crate::agents::roles::Proof;
use crate::agents::step::End;

impl Team<'_> {
    /// Runs what the change affects before the tester writes anything: red tests are then somebody else's to mend.
    pub(super) fn red_ground(
        &self,
        place: &mut Workplace<'_>,
        tab: &mut Tab,
    ) -> Result<Option<Undone>, Abandon> {
        let run = self.planned_tests(place, tab)?;
        if run.output.is_empty() && run.failed.is_empty() {
            place.results = Some(format!(
                "{} tests ran and passed: {}",
                run.ran,
                run.commands.join(", ")
            ));
            return Ok(None);
        }
        let blamed = self.blamed(place.turn.task, &[]);
        Ok(Some(Undone {
            end: End::Rejected(blamed),
            why: run.output,
        }))
    }

    /// Runs the commands of all tasks above and those that the change affects.
    pub(super) fn planned_tests(
        &self,
        place: &mut Workplace<'_>,
        tab: &mut Tab,
    ) -> Result<TestRun, Abandon> {
        let mut wanted: Vec<(String, Option<String>)> = Vec::new();
        let above = self.graph.above(place.turn.task);
        let own = above
            .iter()
            .map(|task| self.spec(*task))
            .chain([place.spec]);
        // What a judge runs shows something, and need not end well.
        let own = own.filter(|spec| {
            let role = self.role(&spec.role);
            role.is_none_or(|role| role.proof != Proof::Verdict)
        });
        for command in own.flat_map(|spec| &spec.acceptance.commands) {
            if !wanted.iter().any(|(known, _)| known == command) {
                wanted.push((command.clone(), None));
            }
        }
        let planned = match &place.planned {
            Some(planned) => planned.clone(),
            None => place.planned.insert(self.planned(place)?).clone(),
        };
        wanted.extend(planned);
        let mut run = TestRun {
            ran: 0,
            passed: 0,
            failed: Vec::new(),
            excused: Vec::new(),
            commands: Vec::new(),
            output: String::new(),
        };
        for (command, glob) in wanted {
            run.commands.push(command.clone());
            let ran = self.run(place, tab, &command, true)?;
            let reports = match &glob {
                Some(glob) => self.reports(place, tab, glob)?,
                None => None,
            };
            match reports {
                Some((count, failed, excused)) => {
                    run.ran += count;
                    run.passed += count - (failed.len() + excused.len()) as u64;
                    let is_excused = failed.is_empty() && !excused.is_empty();
                    if !failed.is_empty() || (!ran.is_fine() && !is_excused) {
                        run.output.push_str(&told(&command, &ran));
                    }
                    run.failed.extend(failed);
                    run.excused.extend(excused);
                }
                None => {
                    run.ran += 1;
                    if ran.is_fine() {
                        run.passed += 1;
                    } else {
                        run.failed.push(command.clone());
                        run.output.push_str(&told(&command, &ran));
                    }
                }
            }
        }
        Ok(run)
    }

    /// Takes what a program left in its work tree, and returns the tree. What git does not take (names, sizes, rights or attributes that break it) is its
    /// maker's fault and nobody else's: it is gone, and the program has failed.
    pub(super) fn taken(
        &self,
        place: &Workplace<'_>,
        before: &str,
        ran: &mut Ran,
    ) -> Result<String, Abandon> {
        let name = &place.spec.id;
        match self.trees.snapshot(&self.store, name, &place.folder) {
            Ok(tree) => Ok(tree),
            Err(error) => {
                self.trees
                    .check_out(&self.store, name, &place.folder, before)
                    .map_err(git)?;
                let why = format!("what it left cannot be taken, and is gone: {error}");
                ran.code = None;
                ran.ended = Some(why.replace(&*place.folder.to_string_lossy(), "."));
                Ok(before.to_owned())
            }
        }
    }

    /// Asks which commands run what the change affects, as a step: what it depends on lies outside of the run.
    fn planned(&self, place: &Workplace<'_>) -> Result<Vec<(String, Option<String>)>, Abandon> {
        let base = self.head.base.clone();
        let step = step_name(&place.spec.id, place.turn, "plan", 1);
        let result = self
            .steps
            .perform(&step, input(&[&base, &place.ground.commit]), || {
                let planned = self.tests.planned((&base, &place.ground.commit))?;
                Ok(serde_json::json!(planned))
            })?;
        serde_json::from_value(result).map_err(|error| Abandon::Diverged {
            step,
            what: error.to_string(),
        })
    }

    fn reports(
        &self,
        place: &Workplace<'_>,
        tab: &Tab,
        glob: &str,
    ) -> Result<Option<Reported>, Abandon> {
        let step = step_name(&place.spec.id, place.turn, "reports", tab.runs);
        let result = self.steps.perform(&step, input(&[glob]), || {
            let found = self.tests.reports(&place.folder, glob)?;
            Ok(serde_json::json!(found))
        })?;
        serde_json::from_value(result).map_err(|error| Abandon::Diverged {
            step,
            what: error.to_string(),
        })
    }
}

/// Returns what the blackboard has of it.
pub(super) fn tests_body(run: TestRun) -> Body {
    Body::Tests {
        ran: run.ran,
        passed: run.passed,
        failed: run.failed,
        excused: run.excused,
        commands: run.commands,
    }
}
