//! A comment, issue or pull request text of sections, kept within what GitHub takes.
//!
//! GitHub refuses more than 65,536 characters ("Body is too long"). Counted here are UTF-16 units, of which an emoji has two: no way of
//! counting characters comes to more, and four bytes a character, GitHub's other bound, hold then too.

/// The longest text that GitHub takes.
pub(crate) const LONGEST: usize = 65_536;

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Section {
    /// What is left out is named by this.
    pub(crate) title: String,
    /// Markdown, foreign text in it inert.
    pub(crate) text: String,
    /// Sections with a lower number are left out first; of equals the later one.
    pub(crate) priority: u8,
}

/// A text that fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fitted {
    pub(crate) text: String,
    /// Titles of the sections that did not fit.
    pub(crate) left_out: Vec<String>,
}

/// Lays sections out with the line that tells whose text it is, leaving out what does not fit; `elsewhere` says where all of it is.
pub(crate) fn fit(sections: &[Section], key: &str, elsewhere: &str, longest: usize) -> Fitted {
    let mut order: Vec<usize> = (0..sections.len()).collect();
    crate::order::sort_by_key(&mut order, |&at| (sections[at].priority, usize::MAX - at));
    let mut left_out = vec![false; sections.len()];
    let mut next = order.into_iter();
    loop {
        let text = lay_out(sections, &left_out, key, elsewhere);
        if units(&text) <= longest {
            let titles = sections.iter().zip(&left_out).filter(|(_, out)| **out);
            return Fitted {
                text,
                left_out: titles.map(|(section, _)| section.title.clone()).collect(),
            };
        }
        match next.next() {
            Some(at) => left_out[at] = true,
            // Only the key and the note are left.
            None => {
                return Fitted {
                    text: format!(
                        "{}\n\n{key}\n",
                        cut(elsewhere, longest.saturating_sub(units(key) + 3))
                    ),
                    left_out: sections
                        .iter()
                        .map(|section| section.title.clone())
                        .collect(),
                };
            }
        }
    }
}

fn lay_out(sections: &[Section], left_out: &[bool], key: &str, elsewhere: &str) -> String {
    let mut text = String::new();
    for (section, _) in sections.iter().zip(left_out).filter(|(_, out)| !**out) {
        text.push_str(section.text.trim_end());
        text.push_str("\n\n");
    }
    let names = sections.iter().zip(left_out).filter(|(_, out)| **out);
    let names: Vec<&str> = names.map(|(section, _)| section.title.as_str()).collect();
    if !names.is_empty() {
        text.push_str(&format!(
            "_Left out, because GitHub takes no longer text: {}. {elsewhere}_\n\n",
            names.join(", ")
        ));
    }
    text.push_str(key);
    text.push('\n');
    text
}

/// Returns how many UTF-16 units a text has.
pub(crate) fn units(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// Returns the beginning of a text, at most so many units.
fn cut(text: &str, most: usize) -> &str {
    let mut left = most;
    for (at, c) in text.char_indices() {
        match left.checked_sub(c.len_utf16()) {
            Some(rest) => left = rest,
            None => return &text[..at],
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn section(title: &str, text: &str, priority: u8) -> Section {
        Section {
            title: title.into(),
            text: text.into(),
            priority,
        }
    }

    #[test]
    fn what_matters_least_goes_first_and_is_named() {
        let sections = [
            section("answer", "**fine**", 9),
            section("details", &"x".repeat(200), 1),
            section("evidence", "e", 5),
        ];
        let fitted = fit(&sections, "`key`", "See the summary.", 150);
        assert_eq!(fitted.left_out, ["details"]);
        assert_eq!(
            fitted.text,
            "**fine**\n\ne\n\n_Left out, because GitHub takes no longer text: details. See the summary._\n\n`key`\n"
        );
    }

    #[test]
    fn an_emoji_counts_twice() {
        assert_eq!(units("a🦀測"), 4);
        assert_eq!(cut("a🦀b", 2), "a");
    }

    proptest! {
        #[test]
        fn it_always_fits_and_keeps_its_key(texts in prop::collection::vec(("\\PC{0,60}", any::<u8>()), 0..8), longest in 40_usize..400) {
            let sections: Vec<Section> = texts.iter().enumerate().map(|(at, (text, priority))| section(&at.to_string(), text, *priority)).collect();
            let fitted = fit(&sections, "`maestro: key`", "See the summary.", longest);
            prop_assert!(units(&fitted.text) <= longest);
            prop_assert!(fitted.text.lines().any(|line| line == "`maestro: key`"));
        }
    }
}
