//! Generated files: `docs/reference` and `schemas`. `MAESTRO_BLESS=1 cargo test generated` writes them anew.

use std::fs;

use std::collections::BTreeSet;

use crate::harness::{Maestro, assert_published, files_below, package};

const SCHEMAS: [&str; 91] = [
    "doctor",
    "init",
    "init-remove",
    "init-files",
    "agent-answers",
    "audit",
    "agent-run",
    "agent-bundle",
    "agent-intake",
    "agent-publish",
    "budget-forecast",
    "budget-import",
    "budget-lease",
    "budget-prices",
    "budget-prices-diff",
    "budget-prices-import",
    "budget-reserve",
    "budget-set",
    "budget-settle",
    "budget-status",
    "call",
    "call-plan",
    "change",
    "check-policy",
    "ci-budget",
    "config",
    "config-show",
    "demo",
    "dora",
    "dora-explain",
    "dora-kpi",
    "dora-space",
    "explain",
    "flakes-backfill",
    "flakes-escalate",
    "exec",
    "flakes-gate",
    "gate",
    "flakes-ingest",
    "flakes-quarantine",
    "flakes-report",
    "flakes-skip",
    "fleet-diff",
    "gateway",
    "learning-pack",
    "learning-pack-repos",
    "lease",
    "notification",
    "notify",
    "plan",
    "plan-explain",
    "plan-lint",
    "plan-replay",
    "plan-shard",
    "policy",
    "policy-baseline",
    "policy-input",
    "policy-task",
    "observe-export",
    "observe-files",
    "pr-health",
    "price",
    "price-batch",
    "prompt",
    "prompt-file",
    "prompts",
    "prompts-convert",
    "prompts-lint",
    "prompts-test",
    "provenance",
    "provenance-generate",
    "provenance-keygen",
    "provenance-show",
    "provenance-sign",
    "provenance-verify",
    "quarantine",
    "route",
    "route-backtest",
    "route-batch",
    "run-plan",
    "run-story",
    "state-compact",
    "state-doctor",
    "state-export",
    "state-fold",
    "state-ingest",
    "state-pack",
    "state-pull",
    "state-push",
    "state-sync",
    "state-verify",
];

#[test]
fn schemas_are_published() {
    let maestro = Maestro::in_folder();
    for name in SCHEMAS {
        // The binary hands out what lay there when it was built; `cli::schemas` holds that against the types.
        let text = maestro.run(["util", "schema", name]).success().stdout;
        let published = fs::read_to_string(package().join(format!("schemas/{name}.json"))).unwrap();
        assert!(
            std::env::var_os("MAESTRO_BLESS").is_some() || text == published,
            "{name}"
        );
    }
    let help = maestro.run(["util", "schema", "--help"]).success().stdout;
    let published = fs::read_dir(package().join("schemas")).unwrap().count();
    assert_eq!(
        published,
        SCHEMAS.len(),
        "schemas/ and the list in this test differ"
    );
    for name in SCHEMAS {
        assert!(help.contains(name));
    }
}

/// Returns the commands that a help text lists.
fn commands(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let rows = lines.take_while(|line| !line.is_empty());
    let names = rows.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let names = names.filter(|name| !name.is_empty() && *name != "help");
    names.map(str::to_owned).collect()
}

#[test]
fn the_command_reference_is_published() {
    let maestro = Maestro::in_folder();
    let mut text = String::from("# Commands\n\nGenerated from `--help`.\n");
    let help = |path: &[String]| {
        let args = path.iter().map(String::as_str).chain(["--help"]);
        maestro.run(args).success().stdout
    };
    // Every command that has no commands of its own, or does something by itself.
    let mut open: Vec<Vec<String>> = vec![Vec::new()];
    while let Some(path) = open.pop() {
        let help = help(&path);
        let below = commands(&help);
        let usage = help.lines().find(|line| line.starts_with("Usage:"));
        let runs_by_itself = usage.is_some_and(|usage| !usage.contains("<COMMAND>"));
        if runs_by_itself && !path.is_empty() {
            let (name, help) = (path.join(" "), help.trim_end());
            text.push_str(&format!("\n## `maestro {name}`\n\n```text\n{help}\n```\n"));
        }
        let below = below.into_iter().rev();
        open.extend(below.map(|name| [path.as_slice(), &[name]].concat()));
    }
    assert_published("docs/reference/cli.md", &text);
}

#[test]
fn what_can_be_explained_is_published() {
    let maestro = Maestro::in_folder();
    let topics = maestro.json(&["explain"])["topics"].clone();
    let mut notes = String::from(
        "# Notes of the report reader\n\nGenerated from `maestro explain`. Each recovery is a note with its code and a byte offset.\n",
    );
    let mut verdicts = String::from("# Verdicts\n\nGenerated from `maestro explain`.\n");
    let mut plans = String::from("# Codes of plans\n\nGenerated from `maestro explain`.\n");
    let mut rules = String::from(
        "# Rules of prompts\n\nGenerated from `maestro explain`. `maestro prompts lint` applies them; what each says is an error unless it is called a warning or a notice.\n",
    );
    let mut proofs = String::from(
        "# Why a document is not verified\n\nGenerated from `maestro explain`. `maestro provenance verify` exits with 14 when one of these says that something is wrong, and with 15 when all of them say that nobody here can tell.\n",
    );
    let mut policy = String::from(
        "# Rules of policies\n\nGenerated from `maestro explain`. [policy.md](../policy.md) says how a policy is written; `maestro util schema policy` what each rule takes.\n\n| rule | what it reports |\n|---|---|\n",
    );
    let mut codes = String::new();
    let mut environment = String::new();
    let mut kinds = String::new();
    let mut reasons = String::from(
        "# Why parts of an artifact are refused\n\nGenerated from `maestro explain`. `maestro state ingest` refuses each part by itself; the rest is stored.\n",
    );
    for topic in topics.as_array().unwrap() {
        let field = |name: &str| topic[name].as_str().unwrap().to_owned();
        let (code, what, full) = (field("code"), field("what"), field("text"));
        let section = format!(
            "\n## `{code}`\n\n{}{}.\n\n{full}\n",
            what[..1].to_uppercase(),
            &what[1..]
        );
        match code.split_once('/') {
            Some(("junit", _)) => notes.push_str(&section),
            Some(("flakes", _)) => verdicts.push_str(&section),
            Some(("plan", _)) => plans.push_str(&section),
            Some(("prompts", _)) => rules.push_str(&section),
            Some(("provenance", _)) => proofs.push_str(&section),
            Some(("policy", name)) => {
                policy.push_str(&format!("| [`{name}`](../policy/{name}.md) | {what} |\n"));
            }
            Some(("artifact", _)) => reasons.push_str(&format!("\n## `{code}`\n\n{full}\n")),
            _ if code == "event-kinds" => kinds = full,
            _ if code == "exit-codes" => codes = full,
            _ if code == "environment" => environment = full,
            _ => {}
        }
    }
    assert_published("docs/reference/notes.md", &notes);
    assert_published("docs/reference/verdicts.md", &verdicts);
    assert_published("docs/reference/plan-codes.md", &plans);
    assert_published("docs/reference/prompt-rules.md", &rules);
    assert_published("docs/reference/provenance-codes.md", &proofs);
    assert_published("docs/reference/policy-rules.md", &policy);
    assert_published("docs/reference/artifacts.md", &reasons);
    let mut text = String::from(
        "# Kinds of event\n\nGenerated. An event of a kind that is not listed is kept and not read.\n\n| kind | room | written by | from artifacts | payload |\n|---|---|---|---|---|\n",
    );
    for line in kinds.split(" \u{b7} ") {
        let (name, rest) = line.split_once(": room ").unwrap();
        let rest = rest.replace("written by ", "").replace("; ", " | ");
        text.push_str(&format!("| `{name}` | {rest} |\n"));
    }
    assert_published("docs/reference/event-kinds.md", &text);
    let mut text = String::from(
        "# Exit codes\n\nGenerated. Every number that is not listed is reserved; the code never depends on `--format`.\n\n| code | meaning |\n|---|---|\n",
    );
    for line in codes.split(" \u{b7} ") {
        let (code, meaning) = line.split_once(' ').unwrap();
        text.push_str(&format!("| {code} | {meaning} |\n"));
    }
    assert_published("docs/reference/exit-codes.md", &text);
    let mut text = String::from(
        "# Settings\n\nGenerated. Order: flag, environment, file, default; a variable that is empty is not set.\n\n| flag, variable, key | what |\n|---|---|\n",
    );
    for line in environment.split(" \u{b7} ") {
        let (names, what) = line.split_once(": ").unwrap();
        text.push_str(&format!("| {names} | {what} |\n"));
    }
    assert_published("docs/reference/settings.md", &text);
}

/// Whether a text is the name of a variable that is maestro's, GitHub's, or one of the terminal's and of tools that are called.
fn is_variable(text: &str) -> bool {
    const BEGINNINGS: [&str; 9] = [
        "MAESTRO_",
        "GITHUB_",
        "RUNNER_",
        "OTEL_",
        "GIT_",
        "GH_",
        "ANTHROPIC_",
        "OPENAI_",
        "CLICOLOR",
    ];
    const WHOLE: [&str; 8] = [
        "CI",
        "NO_COLOR",
        "TERM",
        "TZDIR",
        "SOURCE_DATE_EPOCH",
        "SHARD",
        "SHARD_INDEX",
        "SHARD_TOTAL",
    ];
    let is_name = |text: &str| {
        text.bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
    };
    let begins = BEGINNINGS.iter().any(|way| text.starts_with(way));
    is_name(text) && !text.ends_with('_') && (begins || WHOLE.contains(&text))
}

/// Returns what stands between two marks, line by line.
fn between(text: &str, mark: char) -> impl Iterator<Item = &str> {
    text.lines()
        .flat_map(move |line| line.split(mark).skip(1).step_by(2))
}

/// Returns the variables that sources name, their tests left out: as an argument of `var`, or by a name that is nothing else.
fn variables_of_the_sources() -> BTreeSet<String> {
    let root = package().join("src");
    let mut found = BTreeSet::new();
    for path in files_below(&root) {
        let name = path
            .strip_prefix(&root)
            .unwrap()
            .to_string_lossy()
            .into_owned();
        let is_test = name.contains("tests")
            || name.contains("trials")
            || name.contains("demo")
            || name.contains("reported");
        if is_test || path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap();
        let code: String = code
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .map(|line| format!("{line}\n"))
            .collect();
        found.extend(
            between(&code, '"')
                .filter(|text| is_variable(text))
                .map(str::to_owned),
        );
        for (at, call) in code.match_indices("var(\"") {
            let rest = &code[at + call.len()..];
            found.insert(rest[..rest.find('"').unwrap()].to_owned());
        }
    }
    found
}

#[test]
fn every_variable_of_the_environment_is_documented() {
    // What only tests of the library read.
    const OF_TESTS: [&str; 4] = [
        "MAESTRO_BLESS",
        "MAESTRO_MERGES",
        "MAESTRO_OBSERVE_FILES",
        "MAESTRO_OBSERVE_NOW",
    ];
    let mut found = variables_of_the_sources();
    assert!(found.contains("TZDIR") && found.len() > 60, "{found:?}");
    found.retain(|name| !OF_TESTS.contains(&name.as_str()));
    let page = fs::read_to_string(package().join("docs/reference/environment.md")).unwrap();
    let told: BTreeSet<&str> = between(&page, '`').collect();
    let missing: Vec<&String> = found
        .iter()
        .filter(|name| !told.contains(name.as_str()))
        .collect();
    assert!(
        missing.is_empty(),
        "say in docs/reference/environment.md what these are for: {missing:?}"
    );
    // Their names are put together of parts.
    let is_whole = |name: &&&str| is_variable(name) && !name.starts_with("OTEL_EXPORTER_OTLP_");
    let gone: Vec<&&str> = told
        .iter()
        .filter(is_whole)
        .filter(|name| !found.contains(**name))
        .collect();
    assert!(
        gone.is_empty(),
        "docs/reference/environment.md names what no source reads: {gone:?}"
    );
}

#[test]
fn the_demo_repository_is_what_its_script_makes() {
    let script = package().join("fixtures/demo/make.py");
    let Ok(output) = std::process::Command::new("python3")
        .arg(script)
        .arg("--check")
        .output()
    else {
        eprintln!("skipped: there is no python3");
        return;
    };
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
