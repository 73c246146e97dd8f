//! Slack: the body of an incoming webhook, in Block Kit.
//!
//! Limits (docs.slack.dev, "Block Kit" reference): 50 blocks; a header of 150 characters, plain text; a section of 3,000. In `mrkdwn` the signs `&`, `<` and `>`
//! are control signs and are written as entities; with `verbatim` nothing else becomes a link or calls anybody.

use serde_json::{Value, json};

use super::Notice;
use super::letters::Sheet;

/// A section has no more characters: entities make a text longer.
const SECTION: usize = 2_900;

/// Writes notices.
pub(crate) fn body(notices: &[Notice], sheet: Sheet<'_>) -> String {
    let mut blocks = Vec::new();
    for (at, notice) in notices.iter().enumerate() {
        if at > 0 {
            blocks.push(json!({ "type": "divider" }));
        }
        blocks.push(json!({
            "type": "header",
            "text": { "type": "plain_text", "text": plain(&notice.title), "emoji": false },
        }));
        let text = lines(&notice.lines);
        if !text.is_empty() {
            blocks.push(json!({ "type": "section", "text": mrkdwn(&text) }));
        }
        let mut foot = format!("{} \u{b7} {}", notice.event, escape(sheet.repository));
        if let Some(link) = &notice.link {
            foot.push_str(&format!(" \u{b7} <{}|Open>", escape(link)));
        }
        blocks.push(json!({ "type": "context", "elements": [mrkdwn(&foot)] }));
    }
    let titles = notices.iter().map(|notice| escape(&notice.title));
    // What a telephone shows, and whoever cannot show blocks.
    let text = format!(
        "{}: {}",
        escape(sheet.repository),
        titles.collect::<Vec<_>>().join("; ")
    );
    json!({
        "text": text,
        "blocks": blocks,
        "unfurl_links": false,
        "unfurl_media": false,
    })
    .to_string()
}

fn mrkdwn(text: &str) -> Value {
    json!({ "type": "mrkdwn", "text": text, "verbatim": true })
}

/// Returns lines as one text, as many as fit.
fn lines(lines: &[String]) -> String {
    let mut text = String::new();
    let mut length = 0;
    for (at, line) in lines.iter().enumerate() {
        let line = format!("\u{2022} {}", escape(line));
        let own = line.chars().count() + 1;
        if length + own > SECTION {
            text.push_str(&format!("\nand {} more", lines.len() - at));
            break;
        }
        if at > 0 {
            text.push('\n');
        }
        text.push_str(&line);
        length += own;
    }
    text
}

/// Returns text without control signs of Slack's.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// Returns text for where entities may show as such: signs that look alike stand for those that control.
fn plain(text: &str) -> String {
    text.replace('&', "\u{ff06}")
        .replace('<', "\u{2039}")
        .replace('>', "\u{203a}")
}
