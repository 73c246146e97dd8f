//! The configuration, as plans need it.

use serde_json::Value;

use crate::cli::session::Session;
use crate::cli::trouble::Reported;
use crate::config::ConfigFile;
use crate::config::file::{EnforceWord, JobFile, OneOrMany, ShardsFile};
use crate::error::{CommandError, ErrorKind};
use crate::plan::graph::components::{Component, Components};
use crate::plan::graph::patterns::{BadGlob, Patterns};
use crate::plan::jobs::{Job, Selector, When};
use crate::plan::matrix::{RESERVED, combinations};
use crate::plan::rules::Rules;

/// The configuration, checked.
pub(in crate::cli) struct PlanSettings {
    pub(in crate::cli) rules: Rules,
    pub(in crate::cli) components: Components,
    /// None where the configuration names no job.
    pub(in crate::cli) jobs: Option<Vec<Job>>,
    pub(super) enforced: bool,
}

/// Checks a configuration.
pub(in crate::cli) fn read(
    session: &Session<'_>,
    config: &ConfigFile,
) -> Result<PlanSettings, CommandError> {
    let mut rules = Rules::none(&config_dir(session));
    rules.run_all_on = globs("run_all_on", &config.run_all_on)?;
    rules.ignore = globs("ignore", &config.ignore)?;
    let mut jobs = Vec::new();
    for (name, file) in &config.jobs {
        if !file.paths.is_empty() {
            rules.jobs.push((
                name.clone(),
                globs(&format!("jobs.{name}.paths"), &file.paths)?,
            ));
        }
        jobs.push(job(name, file)?);
    }
    let mut components = Components::new();
    for (name, file) in &config.components {
        let component = Component::new(&file.paths, &file.depends_on);
        let component =
            component.map_err(|error| error.reported(&format!("components.{name}.paths")))?;
        components.insert(name.clone(), component);
    }
    for (name, component) in &components {
        for on in component.depends_on.iter().filter(|on| !on.contains(':')) {
            if !components.contains_key(on) {
                let known: Vec<&str> = components.keys().map(String::as_str).collect();
                let message =
                    format!("component `{name}` depends on `{on}`, which is not declared");
                let error = CommandError::message(ErrorKind::BadConfig, message);
                return Err(match crate::config::nearest(on, &known) {
                    Some(near) => error.hint(format!("did you mean `{near}`?")),
                    None => error.hint(
                        "name a component, or a project by its id, for example `cargo:crates/a`",
                    ),
                });
            }
        }
    }
    Ok(PlanSettings {
        rules,
        components,
        jobs: (!jobs.is_empty()).then_some(jobs),
        enforced: config.enforce.contains(&EnforceWord::Plan),
    })
}

fn job(name: &str, file: &JobFile) -> Result<Job, CommandError> {
    let selectors = file
        .projects
        .as_ref()
        .map(OneOrMany::texts)
        .unwrap_or_default();
    let matchers = selectors.iter().map(|text| {
        let matcher = Selector::parse(text).matcher();
        matcher.map_err(|error| error.reported(&format!("jobs.{name}.projects")))
    });
    if let Some(axis) = file
        .axes
        .keys()
        .find(|axis| RESERVED.contains(&axis.as_str()))
    {
        let message =
            format!("job `{name}` has an axis `{axis}`, which lines of the matrix have themselves");
        return Err(
            CommandError::message(ErrorKind::BadConfig, message).hint("give the axis another name")
        );
    }
    if file
        .shards
        .is_some_and(|shards| matches!(shards, ShardsFile::Count(0)))
    {
        let message = format!("job `{name}` has no shard");
        return Err(CommandError::message(ErrorKind::BadConfig, message)
            .hint("write a number from 1, or `auto`"));
    }
    check_size(name, file)?;
    check_when(name, file)?;
    check_runner(name, file)?;
    Ok(Job {
        projects: matchers.collect::<Result<_, _>>()?,
        has_paths: !file.paths.is_empty(),
        run: file.run.clone(),
        runs_on: file.runs_on.clone(),
        axes: file.axes.clone(),
        exclude: file.exclude.clone(),
        services: file.services.clone(),
        when: When {
            events: file.when.events.clone(),
            branches: file.when.branches.clone(),
            labels: file.when.labels.clone(),
        },
        shards: match file.shards {
            Some(ShardsFile::Count(count)) => Some(count),
            _ => None,
        },
        auto_shards: matches!(file.shards, Some(ShardsFile::Auto(_))),
        per_project: file.per.is_some(),
        timeout_minutes: file.timeout_minutes,
        ..Job::named(name)
    })
}

/// A matrix has 256 lines; a job that asks for so much more has a mistake in it.
const MOST_LEGS: u64 = 4_096;

fn check_size(name: &str, file: &JobFile) -> Result<(), CommandError> {
    let bad = |message: String, hint: &str| {
        Err(CommandError::message(ErrorKind::BadConfig, message).hint(hint))
    };
    if let Some((axis, _)) = file.axes.iter().find(|(_, values)| values.is_empty()) {
        let message =
            format!("job `{name}` has an axis `{axis}` without a value: it would never run");
        return bad(message, "give the axis a value, or take it out");
    }
    let shards = match file.shards {
        Some(ShardsFile::Count(count)) => u64::from(count),
        _ => 1,
    };
    let lengths = file.axes.values().map(|values| values.len() as u64);
    let legs = lengths.fold(shards, u64::saturating_mul);
    if legs > MOST_LEGS {
        let message = format!("job `{name}` has {legs} combinations of axes and shards");
        return bad(message, "a matrix has at most 256 lines: split less");
    }
    let job = Job {
        axes: file.axes.clone(),
        exclude: file.exclude.clone(),
        ..Job::named(name)
    };
    if !file.exclude.is_empty() && combinations(&job).is_empty() {
        let message =
            format!("job `{name}` excludes every combination of its axes: it would never run");
        return bad(message, "leave one combination in");
    }
    Ok(())
}

/// Events that start workflows (docs.github.com, "Events that trigger workflows").
const EVENTS: &[&str] = &[
    "branch_protection_rule",
    "check_run",
    "check_suite",
    "create",
    "delete",
    "deployment",
    "deployment_status",
    "discussion",
    "discussion_comment",
    "fork",
    "gollum",
    "image_version",
    "issue_comment",
    "issues",
    "label",
    "merge_group",
    "milestone",
    "page_build",
    "public",
    "pull_request",
    "pull_request_comment",
    "pull_request_review",
    "pull_request_review_comment",
    "pull_request_target",
    "push",
    "registry_package",
    "release",
    "repository_dispatch",
    "schedule",
    "status",
    "watch",
    "workflow_call",
    "workflow_dispatch",
    "workflow_run",
];

fn check_when(name: &str, file: &JobFile) -> Result<(), CommandError> {
    globs(&format!("jobs.{name}.when.branches"), &file.when.branches)?;
    let Some(unknown) = file
        .when
        .events
        .iter()
        .find(|event| !EVENTS.contains(&event.as_str()))
    else {
        return Ok(());
    };
    let message = format!("`jobs.{name}.when.events`: no event of GitHub is called `{unknown}`");
    let error = CommandError::message(ErrorKind::BadConfig, message);
    Err(match crate::config::nearest(unknown, EVENTS) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint(
            "they are listed under \"Events that trigger workflows\" in GitHub's documentation",
        ),
    })
}

/// `runs_on` may name axes only.
fn check_runner(name: &str, file: &JobFile) -> Result<(), CommandError> {
    let texts: Vec<&str> = match &file.runs_on {
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    for text in texts {
        for part in text.split('{').skip(1) {
            let word = part.split('}').next().unwrap_or_default();
            if !file.axes.contains_key(word) {
                let message =
                    format!("`jobs.{name}.runs_on` names `{{{word}}}`, which is no axis of it");
                let known: Vec<&str> = file.axes.keys().map(String::as_str).collect();
                let error = CommandError::message(ErrorKind::BadConfig, message);
                return Err(match crate::config::nearest(word, &known) {
                    Some(near) => error.hint(format!("did you mean `{near}`?")),
                    None => error.hint("add the axis under `axes`, or write the label out"),
                });
            }
        }
    }
    Ok(())
}

fn globs(key: &str, globs: &[String]) -> Result<Patterns, CommandError> {
    Patterns::new(globs).map_err(|error| error.reported(key))
}

impl Reported for BadGlob {
    fn reported(self, of: &str) -> CommandError {
        CommandError::message(ErrorKind::BadConfig, format!("`{of}`: {self}"))
            .hint("`*` is any name, `**` any folders, `[ab]` one of these, `{a,b}` either; `!` takes out again")
    }
}

/// Returns the folder of the configuration from the repository's top.
fn config_dir(session: &Session<'_>) -> String {
    let dir = session.maestro_dir();
    let top = session
        .checkout
        .as_ref()
        .ok()
        .and_then(|checkout| checkout.top.clone());
    let inside = top.and_then(|top| {
        dir.strip_prefix(top)
            .ok()
            .map(|inside| inside.to_string_lossy().replace('\\', "/"))
    });
    inside.unwrap_or_else(|| ".maestro".to_owned())
}

/// What the configuration names, with its keys, for looking at each.
pub(super) struct Lists {
    pub(super) patterns: Vec<(String, Patterns)>,
    /// Ids of projects that components depend on.
    pub(super) named: Vec<(String, String)>,
}

/// Returns what the configuration names.
pub(super) fn lists(config: &ConfigFile) -> Result<Lists, CommandError> {
    let mut patterns = Vec::new();
    let mut add = |key: String, list: &[String]| -> Result<(), CommandError> {
        if !list.is_empty() {
            let compiled = globs(&key, list)?;
            patterns.push((key, compiled));
        }
        Ok(())
    };
    add("run_all_on".to_owned(), &config.run_all_on)?;
    add("ignore".to_owned(), &config.ignore)?;
    for (name, job) in &config.jobs {
        add(format!("jobs.{name}.paths"), &job.paths)?;
    }
    let mut named = Vec::new();
    for (name, component) in &config.components {
        add(format!("components.{name}.paths"), &component.paths)?;
        let ids = component.depends_on.iter().filter(|on| on.contains(':'));
        named.extend(ids.map(|id| (format!("components.{name}.depends_on"), id.clone())));
    }
    Ok(Lists { patterns, named })
}
