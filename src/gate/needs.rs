//! `toJSON(needs)`: what GitHub says of the jobs before this one.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::json;

/// How a job ended (docs.github.com, "Contexts", `needs`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    Success,
    Failure,
    Cancelled,
    Skipped,
    /// A word that is not known here, which is no success.
    #[serde(other)]
    Other,
}

/// A job before this one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Need {
    pub(crate) result: Outcome,
    /// As texts, which is what they are; whatever else stands there is none.
    #[serde(default)]
    pub(crate) outputs: BTreeMap<String, String>,
}

pub(crate) type Needs = BTreeMap<String, Need>;

/// Reads the text; what cannot be read is an error in words.
pub(crate) fn read(text: &str) -> Result<Needs, String> {
    if text.trim().is_empty() {
        return Err("it is empty".to_owned());
    }
    let needs: Needs = json::read(text).map_err(|error| error.to_string())?;
    if needs.is_empty() {
        return Err("it names no job".to_owned());
    }
    Ok(needs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_and_outputs_are_read() {
        let text = r#"{"plan": {"result": "success", "outputs": {"has_jobs": "true"}}, "test": {"result": "skipped", "outputs": {}}, "x": {"result": "odd"}}"#;
        let needs = read(text).unwrap();
        assert_eq!(needs["plan"].outputs["has_jobs"], "true");
        assert_eq!(needs["test"].result, Outcome::Skipped);
        assert_eq!(needs["x"].result, Outcome::Other);
    }

    #[test]
    fn what_says_nothing_is_an_error() {
        for text in ["", " ", "{}", "null", "[]", "{", r#"{"a": {}}"#] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
