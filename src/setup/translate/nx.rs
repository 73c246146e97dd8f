//! nx (`nx.json`, `project.json`): targets become jobs, shared inputs run everything, and projects without a package become components.
//!
//! nx reads imports to know who depends on whom; plans read manifests. So that nothing is skipped that nx would have run, libraries without a
//! `package.json` are one component together, and every application of that kind depends on it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{LEFT_OUT, NOTHING, WIDER, from_top};
use crate::plan::jsonc;
use crate::plan::sources::folder_of;
use crate::setup::{Component, Job, Proposal, Seen, slug, stacks};

/// The component of all libraries without a package.
const LIBRARIES: &str = "nx-libraries";

/// Targets that check a change.
const CHECKS: &[&str] = &["build", "lint", "test", "typecheck", "e2e"];

/// A `project.json`.
struct Member {
    dir: String,
    name: String,
    is_application: bool,
    targets: BTreeSet<String>,
    implicit: Vec<String>,
}

pub(super) fn translate(seen: Seen<'_>, proposal: &mut Proposal) {
    let Some(text) = seen.sources.text("nx.json") else {
        proposal.notice(NOTHING, ".", "there is no nx.json at the top");
        return;
    };
    let config = match jsonc::read(text) {
        Ok(config) => config,
        Err(words) => {
            proposal.notice(NOTHING, "nx.json", words);
            return;
        }
    };
    shared_inputs(&config, proposal);
    let members = members(seen, proposal);
    let projects = components(seen, &members, proposal);
    let mut targets: BTreeSet<String> =
        members.iter().flat_map(|one| one.targets.clone()).collect();
    targets.extend(keys(config.get("targetDefaults")));
    targets.extend(scripts(seen));
    let (install, runner) = stacks::package_manager(seen);
    for target in CHECKS.iter().filter(|target| targets.contains(**target)) {
        proposal.add(Job {
            name: (*target).to_owned(),
            projects: projects.clone(),
            run: Some(format!("{install} && {runner} nx run-many -t {target}")),
            comments: vec![format!("Was the target `{target}` of nx.")],
            tools: stacks::package_tools(seen),
            ..Job::default()
        });
    }
    let others: Vec<&str> = targets
        .iter()
        .map(String::as_str)
        .filter(|target| !CHECKS.contains(target))
        .collect();
    if !others.is_empty() {
        let words = format!(
            "targets that are no checks by their names: {}",
            others.join(", ")
        );
        proposal.notice(LEFT_OUT, "nx.json", words);
    }
    for key in ["plugins", "implicitDependencies"] {
        if config.get(key).is_some() {
            let words = format!("`{key}`: what it infers is not read");
            proposal.notice(LEFT_OUT, "nx.json", words);
        }
    }
    if proposal.jobs.is_empty() {
        proposal.notice(
            NOTHING,
            "nx.json",
            "no project has a target that checks a change",
        );
    }
}

fn keys(value: Option<&Value>) -> impl Iterator<Item = String> {
    let map = value.and_then(Value::as_object).into_iter().flatten();
    map.map(|(key, _)| key.clone())
}

/// Scripts of packages are targets to nx.
fn scripts(seen: Seen<'_>) -> BTreeSet<String> {
    let packages = seen.graph.projects().filter(|(_, project)| {
        project.kind == crate::plan::graph::Kind::Npm && !project.dir.is_empty()
    });
    let manifests = packages.filter_map(|(_, project)| {
        seen.sources
            .json(&format!("{}/package.json", project.dir))?
            .ok()
    });
    manifests
        .flat_map(|manifest| keys(manifest.get("scripts")).collect::<Vec<_>>())
        .filter(|script| CHECKS.contains(&script.as_str()))
        .collect()
}

/// Files at the top that named inputs and targets share.
fn shared_inputs(config: &Value, proposal: &mut Proposal) {
    let named = config.get("namedInputs").and_then(Value::as_object);
    let defaults = config.get("targetDefaults").and_then(Value::as_object);
    let lists = named.into_iter().flatten().map(|(_, list)| list);
    let inputs = defaults
        .into_iter()
        .flatten()
        .filter_map(|(_, target)| target.get("inputs"));
    let mut is_narrowed = false;
    for input in lists.chain(inputs).filter_map(Value::as_array).flatten() {
        let text = input
            .as_str()
            .or_else(|| input.get("fileset").and_then(Value::as_str));
        let Some(text) = text else {
            if input.get("env").is_some() || input.get("runtime").is_some() {
                let words = "inputs that are variables or programs: plans look at files only";
                proposal.notice(LEFT_OUT, "nx.json", words);
            }
            continue;
        };
        match from_top(text, &["{workspaceRoot}"]) {
            Some(path) if !path.starts_with("**") => proposal.run_all_on.push(path.to_owned()),
            Some(_) => {}
            None => is_narrowed |= text.starts_with("!{projectRoot}"),
        }
    }
    let seen: BTreeSet<String> = proposal.run_all_on.drain(..).collect();
    proposal.run_all_on.extend(seen);
    if is_narrowed {
        let words = "inputs that leave out files of a project: ours is a project's every file";
        proposal.notice(WIDER, "nx.json", words);
    }
}

fn members(seen: Seen<'_>, proposal: &mut Proposal) -> Vec<Member> {
    let paths = seen.sources.tree.iter().map(|(path, _)| path.to_owned());
    let files: Vec<String> = paths
        .filter(|path| path.ends_with("/project.json") && !path.contains("node_modules/"))
        .collect();
    let mut members = Vec::new();
    for path in files {
        let text = seen.sources.text(&path).unwrap_or_default();
        let project = match jsonc::read(text) {
            Ok(project) => project,
            Err(words) => {
                proposal.notice(LEFT_OUT, path, words);
                continue;
            }
        };
        let dir = folder_of(&path).to_owned();
        let word = |key: &str| project.get(key).and_then(Value::as_str);
        let implicit = project
            .get("implicitDependencies")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        members.push(Member {
            name: word("name").map_or_else(|| dir.clone(), str::to_owned),
            is_application: word("projectType") == Some("application"),
            targets: keys(project.get("targets")).collect(),
            implicit: implicit
                .filter_map(Value::as_str)
                .filter(|on| !on.starts_with('!'))
                .map(str::to_owned)
                .collect(),
            dir,
        });
    }
    members
}

/// Makes components of what has no package; returns what selects every project.
fn components(seen: Seen<'_>, members: &[Member], proposal: &mut Proposal) -> Vec<String> {
    let has_package = |dir: &str| seen.sources.has(&format!("{dir}/package.json"));
    let bare: Vec<&Member> = members
        .iter()
        .filter(|one| !has_package(&one.dir))
        .collect();
    let has_packages = seen
        .graph
        .projects()
        .any(|(_, project)| project.kind == crate::plan::graph::Kind::Npm);
    let mut selectors = Vec::new();
    if has_packages {
        selectors.push("npm".to_owned());
    }
    if bare.is_empty() {
        return selectors;
    }
    selectors.push("component".to_owned());
    let libraries: Vec<&&Member> = bare.iter().filter(|one| !one.is_application).collect();
    if !libraries.is_empty() {
        proposal.components.push(Component {
            name: LIBRARIES.to_owned(),
            paths: libraries
                .iter()
                .map(|one| format!("{}/**", one.dir))
                .collect(),
            depends_on: Vec::new(),
        });
        let words = "who imports which library is not read: every application depends on all of them; split the component where you know better";
        proposal.notice(WIDER, "nx.json", words);
    }
    let name_of = |on: &str| {
        let found = bare.iter().find(|one| one.name == on)?;
        Some(if found.is_application {
            slug(on)
        } else {
            LIBRARIES.to_owned()
        })
    };
    for one in bare.iter().filter(|one| one.is_application) {
        let mut on: BTreeSet<String> = one.implicit.iter().filter_map(|on| name_of(on)).collect();
        if !libraries.is_empty() {
            on.insert(LIBRARIES.to_owned());
        }
        let name = slug(&one.name);
        on.remove(&name);
        if proposal.components.iter().any(|known| known.name == name) {
            let words = format!("a second project is called `{name}`: it is part of the first");
            proposal.notice(LEFT_OUT, &one.dir, words);
            let known = proposal
                .components
                .iter_mut()
                .find(|known| known.name == name);
            if let Some(known) = known {
                known.paths.push(format!("{}/**", one.dir));
            }
            continue;
        }
        proposal.components.push(Component {
            name,
            paths: vec![format!("{}/**", one.dir)],
            depends_on: on.into_iter().collect(),
        });
    }
    selectors
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup::tests::look;

    const NX: &str = r#"{
        "namedInputs": {"default": ["{projectRoot}/**/*", "sharedGlobals"], "sharedGlobals": ["{workspaceRoot}/babel.config.json"],
                        "production": ["default", "!{projectRoot}/**/*.spec.ts"]},
        "targetDefaults": {"build": {"dependsOn": ["^build"]}, "serve": {}}
    }"#;

    #[test]
    fn targets_shared_inputs_and_bare_projects_are_taken_over() {
        let files = [
            (
                "apps/shop/project.json",
                r#"{"name": "shop", "projectType": "application", "targets": {"test": {}}, "implicitDependencies": ["api"]}"#,
            ),
            (
                "apps/api/project.json",
                r#"{"name": "api", "projectType": "application", "targets": {"test": {}}}"#,
            ),
            (
                "libs/ui/project.json",
                r#"{"name": "ui", "projectType": "library"}"#,
            ),
            ("nx.json", NX),
            ("package-lock.json", "{}"),
            ("package.json", r#"{"name": "root"}"#),
        ];
        look(&files, |seen| {
            let mut proposal = Proposal::default();
            translate(seen, &mut proposal);
            let jobs: Vec<_> = proposal.jobs.iter().map(|job| job.name.as_str()).collect();
            assert_eq!(jobs, ["build", "test"]);
            assert_eq!(
                proposal.jobs[1].run.as_deref(),
                Some("npm ci && npx nx run-many -t test")
            );
            assert_eq!(proposal.jobs[1].projects, ["npm", "component"]);
            assert_eq!(proposal.run_all_on, ["babel.config.json"]);
            let components: Vec<_> = proposal
                .components
                .iter()
                .map(|one| format!("{} <- {}", one.name, one.depends_on.join(" ")))
                .collect();
            assert_eq!(
                components,
                [
                    "nx-libraries <- ",
                    "api <- nx-libraries",
                    "shop <- api nx-libraries"
                ]
            );
            let codes: Vec<_> = proposal.notices.iter().map(|one| one.code).collect();
            assert_eq!(codes, [WIDER, WIDER, LEFT_OUT]);
        });
    }

    #[test]
    fn nothing_to_take_over_is_said() {
        for files in [vec![], vec![("nx.json", "{}")], vec![("nx.json", "[")]] {
            look(&files, |seen| {
                let mut proposal = Proposal::default();
                translate(seen, &mut proposal);
                assert_eq!(proposal.notices.last().unwrap().code, NOTHING);
            });
        }
    }
}
