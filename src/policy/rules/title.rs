//! `title`: what a pull request is called.

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Deserializer};

use super::{About, Order};
use crate::inert::is_unseen;
use crate::policy::subject::Subject;
use crate::policy::words::checked;
use crate::policy::{Breach, Rule, Target};

pub(super) const ABOUT: About = About {
    name: "title",
    what: "a title that does not have the form that was agreed on",
    fix: "give the pull request another title",
    keys: &[("pattern", Order::Same), ("max_length", Order::Less), ("min_length", Order::More)],
};

/// `title`
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Title {
    /// A regular expression that the whole title must match.
    #[serde(default, deserialize_with = "pattern")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pattern: Option<Pattern>,
    /// The most characters.
    #[serde(default)]
    max_length: Option<u32>,
    /// The fewest characters.
    #[serde(default)]
    min_length: Option<u32>,
}

#[derive(Debug)]
struct Pattern {
    source: String,
    whole: Regex,
}

/// A compiled expression may take so many bytes.
const MOST_BYTES: usize = 1024 * 1024;

fn pattern<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Pattern>, D::Error> {
    checked(deserializer, "a regular expression", |text| {
        let mut builder = RegexBuilder::new(&format!("^(?:{text})$"));
        let whole = builder.size_limit(MOST_BYTES).build();
        // What closes the group early would not be held at both ends.
        let alone = RegexBuilder::new(text).size_limit(MOST_BYTES).build();
        let words = |error: regex::Error| {
            let whole = error.to_string();
            let last = whole.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            format!("`{text}` is no regular expression: {last}")
        };
        alone.map_err(words)?;
        Ok(Pattern { source: text.to_owned(), whole: whole.map_err(words)? })
    })
    .map(Some)
}

impl Rule for Title {
    fn is_sound(&self) -> Result<(), String> {
        if self.pattern.is_none() && self.max_length.is_none() && self.min_length.is_none() {
            return Err("it asks for nothing: set `pattern`, `max_length` or `min_length`".to_owned());
        }
        if let (Some(least), Some(most)) = (self.min_length, self.max_length)
            && least > most
        {
            return Err(format!("`min_length` is {least} and `max_length` {most}: no title has both"));
        }
        Ok(())
    }

    fn check(&self, subject: &Subject<'_>, breaches: &mut Vec<Breach>) {
        let target = || Target::Said("title");
        let Some(title) = &subject.asked.title else {
            let breach = Breach::new(target(), "nobody knows the title", "no title", "a title");
            breaches.push(breach.fix("run it in a pull request's workflow").weight(subject.asked.weight_of_unknown()));
            return;
        };
        if title.chars().any(|c| c.is_control() || is_unseen(c)) {
            breaches.push(Breach::new(target(), "the title has characters that nobody sees", title.clone(), "what everybody sees"));
        }
        if let Some(pattern) = self.pattern.as_ref().filter(|pattern| !pattern.whole.is_match(title)) {
            breaches.push(Breach::new(target(), "the title has another form", title.clone(), pattern.source.clone()));
        }
        let length = u32::try_from(title.chars().count()).unwrap_or(u32::MAX);
        if let Some(most) = self.max_length.filter(|most| length > *most) {
            breaches.push(Breach::new(target(), "the title is too long", format!("{length} characters"), format!("at most {most}")));
        }
        if let Some(least) = self.min_length.filter(|least| length < *least) {
            breaches.push(Breach::new(target(), "the title is too short", format!("{length} characters"), format!("at least {least}")));
        }
    }
}

#[cfg(test)]
mod tests;
