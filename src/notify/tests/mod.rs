//! What is news, and what is told once.

mod receivers;

use jiff::ToSpan as _;

use super::*;

const NOW: &str = "2026-11-26T12:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn usd(dollars: u128) -> Usd {
    Usd::from_pico(dollars * 1_000_000_000_000)
}

fn facts() -> Facts {
    Facts {
        now: at(NOW),
        web: Some("https://github.com/acme/shop".to_owned()),
        ..Facts::default()
    }
}

fn account(of: Purse, spent: u128, cap: u128) -> Account {
    Account {
        of,
        spent: usd(spent),
        cap: usd(cap),
        at: at(NOW),
    }
}

fn entry(test: &str, since: &str, review_by: &str) -> Quarantined {
    Quarantined {
        test: test.to_owned(),
        owner: Some("@acme/web".to_owned()),
        reason: "it waits for a clock".to_owned(),
        since: day(since),
        review_by: day(review_by),
    }
}

const ALL: [NotifyEvent; 11] = [
    NotifyEvent::Budget80,
    NotifyEvent::Budget95,
    NotifyEvent::BudgetExceeded,
    NotifyEvent::QuarantineOverdue,
    NotifyEvent::QuarantineAdded,
    NotifyEvent::FlakyNew,
    NotifyEvent::Outage,
    NotifyEvent::PolicyViolation,
    NotifyEvent::OverrideUsed,
    NotifyEvent::GateBlocked,
    NotifyEvent::Weekly,
];

fn chosen(facts: &Facts, on: &[NotifyEvent], told: &BTreeSet<String>) -> Vec<Notice> {
    choose(&news(facts), on, told, &facts.unknown, &|_| None).notices
}

fn all(facts: &Facts) -> Vec<Notice> {
    chosen(facts, &ALL, &BTreeSet::new())
}

/// Titles, lines and keys, as text.
fn shown(notices: &[Notice]) -> String {
    let mut text = String::new();
    for notice in notices {
        text.push_str(&format!("{} | {}\n", notice.event, notice.title));
        notice
            .lines
            .iter()
            .for_each(|line| text.push_str(&format!("  {line}\n")));
        notice
            .keys
            .iter()
            .for_each(|key| text.push_str(&format!("  = {key}\n")));
        text.extend(notice.link.iter().map(|link| format!("  > {link}\n")));
    }
    text
}

#[test]
fn a_channel_hears_of_the_highest_step_that_it_listens_to() {
    let mut facts = facts();
    facts.accounts = vec![
        account(Purse::PullRequest(7), 96, 100),
        account(Purse::Month("2026-11".to_owned()), 130, 100),
    ];
    insta::assert_snapshot!(shown(&all(&facts)), @r"
    budget-exceeded | Agents spent more than the cap of 2026-11
      $130 of $100
      = budget-exceeded/2026-11/100
    budget-95 | Agents spent 96 % of the cap of pull request #7
      $96 of $100
      = budget-95/pull-request-7/100
      > https://github.com/acme/shop/pull/7
    ");
    // Whoever listens to 80 % only hears of that, also above it.
    let low = chosen(&facts, &[NotifyEvent::Budget80], &BTreeSet::new());
    let keys: Vec<&String> = low.iter().flat_map(|notice| &notice.keys).collect();
    assert_eq!(
        keys,
        ["budget-80/pull-request-7/100", "budget-80/2026-11/100"]
    );
    // What was told of the highest is not told again by way of a lower one.
    let told = all(&facts)
        .into_iter()
        .flat_map(|notice| notice.keys)
        .collect();
    assert_eq!(chosen(&facts, &ALL, &told), []);
    // Another cap is another matter.
    facts.accounts[0].cap = usd(99);
    assert_eq!(chosen(&facts, &ALL, &told).len(), 1);
}

#[test]
fn a_step_begins_at_its_share_and_ends_at_the_cap() {
    let event = |spent: u128, cap: u128| {
        let mut facts = facts();
        facts.accounts = vec![account(Purse::PullRequest(1), spent, cap)];
        all(&facts).first().map(|notice| notice.event)
    };
    for (spent, wanted) in [
        (0, None),
        (79, None),
        (80, Some("budget-80")),
        (94, Some("budget-80")),
        (95, Some("budget-95")),
        (100, Some("budget-95")),
        (101, Some("budget-exceeded")),
    ] {
        assert_eq!(event(spent, 100), wanted, "{spent}");
    }
    // A cap of nothing is exceeded by anything.
    assert_eq!(event(1, 0), Some("budget-exceeded"));
    assert_eq!(event(0, 0), None);
}

#[test]
fn what_happened_more_than_a_week_ago_is_no_news() {
    let mut facts = facts();
    let old = facts.now - (7 * 24).hours() - 1.second();
    facts.accounts = vec![Account {
        at: old,
        ..account(Purse::PullRequest(7), 99, 100)
    }];
    facts.flaky = vec![Flaky {
        test: "t".into(),
        owner: None,
        rate: "3 %".into(),
        at: old,
    }];
    facts.spoilt = vec![Spoilt {
        run: "1".into(),
        job: "test".into(),
        failed: 9,
        at: old,
    }];
    facts.verdicts = vec![Verdict {
        at: old,
        head: "h".into(),
        pull_request: None,
        enforced: true,
        blocked_by: vec!["x".into()],
    }];
    facts.quarantine = vec![entry("s > t", "2026-11-18", "2026-12-18")];
    assert_eq!(all(&facts), []);
    let edge = facts.now - (7 * 24).hours();
    facts.accounts[0].at = edge;
    facts.flaky[0].at = edge;
    facts.spoilt[0].at = edge;
    facts.verdicts[0].at = edge;
    facts.quarantine[0].since = day("2026-11-19");
    assert_eq!(all(&facts).len(), 5);
}

#[test]
fn overdue_tests_are_told_once_a_week_for_each_set() {
    let mut facts = facts();
    facts.quarantine = vec![
        entry("b", "2026-10-01", "2026-11-20"),
        entry("a", "2026-10-01", "2026-11-25"),
        entry("c", "2026-10-01", "2026-11-26"),
    ];
    let first = all(&facts);
    insta::assert_snapshot!(shown(&first), @r"
    quarantine-overdue | 2 tests are in quarantine after their review day
      b of @acme/web, 6 days overdue
      a of @acme/web, 1 day overdue
      = quarantine-overdue/2026-W48/9c50aa7b503956ef
      > https://github.com/acme/shop/blob/HEAD/.maestro/quarantine.json
    ");
    let told: BTreeSet<String> = first.into_iter().flat_map(|notice| notice.keys).collect();
    facts.quarantine.reverse();
    assert_eq!(chosen(&facts, &ALL, &told), []);
    facts.now = at("2026-11-30T00:00:00Z");
    assert_eq!(
        chosen(&facts, &ALL, &told).len(),
        1,
        "another week, another set"
    );
    facts.now = at("2026-11-27T00:00:00Z");
    assert_eq!(
        chosen(&facts, &ALL, &told).len(),
        1,
        "the third is overdue as well"
    );
}

#[test]
fn one_notice_tells_of_all_tests_that_are_new_and_each_is_told_once() {
    let mut facts = facts();
    let flaky = |test: &str| Flaky {
        test: test.to_owned(),
        owner: None,
        rate: "3.2 % (1.0\u{2013}9.0)".to_owned(),
        at: at(NOW),
    };
    facts.flaky = (0..14).map(|number| flaky(&format!("t{number}"))).collect();
    let first = all(&facts);
    assert_eq!(first.len(), 1);
    assert_eq!(first[0].title, "14 tests are judged flaky");
    assert_eq!(first[0].lines.len(), 11);
    assert_eq!(first[0].lines[10], "and 4 more");
    assert_eq!(first[0].keys.len(), 14);
    facts.flaky.push(flaky("one more"));
    let second = chosen(&facts, &ALL, &first[0].keys);
    assert_eq!(second[0].title, "1 test is judged flaky");
    assert_eq!(
        second[0].lines,
        ["one more: fails 3.2 % (1.0\u{2013}9.0) of the time"]
    );
}

#[test]
fn of_more_than_a_notice_takes_the_rest_comes_the_next_time() {
    let mut facts = facts();
    facts.quarantine = (0..450)
        .map(|number| entry(&format!("t{number}"), "2026-11-26", "2026-12-26"))
        .collect();
    let mut told = BTreeSet::new();
    let mut rounds = Vec::new();
    loop {
        let notices = chosen(&facts, &ALL, &told);
        if notices.is_empty() {
            break;
        }
        rounds.push(notices[0].keys.len());
        told.extend(notices.into_iter().flat_map(|notice| notice.keys));
    }
    assert_eq!(rounds, [200, 200, 50]);
}

#[test]
fn changes_are_told_by_their_pull_request() {
    let mut facts = facts();
    let verdict = |head: &str, rules: &[&str]| Verdict {
        at: at(NOW),
        head: head.to_owned(),
        pull_request: Some(7),
        enforced: false,
        blocked_by: rules.iter().map(|rule| (*rule).to_owned()).collect(),
    };
    // Two pushes that break the same are one piece of news.
    facts.verdicts = vec![
        verdict("aa", &["size", "paths"]),
        verdict("bb", &["paths", "size"]),
        verdict("bb", &["size"]),
    ];
    facts.overrides = vec![Used {
        at: at(NOW),
        said_at: at(NOW),
        by: "ada".into(),
        rule: "size".into(),
        reason: "a rename".into(),
        head: "bb".into(),
        pull_request: Some(7),
        expires: at("2026-12-03T12:00:00Z"),
    }];
    facts.blocked = Some(Blocked {
        head: "bb".into(),
        pull_request: Some(7),
        problems: vec![(
            "size".into(),
            "change".into(),
            "1,200 lines are changed".into(),
        )],
        run: Some("42".into()),
    });
    insta::assert_snapshot!(shown(&all(&facts)), @r"
    gate-blocked | The gate blocks #7: 1 problem
      size: 1,200 lines are changed
      = gate-blocked/pull-request-7/0aa592dd4dbe8219
      > https://github.com/acme/shop/pull/7
    policy-violation | #7 breaks the policy
      paths, size (in shadow: it blocks nothing)
      = policy-violation/pull-request-7/3b0458d670244dd7
      > https://github.com/acme/shop/pull/7
    policy-violation | #7 breaks the policy
      size (in shadow: it blocks nothing)
      = policy-violation/pull-request-7/dec76fc0741af96c
      > https://github.com/acme/shop/pull/7
    override-used | A person let a problem of #7 pass
      size by ada, until 2026-12-03: a rename
      = override-used/6e1c8bbd227b603b
      > https://github.com/acme/shop/pull/7
    ");
}

#[test]
fn what_is_stored_twice_is_told_once() {
    let mut facts = facts();
    let used = |said_at: &str| Used {
        at: at(NOW),
        said_at: at(said_at),
        by: "ada".into(),
        rule: "size".into(),
        reason: "r".into(),
        head: "h".into(),
        pull_request: None,
        expires: at("2026-12-03T12:00:00Z"),
    };
    // A gate that runs again uses the same override again.
    facts.overrides = vec![used(NOW), used(NOW), used("2026-11-26T11:00:00Z")];
    assert_eq!(all(&facts).len(), 2);
}

#[test]
fn a_day_of_outages_is_one_notice() {
    let mut facts = facts();
    let run = |run: &str, at: &str| Spoilt {
        run: run.into(),
        job: "test".into(),
        failed: 412,
        at: self::at(at),
    };
    facts.spoilt = vec![
        run("1", "2026-11-25T08:00:00Z"),
        run("2", "2026-11-25T09:00:00Z"),
        run("3", "2026-11-26T00:00:00Z"),
    ];
    facts.web = None;
    insta::assert_snapshot!(shown(&all(&facts)), @r"
    outage | 2 runs of tests were an outage on 2026-11-25
      run 1 of test: 412 tests failed
      run 2 of test: 412 tests failed
      = outage/2026-11-25
    outage | 1 run of tests was an outage on 2026-11-26
      run 3 of test: 412 tests failed
      = outage/2026-11-26
    ");
}

#[test]
fn it_is_said_why_nothing_is_told() {
    let mut facts = facts();
    facts.accounts = vec![account(Purse::PullRequest(7), 96, 100)];
    facts
        .unknown
        .insert(NotifyEvent::Weekly, "only the page tells of it".to_owned());
    let on = [
        NotifyEvent::Weekly,
        NotifyEvent::Budget95,
        NotifyEvent::Outage,
    ];
    let told = BTreeSet::from(["budget-95/pull-request-7/100".to_owned()]);
    let chosen = choose(&news(&facts), &on, &told, &facts.unknown, &|_| None);
    let said: Vec<(&str, &str)> = chosen
        .quiet
        .iter()
        .map(|(event, why)| (event.name, why.as_str()))
        .collect();
    assert_eq!(
        said,
        [
            ("budget-95", "it was told before"),
            ("outage", "nothing happened"),
            ("weekly", "only the page tells of it")
        ]
    );
}
