//! The prompts that the binary brings, as they lie in `prompts/`.

use super::set::Source;

/// Returns every file.
pub(super) fn sources() -> Vec<Source> {
    let files = crate::packed::texts(include_bytes!(concat!(env!("OUT_DIR"), "/prompts")));
    let files = files.into_iter();
    files.map(|(name, text)| Source { name, text }).collect()
}
