//! `ci-code`: a change to what CI or a developer's tools execute.

use serde::Deserialize;
use serde_json::Value;

use super::{About, Order};
use crate::json;
use crate::change::{Change, Kind};
use crate::policy::globs::Globs;
use crate::policy::paths::{folded, linked};
use crate::policy::subject::Subject;
use crate::policy::{Breach, Rule};

pub(super) const ABOUT: About = About {
    name: "ci-code",
    what: "a change to what CI or developers' tools execute by themselves",
    fix: "leave it out of the change, or let somebody who knows the build review it",
    keys: &[("also", Order::Grows), ("except", Order::Shrinks)],
};

/// `ci-code`
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct CiCode {
    /// Globs of what is executed here beside what the rule knows.
    #[serde(default)]
    also: Globs,
    /// Globs of what is not executed all the same.
    #[serde(default)]
    except: Globs,
}

/// Folders all of whose files count, wherever they lie.
const FOLDERS: [&str; 16] = [
    ".github/workflows",
    ".github/actions",
    ".gitlab",
    ".circleci",
    ".buildkite",
    ".woodpecker",
    ".azure-pipelines",
    ".devcontainer",
    ".githooks",
    ".git-hooks",
    ".husky",
    ".lefthook",
    ".cargo",
    ".mvn",
    "gradle/wrapper",
    ".yarn",
];

/// Names of files that count, wherever they lie.
const NAMES: [&str; 86] = [
    ".appveyor.yml", ".bazelrc", ".cirrus.yml", ".drone.yml", ".envrc", ".gitlab-ci.yml", ".lefthook.yml", ".npmrc", ".overcommit.yml",
    ".pnpmfile.cjs", ".pnpmfile.mjs", ".pnp.cjs", ".pre-commit-config.yaml", ".pre-commit-hooks.yaml", ".pypirc", ".rspec", ".travis.yml",
    ".woodpecker.yml", ".woodpecker.yaml", ".yarnrc", ".yarnrc.yml", "action.yaml", "action.yml", "appveyor.yml", "azure-pipelines.yml",
    "bitbucket-pipelines.yml", "build", "build.bazel", "build.gradle", "build.gradle.kts", "build.rs", "build.sh", "build.xml", "build.zig",
    "cloudbuild.yaml", "cmakelists.txt", "codefresh.yml", "compose.yaml", "compose.yml", "configure", "configure.ac", "conftest.py",
    "devcontainer.json", "docker-bake.hcl", "docker-compose.yaml", "docker-compose.yml", "earthfile", "flake.nix", "gemfile",
    "gnumakefile", "gradlew", "gradlew.bat", "gruntfile.js", "gulpfile.js", "jenkinsfile", "justfile", "lefthook.yaml",
    "lefthook.yml", "lefthook.toml", "magefile.go", "makefile", "makefile.am", "makefile.in", "meson.build", "mise.toml", "module.bazel", "mvnw", "mvnw.cmd", "noxfile.py",
    "pytest.ini", "rakefile", "rust-toolchain", "rust-toolchain.toml", "settings.gradle", "settings.gradle.kts", "setup.cfg", "setup.py",
    "sitecustomize.py", "snapcraft.yaml", "taskfile.yaml", "taskfile.yml", "tox.ini", "usercustomize.py", "vagrantfile", "workspace", "workspace.bazel",
];

/// Names that begin or end so count too.
const STARTS: [&str; 3] = ["dockerfile", "containerfile", "docker-compose."];
/// What is written about them begins so too, and is read by people only.
const PROSE: [&str; 4] = [".adoc", ".md", ".rst", ".txt"];
/// Source code that is about them: `dockerfile_test.go`. `Dockerfile.go` is one for Go.
const SOURCES: [&str; 13] = [".c", ".cc", ".cpp", ".cs", ".go", ".h", ".java", ".js", ".kt", ".py", ".rb", ".rs", ".ts"];
const ENDS: [&str; 12] = [
    ".bzl", ".cmake", ".csproj", ".dockerfile", ".gemspec", ".mk", ".pth", ".props", ".targets", ".vcxproj", ".fsproj", ".just",
];

/// Settings of JavaScript tools that are programs: `vite.config.ts`, `.eslintrc.cjs`.
const PROGRAMS: [&str; 6] = [".js", ".cjs", ".mjs", ".ts", ".cts", ".mts"];

/// Parts of manifests that are run.
const PARTS: [(&str, &[&str]); 6] = [
    (
        "package.json",
        &[
            "scripts", "packageManager", "gypfile", "husky", "lint-staged", "simple-git-hooks", "pre-commit", "trustedDependencies", "pnpm", "jest",
            "mocha", "ava", "nyc", "babel", "eslintConfig", "prettier", "wireit", "nx",
        ],
    ),
    ("composer.json", &["scripts", "config"]),
    ("deno.json", &["tasks"]),
    ("deno.jsonc", &["tasks"]),
    (
        "pyproject.toml",
        &[
            "build-system", "tool.pytest", "tool.setuptools", "tool.hatch", "tool.pdm", "tool.poetry.build", "tool.poe", "tool.taskipy", "tool.tox", "tool.cibuildwheel",
            "tool.maturin", "tool.scikit-build",
        ],
    ),
    ("cargo.toml", &["package.build", "package.links", "lib.proc-macro", "package.default-run"]),
];

/// Returns why a path counts.
fn known(path: &str) -> Option<String> {
    let path = folded(path);
    let name = path.rsplit('/').next().unwrap_or_default();
    let is_in = |folder: &&&str| {
        let mut rest = path.as_str();
        loop {
            match rest.strip_prefix(**folder) {
                Some(below) if below.is_empty() || below.starts_with('/') => return true,
                _ => {}
            }
            match rest.split_once('/') {
                Some((_, below)) => rest = below,
                None => return false,
            }
        }
    };
    if let Some(folder) = FOLDERS.iter().find(is_in) {
        return Some(format!("{folder}/"));
    }
    let is_tasks = name == "tasks.json" && path.ends_with(".vscode/tasks.json");
    let is_named = NAMES.contains(&name) || STARTS.iter().any(|start| begins(name, start)) || ENDS.iter().any(|end| name.ends_with(end));
    let stem = PROGRAMS.iter().find_map(|end| name.strip_suffix(end));
    let is_program = stem.is_some_and(|stem| stem.ends_with(".config") || stem.starts_with('.') && stem.ends_with("rc"));
    (is_named || is_tasks || is_program).then(|| name.to_owned())
}

/// Whether a name begins so, and is not that of a text or of source code about it.
fn begins(name: &str, start: &str) -> bool {
    let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
    name.strip_prefix(start).is_some_and(|rest| !ends(&PROSE) && (rest.starts_with('.') || start.ends_with('.') || !ends(&SOURCES)))
}

/// Returns the part of a manifest that is run and was changed.
fn part(change: &Change, subject: &Subject<'_>) -> Option<String> {
    let path = folded(&change.path);
    let name = path.rsplit('/').next().unwrap_or_default();
    let (_, keys) = PARTS.iter().find(|(known, _)| *known == name)?;
    let (old, new) = match subject.lines_of(&change.path) {
        Some(lines) => (lines.old, lines.new),
        None => (None, None),
    };
    if old.is_none() && new.is_none() {
        // Nobody knows what stands in it.
        return Some(name.to_owned());
    }
    let is_json = matches!(name, "package.json" | "composer.json" | "deno.json" | "deno.jsonc");
    let document = |bytes: Option<&[u8]>| match bytes {
        None => Some(Value::Null),
        Some(bytes) if is_json => json::read(bytes).ok(),
        Some(bytes) => toml::from_str(std::str::from_utf8(bytes).ok()?).ok(),
    };
    let (Some(old), Some(new)) = (document(old), document(new)) else {
        return Some(name.to_owned());
    };
    let at = |document: &Value, key: &str| {
        let mut value = Some(document);
        for step in key.split('.') {
            value = value.and_then(|value| value.get(step));
        }
        value.cloned()
    };
    let changed = keys.iter().find(|key| at(&old, key) != at(&new, key))?;
    Some(format!("{changed} of {name}"))
}

impl Rule for CiCode {
    fn check(&self, subject: &Subject<'_>, breaches: &mut Vec<Breach>) {
        for change in subject.changes {
            if self.except.excepts(change) {
                continue;
            }
            let target = subject.link_of(change).and_then(|target| linked(&change.path, &target));
            let found = known(&change.path)
                .or_else(|| stands_for(change))
                .or_else(|| self.also.touching(change).map(str::to_owned))
                .or_else(|| target.as_deref().and_then(known))
                .or_else(|| part(change, subject));
            if let Some(what) = found {
                breaches.push(Breach::new(
                    subject.place(&change.path),
                    "CI or developers' tools execute it by themselves",
                    format!("{} {}", change.status().name(), change.path),
                    format!("no change of {what}"),
                ));
            }
        }
    }
}

/// A link or submodule in the place of a folder above one that counts.
fn stands_for(change: &Change) -> Option<String> {
    let sides = [&change.old, &change.new];
    let is_file = sides.into_iter().flatten().all(|entry| entry.kind() == Kind::File);
    if is_file {
        return None;
    }
    let folder = format!("{}/", folded(&change.path));
    FOLDERS.iter().find(|known| known.starts_with(&folder)).map(|known| format!("{known}/"))
}

#[cfg(test)]
mod tests;
