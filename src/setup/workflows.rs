//! The texts of the workflows: the pipeline of pull requests, and the one that looks after the state.
//!
//! Rules that tests hold: at most 60 lines, no `${{ }}` in `run:`, every action at a commit, and no job with a right to write runs the code
//! of a change.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::actions::{
    Action, CHECKOUT, INSTALL_TOOL, SETUP_BUN, SETUP_GO, SETUP_NODE, SETUP_PNPM, SETUP_PYTHON,
    SETUP_UV, UPLOAD_ARTIFACT,
};
use super::{Job, Seen, Tool};

/// Where they lie.
pub(crate) const PIPELINE: &str = ".github/workflows/maestro.yml";
pub(crate) const WEEKLY: &str = ".github/workflows/maestro-weekly.yml";

/// What the texts depend on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Place {
    pub(crate) default_branch: String,
    /// The folder of the configuration, where it is not `.maestro`.
    pub(crate) folder: Option<String>,
    /// An action that sets maestro up, as `OWNER/NAME@COMMIT`.
    pub(crate) action: Option<String>,
    pub(crate) version: String,
    /// What says which version of a language it is.
    pub(crate) versions: Versions,
}

/// Lines of `with:` that choose versions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Versions {
    node: Option<String>,
    python: Option<String>,
    go: Option<String>,
    /// Whether package.json says which pnpm.
    has_pnpm: bool,
}

impl Versions {
    /// Reads what the repository says.
    pub(crate) fn of(seen: Seen<'_>) -> Self {
        let first = |names: &[&str]| {
            let found = names.iter().find(|name| seen.sources.has(name));
            found.map(|name| (*name).to_owned())
        };
        let files = seen.sources.tree.iter().map(|(path, _)| path);
        let module = files
            .filter(|path| crate::plan::sources::file_name(path) == "go.mod")
            .min_by_key(|path| (path.matches('/').count(), (*path).to_owned()))
            .map(str::to_owned);
        let package = seen.sources.json("package.json").and_then(Result::ok);
        Self {
            node: first(&[".nvmrc", ".node-version", ".tool-versions"]),
            python: first(&[".python-version"]),
            go: first(&["go.work", "go.mod"]).or(module),
            has_pnpm: package.is_some_and(|package| package.get("packageManager").is_some()),
        }
    }
}

/// Returns the step that sets maestro up.
fn set_up(place: &Place) -> String {
    match &place.action {
        Some(action) => format!("      - uses: {action} # maestro {}\n", place.version),
        None => format!(
            "      - run: cargo install {} --locked --version {}\n",
            env!("CARGO_PKG_NAME"),
            place.version
        ),
    }
}

fn environment(place: &Place) -> String {
    let folder = place.folder.as_deref().map(|folder| {
        let quoted = crate::json::text(folder).unwrap_or_default();
        format!(", MAESTRO_DIR: {quoted}")
    });
    format!(
        "env: {{ MAESTRO_DISABLE: \"${{{{ vars.MAESTRO_DISABLE }}}}\"{} }}\n",
        folder.unwrap_or_default()
    )
}

/// Writes the pipeline: which jobs, those jobs, one verdict.
pub(crate) fn pipeline(place: &Place, jobs: &[Job]) -> String {
    let set_up = set_up(place);
    let tools = tools(place, jobs);
    let branch = crate::json::text(&place.default_branch).unwrap_or_default();
    format!(
        "\
# Which jobs a change needs, those jobs, and one verdict. Written by `maestro init`; it is yours.
# It blocks nothing until .maestro/maestro.yaml enforces something; the variable MAESTRO_DISABLE=1 stops it at once.
name: maestro
on: {{ pull_request: {{}}, merge_group: {{}}, push: {{ branches: [{branch}] }} }}
permissions: {{}}
concurrency: {{ group: \"maestro-${{{{ github.event.pull_request.number || github.run_id }}}}\", cancel-in-progress: true }}
{environment}jobs:
  plan:
    name: plan
    runs-on: ubuntu-latest
    timeout-minutes: 30
    permissions: {{ contents: read, actions: read }} # actions: which commit of a branch passed last
    outputs: {{ matrix: \"${{{{ steps.plan.outputs.matrix }}}}\", has_jobs: \"${{{{ steps.plan.outputs.has_jobs }}}}\", trusted: \"${{{{ steps.plan.outputs.trusted }}}}\" }}
    steps:
      - uses: {CHECKOUT} # zizmor: ignore[artipacked] it runs no code of the change, and git asks for the base
        with: {{ fetch-depth: 0 }}
{set_up}      - id: plan
        run: maestro plan
        env: {{ GITHUB_TOKEN: \"${{{{ github.token }}}}\" }}
  test:
    name: ${{{{ matrix.id }}}}
    needs: plan
    if: needs.plan.outputs.has_jobs == 'true'
    strategy: {{ fail-fast: false, matrix: \"${{{{ fromJSON(needs.plan.outputs.matrix) }}}}\" }}
    runs-on: ${{{{ matrix.runs_on || 'ubuntu-latest' }}}} # zizmor: ignore[self-hosted-runner] what the configuration says
    permissions: {{ contents: read }} # the only job that runs the code of a change
    steps:
      - uses: {CHECKOUT}
        with: {{ persist-credentials: false }}
{tools}{set_up}      - run: maestro exec \"$JOB\" ${{SHARD:+--shard \"$SHARD\"}}
        env: {{ JOB: \"${{{{ matrix.job }}}}\", SHARD: \"${{{{ matrix.shard }}}}\", MAESTRO_TRUSTED: \"${{{{ needs.plan.outputs.trusted }}}}\" }}
      - id: pack
        if: always()
        run: maestro state pack \"$RUNNER_TEMP/maestro-events.ndjson\"
      - if: always() && steps.pack.outputs.packed != '0'
        uses: {UPLOAD_ARTIFACT}
        with: {{ name: \"${{{{ steps.pack.outputs.artifact }}}}\", path: \"${{{{ runner.temp }}}}/maestro-events.ndjson\", if-no-files-found: error, retention-days: 14 }}
  gate:
    name: gate
    needs: [plan, test]
    if: always()
    runs-on: ubuntu-latest
    timeout-minutes: 30
    permissions: {{ contents: read, actions: read, pull-requests: write }} # it runs no code of the change, and writes one comment
    steps:
      - uses: {CHECKOUT} # zizmor: ignore[artipacked] it runs no code of the change, and git asks for the base
        with: {{ fetch-depth: 0 }}
{set_up}      - {{ run: maestro state pull, continue-on-error: true }} # what agents spent and how tests flake; the gate says what it lacks
      - run: maestro gate --comment
        env: {{ GITHUB_TOKEN: \"${{{{ github.token }}}}\", MAESTRO_NEEDS: \"${{{{ toJSON(needs) }}}}\" }}
",
        environment = environment(place),
        CHECKOUT = CHECKOUT.uses(),
        UPLOAD_ARTIFACT = UPLOAD_ARTIFACT.uses(),
    )
}

/// Returns the steps that set up what the jobs need, each for the jobs that need it.
fn tools(place: &Place, jobs: &[Job]) -> String {
    let mut out = String::new();
    let versions = &place.versions;
    let all: BTreeSet<Tool> = jobs
        .iter()
        .flat_map(|job| job.tools.iter().copied())
        .collect();
    for tool in all {
        let needing: Vec<&str> = jobs
            .iter()
            .filter(|job| job.tools.contains(&tool))
            .map(|job| job.name.as_str())
            .collect();
        let step = step(tool, versions);
        // Names of jobs have no quotes in them.
        let names = crate::json::text(&needing).unwrap_or_default();
        let names = names.replace('"', "\\\"");
        let condition = if needing.len() < jobs.len() {
            format!("if: \"contains(fromJSON('{names}'), matrix.job)\", ")
        } else {
            String::new()
        };
        let with = step.with.map(|with| format!(", with: {{ {with} }}"));
        let with = with.unwrap_or_default();
        let _ = match step.what {
            What::Uses(action) => {
                let uses = action.uses();
                let (action, version) = uses.split_once(' ').unwrap_or((&uses, ""));
                writeln!(
                    out,
                    "      - {{ {condition}uses: \"{action}\"{with} }} {version}"
                )
            }
            What::Run(command) => writeln!(out, "      - {{ {condition}run: {command} }}"),
        };
    }
    out
}

/// A step that sets something up.
struct Step {
    what: What,
    with: Option<String>,
}

enum What {
    Uses(Action),
    Run(&'static str),
}

fn step(tool: Tool, versions: &Versions) -> Step {
    let uses = |action, with| Step {
        what: What::Uses(action),
        with,
    };
    let run = |command| Step {
        what: What::Run(command),
        with: None,
    };
    let file = |key: &str, file: &Option<String>, otherwise: &str| match file {
        Some(file) => {
            let file = crate::json::text(file).unwrap_or_default();
            Some(format!("{key}-file: {file}"))
        }
        None => Some(format!("{key}: \"{otherwise}\"")),
    };
    match tool {
        Tool::Nextest => uses(INSTALL_TOOL, Some("tool: nextest".to_owned())),
        Tool::Pnpm => {
            let version = (!versions.has_pnpm).then(|| "version: 10".to_owned());
            uses(SETUP_PNPM, version)
        }
        Tool::Node => uses(SETUP_NODE, file("node-version", &versions.node, "lts/*")),
        Tool::Bun => uses(SETUP_BUN, None),
        Tool::Python => uses(
            SETUP_PYTHON,
            file("python-version", &versions.python, "3.x"),
        ),
        Tool::Uv => uses(SETUP_UV, None),
        Tool::Poetry => run("pipx install poetry==2.1.4"),
        Tool::Go => uses(SETUP_GO, file("go-version", &versions.go, "stable")),
    }
}

/// Writes the workflow that looks after the state.
pub(crate) fn weekly(place: &Place) -> String {
    format!(
        "\
# Takes in what jobs left as artifacts, every night, and writes the page for the team, every Monday. Written by `maestro init`; it is yours.
# It is the only workflow of maestro's that may write to the repository, and it runs nobody's code: it reads data, and believes nothing in it.
name: maestro weekly
on:
  schedule:
    - cron: \"17 3 * * *\"
    - cron: \"41 5 * * 1\"
  workflow_dispatch: {{}}
permissions: {{}}
concurrency: {{ group: maestro-state, cancel-in-progress: false }}
{environment}jobs:
  state:
    name: state
    runs-on: ubuntu-latest
    timeout-minutes: 60
    permissions: {{ contents: write, actions: read }} # contents: the branch of the state; actions: artifacts
    steps:
      - uses: {CHECKOUT} # zizmor: ignore[artipacked] git pushes the branch of the state
        with: {{ fetch-depth: 0 }}
{set_up}      - run: maestro state sync
        env: {{ GITHUB_TOKEN: \"${{{{ github.token }}}}\" }}
      - if: github.event.schedule != '17 3 * * *'
        run: maestro learning-pack
        env: {{ GITHUB_TOKEN: \"${{{{ github.token }}}}\" }}
",
        environment = environment(place),
        set_up = set_up(place),
        CHECKOUT = CHECKOUT.uses(),
    )
}

#[cfg(test)]
mod tests {
    use serde_yaml::Value;

    use super::*;

    const EVERY: [Tool; 8] = [
        Tool::Nextest,
        Tool::Pnpm,
        Tool::Node,
        Tool::Bun,
        Tool::Python,
        Tool::Uv,
        Tool::Poetry,
        Tool::Go,
    ];

    fn place(action: Option<&str>) -> Place {
        Place {
            default_branch: "main".to_owned(),
            version: "0.1.0".to_owned(),
            action: action.map(str::to_owned),
            folder: action.map(|_| "ci: \"x\"".to_owned()),
            ..Place::default()
        }
    }

    /// Every text that can come out of every single tool, of a mixed repository, and of none.
    fn every() -> Vec<(String, String)> {
        let job = |name: &str, tools: &[Tool]| Job {
            name: name.to_owned(),
            tools: tools.iter().copied().collect(),
            ..Job::default()
        };
        let mut sets: Vec<Vec<Job>> = EVERY.iter().map(|tool| vec![job("a", &[*tool])]).collect();
        sets.push(vec![]);
        sets.push(vec![
            job("rust", &[Tool::Nextest]),
            job("node", &[Tool::Pnpm, Tool::Node]),
            job("python", &[Tool::Uv]),
        ]);
        let action = "acme/maestro@0123456789012345678901234567890123456789";
        let mut texts = Vec::new();
        for place in [place(None), place(Some(action))] {
            for jobs in &sets {
                texts.push((PIPELINE.to_owned(), pipeline(&place, jobs)));
            }
            texts.push((WEEKLY.to_owned(), weekly(&place)));
        }
        texts
    }

    fn steps(job: &Value) -> &Vec<Value> {
        job["steps"].as_sequence().unwrap()
    }

    fn jobs(text: &str) -> Vec<(String, Value)> {
        let workflow: Value =
            serde_yaml::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(
            workflow["permissions"],
            Value::Mapping(serde_yaml::Mapping::new())
        );
        let jobs = workflow["jobs"].as_mapping().unwrap().clone();
        jobs.into_iter()
            .map(|(name, job)| (name.as_str().unwrap().to_owned(), job))
            .collect()
    }

    #[test]
    fn no_workflow_is_longer_than_sixty_lines() {
        for (path, text) in every() {
            let count = text.lines().count();
            assert!(count <= 60, "{path}: {count}\n{text}");
        }
    }

    #[test]
    fn no_job_that_runs_code_of_a_change_may_write() {
        for (path, text) in every() {
            for (name, job) in jobs(&text) {
                let permissions = job["permissions"].as_mapping().unwrap();
                let may_write = permissions.values().any(|one| one.as_str() != Some("read"));
                let runs = steps(&job).iter().filter_map(|step| step["run"].as_str());
                let is_ours = |run: &str| {
                    [
                        "maestro plan",
                        "maestro state pull",
                        "maestro gate --comment",
                        "maestro state sync",
                        "maestro learning-pack",
                    ]
                    .contains(&run)
                        || run.starts_with("cargo install maestro-ci --locked --version ")
                };
                let runs_code = runs.into_iter().any(|run| !is_ours(run));
                assert!(!(may_write && runs_code), "{path}: {name}");
                assert_eq!(runs_code, name == "test", "{path}: {name}");
                let keeps_token = steps(&job).iter().any(|step| {
                    let uses = step["uses"].as_str().unwrap_or_default();
                    uses.starts_with("actions/checkout@")
                        && step["with"]["persist-credentials"].as_bool() != Some(false)
                });
                let sees_token = serde_yaml::to_string(&job)
                    .unwrap()
                    .contains("github.token");
                assert!(
                    !(runs_code && (keeps_token || sees_token)),
                    "{path}: {name}"
                );
            }
        }
    }

    #[test]
    fn no_command_has_an_expression_in_it_and_every_action_is_a_commit() {
        for (path, text) in every() {
            for (name, job) in jobs(&text) {
                for step in steps(&job) {
                    let run = step["run"].as_str().unwrap_or_default();
                    assert!(!run.contains("${{"), "{path}: {name}: {run}");
                    let Some(uses) = step["uses"].as_str() else {
                        continue;
                    };
                    let commit = uses.split_once('@').unwrap().1;
                    assert!(
                        commit.len() == 40 && commit.bytes().all(|b| b.is_ascii_hexdigit()),
                        "{uses}"
                    );
                }
            }
            for line in text.lines().filter(|line| line.contains("uses: ")) {
                assert!(
                    line.contains(" # v") || line.contains(" # maestro "),
                    "no version beside {line}"
                );
            }
        }
    }

    #[test]
    fn a_step_is_for_the_jobs_that_need_it() {
        let node = Job {
            name: "node".to_owned(),
            tools: BTreeSet::from([Tool::Node]),
            ..Job::default()
        };
        let other = Job {
            name: "rust".to_owned(),
            ..Job::default()
        };
        let alone = pipeline(&place(None), std::slice::from_ref(&node));
        assert!(!alone.contains("matrix.job)"));
        let both = pipeline(&place(None), &[node, other]);
        assert!(both.contains(r#"if: "contains(fromJSON('[\"node\"]'), matrix.job)", uses"#));
    }
}
