//! What each capability would change, in a line: what was measured, and the command to type next. What was not measured is said to be so.

use super::document::{Audit, Next};
use crate::report::words::{Measured as Unit, shown, times};

pub(crate) fn of(audit: &Audit) -> Vec<Next> {
    let line = |capability, words, command| Next {
        capability,
        words,
        command,
    };
    vec![
        line("plan", plan(audit), "maestro plan replay --last 200"),
        line("flakes", flakes(audit), "maestro flakes backfill --dry-run"),
        line("gate", gate(audit), "maestro doctor --ci"),
        line("policy", policy(audit), "maestro check-policy --dry-run"),
        line(
            "budget",
            budget(audit),
            "maestro budget set --per-pr 10 --dry-run",
        ),
        line(
            "provenance",
            provenance(audit),
            "maestro provenance generate --dry-run",
        ),
        line("dora", delivery(audit), "maestro dora"),
        line(
            "all, in shadow",
            "blocks and skips nothing until the configuration says so".to_owned(),
            "maestro init --dry-run",
        ),
    ]
}

/// Says a share as `3 of 7`.
fn part(part: usize, of: usize, noun: &str) -> String {
    format!("{part} of {}", times(of, noun))
}

fn plan(audit: &Audit) -> String {
    let plan = &audit.plan;
    if plan.job_runs == 0 {
        return "not measured: no change was planned".to_owned();
    }
    let mut words = format!("skips {}", part(plan.skipped, plan.job_runs, "job run"));
    if let Some(minutes) = audit.minutes.as_ref().filter(|one| one.spent.value > 0.0) {
        words.push_str(&format!(
            ", about {} of runners",
            shown(minutes.skipped.value, Unit::Minutes)
        ));
    }
    if plan.jobs.len() < 2 && plan.skipped == 0 {
        words.push_str("; there is one job, and every change needs it");
    }
    words
}

fn flakes(audit: &Audit) -> String {
    match &audit.reruns {
        None => "not measured: it takes GitHub's runs".to_owned(),
        Some(found) => format!(
            "{} failed, then passed on the same commit; {} went by",
            part(found.all(), found.runs, "run"),
            shown(found.minutes, Unit::Minutes)
        ),
    }
}

fn gate(audit: &Audit) -> String {
    match &audit.ci {
        Some(ci) if ci.merged > 0 => format!(
            "{} had a failed run at the head that was merged",
            part(ci.merged_red, ci.merged, "merged pull request")
        ),
        _ => "not measured: it takes GitHub's pull requests".to_owned(),
    }
}

fn policy(audit: &Audit) -> String {
    let policy = &audit.policy;
    if policy.judged == 0 {
        return "not measured: no change was judged".to_owned();
    }
    format!(
        "blocks {}, asks a person about {}, warns of {}",
        part(policy.blocked, policy.judged, "merged change"),
        policy.review,
        policy.warned
    )
}

fn budget(audit: &Audit) -> String {
    let authors = audit.authors;
    let all = authors.human + authors.bot + authors.agent;
    format!(
        "{} by agents, {} by bots; what they cost is not known",
        part(authors.agent, all, "change"),
        authors.bot
    )
}

fn provenance(audit: &Audit) -> String {
    format!(
        "{} of a release; whether any is signed was not looked at",
        times(audit.delivery.releases, "tag")
    )
}

fn delivery(audit: &Audit) -> String {
    let known = audit.delivery.figures.iter();
    let known = known.filter(|figure| figure.value.is_some()).count();
    let of = audit.delivery.figures.len();
    let from = match audit.delivery.from {
        "github" => "GitHub and git",
        _ => "git alone",
    };
    format!("{known} of {of} figures have enough data, out of {from}")
}
