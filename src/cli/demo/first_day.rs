//! The first day: what it would bring, what `init` writes, what will fail.

use super::Demo;
use crate::error::CommandError;

/// A clone that knows nothing of maestro yet.
const FRESH: &str = "fresh";

impl Demo<'_, '_> {
    pub(super) fn audit(&mut self) -> Result<(), CommandError> {
        self.make_history()?;
        let words = [
            "Job runs that",
            "Lead time to merge",
            "Change fail rate",
            "Changes of coding",
        ];
        let args = ["-C", super::delivery::CLONE, "audit", "--offline"];
        self.show(&args, 0, &words).map(drop)
    }

    pub(super) fn init(&mut self) -> Result<(), CommandError> {
        self.clone_to("repository", FRESH)?;
        let forget = ["-C", FRESH, "rm", "-r", "--quiet", ".maestro"];
        self.quietly("git", &forget)?;
        self.commit_in(FRESH, "Know nothing of maestro")?;
        let words = ["tested by", "written", "1. git add…, and open"];
        self.show(&["-C", FRESH, "init"], 0, &words)?;
        self.commit_in(FRESH, "Let maestro look on")
    }

    pub(super) fn doctor(&mut self) -> Result<(), CommandError> {
        let args = ["-C", FRESH, "doctor"];
        self.tell_command(&format!("maestro {}", args.join(" ")));
        let done = self.session.world.processes.run(&self.maestro_call(&args));
        let done = done.map_err(|error| super::missing("maestro", error))?;
        // What this machine lacks is for its owner to see, and no fault of the demo.
        self.tell_output(&done, &["  clone ", "  config "]);
        if !self.is_full {
            self.tell(
                "…      git, disk, and what the kernel has to shut agents in: as this machine is",
            );
        }
        self.note(format!("maestro {}", args.join(" ")), &done, None)
    }
}
