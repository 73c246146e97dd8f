//! Edits over the files of a task: all or none. A later edit sees what an earlier one left; nothing is written here.

use std::collections::{BTreeMap, BTreeSet};

use super::fit::{CLOSE, Change, Misfit, fit, fit_loosely, tells};
use super::fragment;
use super::hunk::{Hunk, Sign};
use super::levels::Level;
use super::nearest::nearest;
use super::peel::peel;
use super::refusal::{Excerpt, Failure, Refusal, Why};
use super::text::{Hits, Text};
use super::{Action, Edit};
use crate::order;
use crate::policy::paths;

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    File(Vec<u8>),
    Nothing,
    Folder,
    /// A link stands there, or on the way there.
    Link,
}

/// The files that edits may name.
pub(crate) trait Tree {
    /// Looks at a path from the top, in its exact spelling.
    fn look(&self, path: &str) -> Found;
    /// All paths of files, for names that are nearly right.
    fn names(&self) -> &[String];
}

/// A file before and after; nothing where it is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileChange {
    pub(crate) path: String,
    pub(crate) before: Option<Vec<u8>>,
    pub(crate) after: Option<Vec<u8>>,
}

/// How many edits must have failed for the others not to be tried.
const ENOUGH: usize = 20;

/// Returns what the edits make of the files, in the order of their paths, or why none of them is applied.
pub(crate) fn apply(edits: &[Edit], tree: &dyn Tree) -> Result<Vec<FileChange>, Refusal> {
    let mut failures = Vec::new();
    let mut loaded: BTreeMap<String, Found> = BTreeMap::new();
    let mut paths: Vec<Option<(String, Option<String>)>> = Vec::with_capacity(edits.len());
    let mut made = BTreeSet::new();
    for (nth, edit) in edits.iter().enumerate() {
        let mut resolve =
            |path: &str, makes: bool| resolve(path, makes, tree, &mut loaded, &mut made);
        let makes = match &edit.action {
            Action::Create { .. } | Action::Whole { .. } => true,
            Action::Replace { search, .. } => search.trim().is_empty(),
            _ => false,
        };
        let path = resolve(&edit.path, makes);
        let pair = match &edit.action {
            Action::Move { to, .. } => path.and_then(|path| Ok((path, Some(resolve(to, true)?)))),
            _ => path.map(|path| (path, None)),
        };
        let pair = pair.map_err(|why| {
            failures.push(Failure {
                edit: nth + 1,
                hunk: None,
                path: edit.path.clone(),
                why,
            });
        });
        paths.push(pair.ok());
    }
    let files = loaded.iter();
    let mut files: BTreeMap<&str, File<'_>> =
        order::map(files.map(|(path, found)| (path.as_str(), File::of(found))));
    for (nth, (edit, path)) in edits.iter().zip(&paths).enumerate() {
        let Some((path, to)) = path else { continue };
        if failures.len() >= ENOUGH {
            break;
        }
        if let Err((hunk, why)) = one(edit, path, to.as_deref(), &mut files) {
            failures.push(Failure {
                edit: nth + 1,
                hunk,
                path: path.clone(),
                why,
            });
        }
    }
    if !failures.is_empty() {
        order::sort_by_key(&mut failures, |failure| failure.edit);
        return Err(Refusal {
            failures,
            of: edits.len(),
        });
    }
    let changes = files.into_iter().filter_map(|(path, file)| {
        let before = match loaded.get(path) {
            Some(Found::File(bytes)) => Some(bytes.clone()),
            _ => None,
        };
        let after = file.write();
        (before != after).then(|| FileChange {
            path: path.to_owned(),
            before,
            after,
        })
    });
    Ok(changes.collect())
}

/// Finds the file that a path means, and looks at it.
fn resolve(
    path: &str,
    makes: bool,
    tree: &dyn Tree,
    loaded: &mut BTreeMap<String, Found>,
    made: &mut BTreeSet<String>,
) -> Result<String, Why> {
    let mut path = path.trim();
    while let Some(rest) = path.strip_prefix("./") {
        path = rest;
    }
    let slashed;
    if path.contains('\\') {
        slashed = path.replace('\\', "/");
        path = &slashed;
    }
    if let Some(oddity) = paths::oddity(path, true) {
        return Err(Why::Path(oddity));
    }
    let mut path = path.to_owned();
    if !loaded.contains_key(&path) {
        let mut found = tree.look(&path);
        if found == Found::Nothing {
            match other_case(&path, tree.names()).as_slice() {
                [] => {}
                [other] => {
                    path.clone_from(other);
                    found = tree.look(&path);
                }
                many => return Err(Why::NoFile(many.to_vec())),
            }
        }
        loaded.entry(path.clone()).or_insert(found);
    }
    match loaded.get(&path) {
        Some(Found::Link) => Err(Why::NoText("a link, or behind one")),
        Some(Found::Folder) => Err(Why::NoText("a folder")),
        Some(Found::Nothing) if !makes && !made.contains(&path) => {
            Err(Why::NoFile(like(&path, tree.names())))
        }
        _ => {
            if makes {
                made.insert(path.clone());
            }
            Ok(path)
        }
    }
}

/// The files whose path differs in case only.
fn other_case(path: &str, names: &[String]) -> Vec<String> {
    let is_other = |name: &&String| name.len() == path.len() && name.eq_ignore_ascii_case(path);
    names.iter().filter(is_other).take(5).cloned().collect()
}

/// The files whose path is most like one.
fn like(path: &str, names: &[String]) -> Vec<String> {
    let last = |path: &str| path.rsplit('/').next().map(str::to_lowercase);
    let wanted = last(path);
    let same: Vec<String> = names
        .iter()
        .filter(|name| last(name) == wanted)
        .take(3)
        .cloned()
        .collect();
    if !same.is_empty() {
        return same;
    }
    let likeness = |name: &String| (strsim::jaro_winkler(path, name) * 1000.0, name.clone());
    let best = names
        .iter()
        .take(20_000)
        .map(likeness)
        .filter(|(likeness, _)| *likeness > 850.0);
    best.max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
        .into_iter()
        .collect()
}

/// A file as the edits so far have left it.
#[derive(Debug)]
enum File<'a> {
    Nothing,
    Text(Text<'a>),
    /// It is no UTF-8 text.
    Bytes(&'a [u8]),
}

impl<'a> File<'a> {
    fn of(found: &'a Found) -> Self {
        match found {
            Found::File(bytes) => std::str::from_utf8(bytes)
                .map_or(Self::Bytes(bytes), |text| Self::Text(Text::read(text))),
            _ => Self::Nothing,
        }
    }

    fn write(&self) -> Option<Vec<u8>> {
        match self {
            Self::Nothing => None,
            Self::Text(text) => Some(text.write()),
            Self::Bytes(bytes) => Some(bytes.to_vec()),
        }
    }
}

type Files<'a> = BTreeMap<&'a str, File<'a>>;
/// Which hunk of an edit, and why.
type Failed = (Option<usize>, Why);

fn one<'a>(
    edit: &'a Edit,
    path: &'a str,
    to: Option<&'a str>,
    files: &mut Files<'a>,
) -> Result<(), Failed> {
    let file = files.entry(path).or_insert(File::Nothing);
    let fail = |why| Err((None, why));
    match (&edit.action, &mut *file) {
        (Action::Create { .. }, File::Text(_) | File::Bytes(_)) => return fail(Why::Exists),
        (Action::Create { text } | Action::Whole { text }, File::Nothing | File::Bytes(_)) => {
            *file = File::Text(Text::read(text));
        }
        (Action::Replace { search, replace }, File::Nothing)
            if search.trim().is_empty() && !replace.is_empty() =>
        {
            *file = File::Text(Text::read(replace));
        }
        (_, File::Nothing) => return fail(Why::NoFile(Vec::new())),
        (Action::Whole { text }, File::Text(now)) => whole(now, text).map_err(|why| (None, why))?,
        (Action::Delete, _) => *file = File::Nothing,
        (Action::Move { replaces, .. }, _) => {
            let Some(to) = to.filter(|to| *to != path) else {
                return fail(Why::NoOp);
            };
            let moved = std::mem::replace(file, File::Nothing);
            let there = files.entry(to).or_insert(File::Nothing);
            let is_free = matches!(there, File::Nothing) || *replaces;
            if is_free {
                *there = moved;
            } else {
                files.insert(path, moved);
                return fail(Why::Exists);
            }
        }
        (_, File::Bytes(_)) => return fail(Why::NoText("no UTF-8 text")),
        (Action::Replace { search, replace }, File::Text(text)) => {
            let changes =
                replaced(text, search, replace, is_code(path)).map_err(|why| (None, why))?;
            carry_out(text, vec![(changes, None)], path)?;
        }
        (Action::Hunks(hunks), File::Text(text)) => {
            let which = |nth: usize| (hunks.len() > 1).then_some(nth + 1);
            let mut all = Vec::with_capacity(hunks.len());
            for (nth, hunk) in hunks.iter().enumerate() {
                let (changes, is_ended) =
                    hunked(text, hunk, is_code(path)).map_err(|why| (which(nth), why))?;
                all.push((changes, is_ended));
            }
            carry_out(text, all, path)?;
        }
    }
    Ok(())
}

/// Gives a file another text, in its own line ends.
fn whole<'a>(now: &mut Text<'a>, text: &'a str) -> Result<(), Why> {
    let mut new = Text::read(text);
    new.end_like(now);
    if new.write() == now.write() {
        return Err(Why::NoOp);
    }
    if let Some(line) = new
        .lines()
        .find(|line| is_elision(line) && !now.lines().any(|old| old == *line))
    {
        return Err(Why::Elided(line.to_owned()));
    }
    *now = new;
    Ok(())
}

/// How many lines are near.
const NEAR: usize = 3;

/// Finds the place of a search: whole lines to the character, a part to the character, then what is nearly so.
fn replaced(
    text: &mut Text<'_>,
    search: &str,
    replace: &str,
    is_code: bool,
) -> Result<Vec<Change>, Why> {
    if search == replace || !search.is_empty() && search.lines().eq(replace.lines()) {
        return Err(Why::NoOp);
    }
    let hunk = Hunk::between(search, replace);
    if search.trim().is_empty() {
        let is_blank = text.lines().all(|line| line.trim().is_empty());
        let with = replace.lines().map(str::to_owned).collect();
        return is_blank
            .then(|| {
                vec![Change {
                    range: 0..text.len(),
                    with,
                }]
            })
            .ok_or(Why::NoPlace);
    }
    let whole = fit(text, &hunk, &[Level::Exact], is_code);
    let found = whole.map(|fit| fit.changes).or_else(|misfit| match misfit {
        Misfit::Missing => fragment::fit(text, search, replace).map(|change| vec![change]),
        other => Err(other),
    });
    let found = or_else(found, || {
        fit(text, &hunk, &CLOSE[1..], is_code).map(|fit| fit.changes)
    });
    let mut found = found;
    for form in peel(search, replace) {
        let bare = Hunk::between(&form.search, &form.replace);
        if tells(&bare) {
            found = or_else(found, || fit_bare(text, &bare, form.cut, is_code));
        }
    }
    let found = or_else(found, || {
        fit_loosely(text, &hunk, is_code).map(|fit| fit.changes)
    });
    found.map_err(|misfit| told(text, &hunk, misfit))
}

/// Finds the place of a search without the blank lines around it; not where the file has blank lines near, which may be those.
fn fit_bare(
    text: &mut Text<'_>,
    hunk: &Hunk,
    cut: (bool, bool),
    is_code: bool,
) -> Result<Vec<Change>, Misfit> {
    let fit = fit(text, hunk, &CLOSE, is_code)?;
    let start = fit.end.saturating_sub(hunk.old().len());
    let is_blank = |at: usize| text.line(at).trim().is_empty();
    let above = cut.0 && (start.saturating_sub(NEAR)..start).any(is_blank);
    let below = cut.1 && (fit.end..(fit.end + NEAR).min(text.len())).any(is_blank);
    if above || below {
        Err(Misfit::Missing)
    } else {
        Ok(fit.changes)
    }
}

/// Tries something else where there was nothing, and nowhere else.
fn or_else<T>(
    found: Result<T, Misfit>,
    other: impl FnOnce() -> Result<T, Misfit>,
) -> Result<T, Misfit> {
    match found {
        Err(Misfit::Missing) => other(),
        known => known,
    }
}

/// Finds the place of a hunk, and tells whether the file's last line has an end afterwards, if the hunk says so and reaches it.
fn hunked(
    text: &mut Text<'_>,
    hunk: &Hunk,
    is_code: bool,
) -> Result<(Vec<Change>, Option<bool>), Why> {
    if hunk.lines.iter().all(|(sign, _)| *sign == Sign::Keep) {
        return Err(Why::NoOp);
    }
    let found = fit(text, hunk, &CLOSE, is_code);
    let found = or_else(found, || fit_loosely(text, hunk, is_code));
    match found {
        Ok(fit) => {
            let is_ended = hunk.is_ended.filter(|_| fit.end >= text.len());
            Ok((fit.changes, is_ended))
        }
        Err(misfit) => Err(told(text, hunk, misfit)),
    }
}

/// Puts all changes of an edit into the text, last one first.
fn carry_out(
    text: &mut Text<'_>,
    hunks: Vec<(Vec<Change>, Option<bool>)>,
    path: &str,
) -> Result<(), Failed> {
    let mut is_ended = None;
    let mut all: Vec<(usize, Change)> = Vec::new();
    let is_one = hunks.len() == 1;
    for (nth, (changes, ends)) in hunks.into_iter().enumerate() {
        is_ended = is_ended.or(ends);
        all.extend(changes.into_iter().map(|change| (nth + 1, change)));
    }
    order::sort_by_key(&mut all, |(_, change)| {
        (change.range.start, change.range.end)
    });
    let clash = all.windows(2).find_map(|pair| match pair {
        [(_, a), (nth, b)] if b.range.start < a.range.end || b.range.start == a.range.start => {
            Some((*nth, b.range.start))
        }
        _ => None,
    });
    if let Some((nth, line)) = clash {
        return Err((
            Some(nth).filter(|_| !is_one),
            Why::Overlap { line: line + 1 },
        ));
    }
    let is_same = |change: &Change| {
        change.range.len() == change.with.len()
            && change
                .range
                .clone()
                .zip(&change.with)
                .all(|(at, line)| text.line(at) == line)
    };
    let will_end = is_ended.filter(|is_ended| *is_ended != text.is_ended());
    if all.iter().all(|(_, change)| is_same(change)) && will_end.is_none() {
        return Err((None, Why::NoOp));
    }
    let elided = all
        .iter()
        .flat_map(|(nth, change)| change.with.iter().map(move |line| (*nth, line)));
    let mut elided = elided.filter(|(_, line)| {
        is_elision(line) || line.trim() == "..." && is_code(path) && !ending(path).starts_with("py")
    });
    if let Some((nth, line)) = elided.find(|(_, line)| !text.lines().any(|old| old == *line)) {
        return Err((Some(nth).filter(|_| !is_one), Why::Elided(line.clone())));
    }
    for (_, change) in all.into_iter().rev() {
        text.splice(change.range, change.with);
    }
    if let Some(is_ended) = is_ended {
        text.set_ended(is_ended);
    }
    Ok(())
}

/// Says why a hunk has no place, with what a model needs to give it one.
fn told(text: &mut Text<'_>, hunk: &Hunk, misfit: Misfit) -> Why {
    let old = hunk.old();
    match misfit {
        Misfit::Missing => {
            let new: Vec<&str> = hunk.fresh().collect();
            let all = 0..text.len();
            let done = if new.len() > 1 || old.is_empty() {
                text.find(Level::Exact, &new, all)
            } else {
                Hits::default()
            };
            let near = nearest(text, &old);
            let nearest = near
                .iter()
                .map(|near| excerpt(text, near.from, near.from, old.len(), &old))
                .collect();
            Why::Missing {
                nearest,
                is_done: done
                    .first
                    .first()
                    .filter(|_| done.count == 1)
                    .map(|line| line + 1),
            }
        }
        Misfit::Ambiguous(level, hits) => {
            let first = hits.first.iter().take(3);
            let places = first
                .map(|at| excerpt(text, at.saturating_sub(2), *at, old.len().min(6) + 3, &[]))
                .collect();
            Why::Ambiguous {
                level,
                count: hits.count,
                places,
            }
        }
        Misfit::Doubtful(at, doubt) => Why::Doubtful {
            line: at + 1,
            doubt,
        },
        Misfit::Unanchored => Why::NoPlace,
        Misfit::Scope(scope, hits) => Why::Scope {
            scope,
            count: hits.count,
        },
    }
}

/// How many lines and differences an excerpt has.
const MOST_LINES: usize = 12;
const MOST_DIFFERENCES: usize = 4;

fn excerpt(text: &Text<'_>, from: usize, at: usize, count: usize, wanted: &[&str]) -> Excerpt {
    let lines = text.lines().skip(from).take(count.min(MOST_LINES));
    let theirs = text.lines().skip(from);
    let pairs = wanted
        .iter()
        .zip(theirs)
        .enumerate()
        .filter(|(_, (ours, theirs))| *ours != theirs);
    let differs = pairs
        .take(MOST_DIFFERENCES)
        .map(|(nth, (ours, theirs))| (nth + 1, (*ours).to_owned(), theirs.to_owned()));
    Excerpt {
        from: from + 1,
        at: at + 1,
        lines: lines.map(str::to_owned).collect(),
        differs: differs.collect(),
    }
}

/// Whether a line is a remark that stands for lines that were left out.
fn is_elision(line: &str) -> bool {
    let line = line.trim();
    let Some(remark) = ["//", "#", "--", "/*", "<!--", ";;", "%", "{/*"]
        .iter()
        .find_map(|sign| line.strip_prefix(sign))
    else {
        return false;
    };
    let remark = remark
        .trim_end_matches("-->")
        .trim_end_matches('}')
        .trim_end_matches("*/")
        .trim()
        .to_lowercase();
    let has_dots = ["...", "\u{2026}"]
        .iter()
        .any(|dots| remark.starts_with(dots) || remark.ends_with(dots));
    let words = [
        "existing",
        "unchanged",
        "rest of",
        "remaining",
        "same as",
        "other code",
        "previous",
        "omitted",
        "as before",
    ];
    has_dots && remark.len() < 120 && words.iter().any(|word| remark.contains(word))
}

/// Whether a file is a program's source, by its ending: where typographic quotes are a slip.
fn is_code(path: &str) -> bool {
    const ENDINGS: [&str; 40] = [
        "rs", "go", "c", "h", "cc", "cpp", "hpp", "cs", "java", "kt", "kts", "scala", "swift", "m",
        "mm", "js", "jsx", "mjs", "cjs", "ts", "tsx", "py", "pyi", "rb", "php", "pl", "sh", "bash",
        "lua", "dart", "r", "jl", "ex", "exs", "erl", "hs", "ml", "fs", "sql", "zig",
    ];
    ENDINGS.contains(&ending(path).as_str())
}

/// What stands behind a path's last point, in small letters.
fn ending(path: &str) -> String {
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
    ending.to_ascii_lowercase()
}
