//! Workspaces of Cargo, of whole repositories.

use crate::plan::graph::tests::{dependents, projects, read};

const LIB: &str = "[package]\nname = 'x'\n";

#[test]
fn a_workspace_has_the_members_that_cargo_sees() {
    let files = [
        (
            "Cargo.toml",
            "[workspace]\nmembers = ['crates/*', 'tool']\nexclude = ['crates/old', 'fuzz']",
        ),
        (
            "crates/a/Cargo.toml",
            "[package]\nname='a'\n[dependencies]\nb={path='../b'}\nhidden={path='../../lib/hidden'}",
        ),
        ("crates/b/Cargo.toml", LIB),
        ("crates/b/tests/data/Cargo.toml", LIB),
        ("crates/old/Cargo.toml", LIB),
        ("crates/empty/README.md", ""),
        ("lib/hidden/Cargo.toml", LIB),
        ("lib/stray/Cargo.toml", LIB),
        (
            "tool/Cargo.toml",
            "[package]\nname='tool'\n[build-dependencies]\na={path='../crates/a'}",
        ),
        (
            "fuzz/Cargo.toml",
            "[package]\nname='f'\n[workspace]\n[dependencies]\nb={path='../crates/b'}",
        ),
    ];
    let graph = read(&files);
    let expected = [
        "cargo:crates/a",
        "cargo:crates/b",
        "cargo:crates/old",
        "cargo:fuzz",
        "cargo:lib/hidden",
        "cargo:tool",
    ];
    assert_eq!(projects(&graph), expected);
    assert_eq!(
        dependents(&graph, "cargo:crates/b"),
        ["cargo:crates/a", "cargo:fuzz"]
    );
    assert_eq!(dependents(&graph, "cargo:lib/hidden"), ["cargo:crates/a"]);
    assert_eq!(dependents(&graph, "cargo:crates/a"), ["cargo:tool"]);
}

#[test]
fn a_dependency_of_the_workspace_is_followed_through_the_root() {
    let files = [
        (
            "ws/Cargo.toml",
            "[workspace]\nmembers=['a','b']\n[workspace.dependencies]\nbee={package='b',path='b'}",
        ),
        (
            "ws/a/Cargo.toml",
            "[package]\nname='a'\n[target.'cfg(unix)'.dependencies]\nbee.workspace=true",
        ),
        (
            "ws/b/Cargo.toml",
            "[package]\nname='b'\n[dev-dependencies]\na={path='../a'}",
        ),
    ];
    let graph = read(&files);
    assert_eq!(dependents(&graph, "cargo:ws/b"), ["cargo:ws/a"]);
    // Cycles by way of tests are legal.
    assert_eq!(dependents(&graph, "cargo:ws/a"), ["cargo:ws/b"]);
}

#[test]
fn a_patch_reaches_those_that_use_the_name_however_far_away() {
    let lock = "version = 3\n[[package]]\nname='a'\nversion='1.0.0'\ndependencies=['mid']\n\
         [[package]]\nname='b'\nversion='1.0.0'\n[[package]]\nname='mid'\nversion='1.0.0'\nsource='r'\ndependencies=['p']\n\
         [[package]]\nname='p'\nversion='1.0.0'\n";
    let files = [
        (
            "Cargo.toml",
            "[workspace]\nmembers=['a','b']\n[patch.crates-io]\np={path='vendor/p'}",
        ),
        ("Cargo.lock", lock),
        (
            "a/Cargo.toml",
            "[package]\nname='a'\n[dependencies]\nmid='1'",
        ),
        ("b/Cargo.toml", "[package]\nname='b'"),
        ("vendor/p/Cargo.toml", "[package]\nname='p'"),
    ];
    assert_eq!(dependents(&read(&files), "cargo:vendor/p"), ["cargo:a"]);
    assert_eq!(
        dependents(
            &read(&[files[0], files[2], files[3], files[4]]),
            "cargo:vendor/p"
        ),
        ["cargo:a", "cargo:b"]
    );
}

#[test]
fn a_broken_members_manifest_is_trouble_and_a_broken_fixture_is_not() {
    let files = [
        ("Cargo.toml", "[workspace]\nmembers=['a']"),
        ("a/Cargo.toml", "[package"),
        ("a/tests/data/Cargo.toml", "nonsense"),
    ];
    let troubles: Vec<_> = read(&files)
        .troubles
        .into_iter()
        .map(|trouble| trouble.path)
        .collect();
    assert_eq!(troubles, ["a/Cargo.toml"]);
}

#[test]
fn a_member_of_two_workspaces_belongs_to_the_nearer() {
    let files = [
        ("Cargo.toml", "[workspace]\nmembers=['a/b', 'c']"),
        ("a/Cargo.toml", "[workspace]\nmembers=['b']"),
        ("a/b/Cargo.toml", LIB),
        ("c/Cargo.toml", LIB),
    ];
    let graph = read(&files);
    assert!(graph.get("cargo:a/b").unwrap().is_of("a"));
    assert!(!graph.get("cargo:a/b").unwrap().is_of(""));
    assert!(graph.get("cargo:c").unwrap().is_of(""));
}

#[test]
fn a_path_to_where_no_package_is_adds_none() {
    let files = [
        ("Cargo.toml", "[workspace]\nmembers=['a']"),
        (
            "a/Cargo.toml",
            "[package]\nname='a'\n[dependencies]\ngone={path='../gone'}\nb={path='../b'}",
        ),
        (
            "b/Cargo.toml",
            "[package]\nname='b'\n[dev-dependencies]\na={path='../a'}",
        ),
    ];
    assert_eq!(projects(&read(&files)), ["cargo:a", "cargo:b"]);
}
