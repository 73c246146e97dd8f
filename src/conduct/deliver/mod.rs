//! From a bundle to one draft pull request: unpacked where it harms nobody (`unpack`), pushed, and told (`branch`).
//!
//! Whatever is done twice is done once: the branch is found again by its name, the pull request by its branch, its line and its author.

mod branch;
mod preflight;
mod unpack;

pub(crate) use branch::{Branch, Delivered, Delivery, PullStep, Pushed, Via};
pub(crate) use preflight::preflight;
pub(crate) use unpack::{Trouble, unpack};
