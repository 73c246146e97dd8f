//! Whether the runner of a command is known, and can be told to leave tests out: by arguments at the command's end, exactly, whatever else stands in it.
//!
//! Only a plain command is looked at. Runners are few here: those that leave out what is named and nothing else, and need no reporter or configuration for it.

use std::borrow::Cow;

/// A runner, how its command begins, and what must not stand in it: an option that it takes once, or what ends its options.
const RUNNERS: &[(&str, &[&str], &[&str])] = &[
    (
        "nextest",
        &["cargo", "nextest", "run"],
        &["-E", "--filterset", "--filter-expr", "--"],
    ),
    (
        "nextest",
        &["cargo-nextest", "nextest", "run"],
        &["-E", "--filterset", "--filter-expr", "--"],
    ),
    ("pytest", &["pytest"], &["--"]),
    ("pytest", &["python", "-m", "pytest"], &["--"]),
    ("pytest", &["python3", "-m", "pytest"], &["--"]),
    ("phpunit", &["phpunit"], &["--filter", "--"]),
    ("phpunit", &["vendor/bin/phpunit"], &["--filter", "--"]),
    ("phpunit", &["./vendor/bin/phpunit"], &["--filter", "--"]),
    ("ctest", &["ctest"], &["-E", "--exclude-regex"]),
];

/// Returns the words of a text that means the same to every shell; nothing where it has more than words.
pub(crate) fn words(text: &str) -> Option<Vec<&str>> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+ ".contains(c);
    let text = text.trim();
    let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    // What begins with a name and `=` is a variable.
    let is_command = words.first().is_some_and(|word| !word.contains('='));
    (text.chars().all(is_plain) && is_command).then_some(words)
}

/// Returns the runner that takes arguments at the end of these words.
pub(crate) fn runner(words: &[&str]) -> Option<&'static str> {
    let found = RUNNERS
        .iter()
        .find(|(_, begin, _)| words.starts_with(begin));
    let (name, begin, never) = found?;
    let is_free = |word: &&str| {
        let is = |option: &&str| {
            // `-Eexpr`, `--filter=x`; `--` only by itself.
            **word == **option
                || word.starts_with(&format!("{option}="))
                || (option.len() == 2 && *option != "--" && word.starts_with(option))
        };
        !never.iter().any(is)
    };
    words[begin.len()..].iter().all(is_free).then_some(*name)
}

/// Quotes a word for a shell, where it needs it.
pub(crate) fn quoted(word: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return Cow::Borrowed(word);
    }
    Cow::Owned(format!("'{}'", word.replace('\'', "'\\''")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<&'static str> {
        runner(&words(text)?)
    }

    #[test]
    fn plain_commands_of_known_runners_are_known() {
        for (text, name) in [
            ("cargo nextest run --profile ci", "nextest"),
            ("cargo nextest run --partition slice:1/2\n", "nextest"),
            ("pytest -x --junitxml=r.xml", "pytest"),
            ("python3 -m pytest tests", "pytest"),
            ("vendor/bin/phpunit --log-junit r.xml", "phpunit"),
            ("ctest --output-junit r.xml", "ctest"),
        ] {
            assert_eq!(of(text), Some(name), "{text}");
        }
    }

    #[test]
    fn what_is_more_than_that_is_left_alone() {
        for text in [
            "",
            "cargo test",
            "cargo nextest list",
            "cargo nextest run -E all",
            "cargo nextest run -Eall",
            "cargo nextest run --filterset=all",
            "cargo nextest run -- --nocapture",
            "vendor/bin/phpunit --filter=x",
            "ctest -E slow",
            "CI=1 pytest",
            "pytest && echo",
            "pytest | tee log",
            "pytest \"a b\"",
            "pytest\necho",
            "pytest $ARGS",
            "pytests",
            "sh test.sh",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
    }

    #[test]
    fn words_are_quoted_where_they_need_it() {
        assert_eq!(quoted("-E"), "-E");
        assert_eq!(quoted("not (it's)"), "'not (it'\\''s)'");
        assert_eq!(quoted(""), "''");
    }
}
