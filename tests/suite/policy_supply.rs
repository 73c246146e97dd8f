//! `maestro check-policy` with what a change brings along: packages, their licences and vulnerabilities, findings, and secrets.

use serde_json::{Value, json};

use crate::harness::{Maestro, Run};

const POLICY: &str = "\
schema: maestro.policy/v1
rules:
- {rule: licences, id: free, severity: block, reason: we ship it, allow: [MIT, Apache-2.0]}
- {rule: new-dependencies, id: few, severity: review, reason: each is read, max: 1}
- {rule: secrets, id: none, severity: block, reason: they are known then}
- {rule: vulnerabilities, id: known, severity: block, reason: somebody uses them, fail_on: high, unknown: warn}
- {rule: scan-findings, id: found, severity: warn, reason: r}
";

fn guarded() -> Maestro {
    let maestro = Maestro::in_repo();
    maestro.file(".maestro/policy.yaml", POLICY);
    maestro.commit("Guard");
    maestro.git(&["checkout", "--quiet", "-b", "topic"]);
    maestro
}

fn check(maestro: &Maestro, rest: &[&str]) -> Run {
    let mut args = vec!["check-policy", "--base", "main", "--format", "json"];
    args.extend(rest);
    maestro.run(args)
}

fn bill(packages: &[(&str, &str)]) -> String {
    let components: Vec<Value> = packages
        .iter()
        .map(|(name, licence)| {
            let purl = format!("pkg:cargo/{name}@1.0.0");
            json!({"type": "library", "name": name, "version": "1.0.0", "purl": purl, "licenses": [{"license": {"id": licence}}]})
        })
        .collect();
    json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": components})
        .to_string()
}

/// Puts a token together at run time, so that no scanner takes this file for a leak.
fn token() -> String {
    format!("ghp_{}", "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zCeFhI")
}

fn violations(run: &Run) -> Vec<(String, Value)> {
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    let rows = document["violations"].as_array().unwrap();
    let row = |row: &Value| (row["entry"].as_str().unwrap().to_owned(), row.clone());
    rows.iter().map(row).collect()
}

#[test]
fn a_gpl_dependency_and_a_token_are_blocked() {
    let maestro = guarded();
    maestro
        .file("src/a.rs", format!("// {}\n", token()))
        .file("base.json", bill(&[("old", "MIT")]))
        .file(
            "head.json",
            bill(&[("old", "MIT"), ("new", "GPL-3.0-only")]),
        );
    maestro.commit("Change");
    let run = check(
        &maestro,
        &["--base-sbom", "base.json", "--sbom", "head.json"],
    )
    .exits_with(10);
    let found = violations(&run);
    let of = |entry: &str| {
        let mut rows = found.iter().filter(|(own, _)| own == entry);
        rows.next()
            .unwrap_or_else(|| panic!("{entry}: {}", run.stdout))
            .1
            .clone()
    };
    let licence = of("free");
    assert_eq!(licence["target"]["name"], "new", "{licence}");
    assert!(
        licence["observed"]
            .as_str()
            .unwrap()
            .contains("GPL-3.0-only"),
        "{licence}"
    );
    let secret = of("none");
    assert_eq!(
        secret["target"],
        json!({"kind": "file", "path": "src/a.rs", "line": 1})
    );
    assert!(
        secret["observed"]
            .as_str()
            .unwrap()
            .starts_with("github-token, 40 characters, sha256 "),
        "{secret}"
    );
}

#[test]
fn a_secret_is_shown_nowhere() {
    let maestro = guarded();
    maestro.file("src/a.rs", format!("let key = \"{}\";\n", token()));
    maestro.commit("Change");
    for format in [
        "human", "json", "ndjson", "markdown", "github", "sarif", "junit",
    ] {
        let run = maestro
            .run(["check-policy", "--base", "main", "--format", format])
            .exits_with(10);
        assert!(
            run.stdout.contains("github-token"),
            "{format}: {}",
            run.stdout
        );
        let both = format!("{}{}", run.stdout, run.stderr);
        assert!(!both.contains(&token()[4..20]), "{format}: {both}");
    }
    let run = maestro
        .run(["check-policy", "--base", "main", "--explain-input"])
        .success();
    assert!(!run.stdout.contains(&token()[4..20]), "{}", run.stdout);
}

#[test]
fn lock_files_tell_what_is_new_where_no_bill_does() {
    let lock = |names: &[&str]| {
        let packages: serde_json::Map<String, Value> = names
            .iter()
            .map(|name| {
                let resolved = format!("https://npm.acme.dev/{name}/-/{name}-1.0.0.tgz");
                (
                    format!("node_modules/{name}"),
                    json!({"version": "1.0.0", "resolved": resolved, "license": "MIT"}),
                )
            })
            .collect();
        json!({"name": "x", "lockfileVersion": 3, "packages": packages}).to_string()
    };
    let maestro = guarded();
    maestro.file("package-lock.json", lock(&["a", "b"]));
    maestro.commit("Change");
    let run = check(&maestro, &[]);
    let found = violations(&run);
    assert!(
        found.iter().any(|(entry, _)| entry == "few"),
        "{}",
        run.stdout
    );
    maestro.file("package-lock.json", "{\"lockfileVersion\": 3, ");
    maestro.commit("Break");
    check(&maestro, &[])
        .exits_with(65)
        .says("package-lock.json: EOF while parsing");
}

#[test]
fn what_no_lock_file_and_no_bill_tells_is_no_pass() {
    let entries = |run: &Run| -> Vec<String> {
        violations(run)
            .into_iter()
            .map(|(entry, _)| entry)
            .collect()
    };
    // A bill of the head alone, and no lock file anywhere: nobody can tell what is new.
    let maestro = guarded();
    maestro
        .file("pom.xml", "<project/>\n")
        .file("head.json", bill(&[("new", "GPL-3.0-only")]));
    maestro.commit("Change");
    let run = check(&maestro, &["--sbom", "head.json"]).exits_with(10);
    assert!(entries(&run).contains(&"free".to_owned()), "{}", run.stdout);
    // A lock file that the change leaves alone tells that nothing in it is new, and what all of it is.
    let lock = |licence: &str| {
        let package = json!({"version": "1.0.0", "resolved": "https://npm.acme.dev/a/-/a-1.0.0.tgz", "license": licence});
        json!({"name": "x", "lockfileVersion": 3, "packages": {"node_modules/a": package}})
            .to_string()
    };
    for (scope, is_named) in [("new", false), ("all", true)] {
        let maestro = Maestro::in_repo();
        let policy = format!(
            "schema: maestro.policy/v1\nrules:\n- {{rule: licences, id: free, severity: block, reason: r, allow: [MIT], scope: {scope}}}\n"
        );
        maestro
            .file(".maestro/policy.yaml", policy)
            .file("package-lock.json", lock("GPL-3.0-only"));
        maestro.commit("Guard");
        maestro.git(&["checkout", "--quiet", "-b", "topic"]);
        maestro.file("a.txt", "x\n");
        maestro.commit("Change");
        let run = check(&maestro, &[]);
        assert_eq!(
            entries(&run).contains(&"free".to_owned()),
            is_named,
            "{scope}: {}",
            run.stdout
        );
    }
}

#[test]
fn a_report_that_is_another_or_missing_is_no_pass() {
    let maestro = guarded();
    maestro
        .file("a", "x\n")
        .file("sbom.json", bill(&[("a", "MIT")]))
        .file("broken.json", "{\"bomFormat\": ");
    maestro.commit("Change");
    check(&maestro, &["--sbom", "no.json"])
        .exits_with(66)
        .says("no.json");
    check(&maestro, &["--sbom", "broken.json"])
        .exits_with(65)
        .says("broken.json:1:");
    for flag in [
        "--vulns",
        "--base-vulns",
        "--sarif",
        "--base-sarif",
        "--vex",
    ] {
        let run = check(&maestro, &[flag, "sbom.json"]).exits_with(65);
        run.says("sbom.json");
    }
    // A policy that asks for a report gets one, or says so.
    let run = check(&maestro, &["--sbom", "sbom.json"]);
    assert!(
        violations(&run).iter().any(|(entry, _)| entry == "known"),
        "{}",
        run.stdout
    );
}
