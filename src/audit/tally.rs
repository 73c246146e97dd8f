//! Adds everything up.

use std::collections::BTreeMap;

use super::document::{
    Audit, Authors, Calls, ChangeRow, Ci, Delivery, Figure, Plan, Policy, Reason, Stopped, Took,
    WorkflowRow,
};
use super::facts::{Change, Facts, Runs};
use super::links::Links;
use super::missing::of_git;
use super::reruns::{is_red, is_waited_for, reruns, workflow};
use super::savings::{escapes, savings};
use crate::delivery::ask::seconds;
use crate::delivery::kpi::Finding;
use crate::delivery::kpi::pipelines::ANSWERS;
use crate::delivery::quantiles::{estimate, float};
use crate::delivery::rows::Author;
use crate::forge::api::runs::Run;
use crate::report::sections::delivery::{SHOWN, measured};
use crate::stats::rounded;

/// Of fewer values the 95th percentile would be the longest one.
const LEAST: usize = 20;

pub(super) fn audit(facts: &Facts<'_>) -> Audit {
    let mut audit = Audit {
        schema: "maestro.audit/v1",
        repository: facts.repository.clone(),
        since: facts.since.to_string(),
        until: facts.now.to_string(),
        days: facts.days,
        head: facts.head.clone(),
        plan: plan(facts),
        minutes: None,
        escapes: None,
        reruns: None,
        ci: None,
        delivery: delivery(facts),
        policy: policy(facts.changes),
        authors: authors(facts.changes),
        next: Vec::new(),
        missing: [of_git(facts), facts.missing.clone()].concat(),
        calls: Calls {
            sent: facts.calls.0,
            most: facts.calls.1,
        },
    };
    if let Some(runs) = facts.runs {
        let links = Links::new(facts.changes, runs);
        audit.minutes = savings(facts, runs, &links);
        audit.escapes = (!runs.jobs.is_empty()).then(|| escapes(facts, runs, &links));
        audit.reruns = Some(reruns(runs));
        audit.ci = Some(ci(facts, runs, &links));
    }
    audit
}

fn plan(facts: &Facts<'_>) -> Plan {
    let mut plan = Plan {
        jobs_from: facts.jobs.from,
        jobs: facts.jobs.names.clone(),
        changes: facts.changes.len(),
        is_cut: facts.is_cut,
        is_shallow: facts.is_shallow,
        ..Plan::default()
    };
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for change in facts.changes {
        plan.everything += usize::from(!change.reasons.is_empty());
        plan.job_runs += change.selected.len() + change.skipped.len();
        plan.skipped += change.skipped.len();
        for code in crate::order::set(change.reasons.iter().map(String::as_str)) {
            *reasons.entry(code).or_default() += 1;
        }
        plan.list.push(ChangeRow {
            commit: change.commit.clone(),
            number: change.number,
            at: change.at.to_string(),
            author: change.author.word(),
            reasons: change.reasons.clone(),
            selected: change.selected.clone(),
            skipped: change.skipped.clone(),
            policy: change.policy.as_ref().map(|judged| judged.outcome),
        });
    }
    let reasons = reasons.into_iter().map(|(code, changes)| Reason {
        code: code.to_owned(),
        changes,
    });
    plan.reasons = reasons.collect();
    crate::order::sort_by(&mut plan.reasons, |a, b| {
        b.changes.cmp(&a.changes).then_with(|| a.code.cmp(&b.code))
    });
    plan
}

fn authors(changes: &[Change]) -> Authors {
    let count = |author| changes.iter().filter(|one| one.author == author).count();
    Authors {
        human: count(Author::Human),
        bot: count(Author::Bot),
        agent: count(Author::Agent),
    }
}

fn policy(changes: &[Change]) -> Policy {
    let mut policy = Policy::default();
    for change in changes {
        let Some(judged) = &change.policy else {
            continue;
        };
        policy.judged += 1;
        match judged.outcome {
            "blocked" => policy.blocked += 1,
            "review" => policy.review += 1,
            "warned" => policy.warned += 1,
            _ => {}
        }
        if matches!(judged.outcome, "blocked" | "review")
            && let Some((entry, place)) = judged.breaches.first()
        {
            policy.list.push(Stopped {
                commit: change.commit.clone(),
                number: change.number,
                outcome: judged.outcome,
                entry: entry.clone(),
                place: place.clone(),
            });
        }
    }
    policy
}

fn delivery(facts: &Facts<'_>) -> Delivery {
    let figures = SHOWN.iter().filter_map(|(id, name, _)| {
        let (unit, found) = measured(&facts.delivery.metrics, id)?;
        Some(Figure {
            id,
            name,
            unit,
            value: found.value.map(rounded),
            interval: found
                .interval
                .map(|(low, high)| (rounded(low), rounded(high))),
            n: found.n,
        })
    });
    Delivery {
        from: facts.delivery.from,
        figures: figures.collect(),
        releases: facts.delivery.releases,
    }
}

/// Says how long a run took that people had an answer from.
fn length(run: &Run) -> Option<f64> {
    let answers = |conclusion: &str| ANSWERS.contains(&conclusion);
    let from = run.started_at.unwrap_or(run.created_at);
    let is_one = is_waited_for(run) && run.conclusion.as_deref().is_some_and(answers);
    is_one.then(|| seconds(from, run.updated_at).max(0.0))
}

fn took(values: Vec<f64>) -> Took {
    let n = values.len();
    let median = estimate(values.clone(), 0.5, 1).map(|found| rounded(found.value));
    let p95 = estimate(values, 0.95, LEAST);
    Took {
        n,
        median,
        p95: p95.map(|found| rounded(found.value)),
        interval: p95
            .and_then(|found| found.interval)
            .map(|(low, high)| (rounded(low), rounded(high))),
    }
}

/// Says what the indicator of CI's length stands on; its 95th percentile is the one that it says.
fn of_commits(finding: Option<&Finding>) -> Took {
    let Some(finding) = finding else {
        return Took::default();
    };
    let counted = finding.pieces.iter().filter(|piece| piece.reason.is_none());
    let values = counted.filter_map(|piece| piece.took_ms).map(|ms| {
        let ms = usize::try_from(ms).unwrap_or_default();
        float(ms) / 1000.0
    });
    took(values.collect())
}

fn ci(facts: &Facts<'_>, runs: &Runs, links: &Links<'_>) -> Ci {
    let mut workflows: BTreeMap<&str, (Vec<f64>, usize)> = BTreeMap::new();
    for run in &runs.list {
        if let Some(length) = length(run) {
            let (lengths, failed) = workflows.entry(workflow(run)).or_default();
            lengths.push(length);
            *failed += usize::from(is_red(run.conclusion.as_deref()));
        }
    }
    let rows = workflows
        .into_iter()
        .map(|(name, (lengths, failed))| WorkflowRow {
            name: name.to_owned(),
            took: took(lengths),
            failed,
        });
    let mut workflows: Vec<WorkflowRow> = rows.collect();
    let longest = |row: &WorkflowRow| row.took.p95.or(row.took.median).unwrap_or_default();
    crate::order::sort_by(&mut workflows, |a, b| {
        longest(b)
            .total_cmp(&longest(a))
            .then_with(|| a.name.cmp(&b.name))
    });
    let (merged_red, merged) = merged_red(facts, runs, links);
    Ci {
        runs: runs.list.len(),
        total: runs.total.max(runs.list.len() as u64),
        commits: of_commits(facts.delivery.ci.as_ref()),
        workflows,
        merged_red,
        merged,
    }
}

/// Counts merged pull requests whose last run of some workflow on the merged head had failed, and those whose runs are known.
fn merged_red(facts: &Facts<'_>, runs: &Runs, links: &Links<'_>) -> (usize, usize) {
    let pulls = runs.pulls.iter();
    let heads = crate::order::set(pulls.map(|pull| pull.head_sha.as_str()));
    // By change and workflow, whether the newest run failed; runs come newest first.
    let mut last: BTreeMap<(usize, u64), bool> = BTreeMap::new();
    for run in &runs.list {
        let is_of_head = heads.contains(run.head_sha.as_str());
        let is_of_pull = run.event == "pull_request" || run.event == "pull_request_target";
        if let (true, true, Some(place)) = (is_of_head, is_of_pull, links.of(run)) {
            // What ended after the merge is no reason not to merge.
            let merged_at = facts.changes[place].at;
            if run.updated_at <= merged_at {
                let is_bad = is_red(run.conclusion.as_deref());
                last.entry((place, run.workflow_id)).or_insert(is_bad);
            }
        }
    }
    let mut changes: BTreeMap<usize, bool> = BTreeMap::new();
    for ((place, _), is_bad) in last {
        *changes.entry(place).or_default() |= is_bad;
    }
    let red = changes.values().filter(|is_bad| **is_bad).count();
    (red, changes.len())
}
