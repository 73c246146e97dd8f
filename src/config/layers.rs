//! A repository's configuration and its organisation's, put together: what counts, and what each of the two says.

use super::file::CONFIG_SCHEMA;
use super::locks::{self, Locked, Loosened};
use super::merge;
use super::tree::Tree;
use super::yaml::{YamlError, read};
use super::{ConfigFile, yaml};

/// Two configurations.
#[derive(Debug, Clone, Default)]
pub(crate) struct Layers {
    pub(crate) own: Tree,
    /// The organisation's; empty where the repository extends none.
    pub(crate) base: Tree,
    pub(crate) locked: Locked,
}

/// Why an organisation's configuration cannot stand below another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BadBase {
    /// It cannot be read.
    Yaml(YamlError),
    /// It is of another version.
    Schema(String),
    /// It extends another one itself.
    Extends,
    /// It locks what is no key; the nearest one.
    Unknown(String, Option<String>),
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layer {
    Own,
    Base,
    /// A list that both add to.
    Both,
}

impl Layers {
    /// Reads both; `own` was read as a configuration before.
    pub(crate) fn read(own: &str, base: &str, shown: &str) -> Result<Self, BadBase> {
        let file: ConfigFile = read(base, shown).map_err(BadBase::Yaml)?;
        if file.schema != CONFIG_SCHEMA {
            return Err(BadBase::Schema(file.schema));
        }
        if file.extends.is_some() {
            return Err(BadBase::Extends);
        }
        let base = Tree::read(base, shown).map_err(BadBase::Yaml)?;
        let own = Tree::read(own, shown).map_err(BadBase::Yaml)?;
        if let Some((name, near)) = file.locked.unknown(&base) {
            return Err(BadBase::Unknown(name.to_owned(), near));
        }
        Ok(Self {
            own,
            base,
            locked: file.locked,
        })
    }

    /// A configuration that stands alone.
    pub(crate) fn alone(own: &str, shown: &str) -> Result<Self, YamlError> {
        Ok(Self {
            own: Tree::read(own, shown)?,
            base: Tree::default(),
            locked: Locked::Nothing,
        })
    }

    /// Returns the keys by which the repository's is looser than what is locked.
    pub(crate) fn loosened(&self) -> Vec<Loosened> {
        locks::judge(&self.base, &self.own, &self.locked)
    }

    /// Puts one over the other.
    pub(crate) fn merged(&self) -> Tree {
        merge::over(&self.base, &self.own)
    }

    /// Returns what counts; `shown` is for the messages only.
    pub(crate) fn config(&self, shown: &str) -> Result<ConfigFile, YamlError> {
        let mut text = String::new();
        self.merged().write(&mut text);
        yaml::read_merged(&text, shown)
    }

    /// Returns the layer of a value; none where nobody sets it.
    pub(crate) fn layer(&self, way: &[String]) -> Option<Layer> {
        match (self.own.at(way), self.base.at(way)) {
            (Some(own), Some(base)) if merge::is_joined(way) && own != base => Some(Layer::Both),
            (Some(_), _) => Some(Layer::Own),
            (None, Some(_)) => Some(Layer::Base),
            (None, None) => None,
        }
    }

    /// Whether a value is locked, by itself or as part of a whole.
    pub(crate) fn is_locked(&self, way: &[String]) -> bool {
        let held = self.locked.held(&self.base);
        held.iter().any(|held| way.starts_with(held))
    }

    /// Returns the keys that both set, and the repository otherwise.
    pub(crate) fn overridden(&self) -> Vec<String> {
        let ways = self.own.leaves(&locks::is_unit).into_iter();
        let other = ways.filter(|way| {
            let is_head = way
                .first()
                .is_some_and(|key| merge::HEAD.contains(&key.as_str()));
            let (own, base) = (self.own.at(way), self.base.at(way));
            !is_head && base.is_some() && base != own && !merge::is_joined(way)
        });
        other.map(|way| way.join(".")).collect()
    }
}
