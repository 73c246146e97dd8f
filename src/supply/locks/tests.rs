//! Packages of lock files in every form.

use super::*;

/// A package a line: kind, name and version, where it comes from, whether it is held to a digest.
fn shown(path: &str, text: &str) -> Vec<String> {
    let packages = read(path, text.as_bytes()).unwrap().unwrap();
    let line = |one: &Component| {
        let pinned = if one.is_pinned == Some(true) {
            "pinned"
        } else {
            "loose"
        };
        format!(
            "{} {} {} {pinned}",
            one.package.kind,
            one.package.shown(),
            one.source.as_deref().unwrap_or("-")
        )
    };
    packages.iter().map(line).collect()
}

#[test]
fn lock_files_are_known_by_their_names() {
    let is_lock = crate::supply::is_lock;
    assert!(is_lock("a/b/Cargo.lock") && is_lock("yarn.lock"));
    assert!(!is_lock("a.lock") && !is_lock("Cargo.lock/x"));
    assert!(read("a.txt", b"").unwrap().is_none());
    assert!(read("Cargo.lock", b"<<<<<<<").is_err());
}

#[test]
fn cargo() {
    let index = "registry+https://github.com/rust-lang/crates.io-index";
    let text = format!(
        "version = 4\n[[package]]\nname = \"own\"\nversion = \"0.1.0\"\ndependencies = [\"a\", \"b\"]\n\
         [[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"{index}\"\nchecksum = \"x\"\n\
         [[package]]\nname = \"b\"\nversion = \"2.0.0\"\nsource = \"git+https://example.org/b#c0ffee\"\n"
    );
    assert_eq!(
        shown("Cargo.lock", &text),
        [
            format!("cargo a@1.0.0 {index} pinned"),
            "cargo b@2.0.0 git+https://example.org/b#c0ffee pinned".into()
        ]
    );
}

#[test]
fn npm() {
    let text = r#"{"packages": {"": {"name": "own"}, "p/a": {"name": "a"}, "node_modules/a": {"resolved": "p/a", "link": true},
        "node_modules/x": {"version": "1.0.0", "resolved": "https://r.example/x.tgz", "integrity": "sha512-x", "license": "MIT"},
        "node_modules/alias": {"name": "@s/real", "version": "2.0.0"},
        "node_modules/x/node_modules/y": {"version": "3.0.0", "resolved": "git+ssh://git@h/y.git#c0ffee"}}}"#;
    assert_eq!(
        shown("package-lock.json", text),
        [
            "npm @s/real@2.0.0 default loose",
            "npm x@1.0.0 https://r.example/x.tgz pinned",
            "npm y@3.0.0 git+ssh://git@h/y.git#c0ffee pinned",
        ]
    );
    let packages = read("package-lock.json", text.as_bytes()).unwrap().unwrap();
    assert_eq!(packages[1].judged_licences(), ["MIT"]);
}

#[test]
fn pnpm() {
    let nine = "lockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    dependencies:\n      '@s/x':\n        specifier: ^1\n        version: 1.0.0(y@2.0.0)\n\
        \npackages:\n\n  '@s/x@1.0.0':\n    resolution: {integrity: sha512-x}\n\n  y@2.0.0:\n    resolution: {tarball: https://r.example/y.tgz}\n\
        \nsnapshots:\n\n  '@s/x@1.0.0(y@2.0.0)':\n    dependencies:\n      y: 2.0.0\n\n  y@2.0.0: {}\n";
    assert_eq!(
        shown("pnpm-lock.yaml", nine),
        [
            "npm @s/x@1.0.0 default pinned",
            "npm y@2.0.0 https://r.example/y.tgz loose"
        ]
    );
    let five = "lockfileVersion: 5.4\n\ndependencies:\n  a: 1.0.0_b@2.0.0\n\npackages:\n\n  /a/1.0.0_b@2.0.0:\n    resolution: {integrity: sha512-x}\n";
    assert_eq!(
        shown("pnpm-lock.yaml", five),
        ["npm a@1.0.0 default pinned"]
    );
}

#[test]
fn bun() {
    let text = r#"{"lockfileVersion": 1, "workspaces": {"": {"name": "own"}}, "packages": {
        "own": ["own@workspace:own"], "x": ["x@1.0.0", "", {}, "sha512-x"], "@s/y": ["@s/y@2.0.0", "https://r.example/", {}, ""], "g": ["g@git+https://h/g#c0ffee", {}, "h-g-c0ffee"]}}"#;
    assert_eq!(
        shown("bun.lock", text),
        [
            "npm @s/y@2.0.0 https://r.example/ loose",
            "npm g@git+https://h/g#c0ffee git+https://h/g#c0ffee pinned",
            "npm x@1.0.0 default pinned"
        ]
    );
}

#[test]
fn yarn() {
    let one = "# yarn lockfile v1\n\n\"@s/x@^1.0.0\", \"@s/x@^1.1.0\":\n  version \"1.1.0\"\n  resolved \"https://registry.yarnpkg.com/x.tgz#c0ffee\"\n\
        \nalias@npm:real@^2:\n  version \"2.0.0\"\n  resolved \"https://r.example/real.tgz\"\n";
    assert_eq!(
        shown("yarn.lock", one),
        [
            "npm @s/x@1.1.0 https://registry.yarnpkg.com/x.tgz#c0ffee pinned",
            "npm real@2.0.0 https://r.example/real.tgz loose"
        ]
    );
    let berry = "__metadata:\n  version: 8\n\n\"own@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \"own@workspace:.\"\n\
        \n\"x@npm:^1.0.0\":\n  version: 1.2.0\n  resolution: \"x@npm:1.2.0\"\n  checksum: 10c0/abc\n";
    // The first line of a file is a comment.
    assert_eq!(
        shown("yarn.lock", &format!("# This file is generated\n\n{berry}")),
        ["npm x@1.2.0 default pinned"]
    );
}

#[test]
fn python() {
    let uv = "version = 1\n[[package]]\nname = \"own\"\nversion = \"0.1.0\"\nsource = { virtual = \".\" }\n\
        [[package]]\nname = \"a\"\nversion = \"1.0\"\nsource = { registry = \"https://pypi.org/simple\" }\nsdist = { url = \"u\", hash = \"sha256:x\" }\n\
        [[package]]\nname = \"b\"\nversion = \"2.0\"\nsource = { git = \"https://h/b?rev=main#c0ffee\" }\n";
    assert_eq!(
        shown("uv.lock", uv),
        [
            "pypi a@1.0 https://pypi.org/simple pinned",
            "pypi b@2.0 https://h/b?rev=main#c0ffee pinned"
        ]
    );
    let poetry = "[[package]]\nname = \"a\"\nversion = \"1.0\"\nfiles = [{file = \"f\", hash = \"sha256:x\"}]\n\
        [[package]]\nname = \"b\"\nversion = \"2.0\"\nfiles = []\n[package.source]\ntype = \"legacy\"\nurl = \"https://r.example/simple\"\n";
    assert_eq!(
        shown("poetry.lock", poetry),
        [
            "pypi a@1.0 default pinned",
            "pypi b@2.0 https://r.example/simple loose"
        ]
    );
    assert!(read("poetry.lock", b"x = 1").is_err());
}

#[test]
fn go_modules() {
    let text = "module m\n\ngo 1.22\n\nrequire example.org/a v1.0.0 // indirect\n\nrequire (\n\texample.org/b v0.2.0\n)\n\nreplace example.org/b => ../b\n";
    assert_eq!(
        shown("go.mod", text),
        [
            "golang example.org/a@v1.0.0 default pinned",
            "golang example.org/b@v0.2.0 default pinned"
        ]
    );
}
