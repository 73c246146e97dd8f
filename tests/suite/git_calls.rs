//! How many processes of git a command starts: what one part of it has asked of the repository or the remote, no other part asks again.
//!
//! `for-each-ref`, and `cat-file` beyond the first, are the state's: it is looked at before and after what this machine keeps is read, each time,
//! so that nothing is missed that another process moves from one to the other.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::workflow::Workflow;

/// A git before the real one, which keeps what it is asked.
const LOGGING: &str = "#!/bin/sh\necho \"$*\" >> \"$0.log\"\nPATH=${PATH#*:}\nexec git \"$@\"\n";

/// A pull request in which everything is looked at.
fn pull_request() -> Workflow {
    let mut workflow = Workflow::new("enforce: [plan, flakes, policy, budget]\n", &[]);
    workflow.play();
    let _ = workflow.run(&["state", "push"]).success();
    let _ = workflow.run(&["state", "pull"]).success();
    let git = workflow.maestro.path("out/git");
    workflow.maestro.file("out/git", LOGGING);
    fs::set_permissions(&git, fs::Permissions::from_mode(0o755)).unwrap();
    let path = std::env::var("PATH").unwrap();
    let folder = workflow.maestro.path("out");
    workflow.set("PATH", &format!("{}:{path}", folder.display()));
    workflow
}

/// Returns the names of the commands of git that were run since the last look, sorted, with how often.
fn calls(workflow: &Workflow) -> String {
    let log = workflow.maestro.path("out/git.log");
    let text = fs::read_to_string(&log).unwrap_or_default();
    let _none_yet = fs::remove_file(log);
    let mut names: Vec<&str> = text.lines().map(name).collect();
    names.sort_unstable();
    let groups = names.chunk_by(|one, other| one == other);
    let shown = groups.map(|group| match group {
        [name] => (*name).to_owned(),
        _ => format!("{} {}", group[0], group.len()),
    });
    shown.collect::<Vec<_>>().join(", ")
}

/// Returns the command of a line of arguments: settings of the call stand before it.
fn name(line: &str) -> &str {
    let mut words = line.split(' ');
    loop {
        match words.next() {
            Some("-c" | "-C") => {
                words.next();
            }
            Some(word) if word.starts_with("--") => {}
            word => return word.unwrap_or_default(),
        }
    }
}

/// Runs commands; returns a line for each, with what it started.
fn starts(workflow: &Workflow, lines: &[&str]) -> String {
    let mut told = String::new();
    for line in lines {
        let _before = calls(workflow);
        let args: Vec<&str> = line.split(' ').collect();
        let run = workflow.run(&args);
        // The built-in policy has something to say of a change without a title.
        assert!([0, 10].contains(&run.code), "{line}: {}", run.stderr);
        told += &format!("{line}: {}\n", calls(workflow));
    }
    told
}

/// A remote without a state branch is asked for the inbox alone, which is the second `fetch`.
#[test]
fn nothing_is_asked_twice() {
    let mut workflow = pull_request();
    let needs = workflow.needs.to_string();
    workflow.set("MAESTRO_NEEDS", &needs);
    let output = workflow.maestro.path("out/outputs");
    workflow.set("GITHUB_OUTPUT", output.to_str().unwrap());
    let report = "<testsuite name=\"s\"><testcase name=\"ok\"/></testsuite>";
    workflow.maestro.file("r.xml", report);
    let lines = [
        "plan",
        "gate",
        "check-policy",
        "pr-health",
        "flakes gate --junit r.xml",
        "state pull",
    ];
    assert_eq!(
        starts(&workflow, &lines),
        "\
plan: cat-file 2, diff-tree, for-each-ref 3, ls-remote, ls-tree, merge-base, rev-parse
gate: cat-file 5, config, diff-tree, for-each-ref 11, ls-remote, ls-tree, merge-base, rev-parse
check-policy: cat-file 2, diff-tree, for-each-ref 2, ls-remote, merge-base, rev-parse
pr-health: cat-file 5, config, diff-tree, for-each-ref 8, ls-remote, ls-tree, merge-base, rev-parse
flakes gate --junit r.xml: cat-file, ls-remote, rev-parse
state pull: config, fetch 2, for-each-ref 2, rev-parse
"
    );
}

/// On a person's machine no remote is asked, and git says which branch it is.
#[test]
fn a_persons_commands_ask_no_remote() {
    let mut workflow = pull_request();
    workflow.env.retain(|name, _| name == "PATH");
    let lines = ["plan", "check-policy", "pr-health"];
    assert_eq!(
        starts(&workflow, &lines),
        "\
plan: cat-file 2, diff-tree, for-each-ref 3, ls-tree, merge-base, rev-parse
check-policy: cat-file, diff-tree, merge-base, rev-parse 2
pr-health: cat-file 4, diff-tree, for-each-ref 6, ls-tree, merge-base, rev-parse
"
    );
}
