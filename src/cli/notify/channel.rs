//! A channel as the environment has it: its address, and by what requests to it are signed. Neither is ever shown.

use crate::cli::session::Session;
use crate::config::notify::NotifyFile;
use crate::llm::endpoint::is_here;
use crate::notify::webhook;
use crate::ports::forge::Secret;

/// Where a channel is.
#[derive(Debug)]
pub(super) struct Channel {
    pub(super) url: Secret,
    secret: Option<Secret>,
}

/// Why a channel is told nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nobody gave its variable: a fork has no secrets.
    NotSet(String),
    /// It cannot be told, or did not take it.
    Unreached(String),
}

impl Channel {
    pub(super) fn of(session: &Session<'_>, file: &NotifyFile) -> Result<Self, Fault> {
        let set = |name: &str| {
            let value = session.var(name).map(|value| value.trim().to_owned());
            let value = value.filter(|value| !value.is_empty());
            value.ok_or_else(|| Fault::NotSet(format!("the variable `{name}` is not set")))
        };
        let url = set(&file.url_env)?;
        let secret = file.secret_env.as_deref().map(set).transpose()?;
        if session.settings.offline.value {
            return Err(Fault::NotSet("--offline forbids it".to_owned()));
        }
        let bad = |name: &str, words: &str| Fault::Unreached(format!("what `{name}` has {words}"));
        check(&url).map_err(|words| bad(&file.url_env, words))?;
        if let (Some(name), Some(secret)) = (&file.secret_env, &secret) {
            webhook::key(secret).map_err(|words| bad(name, words))?;
        }
        Ok(Self {
            url: Secret::new(url),
            secret: secret.map(Secret::new),
        })
    }

    pub(super) fn secret(&self) -> Option<&str> {
        self.secret.as_ref().map(Secret::expose)
    }
}

/// Returns what is wrong with an address, without a word of it.
fn check(url: &str) -> Result<(), &'static str> {
    let uri: http::Uri = url.parse().map_err(|_| "is no address")?;
    let authority = uri.authority().ok_or("is no address with https://")?;
    if authority.as_str().contains('@') {
        return Err("is an address with a password in it");
    }
    match uri.scheme_str() {
        Some("https") => Ok(()),
        Some("http") if is_here(authority.host()) => Ok(()),
        _ => Err("is no address with https://"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_secret_on_their_way() {
        assert_eq!(check("https://hooks.slack.com/services/T/B/x"), Ok(()));
        assert_eq!(check("http://127.0.0.1:9/x"), Ok(()));
        assert_eq!(check("http://[::1]:9/x"), Ok(()));
        for bad in [
            "http://hooks.slack.com/services/T/B/x",
            "http://127.0.0.1.evil.example/x",
            "https://user:pass@host/x",
            "ftp://host/x",
            "hooks.slack.com/services/x",
            "/x",
            "a b",
        ] {
            let words = check(bad).unwrap_err();
            assert!(
                !words.contains("slack") && !words.contains("pass@"),
                "{words}"
            );
        }
    }
}
