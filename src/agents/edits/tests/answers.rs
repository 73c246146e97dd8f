//! What is read out of free text, in each form.

use super::*;

#[test]
fn blocks() {
    let answer = "First:\n\nsrc/a.rs\n```rust\n<<<<<<< SEARCH\none\n=======\ntwo\n>>>>>>> REPLACE\n```\n\nAnd then\n```\n<<<<< SEARCH\nthree\n=====\n>>>>> REPLACE\n```\n### `b/new.txt`:\n````\n<<<<<<<<< SEARCH\n=========\nnew\n>>>>>>>>> REPLACE\n````\n";
    let changes = answered(&[("src/a.rs", "one\nthree\nfour\n")], answer);
    assert_eq!(
        changes,
        [
            ("b/new.txt".into(), Some("new\n".into())),
            ("src/a.rs".into(), Some("two\nfour\n".into()))
        ]
    );
}

#[test]
fn blocks_as_others_write_them() {
    let answer = "------- SEARCH\r\none\r\n=======\r\ntwo\r\n+++++++ REPLACE\r\n";
    assert!(malformed(answer).contains("names no file"));
    let changes = answered(&[("a.rs", "one\n")], &format!("a.rs\n{answer}"));
    assert_eq!(changes, [("a.rs".into(), Some("two\n".into()))]);
    let changes = answered(
        &[("a.rs", "one\n")],
        "<<<<<<< SEARCH a.rs\none\n=======\ntwo\n>>>>>>> REPLACE\n",
    );
    assert_eq!(changes, [("a.rs".into(), Some("two\n".into()))]);
}

#[test]
fn blocks_that_are_not_clear() {
    assert!(
        malformed("a.rs\n<<<<<<< SEARCH\none\n>>>>>>> REPLACE\n")
            .contains("Line 2 of the answer: a block has no `=======`")
    );
    assert!(
        malformed("a.rs\n<<<<<<< SEARCH\none\n=======\ntwo\n").contains("has no `>>>>>>> REPLACE`")
    );
    let heading = "a.md\n<<<<<<< SEARCH\nTitle\n=======\nold\n=======\nTitle\n=======\nnew\n>>>>>>> REPLACE\n";
    assert!(malformed(heading).contains("more than once"));
    assert!(
        malformed("```bash\nsed -i s/a/b/ a.rs\n```\n")
            .contains("commands for a shell, which nobody runs: `sed -i s/a/b/ a.rs")
    );
    assert!(malformed("It cannot be done.").contains("no edit was found"));
}

#[test]
fn diffs_as_git_makes_them() {
    let answer = "diff --git a/src/a.rs b/src/a.rs\nindex 1..2 100644\n--- a/src/a.rs\n+++ b/src/a.rs\n@@ -1,3 +1,3 @@ fn x\n one\n-two\n+deux\n three\n@@ -9 +9,2 @@\n nine\n+neuf\ndiff --git a/new.rs b/new.rs\nnew file mode 100644\n--- /dev/null\n+++ b/new.rs\n@@ -0,0 +1 @@\n+x\ndiff --git a/gone.rs b/gone.rs\ndeleted file mode 100644\n--- a/gone.rs\n+++ /dev/null\n@@ -1 +0,0 @@\n-y\ndiff --git a/from.rs b/to.rs\nsimilarity index 100%\nrename from from.rs\nrename to to.rs\n";
    let files = [
        ("src/a.rs", "one\ntwo\nthree\nnine\n"),
        ("gone.rs", "y\n"),
        ("from.rs", "z\n"),
    ];
    let changes = answered(&files, answer);
    let expected = [
        ("from.rs", None),
        ("gone.rs", None),
        ("new.rs", Some("x\n")),
        ("src/a.rs", Some("one\ndeux\nthree\nnine\nneuf\n")),
        ("to.rs", Some("z\n")),
    ];
    let expected = expected.map(|(path, text)| (path.to_owned(), text.map(str::to_owned)));
    assert_eq!(changes, expected);
}

#[test]
fn diffs_as_models_make_them() {
    let file = [("a.rs", "one\n\ntwo\nthree\n")];
    let after = vec![("a.rs".to_owned(), Some("one\n\ndeux\nthree\n".to_owned()))];
    for answer in [
        "```diff\n--- a.rs\n+++ a.rs\n@@ ... @@\n one\n\n-two\n+deux\n three\n\n```\nThat is all.\n",
        "Here:\n\n`a.rs`\n```diff\n@@ -70,99 +70,99 @@\n one\n\n-two\n+deux\n```\n",
        "--- a/a.rs\n+++ b/a.rs\n@@\n-two\n+deux\n\nIt is done.\n",
        "--- a/a.rs\t2026-01-01\n+++ b/a.rs\t2026-01-02\n@@ -3,2 +3,2 @@\n-two\n+deux\n three\nIt is done.\n",
    ] {
        assert_eq!(answered(&file, answer), after, "{answer}");
    }
}

#[test]
fn lines_that_look_like_names_of_files() {
    let answer = "--- a/q.sql\n+++ b/q.sql\n@@ -1,3 +1,3 @@\n select\n--- old\n+++ new\n from\n";
    assert_eq!(
        answered(&[("q.sql", "select\n-- old\nfrom\n")], answer),
        [("q.sql".into(), Some("select\n++ new\nfrom\n".into()))]
    );
}

#[test]
fn the_end_of_the_last_line() {
    let ends = "--- a/a\n+++ b/a\n@@ -1 +1 @@\n-x\n\\ No newline at end of file\n+x\n";
    assert_eq!(
        answered(&[("a", "x")], ends),
        [("a".into(), Some("x\n".into()))]
    );
    let opens = "--- a/a\n+++ b/a\n@@ -1 +1 @@\n-x\n+y\n\\ No newline at end of file\n";
    assert_eq!(
        answered(&[("a", "x\n")], opens),
        [("a".into(), Some("y".into()))]
    );
}

#[test]
fn hunks_are_found_in_the_file_as_it_was() {
    let answer =
        "--- a/a\n+++ b/a\n@@ -1,2 +1,3 @@\n one\n+two\n three\n@@ -5 +6 @@\n-two\n+deux\n";
    assert_eq!(
        answered(&[("a", "one\nthree\ntwo\n")], answer),
        [("a".into(), Some("one\ntwo\nthree\ndeux\n".into()))]
    );
}

#[test]
fn line_numbers_choose_nothing() {
    let answer = "--- a/a.rs\n+++ b/a.rs\n@@ -2 +2 @@\n-    let total = 1;\n+    let total = 2;\n";
    let edits = parse(answer, &|path| path == "a.rs").unwrap();
    let told = apply(&edits, &Memory::new(&[("a.rs", FILE)]))
        .unwrap_err()
        .for_model();
    assert!(told.contains("2 times"), "{told}");
}

#[test]
fn whole_files() {
    let answer = "src/a.rs\n```rust\nnew\n```\n\n**File: `docs/b.md`**\n\n````markdown\n# B\n```\ncode\n```\n````\n```bash\ncargo test\n```\n";
    let changes = answered(&[("src/a.rs", "old\r\n")], answer);
    assert_eq!(
        changes,
        [
            ("docs/b.md".into(), Some("# B\n```\ncode\n```\n".into())),
            ("src/a.rs".into(), Some("new\r\n".into()))
        ]
    );
    assert!(
        malformed("README.md\n```markdown\n# A\n```sh\nx\n```\nmore\n```\n")
            .contains("a fence stands inside a file")
    );
    assert!(
        malformed("README.md\n```markdown\n# A\n```\nx\n```\nmore\n```\n")
            .contains("a fence stands inside a file")
    );
    assert!(malformed("a.rs\n```rust\nfn a() {\n").contains("not closed"));
    assert!(
        malformed("An example of a.rs:\n```rust\nfn a() {}\n```\n").contains("no edit was found")
    );
    assert!(malformed("a.rs\n```\nx\n```\na.rs\n```\ny\n```\n").contains("given twice"));
}

#[test]
fn patches_of_codex() {
    let answer = "*** Begin Patch\n*** Add File: n/new.txt\n+a\n+\n*** Update File: src/a.py\n*** Move to: src/b.py\n@@ class B\n@@ def f():\n     return 1\n+    # more\n*** Delete File: gone\n*** End Patch\n";
    let file = "class A:\n  def f():\n    return 1\n\nclass B:\n  def f():\n    return 1\n";
    let changes = answered(&[("src/a.py", file), ("gone", "x\n")], answer);
    let after = format!("{file}    # more\n");
    let expected = [
        ("gone", None),
        ("n/new.txt", Some("a\n\n")),
        ("src/a.py", None),
        ("src/b.py", Some(after.as_str())),
    ];
    assert_eq!(
        changes,
        expected.map(|(path, text)| (path.to_owned(), text.map(str::to_owned)))
    );
    let end = "*** Begin Patch\n*** Update File: a\n@@\n-x\n+y\n*** End of File\n*** End Patch";
    assert_eq!(
        answered(&[("a", "x\nx")], end),
        [("a".into(), Some("x\ny\n".into()))]
    );
    for (patch, why) in [
        ("*** Begin Patch\n*** End Patch", "no edit"),
        (
            "*** Begin Patch\n*** Update File: a.rs\n*** End Patch",
            "a hunk has no lines",
        ),
        (
            "*** Begin Patch\n*** Frobnicate File: a.rs\n*** End Patch",
            "Line 2",
        ),
        (
            "*** Begin Patch\n*** Delete File: a.rs\n",
            "the patch has no `*** End Patch`",
        ),
    ] {
        assert!(malformed(patch).contains(why), "{}", malformed(patch));
    }
}
