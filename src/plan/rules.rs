//! What a path says by itself: run everything, nothing, or ask the graph.
//!
//! Order: what plans are made by, what the repository's own rules name, what CI and toolchains are made of. A rule about one path never
//! looks at another, so that more changes can only affect more.

use super::graph::patterns::Patterns;
use super::sources::{file_name, folder_of};

/// The rules of a repository.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    /// The folder of the configuration, from the top.
    pub(crate) config_dir: String,
    /// What runs everything.
    pub(crate) run_all_on: Patterns,
    /// What affects nothing.
    pub(crate) ignore: Patterns,
    /// The paths of jobs, by job.
    pub(crate) jobs: Vec<(String, Patterns)>,
}

/// What a path means before any graph is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Everything runs: the reason's code, and words.
    All(&'static str, String),
    /// Everything below the folder is built otherwise; the top, `""`, is everything.
    Toolchain(String),
    /// A rule says that it affects nothing.
    Ignored(String),
    /// Whoever it belongs to.
    Ask,
}

pub(crate) const PLANNER_CONFIG: &str = "planner-config";
pub(crate) const CI_CONFIG: &str = "ci-config";
pub(crate) const RUN_ALL_ON: &str = "run-all-on";

/// Folders and files at the top that CI itself is made of.
const CI: &[&str] = &[
    ".github/workflows",
    ".github/actions",
    "action.yml",
    "action.yaml",
    ".gitlab-ci.yml",
    ".circleci",
    ".buildkite",
    ".travis.yml",
    "azure-pipelines.yml",
    "Jenkinsfile",
];

/// Names of files that choose compilers, interpreters, package managers and their settings, for all below their folder.
const TOOLCHAINS: &[&str] = &[
    ".gitattributes",
    ".gitmodules",
    ".go-version",
    ".mise.toml",
    ".node-version",
    ".npmrc",
    ".nvmrc",
    ".pnpmfile.cjs",
    ".pnpmfile.mjs",
    ".python-version",
    ".tool-versions",
    ".yarnrc",
    ".yarnrc.yml",
    "bunfig.toml",
    "devenv.nix",
    "flake.lock",
    "flake.nix",
    "mise.toml",
    "rust-toolchain",
    "rust-toolchain.toml",
    "shell.nix",
];

/// Files for people that lie in no project: nothing is built from them, unless something is seen to read them.
const FOR_PEOPLE: &[&str] = &[
    "**/*.md",
    ".git-blame-ignore-revs",
    ".github/CODEOWNERS",
    ".github/FUNDING.yml",
    ".github/ISSUE_TEMPLATE/**",
    ".github/dependabot.yml",
    ".github/dependabot.yaml",
    ".github/renovate.json",
    ".github/renovate.json5",
    ".mailmap",
    "AUTHORS*",
    "CITATION.cff",
    "CODEOWNERS",
    "COPYING*",
    "LICENCE*",
    "LICENSE*",
    "NOTICE*",
    "renovate.json",
    "renovate.json5",
];

/// Whether a path in the folder of the configuration is one of maestro's own, beside the configuration itself.
fn is_own(path: &str) -> bool {
    let folder = path.split_once('/').map(|(folder, _)| folder);
    match folder {
        Some(folder) => matches!(
            folder,
            "changes" | "events" | "inbox" | "packs" | "prompts" | "provenance" | "runs"
        ),
        None => matches!(
            path,
            "policy.yaml"
                | "ci_budget.json"
                | "quarantine.json"
                | "retention.json"
                | "init.json"
                | "baseline.json"
                | "prices.json"
        ),
    }
}

impl Rules {
    /// Returns the rules of a repository without any of its own.
    pub(crate) fn none(config_dir: &str) -> Self {
        let empty = || {
            Patterns::new::<&str>([]).unwrap_or_else(|_| unreachable!("no glob is no broken glob"))
        };
        Self {
            config_dir: config_dir.to_owned(),
            run_all_on: empty(),
            ignore: empty(),
            jobs: Vec::new(),
        }
    }

    pub(crate) fn meaning(&self, path: &str) -> Meaning {
        if let Some(rest) = path
            .strip_prefix(&self.config_dir)
            .and_then(|rest| rest.strip_prefix('/'))
        {
            return match rest {
                "maestro.yaml" => Meaning::All(PLANNER_CONFIG, "plans are made by it".to_owned()),
                rest if is_own(rest) => Meaning::Ignored("maestro's own folder".to_owned()),
                // The test tool for mobile apps keeps its flows in a folder of the same name.
                _ => Meaning::Ask,
            };
        }
        if let Some(glob) = self.run_all_on.matched(path) {
            return Meaning::All(RUN_ALL_ON, format!("`run_all_on` has `{glob}`"));
        }
        let is_ci = CI.iter().any(|ci| super::sources::is_within(path, ci));
        if is_ci && self.ignore.matched(path).is_none() {
            return Meaning::All(CI_CONFIG, "CI itself is made of it".to_owned());
        }
        if let Some(glob) = self.ignore.matched(path) {
            return Meaning::Ignored(format!("`ignore` has `{glob}`"));
        }
        if let Some(folder) = toolchain(path) {
            return Meaning::Toolchain(folder.to_owned());
        }
        Meaning::Ask
    }

    /// Returns the jobs whose own paths may take in something inside a folder, with a glob.
    pub(crate) fn jobs_inside<'r>(&'r self, folder: &str) -> Vec<(&'r str, &'r str)> {
        let jobs = self.jobs.iter();
        jobs.filter_map(|(job, patterns)| Some((job.as_str(), patterns.may_match_in(folder)?)))
            .collect()
    }

    /// Returns the jobs whose own paths take a path in, with the glob.
    pub(crate) fn jobs_of(&self, path: &str) -> Vec<(&str, &str)> {
        let jobs = self.jobs.iter();
        jobs.filter_map(|(job, patterns)| Some((job.as_str(), patterns.matched(path)?)))
            .collect()
    }
}

/// Returns the folder that a toolchain file is about.
fn toolchain(path: &str) -> Option<&str> {
    let folder = folder_of(path);
    let name = file_name(path);
    if TOOLCHAINS.contains(&name) {
        return Some(folder);
    }
    let is_cargo = matches!(name, "config" | "config.toml") && file_name(folder) == ".cargo";
    is_cargo.then(|| folder_of(folder))
}

/// Decides whether a file that belongs to nobody is there for people only.
pub(crate) struct ForPeople(Patterns);

impl Default for ForPeople {
    fn default() -> Self {
        Self(Patterns::new(FOR_PEOPLE).unwrap_or_else(|_| unreachable!("our own globs are globs")))
    }
}

impl ForPeople {
    pub(crate) fn matched(&self, path: &str) -> Option<&str> {
        self.0.matched(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, expected: &str) {
        let mut rules = Rules::none(".maestro");
        rules.run_all_on = Patterns::new(["deny.toml"]).unwrap();
        rules.ignore = Patterns::new(["**/*.snap", ".github/workflows/stale.yml"]).unwrap();
        let shown = match rules.meaning(path) {
            Meaning::All(code, _) => format!("all {code}"),
            Meaning::Toolchain(folder) => format!("toolchain of `{folder}`"),
            Meaning::Ignored(_) => "ignored".to_owned(),
            Meaning::Ask => "ask".to_owned(),
        };
        assert_eq!(shown, expected, "{path}");
    }

    #[test]
    fn a_path_says_what_it_is() {
        check(".maestro/maestro.yaml", "all planner-config");
        check(".maestro/quarantine.json", "ignored");
        check("deny.toml", "all run-all-on");
        check("a/deny.toml", "ask");
        check(".github/workflows/ci.yml", "all ci-config");
        check(".github/workflows/stale.yml", "ignored");
        check(".github/ISSUE_TEMPLATE/bug.yml", "ask");
        check("a/b.snap", "ignored");
        check("rust-toolchain.toml", "toolchain of ``");
        check("a/.cargo/config.toml", "toolchain of `a`");
        check("a/.nvmrc", "toolchain of `a`");
        check("a/config.toml", "ask");
    }

    #[test]
    fn files_for_people_are_known() {
        let people = ForPeople::default();
        for path in [
            "README.md",
            "docs/a.md",
            "LICENSE-MIT",
            ".github/CODEOWNERS",
        ] {
            assert!(people.matched(path).is_some(), "{path}");
        }
        for path in [
            "Makefile",
            "requirements.txt",
            "docs/conf.py",
            ".github/labeler.yml",
        ] {
            assert!(people.matched(path).is_none(), "{path}");
        }
    }
}
