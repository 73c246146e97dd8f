//! Which projects a change affects, and which jobs follow.

pub(crate) mod graph;
pub(crate) mod locks;
pub(crate) mod sources;
pub(crate) mod assess;
pub(crate) mod closure;
pub(crate) mod links;
pub(crate) mod manifests;
pub(crate) mod rules;
pub(crate) mod jobs;
pub(crate) mod matrix;
pub(crate) mod readings;
