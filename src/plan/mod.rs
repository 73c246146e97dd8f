//! Which projects a change affects, and which jobs follow.

pub(crate) mod assess;
pub(crate) mod closure;
pub(crate) mod codes;
pub(crate) mod graph;
pub(crate) mod jobs;
pub(crate) mod jsonc;
pub(crate) mod links;
pub(crate) mod lint;
pub(crate) mod locks;
pub(crate) mod manifests;
pub(crate) mod matrix;
pub(crate) mod past;
pub(crate) mod readings;
pub(crate) mod rules;
pub(crate) mod shards;
pub(crate) mod sources;
