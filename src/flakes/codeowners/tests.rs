//! Tests of CODEOWNERS.

use proptest::prelude::*;

use super::*;

fn owners(text: &str, path: &str) -> Option<String> {
    let owners = parse(text);
    let found = owners.owners_of(path)?;
    Some(found.owners.join(" "))
}

#[track_caller]
fn check(pattern: &str, yes: &[&str], no: &[&str]) {
    let owners = parse(&format!("{pattern} @a"));
    assert_eq!(owners.problems, []);
    for path in yes {
        assert!(owners.owners_of(path).is_some(), "{pattern} owns {path}");
    }
    for path in no {
        assert!(owners.owners_of(path).is_none(), "{pattern} leaves {path}");
    }
}

/// The rules of GitHub's example, in their order, with other owners.
const EXAMPLE: &str = "\
# A comment, and an empty line

*       @owner1 @owner2
*.js    @js #This is an inline comment.
*.go docs@example.com
*.txt @octo-org/octocats
/build/logs/ @logs
docs/* docs2@example.com
apps/ @octocat
/docs/ @doctocat
/scripts/ @doctocat @octocat
**/logs @loggers
/apps/ @octocat
/apps/github
";

#[test]
fn the_example_is_read_as_its_comments_say() {
    for (path, expected) in [
        ("Makefile", "@owner1 @owner2"),
        ("a/b/c.js", "@js"),
        ("x.go", "docs@example.com"),
        ("a/x.txt", "@octo-org/octocats"),
        ("build/logs/x.js", "@loggers"),
        ("docs/getting-started.md", "@doctocat"),
        ("docs/build-app/troubleshooting.md", "@doctocat"),
        ("x/docs/y.md", "@owner1 @owner2"),
        ("x/apps/y/z.js", "@octocat"),
        ("scripts/artifacts/scan.sh", "@doctocat @octocat"),
        ("deeply/nested/logs/x", "@loggers"),
        ("apps/x", "@octocat"),
        ("apps/github", ""),
        ("apps/github/x/y.js", ""),
    ] {
        assert_eq!(owners(EXAMPLE, path).as_deref(), Some(expected), "{path}");
    }
    assert_eq!(parse(EXAMPLE).problems, []);
}

#[test]
fn one_star_stays_in_its_folder_and_two_do_not() {
    check("docs/*", &["docs/a.md"], &["docs/a/b.md", "x/docs/a.md"]);
    check("/docs/*", &["docs/a.md"], &["docs/a/b.md"]);
    check("docs/**", &["docs/a", "docs/a/b"], &["docs", "x/docs/a"]);
    check("*", &["a", "a/b/c", ".hidden"], &[]);
    check("**", &["a", "a/b"], &[]);
    check("/*", &["a"], &["a/b"]);
    check("/**", &["a", "a/b"], &[]);
    check(
        "a/**/b",
        &["a/b", "a/x/b", "a/x/y/b/c"],
        &["a", "b", "x/a/b"],
    );
    check("**/a/b", &["a/b", "x/y/a/b"], &["a/x/b"]);
    check("a/*/c", &["a/b/c", "a/b/c/d"], &["a/c", "a/b/b/c"]);
    check("/src/*.rs", &["src/a.rs"], &["src/a/b.rs", "a/src/a.rs"]);
    check("a*c", &["abc", "x/ac", "abbc/d"], &["ab/c", "abcd"]);
}

#[test]
fn a_slash_at_the_front_or_inside_anchors() {
    check(
        "apps",
        &["apps", "apps/a", "x/apps/a"],
        &["apps2", "myapps"],
    );
    check("apps/", &["apps/a", "x/apps/a/b"], &["apps", "x/apps"]);
    check("/apps/", &["apps/a"], &["x/apps/a", "apps"]);
    check("/apps", &["apps", "apps/a"], &["x/apps"]);
    check("a/b", &["a/b", "a/b/c"], &["x/a/b"]);
    check("a/b/", &["a/b/c"], &["a/b", "x/a/b/c"]);
    check("*/", &["a/b", "a/b/c"], &["a"]);
}

#[test]
fn case_counts_and_escapes_work() {
    check("README.md", &["README.md"], &["readme.md"]);
    check(r"/with\ space/", &["with space/a"], &["with/a"]);
    check(r"a\*b", &["a*b"], &["axb"]);
    check(r"a\*b*", &["a*b", "a*bc"], &["axb"]);
    check("a?c", &["abc", "aéc"], &["ac", "abbc", "a/c"]);
    check("é*", &["été"], &["e"]);
    check("a#b", &["a#b"], &["a"]);
}

#[test]
fn lines_that_are_not_valid_are_skipped_and_named() {
    let text = "* @a\r\n!x @b\r\n[ab].c @b\r\n\\#x @b\r\n***/x @b\r\nx nobody\r\ny @b @\r\n/ @b\r\na//b @b\r\nx\\\r\n";
    let read = parse(text);
    let faults: Vec<_> = read
        .problems
        .iter()
        .map(|problem| (problem.line, &problem.fault))
        .collect();
    let pattern = |text: &str| Fault::BadPattern(text.to_owned());
    let owner = |text: &str| Fault::BadOwner(text.to_owned());
    assert_eq!(
        faults,
        [
            (2, &Fault::Negated),
            (3, &Fault::Range),
            (4, &Fault::EscapedComment),
            (5, &pattern("***/x")),
            (6, &owner("nobody")),
            (7, &owner("@")),
            (8, &pattern("/")),
            (9, &pattern("a//b")),
            (10, &pattern("x\\")),
        ]
    );
    for path in ["x", "y", "a.c", "#x", "z/x"] {
        assert_eq!(read.owners_of(path).unwrap().owners, ["@a"], "{path}");
    }
}

#[test]
fn owners_are_people_teams_and_addresses() {
    for owner in [
        "@a",
        "@a-b",
        "@a_corp",
        "@o/t",
        "@o-1/t_2.x",
        "a.b+c@d-e.co.uk",
        "@app[bot]",
    ] {
        assert!(is_owner(owner), "{owner}");
    }
    for owner in [
        "", "a", "@", "@/t", "@o/", "@o/t/u", "a@", "a@b", "@a b", "a@@b.c", "@é",
    ] {
        assert!(!is_owner(owner), "{owner}");
    }
}

#[test]
fn the_rule_says_where_it_is_written() {
    let read = parse("\u{feff}# x\n\n/a/  \t@b\t# @c\n");
    let found = read.owners_of("./a/b").unwrap();
    assert_eq!((found.line, found.pattern), (3, "/a/"));
    assert_eq!(found.owners, ["@b"]);
    assert_eq!(read.owners_of("b"), None);
}

#[test]
fn the_file_in_the_folder_of_github_wins_and_a_large_one_is_not_read() {
    assert_eq!(place(|_| true), Some(".github/CODEOWNERS"));
    assert_eq!(
        place(|place| !place.contains(".github")),
        Some("CODEOWNERS")
    );
    assert_eq!(place(|place| place == PLACES[2]), Some("docs/CODEOWNERS"));
    assert_eq!(place(|_| false), None);
    let large = parse(&"* @a\n".repeat(LIMIT / 5 + 1));
    assert_eq!(large.problems[0].fault, Fault::TooLarge);
    assert!(large.owners_of("a").is_none());
}

#[test]
fn many_stars_end() {
    let read = parse(&format!(
        "{}x @a\n{}b @a\n",
        "**/*/".repeat(200),
        "*a".repeat(200)
    ));
    assert!(read.owners_of(&format!("{}y", "a/".repeat(300))).is_none());
    assert!(read.owners_of(&"a".repeat(2000)).is_none());
}

/// Patterns as they are described, letter by letter, with all the time in the world.
fn naive(pattern: &str, path: &str) -> bool {
    fn below(path: &str, can_be_itself: bool) -> bool {
        (can_be_itself && path.is_empty()) || (path.starts_with('/') && path.len() > 1)
    }
    fn at(pattern: &str, path: &str) -> bool {
        match pattern {
            "" => return below(path, true),
            "/" | "/**" => return below(path, false),
            "/*" => return below(path, false) && !path[1..].contains('/'),
            _ => {}
        }
        if let Some(rest) = pattern.strip_prefix("/**/") {
            let mut slashes = path.match_indices('/');
            return path.starts_with('/')
                && slashes.any(|(slash, _)| at(&format!("/{rest}"), &path[slash..]));
        }
        let rest = &pattern[1..];
        match pattern.as_bytes()[0] {
            b'*' => {
                let end = path.find('/').unwrap_or(path.len());
                (0..=end).any(|taken| at(rest, &path[taken..]))
            }
            b'?' => !path.is_empty() && !path.starts_with('/') && at(rest, &path[1..]),
            letter => path.as_bytes().first() == Some(&letter) && at(rest, &path[1..]),
        }
    }
    let inner = pattern.trim_end_matches('/');
    let pattern = match pattern {
        _ if pattern.starts_with('/') => pattern.to_owned(),
        _ if inner.contains('/') => format!("/{pattern}"),
        _ => format!("/**/{pattern}"),
    };
    at(&pattern, &format!("/{path}"))
}

fn pattern() -> impl Strategy<Value = String> {
    // A star alone as a name needs something to stand for, and so do two.
    "/?(\\*\\*/)?(a|b|ab|\\*|a\\*|\\*b|\\?|a\\?|\\*\\.a|b\\.a)(/(\\*\\*|a|b|\\*|a\\*|\\*\\.a)){0,3}/?"
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn the_last_match_of_a_naive_reader_decides(
        patterns in prop::collection::vec(pattern(), 1..12),
        path in "(a|b|ab|ba|b\\.a|x\\.a)(/(a|b|ab|b\\.a|x)){0,4}",
    ) {
        let lines: Vec<String> = patterns.iter().map(|pattern| format!("{pattern} @a")).collect();
        let read = parse(&lines.join("\n"));
        prop_assert_eq!(&read.problems, &[]);
        let expected = patterns.iter().rposition(|pattern| naive(pattern, &path));
        let found = read.owners_of(&path).map(|found| found.line - 1);
        prop_assert_eq!(found, expected, "{:?} {}", patterns, path);
    }

    #[test]
    fn any_text_is_read(text in "[ab*?/\\\\#!@ \\[\\n\u{e9}.-]{0,60}", path in "[ab/. \u{e9}]{0,20}") {
        let read = parse(&text);
        let _ = read.owners_of(&path);
    }
}
