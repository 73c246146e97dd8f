//! The last part of the demo: how the team delivers, by git alone, its indicators beside the targets of an example, and how the change of the
//! part before stands, as it would be told in the one comment of its pull request.

use std::fmt::Write;

use jiff::Timestamp;

use super::Demo;
use crate::error::CommandError;

/// The clone that it happens in, from the folder of all parts and from the repository.
const CLONE: &str = "delivery";
const BESIDE: &str = "../delivery";

/// The pull requests of the last weeks: the branch, hours of work, and a trailer of those who helped. The fifth takes the fourth back.
const PULLS: [(&str, i64, &str); 8] = [
    ("knock-twice", 20, ""),
    ("weigh-twice", 5, ""),
    ("print-in-colour", 9, "\n\nMaestro-Run: colour"),
    ("round-up", 3, ""),
    ("revert-4-round-up", 1, ""),
    ("round-up-again", 30, ""),
    ("count-ferries", 12, "\n\nMaestro-Run: ferries"),
    ("thank-people", 7, ""),
];

/// They were merged so many hours apart, the last one a day ago.
const APART: i64 = 75;

impl Demo<'_, '_> {
    /// Shows `dora`, the indicators, and the part of the comment that tells how a change stands.
    pub(super) fn show_delivery(&mut self) -> Result<(), CommandError> {
        self.say("\nHow the team delivers, out of the merges and tags of eight pull requests:");
        self.clone_to(CLONE)?;
        // Runs of tests are stored at the clock's own time.
        let now = self.session.settings.now.value.filter(|_| !self.has_cargo);
        let stream = history(now.unwrap_or_else(|| self.session.world.clock.now()));
        let import = ["-C", BESIDE, "fast-import", "--quiet", "--date-format=raw"];
        self.git(&import, stream.as_bytes())?;
        self.git(&["-C", BESIDE, "reset", "--quiet", "--hard", "main"], &[])?;
        let now = now.map(|now| now.to_string());
        let now: Vec<&str> = now.iter().flat_map(|now| ["--now", now]).collect();
        let dora = ["-C", BESIDE, "dora", "--source", "git", "--since", "30d"];
        self.shows(&[dora.as_slice(), &now].concat(), 0)?;
        if self.has_cargo {
            // What the jobs published: the runs of tests.
            let remote = ["-C", CLONE, "remote", "add", "state", "../remote.git"];
            self.shown_in_folder("git", &remote)?;
            self.maestro(&["-C", BESIDE, "state", "pull", "--remote", "state"])?;
        }
        self.say(
            "\nIts indicators, by the targets of an example; what nobody measured is not met:",
        );
        let kpi = ["-C", BESIDE, "dora", "kpi", "--source", "git"];
        let targets = ["--since", "30d", "--targets", "example"];
        self.shows(&[kpi.as_slice(), &targets, &now].concat(), 0)?;
        self.say("\nHow the change with the labels stands, as its pull request would be told:");
        let health = ["-C", "../guard", "pr-health", "--base", "main"];
        let report = ["--policy-report", "../proof/policy.json"];
        let form = ["--format", "markdown"];
        self.shows(&[health.as_slice(), &report, &form, &now].concat(), 0)
            .map(drop)
    }
}

/// Writes the pull requests as git takes them in: each a branch, its merge and a tag.
fn history(now: Timestamp) -> String {
    let mut out = String::new();
    let hour = |before: i64| now.as_second() - before * 3600;
    let many = i64::try_from(PULLS.len()).unwrap_or(i64::MAX);
    let mut tip = "refs/heads/main^0".to_owned();
    for (number, (branch, work, trailer)) in (1_i64..).zip(PULLS) {
        let merged = 24 + (many - number) * APART;
        let by = |before: i64| format!("Ada Example <ada@example.com> {} +0000", hour(before));
        let mut commit = |name: &str, mark: i64, before: i64, words: &str, parents: &str| {
            let by = by(before);
            let file = format!("Change {number}: {branch}.\n");
            // A string takes everything.
            let _never_fails = write!(
                out,
                "commit refs/heads/{name}\nmark :{mark}\nauthor {by}\ncommitter {by}\ndata {}\n{words}\n{parents}M 100644 inline changes/{number}.md\ndata {}\n{file}\n",
                words.len(),
                file.len(),
            );
        };
        let words = format!("{}{trailer}", branch.replace('-', " "));
        commit(
            branch,
            number * 2,
            merged + work,
            &words,
            &format!("from {tip}\n"),
        );
        let words = format!("Merge pull request #{number} from parcels/{branch}");
        let parents = format!("from {tip}\nmerge :{}\n", number * 2);
        tip = format!(":{}", number * 2 + 1);
        commit("main", number * 2 + 1, merged, &words, &parents);
        let name = format!("v0.{number}.0");
        let tagger = by(merged - 2);
        let _never_fails = write!(
            out,
            "tag {name}\nfrom {tip}\ntagger {tagger}\ndata {}\n{name}\n",
            name.len()
        );
    }
    out
}
