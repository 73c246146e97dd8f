//! Paths as a file system may take them: `.GitHub` and `.github ` are one folder on some machines, and `a/../b` is `b` on all.

use crate::inert::is_unseen;

/// Returns the form in which every spelling of a path is the same: case folded, what has no width gone, `.` and `..` resolved, `\` a slash,
/// points and spaces at the ends of names gone (as Windows drops them), and no stream of NTFS behind them.
pub(crate) fn folded(path: &str) -> String {
    let mut names: Vec<String> = Vec::new();
    for name in path.split(['/', '\\']) {
        let seen: String = name.chars().filter(|c| !is_unseen(*c)).collect();
        match seen.trim_end_matches(' ') {
            "" | "." => {}
            ".." => {
                names.pop();
            }
            _ => names.push(folded_name(name)),
        }
    }
    names.retain(|name| !name.is_empty());
    names.join("/")
}

fn folded_name(name: &str) -> String {
    if name.is_ascii() {
        return cut(name).to_ascii_lowercase();
    }
    let seen: String = name.chars().filter(|c| !is_unseen(*c)).collect();
    // Up and down again: the long s and the Kelvin sign are letters of ASCII then.
    let folded = cut(&seen).chars().flat_map(char::to_uppercase);
    folded.flat_map(char::to_lowercase).collect()
}

/// Cuts off what Windows drops.
fn cut(name: &str) -> &str {
    let stream = name.find("::$").unwrap_or(name.len());
    name.get(..stream)
        .unwrap_or(name)
        .trim_end_matches([' ', '.'])
}

/// Returns what is odd about a path, in words that follow "it"; nothing for one that every machine takes in the same way.
pub(crate) fn oddity(path: &str, is_text: bool) -> Option<&'static str> {
    if !is_text {
        return Some("is no UTF-8 text");
    }
    if path.is_empty() || path.starts_with('/') {
        return Some("does not begin at the top");
    }
    if path.chars().any(char::is_control) {
        return Some("has control characters");
    }
    if path.chars().any(is_unseen) {
        return Some("has characters that nobody sees");
    }
    if path.contains('\\') {
        return Some("has a backslash, which is a slash on Windows");
    }
    for name in path.split('/') {
        match name {
            "" => return Some("has an empty name"),
            "." | ".." => return Some("has `.` or `..`"),
            name if folded_name(name) == ".git" || is_short_git(name) => {
                return Some("has a folder that git keeps for itself");
            }
            name if name.ends_with([' ', '.']) => {
                return Some("has a name that ends with a point or space");
            }
            name if name.contains("::$") => return Some("names a stream of NTFS"),
            _ => {}
        }
    }
    None
}

/// The short name of `.git` on Windows (git's CVE-2014-9390 has its spellings).
fn is_short_git(name: &str) -> bool {
    name.eq_ignore_ascii_case("git~1")
}

/// Returns where a link leads to, from the top; nothing when it leads out of the tree.
pub(crate) fn linked(path: &str, target: &str) -> Option<String> {
    if target.starts_with(['/', '\\']) || target.get(1..2) == Some(":") {
        return None;
    }
    let mut names: Vec<&str> = path.split('/').collect();
    names.pop();
    for name in target.split(['/', '\\']) {
        match name {
            "" | "." => {}
            ".." => {
                names.pop()?;
            }
            name => names.push(name),
        }
    }
    Some(names.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_path_is_one() {
        for path in [
            ".github/workflows/ci.yml",
            ".GitHub/Workflows/CI.yml",
            "./.github/workflows/ci.yml",
            "src/../.github//workflows/ci.yml",
            ".github\\workflows\\ci.yml",
            ".github /workflows./ci.yml",
            ".git\u{200c}hub/workflows/ci.yml",
            ".github/worKflowſ/ci.yml",
            ".github/wor\u{212a}flows/ci.yml::$DATA",
            "../../.github/workflows/ci.yml",
            "src/.. /.github/workflows/ci.yml",
        ] {
            assert_eq!(folded(path), ".github/workflows/ci.yml", "{path}");
        }
        assert_ne!(folded(".github2/x"), folded(".github/2x"));
    }

    #[test]
    fn what_machines_take_in_differently_is_odd() {
        for path in [
            "",
            "/a",
            "a//b",
            "a/../b",
            "./a",
            "a\\b",
            "a/.git/config",
            ".GIT/x",
            "GIT~1/x",
            "a /b",
            "a./b",
            "a\nb",
            "a\u{202e}b",
            "a::$DATA",
        ] {
            assert!(oddity(path, true).is_some(), "{path:?}");
        }
        assert!(oddity("a", false).is_some());
        for path in [
            "a/b.c",
            ".github/x",
            ".gitignore",
            "ä/ö",
            "a b/c",
            "a..b",
            "git/x",
        ] {
            assert_eq!(oddity(path, true), None, "{path:?}");
        }
    }

    #[test]
    fn links_are_followed_inside_the_tree() {
        assert_eq!(linked("a/b", "../c").as_deref(), Some("c"));
        assert_eq!(linked("a/b", "c/./d").as_deref(), Some("a/c/d"));
        for target in ["../../c", "/etc/passwd", "C:\\x", "\\\\host\\x", "../.."] {
            assert_eq!(linked("a/b", target), None, "{target}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_folded_path_is_folded(path in "([a-zA-Zſ. \\\\/\u{200b}:$]{1,6}/?){0,4}") {
            let once = folded(&path);
            proptest::prop_assert_eq!(folded(&once), once);
        }
    }
}
