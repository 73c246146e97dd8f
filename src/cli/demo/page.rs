//! The end of the demo: what all parts stored comes together, and makes the week's page.

use super::Demo;
use crate::error::CommandError;
use crate::report::week::Week;

/// The clones whose parts stored something, from the folder of all parts.
const CLONES: [&str; 3] = ["gate", "guard", "team"];

impl Demo<'_, '_> {
    /// Lets the clones publish what they stored, writes the page of this week, and says where it is.
    pub(super) fn write_the_page(&mut self) -> Result<(), CommandError> {
        self.say("\nThe week so far at a glance, from all that was stored:");
        let remote = self.folder.join("remote.git");
        if self.session.world.files.kind(&remote).is_err() {
            self.make_remote()?;
        }
        for clone in CLONES {
            let beside = format!("../{clone}");
            let stored = self.repository.join(&beside).join(".git/maestro");
            if self.session.world.files.kind(&stored).is_err() {
                continue;
            }
            let address = ["-C", clone, "config", "remote.page.url", "../remote.git"];
            self.shown_in_folder("git", &address)?;
            self.maestro(&["-C", &beside, "state", "push", "--remote", "page"])?;
        }
        self.maestro(&["state", "sync"])?;
        let week = Week::of(self.session.now()).name();
        let now = self.session.settings.now.value.map(|now| now.to_string());
        let mut write: Vec<&str> = Vec::new();
        write.extend(now.iter().flat_map(|now| ["--now", now.as_str()]));
        write.extend(["learning-pack", "--week", &week, "--out", "../page"]);
        let done = self.maestro(&write)?;
        let text = String::from_utf8_lossy(&done.stdout).into_owned();
        self.say(text.trim_end());
        let page = self.folder.join("page").join(format!("{week}.html"));
        if self.session.world.files.kind(&page).is_err() {
            let message = format!("`{}` is not there", page.display());
            return Err(CommandError::internal(anyhow::Error::msg(message)));
        }
        self.say(&format!("\nOpen the page: {}", page.display()));
        Ok(())
    }
}
