//! Renderings of built-in prompts, for the benchmark.

use super::golden::GOLDEN_DELIMITER;
use super::prepared::DELIMITER;
use super::set::Library;

/// Prompts with a golden case that renders.
pub const NAMES: [&str; 8] = [
    "docs",
    "implementer",
    "performance",
    "planner",
    "reviewer",
    "scaffolder",
    "security",
    "tester",
];

/// Compiles a prompt; each call renders its first golden case and returns the bytes of its messages.
#[expect(
    clippy::missing_panics_doc,
    reason = "nothing but the benchmark calls it"
)]
#[expect(clippy::unwrap_used, reason = "nothing but the benchmark calls it")]
pub fn prepare(name: &str) -> impl Fn() -> usize + use<> {
    let library = Library::new(Vec::new());
    let prompt = library.load(name).ok().unwrap();
    let case = prompt.file.golden.first().unwrap();
    let mut values: serde_json::Map<_, _> = case.variables.clone().into_iter().collect();
    values.insert(DELIMITER.into(), GOLDEN_DELIMITER.into());
    let prepared = prompt.prepared;
    move || {
        let messages = prepared.render(values.clone()).ok().unwrap();
        messages.iter().map(|message| message.content.len()).sum()
    }
}
