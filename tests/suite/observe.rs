//! `maestro observe`: what is told, to whom, and what happens when nobody listens.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::github::{Fake, TOKEN};
use crate::harness::{Maestro, files_below};

/// A request as it came: its line, its head in lower case, its body.
#[derive(Debug, Clone)]
pub(crate) struct Came {
    pub(crate) line: String,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

/// A receiver of whatever is sent.
pub(crate) struct Tap {
    pub(crate) address: String,
    came: Arc<Mutex<Vec<Came>>>,
}

impl Tap {
    /// Answers each request with a status line and more of a head.
    pub(crate) fn answering(answer: &'static str) -> Self {
        let door = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", door.local_addr().unwrap());
        let came = Arc::new(Mutex::new(Vec::new()));
        let shown = Arc::clone(&came);
        std::thread::spawn(move || {
            for visitor in door.incoming().flatten() {
                let shown = Arc::clone(&shown);
                std::thread::spawn(move || converse(&visitor, answer, &shown));
            }
        });
        Self { address, came }
    }

    pub(crate) fn came(&self) -> Vec<Came> {
        self.came.lock().unwrap().clone()
    }

    /// The documents that came for a signal.
    fn documents(&self, signal: &str) -> Vec<Value> {
        let line = format!("POST /v1/{signal} HTTP/1.1");
        let came = self.came().into_iter();
        let came = came.filter(|came| came.line == line);
        came.map(|came| serde_json::from_slice(&came.body).unwrap())
            .collect()
    }
}

fn converse(visitor: &TcpStream, answer: &str, shown: &Mutex<Vec<Came>>) {
    let mut reader = BufReader::new(visitor);
    loop {
        let mut lines = Vec::new();
        let mut line = String::new();
        while reader.read_line(&mut line).unwrap_or(0) > 2 {
            lines.push(line.trim_end().to_owned());
            line.clear();
        }
        if lines.is_empty() {
            return;
        }
        let head = lines[1..].join("\n").to_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        reader.read_exact(&mut body).unwrap();
        let line = lines[0].clone();
        shown.lock().unwrap().push(Came { line, head, body });
        let text = format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\n\r\n");
        if (&*visitor).write_all(text.as_bytes()).is_err() {
            return;
        }
    }
}

/// A repository at GitHub with some runs of tests, of which one in three failed and then passed, a bill, and a verdict.
fn machine() -> Maestro {
    let maestro = Maestro::in_repo().env("GITHUB_REPOSITORY", "acme/shop");
    let caps = r#"{"schema": "maestro.ci-budget/v1", "per_month": "2"}"#;
    maestro.file(".maestro/ci_budget.json", caps);
    maestro.commit("Cap");
    let line = |run: u32, attempt: u32, status: &str| {
        json!({
            "run": run.to_string(), "attempt": attempt, "commit": format!("c{run}"), "job": "test", "suite": "s", "test": "t", "status": status,
        })
        .to_string()
            + "\n"
    };
    let lines = line(1, 1, "passed") + &line(2, 1, "failed") + &line(2, 2, "passed");
    maestro.file("h.ndjson", lines + &line(3, 1, "passed"));
    maestro.run(["flakes", "ingest", "h.ndjson"]).success();
    bill(&maestro, "a");
    maestro.run(["check-policy", "--base", "HEAD"]).success();
    maestro
}

/// Pays a dollar for a call.
pub(crate) fn bill(maestro: &Maestro, id: &str) {
    let usage = json!({ "input_tokens": 1_000_000, "output_tokens": 0 });
    let answer = json!({ "id": id, "model": "claude-haiku-4-5", "usage": usage });
    maestro.file("answer.json", answer.to_string());
    let asked = "budget reserve --provider anthropic --model claude-haiku-4-5 --worst-usd 1 --role planner --pr 7";
    let ticket = maestro.run(asked.split(' ')).success().stdout;
    let settle = ["budget", "settle", "--reservation", ticket.trim(), "--body"];
    let settle = [&settle[..], &["answer.json"]].concat();
    maestro.run(settle).success();
}

fn told(maestro: &Maestro) -> String {
    let file = ["observe", "export", "--prometheus", "m.prom"];
    maestro.run(file).success();
    std::fs::read_to_string(maestro.path("m.prom")).unwrap()
}

#[track_caller]
fn has(text: &str, line: &str) {
    assert!(text.lines().any(|held| held == line), "{line}\n{text}");
}

#[test]
fn values_are_those_that_the_commands_say() {
    let maestro = machine();
    let text = told(&maestro);
    let common = r#"vcs_owner_name="acme",vcs_repository_name="shop""#;
    for line in [
        format!(
            "maestro_llm_cost_USD_total{{maestro_agent_role=\"planner\",maestro_llm_model=\"claude-haiku-4-5\",maestro_llm_provider=\"anthropic\",{common}}} 1"
        ),
        format!("maestro_budget_used_ratio{{maestro_budget_scope=\"month\",{common}}} 0.5"),
        format!("maestro_flake_tests{{maestro_flake_state=\"flaky\",{common}}} 1"),
        format!("maestro_policy_verdicts_total{{maestro_policy_outcome=\"passed\",{common}}} 1"),
        format!("maestro_export_time_seconds{{{common}}} 1767603600"),
    ] {
        has(&text, &line);
    }
    let rate = text
        .lines()
        .find(|line| line.starts_with("maestro_flake_rate_ratio"));
    assert!(rate.unwrap().contains("} 0.33333"), "{rate:?}");
    assert_eq!(maestro.json(&["budget", "status"])["share"], 50);
    let flaky = &maestro.json(&["flakes", "report"])["totals"]["verdicts"]["flaky"];
    assert_eq!(*flaky, 1);
    // What nobody knows is not told.
    assert!(
        !text.contains("maestro_dora") && !text.contains("queued"),
        "{text}"
    );
    // Equal state and time, equal bytes.
    assert_eq!(text, told(&maestro));
}

fn names(documents: &[Value]) -> Vec<String> {
    let lists = [
        ("resourceSpans", "scopeSpans", "spans"),
        ("resourceMetrics", "scopeMetrics", "metrics"),
    ];
    let mut names = Vec::new();
    for document in documents {
        for (resources, scopes, items) in lists {
            if let Some(found) = document[resources][0][scopes][0][items].as_array() {
                names.extend(
                    found
                        .iter()
                        .map(|item| item["name"].as_str().unwrap().to_owned()),
                );
            }
        }
    }
    names
}

#[test]
fn a_receiver_hears_of_each_run_and_event_once_and_of_sums_as_they_grow() {
    let tap = Tap::answering("200 OK");
    let maestro = machine()
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &tap.address)
        .env("OTEL_EXPORTER_OTLP_HEADERS", "api-key=s%20t");
    maestro.file("task.md", "Fix it.\n");
    crate::run_agents::recorded(&maestro);
    maestro.run(["observe", "export"]).success();
    let spans = names(&tap.documents("traces"));
    assert!(spans.contains(&"run-agents".to_owned()), "{spans:?}");
    assert!(spans.contains(&"task implementer".to_owned()), "{spans:?}");
    let logs = tap.documents("logs");
    let logs = logs[0]["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
        .as_array()
        .unwrap();
    let bodies: Vec<&str> = logs
        .iter()
        .map(|log| log["body"]["stringValue"].as_str().unwrap())
        .collect();
    assert!(bodies.contains(&"policy: passed"), "{bodies:?}");
    let came = tap.came();
    assert!(came.iter().all(|came| came.head.contains("api-key: s t")));
    assert!(
        came.iter()
            .all(|came| came.head.contains("content-type: application/json"))
    );

    let document = maestro.json(&["observe", "export"]);
    assert_eq!(
        (&document["spans"], &document["logs"]),
        (&json!(0), &json!(0))
    );
    bill(&maestro, "b");
    maestro.run(["observe", "export"]).success();
    assert_eq!(tap.documents("traces").len(), 1);
    let metrics = tap.documents("metrics");
    assert_eq!(metrics.len(), 3);
    let again = names(&metrics[1..2]);
    assert!(
        !again.contains(&"maestro.llm.calls".to_owned()),
        "{again:?}"
    );
    assert!(
        again.contains(&"maestro.budget.used".to_owned()),
        "{again:?}"
    );
    let list = metrics[2]["resourceMetrics"][0]["scopeMetrics"][0]["metrics"]
        .as_array()
        .unwrap();
    let calls = list
        .iter()
        .find(|metric| metric["name"] == "maestro.llm.calls")
        .unwrap();
    assert_eq!(calls["sum"]["aggregationTemporality"], 1);
    assert_eq!(calls["sum"]["dataPoints"][0]["asInt"], "1");
}

#[test]
fn in_actions_sums_are_told_from_the_beginning() {
    let maestro = machine().env("GITHUB_ACTIONS", "true");
    for file in ["a.ndjson", "b.ndjson"] {
        maestro.run(["observe", "export", "--otlp", file]).success();
        let text = std::fs::read_to_string(maestro.path(file)).unwrap();
        let document: Value = serde_json::from_str(
            text.lines()
                .find(|line| line.contains("resourceMetrics"))
                .unwrap(),
        )
        .unwrap();
        let list = document["resourceMetrics"][0]["scopeMetrics"][0]["metrics"]
            .as_array()
            .unwrap();
        let calls = list
            .iter()
            .find(|metric| metric["name"] == "maestro.llm.calls")
            .unwrap();
        assert_eq!(calls["sum"]["aggregationTemporality"], 2);
        assert_eq!(calls["sum"]["dataPoints"][0]["asInt"], "1");
    }
}

fn spool(maestro: &Maestro) -> usize {
    let files = files_below(&maestro.path(".git/maestro/spool"));
    let documents = files
        .iter()
        .filter(|file| file.extension().is_some_and(|end| end == "json"));
    documents.count()
}

#[test]
fn who_does_not_listen_changes_no_exit_code_and_hears_it_later() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    let maestro = machine().env("OTEL_EXPORTER_OTLP_ENDPOINT", address);
    let document = maestro.json(&["observe", "export"]);
    assert_eq!(document["targets"][1]["spooled"], 1);
    let waits = spool(&maestro);
    assert!(waits > 0);
    let tap = Tap::answering("200 OK");
    let maestro = maestro.env("OTEL_EXPORTER_OTLP_ENDPOINT", &tap.address);
    let document = maestro.json(&["observe", "export"]);
    assert_eq!(spool(&maestro), 0);
    assert_eq!(document["targets"][1]["from_spool"], 1);
    assert!(names(&tap.documents("metrics")).contains(&"maestro.llm.calls".to_owned()));
}

#[test]
fn who_hears_and_never_answers_costs_two_seconds() {
    // Connections are made, and nobody takes them.
    let deaf = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", deaf.local_addr().unwrap());
    let maestro = machine()
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &address)
        .env("MAESTRO_NOW", "2026-01-05T09:00:00Z");
    let began = Instant::now();
    maestro.run(["observe", "export", "--dry-run"]).success();
    let alone = began.elapsed();
    let began = Instant::now();
    let run = maestro
        .run(["observe", "export", "--pushgateway", &address])
        .success();
    let more = began.elapsed().saturating_sub(alone);
    assert!(more < Duration::from_millis(2600), "{more:?}");
    assert!(
        run.stderr.contains("kept for the next export"),
        "{}",
        run.stderr
    );
    assert!(spool(&maestro) > 0);
}

#[test]
fn what_is_refused_is_not_kept() {
    let tap = Tap::answering("400 Bad Request");
    let maestro = machine().env("OTEL_EXPORTER_OTLP_ENDPOINT", &tap.address);
    let document = maestro.json(&["observe", "export"]);
    assert_eq!(document["targets"][1]["refused"], 1);
    assert_eq!(spool(&maestro), 0);
}

#[test]
fn an_endpoint_that_cannot_be_used_is_named() {
    let maestro = machine().env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h:1");
    let grpc = maestro.env("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
    let run = grpc.run(["observe", "export"]).exits_with(78);
    assert!(
        run.stderr.contains("only http/json can be done"),
        "{}",
        run.stderr
    );
    let maestro = grpc
        .env("OTEL_EXPORTER_OTLP_PROTOCOL", "")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://ada:hunter2@h:1");
    let run = maestro.run(["observe", "export"]).exits_with(78);
    assert!(!run.stderr.contains("hunter2"), "{}", run.stderr);
}

#[test]
fn a_push_replaces_what_the_repository_pushed_before() {
    let tap = Tap::answering("202 Accepted");
    let maestro = machine();
    let address = tap.address.replace("//", "//ada:hunter2@");
    let args = ["observe", "export", "--pushgateway", &address];
    let run = maestro.run(args).success();
    assert!(!(run.stdout + &run.stderr).contains("hunter2"));
    let came = tap.came();
    assert_eq!(came.len(), 1);
    assert_eq!(
        came[0].line,
        "PUT /metrics/job@base64/bWFlc3Rybw==/vcs_owner_name@base64/YWNtZQ==/vcs_repository_name@base64/c2hvcA== HTTP/1.1"
    );
    assert!(came[0].head.contains("authorization: basic "));
    assert!(
        came[0]
            .head
            .contains("content-type: text/plain; version=0.0.4")
    );
    has(
        &String::from_utf8_lossy(&came[0].body),
        "# TYPE maestro_export_time_seconds gauge",
    );
}

#[test]
fn the_past_is_told_day_by_day() {
    let maestro = machine();
    let args = ["observe", "export", "--openmetrics", "h.om", "--days", "2"];
    maestro.run(args).success();
    let text = std::fs::read_to_string(maestro.path("h.om")).unwrap();
    let times = text
        .lines()
        .filter(|line| line.starts_with("maestro_export_time_seconds{"));
    let times: Vec<&str> = times.map(|line| line.rsplit(' ').next().unwrap()).collect();
    assert_eq!(
        times,
        ["1767430800.000", "1767517200.000", "1767603600.000"]
    );
    assert!(text.ends_with("# EOF\n"));
}

/// Secrets of several kinds, each of its own.
pub(crate) fn canaries() -> Vec<String> {
    let canary = |number: u32| {
        let digits = format!("{number:04}");
        match number % 5 {
            0 => format!("ghp_CANARY{digits}{}", "a".repeat(26)),
            1 => format!("sk-ant-api03-CANARY{digits}{}", "b".repeat(30)),
            2 => format!("glpat-CANARY{digits}xxxxxxxxxxxx"),
            3 => format!("npm_CANARY{digits}{}", "c".repeat(26)),
            _ => format!("password=CANARY{digits}hunter2hunter2"),
        }
    };
    (0..500).map(canary).collect()
}

#[test]
fn no_secret_is_told_whoever_put_it_into_a_name() {
    let fake = Fake::start();
    let canaries = canaries();
    let jobs: Vec<(&str, &str)> = canaries
        .iter()
        .map(|name| (name.as_str(), "failure"))
        .collect();
    let fields = json!({ "name": format!("ci {}", canaries[0]), "head_branch": canaries[1], "updated_at": "2026-01-05T08:30:00Z" });
    fake.ended(77, &fields, &[("2026-01-05T08:00:00Z", &jobs)]);
    fake.run(77, 1, fields);
    let maestro = machine()
        .env("GITHUB_REPOSITORY", "o/n")
        .env("GITHUB_TOKEN", TOKEN)
        .env("GITHUB_API_URL", fake.api())
        .env("SOME_PASSWORD", "CANARY-of-the-environment");
    let args = "observe export --run 77 --otlp o.ndjson --prometheus m.prom --log-format json -v";
    let run = maestro.run(args.split(' ')).success();
    let mut all = run.stdout + &run.stderr;
    for file in ["o.ndjson", "m.prom"] {
        all.push_str(&std::fs::read_to_string(maestro.path(file)).unwrap());
    }
    for file in files_below(&maestro.path(".git/maestro")) {
        if file.ends_with("observe.json") || file.starts_with(maestro.path(".git/maestro/spool")) {
            all.push_str(&std::fs::read_to_string(file).unwrap());
        }
    }
    assert!(all.matches("redacted").count() >= 500);
    assert_eq!(all.matches("CANARY").count(), 0);
}

#[test]
fn a_run_at_github_is_told_with_its_jobs() {
    let fake = Fake::start();
    let fields = json!({ "name": "ci", "updated_at": "2026-01-05T08:30:00Z" });
    let jobs = [("test", "failure"), ("lint", "success")];
    fake.ended(77, &fields, &[("2026-01-05T08:00:00Z", &jobs)]);
    fake.run(77, 1, fields);
    let maestro = machine()
        .env("GITHUB_REPOSITORY", "o/n")
        .env("GITHUB_TOKEN", TOKEN)
        .env("GITHUB_API_URL", fake.api());
    maestro
        .run(["observe", "export", "--run", "77", "--otlp", "o.ndjson"])
        .success();
    let text = std::fs::read_to_string(maestro.path("o.ndjson")).unwrap();
    let document: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    let spans = document["resourceSpans"][0]["scopeSpans"][0]["spans"]
        .as_array()
        .unwrap();
    let root = spans.iter().find(|span| span["name"] == "RUN ci").unwrap();
    let traces: BTreeSet<&str> = spans
        .iter()
        .map(|span| span["traceId"].as_str().unwrap())
        .collect();
    assert_eq!(traces.len(), 1);
    for job in ["test", "lint"] {
        let span = spans.iter().find(|span| span["name"] == job).unwrap();
        assert_eq!(span["parentSpanId"], root["spanId"]);
    }
    // Who asks for a run without a token hears why there are no jobs.
    let run = maestro
        .env("GITHUB_TOKEN", "")
        .run(["observe", "export", "--run", "77"])
        .success();
    assert!(run.stderr.contains("there is no token"), "{}", run.stderr);
}

/// Asks a server, and returns the whole answer.
fn get(address: &str, path: &str, head: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let text = format!("GET {path} HTTP/1.1\r\nConnection: close\r\n{head}\r\n\r\n");
    stream.write_all(text.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[cfg(unix)]
#[test]
fn who_scrapes_gets_what_is_known_now() {
    let maestro = machine();
    let args = "observe serve --listen 127.0.0.1:0 --every 0s --for 60s";
    let mut child = maestro
        .command(args.split(' '))
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening on http://").unwrap();
    let address = address.strip_suffix("/metrics").unwrap();
    let host = format!("Host: {address}");
    let calls = |answer: &str| {
        let line = answer
            .lines()
            .find(|line| line.starts_with("maestro_llm_calls_total{"));
        line.unwrap().rsplit(' ').next().unwrap().to_owned()
    };
    let answer = get(address, "/metrics", &host);
    assert!(
        answer.contains("content-type: text/plain; version=0.0.4"),
        "{answer}"
    );
    assert_eq!(calls(&answer), "1");
    bill(&maestro, "b");
    let open =
        format!("{host}\r\nAccept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5");
    let answer = get(address, "/metrics", &open);
    assert!(answer.ends_with("# EOF\n"), "{answer}");
    assert_eq!(calls(&answer), "2");
    assert!(get(address, "/-/healthy", &host).starts_with("HTTP/1.1 200"));
    assert!(get(address, "/", &host).starts_with("HTTP/1.1 404"));
    assert!(get(address, "/metrics", "Host: evil.example").starts_with("HTTP/1.1 403"));
    let id = child.id().to_string();
    let asked = Command::new("kill").args(["-TERM", &id]).status().unwrap();
    assert!(asked.success());
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_file_that_somebody_changed_stays() {
    let maestro = Maestro::in_repo();
    let write = ["observe", "dashboards", "--out", "o"];
    maestro.run(write).success();
    let files = files_below(&maestro.path("o/dashboards"));
    assert_eq!(files.len(), 6);
    std::fs::write(&files[0], "mine").unwrap();
    let outcomes = |document: &Value| -> BTreeSet<String> {
        let files = document["files"].as_array().unwrap().iter();
        files
            .map(|row| row["outcome"].as_str().unwrap().to_owned())
            .collect()
    };
    let document = maestro.json(&write);
    assert_eq!(
        outcomes(&document),
        ["kept", "unchanged"].map(String::from).into()
    );
    assert_eq!(std::fs::read_to_string(&files[0]).unwrap(), "mine");
    let document = maestro.json(&[&write[..], &["--force"]].concat());
    assert_eq!(
        outcomes(&document),
        ["unchanged", "written"].map(String::from).into()
    );
    let name = files[0].file_stem().unwrap().to_str().unwrap();
    let name = name.strip_prefix("maestro-").unwrap();
    let run = maestro.run(["observe", "dashboards", name]).success();
    assert_eq!(run.stdout, std::fs::read_to_string(&files[0]).unwrap());
    let rules = maestro.run(["observe", "alerts", "rules"]).success().stdout;
    assert!(rules.contains("alert: MaestroBudget95"));
    let _ = maestro
        .run(["observe", "alerts", "rulse"])
        .exits_with(2)
        .says("did you mean `rules`?");
}

#[test]
fn a_line_of_a_log_leads_to_the_trace_of_its_run() {
    let maestro = machine()
        .env("GITHUB_RUN_ID", "14460881260")
        .env("GITHUB_RUN_ATTEMPT", "13")
        .env("GITHUB_JOB", "test")
        .env("GITHUB_SHA", "6077d805")
        .env("GITHUB_REF", "refs/pull/7/merge");
    let run = maestro
        .run(["--log-format", "json", "observe", "export"])
        .success();
    assert!(!run.stderr.is_empty());
    for line in run.stderr.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["schema"], "maestro.log/v1");
        assert_eq!(line["timestamp"], "2026-01-05T09:00:00.000000000Z");
        assert_eq!(line["trace_id"], "731ec8a47fd7450f753a812a4a8aa5a0");
        let told = &line["attributes"];
        assert_eq!(told["maestro.command"], "observe export");
        assert_eq!(told["maestro.run.id"], "14460881260");
        assert_eq!(told["maestro.job"], "test");
        assert_eq!(told["vcs.change.id"], "7");
        assert_eq!(told["vcs.ref.head.revision"], "6077d805");
    }
    let run = maestro
        .run(["--log-format", "json", "explain", "nonsense"])
        .exits_with(66);
    let error: Value = serde_json::from_str(&run.stderr).unwrap();
    assert_eq!(error["schema"], "maestro.error/v1");
    assert_eq!(error["span_id"], "aba151af7cfbcf0f");
    assert_eq!(error["body"], error["message"]);
}
