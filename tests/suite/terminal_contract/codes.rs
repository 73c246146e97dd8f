//! Each exit code of the table is answered by the binary, and by nothing but what the table says.

use std::collections::BTreeSet;
use std::fs;

use super::prepared;
use crate::harness::{Maestro, Run, package};

/// Forbids what the last commit adds.
const STRICT: &str = "schema: maestro.policy/v1\nrules:\n- {rule: protected-paths, id: sources, severity: block, reason: r, protect: [\"a/**\"]}\n";

/// A call for each code but those that need a scene of their own.
const ANSWERS: &[(i32, &[&str])] = &[
    (0, &["explain"]),
    (2, &["flakes", "reprt"]),
    (3, &["-C", "empty", "flakes", "report", "--require-input"]),
    (
        10,
        &[
            "check-policy",
            "--policy",
            "strict.yaml",
            "--base",
            "HEAD~1",
            "--enforce",
        ],
    ),
    (
        11,
        &[
            "budget",
            "reserve",
            "--provider",
            "openai",
            "--model",
            "gpt-5-mini",
            "--worst-usd",
            "11",
        ],
    ),
    (12, &["flakes", "gate", "--junit", "build"]),
    (13, &["run-agents", "show", "issue.md"]),
    (
        14,
        &[
            "provenance",
            "verify",
            "provenance",
            "--key",
            "signing.pem.pub",
            "--artifact",
            "prompt.txt",
        ],
    ),
    (15, &["prompts", "export", "planner", "--out", "p.yml"]),
    (16, &["-C", "empty", "prompts", "lint"]),
    (65, &["flakes", "ingest", "page.html"]),
    (66, &["explain", "nonsense"]),
    (69, &["--offline", "state", "pull"]),
    (74, &["observe", "export", "--prometheus", "."]),
    (
        77,
        &[
            "budget",
            "call",
            "--provider",
            "openai",
            "--model",
            "gpt-5-mini",
            "--prompt-file",
            "prompt.txt",
        ],
    ),
    (78, &["-C", "broken", "plan"]),
];

/// The codes of the published table.
fn table() -> BTreeSet<i32> {
    let text = fs::read_to_string(package().join("docs/reference/exit-codes.md")).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("| "));
    rows.filter_map(|row| row.split(' ').next()?.parse().ok())
        .collect()
}

/// Somebody else is at work on the run of agents.
fn locked(maestro: &Maestro) -> Run {
    let journal = maestro.path(".git/maestro/runs/mend/journal.ndjson");
    let file = fs::File::options().append(true).open(journal).unwrap();
    file.lock().unwrap();
    let mut command = maestro.command(["run-agents", "--resume", "mend"]);
    command.env("ANTHROPIC_API_KEY", "nobody-asks-with-it");
    Run::of(command)
}

#[test]
fn each_exit_code_is_answered() {
    let maestro = prepared();
    for folder in ["empty", "broken"] {
        maestro.git(&["init", "--quiet", folder]);
    }
    maestro
        .file("strict.yaml", STRICT)
        .file("broken/.maestro/maestro.yaml", "enforc: []\n")
        .file(
            "empty/prompts/x.yaml",
            "schema: maestro.prompt-file/v1\nname: x\n",
        );
    let mut answered = BTreeSet::new();
    for (code, call) in ANSWERS {
        let run = maestro.run(*call);
        assert_eq!(run.code, *code, "{call:?}\n{}\n{}", run.stdout, run.stderr);
        answered.insert(*code);
    }
    let _ = locked(&maestro).exits_with(75);
    // The scene of 1 is `a_fault_of_ours_is_exit_1_and_says_so`.
    answered.extend([1, 75]);
    assert_eq!(answered, table());
}

/// A system without a file to spare lets parts fail that never do: what then happens is ours to report.
#[cfg(target_os = "linux")]
#[test]
fn a_fault_of_ours_is_exit_1_and_says_so() {
    let maestro = Maestro::in_repo();
    let call = ["observe", "serve", "--listen", "127.0.0.1:0", "--for", "0s"];
    let runs = (4..12).map(|files| {
        let script = format!("ulimit -n {files}; exec \"$0\" \"$@\"");
        Run::of(maestro.shell(&script, &call))
    });
    let faults: Vec<Run> = runs.filter(|run| run.code == 1).collect();
    assert!(!faults.is_empty());
    for fault in faults {
        assert!(fault.stdout.is_empty());
        let _ = fault.says("error: ").says("hint: ").says("report it");
    }
}
