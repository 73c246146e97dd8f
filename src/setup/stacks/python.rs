//! Python: uv, Poetry, or pip.

use std::collections::BTreeSet;

use super::python_sessions::session;
use super::python_tests::{Runner, Where, runner, where_pytest_is};
use super::{at, is_for_show, name, quoted, roots, selectors, within};
use crate::plan::graph::Kind;
use crate::plan::sources::{file_name, folder_of, is_within};
use crate::setup::{Job, Proposal, Seen, Tool};

/// What installs a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manager {
    Uv,
    Poetry,
    Pip,
}

pub(super) fn propose(seen: Seen<'_>, proposal: &mut Proposal) {
    let mut roots = roots(seen, Kind::Python);
    let manifests = roots.len();
    // Projects of an older kind have no `pyproject.toml`, and no place in the graph: their jobs go by paths.
    for folder in older(seen) {
        if !roots.iter().any(|root| is_within(&folder, root)) {
            roots.push(folder);
        }
    }
    let is_only = roots.len() == 1;
    for (number, root) in roots.iter().enumerate() {
        let is_project = number < manifests;
        let place = if root.is_empty() { "." } else { root };
        let Some(runner) = runner(seen, root, &roots) else {
            if is_only || root.is_empty() {
                proposal.notice(
                    "no-python-tests",
                    place,
                    "neither pytest nor a folder of tests was found: no job was written for it",
                );
            }
            continue;
        };
        let (run, tools, with) = command(seen, root, is_project, &runner);
        let mut job = Job {
            name: name("python", root, is_only),
            run: Some(within(root, &run)),
            tools,
            ..Job::default()
        };
        if is_project {
            job.projects = selectors(seen, Kind::Python, root, is_only);
        } else {
            job.paths = vec![at(root, "**")];
            job.comments.push(
                "There is no pyproject.toml that says what belongs to it: narrow the paths."
                    .to_owned(),
            );
        }
        match runner {
            Runner::Pytest => job.junit = Some(at(root, "pytest.xml")),
            Runner::Unittest(_) => job.comments.push(
                "For test reports: pytest runs these tests as they are; then `pytest --junitxml=pytest.xml`, and junit: pytest.xml".to_owned(),
            ),
        }
        proposal
            .found
            .push(format!("Python in `{place}`, with {with}"));
        proposal.add(job);
    }
}

/// Returns the command of a job, what it needs, and what it is called.
fn command(
    seen: Seen<'_>,
    root: &str,
    is_project: bool,
    runner: &Runner,
) -> (String, BTreeSet<Tool>, &'static str) {
    let needs = where_pytest_is(seen, root);
    if *runner == Runner::Pytest
        && needs == Where::Nowhere
        && let Some(session) = session(seen, root)
    {
        return (
            session.run(),
            BTreeSet::from([Tool::Python]),
            session.word(),
        );
    }
    let manager = manager(seen, root);
    let is_pytest = *runner == Runner::Pytest;
    let (install, prefix) = install(seen, root, manager, (is_project, is_pytest), &needs);
    let command = match runner {
        Runner::Pytest => "pytest --junitxml=pytest.xml".to_owned(),
        Runner::Unittest(options) => format!("python -m unittest discover{options}"),
    };
    let run = match install {
        Some(install) => format!("{install} && {prefix}{command}"),
        None => format!("{prefix}{command}"),
    };
    (run, tools(manager), word(manager))
}

fn word(manager: Manager) -> &'static str {
    match manager {
        Manager::Uv => "uv",
        Manager::Poetry => "Poetry",
        Manager::Pip => "pip",
    }
}

fn tools(manager: Manager) -> BTreeSet<Tool> {
    match manager {
        Manager::Uv => BTreeSet::from([Tool::Uv]),
        Manager::Poetry => BTreeSet::from([Tool::Python, Tool::Poetry]),
        Manager::Pip => BTreeSet::from([Tool::Python]),
    }
}

/// Returns folders with a project that only `setup.py`, `setup.cfg` or lists of requirements describe.
fn older(seen: Seen<'_>) -> Vec<String> {
    let paths = seen.sources.tree.iter().map(|(path, _)| path);
    let marks = paths.filter(|path| {
        let name = file_name(path);
        matches!(name, "setup.py" | "setup.cfg" | "requirements.txt")
    });
    let folders: BTreeSet<String> = marks
        .map(folder_of)
        .filter(|folder| !is_for_show(folder) && folder.matches('/').count() < 2)
        .filter(|folder| !seen.sources.has(&at(folder, "pyproject.toml")))
        .map(str::to_owned)
        .collect();
    // A folder inside another one is the outer one's.
    let outer = folders.iter().filter(|folder| {
        let around = |other: &&String| other != folder && is_within(folder, other);
        !folders.iter().any(|other| around(&other))
    });
    outer.cloned().collect()
}

fn manager(seen: Seen<'_>, root: &str) -> Manager {
    let has = |name: &str| seen.sources.has(&at(root, name));
    let manifest = seen.sources.toml(&at(root, "pyproject.toml"));
    let tool = |name: &str| {
        let table = manifest.as_ref().and_then(|parsed| parsed.as_ref().ok());
        table.is_some_and(|table| table.get("tool").and_then(|tool| tool.get(name)).is_some())
    };
    if has("uv.lock") {
        Manager::Uv
    } else if has("poetry.lock") || tool("poetry") {
        Manager::Poetry
    } else if tool("uv") {
        Manager::Uv
    } else {
        Manager::Pip
    }
}

/// Returns what installs a project with its tests' needs, and what stands before the command.
fn install(
    seen: Seen<'_>,
    root: &str,
    manager: Manager,
    (is_project, is_pytest): (bool, bool),
    needs: &Where,
) -> (Option<String>, &'static str) {
    // What the manager's own files do not ask for is put in beside them.
    let beside = match needs {
        Where::Requirements(file) => format!(" -r {}", quoted(file)),
        Where::Nowhere if is_pytest => " pytest".to_owned(),
        _ => String::new(),
    };
    let beside = |command: &str| {
        if beside.is_empty() {
            String::new()
        } else {
            format!(" && {command}{beside}")
        }
    };
    match manager {
        Manager::Uv => {
            let locked = if seen.sources.has(&at(root, "uv.lock")) {
                " --locked"
            } else {
                ""
            };
            let all = if seen.graph.members_of(Kind::Python, root).nth(1).is_some() {
                " --all-packages"
            } else {
                ""
            };
            let part = match needs {
                Where::Extra(name) => format!(" --extra {}", quoted(name)),
                Where::Group(name) if name != "dev" => format!(" --group {}", quoted(name)),
                _ => String::new(),
            };
            let beside = beside("uv pip install");
            let install = format!("uv sync{locked}{all}{part}{beside}");
            (Some(install), "uv run --no-sync ")
        }
        Manager::Poetry => {
            let part = match needs {
                Where::Extra(name) => format!(" --extras {}", quoted(name)),
                Where::Group(name) => format!(" --with {}", quoted(name)),
                _ => String::new(),
            };
            let beside = beside("poetry run pip install");
            let install = format!("poetry install --no-interaction{part}{beside}");
            (Some(install), "poetry run ")
        }
        Manager::Pip => (pip(seen, root, (is_project, is_pytest), needs), ""),
    }
}

fn pip(
    seen: Seen<'_>,
    root: &str,
    (is_project, is_pytest): (bool, bool),
    needs: &Where,
) -> Option<String> {
    let has = |name: &str| seen.sources.has(&at(root, name));
    let mut what = Vec::new();
    if is_project || has("setup.py") {
        what.push(match needs {
            Where::Extra(name) => format!("-e {}", quoted(&format!(".[{name}]"))),
            _ => "-e .".to_owned(),
        });
    }
    if has("requirements.txt") {
        what.push("-r requirements.txt".to_owned());
    }
    match needs {
        Where::Requirements(file) if file != "requirements.txt" => {
            what.push(format!("-r {}", quoted(file)));
        }
        Where::Group(name) => what.push(format!("--group {}", quoted(name))),
        Where::Nowhere if is_pytest => what.push("pytest".to_owned()),
        _ => {}
    }
    (!what.is_empty()).then(|| format!("python -m pip install {}", what.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{jobs, notices};

    #[track_caller]
    fn check(files: &[(&str, &str)], wanted: &str) {
        assert_eq!(jobs(files), [wanted]);
    }

    #[test]
    fn uv_syncs_what_is_locked_and_runs_pytest_there() {
        let manifest = "[project]\nname = \"a\"\nversion = \"1\"\n[dependency-groups]\ndev = [\"pytest>=8\"]\n";
        check(
            &[("pyproject.toml", manifest), ("uv.lock", "")],
            "python: uv sync --locked && uv run --no-sync pytest --junitxml=pytest.xml -> pytest.xml",
        );
    }

    #[test]
    fn extras_and_groups_that_hold_pytest_are_installed() {
        let extra = "[project]\nname = \"a\"\nversion = \"1\"\n[project.optional-dependencies]\ntest = [\"pytest\"]\n";
        check(
            &[("pyproject.toml", extra)],
            "python: python -m pip install -e '.[test]' && pytest --junitxml=pytest.xml -> pytest.xml",
        );
        let group =
            "[project]\nname = \"a\"\nversion = \"1\"\n[dependency-groups]\nci = [\"pytest\"]\n";
        check(
            &[("pyproject.toml", group), ("uv.lock", "")],
            "python: uv sync --locked --group ci && uv run --no-sync pytest --junitxml=pytest.xml -> pytest.xml",
        );
    }

    #[test]
    fn poetry_installs_the_group_of_the_tests() {
        let manifest =
            "[tool.poetry]\nname = \"a\"\n[tool.poetry.group.test.dependencies]\npytest = \"^8\"\n";
        check(
            &[("pyproject.toml", manifest), ("poetry.lock", "")],
            "python: poetry install --no-interaction --with test && poetry run pytest --junitxml=pytest.xml -> pytest.xml",
        );
    }

    #[test]
    fn a_list_of_requirements_is_a_project_too() {
        check(
            &[
                ("requirements.txt", "flask"),
                ("requirements-dev.txt", "pytest==8.0\n"),
                ("tests/test_a.py", ""),
            ],
            "python: python -m pip install -r requirements.txt -r requirements-dev.txt && pytest --junitxml=pytest.xml -> pytest.xml",
        );
    }

    #[test]
    fn tests_without_pytest_run_by_unittest() {
        check(
            &[
                ("setup.py", "setup()"),
                ("tests/test_a.py", "import unittest"),
            ],
            "python: python -m pip install -e . && python -m unittest discover -s tests -> -",
        );
    }

    #[test]
    fn needs_that_stand_with_tox_are_installed_by_tox() {
        check(
            &[
                ("setup.py", "setup()"),
                ("tox.ini", "[testenv]\ndeps = pytest\ncommands = pytest\n"),
                ("tests/test_a.py", ""),
            ],
            "python: python -m pip install tox && PYTEST_ADDOPTS=\"--junitxml=$PWD/pytest.xml\" tox run -e py -x testenv.pass_env+=PYTEST_ADDOPTS -> pytest.xml",
        );
    }

    #[test]
    fn what_the_managers_files_do_not_ask_for_is_put_in_beside_them() {
        let manifest = "[project]\nname = \"a\"\nversion = \"1\"\n[tool.pytest.ini_options]\n";
        check(
            &[("pyproject.toml", manifest), ("uv.lock", "")],
            "python: uv sync --locked && uv pip install pytest && uv run --no-sync pytest --junitxml=pytest.xml -> pytest.xml",
        );
        check(
            &[
                ("pyproject.toml", "[tool.poetry]\nname = \"a\"\n"),
                ("requirements/test.txt", "pytest==8\n"),
            ],
            "python: poetry install --no-interaction && poetry run pip install -r requirements/test.txt && poetry run pytest --junitxml=pytest.xml -> pytest.xml",
        );
    }

    #[test]
    fn a_project_without_tests_has_no_job() {
        let manifest = "[project]\nname = \"a\"\nversion = \"1\"\n";
        let seen = notices(&[("pyproject.toml", manifest)]);
        assert_eq!(seen, ["no-python-tests", "no-job"]);
    }
}
