//! What guppy's determinator says of a change: `determinator-judge OLD.json NEW.json`, the outputs of `cargo metadata`, and the changed paths
//! on standard input, each ended by NUL. Prints the folders of the affected packages.
//!
//! Without its rules for paths that no package has, and with the root manifest left to its comparison of the two resolved graphs.

use std::io::Read;

use determinator::Determinator;
use determinator::rules::{DeterminatorRules, PathMatch};
use guppy::CargoMetadata;
use guppy::graph::{DependencyDirection, PackageGraph};

fn graph(path: &str) -> PackageGraph {
    let text = std::fs::read_to_string(path).expect("the metadata is there");
    let metadata = CargoMetadata::parse_json(text).expect("it is metadata");
    metadata.build_graph().expect("it is a graph")
}

fn main() {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    let (old, new) = (graph(&paths[0]), graph(&paths[1]));
    let mut changed = String::new();
    std::io::stdin()
        .read_to_string(&mut changed)
        .expect("paths are text");
    let mut determinator = Determinator::new(&old, &new);
    let rules =
        "[[path-rule]]\nglobs = [\"Cargo.toml\"]\nmark-changed = []\npost-rule = \"skip-rules\"\n";
    let rules = DeterminatorRules::parse(rules).expect("they are rules");
    determinator.set_rules(&rules).expect("they fit");
    for path in changed.split('\0').filter(|path| !path.is_empty()) {
        if !matches!(determinator.match_path(path, |_| {}), PathMatch::NoMatches) {
            determinator.add_changed_paths([path]);
        }
    }
    let affected = determinator.compute().affected_set;
    let packages = affected.packages(DependencyDirection::Forward);
    let folders: Vec<String> = packages
        .filter_map(|package| Some(package.source().workspace_path()?.to_string()))
        .collect();
    println!("{}", serde_json::json!(folders));
}
