//! What messages of commits and texts of pull requests say about others: numbers, reverts, hotfixes.
//!
//! The forms are GitHub's (docs.github.com, "About merge methods on GitHub", "Reverting a pull request"), GitLab's and Bitbucket's merge commits, and
//! git's own (git-revert(1)).

/// Nobody takes back more at once.
const MOST_REVERTS: usize = 50;

/// Returns the number of the pull request that a commit on the main branch came by, and the branch that it came from.
pub(crate) fn merged_pull(message: &str) -> Option<(u64, &str)> {
    let subject = subject(message);
    if let Some(rest) = subject.strip_prefix("Merge pull request #") {
        let (number, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let branch = rest.strip_prefix("from ").unwrap_or_default();
        let branch = branch.split_once('/').map_or(branch, |(_, branch)| branch);
        return Some((number.parse().ok()?, branch));
    }
    if let Some((before, number)) = subject.split_once("(pull request #")
        && let Some(branch) = before.strip_prefix("Merged in ")
    {
        return Some((number.trim_end_matches(')').parse().ok()?, branch.trim()));
    }
    if let Some(rest) = subject.strip_prefix("Merge branch '") {
        let branch = rest.split('\'').next().unwrap_or_default();
        let line = message
            .lines()
            .find_map(|line| line.strip_prefix("See merge request "))?;
        return Some((line.rsplit_once('!')?.1.trim().parse().ok()?, branch));
    }
    None
}

/// Returns the number at the end of a squashed commit's subject, as in `Mend it (#12)`.
pub(crate) fn squashed_pull(message: &str) -> Option<u64> {
    last_number(subject(message).trim_end())
}

fn last_number(text: &str) -> Option<u64> {
    let number = text.strip_suffix(')')?.rsplit_once("(#")?.1;
    number.parse().ok()
}

pub(crate) fn subject(message: &str) -> &str {
    message.lines().next().unwrap_or_default()
}

/// Returns what a text takes back: full ids of commits, and numbers as `#12`.
pub(crate) fn reverts(title: &str, body: &str, found: &mut Vec<String>) {
    let mut add = |name: String| {
        if found.len() < MOST_REVERTS && !found.contains(&name) {
            found.push(name);
        }
    };
    let quoted = title
        .strip_prefix("Revert \"")
        .or_else(|| title.strip_prefix("revert: "));
    if let Some(quoted) = quoted {
        // The revert may have a number of its own behind the quotation.
        let inner = quoted.rsplit_once('"').map_or(quoted, |(inner, _)| inner);
        if let Some(number) = last_number(inner.trim_end()) {
            add(format!("#{number}"));
        }
    }
    for line in body.lines() {
        let line = line.trim();
        if let Some(rest) = line.strip_prefix("This reverts commit ") {
            let id: String = rest.chars().take_while(char::is_ascii_hexdigit).collect();
            if id.len() == 40 || id.len() == 64 {
                add(id);
            }
        } else if let Some(rest) = line.strip_prefix("Reverts ") {
            let name = rest.split_whitespace().next().unwrap_or_default();
            let number = name.rsplit_once('#').map(|(_, number)| number);
            if let Some(Ok(number)) =
                number.map(|number| number.trim_end_matches('.').parse::<u64>())
            {
                add(format!("#{number}"));
            }
        }
    }
}

/// Returns the number that the name of a branch takes back: GitHub's button makes `revert-12-topic`.
pub(crate) fn reverted_by_branch(branch: &str) -> Option<String> {
    let rest = branch.strip_prefix("revert-")?;
    let number = rest.split_once('-').map_or(rest, |(number, _)| number);
    let number: u64 = number.parse().ok()?;
    Some(format!("#{number}"))
}

/// Whether a branch, label or title says that it mends production at once.
pub(crate) fn is_hotfix(name: &str) -> bool {
    let name = name.trim().to_lowercase();
    name.strip_prefix("hotfix").is_some_and(|rest| {
        rest.is_empty() || rest.starts_with(['/', '-', '_', ':', '(', '!', ' '])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merges_of_every_forge_name_their_pull_request() {
        for (message, wanted) in [
            (
                "Merge pull request #700 from k1LoW/dependabot/go_modules/x\n\nchore",
                Some((700, "dependabot/go_modules/x")),
            ),
            (
                "Merge branch 'topic' into 'main'\n\nMend it\n\nSee merge request acme/app!41",
                Some((41, "topic")),
            ),
            (
                "Merged in feature/x (pull request #9)",
                Some((9, "feature/x")),
            ),
            ("Merge branch 'main' of example.com:a/b", None),
            ("Merge pull request #many from a/b", None),
        ] {
            assert_eq!(merged_pull(message), wanted, "{message}");
        }
        assert_eq!(squashed_pull("fix: a (#1) (#23)\n\nbody (#4)"), Some(23));
        assert_eq!(squashed_pull("fix: #23"), None);
    }

    #[test]
    fn reverts_name_what_they_take_back() {
        let id = "0123456789012345678901234567890123456789";
        let found = |title: &str, body: &str| {
            let mut found = Vec::new();
            reverts(title, body, &mut found);
            found
        };
        assert_eq!(found("Revert \"Add x (#12)\" (#13)", ""), ["#12"]);
        assert_eq!(
            found("Revert \"Add x\"", &format!("This reverts commit {id}.")),
            [id]
        );
        assert_eq!(found("Take x back", "Reverts acme/app#7"), ["#7"]);
        assert_eq!(
            found("Add \"Revert\" button (#3)", "This reverts commit 0123."),
            [""; 0]
        );
    }

    #[test]
    fn a_hotfix_says_so_at_its_start() {
        for yes in ["hotfix/login", "Hotfix: login", "hotfix", "hotfix(api): x"] {
            assert!(is_hotfix(yes), "{yes}");
        }
        for no in ["hotfixes", "fix/hot", "not-a-hotfix"] {
            assert!(!is_hotfix(no), "{no}");
        }
    }
}
