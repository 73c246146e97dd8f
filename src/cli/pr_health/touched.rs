//! Which stored tests are in files that the change touches, and which of them are flaky.

use std::collections::{BTreeSet, HashMap};

use crate::cli::flakes::report;
use crate::cli::session::Session;
use crate::conduct::changed::Changed;
use crate::flakes::detect::Analysis;
use crate::flakes::quarantine::shown;
use crate::flakes::test_paths::TestPaths;
use crate::flakes::verdict::Verdict;
use crate::health::{Flaky, Tests};

/// Returns them; nothing where no run is stored.
pub(super) fn tests(
    session: &mut Session<'_>,
    changed: &Changed,
    paths: &[String],
) -> Option<Tests> {
    let state = session.state().ok()?;
    let (history, _) = match report::load(&state) {
        Ok(loaded) => loaded,
        Err(error) => {
            session.ui.warn(&format!(
                "the history of tests is not known: {:#}",
                error.error
            ));
            return None;
        }
    };
    if history.runs.is_empty() {
        return None;
    }
    let touched: BTreeSet<&str> = changed
        .changes
        .iter()
        .map(|change| change.path.as_str())
        .collect();
    let places = TestPaths::new(paths.iter().map(String::as_str));
    let mut known: HashMap<String, Option<&str>> = HashMap::new();
    let mut of_file = Vec::new();
    for test in history.in_order() {
        let (suite, _) = history.test(test);
        let file = match known.get(suite) {
            Some(file) => *file,
            None => *known.entry(suite.to_owned()).or_insert(places.of(suite)),
        };
        if let Some(file) = file.filter(|file| touched.contains(file)) {
            of_file.push((test, file));
        }
    }
    let analysis = (!of_file.is_empty()).then(|| Analysis::of(&history));
    let flaky = of_file.iter().filter_map(|(test, file)| {
        let judgement = analysis.as_ref()?.judge(&history, *test);
        let tally = history.tally(*test);
        let (suite, name) = history.test(*test);
        (judgement.verdict == Verdict::Flaky).then(|| Flaky {
            name: shown(suite, name),
            path: (*file).to_owned(),
            rate: judgement.counted.rate().mean,
            failures: tally.failures,
            runs: tally.runs,
        })
    });
    Some(Tests {
        flaky: flaky.collect(),
        touched: of_file.len() as u64,
    })
}
