//! Go's coverage profiles (`golang.org/x/tools/cover`, `ParseProfiles`): `file:line.column,line.column statements count`, one block a line.
//!
//! Blocks are of statements, not of lines: a line counts as executed when any block that it belongs to was.

use super::{Out, count, line_number};
use crate::supply::NotRead;

pub(super) fn read(text: &str, out: &mut Out) -> Result<(), NotRead> {
    // A profile that several packages wrote has a block once for each; it was executed when it was in any.
    let mut blocks: Vec<(&str, &str, u64, bool)> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        // Profiles that were put together have several first lines.
        if line.is_empty() || line.starts_with("mode:") {
            continue;
        }
        let place = (u32::try_from(at + 1).unwrap_or(u32::MAX), 1);
        let broken = || {
            NotRead::at(
                place,
                "this is no block: `file:line.column,line.column statements count` is",
            )
        };
        let (path, span, statements, hit) = block(line).ok_or_else(broken)?;
        let (from, to) = lines_of(span).ok_or_else(broken)?;
        out.begin(path);
        out.span(from, to, hit)
            .map_err(|fault| NotRead::at(place, fault))?;
        blocks.push((path, span, statements, hit));
    }
    blocks.sort_unstable_by_key(|&(path, span, _, hit)| (path, span, !hit));
    blocks.dedup_by_key(|&mut (path, span, ..)| (path, span));
    let sum = |only_hit: bool| {
        let wanted = blocks.iter().filter(|(.., hit)| *hit || !only_hit);
        wanted.fold(0_u64, |sum, (_, _, statements, _)| {
            sum.saturating_add(*statements)
        })
    };
    out.statements = Some((sum(true), sum(false)));
    Ok(())
}

fn block(line: &str) -> Option<(&str, &str, u64, bool)> {
    let (rest, hits) = line.rsplit_once(' ')?;
    let (rest, statements) = rest.rsplit_once(' ')?;
    let (path, span) = rest.rsplit_once(':')?;
    Some((path, span, line_number(statements)?, count(hits)? > 0.0))
}

fn lines_of(span: &str) -> Option<(u64, u64)> {
    let (from, to) = span.split_once(',')?;
    let line = |end: &str| line_number(end.split_once('.')?.0);
    let (from, to) = (line(from)?, line(to)?);
    (from <= to).then_some((from, to))
}
