//! Judges a change by a policy. The same function guards a pull request, and an agent's task before and after.

use jiff::civil::Date;

use super::baseline::{Baseline, fingerprint};
use super::entry::{Entry, Ignore};
use super::rules::About;
use super::subject::Subject;
use super::task::Task;
use super::tighten::Policy;
use super::{Breach, Target, Weight, standing};

/// What became of a breach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Forgiven {
    /// Somebody answers for it, until a day.
    Ignored {
        reason: String,
        owner: String,
        expires: Date,
    },
    /// It was there before.
    Baseline,
    /// Persons approved this head, which is what the breach asked for.
    Approved(Vec<String>),
}

/// A breach, with all that is said around it.
#[derive(Debug, Clone)]
pub(crate) struct Violation {
    /// The entry's id, or the rule's own name where no entry stands for it.
    pub(crate) entry: String,
    pub(crate) rule: &'static About,
    pub(crate) weight: Weight,
    pub(crate) target: Target,
    pub(crate) message: String,
    pub(crate) observed: String,
    pub(crate) limit: String,
    pub(crate) reason: String,
    pub(crate) fix: String,
    pub(crate) owner: Option<String>,
    pub(crate) expires: Option<Date>,
    pub(crate) is_locked: bool,
    /// What a baseline knows it by; none for what no baseline may forgive.
    pub(crate) fingerprint: Option<String>,
    pub(crate) forgiven: Option<Forgiven>,
}

/// How an entry was judged.
#[derive(Debug, Clone)]
pub(crate) struct Judged {
    pub(crate) id: String,
    pub(crate) rule: &'static About,
    pub(crate) state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Judged,
    /// It is about other people's changes.
    NotMeant,
    /// Its day is over.
    Expired,
}

impl State {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Judged => "judged",
            Self::NotMeant => "not-meant",
            Self::Expired => "expired",
        }
    }
}

/// What follows from all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    Passed,
    Warned,
    /// A person has to approve this head.
    Review,
    Blocked,
}

impl Outcome {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Warned => "warned",
            Self::Review => "review",
            Self::Blocked => "blocked",
        }
    }
}

/// What a policy says of a change.
#[derive(Debug, Clone)]
pub(crate) struct Judgement {
    pub(crate) entries: Vec<Judged>,
    /// The heaviest first, then by rule and place.
    pub(crate) violations: Vec<Violation>,
    pub(crate) outcome: Outcome,
}

/// Judges a change, or what an agent means to do or did; then also by the task that it was given.
pub(crate) fn judge(
    policy: &Policy,
    baseline: &Baseline,
    subject: &Subject<'_>,
    task: Option<&Task>,
) -> Judgement {
    let mut violations = Vec::new();
    if let Some(task) = task {
        task.outside(subject, &mut violations);
    }
    let mut entries = Vec::with_capacity(policy.entries.len() + 1);
    standing::maestro_files(subject, &mut violations);
    entries.push(Judged {
        id: standing::MAESTRO_FILES.name.to_owned(),
        rule: &standing::MAESTRO_FILES,
        state: State::Judged,
    });
    for entry in &policy.entries {
        let state = state_of(policy, entry, subject);
        if state == State::Judged {
            let mut breaches = Vec::new();
            entry.check.check(subject, &mut breaches);
            violations.extend(breaches.into_iter().map(|breach| violation(entry, breach)));
        } else if state == State::Expired {
            violations.push(standing::expired_entry(entry));
        }
        entries.push(Judged {
            id: entry.id.clone(),
            rule: entry.rule,
            state,
        });
    }
    for ignore in &policy.ignores {
        if !ignore.ignore.holds(subject.today) {
            violations.push(standing::expired_ignore(&ignore.ignore));
        }
    }
    for violation in &mut violations {
        violation.forgiven = forgiven(policy, baseline, subject, violation);
    }
    sort(&mut violations);
    Judgement {
        outcome: outcome(&violations),
        entries,
        violations,
    }
}

fn state_of(policy: &Policy, entry: &Entry, subject: &Subject<'_>) -> State {
    let declared = |team: &str| {
        policy
            .teams
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case(team))
    };
    if entry.expires.is_some_and(|last| subject.today > last) {
        State::Expired
    } else if entry.applies_to.includes(subject.asked, declared) {
        State::Judged
    } else {
        State::NotMeant
    }
}

fn violation(entry: &Entry, breach: Breach) -> Violation {
    Violation {
        entry: entry.id.clone(),
        rule: entry.rule,
        weight: breach
            .weight
            .unwrap_or(entry.severity)
            .min(cap(entry.severity)),
        fingerprint: breach
            .fingerprint
            .as_deref()
            .map(|print| fingerprint(entry.rule.name, print)),
        target: breach.target,
        message: breach.message,
        observed: breach.observed,
        limit: breach.limit,
        reason: entry.reason.clone(),
        fix: entry
            .fix
            .clone()
            .or(breach.fix)
            .unwrap_or_else(|| entry.rule.fix.to_owned()),
        owner: entry.owner.clone(),
        expires: entry.expires,
        is_locked: entry.is_locked,
        forgiven: None,
    }
}

/// An entry that only warns stays one: a rule may say less or more than `review`, and not turn a word of advice into a gate.
fn cap(severity: Weight) -> Weight {
    match severity {
        Weight::Warn => Weight::Warn,
        Weight::Review | Weight::Block => Weight::Block,
    }
}

fn forgiven(
    policy: &Policy,
    baseline: &Baseline,
    subject: &Subject<'_>,
    violation: &Violation,
) -> Option<Forgiven> {
    let is_standing = standing::STANDING
        .iter()
        .any(|about| about.name == violation.rule.name);
    let may = |of_floor: bool| !violation.is_locked || of_floor && !is_standing;
    let in_force = policy
        .ignores
        .iter()
        .filter(|one| may(one.is_floors) && one.ignore.holds(subject.today));
    let found = in_force
        .map(|one| &one.ignore)
        .find(|ignore| ignore.is_about(&violation.entry, &violation.target));
    if let Some(Ignore {
        reason,
        owner,
        expires,
        ..
    }) = found
    {
        return Some(Forgiven::Ignored {
            reason: reason.0.clone(),
            owner: owner.0.clone(),
            expires: expires.0,
        });
    }
    let print = violation
        .fingerprint
        .as_deref()
        .filter(|_| !violation.is_locked);
    if print.is_some_and(|print| baseline.has(&violation.entry, print)) {
        return Some(Forgiven::Baseline);
    }
    let people: Vec<String> = subject.asked.others().map(str::to_owned).collect();
    (violation.weight == Weight::Review && !people.is_empty()).then_some(Forgiven::Approved(people))
}

/// Puts the heaviest first; of several entries of one id that say the same, the heaviest stays.
fn sort(violations: &mut Vec<Violation>) {
    crate::order::sort_by(violations, |one, other| {
        let key = |one: &Violation| (one.forgiven.is_some(), std::cmp::Reverse(one.weight));
        key(one)
            .cmp(&key(other))
            .then_with(|| {
                (one.rule.name, &one.entry, &one.target).cmp(&(
                    other.rule.name,
                    &other.entry,
                    &other.target,
                ))
            })
            .then_with(|| {
                (&one.message, &one.observed, other.is_locked).cmp(&(
                    &other.message,
                    &other.observed,
                    one.is_locked,
                ))
            })
    });
    let mut seen = std::collections::BTreeSet::new();
    violations.retain(|one| {
        seen.insert((
            one.entry.clone(),
            one.target.clone(),
            one.message.clone(),
            one.observed.clone(),
        ))
    });
}

fn outcome(violations: &[Violation]) -> Outcome {
    let open = violations.iter().filter(|one| one.forgiven.is_none());
    match open.map(|one| one.weight).max() {
        Some(Weight::Block) => Outcome::Blocked,
        Some(Weight::Review) => Outcome::Review,
        Some(Weight::Warn) => Outcome::Warned,
        None => Outcome::Passed,
    }
}

#[cfg(test)]
mod tests {
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
            let ignore = format!(
                "{{entry: {entry}, path: '{path}', reason: r, owner: o, expires: 2026-12-31}}"
            );
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
}
