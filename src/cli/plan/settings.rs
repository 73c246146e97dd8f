//! The configuration, as plans need it.

use crate::cli::session::Session;
use crate::config::ConfigFile;
use crate::config::file::{EnforceWord, JobFile, OneOrMany, ShardsFile};
use crate::error::{CommandError, ErrorKind};
use crate::plan::graph::components::{Component, Components};
use crate::plan::graph::patterns::{BadGlob, Patterns};
use crate::plan::jobs::{Job, Selector, When};
use crate::plan::matrix::RESERVED;
use crate::plan::rules::Rules;

/// What `auto` splits into.
const AUTO_SHARDS: u32 = 4;

/// The configuration, checked.
pub(super) struct PlanSettings {
    pub(super) rules: Rules,
    pub(super) components: Components,
    /// None where the configuration names no job.
    pub(super) jobs: Option<Vec<Job>>,
    pub(super) enforced: bool,
}

/// Checks a configuration.
pub(super) fn read(
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
            component.map_err(|error| bad_glob(&format!("components.{name}.paths"), &error))?;
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
        matcher.map_err(|error| bad_glob(&format!("jobs.{name}.projects"), &error))
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
        shards: file.shards.map(|shards| match shards {
            ShardsFile::Count(count) => count,
            ShardsFile::Auto(_) => AUTO_SHARDS,
        }),
        per_project: file.per.is_some(),
        timeout_minutes: file.timeout_minutes,
        ..Job::named(name)
    })
}

fn globs(key: &str, globs: &[String]) -> Result<Patterns, CommandError> {
    Patterns::new(globs).map_err(|error| bad_glob(key, &error))
}

fn bad_glob(key: &str, error: &BadGlob) -> CommandError {
    CommandError::message(ErrorKind::BadConfig, format!("`{key}`: {error}"))
        .hint("`*` is any name, `**` any folders, `[ab]` one of these, `{a,b}` either; `!` takes out again")
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
