//! Tests of which jobs follow.

use super::*;
use crate::plan::assess::Reason;
use crate::plan::closure::{Cause, Way};

fn project(id: &str) -> ProjectRef<'_> {
    let (kind, dir) = id.split_once(':').unwrap();
    ProjectRef {
        id,
        kind: Kind::parse(kind).unwrap(),
        dir,
        name: dir,
    }
}

fn job(id: &str, selectors: &[&str]) -> Job {
    let matchers = selectors
        .iter()
        .map(|text| Selector::parse(text).matcher().unwrap());
    Job {
        projects: matchers.collect(),
        ..Job::named(id)
    }
}

fn assessment() -> Assessment {
    let cause = Cause {
        code: "changed-file",
        path: Some("crates/a/x.rs".into()),
        detail: String::new(),
    };
    let affected = [
        ("cargo:crates/a".to_owned(), Way::Cause(cause)),
        (
            "cargo:crates/b".to_owned(),
            Way::Through("cargo:crates/a".into()),
        ),
    ];
    Assessment {
        affected: affected.into(),
        ..Assessment::default()
    }
}

const PROJECTS: &[&str] = &[
    "cargo:crates/a",
    "cargo:crates/b",
    "npm:web",
    "component:docs",
];

#[track_caller]
fn check(
    job: &Job,
    assessment: &Assessment,
    situation: &Situation,
    enforced: bool,
    expected: &str,
) {
    let projects: Vec<_> = PROJECTS.iter().map(|id| project(id)).collect();
    let decision = one(job, &projects, assessment, situation, enforced);
    let word = match (decision.run, decision.selected) {
        (true, true) => "run",
        (true, false) => "run though not selected",
        (false, _) => "skip",
    };
    let shown = format!(
        "{word}: {} [{}] {}",
        decision.code,
        decision.chain.join(" "),
        decision.projects.join(" ")
    );
    assert_eq!(shown.trim_end(), expected);
}

#[test]
fn a_job_runs_for_affected_projects_and_says_how_the_change_gets_there() {
    let none = Situation::default();
    let expected =
        "run: changed-file [crates/a/x.rs cargo:crates/a job:j] cargo:crates/a cargo:crates/b";
    check(&job("j", &["cargo"]), &assessment(), &none, true, expected);
    let expected =
        "run: changed-file [crates/a/x.rs cargo:crates/a cargo:crates/b job:j] cargo:crates/b";
    check(
        &job("j", &["cargo:crates/b"]),
        &assessment(),
        &none,
        true,
        expected,
    );
    check(
        &job("j", &["crates/b"]),
        &assessment(),
        &none,
        true,
        expected,
    );
    check(
        &job("j", &["pnpm"]),
        &assessment(),
        &none,
        true,
        "skip: not-affected [job:j]",
    );
    check(
        &job("j", &["pnpm"]),
        &assessment(),
        &none,
        false,
        "run though not selected: not-affected [job:j] npm:web",
    );
    check(
        &job("j", &[]),
        &assessment(),
        &none,
        true,
        "run: always [job:j]",
    );
}

#[test]
fn everything_runs_for_a_reason() {
    let reason = Reason {
        code: "toolchain",
        path: Some("rust-toolchain".into()),
        detail: String::new(),
    };
    let all = Assessment {
        reasons: vec![reason],
        ..assessment()
    };
    check(
        &job("j", &["npm:web"]),
        &all,
        &Situation::default(),
        true,
        "run: toolchain [rust-toolchain job:j] npm:web",
    );
}

#[test]
fn when_counts_before_everything() {
    let mut slow = job("j", &[]);
    slow.when.events = vec!["schedule".into()];
    let on = |event: &str| Situation {
        event: Some(event.into()),
        ..Situation::default()
    };
    check(
        &slow,
        &assessment(),
        &on("push"),
        false,
        "skip: when [job:j]",
    );
    check(
        &slow,
        &assessment(),
        &on("schedule"),
        true,
        "run: always [job:j]",
    );
    check(
        &slow,
        &assessment(),
        &Situation::default(),
        true,
        "run: always [job:j]",
    );
    let mut labelled = job("j", &[]);
    labelled.when.labels = vec!["full".into()];
    check(
        &labelled,
        &assessment(),
        &Situation {
            labels: Some(Vec::new()),
            ..on("pull_request")
        },
        true,
        "skip: when [job:j]",
    );
    let with = Situation {
        labels: Some(vec!["full".into()]),
        ..on("pull_request")
    };
    check(&labelled, &assessment(), &with, true, "run: always [job:j]");
    // What is not known refuses nothing.
    let unknown = on("pull_request");
    check(
        &labelled,
        &assessment(),
        &unknown,
        true,
        "run: always [job:j]",
    );
    let mut on_main = job("j", &[]);
    on_main.when.branches = vec!["main".into()];
    check(
        &on_main,
        &assessment(),
        &unknown,
        true,
        "run: always [job:j]",
    );
    let tag = Situation {
        is_branch_known: true,
        ..on("push")
    };
    check(&on_main, &assessment(), &tag, true, "skip: when [job:j]");
}

#[test]
fn more_changes_never_mean_fewer_projects() {
    let paths = [("j".to_owned(), ("shared.json".into(), "*".into()))];
    let mut wide = assessment();
    wide.jobs = paths.into();
    let mut both = job("j", &["cargo"]);
    both.has_paths = true;
    let expected = "run: changed-file [shared.json job:j] cargo:crates/a cargo:crates/b";
    check(&both, &wide, &Situation::default(), true, expected);
    wide.affected.clear();
    check(&both, &wide, &Situation::default(), true, expected);
}

#[test]
fn a_job_about_nothing_that_is_there_runs_until_it_is_spelt_right() {
    let nowhere = job("j", &["cargo:crates/x", "crate/*"]);
    let expected = "run: no-project [job:j]";
    check(
        &nowhere,
        &assessment(),
        &Situation::default(),
        true,
        expected,
    );
}

#[test]
fn a_project_that_is_gone_was_somebodys() {
    let mut assessment = assessment();
    let cause = Cause {
        code: "project-removed",
        path: None,
        detail: String::new(),
    };
    assessment
        .affected
        .insert("npm:gone".into(), Way::Cause(cause));
    check(
        &job("j", &["npm"]),
        &assessment,
        &Situation::default(),
        true,
        "run: project-removed [npm:gone job:j] npm:web",
    );
}

#[test]
fn a_job_about_what_a_repository_need_not_have_is_skipped() {
    let none = Situation::default();
    // Ecosystems, also beside a name that nothing has.
    for selectors in [&["go"] as &[&str], &["go", "cargo:crates/x"]] {
        check(
            &job("j", selectors),
            &assessment(),
            &none,
            true,
            "skip: not-affected [job:j]",
        );
    }
    // Its paths say when it runs.
    let mut with_paths = job("j", &["cargo:crates/x"]);
    with_paths.has_paths = true;
    check(
        &with_paths,
        &assessment(),
        &none,
        true,
        "skip: not-affected [job:j]",
    );
    // Whoever names a project that is there, is skipped when nothing reaches it.
    check(
        &job("j", &["npm:web"]),
        &assessment(),
        &none,
        true,
        "skip: not-affected [job:j]",
    );
}

#[test]
fn a_skipped_job_says_what_nothing_reached() {
    let said = |job: &Job| {
        let projects: Vec<_> = PROJECTS.iter().map(|id| project(id)).collect();
        let nothing = Assessment::default();
        one(job, &projects, &nothing, &Situation::default(), true).detail
    };
    let mut with_paths = job("j", &["go"]);
    with_paths.has_paths = true;
    assert_eq!(said(&with_paths), "no changed file is one of its `paths`");
    assert_eq!(
        said(&job("j", &["go"])),
        "no project of this commit is one that it is about"
    );
    assert_eq!(said(&job("j", &["npm:web"])), "nothing reaches `npm:web`");
    assert_eq!(
        said(&job("j", &["cargo"])),
        "nothing reaches the 2 projects that it is about"
    );
}

#[test]
fn without_jobs_there_is_one_for_each_ecosystem() {
    let projects: Vec<_> = PROJECTS.iter().map(|id| project(id)).collect();
    let jobs = by_default(&projects);
    let ids: Vec<&str> = jobs.iter().map(|job| job.id.as_str()).collect();
    let mut sorted = ids.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, ["cargo", "component", "npm"]);
    for job in &jobs {
        assert!(job.per_project, "{}", job.id);
        let about = projects.iter().filter(|project| job.is_about(project));
        assert!(about.clone().count() > 0);
        assert!(about.clone().all(|project| project.kind.name() == job.id));
    }
}
