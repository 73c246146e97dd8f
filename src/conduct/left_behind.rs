//! What the jobs of one run left of their tests, for whoever judges that run: taken in as hostile data into a state of its own, which is thrown away.

use jiff::Timestamp;

use crate::conduct::artifacts::downloaded;
use crate::conduct::github::GitHub;
use crate::forge::api::runs::{self, Artifact};
use crate::forge::problem::ForgeError;
use crate::order;
use crate::state::artifact_name::ArtifactName;
use crate::state::intake::{Expected, TakenIn};
use crate::state::{StateError, StateFolder};

/// No run leaves more.
const MOST: usize = 2_000;

/// Which run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Which {
    pub(crate) run: u64,
    /// The attempt under way.
    pub(crate) attempt: u32,
    pub(crate) now: Timestamp,
    /// So many artifacts are downloaded, with two requests each.
    pub(crate) most: usize,
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct LeftBehind {
    /// Artifacts of ours.
    pub(crate) all: u64,
    /// Those that were read.
    pub(crate) read: u64,
    /// Why others, or parts of them, were refused.
    pub(crate) refused: Vec<String>,
    /// What kept the rest from being read.
    pub(crate) broken: Option<ForgeError>,
}

impl LeftBehind {
    /// Adds what came of one artifact.
    pub(crate) fn add(&mut self, name: &str, taken: &TakenIn) {
        self.read += 1;
        let codes = taken.refused.iter().map(|refusal| refusal.reason.code());
        let mut codes: Vec<&str> = codes
            .chain(taken.refused_more.keys().map(|reason| reason.code()))
            .collect();
        order::sort(&mut codes);
        codes.dedup();
        if !codes.is_empty() {
            self.refused.push(format!("`{name}`: {}", codes.join(", ")));
        }
    }

    /// Whether all that jobs left was read.
    pub(crate) fn is_whole(&self) -> bool {
        self.read == self.all && self.refused.is_empty() && self.broken.is_none()
    }
}

/// Takes in what there is room for: by the rank of the job that left it, then what is newest; what has no rank is passed over.
pub(crate) fn fetch(
    github: &GitHub<'_>,
    state: &StateFolder<'_>,
    which: Which,
    rank: &dyn Fn(&str) -> Option<u8>,
) -> Result<LeftBehind, StateError> {
    let mut found = LeftBehind::default();
    let listing = runs::artifacts_of(&github.repository, which.run);
    let listed = github.list(&listing, MOST, &mut |_| true);
    let artifacts = match listed.whole("list what jobs left") {
        Ok(artifacts) => artifacts,
        Err(error) => {
            found.broken = Some(error);
            return Ok(found);
        }
    };
    let run = which.run.to_string();
    let ours = artifacts.into_iter().filter_map(|artifact| {
        let name = ArtifactName::parse(&artifact.name)?;
        let is_its = name.run == run && (1..=which.attempt).contains(&name.attempt);
        let rank = rank(&name.job).filter(|_| is_its)?;
        Some((rank, artifact, name))
    });
    let mut ours: Vec<(u8, Artifact, ArtifactName)> = ours.collect();
    found.all = ours.len() as u64;
    order::sort_by_key(&mut ours, |(rank, artifact, name)| {
        (*rank, std::cmp::Reverse((name.attempt, artifact.id)))
    });
    for (_, artifact, name) in ours.iter().take(which.most) {
        let archive = match downloaded(github, artifact) {
            Ok(Ok(archive)) => archive,
            Ok(Err(words)) => {
                found.refused.push(format!("`{}`: {words}", artifact.name));
                continue;
            }
            Err(error) => {
                found.broken = Some(error);
                break;
            }
        };
        let expected = Expected {
            repository: Some(github.repository.to_string()),
            run: Some(name.run.clone()),
            attempt: Some(name.attempt),
            job: None,
            branch: None,
            now: which.now,
        };
        let taken = state.ingest_archive(&artifact.name, archive, &expected, false)?;
        found.add(&artifact.name, &taken);
    }
    Ok(found)
}
