//! Keys stay with maestro: git, which runs what a repository's configuration names, is started without them.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::harness::Maestro;

#[test]
fn git_is_started_without_keys_of_models() {
    let maestro = Maestro::in_repo();
    maestro.file("a", "x\n");
    maestro.commit("a");
    let real = std::env::split_paths(&std::env::var_os("PATH").unwrap())
        .map(|folder| folder.join("git"))
        .find(|file| file.is_file())
        .unwrap();
    let bin = maestro.path("bin");
    fs::create_dir(&bin).unwrap();
    let seen = maestro.path("seen");
    let script = format!(
        "#!/bin/sh\nenv >> '{}'\nexec '{}' \"$@\"\n",
        seen.display(),
        real.display()
    );
    fs::write(bin.join("git"), script).unwrap();
    fs::set_permissions(bin.join("git"), fs::Permissions::from_mode(0o755)).unwrap();
    let maestro = maestro
        .env("PATH", format!("{}:/usr/bin:/bin", bin.display()))
        .env("KEPT", "canary-kept")
        .env("ANTHROPIC_API_KEY", "canary-1")
        .env("OPENAI_API_KEY", "canary-2")
        .env("CLAUDE_CODE_OAUTH_TOKEN", "canary-3")
        .env("OTHER_API_KEY", "canary-4")
        .env("MAESTRO_SIGNING_KEY", "canary-5");
    let _ = maestro.run(["budget", "status", "--pr", "1"]).success();
    let _ = maestro.run(["plan", "--base", "HEAD"]);
    let seen = fs::read_to_string(seen).unwrap();
    assert!(seen.contains("KEPT=canary-kept"), "{seen}");
    for number in 1..=5 {
        let canary = format!("canary-{number}");
        let line = seen.lines().find(|line| line.contains(&canary));
        assert_eq!(line, None);
    }
}
