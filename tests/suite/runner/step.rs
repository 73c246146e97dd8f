//! A step: its condition, its program or action, and what it tells the runner.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::StepRan;
use super::expressions::{holds, interpolate, is_true, string, text};
use super::files::{Said, pairs, said};
use super::job::{Frame, Machine};
use super::workflow::{Step, What};

/// Outputs, and why it failed.
pub(super) type Done = (BTreeMap<String, String>, Option<String>);

/// Names that steps cannot give to variables of all others.
const TAKEN: [&str; 2] = ["GITHUB_", "RUNNER_"];

/// The files of a step.
const FILES: [&str; 5] = [
    "GITHUB_OUTPUT",
    "GITHUB_ENV",
    "GITHUB_PATH",
    "GITHUB_STEP_SUMMARY",
    "GITHUB_STATE",
];

impl Machine<'_, '_> {
    pub(super) fn steps(&mut self, steps: &[Step], frame: &mut Frame) {
        for (at, step) in steps.iter().enumerate() {
            self.step(step, at, frame);
        }
    }

    fn step(&mut self, step: &Step, at: usize, frame: &mut Frame) {
        let scope = self.scope(frame);
        let mut asked = scope.clone();
        asked.contexts.remove("secrets");
        let name = match (&step.name, &step.what) {
            (Some(name), _) => name.clone(),
            (None, What::Run { script, .. }) => {
                format!("Run {}", script.lines().next().unwrap_or_default())
            }
            (None, What::Uses { action, .. }) => format!("Run {action}"),
        };
        let id = step.id.clone().unwrap_or_else(|| format!("__{at}"));
        let (outputs, trouble) = match holds(step.condition.as_ref(), &asked) {
            Ok(false) => {
                self.skipped(&id, &name, frame);
                return;
            }
            Ok(true) => {
                self.log(&format!("##[group]{name}\n"));
                let done = self.does(step, frame);
                done.unwrap_or_else(|error| (BTreeMap::new(), Some(error)))
            }
            Err(error) => (BTreeMap::new(), Some(error)),
        };
        let may_fail = match &step.continue_on_error {
            Some(Value::String(condition)) => {
                interpolate(condition, &scope).is_ok_and(|value| is_true(&value))
            }
            other => other.as_ref() == Some(&Value::from(true)),
        };
        let outcome = if trouble.is_some() {
            "failure"
        } else {
            "success"
        };
        let conclusion = if may_fail { "success" } else { outcome };
        if let Some(trouble) = trouble {
            self.log(&format!("##[error]{trouble}\n"));
            frame.is_failed |= !may_fail;
        }
        self.remembers(&id, &name, outcome, conclusion, outputs, frame);
    }

    fn skipped(&mut self, id: &str, name: &str, frame: &mut Frame) {
        self.remembers(id, name, "skipped", "skipped", BTreeMap::new(), frame);
    }

    fn remembers(
        &mut self,
        id: &str,
        name: &str,
        outcome: &'static str,
        conclusion: &'static str,
        outputs: BTreeMap<String, String>,
        frame: &mut Frame,
    ) {
        let value = json!({ "outcome": outcome, "conclusion": conclusion, "outputs": outputs });
        frame.steps.insert(id.to_owned(), value);
        self.ran.steps.push(StepRan {
            id: id.to_owned(),
            name: name.to_owned(),
            outcome,
            conclusion,
            outputs,
        });
    }

    /// Does what a step is for.
    fn does(&mut self, step: &Step, frame: &mut Frame) -> Result<Done, String> {
        let scope = self.scope(frame);
        let mut env = frame.env.clone();
        for (name, value) in &step.env {
            env.insert(name.clone(), text(&string(value), &scope)?);
        }
        let scope = {
            let mut all = self.env.clone();
            all.extend(env.clone());
            scope.with("env", json!(all))
        };
        match &step.what {
            What::Run {
                script,
                shell,
                folder,
            } => {
                let script = text(script, &scope)?;
                let shell = shell.clone().or_else(|| self.defaults.shell.clone());
                let shell = shell.map(|shell| text(&shell, &scope)).transpose()?;
                let folder = folder.clone().or_else(|| self.defaults.folder.clone());
                let folder = folder.map(|folder| text(&folder, &scope)).transpose()?;
                self.script(&script, shell.as_deref(), folder.as_deref(), &env, frame)
            }
            What::Uses { action, with } => {
                let mut given = BTreeMap::new();
                for (name, value) in with {
                    given.insert(name.clone(), text(&string(value), &scope)?);
                }
                self.uses(action, &given, env)
            }
        }
    }

    /// Runs a script.
    fn script(
        &mut self,
        script: &str,
        shell: Option<&str>,
        folder: Option<&str>,
        env: &BTreeMap<String, String>,
        frame: &Frame,
    ) -> Result<Done, String> {
        self.count += 1;
        let place = self.temp().join(format!("step-{}", self.count));
        fs::create_dir_all(&place).unwrap();
        let file = place.join("script");
        fs::write(&file, script).unwrap();
        let file = file.to_str().unwrap().to_owned();
        let line: Vec<String> = match shell {
            None => vec!["bash".into(), "-e".into(), file],
            Some("bash") => "bash --noprofile --norc -eo pipefail"
                .split(' ')
                .map(str::to_owned)
                .chain([file])
                .collect(),
            Some("sh") => vec!["sh".into(), "-e".into(), file],
            Some("python") => vec!["python3".into(), file],
            Some(other) if other.contains("{0}") => other
                .split(' ')
                .map(|word| word.replace("{0}", &file))
                .collect(),
            Some(other) => panic!("the mini runner knows no shell `{other}`"),
        };
        let folder = self.workspace().join(folder.unwrap_or_default());
        if !folder.is_dir() {
            return Err(format!(
                "An error occurred trying to start process: no such working directory {}",
                folder.display()
            ));
        }
        let log = place.join("log");
        let out = File::create(&log).unwrap();
        let status = Command::new(&line[0])
            .args(&line[1..])
            .current_dir(folder)
            .env_clear()
            .envs(self.environment(env, frame, &place))
            .stdin(Stdio::null())
            .stdout(out.try_clone().unwrap())
            .stderr(out)
            .status();
        let status = status.map_err(|error| format!("{}: {error}", line[0]))?;
        let printed = fs::read(&log).unwrap();
        self.listens(&String::from_utf8_lossy(&printed));
        let told = self.reads(&place);
        let trouble = match status.code() {
            Some(0) => None,
            Some(code) => Some(format!("Process completed with exit code {code}.")),
            None => Some("The process was killed.".to_owned()),
        };
        match told {
            Ok(outputs) => Ok((outputs, trouble)),
            Err(error) => Ok((BTreeMap::new(), Some(error))),
        }
    }

    /// The environment of a script.
    fn environment(
        &self,
        env: &BTreeMap<String, String>,
        frame: &Frame,
        place: &std::path::Path,
    ) -> BTreeMap<String, String> {
        let mut all = BTreeMap::new();
        let mut set = |name: &str, value: &str| {
            all.insert(name.to_owned(), value.to_owned());
        };
        let mut path = self.path.clone();
        for own in ["installed", "bin"] {
            path.push(self.folder.join(own).display().to_string());
        }
        path.push(std::env::var("PATH").unwrap_or_default());
        set("PATH", &path.join(":"));
        let home = std::env::var("HOME").unwrap_or_default();
        // Tools of this machine that look into a home.
        for (name, folder) in [
            ("CARGO_HOME", ".cargo"),
            ("RUSTUP_HOME", ".rustup"),
            ("PYENV_ROOT", ".pyenv"),
        ] {
            let given = std::env::var(name).unwrap_or_else(|_| format!("{home}/{folder}"));
            set(name, &given);
        }
        set("HOME", &self.folder.join("home").display().to_string());
        set("LANG", "C.UTF-8");
        set("TZ", "UTC");
        set("CI", "true");
        set("MAESTRO_NOW", super::run::NOW);
        set("GIT_CONFIG_NOSYSTEM", "1");
        for values in [&self.runner.env, &self.env, env] {
            for (name, value) in values {
                set(name, value);
            }
        }
        set("GITHUB_ACTIONS", "true");
        let github = &self.contexts["github"];
        for name in [
            "event_name",
            "ref",
            "ref_name",
            "ref_type",
            "sha",
            "base_ref",
            "head_ref",
            "repository",
            "repository_owner",
            "repository_id",
            "run_id",
            "run_number",
            "run_attempt",
            "job",
            "workflow",
            "workflow_ref",
            "actor",
            "triggering_actor",
            "server_url",
            "api_url",
            "graphql_url",
            "retention_days",
            "workspace",
        ] {
            let upper = format!("GITHUB_{}", name.to_uppercase());
            set(&upper, &string(&github[name]));
        }
        let event = self.temp().join("event.json");
        fs::write(&event, github["event"].to_string()).unwrap();
        set("GITHUB_EVENT_PATH", event.to_str().unwrap());
        if let Some(action) = &frame.action {
            set("GITHUB_ACTION_PATH", action.to_str().unwrap());
        }
        let machine = &self.contexts["runner"];
        for name in ["os", "arch", "temp", "tool_cache", "name", "environment"] {
            set(
                &format!("RUNNER_{}", name.to_uppercase()),
                &string(&machine[name]),
            );
        }
        for name in FILES {
            let file = place.join(name);
            fs::write(&file, "").unwrap();
            set(name, file.to_str().unwrap());
        }
        all
    }

    /// Hears what was printed: commands, and secrets.
    fn listens(&mut self, printed: &str) {
        let mut until: Option<String> = None;
        for line in printed.lines() {
            if let Some(end) = &until {
                if line.trim() == format!("::{end}::") {
                    until = None;
                }
            } else {
                match said(line) {
                    Some(Said::Mask(mask)) if !mask.trim().is_empty() => {
                        self.masks.push(mask);
                        continue;
                    }
                    Some(Said::Annotation(level, words)) => {
                        let words = self.hides(&words);
                        self.ran.annotations.push((level, words));
                    }
                    Some(Said::Stop(end)) => until = Some(end),
                    _ => {}
                }
            }
            self.log(&format!("{line}\n"));
        }
    }

    /// Reads the files of a step.
    fn reads(&mut self, place: &std::path::Path) -> Result<BTreeMap<String, String>, String> {
        let read = |name: &str| {
            let bytes = fs::read(place.join(name)).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let summary = read("GITHUB_STEP_SUMMARY");
        if summary.len() > 1024 * 1024 {
            return Err(format!(
                "$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of 1024k, got {}k",
                summary.len() / 1024
            ));
        }
        let summary = self.hides(&summary);
        self.ran.summary.push_str(&summary);
        for (name, value) in pairs(&read("GITHUB_ENV"))? {
            if name == "NODE_OPTIONS" {
                return Err(
                    "Can't store NODE_OPTIONS output parameter using '$GITHUB_ENV' command."
                        .to_owned(),
                );
            }
            if !TAKEN.iter().any(|taken| name.starts_with(taken)) {
                self.env.insert(name, value);
            }
        }
        for line in read("GITHUB_PATH").lines().filter(|line| !line.is_empty()) {
            self.path.insert(0, line.to_owned());
        }
        Ok(pairs(&read("GITHUB_OUTPUT"))?.into_iter().collect())
    }

    /// A path below the workspace, or a whole one.
    pub(super) fn place(&self, path: &str) -> PathBuf {
        self.workspace().join(path)
    }
}
