//! What a run says of itself beside its change, as in-toto statements: how the change came to be (SLSA Provenance v1), and what became of its tasks. Nobody has
//! signed them: they are for whoever does, and publishing holds them against the index.

use serde_json::{Value, json};

use super::bundle::{BOARD, Bundle, NoBundle, PACK, REF};
use super::record::Head;
use crate::provenance::facts::{agent_build_type, agent_run_type, builder};
use crate::provenance::predicates::slsa;
use crate::provenance::statement::{Statement, write};
use crate::sha::Sha;

/// Where statements lie in a bundle.
const FOLDER: &str = "provenance/";

/// Returns the statements of a run, each with the name of its file; the bundle's index has the digests of its other files.
pub(crate) fn proofs(bundle: &Bundle, head: &Head) -> Vec<(String, String)> {
    let digest = |name: &str| bundle.files.get(name).cloned().unwrap_or_default();
    let subjects = [
        json!({"digest": {"gitCommit": bundle.head.commit, "gitTree": bundle.head.tree}, "name": REF}),
        json!({"digest": {"sha256": digest(PACK)}, "name": PACK}),
    ];
    let file = |name: &str| format!("{FOLDER}{name}.statement.json");
    vec![
        (
            file("agent-run"),
            write(&subjects, &agent_run_type(), &came_to(bundle)),
        ),
        (
            file("slsa-provenance"),
            write(
                &subjects,
                slsa::TYPE,
                &came_from(bundle, head, &digest(BOARD)),
            ),
        ),
    ]
}

/// How the change came to be (slsa.dev/spec/v1.2, "Build: Provenance"). The issue is told by its digest: its words are nobody's business later.
fn came_from(bundle: &Bundle, head: &Head, board: &str) -> Value {
    let issue = Sha::of(head.issue.to_string().as_bytes()).to_string();
    let mut from = vec![json!({"digest": {"gitCommit": bundle.base.commit}, "name": "base"})];
    let prompts = head.inputs["prompts"].as_object().into_iter().flatten();
    from.extend(
        prompts.map(
            |(name, sha)| json!({"digest": {"sha256": sha}, "name": format!("prompts/{name}")}),
        ),
    );
    json!({
        "buildDefinition": {
            "buildType": agent_build_type(),
            "externalParameters": {
                "branch": bundle.base.branch,
                "issue": {"digest": {"sha256": issue}, "number": bundle.issue.number},
            },
            "internalParameters": head.settings,
            "resolvedDependencies": from,
        },
        "runDetails": {
            "builder": {"id": builder(), "version": {"maestro": head.version}},
            "byproducts": [{"digest": {"sha256": board}, "name": BOARD}],
            "metadata": {"invocationId": bundle.run, "startedOn": head.at.to_string()},
        },
    })
}

/// What became of the run.
fn came_to(bundle: &Bundle) -> Value {
    let tasks = bundle.tasks.iter().map(|task| {
        json!({"attempts": task.attempts, "models": task.models, "role": task.role, "state": task.state.name(), "task": task.id, "usd": task.cost_usd})
    });
    json!({
        "capUsd": bundle.cap_usd,
        "outcome": bundle.outcome.name(),
        "run": bundle.run,
        "spentUsd": bundle.spent_usd,
        "tasks": tasks.collect::<Vec<_>>(),
        "tests": bundle.tests,
    })
}

/// Holds a file of a bundle against its index, if it is a statement: it is about this change and this run, or the bundle is refused. Types that are not known
/// here are read no further.
pub(crate) fn check(bundle: &Bundle, name: &str, bytes: &[u8]) -> Result<(), NoBundle> {
    if !name.starts_with(FOLDER) {
        return Ok(());
    }
    let wrong = |what| NoBundle::File {
        name: name.to_owned(),
        what,
    };
    let statement = Statement::read(bytes).map_err(|_| wrong("it is no in-toto statement"))?;
    let is_head = statement
        .subjects
        .iter()
        .any(|subject| subject.digest("gitCommit") == Some(bundle.head.commit.as_str()));
    if !is_head {
        return Err(wrong("it is about another commit"));
    }
    if statement.predicate_type == agent_run_type() && statement.predicate != came_to(bundle) {
        return Err(wrong("it says something else of the run than the index"));
    }
    if statement.predicate_type == slsa::TYPE {
        let from = &statement.predicate["buildDefinition"]["resolvedDependencies"][0]["digest"];
        if from["gitCommit"] != bundle.base.commit.as_str() {
            return Err(wrong("it says that the change stands on another commit"));
        }
        if statement.predicate["runDetails"]["metadata"]["invocationId"] != bundle.run.as_str() {
            return Err(wrong("it is of another run"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::bundle::tests::sample;

    fn head() -> Head {
        Head {
            schema: String::new(),
            run: "r1".to_owned(),
            version: "0.1.0".to_owned(),
            at: jiff::Timestamp::UNIX_EPOCH,
            base: String::new(),
            branch: None,
            delimiter: "secret-delimiter".to_owned(),
            issue: json!({"title": "Words of somebody", "author": "somebody-else"}),
            settings: json!({"models": []}),
            inputs: json!({"prompts": {"planner": "ab"}}),
        }
    }

    #[test]
    fn statements_are_of_this_change_and_hold_no_words_of_the_issue() {
        let bundle = sample();
        for (name, text) in proofs(&bundle, &head()) {
            check(&bundle, &name, text.as_bytes()).unwrap();
            for words in ["Words of", "somebody-else", "secret-delimiter"] {
                assert!(!text.contains(words), "{words} in {text}");
            }
        }
    }

    #[test]
    fn what_is_about_something_else_is_refused() {
        let bundle = sample();
        let [run, slsa] = proofs(&bundle, &head()).try_into().unwrap();
        let refused = |(name, text): &(String, String), old: &str, new: &str| {
            let other = text.replace(old, new);
            assert_ne!(&other, text, "{old}");
            check(&bundle, name, other.as_bytes())
                .unwrap_err()
                .to_string()
        };
        let other = "f".repeat(40);
        assert!(refused(&run, &bundle.head.commit, &other).ends_with("about another commit"));
        assert!(refused(&run, "\"outcome\":\"", "\"outcome\":\"not ").ends_with("than the index"));
        assert!(refused(&slsa, &bundle.base.commit, &other).ends_with("stands on another commit"));
        assert!(
            refused(&slsa, "\"invocationId\":\"", "\"invocationId\":\"x")
                .ends_with("of another run")
        );
        assert!(refused(&run, "in-toto.io/Statement/v1", "x").ends_with("no in-toto statement"));
        check(&bundle, "blackboard.json", b"[]").unwrap();
    }
}
