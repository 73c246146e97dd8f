//! Turborepo (`turbo.json`, versions 1 and 2): tasks become jobs, global dependencies run everything.
//!
//! The packages and who depends on whom are npm's own, which plans read anyway.

use serde_json::Value;

use super::{LEFT_OUT, NOTHING, WIDER, from_top};
use crate::plan::jsonc;
use crate::setup::{Job, Proposal, Seen, slug, stacks};

pub(super) fn translate(seen: Seen<'_>, proposal: &mut Proposal) {
    let file = ["turbo.json", "turbo.jsonc"]
        .into_iter()
        .find_map(|name| Some((name, seen.sources.text(name)?)));
    let Some((place, text)) = file else {
        proposal.notice(NOTHING, ".", "there is no turbo.json at the top");
        return;
    };
    let config = match jsonc::read(text) {
        Ok(config) => config,
        Err(words) => {
            proposal.notice(NOTHING, place, words);
            return;
        }
    };
    for text in texts(config.get("globalDependencies")) {
        let path = from_top(text, &["$TURBO_ROOT$", "./"]).unwrap_or(text);
        proposal.run_all_on.push(path.to_owned());
    }
    for key in ["globalEnv", "globalPassThroughEnv"] {
        if config.get(key).is_some() {
            let words = format!(
                "`{key}`: plans look at files only; a change of variables runs nothing by itself"
            );
            proposal.notice(LEFT_OUT, place, words);
        }
    }
    // `pipeline` is what version 1 called it.
    let tasks = config.get("tasks").or_else(|| config.get("pipeline"));
    for (name, task) in tasks.and_then(Value::as_object).into_iter().flatten() {
        of_task(seen, place, (name, task), proposal);
    }
    if proposal.jobs.is_empty() {
        proposal.notice(NOTHING, place, "it has no task that a job could run");
    }
}

fn of_task(seen: Seen<'_>, place: &str, (name, task): (&str, &Value), proposal: &mut Proposal) {
    let is = |key: &str, value: bool| task.get(key).and_then(Value::as_bool) == Some(value);
    // What goes on for ever, or has effects that must not be repeated, is no check.
    if is("persistent", true) || is("cache", false) {
        let words = format!("the task `{name}` is persistent or not cached: no check of a change");
        proposal.notice(LEFT_OUT, place, words);
        return;
    }
    if name.contains('#') {
        let words =
            format!("the task `{name}` is of one package: it runs with the job of its task");
        proposal.notice(LEFT_OUT, place, words);
        return;
    }
    let mut narrowed = Vec::new();
    for input in texts(task.get("inputs")) {
        match from_top(input, &["$TURBO_ROOT$"]) {
            Some(path) => proposal.run_all_on.push(path.to_owned()),
            None if input == "$TURBO_DEFAULT$" => {}
            None => narrowed.push(input),
        }
    }
    if !narrowed.is_empty() {
        let words = format!(
            "the inputs of `{name}` ({}): ours is a package's every file",
            narrowed.join(", ")
        );
        proposal.notice(WIDER, place, words);
    }
    let (install, runner) = stacks::package_manager(seen);
    proposal.add(Job {
        name: slug(name),
        projects: vec!["npm".to_owned()],
        run: Some(format!(
            "{install} && {runner} turbo run {}",
            stacks::quoted(name)
        )),
        comments: vec![format!("Was the task `{name}` of {place}.")],
        tools: stacks::package_tools(seen),
        ..Job::default()
    });
}

fn texts(value: Option<&Value>) -> impl Iterator<Item = &str> {
    let list = value.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup::tests::look;

    #[test]
    fn tasks_become_jobs_and_global_dependencies_run_everything() {
        let config = r#"{
            // a comment
            "globalDependencies": ["tsconfig.base.json", "$TURBO_ROOT$/env/*"],
            "globalEnv": ["CI"],
            "tasks": {
                "test": {"dependsOn": ["^build"], "inputs": ["$TURBO_DEFAULT$", "src/**", "$TURBO_ROOT$/jest.config.js"]},
                "dev": {"cache": false, "persistent": true},
                "web#lint": {},
            },
        }"#;
        let files = [
            ("turbo.json", config),
            ("package.json", "{}"),
            ("pnpm-lock.yaml", ""),
        ];
        look(&files, |seen| {
            let mut proposal = Proposal::default();
            translate(seen, &mut proposal);
            let job = &proposal.jobs[0];
            assert_eq!(proposal.jobs.len(), 1);
            let wanted = "pnpm install --frozen-lockfile && pnpm exec turbo run test";
            assert_eq!(job.run.as_deref(), Some(wanted));
            assert_eq!(
                proposal.run_all_on,
                ["tsconfig.base.json", "env/*", "jest.config.js"]
            );
            let codes: Vec<_> = proposal.notices.iter().map(|one| one.code).collect();
            assert_eq!(codes, [LEFT_OUT, LEFT_OUT, WIDER, LEFT_OUT]);
        });
    }

    #[test]
    fn a_file_that_cannot_be_read_is_said() {
        for files in [
            vec![("turbo.json", "{")],
            vec![],
            vec![("turbo.json", "{}")],
        ] {
            look(&files, |seen| {
                let mut proposal = Proposal::default();
                translate(seen, &mut proposal);
                assert_eq!(proposal.notices.last().unwrap().code, NOTHING);
            });
        }
    }
}
