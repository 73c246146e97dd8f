//! What all acts stored comes together, and makes the week's page.

use super::Demo;
use crate::error::CommandError;
use crate::report::week::Week;

/// The clones whose acts stored something.
const CLONES: [&str; 4] = [
    super::pull_request::CLONE,
    super::safety::CLONE,
    super::team::CLONE,
    super::money::CLONE,
];

impl Demo<'_, '_> {
    /// Lets the clones publish what they stored, writes the page of this week, and says where it is.
    pub(super) fn learning_pack(&mut self) -> Result<(), CommandError> {
        for clone in CLONES {
            let stored = self.folder.join(clone).join(".git/maestro");
            if self.session.world.files.kind(&stored).is_err() {
                continue;
            }
            let address = ["-C", clone, "config", "remote.page.url", "../remote.git"];
            self.quietly("git", &address)?;
            self.maestro(&["-C", clone, "state", "push", "--remote", "page"])?;
        }
        self.maestro(&["-C", "repository", "state", "sync"])?;
        let week = Week::of(self.session.now()).name();
        let write = ["-C", "repository", "learning-pack", "--week", &week];
        let words = ["Week ", "1. ", "2. ", "3. ", "   cost: …, 0."];
        self.show(
            &[write.as_slice(), &["--out", "../page"]].concat(),
            0,
            &words,
        )?;
        let page = format!("page/{week}.html");
        let path = self.folder.join(&page);
        if self.session.world.files.kind(&path).is_err() {
            let message = format!("`{}` is not there", path.display());
            return Err(CommandError::internal(anyhow::Error::msg(message)));
        }
        self.tell(&format!("Open the page: {page}"));
        Ok(())
    }
}
