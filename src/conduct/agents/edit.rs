//! Edits of a turn in its work tree: all of them or none.

use std::path::Path;

use crate::agents::tools::RawEdit;
use crate::agents::words::path_fault;
use crate::ports::Files;

/// Applies edits to a work tree; the error is for the model.
pub(super) fn apply(files: &dyn Files, folder: &Path, edits: &[RawEdit]) -> Result<(), String> {
    let mut texts: std::collections::BTreeMap<String, Option<String>> =
        std::collections::BTreeMap::new();
    for edit in edits {
        if let Some(fault) = path_fault(&edit.path) {
            return Err(format!("`{}` {fault}", edit.path));
        }
        let now = match texts.get(&edit.path) {
            Some(text) => text.clone(),
            None => read(files, &folder.join(&edit.path)),
        };
        let next = match (edit.action.as_str(), now) {
            ("create", None) => Some(edit.replace.clone()),
            ("create", Some(_)) => return Err(format!("`{}` is there already", edit.path)),
            ("delete", Some(_)) => None,
            ("replace", Some(text)) => {
                let found = text.matches(&edit.search).count();
                if edit.search.is_empty() || found != 1 {
                    return Err(format!(
                        "`search` is found {found} times in `{}`",
                        edit.path
                    ));
                }
                Some(text.replacen(&edit.search, &edit.replace, 1))
            }
            (_, None) => return Err(format!("`{}` is not there", edit.path)),
            (other, _) => return Err(format!("there is no action `{other}`")),
        };
        texts.insert(edit.path.clone(), next);
    }
    for (path, text) in texts {
        let place = folder.join(&path);
        let done = match text {
            Some(text) => {
                let above = place.parent().unwrap_or(folder);
                files.create_folder(above).and_then(|()| {
                    files.write_atomic(&place, &mut |out| out.write_all(text.as_bytes()))
                })
            }
            None => files.remove(&place),
        };
        done.map_err(|error| format!("`{path}` cannot be written: {error}"))?;
    }
    Ok(())
}

fn read(files: &dyn Files, path: &Path) -> Option<String> {
    let mut text = String::new();
    let mut file = files.open(path).ok()?;
    std::io::Read::read_to_string(&mut file, &mut text).ok()?;
    Some(text)
}
