//! The walk-through of CONTRIBUTING.md, step by step without a compiler: each step's message is the one that it quotes. `tests/interop/newcomer.sh`
//! compiles what comes out of it.

use std::fs;
use std::path::Path;

use crate::harness::{Maestro, files_below, package};

/// What a test says of a rule that is not whole.
#[path = "../../src/policy/rules/tests/parts.rs"]
#[allow(dead_code, reason = "tests of the library look into pages as well")]
mod parts;

/// A fenced block: the words behind the fence, and the text.
type Block = (Vec<String>, String);

/// Returns the blocks of the walk-through.
fn walk() -> Vec<Block> {
    let text = fs::read_to_string(package().join("CONTRIBUTING.md")).unwrap();
    let (_, walk) = text
        .split_once("## A walk-through: add a policy rule\n")
        .unwrap();
    let (walk, _) = walk.split_once("\n## ").unwrap();
    let mut blocks: Vec<Block> = Vec::new();
    let mut is_inside = false;
    for line in walk.lines() {
        match line.strip_prefix("```") {
            Some(words) if !is_inside => {
                let words = words.split_whitespace().map(str::to_owned);
                blocks.push((words.collect(), String::new()));
                is_inside = true;
            }
            Some(_) => is_inside = false,
            None if is_inside => blocks.last_mut().unwrap().1 += &format!("{line}\n"),
            None => {}
        }
    }
    blocks
}

/// Writes what a step writes; returns whether it is a new file.
fn take(maestro: &Maestro, path: &str, block: &Block) -> bool {
    if block.0[0] != "diff" {
        assert!(
            !package().join(path).exists(),
            "{path} is there already: walk to another rule"
        );
        maestro.file(path, &block.1);
        return true;
    }
    let (mut old, mut new) = (String::new(), String::new());
    let mut added = 0;
    for line in block.1.lines() {
        let (sign, text) = line.split_at(1);
        let text = format!("{text}\n");
        match sign {
            " " => old += &text,
            "+" => added += 1,
            _ => panic!("{line}"),
        }
        new += &text;
    }
    assert_eq!(added, 1, "one line");
    let text = fs::read_to_string(maestro.path(path)).unwrap();
    assert_eq!(text.matches(&old).count(), 1, "{path} has not\n{old}");
    maestro.file(path, text.replace(&old, &new));
    false
}

fn copy(maestro: &Maestro, folder: &str) {
    for file in files_below(&package().join(folder)) {
        let path = file.strip_prefix(package()).unwrap();
        let path = path.to_string_lossy().replace('\\', "/");
        maestro.file(&path, fs::read(&file).unwrap());
    }
}

fn next(maestro: &Maestro) -> Option<String> {
    parts::missing(&maestro.path(""))
}

#[test]
fn a_rule_is_three_files_and_a_line_and_each_step_names_the_next() {
    let maestro = Maestro::in_folder();
    copy(&maestro, "src/policy/rules");
    copy(&maestro, "docs/policy");
    assert_eq!(next(&maestro), None);
    let mut said = None;
    let (mut files, mut lines) = (0, 0);
    let mut blocks = walk().into_iter().peekable();
    while let Some(step) = blocks.next_if(|(words, _)| words.len() == 2) {
        let path = step.0[1].clone();
        // The message before it has sent us here.
        assert!(
            said.as_ref()
                .is_none_or(|said: &String| said.contains(&path)),
            "{said:?} does not name {path}"
        );
        if take(&maestro, &path, &step) {
            files += 1;
        } else {
            lines += 1;
        }
        said = next(&maestro);
        if let Some(said) = &said {
            let (words, quoted) = blocks.next().unwrap();
            assert_eq!(words, ["text"]);
            assert_eq!(quoted.trim_end(), said, "what CONTRIBUTING.md quotes");
        }
    }
    assert_eq!((said, files, lines), (None, 3, 1));
    let (_, stale) = blocks.next().unwrap();
    for line in stale.lines() {
        let (path, rest) = line.split_once(" is stale; ").unwrap();
        assert!(package().join(path).exists(), "{path}");
        assert_eq!(rest, "run MAESTRO_BLESS=1 cargo test generated");
    }
    assert_eq!(blocks.next(), None);
}

#[test]
fn each_part_that_is_left_out_is_named() {
    let maestro = Maestro::in_folder();
    copy(&maestro, "src/policy/rules");
    copy(&maestro, "docs/policy");
    for block in walk().iter().filter(|(words, _)| words.len() == 2) {
        take(&maestro, &block.0[1], block);
    }
    assert_eq!(next(&maestro), None);
    let rule = "src/policy/rules/conflict_markers.rs";
    let tests = "src/policy/rules/conflict_markers/tests.rs";
    let page = "docs/policy/conflict-markers.md";
    let table = "src/policy/rules/mod.rs";
    for (path, old, new, words) in [
        (rule, "impl Rule for", "impl Other for", "is no rule"),
        (
            rule,
            "\"conflict-markers\"",
            "\"markers\"",
            "as the file is called",
        ),
        (rule, "\n#[cfg(test)]\nmod tests;\n", "", "nobody runs"),
        (tests, "#[test]\n", "", "has no tests"),
        (
            tests,
            "rule: conflict-markers",
            "rule: title",
            "has no tests",
        ),
        (
            table,
            "    conflict_markers: ConflictMarkers;\n",
            "",
            "behind `ci_code`",
        ),
        (
            table,
            "    conflict_markers: ConflictMarkers;",
            "    conflict_markers: Other;",
            "is in no table",
        ),
    ] {
        let whole = fs::read_to_string(maestro.path(path)).unwrap();
        assert!(whole.contains(old), "{path}: {old}");
        maestro.file(path, whole.replace(old, new));
        let said = next(&maestro).unwrap_or_default();
        assert!(said.contains(words), "{path}: {said}");
        maestro.file(path, whole);
    }
    for (path, words) in [(tests, "has no tests"), (page, "has no page")] {
        let whole = fs::read_to_string(maestro.path(path)).unwrap();
        fs::remove_file(maestro.path(path)).unwrap();
        let said = next(&maestro).unwrap_or_default();
        assert!(said.contains(words) && said.contains(path), "{said}");
        maestro.file(path, whole);
    }
    assert_eq!(next(&maestro), None);
    // A tree without rules is nobody's.
    assert_eq!(parts::missing(Path::new("/nowhere")), None);
}
