//! A team of agents takes an issue from the plan to the text of a draft pull request. The model's answers are recorded, the commands that judge them are run.

use super::Demo;
use crate::error::CommandError;
use crate::ports::sandbox::SandboxProblem;

/// Where it happens.
pub(super) const CLONE: &str = "team";

/// Its job.
const CONFIG: &str = "\
schema: maestro.config/v1
jobs:
  prices: { paths: ['post/**'], run: sh tests/price.sh }
";

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
    pub(super) fn run_agents(&mut self) -> Result<(), CommandError> {
        self.clone_to("repository", CLONE)?;
        self.leave_text("team/post/price.sh", PRICE)?;
        self.leave_text("team/tests/price.sh", TEST)?;
        self.leave_text("team/.maestro/maestro.yaml", CONFIG)?;
        self.commit_in(CLONE, "Say what parcels cost")?;
        let files = self.session.world.files.as_ref();
        let old = self.folder.join("issue");
        let removed = files.remove_folder(&old);
        removed.map_err(|error| CommandError::writing(&old, error))?;
        self.leave_text("issue/issue.md", ISSUE)?;
        self.leave_text("issue/answers.json", ANSWERS)?;
        let shield = self.shield();
        let mut run = vec!["-C", CLONE, "--offline", "run-agents"];
        run.extend(["--issue", "../issue/issue.md", "--recorded"]);
        run.extend(["../issue/answers.json", "--run-id", "bulky", "--max-usd"]);
        run.extend(["1", "--bundle", "../issue/bundle"]);
        for command in ["sh tests/price.sh", "sh tests/bulky.sh", "sh -n"] {
            run.extend(["--allow-command", command]);
        }
        let shown = super::children::command_line("maestro", &run);
        run.extend(["--sandbox", shield]);
        if self.is_full {
            self.tell(ISSUE);
        }
        self.show_as(&shown, &run, 0, &["it cost"])?;
        let rows = [
            "planner",
            "scaffolder  ",
            "implementer  … (exit",
            "tester  ",
            "reviewer  ",
            "docs  ",
        ];
        self.show(&["-C", CLONE, "run-agents", "show", "bulky"], 0, &rows)?;
        let pack = ["../issue/bundle/change.bundle", "refs/maestro/run"];
        let fetch = ["-C", CLONE, "fetch", "--quiet"];
        self.quietly("git", &[fetch.as_slice(), &pack].concat())?;
        let checkout = ["-C", CLONE, "checkout", "--quiet", "--detach", "FETCH_HEAD"];
        self.quietly("git", &checkout)?;
        let diff = [
            "-C",
            CLONE,
            "--no-pager",
            "diff",
            "--no-color",
            "main",
            "HEAD",
        ];
        self.openly("git", &diff, &["+bulky", "+test", "+echo $", "-echo"])?;
        let tests = "cd team && sh tests/price.sh && sh tests/bulky.sh";
        self.openly("sh", &["-c", tests], &["prices are", "cost more"])?;
        let publish = ["-C", CLONE, "--offline", "run-agents", "publish"];
        let publish = [publish.as_slice(), &["../issue/bundle", "--dry-run"]].concat();
        let words = [
            "Would push",
            "Title: ",
            "Parcels above",
            "Look first",
            "passed, ",
            "Models cost",
        ];
        self.show(&publish, 0, &words).map(drop)
    }

    pub(super) fn prompts(&mut self) -> Result<(), CommandError> {
        let words = ["passed, ", "cannot close its block, hide"];
        self.show(&["prompts", "test"], 0, &words).map(drop)
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
        let ui = &mut *self.session.ui;
        ui.warn(&format!(
            "this machine cannot shut programs in ({lacks}): the demo's own answers run here without a sandbox; elsewhere a run would not begin"
        ));
        "off"
    }
}
