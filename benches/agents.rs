//! Task graphs whose tasks do nothing, in memory and durably: `cargo bench --features bench --bench agents`. `benches/agents.sh` has LangGraph beside it.

#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark is a program of its own, and nobody pipes it"
)]

use std::path::Path;
use std::time::{Duration, Instant};

use maestro::agents_speed::{Shape, durable, flushes, memory};

const ROUNDS: usize = 7;

fn median(mut act: impl FnMut() -> bool) -> Duration {
    let mut rounds: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            assert!(act());
            start.elapsed()
        })
        .collect();
    rounds.sort_unstable();
    rounds[ROUNDS / 2]
}

fn in_folder(act: impl Fn(&Path) -> bool) -> impl FnMut() -> bool {
    move || {
        let here = std::env::current_dir();
        let folder = here.and_then(tempfile::tempdir_in);
        folder.is_ok_and(|folder| act(folder.path()))
    }
}

fn say(what: &str, count: u32, took: Duration) -> f64 {
    let rate = f64::from(count) / took.as_secs_f64();
    println!(
        "{what}: {count} in {:.1} ms, {rate:.0}/s",
        took.as_secs_f64() * 1000.0
    );
    rate
}

/// Returns the most memory that this process had, in MB.
fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes.unwrap_or(0.0) / 1024.0
}

fn main() {
    assert!(memory(10_000, Shape::Fan, 64));
    println!("10,000 tasks in memory: at most {:.1} MB", peak());
    let first = median(|| memory(1, Shape::Chain, 1));
    println!(
        "until a run of one task is over: {:.2} ms",
        first.as_secs_f64() * 1000.0
    );
    say(
        "chain, memory",
        100_000,
        median(|| memory(100_000, Shape::Chain, 1)),
    );
    say(
        "fan, memory",
        100_000,
        median(|| memory(100_000, Shape::Fan, 64)),
    );
    let disk = say(
        "flushes",
        500,
        median(in_folder(|folder| flushes(folder, 500))),
    );
    let chain = say(
        "chain, durable",
        500,
        median(in_folder(|folder| durable(folder, 500, Shape::Chain, 1))),
    );
    println!(
        "chain, durable: {:.2} of half the rate of flushes",
        chain / (disk / 2.0)
    );
    say(
        "fan, durable, 64 at once",
        20_000,
        median(in_folder(|folder| durable(folder, 20_000, Shape::Fan, 64))),
    );
}
