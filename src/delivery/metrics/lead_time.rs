//! Change lead time: from a change's first commit to when it was merged, deployed and released, and from its merge to its deployment.
//!
//! What the clock of a change ends with decides whether it lies within the time that was asked for.

use jiff::Timestamp;

use super::{Evidence, Metric, Value};
use crate::delivery::ask::{Ask, Start, seconds};
use crate::delivery::changes::Change;
use crate::delivery::definitions::{Lead, Odd};
use crate::delivery::history::History;
use crate::delivery::quantiles::{Spread, spread};
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
        let parts = history.ask.definition.sums_parts;
        match times {
            Ok((from, (to, linked))) if parts => {
                let times = parts_of(change, clock, history.ask.start, from, to);
                count.add_parts(row, &times, change.remarks.clone(), linked);
            }
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

/// Returns the times between which the parts of a lead time lie: of coding, of the pull request, and of what follows the merge.
fn parts_of(
    change: &Change<'_>,
    clock: Clock,
    asked: Start,
    from: Timestamp,
    to: Timestamp,
) -> Vec<Timestamp> {
    let pull = change.pull;
    let mut times = match clock {
        Clock::AfterMerge => Vec::new(),
        // Git alone does not say when a pull request was opened.
        _ if asked == Start::Commit && pull.form.is_empty() => {
            let first = pull.first_commit.into_iter();
            first.chain([pull.created]).collect()
        }
        _ => vec![from],
    };
    times.push(change.merged);
    if clock != Clock::Merge {
        times.push(to);
    }
    times
}

/// Returns whole minutes, rounded up; what is less than one minute below zero is none, as a ceiling has it.
fn minutes(from: Timestamp, to: Timestamp) -> f64 {
    (seconds(from, to) / 60.0).ceil()
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
        self.push(row, from, to, took, remarks, linked);
    }

    /// Adds a change whose time is the sum of what lies between its times: each in whole minutes, rounded up, and none that is negative.
    fn add_parts(
        &mut self,
        row: Ref,
        times: &[Timestamp],
        mut remarks: Vec<Remark>,
        linked: Vec<Ref>,
    ) {
        let (Some(from), Some(to)) = (times.iter().min(), times.last()) else {
            return;
        };
        let minutes = times.windows(2).map(|pair| minutes(pair[0], pair[1]));
        let kept: Vec<f64> = minutes.filter(|minutes| *minutes >= 0.0).collect();
        let reason = if !self.history.ask.window.holds(*to) {
            Some(Reason::OutsideWindow)
        } else if kept.is_empty() {
            Some(Reason::Negative)
        } else {
            None
        };
        if let Some(reason) = reason {
            self.left_out.push(LeftOut { row, reason });
            return;
        }
        if kept.len() + 1 < times.len() {
            remarks.push(Remark::PartDropped);
        }
        let took = kept.iter().sum::<f64>() * 60.0;
        if took == 0.0 {
            remarks.push(Remark::Zero);
        }
        self.push(row, *from, *to, took, remarks, linked);
    }

    fn push(
        &mut self,
        row: Ref,
        from: Timestamp,
        to: Timestamp,
        took: f64,
        remarks: Vec<Remark>,
        linked: Vec<Ref>,
    ) {
        self.evidence.push(Evidence {
            row,
            from: Some(from),
            to,
            seconds: Some(took),
            is_part: true,
            remarks,
            linked,
            noticed: None,
        });
    }

    fn metric(self, id: &'static str, name: &'static str, rows: usize) -> Metric {
        let ask = self.history.ask;
        Metric {
            id,
            name,
            value: value(&self.evidence, ask),
            business: business(&self.evidence, ask),
            rows,
            counted: self.evidence.len(),
            evidence: self.evidence,
            left_out: self.left_out,
        }
    }
}

pub(super) fn value(evidence: &[Evidence], ask: &Ask<'_>) -> Value {
    let values = evidence.iter().filter_map(|row| row.seconds);
    Value::Spread(spread(values.collect(), ask.least))
}

/// Says the same in hours of work, where somebody asked for them.
pub(crate) fn business(evidence: &[Evidence], ask: &Ask<'_>) -> Option<Spread> {
    let calendar = ask.calendar?;
    let worked = evidence.iter().filter_map(|row| {
        let from = row.from?;
        Some(calendar.seconds(from, row.to.max(from)))
    });
    Some(spread(worked.collect(), ask.least))
}
