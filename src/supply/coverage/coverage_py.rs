//! coverage.py's JSON (`coverage json`, formats 2 and 3): `files`, each with `executed_lines` and `missing_lines`.

use super::Out;
use crate::supply::NotRead;
use crate::supply::json::Value;

pub(super) fn read(root: Value<'_>, out: &mut Out) -> Result<(), NotRead> {
    let files = root.get("files").filter(|files| files.is_object());
    let files = files.ok_or_else(|| NotRead::at(root.place(), "`files` is missing"))?;
    for (path, file) in files.members() {
        out.begin(&path);
        for (name, hit) in [("executed_lines", true), ("missing_lines", false)] {
            if file.get(name).is_none() {
                return Err(NotRead::at(file.place(), format!("`{name}` is missing")));
            }
            for line in file.array(name)? {
                let number = whole(line)
                    .ok_or_else(|| NotRead::at(line.place(), "this is no number of a line"))?;
                out.line(number, hit)
                    .map_err(|fault| NotRead::at(line.place(), fault))?;
            }
        }
    }
    Ok(())
}

/// Returns a whole number that is not below nothing.
pub(super) fn whole(value: Value<'_>) -> Option<u64> {
    let number = value
        .number()
        .filter(|number| *number >= 0.0 && number.fract() == 0.0)?;
    // More digits than a number of that kind has make no difference: they are out of bounds.
    Some(format!("{number:.0}").parse().unwrap_or(u64::MAX))
}
