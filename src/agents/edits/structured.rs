//! The edits of an answer that has a form: `path`, `action` (`replace`, `create`, `delete`), `search`, `replace`, as the built-in prompts ask for.

use serde_json::Value;

use super::{Action, Edit, Malformed, What};

/// Reads the list; the line of an error is the number of the entry.
pub(crate) fn structured(edits: &Value) -> Result<Vec<Edit>, Malformed> {
    let wrong = |at: usize, words: String| Malformed::new(at, What::Form(words));
    let list = edits
        .as_array()
        .ok_or_else(|| wrong(1, "the edits are no list".to_owned()))?;
    let one = |(nth, entry): (usize, &Value)| {
        let text = |key: &str| entry.get(key).and_then(Value::as_str);
        let lacks = |key: &str| wrong(nth + 1, format!("edit {} has no text `{key}`", nth + 1));
        let path = text("path").ok_or_else(|| lacks("path"))?.to_owned();
        let replace = || {
            text("replace")
                .map(str::to_owned)
                .ok_or_else(|| lacks("replace"))
        };
        let action = match text("action") {
            Some("replace") => Action::Replace {
                search: text("search").ok_or_else(|| lacks("search"))?.to_owned(),
                replace: replace()?,
            },
            Some("create") => Action::Create { text: replace()? },
            Some("delete") => Action::Delete,
            Some(other) => {
                return Err(wrong(
                    nth + 1,
                    format!(
                        "edit {} has the action `{other}`, which is none of replace, create, delete",
                        nth + 1
                    ),
                ));
            }
            None => return Err(lacks("action")),
        };
        Ok(Edit { path, action })
    };
    list.iter().enumerate().map(one).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answers_edits() {
        let answer = json!([
            {"path": "a", "action": "replace", "search": "x", "replace": "y"},
            {"path": "b", "action": "create", "search": "", "replace": "z\n"},
            {"path": "c", "action": "delete", "search": "", "replace": ""},
        ]);
        let edits = structured(&answer).unwrap();
        assert_eq!(
            edits[0].action,
            Action::Replace {
                search: "x".into(),
                replace: "y".into()
            }
        );
        assert_eq!(edits[1].action, Action::Create { text: "z\n".into() });
        assert_eq!(
            edits[2],
            Edit {
                path: "c".into(),
                action: Action::Delete
            }
        );
    }

    #[test]
    fn what_is_missing_is_named() {
        let told = |answer: Value| structured(&answer).unwrap_err().what.to_string();
        assert_eq!(told(json!({})), "the edits are no list");
        assert_eq!(
            told(json!([{"path": "a", "action": "replace", "replace": "y"}])),
            "edit 1 has no text `search`"
        );
        assert_eq!(
            told(json!([{"path": "a", "action": "rename"}])),
            "edit 1 has the action `rename`, which is none of replace, create, delete"
        );
    }
}
