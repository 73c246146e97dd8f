//! `maestro learning-pack --repos`: many repositories on one page.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::dora_repos::{metric, state};
use crate::flakes_escalate::issues;
use crate::github::{Fake, TOKEN};
use crate::harness::{Maestro, files_below};
use crate::learning_pack::{NOW, history};

/// Two clones with runs of tests, and a list of them and of a folder that is not there.
fn clones() -> Maestro {
    let maestro = Maestro::in_folder().env("MAESTRO_NOW", NOW);
    for name in ["a", "b"] {
        maestro.git(&["init", "--quiet", "--initial-branch=main", name]);
        let address = format!("https://github.com/o/{name}.git");
        maestro.git(&["-C", name, "remote", "add", "origin", &address]);
        maestro
            .file(&format!("{name}/CODEOWNERS"), "net.py @acme/net\n")
            .file(&format!("{name}/net.py"), "")
            .file("h.ndjson", history(&|test| format!("{name}_{test}")));
        maestro.git(&["-C", name, "add", "--all"]);
        maestro.git(&["-C", name, "commit", "--quiet", "--message", "Own"]);
        let _ = maestro
            .run(["-C", name, "flakes", "ingest", "../h.ndjson"])
            .success();
    }
    maestro.file("lists/all.txt", "# all\n../a\n../b\n");
    maestro
}

fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let files = files_below(folder).into_iter();
    files
        .map(|path| {
            let bytes = fs::read(&path).unwrap();
            (path, bytes)
        })
        .collect()
}

#[test]
fn each_page_is_the_one_that_its_repository_writes_and_nothing_of_theirs_is_written() {
    let maestro = clones();
    for name in ["a", "b"] {
        let out = format!("../own/{name}");
        let _ = maestro
            .run(["-C", name, "learning-pack", "--out", &out])
            .success();
    }
    let theirs = |maestro: &Maestro| ["a", "b"].map(|name| contents(&maestro.path(name)));
    let before = theirs(&maestro);
    // In a workflow of yet another repository.
    let maestro = maestro.env("GITHUB_REPOSITORY", "o/platform");
    let ask = [
        "learning-pack",
        "--repos",
        "lists/all.txt",
        "--out",
        "packs",
    ];
    let done = maestro.run(ask).success();
    let pages = contents(&maestro.path("packs"));
    assert!(theirs(&maestro) == before);
    let read = |path: &str| fs::read_to_string(maestro.path(path)).unwrap();
    for name in ["a", "b"] {
        for ending in ["html", "md"] {
            assert_eq!(
                read(&format!("packs/2026-W03-o-{name}.{ending}")),
                read(&format!("own/{name}/2026-W03.{ending}"))
            );
        }
    }
    assert!(
        done.stdout.contains("2 of 2 repositories read"),
        "{}",
        done.stdout
    );
    // Equal runs write equal bytes, and every link leads to a file.
    let _ = maestro.run(ask).success();
    assert_eq!(contents(&maestro.path("packs")), pages);
    let page = read("packs/repositories-2026-W03.html");
    let links = page
        .split("href=\"")
        .skip(1)
        .map(|rest| rest.split_once('"').unwrap().0);
    let links = links.filter(|link| !link.starts_with('#') && !link.starts_with("data:"));
    let links: Vec<&str> = links.collect();
    assert!(links.len() >= 5, "{links:?}");
    for link in links {
        let file = link.split('#').next().unwrap();
        assert!(maestro.path(&format!("packs/{file}")).is_file(), "{link}");
    }
    let document: Value = serde_json::from_str(&read("packs/repositories-2026-W03.json")).unwrap();
    assert_eq!(document["decisions"][0]["proposal"]["kind"], "flake");
    assert_eq!(document["repositories"][0]["flaky"], 1);
    // In the week after, what became of the decisions of both.
    let later = [
        "--now",
        "2026-01-29T09:00:00Z",
        "learning-pack",
        "--repos",
        "lists/all.txt",
        "--dry-run",
        "--out",
        "x",
    ];
    let later = maestro.json(&later);
    let last = &later["last_week"];
    assert_eq!(
        (&last["asked"], &last["done"]),
        (&json!(2), &json!(2)),
        "{last}"
    );
}

#[test]
fn deliveries_of_all_are_those_that_dora_pools() {
    let maestro = Maestro::in_folder().env("MAESTRO_NOW", "2026-02-01T00:00:00Z");
    state(&maestro, "states/a", "o/a", &[1, 2, 3, 4, 5, 6, 7, 8]);
    state(&maestro, "states/b", "o/b", &[9, 8, 9, 8, 9, 8, 9, 8]);
    maestro.file("all.txt", "states/a\nstates/b\n");
    let page = maestro.json(&[
        "learning-pack",
        "--repos",
        "all.txt",
        "--week",
        "2026-W03",
        "--out",
        "packs",
    ]);
    let dora = maestro.json(&[
        "dora",
        "--repos",
        "all.txt",
        "--since",
        "2026-01-12",
        "--until",
        "2026-01-19",
    ]);
    let figure = |name: &str| {
        let mut figures = page["delivery"]["figures"].as_array().unwrap().iter();
        figures
            .find(|figure| figure["name"] == name)
            .unwrap()
            .clone()
    };
    let merge = metric(&dora, "lead-time-merge");
    assert_eq!(merge["duration"]["n"], 14);
    let found = figure("lead time to merge, median");
    assert_eq!(
        (&found["n"], &found["value"]),
        (&merge["duration"]["n"], &merge["duration"]["median"])
    );
    let deployments = &metric(&dora, "deployment-frequency")["frequency"]["deployments"];
    assert_eq!(figure("deployments")["n"], *deployments);
    let command = page["delivery"]["commands"][0].as_str().unwrap();
    let _ = maestro.run(command.split(' ').skip(1)).success();
    assert!(maestro.path("packs/2026-W03-o-a.html").is_file());
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_is_written() {
    let maestro = clones();
    maestro
        .file(
            "b/.maestro/maestro.yaml",
            "schema: maestro.config/v1\nnonsense: 1\n",
        )
        .file("all.txt", "a\nnowhere\nb\n");
    let done = maestro
        .run(["learning-pack", "--repos", "all.txt", "--out", "packs"])
        .exits_with(66)
        .says("`nowhere` (line 2) was left out: there is no such folder")
        .says("`b` (line 3) was left out")
        .says("nonsense")
        .says("error: 2 of the 3 repositories that `all.txt` lists could not be read")
        .says("hint: no figure counts them: mend what the warnings name");
    assert!(
        done.stdout.contains("1 of 3 repositories read"),
        "{}",
        done.stdout
    );
    let text = fs::read_to_string(maestro.path("packs/repositories-2026-W03.md")).unwrap();
    assert!(text.contains("`there is no such folder`"), "{text}");
    assert!(!maestro.path("packs/2026-W03-nowhere.md").exists());
    maestro.file("all.txt", "a\nb\n");
    let ask = ["learning-pack", "--repos", "all.txt", "--out", "packs"];
    maestro
        .run(ask)
        .exits_with(65)
        .says("error: 1 of the 2 repositories");
    maestro.file("all.txt", "- a\n");
    maestro.run(ask).exits_with(65).says("this is YAML");
    let both = [
        "learning-pack",
        "--repos",
        "all.txt",
        "--rows",
        "rows.ndjson",
    ];
    maestro.run(both).exits_with(2);
}

#[test]
fn the_issue_of_many_stands_beside_that_of_one() {
    let fake = Fake::start();
    let maestro = Maestro::in_repo()
        .env("MAESTRO_NOW", NOW)
        .env("GITHUB_REPOSITORY", "o/n")
        .env("GITHUB_API_URL", fake.api())
        .env("GITHUB_TOKEN", TOKEN);
    maestro.file("h.ndjson", history(&|test| format!("test_{test}")));
    let _ = maestro.run(["flakes", "ingest", "h.ndjson"]).success();
    maestro.file("all.txt", "o/n .\n");
    let many = |more: &[&str]| {
        maestro.run([&["learning-pack", "--repos", "all.txt", "--issue"], more].concat())
    };
    let shown = many(&["--dry-run"]).success().stdout;
    assert!(
        shown.contains("`maestro: week of repositories 2026-W03`"),
        "{shown}"
    );
    assert!(!shown.contains(".md)"), "{shown}");
    let _ = maestro.run(["learning-pack", "--issue"]).success();
    let _ = many(&[]).success();
    let _before = fake.writes();
    let _ = many(&[]).success();
    assert_eq!(fake.writes().len(), 0, "the same page is not written twice");
    let _ = many(&["--now", "2026-01-29T09:00:00Z"]).success();
    let mut titles: Vec<String> = issues(&fake)
        .iter()
        .map(|issue| {
            format!(
                "{} {}",
                issue["state"].as_str().unwrap(),
                issue["title"].as_str().unwrap()
            )
        })
        .collect();
    titles.sort();
    let wanted = [
        "closed Week 3 \u{b7} 1 repository",
        "open Week 3 \u{b7} o/n",
        "open Week 4 \u{b7} 1 repository",
    ];
    assert_eq!(titles, wanted);
}
