//! What people see of the demo: acts with their numbers, the commands that matter, and of what these print the lines that matter.

use std::io::Read as _;

use super::acts::{ACTS, Act, Need};
use super::children::{command_line, missing};
use super::{Demo, Step};
use crate::error::CommandError;
use crate::output::Format;
use crate::ports::Finished;

/// No line of an act is longer.
const WIDEST: usize = 118;

/// How commands are called in what is shown: its folder is another one everywhere.
const NAME: &str = "maestro";

impl Demo<'_, '_> {
    /// Says what will be seen.
    pub(super) fn open(&mut self) {
        let many = ACTS.len();
        self.say(&format!(
            "maestro, on a small repository of its own: {many} acts, one a capability. Nobody outside is asked: what a model would\nanswer is written down, and everything else happens. Commands are as you can type them in the demo's folder."
        ));
        let folder = self.folder.display().to_string();
        let program = self.maestro.display().to_string();
        let words = format!("$ cd {folder}; alias {NAME}={program}");
        self.session.ui.status(&words);
    }

    /// Plays one act, or says why not.
    pub(super) fn play(&mut self, act: &Act) -> Result<(), CommandError> {
        let lacks: Vec<&str> = act
            .needs
            .iter()
            .filter(|need| self.lacks.contains(need))
            .map(|need| need.probe().0)
            .collect();
        self.act += 1;
        let Act { command, title, .. } = act;
        self.say(&format!("\n{}. {command}: {title}", self.act));
        if lacks.is_empty() {
            return (act.show)(self);
        }
        self.tell(&format!("left out: {} is not here", lacks.join(", ")));
        Ok(())
    }

    /// Tells the story: on standard output for people, beside the data otherwise.
    pub(super) fn say(&mut self, text: &str) {
        if self.session.settings.format.value == Format::Human {
            let _never_fails = writeln!(self.session.ui.out(), "{text}");
            let _never_fails = self.session.ui.out().flush();
        } else {
            self.session.ui.status(text);
        }
    }

    /// Says something within an act. Of what is long wide gaps become narrow ones, and then it is cut.
    pub(super) fn tell(&mut self, text: &str) {
        for line in text.lines() {
            let line = if self.is_full {
                line.to_owned()
            } else {
                fitted(line)
            };
            self.say(format!("   {line}").trim_end());
        }
    }

    /// Shows a command as it can be typed.
    pub(super) fn tell_command(&mut self, shown: &str) {
        let mut rest = format!("$ {shown}");
        let mut margin = "";
        while rest.len() > WIDEST {
            // Options begin with a dash, and what is cut there is still one word.
            let room = rest.char_indices().take_while(|(at, _)| *at < WIDEST);
            let room = room.last().map_or(0, |(at, _)| at);
            let Some(at) = rest[..room].rfind(" -").filter(|at| *at > 2) else {
                break;
            };
            self.say(&format!("   {margin}{} \\", &rest[..at]));
            rest = rest[at + 1..].to_owned();
            margin = "    ";
        }
        self.say(&format!("   {margin}{rest}"));
    }

    /// Runs maestro, which must end so, and shows the lines with one of these words; in full, all.
    pub(super) fn show(
        &mut self,
        args: &[&str],
        code: i32,
        words: &[&str],
    ) -> Result<Finished, CommandError> {
        let shown = command_line(NAME, args);
        self.show_as(&shown, args, code, words)
    }

    /// The same with another form of the command for people: one that does not name what is another thing each time.
    pub(super) fn show_as(
        &mut self,
        shown: &str,
        args: &[&str],
        code: i32,
        words: &[&str],
    ) -> Result<Finished, CommandError> {
        self.tell_command(shown);
        let done = self.session.world.processes.run(&self.maestro_call(args));
        let done = done.map_err(|error| missing(NAME, error))?;
        self.tell_output(&done, words);
        if done.code != Some(0) {
            let code = done.code.unwrap_or(-1);
            self.tell(&format!("exit code {code}"));
        }
        self.note(shown.to_owned(), &done, Some(code))?;
        Ok(done)
    }

    /// Shows of what a program printed the lines with one of these words; in full, all.
    pub(super) fn tell_output(&mut self, done: &Finished, words: &[&str]) {
        for stream in [&done.stdout, &done.stderr] {
            let text = String::from_utf8_lossy(stream).into_owned();
            self.tell_lines(&text, words);
        }
    }

    /// Shows the lines with one of these words, up to what stands behind a `…` in it; in full, all.
    pub(super) fn tell_lines(&mut self, text: &str, words: &[&str]) {
        if self.is_full {
            self.tell(text.trim_end());
            return;
        }
        let mut last = "";
        for line in text.lines() {
            let mut found = words.iter().filter_map(|word| {
                let (word, end) = word.split_once('…').unwrap_or((word, ""));
                let from = line.find(word)?;
                let end = line[from..].find(end).filter(|_| !end.is_empty());
                Some(&line[..end.map_or(line.len(), |end| from + end)])
            });
            // What is said of each of many, one after the other, is heard once.
            if let Some(kept) = found.next().filter(|kept| *kept != last) {
                last = kept;
                self.tell(kept);
            }
        }
    }

    /// Runs maestro for what others stand on; it must end well.
    pub(super) fn maestro(&mut self, args: &[&str]) -> Result<Finished, CommandError> {
        let shown = command_line(NAME, args);
        if self.is_full {
            self.tell_command(&shown);
        }
        let done = self.session.world.processes.run(&self.maestro_call(args));
        let done = done.map_err(|error| missing(NAME, error))?;
        self.note(shown, &done, Some(0))?;
        Ok(done)
    }

    /// Runs another program in the demo's folder for what others stand on; it must end well.
    pub(super) fn quietly(
        &mut self,
        program: &str,
        args: &[&str],
    ) -> Result<Finished, CommandError> {
        if self.is_full {
            self.tell_command(&command_line(program, args));
        }
        self.program(program, args, Some(0))
    }

    /// Runs another program in the demo's folder, and shows that; it must end well.
    pub(super) fn openly(
        &mut self,
        program: &str,
        args: &[&str],
        words: &[&str],
    ) -> Result<Finished, CommandError> {
        self.tell_command(&command_line(program, args));
        let done = self.program(program, args, Some(0))?;
        self.tell_output(&done, words);
        Ok(done)
    }

    /// Runs another program in the demo's folder.
    pub(super) fn program(
        &mut self,
        program: &str,
        args: &[&str],
        code: Option<i32>,
    ) -> Result<Finished, CommandError> {
        let folder = self.folder.clone();
        let done = self.call(program, args, &folder);
        let done = done.map_err(|error| missing(program, error))?;
        self.note(command_line(program, args), &done, code)?;
        Ok(done)
    }

    /// Remembers a step; one that had to end so and did not ends the demo.
    pub(super) fn note(
        &mut self,
        command: String,
        done: &Finished,
        code: Option<i32>,
    ) -> Result<(), CommandError> {
        let message = format!("a step of the demo failed: {command}");
        self.steps.push(Step {
            command,
            exit_code: done.code,
        });
        if code.is_none() || done.code == code {
            return Ok(());
        }
        let words = String::from_utf8_lossy(&done.stderr).trim().to_owned();
        Err(CommandError::internal(anyhow::Error::msg(message)).excerpt(words))
    }

    /// Clones a repository to a new folder beside it, and says who commits there.
    pub(super) fn clone_to(&mut self, from: &str, name: &str) -> Result<(), CommandError> {
        let path = self.folder.join(name);
        let files = self.session.world.files.as_ref();
        files
            .remove_folder(&path)
            .map_err(|error| CommandError::writing(&path, error))?;
        let who = [
            "--config",
            "user.name=Ada Example",
            "--config",
            "user.email=ada@example.com",
        ];
        let [one, two, three, four] = who;
        let args = ["clone", "--quiet", one, two, three, four, from, name];
        self.quietly("git", &args).map(drop)
    }

    /// Commits everything in a clone.
    pub(super) fn commit_in(&mut self, name: &str, message: &str) -> Result<(), CommandError> {
        self.quietly("git", &["-C", name, "add", "--all"])?;
        let commit = ["-C", name, "commit", "--quiet", "--message", message];
        self.quietly("git", &commit).map(drop)
    }

    /// Whether a program is not here.
    pub(super) fn is_without(&self, need: Need) -> bool {
        self.lacks.contains(&need)
    }

    /// Writes a document; the path is from the demo's folder.
    pub(super) fn leave(
        &self,
        path: &str,
        document: &serde_json::Value,
    ) -> Result<(), CommandError> {
        self.leave_text(path, &format!("{document}\n"))
    }

    pub(super) fn leave_text(&self, path: &str, text: &str) -> Result<(), CommandError> {
        let path = self.folder.join(path);
        let files = self.session.world.files.as_ref();
        if let Some(folder) = path.parent() {
            files
                .create_folder(folder)
                .map_err(|error| CommandError::writing(folder, error))?;
        }
        files
            .write_atomic(&path, &mut |out| out.write_all(text.as_bytes()))
            .map_err(|error| CommandError::writing(&path, error))
    }

    /// Changes a file's text; the path is from the demo's folder.
    pub(super) fn edit(
        &self,
        path: &str,
        change: impl Fn(&str) -> String,
    ) -> Result<(), CommandError> {
        let text = self.text_of(path)?;
        self.leave_text(path, &change(&text))
    }

    /// Reads a file; the path is from the demo's folder.
    pub(super) fn text_of(&self, path: &str) -> Result<String, CommandError> {
        let path = self.folder.join(path);
        let files = self.session.world.files.as_ref();
        let mut text = String::new();
        files
            .open(&path)
            .and_then(|mut file| file.read_to_string(&mut text))
            .map_err(|error| CommandError::reading(&path, error))?;
        Ok(text)
    }
}

/// Returns a line that is not too long.
fn fitted(line: &str) -> String {
    let mut line = line.to_owned();
    while line.chars().count() > WIDEST && line.contains("    ") {
        line = line.replace("    ", "   ");
    }
    match line.char_indices().nth(WIDEST) {
        Some(_) => {
            let kept: String = line.chars().take(WIDEST - 1).collect();
            format!("{kept}…")
        }
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::{WIDEST, fitted};

    #[test]
    fn what_fits_stays_as_it_is() {
        let line = format!("a       {}", "b".repeat(WIDEST - 8));
        assert_eq!(fitted(&line), line);
    }

    #[test]
    fn wide_gaps_of_long_lines_become_narrow() {
        let wide = " ".repeat(12);
        let line = format!("a{wide}{}", "b".repeat(WIDEST - 4));
        assert_eq!(fitted(&line), format!("a   {}", "b".repeat(WIDEST - 4)));
    }

    #[test]
    fn what_is_still_too_long_is_cut_between_letters() {
        let line = fitted(&"ä".repeat(WIDEST + 1));
        assert_eq!(line, format!("{}…", "ä".repeat(WIDEST - 1)));
    }
}
