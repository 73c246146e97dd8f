//! What programs that agents start are told by their environment: what is on a list, what a team names, and nothing that opens a door.
//!
//! Whoever runs a model's code gives it their environment; what is not there cannot be read, printed or sent away.

use std::collections::BTreeMap;

use crate::llm::endpoint::SECRETS;
use crate::order;
use crate::redact::{Redactor, is_secret_name};

/// Variables that pass: language, time, and where tools are.
const PASSING: [&str; 37] = [
    "ANDROID_HOME",
    "CARGO_HOME",
    "CC",
    "CFLAGS",
    "CI",
    "CPPFLAGS",
    "CXX",
    "CXXFLAGS",
    "DOTNET_ROOT",
    "GEM_HOME",
    "GEM_PATH",
    "GOFLAGS",
    "GOMODCACHE",
    "GOPATH",
    "GOROOT",
    "GOTOOLCHAIN",
    "JAVA_HOME",
    "LANG",
    "LANGUAGE",
    "LDFLAGS",
    "LD_LIBRARY_PATH",
    "MAKEFLAGS",
    "NODE_PATH",
    "NO_COLOR",
    "NVM_DIR",
    "PATH",
    "PKG_CONFIG_PATH",
    "PYENV_ROOT",
    "PYTHONDONTWRITEBYTECODE",
    "RUSTFLAGS",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "SOURCE_DATE_EPOCH",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TZ",
    "VIRTUAL_ENV",
];

/// Beginnings of names that never pass, whoever names them: they lead to credentials, to other people's programs, or into later
/// steps of a workflow.
const REFUSED: [&str; 20] = [
    "ACTIONS_",
    "AWS_",
    "AZURE_",
    "BASH_ENV",
    "BASH_FUNC_",
    "DBUS_",
    "DOCKER_",
    "GCLOUD_",
    "GITHUB_ENV",
    "GITHUB_OUTPUT",
    "GITHUB_PATH",
    "GITHUB_STATE",
    "GITHUB_STEP_SUMMARY",
    "GIT_",
    "KUBECONFIG",
    "LD_AUDIT",
    "LD_PRELOAD",
    "NPM_CONFIG_",
    "SSH_",
    "XDG_RUNTIME_DIR",
];

/// Where programs are looked for when nothing else says it.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// The folders of a task.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Places<'a> {
    pub(crate) home: &'a str,
    pub(crate) temporary: &'a str,
    pub(crate) tree: &'a str,
}

/// The environment of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scrubbed {
    pub(crate) variables: Vec<(String, String)>,
    /// Names that a team asked for and does not get, in order.
    pub(crate) kept_back: Vec<String>,
    /// Folders outside the system's own where its tools are, for reading.
    pub(crate) tools: Vec<String>,
}

/// Returns what a program is told: of the `own` environment what passes and what a team `asked` for, then what is `given`.
pub(crate) fn scrub(
    own: &[(String, String)],
    asked: &[String],
    places: Places<'_>,
    given: &[(String, String)],
) -> Scrubbed {
    let redactor = Redactor::new(own);
    let value_of = |name: &str| {
        own.iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    };
    let mut told: BTreeMap<String, String> = BTreeMap::new();
    let mut kept_back = Vec::new();
    for (name, value) in own {
        let is_asked = asked.contains(name);
        if !is_asked && !PASSING.contains(&name.as_str()) && !name.starts_with("LC_") {
            continue;
        }
        if is_refused(name) || redactor.name(value).is_some() {
            if is_asked {
                kept_back.push(name.clone());
            }
        } else {
            told.insert(name.clone(), value.clone());
        }
    }
    let path = clean_path(told.get("PATH").map_or(PATH, String::as_str), places);
    // Cargo and rustup keep their tools in the user's home, which is not the program's.
    if let Some(home) = value_of("HOME").filter(|home| path.contains(&format!("{home}/.cargo/bin")))
    {
        for (name, folder) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
            told.entry(name.to_owned())
                .or_insert_with(|| format!("{home}/{folder}"));
        }
    }
    let home = places.home;
    let set = [
        ("PATH", path.join(":")),
        ("HOME", home.to_owned()),
        ("TMPDIR", places.temporary.to_owned()),
        ("TERM", "dumb".to_owned()),
        ("XDG_CACHE_HOME", format!("{home}/.cache")),
        ("XDG_CONFIG_HOME", format!("{home}/.config")),
        ("XDG_DATA_HOME", format!("{home}/.local/share")),
        ("XDG_STATE_HOME", format!("{home}/.local/state")),
        ("GIT_CONFIG_GLOBAL", "/dev/null".to_owned()),
        ("GIT_CONFIG_NOSYSTEM", "1".to_owned()),
        ("GIT_OPTIONAL_LOCKS", "0".to_owned()),
        ("GIT_TERMINAL_PROMPT", "0".to_owned()),
        ("CARGO_NET_OFFLINE", "true".to_owned()),
    ];
    told.extend(set.map(|(name, value)| (name.to_owned(), value)));
    told.extend(given.iter().cloned());
    let tools = tools(&told, &path);
    Scrubbed {
        variables: told.into_iter().collect(),
        kept_back,
        tools,
    }
}

fn is_refused(name: &str) -> bool {
    is_secret_name(name)
        || SECRETS.contains(&name)
        || REFUSED
            .iter()
            .any(|start| name.to_ascii_uppercase().starts_with(start))
}

/// Returns a search path without folders that depend on where somebody stands, or that the program could fill itself.
fn clean_path(path: &str, places: Places<'_>) -> Vec<String> {
    let own = [places.tree, places.home, places.temporary];
    let is_below = |folder: &str, top: &str| {
        folder
            .strip_prefix(top)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let mut clean: Vec<String> = Vec::new();
    for folder in path.split(':') {
        let is_safe = folder.starts_with('/')
            && folder.len() > 1
            && !folder.split('/').any(|part| part == "..")
            && !own.iter().any(|top| is_below(folder, top));
        if is_safe && !clean.iter().any(|known| known == folder) {
            clean.push(folder.to_owned());
        }
    }
    if clean.is_empty() {
        clean.extend(PATH.split(':').map(str::to_owned));
    }
    clean
}

/// Returns the folders where tools are. Of `CARGO_HOME` only what holds no credentials.
fn tools(told: &BTreeMap<String, String>, path: &[String]) -> Vec<String> {
    let mut tools = path.to_vec();
    let whole = [
        "GOROOT",
        "GOMODCACHE",
        "JAVA_HOME",
        "NVM_DIR",
        "PYENV_ROOT",
        "RUSTUP_HOME",
        "VIRTUAL_ENV",
    ];
    tools.extend(whole.iter().filter_map(|name| told.get(*name).cloned()));
    if let Some(cargo) = told.get("CARGO_HOME") {
        tools.extend(["bin", "git", "registry"].map(|part| format!("{cargo}/{part}")));
    }
    if let Some(go) = told.get("GOPATH") {
        tools.extend(["bin", "pkg"].map(|part| format!("{go}/{part}")));
    }
    tools.retain(|folder| folder.starts_with('/') && folder.len() > 1);
    order::sort(&mut tools);
    tools.dedup();
    tools
}

/// Returns what keeps git of our own to the repository that we name, when it looks at a tree that a program could change: nothing
/// that lies in the tree is run or believed, whether configuration, hook, filter, pager or the settings of a nested repository.
#[cfg(test)]
pub(crate) fn trusted_git(git_dir: &str, tree: &str) -> Vec<(String, String)> {
    const SETTINGS: [(&str, &str); 11] = [
        ("core.hooksPath", "/dev/null"),
        ("core.fsmonitor", "false"),
        ("core.attributesFile", "/dev/null"),
        ("core.excludesFile", "/dev/null"),
        ("core.pager", "cat"),
        ("core.untrackedCache", "false"),
        ("credential.helper", ""),
        ("diff.external", ""),
        ("diff.ignoreSubmodules", "all"),
        ("gc.auto", "0"),
        ("submodule.recurse", "false"),
    ];
    let mut told = vec![
        ("GIT_DIR", git_dir.to_owned()),
        ("GIT_WORK_TREE", tree.to_owned()),
        ("GIT_CONFIG_GLOBAL", "/dev/null".to_owned()),
        ("GIT_CONFIG_NOSYSTEM", "1".to_owned()),
        ("GIT_ATTR_NOSYSTEM", "1".to_owned()),
        ("GIT_TERMINAL_PROMPT", "0".to_owned()),
        ("GIT_CONFIG_COUNT", SETTINGS.len().to_string()),
    ];
    let mut all: Vec<(String, String)> = told
        .drain(..)
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    for (number, (key, value)) in SETTINGS.iter().enumerate() {
        all.push((format!("GIT_CONFIG_KEY_{number}"), (*key).to_owned()));
        all.push((format!("GIT_CONFIG_VALUE_{number}"), (*value).to_owned()));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACES: Places<'_> = Places {
        home: "/run/house",
        temporary: "/run/tmp",
        tree: "/run/tree",
    };

    fn scrubbed(own: &[(&str, &str)], asked: &[&str]) -> Scrubbed {
        let own: Vec<(String, String)> = own
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let asked: Vec<String> = asked.iter().map(|name| (*name).to_owned()).collect();
        scrub(
            &own,
            &asked,
            PLACES,
            &[("GIVEN".to_owned(), "1".to_owned())],
        )
    }

    fn value<'a>(scrubbed: &'a Scrubbed, name: &str) -> Option<&'a str> {
        let found = scrubbed.variables.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    #[test]
    fn what_is_not_on_the_list_is_not_told() {
        let told = scrubbed(
            &[
                ("LANG", "C"),
                ("LC_ALL", "C"),
                ("MY_APP", "x"),
                ("HOME", "/me"),
            ],
            &[],
        );
        assert_eq!(value(&told, "LANG"), Some("C"));
        assert_eq!(value(&told, "LC_ALL"), Some("C"));
        assert_eq!(value(&told, "MY_APP"), None);
        assert_eq!(value(&told, "HOME"), Some("/run/house"));
        assert_eq!(value(&told, "GIVEN"), Some("1"));
        assert_eq!(value(&told, "PATH"), Some(PATH));
    }

    #[test]
    fn a_team_gets_what_it_names_unless_it_opens_a_door() {
        let own = [
            ("MY_APP", "x"),
            ("MY_TOKEN", "opensesame99"),
            ("COPY", "see opensesame99"),
            ("GITHUB_ENV", "/f"),
            ("ACTIONS_RUNTIME_URL", "u"),
            ("SSH_AUTH_SOCK", "/s"),
            ("LD_PRELOAD", "/l"),
            ("git_dir", "/g"),
            ("ANTHROPIC_CUSTOM_HEADERS", "h"),
            ("SHAPE", "ghp_0123456789abcdefghij0123456789abcdef"),
        ];
        let asked: Vec<&str> = own.iter().map(|(name, _)| *name).collect();
        let told = scrubbed(&own, &asked);
        assert_eq!(value(&told, "MY_APP"), Some("x"));
        assert_eq!(told.kept_back, &asked[1..]);
        for name in &asked[1..] {
            assert_eq!(value(&told, name), None, "{name}");
        }
    }

    #[test]
    fn what_passes_by_name_stays_when_its_value_is_a_secret() {
        let own = [
            ("GOFLAGS", "-x=ghp_0123456789abcdefghij0123456789abcdef"),
            ("API_KEY", "abcdefgh1"),
            ("CFLAGS", "-Dk=abcdefgh1"),
        ];
        let told = scrubbed(&own, &[]);
        assert_eq!(value(&told, "GOFLAGS"), None);
        assert_eq!(value(&told, "CFLAGS"), None);
    }

    #[test]
    fn programs_are_not_looked_for_where_the_task_writes() {
        let clean = |path: &str| clean_path(path, PLACES).join(":");
        assert_eq!(
            clean(".:/bin::/run/tree/bin:/run/trees:/run/tree:/run/house/.local/bin:/bin"),
            "/bin:/run/trees"
        );
        assert_eq!(clean("/a/../run/tree:bin:/"), PATH);
    }

    #[test]
    fn tools_in_the_users_home_are_found_and_credentials_are_not() {
        let told = scrubbed(&[("HOME", "/me"), ("PATH", "/me/.cargo/bin:/bin")], &[]);
        assert_eq!(value(&told, "CARGO_HOME"), Some("/me/.cargo"));
        assert_eq!(value(&told, "RUSTUP_HOME"), Some("/me/.rustup"));
        assert_eq!(
            told.tools,
            [
                "/bin",
                "/me/.cargo/bin",
                "/me/.cargo/git",
                "/me/.cargo/registry",
                "/me/.rustup"
            ]
        );
    }

    /// What may lie in a tree, and what git is asked there. `$EVIL` is a program that leaves a trace.
    #[cfg(unix)]
    const PLANTED: [(&str, &[&str]); 5] = [
        (
            "rm .git && git init -q . && git config core.fsmonitor $EVIL",
            &["status", "--short"],
        ),
        (
            "rm .git && git init -q . && git config filter.x.clean $EVIL && echo '* filter=x' > .gitattributes",
            &["add", "--all"],
        ),
        (
            "rm .git && git init -q . && git add a && git config diff.x.command $EVIL && echo '* diff=x' > .gitattributes && echo b > a",
            &["diff"],
        ),
        (
            "rm .git && git init -q . && mkdir -p .git/hooks && cp $EVIL .git/hooks/pre-commit",
            &["commit", "--quiet", "--allow-empty", "--message", "x"],
        ),
        (
            "git init -q sub && git -C sub commit -q --allow-empty -m x && git -C sub config core.fsmonitor $EVIL && echo x > sub/x",
            &["status", "--short"],
        ),
    ];

    /// Returns whether something planted ran.
    #[cfg(unix)]
    #[expect(
        clippy::disallowed_methods,
        reason = "the test looks at what git really does"
    )]
    fn runs(plant: &str, ask: &[&str], is_trusted: bool) -> bool {
        use std::fs;
        use std::process::Command;
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path).to_string_lossy().into_owned();
        let shell = |script: &str, told: &[(String, String)]| {
            let ran = Command::new("sh")
                .args(["-c", script])
                .current_dir(at("tree"))
                .env_clear()
                .env("PATH", std::env::var_os("PATH").unwrap())
                .envs([
                    ("EVIL", at("evil")),
                    ("GIT_CONFIG_GLOBAL", "/dev/null".to_owned()),
                ])
                .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_NAME"), "Ada")))
                .envs(
                    ["AUTHOR", "COMMITTER"]
                        .map(|who| (format!("GIT_{who}_EMAIL"), "ada@example.com")),
                )
                .envs(told.iter().map(|(name, value)| (name, value)))
                .output()
                .unwrap();
            (
                ran.status.success(),
                String::from_utf8_lossy(&ran.stderr).into_owned(),
            )
        };
        fs::create_dir(at("tree")).unwrap();
        fs::write(at("evil"), format!("#!/bin/sh\ntouch '{}'\n", at("ran"))).unwrap();
        let made = shell(
            "chmod +x $EVIL && git init -q --template= . && echo a > a && git add a && git commit -q -m x && mv .git ../store.git && echo 'gitdir: ../store.git' > .git",
            &[],
        );
        assert!(made.0, "{}", made.1);
        let planted = shell(plant, &[]);
        assert!(planted.0, "{}", planted.1);
        let _ = fs::remove_file(at("ran"));
        let words: Vec<String> = ask.iter().map(|word| format!("'{word}'")).collect();
        let mut ask = format!("git {}", words.join(" "));
        if plant.contains("sub") {
            ask = format!("git add --all && {ask}");
        }
        let told = if is_trusted {
            trusted_git(&at("store.git"), &at("tree"))
        } else {
            Vec::new()
        };
        let _whatever_it_says = shell(&ask, &told);
        fs::exists(at("ran")).unwrap()
    }

    #[cfg(unix)]
    #[test]
    fn git_of_our_own_runs_nothing_that_lies_in_the_tree() {
        for (plant, ask) in PLANTED {
            assert!(runs(plant, ask, false), "this is no case: {plant}");
            assert!(!runs(plant, ask, true), "{plant}");
        }
    }
}
