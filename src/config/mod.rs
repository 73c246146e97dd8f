//! Configuration: `.maestro/maestro.yaml`, and the settings that flags, the environment and the file decide together.
//!
//! Order: flag, environment, file, the organisation's file that it extends, default. Only what exists is accepted; an unknown key names the nearest valid one.

pub(crate) mod agents;
pub(crate) mod days;
pub(crate) mod delivery;
pub(crate) mod extends;
pub(crate) mod file;
pub(crate) mod kpi;
pub(crate) mod layers;
pub(crate) mod locks;
mod merge;
pub(crate) mod notify;
mod settings;
pub(crate) mod tree;
mod yaml;

pub(crate) use file::ConfigFile;
pub(crate) use settings::{KNOWN, Known, Origin, Setting, choose};
pub(crate) use yaml::{Kind, YamlError, checked, nearest, read, read_as, read_foreign, read_seed};
