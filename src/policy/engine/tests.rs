//! What becomes of changes by policies of a few lines.

use super::super::file;
use super::super::rules::tests::Case;
use super::*;

fn judged(rules: &str, case: &Case) -> Judgement {
    let text = format!("schema: maestro.policy/v1\n{rules}");
    let policy = Policy::alone(file::read(&text, "p").unwrap());
    case.with(|subject| judge(&policy, &Baseline::default(), subject, None))
}

const PROTECT: &str = "rules:\n- {rule: protected-paths, protect: ['deploy/**'], id: p, severity: review, reason: r, owner: o}\n";

#[test]
fn a_review_is_open_until_somebody_else_approves() {
    let case = Case::paths(&["deploy/a"]);
    assert_eq!(judged(PROTECT, &case).outcome, Outcome::Review);
    let by = |login: &str| {
        case.clone().asked(|asked| {
            asked.author = Some("ada".into());
            asked.approvals = vec![login.to_owned()];
        })
    };
    assert_eq!(judged(PROTECT, &by("ada")).outcome, Outcome::Review);
    let approved = judged(PROTECT, &by("bob"));
    assert_eq!(approved.outcome, Outcome::Passed);
    assert_eq!(
        approved.violations[0].forgiven,
        Some(Forgiven::Approved(vec!["bob".into()]))
    );
}

#[test]
fn an_approval_opens_no_block() {
    let rules = PROTECT.replace("review", "block");
    let case = Case::paths(&["deploy/a"]).asked(|asked| asked.approvals = vec!["bob".into()]);
    assert_eq!(judged(&rules, &case).outcome, Outcome::Blocked);
}

#[test]
fn an_entry_holds_up_to_its_day_and_is_reported_after_it() {
    let until = |day: &str| PROTECT.replace("owner: o", &format!("owner: o, expires: {day}"));
    let case = Case::paths(&["deploy/a"]);
    assert_eq!(judged(&until("2026-01-05"), &case).outcome, Outcome::Review);
    let over = judged(&until("2026-01-04"), &case);
    assert_eq!(over.outcome, Outcome::Warned);
    let ended = &over.violations[0];
    assert_eq!(
        [
            ended.rule.name,
            &ended.entry,
            &ended.message,
            &ended.observed,
            &ended.reason
        ],
        [
            "expired-entry",
            "p",
            "the entry's day is over, and it no longer holds",
            "p until 2026-01-04",
            "r"
        ]
    );
    assert_eq!(ended.owner.as_deref(), Some("o"));
    assert_eq!(ended.expires.unwrap().to_string(), "2026-01-04");
    assert_eq!(over.entries[1].state, State::Expired);
}

#[test]
fn an_ignore_forgives_up_to_its_day_and_is_reported_after_it() {
    let ignore = |day: &str| {
        format!(
            "ignores:\n- {{entry: p, path: 'deploy/a', reason: r, owner: o, expires: {day}}}\n{PROTECT}"
        )
    };
    let case = Case::paths(&["deploy/a"]);
    assert_eq!(
        judged(&ignore("2026-01-05"), &case).outcome,
        Outcome::Passed
    );
    let over = judged(
        &ignore("2026-01-04").replace("owner: o, expires", "owner: eve, expires"),
        &case,
    );
    assert_eq!(over.outcome, Outcome::Review);
    let mut violations = over.violations.iter();
    let ended = violations
        .find(|one| one.rule.name == "expired-ignore")
        .unwrap();
    assert_eq!(
        [&ended.entry, &ended.message, &ended.observed, &ended.reason],
        [
            "p",
            "what was ignored counts again",
            "p ignored until 2026-01-04",
            "r"
        ]
    );
    assert_eq!(ended.owner.as_deref(), Some("eve"));
    assert_eq!(ended.expires.unwrap().to_string(), "2026-01-04");
    assert_eq!(
        judged(&ignore("2026-01-05"), &Case::paths(&["deploy/b"])).outcome,
        Outcome::Review
    );
}

#[test]
fn an_entry_is_about_those_that_it_names() {
    let rules =
        |whose: &str| PROTECT.replace("owner: o", &format!("owner: o, applies_to: {whose}"));
    let case = Case::paths(&["deploy/a"]);
    let agent = case.clone().asked(|asked| asked.is_agent = true);
    let fork = case.clone().asked(|asked| asked.is_fork = true);
    let team = |team: &str| {
        case.clone()
            .asked(|asked| asked.teams = vec![team.to_owned()])
    };
    for (whose, case, expected) in [
        ("agents", &case, Outcome::Passed),
        ("agents", &agent, Outcome::Review),
        ("forks", &agent, Outcome::Passed),
        ("[agents, forks]", &fork, Outcome::Review),
        ("{teams: [data]}", &team("Data"), Outcome::Review),
        ("{teams: [data]}", &team("web"), Outcome::Passed),
        // Nobody knows whose team wrote it.
        ("{teams: [data]}", &case, Outcome::Review),
        ("[agents, {teams: [data]}]", &team("web"), Outcome::Passed),
    ] {
        assert_eq!(judged(&rules(whose), case).outcome, expected, "{whose}");
    }
}

#[test]
fn who_is_in_no_team_of_the_policy_is_not_meant() {
    let rules = PROTECT.replace("owner: o", "owner: o, applies_to: {teams: [data]}");
    let rules = format!("teams: {{Data: [ada]}}\n{rules}");
    let by = |author: &str| {
        let file = file::read(&format!("schema: maestro.policy/v1\n{rules}"), "p").unwrap();
        let policy = Policy::alone(file);
        let case = Case::paths(&["deploy/a"]).asked(|asked| {
            asked.author = Some(author.to_owned());
            asked.teams = policy.teams_of(author);
        });
        case.with(|subject| judge(&policy, &Baseline::default(), subject, None).outcome)
    };
    assert_eq!(by("Ada"), Outcome::Review);
    assert_eq!(by("eve"), Outcome::Passed);
}

#[test]
fn maestros_own_files_need_a_person_and_change_records_do_not() {
    let outcome = |case: Case| judged(PROTECT, &case).outcome;
    for path in [
        ".maestro/policy.yaml",
        ".Maestro/x",
        "a/../.maestro/ci_budget.json",
        ".maestro/changes/a.yaml",
        ".maestro/changes/b/c.yaml",
    ] {
        assert_eq!(outcome(Case::paths(&[path])), Outcome::Review, "{path}");
    }
    let one = &judged(PROTECT, &Case::paths(&[".maestro/policy.yaml"])).violations[0];
    assert_eq!(
        one.message,
        "the change is about what maestro itself is told"
    );
    assert_eq!(
        one.reason,
        "whoever changes these files changes what is asked of everybody"
    );
    assert_eq!(
        outcome(Case::default().removed(".maestro/quarantine.json")),
        Outcome::Review
    );
    assert_eq!(
        outcome(Case::default().link(".maestro", "x")),
        Outcome::Review
    );
    assert_eq!(
        outcome(Case::default().link(".maestro/changes/a.yaml", "x")),
        Outcome::Review
    );
    let record = "schema: maestro.change/v1\nkind: fixed\nsummary: It no longer panics.\n";
    assert_eq!(
        outcome(Case::default().added(".maestro/changes/a.yaml", record)),
        Outcome::Passed
    );
    assert_eq!(
        outcome(Case::default().added_program(".maestro/changes/a.yaml", record)),
        Outcome::Review
    );
    assert_eq!(
        outcome(Case::default().added(".MAESTRO/changes/a.yaml", record)),
        Outcome::Review
    );
    assert_eq!(
        outcome(Case::default().changed(".maestro/changes/a.yaml", record, record)),
        Outcome::Review
    );
    let more = format!("{record}policy: off\n");
    assert_eq!(
        outcome(Case::default().added(".maestro/changes/a.yaml", &more)),
        Outcome::Review
    );
}

#[test]
fn an_organisation_may_forgive_what_it_holds_and_nobody_what_stands_everywhere() {
    let ignoring = |entry: &str, path: &str| {
        let ignore =
            format!("{{entry: {entry}, path: '{path}', reason: r, owner: o, expires: 2026-12-31}}");
        file::read(
            &format!(
                "schema: maestro.policy/v1\nextends: //p.yaml@{}\nlocked: all\nignores: [{ignore}]\n{PROTECT}",
                "0".repeat(40)
            ),
            "p",
        )
        .unwrap()
    };
    let own = || {
        let rules = "rules:\n- {rule: path-form, id: own, severity: warn, reason: r}\n";
        file::read(&format!("schema: maestro.policy/v1\n{rules}"), "p").unwrap()
    };
    let outcome = |policy: &Policy, path: &str| {
        Case::paths(&[path])
            .with(|subject| judge(policy, &Baseline::default(), subject, None).outcome)
    };
    let under = |entry: &str, path: &str| {
        super::super::tighten::tighten(ignoring(entry, path), own()).unwrap()
    };
    let held = under("p", "deploy/a");
    assert_eq!(outcome(&held, "deploy/a"), Outcome::Passed);
    assert_eq!(outcome(&held, "deploy/b"), Outcome::Review);
    let standing = under("maestro-files", ".maestro/**");
    assert_eq!(outcome(&standing, ".maestro/policy.yaml"), Outcome::Review);
}

#[test]
fn reports_say_how_each_entry_was_judged() {
    let entry = |id: &str, more: &str| {
        format!("- {{rule: path-form, id: {id}, severity: warn, reason: r{more}}}\n")
    };
    let rules = [
        entry("now", ""),
        entry("agents", ", applies_to: agents"),
        entry("over", ", expires: 2025-12-31"),
    ];
    let judgement = judged(&format!("rules:\n{}", rules.concat()), &Case::default());
    let entries = judgement.entries.iter();
    let said: Vec<_> = entries
        .map(|entry| (entry.id.as_str(), entry.state.name()))
        .collect();
    assert_eq!(
        said,
        [
            ("maestro-files", "judged"),
            ("now", "judged"),
            ("agents", "not-meant"),
            ("over", "expired")
        ]
    );
}

#[test]
fn the_heaviest_comes_first_and_nothing_is_said_twice() {
    let rule = |id: &str, severity: &str| {
        format!(
            "- {{rule: denied-paths, deny: ['**'], id: {id}, severity: {severity}, reason: r}}\n"
        )
    };
    let rules = [
        rule("advice", "warn"),
        rule("look", "review"),
        rule("never", "block"),
    ];
    let judgement = judged(
        &format!("rules:\n{}", rules.concat()),
        &Case::paths(&["b", "a"]),
    );
    let said = |judgement: &Judgement| -> Vec<String> {
        let place = |one: &Violation| match &one.target {
            Target::Place(place) => place.path.clone(),
            other => format!("{other:?}"),
        };
        let violations = judgement.violations.iter();
        violations
            .map(|one| format!("{} {} {}", one.weight.name(), one.entry, place(one)))
            .collect()
    };
    let all = [
        "block never a",
        "block never b",
        "review look a",
        "review look b",
        "warn advice a",
        "warn advice b",
    ];
    assert_eq!(said(&judgement), all);
    assert_eq!(judgement.outcome.name(), "blocked");
    // An organisation's entry and the repository's of the same id say the same once, with the heavier weight.
    let twice = |one: &str, other: &str| {
        let read = |severity: &str| {
            let text = format!("schema: maestro.policy/v1\nrules:\n{}", rule("x", severity));
            file::read(&text, "p").unwrap()
        };
        let mut policy = Policy::alone(read(one));
        policy.entries.extend(Policy::alone(read(other)).entries);
        Case::paths(&["a"]).with(|subject| judge(&policy, &Baseline::default(), subject, None))
    };
    for (one, other) in [("warn", "review"), ("review", "warn")] {
        let judgement = twice(one, other);
        assert_eq!(said(&judgement), ["review x a"]);
        assert_eq!(judgement.outcome.name(), "review");
    }
    assert_eq!(twice("warn", "warn").outcome.name(), "warned");
    assert_eq!(judged(PROTECT, &Case::default()).outcome.name(), "passed");
}
