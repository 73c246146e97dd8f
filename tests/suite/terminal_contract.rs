//! The terminal contract, for every command: streams, exit codes, colours, bytes, examples.

mod calls;
mod codes;
mod examples;
mod formats;
mod surroundings;

use std::fs;
#[cfg(target_os = "linux")]
use std::fs::File;
use std::process::Stdio;
use std::sync::OnceLock;

use serde_json::Value;

use crate::harness::Maestro;
use crate::publish::work::{Agents, MESSAGE};
use crate::snapshot::Snapshot;
use calls::{CALLS, SLOW};

const POLICY: &str = "schema: maestro.policy/v1\nrules:\n- {rule: title, id: short, severity: warn, reason: r, max_length: 72}\n";

const REPORT: &str = r#"<testsuites><testsuite name="s"><testcase name="t"><flakyFailure message="m"/></testcase><testcase name="u"><failure message="n"/></testcase></testsuite></testsuites>"#;

#[test]
fn a_dry_run_of_the_demo_leaves_nothing() {
    let maestro = Maestro::in_folder();
    let _ = maestro
        .run(["demo", "--dry-run", "d"])
        .success()
        .says("would unpack");
    assert!(!maestro.path("d").exists());
}

/// A repository in which the examples of every `--help` work.
fn prepared() -> Maestro {
    static MADE: OnceLock<Snapshot> = OnceLock::new();
    Maestro::laid(MADE.get_or_init(|| Snapshot::of(&made().path(""))))
}

/// Makes it anew.
fn made() -> Maestro {
    let maestro = Maestro::in_repo();
    maestro
        .file("Cargo.toml", "[workspace]\nmembers = [\"a\"]\n")
        .file(
            "a/Cargo.toml",
            "[package]\nname = \"a\"\nedition = \"2024\"\n",
        )
        .file("a/src/lib.rs", "");
    maestro.commit("Add a package");
    maestro.git(&["init", "--quiet", "--bare", "remote.git"]);
    for name in ["origin", "upstream"] {
        maestro.git(&["remote", "add", name, "remote.git"]);
    }
    maestro
        .file("build/test-results/r.xml", REPORT)
        .file("target/nextest/ci/junit.xml", REPORT)
        .file("tests.txt", "TestA\nTestB\nok  \tex.com/m\t0.1s\n")
        .file(
            "green.xml",
            "<testsuite name=\"s\"><testcase name=\"t\"/></testsuite>",
        )
        .file(
            ".maestro/quarantine.json",
            r#"{"schema": "maestro.quarantine/v1", "tests": [{"suite": "s", "test": "known", "reason": "r", "since": "2026-01-01", "review_by": "2026-01-15"}]}"#,
        )
        .file("muted-tests.yml", "tests:\n- class: s\n  method: t\n")
        .file(
            "answer.json",
            r#"{"model": "claude-sonnet-4-6", "usage": {"input_tokens": 10, "output_tokens": 5}}"#,
        )
        .file(
            "answers.ndjson",
            r#"{"id": 1, "provider": "openai", "body": {"model": "gpt-5.4", "usage": {"prompt_tokens": 9, "completion_tokens": 2}}}"#,
        )
        .file(
            "claude-execution-output.json",
            r#"[{"type": "result", "session_id": "s", "total_cost_usd": 0.1, "usage": {"input_tokens": 10, "output_tokens": 5}, "modelUsage": {"claude-sonnet-4-6": {"inputTokens": 10, "outputTokens": 5}}}]"#,
        )
        .file("codex.ndjson", r#"{"type": "turn.completed", "usage": {"input_tokens": 10, "cached_input_tokens": 0, "output_tokens": 5}}"#)
        .file(
            "token-usage.jsonl",
            r#"{"event": "token_usage", "timestamp": "2026-01-01T00:00:00Z", "request_id": "r", "provider": "anthropic", "model": "claude-sonnet-4-6", "path": "/v1/messages", "input_tokens": 1, "output_tokens": 1}"#,
        )
        .file("policy.yaml", POLICY)
        .file("lcov.info", "SF:a/src/lib.rs\nDA:1,1\nend_of_record\n")
        .file("task.md", "Fix a, b and c.\n")
        .file("repositories.txt", "# all of them\n.\n")
        .file("prompts.ndjson", r#"{"id": 1, "prompt": "Fix it."}"#)
        .file("answers.csv", "prompt,small,large\nFix it.,True,True\n\"Prove it, then fix it.\",False,True\n")
        .file(
            "data_slim.json",
            r#"[{"id": "p", "models": [{"id": "m", "match": {"equals": "m"}, "prices": {"input_mtok": 1, "output_mtok": 2}}]}]"#,
        )
        .file(
            "model_prices_and_context_window.json",
            r#"{"m": {"litellm_provider": "p", "mode": "chat", "input_cost_per_token": 1e-06, "output_cost_per_token": 2e-06}}"#,
        )
        .file(
            "prices.json",
            r#"{"schema": "maestro.prices/v1", "source": "ours", "date": "2026-01-01", "currency": "USD", "providers": [{"id": "p", "models": [{"id": "m", "match": {"equals": "m"}, "prices": {"input_mtok": 1}}]}]}"#,
        )
        .file("request.json", r#"{"model": "claude-haiku-4-5", "max_tokens": 500, "messages": []}"#)
        .file("prompt.txt", "Say something.\n")
        .file(
            "joke.prompt.yml",
            "name: Joke\nmessages:\n  - {role: user, content: \"{{input}}\"}\n",
        )
        .file(
            "values.json",
            r#"{"issue": {"title": "t", "body": "b"}, "repository": {"map": "src/lib.rs"}, "roles": [], "commands": ["cargo test"]}"#,
        )
        .file("page.html", "<html/>")
        .file("needs.json", r#"{"plan": {"result": "success"}}"#);
    maestro
        .run(["flakes", "ingest", "--run", "1", "build"])
        .success();
    maestro
        .run(["state", "pack", "maestro-state.ndjson"])
        .success();
    finish(maestro)
}

/// What agents did, as a bundle.
fn work(maestro: &Maestro) {
    let agents = Agents::begin(maestro);
    agents.file("a/src/lib.rs", "// checked\n");
    agents.commit(MESSAGE).bundle();
    crate::publish::work::end(maestro);
}

/// Adds what commands leave.
fn finish(maestro: Maestro) -> Maestro {
    maestro.file("issue.md", "It panics.\n");
    maestro.file(
        "coverage.xml",
        r#"<coverage line-rate="1"><class filename="a/src/lib.rs"><lines><line number="1" hits="1"/></lines></class></coverage>"#,
    );
    prove(&maestro);
    crate::run_agents::recorded(&maestro);
    work(&maestro);
    maestro
}

/// Something that was built, with signed statements about it.
fn prove(maestro: &Maestro) {
    maestro
        .file("dist/app", "an app")
        .file(
            "reports/r.xml",
            "<testsuite><testcase name=\"t\"/></testsuite>",
        )
        .file("signing.pem", include_str!("provenance/ed25519.pem"))
        .file("signing.pem.pub", include_str!("provenance/ed25519.pub"));
    let subject = ["provenance", "generate", "--subject", "dist/app"];
    maestro.run(subject).success();
    let sign = ["provenance", "sign", "provenance", "--key", "signing.pem"];
    maestro.run(sign).success();
}

/// Returns every command that does something, found by walking the help.
fn leaves(maestro: &Maestro, path: &[String]) -> Vec<Vec<String>> {
    let mut args = path.to_vec();
    args.push("--help".into());
    let help = maestro.run(&args).success().stdout;
    let Some((_, commands)) = help.split_once("Commands:\n") else {
        return vec![path.to_vec()];
    };
    commands
        .lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .flat_map(|name| {
            let mut deeper = path.to_vec();
            deeper.push(name.to_owned());
            leaves(maestro, &deeper)
        })
        .collect()
}

#[test]
fn every_command_has_a_call_in_this_file() {
    let maestro = Maestro::in_folder();
    for leaf in leaves(&maestro, &[]) {
        let leaf: Vec<&str> = leaf.iter().map(String::as_str).collect();
        let known = CALLS
            .iter()
            .map(|(call, _)| *call)
            .chain(SLOW.iter().copied());
        assert!(
            known.clone().any(|call| call.starts_with(&leaf)),
            "add a call of `maestro {}` to CALLS",
            leaf.join(" ")
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
fn help_to_a_full_disk_is_exit_74() {
    let maestro = Maestro::in_folder();
    let mut commands = leaves(&maestro, &[]);
    commands.push(Vec::new());
    for command in commands {
        for flag in ["--help", "-h"] {
            let status = maestro
                .command(command.iter().map(String::as_str).chain([flag]))
                .stdout(File::options().write(true).open("/dev/full").unwrap())
                .stderr(Stdio::piped())
                .output()
                .unwrap();
            assert_eq!(
                status.status.code(),
                Some(74),
                "maestro {} {flag}",
                command.join(" ")
            );
        }
    }
    let version = maestro
        .command(["--version"])
        .stdout(File::options().write(true).open("/dev/full").unwrap())
        .stderr(Stdio::null())
        .status();
    assert_eq!(version.unwrap().code(), Some(74));
}

#[cfg(target_os = "linux")]
#[test]
fn data_to_a_full_disk_is_exit_74_and_no_panic() {
    let maestro = prepared();
    for (call, _) in CALLS {
        if maestro.run(*call).stdout.is_empty() {
            continue;
        }
        let output = maestro
            .command(*call)
            .stdout(File::options().write(true).open("/dev/full").unwrap())
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(74), "{call:?}: {stderr}");
        assert!(
            stderr.contains("cannot write to standard output"),
            "{call:?}: {stderr}"
        );
    }
}

#[test]
fn a_closed_pipe_never_panics_and_keeps_the_exit_code() {
    let maestro = prepared();
    for (call, code) in CALLS {
        for format in ["human", "json", "ndjson"] {
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            let output = maestro
                .command(call.iter().chain(&["--format", format]))
                .stdout(writer)
                .stderr(Stdio::piped())
                .output()
                .unwrap();
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert_eq!(
                output.status.code(),
                Some(*code),
                "{call:?} {format}: {stderr}"
            );
            assert!(!stderr.contains("bug"), "{call:?}: {stderr}");
        }
    }
}

#[cfg(unix)]
#[test]
fn closed_streams_are_no_obstacle() {
    let maestro = prepared();
    for (call, code) in CALLS {
        let status = maestro
            .shell("exec \"$0\" \"$@\" <&- >&- 2>&-", call)
            .status()
            .unwrap();
        assert_eq!(status.code(), Some(*code), "{call:?}");
    }
}

#[test]
fn colour_can_be_forced_and_forbidden() {
    let colours = |maestro: &Maestro, args: &[&str]| {
        let mut all = vec!["explain", "nonsense"];
        all.extend(args);
        maestro.run(all).exits_with(66).stderr.contains('\u{1b}')
    };
    let forced = Maestro::in_folder().env("CLICOLOR_FORCE", "1");
    assert!(colours(&forced, &[]));
    assert!(!colours(&forced, &["--color", "never"]));
    let forbidden = Maestro::in_folder()
        .env("CLICOLOR_FORCE", "1")
        .env("NO_COLOR", "1");
    assert!(!colours(&forbidden, &[]));
    assert!(colours(&forbidden, &["--color", "always"]));
    assert!(!colours(
        &Maestro::in_folder().env("CLICOLOR_FORCE", "0"),
        &[]
    ));
}

#[test]
fn a_report_file_has_the_bytes_of_standard_output_and_no_colour() {
    let maestro = prepared();
    for format in [
        "human", "json", "ndjson", "markdown", "github", "sarif", "junit",
    ] {
        let stdout = maestro
            .run(["flakes", "report", "--format", format])
            .success()
            .stdout;
        let target = format!("{format}=out/report.{format}");
        maestro
            .run([
                "flakes",
                "report",
                "--report",
                &target,
                "--report",
                "json=out/x.json",
                "--color",
                "always",
            ])
            .success();
        assert_eq!(
            fs::read_to_string(maestro.path(&format!("out/report.{format}"))).unwrap(),
            stdout
        );
    }
    assert!(maestro.path("out/x.json").exists());
}

#[test]
fn an_unknown_flag_is_exit_2_on_standard_error() {
    let maestro = Maestro::in_folder();
    for leaf in leaves(&maestro, &[]) {
        let run = maestro
            .run(leaf.iter().map(String::as_str).chain(["--formt"]))
            .exits_with(2);
        assert!(run.stdout.is_empty());
        assert!(run.stderr.starts_with("error: "), "{}", run.stderr);
    }
    maestro
        .run(["flakes", "reprt"])
        .exits_with(2)
        .says("report");
    assert!(
        maestro
            .run(Vec::<&str>::new())
            .exits_with(2)
            .stdout
            .is_empty()
    );
}

#[cfg(unix)]
#[test]
fn an_argument_that_is_not_unicode_never_panics() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let maestro = prepared();
    let odd = OsStr::from_bytes(b"\xff.xml");
    let run = maestro
        .run([OsStr::new("flakes"), OsStr::new("ingest"), odd])
        .exits_with(66);
    assert!(run.stderr.contains("cannot read"), "{}", run.stderr);
    for leaf in leaves(&maestro, &[]) {
        let args = leaf
            .iter()
            .map(OsStr::new)
            .chain([OsStr::new("--color"), odd]);
        let run = maestro.run(args).exits_with(2);
        assert!(!run.stderr.contains("bug"), "{}", run.stderr);
    }
}

#[test]
fn errors_come_as_json_when_asked() {
    let maestro = Maestro::in_folder();
    let run = maestro
        .run(["--log-format", "json", "explain", "nonsense"])
        .exits_with(66);
    let error: Value = serde_json::from_str(&run.stderr).unwrap();
    assert_eq!(
        (&error["schema"], &error["exit_code"]),
        (&"maestro.error/v1".into(), &66.into())
    );
}

#[test]
fn mistakes_on_the_command_line_come_as_json_when_asked() {
    let maestro = Maestro::in_folder().env("MAESTRO_LOG_FORMAT", "json");
    let run = maestro.run(["flakes", "reprt"]).exits_with(2);
    let error: Value = serde_json::from_str(&run.stderr).unwrap();
    assert_eq!(
        (&error["kind"], &error["exit_code"]),
        (&"usage".into(), &2.into())
    );
}

#[test]
fn quiet_silences_everything_but_data_and_errors() {
    let maestro = prepared();
    let run = maestro
        .run(["-qq", "flakes", "ingest", "--dry-run", "build"])
        .success();
    assert!(run.stderr.is_empty() && !run.stdout.is_empty());
    assert!(
        maestro
            .run(["-qq", "explain", "nonsense"])
            .exits_with(66)
            .stderr
            .starts_with("error: ")
    );
}

#[test]
fn github_gets_annotations_a_summary_and_outputs() {
    let maestro = prepared()
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_STEP_SUMMARY", "summary.md")
        .env("GITHUB_OUTPUT", "output.txt");
    let run = maestro.run(["flakes", "report"]).success();
    assert!(
        run.stderr
            .contains("::warning title=flakes/flaky::s > t is flaky"),
        "{}",
        run.stderr
    );
    assert!(!run.stdout.contains("::warning"));
    let summary = fs::read_to_string(maestro.path("summary.md")).unwrap();
    assert!(summary.starts_with("### Flaky tests: 1 flaky"), "{summary}");
    let outputs = fs::read_to_string(maestro.path("output.txt")).unwrap();
    assert!(outputs.contains("flaky=1\n"), "{outputs}");
}

#[test]
fn completions_and_manual_pages_exist_for_every_command() {
    let maestro = Maestro::in_folder();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        assert!(
            maestro
                .run(["util", "completions", shell])
                .success()
                .stdout
                .contains("ingest")
        );
    }
    for leaf in leaves(&maestro, &[]) {
        let page = maestro.run(
            ["util", "man"]
                .into_iter()
                .chain(leaf.iter().map(String::as_str)),
        );
        assert!(page.success().stdout.starts_with(".ie"));
    }
}
