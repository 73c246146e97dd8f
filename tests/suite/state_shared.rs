//! `maestro state push`, `pull`, `fold` and `sync` against real remotes: what is shared arrives once, whatever goes wrong.

use std::fs;

use serde_json::Value;

use crate::harness::{Team, doorkeeper, files_below};

const EVERY: [&str; 4] = ["push", "pull", "fold", "sync"];
const SEGMENT: &str = ".maestro/events/test_run/2026-01.ndjson";
const NEWER: &str = "{\"schema\":\"maestro.event/v2\",\"kind\":\"test_run\"}\n";

/// Every command fails in the clone `a`, for a reason that it names.
#[track_caller]
fn all_fail(team: &Team, code: i32, phrases: &str) {
    for command in EVERY {
        team.fails(&format!("a {command}"), code, phrases);
    }
}

#[test]
fn what_two_machines_push_and_a_third_folds_a_fourth_reads() {
    let team = Team::new(&["b", "c", "d"]);
    team.publish("a", "1");
    team.publish("b", "2");
    team.prints("c fold", "Folded: 4 events");
    team.prints("d pull", "`maestro-state` is at");
    assert_eq!(team.reported("d"), 2);
    team.folds_to(&["1", "2"]);
}

#[test]
fn what_waits_counts_before_anybody_folds() {
    let team = Team::new(&["b"]);
    team.publish("a", "1");
    team.prints("b pull", "there is no `maestro-state` yet");
    team.prints("b pull", "1 commit to be folded");
    assert_eq!(team.reported("a"), 1);
    assert_eq!(team.reported("b"), 1);
}

#[test]
fn a_push_says_what_it_publishes() {
    let team = Team::new(&[]);
    team.store("a", "1");
    team.prints("a push --dry-run", "Would publish 2 events");
    team.prints("a push", "Published 2 events to origin");
}

#[test]
fn pushing_again_has_nothing_to_publish() {
    let team = Team::new(&[]);
    team.publish("a", "1");
    let refs = team.refs();
    team.prints("a push", "Nothing to publish");
    let said = team.json("a push");
    assert_eq!((&said["events"], &said["attempts"]), (&0.into(), &0.into()));
    assert_eq!((&said["refs"], team.refs()), (&serde_json::json!([]), refs));
}

#[test]
fn a_remote_that_nobody_has_pushed_to_is_no_trouble() {
    let team = Team::new(&[]);
    let refs = team.refs();
    for command in ["pull", "fold", "sync"] {
        team.ok(&format!("a {command}"));
    }
    assert_eq!(team.refs(), refs);
}

#[test]
fn an_inbox_that_was_emptied_by_hand_is_seen_as_empty() {
    let team = Team::new(&[]);
    team.publish("a", "1");
    assert_eq!(team.json("a pull")["waiting"], 1);
    team.git("r.git", &format!("update-ref -d {}", team.inbox()[0]));
    assert_eq!(team.json("a pull")["waiting"], 0);
}

#[test]
fn pushes_before_a_fold_share_one_ref() {
    let team = Team::new(&[]);
    for run in ["1", "2", "3"] {
        team.publish("a", run);
    }
    assert_eq!(team.inbox().len(), 1);
    team.folds_to(&["1", "2", "3"]);
}

#[cfg(unix)]
#[test]
fn every_kind_of_clone_works_and_stays_as_it_was() {
    let team = Team::new(&[]);
    team.git("r.git", "tag v0 main");
    team.set("r.git", "uploadpack.allowFilter", "true");
    team.commit("a");
    team.git("a", "push --quiet origin main");
    let url = format!("file://{}", team.path("r.git").display());
    let kinds = [
        ("blobless", "clone --quiet --filter=blob:none URL blobless"),
        ("detached", "clone --quiet --branch=v0 r.git detached"),
        ("linked", "-C a worktree add --quiet ../linked"),
        ("shallow", "clone --quiet --depth=1 URL shallow"),
    ];
    for (kind, args) in kinds {
        team.git(".", &args.replace("URL", &url));
        let before = team.repository(kind);
        team.store(kind, kind);
        for command in ["push", "pull", "fold"] {
            team.ok(&format!("{kind} {command}"));
            assert!(team.repository(kind) == before, "{command} in {kind}");
        }
        assert!(team.reported(kind).as_u64() > Some(0), "{kind}");
    }
    team.folds_to(&kinds.map(|(kind, _)| kind));
}

#[test]
fn a_bare_repository_can_fold() {
    let team = Team::new(&[]);
    team.publish("a", "1");
    team.git(".", "clone --quiet --bare r.git bare");
    let before = team.repository("bare");
    assert_eq!(team.json("bare fold")["remote"]["refs"], 1);
    assert_eq!(team.reported("bare"), 1);
    assert!(team.repository("bare") == before);
    team.folds_to(&["1"]);
}

#[cfg(unix)]
#[test]
fn a_hook_that_refuses_everything_is_heard_and_costs_nothing() {
    let team = Team::new(&[]);
    team.store("a", "1");
    let hook = team.script("r.git/hooks/pre-receive", "echo not on Sundays >&2; exit 1");
    let refs = team.refs();
    team.fails("a push --deadline 1", 77, "not on Sundays|nothing is lost");
    assert_eq!((team.refs(), team.outbox("a").len()), (refs, 1));
    fs::remove_file(hook).unwrap();
    team.ok("a push");
    team.folds_to(&["1"]);
}

#[cfg(unix)]
#[test]
fn a_protected_branch_ends_a_fold_at_its_first_try() {
    let team = Team::new(&[]);
    let hook = team.script(
        "r.git/hooks/pre-receive",
        "read old new ref; case $ref in refs/heads/*) echo x >> asked
        echo 'error: GH006: Protected branch update failed for refs/heads/x.' >&2; exit 1 ;; esac",
    );
    team.publish("a", "1");
    let refs = team.refs();
    team.fails("a fold", 77, "GH006: Protected|contents: write");
    team.fails("a sync", 77, "GH006: Protected|contents: write");
    assert_eq!(team.refs(), refs);
    assert_eq!(team.read("r.git/asked"), "x\nx\n");
    fs::remove_file(hook).unwrap();
    team.folds_to(&["1"]);
}

#[cfg(unix)]
#[test]
fn a_remote_that_wants_signatures_gets_them_once_git_signs() {
    let team = Team::new(&[]);
    team.store("a", "1");
    team.script(
        "r.git/hooks/pre-receive",
        "read old new ref; case $new in *[!0]*) git cat-file commit $new | grep -q ^gpgsig ||
        { echo 'error: GH013: Commits must have verified signatures.' >&2; exit 1; } ;; esac",
    );
    team.fails(
        "a push",
        77,
        "verified signatures|`commit.gpgsign` and a key",
    );
    let signer = team.script(
        "gpg",
        "cat > /dev/null; echo '[GNUPG:] SIG_CREATED ' >&2
        printf -- '-----BEGIN PGP SIGNATURE-----\\n\\nx\\n-----END PGP SIGNATURE-----\\n'",
    );
    team.set("a", "gpg.program", signer.to_str().unwrap());
    team.set("a", "commit.gpgsign", "true");
    team.ok("a push");
    team.folds_to(&["1"]);
}

#[cfg(unix)]
#[test]
fn a_remote_that_is_busy_twice_is_asked_a_third_time() {
    let team = Team::new(&[]);
    team.store("a", "1");
    team.script(
        "r.git/hooks/pre-receive",
        "echo x >> asked; test $(wc -l < asked) -gt 2 || { echo busy >&2; exit 1; }",
    );
    assert_eq!(team.json("a push")["attempts"], 3);
    team.folds_to(&["1"]);
}

#[cfg(unix)]
#[test]
fn what_cannot_be_deleted_from_the_inbox_is_folded_once_all_the_same() {
    let team = Team::new(&[]);
    team.publish("a", "1");
    let hook = team.script(
        "r.git/hooks/pre-receive",
        "read old new ref; case $new in *[!0]*) ;; *) echo deleting is denied >&2; exit 1 ;; esac",
    );
    for _ in 0..2 {
        team.fails("a fold", 77, "deleting is denied");
        team.holds("r.git", "maestro-state", &["1"]);
    }
    fs::remove_file(hook).unwrap();
    team.folds_to(&["1"]);
}

#[cfg(unix)]
#[test]
fn a_ref_that_another_fold_deletes_does_not_count_as_kept() {
    let team = Team::new(&[]);
    team.publish("a", "1");
    team.script(
        "r.git/hooks/post-receive",
        "read old new ref; case $ref in refs/heads/*)
        git for-each-ref --format='delete %(refname)' refs/maestro | git update-ref --stdin ;; esac",
    );
    assert_eq!(team.json("a fold")["remote"]["kept_refs"], 0);
    team.folds_to(&["1"]);
}

#[test]
fn without_its_remote_a_command_names_the_way_out() {
    let team = Team::new(&[]);
    team.store("a", "1");
    team.git("a", "remote remove origin");
    for command in EVERY {
        let line = format!("a {command} --remote nobody");
        team.fails(&line, 66, "no remote `nobody`|git remote add");
    }
    for line in ["a push", "a pull", "a sync"] {
        team.fails(line, 66, "no remote `origin`|state fold --local");
    }
    // What is folded meanwhile is published once there is a remote.
    assert_eq!(team.json("a fold")["remote"], Value::Null);
    team.git("a", "remote add origin ../r.git");
    team.ok("a push");
    team.folds_to(&["1"]);
    let left = files_below(&team.path("a/.git/maestro/segments"));
    assert_eq!((left.len(), team.reported("a")), (0, 1.into()));
}

#[test]
fn a_remote_without_a_repository_or_an_answer_says_so_and_costs_nothing() {
    let team = Team::new(&[]);
    team.store("a", "1");
    fs::create_dir(team.path("empty")).unwrap();
    for address in ["../empty", "../missing"] {
        team.set("a", "remote.origin.url", address);
        all_fail(&team, 66, "is no repository|git remote -v");
    }
    team.set("a", "remote.origin.url", "http://127.0.0.1:9/x.git");
    team.fails("a sync", 69, "does not answer|stored here is kept");
    team.set("a", "remote.origin.url", "../r.git");
    team.ok("a push");
    team.folds_to(&["1"]);
}

#[test]
fn offline_asks_nobody() {
    let team = Team::new(&[]);
    team.store("a", "1");
    let (refs, team) = (team.refs(), team.env("MAESTRO_OFFLINE", "1"));
    all_fail(&team, 69, "`--offline` forbids");
    assert_eq!(team.refs(), refs);
    assert!(!team.path("a/.git/maestro/git").exists());
}

#[test]
fn outside_a_repository_nothing_can_be_shared() {
    let team = Team::new(&[]);
    fs::remove_dir_all(team.path("a/.git")).unwrap();
    all_fail(&team, 66, "no git repository");
}

#[test]
fn the_answer_of_a_server_decides_what_is_said() {
    let team = Team::new(&[]);
    team.store("a", "1");
    for (status, code, words) in [
        ("401 Unauthorized", 77, "git's own credentials are used"),
        ("403 Forbidden", 77, "git's own credentials are used"),
        ("500 Internal Server Error", 69, "when the remote answers"),
        ("404 Not Found", 66, "git remote -v"),
    ] {
        let (address, _) = doorkeeper(status, status);
        team.set("a", "remote.origin.url", &format!("http://{address}/r.git"));
        team.fails("a push", code, words);
        team.fails("a pull", code, words);
    }
}

/// Git shows the credentials of one setting to the remote, and they are found nowhere else.
#[cfg(unix)]
#[track_caller]
fn check_credentials(key: &str, value: &str, shown: &str) {
    let team = Team::new(&[]).with_logging_git();
    team.store("a", "1");
    let (address, notes) = doorkeeper("401 Unauthorized", "403 Forbidden");
    let host = |text: &str| text.replace("HOST", &address);
    team.set("a", "remote.origin.url", &host("http://HOST/r.git"));
    team.set("a", &host(key), &host(value));
    let mut told = String::new();
    for command in ["push", "pull"] {
        let run = team.state(&format!("a {command}")).exits_with(77);
        told.extend([run.stdout, run.stderr]);
    }
    let shown = format!("Authorization: {shown}");
    assert_eq!(*notes.lock().unwrap(), [shown.as_str(); 2]);
    told.push_str(&team.read("log"));
    assert!(
        told.contains("fetch ") && !told.contains("secret"),
        "{told}"
    );
}

#[cfg(unix)]
#[test]
fn credentials_reach_the_remote_and_nobody_else() {
    let basic = "Basic dXNlcjpzdXBlcnNlY3JldHRva2Vu";
    let address = "http://user:supersecrettoken@HOST/r.git";
    check_credentials("remote.origin.url", address, basic);
    let rewritten = "url.http://user:supersecrettoken@HOST/.insteadOf";
    check_credentials(rewritten, "http://HOST/", basic);
    let helper = "!echo username=user; echo password=supersecrettoken; :";
    check_credentials("credential.helper", helper, basic);
    let header = "Authorization: supersecrettoken";
    check_credentials("http.http://HOST/.extraHeader", header, "supersecrettoken");
}

#[test]
fn an_address_with_credentials_is_never_printed() {
    let team = Team::new(&[]);
    team.store("a", "1");
    let (host, _) = doorkeeper("403 Forbidden", "403 Forbidden");
    for who in ["user:supersecrettoken", "supersecrettoken"] {
        let address = format!("http://{who}@{host}/r.git");
        for command in ["push --dry-run", "push", "pull", "fold", "sync"] {
            let run = team.state(&format!("a {command} --remote {address} --format json"));
            let told = run.stdout + &run.stderr;
            assert!(!told.contains("secret"), "{command}: {told}");
        }
    }
}

#[test]
fn the_default_branch_can_hold_the_state_beside_its_files() {
    let team = Team::new(&[]);
    let config = "schema: maestro.config/v1\nstate:\n  branch: main\n";
    team.file("a/.maestro/maestro.yaml", config);
    team.file("a/src/lib.rs", "");
    team.commit("a");
    team.git("a", "push --quiet origin main");
    let (tip, tree) = (team.refs(), team.git("r.git", "ls-tree -r main"));
    team.store("a", "1");
    team.ok("a sync");
    team.holds("r.git", "main", &["1"]);
    assert!(tip.starts_with(team.git("r.git", "rev-parse main^").trim_end()));
    let all = team.git("r.git", "ls-tree -r main");
    let others = all
        .lines()
        .filter(|line| !line.contains("\t.maestro/events/"));
    assert_eq!(others.collect::<Vec<_>>(), tree.lines().collect::<Vec<_>>());
    assert_eq!(team.git("a", "status --porcelain"), "");
}

#[test]
fn the_environment_names_the_branch_and_a_bad_name_is_refused() {
    let mut team = Team::new(&[]).env("MAESTRO_STATE_BRANCH", "ci/state");
    team.store("a", "1");
    team.ok("a sync");
    team.holds("r.git", "ci/state", &["1"]);
    for bad in ["a b", "a..b", "-x", "x.lock", "a:b"] {
        team = team.env("MAESTRO_STATE_BRANCH", bad);
        all_fail(&team, 78, "is no name of a branch");
    }
}

#[test]
fn a_broken_line_in_the_inbox_keeps_its_ref_and_costs_no_other_line() {
    let team = Team::new(&["b"]);
    team.publish("a", "1");
    let good = team.git("r.git", &format!("show {}:events.ndjson", team.inbox()[0]));
    team.git("r.git", &format!("update-ref -d {}", team.inbox()[0]));
    let odd = good.replacen('\n', "\ngarbage\n", 1);
    team.put_in_inbox("odd", "events.ndjson", &odd);
    team.publish("b", "2");
    let said = team.state("b fold --format json").exits_with(65).stdout;
    let said: Value = serde_json::from_str(&said).unwrap();
    let (place, kept) = (&said["damage"][0], &said["remote"]["kept_refs"]);
    assert_eq!(place["path"], "refs/maestro/inbox/odd:events.ndjson");
    assert_eq!((&place["line"], kept), (&2.into(), &1.into()));
    team.holds("r.git", "maestro-state", &["1", "2"]);
    assert_eq!(team.inbox(), ["refs/maestro/inbox/odd"]);
    team.put_in_inbox("odd", "events.ndjson", &good);
    team.folds_to(&["1", "2"]);
}

#[test]
fn what_no_push_wrote_is_left_alone() {
    let team = Team::new(&[]);
    team.publish("a", "1");
    team.put_in_inbox("other-file", "README.md", "");
    team.git("r.git", "update-ref refs/maestro/inbox/tree main^{tree}");
    team.git("r.git", "update-ref refs/maestro/inbox/blob main:README.md");
    assert_eq!(team.json("a fold")["remote"]["kept_refs"], 3);
    team.holds("r.git", "maestro-state", &["1"]);
    assert_eq!(team.inbox().len(), 3);
}

#[test]
fn what_stands_wrong_on_the_branch_or_is_newer_stops_the_fold() {
    for (line, words) in [("garbage\n", "damaged line"), (NEWER, "newer version")] {
        let team = Team::new(&[]);
        team.publish("a", "1");
        team.ok("a fold");
        team.git(".", "clone --quiet --branch=maestro-state r.git w");
        let path = format!("w/{SEGMENT}");
        team.file(&path, line.to_owned() + &team.read(&path));
        team.commit("w");
        team.git("w", "push --quiet");
        team.publish("a", "2");
        let refs = team.refs();
        team.fails("a fold", 65, &format!("{words}|{SEGMENT}"));
        assert_eq!(team.refs(), refs);
        team.git("w", "push --quiet origin +HEAD~1:maestro-state");
        team.folds_to(&["1", "2"]);
    }
}

#[test]
fn a_newer_event_in_the_inbox_stops_the_fold() {
    let team = Team::new(&[]);
    team.publish("a", "1");
    team.put_in_inbox("newer", "events.ndjson", NEWER);
    let refs = team.refs();
    team.fails("a fold", 65, "newer version|refs/maestro/inbox/newer");
    assert_eq!(team.refs(), refs);
    team.git("r.git", "update-ref -d refs/maestro/inbox/newer");
    team.folds_to(&["1"]);
}

#[test]
fn folds_and_pushes_at_once_end_like_one_after_the_other() {
    let work = ["b fold", "c push", "c fold", "a push", "a fold"];
    let [serial, parallel] = [false, true].map(|at_once| {
        let team = Team::new(&["b", "c"]);
        for (clone, run) in [("a", "1"), ("b", "2"), ("c", "3")] {
            team.publish(clone, run);
        }
        team.store("a", "4");
        team.store("c", "5");
        let children = work.map(|line| {
            let mut child = team.spawn(line);
            if !at_once {
                child.wait().unwrap();
            }
            child
        });
        for mut child in children {
            assert!(child.wait().unwrap().success());
        }
        team.folds_to(&["1", "2", "3", "4", "5"]);
        team.segments("r.git", "maestro-state")
    });
    assert_eq!(parallel, serial);
}

#[test]
fn a_push_that_was_killed_before_it_tidied_up_can_be_repeated() {
    for meanwhile in ["b pull", "b fold"] {
        let team = Team::new(&["b"]);
        team.store("a", "1");
        let [file] = team.outbox("a").try_into().unwrap();
        let bytes = fs::read(&file).unwrap();
        team.ok("a push");
        fs::write(&file, bytes).unwrap();
        fs::remove_dir_all(team.path("a/.git/maestro/sent")).unwrap();
        team.ok(meanwhile);
        team.ok("a push");
        team.folds_to(&["1"]);
        assert_eq!((team.outbox("a").len(), team.reported("a")), (0, 1.into()));
    }
}

#[test]
fn what_was_fetched_and_folded_meanwhile_can_still_be_published() {
    let team = Team::new(&["b"]);
    team.store("b", "1");
    team.publish("a", "1");
    team.ok("b pull");
    team.folds_to(&["1"]);
    team.ok("b push");
    team.folds_to(&["1"]);
    assert_eq!(team.outbox("b").len(), 0);
}

#[test]
fn identical_events_of_two_machines_are_one() {
    let team = Team::new(&["b"]);
    team.publish("a", "1");
    team.publish("b", "1");
    assert_eq!(team.inbox().len(), 1);
    team.folds_to(&["1"]);
}

#[test]
fn sync_publishes_folds_and_fetches() {
    let team = Team::new(&["b"]);
    team.publish("a", "1");
    team.store("b", "2");
    team.ok("b sync");
    team.holds("r.git", "maestro-state", &["1", "2"]);
    assert_eq!((team.inbox().len(), team.outbox("b").len()), (0, 0));
    assert_eq!(team.reported("b"), 2);
    let refs = team.refs();
    team.prints("b sync", "Nothing to publish");
    assert_eq!(team.refs(), refs);
}

#[test]
fn a_dry_run_changes_nothing() {
    let team = Team::new(&["b"]);
    team.publish("b", "1");
    team.store("a", "2");
    let before = (team.refs(), team.outbox("a"));
    for command in ["push", "fold", "sync"] {
        team.ok(&format!("a {command} --dry-run"));
        assert_eq!((team.refs(), team.outbox("a")), before);
    }
    team.ok("a push");
    team.folds_to(&["1", "2"]);
}

#[cfg(unix)]
#[test]
fn a_lock_that_a_killed_git_left_is_waited_for_without_asking_the_remote() {
    let team = Team::new(&["b"]).with_logging_git();
    team.publish("a", "1");
    team.ok("a fold");
    team.publish("b", "2");
    team.ok("b fold");
    let lock = "a/.git/maestro/git/refs/remotes/origin/state.lock";
    team.file(lock, "");
    team.file("log", "");
    let mut pull = team.spawn("a pull");
    while pull.try_wait().unwrap().is_none() {
        let fetches = team.read("log").matches("fetch ").count();
        if fetches > 9 {
            pull.kill().unwrap();
        }
        assert!(fetches <= 9, "the remote was asked {fetches} times");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert!(pull.wait().unwrap().success() && !team.path(lock).exists());
    assert_eq!(team.reported("a"), 2);
}

#[test]
fn a_remote_may_be_a_path() {
    let team = Team::new(&["b"]);
    team.git(".", "init --quiet --bare other.git");
    let refs = team.refs();
    team.store("a", "1");
    let pushed = team.json("a push --remote ../other.git");
    assert_eq!(pushed["remote"], "../other.git");
    team.ok("b fold --remote ../other.git");
    team.ok("b pull --remote ../other.git");
    team.holds("other.git", "maestro-state", &["1"]);
    assert_eq!((team.reported("b"), team.refs()), (1.into(), refs));
}
