//! The parts of a rule, and the first that is missing: what to write next, and where. It looks at files only, so that a tree that does not compile
//! can be asked as well: `tests/suite/newcomer.rs` does.
#![allow(
    clippy::disallowed_methods,
    reason = "sources and pages lie on the disk"
)]

use std::fs;
use std::path::Path;

/// Where rules lie.
const RULES: &str = "src/policy/rules";

/// Where their pages lie.
const PAGES: &str = "docs/policy";

/// Says what is missing of the first rule that is not whole.
pub(crate) fn missing(root: &Path) -> Option<String> {
    let table = read(root, &format!("{RULES}/mod.rs")).unwrap_or_default();
    let mut modules = names(root, RULES, ".rs");
    modules.retain(|module| module != "mod" && module != "tests");
    modules
        .iter()
        .find_map(|module| missing_of(root, module, &table))
}

fn missing_of(root: &Path, module: &str, table: &str) -> Option<String> {
    let source = format!("{RULES}/{module}.rs");
    let name = module.replace('_', "-");
    let text = read(root, &source)?;
    let settings = text
        .split_once("\nimpl Rule for ")
        .and_then(|(_, rest)| rest.split_once(' '))
        .map(|(settings, _)| settings);
    let Some(settings) = settings else {
        return Some(format!(
            "{source} is no rule: give it the settings, an `ABOUT` and an `impl Rule for` them, as {RULES}/title.rs has it; what rules share lies in src/policy"
        ));
    };
    if !text.contains(&format!("\n    name: \"{name}\",\n")) {
        return Some(format!(
            "{source} should call its rule as the file is called: `name: \"{name}\",` in `ABOUT`"
        ));
    }
    let tests = format!("{RULES}/{module}/tests.rs");
    let cases = read(root, &tests).unwrap_or_default();
    let is_about = cases.contains(&format!("rule: {name}")) || cases.contains(settings);
    if !(cases.contains("#[test]\n") && is_about) {
        return Some(format!(
            "the rule `{name}` has no tests: write {tests}, with a change that it finds and one that it leaves alone, as {RULES}/title/tests.rs has them"
        ));
    }
    if !text.ends_with("\n#[cfg(test)]\nmod tests;\n") {
        return Some(format!(
            "nobody runs {tests}: end {source} with the lines `#[cfg(test)]` and `mod tests;`"
        ));
    }
    if page(root, &name).is_none() {
        return Some(format!(
            "the rule `{name}` has no page: write {}, with its heading, what the rule reports, why that matters and how it is judged, an example, and what helps, as {} has them",
            page_path(&name),
            page_path("title")
        ));
    }
    let row = format!("    {module}: {settings};\n");
    if !table.contains(&row) {
        let before = rows(table).filter(|other| *other < module).last();
        let place = before.map_or_else(
            || "as the first".to_owned(),
            |before| format!("behind `{before}`"),
        );
        return Some(format!(
            "the rule `{name}` is in no table: write the line `{}` {place} in `rules!` of {RULES}/mod.rs",
            row.trim()
        ));
    }
    None
}

/// Returns the modules that the table names.
fn rows(table: &str) -> impl Iterator<Item = &str> {
    let (_, rows) = table.split_once("\nrules! {\n").unwrap_or_default();
    let rows = rows.lines().take_while(|line| *line != "}");
    rows.filter_map(|row| row.trim().split_once(": ").map(|(module, _)| module))
}

pub(crate) fn page_path(name: &str) -> String {
    format!("{PAGES}/{name}.md")
}

pub(crate) fn page(root: &Path, name: &str) -> Option<String> {
    read(root, &page_path(name))
}

/// Returns the paths of pages that belong to no file of a rule.
pub(crate) fn pages_without_rule(root: &Path) -> Vec<String> {
    let mut names = names(root, PAGES, ".md");
    names.retain(|name| {
        !root
            .join(RULES)
            .join(name.replace('-', "_") + ".rs")
            .exists()
    });
    names.iter().map(|name| page_path(name)).collect()
}

fn read(root: &Path, path: &str) -> Option<String> {
    fs::read_to_string(root.join(path)).ok()
}

/// Returns what is called so in a folder, without the ending, sorted.
fn names(root: &Path, folder: &str, ending: &str) -> Vec<String> {
    let entries = fs::read_dir(root.join(folder)).into_iter().flatten();
    let names = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(ending).map(str::to_owned));
    let mut names: Vec<String> = names.collect();
    names.sort_unstable();
    names
}
