//! `SimpleCov`'s `.resultset.json` (`SimpleCov::ResultMerger`) and `coverage.json` (`simplecov_json_formatter`): a list a file, with a count or
//! `null` a line; before 0.18 the list stood there without `lines` around it.

use super::Out;
use crate::supply::NotRead;
use crate::supply::json::Value;

pub(super) fn read(root: Value<'_>, out: &mut Out) -> Result<(), NotRead> {
    let own = root.get("coverage").filter(|files| files.is_object());
    let suites = root
        .members()
        .filter_map(|(_, suite)| suite.get("coverage"));
    let all = own.into_iter().chain(suites.filter(|_| own.is_none()));
    let mut is_one = false;
    for files in all.filter(|files| files.is_object()) {
        is_one = true;
        for (path, file) in files.members() {
            let lines = file.get("lines").unwrap_or(file);
            if !lines.is_array() {
                return Err(NotRead::at(file.place(), "a file has no list of lines"));
            }
            out.begin(&path);
            for (at, line) in lines.items().enumerate() {
                // `null` is a line that cannot be executed, and `"ignored"` one that nobody wants to hear of.
                if let Some(hits) = line.number() {
                    out.line(at as u64 + 1, hits > 0.0)
                        .map_err(|fault| NotRead::at(line.place(), fault))?;
                }
            }
        }
    }
    if is_one {
        return Ok(());
    }
    Err(NotRead::at(root.place(), "it is JSON of no form of coverage that is known")
        .hint("coverage.py writes one with `coverage json`, llvm-cov with `llvm-cov export`, and SimpleCov leaves `.resultset.json`"))
}
