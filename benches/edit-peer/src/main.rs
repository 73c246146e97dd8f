//! What mpatch makes of the cases of `gold_patches_of_exercises`: `edit-peer CASES` prints a line each, the text that came out or `null`.
//!
//! Options are mpatch's own defaults (a likeness of 0.7). Hunks that fail, a file that is not there and an answer without a patch are refusals.

use mpatch::{ApplyOptions, parse_auto};
use serde_json::Value;

const PATH: &str = "src/lib.rs";

fn applied(before: &str, answer: &str) -> Option<String> {
    let patches = parse_auto(answer).ok().filter(|patches| !patches.is_empty())?;
    let mut text = before.to_owned();
    for patch in patches {
        if patch.file_path.to_str() != Some(PATH) {
            return None;
        }
        let result = patch.apply_to_content(Some(&text), &ApplyOptions::default());
        if !result.report.all_applied_cleanly() {
            return None;
        }
        text = result.new_content;
    }
    Some(text)
}

fn main() {
    let path = std::env::args().nth(1).expect("names the cases");
    let cases: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    for case in cases.as_array().unwrap() {
        let text = |key: &str| case[key].as_str().unwrap();
        // A panic is a refusal as well.
        let found = std::panic::catch_unwind(|| applied(text("before"), text("answer")));
        println!("{}", Value::from(found.unwrap_or_default()));
    }
}
