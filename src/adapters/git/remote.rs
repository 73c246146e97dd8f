//! Remotes: fetch, push, and what their answers mean.

use std::ffi::OsString;
use std::path::Path;

use super::{GitProgram, is_full, words};
use crate::ports::git::{Expect, RefUpdate, RefVerdict};
use crate::ports::{Call, GitError};

/// Changes of one push beyond this number go in another one, because they are arguments of a program.
const MOST_UPDATES: usize = 200;

/// Answers a question for credentials from two variables, so that no argument holds them.
const HELPER: &str = "!f() { test \"$1\" = get && printf 'username=%s\\npassword=%s\\n' \"$MAESTRO_GIT_USERNAME\" \"$MAESTRO_GIT_PASSWORD\"; }; f";

/// A remote's address, and the credentials that stand in it.
pub(super) struct Address {
    public: String,
    credentials: Option<(String, String)>,
    /// As it stands in the configuration.
    whole: String,
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

    pub(super) fn public(&self) -> &str {
        &self.public
    }

    /// Takes the credentials out of what git says.
    fn clean(&self, words: &str) -> String {
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

    /// Lets a call of git use the credentials.
    fn lend(&self, call: &mut Call) {
        let Some((user, password)) = &self.credentials else {
            return;
        };
        let given = std::env::var("GIT_CONFIG_COUNT").ok();
        let count: usize = given.and_then(|count| count.parse().ok()).unwrap_or(0);
        let mut set = |name: String, value: &str| {
            call.env.push((name, Some(OsString::from(value))));
        };
        // An empty helper forgets those that are configured: the address says who we are.
        for (place, value) in (count..).zip(["", HELPER]) {
            set(format!("GIT_CONFIG_KEY_{place}"), "credential.helper");
            set(format!("GIT_CONFIG_VALUE_{place}"), value);
        }
        set("GIT_CONFIG_COUNT".into(), &(count + 2).to_string());
        set("MAESTRO_GIT_USERNAME".into(), user);
        set("MAESTRO_GIT_PASSWORD".into(), password);
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
    /// Returns the address that git uses for a remote.
    pub(super) fn address(
        &self,
        folder: &Path,
        remote: &str,
        for_push: bool,
    ) -> Result<Option<Address>, GitError> {
        let mut args = vec!["remote", "get-url"];
        if for_push {
            args.push("--push");
        }
        args.extend(["--", remote]);
        let found = self.ask(folder, &args)?.ok();
        Ok(found.and_then(|lines| lines.first().map(|line| Address::new(line))))
    }

    fn remote_call(
        &self,
        folder: &Path,
        remote: &str,
        for_push: bool,
        args: &[&str],
    ) -> Result<(Call, Address), GitError> {
        let Some(address) = self.address(folder, remote, for_push)? else {
            return Err(GitError::NoRemote(remote.to_owned()));
        };
        let mut call = Self::call(folder, args);
        let target = if address.credentials.is_some() {
            address.public.as_str()
        } else {
            remote
        };
        call.args.push(target.into());
        // A connection that stands still ends by itself; what the user has set goes before.
        for (name, value) in [
            ("GIT_HTTP_LOW_SPEED_LIMIT", "100"),
            ("GIT_HTTP_LOW_SPEED_TIME", "30"),
        ] {
            if std::env::var_os(name).is_none() {
                call.env.push((name.into(), Some(value.into())));
            }
        }
        address.lend(&mut call);
        Ok((call, address))
    }

    pub(super) fn fetch_refs(
        &self,
        folder: &Path,
        remote: &str,
        refspecs: &[String],
    ) -> Result<(), GitError> {
        let args = [
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-auto-maintenance",
            "--no-recurse-submodules",
            "--no-filter",
            "--refmap=",
            "--prune",
        ];
        let (mut call, address) = self.remote_call(folder, remote, false, &args)?;
        call.args.extend(refspecs.iter().map(OsString::from));
        let done = self.finish(&call)?;
        if done.code == Some(0) {
            return Ok(());
        }
        let words = address.clean(&words(&done.stderr));
        if let Some((_, name)) = words.split_once("couldn't find remote ref ") {
            return Err(GitError::NoSuchRef {
                remote: remote.to_owned(),
                name: name.lines().next().unwrap_or_default().to_owned(),
            });
        }
        Err(remote_failure(remote, words))
    }

    pub(super) fn push_refs(
        &self,
        folder: &Path,
        remote: &str,
        updates: &[RefUpdate],
    ) -> Result<Vec<RefVerdict>, GitError> {
        let mut verdicts = Vec::with_capacity(updates.len());
        for some in updates.chunks(MOST_UPDATES) {
            verdicts.extend(self.push_some(folder, remote, some)?);
        }
        Ok(verdicts)
    }

    fn push_some(
        &self,
        folder: &Path,
        remote: &str,
        updates: &[RefUpdate],
    ) -> Result<Vec<RefVerdict>, GitError> {
        let mut args = vec![
            "push".to_owned(),
            "--porcelain".to_owned(),
            // The hooks of the work tree are about the work tree's commits.
            "--no-verify".to_owned(),
            "--no-follow-tags".to_owned(),
            "--recurse-submodules=no".to_owned(),
        ];
        for update in updates {
            match &update.expect {
                Expect::Anything => {}
                Expect::Nothing => args.push(format!("--force-with-lease={}:", update.name)),
                Expect::Object(object) => {
                    args.push(format!("--force-with-lease={}:{object}", update.name));
                }
            }
        }
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let (mut call, address) = self.remote_call(folder, remote, true, &args)?;
        for update in updates {
            let new = update.new.as_deref().unwrap_or_default();
            let force = match update.expect {
                Expect::Anything => "+",
                _ => "",
            };
            call.args
                .push(format!("{force}{new}:{}", update.name).into());
        }
        let done = self.finish(&call)?;
        let said = address.clean(&words(&done.stderr));
        let text = String::from_utf8_lossy(&done.stdout);
        let verdicts: Vec<Option<RefVerdict>> = updates
            .iter()
            .map(|update| verdict(&text, &update.name, &said))
            .collect();
        if verdicts.iter().any(Option::is_some) {
            let silent = || RefVerdict::Refused(said.clone());
            return Ok(verdicts
                .into_iter()
                .map(|verdict| verdict.unwrap_or_else(silent))
                .collect());
        }
        Err(remote_failure(remote, said))
    }
}

/// Reads what `git push --porcelain` says about one ref.
fn verdict(text: &str, name: &str, said: &str) -> Option<RefVerdict> {
    let ending = format!(":{name}");
    let mut lines = text.lines().map(|line| line.split('\t'));
    let (flag, summary) = lines.find_map(|mut parts| {
        let flag = parts.next()?;
        let refs = parts.next()?;
        (refs.ends_with(&ending)).then(|| (flag, parts.next().unwrap_or_default()))
    })?;
    if flag != "!" {
        return Some(RefVerdict::Done);
    }
    let was_faster = [
        "stale info",
        "fetch first",
        "non-fast-forward",
        "failed to update ref",
        "failed to lock",
        "cannot lock ref",
        "reference already exists",
        "incorrect old value provided",
        "needs force",
    ];
    // Deleting what is gone already is done.
    if summary.contains("remote ref does not exist") || summary.contains("deleting a non-existent")
    {
        return Some(RefVerdict::Done);
    }
    if was_faster.iter().any(|phrase| summary.contains(phrase)) {
        return Some(RefVerdict::Stale);
    }
    let reason = summary
        .split_once('(')
        .map_or(summary, |(_, reason)| reason.trim_end_matches(')'));
    let mut reasons = vec![reason.to_owned()];
    let remarks = said.lines().filter_map(|line| line.strip_prefix("remote:"));
    reasons.extend(
        remarks
            .map(|line| line.trim().to_owned())
            .filter(|line| !line.is_empty()),
    );
    Some(RefVerdict::Refused(reasons.join("; ")))
}

/// Says what kind of trouble a remote's answer is.
fn remote_failure(remote: &str, words: String) -> GitError {
    let remote = remote.to_owned();
    let has = |phrases: &[&str]| phrases.iter().any(|phrase| words.contains(phrase));
    if is_full(&words) {
        return GitError::CannotWrite(words);
    }
    if has(&[
        "Authentication failed",
        "Permission denied",
        "ermission to ",
        "could not read Username",
        "could not read Password",
        "terminal prompts disabled",
        "returned error: 401",
        "returned error: 403",
        "Repository not found",
        "ccess denied",
        "dubious ownership",
        "Host key verification failed",
    ]) {
        return GitError::Denied { remote, words };
    }
    if has(&[
        "does not appear to be a git repository",
        "not a git repository",
    ]) {
        return GitError::NotARepository { remote, words };
    }
    if has(&[
        "Could not resolve",
        "Couldn't connect",
        "Failed to connect",
        "unable to access",
        "Connection",
        "Could not read from remote repository",
        "hung up",
        "early EOF",
        "RPC failed",
        "timed out",
        "Operation too slow",
    ]) {
        return GitError::Unreachable { remote, words };
    }
    GitError::Refused(words)
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
    fn a_refusal_carries_the_words_of_the_remote() {
        let text = "To ../r\n!\tabc:refs/x\t[remote rejected] (pre-receive hook declined)\nDone\n";
        assert_eq!(
            verdict(
                text,
                "refs/x",
                "remote: no such luck\nremote: \nerror: failed"
            ),
            Some(RefVerdict::Refused(
                "pre-receive hook declined; no such luck".into()
            ))
        );
        assert_eq!(verdict(text, "refs/y", ""), None);
    }
}
