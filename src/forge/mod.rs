//! GitHub, as its REST API speaks: requests and answers as values, and what to make of an answer.
//!
//! Formats follow docs.github.com, API version 2022-11-28. Nothing here sends anything: `conduct::github` does, through the port
//! `ports::Forge`. Invariants: a request that creates something is not repeated when it may have been heard; a list that is
//! not whole says so; foreign text that goes to GitHub is inert.

pub(crate) mod api;
pub(crate) mod body;
pub(crate) mod pages;
pub(crate) mod problem;
pub(crate) mod repository;
pub(crate) mod request;
pub(crate) mod retry;
pub(crate) mod upsert;
pub(crate) mod webhook;
