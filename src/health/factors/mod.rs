//! What a pull request's health is made of: one factor a file.
//!
//! To add a factor: one file here with its [`About`] and its tests, one entry in the table below, one page in `docs/pr-health.md`. More bad evidence
//! must never raise a factor (`src/health/tests.rs`).

use super::{Factor, Subject};

/// What a factor is.
#[derive(Debug)]
pub(crate) struct About {
    pub(crate) name: &'static str,
    /// In one line.
    pub(crate) what: &'static str,
    /// How much it counts, where nobody says otherwise.
    pub(crate) weight: u32,
    pub(crate) judge: fn(&Subject<'_>) -> Factor,
}

macro_rules! factors {
    ($($module:ident;)+) => {
        $(mod $module;)+

        /// Every factor, in order of name.
        pub(crate) const FACTORS: &[&About] = &[$(&$module::ABOUT),+];
    };
}

factors! {
    budget;
    complexity;
    flakes;
    patch_coverage;
    reviews;
    security;
}
