//! A run of agents that ended: a clone with commits of maestro's, and the bundle of it.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use sha2::Digest;

use crate::harness::Maestro;

/// Where the agents worked.
const CLONE: &str = "agents";

/// What a commit of the run says.
pub(crate) const MESSAGE: &str = "Say that a sum overflows\n\nMaestro-Run: r-1\nMaestro-Task: add-check\nMaestro-Role: implementer\nMaestro-Model: anthropic/claude-x\nMaestro-Cost: 0.25\n";

/// Returns the SHA-256 of bytes.
pub(crate) fn digest(bytes: &[u8]) -> String {
    let digest = sha2::Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The clone in which agents worked on a repository.
pub(crate) struct Agents<'m> {
    maestro: &'m Maestro,
}

impl<'m> Agents<'m> {
    /// Clones the repository.
    pub(crate) fn begin(maestro: &'m Maestro) -> Self {
        let _ = fs::remove_dir_all(maestro.path(CLONE));
        maestro.git(&["clone", "--quiet", "--template=", ".", CLONE]);
        Self { maestro }
    }

    fn folder(&self) -> PathBuf {
        self.maestro.path(CLONE)
    }

    /// Runs git as maestro does, with something on its standard input.
    pub(crate) fn feed(&self, args: &[&str], input: &[u8]) -> String {
        let mut command = Command::new("git");
        command
            .arg("-C")
            .arg(self.folder())
            .args(args)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null");
        for role in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{role}_NAME"), "maestro")
                .env(format!("GIT_{role}_EMAIL"), "maestro@localhost")
                .env(format!("GIT_{role}_DATE"), "2026-01-05T09:00:00Z");
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let done = child.wait_with_output().unwrap();
        let words = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "git {args:?}: {words}");
        String::from_utf8_lossy(&done.stdout).trim().to_owned()
    }

    pub(crate) fn git(&self, args: &[&str]) -> String {
        self.feed(args, b"")
    }

    /// Writes a file.
    pub(crate) fn file(&self, path: &str, content: &str) -> &Self {
        let path = self.folder().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    /// Commits what is there.
    pub(crate) fn commit(&self, message: &str) -> &Self {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
        self
    }

    /// Writes a commit of any bytes onto the branch: `TREE` and `PARENT` stand for those of its tip.
    pub(crate) fn raw_commit(&self, text: &[u8]) -> &Self {
        let (tree, parent) = (
            self.git(&["rev-parse", "HEAD^{tree}"]),
            self.git(&["rev-parse", "HEAD"]),
        );
        let text = replaced(
            &replaced(text, b"TREE", tree.as_bytes()),
            b"PARENT",
            parent.as_bytes(),
        );
        let args = [
            "hash-object",
            "-t",
            "commit",
            "-w",
            "--stdin",
            "--literally",
        ];
        let commit = self.feed(&args, &text);
        self.git(&["update-ref", "HEAD", &commit]);
        self
    }

    /// Commits a tree of any entries: mode, name and object of each.
    pub(crate) fn raw_tree(&self, entries: &[(&str, &str, &str)]) -> &Self {
        let mut bytes = Vec::new();
        for (mode, name, object) in entries {
            bytes.extend(format!("{mode} {name}\0").bytes());
            let digits = object.as_bytes().chunks(2);
            bytes.extend(
                digits.map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()),
            );
        }
        let args = ["hash-object", "-t", "tree", "-w", "--stdin", "--literally"];
        let tree = self.feed(&args, &bytes);
        let commit = self.feed(&["commit-tree", &tree, "-p", "HEAD"], MESSAGE.as_bytes());
        self.git(&["update-ref", "HEAD", &commit]);
        self
    }

    /// Leaves the bundle of what was done since the clone's origin; returns its index.
    pub(crate) fn bundle(&self) -> Value {
        self.bundle_of("refs/maestro/run", "origin/main", &[])
    }

    /// The same, of a ref of any name, with more of them beside it.
    pub(crate) fn bundle_of(&self, name: &str, base: &str, more: &[&str]) -> Value {
        let out = self.maestro.path("bundle");
        let _ = fs::remove_dir_all(&out);
        fs::create_dir_all(&out).unwrap();
        self.git(&["update-ref", name, "HEAD"]);
        let base_id = self.git(&["rev-parse", base]);
        let not = format!("^{base}");
        let pack = out.join("change.bundle");
        let mut args = vec!["bundle", "create", "--quiet", pack.to_str().unwrap(), name];
        args.extend(more);
        args.push(&not);
        self.git(&args);
        fs::write(out.join("blackboard.json"), "{}\n").unwrap();
        let index = json!({
            "schema": "maestro.agent-bundle/v1",
            "run": "r-1",
            "outcome": "complete",
            "issue": { "number": 7, "title": "Sum overflows", "author": "ada", "association": "OWNER" },
            "base": { "commit": base_id, "branch": "main" },
            "head": { "commit": self.git(&["rev-parse", "HEAD"]), "tree": self.git(&["rev-parse", "HEAD^{tree}"]) },
            "tasks": [
                { "id": "add-check", "role": "implementer", "title": "Check the sum", "state": "done", "attempts": 1, "models": ["anthropic/claude-x"], "cost_usd": "0.25" },
            ],
            "spent_usd": "0.25",
            "cap_usd": "10",
            "tests": { "ran": 12, "passed": 12, "failed": 0, "excused": [] },
            "pull_request": { "title": "Say that a sum overflows", "body": "It panicked, and now it says so.\n" },
            "unfinished": [],
            "files": {},
        });
        write_index(self.maestro, index)
    }
}

/// Writes the index of the bundle, with the digests of what lies there.
pub(crate) fn write_index(maestro: &Maestro, mut index: Value) -> Value {
    for name in ["change.bundle", "blackboard.json"] {
        let bytes = fs::read(maestro.path("bundle").join(name)).unwrap();
        index["files"][name] = digest(&bytes).into();
    }
    maestro.file("bundle/bundle.json", index.to_string());
    index
}

fn replaced(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.windows(from.len()).position(|part| part == from) {
        out.extend(&rest[..at]);
        out.extend(to);
        rest = &rest[at + from.len()..];
    }
    out.extend(rest);
    out
}

/// Takes the clone away.
pub(crate) fn end(maestro: &Maestro) {
    fs::remove_dir_all(maestro.path(CLONE)).unwrap();
}
