//! A change of the quarantine that waits for a review: what it does, in words, and what becomes of it when the branch under it moves.

use super::quarantine::{Entry, Mode, Quarantine};
use super::verdict::times;
use crate::forge::body::Section;
use crate::inert::{code, prose};

/// Entries that are named with their evidence.
const MOST_NAMED: usize = 50;

/// Longer texts of an entry are cut.
const LONGEST: usize = 300;

/// Lays what was proposed over a quarantine that has changed since: `before` is the one that the proposal stood on.
pub(crate) fn rebase(onto: &Quarantine, before: &Quarantine, proposed: &Quarantine) -> Quarantine {
    let mut rebased = onto.clone();
    for entry in &proposed.tests {
        if before.find(&entry.suite, &entry.test) != Some(entry) {
            rebased.put(entry.clone());
        }
    }
    for entry in &before.tests {
        if proposed.find(&entry.suite, &entry.test).is_none() {
            rebased.take(&entry.suite, &entry.test);
        }
    }
    rebased
}

fn short(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// Says what a proposal does.
pub(crate) fn text(onto: &Quarantine, proposed: &Quarantine) -> Vec<Section> {
    let known = |entry: &&Entry| onto.find(&entry.suite, &entry.test);
    let added = proposed.tests.iter().filter(|entry| known(entry).is_none());
    let changed = proposed
        .tests
        .iter()
        .filter(|entry| known(entry).is_some_and(|before| before != *entry));
    let is_gone = |entry: &&Entry| proposed.find(&entry.suite, &entry.test).is_none();
    let released = onto.tests.iter().filter(is_gone);
    let mut sections = Vec::new();
    for (title, entries, priority) in [
        ("Into quarantine", added.collect::<Vec<_>>(), 9),
        ("Changed", changed.collect(), 8),
        ("Out of quarantine", released.collect(), 7),
    ] {
        if !entries.is_empty() {
            sections.push(section(title, &entries, priority));
        }
    }
    let text = "Once this is merged, `maestro flakes gate` forgives the failures of what is in quarantine until its day of review, and nothing else changes. \
                Take out here what should not be forgiven."
        .to_owned();
    sections.push(Section {
        title: "what it means".into(),
        text,
        priority: 6,
    });
    sections
}

fn section(title: &str, entries: &[&Entry], priority: u8) -> Section {
    let mut text = format!("### {title}: {}\n\n", times(entries.len() as u64, "test"));
    for entry in entries.iter().take(MOST_NAMED) {
        let owner = entry
            .owner
            .as_deref()
            .map_or_else(|| "nobody".to_owned(), |owner| code(&short(owner), false));
        let mode = match entry.mode {
            Mode::Gate => "forgiven",
            Mode::Skip => "skipped",
        };
        text.push_str(&format!(
            "- {} · owner {owner} · {mode} until {}: {}\n",
            code(&short(&entry.shown()), false),
            entry.review_by,
            prose(&short(&entry.reason))
        ));
        for sentence in entry.evidence.iter().take(3) {
            text.push_str(&format!("  - {}\n", prose(&short(sentence))));
        }
    }
    if entries.len() > MOST_NAMED {
        let more = (entries.len() - MOST_NAMED) as u64;
        text.push_str(&format!("\nand {} more\n", times(more, "test")));
    }
    Section {
        title: title.to_lowercase(),
        text,
        priority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quarantine(tests: &[(&str, &str)]) -> Quarantine {
        let mut quarantine = Quarantine::default();
        for (test, reason) in tests {
            quarantine.put(Entry {
                suite: "s".into(),
                test: (*test).into(),
                mode: Mode::Gate,
                reason: (*reason).into(),
                evidence: vec!["see #1".into()],
                owner: Some("@o/t".into()),
                issue: None,
                since: "2026-01-01".parse().unwrap(),
                review_by: "2026-01-15".parse().unwrap(),
            });
        }
        quarantine
    }

    #[test]
    fn what_was_proposed_is_kept_when_the_branch_moves() {
        let before = quarantine(&[("a", "r"), ("b", "r")]);
        // Proposed: c comes in, b goes, a is extended; meanwhile d came in and c, too.
        let proposed = quarantine(&[("a", "later"), ("c", "r")]);
        let onto = quarantine(&[("a", "r"), ("b", "r"), ("c", "r"), ("d", "r")]);
        let wanted = quarantine(&[("a", "later"), ("c", "r"), ("d", "r")]);
        assert_eq!(rebase(&onto, &before, &proposed), wanted);
        assert_eq!(rebase(&onto, &before, &before), onto);
    }

    #[test]
    fn the_text_says_what_it_does_and_calls_nobody() {
        let (before, after) = (
            quarantine(&[("a", "r"), ("b", "r")]),
            quarantine(&[("a", "@x"), ("c", "r")]),
        );
        let texts: Vec<String> = text(&before, &after)
            .into_iter()
            .map(|section| section.text)
            .collect();
        let text = texts.join("\n");
        for words in [
            "### Into quarantine: 1 test\n\n- `s > c` · owner `@o/t` · forgiven until 2026-01-15: r\n  - see \\#\u{200b}1",
            "### Changed: 1 test\n\n- `s > a`",
            "### Out of quarantine: 1 test\n\n- `s > b`",
            "@\u{200b}x",
        ] {
            assert!(text.contains(words), "`{words}` is not in:\n{text}");
        }
    }
}
