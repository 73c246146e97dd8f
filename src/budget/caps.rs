//! `.maestro/ci_budget.json`: how much may be spent, and when people hear of it.
//!
//! Written by people and reviewed, so that whatever is not known in it is an error.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::json;
use crate::money::{MoneyProblem, Usd};
use crate::order;

/// What `schema` must say.
pub(crate) const SCHEMA: &str = "maestro.ci-budget/v1";

/// Where it lies, from the top of the repository.
pub(crate) const PATH: &str = ".maestro/ci_budget.json";

/// What a pull request may cost where nobody says.
const PULL_REQUEST: Usd = Usd::from_pico(10_000_000_000_000);

/// Shares of a cap, in hundredths, at which people hear of it.
const ALERTS: [u8; 2] = [80, 95];

/// How much may be spent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caps {
    /// On one call of a model.
    pub(crate) call: Option<Usd>,
    /// On one task of a run.
    pub(crate) task: Option<Usd>,
    /// On one pull request.
    pub(crate) pull_request: Usd,
    /// In a calendar month (UTC), on everything.
    pub(crate) month: Option<Usd>,
    /// Shares of a cap at which people hear of it, in hundredths and in order.
    pub(crate) alerts: Vec<u8>,
}

impl Default for Caps {
    fn default() -> Self {
        Self {
            call: None,
            task: None,
            pull_request: PULL_REQUEST,
            month: None,
            alerts: ALERTS.to_vec(),
        }
    }
}

/// `.maestro/ci_budget.json`. Amounts are decimals in US dollars, in quotes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, schemars(title = "maestro.ci-budget/v1", inline))]
pub(crate) struct CapsFile {
    /// `maestro.ci-budget/v1`
    schema: String,
    /// On one call of a model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    per_call: Option<String>,
    /// On one task of a run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    per_task: Option<String>,
    /// On one pull request; 10 unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    per_pull_request: Option<String>,
    /// In a calendar month (UTC), on everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    per_month: Option<String>,
    /// Shares of a cap, in hundredths, at which people hear of it; 80 and 95 unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alerts: Option<Vec<u8>>,
}

/// Why a text is no budget.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CapsProblem {
    #[error("{0}")]
    Json(String),
    #[error("its schema is `{0}`, and this version reads `{SCHEMA}`")]
    Schema(String),
    #[error("`{key}`: {problem}")]
    Amount {
        key: &'static str,
        problem: MoneyProblem,
    },
    #[error("`alerts`: {0} is no share from 1 to 100")]
    Alert(u8),
}

/// What becomes of an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edit {
    To(Usd),
    /// There is no such cap any more; for a pull request: the usual one.
    Away,
}

/// What is changed in a budget.
#[derive(Debug, Clone, Default)]
pub(crate) struct Edits {
    pub(crate) call: Option<Edit>,
    pub(crate) task: Option<Edit>,
    pub(crate) pull_request: Option<Edit>,
    pub(crate) month: Option<Edit>,
    pub(crate) alerts: Option<Vec<u8>>,
}

impl Edits {
    /// Changes the text of a budget, and keeps what it does not change: its indentation, and amounts as they were written.
    pub(crate) fn apply(&self, bytes: &[u8]) -> Result<Vec<u8>, CapsProblem> {
        Caps::read(bytes)?;
        let json = |error: serde_json::Error| CapsProblem::Json(error.to_string());
        let mut file: CapsFile = if bytes.trim_ascii().is_empty() {
            CapsFile {
                schema: SCHEMA.to_owned(),
                per_call: None,
                per_task: None,
                per_pull_request: None,
                per_month: None,
                alerts: None,
            }
        } else {
            json::read(bytes).map_err(json)?
        };
        let fields = [
            (&mut file.per_call, self.call),
            (&mut file.per_task, self.task),
            (&mut file.per_pull_request, self.pull_request),
            (&mut file.per_month, self.month),
        ];
        for (field, edit) in fields {
            match edit {
                Some(Edit::To(usd)) => *field = Some(usd.to_string()),
                Some(Edit::Away) => *field = None,
                None => {}
            }
        }
        if let Some(alerts) = &self.alerts {
            file.alerts = Some(alerts.clone());
        }
        let indent = indent(bytes);
        let mut out = Vec::new();
        let formatter = serde_json::ser::PrettyFormatter::with_indent(&indent);
        let mut serializer = serde_json::Serializer::with_formatter(&mut out, formatter);
        file.serialize(&mut serializer).map_err(json)?;
        out.push(b'\n');
        Caps::read(&out)?;
        Ok(out)
    }
}

/// Returns what the lines of a text are indented by.
fn indent(bytes: &[u8]) -> Vec<u8> {
    let lines = bytes.split(|byte| *byte == b'\n').skip(1);
    let blanks = lines.map(|line| {
        let blank = line.iter().take_while(|byte| b" \t".contains(byte));
        blank.copied().take(8).collect::<Vec<u8>>()
    });
    let found = blanks.into_iter().find(|blank| !blank.is_empty());
    found.unwrap_or_else(|| b"  ".to_vec())
}

/// What is looked at before anything else, whatever the other keys are.
#[derive(Deserialize)]
struct Head {
    schema: String,
}

impl Caps {
    /// Reads a budget; no bytes are the default.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, CapsProblem> {
        if bytes.trim_ascii().is_empty() {
            return Ok(Self::default());
        }
        let json = |error: serde_json::Error| CapsProblem::Json(error.to_string());
        let head: Head = json::read(bytes).map_err(json)?;
        if head.schema != SCHEMA {
            return Err(CapsProblem::Schema(head.schema));
        }
        let file: CapsFile = json::read(bytes).map_err(json)?;
        let amount = |key: &'static str, text: &Option<String>| match text {
            Some(text) => text
                .parse()
                .map(Some)
                .map_err(|problem| CapsProblem::Amount { key, problem }),
            None => Ok(None),
        };
        let mut alerts = file.alerts.clone().unwrap_or_else(|| ALERTS.to_vec());
        if let Some(wrong) = alerts.iter().find(|share| !(1..=100).contains(*share)) {
            return Err(CapsProblem::Alert(*wrong));
        }
        order::sort(&mut alerts);
        alerts.dedup();
        let pull_request = amount("per_pull_request", &file.per_pull_request)?;
        Ok(Self {
            call: amount("per_call", &file.per_call)?,
            task: amount("per_task", &file.per_task)?,
            pull_request: pull_request.unwrap_or(PULL_REQUEST),
            month: amount("per_month", &file.per_month)?,
            alerts,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caps(keys: &str) -> Result<Caps, CapsProblem> {
        Caps::read(format!(r#"{{"schema": "maestro.ci-budget/v1"{keys}}}"#).as_bytes())
    }

    #[test]
    fn a_pull_request_may_cost_ten_dollars_unless_somebody_says_otherwise() {
        let default = Caps::read(b"\n").unwrap();
        assert_eq!(default, Caps::default());
        assert_eq!(default.pull_request.to_string(), "10");
        let read = caps(r#", "per_pull_request": "2.50", "per_month": "200", "alerts": [95, 50]"#)
            .unwrap();
        assert_eq!(read.pull_request.to_string(), "2.5");
        assert_eq!(
            read.month.map(|month| month.to_string()).as_deref(),
            Some("200")
        );
        assert_eq!((read.call, read.alerts), (None, vec![50, 95]));
    }

    #[test]
    fn a_change_keeps_what_it_does_not_change() {
        let before = b"{\n\t\"schema\": \"maestro.ci-budget/v1\",\n\t\"per_month\": \"200.00\",\n\t\"per_call\": \"1\"\n}\n";
        let edits = Edits {
            call: Some(Edit::Away),
            pull_request: Some(Edit::To("2.50".parse().unwrap())),
            ..Edits::default()
        };
        let after = String::from_utf8(edits.apply(before).unwrap()).unwrap();
        assert_eq!(
            after,
            "{\n\t\"schema\": \"maestro.ci-budget/v1\",\n\t\"per_pull_request\": \"2.5\",\n\t\"per_month\": \"200.00\"\n}\n"
        );
        let new = edits.apply(b"").unwrap();
        assert_eq!(Caps::read(&new).unwrap().pull_request.to_string(), "2.5");
        let wrong = Edits {
            alerts: Some(vec![0]),
            ..Edits::default()
        };
        assert_eq!(wrong.apply(b""), Err(CapsProblem::Alert(0)));
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        let problem = |keys: &str| caps(keys).unwrap_err().to_string();
        assert!(problem(r#", "per_moth": "1""#).contains("per_moth"));
        assert!(problem(r#", "per_month": "-1""#).contains("`per_month`: `-1` is negative"));
        assert!(problem(r#", "per_month": 1"#).contains("line 1"));
        assert!(problem(r#", "per_month": "1 EUR""#).contains("no decimal number"));
        assert!(problem(r#", "alerts": [0]"#).contains("no share"));
        assert!(
            Caps::read(br#"{"schema": "maestro.ci-budget/v2", "x": 1}"#)
                .unwrap_err()
                .to_string()
                .contains("v2")
        );
    }
}
