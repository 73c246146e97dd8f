//! What became of every row: counted, left out with a reason, or read to see how others hang together. The sums agree by kind.

use std::collections::BTreeMap;

use super::history::History;
use super::metrics::Metric;
use super::reasons::Reason;
use super::table::{Kind, Ref};

/// What became of the rows of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) kind: Kind,
    pub(crate) rows: usize,
    /// Rows that at least one metric counts, as a value or as what failed.
    pub(crate) counted: usize,
    /// Commits that tell what a deployment holds.
    pub(crate) context: usize,
    pub(crate) left_out: BTreeMap<Reason, usize>,
    /// Always none: a row that nobody can say anything of would be a bug.
    pub(crate) unexplained: usize,
}

/// Says for every row what became of it.
pub(crate) fn accounts(history: &History<'_>, metrics: &[Metric]) -> Vec<Account> {
    let mut counted: BTreeMap<Kind, Vec<bool>> = BTreeMap::new();
    let mut reasons: BTreeMap<Kind, Vec<Option<Reason>>> = BTreeMap::new();
    for kind in Kind::ALL {
        let rows = history.rows.count(kind);
        counted.insert(kind, vec![false; rows]);
        reasons.insert(kind, vec![None; rows]);
    }
    let mut count = |row: Ref| {
        let slot = counted.get_mut(&row.kind);
        if let Some(slot) = slot.and_then(|slots| slots.get_mut(row.place as usize)) {
            *slot = true;
        }
    };
    for metric in metrics {
        for evidence in &metric.evidence {
            count(evidence.row);
            for linked in &evidence.linked {
                count(*linked);
            }
        }
    }
    let released = history.released.left_out.iter();
    let shipped = history.shipped.left_out.iter();
    let of_metrics = metrics.iter().flat_map(|metric| &metric.left_out);
    for left in shipped.chain(released).chain(of_metrics) {
        let slot = reasons.get_mut(&left.row.kind);
        if let Some(slot) = slot.and_then(|slots| slots.get_mut(left.row.place as usize)) {
            slot.get_or_insert(left.reason);
        }
    }
    let accounts = Kind::ALL.into_iter();
    accounts
        .map(|kind| {
            let counted = counted.remove(&kind).unwrap_or_default();
            let reasons = reasons.remove(&kind).unwrap_or_default();
            account(kind, &counted, &reasons)
        })
        .collect()
}

fn account(kind: Kind, counted: &[bool], reasons: &[Option<Reason>]) -> Account {
    let mut account = Account {
        kind,
        rows: counted.len(),
        counted: 0,
        context: 0,
        left_out: BTreeMap::new(),
        unexplained: 0,
    };
    for (is_counted, reason) in counted.iter().zip(reasons) {
        match (is_counted, reason, kind) {
            (true, _, _) => account.counted += 1,
            (false, _, Kind::Commit) => account.context += 1,
            (false, Some(reason), _) => *account.left_out.entry(*reason).or_default() += 1,
            (false, None, Kind::Deployment | Kind::Run | Kind::Release | Kind::Tag) => {
                *account.left_out.entry(Reason::OtherSource).or_default() += 1;
            }
            (false, None, _) => account.unexplained += 1,
        }
    }
    account
}
