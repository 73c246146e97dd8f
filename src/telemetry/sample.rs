//! A scripted state of things for tests: every metric with a value of its own, every kind of span, hostile words.

use jiff::Timestamp;

use super::attributes::Attributes;
use super::instruments::{BUDGET_USED, DURATIONS, EXPORT_TIME, INSTRUMENTS, Instrument, Kind};
use super::logs::{Log, Place, Severity};
use super::metrics::{Buckets, Collector};
use super::otlp::Source;
use super::semconv::{Key, Outcome, TaskType};
use super::spans::{AgentRun, Call, Job, Repository, Run, Step, Task, Tokens, Worker, resource};

/// Words as a stranger would choose them.
pub(crate) const HOSTILE: &str =
    "a\"b\\c\n# EOF\n\u{0}\u{2028}é🦀 ${{ secrets.X }} ::error::<script>";

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_764_000_000 + second).unwrap()
}

pub(crate) fn repository() -> Repository {
    Repository {
        owner: "acme".into(),
        name: "shop".into(),
        url: "https://github.com/acme/shop".into(),
        provider: "github".into(),
    }
}

pub(crate) fn source() -> Source {
    Source {
        resource: resource(&repository(), "0.1.0"),
        version: "0.1.0".into(),
    }
}

/// Returns a value of every metric for each of some labels, at a time; the more `days` have passed, the more counters have grown.
pub(crate) fn collect(collector: &mut Collector, now: Timestamp, days: u64) {
    let mut number = 0;
    for instrument in INSTRUMENTS {
        for labels in combinations(instrument) {
            let labels: Vec<(Key, &str)> = labels.iter().map(|(k, v)| (*k, v.as_str())).collect();
            number += 1;
            take(collector, instrument, &labels, now, number, days);
        }
    }
}

fn take(
    collector: &mut Collector,
    instrument: &'static Instrument,
    labels: &[(Key, &str)],
    now: Timestamp,
    number: u64,
    days: u64,
) {
    if *instrument == EXPORT_TIME {
        let now = u64::try_from(now.as_second()).unwrap();
        collector.count(instrument, labels, now_of(now), now);
        return;
    }
    let small = f64::from(u32::try_from(number).unwrap());
    match (instrument.kind, instrument.unit) {
        (Kind::Gauge, "1") if *instrument == BUDGET_USED => {
            collector.number(instrument, labels, now, 0.96);
        }
        (Kind::Gauge, "1") => collector.number(instrument, labels, now, small / 1000.0),
        (Kind::Counter | Kind::UpDownCounter, unit) if unit.starts_with('{') => {
            collector.count(instrument, labels, now, number + 3 * days);
        }
        (Kind::Histogram, _) => {
            let mut buckets = Buckets::new(DURATIONS);
            for value in 0..number + days {
                buckets.add(small * 7.0 + f64::from(u32::try_from(value).unwrap()) * 11.0);
            }
            collector.buckets(instrument, labels, now, buckets);
        }
        _ => collector.number(instrument, labels, now, small * 1.25),
    }
}

fn now_of(second: u64) -> Timestamp {
    Timestamp::from_second(i64::try_from(second).unwrap()).unwrap()
}

/// Returns labels with two values each; quantiles are those that are written.
fn combinations(instrument: &Instrument) -> Vec<Vec<(Key, String)>> {
    let mut all = vec![Vec::new()];
    for &key in instrument.labels {
        let values: [&str; 2] = match key.name() {
            "maestro.quantile" if instrument.name.starts_with("maestro.ci") => ["p50", "p95"],
            "maestro.quantile" => ["p50", "p90"],
            "maestro.flake.state" => ["flaky", "overdue"],
            "cicd.pipeline.name" => ["ci", "re\"lease\\"],
            "cicd.pipeline.result" => ["success", "failure"],
            "cicd.pipeline.run.state" => ["executing", "pending"],
            "vcs.change.state" => ["open", "merged"],
            "deployment.status" => ["succeeded", "failed"],
            "deployment.environment.name" => ["production", "staging"],
            "maestro.severity" => ["critical", "high"],
            "maestro.policy.outcome" => ["pass", "block"],
            _ => ["one", "two"],
        };
        let mut more = Vec::new();
        for held in &all {
            for value in values {
                let mut held: Vec<(Key, String)> = held.clone();
                held.push((key, value.to_string()));
                more.push(held);
            }
        }
        all = more;
    }
    all
}

pub(crate) fn run(id: u64, steps: u32) -> Run {
    let job = id * 10;
    let steps = (1..=steps).map(|number| Step {
        number,
        name: if number % 7 == 0 {
            "Run tests".into()
        } else {
            format!("step {number}")
        },
        started: at(i64::from(number)),
        ended: Some(at(i64::from(number) + 1)),
        result: Some(Outcome::ALL[number as usize % 6]),
    });
    Run {
        id,
        attempt: 2,
        workflow: format!("ci {HOSTILE}"),
        url: format!("https://github.com/acme/shop/actions/runs/{id}"),
        branch: HOSTILE.into(),
        commit: "6077d805b0fc49f65e6dbaefc2d1fc9b4f92aa4e".into(),
        change: Some(7),
        started: at(0),
        ended: Some(at(900)),
        result: Some(Outcome::Failure),
        jobs: vec![Job {
            id: Some(job),
            name: HOSTILE.into(),
            url: format!("https://github.com/acme/shop/actions/runs/{id}/job/{job}"),
            queued: Some(at(0)),
            started: at(5),
            // As GitHub has it for what was skipped.
            ended: Some(at(4)),
            result: Some(Outcome::Skip),
            does: Some(TaskType::Test),
            worker: Some(Worker {
                id: Some(346),
                name: "GitHub Actions 320".into(),
            }),
            steps: steps.collect(),
        }],
    }
}

pub(crate) fn agents(ci: Option<(u64, u32)>) -> AgentRun {
    let call = |id: u32| Call {
        id: id.to_string(),
        provider: "anthropic".into(),
        model: "claude-haiku-4-5".into(),
        started: at(20),
        ended: at(25),
        status: "settled".into(),
        usd: "0.0125".parse().ok(),
        tokens: Some(Tokens {
            input: 1000,
            cache_read: 400,
            cache_write: 100,
            output: 50,
            reasoning: 20,
        }),
    };
    let task = |id: &str, role: &str, succeeded| Task {
        id: id.into(),
        attempt: 1,
        role: role.into(),
        started: at(10),
        ended: at(60),
        outcome: if succeeded { "done" } else { "failed" }.into(),
        succeeded,
        calls: vec![call(1), call(2)],
    };
    AgentRun {
        id: "run-1".into(),
        ci,
        job: ci.map(|(id, _)| id * 10),
        change: Some(7),
        started: at(10),
        ended: at(70),
        outcome: "delivered".into(),
        succeeded: true,
        usd: "0.075".parse().ok(),
        tasks: vec![
            task("t1", "planner", true),
            task("t2", "implementer", false),
        ],
        calls: vec![call(1)],
    }
}

pub(crate) fn logs() -> Vec<Log> {
    let place = Place {
        run: Some(14_460_881_260),
        attempt: 13,
        job: "test".into(),
        change: Some(7),
        commit: "6077d805".into(),
        command: "check-policy".into(),
    };
    let mut logs = vec![
        place.log(at(1), Severity::Info, "began"),
        place.log(at(2), Severity::Warn, HOSTILE),
        place.log(at(3), Severity::Error, "stopped"),
        Place::default().log(at(4), Severity::Debug, "elsewhere"),
    ];
    logs[3].attributes = Attributes::new();
    logs
}
