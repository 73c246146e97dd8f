//! Microsoft Teams: what a workflow that begins "When a Teams webhook request is received" takes: a message with one Adaptive Card.
//!
//! The connectors of Office 365, with their `MessageCard`, are retired. Every text is a `TextRun` of a `RichTextBlock` (Adaptive Cards 1.2), which reads no
//! Markdown, so that a foreign text can be neither a link nor a heading; a person is called by `msteams.entities` only, and there are none.

use serde_json::{Value, json};

use super::Notice;
use super::letters::Sheet;

/// What Teams shows on all platforms.
const VERSION: &str = "1.4";

/// Writes notices.
pub(crate) fn body(notices: &[Notice], sheet: Sheet<'_>) -> String {
    let items: Vec<Value> = notices
        .iter()
        .enumerate()
        .map(|(at, notice)| container(notice, sheet, at > 0))
        .collect();
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": VERSION,
                "msteams": { "width": "Full" },
                "body": items,
            },
        }],
    })
    .to_string()
}

fn container(notice: &Notice, sheet: Sheet<'_>, has_line_above: bool) -> Value {
    let mut items = vec![text(&json!({
        "type": "TextRun", "text": notice.title, "weight": "Bolder", "size": "Medium",
    }))];
    items.extend(
        notice
            .lines
            .iter()
            .map(|line| text(&json!({ "type": "TextRun", "text": format!("\u{2022} {line}") }))),
    );
    items.push(text(&json!({
        "type": "TextRun",
        "text": format!("{} \u{b7} {}", notice.event, sheet.repository),
        "isSubtle": true,
        "size": "Small",
    })));
    if let Some(link) = &notice.link {
        items.push(json!({
            "type": "ActionSet",
            "actions": [{ "type": "Action.OpenUrl", "title": "Open", "url": link }],
        }));
    }
    json!({ "type": "Container", "separator": has_line_above, "items": items })
}

fn text(run: &Value) -> Value {
    json!({ "type": "RichTextBlock", "inlines": [run] })
}
