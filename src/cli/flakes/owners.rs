//! Who looks after a test: CODEOWNERS of the head, by the file that the test is in.

use std::collections::HashMap;

use crate::cli::session::Session;
use crate::conduct::planner::Planner;
use crate::flakes::codeowners::{CodeOwners, PLACES};
use crate::flakes::test_paths::TestPaths;
use crate::plan::graph::components::Components;

/// Returns the owners of a suite's tests; nothing where the repository does not say.
pub(super) fn owner_of(session: &Session<'_>, suite: &str) -> Option<String> {
    owners_of(session, &[suite]).pop().flatten()
}

/// Returns the owners of each of these suites.
pub(in crate::cli) fn owners_of(session: &Session<'_>, suites: &[&str]) -> Vec<Option<String>> {
    read(session, suites).unwrap_or_else(|| vec![None; suites.len()])
}

fn read(session: &Session<'_>, suites: &[&str]) -> Option<Vec<Option<String>>> {
    let checkout = session.checkout.as_ref().ok()?;
    let folder = checkout.top.as_ref().unwrap_or(&checkout.common_dir);
    let history = session.world.history.as_ref();
    let mut planner = Planner::new(
        history,
        folder,
        &checkout.common_dir,
        None,
        Components::new(),
    )
    .ok()?;
    let head = planner.commit("HEAD").ok()??;
    let tree = planner.list(&head.object).ok()?;
    let place = PLACES.iter().find(|place| tree.file(place).is_some())?;
    let name = [format!("{}:{place}", head.object)];
    let mut text = String::new();
    let read = planner.objects.read(&name, &mut |_, object| {
        text = object.map_or_else(String::new, |object| {
            String::from_utf8_lossy(&object.bytes).into_owned()
        });
    });
    read.ok()?;
    let paths = TestPaths::new(tree.iter().map(|(path, _)| path));
    let owners = CodeOwners::read(&text);
    let mut known: HashMap<&str, Option<String>> = HashMap::new();
    let owner = suites.iter().map(|&suite| {
        let found = || {
            let owners = owners.of(paths.of(suite)?);
            (!owners.is_empty()).then(|| owners.join(" "))
        };
        known.entry(suite).or_insert_with(found).clone()
    });
    Some(owner.collect())
}
