//! The planner's turn: an issue and a map of the repository in, a task graph out.

use serde_json::{Value, json};

use super::crew::{Silent, Wish};
use super::engine::{fits, silence};
use super::steps::Abandon;
use super::team::{Team, git};
use super::turn::{Tab, Undone};
use crate::agents::answers;
use crate::agents::board::Body;
use crate::agents::graph::{Bounds, Graph, Rules, TaskSpec, check};
use crate::agents::roles::{self, PLANNER, Role};
use crate::agents::step::End;
use crate::llm::request::Message;
use crate::prompts::prepared::DELIMITER;

/// What the planner said.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one in a run")]
pub(crate) enum Planned {
    /// A plan, and what it says about itself.
    Plan {
        tasks: Vec<TaskSpec>,
        graph: Graph,
        body: Body,
    },
    /// It needs to know more.
    Questions(Vec<String>),
}

/// So many paths stand in a map.
const MAP: usize = 3000;

impl Team<'_> {
    /// Makes the plan; `tab` is what it cost.
    pub(crate) fn plan(
        &self,
        bounds: Bounds,
        tab: &mut PlanTab,
    ) -> Result<Result<Planned, Stuck>, Abandon> {
        let tree = self
            .trees
            .tree_of(&self.store, &self.head.base)
            .map_err(git)?;
        let paths = self.trees.paths(&self.store, &tree).map_err(git)?;
        let fill = |_: &_| self.plan_values(&paths, &tree, bounds);
        let mut brief = match self.brief(PLANNER, &fill)? {
            Ok(brief) => brief,
            Err(why) => return Ok(Err(stuck(why))),
        };
        let offered = self.naming_roles(&brief.schema);
        brief.tier = self.planner.unwrap_or(brief.tier);
        let mut faults = String::new();
        for number in 1..=self.patience.slips + 1 {
            let step = format!("plan/model/{number}");
            let wish = Wish {
                task: "plan",
                role: PLANNER,
                tier: brief.tier,
                system: brief.system.as_deref(),
                mark: &self.mark,
                messages: &brief.messages,
                tools: &[],
                schema: Some(&offered),
                max_tokens: brief.max_tokens,
            };
            let heard = match self.ask(&step, &wish)? {
                Ok(heard) => heard,
                Err(silent) => return Ok(Err(Stuck::of(silent, tab))),
            };
            tab.0.heard(&heard.model, heard.usd);
            let text = heard.answer.text();
            let found = answers::object(&text);
            // Everybody reads the plan, and so does whoever opens the draft.
            let said = found.as_ref().map(Value::to_string).unwrap_or_default();
            if let Some(leak) = self.guard.leak(&text).or_else(|| self.guard.leak(&said)) {
                let why = format!("the planner wrote what nobody may know: {leak}");
                return Ok(Err(stuck(why)));
            }
            let found = found.and_then(|found| fits(&brief.schema, found));
            match found.and_then(|found| self.read_plan(&found, &paths, bounds)) {
                Ok(planned) => return Ok(Ok(planned)),
                Err(fault) => faults = fault,
            }
            brief.messages.push(Message {
                is_from_model: true,
                parts: heard.answer.parts,
            });
            let words = format!("The plan cannot be taken: {faults}\n\nWrite it again, whole.");
            brief.messages.push(Message::ask(words));
        }
        Ok(Err(stuck(format!("no plan could be taken: {faults}"))))
    }

    /// A schema that allows this team's roles only: where a server holds answers to it, no others are named.
    fn naming_roles(&self, schema: &Value) -> Value {
        let mut schema = schema.clone();
        let role = schema.pointer_mut("/properties/tasks/items/properties/role");
        if let Some(Value::Object(role)) = role {
            let names = self.roles.iter().map(|role| role.name.as_str());
            role.insert("enum".to_owned(), names.collect());
        }
        schema
    }

    fn plan_values(
        &self,
        paths: &[String],
        tree: &str,
        bounds: Bounds,
    ) -> Result<serde_json::Map<String, Value>, Abandon> {
        let roles = self.roles.iter();
        let roles: Vec<Value> = roles
            .map(|role| json!({"name": role.name, "does": told(role)}))
            .collect();
        let mut issue = self.head.issue.clone();
        if let Value::Object(fields) = &mut issue {
            // Where it stands is nothing for a model.
            fields.remove("url");
            fields.remove("author");
        }
        let mut values = json!({
            DELIMITER: self.head.delimiter,
            "issue": issue,
            "repository": {"map": map(paths), "languages": []},
            "roles": roles,
            "commands": self.commands,
            "limits": {"tasks": bounds.tasks, "files_per_task": bounds.files},
        });
        if let Some(conventions) = self.conventions(tree)? {
            values["conventions"] = conventions;
        }
        Ok(match values {
            Value::Object(values) => values,
            _ => serde_json::Map::new(),
        })
    }

    /// Holds a plan against its bounds; the error is for the model.
    fn read_plan(
        &self,
        found: &Value,
        paths: &[String],
        bounds: Bounds,
    ) -> Result<Planned, String> {
        let texts = |name: &str| -> Vec<String> {
            let all = found[name].as_array().into_iter().flatten();
            all.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        if found["verdict"] == "needs-answers" {
            let questions = texts("questions");
            if questions.is_empty() {
                return Err("the verdict is `needs-answers`, and there is no question".to_owned());
            }
            return Ok(Planned::Questions(questions));
        }
        let mut tasks: Vec<TaskSpec> =
            serde_json::from_value(found["tasks"].clone()).map_err(|error| error.to_string())?;
        let rules = Rules {
            bounds,
            is_role: &|name| self.role(name).is_some(),
            commands: &|name| self.commands_for(name),
            may_change: &|name, path| self.role(name).is_none_or(|role| role.may_name(path)),
            has_file: &|path| {
                paths
                    .binary_search_by(|known| known.as_str().cmp(path))
                    .is_ok()
            },
        };
        let join = |faults: Vec<crate::agents::graph::Fault>| {
            let words: Vec<String> = faults.iter().map(ToString::to_string).collect();
            words.join("; ")
        };
        check(&tasks, &rules).map_err(join)?;
        roles::complete(&mut tasks, &self.roles);
        let rules = Rules {
            bounds: Bounds {
                tasks: bounds.tasks + self.roles.len(),
                ..bounds
            },
            ..rules
        };
        let graph = check(&tasks, &rules).map_err(join)?;
        let body = Body::Plan {
            summary: found["summary"].as_str().unwrap_or_default().to_owned(),
            tasks: tasks.clone(),
            risks: found["risks"].as_array().cloned().unwrap_or_default(),
            assumptions: texts("assumptions"),
        };
        Ok(Planned::Plan { tasks, graph, body })
    }
}

/// Says what a role does, and where it may less than others.
fn told(role: &Role) -> String {
    let mut words = role.does.clone();
    for (what, list) in [
        ("changes nothing but", &role.paths),
        ("runs nothing but", &role.commands),
    ] {
        if !list.is_empty() {
            words.push_str(&format!("; {what} {}", list.join(", ")));
        }
    }
    words
}

/// What planning cost.
#[derive(Debug, Default)]
pub(crate) struct PlanTab(pub(super) Tab);

impl PlanTab {
    pub(crate) fn usd(&self) -> crate::money::Usd {
        self.0.usd
    }
}

/// Why there is no plan.
#[derive(Debug)]
pub(crate) struct Stuck {
    pub(crate) want: Want,
    pub(crate) why: String,
}

/// What is wanting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Want {
    Money,
    /// The provider was not reached, or did not answer; another time it may.
    Provider,
    /// A plan that can be taken.
    Sense,
}

fn stuck(why: impl Into<String>) -> Stuck {
    Stuck {
        want: Want::Sense,
        why: why.into(),
    }
}

impl Stuck {
    fn of(silent: Silent, tab: &mut PlanTab) -> Self {
        let Undone { end, why } = silence(silent, &mut tab.0);
        let want = match end {
            End::Money => Want::Money,
            End::Broken => Want::Provider,
            _ => Want::Sense,
        };
        Self { want, why }
    }
}

/// Returns the paths of a repository; where there are too many, folders with counts stand for the deepest.
fn map(paths: &[String]) -> String {
    if paths.len() <= MAP {
        return paths.join("\n");
    }
    // As deep as it fits.
    for depth in (1..=12).rev() {
        let mut folders: std::collections::BTreeMap<String, usize> =
            std::collections::BTreeMap::new();
        for path in paths {
            let parts: Vec<&str> = path.split('/').collect();
            let name = if parts.len() > depth {
                format!("{}/", parts[..depth].join("/"))
            } else {
                path.clone()
            };
            *folders.entry(name).or_default() += 1;
        }
        if folders.len() <= MAP {
            let lines = folders.into_iter().map(|(name, count)| {
                if name.ends_with('/') {
                    format!("{name} ({count} files)")
                } else {
                    name
                }
            });
            return lines.collect::<Vec<_>>().join("\n");
        }
    }
    format!("{} files", paths.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_repository_is_told_by_its_folders() {
        let few = vec!["a".to_owned(), "b/c".to_owned()];
        assert_eq!(map(&few), "a\nb/c");
        let many: Vec<String> = (0..=MAP)
            .map(|at| format!("src/part{}/file{at}.rs", at % 7))
            .collect();
        let text = map(&many);
        assert_eq!(text.lines().count(), 7);
        assert!(text.contains("src/part0/ (429 files)"), "{text}");
    }
}
