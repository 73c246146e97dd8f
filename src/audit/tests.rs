//! Runs, jobs and changes as they come, and what an audit makes of them.

use serde_json::{Value, json};

use super::audit;
use super::document::Audit;
use super::facts::{Change, Delivery, Facts, Jobs, Judged, PullHead, Runs};
use super::links::Links;
use super::sample::even;
use super::sections::all;
use crate::forge::api::runs::{Job, Run};

const DAY: &str = "2026-01-05T";

fn at(time: &str) -> String {
    format!("{DAY}{time}Z")
}

/// A run of ten minutes, of the workflow `CI`; fields go over it.
fn run(id: u64, sha: &str, fields: &Value) -> Run {
    let mut run = json!({
        "id": id, "name": "CI", "workflow_id": 1, "path": ".github/workflows/ci.yml", "event": "push", "status": "completed",
        "conclusion": "success", "run_attempt": 1, "head_branch": "main", "head_sha": sha, "created_at": at("10:00:00"),
        "run_started_at": at("10:00:00"), "updated_at": at("10:10:00"), "actor": null, "repository": {"id": 1, "full_name": "o/n"},
        "head_repository": {"id": 1, "full_name": "o/n"}, "html_url": format!("https://github.com/o/n/actions/runs/{id}"),
    });
    for (name, value) in fields.as_object().unwrap() {
        run[name] = value.clone();
    }
    serde_json::from_value(run).unwrap()
}

/// A job that had a runner for so many minutes.
fn job(name: &str, attempt: u32, conclusion: &str, minutes: u32) -> Job {
    let job = json!({
        "id": 1, "run_id": 1, "run_attempt": attempt, "name": name, "status": "completed", "conclusion": conclusion,
        "created_at": at("10:00:00"), "started_at": at("10:00:30"), "completed_at": at(&format!("10:{minutes:02}:30")),
    });
    serde_json::from_value(job).unwrap()
}

fn change(commit: &str, number: u64, skipped: &[&str]) -> Change {
    let jobs = ["api", "web"];
    let is_skipped = |job: &&str| skipped.contains(job);
    let (skips, selects): (Vec<&str>, Vec<&str>) = jobs.iter().partition(|job| is_skipped(job));
    let owned = |jobs: Vec<&str>| jobs.into_iter().map(str::to_owned).collect();
    Change {
        commit: commit.to_owned(),
        number: Some(number),
        at: at("12:00:00").parse().unwrap(),
        selected: owned(selects),
        skipped: owned(skips),
        ..Change::default()
    }
}

fn known(runs: Vec<(Run, Vec<Job>)>) -> Runs {
    let sample = (0..runs.len()).collect();
    let total = runs.len() as u64;
    let jobs = runs.iter().map(|(run, jobs)| (run.id, jobs.clone()));
    Runs {
        jobs: jobs.collect(),
        list: runs.into_iter().map(|(run, _)| run).collect(),
        total,
        sample,
        ..Runs::default()
    }
}

fn looked(changes: &[Change], runs: Option<&Runs>) -> Audit {
    let facts = Facts {
        repository: "o/n".to_owned(),
        now: at("20:00:00").parse().unwrap(),
        since: "2025-12-06T20:00:00Z".parse().unwrap(),
        days: 30,
        head: "c1".to_owned(),
        jobs: Jobs {
            from: "configuration",
            names: vec!["api".to_owned(), "web".to_owned()],
        },
        changes,
        is_cut: false,
        is_shallow: false,
        newest: changes.first().map(|one| one.at),
        runs,
        delivery: &Delivery::default(),
        calls: (0, 300),
        missing: Vec::new(),
    };
    audit(&facts, &|_| None)
}

#[test]
fn a_job_of_the_same_name_is_skipped_whole_and_another_test_by_the_share_of_jobs() {
    let changes = [change("c1", 1, &["web"])];
    let jobs = vec![
        job("web (ubuntu)", 1, "success", 10),
        job("api", 1, "success", 10),
        job("integration tests", 1, "success", 8),
        job("lint", 1, "success", 5),
        job("web", 1, "skipped", 9),
    ];
    let audit = looked(
        &changes,
        Some(&known(vec![(run(1, "c1", &json!({})), jobs)])),
    );
    let minutes = audit.minutes.unwrap();
    assert_eq!((minutes.spent.value, minutes.spent.interval), (33.0, None));
    // All of `web`, none of `api`, half of the other tests, nothing of what is no test.
    assert_eq!(Some(minutes.skipped.value), Some(14.0));
    assert_eq!((minutes.by_name, minutes.linked), (0.7143, 1));
}

#[test]
fn of_a_sample_the_total_is_an_estimate_with_an_interval() {
    let changes = [change("c1", 1, &["web"])];
    let web = |minutes| vec![job("web", 1, "success", minutes)];
    let runs = (0..40).map(|id| {
        (
            run(id, "c1", &json!({})),
            web(10 + u32::try_from(id % 4).unwrap()),
        )
    });
    let mut runs = known(runs.collect());
    runs.sample = even(40, 10);
    let audit = looked(&changes, Some(&runs));
    let minutes = audit.minutes.as_ref().unwrap();
    let (low, high) = minutes.skipped.interval.unwrap();
    assert_eq!((minutes.skipped.looked_at, minutes.skipped.of), (10, 40));
    assert_eq!(minutes.every, Some((4, 4)));
    assert!(low <= minutes.skipped.value && minutes.skipped.value <= high);
    let remark = &all(&audit)[0].figures[1].remark;
    assert!(
        remark.starts_with("estimate: jobs of 10 of 40 runs, every 4th; 100 % by name"),
        "{remark}"
    );
}

#[test]
fn a_failure_of_a_skipped_job_is_an_escape_and_one_that_passed_later_is_told_apart() {
    let changes = [change("c1", 7, &["web"])];
    let runs = known(vec![
        (
            run(1, "c1", &json!({"conclusion": "failure"})),
            vec![job("web", 1, "failure", 3), job("api", 1, "failure", 3)],
        ),
        (
            run(2, "c1", &json!({"run_attempt": 2})),
            vec![job("web", 1, "failure", 3), job("web", 2, "success", 3)],
        ),
    ]);
    let escapes = looked(&changes, Some(&runs)).escapes.unwrap();
    assert_eq!((escapes.known, escapes.looked_at), (Some(2), 3));
    let later: Vec<bool> = escapes.list.iter().map(|one| one.passed_later).collect();
    assert_eq!(later, [false, true]);
    assert!(escapes.unknown.is_empty());
}

#[test]
fn where_no_job_has_the_name_nobody_knows_and_none_is_not_said() {
    let changes = [change("c1", 7, &["web", "api"])];
    let runs = known(vec![(
        run(1, "c1", &json!({"conclusion": "failure"})),
        vec![job("unit tests", 1, "failure", 3)],
    )]);
    let audit = looked(&changes, Some(&runs));
    let escapes = audit.escapes.as_ref().unwrap();
    assert_eq!(escapes.known, None);
    assert!(escapes.unknown[0].all_skipped);
    let figure = all(&audit)[0]
        .figures
        .iter()
        .find(|one| one.name.starts_with("Failures"))
        .cloned()
        .unwrap();
    assert_eq!((figure.shown.as_str(), figure.value), ("unknown", None));
    assert!(
        figure
            .remark
            .contains("1 failure of jobs that no name matches"),
        "{}",
        figure.remark
    );
}

#[test]
fn a_run_is_about_the_change_that_its_commit_or_its_branch_became() {
    let mut merged = change("c2", 8, &[]);
    merged.tip = Some("t2".to_owned());
    let changes = [merged, change("c1", 7, &[])];
    let pull = |number, repository: &str, sha: &str| PullHead {
        number,
        head_sha: sha.to_owned(),
        repository: repository.to_owned(),
        branch: "topic".to_owned(),
        merge_sha: String::new(),
        created: at("09:00:00").parse().unwrap(),
        merged: at("11:00:00").parse().unwrap(),
    };
    let runs = Runs {
        pulls: vec![pull(7, "fork/n", "h7")],
        ..Runs::default()
    };
    let links = Links::new(&changes, &runs);
    let of = |sha: &str, fields: Value| links.of(&run(1, sha, &fields));
    assert_eq!(of("c1", json!({})), Some(1));
    assert_eq!(of("t2", json!({"event": "pull_request"})), Some(0));
    assert_eq!(of("h7", json!({"event": "pull_request"})), Some(1));
    let topic = json!({"event": "pull_request", "head_branch": "topic", "head_repository": {"id": 2, "full_name": "fork/n"}});
    assert_eq!(of("earlier", topic.clone()), Some(1));
    let mut late = topic;
    late["created_at"] = at("11:30:00").into();
    assert_eq!(of("later", late), None);
    assert_eq!(
        of(
            "x",
            json!({"event": "pull_request", "head_branch": "topic"})
        ),
        None
    );
    assert_eq!(
        of(
            "x",
            json!({"event": "merge_group", "head_branch": "gh-readonly-queue/main/pr-8-0123"})
        ),
        Some(0)
    );
    // The same commit once more, and nobody asked for it by a change.
    assert_eq!(of("c1", json!({"event": "schedule"})), None);
}

#[test]
fn runs_that_passed_when_tried_again_or_started_anew_are_counted_with_the_wait() {
    let twin = |id, sha: &str, conclusion: &str, from: &str, to: &str| {
        let fields = json!({"conclusion": conclusion, "created_at": at(from), "run_started_at": at(from), "updated_at": at(to)});
        (run(id, sha, &fields), Vec::new())
    };
    let again = json!({"run_attempt": 2, "updated_at": at("10:30:30")});
    let mut runs = known(vec![
        (
            run(1, "c1", &again),
            vec![job("web", 1, "failure", 10), job("web", 2, "success", 5)],
        ),
        // Tried again, but nothing had failed.
        (
            run(2, "c2", &again),
            vec![job("web", 1, "success", 10), job("web", 2, "success", 5)],
        ),
        (run(3, "c3", &again), Vec::new()),
        twin(4, "c4", "failure", "10:00:00", "10:10:00"),
        twin(5, "c4", "success", "10:20:00", "10:40:00"),
        // The other way round is no pass.
        twin(6, "c5", "success", "10:00:00", "10:10:00"),
        twin(7, "c5", "failure", "10:20:00", "10:40:00"),
    ]);
    runs.jobs.remove(&3);
    let found = looked(&[], Some(&runs)).reruns.unwrap();
    assert_eq!((found.runs, found.tried_again, found.passed), (7, 3, 3));
    assert_eq!(
        (found.looked_at, found.failed_before, found.started_anew),
        (2, 1, 1)
    );
    assert_eq!((found.minutes, found.median_minutes), (50.0, Some(25.0)));
    assert_eq!(found.workflows[0].passed_on_same_commit, 2);
}

#[test]
fn what_was_merged_red_is_told_by_the_last_run_before_the_merge() {
    let changes = [
        change("c1", 1, &[]),
        change("c2", 2, &[]),
        change("c3", 3, &[]),
    ];
    let pull = |number: u64| PullHead {
        number,
        head_sha: format!("h{number}"),
        merge_sha: format!("c{number}"),
        ..PullHead::default()
    };
    let of = |id: u64, number: u64, conclusion: &str, ended: &str| {
        let fields =
            json!({"event": "pull_request", "conclusion": conclusion, "updated_at": at(ended)});
        (run(id, &format!("h{number}"), &fields), Vec::new())
    };
    let mut runs = known(vec![
        of(9, 1, "failure", "13:00:00"),
        of(8, 1, "success", "11:00:00"),
        of(7, 1, "failure", "10:30:00"),
        of(6, 2, "failure", "11:00:00"),
    ]);
    runs.pulls = (1..=3).map(pull).collect();
    let ci = looked(&changes, Some(&runs)).ci.unwrap();
    assert_eq!((ci.merged_red, ci.merged), (1, 2));
}

#[test]
fn without_runs_shares_remain_and_nothing_else_is_claimed() {
    let mut stopped = change("c1", 1, &["web"]);
    stopped.policy = Some(Judged {
        outcome: "blocked",
        breaches: vec![("no-secrets".to_owned(), "a.env:3".to_owned())],
    });
    let mut wide = change("c2", 2, &[]);
    wide.reasons = vec!["ci-config".to_owned(), "ci-config".to_owned()];
    let audit = looked(&[stopped, wide], None);
    assert_eq!(
        (
            audit.plan.skipped,
            audit.plan.job_runs,
            audit.plan.everything
        ),
        (1, 4, 1)
    );
    assert_eq!(audit.plan.reasons[0].changes, 1);
    assert!(
        audit.minutes.is_none()
            && audit.escapes.is_none()
            && audit.reruns.is_none()
            && audit.ci.is_none()
    );
    assert_eq!((audit.policy.blocked, audit.policy.judged), (1, 1));
    let line = |capability: &str| {
        let mut next = audit.next.iter();
        next.find(|one| one.capability == capability)
            .unwrap()
            .words
            .clone()
    };
    assert_eq!(line("plan"), "skips 1 of 4 job runs");
    assert!(line("flakes").starts_with("not measured"));
    assert!(line("gate").starts_with("not measured"));
    assert_eq!(
        audit.missing[0].what,
        "what the policy says of some changes"
    );
}

#[test]
fn nothing_at_all_is_said_to_be_nothing() {
    let audit = looked(&[], None);
    assert_eq!(audit.missing[0].why, "nothing is committed yet");
    let none = looked(&[], Some(&Runs::default()));
    assert_eq!(none.minutes.map(|none| none.spent.value), Some(0.0));
    assert!(
        all(&audit)
            .iter()
            .flat_map(|section| &section.figures)
            .all(|figure| !figure.shown.contains("NaN"))
    );
}

#[test]
fn secrets_are_taken_out_of_what_others_wrote() {
    let changes = [change("c1", 1, &["web"])];
    let fields = json!({"name": "s3cret", "conclusion": "failure"});
    let runs = known(vec![(
        run(1, "c1", &fields),
        vec![job("web", 1, "failure", 3)],
    )]);
    let facts = looked(&changes, Some(&runs));
    assert!(serde_json::to_string(&facts).unwrap().contains("s3cret"));
    let mut audit = facts;
    audit.each_foreign(&mut |text| *text = text.replace("s3cret", "***"));
    assert!(!serde_json::to_string(&audit).unwrap().contains("s3cret"));
}
