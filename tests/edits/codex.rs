//! codex' own scenarios of patches (`codex-rs/apply-patch/tests/fixtures/scenarios`, 7116353): a folder before, a patch, the folder after.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "scenarios by others are found by a variable"
)]

use std::collections::BTreeMap;
use std::path::Path;

use super::super::tests::Memory;
use super::super::{Found, apply, parse};

/// Where codex leaves what it changed before an error, and we change nothing.
const NOT_ATOMIC: &str = "015_failure_after_partial_success_leaves_changes";

/// All files below a folder, and the folders.
fn tree(folder: &Path, top: &str, found: &mut BTreeMap<String, Found>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        let name = format!("{top}{}", path.file_name().unwrap().to_string_lossy());
        if path.is_dir() {
            tree(&path, &format!("{name}/"), found);
            found.insert(name, Found::Folder);
        } else {
            found.insert(name, Found::File(std::fs::read(path).unwrap()));
        }
    }
}

#[test]
fn scenarios_of_codex() {
    let Some(folder) = std::env::var_os("MAESTRO_CODEX_SCENARIOS") else {
        eprintln!("skipped: MAESTRO_CODEX_SCENARIOS is not set");
        return;
    };
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let scenario = entry.unwrap().path();
        let Ok(patch) = std::fs::read_to_string(scenario.join("patch.txt")) else {
            continue;
        };
        let is_atomic = !scenario.ends_with(NOT_ATOMIC);
        let read = |name: &str| {
            let mut found = BTreeMap::new();
            tree(&scenario.join(name), "", &mut found);
            found
        };
        let mut now = read("input");
        let expected = if is_atomic {
            read("expected")
        } else {
            now.clone()
        };
        let memory = Memory::of(now.clone());
        let edits = parse(&patch, &|path| now.contains_key(path));
        let changes = edits.ok().and_then(|edits| apply(&edits, &memory).ok());
        for change in changes.unwrap_or_default() {
            match change.after {
                Some(bytes) => now.insert(change.path, Found::File(bytes)),
                None => now.remove(&change.path),
            };
        }
        let files = |tree: BTreeMap<String, Found>| -> Vec<(String, Found)> {
            tree.into_iter()
                .filter(|(_, found)| *found != Found::Folder)
                .collect()
        };
        assert_eq!(files(now), files(expected), "{}", scenario.display());
        count += 1;
    }
    eprintln!("{count} scenarios end as they should");
}
