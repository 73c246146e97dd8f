//! A run as one HTML page that needs nothing else: a timeline, what it cost, what was decided, and the diff.

use serde_json::Value;

use super::story::{Story, TurnRow};
use crate::inert::html as text;

const STYLE: &str = "\
:root{color-scheme:light dark;--line:#8884;--done:#2a7d4f;--bad:#b3402e;--wait:#9a7b1f}\
body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem;border-bottom:1px solid var(--line)}\
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.25rem .6rem;border-bottom:1px solid var(--line);vertical-align:top}\
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}\
pre{overflow:auto;border:1px solid var(--line);padding:.6rem;font-size:13px;white-space:pre-wrap}\
.bar{position:relative;height:1.1rem;min-width:12rem}.bar i{position:absolute;top:.2rem;height:.7rem;min-width:2px;border-radius:2px;background:var(--done)}\
.bar i.refused,.bar i.broken,.bar i.rejected,.bar i.hopeless,.bar i.money{background:var(--bad)}.bar i.open{background:var(--wait)}\
.add{color:var(--done)}.del{color:var(--bad)}summary{cursor:pointer}";

fn seconds(ms: Option<i64>) -> String {
    ms.map_or_else(String::new, |ms| {
        #[expect(
            clippy::cast_precision_loss,
            reason = "it is shown to a tenth of a second"
        )]
        let seconds = ms as f64 / 1000.0;
        format!("{seconds:.1} s")
    })
}

/// Returns the page; `diff` is what the run changed.
pub(crate) fn html(story: &Story, diff: &str) -> String {
    let mut page =
        String::from("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n");
    page.push_str("<meta name=\"viewport\" content=\"width=device-width\">\n");
    page.push_str("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n");
    page.push_str(&format!(
        "<title>Run {}</title><style>{STYLE}</style></head><body>\n",
        text(&story.run)
    ));
    page.push_str(&format!("<h1>{}</h1>\n", text(&story.title)));
    page.push_str(&format!(
        "<p>Run <code>{}</code>: <strong>{}</strong>. Began {}, took {}, cost ${}.{} From <code>{}</code>{}.</p>\n",
        text(&story.run),
        text(&story.outcome),
        text(&story.began),
        seconds(story.took_ms),
        text(&story.spent_usd),
        if story.resumed == 0 { String::new() } else { format!(" Gone on with {} times.", story.resumed) },
        text(&story.base),
        story.commit.as_ref().map(|commit| format!(" to <code>{}</code>", text(commit))).unwrap_or_default(),
    ));
    for halt in &story.halts {
        page.push_str(&format!("<p>Stopped: {}.</p>\n", text(halt)));
    }
    timeline(&mut page, story);
    page.push_str("<h2>What was done and decided</h2>\n");
    for turn in &story.turns {
        told(&mut page, turn);
    }
    page.push_str("<h2>What changed</h2>\n<pre>");
    for line in diff.lines() {
        let class = match line.as_bytes().first() {
            Some(b'+') if !line.starts_with("+++") => "add",
            Some(b'-') if !line.starts_with("---") => "del",
            _ => "",
        };
        if class.is_empty() {
            page.push_str(&text(line));
        } else {
            page.push_str(&format!("<span class=\"{class}\">{}</span>", text(line)));
        }
        page.push('\n');
    }
    page.push_str("</pre>\n</body></html>\n");
    page
}

fn timeline(page: &mut String, story: &Story) {
    let whole = story.took_ms.unwrap_or(0).max(1);
    page.push_str("<h2>Timeline</h2>\n<table><tr><th>task</th><th>role</th><th class=\"n\">try</th><th>end</th><th class=\"n\">cost</th><th class=\"n\">took</th><th></th></tr>\n");
    for turn in &story.turns {
        let from = turn.from_ms.unwrap_or(0);
        let took = turn.took_ms.unwrap_or(whole - from);
        #[expect(clippy::cast_precision_loss, reason = "it is a picture")]
        let share = |ms: i64| (ms as f64 / whole as f64 * 100.0).clamp(0.0, 100.0);
        page.push_str(&format!(
            "<tr><td>{}</td><td>{}</td><td class=\"n\">{}</td><td>{}</td><td class=\"n\">${}</td><td class=\"n\">{}</td><td><div class=\"bar\"><i class=\"{}\" style=\"left:{:.2}%;width:{:.2}%\"></i></div></td></tr>\n",
            text(&turn.task),
            text(&turn.role),
            turn.number,
            turn.end,
            text(&turn.usd),
            seconds(turn.took_ms),
            turn.end,
            share(from),
            share(took),
        ));
    }
    page.push_str("</table>\n");
}

fn told(page: &mut String, turn: &TurnRow) {
    page.push_str(&format!(
        "<details><summary>{} ({}), try {}: {}</summary>\n",
        text(&turn.task),
        text(&turn.role),
        turn.number,
        turn.end
    ));
    if let Some(why) = &turn.why {
        page.push_str(&format!("<pre>{}</pre>\n", text(why)));
    }
    page.push_str("<table>");
    for step in &turn.steps {
        page.push_str(&format!(
            "<tr><td>{}</td><td>{}</td><td class=\"n\">{}</td></tr>\n",
            text(&step.what),
            text(&step.line),
            seconds(step.took_ms)
        ));
    }
    page.push_str("</table>\n");
    for said in &turn.says {
        let pretty = crate::json::pretty(said).unwrap_or_else(|_| Value::Null.to_string());
        page.push_str(&format!("<pre>{}</pre>\n", text(&pretty)));
    }
    page.push_str("</details>\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_model_says_is_markup() {
        let turn = TurnRow {
            task: "<b>".to_owned(),
            role: "r\"".to_owned(),
            number: 1,
            round: 0,
            end: "refused",
            why: Some("</pre><script>alert(1)</script>\u{202e}".to_owned()),
            models: Vec::new(),
            usd: "0".to_owned(),
            from_ms: Some(10),
            took_ms: Some(20),
            commit: None,
            steps: Vec::new(),
            says: vec![serde_json::json!({"x": "<img src=x>"})],
        };
        let story = Story {
            schema: "",
            run: "r".to_owned(),
            version: String::new(),
            began: String::new(),
            took_ms: Some(40),
            outcome: "partial".to_owned(),
            title: "<h1>&".to_owned(),
            base: String::new(),
            commit: None,
            spent_usd: "1".to_owned(),
            resumed: 2,
            planning: Vec::new(),
            turns: vec![turn],
            halts: Vec::new(),
        };
        let page = html(&story, "+<a>\n-b\n");
        for markup in ["<script", "<img", "<b>", "<a>", "<h1>&<", "\u{202e}"] {
            assert!(!page.contains(markup), "{markup}");
        }
        assert!(page.contains("&lt;script&gt;alert(1)"));
        assert!(page.contains("left:25.00%;width:50.00%"));
        assert!(page.contains("<span class=\"add\">+&lt;a&gt;</span>"));
    }
}
