//! Configuration: `.maestro/maestro.yaml`, variables and flags, and `maestro config show`.

use crate::harness::Maestro;

fn with_config(text: &str) -> Maestro {
    let maestro = Maestro::in_repo();
    maestro.file(".maestro/maestro.yaml", text);
    maestro
}

#[test]
fn an_unknown_key_is_exit_78_with_place_and_suggestion() {
    let run = with_config("schema: maestro.config/v1\njobs:\n  test:\n    junt: a.xml\n")
        .run(["config", "show"]);
    insta::assert_snapshot!(run.exits_with(78).stderr, @r"
    error: `.maestro/maestro.yaml`: unknown key `junt`
     --> .maestro/maestro.yaml:4:5
      |
    4 |     junt: a.xml
      |     ^^^^ unknown key

    hint: did you mean `junit`?
    ");
}

#[test]
fn every_kind_of_bad_configuration_is_exit_78_with_a_hint_or_a_place() {
    for text in [
        "schema: maestro.config/v1\nnope: 1\n",
        "schema: maestro.config/v2\n",
        "jobs: {}\n",
        "- a list\n",
        "schema: [\n",
        "schema: maestro.config/v1\njobs: { test: { shards: many } }\n",
        "schema: maestro.config/v1\njobs: { test: { per: file } }\n",
        "schema: maestro.config/v1\nenforce: [plans]\n",
        "schema: maestro.config/v1\ncomponents: { a: { } }\n",
        "schema: maestro.config/v1\nstate: { redact: maybe }\n",
        "schema: maestro.config/v1\noutput: { format: xml }\n",
        "schema: maestro.config/v1\nrequires: what\n",
        "schema: maestro.config/v1\nrequires: \">=99\"\n",
        "schema: maestro.config/v1\n\tx: 1\n",
    ] {
        let run = with_config(text).run(["config", "show"]).exits_with(78);
        assert!(run.stderr.starts_with("error: "), "{}", run.stderr);
        assert!(
            run.stderr.contains("hint: ") || run.stderr.contains("-->"),
            "{text}: {}",
            run.stderr
        );
    }
}

#[test]
fn an_empty_configuration_file_asks_for_its_schema() {
    with_config("")
        .run(["config", "show"])
        .exits_with(78)
        .says("schema: maestro.config/v1");
}

#[test]
fn a_flag_wins_over_the_environment_and_the_environment_over_the_file() {
    let config = "schema: maestro.config/v1\noutput: { format: ndjson }\n";
    let format = |maestro: &Maestro, args: &[&str]| {
        let mut all = vec!["config", "show", "--origin"];
        all.extend(args);
        maestro.run(all).success().stdout
    };
    let file = with_config(config);
    assert!(format(&file, &[]).starts_with("{\"schema\""));
    assert!(format(&file, &["--format", "human"]).contains("flag --format"));
    let environment = with_config(config).env("MAESTRO_FORMAT", "human");
    assert!(format(&environment, &[]).contains("environment MAESTRO_FORMAT"));
    assert!(format(&environment, &["--format", "json"]).contains("flag --format"));
}

#[test]
fn an_empty_variable_is_not_set() {
    let maestro = Maestro::in_repo()
        .env("MAESTRO_FORMAT", "")
        .env("MAESTRO_DIR", "");
    maestro.run(["config", "show"]).success();
}

#[test]
fn a_bad_variable_is_exit_78_with_the_valid_words() {
    let maestro = Maestro::in_repo().env("MAESTRO_FORMAT", "jsn");
    maestro
        .run(["config", "show"])
        .exits_with(78)
        .says("MAESTRO_FORMAT is `jsn`")
        .says("did you mean `json`?");
}

#[test]
fn the_folder_can_be_moved() {
    let maestro = Maestro::in_repo();
    maestro.file(
        "ci/maestro.yaml",
        "schema: maestro.config/v1\njobs: { test: { junit: a.xml } }\n",
    );
    let shown = maestro.json(&["config", "show", "--dir", "ci"]);
    assert_eq!(shown["file"], "ci/maestro.yaml");
}

#[test]
fn the_published_schema_accepts_what_the_program_accepts() {
    let maestro = Maestro::in_folder();
    let schema = maestro.run(["util", "schema", "config"]).success().stdout;
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let good = serde_json::json!({"schema": "maestro.config/v1", "jobs": {"test": {"junit": "a.xml"}}, "state": {"redact": true}});
    assert!(validator.is_valid(&good));
    let bad =
        serde_json::json!({"schema": "maestro.config/v1", "jobs": {"test": {"junt": "a.xml"}}});
    assert!(!validator.is_valid(&bad));
}

#[test]
fn a_file_for_a_newer_version_says_so_before_it_complains_about_keys() {
    let config = "schema: maestro.config/v1\nrequires: \">=99\"\nnewkey: 1\n";
    let _ = with_config(config)
        .run(["config", "show"])
        .exits_with(78)
        .says("requires maestro >=99");
}

#[test]
fn who_needs_another_version_is_told_which_one_to_install() {
    for text in [
        "schema: maestro.config/v9\nrequires: \">=0.3, <0.4\"\n",
        "requires: \">=0.3, <0.4\"\nextends: nonsense\njobs: 5\n",
    ] {
        for command in [&["plan"][..], &["exec", "--", "true"], &["gate"]] {
            let run = with_config(text).run(command).exits_with(78);
            insta::allow_duplicates! {
                insta::assert_snapshot!(run.stderr.replace(env!("CARGO_PKG_VERSION"), "VERSION"), @r"
                error: `.maestro/maestro.yaml` requires maestro >=0.3, <0.4, and this is VERSION

                hint: install a matching version: cargo install maestro-ci --locked --version '>=0.3, <0.4'
                ");
            }
        }
    }
}

#[test]
fn deep_brackets_are_refused_at_once() {
    let config = format!("schema: maestro.config/v1\njobs: {}\n", "[".repeat(100_000));
    let begin = std::time::Instant::now();
    let _ = with_config(&config).run(["config", "show"]).exits_with(78);
    assert!(begin.elapsed().as_secs() < 5);
}

#[test]
fn a_wrong_word_is_shown_with_its_place_and_the_nearest_one() {
    let run =
        with_config("schema: maestro.config/v1\noutput:\n  format: jsn\n").run(["config", "show"]);
    insta::assert_snapshot!(run.exits_with(78).stderr, @r"
    error: `.maestro/maestro.yaml`: output.format: unknown variant `jsn`, expected one of `human`, `json`, `ndjson`, `markdown`, `github`, `sarif`, `junit`
     --> .maestro/maestro.yaml:3:11
      |
    3 |   format: jsn
      |           ^^^

    hint: did you mean `json`?
    ");
}
