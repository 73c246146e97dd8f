//! The gateway's decisions: who may come in, what is passed on, what is changed on the way, and what those hear who may not.
//!
//! Invariant: nothing here knows a provider's key.

pub(crate) mod child;
pub(crate) mod door;
pub(crate) mod headers;
pub(crate) mod members;
pub(crate) mod outputs;
pub(crate) mod protocols;
pub(crate) mod route;
