//! Finds the commit that a change is held against, and gets more of the past where a clone has too little of it.

use std::time::Duration;

use super::planner::Planner;
use crate::change::base::{Base, Commit, Otherwise, codes, short};
use crate::plan::assess::Reason;
use crate::ports::GitError;
use crate::ports::history::Depth;

/// Where a base was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// Commits to compare with: one, or every best common ancestor.
    Commits {
        /// What the change was held against: the branch's tip, the given revision.
        base: Option<String>,
        bases: Vec<Commit>,
    },
    /// None: everything runs.
    Everything(Reason),
}

/// Why no base was found where one must be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoBase {
    /// A revision that somebody gave is not there.
    #[error("there is no commit `{0}`")]
    NotFound(String),
    /// Git failed.
    #[error(transparent)]
    Git(#[from] GitError),
}

/// How many commits a shallow clone gets more at first; each further time twice as many.
const FIRST_DEPTH: u32 = 50;

/// After so many times everything is fetched.
const MOST_TIMES: u32 = 5;

/// How a clone gets what it misses.
#[derive(Debug, Clone)]
pub(crate) struct Reach {
    /// The remote; none when nothing may be fetched.
    pub(crate) remote: Option<String>,
    pub(crate) deadline: Duration,
}

/// Who knows which commit of a branch passed last.
pub(crate) type LastGreen<'a> = &'a mut dyn FnMut(&str) -> Option<String>;

/// Looks for a base.
pub(crate) struct Search<'p, 'w, 'a> {
    pub(crate) planner: &'p mut Planner<'w>,
    pub(crate) reach: Reach,
    pub(crate) last_green: LastGreen<'a>,
    /// Says what is being waited for.
    pub(crate) say: &'a mut dyn FnMut(&str),
}

impl Search<'_, '_, '_> {
    pub(crate) fn find(&mut self, base: &Base, head: &Commit) -> Result<Found, NoBase> {
        match base {
            Base::Given(revision) => self.given(revision, head),
            Base::Commit(object) => self.exactly(object),
            Base::ForkPoint {
                revisions,
                branch,
                otherwise,
            } => self.fork_point(revisions, branch.as_deref(), *otherwise, head),
            Base::LastGreen { branch, otherwise } => match (self.last_green)(branch) {
                Some(commit) => match self.exactly(&commit)? {
                    Found::Everything(_) => self.find(otherwise, head),
                    found @ Found::Commits { .. } => Ok(found),
                },
                None => self.find(otherwise, head),
            },
            Base::Everything { code, detail } => Ok(everything(code, detail.clone())),
        }
    }

    fn given(&mut self, revision: &str, head: &Commit) -> Result<Found, NoBase> {
        let names = [revision.to_owned(), format!("origin/{revision}")];
        let mut commit = None;
        for name in &names {
            // A name that is not there is dear: git looks everywhere.
            if commit.is_none() {
                commit = self.planner.commit(name)?;
            }
        }
        if commit.is_none() && is_object_id(revision) {
            commit = self.fetched(revision)?;
        }
        let commit = commit.ok_or_else(|| NoBase::NotFound(revision.to_owned()))?;
        let bases = match self.merge_bases(&commit, head, None)? {
            // Without a common ancestor what differs is all there is to know.
            Ancestors::Whole(bases) if bases.is_empty() => vec![commit.clone()],
            Ancestors::Whole(bases) => bases,
            Ancestors::Cut => return Ok(cut(&commit, head)),
        };
        Ok(Found::Commits {
            base: Some(commit.object),
            bases,
        })
    }

    fn exactly(&mut self, object: &str) -> Result<Found, NoBase> {
        let commit = match self.planner.commit(object)? {
            Some(commit) => Some(commit),
            None => self.fetched(object)?,
        };
        Ok(match commit {
            Some(commit) => Found::Commits {
                base: Some(commit.object.clone()),
                bases: vec![commit],
            },
            None => everything(
                codes::BASE_MISSING,
                format!(
                    "the base {} is not in this clone, and could not be fetched",
                    short(object)
                ),
            ),
        })
    }

    fn fork_point(
        &mut self,
        revisions: &[String],
        branch: Option<&str>,
        otherwise: Otherwise,
        head: &Commit,
    ) -> Result<Found, NoBase> {
        if let Some(branch) = branch
            && self.reach.remote.is_some()
            && self
                .planner
                .commit(&format!("refs/remotes/origin/{branch}"))?
                .is_none()
        {
            self.fetch_branch(branch)?;
        }
        let mut tip = None;
        for revision in revisions {
            if tip.is_none() {
                tip = self.planner.commit(revision)?;
            }
            if tip.is_none() && is_object_id(revision) {
                tip = self.fetched(revision)?;
            }
        }
        let Some(tip) = tip else {
            return match otherwise {
                Otherwise::FirstParent => self.first_parent(head),
                Otherwise::Everything => Ok(everything(
                    codes::BASE_MISSING,
                    format!("none of {} is in this clone", revisions.join(", ")),
                )),
            };
        };
        match self.merge_bases(&tip, head, branch)? {
            Ancestors::Cut => Ok(cut(&tip, head)),
            Ancestors::Whole(bases) if bases.is_empty() => Ok(everything(
                codes::NO_COMMON_ANCESTOR,
                format!(
                    "{} and {} have no common ancestor",
                    short(&tip.object),
                    short(&head.object)
                ),
            )),
            Ancestors::Whole(bases) => Ok(Found::Commits {
                base: Some(tip.object),
                bases,
            }),
        }
    }

    fn first_parent(&mut self, head: &Commit) -> Result<Found, NoBase> {
        match head.parents.first() {
            Some(parent) => self.exactly(parent),
            None => Ok(everything(
                codes::FIRST_COMMIT,
                "there is no commit before it".into(),
            )),
        }
    }

    /// Returns the best common ancestors; a shallow clone gets more of the past until it is certain that they are the best.
    fn merge_bases(
        &mut self,
        one: &Commit,
        head: &Commit,
        branch: Option<&str>,
    ) -> Result<Ancestors, NoBase> {
        let key = [one.object.clone(), head.object.clone()];
        if let Some(commits) = self.planner.seen.ancestors.of(&key) {
            return Ok(Ancestors::Whole(commits));
        }
        let mut depth = FIRST_DEPTH;
        for time in 0..=MOST_TIMES + 1 {
            let found = self.planner.history.merge_bases(
                &self.planner.folder,
                &one.object,
                &head.object,
            )?;
            let (history, folder) = (self.planner.history, &self.planner.folder);
            let is_whole = !self.planner.is_shallow()
                || !history.is_cut(folder, &one.object, &head.object, &found)?;
            if is_whole {
                let mut commits = Vec::new();
                for object in &found {
                    commits.extend(self.planner.commit(object)?);
                }
                let commits = self.planner.seen.ancestors.keep(key, commits);
                return Ok(Ancestors::Whole(commits));
            }
            if self.reach.remote.is_none() {
                break;
            }
            let mut refspecs = vec![head.object.clone()];
            refspecs.push(branch.map_or_else(
                || one.object.clone(),
                |branch| format!("refs/heads/{branch}"),
            ));
            let more = if time >= MOST_TIMES {
                Depth::All
            } else {
                Depth::More(depth)
            };
            (self.say)(&match more {
                Depth::More(commits) => {
                    format!("the clone is shallow: fetching {commits} commits more")
                }
                _ => "the clone is shallow: fetching all of the past".to_owned(),
            });
            if !self.fetch(&refspecs, more)? {
                break;
            }
            depth = depth.saturating_mul(2);
        }
        Ok(Ancestors::Cut)
    }

    /// Fetches one commit.
    fn fetched(&mut self, object: &str) -> Result<Option<Commit>, NoBase> {
        // A clone that is whole must not become shallow.
        let shallow = self.planner.is_shallow();
        let depth = if shallow { Depth::Tip } else { Depth::Same };
        if self.reach.remote.is_none() {
            return Ok(None);
        }
        (self.say)(&format!("fetching the base {}", short(object)));
        if !self.fetch(&[object.to_owned()], depth)? {
            return Ok(None);
        }
        Ok(self.planner.commit(object)?)
    }

    fn fetch_branch(&mut self, branch: &str) -> Result<(), NoBase> {
        let shallow = self.planner.is_shallow();
        let depth = if shallow { Depth::Tip } else { Depth::Same };
        (self.say)(&format!("fetching the branch {branch}"));
        self.fetch(
            &[format!("+refs/heads/{branch}:refs/remotes/origin/{branch}")],
            depth,
        )?;
        Ok(())
    }

    /// Fetches, and says whether that worked; a remote that refuses is no reason to fail.
    fn fetch(&mut self, refspecs: &[String], depth: Depth) -> Result<bool, NoBase> {
        let Some(remote) = &self.reach.remote else {
            return Ok(false);
        };
        let history = self.planner.history;
        match history.fetch_commits(
            &self.planner.folder,
            remote,
            refspecs,
            depth,
            self.reach.deadline,
        ) {
            Ok(()) => {
                self.planner.reopen()?;
                Ok(true)
            }
            Err(error @ (GitError::NoProgram | GitError::CannotWrite(_))) => Err(error.into()),
            Err(error) => {
                (self.say)(&format!("could not fetch: {error}"));
                Ok(false)
            }
        }
    }
}

/// The best common ancestors of two commits.
enum Ancestors {
    /// All of them; none when there is none.
    Whole(Vec<Commit>),
    /// A shallow clone ends before it can tell.
    Cut,
}

fn cut(one: &Commit, other: &Commit) -> Found {
    everything(
        codes::BASE_MISSING,
        format!(
            "this shallow clone ends before it can tell where {} and {} parted",
            short(&one.object),
            short(&other.object)
        ),
    )
}

fn everything(code: &'static str, detail: String) -> Found {
    Found::Everything(Reason {
        code,
        path: None,
        detail,
    })
}

fn is_object_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
