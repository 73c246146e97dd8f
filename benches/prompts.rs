//! A thousand renderings of each built-in prompt, compiled once: `cargo bench --features bench --bench prompts`.

#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark is a program of its own, and nobody pipes it"
)]

use std::time::Instant;

use maestro::speed;

const RENDERINGS: u32 = 1000;
const ROUNDS: usize = 7;

fn main() {
    for name in speed::NAMES {
        let render = speed::prepare(name);
        let bytes = render();
        let mut rounds: Vec<f64> = (0..ROUNDS)
            .map(|_| {
                let start = Instant::now();
                for _ in 0..RENDERINGS {
                    assert_eq!(render(), bytes);
                }
                start.elapsed().as_secs_f64() * 1000.0
            })
            .collect();
        rounds.sort_by(f64::total_cmp);
        println!(
            "{name}: {RENDERINGS} renderings of {bytes} bytes in {:.1} ms (median of {ROUNDS} rounds, least {:.1})",
            rounds[ROUNDS / 2],
            rounds[0]
        );
    }
}
