//! What failed most: broken tests, and flaky ones by what fails together.

use super::{Part, id, points, tests};
use crate::delivery::quantiles::float;
use crate::report::facts::{Cluster, Facts, Test, Tests};
use crate::report::pack::{Chart, Form, Proposal, Section};
use crate::report::week::Week;
use crate::report::words::{Measured as Unit, Words, times};

const ID: &str = "failures";
const TITLE: &str = "Top failures";

/// A broken test is worth so much more of a look for each run that it failed.
const WEIGHT: f64 = 15.0;

/// What failed together, in a week.
struct Row<'a> {
    first: &'a Test,
    tests: usize,
    failures: usize,
    issue: Option<&'a str>,
}

pub(super) fn part(facts: &Facts) -> Part {
    let tests = match tests(facts) {
        Ok(tests) => tests,
        Err(why) => return Part::unknown(ID, TITLE, why),
    };
    let mut rows = rows(tests, facts.week);
    crate::order::sort_by(&mut rows, |a, b| {
        b.failures
            .cmp(&a.failures)
            .then_with(|| a.first.name.cmp(&b.first.name))
    });
    let runs = tests.runs_of(facts.week).count();
    let outages = tests
        .runs_of(facts.week)
        .filter(|(_, run)| run.is_outage)
        .count();
    let failures: usize = rows.iter().map(|row| row.failures).sum();
    let mut words = format!(
        "{} in {} of tests",
        times(failures, "failure"),
        times(runs, "run")
    );
    words.push_str(&match outages {
        0 => ".".to_owned(),
        1 => "; one run was an outage, and its failures are no evidence.".to_owned(),
        more => format!("; {more} runs were outages, and their failures are no evidence."),
    });
    let mut section = Section::new(ID, TITLE, Words::plain(words));
    let cells = rows.iter().map(|row| {
        let mut name = Words::foreign(&row.first.name);
        if row.tests > 1 {
            name = name.say(format!(" and {} with it", times(row.tests - 1, "test")));
        }
        vec![
            name,
            Words::plain(row.first.verdict),
            Words::plain(row.failures.to_string()),
            Words::plain(row.first.cause.unwrap_or("not known")),
            owner(row.first),
            issue(row.issue),
        ]
    });
    section.table(
        "What failed most",
        &[
            "What fails together",
            "Verdict",
            "#Failures",
            "Cause",
            "Owner",
            "Issue",
        ],
        cells.collect(),
    );
    section.charts.extend(chart(facts, tests));
    section.commands = vec![
        "maestro flakes report".into(),
        "maestro flakes escalate --dry-run".into(),
    ];
    let mut part = Part::new(section);
    part.proposals = rows.iter().filter_map(proposal).collect();
    part
}

pub(super) fn owner(test: &Test) -> Words {
    match &test.owner {
        Some(owner) => Words::foreign(owner),
        None => Words::plain("nobody named"),
    }
}

pub(super) fn issue(issue: Option<&str>) -> Words {
    match issue {
        Some(url) if url.starts_with("https://") || url.starts_with("http://") => {
            let number = url.rsplit('/').next().unwrap_or_default();
            Words::link(format!("#{number}"), url)
        }
        Some(text) if !text.is_empty() => Words::foreign(text),
        _ => Words::plain("none"),
    }
}

fn failures_of(test: &Test, tests: &Tests, week: Week) -> usize {
    let failed = test.failed_in.iter().filter(|run| {
        let run = tests.runs.get(**run);
        run.is_some_and(|run| week.holds(run.at) && !run.is_outage)
    });
    failed.count()
}

fn rows(tests: &Tests, week: Week) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    let mut is_shown = vec![false; tests.tests.len()];
    for Cluster {
        tests: members,
        issue,
    } in &tests.clusters
    {
        let mut of: Vec<(&Test, usize)> = Vec::new();
        for member in members {
            if let Some(test) = tests.tests.get(*member) {
                is_shown[*member] = true;
                of.push((test, failures_of(test, tests, week)));
            }
        }
        crate::order::sort_by(&mut of, |a, b| {
            b.1.cmp(&a.1).then_with(|| a.0.name.cmp(&b.0.name))
        });
        let failures = of.iter().map(|(_, failures)| failures).sum();
        if let (Some((first, _)), 1..) = (of.first(), failures) {
            rows.push(Row {
                first,
                tests: of.len(),
                failures,
                issue: issue.as_deref(),
            });
        }
    }
    for (test, is_shown) in tests.tests.iter().zip(is_shown) {
        let failures = failures_of(test, tests, week);
        if !is_shown && failures > 0 {
            let issue = test
                .quarantine
                .as_ref()
                .and_then(|entry| entry.issue.as_deref());
            rows.push(Row {
                first: test,
                tests: 1,
                failures,
                issue,
            });
        }
    }
    rows
}

fn chart(facts: &Facts, tests: &Tests) -> Option<Chart> {
    let points = points(facts, &|week| {
        let runs = tests.runs_of(week).filter(|(_, run)| !run.is_outage);
        let (all, failed) = runs.fold((0, 0), |(all, failed), (_, run)| {
            (all + 1, failed + usize::from(run.failed > 0))
        });
        (all > 0).then(|| float(failed) / float(all))
    });
    let is_known = points.iter().any(|point| point.value.is_some());
    is_known.then(|| Chart {
        title: "Runs of tests that failed, of each week".to_owned(),
        unit: Unit::Share,
        form: Form::Line,
        points,
    })
}

fn proposal(row: &Row<'_>) -> Option<Proposal> {
    let test = row.first;
    (test.verdict == "broken").then(|| Proposal {
        id: id("broken", &test.name),
        kind: "broken",
        what: Words::plain("Mend ").quote(&test.name),
        cause: Words::plain(match test.cause {
            Some(cause) => format!("broken; probably {cause}"),
            None => "broken, and its messages do not say why".to_owned(),
        }),
        owner: test.owner.clone(),
        cost: Words::plain(format!("{} in the week", times(row.failures, "failure"))),
        gain: Words::plain(format!("{} less a week", times(row.failures, "failed run"))),
        measure: "failures".into(),
        unit: Unit::Count,
        value: float(row.failures),
        weight: WEIGHT * float(row.failures),
        section: ID,
        command: "maestro flakes report".into(),
    })
}
