//! `notify:` of the configuration: who is told what. Addresses are secrets, so that the file has the names of variables only.

#[cfg(test)]
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// Nobody tells more channels.
const MOST: usize = 16;

/// A channel, and what it hears of.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct NotifyFile {
    /// What takes it: `slack` (an incoming webhook), `teams` (a workflow that begins "When a Teams webhook request is received") or `webhook` (JSON, for your own program).
    pub(crate) to: ReceiverWord,
    /// The variable of the environment that has its address. An address lets everybody write into the channel: it never stands in this file.
    pub(crate) url_env: String,
    /// `webhook` only: the variable that has the secret by which requests are signed, as Standard Webhooks has it.
    #[serde(default)]
    pub(crate) secret_env: Option<String>,
    /// What it hears of.
    pub(crate) on: Vec<NotifyEvent>,
    /// Refused, with the reason.
    #[serde(default)]
    #[cfg_attr(test, schemars(skip))]
    url: Option<IgnoredAny>,
}

/// What takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum ReceiverWord {
    Slack,
    Teams,
    Webhook,
}

impl ReceiverWord {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::Teams => "teams",
            Self::Webhook => "webhook",
        }
    }
}

/// What somebody may hear of. `notify::events` says when each happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) enum NotifyEvent {
    #[serde(rename = "budget-80")]
    Budget80,
    #[serde(rename = "budget-95")]
    Budget95,
    #[serde(rename = "budget-exceeded")]
    BudgetExceeded,
    #[serde(rename = "quarantine-overdue")]
    QuarantineOverdue,
    #[serde(rename = "quarantine-added")]
    QuarantineAdded,
    #[serde(rename = "flaky-new")]
    FlakyNew,
    #[serde(rename = "outage")]
    Outage,
    #[serde(rename = "policy-violation")]
    PolicyViolation,
    #[serde(rename = "override-used")]
    OverrideUsed,
    #[serde(rename = "gate-blocked")]
    GateBlocked,
    #[serde(rename = "weekly")]
    Weekly,
}

impl NotifyFile {
    /// Returns how messages and the state name it: never by its address.
    pub(crate) fn name(&self) -> String {
        format!("{}/{}", self.to.word(), self.url_env)
    }
}

/// Returns what is wrong with a list, and what to do. No value of the file is shown: it may be the secret.
pub(crate) fn fault(list: &[NotifyFile]) -> Option<(String, &'static str)> {
    if list.len() > MOST {
        return Some((
            format!("`notify` has more than {MOST} entries"),
            "name each channel once, with all its events in one `on`",
        ));
    }
    for (at, one) in list.iter().enumerate() {
        let bad = |words: &str| format!("`notify[{at}]`: {words}");
        let names = [
            ("url_env", Some(&one.url_env)),
            ("secret_env", one.secret_env.as_ref()),
        ];
        if one.url.is_some() {
            return Some((
                bad("the address itself stands in `url`"),
                "make a new address, because this one is known to whoever can read the repository; keep it as a secret, and name its variable: `url_env: SLACK_WEBHOOK`",
            ));
        }
        for (key, name) in names {
            if let Some(name) = name
                && !is_variable(name)
            {
                return Some((
                    bad(&format!("`{key}` is not the name of a variable")),
                    "an address or secret never stands in the file: make a new one if it did, keep it as a secret, and name its variable: `url_env: SLACK_WEBHOOK`",
                ));
            }
        }
        if one.secret_env.is_some() && one.to != ReceiverWord::Webhook {
            return Some((
                bad(&format!("`secret_env` is nothing to `{}`", one.to.word())),
                "only `to: webhook` signs; leave it out",
            ));
        }
        if one.on.is_empty() {
            return Some((
                bad("`on` is empty"),
                "name what it hears of: `on: [budget-95, weekly]`",
            ));
        }
        if list[..at].iter().any(|other| other.name() == one.name()) {
            return Some((
                bad("it is the same channel as one before it"),
                "put all its events in one `on`",
            ));
        }
    }
    None
}

/// Whether a text may be the name of a variable (POSIX.1-2024, base definitions, 8.1).
fn is_variable(name: &str) -> bool {
    let first = name.bytes().next();
    first.is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && name.len() <= 128
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ConfigFile, read};

    fn of(notify: &str) -> Result<Option<String>, String> {
        let text = format!("schema: maestro.config/v1\nnotify:\n  - {notify}\n");
        let read = read::<ConfigFile>(&text, "maestro.yaml");
        let config = read.map_err(|error| error.message)?;
        Ok(fault(&config.notify).map(|(words, hint)| format!("{words}; {hint}")))
    }

    #[test]
    fn a_channel_is_named_by_its_variable() {
        assert_eq!(
            of("{ to: slack, url_env: SLACK_WEBHOOK, on: [budget-95, weekly] }"),
            Ok(None)
        );
        assert_eq!(
            of("{ to: webhook, url_env: A, secret_env: B, on: [outage] }"),
            Ok(None)
        );
        assert!(of("{ to: pager, url_env: A, on: [outage] }").is_err());
        assert!(of("{ to: slack, url_env: A, on: [budget-96] }").is_err());
        assert!(of("{ to: slack, on: [weekly] }").is_err());
    }

    #[test]
    fn an_address_in_the_file_is_refused_and_not_shown() {
        let address = "https://hooks.slack.com/services/T0/B0/abc";
        for entry in [
            format!("{{ to: slack, url_env: \"{address}\", on: [weekly] }}"),
            format!("{{ to: slack, url_env: A, url: \"{address}\", on: [weekly] }}"),
            format!("{{ to: webhook, url_env: A, secret_env: \"{address}\", on: [weekly] }}"),
        ] {
            let words = of(&entry).unwrap().unwrap();
            assert!(words.contains("keep it as a secret"), "{words}");
            assert!(!words.contains("hooks.slack"), "{words}");
        }
    }

    #[test]
    fn what_says_nothing_or_says_it_twice_is_refused() {
        let says = |entry: &str, words: &str| {
            let said = of(entry).unwrap().unwrap();
            assert!(said.contains(words), "{said}");
        };
        says("{ to: slack, url_env: A, on: [] }", "`on` is empty");
        says(
            "{ to: teams, url_env: A, secret_env: B, on: [weekly] }",
            "only `to: webhook` signs",
        );
        let one = "{ to: slack, url_env: A, on: [weekly] }";
        says(
            &format!("{one}\n  - {one}"),
            "`notify[1]`: it is the same channel",
        );
        says(
            &["{ to: slack, url_env: A, on: [weekly] }"; 17].join("\n  - "),
            "more than 16",
        );
    }
}
