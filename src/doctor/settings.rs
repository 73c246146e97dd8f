//! Checks of a repository's settings at GitHub (docs.github.com: "Managing GitHub Actions settings for a repository", "About rulesets",
//! "Scopes for OAuth apps", "GitHub's plans").

use serde_json::Value;

use super::{Facts, Level, Verdict};
use crate::forge::api::settings::Question;

fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key)?.as_str()
}

fn truth(value: &Value, key: &str) -> Option<bool> {
    value.get(key)?.as_bool()
}

/// An answer without the field that was looked for says nothing.
fn unclear(what: &str) -> Verdict {
    let words = format!("GitHub's answer does not say {what}");
    Verdict::with(Level::Unknown, words, "look at the page of the setting")
}

/// Takes an answer, or returns the verdict of whoever has none.
macro_rules! said {
    ($facts:expr, $question:ident) => {
        match $facts.said(Question::$question) {
            Ok(value) => value,
            Err(verdict) => return verdict,
        }
    };
}

pub(super) fn token(facts: &Facts) -> Verdict {
    let repository = said!(facts, Repository);
    let Some(scopes) = &facts.scopes else {
        return Verdict::ok("the token has permissions of its own, and no scopes");
    };
    let has = |scope: &str| scopes.iter().any(|one| one == scope);
    let is_private = truth(repository, "private").unwrap_or(true);
    if has("repo") || (!is_private && has("public_repo")) {
        return Verdict::with(
            Level::Warn,
            "a classic token with the scope `repo` may do everything in every repository",
            "use GITHUB_TOKEN of the workflow, or a fine-grained token with `actions: read` and `contents: read`",
        );
    }
    Verdict::with(
        Level::Fail,
        format!(
            "the classic token has the scopes `{}`: it may not read runs and artifacts",
            scopes.join(", ")
        ),
        "use a fine-grained token with `actions: read` and `contents: read`",
    )
}

pub(super) fn repository(facts: &Facts) -> Verdict {
    let repository = said!(facts, Repository);
    match truth(repository, "archived") {
        Some(true) => Verdict::with(
            Level::Fail,
            "the repository is archived: nothing can be written to it",
            "an owner may unarchive it",
        ),
        Some(false) => Verdict::ok(match truth(repository, "private") {
            Some(true) => "private, and takes changes",
            _ => "public, and takes changes",
        }),
        None => unclear("whether it is archived"),
    }
}

fn allowed(answer: &Value, enabled: Option<bool>, whose: &str) -> Verdict {
    if enabled == Some(false) {
        let words = format!("Actions are switched off in the {whose}");
        return Verdict::with(Level::Fail, words, "allow them");
    }
    match text(answer, "allowed_actions") {
        Some("all") => Verdict::ok(format!("the {whose} lets every action run")),
        Some("local_only") => Verdict::with(
            Level::Fail,
            format!("the {whose} lets only its own actions run: actions/checkout may not"),
            "allow actions by GitHub, and those that the workflows of `maestro init` name",
        ),
        Some("selected") => Verdict::with(
            Level::Warn,
            format!("the {whose} lets selected actions run"),
            "see that those are among them which the workflows of `maestro init` name",
        ),
        _ => unclear("which actions may run"),
    }
}

pub(super) fn actions(facts: &Facts) -> Verdict {
    let answer = said!(facts, Actions);
    allowed(answer, truth(answer, "enabled"), "repository")
}

pub(super) fn organisation_actions(facts: &Facts) -> Verdict {
    if let Some(verdict) = of_a_person(facts) {
        return verdict;
    }
    let answer = said!(facts, OrganisationActions);
    let enabled = text(answer, "enabled_repositories").map(|word| word != "none");
    allowed(answer, enabled, "organisation")
}

/// A person's repository has no organisation above it.
fn of_a_person(facts: &Facts) -> Option<Verdict> {
    let repository = facts.said(Question::Repository).ok()?;
    let owner = text(repository.get("owner")?, "type")?;
    (owner == "User").then(|| Verdict::ok("the repository is a person's: there is no organisation"))
}

pub(super) fn workflow_token(facts: &Facts) -> Verdict {
    let answer = said!(facts, Workflows);
    match text(answer, "default_workflow_permissions") {
        Some("read") => Verdict::ok("workflows that ask for no right to write have none"),
        Some("write") => Verdict::with(
            Level::Warn,
            "a workflow that names no `permissions:` may write to the repository",
            "choose “Read repository contents and packages permissions”; those of `maestro init` name theirs",
        ),
        _ => unclear("what the token of workflows may do"),
    }
}

fn may_open(answer: &Value, whose: &str) -> Verdict {
    match truth(answer, "can_approve_pull_request_reviews") {
        Some(true) => Verdict::ok(format!("the {whose} lets workflows open pull requests")),
        Some(false) => Verdict::with(
            Level::Warn,
            format!(
                "the {whose} lets no workflow open pull requests: `run-agents publish`, `quarantine add --pull-request` and the like leave a branch"
            ),
            "switch on “Allow GitHub Actions to create and approve pull requests”, or use an app's token (MAESTRO_APP_ID, MAESTRO_APP_PRIVATE_KEY)",
        ),
        None => unclear("whether workflows may open pull requests"),
    }
}

pub(super) fn pull_requests(facts: &Facts) -> Verdict {
    may_open(said!(facts, Workflows), "repository")
}

pub(super) fn organisation_pull_requests(facts: &Facts) -> Verdict {
    if let Some(verdict) = of_a_person(facts) {
        return verdict;
    }
    may_open(said!(facts, OrganisationWorkflows), "organisation")
}

pub(super) fn forks(facts: &Facts) -> Verdict {
    let answer = said!(facts, Forks);
    match text(answer, "approval_policy") {
        Some("first_time_contributors_new_to_github") => Verdict::with(
            Level::Warn,
            "workflows run for strangers' forks without an approval, except for accounts that are new to GitHub",
            "choose “Require approval for first-time contributors”",
        ),
        Some("first_time_contributors" | "all_external_contributors") => {
            Verdict::ok("a stranger's first pull request waits for an approval before it runs")
        }
        _ => unclear("whose pull requests wait for an approval"),
    }
}

/// Returns rules of a kind.
fn rules<'v>(answer: &'v Value, kind: &'v str) -> impl Iterator<Item = &'v Value> {
    let all = answer.as_array().into_iter().flatten();
    all.filter(move |rule| text(rule, "type") == Some(kind))
}

pub(super) fn required_check(facts: &Facts) -> Verdict {
    let by_rules = facts.said(Question::Rules);
    let by_protection = facts.said(Question::Protection);
    let names = |list: Option<&Value>, key: Option<&str>| -> Vec<String> {
        let list = list.and_then(Value::as_array).into_iter().flatten();
        let texts = list.filter_map(|one| match key {
            Some(key) => text(one, key),
            None => one.as_str(),
        });
        texts.map(str::to_owned).collect()
    };
    let mut required = Vec::new();
    if let Ok(answer) = by_rules {
        for rule in rules(answer, "required_status_checks") {
            let list = rule.pointer("/parameters/required_status_checks");
            required.extend(names(list, Some("context")));
        }
    }
    if let Ok(answer) = by_protection {
        let list = answer.pointer("/protection/required_status_checks/contexts");
        required.extend(names(list, None));
    }
    let gate = facts.gate;
    if required.iter().any(|name| name == gate) {
        return Verdict::ok(format!("`{gate}` has to pass before a merge"));
    }
    match (by_rules, by_protection) {
        (Ok(rules), Ok(_)) if rules.is_array() => Verdict::with(
            Level::Warn,
            format!(
                "`{gate}` does not have to pass before a merge: what maestro enforces holds nobody up"
            ),
            format!(
                "require the check `{gate}` for the default branch, once you enforce something"
            ),
        ),
        (Err(verdict), _) | (_, Err(verdict)) => verdict,
        _ => unclear("which checks are required"),
    }
}

pub(super) fn merge_queue(facts: &Facts) -> Verdict {
    let answer = said!(facts, Rules);
    if !answer.is_array() {
        return unclear("whether there is a merge queue");
    }
    if rules(answer, "merge_queue").next().is_some() {
        return Verdict::with(
            Level::Warn,
            "merges go through a queue: a required check has to run for it",
            "keep `merge_group:` among the events of the workflow, as `maestro init` writes it",
        );
    }
    Verdict::ok("there is no merge queue")
}

pub(super) fn state_branch(facts: &Facts) -> Verdict {
    let answer = said!(facts, StateRules);
    if !answer.is_array() {
        return unclear("which rules hold for it");
    }
    // Whatever stands between a workflow and its branch; a fold adds commits, and a compaction replaces them.
    let stops = [
        "creation",
        "update",
        "pull_request",
        "required_status_checks",
        "required_signatures",
        "non_fast_forward",
        "required_linear_history",
    ];
    let found: Vec<&str> = stops
        .into_iter()
        .filter(|kind| rules(answer, kind).next().is_some())
        .collect();
    let branch = &facts.state_branch;
    match found.as_slice() {
        [] => Verdict::ok(format!("no rule keeps workflows from `{branch}`")),
        ["non_fast_forward" | "required_linear_history"] => Verdict::with(
            Level::Warn,
            format!(
                "a rule ({}) keeps `state compact` from `{branch}`",
                found[0]
            ),
            format!("leave `{branch}` out of the ruleset"),
        ),
        ["required_signatures"] => Verdict::with(
            Level::Warn,
            format!("commits on `{branch}` have to be signed"),
            "`maestro state sync --via api` lets GitHub sign them, or leave the branch out of the ruleset",
        ),
        _ => Verdict::with(
            Level::Fail,
            format!("rules keep workflows from `{branch}`: {}", found.join(", ")),
            format!("leave `{branch}` out of the ruleset, or let the workflow bypass it"),
        ),
    }
}

pub(super) fn environments(facts: &Facts) -> Verdict {
    let answer = said!(facts, Environments);
    match answer.get("total_count").and_then(Value::as_u64) {
        Some(0) => Verdict::with(
            Level::Warn,
            "there are no environments: `maestro dora` takes deployments from workflow runs or tags, and no person can be asked before a deployment",
            "make one where you deploy; for private repositories required reviewers and rulesets need a paid plan",
        ),
        Some(count) => Verdict::ok(format!("environments: {count}")),
        None => unclear("which environments there are"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Told;
    use super::*;

    #[track_caller]
    fn check(judge: fn(&Facts) -> Verdict, told: &[(Question, Value)], level: Level, words: &str) {
        let mut facts = Facts {
            gate: "gate",
            state_branch: "maestro-state".to_owned(),
            ..Facts::default()
        };
        for (question, value) in told {
            facts.told.insert(*question, Told::Said(value.clone()));
        }
        let verdict = judge(&facts);
        assert!(verdict.words.contains(words), "{verdict:?}");
        assert_eq!(verdict.level, level, "{verdict:?}");
    }

    #[test]
    fn an_answer_without_the_field_is_unknown() {
        for judge in [
            actions,
            workflow_token,
            pull_requests,
            forks,
            merge_queue,
            state_branch,
            environments,
            repository,
        ] {
            let told: Vec<_> = Question::ALL.iter().map(|one| (*one, json!({}))).collect();
            check(judge, &told, Level::Unknown, "does not say");
        }
    }

    #[test]
    fn the_gate_is_required_by_a_ruleset_or_by_a_protected_branch() {
        let rule = json!([{"type": "required_status_checks", "parameters": {"required_status_checks": [{"context": "gate"}]}}]);
        check(
            required_check,
            &[(Question::Rules, rule)],
            Level::Ok,
            "has to pass",
        );
        let branch = json!({"protected": true, "protection": {"required_status_checks": {"contexts": ["gate"]}}});
        check(
            required_check,
            &[(Question::Protection, branch.clone())],
            Level::Ok,
            "has to pass",
        );
        let none = [
            (Question::Rules, json!([])),
            (Question::Protection, json!({"protected": false})),
        ];
        check(required_check, &none, Level::Warn, "does not have to pass");
        check(
            required_check,
            &[(Question::Rules, json!([]))],
            Level::Unknown,
            "not asked",
        );
    }

    #[test]
    fn rules_over_the_branch_of_the_state_are_told_by_what_they_stop() {
        let with = |kinds: &[&str]| {
            let rules: Vec<Value> = kinds.iter().map(|kind| json!({"type": kind})).collect();
            [(Question::StateRules, Value::Array(rules))]
        };
        check(state_branch, &with(&[]), Level::Ok, "no rule");
        check(state_branch, &with(&["deletion"]), Level::Ok, "no rule");
        check(
            state_branch,
            &with(&["non_fast_forward"]),
            Level::Warn,
            "state compact",
        );
        check(
            state_branch,
            &with(&["required_signatures"]),
            Level::Warn,
            "signed",
        );
        check(
            state_branch,
            &with(&["pull_request", "update"]),
            Level::Fail,
            "update, pull_request",
        );
    }

    #[test]
    fn a_persons_repository_has_no_organisation() {
        let owner = json!({"owner": {"type": "User"}});
        check(
            organisation_actions,
            &[(Question::Repository, owner)],
            Level::Ok,
            "person's",
        );
        let organisation = [(
            Question::OrganisationActions,
            json!({"enabled_repositories": "none"}),
        )];
        check(
            organisation_actions,
            &organisation,
            Level::Fail,
            "switched off",
        );
    }

    #[test]
    fn classic_tokens_are_judged_by_their_scopes() {
        let judge = |scopes: &[&str]| {
            let mut facts = Facts {
                scopes: Some(scopes.iter().map(|one| (*one).to_owned()).collect()),
                ..Facts::default()
            };
            facts
                .told
                .insert(Question::Repository, Told::Said(json!({"private": true})));
            token(&facts).level
        };
        assert_eq!(judge(&["repo"]), Level::Warn);
        assert_eq!(judge(&["public_repo"]), Level::Fail);
    }
}
