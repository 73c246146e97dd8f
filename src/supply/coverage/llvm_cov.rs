//! llvm-cov's JSON (`llvm-cov export`, `CoverageExporterJson.cpp`): a file's segments `[line, column, count, has count, begins a region, is a gap]`,
//! each valid up to the next one.
//!
//! Lines are made of segments as LLVM does it (`LineCoverageStats` of `CoverageMapping.cpp`), so that they are those of its own lcov form.

use super::Out;
use super::coverage_py::whole;
use crate::supply::NotRead;
use crate::supply::json::Value;

#[derive(Debug, Clone, Copy)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "these are the flags that LLVM writes"
)]
struct Segment {
    line: u64,
    hit: bool,
    has_count: bool,
    begins: bool,
    is_gap: bool,
}

impl Segment {
    fn begins_region(&self) -> bool {
        !self.is_gap && self.has_count && self.begins
    }
}

pub(super) fn read(root: Value<'_>, out: &mut Out) -> Result<(), NotRead> {
    for data in root.array("data")? {
        for file in data.array("files")? {
            let path = file.get("filename").and_then(Value::text);
            let path = path.ok_or_else(|| NotRead::at(file.place(), "a file has no `filename`"))?;
            if file.get("segments").is_none() {
                return Err(
                    NotRead::at(file.place(), "a file has no `segments`, and so no lines")
                        .hint("make it without `-summary-only`"),
                );
            }
            let mut segments: Vec<(Segment, Value<'_>)> = Vec::new();
            for value in file.array("segments")? {
                let segment = segment(value)
                    .ok_or_else(|| NotRead::at(value.place(), "this is no segment"))?;
                segments.push((segment, value));
            }
            out.begin(&path);
            lines(&segments, out)?;
        }
    }
    Ok(())
}

fn segment(value: Value<'_>) -> Option<Segment> {
    let mut parts = value.items();
    let line = whole(parts.next()?)?;
    let _column = parts.next()?;
    let hit = parts.next()?.number()? > 0.0;
    // Numbers, in the first versions.
    let flag =
        |value: Value<'_>| value.is_true() || value.number().is_some_and(|number| number != 0.0);
    Some(Segment {
        line,
        hit,
        has_count: flag(parts.next()?),
        begins: flag(parts.next()?),
        is_gap: parts.next().is_some_and(flag),
    })
}

/// Goes from line to line.
fn lines(segments: &[(Segment, Value<'_>)], out: &mut Out) -> Result<(), NotRead> {
    let mut before: Option<Segment> = None;
    for group in segments.chunk_by(|(one, _), (other, _)| one.line == other.line) {
        let Some((first, place)) = group.first() else {
            continue;
        };
        let fault = |fault| NotRead::at(place.place(), fault);
        if let Some(before) = before {
            if first.line < before.line {
                return Err(fault("its segments are in no order".into()));
            }
            // Lines between two segments are what the last one says.
            if before.has_count {
                out.span(before.line + 1, first.line.saturating_sub(1), before.hit)
                    .map_err(fault)?;
            }
        }
        let has_region = group.iter().any(|(segment, _)| segment.begins_region());
        let is_wrapped = before.is_some_and(|before| before.has_count);
        let is_skipped = !first.has_count && first.begins;
        if has_region || is_wrapped && !is_skipped {
            let inner = group
                .iter()
                .any(|(segment, _)| segment.begins_region() && segment.hit);
            out.line(first.line, inner || before.is_some_and(|before| before.hit))
                .map_err(fault)?;
        }
        before = group.last().map(|(segment, _)| *segment);
    }
    Ok(())
}
