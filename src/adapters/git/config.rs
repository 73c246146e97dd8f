//! What a user's repository says about remotes, credentials and signing.
//!
//! The store is a repository of its own, so these settings are read once where the user's repository finds them, with every
//! condition that depends on the place, and lent to git by variables of its environment: no argument and no file holds a
//! credential. An address that holds one goes to git without it.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use super::GitProgram;
use crate::ports::{Call, GitError};

/// Who writes commits where git's configuration names nobody; also what a remote is called in a call on the store.
pub(super) const NAME: &str = "maestro";
const EMAIL: &str = "maestro@localhost";

/// Settings that are lent, by the start of their name.
const LENT: &[&str] = &[
    "author.",
    "committer.",
    "core.askpass",
    "core.gitproxy",
    "core.sshcommand",
    "credential.",
    "gpg.",
    "http.",
    "protocol.",
    "ssh.",
    "user.",
];

/// Settings of a remote that are lent.
const LENT_OF_REMOTE: &[&str] = &[
    "proxy",
    "proxyauthmethod",
    "receivepack",
    "serveroption",
    "uploadpack",
    "vcs",
];

/// Answers a question for credentials from two variables.
const HELPER: &str = "!f() { test \"$1\" = get && printf 'username=%s\\npassword=%s\\n' \"$MAESTRO_GIT_USERNAME\" \"$MAESTRO_GIT_PASSWORD\"; }; f";

/// The settings of a repository, in order.
#[derive(Debug)]
pub(super) struct Config(Vec<(String, String)>);

/// A remote's address, and the credentials that stand in it.
#[derive(Debug)]
pub(super) struct Address {
    pub(super) public: String,
    credentials: Option<(String, String)>,
    /// As it stands in the configuration.
    whole: String,
}

impl Config {
    fn read(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let settings = text.split('\0').filter(|entry| !entry.is_empty());
        // A key without a value is true.
        Self(
            settings
                .map(|entry| match entry.split_once('\n') {
                    Some((key, value)) => (key.to_owned(), value.to_owned()),
                    None => (entry.to_owned(), "true".to_owned()),
                })
                .collect(),
        )
    }

    fn last(&self, key: &str) -> Option<&str> {
        let mut found = self.0.iter().rev();
        found
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.as_str())
    }

    pub(super) fn is_signing(&self) -> bool {
        self.last("commit.gpgsign")
            .is_some_and(|value| ["true", "yes", "on", "1"].contains(&value))
    }

    /// Returns who writes commits: `part` is `name` or `email`, `role` is `author` or `committer`.
    pub(super) fn identity(&self, role: &str, part: &str) -> String {
        let variable = format!("GIT_{}_{}", role.to_uppercase(), part.to_uppercase());
        let otherwise = if part == "name" { NAME } else { EMAIL };
        std::env::var(variable)
            .ok()
            .filter(|value| !value.is_empty())
            .or_else(|| self.last(&format!("{role}.{part}")).map(str::to_owned))
            .or_else(|| self.last(&format!("user.{part}")).map(str::to_owned))
            .unwrap_or_else(|| otherwise.to_owned())
    }

    /// Returns the address of a remote, which may also be given as one.
    pub(super) fn address(&self, remote: &str, for_push: bool) -> Option<Address> {
        let url = self.last(&format!("remote.{remote}.url"));
        let pushurl = self.last(&format!("remote.{remote}.pushurl"));
        let given = (remote.contains('/') || remote.contains(':')).then_some(remote);
        if for_push && let Some(pushurl) = pushurl {
            // An address for pushing is not rewritten by `pushInsteadOf`.
            return Some(Address::new(&self.rewritten(pushurl, "insteadof")));
        }
        let url = url.or(given)?;
        if for_push && self.rewritten(url, "pushinsteadof") != url {
            return Some(Address::new(&self.rewritten(url, "pushinsteadof")));
        }
        Some(Address::new(&self.rewritten(url, "insteadof")))
    }

    /// Applies `url.BASE.insteadOf`: of several that match, the longest wins.
    fn rewritten(&self, url: &str, key: &str) -> String {
        let mut longest: Option<(&str, &str)> = None;
        for (name, prefix) in &self.0 {
            let base = name
                .strip_prefix("url.")
                .and_then(|rest| rest.rsplit_once('.'));
            if let Some((base, last)) = base
                && last == key
                && url.starts_with(prefix.as_str())
                && longest.is_none_or(|(before, _)| before.len() < prefix.len())
            {
                longest = Some((prefix, base));
            }
        }
        match longest {
            Some((prefix, base)) => format!("{base}{}", &url[prefix.len()..]),
            None => url.to_owned(),
        }
    }

    fn lent(&self) -> Vec<(String, String)> {
        let is_lent = |key: &str| LENT.iter().any(|start| key.starts_with(start));
        let lent = self.0.iter().filter(|(key, _)| is_lent(key));
        lent.cloned().collect()
    }

    /// Lets a call on the store use the settings.
    pub(super) fn lend(&self, call: &mut Call) {
        set(call, &self.lent());
    }

    /// Lets a call use the settings and the credentials of an address.
    pub(super) fn lend_with(&self, remote: &str, address: &Address, call: &mut Call) {
        let mut settings = self.lent();
        let mut add = |key: &str, value: &str| settings.push((key.to_owned(), value.to_owned()));
        add(&format!("remote.{NAME}.url"), &address.public);
        for (key, value) in &self.0 {
            let rest = key
                .strip_prefix("remote.")
                .and_then(|rest| rest.strip_prefix(remote));
            if let Some(last) = rest.and_then(|rest| rest.strip_prefix('.'))
                && LENT_OF_REMOTE.contains(&last)
            {
                add(&format!("remote.{NAME}.{last}"), value);
            }
        }
        let Some((user, password)) = &address.credentials else {
            return set(call, &settings);
        };
        // An empty helper forgets those that are configured: the address says who we are.
        add("credential.helper", "");
        add("credential.helper", HELPER);
        settings.extend(without_authorization(&settings));
        set(call, &settings);
        for (name, value) in [
            ("MAESTRO_GIT_USERNAME", user),
            ("MAESTRO_GIT_PASSWORD", password),
        ] {
            call.env
                .push((name.to_owned(), Some(OsString::from(value))));
        }
    }
}

/// Returns what takes headers back that say who somebody else is (actions/checkout leaves one): an empty one forgets those before it.
fn without_authorization(settings: &[(String, String)]) -> Vec<(String, String)> {
    let is_header = |key: &str| key.starts_with("http.") && key.ends_with(".extraheader");
    let headers = settings.iter().filter(|(key, _)| is_header(key));
    let (ours, others): (Vec<_>, Vec<_>) = headers.cloned().partition(|(_, value)| {
        let name = value.split(':').next().unwrap_or_default();
        name.trim().eq_ignore_ascii_case("authorization")
    });
    if ours.is_empty() {
        return Vec::new();
    }
    let mut forgotten: Vec<(String, String)> = Vec::new();
    for (key, _) in ours.iter().chain(&others) {
        if !forgotten.iter().any(|(known, _)| known == key) {
            forgotten.push((key.clone(), String::new()));
        }
    }
    [forgotten, others].concat()
}

/// A file without settings.
pub(super) const NOWHERE: &str = if cfg!(windows) { "NUL" } else { "/dev/null" };

/// Makes these the only settings of a call, beside those of the store.
fn set(call: &mut Call, settings: &[(String, String)]) {
    let mut add = |name: String, value: Option<&str>| {
        call.env.push((name, value.map(OsString::from)));
    };
    add("GIT_CONFIG_NOSYSTEM".into(), Some("1"));
    add("GIT_CONFIG_GLOBAL".into(), Some(NOWHERE));
    // What it says is among the settings that were read.
    add("GIT_CONFIG_PARAMETERS".into(), None);
    for (place, (key, value)) in settings.iter().enumerate() {
        add(format!("GIT_CONFIG_KEY_{place}"), Some(key));
        add(format!("GIT_CONFIG_VALUE_{place}"), Some(value));
    }
    add("GIT_CONFIG_COUNT".into(), Some(&settings.len().to_string()));
}

impl Address {
    fn new(whole: &str) -> Self {
        let plain = Self {
            public: whole.to_owned(),
            credentials: None,
            whole: whole.to_owned(),
        };
        let Some((scheme, rest)) = whole.split_once("://") else {
            return plain;
        };
        let end = rest.find('/').unwrap_or(rest.len());
        let Some(at) = rest[..end].rfind('@') else {
            return plain;
        };
        let (user, password) = match rest[..at].split_once(':') {
            Some((user, password)) => (user, password),
            // `ssh://git@host` names a user; over HTTP a lone name may be a token.
            None if scheme.starts_with("http") => (&rest[..at], ""),
            None => return plain,
        };
        Self {
            public: format!("{scheme}://{}", &rest[at + 1..]),
            credentials: Some((decode(user), decode(password))),
            whole: whole.to_owned(),
        }
    }

    /// Takes the credentials out of what git says.
    pub(super) fn clean(&self, words: &str) -> String {
        let Some((user, password)) = &self.credentials else {
            return words.to_owned();
        };
        let mut clean = words.replace(&self.whole, &self.public);
        for secret in [password, user] {
            if secret.len() >= 8 {
                clean = clean.replace(secret.as_str(), "[redacted]");
            }
        }
        clean
    }
}

/// Undoes percent-encoding, byte by byte.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digits = (bytes[at] == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten();
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

impl GitProgram {
    /// Returns the settings of a user's repository.
    pub(super) fn config_of(&self, folder: &Path) -> Result<Arc<Config>, GitError> {
        let mut known = self
            .configs
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(config) = known.get(folder) {
            return Ok(Arc::clone(config));
        }
        let done = self.finish(&Self::call(folder, &["config", "--list", "-z"]))?;
        let config = Arc::new(Config::read(&done.stdout));
        known.insert(folder.to_path_buf(), Arc::clone(&config));
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(address: &str, public: &str, credentials: Option<(&str, &str)>) {
        let read = Address::new(address);
        assert_eq!(read.public, public);
        let owned = credentials.map(|(user, password)| (user.to_owned(), password.to_owned()));
        assert_eq!(read.credentials, owned);
    }

    #[test]
    fn credentials_are_taken_out_of_addresses() {
        check("https://github.com/a/b", "https://github.com/a/b", None);
        check(
            "https://x-access-token:s%40cret@github.com/a/b@c",
            "https://github.com/a/b@c",
            Some(("x-access-token", "s@cret")),
        );
        check(
            "https://ghp_abc@github.com/a",
            "https://github.com/a",
            Some(("ghp_abc", "")),
        );
        check("ssh://git@host/a", "ssh://git@host/a", None);
        check("git@host:a/b", "git@host:a/b", None);
        check("../bare.git", "../bare.git", None);
    }

    #[test]
    fn the_words_of_git_lose_them_too() {
        let address = Address::new("https://me:very-secret@host/a");
        let said = address.clean("unable to access 'https://me:very-secret@host/a': very-secret");
        assert_eq!(said, "unable to access 'https://host/a': [redacted]");
    }

    #[test]
    fn a_header_that_says_who_somebody_else_is_is_forgotten() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let settings = [
            pair(
                "http.https://github.com/.extraheader",
                "AUTHORIZATION: basic x",
            ),
            pair("http.extraheader", "X-Proxy: y"),
            pair("http.proxy", "z"),
        ];
        assert_eq!(
            without_authorization(&settings),
            [
                pair("http.https://github.com/.extraheader", ""),
                pair("http.extraheader", ""),
                pair("http.extraheader", "X-Proxy: y"),
            ]
        );
        assert_eq!(without_authorization(&settings[1..]), []);
    }

    #[test]
    fn addresses_are_rewritten_as_git_does() {
        let config = Config::read(
            b"remote.origin.url\nhttps://github.com/a/b\0url.https://me:token-token@github.com/.insteadof\nhttps://github.com/\0url.https://x/.insteadof\nhttps://\0remote.up.url\ngit@h:u\0remote.up.pushurl\ngit@h:p\0core.bare\0",
        );
        let origin = config.address("origin", false).unwrap();
        assert_eq!(origin.public, "https://github.com/a/b");
        assert_eq!(
            origin.credentials,
            Some(("me".into(), "token-token".into()))
        );
        assert_eq!(config.address("up", true).unwrap().public, "git@h:p");
        assert_eq!(config.address("up", false).unwrap().public, "git@h:u");
        assert!(config.address("nobody", true).is_none());
        assert_eq!(config.address("../r", true).unwrap().public, "../r");
    }
}
