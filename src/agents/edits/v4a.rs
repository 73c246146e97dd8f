//! Patches of `OpenAI` codex (`codex-rs/apply-patch/apply_patch_tool_instructions.md` has the grammar): `*** Begin Patch` and, for each file, `*** Add
//! File`, `*** Delete File` or `*** Update File` with hunks below `@@` and a line that they stand below.
//!
//! Where it differs: codex takes the first place that fits, and leaves what it changed before an error.

use super::hunk::{Hunk, Sign};
use super::{Action, Edit, Malformed, What};

pub(super) fn begins(line: &str) -> bool {
    line.trim() == "*** Begin Patch"
}

/// What a line of a patch opens.
enum Mark<'l> {
    Add(&'l str),
    Delete(&'l str),
    Update(&'l str),
    MoveTo(&'l str),
    EndOfFile,
    End,
}

fn mark(line: &str) -> Option<Mark<'_>> {
    let line = line.trim().strip_prefix("*** ")?;
    let named = [
        ("Add File: ", Mark::Add as fn(_) -> _),
        ("Delete File: ", Mark::Delete),
        ("Update File: ", Mark::Update),
        ("Move to: ", Mark::MoveTo),
    ];
    let found = named
        .into_iter()
        .find_map(|(words, mark)| Some(mark(line.strip_prefix(words)?.trim())));
    found.or(match line {
        "End of File" => Some(Mark::EndOfFile),
        "End Patch" => Some(Mark::End),
        _ => None,
    })
}

/// An update that is being read.
struct Update {
    path: String,
    to: Option<String>,
    hunks: Vec<Hunk>,
    line: usize,
}

#[derive(Default)]
struct Reader {
    edits: Vec<Edit>,
    update: Option<Update>,
    adds: bool,
}

pub(super) fn parse(lines: &[&str]) -> Result<Vec<Edit>, Malformed> {
    let mut reader = Reader::default();
    let mut is_inside = false;
    for (at, line) in lines.iter().enumerate() {
        if begins(line) {
            is_inside = true;
        } else if is_inside {
            is_inside = reader.line(line, at + 1)?;
        }
    }
    if is_inside {
        return Err(Malformed::new(lines.len(), What::Lacks("*** End Patch")));
    }
    if reader.edits.is_empty() {
        return Err(Malformed::new(1, What::NoEdits));
    }
    Ok(reader.edits)
}

impl Reader {
    /// Reads a line of a patch, and says whether the patch goes on.
    fn line(&mut self, line: &str, at: usize) -> Result<bool, Malformed> {
        let stray = || Malformed::new(at, What::Stray(line.to_owned()));
        let Some(mark) = mark(line) else {
            self.content(line).ok_or_else(stray)?;
            return Ok(true);
        };
        match mark {
            Mark::MoveTo(to) => {
                let update = self
                    .update
                    .as_mut()
                    .filter(|update| update.hunks.is_empty() && update.to.is_none());
                update.ok_or_else(stray)?.to = Some(to.to_owned());
                return Ok(true);
            }
            Mark::EndOfFile => {
                let hunk = self
                    .update
                    .as_mut()
                    .and_then(|update| update.hunks.last_mut());
                hunk.ok_or_else(stray)?.is_at_end = true;
                return Ok(true);
            }
            _ => {}
        }
        self.finish()?;
        self.adds = false;
        let (path, action) = match mark {
            Mark::Add(path) => (
                path,
                Action::Whole {
                    text: String::new(),
                },
            ),
            Mark::Delete(path) => (path, Action::Delete),
            Mark::Update(path) => {
                self.update = Some(Update {
                    path: path.to_owned(),
                    to: None,
                    hunks: Vec::new(),
                    line: at,
                });
                return Ok(true);
            }
            _ => return Ok(false),
        };
        self.adds = matches!(action, Action::Whole { .. });
        self.edits.push(Edit {
            path: path.to_owned(),
            action,
        });
        Ok(true)
    }

    /// Reads a line that is no mark; nothing when it does not belong here.
    fn content(&mut self, line: &str) -> Option<()> {
        if self.adds {
            if let Some(Edit {
                action: Action::Whole { text },
                ..
            }) = self.edits.last_mut()
            {
                text.push_str(line.strip_prefix('+')?);
                text.push('\n');
            }
            return Some(());
        }
        let Some(update) = &mut self.update else {
            return line.trim().is_empty().then_some(());
        };
        if let Some(scope) = line.strip_prefix("@@") {
            let scope = scope.trim().trim_end_matches("@@").trim_end();
            let is_open = update
                .hunks
                .last()
                .is_some_and(|hunk| hunk.lines.is_empty());
            if !is_open {
                update.hunks.push(Hunk {
                    is_ended: Some(true),
                    ..Hunk::default()
                });
            }
            // Numbers are no line of a file.
            if let Some(hunk) = update.hunks.last_mut()
                && !scope.is_empty()
                && !scope.starts_with('-')
            {
                hunk.scopes.push(scope.to_owned());
            }
            return Some(());
        }
        let (sign, text) = match line.chars().next() {
            Some('+') => (Sign::Add, &line[1..]),
            Some('-') => (Sign::Remove, &line[1..]),
            Some(' ') => (Sign::Keep, &line[1..]),
            None => (Sign::Keep, ""),
            Some(_) => return None,
        };
        if update.hunks.is_empty() {
            update.hunks.push(Hunk {
                is_ended: Some(true),
                ..Hunk::default()
            });
        }
        update.hunks.last_mut()?.lines.push((sign, text.to_owned()));
        Some(())
    }

    /// Ends the update that is being read.
    fn finish(&mut self) -> Result<(), Malformed> {
        let Some(mut update) = self.update.take() else {
            return Ok(());
        };
        for hunk in &mut update.hunks {
            // New lines alone go to the end, as codex has it.
            hunk.is_at_end |=
                hunk.scopes.is_empty() && hunk.lines.iter().all(|(sign, _)| *sign == Sign::Add);
        }
        let is_empty = update.hunks.iter().any(|hunk| hunk.lines.is_empty());
        if is_empty || update.hunks.is_empty() && update.to.is_none() {
            return Err(Malformed::new(update.line, What::EmptyHunk));
        }
        if !update.hunks.is_empty() {
            self.edits.push(Edit {
                path: update.path.clone(),
                action: Action::Hunks(update.hunks),
            });
        }
        if let Some(to) = update.to {
            self.edits.push(Edit {
                path: update.path,
                action: Action::Move { to, replaces: true },
            });
        }
        Ok(())
    }
}
