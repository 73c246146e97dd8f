//! What a page says of rows that it leaves out.

use crate::flakes::verdict::times;
use crate::output::{Inline, Page};

/// Of more rows than these, a page says how many there are.
pub(super) const MOST_ROWS: usize = 50;

pub(super) fn rest(page: &mut Page, all: usize, what: &str) {
    if all > MOST_ROWS {
        let more = times((all - MOST_ROWS) as u64, &format!("more {what}"));
        page.line(vec![Inline::Plain(format!(
            "and {more}; `--format json` has them all"
        ))]);
    }
}
