//! Rules over small folders.

use super::{Around, lint};
use crate::prompts::set::{Library, Set, Source};

/// Reads texts with `== NAME` lines between them.
fn sources(text: &str) -> Vec<Source> {
    let files = text.split("== ").filter(|file| !file.is_empty());
    let files = files.map(|file| {
        let (name, text) = file.split_once('\n').unwrap();
        Source {
            name: name.to_owned(),
            text: text.to_owned(),
        }
    });
    files.collect()
}

fn words(around: &Around<'_>) -> String {
    let found = lint(around).into_iter();
    let found = found.map(|one| {
        let severity = one.severity.name();
        format!(
            "{severity} {} {}:{} {}\n",
            one.rule, one.path, one.line, one.message
        )
    });
    found.collect()
}

fn check(files: &str, expected: &str) {
    let library = Library::new(sources(files));
    assert_eq!(words(&library.around(None)), expected);
}

/// What stands before and after, and what is found.
fn changed(before: &str, after: &str, expected: &str) {
    let library = Library::new(sources(after));
    let base = Set::read(sources(before));
    assert_eq!(words(&library.around(Some(&base))), expected);
}

const HEAD: &str = "schema: maestro.prompt-file/v1\nname: a\nversion: 1.0.0\nrole: r\n";

fn file(rest: &str) -> String {
    format!("== a.yaml\n{HEAD}{rest}")
}

fn message(text: &str) -> String {
    format!("messages:\n  - role: user\n    content: |\n      {text}\n")
}

#[test]
fn a_sound_prompt_has_nothing_wrong() {
    check(&file(&message("hello")), "");
}

#[test]
fn an_unknown_key_and_another_version_of_the_form_are_refused_with_their_place() {
    check(
        &file("mesages: []\n"),
        "error unreadable prompts/a.yaml:5 unknown key `mesages`\n",
    );
    check(
        "== a.yaml\nschema: maestro.prompt-file/v2\nname: a\nversion: 1.0.0\nrole: r\nmessages: []\n",
        "error unreadable prompts/a.yaml:1 its schema is `maestro.prompt-file/v2`, and this maestro reads `maestro.prompt-file/v1`\n",
    );
}

#[test]
fn what_is_not_ours_is_let_alone() {
    check(
        "== x.prompt.yml\nmessages: []\n",
        "notice foreign-file prompts/x.prompt.yml:1 it has no `schema: maestro.prompt-file/v1` and is left alone\n",
    );
}

#[test]
fn a_name_is_taken_once() {
    let twice = file(&message("x"));
    check(
        &format!("{twice}{}", twice.replace("a.yaml", "b.yaml")),
        "error name prompts/b.yaml:2 `prompts/a.yaml` has the name `a` too\n",
    );
    check(
        &file(&message("x")).replace("role: r", "role: The Boss"),
        "error name prompts/a.yaml:4 `The Boss` is no role: small letters, digits and `-`\n",
    );
}

#[test]
fn versions_and_hints_are_in_their_range() {
    check(
        &file(&message("x")).replace("1.0.0", "1.0"),
        "error version prompts/a.yaml:3 `1.0` is no semantic version: unexpected end of input while parsing minor version number\n",
    );
    check(
        &file(&format!(
            "model:\n  temperature: 3\n  max_output_tokens: 0\n{}",
            message("x")
        )),
        "error model-hints prompts/a.yaml:6 3 is not from 0 to 2\nerror model-hints prompts/a.yaml:7 an answer has at least one token\n",
    );
}

#[test]
fn a_declaration_is_whole() {
    check(
        &file(&format!(
            "variables:\n  b:\n    type: object\n    fields:\n      c:\n        type: array\n  delimiter: {{type: string}}\n{}",
            message("{{ b.c | length }}")
        )),
        "error variables prompts/a.yaml:9 b.c: an array needs `items`\nerror variables prompts/a.yaml:11 `delimiter` is there by itself\n",
    );
}

#[test]
fn a_template_names_what_is_there() {
    let body = "variables:\n  issue: {type: object, fields: {title: {type: string}}}\nmessages:\n  - role: user\n    content: |\n      one\n      LINE\n";
    let with = |line: &str| file(&body.replace("LINE", line));
    check(
        &with("{{ issue.titel }}"),
        "error template prompts/a.yaml:11 `issue.titel` is not declared: there is no key `titel`; did you mean `title`?\n",
    );
    check(
        &with("{{ isue }}{{ issue.title }}"),
        "error template prompts/a.yaml:11 `isue` is no variable of this prompt; did you mean `issue`?\n",
    );
    check(
        &with("{% if %}"),
        "error template prompts/a.yaml:11 unexpected end of block\n",
    );
    check(
        &file("messages: []\n"),
        "error template prompts/a.yaml:5 there is no message\n",
    );
}

#[test]
fn includes_stay_inside_and_go_round_nowhere() {
    let with = |text: &str, parts: &str| format!("{}{parts}", file(&message(text)));
    check(
        &with("{% include '../secret' %}", ""),
        "error template prompts/a.yaml:8 `../secret` leaves the folder `prompts/`\n",
    );
    check(
        &with(
            "{% include 'p/x.md' %}",
            "== p/x.md\na\n{% include 'p/y.md' %}\n== p/y.md\n{% include 'p/x.md' %}\n",
        ),
        "error template prompts/p/y.md:1 includes go round: p/x.md -> p/y.md -> p/x.md\n",
    );
    check(
        &with("{% include 'p/x.md' %}", "== p/x.md\nall is well\n"),
        "",
    );
}

#[test]
fn an_output_schema_is_one() {
    check(
        &file(&format!(
            "output:\n  type: object\n  properties:\n    a:\n      typ: string\n{}",
            message("x")
        )),
        "error output-schema prompts/a.yaml:9 output.properties.a.typ: a keyword that maestro does not check; did you mean `type`?\n",
    );
}

#[test]
fn golden_cases_come_out_as_they_say() {
    let golden = "golden:\n  - name: one\n    expect: {contains: [hallo]}\n  - name: two\n    expect: {rendering: two.md}\n  - name: three\n    expect: {}\n  - name: four\n    expect: {rendering: ../../x}\n";
    check(
        &format!(
            "{}{golden}== golden/two.md\n=== user\nhelo\n",
            file(&message("hello"))
        ),
        "error golden prompts/a.yaml:10 case `one`: no message has `hallo`\nerror golden prompts/a.yaml:12 case `two`: differs from `prompts/golden/two.md`\n\
         error golden prompts/a.yaml:14 case `three`: it expects nothing\nerror golden prompts/a.yaml:16 case `four`: `../../x` leaves `prompts/golden/`\n",
    );
}

#[test]
fn an_answer_is_held_against_the_output_schema() {
    let with = |expect: &str| {
        file(&format!(
            "output: {{type: object, required: [b]}}\n{}golden:\n  - name: one\n    expect: {expect}\n",
            message("x")
        ))
    };
    check(&with("{valid_output: {b: 1}, invalid_output: {}}"), "");
    check(
        &with("{valid_output: {c: 1}}"),
        "error golden prompts/a.yaml:11 case `one`: `valid_output` is refused: the answer: `b` is missing\n",
    );
    check(
        &with("{invalid_output: {b: 1}}"),
        "error golden prompts/a.yaml:11 case `one`: `invalid_output` is taken\n",
    );
}

#[test]
fn a_variable_that_nobody_names_is_told() {
    check(
        &file(&format!(
            "variables:\n  b: {{type: string}}\n{}",
            message("x")
        )),
        "warning unused-variable prompts/a.yaml:6 no template names `b`\n",
    );
}

#[test]
fn what_a_model_is_told_changes_with_its_version_only() {
    let old = file(&message("old"));
    let new = file(&message("new"));
    changed(
        &old,
        &new,
        "error version-unchanged prompts/a.yaml:3 `messages` changed, and the version is still 1.0.0\n",
    );
    changed(&old, &new.replace("1.0.0", "1.0.1"), "");
    // What no model sees may change freely, and so may the file's name.
    changed(
        &old,
        &old.replace("role: r", "role: r\ndescription: d")
            .replace("a.yaml", "z.yaml"),
        "",
    );
    // A text that is included counts.
    let include = file(&message("{% include 'p/x.md' %}"));
    changed(
        &format!("{include}== p/x.md\nold\n"),
        &format!("{include}== p/x.md\nnew\n"),
        "error version-unchanged prompts/a.yaml:3 a file that it includes changed, and the version is still 1.0.0\n",
    );
}

#[test]
fn a_version_never_goes_down() {
    let old = file(&message("old"));
    changed(
        &old,
        &old.replace("1.0.0", "1.0.0-rc.1"),
        "error version-lower prompts/a.yaml:3 the version was 1.0.0 and is 1.0.0-rc.1\n",
    );
}

#[test]
fn what_breaks_callers_is_a_major_version() {
    let with = |version: &str, variables: &str, text: &str| {
        file(&format!("variables: {{{variables}}}\n{}", message(text))).replace("1.0.0", version)
    };
    let old = |version: &str| with(version, "b: {type: string}", "{{ b }}");
    changed(
        &old("1.0.0"),
        &with("1.1.0", "", "x"),
        "error breaking-change prompts/a.yaml:5 `b` is gone, and 1.0.0 is followed by 1.1.0\n",
    );
    changed(&old("1.0.0"), &with("2.0.0", "", "x"), "");
    changed(&old("0.1.0"), &with("0.2.0", "", "x"), "");
    changed(
        &old("0.1.0"),
        &with("0.1.1", "", "x"),
        "error breaking-change prompts/a.yaml:5 `b` is gone, and 0.1.0 is followed by 0.1.1\n",
    );
}

#[test]
fn the_built_in_prompts_have_nothing_wrong_and_their_cases_pass() {
    let library = Library::new(Vec::new());
    let mut around = Around::of(&library.built_in);
    let mut set = library.built_in.clone();
    // The renderings lie beside them and are not embedded.
    for draft in &mut set.drafts {
        if let crate::prompts::set::Reading::Prompt(file) = &mut draft.reading {
            for case in &mut file.golden {
                case.expect.rendering = None;
            }
            file.golden.retain(|case| !case.expect.is_empty());
        }
    }
    around.set = &set;
    assert_eq!(words(&around), "");
    for name in library.names() {
        assert!(library.load(name).is_ok(), "{name}");
    }
}
