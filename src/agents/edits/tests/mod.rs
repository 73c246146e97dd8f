//! What becomes of files, from the answer of a model to the bytes.

mod answers;
mod places;
mod trees;

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// Files in memory.
pub(super) struct Memory {
    files: BTreeMap<String, Found>,
    names: Vec<String>,
}

impl Memory {
    pub(super) fn new(files: &[(&str, &str)]) -> Self {
        let file = |text: &str| Found::File(text.as_bytes().to_vec());
        let files = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), file(text)));
        Self::of(files.collect())
    }

    pub(super) fn of(files: BTreeMap<String, Found>) -> Self {
        Self {
            names: files.keys().cloned().collect(),
            files,
        }
    }
}

impl Tree for Memory {
    fn look(&self, path: &str) -> Found {
        self.files.get(path).cloned().unwrap_or(Found::Nothing)
    }

    fn names(&self) -> &[String] {
        &self.names
    }
}

/// Returns what edits of one file, `a.rs`, make of it.
pub(super) fn edited(file: &str, action: Action) -> Result<String, Refusal> {
    let edits = [Edit {
        path: "a.rs".into(),
        action,
    }];
    let changes = apply(&edits, &Memory::new(&[("a.rs", file)]))?;
    let after = changes
        .into_iter()
        .next()
        .and_then(|change| change.after)
        .unwrap_or_default();
    Ok(String::from_utf8(after).unwrap())
}

pub(super) fn replaced(file: &str, search: &str, replace: &str) -> Result<String, Refusal> {
    edited(
        file,
        Action::Replace {
            search: search.into(),
            replace: replace.into(),
        },
    )
}

#[track_caller]
fn check(file: &str, search: &str, replace: &str, after: &str) {
    match replaced(file, search, replace) {
        Ok(found) => assert_eq!(found, after),
        Err(refusal) => panic!("{}", refusal.for_model()),
    }
}

#[track_caller]
fn refuses(file: &str, search: &str, replace: &str, why: &str) {
    let refusal = replaced(file, search, replace).expect_err("it should have been refused");
    let told = refusal.failures[0].why.to_string();
    assert!(told.contains(why), "{told}");
}

/// Reads an answer and applies it to files.
#[track_caller]
fn answered(files: &[(&str, &str)], answer: &str) -> Vec<(String, Option<String>)> {
    let memory = Memory::new(files);
    let known = |path: &str| files.iter().any(|(known, _)| *known == path);
    let edits =
        parse(answer, &known).unwrap_or_else(|malformed| panic!("{}", malformed.for_model()));
    let changes =
        apply(&edits, &memory).unwrap_or_else(|refusal| panic!("{}", refusal.for_model()));
    let text = |bytes: Option<Vec<u8>>| bytes.map(|bytes| String::from_utf8(bytes).unwrap());
    changes
        .into_iter()
        .map(|change| (change.path, text(change.after)))
        .collect()
}

fn malformed(answer: &str) -> String {
    parse(answer, &|path| path == "a.rs")
        .expect_err("it should have been refused")
        .for_model()
}

const FILE: &str = "fn main() {\n    let total = 1;\n    print(total);\n}\n\nfn other() {\n    let total = 1;\n    keep(total);\n}\n";

/// A unified diff of two texts, with some lines of context.
fn diff(before: &str, after: &str, context: usize) -> String {
    judged::drawn("a.rs", &judged::pieces(before, after, context))
}

fn numbered(lines: &[(bool, u8)]) -> (String, String) {
    let mut texts = (String::new(), String::new());
    for (nth, (changes, word)) in lines.iter().enumerate() {
        let line = |word: u8| {
            format!(
                "{}line {nth} has word {word}\n",
                "    ".repeat(usize::from(word % 3))
            )
        };
        texts.0 += &line(*word);
        match (changes, word % 4) {
            (false, _) => texts.1 += &line(*word),
            (true, 0) => {}
            (true, 1) => texts.1 += &format!("{}added {nth}\n", line(*word)),
            (true, _) => texts.1 += &line(word + 1),
        }
    }
    texts
}

/// What a diff of two texts makes of the first; nothing when it is refused.
fn patched(before: &str, after: &str, context: usize) -> Result<String, String> {
    let edits = parse(&diff(before, after, context), &|path| path == "a.rs")
        .map_err(|malformed| malformed.for_model())?;
    let changes =
        apply(&edits, &Memory::new(&[("a.rs", before)])).map_err(|refusal| refusal.for_model())?;
    let found = changes.first().and_then(|change| change.after.clone());
    Ok(String::from_utf8(found.unwrap_or_default()).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_diff_of_texts_without_repeats_gives_the_second(lines in prop::collection::vec((prop::bool::weighted(0.2), 0_u8..8), 1..60), context in 1_usize..4) {
        let (before, after) = numbered(&lines);
        if before != after {
            prop_assert_eq!(patched(&before, &after, context), Ok(after));
        }
    }

    #[test]
    fn a_diff_of_any_texts_gives_the_second_or_is_refused(before in "([ab]{1,2}\n|\n|  a\n){1,16}", after in "([ab]{1,2}\n|\n|  a\n){0,16}", context in 0_usize..4) {
        if before != after && let Ok(found) = patched(&before, &after, context) {
            prop_assert_eq!(found, after);
        }
    }

    #[test]
    fn no_answer_makes_it_panic(answer in "(<<<<<<< SEARCH|=======|>>>>>>> REPLACE|```|~~~~|@@|--- a|\\+\\+\\+ a|a.rs|\\*\\*\\* Begin Patch|\\*\\*\\* Update File: a.rs|\\*\\*\\* End Patch| x|-x|\\+y|\\\\|[ -~é\u{2019}]{0,6}|\n){0,40}") {
        let memory = Memory::new(&[("a.rs", "x\ny\u{2019}\n")]);
        match parse(&answer, &|path| path == "a.rs") {
            Ok(edits) => if let Err(refusal) = apply(&edits, &memory) {
                prop_assert!(!refusal.for_model().is_empty() && !refusal.to_string().is_empty());
            },
            Err(malformed) => prop_assert!(malformed.line > 0),
        }
    }
}
