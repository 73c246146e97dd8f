//! A year of test runs: `year write REPOSITORY MODE DAYS` saves them, calling `maestro state push` and `fold` as days go by;
//! `year check REPOSITORY MODE DAYS QUESTIONS` asks. `benches/year.sh` runs both.

#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    reason = "a benchmark is a program of its own, and nobody pipes it"
)]

use std::path::Path;
use std::process::Command;

use maestro::World;
use maestro::year::{self, Unexpected};

fn main() {
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| arg != "--bench")
        .collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let [what, repository, mode, days, rest @ ..] = args.as_slice() else {
        eprintln!("year write|check REPOSITORY anywhere|chronic DAYS [FOLD-EVERY|QUESTIONS]");
        return;
    };
    let mode = match *mode {
        "chronic" => Unexpected::Chronic,
        _ => Unexpected::Anywhere,
    };
    let days: u64 = days.parse().expect("DAYS is a number");
    let number: u64 = rest
        .first()
        .map_or(7, |text| text.parse().expect("a number"));
    let world = World::real();
    let repository = Path::new(repository);
    if *what == "check" {
        let (equal, asked) = year::check(&world, repository, mode, days, number);
        println!("answers equal to the raw data: {equal} of {asked}");
        assert_eq!(equal, asked);
        return;
    }
    let maestro = std::env::var("MAESTRO").expect("MAESTRO names the binary");
    let mut bytes = 0;
    let (runs, lists) = year::write(&world, repository, mode, days, &mut |day, saved| {
        bytes += saved.metadata().map_or(0, |file| file.len());
        if day % number == number - 1 || day + 1 == days {
            for command in ["push", "fold"] {
                let done = Command::new(&maestro)
                    .args(["-C", &repository.to_string_lossy(), "-q", "state", command])
                    .output()
                    .expect("maestro runs");
                assert!(
                    done.status.success(),
                    "{}",
                    String::from_utf8_lossy(&done.stderr)
                );
            }
        }
    });
    println!(
        "runs {runs}, lists {lists}, events as lines {:.1} MB",
        bytes as f64 / 1e6
    );
}
