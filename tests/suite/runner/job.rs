//! A job: a fresh machine with a token, steps one after another, and what is left of them.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::expressions::{Scope, Status, interpolate, string, text};
use super::matrix::Leg;
use super::permissions::{Scopes, scopes};
use super::run::{Run, concurrency_of};
use super::workflow::{Defaults, Job};
use super::{Ran, Runner, VERSION};
use crate::github::ME;
use crate::harness::BINARY;

/// A machine while a job runs on it.
pub(super) struct Machine<'a, 'w> {
    pub(super) runner: &'a mut Runner,
    pub(super) run: &'a mut Run<'w>,
    pub(super) folder: PathBuf,
    /// Contexts that are the same in every step.
    pub(super) contexts: BTreeMap<String, Value>,
    /// What `env` is, but for that of single steps.
    pub(super) env: BTreeMap<String, String>,
    /// What steps put before `PATH`.
    pub(super) path: Vec<String>,
    pub(super) defaults: Defaults,
    pub(super) masks: Vec<String>,
    pub(super) token: String,
    pub(super) ran: Ran,
    /// How many steps have run, for the names of their files.
    pub(super) count: usize,
    /// Whether somebody cancels it before its first step.
    pub(super) is_cancelled: bool,
}

/// Steps that see one another: those of a job, or of an action.
#[derive(Default)]
pub(super) struct Frame {
    pub(super) steps: Map<String, Value>,
    /// Of an action.
    pub(super) inputs: Option<Value>,
    pub(super) env: BTreeMap<String, String>,
    pub(super) action: Option<PathBuf>,
    /// Whose action it is; empty for one of the work tree.
    pub(super) repository: String,
    pub(super) is_failed: bool,
}

/// Runs one leg of a job.
pub(super) fn run(
    runner: &mut Runner,
    run: &mut Run<'_>,
    job: &Job,
    scope: &Scope,
    leg: &Leg,
    is_stopped: bool,
) -> Ran {
    let matrix: Map<String, Value> = leg.iter().cloned().collect();
    let scope = scope.clone().with("matrix", Value::Object(matrix.clone()));
    let values: Vec<String> = leg.iter().map(|(_, value)| string(value)).collect();
    let name = match &job.name {
        Some(name) => text(name, &scope),
        None if values.is_empty() => Ok(job.id.clone()),
        None => Ok(format!("{} ({})", job.id, values.join(", "))),
    };
    let mut ran = Ran {
        id: job.id.clone(),
        matrix,
        result: "cancelled".to_owned(),
        ..Ran::default()
    };
    match name {
        Ok(name) => ran.name = name,
        Err(error) => {
            ran.name.clone_from(&job.id);
            ran.log = format!("##[error]{error}\n");
            "failure".clone_into(&mut ran.result);
        }
    }
    let record = runner.record(run, &ran.name);
    if !is_stopped && ran.log.is_empty() {
        ran = on_a_machine(runner, run, job, scope, ran);
    }
    runner.recorded(run, record, &ran.result);
    ran
}

fn on_a_machine(
    runner: &mut Runner,
    run: &mut Run<'_>,
    job: &Job,
    scope: Scope,
    mut ran: Ran,
) -> Ran {
    let is_fork = runner.event.as_ref().unwrap().is_fork;
    ran.scopes = scopes(
        run.workflow.permissions.as_ref(),
        job.permissions.as_ref(),
        is_fork,
    );
    let is_cancelled = runner.cancelled_at.as_ref() == Some(&job.id);
    runner.next_job += 1;
    let number = runner.next_job;
    let folder = runner.folder.path().join(format!("machine-{number}"));
    for folder in [
        &tool_cache(runner, &folder),
        &folder.join("workspace"),
        &folder.join("temp"),
        &folder.join("home"),
        &folder.join("installed"),
    ] {
        fs::create_dir_all(folder).unwrap();
    }
    cargo(&folder);
    let token = runner.hands_out(number, &ran.scopes);
    let (contexts, masks) = contexts(runner, run, job, scope, &token, &folder);
    let mut machine = Machine {
        runner,
        run,
        folder,
        contexts,
        env: BTreeMap::new(),
        path: Vec::new(),
        defaults: Defaults {
            shell: job.defaults.shell.clone(),
            folder: job.defaults.folder.clone(),
        },
        masks,
        token,
        ran,
        count: 0,
        is_cancelled,
    };
    let of_workflow = machine.run.workflow.defaults.clone();
    machine.defaults.shell = machine.defaults.shell.or(of_workflow.shell);
    machine.defaults.folder = machine.defaults.folder.or(of_workflow.folder);
    machine.guards();
    if let Err(error) = machine.works(job) {
        machine.log(&format!("##[error]{error}\n"));
        "failure".clone_into(&mut machine.ran.result);
    }
    let (mut ran, token) = (machine.ran, machine.token);
    runner.github.store().tokens.remove(&token);
    runner.github.store().scopes.remove(&token);
    let _ = fs::remove_file(runner.remote().join("hooks/pre-receive"));
    for (of, output) in &runner.dropped {
        if *of == job.id {
            ran.outputs.remove(output);
        }
    }
    ran
}

/// What is the same in every step of a job, and what its log must not show.
fn contexts(
    runner: &Runner,
    run: &Run<'_>,
    job: &Job,
    scope: Scope,
    token: &str,
    folder: &Path,
) -> (BTreeMap<String, Value>, Vec<String>) {
    let mut secrets = if runner.event.as_ref().unwrap().is_fork {
        BTreeMap::new()
    } else {
        runner.secrets.clone()
    };
    let masks = secrets.values().cloned().chain([token.to_owned()]);
    let masks: Vec<String> = masks.filter(|mask| !mask.is_empty()).collect();
    secrets.insert("GITHUB_TOKEN".to_owned(), token.to_owned());
    let mut contexts = scope.contexts;
    let mut github = runner.github_context(run, &job.id, token);
    github["workspace"] = json!(folder.join("workspace"));
    contexts.insert("github".to_owned(), github);
    contexts.insert("secrets".to_owned(), json!(secrets));
    let (system, processor) = &runner.machine;
    let machine = json!({
        "os": system, "arch": processor, "temp": folder.join("temp"), "tool_cache": tool_cache(runner, folder), "name": "mini",
        "environment": "github-hosted",
    });
    contexts.insert("runner".to_owned(), machine);
    (contexts, masks)
}

/// Where tools are kept.
fn tool_cache(runner: &Runner, folder: &Path) -> PathBuf {
    if runner.keeps_tools {
        runner.tools()
    } else {
        folder.join("tools")
    }
}

impl Machine<'_, '_> {
    pub(super) fn workspace(&self) -> PathBuf {
        self.folder.join("workspace")
    }

    pub(super) fn temp(&self) -> PathBuf {
        self.folder.join("temp")
    }

    /// Everything of a job.
    fn works(&mut self, job: &Job) -> Result<(), String> {
        // `env` is not there yet where these stand.
        let plain = Scope {
            contexts: self.contexts.clone(),
            ..Scope::default()
        };
        let mut early = plain.clone();
        for later in ["secrets", "runner"] {
            early.contexts.remove(later);
        }
        self.ran.runs_on = match &job.runs_on {
            Value::String(label) => interpolate(label, &early)?,
            other => other.clone(),
        };
        let is_label = match &self.ran.runs_on {
            Value::String(label) => !label.is_empty(),
            Value::Array(labels) => !labels.is_empty(),
            other => other["group"].is_string() || other["labels"].is_string(),
        };
        if !is_label {
            return Err(format!("No runner matches `{}`", self.ran.runs_on));
        }
        if let Some(concurrency) = &job.concurrency {
            let _ = concurrency_of(concurrency, &early)?;
        }
        let may_fail = match &job.continue_on_error {
            Some(Value::String(condition)) => {
                super::expressions::is_true(&interpolate(condition, &early)?)
            }
            other => other.as_ref() == Some(&Value::from(true)),
        };
        let mut env = BTreeMap::new();
        for values in [&self.run.workflow.env, &job.env] {
            for (name, value) in values {
                env.insert(name.clone(), text(&string(value), &plain)?);
            }
        }
        self.env = env;
        let mut frame = Frame::default();
        self.steps(&job.steps, &mut frame);
        let result = match (self.is_cancelled, frame.is_failed) {
            (true, _) => "cancelled",
            (false, true) => "failure",
            (false, false) => "success",
        };
        result.clone_into(&mut self.ran.result);
        let scope = self.scope(&frame);
        for (name, value) in &job.outputs {
            let value = text(&string(value), &scope)?;
            if self.masks.iter().any(|mask| value.contains(mask)) {
                let words = format!("Skip output '{name}' since it may contain secret.");
                self.log(&format!("##[warning]{words}\n"));
                self.ran.annotations.push(("warning".to_owned(), words));
                continue;
            }
            self.ran.outputs.insert(name.clone(), value);
        }
        if may_fail && self.ran.result == "failure" {
            "success".clone_into(&mut self.ran.result);
            self.ran.noted.push("continue-on-error".to_owned());
        }
        Ok(())
    }

    /// What expressions of a step see.
    pub(super) fn scope(&self, frame: &Frame) -> Scope {
        let mut contexts = self.contexts.clone();
        let mut env = self.env.clone();
        env.extend(frame.env.clone());
        contexts.insert("env".to_owned(), json!(env));
        contexts.insert("steps".to_owned(), Value::Object(frame.steps.clone()));
        let status = match (self.is_cancelled, frame.is_failed) {
            (true, _) => "cancelled",
            (false, true) => "failure",
            (false, false) => "success",
        };
        contexts.insert("job".to_owned(), json!({ "status": status }));
        if let Some(inputs) = &frame.inputs {
            contexts.insert("inputs".to_owned(), inputs.clone());
            // What an action is not given.
            for name in ["secrets", "vars", "needs"] {
                contexts.remove(name);
            }
        }
        if let (Some(action), Some(github)) = (&frame.action, contexts.get_mut("github")) {
            github["action_path"] = json!(action);
            github["action_repository"] = json!(frame.repository);
        }
        Scope {
            contexts,
            status: Some(Status {
                is_success: !frame.is_failed && !self.is_cancelled,
                is_failure: frame.is_failed,
                is_cancelled: self.is_cancelled,
            }),
            workspace: Some(self.workspace()),
        }
    }

    /// Adds to the log, secrets hidden.
    pub(super) fn log(&mut self, words: &str) {
        let hidden = self.hides(words);
        self.ran.log.push_str(&hidden);
    }

    pub(super) fn hides(&self, words: &str) -> String {
        let mut words = words.to_owned();
        for mask in self.masks.iter().flat_map(|mask| mask.lines()) {
            if !mask.trim().is_empty() {
                words = words.replace(mask, "***");
            }
        }
        words
    }

    /// Lets the repository refuse what this job may not push.
    pub(super) fn guards(&self) {
        let hook = self.runner.remote().join("hooks/pre-receive");
        let may_write = self.ran.scopes.get("contents").map(String::as_str) == Some("write");
        let words = match (may_write, self.ran.keeps_credentials) {
            (true, true) => {
                let _ = fs::remove_file(hook);
                return;
            }
            (false, true) => "Permission to o/n.git denied to github-actions[bot].",
            (_, false) => "could not read Username: no credentials were left by the checkout",
        };
        executable(&hook, &format!("#!/bin/sh\necho '{words}' >&2\nexit 1\n"));
    }
}

impl Runner {
    /// Makes a token that may do so much.
    fn hands_out(&self, number: usize, scopes: &Scopes) -> String {
        let token = format!("ghs_{number:036}");
        let mut store = self.github.store();
        let me = (ME, "github-actions[bot]".to_owned());
        store.tokens.insert(token.clone(), me);
        store.scopes.insert(token.clone(), scopes.clone());
        token
    }
}

/// Writes a program.
pub(crate) fn executable(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A cargo that installs the binary under test as `cargo install maestro-ci` would, and is the real one otherwise.
fn cargo(folder: &Path) {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let real = std::env::split_paths(&path).map(|folder| folder.join("cargo"));
    let real = real
        .into_iter()
        .find(|path| path.is_file())
        .map_or_else(|| "false".to_owned(), |path| path.display().to_string());
    let text = format!(
        r#"#!/bin/sh
case "$1 $2" in 'install maestro-ci' | 'install --locked') ;; *) exec '{real}' "$@" ;; esac
shift
locked= version= path= root='{0}'
while [ $# -gt 0 ]; do
  case $1 in
    maestro-ci | --quiet | --force) ;;
    --locked) locked=1 ;;
    --version) version=$2; shift ;;
    --path) path=$2; shift ;;
    --root) root=$2/bin; shift ;;
    *) echo "error: unexpected argument '$1' found" >&2; exit 1 ;;
  esac
  shift
done
if [ -n "$path" ]; then
  grep -qx 'name = "maestro-ci"' "$path/Cargo.toml" || exit 101
elif [ -z "$locked" ] || [ "$version" != '{VERSION}' ]; then
  echo "error: could not find \`maestro-ci\` in registry \`crates-io\` with version \`=$version\`, locked" >&2
  exit 101
fi
[ -d "$root" ] || mkdir -p "$root"
ln -sf '{BINARY}' "$root/maestro"
"#,
        folder.join("installed").display()
    );
    executable(&folder.join("bin/cargo"), &text);
}
