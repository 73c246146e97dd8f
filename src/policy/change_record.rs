//! `.maestro/changes/NAME.yaml`: what a change is, in a form that programs read. Adding one is the only thing in `.maestro/` that needs no person.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use super::words::{Words, checked};
use crate::config::{Kind, read_as};
use crate::money::Usd;

const SCHEMA: &str = "maestro.change/v1";

const KIND: Kind = Kind {
    schema: SCHEMA,
    published: "change",
};

/// No record is larger.
const LARGEST: usize = 16 * 1024;

/// What a change is. Kinds are those of keepachangelog.com, and `internal` for what no user notices.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, schemars(title = "maestro.change/v1", inline))]
#[expect(
    dead_code,
    reason = "whether it can be read is all that is asked today"
)]
pub(crate) struct ChangeRecord {
    /// `maestro.change/v1`
    #[serde(deserialize_with = "schema")]
    #[cfg_attr(test, schemars(with = "String"))]
    schema: (),
    /// What kind of change it is.
    kind: ChangeKind,
    /// What it is, in one sentence.
    summary: Words,
    /// More of it.
    #[serde(default)]
    details: Option<Words>,
    /// The issue that it is about.
    #[serde(default)]
    issue: Option<u64>,
    /// Whether those who use it notice.
    #[serde(default)]
    user_visible: Option<bool>,
    /// Whether those who use it have to change something.
    #[serde(default)]
    breaking: Option<bool>,
    /// The run of agents that made it.
    #[serde(default)]
    run: Option<Words>,
    /// The run's tasks whose work it is.
    #[serde(default)]
    tasks: Vec<Words>,
    /// US dollars that the run's models cost, as a decimal number.
    #[serde(default)]
    cost_usd: Option<Cost>,
}

/// US dollars.
#[derive(Debug)]
struct Cost;

impl<'de> Deserialize<'de> for Cost {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        checked(deserializer, "an amount, as \"0.25\"", |text| {
            let read = text.parse::<Usd>();
            read.map(|_| Self).map_err(|error| error.to_string())
        })
    }
}

#[cfg(test)]
impl JsonSchema for Cost {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Cost".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^\\d+(\\.\\d{1,12})?$" })
    }
}

#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(inline))]
#[serde(rename_all = "lowercase")]
enum ChangeKind {
    Added,
    Changed,
    Deprecated,
    Removed,
    Fixed,
    Security,
    Internal,
}

fn schema<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    checked(deserializer, "`maestro.change/v1`", |text| match text {
        SCHEMA => Ok(()),
        text => Err(format!(
            "its schema is `{text}`, and this version reads `{SCHEMA}`"
        )),
    })
}

/// Whether a file is a record, by its place, its name and what stands in it.
pub(crate) fn is_valid(path: &str, bytes: &[u8]) -> bool {
    let name = path
        .strip_prefix(".maestro/changes/")
        .and_then(|name| name.rsplit_once('.'));
    let is_named = name.is_some_and(|(name, end)| {
        let is_plain =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        matches!(end, "yaml" | "yml" | "json")
            && !name.is_empty()
            && name.len() <= 100
            && name.chars().all(is_plain)
    });
    let text = std::str::from_utf8(bytes)
        .ok()
        .filter(|text| text.len() <= LARGEST);
    is_named && text.is_some_and(|text| read_as::<ChangeRecord>(KIND, text, path).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_valid_in_its_place_under_a_plain_name() {
        let yaml = "schema: maestro.change/v1\nkind: added\nsummary: More.\nissue: 3\n";
        let json = r#"{"schema": "maestro.change/v1", "kind": "security", "summary": "Less."}"#;
        let of_agents = format!(
            "{yaml}user_visible: true\nbreaking: false\nrun: r1\ntasks: [a, b]\ncost_usd: \"0.25\"\n"
        );
        assert!(is_valid(".maestro/changes/a-1.yaml", yaml.as_bytes()));
        assert!(is_valid(".maestro/changes/a-2.yaml", of_agents.as_bytes()));
        assert!(is_valid(".maestro/changes/a.json", json.as_bytes()));
        for path in [
            ".maestro/changes/a",
            ".maestro/changes/A.yaml",
            ".maestro/changes/b/a.yaml",
            ".maestro/a.yaml",
            "a.yaml",
            ".maestro/changes/../policy.yaml",
        ] {
            assert!(!is_valid(path, yaml.as_bytes()), "{path}");
        }
        for text in [
            "",
            "schema: maestro.change/v2\nkind: added\nsummary: x\n",
            "schema: maestro.change/v1\nkind: other\nsummary: x\n",
            "schema: maestro.change/v1\nkind: added\nsummary: ' '\n",
            "schema: maestro.change/v1\nkind: added\nsummary: x\ncost_usd: \"-1\"\n",
            "schema: maestro.change/v1\nkind: added\nsummary: x\nbreaking: perhaps\n",
        ] {
            assert!(
                !is_valid(".maestro/changes/a.yaml", text.as_bytes()),
                "{text}"
            );
        }
    }

    #[test]
    fn a_record_may_have_details_and_is_no_book() {
        let record = |details: usize, tasks: usize| {
            let tasks = vec!["'some task or other'"; tasks].join(", ");
            let text = format!(
                "schema: maestro.change/v1\nkind: added\nsummary: More.\ndetails: {}\ntasks: [{tasks}]\n",
                "x".repeat(details)
            );
            is_valid(".maestro/changes/a.yaml", text.as_bytes())
        };
        assert!(record(1500, 300));
        assert!(!record(1500, 1000));
    }
}
