//! An audit in words and figures, for people: the same parts for the terminal, Markdown and the page.

use super::document::{Audit, Took};
use super::sample::Total;
use super::savings::Escape;
use crate::change::base::short;
use crate::delivery::calendar::day;
use crate::delivery::quantiles::float;
use crate::report::pack::{Figure, Section, Tone};
use crate::report::words::{Measured as Unit, Words, shown, times};

/// Makes every part.
pub(crate) fn all(audit: &Audit) -> Vec<Section> {
    vec![
        plan(audit),
        reruns(audit),
        ci(audit),
        delivery(audit),
        policy(audit),
        next(audit),
    ]
}

/// Says what was looked at.
pub(crate) fn scope(audit: &Audit) -> String {
    let day = |text: &str| {
        text.parse()
            .map_or_else(|_| text.to_owned(), |at| day(at).to_string())
    };
    let mut words = format!(
        "{} to {}: {}",
        day(&audit.since),
        day(&audit.until),
        times(audit.plan.changes, "change")
    );
    if let Some(ci) = &audit.ci {
        words.push_str(&format!(" and {}", times(ci.runs, "workflow run")));
    }
    words.push_str(". Nothing was written.");
    words
}

fn figure(
    name: &str,
    unit: Unit,
    value: Option<f64>,
    text: Option<String>,
    remark: String,
) -> Figure {
    let unknown = || "unknown".to_owned();
    let own = value.map(|value| shown(value, unit));
    Figure {
        name: name.to_owned(),
        unit,
        value,
        shown: text.or(own).unwrap_or_else(unknown),
        n: None,
        interval: None,
        before: None,
        remark,
        why: None,
        tone: Tone::Plain,
    }
}

/// Says a part of a whole, as `63 of 126 (50 %)`.
fn share(name: &str, part: usize, of: usize, remark: String) -> Figure {
    if of == 0 {
        return figure(name, Unit::Share, None, None, remark);
    }
    let value = float(part) / float(of);
    let text = format!("{part} of {of} ({})", shown(value, Unit::Share));
    figure(name, Unit::Share, Some(value), Some(text), remark)
}

fn minutes(name: &str, total: &Total, remark: String) -> Figure {
    Figure {
        interval: total.interval,
        ..figure(name, Unit::Minutes, Some(total.value), None, remark)
    }
}

const RUNS: &str = "it takes GitHub's runs";

fn ordinal(number: usize) -> String {
    let ending = match (number % 10, number % 100) {
        (1, 11) | (2, 12) | (3, 13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// Says which runs' jobs were looked at: `jobs of 200 of 512 runs, every 2nd–3rd`.
fn sampled(total: &Total, every: Option<(usize, usize)>) -> String {
    if total.looked_at == total.of {
        return format!("jobs of all {}", times(total.of, "run"));
    }
    let mut words = format!("estimate: jobs of {} of {} runs", total.looked_at, total.of);
    if let Some((least, most)) = every {
        words.push_str(&format!(", every {}", ordinal(least)));
        if most > least {
            words.push_str(&format!("\u{2013}{}", ordinal(most)));
        }
    }
    words
}

fn plan(audit: &Audit) -> Section {
    let plan = &audit.plan;
    let jobs_from = match plan.jobs_from {
        "configuration" => "the jobs of the configuration",
        "init" => "the jobs that `maestro init` would write",
        _ => "a job for each ecosystem",
    };
    let everything = match plan.changes {
        0 => String::new(),
        changes => format!(" Everything runs for {} of {changes}.", plan.everything),
    };
    let words = Words::plain(format!(
        "Each change against the commit before it, by {jobs_from}: "
    ));
    let words = words
        .quote(plan.jobs.join(", "))
        .say(format!(".{everything}"));
    let mut section = Section::new("plan", "What plans would have skipped", words);
    section.figures.push(share(
        "Job runs that plans would have skipped",
        plan.skipped,
        plan.job_runs,
        times(plan.changes, "change"),
    ));
    match &audit.minutes {
        Some(found) => {
            let named = shown(found.by_name, Unit::Share);
            let sample = sampled(&found.spent, found.every);
            section.figures.push(minutes(
                "Minutes of runners that plans would have skipped",
                &found.skipped,
                format!("{sample}; {named} by name, the rest by the share of skipped jobs"),
            ));
            let of = found.spent.of;
            section.figures.push(minutes(
                "Minutes of runners in all",
                &found.spent,
                format!("{} of {of} runs are of a planned change", found.linked),
            ));
        }
        None => section.figures.push(figure(
            "Minutes of runners that plans would have skipped",
            Unit::Minutes,
            None,
            None,
            RUNS.to_owned(),
        )),
    }
    section.figures.push(escapes(audit));
    let row = |reason: &super::document::Reason| {
        vec![
            Words::plain(&*reason.code),
            Words::plain(reason.changes.to_string()),
        ]
    };
    let rows = plan.reasons.iter().map(row).collect();
    section.table("Why everything ran", &["Reason", "#Changes"], rows);
    if let Some(found) = &audit.escapes {
        let columns = ["Change", "Workflow", "Job", "Passed later"];
        let rows = |list: &[Escape]| list.iter().map(escape).collect();
        section.table(
            "Failures that plans would have missed",
            &columns,
            rows(&found.list),
        );
        section.table(
            "Failures of which nobody can tell, as no job of the configuration is called so",
            &columns,
            rows(&found.unknown),
        );
    }
    section.commands = vec![
        "maestro plan replay".to_owned(),
        "maestro init --dry-run".to_owned(),
    ];
    section
}

fn escape(one: &Escape) -> Vec<Words> {
    let later = if one.passed_later {
        "yes, on the same commit"
    } else {
        "no"
    };
    vec![
        change(&one.commit, one.number),
        Words::foreign(&one.workflow),
        Words::link(&one.job, &one.url),
        Words::plain(later),
    ]
}

fn change(commit: &str, number: Option<u64>) -> Words {
    let number = number.map_or_else(String::new, |number| format!(" (#{number})"));
    Words::plain(format!("{}{number}", short(commit)))
}

fn escapes(audit: &Audit) -> Figure {
    let name = "Failures that plans would have missed";
    let Some(found) = &audit.escapes else {
        return figure(name, Unit::Count, None, None, RUNS.to_owned());
    };
    let more = match found.unknown.len() {
        0 => String::new(),
        many => format!(
            "; {} of jobs that no name matches: nobody can tell",
            times(many, "failure")
        ),
    };
    match found.known {
        Some(known) => {
            let later = found.list.iter().filter(|one| one.passed_later).count();
            let text = match later {
                0 => known.to_string(),
                later => format!("{known}, {later} of them flaky"),
            };
            let remark = format!(
                "of {} that plans would have skipped{more}",
                times(found.looked_at, "job run")
            );
            figure(name, Unit::Count, Some(float(known)), Some(text), remark)
        }
        None => {
            let why = format!("no workflow job is called as a planned one{more}");
            figure(name, Unit::Count, None, None, why)
        }
    }
}

fn reruns(audit: &Audit) -> Section {
    let Some(found) = &audit.reruns else {
        let mut section = Section::new(
            "reruns",
            "Failed, then passed on the same commit",
            Words::plain("Not known: it takes GitHub's runs."),
        );
        section.is_unknown = true;
        section.figures.push(figure(
            "Runs that failed and passed on the same commit",
            Unit::Share,
            None,
            None,
            RUNS.to_owned(),
        ));
        return section;
    };
    let words = format!(
        "{} tried again, {} of them passed; earlier attempts of {} were looked at. {} failed where a later run on the same commit passed.",
        times(found.tried_again, "run"),
        found.passed,
        found.looked_at,
        times(found.started_anew, "run")
    );
    let mut section = Section::new(
        "reruns",
        "Failed, then passed on the same commit",
        Words::plain(words),
    );
    section.figures.push(share(
        "Runs that failed and passed on the same commit",
        found.all(),
        found.runs,
        "of pushes, pull requests and merge queues".to_owned(),
    ));
    section.figures.push(figure(
        "Minutes from the failure to the pass",
        Unit::Minutes,
        Some(found.minutes),
        None,
        found.median_minutes.map_or_else(String::new, |median| {
            format!("median {}", shown(median, Unit::Minutes))
        }),
    ));
    let row = |row: &super::reruns::Workflow| {
        vec![
            Words::foreign(&row.name),
            Words::plain(row.runs.to_string()),
            Words::plain(row.passed_on_same_commit.to_string()),
            Words::plain(shown(row.minutes, Unit::Minutes)),
        ]
    };
    let rows = found.workflows.iter().map(row).collect();
    section.table(
        "By workflow",
        &["Workflow", "#Runs", "#Passed on the same commit", "#Waited"],
        rows,
    );
    section.commands = vec!["maestro flakes backfill --dry-run".to_owned()];
    section
}

fn length(name: &str, took: &Took, value: Option<f64>, interval: Option<(f64, f64)>) -> Figure {
    let remark = match value {
        None => format!("not enough data: {}", times(took.n, "commit")),
        Some(_) => format!("longest run of each of {}", times(took.n, "commit")),
    };
    Figure {
        interval,
        ..figure(name, Unit::Seconds, value, None, remark)
    }
}

fn ci(audit: &Audit) -> Section {
    const TITLE: &str = "How long CI takes";
    let Some(ci) = &audit.ci else {
        let mut section = Section::new(
            "ci",
            TITLE,
            Words::plain("Not known: it takes GitHub's runs."),
        );
        section.is_unknown = true;
        section.figures.push(figure(
            "CI, 95th percentile",
            Unit::Seconds,
            None,
            None,
            RUNS.to_owned(),
        ));
        return section;
    };
    let mut words = format!("{} that ended", times(ci.runs, "run"));
    if (ci.runs as u64) < ci.total {
        words.push_str(&format!(", the newest of {}", ci.total));
    }
    words.push('.');
    let mut section = Section::new("ci", TITLE, Words::plain(words));
    let took = &ci.commits;
    section
        .figures
        .push(length("CI, 95th percentile", took, took.p95, took.interval));
    section
        .figures
        .push(length("CI, median", took, took.median, None));
    if let Some((median, p95)) = audit.minutes.as_ref().and_then(|found| found.queue) {
        let remark = format!("median {}", shown(median, Unit::Seconds));
        section.figures.push(figure(
            "Wait for a runner, 95th percentile",
            Unit::Seconds,
            Some(p95),
            None,
            remark,
        ));
    }
    let said = |value: Option<f64>| {
        Words::plain(
            value.map_or_else(|| "too few".to_owned(), |value| shown(value, Unit::Seconds)),
        )
    };
    let row = |row: &super::document::WorkflowRow| {
        vec![
            Words::foreign(&row.name),
            Words::plain(row.took.n.to_string()),
            said(row.took.median),
            said(row.took.p95),
            Words::plain(row.failed.to_string()),
        ]
    };
    let rows = ci.workflows.iter().map(row).collect();
    section.table(
        "By workflow",
        &[
            "Workflow",
            "#Runs",
            "#Median",
            "#95th percentile",
            "#Failed",
        ],
        rows,
    );
    section.commands = vec!["maestro dora kpi".to_owned()];
    section
}

fn delivery(audit: &Audit) -> Section {
    let from = match audit.delivery.from {
        "github" => {
            "Out of GitHub and git. A change's clock begins when its pull request was opened; `maestro dora` asks for first commits too."
        }
        _ => {
            "Out of git alone: releases and tags stand for deployments, merges and squashed commits for pull requests."
        }
    };
    let mut section = Section::new("delivery", "How changes are delivered", Words::plain(from));
    for metric in &audit.delivery.figures {
        let mut one = figure(metric.name, metric.unit, metric.value, None, String::new());
        let mut name = metric.name.to_owned();
        if let Some(first) = name.get(..1).map(str::to_uppercase) {
            name.replace_range(..1, &first);
        }
        one.name = name;
        one.interval = metric.interval;
        one.n = Some(metric.n);
        if metric.value.is_none() {
            "not enough data".clone_into(&mut one.shown);
        }
        section.figures.push(one);
    }
    section.commands = audit
        .delivery
        .figures
        .iter()
        .map(|metric| format!("maestro dora explain {}", metric.id))
        .collect();
    section
}

fn policy(audit: &Audit) -> Section {
    let (policy, authors) = (&audit.policy, audit.authors);
    let words = "Changes that were merged, judged by the built-in policy as it stands. Forks and approvals are not known, and count as none.";
    let mut section = Section::new("policy", "Policy and agents", Words::plain(words));
    section.figures.push(share(
        "Changes that the built-in policy would have blocked",
        policy.blocked,
        policy.judged,
        format!(
            "{} for a person to approve, {} warned of",
            policy.review, policy.warned
        ),
    ));
    let all = authors.human + authors.bot + authors.agent;
    section.figures.push(share(
        "Changes of coding agents",
        authors.agent,
        all,
        format!("{} of bots; by accounts and trailers", authors.bot),
    ));
    let row = |one: &super::document::Stopped| {
        vec![
            change(&one.commit, one.number),
            Words::plain(one.outcome),
            Words::plain(&*one.entry),
            Words::foreign(&one.place),
        ]
    };
    let rows = policy.list.iter().map(row).collect();
    section.table("Stopped", &["Change", "Outcome", "Entry", "Place"], rows);
    section.commands = vec!["maestro check-policy --dry-run".to_owned()];
    section
}

fn next(audit: &Audit) -> Section {
    let words = "A line for each capability: what was measured, and what to type to see more. Nothing is enforced unless the configuration says so.";
    let mut section = Section::new(
        "next",
        "What each capability would change",
        Words::plain(words),
    );
    let row = |next: &super::document::Next| {
        vec![
            Words::plain(next.capability),
            Words::plain(&*next.words),
            Words::foreign(next.command),
        ]
    };
    let rows = audit.next.iter().map(row).collect();
    section.table(
        "Capabilities",
        &["Capability", "Measured here", "Next"],
        rows,
    );
    section.commands = vec!["maestro audit".to_owned()];
    section
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_stated() {
        let some = Total {
            value: 1.0,
            interval: None,
            looked_at: 200,
            of: 512,
        };
        assert_eq!(
            sampled(&some, Some((2, 3))),
            "estimate: jobs of 200 of 512 runs, every 2nd\u{2013}3rd"
        );
        assert_eq!(
            sampled(&some, Some((4, 4))),
            "estimate: jobs of 200 of 512 runs, every 4th"
        );
        let all = Total {
            looked_at: 512,
            ..some
        };
        assert_eq!(sampled(&all, None), "jobs of all 512 runs");
        assert_eq!(
            [1, 2, 3, 11, 12, 21, 112].map(ordinal),
            ["1st", "2nd", "3rd", "11th", "12th", "21st", "112th"]
        );
    }
}
