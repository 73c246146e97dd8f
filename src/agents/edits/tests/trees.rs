//! Which files edits may touch, and what is told of those that do not fit.

use super::*;

fn refusal(edits: &[Edit]) -> String {
    let mut memory = Memory::new(&[
        ("src/lib.rs", "a\n"),
        ("docs/Read.md", "b\n"),
        ("x/one.rs", "c\n"),
        ("y/one.rs", "d\n"),
    ]);
    memory.files.insert("link".into(), Found::Link);
    memory
        .files
        .insert("bin".into(), Found::File(vec![0xff, b'\n']));
    apply(edits, &memory)
        .expect_err("it should have been refused")
        .for_model()
}

fn edit(path: &str, action: Action) -> Edit {
    Edit {
        path: path.into(),
        action,
    }
}

fn change(path: &str) -> Edit {
    edit(
        path,
        Action::Replace {
            search: "a\n".into(),
            replace: "b\n".into(),
        },
    )
}

#[test]
fn paths_that_lead_elsewhere() {
    for path in [
        "/etc/passwd",
        "../a",
        "src/../../a",
        ".git/hooks/pre-commit",
        ".GIT/config",
        "a/.git./x",
        "git~1/config",
        "c:/x\u{7}",
        "",
        "src//lib.rs",
        "~/.\u{200b}git/x",
    ] {
        let edits = [edit(path, Action::Create { text: "x\n".into() })];
        assert!(
            refusal(&edits).contains("the path "),
            "{path}: {}",
            refusal(&edits)
        );
    }
    assert!(refusal(&[change("link")]).contains("it is a link"));
    assert!(refusal(&[change("bin")]).contains("it is no UTF-8 text"));
}

#[test]
fn names_that_are_nearly_right() {
    let memory = Memory::new(&[("src/Lib.rs", "a\n")]);
    let changes = apply(&[change("./src\\lib.rs")], &memory).unwrap();
    assert_eq!(
        (changes[0].path.as_str(), changes[0].after.as_deref()),
        ("src/Lib.rs", Some(&b"b\n"[..]))
    );
    assert!(refusal(&[change("one.rs")]).contains("There is `x/one.rs`, `y/one.rs`."));
    assert!(refusal(&[change("src/lob.rs")]).contains("There is `src/lib.rs`."));
    let memory = Memory::new(&[("A.rs", "a\n"), ("a.RS", "a\n")]);
    assert!(apply(&[change("a.rs")], &memory).is_err());
}

#[test]
fn all_or_none() {
    let told = refusal(&[
        change("src/lib.rs"),
        change("docs/Read.md"),
        edit(
            "src/lib.rs",
            Action::Create {
                text: String::new(),
            },
        ),
    ]);
    assert!(told.starts_with("2 of 3 edits do not fit, so none was applied.\n\nEdit 2 of `docs/Read.md`: its lines are not in the file.\n"), "{told}");
    assert!(
        told.contains("Edit 3 of `src/lib.rs`: the file is there already."),
        "{told}"
    );
}

#[test]
fn later_edits_see_earlier_ones() {
    let memory = Memory::new(&[("a", "1\n"), ("old", "x\n")]);
    let edits = [
        edit(
            "a",
            Action::Replace {
                search: "1\n".into(),
                replace: "2\n".into(),
            },
        ),
        edit(
            "a",
            Action::Replace {
                search: "2\n".into(),
                replace: "3\n".into(),
            },
        ),
        edit("b", Action::Create { text: "4\n".into() }),
        edit(
            "b",
            Action::Replace {
                search: "4\n".into(),
                replace: "5\n".into(),
            },
        ),
        edit(
            "old",
            Action::Move {
                to: "new".into(),
                replaces: false,
            },
        ),
        edit(
            "new",
            Action::Replace {
                search: "x\n".into(),
                replace: "y\n".into(),
            },
        ),
        edit("c", Action::Create { text: "6\n".into() }),
        edit("c", Action::Delete),
    ];
    let changes = apply(&edits, &memory).unwrap();
    let after: Vec<(&str, Option<&str>)> = changes
        .iter()
        .map(|change| {
            (
                change.path.as_str(),
                change
                    .after
                    .as_deref()
                    .map(|after| std::str::from_utf8(after).unwrap()),
            )
        })
        .collect();
    assert_eq!(
        after,
        [
            ("a", Some("3\n")),
            ("b", Some("5\n")),
            ("new", Some("y\n")),
            ("old", None)
        ]
    );
    assert_eq!(changes[3].before.as_deref(), Some(&b"x\n"[..]));
}

#[test]
fn a_refusal_shows_where_it_may_have_been_meant() {
    let told = replaced(
        FILE,
        "fn other() {\n    let total = 2;\n    keep(total);\n",
        "x\n",
    )
    .unwrap_err()
    .for_model();
    assert!(
        told.contains("Most like them is what begins at line 6:\n    6 | fn other() {\n"),
        "{told}"
    );
    assert!(
        told.contains(
            "Line 2 of the edit is `    let total = 2;`, where the file has `    let total = 1;`."
        ),
        "{told}"
    );
    let told = replaced(FILE, "    let total = 1;\n", "x\n")
        .unwrap_err()
        .for_model();
    assert!(
        told.contains("They are at line 2:") && told.contains("They are at line 7:"),
        "{told}"
    );
    let done = FILE.replace("print(total);\n", "show(total);\n");
    let told = replaced(&done, "    print(total);\n}\n", "    show(total);\n}\n")
        .unwrap_err()
        .for_model();
    assert!(
        told.contains("The replacement is there already, at line 3"),
        "{told}"
    );
}

#[test]
fn a_refusal_is_bounded() {
    let file = "word and word\n".repeat(1000);
    let search = format!("{}\n", "long ".repeat(10_000));
    let edits: Vec<Edit> = (0..200)
        .map(|_| {
            edit(
                "src/lib.rs",
                Action::Replace {
                    search: search.clone() + &file,
                    replace: "x\n".into(),
                },
            )
        })
        .collect();
    let told = refusal(&edits);
    assert!(
        told.len() < 10_000 && told.contains("Nor do these"),
        "{}",
        told.len()
    );
}
