//! `examples/observability/` has the dashboards and rules as they are made here: `MAESTRO_BLESS=1 cargo test generated` writes them anew. And what
//! `tests/interop/observe.sh` looks at is written where it asks for it.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "these files lie outside, and a test says that it is skipped"
)]

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use super::metrics::Collector;
use super::otlp::Temporality;
use super::prometheus::Form;
use super::spans::GenAi;
use super::{alerts, dashboards, logs, otlp, prometheus, sample, semconv, spans};

/// How many days the history has that promtool reads.
const DAYS: u32 = 60;

const RULES: &str = "maestro.rules.yml";

fn put(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// All files of the example that are made here.
fn made() -> Vec<(String, String)> {
    let boards = dashboards::files().into_iter();
    let mut files: Vec<_> = boards.map(|file| (file.name, file.text)).collect();
    files.extend([
        (format!("rules/{RULES}"), alerts::rules()),
        (
            "rules/maestro.rules.test.yml".into(),
            alerts::unit_tests(RULES),
        ),
        ("alertmanager.yml".into(), alerts::alertmanager().into()),
    ]);
    files
}

#[test]
fn generated_dashboards_and_rules_are_those_of_the_example() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/observability");
    for (name, text) in made() {
        if std::env::var_os("MAESTRO_BLESS").is_some() {
            put(&folder, &name, &text);
        }
        let there = std::fs::read_to_string(folder.join(&name)).unwrap_or_default();
        assert!(
            there == text,
            "examples/observability/{name} is stale; run MAESTRO_BLESS=1 cargo test generated"
        );
    }
}

#[test]
fn the_judges_get_what_they_look_at() {
    let variables = ["MAESTRO_OBSERVE_FILES", "MAESTRO_OBSERVE_NOW"];
    let [Some(folder), Some(now)] = variables.map(std::env::var_os) else {
        println!("skipped: tests/interop/observe.sh sets {variables:?}");
        return;
    };
    let folder = PathBuf::from(folder);
    let now: i64 = now.to_string_lossy().parse().unwrap();
    for (name, text) in made() {
        put(&folder, &name, &text);
    }
    let keys: Vec<&str> = semconv::KEYS.iter().map(|key| key.name()).collect();
    put(&folder, "keys.txt", &keys.join("\n"));
    write_spans_and_logs(&folder);
    write_metrics(&folder, Timestamp::from_second(now).unwrap());
}

fn write_spans_and_logs(folder: &Path) {
    let run = 14_460_881_260;
    let mut made = spans::of_run(&sample::run(run, 20));
    let agents = sample::agents(Some((run, 2)));
    made.extend(spans::of_agents(&agents, GenAi::Off));
    made.extend(spans::of_agents(&sample::agents(None), GenAi::Latest));
    // Ten thousand spans more.
    for id in 1..=100 {
        made.extend(spans::of_run(&sample::run(id, 97)));
    }
    let said = sample::logs();
    for (kind, documents) in [
        ("traces", otlp::traces(&sample::source(), &made)),
        ("logs", otlp::logs(&sample::source(), &said)),
    ] {
        for (number, document) in documents.iter().enumerate() {
            put(folder, &format!("otlp/{kind}-{number:03}.json"), document);
        }
    }
    let lines: Vec<String> = said.iter().map(logs::line).collect();
    put(folder, "logs.ndjson", &lines.join("\n"));
}

fn write_metrics(folder: &Path, now: Timestamp) {
    let mut newest = Collector::default();
    sample::collect(&mut newest, now, 1);
    assert_eq!(newest.left_out, 0);
    for (temporality, word) in [
        (Temporality::Delta, "delta"),
        (Temporality::Cumulative, "cumulative"),
    ] {
        let documents = otlp::metrics(
            &sample::source(),
            newest.metrics(),
            temporality,
            sample::at(0),
        );
        for (number, document) in documents.iter().enumerate() {
            put(
                folder,
                &format!("otlp/metrics-{word}-{number}.json"),
                document,
            );
        }
    }
    let mut past = Collector::default();
    for day in 0..DAYS {
        let ago = SignedDuration::from_hours(24 * i64::from(DAYS - day));
        sample::collect(&mut past, now - ago, u64::from(day));
    }
    let common = vec![(semconv::REPOSITORY_NAME, "shop".to_string())];
    for (name, metrics, form) in [
        ("metrics.prom", &newest, Form::Text),
        ("metrics.om", &newest, Form::OpenMetrics),
        ("history.om", &past, Form::History),
    ] {
        let text = prometheus::write(metrics.metrics(), &common, form);
        put(folder, name, &text);
    }
    let path = prometheus::pushgateway_path("maestro", &common);
    put(folder, "push.path", &path);
}
