//! Which projects a change affects, and which jobs follow.

pub(crate) mod graph;
pub(crate) mod locks;
pub(crate) mod sources;
