//! The form of `.maestro/policy.yaml` for `maestro util schema policy`; what reads it is `file`.

use std::collections::BTreeMap;

use schemars::JsonSchema;

use super::Weight;
use super::entry::{AppliesTo, Ignore};
use super::file::Agents;
use super::rules::AnySettings;
use super::words::{Day, Id, Words};
use crate::config::extends::Extends;

/// `.maestro/policy.yaml`
#[derive(JsonSchema)]
#[schemars(title = "maestro.policy/v1", inline, deny_unknown_fields)]
#[expect(dead_code, reason = "it is a form, and never made")]
pub(crate) struct PolicyForm {
    /// The version of this form: `maestro.policy/v1`.
    schema: String,
    /// An organisation's policy, at a commit: `acme/ci-policy//policy.yaml@` and the 40 digits of the commit; without a repository, of this one.
    #[schemars(default)]
    extends: Option<Extends>,
    /// Whose entries are that name nobody.
    #[schemars(default)]
    owner: Option<Words>,
    /// Who counts as an agent.
    #[schemars(default)]
    agents: Option<Agents>,
    /// Accounts of teams, by name.
    #[schemars(default)]
    teams: Option<BTreeMap<String, Vec<Words>>>,
    /// A file of what was there before, from the top of the repository.
    #[schemars(default)]
    baseline: Option<String>,
    /// What a policy that extends this one may tighten and never loosen: `all`, or ids of entries.
    #[schemars(default)]
    locked: Option<LockedForm>,
    /// What is forgiven for a while, and why.
    #[schemars(default)]
    ignores: Option<Vec<Ignore>>,
    /// What changes are held to; at least one, unless another policy is extended.
    #[schemars(default)]
    rules: Option<Vec<EntryForm>>,
}

#[derive(JsonSchema)]
#[schemars(untagged, inline)]
#[expect(dead_code, reason = "it is a form, and never made")]
enum LockedForm {
    /// Every entry.
    All(AllWord),
    /// Ids of entries.
    Entries(Vec<Id>),
}

#[derive(JsonSchema)]
#[schemars(inline, rename_all = "lowercase")]
#[expect(dead_code, reason = "it is a form, and never made")]
enum AllWord {
    All,
}

/// A rule with its settings, and what is said around it.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "it is a form, and never made")]
struct EntryForm {
    /// What it is called; there once.
    id: Id,
    /// What follows from a breach: `block`, `review` (a person has to approve the head) or `warn`.
    severity: Weight,
    /// Why it matters here.
    reason: Words,
    /// What helps; the rule's own words unless set.
    #[schemars(default)]
    fix: Option<Words>,
    /// Who answers for it.
    #[schemars(default)]
    owner: Option<Words>,
    /// The last day on which it holds.
    #[schemars(default)]
    expires: Option<Day>,
    /// Whose changes it is about: `all`, unless set, `agents`, `forks`, a list of them, or `{teams: […]}`.
    #[schemars(default)]
    applies_to: Option<AppliesTo>,
    /// The rule and its settings.
    #[schemars(flatten)]
    rule: AnySettings,
}

#[cfg(test)]
mod tests {
    use super::super::file::{COMMON, TOP, read};
    use super::*;

    fn form() -> serde_json::Value {
        let generator = schemars::generate::SchemaSettings::draft2020_12().into_generator();
        generator.into_root_schema_for::<PolicyForm>().to_value()
    }

    #[test]
    fn the_form_has_the_keys_that_are_read() {
        let form = form();
        let keys = |value: &serde_json::Value| -> Vec<String> {
            value["properties"]
                .as_object()
                .unwrap()
                .keys()
                .cloned()
                .collect()
        };
        let sorted = |keys: &[&str]| {
            let mut keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
            keys.sort_unstable();
            keys
        };
        assert_eq!(keys(&form), sorted(&TOP));
        // `rule` stands with the settings.
        let mut common = keys(&form["$defs"]["EntryForm"]);
        common.push("rule".to_owned());
        common.sort_unstable();
        assert_eq!(common, sorted(&COMMON));
        for (variant, about) in form["$defs"]["EntryForm"]["oneOf"]
            .as_array()
            .unwrap()
            .iter()
            .zip(super::super::rules::RULES)
        {
            let mut keys = keys(variant);
            keys.retain(|key| key != "rule");
            let mut ordered: Vec<&str> = about.keys.iter().map(|(key, _)| *key).collect();
            ordered.sort_unstable();
            // Each key of a rule says which of two values is stricter.
            assert_eq!(keys, ordered, "{}", about.name);
        }
    }

    #[test]
    fn the_form_and_the_reader_agree() {
        let validator = jsonschema::validator_for(&form()).unwrap();
        let built_in = include_str!("default.yaml");
        let entry = "rule: title, id: a, severity: warn, reason: r, max_length: 9";
        let policy = |rest: &str| format!("schema: maestro.policy/v1\nrules: [{{{rest}}}]\n");
        let good = [
            built_in.to_owned(),
            policy(entry),
            policy(&format!(
                "{entry}, applies_to: [agents, {{teams: [x]}}], expires: 2026-12-31"
            )),
        ];
        let bad = [
            policy(&format!("{entry}, owners: x")),
            policy(&entry.replace("title", "titel")),
            policy(&entry.replace("warn", "warning")),
            policy(&entry.replace("id: a", "id: A")),
            policy(&entry.replace(", reason: r", "")),
            policy(&format!("{entry}, allow: [x]")),
            policy(&entry.replace('9', "'9'")),
        ];
        for (texts, is_good) in [(&good[..], true), (&bad[..], false)] {
            for text in texts {
                let value: serde_json::Value = serde_yaml::from_str(text).unwrap();
                assert_eq!(
                    (validator.is_valid(&value), read(text, "p").is_ok()),
                    (is_good, is_good),
                    "{text}"
                );
            }
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { cases: 300, failure_persistence: None, ..Default::default() })]

        #[test]
        fn whatever_is_written_is_read_or_refused(at in 0_usize..3000, with in "[\\PC\n:#\\[{*&!|>-]{0,3}", gone in 0_usize..4) {
            let mut text = include_str!("default.yaml").to_owned();
            let from = text.floor_char_boundary(at.min(text.len()));
            let to = text.floor_char_boundary((from + gone).min(text.len()));
            text.replace_range(from..to, &with);
            if let Ok(file) = read(&text, "p") {
                proptest::prop_assert!(!file.entries.is_empty());
            }
        }
    }
}
