//! OpenAI's Responses: a search of the web has no limit of its own, so that nobody can say what it costs at worst. Codex asks for one with
//! every request; the model does without.

use serde_json::Value;
use serde_json::value::RawValue;

use crate::gateway::members::Members;
use crate::json;

/// Takes searches without a limit out of a request, and leaves all other tools as they were written; true where there was one.
pub(super) fn leave_out_searches(body: &mut Members) -> bool {
    let tools = body.get("tools").map(RawValue::get);
    let tools: Option<Vec<&RawValue>> = tools.and_then(|text| json::read(text).ok());
    let Some(tools) = tools else {
        return false;
    };
    let kept: Vec<&str> = tools
        .iter()
        .map(|tool| tool.get())
        .filter(|tool| !is_search(tool))
        .collect();
    if kept.len() == tools.len() {
        return false;
    }
    let kept = format!("[{}]", kept.join(","));
    body.set_text("tools", kept);
    true
}

fn is_search(tool: &str) -> bool {
    // Most tools are told apart without being read.
    if !tool.contains("web_search") {
        return false;
    }
    let tool: Value = json::read(tool).unwrap_or_default();
    tool["type"].as_str().is_some_and(|kind| {
        kind == "web_search"
            || kind.starts_with("web_search_2")
            || kind.starts_with("web_search_preview")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(body: &str) -> (bool, String) {
        let mut members = Members::read(body.as_bytes()).unwrap();
        let is_less = leave_out_searches(&mut members);
        (is_less, String::from_utf8(members.write()).unwrap())
    }

    #[test]
    fn searches_are_left_out_and_nothing_else() {
        let (is_less, text) = left(
            r#"{"tools":[{"type":"function", "name":"web_search"},{"type":"web_search","external_web_access":false},{"type":"web_search_preview"}]}"#,
        );
        assert!(is_less);
        assert_eq!(
            text,
            r#"{"tools":[{"type":"function", "name":"web_search"}]}"#
        );
        for same in [
            r#"{"tools":[{"type": "function"}]}"#,
            r#"{"tools":7}"#,
            "{}",
        ] {
            assert_eq!(left(same), (false, same.to_owned()));
        }
    }
}
