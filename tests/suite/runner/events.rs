//! What starts a run, with the payloads of docs.github.com's "Events that trigger workflows", as far as they are read.

use std::fmt::Write;
use std::fs;

use serde_json::{Value, json};

use super::{Runner, git, tries_git};
use crate::harness::files_below;

/// Nothing, as pushes call it.
const NOTHING: &str = "0000000000000000000000000000000000000000";

/// What happened.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) payload: Value,
    /// `GITHUB_REF`.
    pub(crate) reference: String,
    /// `GITHUB_SHA`.
    pub(crate) commit: String,
    pub(crate) base: String,
    pub(crate) head: String,
    /// Whether it comes from another repository: no secret, nothing to write.
    pub(crate) is_fork: bool,
}

impl Event {
    /// The branch by which `on:` may choose.
    pub(super) fn branch(&self) -> &str {
        if self.base.is_empty() {
            let name = self.reference.strip_prefix("refs/heads/");
            return name.unwrap_or(&self.reference);
        }
        &self.base
    }
}

impl Runner {
    /// Every ref of the remote with what it names, as its files have it.
    pub(super) fn refs(&self) -> String {
        let remote = self.remote();
        let mut found = fs::read_to_string(remote.join("packed-refs")).unwrap_or_default();
        for path in files_below(&remote.join("refs")) {
            let value = fs::read_to_string(&path).unwrap();
            let _ = write!(found, "{} {value}", path.display());
        }
        found
    }

    fn tip(&self, branch: &str) -> String {
        let name = format!("refs/heads/{branch}");
        if let Ok(tip) = fs::read_to_string(self.remote().join(&name)) {
            return tip.trim().to_owned();
        }
        let tip = git(&self.remote(), &["rev-parse", "--verify", &name]);
        tip.trim().to_owned()
    }

    fn default_branch(&self) -> String {
        let head = fs::read_to_string(self.remote().join("HEAD")).unwrap();
        let name = head.trim().strip_prefix("ref: refs/heads/").unwrap();
        name.to_owned()
    }

    fn repository(&self) -> Value {
        json!({
            "id": 1, "name": "n", "full_name": "o/n", "default_branch": self.default_branch(), "private": false, "owner": { "login": "o", "id": 3, "type": "Organization" },
        })
    }

    /// Any event at a commit of a ref.
    pub(crate) fn event(&mut self, name: &str, payload: Value, reference: &str, commit: &str) {
        let mut payload = payload;
        if payload["repository"].is_null() {
            payload["repository"] = self.repository();
        }
        if payload["sender"].is_null() {
            payload["sender"] = json!({ "login": "ada", "id": 5, "type": "User" });
        }
        self.event = Some(Event {
            name: name.to_owned(),
            payload,
            reference: reference.to_owned(),
            commit: commit.to_owned(),
            base: String::new(),
            head: String::new(),
            is_fork: false,
        });
    }

    /// A pull request from a branch of the same repository, opened or pushed to, with GitHub's merge commit.
    pub(crate) fn pull_request(&mut self, number: u64, head: &str, base: &str) {
        self.pull_request_of("o/n", number, head, base);
    }

    /// A pull request from a fork.
    pub(crate) fn pull_request_of_fork(&mut self, number: u64, head: &str, base: &str) {
        self.pull_request_of("somebody/n", number, head, base);
    }

    fn pull_request_of(&mut self, repository: &str, number: u64, head: &str, base: &str) {
        let remote = self.remote();
        let (base_tip, head_tip) = (self.tip(base), self.tip(head));
        let (is_clean, tree) = tries_git(
            &remote,
            &["merge-tree", "--write-tree", &base_tip, &head_tip],
        );
        assert!(is_clean, "the branches do not merge: {tree}");
        let message = format!("Merge {head_tip} into {base_tip}");
        let merged = [
            "commit-tree",
            tree.trim(),
            "-p",
            &base_tip,
            "-p",
            &head_tip,
            "-m",
            &message,
        ];
        let merged = git(&remote, &merged).trim().to_owned();
        let reference = format!("refs/pull/{number}/merge");
        let refs = remote.join(format!("refs/pull/{number}"));
        fs::create_dir_all(&refs).unwrap();
        fs::write(refs.join("merge"), format!("{merged}\n")).unwrap();
        fs::write(refs.join("head"), format!("{head_tip}\n")).unwrap();
        let is_fork = repository != "o/n";
        let side = |name: &str, tip: &str, repository: &str| {
            let id = if repository == "o/n" { 1 } else { 2 };
            let whole = json!({ "id": id, "full_name": repository, "fork": id == 2 });
            json!({ "ref": name, "sha": tip, "label": format!("o:{name}"), "repo": whole })
        };
        let pull = json!({
            "number": number, "title": "Change", "state": "open", "draft": false, "body": null, "user": { "login": "ada", "id": 5, "type": "User" },
            "base": side(base, &base_tip, "o/n"), "head": side(head, &head_tip, repository), "merge_commit_sha": merged, "labels": [],
            "author_association": if is_fork { "NONE" } else { "MEMBER" },
        });
        if let Some(pulls) = self.github.store().lists.get_mut("/pulls") {
            pulls.retain(|pull| pull["number"] != number);
        }
        self.github.add("/pulls", "pull-request", pull.clone());
        let payload = json!({ "action": "synchronize", "number": number, "pull_request": pull });
        self.event("pull_request", payload, &reference, &merged);
        let event = self.event.as_mut().unwrap();
        base.clone_into(&mut event.base);
        head.clone_into(&mut event.head);
        event.is_fork = is_fork;
    }

    /// Somebody gives the pull request a label.
    pub(crate) fn labelled(&mut self, label: &str) {
        let event = self.event.as_mut().unwrap();
        event.payload["action"] = json!("labeled");
        event.payload["label"] = json!({ "name": label });
        event.payload["pull_request"]["labels"] = json!([{ "name": label }]);
    }

    /// A push to a branch, since the last push to it.
    pub(crate) fn push(&mut self, branch: &str) {
        let tip = self.tip(branch);
        let before = self.tips.insert(branch.to_owned(), tip.clone());
        let is_new = before.is_none();
        let reference = format!("refs/heads/{branch}");
        let payload = json!({
            "ref": reference, "before": before.unwrap_or_else(|| NOTHING.to_owned()), "after": tip, "created": is_new, "deleted": false,
            "forced": false, "head_commit": { "id": tip },
        });
        self.event("push", payload, &reference, &tip);
    }

    /// A merge queue's check of a branch that it made, onto another one.
    pub(crate) fn merge_group(&mut self, queued: &str, base: &str) {
        let (tip, base_tip) = (self.tip(queued), self.tip(base));
        let reference = format!("refs/heads/{queued}");
        let payload = json!({
            "action": "checks_requested",
            "merge_group": { "head_sha": tip, "head_ref": reference, "base_sha": base_tip, "base_ref": format!("refs/heads/{base}") },
        });
        self.event("merge_group", payload, &reference, &tip);
    }

    /// It is time.
    pub(crate) fn schedule(&mut self, cron: &str) {
        let default = self.default_branch();
        let tip = self.tip(&default);
        let reference = format!("refs/heads/{default}");
        self.event("schedule", json!({ "schedule": cron }), &reference, &tip);
    }

    /// Somebody presses the button.
    pub(crate) fn dispatch(&mut self, inputs: &Value) {
        let default = self.default_branch();
        let tip = self.tip(&default);
        let reference = format!("refs/heads/{default}");
        self.event(
            "workflow_dispatch",
            json!({ "inputs": inputs, "ref": reference }),
            &reference,
            &tip,
        );
    }
}
