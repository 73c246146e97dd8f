//! A repository as it is asked: a clone on this machine, or GitHub.

use std::io::BufReader;
use std::path::{Path, PathBuf};

use crate::change::log;
use crate::cli::extends::decoded;
use crate::cli::session::Session;
use crate::conduct::github::GitHub;
use crate::conduct::identity::enter_installation;
use crate::forge::api::{commits, contents, git};
use crate::forge::problem::ForgeError;
use crate::forge::repository::RepoName;
use crate::ports::Checkout;
use crate::ports::history::{History, Object, Objects};

/// How long GitHub is asked about one repository.
const SECONDS: u64 = 60;

/// A pin that is older is behind, and nobody counts how far.
const MOST_COMMITS: usize = 10_000;

/// Where workflows lie.
const WORKFLOWS: &str = ".github/workflows/";

/// A repository.
pub(super) struct Source<'w> {
    /// The newest commit of its default branch.
    pub(super) tip: String,
    place: Place<'w>,
}

enum Place<'w> {
    Clone {
        history: &'w dyn History,
        folder: PathBuf,
        objects: Box<dyn Objects>,
    },
    GitHub {
        github: Box<GitHub<'w>>,
        repository: RepoName,
    },
}

impl<'w> Source<'w> {
    /// Opens a clone: its default branch as the remote had it last, else what is checked out.
    pub(super) fn of_clone(session: &Session<'w>, checkout: &Checkout) -> Result<Self, String> {
        let history = session.world.history.as_ref();
        let folder = checkout.top.as_ref().unwrap_or(&checkout.common_dir);
        let mut objects = history
            .objects(folder, false)
            .map_err(|error| error.to_string())?;
        let remote = &session.settings.remote.value;
        let revisions = [format!("refs/remotes/{remote}/HEAD"), "HEAD".to_owned()];
        let mut tip = None;
        for revision in revisions {
            let found = one(objects.as_mut(), &format!("{revision}^{{commit}}"))?;
            tip = tip.or(found.map(|commit| commit.id));
        }
        Ok(Self {
            tip: tip.ok_or("it has no commit")?,
            place: Place::Clone {
                history,
                folder: folder.clone(),
                objects,
            },
        })
    }

    /// Opens a repository at GitHub.
    pub(super) fn of_github(session: &Session<'w>, name: &RepoName) -> Result<Self, String> {
        let github = session.github(Some(&name.to_string()), None, SECONDS);
        let found = github.map_err(|error| format!("{:#}", error.error))?;
        let (github, whose) = found.ok_or("no server of GitHub is known")?;
        enter_installation(&github, &whose).map_err(|error| error.to_string())?;
        let commit = github
            .call(&commits::get(name, "HEAD"))
            .map_err(|error| error.to_string())?;
        Ok(Self {
            tip: commit.sha,
            place: Place::GitHub {
                github: Box::new(github),
                repository: name.clone(),
            },
        })
    }

    /// Reads a file of a commit; nothing when there is none.
    pub(super) fn file(&mut self, at: &str, path: &str) -> Result<Option<Vec<u8>>, String> {
        match &mut self.place {
            Place::Clone { objects, .. } => {
                let found = one(objects.as_mut(), &format!("{at}:{path}"))?;
                let blob = found.filter(|object| object.kind == "blob");
                Ok(blob.map(|object| object.bytes))
            }
            Place::GitHub { github, repository } => {
                match github.call(&contents::get(repository, path, at)) {
                    Ok(file) => match decoded(&file) {
                        Some(bytes) => Ok(Some(bytes)),
                        None => Err(format!("GitHub sent something else than `{path}`")),
                    },
                    Err(ForgeError::Missing { .. }) => Ok(None),
                    Err(error) => Err(error.to_string()),
                }
            }
        }
    }

    /// Reads the workflows of the newest commit.
    pub(super) fn workflows(&mut self) -> Result<Vec<Vec<u8>>, String> {
        let tip = self.tip.clone();
        let paths: Vec<String> = match &self.place {
            Place::Clone {
                history, folder, ..
            } => {
                let listed = history
                    .list_tree(folder, &tip)
                    .map_err(|error| error.to_string())?;
                let rows = listed.split(|byte| *byte == 0);
                let paths = rows.filter_map(|row| {
                    let tab = row.iter().position(|byte| *byte == b'\t')?;
                    String::from_utf8(row.get(tab + 1..)?.to_vec()).ok()
                });
                paths.filter(|path| is_workflow(path)).collect()
            }
            Place::GitHub { github, repository } => {
                let tree = github.call(&git::get_tree(repository, &tip));
                let entries = tree.map_err(|error| error.to_string())?.entries.into_iter();
                let paths = entries.filter_map(|entry| entry.path);
                paths.filter(|path| is_workflow(path)).collect()
            }
        };
        let mut found = Vec::new();
        for path in paths {
            found.extend(self.file(&tip, &path)?);
        }
        Ok(found)
    }

    /// Returns how many commits lie between an older one and the newest; nothing where it is not one of its ancestors, or too old.
    pub(super) fn behind(&mut self, pin: &str) -> Option<u64> {
        if pin == self.tip {
            return Some(0);
        }
        match &self.place {
            Place::Clone {
                history, folder, ..
            } => along_first_parents(*history, folder, &self.tip, pin),
            Place::GitHub { github, repository } => {
                let compared = github.call(&commits::compare(repository, pin, &self.tip));
                let compared = compared.ok()?;
                (compared.behind_by == 0).then_some(compared.ahead_by)
            }
        }
    }

    /// Returns when a commit was made, where it is here.
    pub(super) fn time(&mut self, commit: &str) -> Option<i64> {
        let Place::Clone { objects, .. } = &mut self.place else {
            return None;
        };
        let found = one(objects.as_mut(), &format!("{commit}^{{commit}}")).ok()??;
        let text = String::from_utf8_lossy(&found.bytes).into_owned();
        let line = text.lines().find(|line| line.starts_with("committer "))?;
        line.rsplit(' ').nth(1)?.parse().ok()
    }
}

fn is_workflow(path: &str) -> bool {
    path.starts_with(WORKFLOWS)
        && Path::new(path)
            .extension()
            .is_some_and(|ending| ending == "yml" || ending == "yaml")
}

fn one(objects: &mut dyn Objects, name: &str) -> Result<Option<Object>, String> {
    let mut found = None;
    let read = objects.read(&[name.to_owned()], &mut |_, object| found = object);
    read.map_err(|error| error.to_string())?;
    Ok(found)
}

fn along_first_parents(history: &dyn History, folder: &Path, tip: &str, pin: &str) -> Option<u64> {
    let mut commits = 0;
    let mut found = None;
    let read = history.first_parents(folder, tip, MOST_COMMITS, &mut |reader| {
        log::read(&mut BufReader::new(reader), &mut |logged| {
            if logged.commit == pin {
                found = Some(commits);
                return false;
            }
            commits += 1;
            true
        })
    });
    // Whoever stops early closes the pipe, which git may call a failure.
    let _ = read;
    found
}
