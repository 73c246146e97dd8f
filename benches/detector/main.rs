//! The detector beside simple rules and beside the best that is possible, on histories made up from FlakeFlagger's rates.
//! `benches/detector.sh` runs it.

#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::pedantic,
    missing_docs,
    unreachable_pub,
    reason = "a benchmark is a program of its own, and nobody pipes it"
)]

mod bayes;
mod make;
mod score;

use maestro::trial;

use make::{Plan, Project};
use score::{RULES, Row, Tally, best, calibration, f1, judge};

/// Histories of each project for each seed.
const TIMES: u64 = 3;

fn gather(chosen: &[&Project], prior: &[(f64, f64)], plan: Plan, with_bayes: bool) -> Tally {
    let mut tally = Tally::default();
    for (at, project) in chosen.iter().enumerate() {
        for time in 0..TIMES {
            judge(
                project,
                &plan,
                at as u64 * 100 + time,
                prior,
                with_bayes,
                &mut tally,
            );
        }
    }
    tally
}

fn is_called(row: &Row) -> bool {
    row.said.verdict == "flaky"
}

fn main() {
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| arg != "--bench")
        .collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let [what, which, seeds @ ..] = args.as_slice() else {
        eprintln!("detector retry|stays|alone|intervals|speed|export all|even|odd SEED...");
        return;
    };
    let corpus = std::env::var("MAESTRO_CORPUS").expect("MAESTRO_CORPUS names the corpus");
    let path = std::path::Path::new(&corpus).join("flaky/flakeflagger_test_results.csv");
    let projects = make::projects(&std::fs::read_to_string(path).unwrap());
    let chosen: Vec<&Project> = projects
        .iter()
        .enumerate()
        .filter(|(at, _)| match *which {
            "even" => at % 2 == 0,
            "odd" => at % 2 == 1,
            _ => true,
        })
        .map(|(_, project)| project)
        .collect();
    let prior = bayes::rates(&chosen);
    let seeds: Vec<u64> = seeds.iter().map(|seed| seed.parse().unwrap()).collect();
    match *what {
        "retry" => retry(&chosen, &prior, &seeds, 1.0),
        "stays" => retry(&chosen, &prior, &seeds, 0.9),
        "alone" => alone(&chosen, &prior, &seeds),
        "speed" => speed(&projects, seeds[0]),
        "export" => export(&projects, seeds[0]),
        _ => intervals(&chosen, &prior, &seeds),
    }
}

fn retry(chosen: &[&Project], prior: &[(f64, f64)], seeds: &[u64], stays: f64) {
    for runs in [50, 100, 300] {
        for &seed in seeds {
            let plan = Plan {
                runs,
                retries: true,
                stays,
                seed,
                breaks: make::BREAKS,
            };
            let tally = gather(chosen, prior, plan, stays < 1.0);
            let rows = &tally.rows;
            let (precision, recall, _) = f1(rows, tally.flaky, is_called);
            let observable = rows.iter().filter(|row| row.is_observable).count();
            let seen = rows
                .iter()
                .filter(|row| row.is_observable && is_called(row))
                .count();
            let wrong = rows
                .iter()
                .filter(|row| is_called(row) && !row.is_flaky && row.was_broken)
                .count();
            let false_calls = rows
                .iter()
                .filter(|row| is_called(row) && !row.is_flaky)
                .count();
            println!(
                "runs {runs} seed {seed}: P {precision:.4} (false {false_calls}) recall {recall:.3} of observable {:.4} ({seen}/{observable}) regressions called {wrong}/{} ece {:.4} outages {:?}",
                seen as f64 / observable.max(1) as f64,
                tally.regressions,
                calibration(rows, |row| row.said.flaky),
                tally.outages,
            );
            if stays < 1.0 {
                for level in [precision.min(0.9999), 0.99, 0.95, 0.9] {
                    let ours = best(rows, tally.flaky, level, |row| row.said.flaky);
                    let bayes = best(rows, tally.flaky, level, |row| row.bayes);
                    println!(
                        "   at precision {level:.4}: ours {:.4} bayes {:.4} ratio {:.4}; best F1 {:.3} {:.3}; bayes ece {:.4}",
                        ours.0,
                        bayes.0,
                        ours.0 / bayes.0,
                        ours.1,
                        bayes.1,
                        calibration(rows, |row| row.bayes)
                    );
                }
            }
            if seed == seeds[0] {
                rules(&tally);
            }
        }
    }
}

fn rules(tally: &Tally) {
    for (filter, name) in ["", " without runs over 30 %"].iter().enumerate() {
        for (rule, title) in RULES.iter().enumerate() {
            let (p, r, f) = f1(&tally.rows, tally.flaky, |row| row.rules[filter][rule]);
            println!("   {title}{name}: P {p:.3} R {r:.3} F1 {f:.3}");
        }
    }
}

fn alone(chosen: &[&Project], prior: &[(f64, f64)], seeds: &[u64]) {
    for runs in [50, 100, 300] {
        for &seed in seeds {
            let plan = Plan {
                runs,
                retries: false,
                stays: 1.0,
                seed,
                breaks: make::BREAKS,
            };
            let tally = gather(chosen, prior, plan, true);
            let (p, r, f) = f1(&tally.rows, tally.flaky, is_called);
            let bayes = best(&tally.rows, tally.flaky, 0.9, |row| row.bayes);
            let ours = best(&tally.rows, tally.flaky, 0.9, |row| row.said.flaky);
            let ceiling = tally.rows.iter().filter(|row| row.is_observable).count() as f64
                / tally.flaky as f64;
            println!(
                "runs {runs} seed {seed}: P {p:.3} R {r:.3} F1 {f:.3}; best threshold F1 {:.3}, bayes {:.3}; recall at P .9 {:.3} {:.3}; ceiling {ceiling:.3}; ece {:.4} bayes ece {:.4}; outages {:?}",
                ours.1,
                bayes.1,
                ours.0,
                bayes.0,
                calibration(&tally.rows, |row| row.said.flaky),
                calibration(&tally.rows, |row| row.bayes),
                tally.outages
            );
            if seed == seeds[0] {
                rules(&tally);
            }
        }
    }
}

fn intervals(chosen: &[&Project], prior: &[(f64, f64)], seeds: &[u64]) {
    for runs in [50, 100, 300] {
        let (mut inside, mut all, mut width) = (0.0, 0.0, 0.0);
        let (mut jeffreys_inside, mut jeffreys_width) = (0.0, 0.0);
        for &seed in seeds {
            let plan = Plan {
                runs,
                retries: true,
                stays: 1.0,
                seed,
                breaks: make::BREAKS,
            };
            let tally = gather(chosen, prior, plan, false);
            for row in tally.rows.iter().filter(|row| row.is_flaky) {
                all += 1.0;
                inside += f64::from(u8::from(
                    row.said.low <= row.rate && row.rate <= row.said.high,
                ));
                width += row.said.high - row.said.low;
                let jeffreys = trial::jeffreys(row.known.1, row.known.0);
                jeffreys_inside +=
                    f64::from(u8::from(jeffreys.0 <= row.rate && row.rate <= jeffreys.1));
                jeffreys_width += jeffreys.1 - jeffreys.0;
            }
        }
        println!(
            "runs {runs}: coverage {:.4} width {:.4}, {:.3} of Jeffreys' on what is known to count ({:.4}, coverage {:.4})",
            inside / all,
            width / all,
            width / jeffreys_width,
            jeffreys_width / all,
            jeffreys_inside / all
        );
    }
}

/// Twenty thousand tests over a thousand runs: the projects end to end.
fn speed(projects: &[Project], seed: u64) {
    let mut all = Project {
        name: "all".into(),
        suites: Vec::new(),
        rates: Vec::new(),
        suite_of: Vec::new(),
        cluster: Vec::new(),
    };
    for project in projects.iter().chain(projects) {
        let (suites, clusters) = (all.suites.len(), all.rates.len());
        for (at, suite) in project.suites.iter().enumerate() {
            all.suites.push((
                format!("{}/{at}/{}", project.name, suite.0),
                suite.1.clone(),
            ));
        }
        all.rates.extend(&project.rates);
        all.suite_of
            .extend(project.suite_of.iter().map(|suite| suite + suites));
        all.cluster
            .extend(project.cluster.iter().map(|cluster| cluster + clusters));
    }
    let tests = 20_000;
    all.suites.truncate(all.suite_of[tests - 1] + 1);
    let before: usize = all.suites[..all.suites.len() - 1]
        .iter()
        .map(|suite| suite.1.len())
        .sum();
    all.suites.last_mut().unwrap().1.truncate(tests - before);
    for numbers in [&mut all.suite_of, &mut all.cluster] {
        numbers.truncate(tests);
    }
    all.rates.truncate(tests);
    let plan = Plan {
        runs: 1000,
        retries: true,
        stays: 1.0,
        seed,
        breaks: make::BREAKS,
    };
    let history = make::make(&all, &plan, 0);
    let failed: std::collections::BTreeSet<u32> = history
        .made
        .runs
        .iter()
        .flatten()
        .map(|(test, _)| *test)
        .collect();
    for _ in 0..3 {
        let begin = std::time::Instant::now();
        let folded = trial::folded(&history.made);
        let fold = begin.elapsed().as_secs_f64();
        std::hint::black_box(trial::analyse(&folded));
        let analysis = begin.elapsed().as_secs_f64() - fold;
        println!(
            "{tests} tests, {} runs, {} tests that failed outside of outages: folded in {fold:.2} s, analysed in {analysis:.2} s",
            plan.runs,
            failed.len()
        );
    }
}

/// Writes one history of a project in the neutral form, for the binary, and what the library says of it beside it.
fn export(projects: &[Project], seed: u64) {
    use std::io::Write;
    let project = projects
        .iter()
        .find(|project| project.name.ends_with("websocket"))
        .unwrap();
    let plan = Plan {
        runs: 100,
        retries: true,
        stays: 1.0,
        seed,
        breaks: make::BREAKS,
    };
    let history = make::make(project, &plan, 0);
    let (said, _) = trial::say(&history.made);
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let names: Vec<(&str, &str)> = project
        .suites
        .iter()
        .flat_map(|(suite, tests)| {
            tests
                .iter()
                .map(move |test| (suite.as_str(), test.as_str()))
        })
        .collect();
    for (run, row) in history.made.runs.iter().enumerate() {
        let row: std::collections::BTreeMap<u32, &str> = row.iter().copied().collect();
        for (test, (suite, name)) in names.iter().enumerate() {
            for letter in row.get(&(test as u32)).unwrap_or(&"p").chars() {
                let status = if letter == 'p' { "passed" } else { "failed" };
                writeln!(out, "{{\"run\":\"{run}\",\"attempt\":1,\"commit\":\"c{run}\",\"branch\":\"main\",\"job\":\"test\",\"at\":\"2026-01-{:02}T{:02}:00:00Z\",\"suite\":\"{suite}\",\"test\":\"{name}\",\"status\":\"{status}\"}}", 1 + run / 24, run % 24).unwrap();
            }
        }
    }
    for ((suite, name), said) in names.iter().zip(said) {
        if said.verdict != "healthy" {
            eprintln!("{suite} {name} {} {:.4}", said.verdict, said.flaky);
        }
    }
}
