//! aider's chats of half a year: the blocks that it reads out of them are those that we read, to the byte.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a corpus by others is found by a variable"
)]

use std::fmt::Write as _;

use super::super::What;
use super::super::search_replace::{Item, items};

const RULE: &str = "@@@@@@@@@@@@@@@@@@@@";

/// Where `####` and white space stand: aider's test cuts the chats there.
fn sections(chats: &str) -> Vec<&str> {
    let is_cut = |at: &usize| chats[at + 4..].starts_with(char::is_whitespace);
    let mut cuts: Vec<usize> = (0..chats.len())
        .filter(|at| chats.as_bytes()[*at..].starts_with(b"####"))
        .filter(is_cut)
        .collect();
    cuts.insert(0, 0);
    cuts.push(chats.len());
    cuts.windows(2).map(|cut| &chats[cut[0]..cut[1]]).collect()
}

/// What aider's test prints of a section (`tests/basic/test_find_or_blocks.py`, 5dc9490).
fn printed(section: &str, out: &mut String) {
    let (header, content) = section.split_once('\n').unwrap_or((section, ""));
    let lines: Vec<&str> = content.lines().collect();
    let found = items(&lines, &|_| false);
    if found.as_ref().is_ok_and(Vec::is_empty) {
        return;
    }
    writeln!(out, "\n\n@@@ {} {RULE}", header.trim()).unwrap();
    match found {
        Err(malformed) => {
            let words = match malformed.what {
                What::NoDivider => "Expected `=======`",
                What::NoEnd => "Expected `>>>>>>> REPLACE` or `=======`",
                other => panic!("line {} of `{header}`: {other}", malformed.line),
            };
            writeln!(out, "{content}\n^^^ {words}").unwrap();
        }
        Ok(items) => items.iter().for_each(|item| match item {
            Item::Shell(text) => {
                writeln!(out, "@@@ SHELL {RULE}\n{text}@@@ ENDSHELL {RULE}").unwrap();
            }
            Item::Block {
                name,
                search,
                replace,
            } => {
                write!(
                    out,
                    "@@@ SEARCH: {name} {RULE}\n{search}{RULE}\n{replace}@@@ REPLACE {RULE}\n"
                )
                .unwrap();
            }
        }),
    }
}

#[test]
fn chats_of_aider() {
    let Some(corpus) = std::env::var_os("MAESTRO_CORPUS") else {
        eprintln!("skipped: MAESTRO_CORPUS is not set");
        return;
    };
    let read = |name: &str| {
        std::fs::read_to_string(std::path::Path::new(&corpus).join("edits").join(name)).unwrap()
    };
    let (chats, gold) = (
        read("chat-history.md"),
        read("chat-history-search-replace-gold.txt"),
    );
    let mut found = String::new();
    for section in sections(&chats) {
        let is_about_itself =
            section.contains("editblock_coder.py") || section.contains("test_editblock.py");
        if !is_about_itself && !section.trim().is_empty() {
            printed(section, &mut found);
        }
    }
    let differs = found
        .lines()
        .zip(gold.lines())
        .position(|(ours, theirs)| ours != theirs);
    if let Some(at) = differs {
        let near = |text: &str| {
            text.lines()
                .skip(at.saturating_sub(3))
                .take(8)
                .collect::<Vec<_>>()
                .join("\n")
        };
        panic!(
            "line {} differs:\n{}\n--- and in the gold:\n{}",
            at + 1,
            near(&found),
            near(&gold)
        );
    }
    assert_eq!(found.len(), gold.len());
    let count = |what: &str| gold.lines().filter(|line| line.starts_with(what)).count();
    eprintln!(
        "{} blocks, {} shells and {} errors are aider's, to the byte",
        count("@@@ SEARCH"),
        count("@@@ SHELL"),
        count("^^^ ")
    );
}
