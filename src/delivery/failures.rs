//! Failures of deployments: what went wrong, which deployment is to blame, and when it was over.
//!
//! What says so itself comes first: an incident that names its deployment or commit, a deployment whose own status became a failure, a revert of a
//! change that was deployed, a deployment of an older commit. Only then the last deployment before it is blamed, within a time, and the row says
//! that this was inferred. An incident in the second of a deployment is of that one.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::ask::{Ask, Source};
use super::changes::{Carrier, Change};
use super::reasons::{Reason, Remark};
use super::rows::Incident;
use super::shipments::{LeftOut, Shipped};
use super::table::{Kind, Ref, Rows, numbered};

/// Something that went wrong with a deployment.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    /// The deployment that is to blame.
    pub(crate) shipment: usize,
    pub(crate) row: Ref,
    /// When somebody noticed.
    pub(crate) opened: Timestamp,
    pub(crate) closed: Option<Timestamp>,
    /// How it was linked; none where it names its deployment.
    pub(crate) link: Option<Remark>,
}

/// What went wrong, what was left out, and which deployments were unplanned.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    pub(crate) list: Vec<Failure>,
    pub(crate) left_out: Vec<LeftOut>,
    /// Deployments that repair, each with what they repair.
    pub(crate) repairs: BTreeMap<usize, Ref>,
}

/// What a revert or hotfix repairs.
#[derive(Debug, Clone, Copy)]
enum Remedies {
    /// What came with a deployment.
    Shipped(usize),
    /// What was never deployed.
    Unshipped,
    /// Nobody says what.
    Something,
}

/// What failures are looked for in.
struct Search<'a> {
    ask: &'a Ask<'a>,
    shipped: &'a Shipped<'a>,
    carrier: &'a Carrier<'a>,
    /// The first deployment of each number, and of each commit.
    by_number: BTreeMap<u64, usize>,
    by_sha: BTreeMap<&'a str, usize>,
    found: Failures,
}

pub(crate) fn failures(
    rows: &Rows,
    changes: &[Change<'_>],
    shipped: &Shipped<'_>,
    carrier: &Carrier<'_>,
    ask: &Ask<'_>,
) -> Failures {
    let number = |row: Ref| {
        let place = row.place as usize;
        match row.kind {
            Kind::Deployment => rows.deployments.get(place).map(|row| row.id),
            Kind::Run => rows.runs.get(place).map(|row| row.id),
            Kind::Release => rows.releases.get(place).map(|row| row.id),
            _ => None,
        }
    };
    let (mut by_number, mut by_sha) = (BTreeMap::new(), BTreeMap::new());
    for (place, shipment) in shipped.list.iter().enumerate() {
        if let Some(number) = number(shipment.row) {
            by_number.entry(number).or_insert(place);
        }
        by_sha.entry(shipment.sha).or_insert(place);
    }
    let mut search = Search {
        ask,
        shipped,
        carrier,
        by_number,
        by_sha,
        found: Failures::default(),
    };
    for (row, incident) in numbered(Kind::Incident, &rows.incidents) {
        search.incident(row, incident);
    }
    search.pulls(changes);
    search.statuses();
    search.rollbacks();
    let mut found = search.found;
    crate::order::sort_by_key(&mut found.list, |failure| {
        (failure.shipment, failure.opened, failure.row)
    });
    found
}

impl Search<'_> {
    fn incident(&mut self, row: Ref, incident: &Incident) {
        match self.blame(incident) {
            Ok((shipment, link)) => self.found.list.push(Failure {
                shipment,
                row,
                opened: incident.opened,
                closed: incident.closed.filter(|closed| *closed <= self.ask.now),
                link,
            }),
            Err(reason) => self.found.left_out.push(LeftOut { row, reason }),
        }
    }

    fn blame(&self, row: &Incident) -> Result<(usize, Option<Remark>), Reason> {
        if row.opened > self.ask.now {
            return Err(Reason::InFuture);
        }
        if let Some(id) = row.deployment {
            let found = self.by_number.get(&id).copied();
            return found
                .map(|found| (found, None))
                .ok_or(Reason::NeverSucceeded);
        }
        if !row.sha.is_empty() {
            let own = self.by_sha.get(row.sha.as_str()).copied();
            if let Some(found) = own.or_else(|| self.carrier.holder_of_sha(&row.sha)) {
                return Ok((found, None));
            }
        }
        let policy = self.ask.definition;
        if !policy.infers {
            return Err(Reason::NothingBefore);
        }
        let found = self.before(row.opened, policy.strictly_before, policy.blames_forever)?;
        Ok((found, Some(Remark::Inferred)))
    }

    /// Returns the last deployment before a time, or at it.
    fn before(&self, at: Timestamp, strictly: bool, forever: bool) -> Result<usize, Reason> {
        let list = &self.shipped.list;
        let place = list.partition_point(|shipment| {
            // GitHub counts in seconds.
            let shipped = shipment.at.as_second();
            shipped < at.as_second() || (!strictly && shipped == at.as_second())
        });
        let found = place.checked_sub(1).ok_or(Reason::NothingBefore)?;
        let age = at.duration_since(list[found].at);
        if !forever && age > SignedDuration::from_secs(self.ask.blame) {
            return Err(Reason::TooLate);
        }
        Ok(found)
    }

    /// Reverts and hotfixes that were merged.
    fn pulls(&mut self, changes: &[Change<'_>]) {
        if !self.ask.definition.reads_pulls {
            return;
        }
        let numbers = crate::order::map(
            changes
                .iter()
                .filter(|change| change.pull.number > 0)
                .map(|change| (format!("#{}", change.pull.number), change)),
        );
        let shas = crate::order::map(
            changes
                .iter()
                .filter(|change| !change.pull.merge_sha.is_empty())
                .map(|change| (change.pull.merge_sha.as_str(), change)),
        );
        for change in changes {
            let pull = change.pull;
            if pull.reverts.is_empty() && !pull.hotfix {
                continue;
            }
            let reverted = pull.reverts.iter().map(|name| {
                let known = numbers.get(name).or_else(|| shas.get(name.as_str()));
                match known {
                    Some(change) => {
                        let sha = &change.pull.merge_sha;
                        self.carrier.holder(sha, change.merged).ok()
                    }
                    // A commit may be taken back that came without a pull request.
                    None => self.carrier.holder_of_sha(name),
                }
            });
            // Of several the first that was deployed.
            let remedies = match reverted.flatten().min() {
                _ if pull.reverts.is_empty() => Remedies::Something,
                Some(shipment) => Remedies::Shipped(shipment),
                None => Remedies::Unshipped,
            };
            let remedy = self.carrier.holder(&pull.merge_sha, change.merged).ok();
            match self.blame_of_pull(pull.created, remedies, remedy) {
                Ok((shipment, link)) => {
                    if let Some(remedy) = remedy {
                        self.found.repairs.insert(remedy, change.row);
                    }
                    self.found.list.push(Failure {
                        shipment,
                        row: change.row,
                        opened: pull.created,
                        closed: remedy.map(|remedy| self.shipped.list[remedy].at),
                        link: Some(link),
                    });
                }
                Err(reason) => self.found.left_out.push(LeftOut {
                    row: change.row,
                    reason,
                }),
            }
        }
    }

    /// Says which deployment a revert or hotfix blames: that of what it takes back, if that was deployed before; else the last one.
    fn blame_of_pull(
        &self,
        created: Timestamp,
        remedies: Remedies,
        remedy: Option<usize>,
    ) -> Result<(usize, Remark), Reason> {
        let (found, link) = match remedies {
            Remedies::Shipped(found) => (found, Remark::Reverted),
            Remedies::Unshipped => return Err(Reason::BeforeShipping),
            Remedies::Something => (self.before(created, false, false)?, Remark::Inferred),
        };
        if remedy.is_some_and(|remedy| remedy <= found) {
            return Err(Reason::BeforeShipping);
        }
        Ok((found, link))
    }

    /// Deployments whose own status became a failure; the next one to the same environment ends it.
    fn statuses(&mut self) {
        if !self.ask.definition.reads_pulls {
            return;
        }
        let list = &self.shipped.list;
        let mut places: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (number, shipment) in list.iter().enumerate() {
            places.entry(shipment.environment).or_default().push(number);
        }
        for (number, shipment) in list.iter().enumerate() {
            let Some(failed) = shipment.failed_at else {
                continue;
            };
            let same = places.get(shipment.environment);
            let same = same.map(Vec::as_slice).unwrap_or_default();
            let after = same.partition_point(|other| list[*other].at <= failed);
            let next = same.get(after).copied();
            self.found.list.push(Failure {
                shipment: number,
                row: shipment.row,
                opened: failed,
                closed: next.map(|next| list[next].at),
                link: Some(Remark::Status),
            });
        }
    }

    /// A deployment of a commit that an earlier one had, and that is not the last one's, takes the last one back.
    fn rollbacks(&mut self) {
        let knows = matches!(
            self.shipped.source,
            Some(Source::Deployments | Source::Runs)
        );
        if !knows || !self.ask.definition.reads_pulls {
            return;
        }
        let mut last: BTreeMap<&str, usize> = BTreeMap::new();
        let mut earlier: BTreeSet<(&str, &str)> = BTreeSet::new();
        for (number, shipment) in self.shipped.list.iter().enumerate() {
            let place = shipment.environment;
            let before = last.insert(place, number);
            let was_there = !shipment.sha.is_empty() && !earlier.insert((place, shipment.sha));
            let Some(before) = before else { continue };
            let previous = &self.shipped.list[before];
            let holder = self.carrier.holder_of(number);
            let is_older = was_there || holder.is_some_and(|holder| holder < before);
            if !is_older || previous.sha == shipment.sha {
                continue;
            }
            self.found.repairs.insert(number, previous.row);
            self.found.list.push(Failure {
                shipment: before,
                row: shipment.row,
                opened: shipment.at,
                closed: Some(shipment.at),
                link: Some(Remark::RolledBack),
            });
        }
    }
}
