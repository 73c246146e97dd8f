//! Changes with a known outcome: the gold solutions of exercises, and what stood before them. A stub gives nearly a whole rewrite, so that bodies and
//! lines are turned back as well.

use std::path::Path;

/// A text, and what it is to become.
pub(super) struct Gold {
    pub(super) name: String,
    pub(super) before: String,
    pub(super) after: String,
}

/// Reads the exercises below a folder, in the order of their names.
#[expect(
    clippy::disallowed_methods,
    reason = "a corpus by others lies outside of the repository"
)]
pub(super) fn golds(folder: &Path) -> Vec<Gold> {
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    names.sort();
    let mut golds = Vec::new();
    for exercise in names {
        let read = |path: &str| std::fs::read_to_string(exercise.join(path)).unwrap();
        let after = read(".meta/example.rs");
        let name = exercise.file_name().unwrap().to_string_lossy().into_owned();
        let mut add = |kind: &str, before: String| {
            if before != after {
                golds.push(Gold {
                    name: format!("{name}/{kind}"),
                    before,
                    after: after.clone(),
                });
            }
        };
        add("stub", read("src/lib.rs"));
        let count = bodies(&after, |_| false).1;
        add("every second body", bodies(&after, |nth| nth % 2 == 0).0);
        for one in 0..count.min(4) {
            add(&format!("body {one}"), bodies(&after, |nth| nth == one).0);
        }
        add("lines", lines(&after));
    }
    golds
}

/// Turns the bodies of some functions back, and counts those that have at least two lines.
fn bodies(text: &str, is_turned: impl Fn(usize) -> bool) -> (String, usize) {
    let all: Vec<&str> = text.lines().collect();
    let mut turned = String::new();
    let mut count = 0;
    let mut at = 0;
    while let Some(line) = all.get(at) {
        turned.push_str(line);
        turned.push('\n');
        at += 1;
        let bare = line.trim_start();
        let is_function = bare.trim_start_matches("pub ").starts_with("fn ") && line.ends_with('{');
        let close = format!("{}}}", &line[..line.len() - bare.len()]);
        let length = all[at..]
            .iter()
            .position(|line| *line == close)
            .filter(|length| is_function && *length >= 2);
        if let Some(length) = length {
            if is_turned(count) {
                turned.push_str(&format!("{}    todo!()\n", &close[..close.len() - 1]));
                at += length;
            }
            count += 1;
        }
    }
    (turned, count)
}

/// Drops lines, changes words and adds lines, here and there.
fn lines(text: &str) -> String {
    let mut before = String::new();
    for (nth, line) in text.lines().enumerate() {
        let white = &line[..line.len() - line.trim_start().len()];
        if nth % 17 == 3 {
            before.push_str(&format!("{white}let leftover_{nth} = {nth};\n"));
        }
        let is_blank = line.trim().is_empty();
        match nth {
            _ if nth % 9 == 4 && !is_blank => {}
            _ if nth % 13 == 7 && !is_blank => {
                before.push_str(&format!("{white}{} // to be done\n", line.trim()));
            }
            _ => before.push_str(&format!("{line}\n")),
        }
    }
    before
}
