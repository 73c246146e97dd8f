//! New lines in the indentation of the file, as far as the lines that were found show how that differs from the model's.

use super::levels::indent;

/// How the file's indentation differs from that of an edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shift {
    Same,
    /// The file has this before every line's own indentation.
    Deeper(String),
    /// The edit has this before every line's own indentation.
    Shallower(String),
    /// Tabs in the file, spaces in the edit: so many a tab.
    ToTabs(usize),
    /// Spaces in the file, tabs in the edit: so many a tab.
    ToSpaces(usize),
}

/// How wide a tab may be, likeliest first.
const WIDTHS: [usize; 4] = [4, 2, 8, 3];

impl Shift {
    /// Learns it from lines of an edit and the file's lines that they stand for; nothing when there is no one rule that explains them all.
    pub(super) fn learn<'t>(
        pairs: impl Iterator<Item = (&'t str, &'t str)> + Clone,
    ) -> Option<Self> {
        let pairs = pairs
            .filter(|(ours, theirs)| !ours.trim().is_empty() && !theirs.trim().is_empty())
            .map(|(ours, theirs)| (indent(ours), indent(theirs)));
        if pairs.clone().all(|(ours, theirs)| ours == theirs) {
            return Some(Self::Same);
        }
        let (ours, theirs) = pairs.clone().next()?;
        let prefixes = (theirs.strip_suffix(ours), ours.strip_suffix(theirs));
        if let (Some(prefix), _) = prefixes
            && pairs
                .clone()
                .all(|(ours, theirs)| theirs.strip_prefix(prefix) == Some(ours))
        {
            return Some(Self::Deeper(prefix.to_owned()));
        }
        if let (_, Some(prefix)) = prefixes
            && pairs
                .clone()
                .all(|(ours, theirs)| ours.strip_prefix(prefix) == Some(theirs))
        {
            return Some(Self::Shallower(prefix.to_owned()));
        }
        let has_tab = |text: &str| text.contains('\t');
        let ours_has = pairs.clone().any(|(ours, _)| has_tab(ours));
        let theirs_has = pairs.clone().any(|(_, theirs)| has_tab(theirs));
        let to: fn(usize) -> Self = match (ours_has, theirs_has) {
            (true, false) => Self::ToSpaces,
            (false, true) => Self::ToTabs,
            _ => return None,
        };
        let fits = |width: &usize| {
            pairs
                .clone()
                .all(|(ours, theirs)| columns(ours, *width) == columns(theirs, *width))
        };
        WIDTHS.into_iter().find(fits).map(to)
    }

    /// Returns a new line of the edit as it would stand in the file; nothing where the rule does not reach.
    pub(super) fn apply(&self, line: &str) -> Option<String> {
        let white = indent(line);
        let rest = &line[white.len()..];
        if rest.is_empty() {
            return Some(line.to_owned());
        }
        Some(match self {
            Self::Same => line.to_owned(),
            Self::Deeper(prefix) => format!("{prefix}{line}"),
            Self::Shallower(prefix) => line.strip_prefix(prefix.as_str())?.to_owned(),
            Self::ToSpaces(width) => format!("{}{rest}", " ".repeat(columns(white, *width))),
            Self::ToTabs(width) => {
                let columns = columns(white, *width);
                let spaces = " ".repeat(columns % width);
                format!("{}{spaces}{rest}", "\t".repeat(columns / width))
            }
        })
    }
}

fn columns(white: &str, width: usize) -> usize {
    white.chars().fold(0, |columns, c| match c {
        '\t' => (columns / width + 1) * width,
        _ => columns + 1,
    })
}

/// Returns how many columns the least of the lines is indented; nothing when all are blank.
pub(super) fn least<'t>(lines: impl Iterator<Item = &'t str>) -> Option<usize> {
    let told = lines.filter(|line| !line.trim().is_empty());
    told.map(|line| columns(indent(line), 4)).min()
}

/// Learns it from the whole file, for an edit whose found lines are not indented: tabs in the one and spaces in the other are no choice of a
/// model's. Nothing when both mix them, or the width of a tab is not clear.
pub(super) fn of_house<'t>(file: impl Iterator<Item = &'t str>, added: &[&str]) -> Option<Shift> {
    let (ours_tabs, ours_spaces, ours_step) = habits(added.iter().copied());
    if ours_tabs == 0 && ours_spaces == 0 {
        return Some(Shift::Same);
    }
    let (tabs, spaces, step) = habits(file);
    match (ours_tabs > 0, ours_spaces > 0, tabs > 0, spaces > 0) {
        (true, false, false, true) => step.map(Shift::ToSpaces),
        (false, true, true, false) => ours_step.map(Shift::ToTabs),
        _ => Some(Shift::Same),
    }
}

/// Counts the lines that begin with a tab and with spaces, and tells by how many spaces they step in most often.
fn habits<'t>(lines: impl Iterator<Item = &'t str>) -> (usize, usize, Option<usize>) {
    let (mut tabs, mut spaces, mut before) = (0, 0, 0);
    let mut steps = [0_usize; 9];
    for line in lines.filter(|line| !line.trim().is_empty()) {
        let white = indent(line);
        if white.starts_with('\t') {
            tabs += 1;
        } else if white.len() > 1 {
            spaces += 1;
        }
        if let Some(count) = white
            .len()
            .checked_sub(before)
            .and_then(|step| steps.get_mut(step))
        {
            *count += 1;
        }
        before = white.len();
    }
    let common = [2, 3, 4, 8].into_iter().max_by_key(|step| steps[*step]);
    (tabs, spaces, common.filter(|step| steps[*step] > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learn(ours: &[&str], theirs: &[&str]) -> Option<Shift> {
        Shift::learn(ours.iter().copied().zip(theirs.iter().copied()))
    }

    #[test]
    fn lines_that_all_moved_alike() {
        let shift = learn(&["a", "  b", ""], &["    a", "      b", ""]).unwrap();
        assert_eq!(shift, Shift::Deeper("    ".into()));
        assert_eq!(shift.apply("  c").unwrap(), "      c");
        assert_eq!(shift.apply("").unwrap(), "");
        let shift = learn(&["\t\ta", "\t\t\tb"], &["\ta", "\t\tb"]).unwrap();
        assert_eq!(shift, Shift::Shallower("\t".into()));
        assert_eq!(shift.apply("\t\t c").unwrap(), "\t c");
        assert_eq!(shift.apply(" c"), None);
    }

    #[test]
    fn tabs_and_spaces() {
        let shift = learn(&["a", "    b", "        c"], &["a", "\tb", "\t\tc"]).unwrap();
        assert_eq!(shift, Shift::ToTabs(4));
        assert_eq!(shift.apply("          d").unwrap(), "\t\t  d");
        let shift = learn(&["\ta"], &["  a"]).unwrap();
        assert_eq!(shift, Shift::ToSpaces(2));
        assert_eq!(shift.apply("\t\td").unwrap(), "    d");
    }

    #[test]
    fn no_rule_is_no_guess() {
        assert_eq!(learn(&["a", "b"], &["  a", "    b"]), None);
        assert_eq!(learn(&["  a", "    b"], &["  a", "  b"]), None);
        assert_eq!(learn(&["\ta", "  b"], &["  a", "\tb"]), None);
    }

    #[test]
    fn the_house_has_habits() {
        let rust = "fn a() {\n    b();\n    if c {\n        d();\n    }\n}\n";
        assert_eq!(
            of_house(rust.lines(), &["fn e() {", "\tf();", "}"]),
            Some(Shift::ToSpaces(4))
        );
        assert_eq!(
            of_house(rust.lines(), &["fn e() {", "  f();", "}"]),
            Some(Shift::Same)
        );
        assert_eq!(of_house(rust.lines(), &["fn e() {}"]), Some(Shift::Same));
        let go = "func a() {\n\tb()\n}\n";
        assert_eq!(
            of_house(go.lines(), &["func c() {", "    d()", "}"]),
            Some(Shift::ToTabs(4))
        );
        assert_eq!(of_house("all:\n".lines(), &["\tcc x.c"]), Some(Shift::Same));
    }
}
