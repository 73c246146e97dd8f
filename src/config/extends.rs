//! `extends:` names an organisation's policy or configuration, at a commit: a branch or tag would let whoever moves it decide here.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use crate::change::paths::oddity;

/// A file of somebody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Extends {
    /// `OWNER/NAME`; none for the same repository.
    pub(crate) repository: Option<String>,
    /// From the top of that repository.
    pub(crate) path: String,
    /// Forty hexadecimal digits, or 64.
    pub(crate) commit: String,
}

const FORM: &str = "`acme/ci-policy//FILE.yaml@` and the 40 digits of a commit";

impl Extends {
    fn parse(text: &str) -> Result<Self, String> {
        let (place, commit) = text
            .rsplit_once('@')
            .ok_or_else(|| format!("`{text}` names no commit: write {FORM}"))?;
        let is_whole = matches!(commit.len(), 40 | 64)
            && commit
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !is_whole {
            return Err(format!(
                "`{commit}` is no whole id of a commit, and whatever else may move: write {FORM}"
            ));
        }
        let (repository, path) = place
            .split_once("//")
            .ok_or_else(|| format!("`{text}` names no file: write {FORM}"))?;
        if let Some(oddity) = oddity(path, true) {
            return Err(format!("the path `{path}` {oddity}"));
        }
        let is_name = |name: &str| {
            !name.is_empty()
                && !name.starts_with(['.', '-'])
                && name
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
        };
        let repository = match repository {
            "" => None,
            name => {
                let parts: Vec<&str> = name.split('/').collect();
                if parts.len() != 2 || !parts.iter().all(|part| is_name(part)) {
                    return Err(format!("`{name}` is no repository: write {FORM}"));
                }
                Some(name.to_owned())
            }
        };
        Ok(Self {
            repository,
            path: path.to_owned(),
            commit: commit.to_owned(),
        })
    }

    /// Returns the same with as much of the commit as people read.
    pub(crate) fn short(&self) -> String {
        let whole = self.shown();
        let cut = self.commit.len().saturating_sub(9);
        whole[..whole.len() - cut].to_owned()
    }

    /// Returns how people write it.
    pub(crate) fn shown(&self) -> String {
        let repository = self.repository.as_deref().unwrap_or_default();
        format!("{repository}//{}@{}", self.path, self.commit)
    }
}

impl<'de> Deserialize<'de> for Extends {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        super::checked(deserializer, "a file at a commit", Self::parse)
    }
}

#[cfg(test)]
impl JsonSchema for Extends {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Extends".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^([A-Za-z0-9._-]+/[A-Za-z0-9._-]+)?//.+@([0-9a-f]{40}|[0-9a-f]{64})$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    #[test]
    fn only_a_whole_commit_pins() {
        let read = |text: &str| Extends::parse(text);
        let pinned = read(&format!("acme/ci-policy//a/policy.yaml@{COMMIT}")).unwrap();
        assert_eq!(
            (pinned.repository.as_deref(), pinned.path.as_str()),
            (Some("acme/ci-policy"), "a/policy.yaml")
        );
        assert_eq!(
            read(&format!("//p.yaml@{COMMIT}")).unwrap().repository,
            None
        );
        for text in [
            "acme/ci-policy//p.yaml".to_owned(),
            "acme/ci-policy//p.yaml@main".to_owned(),
            "acme/ci-policy//p.yaml@v1.0.0".to_owned(),
            "acme/ci-policy//p.yaml@5f1c0de".to_owned(),
            format!("acme/ci-policy//p.yaml@{}", COMMIT.to_uppercase()),
            format!("acme/ci-policy@{COMMIT}"),
            format!("acme/ci-policy//../p.yaml@{COMMIT}"),
            format!("acme//p.yaml@{COMMIT}"),
            format!("a/b/c//p.yaml@{COMMIT}"),
            format!("https://evil.example//p.yaml@{COMMIT}"),
        ] {
            assert!(read(&text).is_err(), "{text}");
        }
    }
}
