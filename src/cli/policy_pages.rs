//! What a policy's rules say of themselves: the pages of `docs/policy`, as the binary brings them.

use crate::packed;

/// The pages, unpacked.
pub(super) struct PolicyPages(Vec<(String, String)>);

impl PolicyPages {
    pub(super) fn unpack() -> Self {
        let packed = include_bytes!(concat!(env!("OUT_DIR"), "/policy"));
        Self(packed::texts(packed))
    }

    /// Returns a rule's page as one paragraph, without its heading and the sentence that says what it reports.
    pub(super) fn text(&self, rule: &str) -> String {
        let page = self
            .0
            .iter()
            .find(|(name, _)| name.strip_suffix(".md") == Some(rule));
        let paragraphs = page.map(|(_, page)| page.trim_end().split("\n\n").skip(2));
        let paragraphs: Vec<&str> = paragraphs.into_iter().flatten().collect();
        paragraphs.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_a_text() {
        let pages = PolicyPages::unpack();
        let rules = crate::policy::rules::RULES.iter();
        for rule in rules.chain(&crate::policy::standing::STANDING) {
            let text = pages.text(rule.name);
            assert!(text.len() > 200 && !text.contains('\n'), "{}", rule.name);
            assert!(text.ends_with(&format!(" What helps: {}.", rule.fix)));
        }
        assert_eq!(pages.text("no-rule"), "");
    }
}
