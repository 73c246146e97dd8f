//! What the built-in engine lets a model do: look around, change files, run a command, and say that it is done.

use serde_json::{Value, json};

use crate::json;
use crate::llm::reply::ToolCall;
use crate::llm::request::Tool;

/// A call that a model made, read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Act {
    List { below: String },
    Read { path: String, from: u64, lines: u64 },
    Search { pattern: String, below: String },
    Edit { edits: Value },
    Run { command: String },
    Finish(Value),
}

/// So many lines are read at once where nobody says.
const LINES: u64 = 400;

/// Returns the tools of a turn; `answer` is the schema of the last word.
pub(crate) fn tools(answer: &Value, may_run: bool, may_edit: bool) -> Vec<Tool> {
    let text = |words: &str| json!({"type": "string", "description": words});
    let number = |words: &str| json!({"type": "integer", "minimum": 1, "description": words});
    let tool = |name: &str, description: &str, properties: Value, required: &[&str]| Tool {
        name: name.to_owned(),
        description: description.to_owned(),
        parameters: json!({
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        }),
    };
    let mut tools = vec![
        tool(
            "list",
            "Lists files below a folder of the repository.",
            json!({"below": text("A folder from the top; \"\" is the top.")}),
            &["below"],
        ),
        tool(
            "read",
            "Reads lines of a file.",
            json!({
                "path": text("From the top, with `/`."),
                "from": number("The first line; 1 unless set."),
                "lines": number("How many; 400 unless set."),
            }),
            &["path"],
        ),
        tool(
            "search",
            "Finds lines that hold a text, as it is written.",
            json!({
                "pattern": text("The text; no regular expression."),
                "below": text("A folder or file; \"\" is everything."),
            }),
            &["pattern"],
        ),
    ];
    if may_edit {
        tools.push(tool(
            "edit",
            "Changes files, all of it or nothing. The rules for `edits` hold.",
            json!({"edits": edits()}),
            &["edits"],
        ));
    }
    if may_run {
        tools.push(tool(
            "run",
            "Runs one of the task's commands, or a longer form of it, in the work tree without a network. Returns its exit code and output.",
            json!({"command": text("Words as for a shell, without any of a shell's own signs.")}),
            &["command"],
        ));
    }
    tools.push(Tool {
        name: "finish".to_owned(),
        description: "Ends the task with your answer. What `edit` changed already is not repeated in its `edits`."
            .to_owned(),
        parameters: answer.clone(),
    });
    tools
}

fn edits() -> Value {
    json!({
        "type": "array",
        "items": {
            "type": "object",
            "additionalProperties": false,
            "required": ["path", "action", "search", "replace"],
            "properties": {
                "path": {"type": "string"},
                "action": {"type": "string", "enum": ["replace", "create", "delete"]},
                "search": {"type": "string"},
                "replace": {"type": "string"},
            },
        },
    })
}

/// Reads a call; the error is for the model.
pub(crate) fn read(call: &ToolCall) -> Result<Act, String> {
    let arguments: Value = json::read(&call.arguments)
        .map_err(|error| format!("the arguments are no JSON: {error}"))?;
    let text = |name: &str| arguments[name].as_str().map(str::to_owned);
    let needed = |name: &str| text(name).ok_or_else(|| format!("`{name}` must be a string"));
    let number = |name: &str, default: u64| match &arguments[name] {
        Value::Null => Ok(default),
        value => value
            .as_u64()
            .filter(|number| *number > 0)
            .ok_or_else(|| format!("`{name}` must be a number from 1")),
    };
    match call.name.as_str() {
        "list" => Ok(Act::List {
            below: text("below").unwrap_or_default(),
        }),
        "read" => Ok(Act::Read {
            path: needed("path")?,
            from: number("from", 1)?,
            lines: number("lines", LINES)?,
        }),
        "search" => {
            let pattern = needed("pattern")?;
            if pattern.is_empty() {
                return Err("`pattern` is empty".to_owned());
            }
            Ok(Act::Search {
                pattern,
                below: text("below").unwrap_or_default(),
            })
        }
        "edit" => Ok(Act::Edit {
            edits: arguments["edits"].clone(),
        }),
        "run" => Ok(Act::Run {
            command: needed("command")?,
        }),
        "finish" => Ok(Act::Finish(arguments)),
        other => Err(format!("there is no tool `{other}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(name: &str, arguments: &str) -> Result<Act, String> {
        read(&ToolCall {
            id: String::new(),
            name: name.to_owned(),
            arguments: arguments.to_owned(),
        })
    }

    #[test]
    fn calls_are_read_with_their_defaults() {
        assert_eq!(
            call("read", "{\"path\": \"a\"}"),
            Ok(Act::Read {
                path: "a".to_owned(),
                from: 1,
                lines: LINES
            })
        );
        assert_eq!(
            call("list", "{}"),
            Ok(Act::List {
                below: String::new()
            })
        );
        let edit = "{\"edits\": [{\"path\": \"a\"}]}";
        assert!(matches!(call("edit", edit), Ok(Act::Edit { edits }) if edits.is_array()));
        assert_eq!(
            call("finish", "{\"a\": 1}"),
            Ok(Act::Finish(json!({"a": 1})))
        );
    }

    #[test]
    fn calls_that_make_no_sense_are_answered_in_words() {
        for (name, arguments, words) in [
            ("fly", "{}", "there is no tool `fly`"),
            ("read", "{\"path\": 1}", "`path` must be a string"),
            (
                "read",
                "{\"path\": \"a\", \"from\": 0}",
                "`from` must be a number from 1",
            ),
            ("search", "{\"pattern\": \"\"}", "`pattern` is empty"),
            ("run", "{\"command\"", "the arguments are no JSON"),
        ] {
            let found = call(name, arguments).unwrap_err();
            assert!(found.contains(words), "{found}");
        }
    }

    #[test]
    fn tools_are_those_that_the_turn_may_use() {
        let names = |run, edit| {
            let tools = tools(&json!({"type": "object"}), run, edit);
            let names: Vec<String> = tools.into_iter().map(|tool| tool.name).collect();
            names.join(" ")
        };
        assert_eq!(names(true, true), "list read search edit run finish");
        assert_eq!(names(false, false), "list read search finish");
    }
}
