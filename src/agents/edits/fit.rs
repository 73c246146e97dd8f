//! Where a hunk belongs in a file. The strictest level of tolerance at which it is found at all decides, and there it must be found once: between
//! two places nobody chooses, and line numbers of models are not asked.

use std::collections::HashSet;
use std::ops::Range;

use super::adapt::{Adapter, Doubt, Matched};
use super::hunk::{Hunk, Run, Sign};
use super::levels::{Level, indent, weight};
use super::text::{Hits, Text, digest};

/// Lines of a file that give way to others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) range: Range<usize>,
    pub(super) with: Vec<String>,
}

/// What a hunk comes to in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fit {
    pub(super) changes: Vec<Change>,
    /// The line behind the last that was found.
    pub(super) end: usize,
}

/// Why a hunk has no place.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Misfit {
    Missing,
    Ambiguous(Level, Hits),
    /// Matched at a line, but what it means there is not clear.
    Doubtful(usize, Doubt),
    /// It names no line of the file.
    Unanchored,
    /// A line that it is said to stand below is not there, or not once.
    Scope(String, Hits),
}

/// The levels at which lines follow one another in the file as they do in the hunk.
pub(super) const CLOSE: [Level; 4] = [Level::Exact, Level::Ends, Level::Indent, Level::Folded];

/// Finds the place of a hunk at one of some levels.
pub(super) fn fit(
    text: &mut Text<'_>,
    hunk: &Hunk,
    levels: &[Level],
    is_code: bool,
) -> Result<Fit, Misfit> {
    let old = hunk.old();
    if old.is_empty() {
        return bare(text, hunk, is_code);
    }
    let within = scope(text, &hunk.scopes)?;
    for level in levels {
        if *level > Level::Exact && !tells(hunk) {
            break;
        }
        let last = text.len().saturating_sub(old.len());
        if hunk.is_at_end && text.len() >= old.len() && text.agrees(*level, &old, last) {
            return place(text, hunk, *level, last, &[], is_code);
        }
        let hits = text.find(*level, &old, within.clone());
        match (hits.count, hits.first.first()) {
            (1, Some(at)) => return place(text, hunk, *level, *at, &[], is_code),
            (0, _) => {}
            _ => return Err(Misfit::Ambiguous(*level, hits)),
        }
    }
    Err(Misfit::Missing)
}

/// Finds the place of a hunk of which commas or lines of context are wrong.
pub(super) fn fit_loosely(text: &mut Text<'_>, hunk: &Hunk, is_code: bool) -> Result<Fit, Misfit> {
    match fit(text, hunk, &[Level::Comma], is_code) {
        Err(Misfit::Missing) => {}
        known => return known,
    }
    match with_other_context(text, hunk, is_code) {
        Err(Misfit::Missing) => in_parts(text, hunk, is_code),
        known => known,
    }
}

fn has_removals(hunk: &Hunk) -> bool {
    hunk.lines.iter().any(|(sign, _)| *sign == Sign::Remove)
}

/// Whether lines tell enough to be found by what is only like them. An insertion hangs on the lines around it, so that one is not
/// enough.
pub(super) fn tells(hunk: &Hunk) -> bool {
    tell(&hunk.old(), has_removals(hunk))
}

pub(super) fn tell(old: &[&str], removes: bool) -> bool {
    let mut telling = old
        .iter()
        .map(|line| line.trim())
        .filter(|line| weight(line) >= 3);
    let first = telling.next();
    let is_varied = telling.any(|line| Some(line) != first);
    let letters: usize = old.iter().map(|line| weight(line)).sum();
    is_varied || removes && letters >= 8
}

/// A hunk without old lines: for an empty file, or the end of one.
fn bare(text: &Text<'_>, hunk: &Hunk, is_code: bool) -> Result<Fit, Misfit> {
    let end = text.len();
    if end > 0 && !hunk.is_at_end || hunk.lines.is_empty() {
        return Err(Misfit::Unanchored);
    }
    let found = Matched {
        level: Level::Exact,
        pairs: Vec::new(),
    };
    let places = vec![end; hunk.runs().len()];
    let changes = changes(text, hunk, &found, &places, is_code && end > 0);
    let changes = changes.map_err(|doubt| Misfit::Doubtful(end, doubt))?;
    Ok(Fit { changes, end })
}

/// Returns the lines below those that a hunk is said to stand below.
fn scope(text: &mut Text<'_>, scopes: &[String]) -> Result<Range<usize>, Misfit> {
    let mut within = 0..text.len();
    for scope in scopes {
        let mut hits = Hits::default();
        for level in CLOSE {
            hits = text.find(level, &[scope], within.clone());
            if hits.count > 0 {
                break;
            }
        }
        if hits.count == 0 {
            // `class A` for `class A:`.
            let begins = |line: &str| {
                let rest = line.trim_start().strip_prefix(scope.trim());
                rest.is_some_and(|rest| {
                    !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_')
                })
            };
            let lines = text.lines().enumerate().take(within.end).skip(within.start);
            lines
                .filter(|(_, line)| begins(line))
                .for_each(|(at, _)| hits.add(at));
        }
        let (1, Some(at)) = (hits.count, hits.first.first().copied()) else {
            return Err(Misfit::Scope(scope.clone(), hits));
        };
        // Up to the next line that is not deeper, but for what closes it.
        let depth = indent(text.line(at)).len();
        let ends = |line: &&str| {
            !line.trim().is_empty() && indent(line).len() <= depth && weight(line) > 0
        };
        let length = text.lines().skip(at + 1).position(|line| ends(&line));
        let end = length.map_or(within.end, |length| at + 1 + length);
        within = at..end.min(within.end);
    }
    Ok(within)
}

/// Says what a hunk comes to where its old lines stand from a line on; those that are others there teach nothing.
fn place(
    text: &Text<'_>,
    hunk: &Hunk,
    level: Level,
    at: usize,
    strange: &[usize],
    is_code: bool,
) -> Result<Fit, Misfit> {
    let old = hunk.old();
    let runs = hunk.runs();
    let places: Vec<usize> = runs.iter().map(|run| at + run.old.start).collect();
    let known = old
        .iter()
        .enumerate()
        .filter(|(nth, _)| !strange.contains(nth));
    let found = Matched {
        level,
        pairs: known.map(|(nth, line)| (*line, at + nth)).collect(),
    };
    let changes = changes(text, hunk, &found, &places, is_code);
    let changes = changes.map_err(|doubt| Misfit::Doubtful(at, doubt))?;
    Ok(Fit {
        changes,
        end: at + old.len(),
    })
}

/// Says what the runs of a hunk come to at their places.
fn changes(
    text: &Text<'_>,
    hunk: &Hunk,
    found: &Matched<'_>,
    places: &[usize],
    is_code: bool,
) -> Result<Vec<Change>, Doubt> {
    let (old, runs) = (hunk.old(), hunk.runs());
    let new: Vec<&str> = hunk.fresh().collect();
    let added: Vec<&str> = runs
        .iter()
        .flat_map(|run| run.added.iter().copied())
        .collect();
    let adapter = Adapter::learn(text, found, &added, &new, is_code)?;
    let changes = runs.iter().zip(places).map(|(run, at)| {
        let gone: Vec<(&str, usize)> = old[run.old.clone()].iter().copied().zip(*at..).collect();
        let with = adapter.run(text, &gone, &run.added)?;
        Ok(Change {
            range: *at..at + gone.len(),
            with,
        })
    });
    changes.collect()
}

/// How many comparisons one search is worth.
const PATIENCE: usize = 1 << 24;
/// How many of them it takes to tell whether two lines are alike.
const LIKENESS: usize = 40_000;

/// Finds the one place where all lines that go agree, and nearly all that stay; the others are much like what stands there.
fn with_other_context(text: &mut Text<'_>, hunk: &Hunk, is_code: bool) -> Result<Fit, Misfit> {
    let level = Level::Folded;
    let old = hunk.old();
    let most = if old.len() < 8 { 1 } else { 2 };
    if old.len() < 4 || !tells(hunk) {
        return Err(Misfit::Missing);
    }
    let within = scope(text, &hunk.scopes)?;
    let wanted: Vec<u64> = old.iter().map(|line| digest(level, line)).collect();
    // A line that goes, or that a new one stands beside, must be there as it is: what is like it may be its neighbour.
    let mut may_differ = vec![true; old.len()];
    for run in hunk.runs() {
        let from = run.old.start - usize::from(run.opens_with_new && run.old.start > 0);
        let to = run.old.end + usize::from(run.closes_with_new && run.old.end < old.len());
        may_differ[from..to].fill(false);
    }
    let mut hits = Hits::default();
    let mut strange = Vec::new();
    let mut patience = PATIENCE;
    // A line that stands elsewhere in the file was not meant to be another one.
    let known: HashSet<u64> = text.digests(level).iter().copied().collect();
    for (nth, digest) in wanted.iter().enumerate() {
        may_differ[nth] &= !known.contains(digest);
    }
    for at in within.start..(within.end + 1).saturating_sub(old.len()) {
        let here = text.known_digests(level, at, old.len());
        let mut others = Vec::new();
        for (nth, (wanted, here)) in wanted.iter().zip(here).enumerate() {
            patience = patience.saturating_sub(1);
            if wanted != here {
                others.push(nth);
                if others.len() > most || !may_differ[nth] {
                    break;
                }
            }
        }
        if patience == 0 {
            return Err(Misfit::Missing);
        }
        let may_be = |nth: &usize| may_differ[*nth] && is_like(old[*nth], text.line(at + nth));
        if others.len() > most {
            continue;
        }
        patience = patience.saturating_sub(others.len() * LIKENESS);
        if others.iter().all(may_be) {
            hits.add(at);
            strange = others;
        }
    }
    match (hits.count, hits.first.first()) {
        (0, _) => Err(Misfit::Missing),
        (1, Some(at)) => place(text, hunk, level, *at, &strange, is_code),
        _ => Err(Misfit::Ambiguous(level, hits)),
    }
}

/// Whether a line may be another one's mistaken form.
fn is_like(ours: &str, theirs: &str) -> bool {
    let short = |line: &str| line.trim().chars().take(200).collect::<String>();
    strsim::normalized_levenshtein(&short(ours), &short(theirs)) >= 0.6
}

/// How many lines of context around a change are looked at when the hunk as a whole is nowhere, and how many of them may be wrong.
const CONTEXT: usize = 3;
const MOST_PARTS: usize = 64;
const FUZZ: usize = 2;

/// Finds each change of a hunk by itself, with the lines around it of which the outer ones may be wrong. A line that is missing in the hunk may be
/// missing anywhere between two that were found, so that no new line may stand there.
fn in_parts(text: &mut Text<'_>, hunk: &Hunk, is_code: bool) -> Result<Fit, Misfit> {
    let old = hunk.old();
    let runs = hunk.runs();
    if runs.len() > MOST_PARTS {
        return Err(Misfit::Missing);
    }
    let within = scope(text, &hunk.scopes)?;
    let mut places = Vec::with_capacity(runs.len());
    for (nth, run) in runs.iter().enumerate() {
        let from = nth
            .checked_sub(1)
            .and_then(|before| runs.get(before))
            .map_or(0, |before| before.old.end);
        let to = runs.get(nth + 1).map_or(old.len(), |next| next.old.start);
        let around =
            run.old.start.saturating_sub(CONTEXT).max(from)..(run.old.end + CONTEXT).min(to);
        let (at, matched) = part(text, &old, run, &around, &within)?;
        let cut = (matched.start > around.start, matched.end < around.end);
        places.push(Part { at, matched, cut });
    }
    for nth in 1..runs.len() {
        let apart = runs[nth].old.start - runs[nth - 1].old.end;
        let end = places[nth - 1].at + runs[nth - 1].old.len();
        // Parts that have moved away from one another are not the hunk that the model saw.
        if places[nth].at <= end || (places[nth].at - end).abs_diff(apart) > FUZZ {
            return Err(Misfit::Missing);
        }
        let is_gap = places[nth].at - end != apart;
        places[nth - 1].cut.1 |= is_gap;
        places[nth].cut.0 |= is_gap;
    }
    let mut found = Matched {
        level: Level::Folded,
        pairs: Vec::new(),
    };
    for (run, place) in runs.iter().zip(&places) {
        if !is_anchored(text, &old, run, place) {
            return Err(Misfit::Missing);
        }
        let first = (place.at + place.matched.start).saturating_sub(run.old.start);
        found
            .pairs
            .extend(old[place.matched.clone()].iter().copied().zip(first..));
    }
    let at: Vec<usize> = places.iter().map(|place| place.at).collect();
    let start = at.first().copied().unwrap_or(0);
    let end = found.pairs.last().map_or(0, |(_, at)| at + 1);
    let changes = changes(text, hunk, &found, &at, is_code);
    let changes = changes.map_err(|doubt| Misfit::Doubtful(start, doubt))?;
    Ok(Fit { changes, end })
}

/// Where one change of a hunk was found.
struct Part {
    /// The line of its first old line.
    at: usize,
    /// Which of the old lines were found.
    matched: Range<usize>,
    /// Whether lines are missing before it and behind it.
    cut: (bool, bool),
}

/// Whether it is clear on which side of a gap a change is: the outermost line that goes, or the one that a new line hangs on, is not like one of those
/// beyond it, any of which may be the one that the hunk has.
fn is_anchored(text: &Text<'_>, old: &[&str], run: &Run<'_>, place: &Part) -> bool {
    let level = Level::Folded;
    let is_like = |line: Option<&&str>, at: usize| {
        line.is_some_and(|line| level.form(line) == level.form(text.line(at)))
    };
    let (above, below) = (
        usize::from(run.opens_with_new),
        usize::from(run.closes_with_new),
    );
    let first = run
        .old
        .start
        .checked_sub(above)
        .and_then(|nth| old.get(nth));
    let from = place.at.saturating_sub(above);
    let last = (run.old.end + below)
        .checked_sub(1)
        .and_then(|nth| old.get(nth));
    let to = place.at + run.old.len() + below;
    let is_repeated_above = (from.saturating_sub(CONTEXT)..from).any(|at| is_like(first, at));
    let is_repeated_below = (to..(to + CONTEXT).min(text.len())).any(|at| is_like(last, at));
    !(place.cut.0 && is_repeated_above || place.cut.1 && is_repeated_below)
}

/// Finds one change: returns where its first old line stands, and which of the old lines were found. The fewest wrong lines decide.
fn part(
    text: &mut Text<'_>,
    old: &[&str],
    run: &Run<'_>,
    around: &Range<usize>,
    within: &Range<usize>,
) -> Result<(usize, Range<usize>), Misfit> {
    let level = Level::Folded;
    for fuzz in 0..=FUZZ + 1 {
        let mut hits = Hits::default();
        let mut matched = 0..0;
        for before in 0..=fuzz.min(FUZZ) {
            let behind = fuzz - before;
            let range = around.start + before..around.end.saturating_sub(behind);
            let is_cut_at_new = before > 0 && range.start == run.old.start && run.opens_with_new
                || behind > 0 && range.end == run.old.end && run.closes_with_new;
            if behind > FUZZ
                || range.start > run.old.start
                || range.end < run.old.end
                || is_cut_at_new
            {
                continue;
            }
            let lines = &old[range.clone()];
            if lines.len() <= fuzz || !tell(lines, !run.old.is_empty()) {
                continue;
            }
            let here = text.find(level, lines, within.clone());
            for at in here.first {
                let at = at + run.old.start - range.start;
                if !hits.first.contains(&at) {
                    hits.add(at);
                }
                matched = range.clone();
            }
        }
        match (hits.count, hits.first.first()) {
            (0, _) => {}
            (1, Some(at))
                if is_explained(
                    text,
                    old,
                    around,
                    &matched,
                    at - (run.old.start - matched.start),
                ) =>
            {
                return Ok((*at, matched));
            }
            (1, _) => return Err(Misfit::Missing),
            _ => return Err(Misfit::Ambiguous(level, hits)),
        }
    }
    Err(Misfit::Missing)
}

/// Whether it is clear what became of the lines around that were not found: they stand beyond a gap, or what stands in their place is like them.
fn is_explained(
    text: &mut Text<'_>,
    old: &[&str],
    around: &Range<usize>,
    matched: &Range<usize>,
    at: usize,
) -> bool {
    let level = Level::Folded;
    let end = at + matched.len();
    let (above, below) = (around.start..matched.start, matched.end..around.end);
    let all = 0..text.len();
    let around = above.clone().chain(below.clone());
    let strange: Vec<usize> = around
        .filter(|nth| text.find(level, &old[*nth..=*nth], all.clone()).count == 0)
        .collect();
    let is_same = |nth: usize, at: usize| level.form(old[nth]) == level.form(text.line(at));
    let may_be = |nth: usize, at: usize| {
        is_same(nth, at) || strange.contains(&nth) && is_like(old[nth], text.line(at))
    };
    // The file's line for a line above, so many lines further up than it should be.
    let up = |nth: usize, gap: usize| at.checked_sub(matched.start - nth + gap);
    let is_above = |gap: usize| {
        above
            .clone()
            .all(|nth| up(nth, gap).is_some_and(|at| is_same(nth, at)))
    };
    let down =
        |nth: usize, gap: usize| Some(end + nth - matched.end + gap).filter(|at| *at < text.len());
    let is_below = |gap: usize| {
        below
            .clone()
            .all(|nth| down(nth, gap).is_some_and(|at| is_same(nth, at)))
    };
    let is_like_above = || {
        above
            .clone()
            .all(|nth| up(nth, 0).is_some_and(|at| may_be(nth, at)))
    };
    let is_like_below = || {
        below
            .clone()
            .all(|nth| down(nth, 0).is_some_and(|at| may_be(nth, at)))
    };
    ((1..=FUZZ).any(is_above) || is_like_above()) && ((1..=FUZZ).any(is_below) || is_like_below())
}
