//! npm, pnpm, Yarn and Bun: what installs, and which script tests.

use std::collections::BTreeSet;

use serde_json::Value;

use super::node_builds::{Before, before};
use super::node_tests::{Reporting, reporting};
use super::{at, name, roots, selectors, within};
use crate::plan::graph::Kind;
use crate::setup::{Job, Proposal, Seen, Tool};

/// A package manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manager {
    Npm,
    Pnpm,
    YarnClassic,
    Yarn,
    Bun,
}

impl Manager {
    fn word(self) -> &'static str {
        match self {
            Self::Npm => "npm",
            Self::Pnpm => "pnpm",
            Self::YarnClassic | Self::Yarn => "Yarn",
            Self::Bun => "Bun",
        }
    }

    fn program(self) -> &'static str {
        match self {
            Self::Npm => "npm",
            Self::Pnpm => "pnpm",
            Self::YarnClassic | Self::Yarn => "yarn",
            Self::Bun => "bun",
        }
    }

    fn tools(self) -> BTreeSet<Tool> {
        match self {
            Self::Pnpm => BTreeSet::from([Tool::Pnpm, Tool::Node]),
            Self::Bun => BTreeSet::from([Tool::Bun, Tool::Node]),
            Self::Npm | Self::YarnClassic | Self::Yarn => BTreeSet::from([Tool::Node]),
        }
    }

    /// Returns what installs exactly what the lock file says.
    fn install(self, has_lock: bool) -> &'static str {
        match self {
            Self::Npm if has_lock => "npm ci",
            Self::Npm => "npm install --no-package-lock",
            Self::Pnpm => "pnpm install --frozen-lockfile",
            Self::YarnClassic => "yarn install --frozen-lockfile",
            // Yarn comes with Node by way of Corepack, in the version that package.json names.
            Self::Yarn => "corepack enable && yarn install --immutable",
            Self::Bun => "bun install --frozen-lockfile",
        }
    }

    /// Returns what runs the script `test`, with arguments for it.
    fn test(self, arguments: &str) -> String {
        let (command, separator) = match self {
            Self::Npm => ("npm test", " -- "),
            Self::Pnpm => ("pnpm test", " "),
            Self::YarnClassic | Self::Yarn => ("yarn test", " "),
            Self::Bun => ("bun run test", " "),
        };
        with_arguments(command, separator, arguments)
    }

    /// Returns what runs the script `test` of every package that has one.
    fn test_all(self, arguments: &str) -> String {
        match self {
            Self::Npm => with_arguments("npm test --workspaces --if-present", " -- ", arguments),
            Self::Pnpm => with_arguments("pnpm -r test", " ", arguments),
            Self::YarnClassic => with_arguments("yarn workspaces run test", " ", arguments),
            Self::Yarn => with_arguments("yarn workspaces foreach --all run test", " ", arguments),
            Self::Bun => with_arguments("bun run --filter '*' test", " ", arguments),
        }
    }
}

/// Returns what installs the packages at the top, and what runs a program of theirs.
pub(super) fn at_top(seen: Seen<'_>) -> (&'static str, &'static str) {
    let (manager, has_lock) = manager(seen, "");
    let runner = match manager {
        Manager::Npm => "npx",
        Manager::Pnpm => "pnpm exec",
        Manager::YarnClassic | Manager::Yarn => "yarn",
        Manager::Bun => "bunx",
    };
    (manager.install(has_lock), runner)
}

/// Returns what a runner needs for that.
pub(super) fn tools_at_top(seen: Seen<'_>) -> BTreeSet<Tool> {
    manager(seen, "").0.tools()
}

fn with_arguments(command: &str, separator: &str, arguments: &str) -> String {
    if arguments.is_empty() {
        command.to_owned()
    } else {
        format!("{command}{separator}{arguments}")
    }
}

pub(super) fn propose(seen: Seen<'_>, proposal: &mut Proposal) {
    let mut roots = roots(seen, Kind::Npm);
    // A package without a name is nobody's project.
    let has_nameless = seen.sources.has("package.json") && !roots.iter().any(String::is_empty);
    if has_nameless {
        roots.insert(0, String::new());
    }
    let is_only = roots.len() == 1;
    for root in &roots {
        let is_nameless = has_nameless && root.is_empty();
        let (manager, has_lock) = manager(seen, root);
        let place = if root.is_empty() { "." } else { root };
        let Some((command, reporting)) = tests(seen, root, manager) else {
            // A package without tests beside others is nothing to tell.
            if is_only || root.is_empty() {
                proposal.notice(
                    "no-test-script",
                    at(root, "package.json"),
                    "there is no script `test`: no job was written for it",
                );
            }
            continue;
        };
        let install = manager.install(has_lock);
        let (run, hint) = match before(seen, root, manager.program()) {
            // A script that builds by itself is left alone.
            Before::Always(line) if !builds_itself(seen, root) => (
                format!("{install} && {line} && {command}"),
                Some("It builds before it tests, as the repository's own CI does.".to_owned()),
            ),
            Before::Sometimes(line) => (
                format!("{install} && {command}"),
                Some(format!(
                    "Some jobs of CI run `{line}` before they test: put it before the tests if they need it."
                )),
            ),
            _ => (format!("{install} && {command}"), None),
        };
        let mut job = Job {
            name: name("node", root, is_only),
            projects: if is_nameless {
                Vec::new()
            } else {
                selectors(seen, Kind::Npm, root, is_only)
            },
            run: Some(within(root, &run)),
            junit: reporting.report.map(|path| at(root, &path)),
            tools: manager.tools(),
            ..Job::default()
        };
        job.comments.extend(hint);
        job.comments.extend(reporting.comment);
        if is_nameless {
            job.comments.push(
                "package.json has no `name`, so that nobody knows what is its own: this job always runs.".to_owned(),
            );
        }
        proposal
            .found
            .push(format!("Node.js in `{place}`, with {}", manager.word()));
        proposal.add(job);
    }
}

/// Returns what installs the packages of a folder, and whether there is a lock file.
fn manager(seen: Seen<'_>, root: &str) -> (Manager, bool) {
    let has = |name: &str| seen.sources.has(&at(root, name));
    let declared = manifest(seen, root)
        .and_then(|value| Some(value.get("packageManager")?.as_str()?.to_owned()))
        .unwrap_or_default();
    let is_classic =
        declared.starts_with("yarn@1.") || (!declared.starts_with("yarn@") && !has(".yarnrc.yml"));
    let yarn = if is_classic {
        Manager::YarnClassic
    } else {
        Manager::Yarn
    };
    let locks = [
        ("pnpm-lock.yaml", Manager::Pnpm),
        ("yarn.lock", yarn),
        ("bun.lock", Manager::Bun),
        ("bun.lockb", Manager::Bun),
        ("package-lock.json", Manager::Npm),
        ("npm-shrinkwrap.json", Manager::Npm),
    ];
    if let Some((_, manager)) = locks.into_iter().find(|(file, _)| has(file)) {
        return (manager, true);
    }
    let manager = match declared.split('@').next().unwrap_or_default() {
        "pnpm" => Manager::Pnpm,
        "yarn" => yarn,
        "bun" => Manager::Bun,
        _ => Manager::Npm,
    };
    (manager, false)
}

fn manifest(seen: Seen<'_>, folder: &str) -> Option<Value> {
    let parsed = seen.sources.json(&at(folder, "package.json"))?;
    parsed.ok().map(|value| (*value).clone())
}

/// Returns the script `test` of a package, unless it is the one that `npm init` leaves.
fn script(seen: Seen<'_>, folder: &str) -> Option<String> {
    let manifest = manifest(seen, folder)?;
    let script = manifest.get("scripts")?.get("test")?.as_str()?;
    (!script.contains("no test specified")).then(|| script.to_owned())
}

/// Whether the script `test` of a package, or what comes before it, builds.
fn builds_itself(seen: Seen<'_>, folder: &str) -> bool {
    let manifest = manifest(seen, folder);
    let scripts = manifest.as_ref().and_then(|value| value.get("scripts"));
    ["test", "pretest"].iter().any(|name| {
        let script = scripts.and_then(|scripts| scripts.get(name)?.as_str());
        let mut words = script.unwrap_or_default().split_ascii_whitespace();
        words.any(|word| word == "build" || word.starts_with("build:"))
    })
}

/// Returns the command that tests a root, and what is known of its report.
fn tests(seen: Seen<'_>, root: &str, manager: Manager) -> Option<(String, Reporting)> {
    if let Some(script) = script(seen, root) {
        let reporting = reporting(&script, manager != Manager::Bun);
        let command = manager.test(&reporting.arguments);
        let command = match reporting.variable {
            Some(variable) => format!("{variable} {command}"),
            None => command,
        };
        return Some((command, reporting));
    }
    let members: Vec<String> = seen
        .graph
        .members_of(Kind::Npm, root)
        .filter_map(|(_, project)| script(seen, &project.dir))
        .collect();
    let first = reporting(members.first()?, manager != Manager::Bun);
    // Arguments go to every package's script, so that all of them have to understand them.
    let is_same = members
        .iter()
        .all(|script| reporting(script, true).arguments == first.arguments);
    let mut shared = if is_same && first.variable.is_none() {
        first
    } else {
        Reporting::none(
            "Packages are tested in different ways: add the options for a JUnit report to their scripts, and `junit:` here.",
        )
    };
    shared.report = shared.report.map(|path| format!("**/{path}"));
    Some((manager.test_all(&shared.arguments), shared))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{jobs, notices};
    use super::*;
    use crate::setup::tests::look;

    #[track_caller]
    fn check(files: &[(&str, &str)], wanted: &str) {
        assert_eq!(jobs(files), [wanted]);
    }

    const PLAIN: (&str, &str) = (
        "package.json",
        r#"{"name": "a", "scripts": {"test": "tap"}}"#,
    );

    #[test]
    fn the_lock_file_says_who_installs() {
        check(
            &[PLAIN, ("package-lock.json", "{}")],
            "node: npm ci && npm test -> -",
        );
        check(
            &[PLAIN, ("pnpm-lock.yaml", "")],
            "node: pnpm install --frozen-lockfile && pnpm test -> -",
        );
        check(
            &[PLAIN, ("yarn.lock", "")],
            "node: yarn install --frozen-lockfile && yarn test -> -",
        );
        check(
            &[PLAIN, ("yarn.lock", ""), (".yarnrc.yml", "")],
            "node: corepack enable && yarn install --immutable && yarn test -> -",
        );
        check(
            &[PLAIN, ("bun.lock", "")],
            "node: bun install --frozen-lockfile && bun run test -> -",
        );
        check(
            &[PLAIN],
            "node: npm install --no-package-lock && npm test -> -",
        );
    }

    #[test]
    fn a_runner_that_can_report_is_told_to() {
        let vitest = (
            "package.json",
            r#"{"name": "a", "scripts": {"test": "vitest run"}}"#,
        );
        check(
            &[vitest, ("package-lock.json", "{}")],
            "node: npm ci && npm test -- --reporter=default --reporter=junit --outputFile.junit=junit.xml -> junit.xml",
        );
    }

    #[test]
    fn what_ci_builds_first_is_built_first() {
        let ci = |steps: &str| format!("on: pull_request\njobs: {{ a: {{ steps: [{steps}] }} }}\n");
        let built = ci("{ run: pnpm build }, { run: pnpm test }");
        let manifest = r#"{"name": "a", "scripts": {"test": "tap", "build": "tsc"}}"#;
        let lock = ("pnpm-lock.yaml", "");
        let place = ".github/workflows/ci.yml";
        check(
            &[("package.json", manifest), lock, (place, &built)],
            "node: pnpm install --frozen-lockfile && pnpm build && pnpm test -> -",
        );
        let alone =
            r#"{"name": "a", "scripts": {"test": "pnpm run build && tap", "build": "tsc"}}"#;
        check(
            &[("package.json", alone), lock, (place, &built)],
            "node: pnpm install --frozen-lockfile && pnpm test -> -",
        );
        let some = built.replace("{ run: pnpm build }", "{ if: matrix.a, run: pnpm build }");
        let files = [("package.json", manifest), lock, (place, some.as_str())];
        check(
            &files,
            "node: pnpm install --frozen-lockfile && pnpm test -> -",
        );
        let comments = look(&files, |seen| {
            let mut proposal = Proposal::default();
            propose(seen, &mut proposal);
            proposal.jobs[0].comments.join(" ")
        });
        assert!(comments.contains("`pnpm build`"), "{comments}");
    }

    #[test]
    fn packages_of_a_workspace_are_tested_together() {
        let files = [
            ("package.json", r#"{"name": "root", "private": true}"#),
            ("pnpm-workspace.yaml", "packages: [\"packages/*\"]"),
            ("pnpm-lock.yaml", ""),
            (
                "packages/a/package.json",
                r#"{"name": "a", "scripts": {"test": "vitest"}}"#,
            ),
            (
                "packages/b/package.json",
                r#"{"name": "b", "scripts": {"test": "vitest run"}}"#,
            ),
        ];
        check(
            &files,
            "node: pnpm install --frozen-lockfile && pnpm -r test --reporter=default --reporter=junit --outputFile.junit=junit.xml -> **/junit.xml",
        );
    }

    #[test]
    fn packages_that_are_tested_in_different_ways_get_no_arguments() {
        let files = [
            (
                "package.json",
                r#"{"name": "root", "workspaces": ["packages/*"]}"#,
            ),
            ("package-lock.json", "{}"),
            (
                "packages/a/package.json",
                r#"{"name": "a", "scripts": {"test": "vitest"}}"#,
            ),
            (
                "packages/b/package.json",
                r#"{"name": "b", "scripts": {"test": "jest"}}"#,
            ),
        ];
        check(
            &files,
            "node: npm ci && npm test --workspaces --if-present -> -",
        );
    }

    #[test]
    fn a_package_without_a_name_is_tested_always() {
        let files = [("package.json", r#"{"scripts": {"test": "tap"}}"#)];
        let projects = look(&files, |seen| {
            let mut proposal = Proposal::default();
            propose(seen, &mut proposal);
            proposal.jobs[0].projects.clone()
        });
        assert!(projects.is_empty());
    }

    #[test]
    fn the_script_that_npm_init_leaves_is_no_test() {
        let empty = (
            "package.json",
            r#"{"name": "a", "scripts": {"test": "echo \"Error: no test specified\" && exit 1"}}"#,
        );
        assert_eq!(notices(&[empty]), ["no-test-script", "no-job"]);
    }
}
