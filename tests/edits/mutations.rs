//! Gold patches with one thing wrong: nearly all come out right, and none wrong.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::cast_precision_loss,
    reason = "a corpus by others is found by a variable, and what came of it is told"
)]

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::cases::{Case, Form, Outcome};
use super::corruptions::{CORRUPTIONS, corrupted, sound};
use super::golds::{Gold, golds};

fn cases(golds: &[Gold], seed: u64) -> Vec<Case> {
    let mut cases = Vec::new();
    for form in [Form::Blocks, Form::Diff] {
        cases.extend(golds.iter().map(|gold| sound(gold, form)));
        for corruption in CORRUPTIONS {
            cases.extend(
                golds
                    .iter()
                    .filter_map(|gold| corrupted(gold, form, corruption, seed)),
            );
        }
    }
    cases
}

type Table = BTreeMap<(&'static str, &'static str), [usize; 3]>;

/// Judges all cases of a seed: the table of what came out, and the cases as others take them.
fn judged(cases: &[Case], table: &mut Table) -> Vec<Value> {
    let shows_refusals = std::env::var_os("MAESTRO_EDIT_REFUSALS").is_some();
    let row = |case: &Case| {
        let (outcome, words) = case.judge();
        let form = case.form.name();
        table.entry((form, case.corruption)).or_default()[outcome as usize] += 1;
        if outcome == Outcome::Wrong || outcome == Outcome::Refused && shows_refusals {
            eprintln!(
                "{} {form} {}: {}\n{}\n--- {words}\n=== {}",
                outcome.name(),
                case.corruption,
                case.id,
                case.answer,
                case.right
            );
        }
        json!({
            "id": case.id, "form": form, "corruption": case.corruption, "before": case.before, "answer": case.answer, "right": case.right,
            "any_end": case.any_end, "may_refuse": case.may_refuse, "maestro": outcome.name(),
        })
    };
    cases.iter().map(row).collect()
}

/// `MAESTRO_EDIT_SEEDS`: how many times all are spoilt, each time differently. `MAESTRO_EDIT_CASES`: a file for the cases of the first time.
/// `MAESTRO_EDIT_REFUSALS`: refusals are printed.
#[test]
fn gold_patches_of_exercises() {
    let Some(corpus) = std::env::var_os("MAESTRO_CORPUS") else {
        eprintln!("skipped: MAESTRO_CORPUS is not set");
        return;
    };
    let golds = golds(&Path::new(&corpus).join("tasks/exercism-rust"));
    let seeds = std::env::var("MAESTRO_EDIT_SEEDS").map_or(1, |seeds| seeds.parse().unwrap());
    let mut table = Table::new();
    for seed in 1..=seeds {
        let rows = judged(&cases(&golds, seed), &mut table);
        if let Some(path) = std::env::var_os("MAESTRO_EDIT_CASES").filter(|_| seed == 1) {
            std::fs::write(path, serde_json::to_string(&rows).unwrap()).unwrap();
        }
    }
    let mut sums = [0; 3];
    for ((form, corruption), [right, refused, wrong]) in &table {
        eprintln!("{form:6} {corruption:30} right {right:4} refused {refused:4} wrong {wrong:4}");
        if *corruption != "none" {
            sums = [sums[0] + right, sums[1] + refused, sums[2] + wrong];
        }
    }
    let share = sums[0] as f64 / sums.iter().sum::<usize>() as f64;
    eprintln!(
        "corrupted: right {} refused {} wrong {}: {:.2} %",
        sums[0],
        sums[1],
        sums[2],
        share * 100.0
    );
    let wrong: usize = table.values().map(|counts| counts[2]).sum();
    assert_eq!(wrong, 0, "applied wrongly");
    assert!(share >= 0.95, "{share}");
}
