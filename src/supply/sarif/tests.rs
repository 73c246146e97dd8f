//! Logs, and what their findings are known by.

use super::*;

fn read_text(text: &str) -> Log {
    read(text.as_bytes(), None).unwrap_or_else(|fault| panic!("{fault}"))
}

fn log(run: &str) -> Log {
    read_text(&format!(r#"{{"version": "2.1.0", "runs": [{{{run}}}]}}"#))
}

fn stays(_: &str) -> Option<String> {
    None
}

#[test]
fn logs_of_real_scanners_are_read() {
    let bandit = read_text(include_str!("../../../fixtures/supply/bandit.sarif"));
    assert_eq!(bandit.tools, ["Bandit"]);
    let lines: Vec<_> = bandit
        .findings
        .iter()
        .map(|one| {
            format!(
                "{} {} {}:{}",
                one.rule,
                one.level.name(),
                one.path.as_deref().unwrap(),
                one.line.unwrap()
            )
        })
        .collect();
    assert_eq!(
        lines,
        [
            "B404 note pkg/app.py:2",
            "B602 error pkg/app.py:7",
            "B101 note pkg/app.py:11",
            "B307 warning pkg/app.py:12"
        ]
    );
    // Three lines were put above.
    let moved = read_text(include_str!("../../../fixtures/supply/bandit-moved.sarif"));
    assert_ne!(moved.findings[0].line, bandit.findings[0].line);
    assert!(new_since(&moved.findings, &bandit.findings, &stays).is_empty());
    assert_eq!(
        new_since(&moved.findings, &bandit.findings[1..], &stays).len(),
        1
    );
    let ruff = read_text(include_str!("../../../fixtures/supply/ruff.sarif"));
    assert_eq!(
        ruff.findings[0].path.as_deref(),
        Some("/srv/shop/pkg/app.py")
    );
}

#[test]
fn rules_give_what_results_leave_out() {
    let log = log(
        r#""tool": {"driver": {"name": "t", "rules": [{"id": "a", "defaultConfiguration": {"level": "error"}, "properties": {"security-severity": "7.5"},
            "messageStrings": {"m": {"text": "{0} in {1}"}}}]},
            "extensions": [{"name": "e", "rules": [{"id": "b", "defaultConfiguration": {"level": "note"}}]}]},
        "results": [
            {"ruleIndex": 0, "message": {"id": "m", "arguments": ["x", "y"]}},
            {"rule": {"id": "b", "index": 0, "toolComponent": {"index": 0}}, "message": {"text": ""}},
            {"ruleId": "a/fine", "level": "none"},
            {"ruleId": "c"},
            {"ruleId": "a", "kind": "pass"},
            {"ruleId": "a", "suppressions": [{"kind": "inSource"}]},
            {"ruleId": "a", "suppressions": [{"kind": "external", "status": "rejected"}]},
            {"ruleId": "a", "baselineState": "absent"}]"#,
    );
    let lines: Vec<_> = log
        .findings
        .iter()
        .map(|one| {
            format!(
                "{} {} {} {}",
                one.rule,
                one.level.name(),
                one.severity.map_or("-", Severity::name),
                one.message
            )
        })
        .collect();
    assert_eq!(
        lines,
        [
            "a error high x in y",
            "b note - ",
            "a/fine none high ",
            "c warning - ",
            "a error high "
        ]
    );
}

#[test]
fn paths_are_those_of_the_repository() {
    for (uri, wanted) in [
        ("src/a.py", "src/a.py"),
        ("./src/../a%20b.py", "a b.py"),
        ("src\\\\a.py", "src/a.py"),
        ("file:///w/repo/src/a.py", "src/a.py"),
        ("file:///elsewhere/a.py", "/elsewhere/a.py"),
        ("../x", "../x"),
    ] {
        let log = log(&format!(
            r#""tool": {{"driver": {{"name": "t"}}}}, "originalUriBaseIds": {{"SRCROOT": {{"uri": "file:///w/repo/"}}}},
            "results": [{{"locations": [{{"physicalLocation": {{"artifactLocation": {{"uri": "{uri}"}}}}}}]}}]"#
        ));
        assert_eq!(log.findings[0].path.as_deref(), Some(wanted));
    }
}

fn marks(results: &str) -> Vec<String> {
    let log = log(&format!(
        r#""tool": {{"driver": {{"name": "t"}}}}, "results": [{results}]"#
    ));
    log.findings.into_iter().map(|one| one.mark).collect()
}

#[test]
fn lines_are_no_part_of_what_a_finding_is_known_by() {
    let same = marks(
        r#"{"ruleId": "a", "message": {"text": "x at line 12, column 3 of a.c:12:5: gone"}},
           {"ruleId": "a", "message": {"text": "x at line 99, column 1 of a.c:99:1: gone"}}"#,
    );
    assert_eq!(same[0], same[1]);
    let other = marks(
        r#"{"ruleId": "a", "message": {"text": "CVE-2099-1 in x 1.2"}}, {"ruleId": "a", "message": {"text": "CVE-2099-2 in x 1.2"}},
           {"ruleId": "b", "message": {"text": "CVE-2099-1 in x 1.2"}}"#,
    );
    assert!(other[0] != other[1] && other[0] != other[2]);
    let own = marks(
        r#"{"ruleId": "a", "message": {"text": "one"}, "partialFingerprints": {"primaryLocationLineHash": "c:1", "primaryLocationStartColumnFingerprint": "4"}},
           {"ruleId": "a", "message": {"text": "two"}, "partialFingerprints": {"primaryLocationLineHash": "c:1", "primaryLocationStartColumnFingerprint": "9"}},
           {"ruleId": "a", "message": {"text": "one"}, "fingerprints": {"matchBasedId/v1": "requires login"}},
           {"ruleId": "a", "message": {"text": "two"}, "fingerprints": {"matchBasedId/v1": "requires login"}}"#,
    );
    assert!(own[0] == own[1] && own[2] != own[3] && own[0] != own[2]);
}

#[test]
fn findings_with_one_mark_are_counted() {
    let twice =
        r#"{"ruleId": "a", "message": {"text": "m"}}, {"ruleId": "a", "message": {"text": "m"}}"#;
    let once = r#"{"ruleId": "a", "message": {"text": "m"}}"#;
    let log = |results: &str| {
        log(&format!(
            r#""tool": {{"driver": {{"name": "t"}}}}, "results": [{results}]"#
        ))
        .findings
    };
    assert_eq!(new_since(&log(twice), &log(once), &stays).len(), 1);
    assert_eq!(new_since(&log(once), &log(twice), &stays).len(), 0);
}

#[test]
fn a_path_may_have_another_name_before() {
    let at = |path: &str| {
        log(&format!(
            r#""tool": {{"driver": {{"name": "t"}}}}, "results": [{{"message": {{"text": "m"}}, "locations": [{{"physicalLocation": {{"artifactLocation": {{"uri": "{path}"}}}}}}]}}]"#
        ))
        .findings
    };
    let moved = |path: &str| (path == "new.py").then(|| "old.py".to_owned());
    assert!(new_since(&at("new.py"), &at("old.py"), &moved).is_empty());
    assert_eq!(new_since(&at("new.py"), &at("old.py"), &stays).len(), 1);
    assert_eq!(new_since(&at("other.py"), &at("old.py"), &moved).len(), 1);
}

#[test]
fn logs_that_say_nothing_are_refused() {
    let fault = |text: &str| read(text.as_bytes(), None).unwrap_err().message;
    assert_eq!(
        fault(r#"{"version": "2.1.0", "runs": []}"#),
        "it has no run of a tool"
    );
    assert_eq!(
        fault(r#"{"version": "2.0.0", "runs": [{}]}"#),
        "SARIF `2.0.0` is not read; 2.1.0 is"
    );
    assert_eq!(
        fault(r#"{"version": "2.1.0", "runs": [{}]}"#),
        "a run has no `tool.driver`"
    );
    assert_eq!(
        fault(
            r#"{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "t"}}, "results": {}}]}"#
        ),
        "`results` is no list"
    );
    assert_eq!(
        fault(
            r#"{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "t"}}, "results": [{"level": "fatal"}]}]}"#
        ),
        "`fatal` is no level of SARIF"
    );
}
