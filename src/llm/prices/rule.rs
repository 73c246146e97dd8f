//! Which names of models a price is for, in the words of genai-prices (`prices/data.schema.json`, "MatchLogic").

use regex::Regex;
use serde::{Deserialize, Serialize};

/// A rule over the name of a model, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Rule {
    Equals(String),
    StartsWith(String),
    EndsWith(String),
    Contains(String),
    Regex(String),
    Or(Vec<Self>),
    And(Vec<Self>),
}

/// Rules inside rules deeper than this were not written by a person.
const DEEPEST: u32 = 16;

/// Compiled expressions take no more memory.
const LARGEST_REGEX: usize = 1 << 20;

impl Rule {
    /// Whether a name is meant. A rule that cannot be understood means none; [`Self::check`] finds it before.
    pub(crate) fn means(&self, name: &str) -> bool {
        match self {
            Self::Equals(text) => name == text,
            Self::StartsWith(text) => name.starts_with(text),
            Self::EndsWith(text) => name.ends_with(text),
            Self::Contains(text) => name.contains(text),
            Self::Regex(text) => compile(text).is_ok_and(|regex| regex.is_match(name)),
            Self::Or(rules) => rules.iter().any(|rule| rule.means(name)),
            Self::And(rules) => rules.iter().all(|rule| rule.means(name)),
        }
    }

    /// Says what is wrong with a rule.
    pub(crate) fn check(&self) -> Result<(), String> {
        self.check_at(0)
    }

    fn check_at(&self, depth: u32) -> Result<(), String> {
        if depth > DEEPEST {
            return Err("rules stand too deep inside one another".to_owned());
        }
        match self {
            Self::Regex(text) => compile(text).map(drop),
            Self::Or(rules) | Self::And(rules) if rules.is_empty() => {
                Err("a rule of no rules means nothing".to_owned())
            }
            Self::Or(rules) | Self::And(rules) => {
                rules.iter().try_for_each(|rule| rule.check_at(depth + 1))
            }
            Self::StartsWith(text) | Self::EndsWith(text) | Self::Contains(text)
                if text.is_empty() =>
            {
                Err("an empty text is in every name".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// Returns the names that are spelled out.
    pub(crate) fn names(&self) -> Vec<&str> {
        match self {
            Self::Equals(text) | Self::StartsWith(text) => vec![text],
            Self::Or(rules) => rules.iter().flat_map(Self::names).collect(),
            _ => Vec::new(),
        }
    }
}

fn compile(text: &str) -> Result<Regex, String> {
    let regex = regex::RegexBuilder::new(text)
        .size_limit(LARGEST_REGEX)
        .build();
    regex.map_err(|_| {
        format!(
            "`{}` is no regular expression",
            text.chars().take(80).collect::<String>()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> Rule {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn names_are_matched() {
        let any = rule(
            r#"{"or": [{"starts_with": "claude-2"}, {"and": [{"contains": "v2"}, {"ends_with": "x"}]}, {"equals": "o3"}, {"regex": "^o[14]"}]}"#,
        );
        for (name, means) in [
            ("claude-2.1", true),
            ("a-v2-x", true),
            ("a-v2", false),
            ("o3", true),
            ("o3-mini", false),
            ("o4", true),
        ] {
            assert_eq!(any.means(name), means, "{name}");
        }
        assert_eq!(any.check(), Ok(()));
        assert_eq!(any.names(), ["claude-2", "o3"]);
    }

    #[test]
    fn rules_that_mean_everything_or_nothing_are_refused() {
        for bad in [
            r#"{"or": []}"#,
            r#"{"regex": "("}"#,
            r#"{"contains": ""}"#,
            r#"{"regex": "(a{1000}){1000}"}"#,
        ] {
            assert!(rule(bad).check().is_err(), "{bad}");
        }
        let deep = format!(
            "{}{{\"equals\": \"a\"}}{}",
            "{\"or\": [".repeat(20),
            "]}".repeat(20)
        );
        assert!(rule(&deep).check().is_err());
    }
}
