//! Sixty broken policies and what stands beside them: each is refused with its place, and none passes.

use serde_json::Value;

use crate::harness::Maestro;

const ENTRY: &str = "{rule: title, id: a, severity: warn, reason: r, max_length: 9}";

/// What is wrong, the text, where it is (line and column, or the line alone), and what the message or hint names.
type Broken = (&'static str, String, &'static str, &'static str);

fn policy(rest: &str) -> String {
    format!("schema: maestro.policy/v1\n{rest}\n")
}

fn entry(text: &str) -> String {
    policy(&format!("rules:\n- {text}"))
}

fn around(key: &str) -> String {
    policy(&format!("{key}\nrules:\n- {ENTRY}"))
}

fn whole_files() -> Vec<Broken> {
    vec![
        ("empty", String::new(), "1:1", ""),
        ("only a comment", "# nothing\n".into(), "2:1", ""),
        ("null", "~\n".into(), "1:1", ""),
        ("a list", "- a\n".into(), "1:1", "a mapping of keys"),
        ("a text", "hello\n".into(), "1:1", "a mapping of keys"),
        (
            "no schema",
            format!("rules:\n- {ENTRY}\n"),
            "1:1",
            "begin the file with `schema: maestro.policy/v1`",
        ),
        (
            "another schema",
            format!("schema: maestro.config/v1\nrules:\n- {ENTRY}\n"),
            "1:9",
            "maestro.config/v1",
        ),
        (
            "a later schema",
            format!("schema: maestro.policy/v2\nrules:\n- {ENTRY}\n"),
            "1:9",
            "this version reads `maestro.policy/v1`",
        ),
        ("no rules", policy(""), "1:1", "without rules"),
        ("zero rules", policy("rules: []"), "1:1", "without rules"),
        ("null for rules", policy("rules:"), "1:1", "without rules"),
        (
            "rules as a mapping",
            policy("rules: {a: b}"),
            "2:8",
            "a list of entries",
        ),
    ]
}

fn hostile_files() -> Vec<Broken> {
    let deep = |open: &str, times: usize| open.repeat(times);
    let bomb: String = (1..=12)
        .map(|level| {
            let names = vec![format!("*l{}", level - 1); 10].join(", ");
            format!("l{level}: &l{level} [{names}]\n")
        })
        .collect();
    vec![
        (
            "a key with a typo",
            policy(&format!("ruels:\n- {ENTRY}")),
            "2:1",
            "did you mean `rules`?",
        ),
        (
            "an unknown key",
            around("enforce: true"),
            "2:1",
            "valid keys here: schema",
        ),
        (
            "a key twice",
            around(&format!("rules:\n- {ENTRY}")),
            "1:1",
            "stands twice",
        ),
        (
            "two documents",
            format!("{}---\n{}", entry(ENTRY), entry(ENTRY)),
            "1:1",
            "more than one document",
        ),
        (
            "broken quotes",
            entry("{rule: title, id: 'a, severity: warn}"),
            "4:1",
            "",
        ),
        ("a tab", policy("rules:\n\t- a"), "3", ""),
        ("cut off", entry("{rule: title, id: a, sever"), "4", ""),
        (
            "a bomb",
            format!("l0: &l0 x\n{bomb}{}", entry(ENTRY)),
            "",
            "repetition limit",
        ),
        (
            "100,000 brackets",
            format!("rules: {}", deep("[", 100_000)),
            "1:1",
            "more than 2000 brackets",
        ),
        (
            "60,000 braces",
            format!("rules: {}", deep("{a:", 60_000)),
            "1:1",
            "more than 2000 brackets",
        ),
        (
            "100,000 dashes",
            format!("rules:\n  {}a\n", deep("- ", 100_000)),
            "",
            "",
        ),
        (
            "200 deep",
            format!("rules:\n  {}a\n", "- ".repeat(200)),
            "",
            "",
        ),
        (
            "too large",
            format!("{}# {}", entry(ENTRY), "x".repeat(300_000)),
            "1:1",
            "more than 256 KiB",
        ),
    ]
}

fn entries() -> Vec<Broken> {
    let of = |rest: &str| entry(&format!("{{{rest}, id: a, severity: warn, reason: r}}"));
    vec![
        (
            "no rule",
            entry("{id: a, severity: warn, reason: r}"),
            "3:3",
            "add `rule:`",
        ),
        (
            "an unknown rule",
            of("rule: titel"),
            "3:10",
            "did you mean `title`?",
        ),
        (
            "a rule that is like no other",
            of("rule: zzz"),
            "3:10",
            "valid words here: actor",
        ),
        (
            "no id",
            entry("{rule: title, severity: warn, reason: r, max_length: 9}"),
            "3:3",
            "add `id:`",
        ),
        (
            "no severity",
            entry("{rule: title, id: a, reason: r, max_length: 9}"),
            "3:3",
            "add `severity:`",
        ),
        (
            "no reason",
            entry("{rule: title, id: a, severity: warn, max_length: 9}"),
            "3:3",
            "add `reason:`",
        ),
        (
            "an empty reason",
            entry("{rule: title, id: a, severity: warn, reason: ' ', max_length: 9}"),
            "3:48",
            "it says nothing",
        ),
        (
            "an unknown severity",
            entry("{rule: title, id: a, severity: error, reason: r, max_length: 9}"),
            "3:34",
            "valid words here: warn, review, block",
        ),
        (
            "an id with capitals",
            entry("{rule: title, id: Title, severity: warn, reason: r, max_length: 9}"),
            "3:21",
            "small letters",
        ),
        (
            "an id of maestro's own",
            entry(&ENTRY.replace("id: a", "id: maestro-files")),
            "1:1",
            "take another one",
        ),
        (
            "an id twice",
            policy(&format!("rules:\n- {ENTRY}\n- {ENTRY}")),
            "4:3",
            "stands twice",
        ),
    ]
}

fn numbers() -> Vec<Broken> {
    let of = |rest: &str| entry(&format!("{{{rest}, id: a, severity: warn, reason: r}}"));
    vec![
        (
            "a key of another rule",
            of("rule: title, max_length: 9, max_files: 3"),
            "3:32",
            "unknown key `max_files`",
        ),
        (
            "a key with a typo in an entry",
            of("rule: title, max_lenght: 9"),
            "3:17",
            "did you mean `max_length`?",
        ),
        (
            "a common key with a typo",
            entry("{rule: title, id: a, severity: warn, reason: r, max_length: 9, owners: x}"),
            "3:66",
            "did you mean `owner`?",
        ),
        (
            "a key of an entry twice",
            of("rule: title, max_length: 9, max_length: 8"),
            "",
            "stands twice",
        ),
        (
            "a text for a number",
            of("rule: title, max_length: nine"),
            "3:29",
            "invalid type",
        ),
        (
            "a number below zero",
            of("rule: title, max_length: -1"),
            "3:29",
            "invalid type",
        ),
        (
            "a broken expression",
            of("rule: title, pattern: '(a'"),
            "3:26",
            "no regular expression",
        ),
        (
            "an expression that grows too large",
            of("rule: title, pattern: '(a{1000}){1000}'"),
            "3:26",
            "no regular expression",
        ),
        (
            "nothing asked for",
            of("rule: title"),
            "3:3",
            "it asks for nothing",
        ),
        (
            "least above most",
            of("rule: title, min_length: 9, max_length: 3"),
            "3:3",
            "no title has both",
        ),
        ("no limit", of("rule: diff-size"), "3:3", "it has no limit"),
        (
            "a limit of zero",
            of("rule: diff-size, max_files: 0"),
            "3:3",
            "lets no change in",
        ),
    ]
}

fn globs_and_days() -> Vec<Broken> {
    let of = |rest: &str| entry(&format!("{{{rest}, id: a, severity: warn, reason: r}}"));
    vec![
        (
            "no glob",
            of("rule: protected-paths, protect: []"),
            "3:3",
            "names no path",
        ),
        (
            "a list that is a text",
            of("rule: protected-paths, protect: deploy"),
            "3:36",
            "expected a sequence",
        ),
        (
            "a broken glob",
            of("rule: protected-paths, protect: ['a[b']"),
            "3:37",
            "is no glob",
        ),
        (
            "a glob that takes out",
            of("rule: protected-paths, protect: ['a/**', '!a/b']"),
            "3:45",
            "write what is left out under `except`",
        ),
        (
            "an empty glob",
            of("rule: denied-paths, deny: ['']"),
            "3:31",
            "it names no file",
        ),
        (
            "a missing setting",
            of("rule: denied-paths, except: [a]"),
            "3:3",
            "add `deny:`",
        ),
        (
            "a day that is none",
            of("rule: path-form, expires: 2026-02-30"),
            "3:30",
            "is no day",
        ),
        (
            "a day in words",
            of("rule: path-form, expires: never"),
            "3:30",
            "write it as `2026-12-31`",
        ),
        (
            "a moment for a day",
            of("rule: path-form, expires: 2026-12-31T00:00:00Z"),
            "3:30",
            "is no day",
        ),
    ]
}

fn words_and_people() -> Vec<Broken> {
    let of = |rest: &str| entry(&format!("{{{rest}, id: a, severity: warn, reason: r}}"));
    vec![
        (
            "an amount in words",
            of("rule: budget, per_pull_request: ten"),
            "3:36",
            "is no amount",
        ),
        (
            "a share above a hundred",
            of("rule: budget, warn_at: 101"),
            "3:3",
            "no share from 1 to 100",
        ),
        (
            "an unknown word",
            of("rule: file-modes, links: maybe"),
            "3:29",
            "valid words here: allow, inside, deny",
        ),
        (
            "an unknown association",
            of("rule: actor, associations: [FRIEND]"),
            "3:32",
            "valid words here: OWNER",
        ),
        (
            "approvals of nobody",
            of("rule: human-approval, approvals: 0"),
            "3:3",
            "asks for nobody",
        ),
        (
            "more approvals than people",
            of("rule: human-approval, approvals: 2, from: [a]"),
            "3:3",
            "fewer accounts",
        ),
        (
            "changes of nobody",
            of("rule: path-form, applies_to: []"),
            "3:33",
            "it is about nobody",
        ),
        (
            "an unknown kind of people",
            of("rule: path-form, applies_to: robots"),
            "3:33",
            "valid words here: all, agents, forks",
        ),
        (
            "teams with a typo",
            of("rule: path-form, applies_to: {team: [a]}"),
            "3:34",
            "did you mean `teams`?",
        ),
        (
            "an entry that is a text",
            entry("title"),
            "3:3",
            "begins with `rule:`",
        ),
    ]
}

fn tops() -> Vec<Broken> {
    vec![
        (
            "a branch for a commit",
            around("extends: acme/p//p.yaml@main"),
            "2:10",
            "no whole id of a commit",
        ),
        (
            "a short commit",
            around("extends: acme/p//p.yaml@5f1c0de"),
            "2:10",
            "no whole id of a commit",
        ),
        (
            "a path that leads out",
            around(&format!("extends: acme/p//../p.yaml@{}", "a".repeat(40))),
            "2:10",
            "`.` or `..`",
        ),
        (
            "a baseline that leads out",
            around("baseline: ../b.json"),
            "2:11",
            "`.` or `..`",
        ),
        (
            "an absolute baseline",
            around("baseline: /etc/b.json"),
            "2:11",
            "begin at the top",
        ),
        (
            "locked that nobody has",
            around("locked: [b]"),
            "1:1",
            "no entry is called so",
        ),
        (
            "an unknown word for locked",
            around("locked: some"),
            "2:9",
            "valid words here: all",
        ),
    ]
}

fn ignores() -> Vec<Broken> {
    vec![
        (
            "an ignore without a reason",
            around("ignores:\n- {entry: a, path: x, owner: o, expires: 2026-12-31}"),
            "3:3",
            "add `reason:`",
        ),
        (
            "an ignore without an owner",
            around("ignores:\n- {entry: a, path: x, reason: r, expires: 2026-12-31}"),
            "3:3",
            "add `owner:`",
        ),
        (
            "an ignore without an end",
            around("ignores:\n- {entry: a, path: x, reason: r, owner: o}"),
            "3:3",
            "add `expires:`",
        ),
        (
            "an ignore with a bad day",
            around("ignores:\n- {entry: a, path: x, reason: r, owner: o, expires: soon}"),
            "3:53",
            "is no day",
        ),
        (
            "an ignore of nothing",
            around("ignores:\n- {entry: a, reason: r, owner: o, expires: 2026-12-31}"),
            "1:1",
            "either a `path` or a `package`",
        ),
        (
            "an ignore of no entry",
            around("ignores:\n- {entry: b, path: x, reason: r, owner: o, expires: 2026-12-31}"),
            "1:1",
            "no entry is called so",
        ),
        (
            "agents with a typo",
            around("agents: {author: [x]}"),
            "2:10",
            "did you mean `authors`?",
        ),
        (
            "teams that are a list",
            around("teams: [a]"),
            "2:8",
            "invalid type",
        ),
    ]
}

#[test]
fn broken_policies_are_refused_with_their_place_and_none_passes() {
    let all = [
        whole_files(),
        hostile_files(),
        entries(),
        numbers(),
        globs_and_days(),
        words_and_people(),
        tops(),
        ignores(),
    ]
    .concat();
    assert!(all.len() >= 60, "{}", all.len());
    let maestro = Maestro::in_repo();
    let mut wrong = Vec::new();
    for (name, text, place, words) in all {
        maestro.file("policy.yaml", &text);
        let args = [
            "check-policy",
            "--policy",
            "policy.yaml",
            "--base",
            "HEAD",
            "--log-format",
            "json",
        ];
        let run = maestro.run(args).exits_with(78);
        assert!(run.stdout.is_empty(), "{name}: {}", run.stdout);
        let line: Value = serde_json::from_str(run.stderr.lines().last().unwrap()).unwrap();
        let message = line["message"].as_str().unwrap();
        let said = run.stderr.replace("\\n", " ");
        if !message.contains(&format!("policy.yaml:{place}")) || !said.contains(words) {
            wrong.push(format!(
                "{name}: `{place}`, `{words}`: {message} {}",
                line["hints"]
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn bytes_that_are_no_text_are_refused_with_their_line() {
    let maestro = Maestro::in_repo();
    maestro.file(
        "policy.yaml",
        [entry(ENTRY).as_bytes(), b"# \xff\n"].concat(),
    );
    let args = ["check-policy", "--policy", "policy.yaml", "--base", "HEAD"];
    let _ = maestro.run(args).exits_with(78).says("policy.yaml:4:1");
    let _ = Maestro::in_repo().run(args).exits_with(66);
}
