//! lcov's tracefiles (`geninfo(1)` of lcov, "FILES"): `SF:` begins a file, `DA:line,count` is a line, `end_of_record` ends it.

use super::{Out, count, line_number};
use crate::supply::NotRead;

/// What lines of a tracefile begin with.
const WORDS: &[&str] = &["TN:", "SF:", "VER:", "FN:", "FNDA:", "DA:", "BRDA:"];

pub(super) fn is_one(start: &str) -> bool {
    // Comments may stand above.
    let mut lines = start
        .lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines
        .next()
        .is_some_and(|line| WORDS.iter().any(|word| line.starts_with(word)))
}

pub(super) fn read(text: &str, out: &mut Out) -> Result<(), NotRead> {
    let mut is_open = false;
    for (at, line) in text.lines().enumerate() {
        let place = || (u32::try_from(at + 1).unwrap_or(u32::MAX), 1);
        let line = line.trim_end();
        if let Some(path) = line.strip_prefix("SF:") {
            out.begin(path);
            is_open = true;
        } else if line == "end_of_record" {
            is_open = false;
        } else if let Some(rest) = line.strip_prefix("DA:") {
            if !is_open {
                return Err(NotRead::at(
                    place(),
                    "a line stands outside of any file (`SF:`)",
                ));
            }
            let mut words = rest.split(',');
            let number = words.next().and_then(line_number);
            // gcov may count below nothing, and write no number at all: neither is known to have run.
            let hit = words
                .next()
                .and_then(count)
                .is_some_and(|count| count > 0.0);
            let number =
                number.ok_or_else(|| NotRead::at(place(), "`DA:` has no number of a line"))?;
            out.line(number, hit)
                .map_err(|fault| NotRead::at(place(), fault))?;
        }
    }
    if is_open {
        let last = u32::try_from(text.lines().count()).unwrap_or(u32::MAX);
        return Err(NotRead::at(
            (last, 1),
            "it ends in the middle of a file: `end_of_record` is missing",
        ));
    }
    Ok(())
}
