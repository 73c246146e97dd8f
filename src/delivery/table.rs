//! All rows that are known, each once: of several readings of a row the latest counts, in whatever order they come.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::rows::{Commit, Deployment, Incident, Key, Pull, Release, Row, Run, Tag};

/// Rows by kind, each in the order of its id.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) pulls: Vec<Pull>,
    pub(crate) deployments: Vec<Deployment>,
    pub(crate) runs: Vec<Run>,
    pub(crate) releases: Vec<Release>,
    pub(crate) tags: Vec<Tag>,
    pub(crate) commits: Vec<Commit>,
    pub(crate) incidents: Vec<Incident>,
    /// Readings of a row of which there is a later one.
    pub(crate) repeated: usize,
}

/// A kind of row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Pull,
    Deployment,
    Run,
    Release,
    Tag,
    Commit,
    Incident,
}

impl Kind {
    pub(crate) const ALL: [Self; 7] = [
        Self::Pull,
        Self::Deployment,
        Self::Run,
        Self::Release,
        Self::Tag,
        Self::Commit,
        Self::Incident,
    ];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Deployment => "deployment",
            Self::Run => "run",
            Self::Release => "release",
            Self::Tag => "tag",
            Self::Commit => "commit",
            Self::Incident => "incident",
        }
    }
}

/// A row, by its place among those of its kind and repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ref {
    /// The repository's place in a pool; zero where there is one only.
    pub(crate) repository: u32,
    pub(crate) kind: Kind,
    pub(crate) place: u32,
}

/// Returns rows with what they are known by.
pub(crate) fn numbered<T>(kind: Kind, rows: &[T]) -> impl Iterator<Item = (Ref, &T)> {
    let places = 0_u32..;
    places.zip(rows).map(move |(place, row)| {
        let known = Ref {
            repository: 0,
            kind,
            place,
        };
        (known, row)
    })
}

/// A row, and the time that it tells of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stamped {
    pub(crate) as_of: Timestamp,
    pub(crate) row: Row,
}

/// What rows come into.
#[derive(Debug, Default)]
pub(crate) struct Gathering {
    latest: BTreeMap<Key, Stamped>,
    repeated: usize,
}

impl Gathering {
    /// Adds a reading of a row.
    pub(crate) fn add(&mut self, as_of: Timestamp, row: Row) {
        let stamped = Stamped { as_of, row };
        match self.latest.get_mut(&stamped.row.key()) {
            None => {
                self.latest.insert(stamped.row.key(), stamped);
            }
            Some(known) => {
                self.repeated += 1;
                if *known < stamped {
                    *known = stamped;
                }
            }
        }
    }

    /// Returns the latest reading of a row, and the time that it tells of.
    pub(crate) fn find(&self, key: &Key) -> Option<&Stamped> {
        self.latest.get(key)
    }

    /// Lets every pull request be changed.
    pub(crate) fn each_pull(&mut self, change: &mut dyn FnMut(&mut Pull)) {
        for stamped in self.latest.values_mut() {
            if let Row::Pull(pull) = &mut stamped.row {
                change(pull);
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.latest.is_empty()
    }

    /// Returns all rows.
    pub(crate) fn rows(self) -> Rows {
        let mut rows = Rows {
            repeated: self.repeated,
            ..Rows::default()
        };
        for stamped in self.latest.into_values() {
            match stamped.row {
                Row::Pull(row) => rows.pulls.push(*row),
                Row::Deployment(row) => rows.deployments.push(row),
                Row::Run(row) => rows.runs.push(row),
                Row::Release(row) => rows.releases.push(row),
                Row::Tag(row) => rows.tags.push(row),
                Row::Commit(row) => rows.commits.push(row),
                Row::Incident(row) => rows.incidents.push(row),
            }
        }
        rows
    }
}

impl Rows {
    /// Returns how many rows there are of a kind.
    pub(crate) fn count(&self, kind: Kind) -> usize {
        match kind {
            Kind::Pull => self.pulls.len(),
            Kind::Deployment => self.deployments.len(),
            Kind::Run => self.runs.len(),
            Kind::Release => self.releases.len(),
            Kind::Tag => self.tags.len(),
            Kind::Commit => self.commits.len(),
            Kind::Incident => self.incidents.len(),
        }
    }

    /// Returns the earliest time that a change or deployment tells of.
    pub(crate) fn earliest(&self) -> Option<Timestamp> {
        let pulls = self
            .pulls
            .iter()
            .flat_map(|row| [Some(row.created), row.first_commit]);
        let deployments = self.deployments.iter().map(|row| Some(row.created));
        let commits = self.commits.iter().map(|row| Some(row.commit_date));
        pulls.chain(deployments).chain(commits).flatten().min()
    }

    /// Returns what people know a row by.
    pub(crate) fn id(&self, row: Ref) -> String {
        let place = row.place as usize;
        let id = match row.kind {
            Kind::Pull => self.pulls.get(place).map(|row| row.key().id),
            Kind::Deployment => self.deployments.get(place).map(|row| row.id.to_string()),
            Kind::Run => (self.runs.get(place)).map(|row| format!("{}.{}", row.id, row.attempt)),
            Kind::Release => self.releases.get(place).map(|row| row.id.to_string()),
            Kind::Tag => self.tags.get(place).map(|row| row.name.clone()),
            Kind::Commit => self.commits.get(place).map(|row| row.sha.clone()),
            Kind::Incident => self.incidents.get(place).map(|row| row.id.to_string()),
        };
        id.unwrap_or_default()
    }

    /// Returns where a row can be looked at; empty where nobody said.
    pub(crate) fn url(&self, row: Ref) -> &str {
        let place = row.place as usize;
        let url = match row.kind {
            Kind::Pull => self.pulls.get(place).map(|row| &row.url),
            Kind::Deployment => self.deployments.get(place).map(|row| &row.url),
            Kind::Run => self.runs.get(place).map(|row| &row.url),
            Kind::Release => self.releases.get(place).map(|row| &row.url),
            Kind::Tag | Kind::Commit => None,
            Kind::Incident => self.incidents.get(place).map(|row| &row.url),
        };
        url.map(String::as_str).unwrap_or_default()
    }
}
