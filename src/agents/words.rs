//! Names, paths and commands in plans: what may stand there, and what is refused.

use crate::policy::paths::folded;

/// Whether it is a task's id.
pub(crate) fn is_name(id: &str) -> bool {
    id.len() <= 48
        && id.starts_with(|c: char| c.is_ascii_lowercase())
        && id
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// Says what is wrong with a path of the repository; nothing is.
pub(crate) fn path_fault(path: &str) -> Option<&'static str> {
    if path.is_empty() || path.len() > 1024 {
        return Some("is no path");
    }
    if path.starts_with('/') || path.contains('\\') || path.chars().any(char::is_control) {
        return Some("is no path from the repository's top, with `/`");
    }
    let mut parts = path.split('/');
    if parts.any(|part| part.is_empty() || part == "." || part == "..") {
        return Some("has an empty part, `.` or `..`");
    }
    let is_git = |part: &str| {
        // As git's own check of `.git` under other spellings: HFS+ leaves out code points, NTFS dots and spaces.
        let plain: String = part.chars().filter(char::is_ascii).collect();
        let plain = plain.trim_end_matches(['.', ' ']).to_ascii_lowercase();
        plain == ".git" || plain == "git~1"
    };
    if path.split('/').any(is_git) {
        return Some("is git's own");
    }
    None
}

/// Says what is wrong with a path as one that a task may change: agents do not write what they are held to.
pub(crate) fn rule_fault(path: &str) -> Option<&'static str> {
    let path = folded(path);
    let is_rule = path.starts_with(".maestro/") && !path.starts_with(".maestro/changes/");
    is_rule.then_some("says what agents are held to, and is for people to change")
}

/// Says what is wrong with a command: it is none of those that may be run, or a shell would see more than one in it.
pub(crate) fn command_fault(command: &str, allowed: &[String]) -> Option<String> {
    if command.trim().is_empty() || command.len() > 1000 {
        return Some("is none".to_owned());
    }
    if command.chars().any(char::is_control) {
        return Some("has a line break or another invisible character".to_owned());
    }
    if let Err(words) = words(command) {
        return Some(words);
    }
    if allowed.is_empty() {
        return Some("is none of those that may be run: none may".to_owned());
    }
    let own = words(command).unwrap_or_default();
    let begins = |one: &String| words(one).is_ok_and(|one| own.starts_with(&one));
    (!allowed.iter().any(begins)).then(|| format!("begins with none of {}", allowed.join(", ")))
}

/// Splits a command into words as a POSIX shell does (IEEE Std 1003.1-2024, 2.2 "Quoting"), and refuses what would make a shell do more than
/// start that one program: no expansion, no redirection, no second command.
pub(crate) fn words(command: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = command.chars();
    let refused =
        |c: char| format!("has `{c}`, which only a shell understands; put it into a script");
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some('\'') => break,
                        Some(c) => word.push(c),
                        None => return Err("has a quote that does not end".to_owned()),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some('"') => break,
                        Some('\\') => match chars.next() {
                            Some(c @ ('"' | '\\' | '$' | '`')) => word.push(c),
                            Some(c) => word.extend(['\\', c]),
                            None => return Err("has a quote that does not end".to_owned()),
                        },
                        Some(c @ ('$' | '`')) => return Err(refused(c)),
                        Some(c) => word.push(c),
                        None => return Err("has a quote that does not end".to_owned()),
                    }
                }
            }
            '\\' => match chars.next() {
                Some(c) => word.get_or_insert_default().push(c),
                None => return Err("ends with `\\`".to_owned()),
            },
            ';' | '&' | '|' | '<' | '>' | '$' | '`' | '(' | ')' | '\n' | '*' | '?' | '[' => {
                return Err(refused(c));
            }
            '#' | '~' if word.is_none() => return Err(refused(c)),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    match words.first() {
        Some(first) if first.contains('=') => {
            Err("begins with a variable; put it into a script".to_owned())
        }
        Some(_) => Ok(words),
        None => Err("is none".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_those_of_a_shell_that_does_nothing_else() {
        let good = |command: &str| words(command).unwrap();
        assert_eq!(
            good("a  'b c' \"d\\\"e\" f\\ g ''"),
            ["a", "b c", "d\"e", "f g", ""]
        );
        for command in [
            "a > b",
            "a && b",
            "$(a)",
            "a `b`",
            "\"$HOME\"",
            "a 'b",
            "a \\",
            "X=1 a",
            "a *.rs",
            "",
            "~/a",
            "a | b",
        ] {
            assert!(words(command).is_err(), "{command}");
        }
    }

    #[test]
    fn what_agents_are_held_to_is_no_tasks_file() {
        for path in [
            ".maestro/policy.yaml",
            ".Maestro/quarantine.json",
            ".maestro/a/b",
        ] {
            assert!(rule_fault(path).is_some(), "{path}");
        }
        for path in [
            ".maestro/changes/2026-01-05-a.yaml",
            "docs/.maestro/a",
            "maestro.yaml",
        ] {
            assert_eq!(rule_fault(path), None, "{path}");
        }
    }

    proptest! {
        #[test]
        fn no_command_panics(command in ".{0,60}") {
            let _any = command_fault(&command, &["cargo test".to_owned()]);
            let _any = path_fault(&command);
        }
    }
}
