//! The examples of every `--help` are run.

use std::collections::BTreeMap;

use super::calls::SLOW;
use super::{leaves, prepared};
use crate::harness::Maestro;
use crate::sandbox::each;

#[test]
fn every_command_has_two_examples_and_they_work() {
    let prepared = prepared();
    let mut families: BTreeMap<String, Vec<Vec<String>>> = BTreeMap::new();
    for leaf in leaves(&prepared, &[]) {
        families.entry(leaf[0].clone()).or_default().push(leaf);
    }
    let families: Vec<_> = families.into_values().collect();
    each(&families, |family| {
        // What one example leaves the next of the family may use.
        let maestro = prepared.copy();
        for leaf in family {
            examples_work(&maestro, leaf);
        }
    });
}

fn examples_work(maestro: &Maestro, leaf: &[String]) {
    let help = maestro
        .run(leaf.iter().map(String::as_str).chain(["--help"]))
        .success()
        .stdout;
    let examples: Vec<&str> = help
        .lines()
        .filter_map(|line| line.trim().strip_prefix("$ maestro "))
        .collect();
    let name = leaf.join(" ");
    assert!(
        examples.len() >= 2 && examples.iter().all(|example| example.starts_with(&name)),
        "`maestro {name} --help` needs two examples of it: {examples:?}"
    );
    if SLOW.iter().any(|slow| leaf == *slow) {
        return;
    }
    for example in examples {
        let run = maestro.run(example.split(' '));
        assert_eq!(run.code, 0, "`maestro {example}`: {}", run.stderr);
    }
}
