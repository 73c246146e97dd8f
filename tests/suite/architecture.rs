//! The walls: who may import whom, how long a file may be, and that every dependency earns its place.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::harness::{files_below, package};

fn sources() -> Vec<(String, String)> {
    let root = package().join("src");
    files_below(&root)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| {
            let name = path
                .strip_prefix(&root)
                .unwrap()
                .to_string_lossy()
                .replace('\\', "/");
            (name, fs::read_to_string(&path).unwrap())
        })
        .collect()
}

/// Returns the room that a file belongs to.
fn room(file: &str) -> &str {
    file.split('/').next().unwrap().trim_end_matches(".rs")
}

/// Returns the rooms that a source names, its tests left out.
fn imports(text: &str) -> BTreeSet<String> {
    assert!(
        !text.contains("use crate::{"),
        "name each room in a `use` of its own"
    );
    let mut rooms = BTreeSet::new();
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    for (at, _) in code.match_indices("crate::") {
        let line_start = code[..at].rfind('\n').map_or(0, |newline| newline + 1);
        if code[line_start..at].trim_start().starts_with("//") {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        let name: String = rest
            .chars()
            .take_while(|c| c.is_ascii_lowercase() || *c == '_')
            .collect();
        if !name.is_empty() {
            rooms.insert(name);
        }
    }
    rooms
}

/// Reads the table of ARCHITECTURE.md: `| room | may import |`.
fn table() -> BTreeMap<String, BTreeSet<String>> {
    let text = fs::read_to_string(package().join("ARCHITECTURE.md")).unwrap();
    let (_, table) = text
        .split_once("| room | imports |\n")
        .expect("ARCHITECTURE.md has the table of imports");
    table
        .lines()
        .skip(1)
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            let names = |cell: &str| {
                cell.split([',', ' '])
                    .map(|n| n.trim_matches('`').to_owned())
                    .filter(|n| !n.is_empty() && n != "–")
                    .collect()
            };
            (cells[0].trim_matches('`').to_owned(), names(cells[1]))
        })
        .collect()
}

#[test]
fn imports_are_those_of_the_table_in_architecture_md() {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (file, text) in sources() {
        let own = room(&file).to_owned();
        let mut imports = imports(&text);
        imports.remove(&own);
        found.entry(own).or_default().append(&mut imports);
    }
    found.remove("main");
    found.remove("lib");
    let rows: String = found
        .iter()
        .map(|(room, imports)| {
            let list: Vec<String> = imports.iter().map(|name| format!("`{name}`")).collect();
            let list = if list.is_empty() {
                "–".to_owned()
            } else {
                list.join(", ")
            };
            format!("| `{room}` | {list} |\n")
        })
        .collect();
    assert!(
        found == table(),
        "the table in ARCHITECTURE.md should be:\n| room | imports |\n|---|---|\n{rows}"
    );
}

#[test]
fn every_row_of_the_reading_order_stands_once() {
    let text = fs::read_to_string(package().join("ARCHITECTURE.md")).unwrap();
    let (rows, _) = text.split_once("## Invariants").unwrap();
    let mut seen = BTreeSet::new();
    for row in rows.lines().filter(|line| line.starts_with("| `")) {
        let name = row.split('|').nth(1).unwrap();
        assert!(
            seen.insert(name),
            "{name}stands twice in ARCHITECTURE.md; make one row of the two"
        );
    }
    assert!(seen.len() > 30);
}

/// The rooms that `src/lib.rs` lists as decisions.
fn decisions() -> BTreeSet<String> {
    let text = fs::read_to_string(package().join("src/lib.rs")).unwrap();
    let (_, text) = text.split_once("// Decisions: pure").unwrap();
    let (text, _) = text.split_once("mod output;").unwrap();
    let names = text.lines().filter_map(|line| line.strip_prefix("mod "));
    names
        .map(|name| name.trim_end_matches(';').to_owned())
        .collect()
}

#[test]
fn decisions_import_no_effect() {
    let decisions = decisions();
    assert!(decisions.len() > 30, "{decisions:?}");
    let effects = [
        "cli", "ui", "output", "state", "conduct", "ports", "adapters", "error",
    ];
    for (room, imports) in table() {
        if decisions.contains(&room) {
            let wrong: Vec<_> = effects
                .iter()
                .filter(|effect| imports.contains(**effect))
                .collect();
            assert!(wrong.is_empty(), "`{room}` decides and imports {wrong:?}");
        }
    }
    for (file, text) in sources() {
        let ends = ["tests.rs", "/published.rs", "/study.rs"];
        let is_of_tests = file.contains("/tests/") || ends.iter().any(|end| file.ends_with(end));
        if is_of_tests || !decisions.contains(room(&file)) {
            continue;
        }
        let (text, _) = text
            .split_once("\nmod tests")
            .or_else(|| text.split_once("\npub(crate) mod tests"))
            .unwrap_or((&text, ""));
        for word in [
            "std::fs",
            "std::env::",
            "SystemTime",
            "std::process",
            "use tokio",
            "use octocrab",
            "std::net::Tcp",
        ] {
            assert!(!text.contains(word), "{file} decides and names {word}");
        }
    }
}

#[test]
fn the_invariants_name_the_decisions() {
    let text = fs::read_to_string(package().join("ARCHITECTURE.md")).unwrap();
    let mut lines = text
        .lines()
        .filter(|line| line.starts_with("- Decisions ("));
    let line = lines.next().unwrap();
    assert!(lines.next().is_none(), "they stand there twice");
    let (names, _) = line.split_once(')').unwrap();
    let names: BTreeSet<String> = names
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect();
    assert_eq!(names, decisions());
}

#[test]
fn every_file_says_what_it_is_for_and_is_short() {
    for (file, text) in sources() {
        assert!(
            text.starts_with("//!"),
            "{file} should open with a `//!` line"
        );
        assert!(
            text.lines().count() <= 600,
            "{file} has more than 600 lines; split it"
        );
    }
    let tests = package().join("tests/suite");
    for path in files_below(&tests) {
        if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            assert!(
                text.starts_with("//!"),
                "{} should open with a `//!` line",
                path.display()
            );
            assert!(
                text.lines().count() <= 600,
                "{} has more than 600 lines",
                path.display()
            );
        }
    }
}

#[test]
fn main_is_short() {
    let main = fs::read_to_string(package().join("src/main.rs")).unwrap();
    assert!(main.lines().count() <= 30);
}

#[test]
fn every_dependency_is_used_under_src() {
    let manifest = fs::read_to_string(package().join("Cargo.toml")).unwrap();
    let (_, rest) = manifest.split_once("[dependencies]\n").unwrap();
    let (dependencies, _) = rest.split_once("\n[").unwrap();
    let all: String = sources().into_iter().map(|(_, text)| text).collect();
    for line in dependencies
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
    {
        let name = line.split([' ', '=']).next().unwrap().replace('-', "_");
        let used = [format!("{name}::"), format!("use {name};")]
            .iter()
            .any(|word| all.contains(word));
        assert!(used, "`{name}` is a dependency that no file under src uses");
    }
}

#[test]
fn nothing_names_a_machine_or_a_registry() {
    let words = [
        "/root/",
        "/home/",
        "index.crates.io",
        "static.crates.io",
        "registry.npmjs",
    ];
    for folder in ["src", "tests/suite", "docs", "benches", "examples", ".ci"] {
        let folder = package().join(folder);
        if !folder.is_dir() {
            continue;
        }
        for path in files_below(&folder) {
            if path.ends_with("architecture.rs") || is_artifact(&path) {
                continue;
            }
            let text = fs::read(&path).unwrap();
            let text = String::from_utf8_lossy(&text);
            for word in words {
                assert!(!text.contains(word), "{} names {word}", path.display());
            }
        }
    }
}

fn is_artifact(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "target")
}
