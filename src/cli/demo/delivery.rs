//! How the team delivers, by git alone, and its indicators beside the targets of an example.

use std::fmt::Write;

use jiff::Timestamp;

use super::Demo;
use super::acts::Need;
use crate::error::CommandError;

/// Where it happens.
pub(super) const CLONE: &str = "delivery";

/// The pull requests of the last weeks: the branch, hours of work, the folder that it changes, and a trailer of those who helped. The fifth takes the fourth back.
const PULLS: [(&str, i64, &str, &str); 8] = [
    ("knock-twice", 20, "courier/notes", ""),
    ("weigh-twice", 5, "tariff/notes", ""),
    ("print-in-colour", 9, "docs", "\n\nMaestro-Run: colour"),
    ("round-up", 3, "tariff/notes", ""),
    ("revert-4-round-up", 1, "tariff/notes", ""),
    ("round-up-again", 30, "tariff/notes", ""),
    ("count-ferries", 12, "docs", "\n\nMaestro-Run: ferries"),
    ("thank-people", 7, "docs", ""),
];

/// They were merged so many hours apart, the last one a day ago.
const APART: i64 = 75;

impl Demo<'_, '_> {
    /// Makes the history of the last weeks.
    pub(super) fn make_history(&mut self) -> Result<(), CommandError> {
        self.clone_to("repository", CLONE)?;
        self.quietly("git", &["-C", CLONE, "remote", "remove", "origin"])?;
        let stream = history(self.session.now());
        let import = [
            "-C",
            "../delivery",
            "fast-import",
            "--quiet",
            "--date-format=raw",
        ];
        self.git(&import, stream.as_bytes())?;
        self.quietly("git", &["-C", CLONE, "reset", "--quiet", "--hard", "main"])
            .map(drop)
    }

    pub(super) fn dora(&mut self) -> Result<(), CommandError> {
        let dora = ["-C", CLONE, "dora", "--source", "git", "--since", "30d"];
        let words = [
            " Metric …   Name",
            " Change lead time, to deploy…   lead-time",
            " Deployment frequency…   deployment-frequency",
            " Change fail rate…   change-fail-rate",
            " Failed deployment…   recovery",
            " Deployment rework…   rework-rate",
        ];
        self.show(&dora, 0, &words)?;
        if !self.is_without(Need::Cargo) {
            // What the jobs published: the runs of tests.
            let remote = ["-C", CLONE, "remote", "add", "origin", "../remote.git"];
            self.quietly("git", &remote)?;
            self.maestro(&["-C", CLONE, "state", "pull"])?;
        }
        let kpi = ["-C", CLONE, "dora", "kpi", "--source", "git"];
        let targets = ["--since", "30d", "--targets", "example"];
        let words = ["  met  ", "  missed  ", "not enough data   ci-p95"];
        self.show(&[kpi.as_slice(), &targets].concat(), 0, &words)
            .map(drop)
    }
}

/// Writes the pull requests as git takes them in: each a branch, its merge and a tag.
fn history(now: Timestamp) -> String {
    let mut out = String::new();
    let hour = |before: i64| now.as_second() - before * 3600;
    let many = i64::try_from(PULLS.len()).unwrap_or(i64::MAX);
    let mut tip = "refs/heads/main^0".to_owned();
    for (number, (branch, work, folder, trailer)) in (1_i64..).zip(PULLS) {
        let merged = 24 + (many - number) * APART;
        let by = |before: i64| format!("Ada Example <ada@example.com> {} +0000", hour(before));
        let mut commit = |name: &str, mark: i64, before: i64, words: &str, parents: &str| {
            let by = by(before);
            let file = format!("Change {number}: {branch}.\n");
            // A string takes everything.
            let _never_fails = write!(
                out,
                "commit refs/heads/{name}\nmark :{mark}\nauthor {by}\ncommitter {by}\ndata {}\n{words}\n{parents}M 100644 inline {folder}/{number}.txt\ndata {}\n{file}\n",
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
