//! One file changed by one pull request, from a branch with a fixed name. Nothing here writes to the default branch.
//!
//! What is proposed is one commit on the default branch's tip. While the pull request is open, a further proposal is laid over the one that
//! waits; a branch to which somebody else has pushed is left alone.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::conduct::github::GitHub;
use crate::conduct::upsert::{self, Upserted};
use crate::forge::api::{account, contents, git, pulls};
use crate::forge::problem::ForgeError;

/// So many pull requests that somebody closed are remembered.
const MOST_REJECTED: usize = 3;

/// No branch of ours had more.
const MOST_PULLS: usize = 1_000;

/// What is proposed where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) branch: &'a str,
    pub(crate) path: &'a str,
    /// The first line of the commit, by which it is known as ours.
    pub(crate) subject: &'a str,
}

/// A file before and after a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Proposed {
    /// The pull request, where there is one.
    pub(crate) number: Option<u64>,
    pub(crate) before: Vec<u8>,
    pub(crate) after: Vec<u8>,
}

/// How things stand.
#[derive(Debug)]
pub(crate) struct Standing {
    /// The default branch, its tip, and the file there.
    pub(crate) base: String,
    head: String,
    pub(crate) file: Vec<u8>,
    /// The tip of the branch of the proposal.
    tip: Option<Tip>,
    /// Whether its pull request is open.
    pub(crate) is_open: bool,
    /// What somebody closed, newest first, beside what the default branch has.
    pub(crate) rejected: Vec<Proposed>,
}

#[derive(Debug)]
struct Tip {
    sha: String,
    /// None when somebody else has pushed to the branch.
    ours: Option<Proposed>,
}

/// What came of a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The default branch says that already.
    Nothing,
    /// Somebody else has pushed to the branch.
    Foreign,
    Proposed(Upserted),
}

/// Returns nothing for what is not there.
fn maybe<T>(found: Result<T, ForgeError>) -> Result<Option<T>, ForgeError> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(ForgeError::Missing { .. } | ForgeError::Refused { status: 409, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn read(github: &GitHub<'_>, path: &str, at: &str) -> Result<Vec<u8>, ForgeError> {
    let call = contents::get(&github.repository, path, at);
    let Some(file) = maybe(github.call(&call))? else {
        return Ok(Vec::new());
    };
    // Files over a megabyte come without their content.
    let text = if file.content.is_empty() && file.size > 0 {
        github
            .call(&git::get_blob(&github.repository, &file.sha))?
            .content
    } else {
        file.content
    };
    let text: String = text.split_whitespace().collect();
    BASE64_STANDARD
        .decode(text)
        .map_err(|error| ForgeError::Nonsense {
            purpose: call.request.purpose,
            words: error.to_string(),
        })
}

/// Returns what one commit of ours changes; nothing when it is somebody else's.
fn change_of(
    github: &GitHub<'_>,
    place: Place<'_>,
    sha: &str,
) -> Result<Option<Proposed>, ForgeError> {
    let commit = github.call(&git::get_commit(&github.repository, sha))?;
    let is_ours = commit.message.lines().next() == Some(place.subject);
    let [parent] = &commit.parents[..] else {
        return Ok(None);
    };
    if !is_ours {
        return Ok(None);
    }
    Ok(Some(Proposed {
        number: None,
        before: read(github, place.path, &parent.sha)?,
        after: read(github, place.path, sha)?,
    }))
}

/// Looks how things stand.
pub(crate) fn look(
    github: &GitHub<'_>,
    place: Place<'_>,
    with_rejected: bool,
) -> Result<Standing, ForgeError> {
    let repository = &github.repository;
    let base = github
        .call(&account::repository(repository))?
        .default_branch;
    if base == place.branch {
        return Err(ForgeError::Nonsense {
            purpose: format!("propose a change of {}", place.path),
            words: format!("`{base}` is the default branch, which nothing is pushed to"),
        });
    }
    let tip_of = |branch: &str| git::get_ref(repository, &format!("heads/{branch}"));
    let head = github.call(&tip_of(&base))?.object.sha;
    let file = read(github, place.path, &head)?;
    let listing = pulls::of_branch(repository, &repository.owner, place.branch, "all");
    let purpose = listing.request.purpose.clone();
    let mut pulls = github
        .list(&listing, MOST_PULLS, &mut |_| true)
        .whole(&purpose)?;
    pulls.retain(|pull| pull.base.branch == base);
    crate::order::sort_by_key(&mut pulls, |pull| std::cmp::Reverse(pull.number));
    let is_open = pulls.iter().any(|pull| pull.state == "open");
    let tip = match maybe(github.call(&tip_of(place.branch)))? {
        Some(found) => Some(Tip {
            ours: change_of(github, place, &found.object.sha)?,
            sha: found.object.sha,
        }),
        None => None,
    };
    let mut rejected = Vec::new();
    let closed = pulls
        .iter()
        .filter(|pull| pull.state != "open" && pull.merged_at.is_none());
    for pull in closed.take(if with_rejected { MOST_REJECTED } else { 0 }) {
        rejected.push(Proposed {
            number: Some(pull.number),
            before: file.clone(),
            after: read(github, place.path, &pull.head.sha)?,
        });
    }
    Ok(Standing {
        base,
        head,
        file,
        tip,
        is_open,
        rejected,
    })
}

impl Standing {
    /// Returns what waits in an open pull request.
    pub(crate) fn waiting(&self) -> Option<&Proposed> {
        let tip = self.tip.as_ref().filter(|_| self.is_open)?;
        tip.ours.as_ref()
    }

    /// Proposes that the file becomes this.
    pub(crate) fn propose(
        &self,
        github: &GitHub<'_>,
        me: u64,
        place: Place<'_>,
        file: &[u8],
        pull: upsert::Pull<'_>,
    ) -> Result<Outcome, ForgeError> {
        if file == self.file {
            return Ok(Outcome::Nothing);
        }
        match &self.tip {
            Some(Tip { ours: None, .. }) if self.is_open => return Ok(Outcome::Foreign),
            Some(Tip {
                ours: Some(ours), ..
            }) if ours.after == file && ours.before == self.file => {}
            tip => self.commit(github, place, file, tip.as_ref())?,
        }
        upsert::pull(github, me, pull).map(Outcome::Proposed)
    }

    /// Writes the commit, and moves the branch to it.
    fn commit(
        &self,
        github: &GitHub<'_>,
        place: Place<'_>,
        file: &[u8],
        tip: Option<&Tip>,
    ) -> Result<(), ForgeError> {
        let repository = &github.repository;
        let tree = github
            .call(&git::get_commit(repository, &self.head))?
            .tree
            .sha;
        let blob = github.call(&git::create_blob(repository, &BASE64_STANDARD.encode(file)))?;
        let files = [(place.path.to_owned(), Some(blob.sha))];
        let tree = github.call(&git::create_tree(repository, Some(&tree), &files))?;
        let commit = git::create_commit(repository, place.subject, &tree.sha, &[&self.head]);
        let new = github.call(&commit)?.sha;
        let name = format!("heads/{}", place.branch);
        if tip.is_some_and(|tip| tip.sha != new) {
            return github
                .call(&git::update_ref(repository, &name, &new, true))
                .map(drop);
        }
        match github.call(&git::create_ref(repository, &format!("refs/{name}"), &new)) {
            Ok(_) => Ok(()),
            // It is there: we were heard, or somebody else was faster.
            Err(ForgeError::MayHaveHappened { .. } | ForgeError::Refused { status: 422, .. }) => {
                github
                    .call(&git::update_ref(repository, &name, &new, true))
                    .map(drop)
            }
            Err(error) => Err(error),
        }
    }
}
