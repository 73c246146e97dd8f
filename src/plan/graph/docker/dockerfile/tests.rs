//! Dockerfiles as people write them.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

fn inputs(text: &str, target: Option<&str>, args: &[(&str, &str)]) -> Inputs {
    let args: BTreeMap<String, String> = args
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let given = Given {
        args: Some(&args),
        defaults_hold: false,
    };
    Dockerfile::read(text, &given).inputs(target)
}

fn names(set: &BTreeSet<String>) -> Vec<&str> {
    set.iter().map(String::as_str).collect()
}

#[track_caller]
fn check(text: &str, target: Option<&str>, sources: &[&str], images: &[&str]) {
    let inputs = inputs(text, target, &[]);
    assert_eq!(names(&inputs.sources), sources, "{text}");
    assert_eq!(names(&inputs.images), images, "{text}");
}

#[track_caller]
fn check_sources(text: &str, args: &[(&str, &str)], sources: &[&str]) {
    assert_eq!(names(&inputs(text, None, args).sources), sources, "{text}");
}

const STAGES: &str = "# syntax=docker/dockerfile:1\nARG TAG=3.20\nFROM alpine:${TAG} AS base\nCOPY shared/ /s\n\
    FROM base AS build\nCOPY --chown=1:1 [\"go.mod\", \"a b\", \"./\"]\nRUN --mount=type=bind,source=gen,target=/g \\\n  # note\n  make\n\
    FROM node AS web\nCOPY web .\nFROM scratch\nCOPY --from=build /x /x\nCOPY --from=ghcr.io/a/b /y /y\n";

#[test]
fn an_image_is_made_from_what_its_stages_take() {
    check(
        STAGES,
        None,
        &["a b", "gen", "go.mod", "shared"],
        &["alpine:\0", "ghcr.io/a/b", "scratch"],
    );
    check(STAGES, Some("web"), &["web"], &["node"]);
    check(STAGES, Some("0"), &["shared"], &["alpine:\0"]);
    // A target that only the build knows may be any stage.
    check(
        STAGES,
        Some("\0"),
        &["a b", "gen", "go.mod", "shared", "web"],
        &["alpine:\0", "ghcr.io/a/b", "node", "scratch"],
    );
}

#[test]
fn here_documents_and_addresses_are_no_files() {
    let text = "FROM x\nCOPY <<EOF b /a\nCOPY not this\nEOF\nADD https://example.com/f /f\nADD data.tar /d\n";
    check(text, None, &["b", "data.tar"], &["x"]);
    let text = "FROM x\nRUN sh -c \"cat <<EOF > /x \\n hi\"\nCOPY src /s\n";
    check(text, None, &["src"], &["x"]);
}

#[test]
fn what_only_the_build_knows_is_a_whole_folder() {
    check_sources("FROM x\nARG D\nCOPY apps/${D}/x .\n", &[], &["apps"]);
    check_sources("FROM x\nCOPY apps/pre-$D.x .\n", &[], &["apps"]);
    check_sources("FROM x\nCOPY ${D:-api} .\n", &[], &["api"]);
    check_sources("FROM x\nCOPY . .\n", &[], &[""]);
    check_sources("FROM x\nENV D=1\nCOPY ${D:+api} /o\n", &[], &["api"]);
    check_sources("FROM x\nENV D=xxapi\nCOPY a/${D#xx} /o\n", &[], &["a"]);
}

#[test]
fn an_argument_is_what_the_build_gives_and_otherwise_anything() {
    let text = "FROM x\nARG D=web\nCOPY apps/$D/x .\n";
    check_sources(text, &[], &["apps"]);
    check_sources(text, &[("D", "api")], &["apps/api/x"]);
    check_sources(
        "FROM x\nARG U=\"https://x/y\"\nADD $U ${U}/z /o\n",
        &[],
        &[],
    );
    let defaults = Given {
        args: None,
        defaults_hold: true,
    };
    let file = Dockerfile::read(text, &defaults);
    assert_eq!(names(&file.inputs(None).sources), ["apps/web/x"]);
    // What is given to the whole file is for the stages that ask for it.
    let text = "ARG D=web\nFROM img-$D\nCOPY a/$D .\nARG D\nCOPY $D .\n";
    let inputs = inputs(text, None, &[("D", "api")]);
    assert_eq!(names(&inputs.sources), ["a", "api"]);
    assert_eq!(names(&inputs.images), ["img-api"]);
}

#[test]
fn variables_are_those_of_their_stage() {
    let text = "FROM x AS a\nENV D=web\nFROM y\nENV D=api\nCOPY $D /o\nENV D=zz\n";
    check_sources(text, &[], &["api"]);
    check_sources(
        "FROM x AS a\nENV D=web\nFROM a\nCOPY $D /o\n",
        &[],
        &["web"],
    );
    // ENV goes before ARG.
    let text = "FROM x\nENV D=web\nARG D=api\nCOPY $D /o\n";
    check_sources(text, &[("D", "api")], &["web"]);
}

#[test]
fn env_without_a_sign_of_equality_is_read() {
    let text = "FROM x\nENV D=web\nENV D api\nENV E  \"a b\" c\nCOPY $D $E /o\n";
    check_sources(text, &[], &["a b c", "api"]);
    let text = "FROM x\nENV A=1 D=\"my api\" E='x y'\nCOPY [\"$D\", \"$E\", \"/o\"]\n";
    check_sources(text, &[], &["my api", "x y"]);
}

#[test]
fn sources_stay_in_the_context() {
    let text = "FROM x\nCOPY ../src /../lib a/../../b /o\nRUN --mount=source=../m,target=/m x\n";
    check_sources(text, &[], &["b", "lib", "m", "src"]);
    check_sources("# escape=`\nFROM x\nCOPY a\\b c:\\x\n", &[], &["a/b"]);
}

#[test]
fn spaces_in_quotes_may_be_of_a_name() {
    check_sources(
        "FROM x\nCOPY \"my src\" a\\ b /o/\n",
        &[],
        &["a", "a b", "b", "my", "my src", "src"],
    );
}

#[test]
fn triggers_are_for_what_is_from_an_image() {
    let text = "FROM x AS base\nONBUILD COPY src /app\nonbuild  run --mount=source=m,target=/m x\n";
    let base = inputs(text, None, &[]);
    assert!(base.sources.is_empty());
    assert_eq!(names(&base.triggers), ["m", "src"]);
    check_sources(
        &format!("{text}FROM base\nCOPY a /\n"),
        &[],
        &["a", "m", "src"],
    );
    check_sources("FROM node:8-onbuild\n", &[], &[""]);
}

#[test]
fn an_image_named_as_a_stage_is_still_an_image() {
    let text = "FROM node AS node\nCOPY a /\nFROM node\nCOPY --from=node /x /x\n";
    check(text, None, &["a"], &["node"]);
    let text = "ARG E\nFROM x AS base-a\nCOPY a /\nFROM y AS base-b\nCOPY b /\nFROM base-$E\n";
    check(text, None, &["a", "b"], &["base-\0", "x", "y"]);
}

#[test]
fn values_that_double_end() {
    let mut text = "FROM x\nENV A=xxxxxxxx\n".to_owned();
    for _ in 0..60 {
        text.push_str("ENV A=$A$A\n");
    }
    text.push_str("COPY a/$A /\n");
    check_sources(&text, &[], &["a"]);
}
