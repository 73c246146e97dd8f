//! Edits held to account by what others wrote: aider's chats, and gold solutions that are patched in with what models get wrong.

mod aider;
mod cases;
mod codex;
mod corruptions;
mod golds;
mod mutations;

use super::{Hunk, Sign};

/// A hunk of a diff, with where it stands.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    old: usize,
    new: usize,
    lines: Vec<(Sign, String)>,
}

impl Piece {
    fn count(&self, but: Sign) -> usize {
        self.lines.iter().filter(|(sign, _)| *sign != but).count()
    }

    fn text(&self, but: Sign) -> String {
        let lines = self.lines.iter().filter(|(sign, _)| *sign != but);
        lines.flat_map(|(_, line)| [line, "\n"]).collect()
    }
}

/// The hunks that turn one text into another, with some lines of context.
pub(super) fn pieces(before: &str, after: &str, context: usize) -> Vec<Piece> {
    let hunk = Hunk::between(before, after);
    let is_near = |at: usize| {
        let near = at.saturating_sub(context)..(at + context + 1).min(hunk.lines.len());
        hunk.lines[near].iter().any(|(sign, _)| *sign != Sign::Keep)
    };
    let mut pieces: Vec<Piece> = Vec::new();
    let (mut old, mut new) = (1, 1);
    let mut is_open = false;
    for (at, (sign, line)) in hunk.lines.iter().enumerate() {
        let is_in = is_near(at);
        if is_in && !is_open {
            pieces.push(Piece {
                old,
                new,
                lines: Vec::new(),
            });
        }
        if is_in && let Some(piece) = pieces.last_mut() {
            piece.lines.push((*sign, line.clone()));
        }
        is_open = is_in;
        old += usize::from(*sign != Sign::Add);
        new += usize::from(*sign != Sign::Remove);
    }
    pieces
}

/// A diff as git prints it.
pub(super) fn drawn(path: &str, pieces: &[Piece]) -> String {
    let mut text = format!("--- a/{path}\n+++ b/{path}\n");
    for piece in pieces {
        let (olds, news) = (piece.count(Sign::Add), piece.count(Sign::Remove));
        // An empty range names the line before it.
        let at = |line: usize, count: usize| if count == 0 { line - 1 } else { line };
        text.push_str(&format!(
            "@@ -{},{olds} +{},{news} @@\n",
            at(piece.old, olds),
            at(piece.new, news)
        ));
        for (sign, line) in &piece.lines {
            text.push(match sign {
                Sign::Keep => ' ',
                Sign::Remove => '-',
                Sign::Add => '+',
            });
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}
