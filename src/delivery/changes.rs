//! Changes: pull requests that were merged, when their clocks start, and what first brought each to its users.
//!
//! A deployment brings what it holds and no deployment before it held, as git's history of commits says. The first deployment that is known brings
//! everything that came before, so that nothing can be said of how long that took. All of it is worked out over the whole history and only then cut
//! to the time that was asked for: another time shows the same row with the same value.

use jiff::Timestamp;

use super::ask::{Ask, Start};
use super::graph::{Graph, Holders};
use super::reasons::{Reason, Remark};
use super::rows::Pull;
use super::shipments::{LeftOut, Shipped};
use super::table::{Kind, Ref, numbered};

/// A merged pull request.
#[derive(Debug, Clone)]
pub(crate) struct Change<'a> {
    pub(crate) row: Ref,
    pub(crate) pull: &'a Pull,
    pub(crate) merged: Timestamp,
    pub(crate) start: Result<Timestamp, Reason>,
    pub(crate) remarks: Vec<Remark>,
    /// The deployment that brought it.
    pub(crate) deployed: Result<usize, Reason>,
    /// The release that brought it.
    pub(crate) released: Result<usize, Reason>,
    /// Whether that is known by time alone.
    pub(crate) by_time: bool,
}

/// What ships commits, and which it was the first to ship.
#[derive(Debug)]
pub(crate) struct Carrier<'a> {
    shipped: &'a Shipped<'a>,
    holders: Holders,
    graph: &'a Graph<'a>,
}

impl<'a> Carrier<'a> {
    pub(crate) fn new(shipped: &'a Shipped<'a>, graph: &'a Graph<'a>) -> Self {
        let tips = shipped
            .list
            .iter()
            .map(|shipment| graph.place(shipment.sha));
        let holders = graph.holders(tips);
        Self {
            shipped,
            holders,
            graph,
        }
    }

    /// Returns the first shipment that holds a commit of a time, the very first one too.
    pub(crate) fn holder(&self, sha: &str, merged: Timestamp) -> Result<usize, Reason> {
        let list = &self.shipped.list;
        if list.is_empty() {
            return Err(Reason::NotShipped);
        }
        if self.graph.is_empty() {
            let place = list.partition_point(|shipment| shipment.at < merged);
            return (place < list.len())
                .then_some(place)
                .ok_or(Reason::NotShipped);
        }
        let place = self.graph.place(sha).ok_or(Reason::CommitUnknown)?;
        self.holders.of(place).ok_or(Reason::NotShipped)
    }

    /// The same, but for what came with the first one.
    fn carries(&self, sha: &str, merged: Timestamp) -> Result<usize, Reason> {
        match self.holder(sha, merged)? {
            0 => Err(Reason::FirstDeployment),
            number => Ok(number),
        }
    }

    /// Returns the first shipment that holds a commit, as git's history says.
    pub(crate) fn holder_of_sha(&self, sha: &str) -> Option<usize> {
        self.holders.of(self.graph.place(sha)?)
    }

    /// Returns the first shipment that holds what another one ships.
    pub(crate) fn holder_of(&self, number: usize) -> Option<usize> {
        self.holder_of_sha(self.shipped.list.get(number)?.sha)
    }
}

/// Sorts pull requests into changes and others.
pub(crate) fn changes<'a>(
    pulls: &'a [Pull],
    ask: &Ask<'_>,
    deployed: &Carrier<'_>,
    released: &Carrier<'_>,
) -> (Vec<Change<'a>>, Vec<LeftOut>) {
    let (mut changes, mut left_out) = (Vec::new(), Vec::new());
    let by_time = deployed.graph.is_empty();
    for (row, pull) in numbered(Kind::Pull, pulls) {
        match judge(pull, ask) {
            Ok(merged) => {
                let (start, remarks) = start(pull, ask.start);
                changes.push(Change {
                    row,
                    pull,
                    merged,
                    start,
                    remarks,
                    deployed: deployed.carries(&pull.merge_sha, merged),
                    released: released.carries(&pull.merge_sha, merged),
                    by_time,
                });
            }
            Err(reason) => left_out.push(LeftOut { row, reason }),
        }
    }
    crate::order::sort_by_key(&mut changes, |change| (change.merged, change.row));
    (changes, left_out)
}

fn judge(pull: &Pull, ask: &Ask<'_>) -> Result<Timestamp, Reason> {
    let merged = match (pull.merged, pull.closed) {
        (Some(merged), _) if merged <= ask.now => merged,
        (Some(_), _) => return Err(Reason::InFuture),
        (None, Some(closed)) if closed <= ask.now => return Err(Reason::Unmerged),
        (None, _) => return Err(Reason::Open),
    };
    if ask
        .branch
        .is_some_and(|branch| !pull.base.is_empty() && pull.base != branch)
    {
        return Err(Reason::OtherBase);
    }
    if !is_wanted(pull, ask) {
        return Err(Reason::OtherPath);
    }
    Ok(merged)
}

/// Whether a pull request is of the path, the author's kind and the team that were asked for.
pub(crate) fn is_wanted(pull: &Pull, ask: &Ask<'_>) -> bool {
    let is_below = |path: &str| {
        let path = path.trim_end_matches('/');
        pull.paths.iter().any(|known| {
            known == path
                || known
                    .strip_prefix(path)
                    .is_some_and(|rest| rest.starts_with('/'))
        })
    };
    ask.path.is_none_or(is_below)
        && ask.author.is_none_or(|author| pull.author_kind == author)
        && ask.team.is_none_or(|team| self::team(pull) == Some(team))
}

/// Returns the team whose label a pull request has, as `team: payments` or `team/payments`.
pub(crate) fn team(pull: &Pull) -> Option<&str> {
    pull.labels.iter().find_map(|label| {
        let rest = label.strip_prefix("team")?;
        let rest = rest.strip_prefix([':', '/', '-', '='])?.trim();
        (!rest.is_empty()).then_some(rest)
    })
}

/// Says when the clock starts: the earliest author date of its commits, but when it was opened where they were made anew since.
fn start(pull: &Pull, start: Start) -> (Result<Timestamp, Reason>, Vec<Remark>) {
    let at = |at: Timestamp, remarks: &[Remark]| (Ok(at), remarks.to_vec());
    match (start, pull.form.as_str()) {
        (_, "squash") => (Err(Reason::StartUnknown), Vec::new()),
        (_, "merge") => at(
            pull.first_commit.unwrap_or(pull.created),
            &[Remark::ByAuthorDate],
        ),
        (_, "rebase") => at(
            pull.first_commit.unwrap_or(pull.created),
            &[Remark::AuthorDateOnly],
        ),
        (Start::Opened, _) => at(pull.created, &[]),
        (Start::Ready, _) => at(pull.ready.unwrap_or(pull.created), &[]),
        (Start::Commit, _) => match pull.first_commit {
            Some(first) if first <= pull.created => at(first, &[]),
            Some(_) => at(pull.created, &[Remark::Rewritten]),
            None => at(pull.created, &[Remark::NoCommits]),
        },
    }
}
