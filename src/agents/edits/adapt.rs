//! New lines as they would stand in the file, learned from the lines that were found: what the model got wrong in those it got wrong in the new
//! ones as well. Where that is not clear, nothing is done.

use super::indent::{Shift, least, of_house};
use super::levels::{Level, indent, plain};
use super::text::Text;

/// Lines of an edit and the places of the file's lines that they stand for.
#[derive(Debug)]
pub(super) struct Matched<'h> {
    pub(super) level: Level,
    pub(super) pairs: Vec<(&'h str, usize)>,
}

/// Makes new lines fit.
#[derive(Debug)]
pub(super) struct Adapter {
    shift: Shift,
    /// Whether the model put white space at the ends of lines where there is none.
    trims: bool,
    /// Whether the model writes typographic characters where the file has plain ones.
    flattens: bool,
    /// Plain characters for which the file has typographic ones.
    loses: Vec<char>,
}

/// Why new lines cannot be made to fit, in words that follow "it was found, but".
pub(super) type Doubt = &'static str;

impl Adapter {
    /// Learns from what was found what is to be done with new lines; `new` is the whole text afterwards.
    pub(super) fn learn(
        text: &Text<'_>,
        found: &Matched<'_>,
        added: &[&str],
        new: &[&str],
        is_code: bool,
    ) -> Result<Self, Doubt> {
        let pairs = || found.pairs.iter().map(|(ours, at)| (*ours, text.line(*at)));
        let mut adapter = Self {
            shift: Shift::Same,
            trims: false,
            flattens: false,
            loses: Vec::new(),
        };
        if found.level > Level::Exact {
            adapter.shift = Shift::learn(pairs())
                .ok_or("its lines are indented differently, and not all in the same way")?;
        }
        if added.is_empty() {
            return Ok(adapter);
        }
        if found.level > Level::Exact {
            is_clear(&adapter.shift, pairs(), new)?;
            adapter.trims = pairs().any(|(ours, theirs)| {
                ours.trim_end().len() < ours.len() && theirs.trim_end().len() == theirs.len()
            });
        }
        if found.level >= Level::Folded {
            adapter.typography(pairs());
        }
        if adapter.shift == Shift::Same && pairs().all(|(ours, _)| indent(ours).is_empty()) {
            adapter.shift = of_house(text.lines(), added).ok_or("the file is indented with spaces and the new lines with tabs, or the other way round")?;
        }
        if is_code && !adapter.flattens {
            let is_odd = |line: &&&str| has_quote(line, true) && !has_quote(line, false);
            let is_new = |line: &&&str| !text.lines().any(|theirs| shares_quote(line, theirs));
            let odd: Vec<&str> = added
                .iter()
                .filter(is_odd)
                .filter(is_new)
                .copied()
                .collect();
            adapter.flattens = odd.iter().any(|line| is_mangled(line));
            if !odd.is_empty() && !adapter.flattens {
                return Err(
                    "the new lines have typographic quotes, which the file has nowhere: write plain ones, or escapes if they are meant",
                );
            }
        }
        Ok(adapter)
    }

    /// Compares the characters of lines that were found.
    fn typography<'t>(&mut self, pairs: impl Iterator<Item = (&'t str, &'t str)>) {
        for (ours, theirs) in pairs {
            for flat in ['\'', '"', '-', ' '] {
                let count = |line: &str, typographic: bool| {
                    let is_it = |c: &char| {
                        if typographic {
                            plain(*c) == Some(flat)
                        } else {
                            *c == flat
                        }
                    };
                    line.chars().filter(is_it).count()
                };
                let (ours_plain, theirs_plain) = (count(ours, false), count(theirs, false));
                self.flattens |= flat != ' ' && theirs_plain > ours_plain && count(ours, true) > 0;
                if ours_plain > theirs_plain
                    && count(theirs, true) > 0
                    && !self.loses.contains(&flat)
                {
                    self.loses.push(flat);
                }
            }
        }
    }

    /// Returns the lines that come in the place of others.
    pub(super) fn run(
        &self,
        text: &Text<'_>,
        gone: &[(&str, usize)],
        added: &[&str],
    ) -> Result<Vec<String>, Doubt> {
        let differs = gone.iter().any(|(ours, at)| {
            self.loses
                .iter()
                .any(|c| ours.contains(*c) && plain_count(text.line(*at)) > 0)
        });
        if differs
            && added
                .iter()
                .any(|line| self.loses.iter().any(|c| line.contains(*c)))
        {
            return Err(
                "the file has typographic characters in lines that are to be replaced, and the new lines have plain ones",
            );
        }
        commas(text, gone, added)?;
        let reach = "a new line is indented less than all lines that were found";
        added
            .iter()
            .map(|line| self.line(line).ok_or(reach))
            .collect()
    }

    fn line(&self, line: &str) -> Option<String> {
        let mut line = self.shift.apply(line)?;
        if self.trims {
            line.truncate(line.trim_end().len());
        }
        if self.flattens {
            line = line.chars().map(|c| plain(c).unwrap_or(c)).collect();
        }
        Some(line)
    }
}

/// Whether it is clear that new lines move as the found ones do: a text that is already as deep as the file may have been meant as it stands.
fn is_clear<'t>(
    shift: &Shift,
    pairs: impl Iterator<Item = (&'t str, &'t str)> + Clone,
    new: &[&str],
) -> Result<(), Doubt> {
    if !matches!(shift, Shift::Deeper(_)) {
        return Ok(());
    }
    let ours = least(pairs.clone().map(|(ours, _)| ours));
    let theirs = least(pairs.map(|(_, theirs)| theirs));
    let (Some(ours), Some(theirs), Some(new)) = (ours, theirs, least(new.iter().copied())) else {
        return Ok(());
    };
    if new != ours && new >= theirs {
        return Err(
            "its indentation is another one, and the new lines may already have the file's",
        );
    }
    Ok(())
}

/// A line that was found but for its comma, and is replaced: the new one must end as the file's does.
fn commas(text: &Text<'_>, gone: &[(&str, usize)], added: &[&str]) -> Result<(), Doubt> {
    let ends = |line: &str| line.trim_end().ends_with(',');
    for (nth, (ours, at)) in gone.iter().enumerate() {
        let theirs = text.line(*at);
        if ends(ours) == ends(theirs) {
            continue;
        }
        let with = if gone.len() == added.len() {
            added.get(nth)
        } else {
            added.last()
        };
        if with.is_some_and(|with| ends(with) != ends(theirs)) {
            return Err(
                "a line that is to be replaced ends with a comma in the one and not in the other",
            );
        }
    }
    Ok(())
}

fn plain_count(line: &str) -> usize {
    line.chars().filter(|c| plain(*c).is_some()).count()
}

/// Whether typographic quotes stand where only a program's own can: `call(“`, `= “`, `&‘a`, `’ =>`, `”);`.
fn is_mangled(line: &str) -> bool {
    line.char_indices()
        .filter(|(_, c)| is_quote(*c))
        .any(|(at, c)| {
            let (before, behind) = (&line[..at], &line[at + c.len_utf8()..]);
            let called = before.strip_suffix('(').is_some_and(|name| {
                name.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '!'))
            });
            let opens = ["= ", "=> ", "+ ", "[", "&", "<", "(r", "(b", "return "]
                .iter()
                .any(|sign| before.ends_with(sign));
            called
                || opens
                || [" =>", ");", ";"]
                    .iter()
                    .any(|sign| behind.starts_with(sign))
        })
}

fn is_quote(c: char) -> bool {
    matches!(plain(c), Some('\'' | '"'))
}

fn has_quote(line: &str, is_typographic: bool) -> bool {
    line.chars().any(|c| {
        if is_typographic {
            is_quote(c)
        } else {
            matches!(c, '\'' | '"')
        }
    })
}

fn shares_quote(line: &str, theirs: &str) -> bool {
    !theirs.is_ascii() && line.chars().any(|c| is_quote(c) && theirs.contains(c))
}
