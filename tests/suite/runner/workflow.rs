//! A workflow's file and an action's, as GitHub reads them. A key that is not known here stops the test.

use serde_json::{Map, Value};
use serde_yaml::Value as Yaml;

/// A workflow.
#[derive(Debug)]
pub(crate) struct Workflow {
    pub(crate) name: String,
    pub(crate) on: Value,
    pub(crate) env: Map<String, Value>,
    pub(crate) permissions: Option<Value>,
    pub(crate) defaults: Defaults,
    pub(crate) concurrency: Option<Value>,
    pub(crate) jobs: Vec<Job>,
}

/// `defaults.run`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Defaults {
    pub(crate) shell: Option<String>,
    pub(crate) folder: Option<String>,
}

/// A job.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) needs: Vec<String>,
    pub(crate) condition: Option<Value>,
    pub(crate) permissions: Option<Value>,
    pub(crate) outputs: Map<String, Value>,
    pub(crate) env: Map<String, Value>,
    pub(crate) defaults: Defaults,
    pub(crate) strategy: Option<Yaml>,
    pub(crate) runs_on: Value,
    pub(crate) continue_on_error: Option<Value>,
    pub(crate) concurrency: Option<Value>,
    pub(crate) steps: Vec<Step>,
}

/// A step.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) condition: Option<Value>,
    pub(crate) what: What,
    pub(crate) env: Map<String, Value>,
    pub(crate) continue_on_error: Option<Value>,
}

#[derive(Debug, Clone)]
pub(crate) enum What {
    Run {
        script: String,
        shell: Option<String>,
        folder: Option<String>,
    },
    Uses {
        action: String,
        with: Map<String, Value>,
    },
}

/// A composite action.
#[derive(Debug)]
pub(crate) struct Action {
    /// Inputs with what they are unless given, and whether they have to be.
    pub(crate) inputs: Vec<(String, Option<String>, bool)>,
    pub(crate) outputs: Vec<(String, String)>,
    pub(crate) steps: Vec<Step>,
}

fn read(text: &str) -> Yaml {
    serde_yaml::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The same as JSON.
pub(crate) fn json(yaml: &Yaml) -> Value {
    serde_json::to_value(yaml).unwrap_or_else(|error| panic!("{error}: {yaml:?}"))
}

fn map(value: Option<&Value>) -> Map<String, Value> {
    match value {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(members)) => members.clone(),
        Some(other) => panic!("a mapping is expected, and not {other}"),
    }
}

fn only(value: &Value, known: &[&str], what: &str) {
    let members = value
        .as_object()
        .unwrap_or_else(|| panic!("{what} is no mapping"));
    for name in members.keys() {
        assert!(
            known.contains(&name.as_str()),
            "the mini runner knows no `{name}` in {what}"
        );
    }
}

fn string(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn defaults(value: &Value) -> Defaults {
    if value.is_null() {
        return Defaults::default();
    }
    only(value, &["run"], "`defaults`");
    only(
        &value["run"],
        &["shell", "working-directory"],
        "`defaults.run`",
    );
    Defaults {
        shell: string(&value["run"]["shell"]),
        folder: string(&value["run"]["working-directory"]),
    }
}

impl Workflow {
    pub(crate) fn read(text: &str) -> Self {
        let yaml = read(text);
        let whole = json(&yaml);
        let known = [
            "name",
            "run-name",
            "on",
            "env",
            "permissions",
            "defaults",
            "concurrency",
            "jobs",
        ];
        only(&whole, &known, "a workflow");
        let jobs = yaml["jobs"].as_mapping().expect("`jobs` is a mapping");
        let jobs = jobs
            .iter()
            .map(|(id, job)| Job::read(id.as_str().unwrap(), job));
        let this = Self {
            name: string(&whole["name"]).unwrap_or_else(|| ".github/workflows/w.yml".to_owned()),
            on: whole["on"].clone(),
            env: map(whole.get("env")),
            permissions: whole.get("permissions").cloned(),
            defaults: defaults(&whole["defaults"]),
            concurrency: whole.get("concurrency").cloned(),
            jobs: jobs.collect(),
        };
        for job in &this.jobs {
            for need in &job.needs {
                let is_there = this.jobs.iter().any(|other| other.id == *need);
                assert!(is_there, "job `{}` needs `{need}`, which is none", job.id);
            }
        }
        this
    }

    /// Whether an event on a branch starts it.
    pub(crate) fn is_started_by(&self, event: &str, branch: &str) -> bool {
        match &self.on {
            Value::String(name) => name == event,
            Value::Array(names) => names.iter().any(|name| name == event),
            Value::Object(events) => {
                let Some(filter) = events.get(event) else {
                    return false;
                };
                let Some(branches) = filter["branches"].as_array() else {
                    return true;
                };
                branches.iter().any(|pattern| {
                    let pattern = globset::GlobBuilder::new(pattern.as_str().unwrap())
                        .literal_separator(true)
                        .build();
                    pattern.unwrap().compile_matcher().is_match(branch)
                })
            }
            _ => false,
        }
    }
}

impl Job {
    fn read(id: &str, yaml: &Yaml) -> Self {
        let value = json(yaml);
        let what = format!("job `{id}`");
        let known = [
            "name",
            "needs",
            "if",
            "permissions",
            "outputs",
            "env",
            "defaults",
            "strategy",
            "runs-on",
            "continue-on-error",
            "timeout-minutes",
            "concurrency",
            "environment",
            "steps",
        ];
        only(&value, &known, &what);
        let needs = match &value["needs"] {
            Value::Null => Vec::new(),
            Value::String(one) => vec![one.clone()],
            Value::Array(all) => all.iter().filter_map(string).collect(),
            other => panic!("{what}: `needs` is {other}"),
        };
        let runs_on = value["runs-on"].clone();
        assert!(!runs_on.is_null(), "{what} has no `runs-on`");
        Self {
            id: id.to_owned(),
            name: string(&value["name"]),
            needs,
            condition: value.get("if").cloned(),
            permissions: value.get("permissions").cloned(),
            outputs: map(value.get("outputs")),
            env: map(value.get("env")),
            defaults: defaults(&value["defaults"]),
            strategy: yaml.get("strategy").cloned(),
            runs_on,
            continue_on_error: value.get("continue-on-error").cloned(),
            concurrency: value.get("concurrency").cloned(),
            steps: steps(&value["steps"], &what),
        }
    }
}

fn steps(value: &Value, what: &str) -> Vec<Step> {
    let steps = value.as_array();
    let steps = steps.unwrap_or_else(|| panic!("{what} has no `steps`"));
    let steps: Vec<Step> = steps.iter().map(|step| Step::read(step, what)).collect();
    let ids: Vec<&String> = steps.iter().filter_map(|step| step.id.as_ref()).collect();
    for (at, id) in ids.iter().enumerate() {
        assert!(!ids[..at].contains(id), "{what} has two steps `{id}`");
    }
    steps
}

impl Step {
    fn read(value: &Value, what: &str) -> Self {
        let known = [
            "id",
            "name",
            "if",
            "run",
            "uses",
            "with",
            "env",
            "shell",
            "working-directory",
            "continue-on-error",
            "timeout-minutes",
        ];
        let what = format!("a step of {what}");
        only(value, &known, &what);
        let what = match (string(&value["run"]), string(&value["uses"])) {
            (Some(script), None) => {
                assert!(value["with"].is_null(), "{what}: `with` beside `run`");
                What::Run {
                    script,
                    shell: string(&value["shell"]),
                    folder: string(&value["working-directory"]),
                }
            }
            (None, Some(action)) => {
                assert!(value["shell"].is_null(), "{what}: `shell` beside `uses`");
                What::Uses {
                    action,
                    with: map(value.get("with")),
                }
            }
            _ => panic!("{what} has to have either `run` or `uses`: {value}"),
        };
        Self {
            id: string(&value["id"]),
            name: string(&value["name"]),
            condition: value.get("if").cloned(),
            what,
            env: map(value.get("env")),
            continue_on_error: value.get("continue-on-error").cloned(),
        }
    }
}

impl Action {
    pub(crate) fn read(text: &str) -> Self {
        let value = json(&read(text));
        let known = [
            "name",
            "description",
            "author",
            "branding",
            "inputs",
            "outputs",
            "runs",
        ];
        only(&value, &known, "an action");
        assert!(
            value["name"].is_string() && value["description"].is_string(),
            "an action has a name and a description"
        );
        only(&value["runs"], &["using", "steps"], "`runs`");
        assert_eq!(
            value["runs"]["using"], "composite",
            "the mini runner knows composite actions only"
        );
        let inputs = map(value.get("inputs")).into_iter().map(|(name, input)| {
            let known = ["description", "default", "required", "deprecationMessage"];
            only(&input, &known, "an input");
            let is_required = input["required"] == true;
            (name, string(&input["default"]), is_required)
        });
        let outputs = map(value.get("outputs")).into_iter().map(|(name, output)| {
            only(&output, &["description", "value"], "an output");
            (name, string(&output["value"]).expect("an output's `value`"))
        });
        let steps = steps(&value["runs"]["steps"], "an action");
        for step in &steps {
            if let What::Run { script, shell, .. } = &step.what {
                assert!(
                    shell.is_some(),
                    "an action's `run` has no `shell`: {script}"
                );
            }
        }
        Self {
            inputs: inputs.collect(),
            outputs: outputs.collect(),
            steps,
        }
    }
}
