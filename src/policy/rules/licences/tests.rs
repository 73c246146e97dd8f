//! Changes that `licences` is about, and such that it leaves alone.

use super::*;
use crate::policy::packages::tests::{bills, judge, said_by};

const ALLOW: &str = "{allow: [MIT, Apache-2.0]}";

#[test]
fn what_is_new_is_judged_by_its_expression() {
    let supplied = bills(
        &["npm old 1.0.0 GPL-3.0-only", "npm kept 1.0.0 MIT"],
        &[
            "npm old 1.0.0 GPL-3.0-only",
            "npm kept 1.1.0 AGPL-3.0-only",
            "npm both 1.0.0 MIT OR GPL-3.0-only",
            "npm all 1.0.0 MIT AND GPL-3.0-only",
            "npm words 1.0.0 SEE LICENSE IN LICENSE.md",
            "npm silent 1.0.0",
        ],
    );
    assert_eq!(
        said_by::<Licences>(ALLOW, &supplied),
        [
            "`all@1.0.0` is under GPL-3.0-only, which is not allowed",
            "`kept@1.1.0` is under AGPL-3.0-only, which is not allowed",
            "the licence of `silent@1.0.0` cannot be told: no licence is stated",
            "the licence of `words@1.0.0` cannot be told: `SEE LICENSE IN LICENSE.md` is no SPDX expression",
        ]
    );
    assert_eq!(
        said_by::<Licences>("{allow: [MIT], scope: all}", &supplied).len(),
        5
    );
    let breaches = judge::<Licences>(ALLOW, Some(&supplied), "2026-11-26");
    assert_eq!(breaches[0].observed, "GPL-3.0-only");
    assert_eq!(breaches[0].limit, "MIT, Apache-2.0");
    let warned = said_by::<Licences>("{allow: [MIT], unknown: warn}", &supplied);
    assert_eq!(
        warned
            .iter()
            .filter(|line| line.starts_with("warn: the licence"))
            .count(),
        2
    );
    let let_through = said_by::<Licences>("{allow: [MIT], unknown: allow}", &supplied);
    assert_eq!(let_through.len(), 2);
}

#[test]
fn an_exemption_is_for_a_package_and_ends() {
    let supplied = bills(
        &["npm x 1 MIT"],
        &["npm x 1 MIT", "npm words 1.0.0 SEE LICENSE IN A"],
    );
    let settings = |more: &str| {
        format!(
            "{{allow: [MIT], exempt: [{{package: words, reason: bought, owner: '@acme/legal'{more}}}]}}"
        )
    };
    let said = |more: &str| said_by::<Licences>(&settings(more), &supplied);
    let none: [&str; 0] = [];
    assert_eq!(said(""), none);
    assert_eq!(said(", version: 1.0.0"), none);
    assert_eq!(said(", until: 2026-11-26"), none);
    assert_eq!(said(", version: 1.0.1").len(), 1);
    assert_eq!(said(", allow: [MIT]").len(), 1);
    assert_eq!(
        said(", until: 2026-11-25"),
        [
            "the licence of `words@1.0.0` cannot be told: `SEE LICENSE IN A` is no SPDX expression; its exemption by @acme/legal ended on 2026-11-25"
        ]
    );
}

#[test]
fn what_is_missing_is_a_breach() {
    let breaches = judge::<Licences>(ALLOW, None, "2026-11-26");
    assert_eq!(breaches.len(), 1);
    let mut supplied = bills(&[], &["npm x 1 MIT"]);
    supplied.base.bills.clear();
    assert_eq!(
        said_by::<Licences>(ALLOW, &supplied),
        ["no SBOM of the base was given, and no lock files were read: what is new cannot be told"]
    );
    let empty = bills(&["npm x 1 MIT"], &[]);
    assert_eq!(
        said_by::<Licences>(ALLOW, &empty),
        ["the SBOM of the head names no component"]
    );
}

#[test]
fn settings_that_are_wrong_are_refused() {
    let fault = |settings: &str| match serde_yaml::from_str::<Licences>(settings) {
        Ok(rule) => rule.is_sound().unwrap_err(),
        Err(fault) => fault.to_string(),
    };
    let apache = fault("allow:\n  - MIT\n  - Apache2\n");
    assert!(
        apache.contains("`Apache2` is no identifier") && apache.contains("line 3 column 5"),
        "{apache}"
    );
    assert!(fault("{allowed: [MIT]}").contains("unknown field `allowed`"));
    assert!(fault("{}").contains("it asks for nothing"));
    assert!(
        fault("{deny: [MIT], exempt: [{package: a, reason: b}]}").contains("missing field `owner`")
    );
    assert!(
        fault("{deny: [MIT], exempt: [{package: a, reason: ' ', owner: c}]}")
            .contains("`reason` is empty")
    );
    assert!(
        fault("{deny: [MIT], exempt: [{package: a, reason: b, owner: c, until: 2026-02-30}]}")
            .contains("until")
    );
}

#[test]
fn a_slash_is_an_or_in_what_cargo_packages_and_nowhere_else() {
    let supplied = bills(
        &["cargo kept 1 MIT"],
        &[
            "cargo kept 1 MIT",
            "cargo old 1 MIT/GPL-3.0-only",
            "npm odd 1 MIT/GPL-3.0-only",
        ],
    );
    assert_eq!(
        said_by::<Licences>(ALLOW, &supplied),
        ["the licence of `odd@1` cannot be told: `MIT/GPL-3.0-only` is no SPDX expression"]
    );
}

#[test]
fn a_baseline_goes_on_forgiving_a_package_until_its_licence_is_another() {
    let print = |version: &str, licence: &str| {
        let head = format!("npm x {version} {licence}");
        let supplied = bills(&["npm y 1 MIT"], &["npm y 1 MIT", &head]);
        let breaches = judge::<Licences>(ALLOW, Some(&supplied), "2026-11-26");
        breaches[0].fingerprint.clone().unwrap()
    };
    assert_eq!(print("1", "GPL-3.0-only"), print("2", "GPL-3.0-only"));
    assert_ne!(print("1", "GPL-3.0-only"), print("1", "AGPL-3.0-only"));
}

#[test]
fn what_helps_depends_on_whether_the_licence_is_known() {
    let supplied = bills(
        &["npm x 1 MIT"],
        &["npm x 1 MIT", "npm a 1 GPL-3.0-only", "npm b 1"],
    );
    let breaches = judge::<Licences>(ALLOW, Some(&supplied), "2026-11-26");
    let fixes: Vec<_> = breaches.iter().map(|one| one.fix.as_deref()).collect();
    assert_eq!(
        fixes,
        [
            Some("use another package than `a`, or let its licence be allowed"),
            Some("look its licence up, and exempt the package with a reason and an owner"),
        ]
    );
}
