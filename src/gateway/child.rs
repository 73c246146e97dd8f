//! What a program behind the gateway is told: where it is, and the run's token instead of a key.

use super::route::Provider;
use crate::llm::endpoint::SECRETS;

/// Switches with which Claude Code goes somewhere else than to the address it is given.
const DETOURS: [&str; 3] = [
    "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CODE_USE_VERTEX",
    "CLAUDE_CODE_USE_FOUNDRY",
];

/// Who need not go through a proxy.
const DIRECT: &str = "127.0.0.1,localhost";

/// Returns the variables that lead a program to the gateway.
pub(crate) fn addresses(port: u16, token: &str) -> Vec<(&'static str, String)> {
    let root = format!("http://127.0.0.1:{port}");
    vec![
        ("ANTHROPIC_BASE_URL", root.clone()),
        ("ANTHROPIC_API_KEY", token.to_owned()),
        ("OPENAI_BASE_URL", format!("{root}/v1")),
        ("OPENAI_API_KEY", token.to_owned()),
        ("MAESTRO_GATEWAY", root),
    ]
}

/// Returns what changes in the environment of a program: addresses, nothing that holds a key, and no proxy on the way to the loopback.
pub(crate) fn environment(
    own: &[(String, String)],
    keys: &[&str],
    port: u16,
    token: &str,
) -> Vec<(String, Option<String>)> {
    let mut changes: Vec<(String, Option<String>)> = Vec::new();
    for (name, value) in own {
        let is_secret = SECRETS.contains(&name.as_str()) || DETOURS.contains(&name.as_str());
        let holds_key = keys
            .iter()
            .any(|key| !key.is_empty() && value.contains(key));
        if is_secret || holds_key {
            changes.push((name.clone(), None));
        }
    }
    let mut set = |name: &str, value: String| {
        changes.retain(|(known, _)| known != name);
        changes.push((name.to_owned(), Some(value)));
    };
    for (name, value) in addresses(port, token) {
        set(name, value);
    }
    for name in ["NO_PROXY", "no_proxy"] {
        let known = own.iter().find(|(known, _)| known == name);
        set(
            name,
            match known {
                Some((_, value)) if !value.is_empty() => format!("{value},{DIRECT}"),
                _ => DIRECT.to_owned(),
            },
        );
    }
    changes
}

/// Returns the lines that later steps of a workflow read from `GITHUB_ENV`; other programs read them as `NAME=value` as well.
pub(crate) fn env_file(port: u16, token: &str) -> String {
    let mut lines = String::new();
    for (name, value) in addresses(port, token) {
        lines.push_str(&format!("{name}={value}\n"));
    }
    lines
}

/// Returns the provider's key for one of them: the variable that it has a name for.
pub(crate) fn key_of(provider: Provider, own: &[(String, String)]) -> Option<&str> {
    let mut all = own.iter();
    let found = all.find(|(name, _)| name == provider.key_variable());
    found
        .map(|(_, value)| value.trim())
        .filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(all: &[(&str, &str)]) -> Vec<(String, String)> {
        all.iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn a_program_gets_the_address_and_the_token_and_no_key() {
        let own = own(&[
            ("PATH", "/bin"),
            ("ANTHROPIC_API_KEY", "sk-ant-1"),
            ("CLAUDE_CODE_OAUTH_TOKEN", "other"),
            ("COPY", "key=sk-ant-1"),
            ("NO_PROXY", "intranet"),
        ]);
        let changes = environment(&own, &["sk-ant-1", ""], 7, "t");
        let change = |name: &str| {
            let mut all = changes.iter().filter(|(known, _)| known == name);
            let found = all.next().map(|(_, value)| value.as_deref());
            assert!(all.next().is_none(), "{name} is there twice");
            found
        };
        assert_eq!(change("PATH"), None);
        assert_eq!(change("COPY"), Some(None));
        assert_eq!(change("CLAUDE_CODE_OAUTH_TOKEN"), Some(None));
        assert_eq!(change("ANTHROPIC_API_KEY"), Some(Some("t")));
        assert_eq!(
            change("OPENAI_BASE_URL"),
            Some(Some("http://127.0.0.1:7/v1"))
        );
        assert_eq!(
            change("NO_PROXY"),
            Some(Some("intranet,127.0.0.1,localhost"))
        );
        assert_eq!(change("no_proxy"), Some(Some("127.0.0.1,localhost")));
    }

    #[test]
    fn a_file_has_a_variable_a_line() {
        assert!(
            env_file(7, "t")
                .starts_with("ANTHROPIC_BASE_URL=http://127.0.0.1:7\nANTHROPIC_API_KEY=t\n")
        );
    }
}
