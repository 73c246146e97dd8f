//! `actions/checkout`: a new repository, a fetch of what the event is about, and the token left in it unless told otherwise.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::job::Machine;
use super::step::Done;
use super::{appends, origin, tries_git};
use crate::snapshot::Snapshot;

const KNOWN: [&str; 10] = [
    "ref",
    "fetch-depth",
    "path",
    "persist-credentials",
    "token",
    "filter",
    "fetch-tags",
    "show-progress",
    "clean",
    "repository",
];

impl Machine<'_, '_> {
    pub(super) fn checkout(&mut self, given: &BTreeMap<String, String>) -> Result<Done, String> {
        for name in given.keys() {
            assert!(
                KNOWN.contains(&name.as_str()),
                "the mini runner's checkout knows no `{name}`"
            );
        }
        let get = |name: &str| given.get(name).map_or("", String::as_str);
        assert!(
            ["", "o/n"].contains(&get("repository")),
            "there is no repository `{}`",
            get("repository")
        );
        if !self.ran.scopes.contains_key("contents") {
            return Err("fatal: repository 'https://github.com/o/n/' not found".to_owned());
        }
        let folder = self.place(get("path"));
        std::fs::create_dir_all(&folder).unwrap();
        let (from, is_own) = match get("ref") {
            "" => {
                let event = self.runner.event.as_ref().unwrap();
                ((event.commit.clone(), event.reference.clone()), true)
            }
            name => (self.resolved(name)?, false),
        };
        let (commit, reference) = from;
        let (target, checkout) = places(&reference);
        let depth = match get("fetch-depth") {
            "" => "1",
            depth => depth,
        };
        let mut wanted = vec![format!("+{commit}:{target}")];
        let mut fetch = vec!["fetch", "--quiet", "--no-tags", "--prune"];
        let depth = format!("--depth={depth}");
        if depth == "--depth=0" {
            // These have branches and tags already.
            wanted.retain(|_| reference.starts_with("refs/pull/"));
            wanted.insert(0, "+refs/heads/*:refs/remotes/origin/*".to_owned());
            wanted.insert(1, "+refs/tags/*:refs/tags/*".to_owned());
        } else {
            fetch.push(&depth);
        }
        let filter = format!("--filter={}", get("filter"));
        if !get("filter").is_empty() {
            fetch.push(&filter);
        }
        fetch.push("origin");
        fetch.extend(wanted.iter().map(String::as_str));
        let folder = folder.as_path();
        self.fetches(folder, &fetch)?;
        let checkout: Vec<&str> = checkout.iter().map(String::as_str).collect();
        tries(folder, &checkout)?;
        let found = tries(folder, &["rev-parse", "HEAD"])?;
        assert!(!is_own || found.trim() == commit);
        if get("persist-credentials") != "false" {
            let token = match get("token") {
                "" => self.token.clone(),
                token => token.to_owned(),
            };
            let header = BASE64_STANDARD.encode(format!("x-access-token:{token}"));
            let lines = format!(
                "[http \"{}/\"]\n\textraheader = AUTHORIZATION: basic {header}\n",
                super::run::SERVER
            );
            appends(&folder.join(".git/config"), &lines);
            self.masks.push(header);
            self.ran.keeps_credentials = true;
            self.guards();
        }
        let outputs = [("commit", found.trim().to_owned()), ("ref", reference)];
        let outputs = outputs.map(|(name, value)| (name.to_owned(), value));
        Ok((BTreeMap::from(outputs), None))
    }

    /// Makes a repository, and fetches into it. Where the same was fetched before and nothing has changed, it is as it was then.
    fn fetches(&mut self, folder: &Path, fetch: &[&str]) -> Result<(), String> {
        static EMPTY: OnceLock<Snapshot> = OnceLock::new();
        let inside = folder.join(".git");
        if inside.exists() {
            // A second checkout in the same folder.
            tries(folder, fetch)?;
            return Ok(());
        }
        let asked = format!("{}\n{}", fetch.join(" "), self.runner.refs());
        if let Some(known) = self.runner.fetched.get(&asked) {
            known.lay(&inside);
            return Ok(());
        }
        let empty = EMPTY.get_or_init(|| {
            let folder = tempfile::tempdir().unwrap();
            super::git(folder.path(), &["init", "--quiet", "--template="]);
            Snapshot::of(&folder.path().join(".git"))
        });
        empty.lay(&inside);
        appends(&inside.join("config"), &origin(&self.runner.address()));
        tries(folder, fetch)?;
        self.runner.fetched.insert(asked, Snapshot::of(&inside));
        Ok(())
    }

    /// A branch, tag, ref or commit that somebody named: its commit and its ref.
    fn resolved(&self, name: &str) -> Result<(String, String), String> {
        let remote = self.runner.remote();
        let branch = format!("refs/heads/{name}");
        let tag = format!("refs/tags/{name}");
        for reference in [name, &branch, &tag] {
            let ask = format!("{reference}^{{commit}}");
            let ask = ["rev-parse", "--verify", "--quiet", "--end-of-options", &ask];
            let is_bare_branch = reference == name && !name.starts_with("refs/");
            if is_bare_branch && !name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                continue;
            }
            if let (true, commit) = tries_git(&remote, &ask) {
                return Ok((commit.trim().to_owned(), reference.to_owned()));
            }
        }
        Err(format!(
            "A branch or tag with the name '{name}' could not be found"
        ))
    }
}

fn tries(folder: &Path, args: &[&str]) -> Result<String, String> {
    let (succeeded, text) = tries_git(folder, args);
    if !succeeded {
        return Err(format!("git {}: {text}", args[0]));
    }
    Ok(text)
}

/// Where a ref is fetched to, and how it is checked out then.
fn places(reference: &str) -> (String, Vec<String>) {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let (target, checkout): (String, Vec<String>) =
        if let Some(name) = reference.strip_prefix("refs/heads/") {
            let target = format!("refs/remotes/origin/{name}");
            let line = ["checkout", "--quiet", "--force", "-B", name, &target];
            (target.clone(), words(&line))
        } else if let Some(name) = reference.strip_prefix("refs/pull/") {
            let target = format!("refs/remotes/pull/{name}");
            let line = ["checkout", "--quiet", "--force", "--detach", &target];
            (target.clone(), words(&line))
        } else {
            let target = if reference.starts_with("refs/tags/") {
                reference.to_owned()
            } else {
                "refs/remotes/origin/wanted".to_owned()
            };
            let line = ["checkout", "--quiet", "--force", "--detach", &target];
            (target.clone(), words(&line))
        };
    (target, checkout)
}
