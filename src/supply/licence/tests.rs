//! Expressions against lists.

use super::*;

fn entries(list: &str) -> Vec<Entry> {
    let words = list.split(", ").filter(|entry| !entry.is_empty());
    words.map(|entry| Entry::parse(entry).unwrap()).collect()
}

fn judged(allow: &str, deny: &str, stated: &[&str]) -> String {
    let (allow, deny) = (entries(allow), entries(deny));
    let lists = Lists {
        allow: &allow,
        deny: &deny,
    };
    match lists.judge(stated, false) {
        Verdict::Allowed => "allowed".into(),
        Verdict::Unknown(why) => format!("unknown: {why}"),
        Verdict::Denied(what) => format!("denied: {what}"),
    }
}

fn allowed(allow: &str, stated: &str) -> bool {
    judged(allow, "", &[stated]) == "allowed"
}

#[test]
fn one_is_enough_of_or_and_all_are_needed_of_and() {
    assert!(allowed("MIT", "MIT OR GPL-3.0-only"));
    assert!(allowed("MIT", "GPL-3.0-only OR MIT"));
    assert!(!allowed("MIT", "MIT AND GPL-3.0-only"));
    assert!(allowed("MIT, ISC", "(MIT AND ISC) OR GPL-3.0-only"));
    // `AND` before `OR`.
    assert!(allowed("MIT", "MIT OR ISC AND GPL-3.0-only"));
    assert!(!allowed("MIT", "(MIT OR ISC) AND GPL-3.0-only"));
    assert!(allowed("MIT, 0BSD", "ISC AND MIT OR MIT AND 0BSD"));
}

#[test]
fn names_are_compared_without_case() {
    assert!(allowed("mit", "MIT"));
    assert!(allowed(
        "Apache-2.0 WITH LLVM-exception",
        "apache-2.0 with llvm-EXCEPTION"
    ));
    assert!(allowed("MIT", "mit or gpl-3.0-only"));
}

#[test]
fn an_exception_has_to_stand_in_the_list() {
    assert!(!allowed(
        "GPL-2.0-only",
        "GPL-2.0-only WITH Classpath-exception-2.0"
    ));
    assert!(!allowed(
        "GPL-2.0-only WITH Classpath-exception-2.0",
        "GPL-2.0-only"
    ));
    assert!(allowed(
        "GPL-2.0-or-later WITH Classpath-exception-2.0",
        "GPL-2.0-only WITH Classpath-exception-2.0"
    ));
}

#[test]
fn later_versions_are_those_of_the_same_licence() {
    assert!(allowed("GPL-3.0-only", "GPL-2.0-or-later"));
    assert!(allowed("GPL-3.0-only", "GPL-2.0+"));
    assert!(!allowed("GPL-2.0-only", "GPL-3.0-or-later"));
    assert!(allowed("GPL-2.0-or-later", "GPL-3.0-only"));
    assert!(!allowed("GPL-3.0-or-later", "GPL-2.0-only"));
    assert!(!allowed("LGPL-3.0-or-later", "GPL-3.0-only"));
    assert!(allowed("GPL-2.0-only", "GPL-2.0"));
    assert!(allowed("Apache-2.0", "Apache-1.1+"));
    assert!(!allowed("Apache-1.1", "Apache-2.0+"));
    // The number in the middle is no version.
    assert!(!allowed("BSD-3-Clause", "BSD-2-Clause+"));
    assert!(allowed("LPPL-1.3c", "LPPL-1.3a+"));
    assert!(!allowed("LPPL-1.3a", "LPPL-1.3c+"));
}

#[test]
fn what_is_no_expression_is_unknown() {
    for text in [
        "SEE LICENSE IN LICENSE.md",
        "UNLICENSED",
        "NONE",
        "Proprietary",
        "MIT OR Whatever",
        "MIT AND",
        "(MIT",
        "MIT)",
        "MIT ISC",
        "AND",
        "()",
        "MIT WITH",
        "MIT WITH MIT",
        "GPL-2.0-or-later+",
        "MIT +",
        "MIT/ISC",
    ] {
        let have = judged("MIT, ISC", "", &[text]);
        assert_eq!(have, format!("unknown: `{text}` is no SPDX expression"));
    }
    assert_eq!(judged("MIT", "", &[]), "unknown: no licence is stated");
    assert_eq!(
        judged("MIT", "", &["MIT", ""]),
        "unknown: no licence is stated"
    );
    let own = "unknown: `LicenseRef-Acme` is a licence of its own";
    assert_eq!(judged("MIT", "", &["LicenseRef-Acme"]), own);
    assert_eq!(judged("MIT", "", &["LicenseRef-Acme AND MIT"]), own);
    assert_eq!(judged("MIT", "", &["LicenseRef-Acme OR MIT"]), "allowed");
    assert!(allowed("LicenseRef-Acme", "LicenseRef-Acme"));
    assert!(allowed(
        "DocumentRef-a:LicenseRef-Acme",
        "DocumentRef-a:LicenseRef-Acme"
    ));
}

#[test]
fn a_slash_is_or_in_manifests_of_cargo() {
    let allow = entries("MIT");
    let lists = Lists {
        allow: &allow,
        deny: &[],
    };
    assert_eq!(lists.judge(&["MIT/Apache-2.0"], true), Verdict::Allowed);
}

#[test]
fn several_statements_are_all_met() {
    assert_eq!(
        judged("MIT", "", &["MIT", "GPL-3.0-only"]),
        "denied: GPL-3.0-only"
    );
    assert_eq!(
        judged("MIT", "", &["GPL-3.0-only", "whatever"]),
        "denied: GPL-3.0-only"
    );
}

#[test]
fn a_denied_licence_has_no_way_out_but_another_one() {
    let denied = |deny: &str, stated: &str| judged("", deny, &[stated]) != "allowed";
    assert!(denied("GPL-3.0-only", "GPL-3.0-or-later"));
    assert!(denied(
        "GPL-3.0-only",
        "GPL-3.0-only WITH GCC-exception-3.1"
    ));
    assert!(!denied("GPL-3.0-only", "GPL-2.0-or-later"));
    assert!(denied("GPL-2.0-or-later", "GPL-3.0-only"));
    assert!(!denied("GPL-3.0-only", "GPL-3.0-only OR MIT"));
    assert!(denied("GPL-3.0-only", "GPL-3.0-only AND MIT"));
    assert!(!denied(
        "GPL-3.0-only WITH GCC-exception-3.1",
        "GPL-3.0-only"
    ));
    let both = "GPL-2.0-only WITH Classpath-exception-2.0";
    assert_eq!(judged(both, "GPL-2.0-only", &[both]), "allowed");
    assert_eq!(
        judged(both, "GPL-2.0-only", &["GPL-2.0-only"]),
        "denied: GPL-2.0-only"
    );
}

#[test]
fn a_list_names_licences_only() {
    let fault = |text: &str| Entry::parse(text).unwrap_err();
    assert_eq!(
        fault("Apache2.0"),
        "`Apache2.0` is no identifier of the SPDX licence list; did you mean `Apache-2.0`?"
    );
    assert_eq!(
        fault("MIT OR ISC"),
        "`MIT OR ISC` is an expression; a list has one licence an entry"
    );
}

#[test]
fn long_and_deep_expressions_end() {
    let deep = format!("{}MIT{}", "(".repeat(5000), ")".repeat(5000));
    assert!(allowed("MIT", &deep));
    assert!(!allowed("MIT", &"(".repeat(16_000)));
    let long = vec!["ISC"; 2000].join(" OR ");
    assert!(!allowed("MIT", &long));
}

/// Prints a verdict for every line of a file, for `tests/interop/licences.sh`: an expression, a tab, and the allowed licences with commas
/// between them. Without the variable there is nothing to do.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the file and the answer lie outside"
)]
fn verdicts_for_a_file() {
    let Some(path) = std::env::var_os("MAESTRO_LICENCES").map(std::path::PathBuf::from) else {
        return;
    };
    let text = std::fs::read_to_string(&path).unwrap();
    let mut answer = String::new();
    for line in text.lines() {
        let (stated, allow) = line.split_once('\t').unwrap();
        let allow: Result<Vec<Entry>, String> = allow.split(',').map(Entry::parse).collect();
        let word = match allow {
            Err(_) => "invalid list",
            Ok(allow) => match (Lists {
                allow: &allow,
                deny: &[],
            })
            .judge(&[stated], false)
            {
                Verdict::Allowed => "allowed",
                Verdict::Unknown(_) => "unknown",
                Verdict::Denied(_) => "denied",
            },
        };
        answer.push_str(word);
        answer.push('\n');
    }
    std::fs::write(path.with_extension("verdicts"), answer).unwrap();
}
