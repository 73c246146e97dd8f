//! Attempts to loosen what an organisation holds, values that are stricter, and properties that hold for all others.

use proptest::prelude::*;

use super::*;
use crate::config::layers::{BadBase, Layers};
use crate::config::{ConfigFile, read};

const HEAD: &str = "schema: maestro.config/v1\n";

/// What the organisation holds: every direction once, and keys that have none.
const FLOOR: &str = "\
enforce: [plan, policy]
on_internal_error: fail
comment: always
overrides: {users: [ada, bob], teams: [acme/sec], expires: 2w}
run_all_on: [a/**, '!a/b/**']
ignore: [docs/**, '!docs/api/**', LICENSE]
flakes: {quarantine: gate, review_by: 7d, most_per_owner: 2%, never: [tests/security/**]}
agents:
  max_usd: 2.50
  max_attempts: 2
  commands: [cargo test, make]
  authors: ['a[bot]']
  roles: {reviewer: {gates: true}}
jobs: {lint: {run: make lint, junit: a.xml}, v1.2: {run: make}}
state: {redact: true, branch: state}
";

fn layers(base: &str, own: &str) -> Result<Layers, BadBase> {
    let own = format!("{HEAD}{own}");
    let file: Result<ConfigFile, _> = read(&own, "own");
    file.unwrap_or_else(|error| panic!("{own}\n{error:?}"));
    Layers::read(&own, &format!("{HEAD}{base}"), "base")
}

fn held(locked: &str, own: &str) -> Vec<(String, String, String)> {
    let layers = layers(&format!("{FLOOR}locked: {locked}\n"), own).unwrap();
    let loosened = layers.loosened().into_iter();
    loosened
        .map(|one| (one.key(), one.floor, one.own))
        .collect()
}

#[test]
fn what_is_looser_is_named_with_both_values() {
    for (own, key, floor, mine) in [
        ("enforce: []", "enforce", "[plan, policy]", "[]"),
        (
            "enforce: [plan, budget]",
            "enforce",
            "[plan, policy]",
            "[plan, budget]",
        ),
        (
            "on_internal_error: run-all",
            "on_internal_error",
            "fail",
            "run-all",
        ),
        ("comment: never", "comment", "always", "never"),
        (
            "overrides: {users: [ada, eve]}",
            "overrides.users",
            "[ada, bob]",
            "[ada, eve]",
        ),
        (
            "overrides: {teams: [acme/all]}",
            "overrides.teams",
            "[acme/sec]",
            "[acme/all]",
        ),
        (
            "overrides: {expires: 15d}",
            "overrides.expires",
            "2w",
            "15d",
        ),
        (
            "overrides: {expires: never}",
            "overrides.expires",
            "2w",
            "never",
        ),
        (
            "run_all_on: ['!a/**']",
            "run_all_on",
            "[a/**, !a/b/**]",
            "[!a/**]",
        ),
        (
            "ignore: [src/**]",
            "ignore",
            "[docs/**, !docs/api/**, LICENSE]",
            "[src/**]",
        ),
        (
            "ignore: [docs/**]",
            "ignore",
            "[docs/**, !docs/api/**, LICENSE]",
            "[docs/**]",
        ),
        (
            "ignore: ['!docs/api/**', docs/**]",
            "ignore",
            "[docs/**, !docs/api/**, LICENSE]",
            "[!docs/api/**, docs/**]",
        ),
        (
            "flakes: {quarantine: skip}",
            "flakes.quarantine",
            "gate",
            "skip",
        ),
        ("flakes: {review_by: 8d}", "flakes.review_by", "7d", "8d"),
        (
            "flakes: {most_per_owner: 3%}",
            "flakes.most_per_owner",
            "2%",
            "3%",
        ),
        (
            "flakes: {most_per_owner: 1}",
            "flakes.most_per_owner",
            "2%",
            "1",
        ),
        (
            "flakes: {never: ['!tests/security/a/**']}",
            "flakes.never",
            "[tests/security/**]",
            "[!tests/security/a/**]",
        ),
        ("agents: {max_usd: 2.51}", "agents.max_usd", "2.50", "2.51"),
        ("agents: {max_usd: lots}", "agents.max_usd", "2.50", "lots"),
        ("agents: {max_attempts: 3}", "agents.max_attempts", "2", "3"),
        (
            "agents: {commands: [cargo]}",
            "agents.commands",
            "[cargo test, make]",
            "[cargo]",
        ),
        (
            "agents: {commands: [makefile]}",
            "agents.commands",
            "[cargo test, make]",
            "[makefile]",
        ),
        (
            "agents: {commands: []}",
            "agents.commands",
            "[cargo test, make]",
            "[]",
        ),
        (
            "agents: {roles: {reviewer: {gates: false}}}",
            "agents.roles.reviewer.gates",
            "true",
            "false",
        ),
        (
            "jobs: {lint: {run: 'true'}}",
            "jobs.lint.run",
            "make lint",
            "true",
        ),
        // A key that the organisation leaves out may undo the rest.
        (
            "jobs: {lint: {when: {branches: [none]}}}",
            "jobs.lint.when",
            "nothing",
            "{branches: [none]}",
        ),
        ("state: {redact: false}", "state.redact", "true", "false"),
        ("state: {branch: other}", "state.branch", "state", "other"),
    ] {
        let wanted = (key.to_owned(), floor.to_owned(), mine.to_owned());
        assert_eq!(held("all", own), [wanted], "{own}");
        // What is not locked is a proposal.
        assert_eq!(held("[enforce]", own).is_empty(), key != "enforce", "{own}");
    }
}

#[test]
fn what_is_as_strict_or_stricter_passes() {
    for own in [
        "",
        "enforce: [budget, policy, plan]",
        "on_internal_error: fail",
        "overrides: {users: [bob], teams: [], expires: 14d}",
        "overrides: {users: []}",
        "run_all_on: [b/**]",
        "run_all_on: []",
        "ignore: []",
        "ignore: ['!docs/api/**']",
        "ignore: [docs/**, '!docs/api/**']",
        "ignore: [docs/**, '!docs/api/**', '!docs/x']",
        "flakes: {quarantine: gate, review_by: 1w, most_per_owner: 1.5%, never: [x/**]}",
        "agents: {max_usd: '2.5', max_attempts: 1, commands: [cargo test --lib, make]}",
        "agents: {authors: ['b[bot]'], concurrency: 9, roles: {reviewer: {gates: true}, own: {does: x}}}",
        "jobs: {lint: {run: make lint}, more: {run: x}}",
        "components: {c: {paths: [c/**]}}",
        "state: {redact: true}",
        "output: {format: json}",
    ] {
        assert_eq!(held("all", own), [], "{own}");
    }
}

#[test]
fn a_locked_key_that_is_not_set_is_held_at_what_stands_for_none() {
    let loosened = |locked: &str, own: &str| {
        let layers = layers(&format!("locked: {locked}\n"), own).unwrap();
        let loosened = layers.loosened().into_iter();
        loosened
            .map(|one| format!("{} {} {}", one.key(), one.floor, one.own))
            .collect::<Vec<_>>()
    };
    for (own, wanted) in [
        ("overrides: {users: [eve]}", "overrides.users nobody [eve]"),
        ("ignore: [x]", "ignore nothing [x]"),
        ("flakes: {review_by: 15d}", "flakes.review_by 14d 15d"),
        (
            "flakes: {most_per_owner: 5%}",
            "flakes.most_per_owner 2% 5%",
        ),
        ("flakes: {quarantine: skip}", "flakes.quarantine gate skip"),
        ("agents: {max_usd: 11}", "agents.max_usd 10 11"),
        ("state: {redact: false}", "state.redact true false"),
    ] {
        assert_eq!(loosened("all", own), [wanted]);
        let key = wanted.split(' ').next().unwrap();
        assert_eq!(loosened(&format!("[{key}]"), own), [wanted]);
        let above = key.split('.').next().unwrap();
        assert_eq!(loosened(&format!("[{above}]"), own), [wanted]);
    }
    for own in [
        "enforce: [plan]",
        "flakes: {review_by: 13d}",
        "comment: never",
    ] {
        assert_eq!(loosened("all", own), <[String; 0]>::default(), "{own}");
    }
}

#[test]
fn what_is_no_key_cannot_be_locked() {
    let unknown = |locked: &str| {
        let base = format!("{FLOOR}locked: {locked}\n");
        match layers(&base, "") {
            Err(BadBase::Unknown(name, near)) => (name, near),
            other => panic!("{other:?}"),
        }
    };
    let near = |near: &str| Some(near.to_owned());
    assert_eq!(
        unknown("[enforce, flakes.reviewby]"),
        ("flakes.reviewby".to_owned(), near("flakes.review_by"))
    );
    assert_eq!(unknown("[schema]").0, "schema");
    assert_eq!(unknown("[jobs.test]").0, "jobs.test");
    assert_eq!(unknown("['']").0, "");
    assert_eq!(
        held(
            "[jobs.v1.2, jobs.lint.run]",
            "jobs: {v1.2: {run: x}, lint: {run: x, junit: b}}"
        )
        .len(),
        2
    );
    // Who locks a job locks all of it; who locks a key of it locks that key.
    assert_eq!(held("[jobs.lint]", "jobs: {lint: {junit: b}}").len(), 1);
    assert_eq!(held("[jobs.lint.run]", "jobs: {lint: {junit: b}}"), []);
}

#[test]
fn a_base_stands_alone_and_is_read_as_strictly() {
    let pin = "0".repeat(40);
    let refused = |base: &str| layers(base, "").unwrap_err();
    assert_eq!(
        refused(&format!("extends: //b.yaml@{pin}\n")),
        BadBase::Extends
    );
    assert!(matches!(refused("nope: 1\n"), BadBase::Yaml(error) if error.place == Some((2, 1))));
    assert!(matches!(refused("locked: some\n"), BadBase::Yaml(_)));
    let v2 = Layers::read(HEAD, "schema: maestro.config/v2\n", "base");
    assert_eq!(
        v2.unwrap_err(),
        BadBase::Schema("maestro.config/v2".to_owned())
    );
}

#[test]
fn the_repositorys_values_stand_over_the_organisations() {
    let base = "\
run_all_on: [a, b]
ignore: [x]
jobs: {test: {run: t, paths: [p], when: {branches: [1.10]}}, web: {run: w}}
flakes: {review_by: 7d, never: [s]}
";
    let own = "run_all_on: [b, c]\nignore: []\njobs: {test: {run: u, paths: [q]}, docs: {run: 1.10}}\nflakes: {never: [r]}\n";
    let layers = layers(base, own).unwrap();
    let config = layers.config("own").unwrap();
    assert_eq!(config.run_all_on, ["a", "b", "c"]);
    assert_eq!(config.ignore, <[String; 0]>::default());
    assert_eq!(config.flakes.never, ["s", "r"]);
    assert_eq!(config.flakes.review_by.as_deref(), Some("7d"));
    let test = &config.jobs["test"];
    assert_eq!(
        (test.run.as_deref(), test.paths.as_slice()),
        (Some("u"), ["q".to_owned()].as_slice())
    );
    assert_eq!(test.when.branches, ["1.10"], "a text keeps its last nought");
    assert_eq!(config.jobs["docs"].run.as_deref(), Some("1.10"));
    assert_eq!(config.jobs["web"].run.as_deref(), Some("w"));
    assert_eq!(layers.overridden(), ["ignore", "jobs.test"]);
}

/// Configurations with a value, or none, for every key that has a direction and some others.
fn any_config() -> impl Strategy<Value = String> {
    let list = |entries: &'static [&'static str]| {
        let some = prop::sample::subsequence(entries, 0..=entries.len());
        some.prop_shuffle()
            .prop_map(|some| format!("[{}]", some.join(", ")))
    };
    let word = |words: &'static [&'static str]| prop::sample::select(words).prop_map(str::to_owned);
    let globs = || list(&["a/**", "b", "'!a/c'", "'!b'"]);
    let keys: Vec<(&'static str, BoxedStrategy<String>)> = vec![
        (
            "enforce",
            list(&["plan", "flakes", "policy", "budget"]).boxed(),
        ),
        ("on_internal_error", word(&["run-all", "fail"]).boxed()),
        ("comment", word(&["never", "always"]).boxed()),
        ("overrides.users", list(&["ada", "bob", "eve"]).boxed()),
        ("overrides.expires", word(&["1d", "7d", "1w", "3w"]).boxed()),
        ("run_all_on", globs().boxed()),
        ("ignore", globs().boxed()),
        ("flakes.quarantine", word(&["gate", "skip"]).boxed()),
        (
            "flakes.review_by",
            word(&["1d", "2w", "14d", "30d"]).boxed(),
        ),
        (
            "flakes.most_per_owner",
            word(&["1%", "2%", "9%", "1", "20"]).boxed(),
        ),
        ("flakes.never", globs().boxed()),
        ("agents.max_usd", word(&["1", "2.50", "'10'", "99"]).boxed()),
        (
            "agents.commands",
            list(&["make", "make a", "cargo"]).boxed(),
        ),
        (
            "jobs.x",
            word(&["{run: a}", "{run: b, paths: [p]}", "{paths: [p]}"]).boxed(),
        ),
        ("state.redact", word(&["true", "false"]).boxed()),
        ("state.branch", word(&["s", "t"]).boxed()),
    ];
    let keys: Vec<_> = keys
        .into_iter()
        .map(|(key, value)| prop::option::of(value).prop_map(move |value| (key, value)))
        .collect();
    keys.prop_map(|keys| {
        let mut sections: std::collections::BTreeMap<&str, Vec<String>> =
            std::collections::BTreeMap::new();
        let mut text = String::new();
        for (key, value) in keys {
            let Some(value) = value else { continue };
            match key.split_once('.') {
                None => text += &format!("{key}: {value}\n"),
                Some((above, key)) => sections
                    .entry(above)
                    .or_default()
                    .push(format!("{key}: {value}")),
            }
        }
        for (key, entries) in sections {
            text += &format!("{key}: {{{}}}\n", entries.join(", "));
        }
        text
    })
}

/// Whether a list of globs takes a path in: the last one that matches decides. The paths of the test need no more than this.
fn takes_in(globs: &[String], path: &str) -> bool {
    let matches = |glob: &str| {
        glob.strip_suffix("/**")
            .map_or(path == glob, |folder| path.starts_with(folder))
    };
    let last = globs
        .iter()
        .rev()
        .find(|glob| matches(glob.trim_start_matches('!')));
    last.is_some_and(|glob| !glob.starts_with('!'))
}

fn days(text: Option<&String>, usual: u16) -> u16 {
    text.map_or(usual, |text| days_of(text).unwrap())
}

/// What is looser in one configuration than in another, by what the values mean.
fn looser_than(floor: &ConfigFile, mine: &ConfigFile) -> Vec<&'static str> {
    let paths = ["a/c", "a/d", "b"];
    let more = |one: &[String], other: &[String]| {
        paths
            .iter()
            .any(|path| takes_in(one, path) && !takes_in(other, path))
    };
    let usd = |file: &ConfigFile| {
        file.agents
            .max_usd
            .as_ref()
            .map_or(10.0, |usd| usd.text().parse::<f64>().unwrap())
    };
    let is = |word: Option<String>, wanted: &str| word.as_deref() == Some(wanted);
    let fails = |file: &ConfigFile| is(file.on_internal_error.map(String::from), "fail");
    let skips = |file: &ConfigFile| is(file.flakes.quarantine.map(String::from), "skip");
    let cap = |file: &ConfigFile| match &file.flakes.most_per_owner {
        None => (true, 2.0),
        Some(crate::config::file::CapFile::Count(count)) => (false, f64::from(*count)),
        Some(crate::config::file::CapFile::Share(text)) => {
            (true, text.trim_end_matches('%').parse().unwrap())
        }
    };
    let (held, now) = (cap(floor), cap(mine));
    let found = [
        (
            "enforce",
            floor
                .enforce
                .iter()
                .any(|word| !mine.enforce.contains(word)),
        ),
        ("on_internal_error", fails(floor) && !fails(mine)),
        (
            "overrides.users",
            mine.overrides
                .users
                .iter()
                .any(|user| !floor.overrides.users.contains(user)),
        ),
        (
            "overrides.expires",
            days(mine.overrides.expires.as_ref(), 7) > days(floor.overrides.expires.as_ref(), 7),
        ),
        ("run_all_on", more(&floor.run_all_on, &mine.run_all_on)),
        ("ignore", more(&mine.ignore, &floor.ignore)),
        ("flakes.quarantine", !skips(floor) && skips(mine)),
        (
            "flakes.review_by",
            days(mine.flakes.review_by.as_ref(), 14) > days(floor.flakes.review_by.as_ref(), 14),
        ),
        ("flakes.most_per_owner", held.0 != now.0 || now.1 > held.1),
        (
            "flakes.never",
            more(&floor.flakes.never, &mine.flakes.never),
        ),
        ("agents.max_usd", usd(mine) > usd(floor)),
        (
            "state.redact",
            floor.state.redact != Some(false) && mine.state.redact == Some(false),
        ),
        (
            "state.branch",
            floor.state.branch.is_some() && mine.state.branch != floor.state.branch,
        ),
        (
            "comment",
            floor.comment.is_some() && mine.comment != floor.comment,
        ),
        (
            "jobs",
            floor
                .jobs
                .iter()
                .any(|(name, job)| format!("{job:?}") != format!("{:?}", mine.jobs[name])),
        ),
    ];
    let found = found.into_iter().filter(|(_, is)| *is);
    found.map(|(key, _)| key).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn nothing_looser_comes_out_of_what_is_locked_whole(base in any_config(), own in any_config()) {
        let floor: ConfigFile = read(&format!("{HEAD}{base}"), "base").unwrap();
        let layers = layers(&format!("{base}locked: all\n"), &own).unwrap();
        let merged = layers.config("own").unwrap();
        if layers.loosened().is_empty() {
            prop_assert_eq!(looser_than(&floor, &merged), <[&str; 0]>::default());
        }
        // The repository's own keys, one by one: each that is accepted alone loosens nothing by itself.
        for key in layers.loosened() {
            prop_assert!(layers.own.at(&key.way[..1]).is_some(), "{:?}", key);
        }
    }

    #[test]
    fn putting_together_twice_is_putting_together_once(base in any_config(), own in any_config()) {
        let once = layers(&base, &own).unwrap();
        let mut text = String::new();
        once.merged().write(&mut text);
        let twice = Layers::read(&text, &format!("{HEAD}{base}"), "base").unwrap();
        prop_assert_eq!(twice.merged(), once.merged());
        let itself = layers(&format!("{base}locked: all\n"), &base).unwrap();
        prop_assert_eq!(itself.loosened(), []);
    }

    #[test]
    fn the_strictest_of_every_key_is_always_accepted(base in any_config(), extra in prop::sample::select(vec!["plan", "flakes"]), days in 1_u16..8) {
        let own = format!("enforce: [plan, flakes, policy, budget]\non_internal_error: fail\noverrides: {{users: [], expires: 1d}}\nrun_all_on: [more/{days}]\nflakes: {{quarantine: gate, review_by: 1d, never: [{extra}]}}\nignore: []\nagents: {{max_usd: 1}}\nstate: {{redact: true}}\n");
        let mut layers = layers(&base, &own).unwrap();
        layers.locked = Locked::All;
        prop_assert_eq!(layers.loosened(), []);
    }

    #[test]
    fn any_lock_and_any_file_are_judged_without_a_fall(base in any_config(), own in any_config(), names in prop::collection::vec("[a-z_.]{0,12}|enforce|flakes|jobs\\.x|state", 0..4)) {
        let locked = format!("locked: [{}]\n", names.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", "));
        match layers(&format!("{base}{locked}"), &own) {
            Ok(layers) => {
                let all = Layers { locked: Locked::All, ..layers.clone() };
                let all = all.loosened();
                prop_assert!(layers.loosened().iter().all(|one| all.contains(one)));
            }
            Err(BadBase::Unknown(name, _)) => prop_assert!(names.contains(&name)),
            Err(other) => prop_assert!(false, "{:?}", other),
        }
    }
}
