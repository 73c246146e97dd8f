//! Tools that make an environment for tests and run them in it: tox, nox, Hatch. Where pytest is asked for nowhere else, its needs stand with them.

use super::at;
use crate::setup::Seen;

/// pytest is told by a variable: what stands behind `--` reaches it only where the session hands it on, and would take the place of its own arguments there.
const REPORT: &str = "PYTEST_ADDOPTS=\"--junitxml=$PWD/pytest.xml\"";

/// A session that tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Session {
    Tox,
    /// A session by its name.
    Nox(String),
    Hatch,
    /// A script of Hatch's default environment.
    HatchScript(&'static str),
}

impl Session {
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Tox => "tox",
            Self::Nox(_) => "nox",
            Self::Hatch | Self::HatchScript(_) => "Hatch",
        }
    }

    /// Returns what installs the tool and runs the session.
    pub(super) fn run(&self) -> String {
        let install = |tool: &str| format!("python -m pip install {tool}");
        match self {
            // tox hands on no variable that it is not told to.
            Self::Tox => format!(
                "{} && {REPORT} tox run -e py -x testenv.pass_env+=PYTEST_ADDOPTS",
                install("tox")
            ),
            Self::Nox(session) => format!(
                "{} && {REPORT} nox --session {}",
                install("nox"),
                super::quoted(session)
            ),
            Self::Hatch => format!("{} && {REPORT} hatch test", install("hatch")),
            Self::HatchScript(script) => {
                format!("{} && {REPORT} hatch run {script}", install("hatch"))
            }
        }
    }
}

/// Looks for a session that tests by pytest.
pub(super) fn session(seen: Seen<'_>, root: &str) -> Option<Session> {
    let text = |name: &str| seen.sources.text(&at(root, name)).unwrap_or_default();
    let is_tox = ["tox.ini", "tox.toml"]
        .iter()
        .any(|name| text(name).contains("pytest"));
    if is_tox || text("setup.cfg").contains("[tox:tox]") {
        return Some(Session::Tox);
    }
    let manifest = seen.sources.toml(&at(root, "pyproject.toml"));
    let manifest = manifest.and_then(Result::ok);
    let tool = |name: &str| {
        manifest
            .as_ref()?
            .get("tool")?
            .get(name)?
            .as_table()
            .cloned()
    };
    if tool("tox").is_some() && text("pyproject.toml").contains("pytest") {
        return Some(Session::Tox);
    }
    if let Some(session) = nox_session(text("noxfile.py")) {
        return Some(Session::Nox(session));
    }
    let environments = tool("hatch")?.get("envs")?.as_table()?.clone();
    let script = |name: &str| environments.get("default")?.get("scripts")?.get(name);
    if environments.contains_key("hatch-test") {
        return Some(Session::Hatch);
    }
    let named = ["test", "tests"]
        .into_iter()
        .find(|name| script(name).is_some());
    named.map(Session::HatchScript)
}

/// Returns the first session of a noxfile that is called after tests and installs or runs pytest somewhere below.
fn nox_session(text: &str) -> Option<String> {
    if !text.contains("pytest") {
        return None;
    }
    let mut is_session = false;
    let mut renamed = None;
    for line in text.lines() {
        if line.starts_with("@nox.session") || line.starts_with("@session") {
            is_session = true;
            renamed = line
                .split_once("name=")
                .and_then(|(_, rest)| rest.split(['"', '\'']).nth(1))
                .map(str::to_owned);
        } else if let Some(rest) = line.strip_prefix("def ") {
            let function = rest.split('(').next().unwrap_or_default().trim();
            let name = renamed.take().unwrap_or_else(|| function.to_owned());
            let is_test = ["test", "unit", "pytest"]
                .iter()
                .any(|word| name.starts_with(word));
            if is_session && is_test {
                return Some(name);
            }
            is_session = false;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup::tests::look;

    #[track_caller]
    fn check(files: &[(&str, &str)], wanted: Option<&Session>) {
        assert_eq!(look(files, |seen| session(seen, "")).as_ref(), wanted);
    }

    #[test]
    fn tox_counts_where_it_runs_pytest() {
        let tests = "[testenv]\ndeps = pytest\ncommands = pytest {posargs}\n";
        check(&[("tox.ini", tests)], Some(&Session::Tox));
        check(&[("tox.ini", "[flake8]\nmax-line-length = 100\n")], None);
        let inside = "[tool.tox]\nlegacy_tox_ini = '''\n[testenv]\ncommands = pytest\n'''\n";
        check(&[("pyproject.toml", inside)], Some(&Session::Tox));
    }

    #[test]
    fn a_session_of_nox_is_known_by_its_name() {
        let file = "import nox\n\n@nox.session\ndef lint(session):\n    session.run('ruff')\n\n\
            @nox.session(python=['3.11', '3.12'])\ndef tests(session):\n    session.install('pytest')\n";
        check(
            &[("noxfile.py", file)],
            Some(&Session::Nox("tests".to_owned())),
        );
        let named = "@nox.session(name=\"unit\")\ndef run(session):\n    session.run('pytest')\n";
        check(
            &[("noxfile.py", named)],
            Some(&Session::Nox("unit".to_owned())),
        );
        check(
            &[(
                "noxfile.py",
                "@nox.session\ndef docs(s):\n    s.run('pytest')\n",
            )],
            None,
        );
        check(&[("noxfile.py", "def test_helper():\n    pytest\n")], None);
    }

    #[test]
    fn hatch_has_scripts_or_a_test_environment() {
        let script = "[tool.hatch.envs.default]\ndependencies = ['pytest']\n[tool.hatch.envs.default.scripts]\ntest = 'pytest'\n";
        check(
            &[("pyproject.toml", script)],
            Some(&Session::HatchScript("test")),
        );
        let own = "[tool.hatch.envs.hatch-test]\nextra-dependencies = ['x']\n";
        check(&[("pyproject.toml", own)], Some(&Session::Hatch));
        check(
            &[("pyproject.toml", "[tool.hatch.version]\npath = 'a'\n")],
            None,
        );
    }
}
