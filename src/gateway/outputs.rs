//! How much a model writes at most where nobody says how much it may.
//!
//! Source: platform.openai.com, "Models" ("max output tokens" of each), as of November 2026. A model that is not named here may write as
//! much as the longest-winded one known.

/// The beginnings of names, and how much these models write at most; the first that fits counts.
const MOST: [(&str, u64); 7] = [
    ("gpt-3.5", 4_096),
    ("gpt-4-turbo", 4_096),
    ("gpt-4o", 16_384),
    ("gpt-4.1", 32_768),
    ("gpt-4", 8_192),
    ("chatgpt-4o", 16_384),
    ("o", 100_000),
];

/// No model writes more.
const ANY: u64 = 128_000;

/// No model reads more in one request; what a request brings in from elsewhere is at most so much.
pub(crate) const CONTEXT: u64 = 1_050_000;

/// An answer that may not be so long is not worth paying for.
pub(crate) const LEAST: u64 = 4_096;

/// Returns how much a model writes at most.
pub(crate) fn most(model: &str) -> u64 {
    let name = model.rsplit('/').next().unwrap_or(model);
    let mut all = MOST.iter();
    let found = all.find(|(begin, _)| match name.strip_prefix(begin) {
        // `o` means o1, o3 and o4, not every word with that letter.
        Some(rest) if *begin == "o" => rest.starts_with(|sign: char| sign.is_ascii_digit()),
        Some(_) => true,
        None => false,
    });
    found.map_or(ANY, |(_, most)| *most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_how_much_a_model_writes() {
        assert_eq!(most("gpt-4o-mini"), 16_384);
        assert_eq!(most("gpt-4-0613"), 8_192);
        assert_eq!(most("openai/o4-mini"), 100_000);
        assert_eq!(most("omni"), ANY);
        assert_eq!(most("gpt-5.4"), ANY);
    }
}
