//! Words of a YAML file that is written for people: plain where that is safe, in double quotes elsewhere.

/// Returns a text as a scalar that every YAML reader takes for the same text.
pub(super) fn scalar(text: &str) -> String {
    if is_plain(text) {
        text.to_owned()
    } else {
        // A JSON string is a YAML string in double quotes (YAML 1.2.2, section 1.3).
        crate::json::text(text).unwrap_or_default()
    }
}

/// Returns a list on one line.
pub(super) fn list(texts: &[String]) -> String {
    let words: Vec<String> = texts.iter().map(|text| scalar(text)).collect();
    format!("[{}]", words.join(", "))
}

/// Letters, digits and what never means anything within a scalar, also inside `[]`.
fn is_plain(text: &str) -> bool {
    let is_fine = |c: char| c.is_ascii_alphanumeric() || " ./_=+-".contains(c);
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '_');
    let is_word = matches!(
        text.to_ascii_lowercase().as_str(),
        "true" | "false" | "yes" | "no" | "on" | "off" | "null" | "y" | "n"
    );
    begins && text.chars().all(is_fine) && !text.ends_with(' ') && !is_word
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_scalar_reads_as_what_it_was(text in "\\PC{0,20}") {
            let read: serde_yaml::Value = serde_yaml::from_str(&format!("k: {}\n", scalar(&text))).unwrap();
            prop_assert_eq!(read["k"].as_str(), Some(text.as_str()));
        }

        #[test]
        fn so_does_a_list(texts in prop::collection::vec("[ -~]{0,12}", 0..4)) {
            let read: serde_yaml::Value = serde_yaml::from_str(&format!("k: {}\n", list(&texts))).unwrap();
            let read: Vec<&str> = read["k"].as_sequence().unwrap().iter().filter_map(|one| one.as_str()).collect();
            prop_assert_eq!(read, texts);
        }
    }

    #[test]
    fn words_that_yaml_reads_otherwise_are_quoted() {
        for text in ["no", "1.0", "- a", "a: b", "a # b", "", "~", "*a", "Off"] {
            assert!(scalar(text).starts_with('"'), "{text}");
        }
        assert_eq!(scalar("cargo test --workspace"), "cargo test --workspace");
    }
}
