//! Tests of mode `skip`: where the command's runner is known it is told to leave them out, and else they run and are forgiven.

use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;

use super::ExecArgs;
use super::task::Task;
use crate::cli::flakes::quarantine::skip::{chosen, same_in_each_run};
use crate::cli::flakes::rules;
use crate::cli::session::Session;
use crate::flakes::quarantine::shown;
use crate::flakes::runners::{Skip, find, left_out};
use crate::flakes::verdict::times;

/// What was left out.
#[derive(Debug, Default)]
pub(super) struct LeftOut {
    pub(super) tests: Vec<String>,
    /// Why tests run all the same.
    pub(super) note: Option<String>,
    /// What the runner needs lies here.
    folder: Option<PathBuf>,
}

impl LeftOut {
    /// Takes away what the runner needed.
    pub(super) fn tidy(&self, session: &Session<'_>) {
        if let Some(folder) = &self.folder {
            // What stays is a small file among the system's temporary ones.
            let _stays = session.world.files.remove_folder(folder);
        }
    }
}

/// Tells the command's runner which tests to leave out, by the rules that the plan handed on. What cannot be done exactly is not done.
pub(super) fn prepare(session: &Session<'_>, args: &ExecArgs, task: &mut Task) -> LeftOut {
    let given = args.trusted.clone().filter(|text| !text.trim().is_empty());
    let Some(given) = given.or_else(|| session.var(rules::VARIABLE)) else {
        return LeftOut::default();
    };
    // What is wrong with them is said when they are to forgive.
    let Ok(rules) = rules::handed_on(session, &given) else {
        return LeftOut::default();
    };
    let Ok(never) = rules::never(&rules.never) else {
        return LeftOut::default();
    };
    let today = session.now().to_zoned(TimeZone::UTC).date();
    let entries = chosen(&rules, today, &never).filter(|entry| same_in_each_run(entry));
    let tests: Vec<(&str, &str)> = entries
        .map(|entry| (entry.suite.as_str(), entry.test.as_str()))
        .collect();
    if tests.is_empty() {
        return LeftOut::default();
    }
    match tell(session, args, task, &tests) {
        Ok(folder) => LeftOut {
            tests: tests
                .iter()
                .map(|(suite, test)| shown(suite, test))
                .collect(),
            note: None,
            folder,
        },
        Err(why) => LeftOut {
            note: Some(format!(
                "{} of mode `skip` run, and are forgiven where they fail: {why}",
                times(tests.len() as u64, "test")
            )),
            ..LeftOut::default()
        },
    }
}

fn tell(
    session: &Session<'_>,
    args: &ExecArgs,
    task: &mut Task,
    tests: &[(&str, &str)],
) -> Result<Option<PathBuf>, String> {
    let known = task.runner().filter(|known| {
        let said = args.runner.as_deref();
        said.is_none_or(|said| said == *known)
    });
    let runner = known.and_then(find);
    let runner = runner.ok_or("the command is none whose runner can be told to leave tests out")?;
    let files = session.world.files.as_ref();
    let folder = files
        .temporary_folder("maestro-skip-")
        .map_err(|error| error.to_string())?;
    let skip = left_out(runner, tests, &folder).map_err(|problem| problem.to_string());
    let done = skip.and_then(|skip| write(session, &folder, &skip).map(|()| skip));
    match done {
        Ok(skip) => {
            let variable = skip.variable.map(|name| (name, folder.as_path()));
            task.add(&skip.args, variable, session);
            Ok(Some(folder))
        }
        Err(why) => {
            let _stays = files.remove_folder(&folder);
            Err(why)
        }
    }
}

fn write(session: &Session<'_>, folder: &Path, skip: &Skip) -> Result<(), String> {
    if let Some(condition) = skip.condition {
        return Err(format!("it is only exact where {condition}"));
    }
    let Some((name, text)) = &skip.file else {
        return Ok(());
    };
    let files = session.world.files.as_ref();
    let written = files.write_atomic(&folder.join(name), &mut |file| {
        file.write_all(text.as_bytes())
    });
    written.map_err(|error| error.to_string())
}
