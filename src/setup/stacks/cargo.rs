//! Rust: cargo's own test runner, or cargo-nextest where the repository uses it.

use std::collections::BTreeSet;

use super::{at, in_workflows, name, quoted, roots, selectors, within};
use crate::plan::graph::Kind;
use crate::setup::{Job, Proposal, Seen, Tool};

pub(super) fn propose(seen: Seen<'_>, proposal: &mut Proposal) {
    let roots = roots(seen, Kind::Cargo);
    let is_only = roots.len() == 1;
    for root in &roots {
        let locked = if seen.sources.has(&at(root, "Cargo.lock")) {
            " --locked"
        } else {
            ""
        };
        let is_nextest = nextest_config(seen, root).is_some() || in_workflows(seen, "nextest");
        let mut job = Job {
            name: name("rust", root, is_only),
            projects: selectors(seen, Kind::Cargo, root, is_only),
            ..Job::default()
        };
        let runner = if is_nextest {
            job.tools = BTreeSet::from([Tool::Nextest]);
            with_nextest(seen, root, locked, &mut job);
            "cargo-nextest"
        } else {
            job.run = Some(within(root, &format!("cargo test --workspace{locked}")));
            job.comments = vec![
                "For test reports (flaky tests, shards): cargo-nextest, with `[profile.ci.junit] path = \"junit.xml\"` in .config/nextest.toml; then"
                    .to_owned(),
                format!(
                    "run: {}, junit: {}",
                    within(root, &format!("cargo nextest run --workspace{locked} --profile ci")),
                    at(root, "target/nextest/ci/junit.xml")
                ),
            ];
            "cargo test"
        };
        proposal.found.push(format!(
            "Rust in `{}`, tested by {runner}",
            if root.is_empty() { "." } else { root }
        ));
        proposal.add(job);
    }
}

fn nextest_config(seen: Seen<'_>, root: &str) -> Option<toml::Table> {
    let parsed = seen.sources.toml(&at(root, ".config/nextest.toml"))?;
    Some(parsed.map(|table| (*table).clone()).unwrap_or_default())
}

/// Runs nextest under the profile that writes a report, if one does.
fn with_nextest(seen: Seen<'_>, root: &str, locked: &str, job: &mut Job) {
    let config = nextest_config(seen, root).unwrap_or_default();
    let report = |profile: &str| -> Option<String> {
        let table = config.get("profile")?.get(profile)?.as_table()?;
        Some(table.get("junit")?.get("path")?.as_str()?.to_owned())
    };
    let profiles = config.get("profile").and_then(toml::Value::as_table);
    let others = profiles
        .into_iter()
        .flat_map(toml::Table::keys)
        .map(String::as_str);
    let found = ["ci", "default"]
        .into_iter()
        .chain(others)
        .find_map(|profile| Some((profile.to_owned(), report(profile)?)));
    let command = format!("cargo nextest run --workspace{locked}");
    match found {
        Some((profile, path)) => {
            job.run = Some(within(
                root,
                &format!("{command} --profile {}", quoted(&profile)),
            ));
            job.junit = Some(at(root, &format!("target/nextest/{profile}/{path}")));
        }
        None => {
            job.run = Some(within(root, &command));
            job.comments = vec![format!(
                "For test reports: `[profile.ci.junit] path = \"junit.xml\"` in .config/nextest.toml, `--profile ci` above, and junit: {}",
                at(root, "target/nextest/ci/junit.xml")
            )];
        }
    }
    job.comments
        .push("cargo-nextest runs no documentation tests; `cargo test --doc` does.".to_owned());
}

#[cfg(test)]
mod tests {
    use super::super::tests::jobs;

    const MANIFEST: (&str, &str) = ("Cargo.toml", "[package]\nname = \"a\"\n");

    #[test]
    fn cargo_test_stays_cargo_test() {
        let seen = jobs(&[MANIFEST, ("Cargo.lock", "version = 4")]);
        assert_eq!(seen, ["rust: cargo test --workspace --locked -> -"]);
    }

    #[test]
    fn nextest_runs_under_the_profile_that_writes_a_report() {
        let config = "[profile.ci.junit]\npath = \"out.xml\"\n";
        let seen = jobs(&[MANIFEST, (".config/nextest.toml", config)]);
        let wanted =
            "rust: cargo nextest run --workspace --profile ci -> target/nextest/ci/out.xml";
        assert_eq!(seen, [wanted]);
    }

    #[test]
    fn nextest_without_such_a_profile_runs_without_a_report() {
        let workflow = "steps: [{ run: cargo nextest run }]";
        let seen = jobs(&[MANIFEST, (".github/workflows/ci.yml", workflow)]);
        assert_eq!(seen, ["rust: cargo nextest run --workspace -> -"]);
    }

    #[test]
    fn a_workspace_in_a_folder_is_tested_there() {
        let root = ("core/Cargo.toml", "[workspace]\nmembers = [\"a\"]\n");
        let member = ("core/a/Cargo.toml", "[package]\nname = \"a\"\n");
        let seen = jobs(&[root, member]);
        assert_eq!(seen, ["rust: cd core && cargo test --workspace -> -"]);
    }
}
