//! The configuration as it counts: a repository's file over its organisation's, which `extends:` names.

use super::extends::{self, Asked};
use super::session::{LARGEST_CONFIG, Session};
use crate::config::extends::Extends;
use crate::config::file::{self, CONFIG_SCHEMA};
use crate::config::layers::{BadBase, Layers};
use crate::config::locks::Loosened;
use crate::config::{self, ConfigFile, YamlError};
use crate::error::{CommandError, ErrorKind, Unhinted};
use crate::prompts::place::{Step, place_of};

/// What stands below a repository's configuration.
#[derive(Debug, Clone)]
pub(crate) struct Floor {
    pub(crate) extends: Extends,
    pub(crate) text: String,
    pub(crate) layers: Layers,
}

fn bad(message: String) -> Unhinted {
    CommandError::message(ErrorKind::BadConfig, message)
}

/// Reads the configuration of a commit that is trusted: whoever it extends is asked anew.
pub(in crate::cli) fn trusted(
    session: &mut Session<'_>,
    bytes: &[u8],
    shown: &str,
    may_fetch: bool,
) -> Result<ConfigFile, CommandError> {
    let asked = Asked {
        what: "configuration",
        may_fetch,
        may_keep: false,
    };
    let text = String::from_utf8_lossy(bytes);
    whole(session, &text, shown, asked).map(|(config, _)| config)
}

/// Reads a configuration's text, and what it extends.
pub(in crate::cli) fn whole(
    session: &mut Session<'_>,
    text: &str,
    shown: &str,
    asked: Asked,
) -> Result<(ConfigFile, Option<Floor>), CommandError> {
    let own = parse_config(text, shown)?;
    let Some(extends) = own.extends.clone() else {
        return Ok((own, None));
    };
    let bytes = extends::read(session, &extends, asked)?;
    let below = extends.shown();
    if bytes.len() as u64 > LARGEST_CONFIG {
        return Err(bad(format!(
            "`{below}` has more than {} KiB",
            LARGEST_CONFIG / 1024
        ))
        .hint("mend what `extends` names"));
    }
    let base = String::from_utf8(bytes)
        .map_err(|_| bad(format!("`{below}` is not UTF-8 text")).hint("save it as UTF-8"))?;
    let floor = over(text, shown, extends, base)?;
    let config = floor.layers.config(shown);
    let config = config.map_err(|error| refused(error, shown))?;
    check_channels(&config, shown)?;
    Ok((config, Some(floor)))
}

/// Puts a configuration over its organisation's, or says what of it is looser than what is locked.
pub(in crate::cli) fn over(
    text: &str,
    shown: &str,
    extends: Extends,
    base: String,
) -> Result<Floor, CommandError> {
    let below = extends.shown();
    check_head(&base, &below)?;
    let layers = Layers::read(text, &base, &below).map_err(|why| bad_base(why, &below))?;
    let loosened = layers.loosened();
    let floor = Floor {
        extends,
        text: base,
        layers,
    };
    if loosened.is_empty() {
        return Ok(floor);
    }
    Err(looser(&loosened, text, shown, &floor))
}

fn bad_base(why: BadBase, below: &str) -> CommandError {
    match why {
        BadBase::Yaml(error) => refused(error, below),
        BadBase::Schema(schema) => other_schema(&schema, below),
        BadBase::Extends => bad(format!("`{below}` extends another configuration itself"))
            .hint("an organisation's configuration stands alone: put both into one file"),
        BadBase::Unknown(name, near) => {
            let error = bad(format!(
                "`{below}`: `locked` names `{name}`, which the file does not set"
            ));
            match near {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint("name keys as `flakes.review_by`, or write `locked: all`"),
            }
        }
    }
}

/// Returns the line and column of a key, or of what is nearest above it.
pub(in crate::cli) fn place(text: &str, way: &[String]) -> (u32, u32) {
    let way: Vec<Step<'_>> = way.iter().map(|key| Step::Key(key)).collect();
    place_of(text, &way)
}

/// Returns where an organisation's file sets a key, or locks it.
pub(in crate::cli) fn floor_line(text: &str, layers: &Layers, way: &[String]) -> u32 {
    let locked = ["locked".to_owned()];
    let is_set = (1..=way.len())
        .rev()
        .find(|end| layers.base.at(&way[..*end]).is_some());
    place(text, is_set.map_or(&locked[..], |end| &way[..end])).0
}

fn looser(loosened: &[Loosened], text: &str, shown: &str, floor: &Floor) -> CommandError {
    let below = floor.extends.shown();
    let rows: Vec<String> = loosened
        .iter()
        .map(|one| {
            let (line, column) = place(text, &one.way);
            let locked = floor_line(&floor.text, &floor.layers, &one.way);
            let how = if one.has_stricter {
                "looser than locked"
            } else {
                "other than locked"
            };
            format!(
                "`{shown}:{line}:{column}`: `{}` is {how}: {} instead of {} (`{below}`, line {locked})",
                one.key(),
                one.own,
                one.floor
            )
        })
        .collect();
    let stricter = loosened.iter().any(|one| one.has_stricter);
    bad(rows.join("; ")).hint(format!(
        "{} holds it: {}, or leave the key out",
        floor.extends.short(),
        if stricter {
            "make it as strict or stricter"
        } else {
            "write the same"
        }
    ))
}

/// Reads a configuration's text by itself; `shown` is what people know it by.
pub(crate) fn parse_config(text: &str, shown: &str) -> Result<ConfigFile, CommandError> {
    check_head(text, shown)?;
    let config: ConfigFile = config::read(text, shown).map_err(|error| refused(error, shown))?;
    if config.schema != CONFIG_SCHEMA {
        return Err(other_schema(&config.schema, shown));
    }
    check_channels(&config, shown)?;
    Ok(config)
}

fn check_channels(config: &ConfigFile, shown: &str) -> Result<(), CommandError> {
    match config::notify::fault(&config.notify) {
        None => Ok(()),
        Some((words, hint)) => Err(bad(format!("`{shown}`: {words}")).hint(hint)),
    }
}

fn other_schema(schema: &str, shown: &str) -> CommandError {
    bad(format!(
        "`{shown}` has schema `{schema}`, and this maestro reads `{CONFIG_SCHEMA}`"
    ))
    .hint("install the version of maestro that the file was written for, or mend its first line")
}

fn refused(error: YamlError, shown: &str) -> CommandError {
    let YamlError {
        message,
        excerpt,
        hint,
        ..
    } = error;
    let mut failure = bad(format!("`{shown}`: {message}"));
    if let Some(excerpt) = excerpt {
        failure = failure.excerpt(excerpt);
    }
    failure.hint(
        hint.unwrap_or_else(|| {
            "`maestro util schema config` prints what may stand where".to_owned()
        }),
    )
}

/// Checks for which versions a file was written. One for another version may have keys that this one does not know; that is the lesser news.
fn check_head(text: &str, shown: &str) -> Result<(), CommandError> {
    match config::read(text, shown) {
        Ok(file::Head {
            requires: Some(requires),
        }) => check_requirement(&requires, shown),
        _ => Ok(()),
    }
}

fn check_requirement(requires: &str, shown: &str) -> Result<(), CommandError> {
    let wanted = semver::VersionReq::parse(requires).map_err(|error| {
        bad(format!(
            "`{shown}`: `requires: {requires}` is no version requirement ({error})"
        ))
        .hint("write it as Cargo does, for example `requires: \">=0.1, <0.2\"`")
    })?;
    let own = env!("CARGO_PKG_VERSION");
    let matches = semver::Version::parse(own).is_ok_and(|mut version| {
        // A pre-release of 0.2.0 is meant by ">=0.2" here, unlike when dependencies are resolved.
        version.pre = semver::Prerelease::EMPTY;
        wanted.matches(&version)
    });
    if matches {
        return Ok(());
    }
    Err(bad(format!(
        "`{shown}` requires maestro {requires}, and this is {own}"
    ))
    .hint(format!(
        "install a matching version: cargo install {} --locked --version '{requires}'",
        env!("CARGO_PKG_NAME")
    )))
}
