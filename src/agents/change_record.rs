//! The change record of a run: what the Docs role says of the change, as a file that `policy::change_record` takes.

use jiff::civil::Date;
use serde_json::Value;

use crate::inert::{is_filler, is_unseen};
use crate::money::Usd;
use crate::policy::change_record;

/// The file's name is not longer without its end.
const LONGEST_SLUG: usize = 60;

/// No sentence of it is longer, in bytes.
const LONGEST: usize = 1900;

/// What a run did, beside what the Docs role says of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts<'a> {
    pub(crate) run: &'a str,
    pub(crate) issue: Option<u64>,
    pub(crate) tasks: &'a [String],
    pub(crate) cost: Usd,
    pub(crate) today: Date,
}

/// A file to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RecordFile {
    /// From the top of the repository.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Makes the record from the answer's `change` (`prompts/docs.yaml`); nothing where the answer says nothing that can be taken.
pub(crate) fn record(change: &Value, facts: &Facts<'_>) -> Option<RecordFile> {
    let text_of = |name: &str| change.get(name).and_then(Value::as_str).map(sentence);
    let title = text_of("title").filter(|title| !title.is_empty())?;
    let kind = text_of("kind")?;
    let mut text = format!(
        "schema: maestro.change/v1\nkind: {}\nsummary: {}\n",
        quoted(&kind),
        quoted(&title)
    );
    let mut add = |name: &str, value: &str| text.push_str(&format!("{name}: {value}\n"));
    if let Some(why) = text_of("why").filter(|why| !why.is_empty()) {
        add("details", &quoted(&why));
    }
    if let Some(issue) = facts.issue {
        add("issue", &issue.to_string());
    }
    for name in ["user_visible", "breaking"] {
        if let Some(value) = change.get(name).and_then(Value::as_bool) {
            add(name, if value { "true" } else { "false" });
        }
    }
    add("run", &quoted(facts.run));
    if !facts.tasks.is_empty() {
        let tasks: Vec<String> = facts.tasks.iter().map(|task| quoted(task)).collect();
        add("tasks", &format!("[{}]", tasks.join(", ")));
    }
    add("cost_usd", &quoted(&facts.cost.to_string()));
    let name = slug(&title).unwrap_or_else(|| "change".to_owned());
    let path = format!(".maestro/changes/{}-{name}.yaml", facts.today);
    change_record::is_valid(&path, text.as_bytes()).then_some(RecordFile { path, text })
}

/// Returns a sentence on one line, without what nobody sees.
fn sentence(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut line = words.join(" ");
    line.retain(|c| !c.is_control() && !is_unseen(c) && !is_filler(c));
    while line.len() > LONGEST {
        line.pop();
    }
    line
}

/// Returns a text as JSON has it, which YAML 1.2 reads as the same.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// Returns a name of small letters, digits and single dashes; nothing where none are left.
pub(crate) fn slug(text: &str) -> Option<String> {
    let mut slug = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() >= LONGEST_SLUG {
            break;
        }
    }
    let slug = slug.trim_end_matches('-');
    (!slug.is_empty()).then(|| slug.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn made(change: &Value) -> Option<RecordFile> {
        let tasks = ["add-check".to_owned(), "docs".to_owned()];
        record(
            change,
            &Facts {
                run: "r1",
                issue: Some(7),
                tasks: &tasks,
                cost: "0.25".parse().unwrap(),
                today: jiff::civil::date(2026, 1, 5),
            },
        )
    }

    #[test]
    fn a_record_says_what_the_docs_role_says_and_what_the_run_was() {
        let change = json!({ "kind": "fixed", "title": "`sum` says that it overflows", "why": "It panicked: \"attempt to add\".", "user_visible": true, "breaking": false });
        let file = made(&change).unwrap();
        assert_eq!(
            file.path,
            ".maestro/changes/2026-01-05-sum-says-that-it-overflows.yaml"
        );
        assert_eq!(
            file.text,
            "schema: maestro.change/v1\nkind: \"fixed\"\nsummary: \"`sum` says that it overflows\"\ndetails: \"It panicked: \\\"attempt to add\\\".\"\nissue: 7\nuser_visible: true\nbreaking: false\nrun: \"r1\"\ntasks: [\"add-check\", \"docs\"]\ncost_usd: \"0.25\"\n"
        );
    }

    #[test]
    fn what_says_nothing_is_no_record() {
        for change in [
            json!({}),
            json!({ "kind": "fixed" }),
            json!({ "kind": "fixed", "title": " " }),
            json!({ "kind": "exploded", "title": "x" }),
            json!({ "kind": 1, "title": "x" }),
        ] {
            assert_eq!(made(&change), None, "{change}");
        }
    }

    proptest! {
        #[test]
        fn whatever_it_says_is_one_sentence_of_the_record(title in "(\\PC|[\n\r\u{202e}\u{85}'\"#:&*!-]){1,80}", why in "(\\PC|[\n:{}]){0,80}") {
            let change = json!({ "kind": "added", "title": title, "why": why, "user_visible": true, "breaking": true });
            if let Some(file) = made(&change) {
                prop_assert!(change_record::is_valid(&file.path, file.text.as_bytes()));
                prop_assert!(file.text.contains("\nrun: \"r1\"\n"));
            } else {
                prop_assert_eq!(sentence(&title), "");
            }
        }

        #[test]
        fn a_slug_is_a_name(text in "\\PC{0,100}") {
            if let Some(slug) = slug(&text) {
                prop_assert!(slug.len() <= LONGEST_SLUG);
                let is_plain = slug.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
                prop_assert!(is_plain && !slug.starts_with('-') && !slug.ends_with('-') && !slug.contains("--"));
            }
        }
    }
}
