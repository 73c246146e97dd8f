//! Where a workflow takes maestro from: an action at a ref, or `cargo install`.
//!
//! Lines are looked at as text: what is used is written in one line whatever the YAML around it is, and a version stands in the comment behind it.

use semver::Version;

/// A place that maestro is taken from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Used {
    /// `OWNER/NAME`, with a folder behind it where there is one; or `cargo install`.
    pub(crate) what: String,
    /// The commit, tag or branch; none for `cargo install`.
    pub(crate) at: Option<String>,
    /// As the ref, the comment or the option says it.
    pub(crate) version: Option<Version>,
}

/// What comes before its version.
const CARGO: &str = concat!("cargo install ", env!("CARGO_PKG_NAME"));

/// Finds them in a workflow.
pub(crate) fn find(text: &str) -> Vec<Used> {
    let mut found: Vec<Used> = Vec::new();
    for line in text.lines() {
        let line = line.trim_start();
        if line.starts_with('#') {
            continue;
        }
        for used in action(line).into_iter().chain(installed(line)) {
            if !found.contains(&used) {
                found.push(used);
            }
        }
    }
    found
}

fn action(line: &str) -> Option<Used> {
    let (_, rest) = line.split_once("uses:")?;
    let rest = rest.trim_start().trim_start_matches(['"', '\'']);
    let end = rest
        .find(|c: char| c.is_whitespace() || "\"',}#".contains(c))
        .unwrap_or(rest.len());
    let (what, at) = rest.get(..end)?.split_once('@')?;
    let name = what.split('/').nth(1)?;
    if !name.eq_ignore_ascii_case("maestro") || at.is_empty() {
        return None;
    }
    let comment = line.split_once('#').map(|(_, comment)| comment);
    let words = comment.into_iter().flat_map(str::split_whitespace);
    let version = version(at).or_else(|| words.into_iter().find_map(version));
    Some(Used {
        what: what.to_owned(),
        at: Some(at.to_owned()),
        version,
    })
}

fn installed(line: &str) -> Option<Used> {
    let (_, rest) = line.split_once(CARGO)?;
    // A package whose name goes on is something else.
    if !rest.is_empty() && !rest.starts_with([' ', '"', '\'', '@']) {
        return None;
    }
    let pinned = rest
        .strip_prefix('@')
        .and_then(|rest| rest.split_whitespace().next());
    let mut words = rest
        .split([' ', '=', '"', '\''])
        .filter(|word| !word.is_empty());
    let named = words
        .any(|word| word == "--version" || word == "--vers")
        .then(|| words.next())
        .flatten();
    Some(Used {
        what: "cargo install".to_owned(),
        at: None,
        version: pinned.or(named).and_then(version),
    })
}

/// Reads `v1.2.3` or `1.2.3`.
fn version(word: &str) -> Option<Version> {
    Version::parse(word.strip_prefix('v').unwrap_or(word)).ok()
}

/// Returns the newest version that anybody uses.
pub(crate) fn newest<'u>(all: impl IntoIterator<Item = &'u Used>) -> Option<Version> {
    all.into_iter()
        .filter_map(|used| used.version.clone())
        .max()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let found = find(text).into_iter();
        found
            .map(|used| {
                let version = used
                    .version
                    .map_or("?".to_owned(), |version| version.to_string());
                format!("{} {} {version}", used.what, used.at.unwrap_or_default())
            })
            .collect()
    }

    #[test]
    fn every_form_that_people_write_is_found() {
        let sha = "a".repeat(40);
        for (line, wanted) in [
            (
                format!("      - uses: acme/maestro@{sha} # maestro 0.3.1"),
                format!("acme/maestro {sha} 0.3.1"),
            ),
            (
                format!("- {{ uses: \"acme/maestro/save@{sha}\", with: {{a: b}} }} # v0.3.0"),
                format!("acme/maestro/save {sha} 0.3.0"),
            ),
            (
                "uses: 'Acme/Maestro@v0.4.0-rc.1'".to_owned(),
                "Acme/Maestro v0.4.0-rc.1 0.4.0-rc.1".to_owned(),
            ),
            (
                "uses: acme/maestro@main".to_owned(),
                "acme/maestro main ?".to_owned(),
            ),
            (
                "- run: cargo install maestro-ci --locked --version 0.3.0".to_owned(),
                "cargo install  0.3.0".to_owned(),
            ),
            (
                "  cargo install maestro-ci@0.2.9 --locked".to_owned(),
                "cargo install  0.2.9".to_owned(),
            ),
            (
                "- run: cargo install maestro-ci".to_owned(),
                "cargo install  ?".to_owned(),
            ),
            (
                "- run: cargo install maestro-ci --version='>=0.3'".to_owned(),
                "cargo install  ?".to_owned(),
            ),
        ] {
            assert_eq!(found(&line), [wanted], "{line}");
        }
        for line in [
            "# uses: acme/maestro@v1.0.0",
            "uses: acme/other@v1.0.0",
            "uses: ./maestro",
            "uses: acme/maestro",
            "cargo install maestro",
            "cargo install maestro-ci-x",
            "uses:",
            "uses: maestro@v1",
        ] {
            assert_eq!(found(line), <[&str; 0]>::default(), "{line}");
        }
        assert_eq!(
            found("uses: a/maestro@main\nuses: a/maestro@main\n").len(),
            1
        );
    }

    #[test]
    fn the_newest_is_the_highest_version() {
        let all = find(
            "uses: a/maestro@v0.9.0\nuses: a/maestro@v0.10.0\nuses: a/maestro@v0.10.0-rc.1\nuses: a/maestro@main\n",
        );
        assert_eq!(newest(&all), Version::parse("0.10.0").ok());
        assert_eq!(newest(&[]), None);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_looked_through(text in "(uses: |cargo install maestro-ci|[a-z/@#\"' {}\n.0-9-]){0,40}") {
            for used in find(&text) {
                proptest::prop_assert!(!used.what.is_empty());
            }
        }
    }
}
