//! Tests of CODEOWNERS.

use proptest::prelude::*;

use super::*;

#[track_caller]
fn check_owners(text: &str, cases: &[(&str, &str)]) {
    let read = CodeOwners::read(text);
    for (path, owners) in cases {
        assert_eq!(read.of(path).join(" "), *owners, "{path}");
    }
}

/// The file of GitHub's documentation, pattern by pattern.
#[test]
fn patterns_match_as_githubs_documentation_says() {
    check_owners("*  @all", &[("a", "@all"), ("a/b/c", "@all")]);
    check_owners(
        "*.js @js #this is an inline comment.",
        &[("a.js", "@js"), ("x/a.js", "@js"), ("a.jsx", "")],
    );
    check_owners("*.go docs@example.com", &[("x/a.go", "docs@example.com")]);
    check_owners(
        "*.txt @octo-org/octocats",
        &[("a.txt", "@octo-org/octocats")],
    );
    check_owners(
        "/build/logs/ @d",
        &[
            ("build/logs/a", "@d"),
            ("build/logs/x/a", "@d"),
            ("x/build/logs/a", ""),
            ("build/logs", ""),
        ],
    );
    check_owners(
        "docs/* @d",
        &[
            ("docs/a.md", "@d"),
            ("docs/build-app/a.md", ""),
            ("x/docs/a.md", ""),
        ],
    );
    check_owners(
        "apps/ @o",
        &[("apps/a", "@o"), ("x/apps/y/a", "@o"), ("apps", "")],
    );
    check_owners("/docs/ @d", &[("docs/x/a", "@d"), ("x/docs/a", "")]);
    check_owners("/scripts/ @a @b", &[("scripts/a", "@a @b")]);
    check_owners(
        "**/logs @o",
        &[
            ("build/logs/a", "@o"),
            ("deeply/nested/logs/a", "@o"),
            ("logs/a", "@o"),
            ("logs", "@o"),
        ],
    );
    check_owners(
        "/apps/ @o\n/apps/github\n",
        &[("apps/x", "@o"), ("apps/github", ""), ("apps/github/a", "")],
    );
    check_owners(
        "/apps/ @o\n/apps/github @doctocat\n",
        &[("apps/github/a", "@doctocat")],
    );
}

#[test]
fn the_last_pattern_wins_and_what_does_not_work_counts_for_nothing() {
    check_owners(
        "* @a\n/src/ @b\n*.md @c\n",
        &[("x", "@a"), ("src/x", "@b"), ("src/x.md", "@c")],
    );
    let read = CodeOwners::read("# c\n\n!a @x\n\\#b @x\n[ab] @x\nc x\nd @x/y/z\ne @\nf @ok\n");
    let lines: Vec<usize> = read.problems.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [3, 4, 5, 6, 7, 8]);
    assert_eq!(read.of("f"), ["@ok"]);
    assert_eq!(CodeOwners::read(&" ".repeat(LARGEST + 1)).problems.len(), 1);
}

#[test]
fn names_are_matched_whole_and_by_case() {
    check_owners("/a\\ b/*.rs @x", &[("a b/c.rs", "@x"), ("a b/d/c.rs", "")]);
    check_owners("Src/ @x", &[("src/a", ""), ("Src/a", "@x")]);
    check_owners(
        "/a/**/z @x",
        &[("a/z", "@x"), ("a/b/c/z", "@x"), ("a/b/c/zz", "")],
    );
    check_owners("/a/** @x", &[("a/b/c", "@x"), ("a", "")]);
    check_owners("/* @x", &[("a", "@x"), ("a/b", "")]);
    check_owners(
        "t?st @x",
        &[("test", "@x"), ("tst", ""), ("x/tast/y", "@x")],
    );
}

#[test]
fn many_stars_take_no_time_without_end() {
    let pattern = format!("/{}z @x", "**/*a*/".repeat(40));
    let path = "aaaa/".repeat(200);
    let read = CodeOwners::read(&pattern);
    assert!(read.of(&path).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_plain_path_owns_itself_and_all_below(path in "[a-c]{1,2}(/[a-c]{1,2}){0,3}", below in "[a-c]{1,2}") {
        let read = CodeOwners::read(&format!("/{path} @x"));
        prop_assert_eq!(read.of(&path).len(), 1);
        let inside = format!("{path}/{below}");
        prop_assert_eq!(read.of(&inside).len(), 1);
        let beside = format!("{path}x");
        prop_assert!(read.of(&beside).is_empty());
    }

    #[test]
    fn no_text_is_too_much(text in ".{0,200}", path in ".{0,60}") {
        let _ = CodeOwners::read(&text).of(&path);
    }
}

#[track_caller]
fn check(pattern: &str, yes: &[&str], no: &[&str]) {
    let owners = CodeOwners::read(&format!("{pattern} @a"));
    assert_eq!(owners.problems, []);
    for path in yes {
        assert!(!owners.of(path).is_empty(), "{pattern} owns {path}");
    }
    for path in no {
        assert!(owners.of(path).is_empty(), "{pattern} leaves {path}");
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
    let read = CodeOwners::read(EXAMPLE);
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
        assert_eq!(read.of(path).join(" "), expected, "{path}");
    }
    assert_eq!(read.problems, []);
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
    let read = CodeOwners::read(text);
    let lines: Vec<usize> = read.problems.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [2, 3, 4, 5, 6, 7, 8, 9, 10]);
    for path in ["x", "y", "a.c", "#x", "z/x"] {
        assert_eq!(read.of(path), ["@a"], "{path}");
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
fn a_mark_of_the_byte_order_and_a_dot_before_the_path_are_no_part_of_them() {
    let read = CodeOwners::read("\u{feff}/a/  \t@b\t# @c\n");
    assert_eq!(read.of("./a/b"), ["@b"]);
    assert!(read.of("b").is_empty());
}

#[test]
fn many_stars_end() {
    let read = CodeOwners::read(&format!(
        "{}x @a\n{}b @a\n",
        "**/*/".repeat(200),
        "*a".repeat(200)
    ));
    assert!(read.of(&format!("{}y", "a/".repeat(300))).is_empty());
    assert!(read.of(&"a".repeat(2000)).is_empty());
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
        let lines: Vec<String> =
            patterns.iter().enumerate().map(|(at, pattern)| format!("{pattern} @u{at}")).collect();
        let read = CodeOwners::read(&lines.join("\n"));
        prop_assert_eq!(&read.problems, &[]);
        let expected = patterns.iter().rposition(|pattern| naive(pattern, &path));
        let expected = expected.map_or(String::new(), |at| format!("@u{at}"));
        prop_assert_eq!(read.of(&path).join(" "), expected, "{:?} {}", patterns, path);
    }
}
