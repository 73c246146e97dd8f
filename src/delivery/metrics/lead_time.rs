//! Change lead time: from a change's first commit to when it was merged, deployed and released, and from its merge to its deployment.
//!
//! What the clock of a change ends with decides whether it lies within the time that was asked for.

use jiff::Timestamp;

use super::{Evidence, Metric, Value};
use crate::delivery::ask::seconds;
use crate::delivery::changes::Change;
use crate::delivery::definitions::{Lead, Odd};
use crate::delivery::history::History;
use crate::delivery::quantiles::spread;
use crate::delivery::reasons::{Reason, Remark};
use crate::delivery::shipments::{LeftOut, Shipped};
use crate::delivery::table::{Kind, Ref, numbered};

/// What a clock runs between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clock {
    Merge,
    Deploy,
    Release,
    AfterMerge,
}

const CLOCKS: [(Clock, &str, &str); 4] = [
    (
        Clock::Deploy,
        "lead-time-deploy",
        "Change lead time, to deploy",
    ),
    (
        Clock::Merge,
        "lead-time-merge",
        "Change lead time, to merge",
    ),
    (
        Clock::Release,
        "lead-time-release",
        "Change lead time, to release",
    ),
    (Clock::AfterMerge, "merge-to-deploy", "From merge to deploy"),
];

pub(super) fn all(history: &History<'_>) -> Vec<Metric> {
    let clocks = CLOCKS.into_iter();
    clocks
        .map(
            |(clock, id, name)| match (clock, history.ask.definition.lead) {
                (Clock::Deploy, Lead::Commit) => of_commits(history, id, name),
                _ => of_pulls(history, clock, id, name),
            },
        )
        .collect()
}

fn of_pulls(history: &History<'_>, clock: Clock, id: &'static str, name: &'static str) -> Metric {
    let mut count = Count::new(history);
    count.left_out.clone_from(&history.unchanged);
    for change in &history.changes {
        let times =
            start(change, clock).and_then(|start| Ok((start, end(history, change, clock)?)));
        let row = change.row;
        match times {
            Ok((from, (to, linked))) => {
                let mut remarks = change.remarks.clone();
                if clock == Clock::AfterMerge {
                    remarks.clear();
                }
                if change.by_time && clock != Clock::Merge {
                    remarks.push(Remark::ByTime);
                }
                count.add(row, from, to, remarks, linked);
            }
            Err(reason) => count.left_out.push(LeftOut { row, reason }),
        }
    }
    count.metric(id, name, history.rows.pulls.len())
}

fn start(change: &Change<'_>, clock: Clock) -> Result<Timestamp, Reason> {
    match clock {
        Clock::AfterMerge => Ok(change.merged),
        _ => change.start,
    }
}

type End = (Timestamp, Vec<Ref>);

fn end(history: &History<'_>, change: &Change<'_>, clock: Clock) -> Result<End, Reason> {
    let of = |shipped: &Shipped<'_>, number: usize| {
        let shipment = shipped.list.get(number).ok_or(Reason::NotShipped)?;
        Ok((shipment.at, vec![shipment.row]))
    };
    match clock {
        Clock::Merge => Ok((change.merged, Vec::new())),
        Clock::Deploy | Clock::AfterMerge => of(history.shipped, change.deployed?),
        Clock::Release => of(history.released, change.released?),
    }
}

/// Every commit that a deployment brought, from its commit date on.
fn of_commits(history: &History<'_>, id: &'static str, name: &'static str) -> Metric {
    let mut count = Count::new(history);
    let commits = numbered(Kind::Commit, &history.rows.commits);
    for ((row, commit), holder) in commits.zip(&history.commits) {
        let shipment = holder.and_then(|number| history.shipped.list.get(number));
        match shipment {
            Some(shipment) => {
                let linked = vec![shipment.row];
                count.add(row, commit.commit_date, shipment.at, Vec::new(), linked);
            }
            None => count.left_out.push(LeftOut {
                row,
                reason: Reason::NotShipped,
            }),
        }
    }
    count.metric(id, name, history.rows.commits.len())
}

/// What is counted, as it comes.
struct Count<'h, 'a> {
    history: &'h History<'a>,
    evidence: Vec<Evidence>,
    left_out: Vec<LeftOut>,
}

impl<'h, 'a> Count<'h, 'a> {
    fn new(history: &'h History<'a>) -> Self {
        Self {
            history,
            evidence: Vec::new(),
            left_out: Vec::new(),
        }
    }

    fn add(
        &mut self,
        row: Ref,
        from: Timestamp,
        to: Timestamp,
        mut remarks: Vec<Remark>,
        linked: Vec<Ref>,
    ) {
        let definition = self.history.ask.definition;
        let mut took = seconds(from, to);
        let odd = match definition.odd {
            _ if !self.history.ask.window.holds(to) => Some(Reason::OutsideWindow),
            Odd::DropAll if took <= 0.0 => Some(Reason::NotPositive),
            Odd::DropNegative if took < 0.0 => Some(Reason::Negative),
            _ => None,
        };
        if let Some(reason) = odd {
            self.left_out.push(LeftOut { row, reason });
            return;
        }
        if took < 0.0 {
            remarks.push(Remark::Clamped);
            took = 0.0;
        } else if took == 0.0 {
            remarks.push(Remark::Zero);
        }
        if definition.whole_minutes {
            took = (took / 60.0).ceil() * 60.0;
        }
        self.evidence.push(Evidence {
            row,
            from: Some(from),
            to,
            seconds: Some(took),
            is_part: true,
            remarks,
            linked,
        });
    }

    fn metric(self, id: &'static str, name: &'static str, rows: usize) -> Metric {
        let ask = self.history.ask;
        let of = |row: &Evidence| row.seconds;
        let business = ask.calendar.map(|calendar| {
            let worked = self.evidence.iter().filter_map(|row| {
                let from = row.from?;
                Some(calendar.seconds(from, row.to.max(from)))
            });
            spread(worked.collect(), ask.least)
        });
        let values = self.evidence.iter().filter_map(of).collect();
        Metric {
            id,
            name,
            value: Value::Spread(spread(values, ask.least)),
            business,
            rows,
            counted: self.evidence.len(),
            evidence: self.evidence,
            left_out: self.left_out,
        }
    }
}
