//! What a repository's own CI builds before it runs a script that tests, read from its workflows.
//!
//! Rule: it is taken over only where every such job builds first, by a plain line of the same package manager; where some do, a comment
//! says so. What a job of GitHub's does otherwise than by plain lines is not looked through.

use serde_yaml::Value;

use super::at;
use crate::config::{Kind, read_as};
use crate::setup::{Seen, is_workflow};

/// For messages only, which nobody sees: what cannot be read is left out.
const WORKFLOW: Kind = Kind {
    schema: "",
    published: "config",
};

/// What comes before the tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Before {
    Nothing,
    /// These commands, in every job that tests.
    Always(String),
    /// These, in some of them or under a condition.
    Sometimes(String),
}

/// What is looked for.
struct Asked<'a> {
    seen: Seen<'a>,
    root: &'a str,
    /// `npm`, `pnpm`, `yarn` or `bun`.
    program: &'a str,
}

/// A job that tests.
struct Found {
    /// Whether it runs the script `test`, and no other one.
    is_exact: bool,
    builds: Vec<String>,
    /// Whether each of them runs in any case.
    is_certain: bool,
}

/// Returns what CI builds before it tests a folder with a package manager.
pub(super) fn before(seen: Seen<'_>, root: &str, program: &str) -> Before {
    let asked = Asked {
        seen,
        root,
        program,
    };
    let (mut of_changes, mut of_others) = (Vec::new(), Vec::new());
    let paths = seen.sources.tree.iter().map(|(path, _)| path);
    for path in paths.filter(|path| is_workflow(path)) {
        let text = seen.sources.text(path).unwrap_or_default();
        let Ok(workflow) = read_as::<Value>(WORKFLOW, text, path) else {
            continue;
        };
        if is_on(&workflow, "pull_request") {
            asked.workflow(&workflow, &mut of_changes);
        } else if is_on(&workflow, "push") || is_on(&workflow, "workflow_call") {
            asked.workflow(&workflow, &mut of_others);
        }
    }
    let mut found = if of_changes.is_empty() {
        of_others
    } else {
        of_changes
    };
    if found.iter().any(|job| job.is_exact) {
        found.retain(|job| job.is_exact);
    }
    let builds = |job: &&Found| !job.builds.is_empty();
    let Some(first) = found.iter().find(builds) else {
        return Before::Nothing;
    };
    let line = first.builds.join(" && ");
    if found.iter().all(|job| builds(&job) && job.is_certain) {
        Before::Always(line)
    } else {
        Before::Sometimes(line)
    }
}

fn is_on(workflow: &Value, event: &str) -> bool {
    match workflow.get("on") {
        Some(Value::String(one)) => one == event,
        Some(Value::Sequence(all)) => all.iter().any(|one| one.as_str() == Some(event)),
        Some(Value::Mapping(all)) => all.contains_key(event),
        _ => false,
    }
}

/// Returns the folder that `run` starts in, as a job or a workflow says it for all steps.
fn folder(of: &Value) -> Option<&str> {
    of.get("defaults")?
        .get("run")?
        .get("working-directory")?
        .as_str()
}

impl Asked<'_> {
    fn workflow(&self, workflow: &Value, found: &mut Vec<Found>) {
        let jobs = workflow.get("jobs").and_then(Value::as_mapping);
        for (_, job) in jobs.into_iter().flatten() {
            let usual = folder(job).or_else(|| folder(workflow)).unwrap_or_default();
            found.extend(self.job(job, usual));
        }
    }

    /// Reads a job up to its first test.
    fn job(&self, job: &Value, usual: &str) -> Option<Found> {
        let mut done = Found {
            is_exact: false,
            builds: Vec::new(),
            is_certain: true,
        };
        for step in job.get("steps")?.as_sequence()? {
            let text = |key: &str| step.get(key).and_then(Value::as_str);
            let Some(run) = text("run") else { continue };
            let mut folder = inside("", text("working-directory").unwrap_or(usual));
            let commands: Vec<&str> = run
                .lines()
                .flat_map(|line| line.split("&&"))
                .map(str::trim)
                .filter(|command| !command.is_empty() && !command.starts_with('#'))
                .collect();
            let is_certain = step.get("if").is_none()
                && step.get("env").is_none()
                && commands.iter().all(|command| is_plain(command));
            for command in commands.into_iter().filter(|command| is_plain(command)) {
                if let Some(to) = command.strip_prefix("cd ") {
                    folder = inside(&folder, to.trim());
                } else if folder == self.root && self.command(command, is_certain, &mut done) {
                    return Some(done);
                }
            }
        }
        None
    }

    /// Takes one command in; returns whether it tests.
    fn command(&self, command: &str, is_certain: bool, done: &mut Found) -> bool {
        match self.script(command) {
            Some(name) if self.is_build(name, command) => {
                let command = command.to_owned();
                if !done.builds.contains(&command) {
                    done.builds.push(command);
                }
                done.is_certain &= is_certain;
                false
            }
            Some(name) if name.split([':', '-']).next() == Some("test") => {
                done.is_exact = name == "test";
                true
            }
            _ => is_runner(command),
        }
    }

    /// Returns the script of `package.json` that a command runs.
    fn script<'c>(&self, command: &'c str) -> Option<&'c str> {
        let mut words = command.split_ascii_whitespace();
        if words.next()? != self.program {
            return None;
        }
        let mut is_said = false;
        for word in words {
            match word {
                "run" | "run-script" => is_said = true,
                "workspaces" | "foreach" | "recursive" => {}
                _ if word.starts_with('-') => {}
                // `npm build` and `bun build` are no scripts.
                _ if is_said || word == "test" || matches!(self.program, "pnpm" | "yarn") => {
                    return Some(word);
                }
                _ => return None,
            }
        }
        None
    }

    /// Whether a script of that name builds, and is there.
    fn is_build(&self, name: &str, command: &str) -> bool {
        let first = name.split(':').next().unwrap_or_default();
        if !matches!(first, "build" | "compile" | "codegen" | "generate") {
            return false;
        }
        // Whose packages run it is theirs to say.
        let is_of_all = [
            " -r",
            " --recursive",
            " workspaces ",
            " --workspaces",
            " -ws",
        ]
        .iter()
        .any(|flag| command.contains(flag));
        let path = at(self.root, "package.json");
        let manifest = self.seen.sources.json(&path).and_then(Result::ok);
        let scripts = manifest
            .as_deref()
            .and_then(|manifest| manifest.get("scripts"));
        is_of_all || scripts.is_some_and(|scripts| scripts.get(name).is_some())
    }
}

/// Returns a folder as seen from another one; one that leads elsewhere is nobody's.
fn inside(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if parts.pop().is_none() {
                    return "..".to_owned();
                }
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Whether a command is one program with its arguments, which means the same in every shell and needs nothing of GitHub.
fn is_plain(command: &str) -> bool {
    let has_more = command.contains(|c: char| "$`|<>;&(){}\\#!".contains(c) || c.is_control());
    let is_closed = |quote: char| command.matches(quote).count().is_multiple_of(2);
    !has_more && is_closed('"') && is_closed('\'')
}

/// Whether a command runs a test runner by its name.
fn is_runner(command: &str) -> bool {
    let mut words = command.split_ascii_whitespace();
    words.any(|word| matches!(word, "vitest" | "jest" | "mocha" | "ava" | "tap" | "uvu"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup::tests::look;

    const MANIFEST: &str =
        r#"{"name": "a", "scripts": {"test": "vitest", "build": "tsc", "build:css": "x"}}"#;

    /// A workflow for pull requests whose jobs have these steps.
    fn workflow(jobs: &[&[&str]]) -> String {
        let mut text = "on: { pull_request: {} }\njobs:\n".to_owned();
        for (number, steps) in jobs.iter().enumerate() {
            text += &format!("  j{number}:\n    steps:\n      - uses: actions/checkout@v4\n");
            for step in *steps {
                text += &format!("      - {step}\n");
            }
        }
        text
    }

    #[track_caller]
    fn check(jobs: &[&[&str]], wanted: &Before) {
        let text = workflow(jobs);
        let files = [
            ("package.json", MANIFEST),
            (".github/workflows/ci.yml", text.as_str()),
        ];
        let found = look(&files, |seen| before(seen, "", "pnpm"));
        assert_eq!(found, *wanted, "{text}");
    }

    fn always(line: &str) -> Before {
        Before::Always(line.to_owned())
    }

    fn sometimes(line: &str) -> Before {
        Before::Sometimes(line.to_owned())
    }

    #[test]
    fn what_every_job_builds_before_it_tests_is_taken_over() {
        let tests = &["run: pnpm install", "run: pnpm build", "run: pnpm test"][..];
        let lint = &["run: pnpm lint"][..];
        check(&[lint, tests], &always("pnpm build"));
        let chain = "run: pnpm i && pnpm build && pnpm run build:css && pnpm run test";
        check(&[&[chain]], &always("pnpm build && pnpm run build:css"));
        let script = "run: \"pnpm run build\\n\\n# Tests\\npnpm test -- --run\"";
        check(&[&[script]], &always("pnpm run build"));
        check(
            &[&["run: pnpm -r build", "run: pnpm vitest"]],
            &always("pnpm -r build"),
        );
    }

    #[test]
    fn what_comes_after_the_tests_or_elsewhere_is_nothing_to_them() {
        check(&[&["run: pnpm test", "run: pnpm build"]], &Before::Nothing);
        check(
            &[&["run: pnpm build"], &["run: pnpm test"]],
            &Before::Nothing,
        );
        let other = "{ run: pnpm build, working-directory: docs }";
        check(&[&[other, "run: pnpm test"]], &Before::Nothing);
        check(
            &[&["run: cd docs && pnpm build", "run: pnpm test"]],
            &Before::Nothing,
        );
        let back = "run: cd docs && pnpm i && cd .. && pnpm build";
        check(&[&[back, "run: pnpm test"]], &always("pnpm build"));
        // No script of that name, and another manager's.
        check(
            &[&["run: pnpm compile", "run: pnpm test"]],
            &Before::Nothing,
        );
        check(
            &[&["run: npm run build", "run: pnpm test"]],
            &Before::Nothing,
        );
        check(
            &[&["run: pnpm build-docs", "run: pnpm test"]],
            &Before::Nothing,
        );
    }

    #[test]
    fn what_some_jobs_do_or_nobody_can_be_sure_of_is_said() {
        let tests = &["run: pnpm test"][..];
        let built = &["run: pnpm build", "run: pnpm test"][..];
        check(&[tests, built], &sometimes("pnpm build"));
        let held = &["{ if: matrix.x, run: pnpm build }", "run: pnpm test"][..];
        check(&[held], &sometimes("pnpm build"));
        let with = &["{ env: { A: b }, run: pnpm build }", "run: pnpm test"][..];
        check(&[with], &sometimes("pnpm build"));
        let script = "run: \"if [ $A ]; then\\n  pnpm build\\nfi\"";
        check(&[&[script, "run: pnpm test"]], &sometimes("pnpm build"));
        let matrix = "run: pnpm build --mode=${{ matrix.mode }}";
        check(&[&[matrix, "run: pnpm test"]], &Before::Nothing);
    }

    #[test]
    fn jobs_of_other_tests_do_not_count_beside_those_of_the_script() {
        let tests = &["run: pnpm test"][..];
        let browser = &["run: pnpm build", "run: pnpm test:e2e"][..];
        check(&[tests, browser], &Before::Nothing);
        check(&[browser], &always("pnpm build"));
    }

    #[test]
    fn workflows_that_no_change_starts_do_not_count() {
        let steps = "{ j: { steps: [{ run: pnpm build }, { run: pnpm test }] } }";
        for (on, wanted) in [
            ("release", Before::Nothing),
            ("[workflow_dispatch, schedule]", Before::Nothing),
            ("[push, workflow_call]", always("pnpm build")),
            (
                "{ pull_request: { branches: [main] } }",
                always("pnpm build"),
            ),
        ] {
            let text = format!("on: {on}\njobs: {steps}\n");
            let files = [
                ("package.json", MANIFEST),
                (".github/workflows/ci.yml", text.as_str()),
            ];
            let found = look(&files, |seen| before(seen, "", "pnpm"));
            assert_eq!(found, wanted, "{on}");
        }
    }

    #[test]
    fn a_folder_has_its_own_steps() {
        let text = "on: pull_request\ndefaults: { run: { working-directory: ./web } }\njobs: { j: { steps: [{ run: npm run build }, { run: npm test }] } }\n";
        let files = [
            ("web/package.json", MANIFEST),
            (".github/workflows/ci.yml", text),
        ];
        let of = |root: &str| look(&files, |seen| before(seen, root, "npm"));
        assert_eq!(of("web"), always("npm run build"));
        assert_eq!(of(""), Before::Nothing);
        // npm has no script without `run`, but for the tests.
        let bare = text.replace("npm run build", "npm build");
        let files = [
            ("web/package.json", MANIFEST),
            (".github/workflows/ci.yml", bare.as_str()),
        ];
        assert_eq!(
            look(&files, |seen| before(seen, "web", "npm")),
            Before::Nothing
        );
    }
}
