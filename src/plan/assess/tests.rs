//! Tests of whom a changed path concerns, from the files of two commits.

use super::*;
use crate::change::tests_support::{changes, tree};
use crate::change::{Tree, parse_raw};
use crate::plan::closure::Way;
use crate::plan::graph::components::Components;
use crate::plan::graph::patterns::Patterns;
use crate::plan::sources::{Blobs, Sources};

const FILES: [(&str, &str); 14] = [
    (
        "Cargo.toml",
        "[workspace]\nmembers=['a','b','c']\n[workspace.package]\nedition='2021'\n[workspace.dependencies]\nserde='1'\n",
    ),
    (
        "a/Cargo.toml",
        "[package]\nname='a'\nedition.workspace=true\n",
    ),
    ("a/src/lib.rs", "1"),
    (
        "b/Cargo.toml",
        "[package]\nname='b'\n[dependencies]\na={path='../a'}\nserde.workspace=true\n",
    ),
    (
        "c/Cargo.toml",
        "[package]\nname='c'\n[lints]\nworkspace=true\n",
    ),
    ("inner/Cargo.toml", "[workspace]\nmembers=['m']\n"),
    ("inner/m/Cargo.toml", "[package]\nname='m'\n"),
    ("py/pyproject.toml", "[project]\nname='py'\n"),
    ("README.md", "1"),
    ("a/one.snap", "1"),
    ("ruff.toml", "1"),
    ("other/notes.txt", "1"),
    ("inner/notes.txt", "1"),
    ("py/.python-version", "3"),
];

fn rules() -> Rules {
    let mut rules = Rules::none(".maestro");
    rules.ignore = Patterns::new(["**/*.snap"]).unwrap();
    let own = Patterns::new(["other/*.sh", "snaps/**"]).unwrap();
    rules.jobs = vec![("own".to_owned(), own)];
    rules
}

fn sources<'a>(tree: &'a Tree, blobs: &'a Blobs) -> Sources<'a> {
    Sources { tree, blobs }
}

/// Assesses what turns the files into others, and these changes.
fn assessed(new: &[(&str, &str)], more: &[Change], readings: &[Reading]) -> Assessment {
    let mut blobs = Blobs::default();
    for (_, text) in FILES.iter().chain(new) {
        blobs.insert((*text).into(), Some(text.as_bytes().into()));
    }
    let (old, new) = (tree(FILES), tree(new.iter().copied()));
    let mut changed = changes(&old, &new);
    changed.extend_from_slice(more);
    let (old, new) = (sources(&old, &blobs), sources(&new, &blobs));
    let graph = |sources| crate::plan::graph::read(sources, &Components::new());
    let (old_graph, new_graph) = (graph(old), graph(new));
    let links = Links::default();
    let since = Since {
        old: Side {
            sources: old,
            graph: &old_graph,
        },
        links: &links,
        changes: &changed,
    };
    assess(Input {
        new: Side {
            sources: new,
            graph: &new_graph,
        },
        links: &links,
        since: &[since],
        rules: &rules(),
        readings,
        imported: &Graph::default(),
    })
}

/// Returns the files with one of them changed, added, or left out.
fn with<'a>(path: &'a str, text: Option<&'a str>) -> Vec<(&'a str, &'a str)> {
    let others = FILES.into_iter().filter(|(other, _)| *other != path);
    others.chain(text.map(|text| (path, text))).collect()
}

/// Says what a change of one file comes to: why everything runs, or who is affected and by what.
fn shown(assessment: &Assessment) -> String {
    let all = assessment
        .reasons
        .iter()
        .map(|one| format!("all:{}", one.code));
    let affected = assessment.affected.iter().map(|(id, way)| match way {
        Way::Cause(cause) => format!("{id}={}", cause.code),
        Way::Through(other) => format!("{id}<{other}"),
    });
    all.chain(affected).collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn check(path: &str, text: &str, expected: &str) -> ChangedFile {
    let assessment = assessed(&with(path, Some(text)), &[], &[]);
    assert_eq!(shown(&assessment), expected, "{path}");
    let [file] = &assessment.files[..] else {
        panic!("{:?}", assessment.files);
    };
    assert!(!file.is_submodule && file.path == path);
    let is_all = matches!(file.verdict, Verdict::All(_));
    assert_eq!(is_all, expected.starts_with("all:"), "{path}");
    let is_nothing = matches!(file.verdict, Verdict::Nothing(_));
    assert_eq!(is_nothing, expected.is_empty(), "{path}");
    file.clone()
}

#[test]
fn a_file_concerns_whose_it_is_and_who_depends_on_them() {
    check("a/src/lib.rs", "2", "cargo:a=changed-file cargo:b<cargo:a");
    check("b/src/new.rs", "1", "cargo:b=changed-file");
    check("py/x.py", "1", "python:py=changed-file");
}

#[test]
fn what_nobody_has_runs_everything_unless_it_is_for_people() {
    check("other/notes.txt", "2", "all:unowned-file");
    check("README.md", "2", "");
    check("a/one.snap", "2", "");
    // Below a workspace's root it is at most that workspace's.
    check("inner/notes.txt", "2", "cargo:inner/m=workspace-file");
}

#[test]
fn what_chooses_tools_is_about_all_below_its_folder() {
    check("rust-toolchain.toml", "1", "all:toolchain");
    check("py/.python-version", "2", "python:py=changed-file");
    check("inner/rust-toolchain.toml", "1", "cargo:inner/m=toolchain");
    check("other/.nvmrc", "1", "all:toolchain");
}

#[test]
fn settings_are_looked_for_from_the_folders_below() {
    let file = check("ruff.toml", "2", "all:unowned-file python:py=read-file");
    assert_eq!(file.projects, BTreeSet::from(["python:py".to_owned()]));
    check(
        "pyproject.toml",
        "[tool.ruff]\nx=1\n",
        "all:unowned-file python:py=read-file",
    );
    check("pyproject.toml", "[tool.hatch]\nx=1\n", "all:unowned-file");
}

#[test]
fn a_roots_manifest_reaches_whom_its_words_are_about() {
    let root = FILES[0].1;
    let check = |text: &str, expected: &str| {
        check("Cargo.toml", text, expected);
    };
    let a = "cargo:a=root-manifest cargo:b<cargo:a";
    check(&root.replace("'2021'", "'2024'"), a);
    check(&root.replace("'1'", "'2'"), "cargo:b=root-manifest");
    let lints = format!("{root}[workspace.lints.rust]\nunsafe_code='forbid'\n");
    check(&lints, "cargo:c=root-manifest");
    check(&format!("# Nothing but words.\n{root}"), "");
    let all = "cargo:a=root-manifest cargo:b=root-manifest cargo:c=root-manifest";
    check(&format!("{root}[profile.release]\nlto=true\n"), all);
    let broken = assessed(&with("Cargo.toml", Some("[")), &[], &[]);
    assert!(!broken.reasons.is_empty());
    let is_of_it =
        |one: &Reason| one.code == UNREADABLE && one.path.as_deref() == Some("Cargo.toml");
    assert!(broken.reasons.iter().all(is_of_it), "{:?}", broken.reasons);
    assert_eq!(broken.files[0].verdict, Verdict::All(UNREADABLE));
}

#[test]
fn what_a_rule_leaves_out_concerns_whoever_reads_it() {
    let reading = Reading {
        project: "python:py".to_owned(),
        target: "a".to_owned(),
        from: "py/x.py".to_owned(),
    };
    let new = with("a/one.snap", Some("2"));
    let assessment = assessed(&new, &[], &[reading]);
    assert_eq!(shown(&assessment), "python:py=read-file");
    assert_eq!(assessment.files[0].verdict, Verdict::Concerns);
    // A job that names it runs for it, and it is not nothing.
    let assessment = assessed(&with("snaps/two.snap", Some("1")), &[], &[]);
    assert_eq!(shown(&assessment), "");
    assert_eq!(assessment.files[0].verdict, Verdict::Concerns);
    assert!(assessment.jobs.contains_key("own"));
}

#[test]
fn a_path_of_a_job_belongs_to_somebody() {
    let assessment = assessed(&with("other/run.sh", Some("1")), &[], &[]);
    assert_eq!(shown(&assessment), "");
    let file = &assessment.files[0];
    assert_eq!(file.verdict, Verdict::Concerns);
    assert_eq!(file.jobs, BTreeSet::from(["own".to_owned()]));
}

#[test]
fn of_a_submodule_and_of_a_name_that_is_no_text_little_is_known() {
    let head = ":160000 160000 1111111111111111111111111111111111111111 2222222222222222222222222222222222222222 M";
    let raw = |path: &[u8]| [head.as_bytes(), b"\0", path, b"\0"].concat();
    let reading = Reading {
        project: "python:py".to_owned(),
        target: "vendor/lib/x.h".to_owned(),
        from: "py/x.py".to_owned(),
    };
    let submodule = parse_raw(&raw(b"vendor/lib")).unwrap();
    let assessment = assessed(&FILES, &submodule, std::slice::from_ref(&reading));
    assert_eq!(shown(&assessment), "all:unowned-file python:py=read-file");
    assert!(assessment.files[0].is_submodule);
    let nameless = parse_raw(&raw(b"a/src/\xff.rs")).unwrap();
    let assessment = assessed(&FILES, &nameless, &[]);
    assert_eq!(shown(&assessment), "all:path-not-utf8");
}

#[test]
fn projects_and_edges_of_one_commit_only_are_changes_too() {
    let new: Vec<_> = with("Cargo.toml", Some("[workspace]\nmembers=['a','b']\n"))
        .into_iter()
        .filter(|(path, _)| *path != "c/Cargo.toml")
        .collect();
    let assessment = assessed(&new, &[], &[]);
    assert!(assessment.affected.contains_key("cargo:c"));
    let files: Vec<_> = (assessment.files.iter())
        .map(|file| (file.path.as_str(), file.status))
        .collect();
    assert_eq!(
        files,
        [
            ("Cargo.toml", Status::Modified),
            ("c/Cargo.toml", Status::Deleted)
        ]
    );
}
