//! The names that a project requires.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::section;

/// Returns the names that a project requires, in every list; normalised.
pub(super) fn requirements(table: &Table) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut add = |list: Option<&Value>| {
        let list = list
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        names.extend(list.filter_map(requirement_name).map(|name| normal(&name)));
    };
    if let Some(project) = table.get("project").and_then(Value::as_table) {
        add(project.get("dependencies"));
        let optional = project
            .get("optional-dependencies")
            .and_then(Value::as_table);
        optional
            .into_iter()
            .flat_map(Table::values)
            .for_each(|list| add(Some(list)));
    }
    // Lists that a hook fills in stand with the hook.
    let hooks = section(table, &["tool", "hatch", "metadata", "hooks"]);
    for hook in hooks
        .into_iter()
        .flat_map(Table::values)
        .filter_map(Value::as_table)
    {
        add(hook.get("dependencies"));
        let optional = hook.get("optional-dependencies").and_then(Value::as_table);
        optional
            .into_iter()
            .flat_map(Table::values)
            .for_each(|list| add(Some(list)));
    }
    let groups = table.get("dependency-groups").and_then(Value::as_table);
    groups
        .into_iter()
        .flat_map(Table::values)
        .for_each(|list| add(Some(list)));
    add(section(table, &["tool", "uv"]).and_then(|uv| uv.get("dev-dependencies")));
    add(section(table, &["build-system"]).and_then(|build| build.get("requires")));
    names
}

/// Returns the name at the start of a requirement (PEP 508).
fn requirement_name(requirement: &str) -> Option<String> {
    let text = requirement.trim();
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')));
    let name = &text[..end.unwrap_or(text.len())];
    (!name.is_empty()).then(|| name.to_owned())
}

/// Whether requirements stand elsewhere: a backend reads them from other files.
pub(super) fn are_dynamic(table: &Table) -> bool {
    let dynamic = section(table, &["project"]).and_then(|project| project.get("dynamic"));
    let dynamic = dynamic.and_then(Value::as_array).into_iter().flatten();
    let mut lists = dynamic
        .filter_map(Value::as_str)
        .filter(|key| key.ends_with("dependencies"));
    let hooks = section(table, &["tool", "hatch", "metadata", "hooks"]);
    let is_with_hook = |list: &str| {
        let mut hooks = hooks.into_iter().flat_map(Table::values);
        hooks.any(|hook| hook.get(list).is_some())
    };
    lists.any(|list| !is_with_hook(list))
}

/// Returns a name as PEP 503 normalises it.
pub(super) fn normal(name: &str) -> String {
    let mut normal = String::new();
    for c in name.chars() {
        if matches!(c, '-' | '_' | '.') {
            if !normal.ends_with('-') {
                normal.push('-');
            }
        } else {
            normal.extend(c.to_lowercase());
        }
    }
    normal
}
