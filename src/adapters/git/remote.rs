//! Remotes: fetch, push, and what their answers mean.

use std::ffi::OsString;

use super::config::{Address, NAME, NOWHERE};
use super::{GitProgram, is_full, words};
use crate::ports::git::{Expect, RefUpdate, RefVerdict, Store};
use crate::ports::{Call, GitError};

/// Changes of one push beyond this number go in another one, because they are arguments of a program.
const MOST_UPDATES: usize = 200;

impl GitProgram {
    fn remote_call(
        &self,
        store: &Store,
        remote: &str,
        for_push: bool,
        args: &[&str],
    ) -> Result<(Call, Address), GitError> {
        let config = self.config_of(&store.home)?;
        let Some(address) = config.address(remote, for_push) else {
            return Err(GitError::NoRemote(crate::ports::git::shown(remote)));
        };
        let mut call = Self::store_call(store, args);
        call.args.push(NAME.into());
        // A connection that stands still ends by itself; what the user has set goes before.
        for (name, value) in [
            ("GIT_HTTP_LOW_SPEED_LIMIT", "100"),
            ("GIT_HTTP_LOW_SPEED_TIME", "30"),
        ] {
            if std::env::var_os(name).is_none() {
                call.env.push((name.into(), Some(value.into())));
            }
        }
        config.lend_with(remote, &address, &mut call);
        Ok((call, address))
    }

    pub(super) fn fetch_refs(
        &self,
        store: &Store,
        remote: &str,
        refspecs: &[String],
        depth: Option<&str>,
    ) -> Result<(), GitError> {
        let mut args = vec![
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-auto-maintenance",
            "--no-recurse-submodules",
            "--atomic",
            "--prune",
        ];
        args.extend(depth);
        let (mut call, address) = self.remote_call(store, remote, false, &args)?;
        call.args.extend(refspecs.iter().map(OsString::from));
        let said = match self.unlocked(store, &call) {
            Ok(_) => return Ok(()),
            Err(GitError::Refused(said) | GitError::CannotWrite(said)) => said,
            Err(error) => return Err(error),
        };
        let words = address.clean(&said);
        // A ref that is not there, and a commit that no ref leads to any more.
        let missing = ["couldn't find remote ref ", "not our ref "];
        let missing = missing.iter().find_map(|said| words.split_once(said));
        if let Some((_, name)) = missing {
            return Err(GitError::NoSuchRef {
                remote: crate::ports::git::shown(remote),
                name: name.lines().next().unwrap_or_default().to_owned(),
            });
        }
        Err(remote_failure(remote, words))
    }

    pub(super) fn push_refs(
        &self,
        store: &Store,
        remote: &str,
        updates: &[RefUpdate],
        all_or_none: bool,
    ) -> Result<Vec<RefVerdict>, GitError> {
        if all_or_none {
            return self.push_some(store, remote, updates, &["--atomic"]);
        }
        let mut verdicts = Vec::with_capacity(updates.len());
        for some in updates.chunks(MOST_UPDATES) {
            verdicts.extend(self.push_some(store, remote, some, &[])?);
        }
        Ok(verdicts)
    }

    fn push_some(
        &self,
        store: &Store,
        remote: &str,
        updates: &[RefUpdate],
        flags: &[&str],
    ) -> Result<Vec<RefVerdict>, GitError> {
        let mut args = vec![
            "push".to_owned(),
            "--porcelain".to_owned(),
            // The hooks of the work tree are about the work tree's commits.
            "--no-verify".to_owned(),
            "--no-follow-tags".to_owned(),
            "--recurse-submodules=no".to_owned(),
        ];
        args.extend(flags.iter().map(|flag| (*flag).to_owned()));
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
        let (mut call, address) = self.remote_call(store, remote, true, &args)?;
        for update in updates {
            let new = update.new.as_deref().unwrap_or_default();
            let force = match update.expect {
                Expect::Anything => "+",
                _ => "",
            };
            call.args
                .push(format!("{force}{new}:{}", update.name).into());
        }
        if updates
            .iter()
            .all(|update| update.name.starts_with("refs/maestro/"))
        {
            // Commits of the inbox have no parents, but a fetch to depth 1 has listed them as shallow.
            call.env
                .push(("GIT_SHALLOW_FILE".into(), Some(NOWHERE.into())));
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
        "atomic push failed",
        "atomic transaction failed",
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
pub(super) fn remote_failure(remote: &str, words: String) -> GitError {
    let remote = crate::ports::git::shown(remote);
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
    // The remote's list of refs was read while somebody changed them.
    if has(&["not our ref", "remote did not send all necessary objects"]) {
        return GitError::Moving { remote, words };
    }
    if has(&[
        "does not appear to be a git repository",
        "not a git repository",
        "' not found",
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
