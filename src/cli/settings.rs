//! The settings that are in force: flags before the environment, the environment before the file.

use std::path::Path;

use clap::ValueEnum;
use jiff::Timestamp;

use super::globals::GlobalArgs;
use crate::config::{self, ConfigFile, Setting, choose};
use crate::error::{CommandError, ErrorKind};
use crate::output;
use crate::ports::World;
use crate::ui::{ColorChoice, LogFormat};

/// Settings that flags, the environment and the file decide together.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) format: Setting<output::Format>,
    pub(crate) color: Setting<ColorChoice>,
    pub(crate) log_format: Setting<LogFormat>,
    pub(crate) now: Setting<Option<Timestamp>>,
    pub(crate) offline: Setting<bool>,
    pub(crate) redact: Setting<bool>,
    pub(crate) remote: Setting<String>,
    pub(crate) state_branch: Setting<String>,
}

/// Reads a variable or file value that must be one of a few words.
fn word<T: ValueEnum>(source: &str, text: &str) -> Result<T, CommandError> {
    T::from_str(text, false).map_err(|_| {
        let names: Vec<String> = T::value_variants()
            .iter()
            .filter_map(ValueEnum::to_possible_value)
            .map(|value| value.get_name().to_owned())
            .collect();
        let known: Vec<&str> = names.iter().map(String::as_str).collect();
        let failure = CommandError::message(
            ErrorKind::BadConfig,
            format!(
                "{source} is `{text}`, which is not one of {}",
                names.join(", ")
            ),
        );
        match config::nearest(text, &known) {
            Some(near) => failure.hint(format!("did you mean `{near}`?")),
            None => failure.hint(format!("set {source} to one of them, or remove it")),
        }
    })
}

pub(super) fn settings(
    world: &World,
    globals: &GlobalArgs,
    file: Option<(&ConfigFile, &Path)>,
) -> Result<Settings, CommandError> {
    let text = |name: &str| {
        world
            .environment
            .var(name)
            .map(|value| value.to_string_lossy().into_owned())
    };
    let path = file.map(|(_, path)| path.to_string_lossy().into_owned());
    let path = path.as_deref().unwrap_or_default();
    let output = file
        .map(|(config, _)| config.output.clone())
        .unwrap_or_default();
    Ok(Settings {
        format: choose_word(
            globals.format,
            "--format",
            (text("MAESTRO_FORMAT"), "MAESTRO_FORMAT"),
            (output.format.map(Into::into), path),
        )?,
        color: choose_word(
            globals.color,
            "--color",
            (text("MAESTRO_COLOR"), "MAESTRO_COLOR"),
            (output.color.map(Into::into), path),
        )?,
        log_format: choose_word(
            globals.log_format,
            "--log-format",
            (text("MAESTRO_LOG_FORMAT"), "MAESTRO_LOG_FORMAT"),
            (output.log_format.map(Into::into), path),
        )?,
        now: choose(
            globals.now.map(Some),
            "--now",
            text("MAESTRO_NOW")
                .map(|value| time("MAESTRO_NOW", &value))
                .transpose()?
                .map(Some),
            "MAESTRO_NOW",
            None,
            None,
        ),
        offline: choose(
            globals.offline.then_some(true),
            "--offline",
            text("MAESTRO_OFFLINE")
                .map(|value| truth("MAESTRO_OFFLINE", &value))
                .transpose()?,
            "MAESTRO_OFFLINE",
            None,
            false,
        ),
        redact: choose(
            None,
            "",
            text("MAESTRO_REDACT")
                .map(|value| truth("MAESTRO_REDACT", &value))
                .transpose()?,
            "MAESTRO_REDACT",
            file.and_then(|(config, _)| config.state.redact)
                .map(|value| (value, path)),
            true,
        ),
        remote: choose(
            None,
            "--remote",
            text("MAESTRO_REMOTE"),
            "MAESTRO_REMOTE",
            file.and_then(|(config, _)| config.state.remote.clone())
                .map(|value| (value, path)),
            "origin".to_owned(),
        ),
        state_branch: state_branch(&text, file, path)?,
    })
}

fn choose_word<T: ValueEnum + Default>(
    flag: Option<T>,
    flag_name: &'static str,
    (environment, variable): (Option<String>, &'static str),
    (file, path): (Option<String>, &str),
) -> Result<Setting<T>, CommandError> {
    let environment = environment.map(|text| word(variable, &text)).transpose()?;
    let file = file
        .map(|text| word(&format!("a value in `{path}`"), &text))
        .transpose()?
        .map(|value| (value, path));
    Ok(choose(
        flag,
        flag_name,
        environment,
        variable,
        file,
        T::default(),
    ))
}

fn truth(variable: &str, text: &str) -> Result<bool, CommandError> {
    match text {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        other => Err(CommandError::message(
            ErrorKind::BadConfig,
            format!("{variable} is `{other}`, which is neither true nor false"),
        )
        .hint(format!("set {variable} to `true` or `false`, or remove it"))),
    }
}

fn time(variable: &str, text: &str) -> Result<Timestamp, CommandError> {
    text.parse().map_err(|error: jiff::Error| {
        CommandError::message(
            ErrorKind::BadConfig,
            format!("{variable} is `{text}`, which is no time ({error})"),
        )
        .hint("write it in RFC 3339, for example 2026-01-05T09:00:00Z")
    })
}

fn state_branch(
    text: &dyn Fn(&str) -> Option<String>,
    file: Option<(&ConfigFile, &Path)>,
    path: &str,
) -> Result<Setting<String>, CommandError> {
    let branch = choose(
        None,
        "",
        text("MAESTRO_STATE_BRANCH"),
        "MAESTRO_STATE_BRANCH",
        file.and_then(|(config, _)| config.state.branch.clone())
            .map(|value| (value, path)),
        "maestro-state".to_owned(),
    );
    let name = branch.value.strip_prefix("refs/heads/");
    let name = name.unwrap_or(&branch.value).to_owned();
    if is_branch_name(&name) {
        return Ok(Setting {
            value: name,
            origin: branch.origin,
        });
    }
    let message = format!(
        "`{}` ({}) is no name of a branch",
        branch.value,
        branch.origin.describe()
    );
    Err(CommandError::message(ErrorKind::BadConfig, message)
        .hint("name the branch that holds the state, for example `maestro-state`"))
}

/// What git takes for a branch (git-check-ref-format), without what a refspec would read otherwise.
fn is_branch_name(name: &str) -> bool {
    let is_bad = |c: char| c.is_ascii_control() || " ~^:?*[\\".contains(c);
    !name.is_empty()
        && name != "HEAD"
        && !name.contains(is_bad)
        && !name.contains("..")
        && !name.contains("@{")
        && !name.starts_with('-')
        && !name.ends_with('.')
        && name.split('/').all(|part| {
            !part.is_empty() && !part.starts_with('.') && part.strip_suffix(".lock").is_none()
        })
}

#[cfg(test)]
mod tests {
    use super::is_branch_name;

    #[test]
    fn names_that_git_would_read_otherwise_are_refused() {
        for good in ["maestro-state", "ci/state", "état"] {
            assert!(is_branch_name(good), "{good}");
        }
        for bad in [
            "", "HEAD", "-f", "a:b", "a b", "a..b", "*", "a/", "/a", ".a", "a.lock", "a@{1}",
        ] {
            assert!(!is_branch_name(bad), "{bad}");
        }
    }
}
