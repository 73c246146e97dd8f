//! The other engine: somebody else's program works in the work tree, behind the gateway, and what it changed is taken from git.

use serde_json::{Value, json};

use super::crew::{Agent, Came, Errand, Ran};
use super::engine::{Done, Workplace, fits};
use super::steps::Abandon;
use super::team::{Team, git, input, step_name};
use super::turn::{Tab, Undone, as_text, tier_of, told, undone};
use crate::agents::answers;
use crate::agents::roles::{Proof, Right};
use crate::agents::step::End;

/// What a program is told after a role's prompt, which was written for a model without hands.
const HANDS: &str = "\
## How you work here

You are in the work tree of the repository. Look around and change files there with your own tools; `edits` of your answer stays `[]`. Change nothing outside of `may_change`, and nothing outside of this folder. Do not commit, and do not change git's own files.
When you are done, write your answer, one JSON object as described above, into the file that the environment variable MAESTRO_ANSWER names.";

impl Team<'_> {
    /// Lets a program do a turn.
    pub(super) fn errand(
        &self,
        place: &mut Workplace<'_>,
        tab: &mut Tab,
        agent: &dyn Agent,
    ) -> Result<Result<Done, Undone>, Abandon> {
        let fill = |declared: &_| self.values(place, declared);
        let brief = match self.brief(&place.role.prompt, &fill)? {
            Ok(brief) => brief,
            Err(why) => return Ok(undone(End::Hopeless, why)),
        };
        let schema = &brief.schema;
        let shown = crate::json::pretty(schema).unwrap_or_default();
        let text = format!(
            "{}\n\n{HANDS}\n\nThe JSON Schema of the answer:\n\n{shown}\n",
            brief.text()
        );
        let tier = tier_of(place, brief.tier);
        let step = step_name(&place.spec.id, place.turn, "agent", 1);
        let input = input(&[&text, &self.models[tier as usize], &place.tree]);
        let before = place.tree.clone();
        let result = self.steps.perform(&step, input, || {
            let mut came = agent.work(&Errand {
                task: &place.spec.id,
                role: &place.spec.role,
                tier,
                folder: &place.folder,
                prompt: &text,
            })?;
            let tree = self.taken(place, &before, &mut came.ran)?;
            let mut patch = Vec::new();
            if tree != before {
                let changes = self
                    .trees
                    .changes(&self.store, &before, &tree)
                    .map_err(git)?;
                let paths: Vec<String> = changes.into_iter().map(|change| change.path).collect();
                patch = self
                    .trees
                    .patch(&self.store, &before, &tree, &paths)
                    .map_err(git)?;
            }
            let output = came
                .ran
                .output
                .replace(&*place.folder.to_string_lossy(), ".");
            Ok(json!({
                "code": came.ran.code,
                "ended": came.ran.ended,
                "output": output,
                "usd": came.usd,
                "models": came.models,
                "is_out_of_money": came.is_out_of_money,
                "is_at_task_cap": came.is_at_task_cap,
                "answer": came.answer,
                "tree": tree,
                "patch": as_text(patch),
            }))
        })?;
        self.catch_up(place, &step, &result)?;
        let came = came(&result);
        for model in &came.models {
            tab.heard(model, crate::money::Usd::ZERO);
        }
        tab.usd = tab.usd.saturating_add(came.usd);
        Ok(taken(place, &came, schema))
    }
}

/// Reads what a program left.
fn taken(place: &Workplace<'_>, came: &Came, schema: &Value) -> Result<Done, Undone> {
    let is_idle = place.tree == place.ground.tree;
    let fail = |end: End, why: String| Undone { end, why };
    if came.is_out_of_money {
        let (end, whose) = if came.is_at_task_cap {
            (End::Hopeless, "its task has reached its cap")
        } else {
            (End::Money, "there is no money for it")
        };
        return Err(fail(end, format!("the gateway refused a call: {whose}")));
    }
    let must_change = matches!(place.role.right, Right::Scope | Right::NewFiles);
    if !came.ran.is_fine() && is_idle {
        return Err(fail(End::Broken, told("the agent", &came.ran)));
    }
    let answer = came.answer.as_deref().map(|text| {
        answers::object(text).map(|mut found| {
            if found["edits"].is_null() && schema["properties"]["edits"].is_object() {
                found["edits"] = json!([]);
            }
            found
        })
    });
    let answer = match answer {
        Some(Ok(found)) => fits(schema, found),
        Some(Err(fault)) => Err(fault),
        None if matches!(place.role.proof, Proof::Commands | Proof::Tests) => {
            let last = came
                .ran
                .output
                .lines()
                .rev()
                .find(|line| !line.trim().is_empty());
            Ok(json!({"summary": last.unwrap_or_default()}))
        }
        None => Err("it left no answer in $MAESTRO_ANSWER".to_owned()),
    };
    let answer = answer
        .map_err(|fault| fail(End::Refused, format!("its answer cannot be taken: {fault}")))?;
    let blocked = answer["blocked"].as_str().unwrap_or_default().trim();
    if is_idle && !blocked.is_empty() {
        return Err(fail(
            End::Hopeless,
            format!("it says that it cannot be done: {blocked}"),
        ));
    }
    if is_idle && must_change && !came.ran.is_fine() {
        return Err(fail(End::Broken, told("the agent", &came.ran)));
    }
    Ok(Done { answer })
}

fn came(result: &Value) -> Came {
    let text = |name: &str| result[name].as_str().map(str::to_owned);
    let models = result["models"].as_array().into_iter().flatten();
    Came {
        ran: Ran {
            code: result["code"]
                .as_i64()
                .and_then(|code| i32::try_from(code).ok()),
            ended: text("ended"),
            output: text("output").unwrap_or_default(),
        },
        usd: text("usd")
            .and_then(|usd| usd.parse().ok())
            .unwrap_or_default(),
        models: models
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        is_out_of_money: result["is_out_of_money"] == true,
        is_at_task_cap: result["is_at_task_cap"] == true,
        answer: text("answer"),
    }
}
