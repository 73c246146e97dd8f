//! Gold patches with one thing wrong: nearly all come out right, and none wrong.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::cast_precision_loss,
    reason = "a corpus by others is found by a variable, and what came of it is told"
)]

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;

use super::cases::{Case, Form, Outcome};
use super::corruptions::{CORRUPTIONS, corrupted, sound};
use super::golds::golds;

fn cases(folder: &Path) -> Vec<Case> {
    let golds = golds(folder);
    let mut cases = Vec::new();
    for form in [Form::Blocks, Form::Diff] {
        cases.extend(golds.iter().map(|gold| sound(gold, form)));
        for corruption in CORRUPTIONS {
            cases.extend(
                golds
                    .iter()
                    .filter_map(|gold| corrupted(gold, form, corruption)),
            );
        }
    }
    cases
}

#[test]
fn gold_patches_of_exercises() {
    let Some(corpus) = std::env::var_os("MAESTRO_CORPUS") else {
        eprintln!("skipped: MAESTRO_CORPUS is not set");
        return;
    };
    let cases = cases(&Path::new(&corpus).join("tasks/exercism-rust"));
    let mut table: BTreeMap<(&str, &str), [usize; 3]> = BTreeMap::new();
    let mut rows = Vec::new();
    for case in &cases {
        let (outcome, words) = case.judge();
        let form = if case.form == Form::Diff {
            "diff"
        } else {
            "blocks"
        };
        table.entry((form, case.corruption)).or_default()[outcome as usize] += 1;
        if outcome == Outcome::Wrong
            || outcome == Outcome::Refused && std::env::var_os("MAESTRO_EDIT_REFUSALS").is_some()
        {
            eprintln!(
                "{} {form} {}: {}\n{}\n--- {words}\n=== {}",
                outcome.name(),
                case.corruption,
                case.id,
                case.answer,
                case.right
            );
        }
        rows.push(json!({
            "id": case.id, "form": form, "corruption": case.corruption, "before": case.before, "answer": case.answer, "right": case.right,
            "any_end": case.any_end, "may_refuse": case.may_refuse, "maestro": outcome.name(),
        }));
    }
    if let Some(path) = std::env::var_os("MAESTRO_EDIT_CASES") {
        std::fs::write(path, serde_json::to_string(&rows).unwrap()).unwrap();
    }
    let mut sums = [0; 3];
    for ((form, corruption), counts) in &table {
        eprintln!(
            "{form:6} {corruption:30} right {:4} refused {:4} wrong {:4}",
            counts[0], counts[1], counts[2]
        );
        if *corruption != "none" {
            (0..3).for_each(|nth| sums[nth] += counts[nth]);
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
    assert_eq!(sums[2], 0, "applied wrongly");
    assert!(share >= 0.95, "{share}");
    assert!(
        table
            .iter()
            .filter(|((_, corruption), _)| *corruption == "none")
            .all(|(_, counts)| counts[2] == 0)
    );
}
