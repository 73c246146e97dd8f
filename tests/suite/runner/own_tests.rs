//! The runner itself: expressions by a table, and small workflows.

use serde_json::json;

use super::expressions::{Scope, Status, holds, interpolate};
use super::{Outcome, Runner};
use crate::harness::Maestro;

fn scope(is_success: bool) -> Scope {
    Scope {
        status: Some(Status {
            is_success,
            is_failure: !is_success,
            is_cancelled: false,
        }),
        ..Scope::default()
    }
    .with("github", json!({ "ref": "refs/heads/main", "event": { "pull_request": null, "labels": [{ "name": "a" }, { "name": "B" }] } }))
    .with("steps", json!({ "x": { "outputs": { "a-b": "1" } } }))
    .with("matrix", json!({ "os": "linux", "n": 18, "on": true }))
}

/// Expressions with their values; GitHub's own evaluator gives the same.
#[test]
fn expressions_are_what_github_makes_of_them() {
    let cases = [
        ("1 == 1.0", json!(true)),
        ("0x10", json!(16)),
        ("-2.5e1", json!(-25)),
        ("'it''s'", json!("it's")),
        ("'ABC' == 'abc'", json!(true)),
        ("'1' == 1", json!(true)),
        ("'' == 0", json!(true)),
        ("null == 0", json!(true)),
        ("null == ''", json!(true)),
        ("'a' == 0", json!(false)),
        ("'a' != 0", json!(true)),
        ("'a' < 0 || 'a' >= 0", json!(false)),
        ("true == 1", json!(true)),
        ("'b' > 'A'", json!(true)),
        ("1 < 2 == true", json!(true)),
        ("!'' && 'x'", json!("x")),
        ("'' || 'y'", json!("y")),
        ("false || false == false && 'z'", json!("z")),
        ("matrix.n", json!(18)),
        ("matrix['OS']", json!("linux")),
        ("MATRIX.Os", json!("linux")),
        ("steps.x.outputs.a-b", json!("1")),
        ("steps.none.outputs.a", json!(null)),
        ("github.event.labels[1].name", json!("B")),
        ("github.event.labels[9].name", json!(null)),
        ("github.event.labels.*.name", json!(["a", "B"])),
        ("contains(github.event.labels.*.name, 'b')", json!(true)),
        ("contains('Hello', 'LL')", json!(true)),
        ("contains(fromJSON('[1, 2]'), '2')", json!(true)),
        ("contains(fromJSON('[\"rust\"]'), 'rus')", json!(false)),
        ("startsWith(github.ref, 'REFS/heads/')", json!(true)),
        ("endsWith(github.ref, 'main')", json!(true)),
        ("format('{0}-{1}{0} {{}}', 'a', 2)", json!("a-2a {}")),
        ("join(github.event.labels.*.name, '+')", json!("a+B")),
        ("join('x', '+')", json!("x")),
        (
            "toJSON(fromJSON('{\"a\":[1]}'))",
            json!("{\n  \"a\": [\n    1\n  ]\n}"),
        ),
        ("fromJSON('{\"a\":[1,{\"b\":2}]}').a[1].b", json!(2)),
        ("github.event.pull_request && 'pr' || 'none'", json!("none")),
        ("(true && 0) == false", json!(true)),
        ("github.event == github.event", json!(false)),
    ];
    for (text, expected) in cases {
        let found = interpolate(&format!("${{{{ {text} }}}}"), &scope(true));
        assert_eq!(found, Ok(expected), "{text}");
    }
    let mixed = interpolate("a ${{ matrix.n }}/${{ null }}${{ '}}' }}", &scope(true));
    assert_eq!(mixed, Ok(json!("a 18/}}")));
    assert!(interpolate("${{ fromJSON('') }}", &scope(true)).is_err());
}

#[test]
fn a_condition_asks_for_success_unless_it_asks_for_a_status() {
    let check = |condition: &str, after_success: bool, after_failure: bool| {
        let value = json!(condition);
        let asked = [true, false].map(|is_success| holds(Some(&value), &scope(is_success)));
        assert_eq!(asked, [Ok(after_success), Ok(after_failure)], "{condition}");
    };
    check("true", true, false);
    check("matrix.os == 'linux'", true, false);
    check("${{ matrix.os == 'mac' }}", false, false);
    check("always()", true, true);
    check("!cancelled()", true, true);
    check("failure()", false, true);
    check("always() && matrix.os == 'linux'", true, true);
    check("success() || matrix.os == 'linux'", true, true);
    assert_eq!(holds(None, &scope(false)), Ok(false));
}

#[test]
#[should_panic(expected = "always true")]
fn a_condition_that_is_a_text_is_refused() {
    let _ = holds(Some(&json!("${{ false }} == true")), &scope(true));
}

#[test]
#[should_panic(expected = "there is no `needs` in this place")]
fn a_context_that_is_not_there_is_refused() {
    let _ = interpolate("${{ needs.a }}", &scope(true));
}

/// Runs a workflow on a push to `main`.
fn pushed(workflow: &str) -> Outcome {
    let maestro = Maestro::in_repo();
    let mut runner = Runner::new(&maestro.path(""));
    runner.push("main");
    runner.run(&format!("on: push\n{workflow}"))
}

#[test]
fn steps_talk_through_their_files() {
    let outcome = pushed(
        r#"
env: { A: workflow, B: workflow }
jobs:
  one:
    runs-on: ubuntu-latest
    env: { B: job }
    outputs: { whole: "${{ steps.write.outputs.lines }}", lost: "${{ steps.write.outputs.secret }}" }
    steps:
      - id: write
        env: { C: "${{ env.B }}-step" }
        run: |
          [ "$A $B $C" = "workflow job job-step" ]
          echo "::add-mask::hush"
          echo "they say hush"
          printf 'lines<<E\na=b\n\nc\nE\nsecret=hush!\n' >> "$GITHUB_OUTPUT"
          echo "D=later" >> "$GITHUB_ENV"
          mkdir "$RUNNER_TEMP/bin"
          printf '#!/bin/sh\necho from the path\n' > "$RUNNER_TEMP/bin/tool"
          chmod +x "$RUNNER_TEMP/bin/tool"
          echo "$RUNNER_TEMP/bin" >> "$GITHUB_PATH"
          echo "Summary" >> "$GITHUB_STEP_SUMMARY"
          echo "::warning file=a.txt,line=1::look%0Athere"
      - run: |
          echo "$D"
          tool
      - { shell: bash, run: "false | true; echo not reached" }
      - run: echo skipped
      - { if: failure(), run: echo after }
"#,
    );
    let job = outcome.job("one");
    assert_eq!(job.result, "failure");
    assert_eq!(job.outputs.len(), 1, "{:?}", job.outputs);
    assert_eq!(job.outputs["whole"], "a=b\n\nc");
    assert_eq!(job.summary, "Summary\n");
    assert_eq!(job.annotations[0], ("warning".into(), "look\nthere".into()));
    let outcomes: Vec<&str> = job.steps.iter().map(|step| step.outcome).collect();
    assert_eq!(
        outcomes,
        ["success", "success", "failure", "skipped", "success"]
    );
    job.says("they say ***")
        .says("later")
        .says("from the path")
        .says("after");
    assert!(!job.log.contains("hush") && !job.log.contains("\nnot reached"));
}

#[test]
fn results_go_from_job_to_job_as_at_github() {
    let outcome = pushed(
        r#"
jobs:
  last: { needs: [bad, chain], if: always(), runs-on: a, steps: [{ run: 'echo "$N"', env: { N: "${{ needs.bad.result }} ${{ needs.chain.result }}" } }] }
  bad: { runs-on: a, steps: [{ run: exit 3 }, { if: "cancelled()", run: echo never }] }
  chain: { needs: bad, runs-on: a, steps: [{ run: "true" }] }
  far: { needs: chain, if: failure(), runs-on: a, steps: [{ run: "true" }] }
  after: { needs: last, runs-on: a, steps: [{ run: "true" }] }
  soft: { runs-on: a, continue-on-error: true, steps: [{ run: exit 1 }] }
  on_soft: { needs: soft, runs-on: a, steps: [{ run: exit 1, continue-on-error: true, id: x }, { run: 'test "$X" = failure-success', env: { X: "${{ steps.x.outcome }}-${{ steps.x.conclusion }}" } }] }
"#,
    );
    outcome.job("last").says("failure skipped");
    outcome.ends(&[
        ("bad", "failure"),
        ("chain", "skipped"),
        ("last", "success"),
        ("far", "success"),
        // Something that it needs by way of another job failed.
        ("after", "skipped"),
        ("soft", "success"),
        ("on_soft", "success"),
    ]);
}

#[test]
fn a_matrix_comes_from_json_too() {
    let outcome = pushed(
        r#"
jobs:
  plan:
    runs-on: a
    outputs: { m: "${{ steps.p.outputs.m }}" }
    steps: [{ id: p, run: "echo 'm={\"include\":[{\"job\":\"a\",\"n\":1},{\"job\":\"b\"}]}' >> $GITHUB_OUTPUT" }]
  made:
    needs: plan
    name: made ${{ matrix.job }}
    strategy: { fail-fast: false, matrix: "${{ fromJSON(needs.plan.outputs.m) }}" }
    runs-on: "${{ matrix.n && 'big' || 'small' }}"
    steps: [{ run: 'test "$J" = a', env: { J: "${{ matrix.job }}" } }]
  axes:
    strategy:
      matrix:
        os: [x, y]
        n: [1, 2]
        exclude: [{ os: x, n: 2 }]
        include: [{ os: y, n: 2, more: here }, { os: z }]
    runs-on: a
    steps: [{ run: "true" }]
  none: { needs: plan, strategy: { matrix: { include: "${{ fromJSON('[]') }}" } }, runs-on: a, steps: [{ run: "true" }] }
"#,
    );
    outcome.ends(&[
        ("plan", "success"),
        ("made a", "success"),
        ("made b", "failure"),
        ("axes (x, 1)", "success"),
        ("axes (y, 1)", "success"),
        ("axes (y, 2, here)", "success"),
        ("axes (z)", "success"),
        ("none", "failure"),
    ]);
    assert_eq!(outcome.job("made a").runs_on, "big");
    outcome.job("none").says("does not contain any values");
}

#[test]
fn a_cancelled_run_does_only_what_asks_for_it() {
    let maestro = Maestro::in_repo();
    let mut runner = Runner::new(&maestro.path("")).cancelled_at("b");
    runner.push("main");
    let outcome = runner.run(
        r#"
on: push
jobs:
  a: { runs-on: a, steps: [{ run: "true" }] }
  b: { needs: a, runs-on: a, steps: [{ run: "true" }, { if: always(), run: echo tidy }] }
  c: { needs: b, runs-on: a, steps: [{ run: "true" }] }
  d: { needs: b, if: always(), runs-on: a, steps: [{ if: always(), run: 'echo "$R"', env: { R: "${{ needs.b.result }}" } }] }
"#,
    );
    let results: Vec<&str> = outcome.jobs.iter().map(|job| job.result.as_str()).collect();
    assert_eq!(results, ["success", "cancelled", "skipped", "cancelled"]);
    outcome.job("b").says("tidy");
    outcome.job("d").says("cancelled");
}

/// A repository with a branch `topic` that has one commit more than `main`.
fn two_branches() -> Maestro {
    let maestro = Maestro::in_repo();
    maestro.git(&["switch", "--quiet", "--create", "topic"]);
    maestro.file("topic.txt", "t");
    maestro.commit("Topic");
    maestro.git(&["switch", "--quiet", "main"]);
    maestro.file("main.txt", "m");
    maestro.commit("Main");
    maestro
}

#[test]
fn a_checkout_has_what_it_was_asked_for() {
    let maestro = two_branches();
    let mut runner = Runner::new(&maestro.path(""));
    runner.pull_request(7, "topic", "main");
    let outcome = runner.run(
        r#"
on: pull_request
permissions: { contents: read }
jobs:
  shallow:
    runs-on: a
    steps:
      - { uses: actions/checkout@v5, with: { persist-credentials: false } }
      - run: |
          test -f topic.txt && test -f main.txt
          test "$(git rev-parse HEAD)" = "$GITHUB_SHA"
          test "$(git rev-list --count HEAD)" = 1
          test -z "$(git config --get-regexp extraheader || true)"
  whole:
    runs-on: a
    steps:
      - { uses: actions/checkout@v5, with: { fetch-depth: 0 } }
      - run: |
          test "$(git rev-list --count HEAD)" = 4
          git rev-parse origin/main origin/topic
          git config --get-regexp extraheader
  head:
    runs-on: a
    steps:
      - { uses: actions/checkout@v5, with: { ref: "${{ github.event.pull_request.head.sha }}", path: sub } }
      - { working-directory: sub, run: "test -f topic.txt && test ! -f main.txt" }
"#,
    );
    outcome.green();
    let kept: Vec<bool> = outcome
        .jobs
        .iter()
        .map(|job| job.keeps_credentials)
        .collect();
    assert_eq!(kept, [false, true, true]);
}

#[test]
fn a_token_may_do_what_permissions_say() {
    let push = "git push --quiet origin HEAD:refs/heads/new-$GITHUB_RUN_ID";
    let workflow = format!(
        r#"
on: [push, pull_request]
permissions: {{}}
jobs:
  none: {{ runs-on: a, steps: [{{ uses: actions/checkout@v5 }}] }}
  reads: {{ permissions: {{ contents: read }}, runs-on: a, steps: [{{ uses: actions/checkout@v5 }}, {{ run: "{push}" }}] }}
  hides: {{ permissions: {{ contents: write }}, runs-on: a, steps: [{{ uses: actions/checkout@v5, with: {{ persist-credentials: false }} }}, {{ run: "{push}" }}] }}
  writes: {{ permissions: {{ contents: write }}, runs-on: a, steps: [{{ uses: actions/checkout@v5 }}, {{ run: "{push}" }}] }}
"#
    );
    let maestro = two_branches();
    let mut runner = Runner::new(&maestro.path("")).secret("S", "secret value");
    runner.push("main");
    let outcome = runner.run(&workflow);
    outcome.ends(&[
        ("none", "failure"),
        ("reads", "failure"),
        ("hides", "failure"),
        ("writes", "success"),
    ]);
    outcome.job("reads").says("Permission to o/n.git denied");
    outcome.job("hides").says("could not read Username");
    runner.pull_request_of_fork(7, "topic", "main");
    let fork = runner.run(&workflow);
    fork.job("writes").says("Permission to o/n.git denied");
    let jobs = format!("/actions/runs/{}/attempts/1/jobs", fork.run);
    let store = runner.github.store();
    let conclusions = store.lists[&jobs]
        .iter()
        .map(|job| job["conclusion"].clone());
    assert_eq!(conclusions.collect::<Vec<_>>(), ["failure"; 4]);
    assert_eq!(store.tokens.len(), 1, "tokens of jobs that ended");
}

#[test]
fn the_api_refuses_what_a_token_may_not() {
    let ask = |method: &str, path: &str| {
        format!(
            r#"curl --silent --output /dev/null --write-out '%{{http_code}}\n' -X {method} -H "authorization: Bearer $T" "$GITHUB_API_URL/repos/o/n{path}" -d '{{"body":"x"}}' >> "$RUNNER_TEMP/seen""#
        )
    };
    let lines = [
        ask("GET", "/pulls"),
        ask("GET", "/actions/artifacts"),
        ask("POST", "/issues/7/comments"),
        "cat \"$RUNNER_TEMP/seen\"".to_owned(),
    ];
    let script = lines.join("\n          ");
    let outcome = pushed(&format!(
        "
jobs:
  reads:
    permissions: {{ pull-requests: read }}
    runs-on: a
    steps:
      - env: {{ T: \"${{{{ github.token }}}}\" }}
        run: |
          {script}
  writes:
    permissions: {{ pull-requests: write, actions: read }}
    runs-on: a
    steps:
      - env: {{ T: \"${{{{ secrets.GITHUB_TOKEN }}}}\" }}
        run: |
          {script}
"
    ));
    outcome.green();
    outcome.job("reads").says("200\n403\n403\n");
    outcome.job("writes").says("200\n200\n201\n");
}

#[test]
fn a_composite_action_has_inputs_outputs_and_a_path() {
    let maestro = Maestro::in_repo();
    maestro
        .file(
            "act/action.yml",
            r#"
name: Greet
description: Greets.
inputs:
  who: { description: Whom., default: "${{ github.repository }}" }
  how: { description: How., required: true }
outputs: { said: { description: It., value: "${{ steps.say.outputs.said }}" } }
runs:
  using: composite
  steps:
    - { id: say, shell: bash, env: { WHO: "${{ inputs.who }}", HOW: "${{ inputs.how }}" }, run: '"$GITHUB_ACTION_PATH/say.sh"' }
    - { if: inputs.how == 'never', shell: bash, run: exit 1 }
"#,
        )
        .file("act/say.sh", "#!/bin/sh\necho \"said=$HOW $WHO\" >> \"$GITHUB_OUTPUT\"\n");
    maestro.git(&["add", "--all"]);
    maestro.git(&["update-index", "--chmod=+x", "act/say.sh"]);
    maestro.git(&["commit", "--quiet", "--message", "Act"]);
    let mut runner = Runner::new(&maestro.path(""));
    runner.push("main");
    let outcome = runner.run(
        r#"
on: { push: { branches: [ma*] } }
jobs:
  a:
    runs-on: a
    steps:
      - uses: actions/checkout@v5
      - { uses: ./act, id: g, with: { how: Hello } }
      - { run: 'test "$SAID" = "Hello o/n"', env: { SAID: "${{ steps.g.outputs.said }}" } }
      - { uses: ./act, with: { how: never } }
"#,
    );
    outcome.ends(&[("a", "failure")]);
    assert_eq!(outcome.job("a").step("g").outputs["said"], "Hello o/n");
}

#[test]
fn artifacts_are_files_and_archives() {
    let outcome = pushed(
        r#"
jobs:
  up:
    runs-on: a
    steps:
      - run: mkdir -p d/e; echo 1 > d/a.txt; echo 2 > d/e/b.txt; echo 3 > d/.hidden
      - { uses: actions/upload-artifact@v4, with: { name: all, path: d } }
      - { uses: actions/upload-artifact@v4, with: { name: one, path: d/e/b.txt } }
      - { uses: actions/upload-artifact@v4, with: { name: glob, path: "d/**/*.txt" } }
      - { uses: actions/upload-artifact@v4, with: { name: none, path: nothing, if-no-files-found: error }, continue-on-error: true }
      - { uses: actions/upload-artifact@v4, with: { name: one, path: d } }
  down:
    needs: up
    if: always()
    runs-on: a
    steps:
      - { uses: actions/download-artifact@v4, with: { name: one, path: x } }
      - { uses: actions/download-artifact@v4, with: { pattern: "*l*" } }
      - run: test -f x/b.txt && test -f all/e/b.txt && test -f glob/a.txt && test ! -f all/.hidden
"#,
    );
    outcome.ends(&[("up", "failure"), ("down", "success")]);
    let names: Vec<&String> = outcome.artifacts.keys().collect();
    assert_eq!(names, ["all", "glob", "one"]);
    outcome.job("up").says("409");
}

#[test]
#[should_panic(expected = "knows no action `acme/other@v1`")]
fn an_unknown_action_is_no_green() {
    let _ = pushed("jobs: { a: { runs-on: a, steps: [{ uses: acme/other@v1 }] } }");
}

#[test]
#[should_panic(expected = "knows no `services` in job `a`")]
fn an_unknown_key_is_no_green() {
    let _ = pushed("jobs: { a: { runs-on: a, services: {}, steps: [{ run: \"true\" }] } }");
}
