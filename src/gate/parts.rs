//! The one comment of a pull request, of which two commands each know a part: the gate what to do, `pr-health` how the change stands.
//!
//! Each command writes its own part anew and leaves the other's as it is. Where parts begin and end, lines say that nobody sees; only a comment of our own
//! account is read, and what others wrote stands on no line of its own. A part that is not understood is written anew the next time.

use crate::forge::body::Section;

/// The gate's part: its lines, and what it folds away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct GatePart {
    /// The commit that was judged.
    pub(crate) commit: String,
    pub(crate) lines: String,
    pub(crate) details: Vec<Section>,
}

/// How the change stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct HealthPart {
    pub(crate) commit: String,
    /// Whether the gate made it, which has no report of coverage and asks nobody who reviewed.
    pub(crate) is_of_gate: bool,
    pub(crate) sections: Vec<Section>,
}

/// What stands in a comment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Parts {
    pub(crate) gate: Option<GatePart>,
    pub(crate) health: Option<HealthPart>,
}

const MARK: &str = "<!-- maestro: ";
const MARK_END: &str = " -->";
const OPEN: &str = "<details><summary>Details</summary>";
const CLOSE: &str = "</details>";

/// Is never left out: without it the text would be none.
const FRAME: u8 = u8::MAX;

impl Parts {
    /// Reads what we wrote.
    pub(crate) fn read(text: &str) -> Self {
        let mut parts = Self::default();
        let mut gathered: Vec<&str> = Vec::new();
        for line in text.lines() {
            let mark = line.strip_prefix(MARK);
            let Some(mark) = mark.and_then(|rest| rest.trim_end().strip_suffix(MARK_END)) else {
                gathered.push(line);
                continue;
            };
            let part = gathered.join("\n");
            let part = part.trim_matches('\n');
            gathered.clear();
            let mut words = mark.split(' ');
            match (words.next(), words.next(), words.next()) {
                (Some("gate"), Some(commit), None) => {
                    parts.gate = Some(GatePart {
                        commit: commit.to_owned(),
                        lines: part.to_owned(),
                        details: Vec::new(),
                    });
                }
                (Some("details"), None, None) => {
                    let part = part.strip_prefix(OPEN).unwrap_or(part);
                    if let Some(gate) = &mut parts.gate {
                        gate.details.extend(section("details", part, 5));
                    }
                }
                (Some("health"), Some(commit), Some(by)) => {
                    parts.health = section("health", part, 4).map(|section| HealthPart {
                        commit: commit.to_owned(),
                        is_of_gate: by == "gate",
                        sections: vec![section],
                    });
                }
                _ => {}
            }
        }
        parts
    }

    /// Puts the gate's part in. What `pr-health` itself said of the same commit knows more than what the gate says of it.
    pub(crate) fn with_gate(self, gate: GatePart, health: Option<HealthPart>) -> Self {
        let known = self
            .health
            .filter(|known| known.commit == gate.commit && (!known.is_of_gate || health.is_none()));
        Self {
            health: known.or(health),
            gate: Some(gate),
        }
    }

    /// Puts the part of `pr-health` in.
    pub(crate) fn with_health(self, health: HealthPart) -> Self {
        Self {
            health: Some(health),
            ..self
        }
    }

    /// Lays all of it out.
    pub(crate) fn sections(&self) -> Vec<Section> {
        let mut sections = Vec::new();
        let frame = |text: String| Section {
            title: "frame".to_owned(),
            text,
            priority: FRAME,
        };
        let mark = |words: String| frame(format!("{MARK}{words}{MARK_END}"));
        let has_details = self
            .gate
            .as_ref()
            .is_some_and(|gate| !gate.details.is_empty() || self.health.is_some());
        if let Some(gate) = &self.gate {
            sections.push(frame(gate.lines.clone()));
            sections.push(mark(format!("gate {}", gate.commit)));
            if has_details {
                sections.push(frame(OPEN.to_owned()));
                sections.extend(gate.details.iter().cloned());
                sections.push(mark("details".to_owned()));
            }
        }
        if let Some(health) = &self.health {
            sections.extend(health.sections.iter().cloned());
            let by = if health.is_of_gate {
                "gate"
            } else {
                "pr-health"
            };
            sections.push(mark(format!("health {} {by}", health.commit)));
        }
        if has_details {
            sections.push(frame(CLOSE.to_owned()));
        }
        sections
    }
}

fn section(title: &str, text: &str, priority: u8) -> Option<Section> {
    let text = text.trim_matches('\n');
    (!text.is_empty()).then(|| Section {
        title: title.to_owned(),
        text: text.to_owned(),
        priority,
    })
}

const UPDATED: &str = " · updated ";

/// Returns when something was written, as the end of a line.
pub(crate) fn updated(time: &str) -> String {
    format!("{UPDATED}{time} UTC")
}

/// Whether two texts say the same, whenever they were written.
pub(crate) fn says_the_same(a: &str, b: &str) -> bool {
    let words = |text: &str| -> String {
        let lines = text.trim_end().lines().map(|line| {
            let at = line.rfind(UPDATED).filter(|_| line.starts_with("**"));
            format!("{}\n", &line[..at.unwrap_or(line.len())])
        });
        lines.collect()
    };
    words(a) == words(b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forge::body::fit;

    fn gate(commit: &str, details: &[&str]) -> GatePart {
        GatePart {
            commit: commit.into(),
            lines: format!(
                "**✅ maestro: nothing for you** · commit {commit} · updated 14:02 UTC\n- one"
            ),
            details: details
                .iter()
                .filter_map(|text| section("details", text, 5))
                .collect(),
        }
    }

    fn health(commit: &str, text: &str, is_of_gate: bool) -> HealthPart {
        HealthPart {
            commit: commit.into(),
            is_of_gate,
            sections: section("health", text, 4).into_iter().collect(),
        }
    }

    fn text(parts: &Parts) -> String {
        fit(&parts.sections(), "`key`", "below", 60_000).text
    }

    #[test]
    fn what_was_laid_out_is_read_back() {
        let parts = [
            Parts::default(),
            Parts::default().with_gate(gate("abc", &[]), None),
            Parts::default().with_gate(gate("abc", &["| a |\n\n| b |"]), None),
            Parts::default().with_health(health(
                "abc",
                "### Health\n\n<details><summary>F</summary>\n\nx\n\n</details>",
                false,
            )),
            Parts::default()
                .with_health(health("abc", "### Health", false))
                .with_gate(gate("abc", &["| a |"]), None),
            Parts::default().with_gate(gate("abc", &[]), Some(health("abc", "### Health", true))),
        ];
        for parts in parts {
            let laid = text(&parts);
            assert_eq!(Parts::read(&laid), parts, "{laid}");
            // GitHub hands lines back with other ends.
            assert_eq!(Parts::read(&laid.replace('\n', "\r\n")), parts, "{laid}");
            assert_eq!(
                laid.matches("<details>").count(),
                laid.matches("</details>").count()
            );
        }
    }

    #[test]
    fn each_keeps_what_the_other_said() {
        let both = Parts::default()
            .with_health(health("a", "of pr-health", false))
            .with_gate(gate("a", &[]), Some(health("a", "of the gate", true)));
        assert!(text(&both).contains("of pr-health"));
        // Of another commit it is old, and what the gate knows counts.
        let later = Parts::read(&text(&both))
            .with_gate(gate("b", &[]), Some(health("b", "of the gate", true)));
        assert!(text(&later).contains("of the gate") && !text(&later).contains("of pr-health"));
        let none = Parts::read(&text(&both)).with_gate(gate("b", &[]), None);
        assert_eq!(none.health, None);
        // `pr-health` leaves the gate's lines, and its own take the place of the gate's.
        let own = Parts::read(&text(&later)).with_health(health("b", "anew", false));
        assert_eq!(own.gate, later.gate);
        assert!(text(&own).contains("anew") && !text(&own).contains("of the gate"));
    }

    #[test]
    fn what_is_no_part_is_none() {
        for odd in [
            "",
            "words\n\n`key`",
            "<!-- maestro: gate -->",
            "<!-- maestro: health a -->\n<!-- maestro:",
            "<!-- maestro: details -->",
        ] {
            assert_eq!(Parts::read(odd), Parts::default(), "{odd}");
        }
    }

    #[test]
    fn only_the_time_makes_no_other_text() {
        let parts = Parts::default().with_gate(gate("abc", &["x"]), None);
        let one = text(&parts);
        assert!(says_the_same(&one, &one.replace("14:02", "15:30")));
        assert!(says_the_same(&one, &one.replace('\n', "\r\n")));
        assert!(!says_the_same(&one, &one.replace("- one", "- two")));
    }
}
