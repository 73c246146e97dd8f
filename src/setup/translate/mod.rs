//! Other tools' configuration as ours. What has no counterpart is named, and whatever is uncertain runs more, never less.

mod nx;
mod paths_filter;
mod turbo;

use super::{Proposal, Seen};

/// A tool whose configuration can be taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Foreign {
    PathsFilter,
    Nx,
    Turbo,
}

impl Foreign {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::PathsFilter => "paths-filter",
            Self::Nx => "nx",
            Self::Turbo => "turbo",
        }
    }
}

/// What has no counterpart.
const LEFT_OUT: &str = "not-translated";

/// What was translated, and means more than before.
const WIDER: &str = "wider";

/// What holds no configuration of that tool.
pub(crate) const NOTHING: &str = "nothing-to-translate";

pub(super) fn translate(tool: Foreign, seen: Seen<'_>, proposal: &mut Proposal) {
    match tool {
        Foreign::PathsFilter => paths_filter::translate(seen, proposal),
        Foreign::Nx => nx::translate(seen, proposal),
        Foreign::Turbo => turbo::translate(seen, proposal),
    }
}

/// Returns what is a path from the repository's top, of what these tools call so.
fn from_top<'t>(text: &'t str, marks: &[&str]) -> Option<&'t str> {
    let rest = marks.iter().find_map(|mark| text.strip_prefix(mark))?;
    Some(rest.trim_start_matches('/'))
}
