//! What was there before a policy was: known by fingerprints that do not move with lines.
//!
//! A secret has no fingerprint, and neither has what an organisation holds: no baseline forgives them.

use std::collections::BTreeSet;

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::engine::{Forgiven, Violation};
use crate::json;
use crate::order;
use crate::sha::Sha;

pub(crate) const SCHEMA: &str = "maestro.policy-baseline/v1";

/// `.maestro/policy-baseline.json`, as `maestro check-policy --write-baseline` writes it.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, schemars(title = "maestro.policy-baseline/v1", inline))]
pub(crate) struct BaselineFile {
    /// `maestro.policy-baseline/v1`
    schema: String,
    /// What is forgiven.
    entries: Vec<Known>,
}

/// One breach that was there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Known {
    /// The id of the policy's entry.
    entry: String,
    /// SHA-256 over the rule and what it knows the breach by.
    fingerprint: String,
    /// What it is about, for people.
    target: String,
}

/// Why a text is no baseline.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BaselineProblem {
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    #[error("its schema is `{0}`, and this version reads `{SCHEMA}`")]
    Schema(String),
    #[error("`{0}` is no fingerprint")]
    Fingerprint(String),
}

/// What is forgiven because it was there.
#[derive(Debug, Clone, Default)]
pub(crate) struct Baseline(BTreeSet<(String, String)>);

impl Baseline {
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, BaselineProblem> {
        let file: BaselineFile = json::read(bytes)?;
        if file.schema != SCHEMA {
            return Err(BaselineProblem::Schema(file.schema));
        }
        let mut known = BTreeSet::new();
        for entry in file.entries {
            if Sha::parse(&entry.fingerprint).is_none() {
                return Err(BaselineProblem::Fingerprint(entry.fingerprint));
            }
            known.insert((entry.entry, entry.fingerprint));
        }
        Ok(Self(known))
    }

    pub(crate) fn has(&self, entry: &str, fingerprint: &str) -> bool {
        self.0.contains(&(entry.to_owned(), fingerprint.to_owned()))
    }
}

/// Returns what a baseline knows a breach by.
pub(crate) fn fingerprint(rule: &str, print: &str) -> String {
    Sha::of(format!("{rule}\0{print}").as_bytes()).to_string()
}

/// Returns a baseline of all that may be forgiven of a judgement, and how many breaches may not.
pub(crate) fn of(
    violations: &[Violation],
    target: impl Fn(&Violation) -> String,
) -> (BaselineFile, u64) {
    let mut left = 0;
    let mut entries = Vec::new();
    for violation in violations {
        let is_open = matches!(violation.forgiven, None | Some(Forgiven::Baseline));
        match &violation.fingerprint {
            Some(fingerprint) if is_open && !violation.is_locked => entries.push(Known {
                entry: violation.entry.clone(),
                fingerprint: fingerprint.clone(),
                target: target(violation),
            }),
            _ if is_open => left += 1,
            _ => {}
        }
    }
    order::sort(&mut entries);
    entries.dedup();
    let schema = SCHEMA.to_owned();
    (BaselineFile { schema, entries }, left)
}

#[cfg(test)]
mod tests {
    use super::super::engine::{Outcome, judge};
    use super::super::rules::tests::Case;
    use super::super::subject::Subject;
    use super::super::tighten::Policy;
    use super::super::{Breach, Rule, Target, file};
    use super::*;

    #[test]
    fn whatever_is_no_baseline_is_refused() {
        let entry = |print: &str| {
            format!(
                r#"{{"schema": "maestro.policy-baseline/v1", "entries": [{{"entry": "a", "fingerprint": "{print}", "target": "x"}}]}}"#
            )
        };
        assert!(Baseline::read(entry(&"0".repeat(64)).as_bytes()).is_ok());
        for text in [
            "",
            "{}",
            "[]",
            "null",
            r#"{"schema": "maestro.policy-baseline/v1"}"#,
            r#"{"schema": "maestro.policy-baseline/v2", "entries": []}"#,
            r#"{"schema": "maestro.policy-baseline/v1", "entries": [], "more": 1}"#,
            r#"{"schema": "maestro.policy-baseline/v1", "entries": [], "entries": []}"#,
        ] {
            assert!(Baseline::read(text.as_bytes()).is_err(), "{text}");
        }
        assert!(Baseline::read(entry("*").as_bytes()).is_err());
    }

    /// Finds what its fingerprint says.
    #[derive(Debug)]
    struct Finds(Option<&'static str>);

    impl Rule for Finds {
        fn check(&self, _: &Subject<'_>, breaches: &mut Vec<Breach>) {
            let mut breach = Breach::new(Target::Change, "m", "o", "l");
            breach.fingerprint = self.0.map(str::to_owned);
            breaches.push(breach);
        }
    }

    fn policy(print: Option<&'static str>, is_locked: bool) -> Policy {
        let text = "schema: maestro.policy/v1\nrules:\n- {rule: path-form, id: a, severity: block, reason: r}\n";
        let mut policy = Policy::alone(file::read(text, "p").unwrap());
        policy.entries[0].check = Box::new(Finds(print));
        policy.entries[0].is_locked = is_locked;
        policy
    }

    #[test]
    fn what_was_there_is_forgiven_and_secrets_and_locked_entries_never() {
        let judged = |policy: &Policy, baseline: &Baseline| {
            Case::default().with(|subject| judge(policy, baseline, subject, None))
        };
        let before = judged(&policy(Some("x"), false), &Baseline::default());
        let (file, left) = of(&before.violations, |_| "t".to_owned());
        assert_eq!((file.entries.len(), left), (1, 0));
        let baseline = Baseline::read(&serde_json::to_vec(&file).unwrap()).unwrap();
        assert_eq!(
            judged(&policy(Some("x"), false), &baseline).outcome,
            Outcome::Passed
        );
        for (print, is_locked) in [(Some("y"), false), (None, false), (Some("x"), true)] {
            let policy = policy(print, is_locked);
            assert_eq!(
                judged(&policy, &baseline).outcome,
                Outcome::Blocked,
                "{print:?} {is_locked}"
            );
        }
        let secret = judged(&policy(None, false), &Baseline::default());
        let (file, left) = of(&secret.violations, |_| "t".to_owned());
        assert_eq!((file.entries.len(), left), (0, 1));
    }

    #[test]
    fn only_what_is_open_and_may_be_forgiven_is_written_down() {
        let judgement = |is_locked: bool| {
            let policy = policy(Some("x"), is_locked);
            Case::default().with(|subject| judge(&policy, &Baseline::default(), subject, None))
        };
        let written = |violations: &[Violation]| {
            let (file, left) = of(violations, |_| "t".to_owned());
            (file.entries.len(), left)
        };
        let mut violations = judgement(false).violations;
        assert_eq!(written(&violations), (1, 0));
        // What the last baseline forgave stays in the next.
        violations[0].forgiven = Some(Forgiven::Baseline);
        assert_eq!(written(&violations), (1, 0));
        violations[0].forgiven = Some(Forgiven::Approved(vec!["bob".to_owned()]));
        assert_eq!(written(&violations), (0, 0));
        // What an organisation holds is counted, unless a person approved it.
        let mut violations = judgement(true).violations;
        assert_eq!(written(&violations), (0, 1));
        violations[0].forgiven = Some(Forgiven::Approved(vec!["bob".to_owned()]));
        assert_eq!(written(&violations), (0, 0));
    }
}
