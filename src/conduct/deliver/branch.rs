//! The branch of a run, and its one draft pull request.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::agents::bundle::Bundle;
use crate::agents::pull_request::{Words, branch, branch_prefix};
use crate::agents::trailers;
use crate::change::{Entry, Kind};
use crate::conduct::changed::Changed;
use crate::conduct::github::GitHub;
use crate::conduct::upsert;
use crate::forge::api::git;
use crate::forge::api::issues;
use crate::forge::api::pulls::{self, Pull};
use crate::forge::problem::ForgeError;
use crate::forge::upsert::has_key;
use crate::order;
use crate::ports::Git;
use crate::ports::git::{Expect, RefUpdate, RefVerdict, Store};
use crate::state::StateError;

/// A branch that moves while it is looked at is looked at again, so often.
const MOST_ROUNDS: u32 = 3;

/// No branch of ours had more.
const MOST_PULLS: usize = 300;

/// How the commits come onto their branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Via {
    Git,
    Api,
}

/// A branch of ours at the remote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Branch {
    pub(crate) name: String,
    /// Its tip and that one's tree, where it is there.
    pub(crate) tip: Option<Tip>,
}

/// The commit that a branch is at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tip {
    pub(crate) commit: String,
    tree: String,
    parents: Vec<String>,
    /// The run that it is of; none when somebody else wrote it.
    run: Option<String>,
}

/// What became of the branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pushed {
    Created,
    Moved,
    /// It was there already.
    Same,
    /// Somebody else has pushed to it.
    Foreign,
}

/// What became of the pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PullStep {
    Opened,
    Updated,
    Kept,
    /// Somebody else opened one for the branch; their words stay.
    OfOther,
    /// Somebody closed or merged the one of this very commit.
    Closed,
    /// It cannot be opened; a person opens it.
    Link(ForgeError),
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Delivered {
    pub(crate) commit: String,
    pub(crate) pushed: Pushed,
    pub(crate) step: PullStep,
    pub(crate) number: Option<u64>,
    pub(crate) url: Option<String>,
    /// Whether it is a draft, where it is there.
    pub(crate) is_draft: Option<bool>,
    /// Why the labels are not there.
    pub(crate) no_labels: Option<ForgeError>,
}

/// Everything that delivering needs.
pub(crate) struct Delivery<'w> {
    pub(crate) github: &'w GitHub<'w>,
    pub(crate) me: u64,
    pub(crate) git: &'w dyn Git,
    pub(crate) store: &'w Store,
    /// A remote's name, or an address that holds credentials.
    pub(crate) remote: &'w str,
    pub(crate) via: Via,
    pub(crate) bundle: &'w Bundle,
    pub(crate) changed: &'w Changed,
    pub(crate) words: &'w Words,
    /// Of the one commit that the API writes.
    pub(crate) message: &'w str,
    pub(crate) labels: &'w [String],
}

impl Branch {
    /// Looks for the branch of an issue or run: an issue's title may have changed since.
    pub(crate) fn look(github: &GitHub<'_>, bundle: &Bundle) -> Result<Self, ForgeError> {
        let prefix = format!("heads/{}", branch_prefix(bundle));
        let listing = git::matching(&github.repository, &prefix);
        let purpose = listing.request.purpose.clone();
        let found = github
            .list(&listing, MOST_PULLS, &mut |_| true)
            .whole(&purpose)?;
        let planned = branch(bundle);
        let names: Vec<&str> = found
            .iter()
            .filter_map(|found| found.name.strip_prefix("refs/heads/"))
            .collect();
        let name = names
            .iter()
            .find(|name| **name == planned)
            .or_else(|| names.first())
            .map_or(planned, |name| (*name).to_owned());
        let full = format!("refs/heads/{name}");
        let tip = match found.iter().find(|found| found.name == full) {
            Some(found) => Some(Tip::read(github, &found.object.sha)?),
            None => None,
        };
        Ok(Self { name, tip })
    }

    /// Whether somebody else has pushed to it.
    pub(crate) fn is_foreign(&self) -> bool {
        self.tip.as_ref().is_some_and(|tip| tip.run.is_none())
    }
}

impl Tip {
    fn read(github: &GitHub<'_>, sha: &str) -> Result<Self, ForgeError> {
        let commit = github.call(&git::get_commit(&github.repository, sha))?;
        let run = trailers::read(&commit.message).ok();
        Ok(Self {
            commit: commit.sha,
            tree: commit.tree.sha,
            parents: commit
                .parents
                .into_iter()
                .map(|parent| parent.sha)
                .collect(),
            run: run.map(|trailers| trailers.run),
        })
    }
}

impl Delivery<'_> {
    /// Pushes the branch and keeps its pull request.
    pub(crate) fn deliver(&self, mut branch: Branch) -> Result<Delivered, StateError> {
        let mut rounds = 0;
        let (commit, pushed) = loop {
            if branch.is_foreign() {
                let tip = branch.tip.map(|tip| tip.commit).unwrap_or_default();
                return Ok(Delivered {
                    commit: tip,
                    pushed: Pushed::Foreign,
                    step: PullStep::OfOther,
                    number: None,
                    url: None,
                    is_draft: None,
                    no_labels: None,
                });
            }
            let done = match self.via {
                Via::Git => self.push(&branch)?,
                Via::Api => self.write(&branch)?,
            };
            rounds += 1;
            match done {
                Some(done) => break done,
                None if rounds >= MOST_ROUNDS => {
                    return Err(StateError::Contended {
                        remote: crate::ports::git::shown(self.remote),
                        name: branch.name,
                        tries: rounds,
                    });
                }
                None => branch = Branch::look(self.github, self.bundle)?,
            }
        };
        let mut delivered = self.pull(&branch.name, &commit)?;
        delivered.pushed = pushed;
        Ok(delivered)
    }

    /// Pushes the head; nothing when the branch moved meanwhile.
    fn push(&self, branch: &Branch) -> Result<Option<(String, Pushed)>, StateError> {
        let head = &self.bundle.head.commit;
        let (expect, pushed) = match &branch.tip {
            Some(tip) if tip.commit == *head => return Ok(Some((head.clone(), Pushed::Same))),
            Some(tip) => (Expect::Object(tip.commit.clone()), Pushed::Moved),
            None => (Expect::Nothing, Pushed::Created),
        };
        let update = RefUpdate {
            name: format!("refs/heads/{}", branch.name),
            new: Some(head.clone()),
            expect,
        };
        let verdicts = self.git.push(self.store, self.remote, &[update], true)?;
        match verdicts.into_iter().next() {
            Some(RefVerdict::Done) => Ok(Some((head.clone(), pushed))),
            Some(RefVerdict::Stale) | None => Ok(None),
            Some(RefVerdict::Refused(words)) => {
                Err(StateError::Git(crate::ports::GitError::Denied {
                    remote: crate::ports::git::shown(self.remote),
                    words: format!("it refuses the branch `{}` ({words})", branch.name),
                }))
            }
        }
    }

    /// Writes one commit by the API, which GitHub signs; nothing when the branch moved meanwhile.
    fn write(&self, branch: &Branch) -> Result<Option<(String, Pushed)>, StateError> {
        let (github, bundle) = (self.github, self.bundle);
        let repository = &github.repository;
        let is_same = |tip: &Tip| {
            tip.tree == bundle.head.tree
                && tip.parents == [bundle.base.commit.as_str()]
                && tip.run.as_deref() == Some(bundle.run.as_str())
        };
        if let Some(tip) = branch.tip.as_ref().filter(|tip| is_same(tip)) {
            return Ok(Some((tip.commit.clone(), Pushed::Same)));
        }
        let base = github.call(&git::get_commit(repository, &bundle.base.commit))?;
        let mut entries = Vec::with_capacity(self.changed.changes.len());
        for change in &self.changed.changes {
            let entry = change.new.as_ref().or(change.old.as_ref());
            let mode = entry.map_or("100644", mode);
            let object = match &change.new {
                None => None,
                Some(new) => Some(match self.changed.content(Some(new)) {
                    Some(bytes) => {
                        let blob = git::create_blob(repository, &BASE64_STANDARD.encode(bytes));
                        github.call(&blob)?.sha
                    }
                    None => new.object.to_string(),
                }),
            };
            entries.push((change.path.clone(), mode, object));
        }
        let tree = github.call(&git::create_tree_of(
            repository,
            Some(&base.tree.sha),
            &entries,
        ))?;
        if tree.sha != bundle.head.tree {
            return Err(StateError::Forge(ForgeError::Nonsense {
                purpose: "write the change".into(),
                words: format!(
                    "its tree is {} and should be {}",
                    tree.sha, bundle.head.tree
                ),
            }));
        }
        let parents = [bundle.base.commit.as_str()];
        let commit = git::create_commit(repository, self.message, &tree.sha, &parents);
        let new = github.call(&commit)?.sha;
        let name = format!("heads/{}", branch.name);
        let (moved, pushed) = match &branch.tip {
            Some(_) => (
                github.call(&git::update_ref(repository, &name, &new, true)),
                Pushed::Moved,
            ),
            None => (
                github.call(&git::create_ref(repository, &format!("refs/{name}"), &new)),
                Pushed::Created,
            ),
        };
        match moved {
            Ok(_) => Ok(Some((new, pushed))),
            // It is there: we were heard, or somebody else was faster.
            Err(
                ForgeError::MayHaveHappened { .. }
                | ForgeError::Refused {
                    status: 409 | 422, ..
                },
            ) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Keeps the one pull request of the branch.
    fn pull(&self, branch: &str, commit: &str) -> Result<Delivered, ForgeError> {
        let mut delivered = Delivered {
            commit: commit.to_owned(),
            pushed: Pushed::Same,
            step: PullStep::Kept,
            number: None,
            url: None,
            is_draft: None,
            no_labels: None,
        };
        let pulls = self.pulls(branch)?;
        let is_ours = |pull: &Pull| pull.user.as_ref().is_some_and(|user| user.id == self.me);
        let open = pulls.iter().find(|pull| pull.state == "open");
        let has_key =
            |pull: &Pull| has_key(pull.body.as_deref().unwrap_or_default(), &self.words.key);
        let found = match open {
            Some(open) if !is_ours(open) || !has_key(open) => Some((open, PullStep::OfOther)),
            Some(_) => None,
            None => pulls
                .iter()
                .find(|pull| pull.head.sha == commit)
                .map(|closed| (closed, PullStep::Closed)),
        };
        if let Some((pull, step)) = found {
            delivered.step = step;
            delivered.number = Some(pull.number);
            delivered.url = Some(pull.html_url.clone());
            delivered.is_draft = Some(pull.draft);
            return Ok(delivered);
        }
        let new = upsert::Pull {
            title: &self.words.title,
            text: &self.words.body,
            key: &self.words.key,
            head: branch,
            base: &self.bundle.base.branch,
            is_draft: true,
        };
        match upsert::pull(self.github, self.me, new) {
            Ok(kept) => {
                delivered.step = match (open, kept.writes) {
                    (None, _) => PullStep::Opened,
                    (Some(_), 0) => PullStep::Kept,
                    (Some(_), _) => PullStep::Updated,
                };
                delivered.number = Some(kept.id);
                delivered.url = Some(kept.url);
                delivered.is_draft = Some(open.is_none_or(|open| open.draft));
                let has: Vec<&str> = open
                    .into_iter()
                    .flat_map(|open| open.labels.iter().map(|label| label.name.as_str()))
                    .collect();
                delivered.no_labels = self.label(kept.id, &has);
                Ok(delivered)
            }
            // The branch is there, and a person can do the rest.
            Err(error @ ForgeError::Denied { .. }) => {
                delivered.step = PullStep::Link(error);
                Ok(delivered)
            }
            Err(error) if is_no_draft(&error) => {
                delivered.step = PullStep::Link(error);
                Ok(delivered)
            }
            Err(error) => Err(error),
        }
    }

    /// Returns the pull requests of the branch into the base, newest first.
    fn pulls(&self, branch: &str) -> Result<Vec<Pull>, ForgeError> {
        let repository = &self.github.repository;
        let listing = pulls::of_branch(repository, &repository.owner, branch, "all");
        let purpose = listing.request.purpose.clone();
        let mut pulls = self
            .github
            .list(&listing, MOST_PULLS, &mut |_| true)
            .whole(&purpose)?;
        pulls.retain(|pull| pull.base.branch == self.bundle.base.branch);
        order::sort_by_key(&mut pulls, |pull| std::cmp::Reverse(pull.number));
        Ok(pulls)
    }

    fn label(&self, number: u64, has: &[&str]) -> Option<ForgeError> {
        let missing = self.labels.iter().map(String::as_str);
        let missing: Vec<&str> = missing.filter(|label| !has.contains(label)).collect();
        if missing.is_empty() {
            return None;
        }
        let call = issues::add_labels(&self.github.repository, number, &missing);
        self.github.call(&call).err()
    }
}

/// Whether the repository's plan has no drafts.
fn is_no_draft(error: &ForgeError) -> bool {
    matches!(error, ForgeError::Refused { status: 422, words, .. } if words.to_lowercase().contains("draft"))
}

fn mode(entry: &Entry) -> &'static str {
    match entry.kind() {
        Kind::Link => "120000",
        Kind::Submodule => "160000",
        Kind::File if entry.is_executable() => "100755",
        Kind::File => "100644",
    }
}
