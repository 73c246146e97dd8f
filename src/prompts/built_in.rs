//! The prompts that the binary brings, as they lie in `prompts/`.

use super::set::Source;

macro_rules! embed {
    ($($name:literal),+ $(,)?) => {
        const FILES: &[(&str, &str)] = &[$(($name, include_str!(concat!("../../prompts/", $name)))),+];
    };
}

embed! {
    "docs.yaml",
    "implementer.yaml",
    "parts/answer.md",
    "parts/attempts.md",
    "parts/data.md",
    "parts/edits.md",
    "parts/review.md",
    "performance.yaml",
    "planner.yaml",
    "reviewer.yaml",
    "scaffolder.yaml",
    "security.yaml",
    "tester.yaml",
}

/// Returns every file.
pub(super) fn sources() -> Vec<Source> {
    let files = FILES.iter();
    let files = files.map(|(name, text)| Source {
        name: (*name).to_owned(),
        text: (*text).to_owned(),
    });
    files.collect()
}
