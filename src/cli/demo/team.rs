//! The seventh part of the demo: a team of agents takes an issue from the plan to the text of a draft pull request. The model's answers are recorded, the
//! commands that judge them are run.

use super::{Demo, command_line, missing};
use crate::error::CommandError;
use crate::ports::sandbox::SandboxProblem;

/// The clone that it happens in, from the folder of all parts and from the repository.
const CLONE: &str = "team";
const BESIDE: &str = "../team";

/// What models answered.
const ANSWERS: &str = include_str!("../../../fixtures/demo/answers.json");

const ISSUE: &str = "\
# Bulky parcels are too cheap

A parcel above 10 kg takes the room of two, and should cost 300 cents more: `sh post/price.sh 12000` prints 590. 10 kg itself stays as it is.
";

/// Programs that any shell runs.
const PRICE: &str = "\
# Prints what a parcel costs, in cents: price.sh GRAMS
grams=$1
echo $((350 + grams / 1000 * 20))
";
const TEST: &str = "\
check() {
  got=$(sh post/price.sh \"$1\")
  test \"$got\" = \"$2\" || { echo \"$1 g: expected $2, got $got\"; exit 1; }
}
check 500 350
check 2500 390
echo \"all prices are right\"
";

impl Demo<'_, '_> {
    /// Lets a team work on an issue; shows who did what, the diff, its tests, the cost and the text of the pull request.
    pub(super) fn let_a_team_work(&mut self) -> Result<(), CommandError> {
        self.say(
            "\nA team of agents takes an issue (the model's answers are recorded, and no model is asked; what they write is judged, and its tests are run):",
        );
        self.clone_to(CLONE)?;
        self.leave_text("../team/post/price.sh", PRICE)?;
        self.leave_text("../team/tests/price.sh", TEST)?;
        self.commit_in(CLONE, "Say what parcels cost")?;
        let files = self.session.world.files.as_ref();
        let old = self.folder.join("issue");
        let removed = files.remove_folder(&old);
        removed.map_err(|error| CommandError::writing(&old, error))?;
        self.leave_text("../issue/issue.md", ISSUE)?;
        self.leave_text("../issue/answers.json", ANSWERS)?;
        self.say(ISSUE);
        let shield = self.shield();
        let now = self.session.settings.now.value.map(|now| now.to_string());
        let mut run = vec!["-C", BESIDE];
        run.extend(now.iter().flat_map(|now| ["--now", now.as_str()]));
        run.extend(["--offline", "run-agents", "--issue", "../issue/issue.md"]);
        run.extend(["--recorded", "../issue/answers.json", "--run-id", "bulky"]);
        run.extend(["--max-usd", "1", "--bundle", "../issue/bundle"]);
        for command in ["sh tests/price.sh", "sh tests/bulky.sh", "sh -n"] {
            run.extend(["--allow-command", command]);
        }
        run.extend(["--sandbox", shield]);
        self.shows(&run, 0)?;
        self.say("\nWho did what; the first price was wrong, and the test's own words were in the next prompt:");
        self.shows(&["-C", BESIDE, "run-agents", "show", "bulky"], 0)?;
        self.say("\nThe change, and its tests:");
        let pack = ["../issue/bundle/change.bundle", "refs/maestro/run"];
        let mut fetch = vec!["-C", CLONE, "fetch", "--quiet"];
        fetch.extend(pack);
        self.shown_in_folder("git", &fetch)?;
        let checkout = ["-C", CLONE, "checkout", "--quiet", "--detach", "FETCH_HEAD"];
        self.shown_in_folder("git", &checkout)?;
        self.shows_output(
            "git",
            &[
                "-C",
                BESIDE,
                "--no-pager",
                "diff",
                "--no-color",
                "main",
                "HEAD",
            ],
        )?;
        let tests = "cd ../team && sh tests/price.sh && sh tests/bulky.sh";
        self.shows_output("sh", &["-c", tests])?;
        self.say("\nWhat would be pushed, and the draft's text:");
        let publish = [
            "-C",
            BESIDE,
            "--offline",
            "run-agents",
            "publish",
            "../issue/bundle",
            "--dry-run",
        ];
        self.shows(&publish, 0).map(drop)
    }

    /// Says who shuts in what the answers want run: this kernel where it can.
    fn shield(&mut self) -> &'static str {
        let lacks = match self.session.world.sandbox.probe() {
            Ok(probe) => probe.missing(true).join(", "),
            Err(SandboxProblem::Unsupported(what)) => what,
            Err(problem) => problem.to_string(),
        };
        if lacks.is_empty() {
            return "require";
        }
        self.say(&format!(
            "This machine cannot shut programs in ({lacks}): the demo's own answers run here without a sandbox. Elsewhere a run would not begin.\n"
        ));
        "off"
    }

    /// Runs a command that must end well, and shows what it prints.
    fn shows_output(&mut self, program: &str, args: &[&str]) -> Result<(), CommandError> {
        let shown = command_line(program, args);
        self.say(&format!("$ {shown}"));
        let repository = self.repository.clone();
        let done = self.call(program, args, &repository);
        let done = done.map_err(|error| missing(program, error))?;
        self.steps.push(super::Step {
            command: shown,
            exit_code: done.code,
        });
        let text = String::from_utf8_lossy(&done.stdout).into_owned();
        self.say(text.trim_end());
        if done.code == Some(0) {
            return Ok(());
        }
        let words = String::from_utf8_lossy(&done.stderr).trim().to_owned();
        Err(CommandError::internal(anyhow::Error::msg("a step of the demo failed")).excerpt(words))
    }
}
