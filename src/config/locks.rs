//! What an organisation's configuration locks: its values may be tightened, and never loosened.
//!
//! Which of two values is stricter is fixed key by key in `DIRECTED`. A key without a direction stays as the organisation wrote it; jobs, components
//! and roles of agents stay as a whole, because a key that is added to one (`when`) may undo the rest.

use std::fmt;

#[cfg(test)]
use schemars::JsonSchema;
use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::days::days_of;
use super::merge::{self, HEAD};
use super::nearest;
use super::tree::{Met, Tree};
use crate::order;

/// What the keys of a file may be held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Locked {
    #[default]
    Nothing,
    All,
    Keys(Vec<String>),
}

/// Which of two values is the stricter one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// A list that names at least as much.
    Grows,
    /// A list that is added to; what takes out again (`!`) may not be new.
    Adds,
    /// A list that names no more.
    Shrinks,
    /// A list of globs that takes in no more.
    Narrows,
    /// Commands that are the same or longer forms; no list stands for what nobody can compare.
    Commands,
    /// A shorter time; the text is what stands for none.
    Days(&'static str),
    /// A smaller number; the text is what stands for none.
    Less(&'static str),
    /// A smaller number, or a smaller share; the text is what stands for none.
    Cap(&'static str),
    /// One of these words, from the loosest to the strictest; the second is what stands for none.
    Words(&'static [&'static str], &'static str),
}

/// Keys that have a direction.
pub(crate) const DIRECTED: [(&str, Order); 17] = [
    ("enforce", Order::Grows),
    (
        "on_internal_error",
        Order::Words(&["run-all", "fail"], "run-all"),
    ),
    ("overrides.users", Order::Shrinks),
    ("overrides.teams", Order::Shrinks),
    ("overrides.expires", Order::Days("7d")),
    ("run_all_on", Order::Adds),
    ("ignore", Order::Narrows),
    ("flakes.quarantine", Order::Words(&["skip", "gate"], "gate")),
    ("flakes.review_by", Order::Days("14d")),
    ("flakes.most_per_owner", Order::Cap("2%")),
    ("flakes.never", Order::Adds),
    ("agents.max_attempts", Order::Less("3")),
    ("agents.max_usd", Order::Less("10")),
    ("agents.commands", Order::Commands),
    ("agents.authors", Order::Adds),
    ("agents.trailers", Order::Adds),
    ("state.redact", Order::Words(&["false", "true"], "true")),
];

/// A key by which a repository would loosen what is locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Loosened {
    pub(crate) way: Vec<String>,
    /// What the organisation asks for, and what the repository would.
    pub(crate) floor: String,
    pub(crate) own: String,
    /// Whether there are stricter values; without, it stays as it is.
    pub(crate) has_stricter: bool,
}

impl Loosened {
    pub(crate) fn key(&self) -> String {
        self.way.join(".")
    }
}

fn direction(way: &[String]) -> Option<Order> {
    let key = way.join(".");
    let found = DIRECTED.iter().find(|(name, _)| *name == key);
    found.map(|(_, order)| *order)
}

/// Whether something is locked as a whole.
pub(crate) fn is_unit(way: &[String]) -> bool {
    let names: Vec<&str> = way.iter().map(String::as_str).collect();
    matches!(
        names.as_slice(),
        ["jobs" | "components", _] | ["agents", "roles", _]
    )
}

impl Locked {
    /// Returns a name of the list that is no key, and the nearest one that is.
    pub(crate) fn unknown(&self, base: &Tree) -> Option<(&str, Option<String>)> {
        let Self::Keys(names) = self else {
            return None;
        };
        let name = names.iter().find(|name| held_by(name, base).is_empty())?;
        let mut known: Vec<String> = base.leaves(&is_unit).iter().map(|w| w.join(".")).collect();
        known.extend(DIRECTED.iter().map(|(key, _)| (*key).to_owned()));
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        Some((name, nearest(name, &known).map(str::to_owned)))
    }

    /// Returns the ways to all that is locked.
    pub(crate) fn held(&self, base: &Tree) -> Vec<Vec<String>> {
        let mut ways = match self {
            Self::Nothing => Vec::new(),
            Self::All => {
                let directed = DIRECTED.iter().map(|(key, _)| split(key));
                let set = base.leaves(&is_unit);
                let set = set.into_iter().filter(|way| !is_head(way));
                directed.chain(set).collect()
            }
            Self::Keys(names) => {
                let names = names.iter();
                names.flat_map(|name| held_by(name, base)).collect()
            }
        };
        order::sort(&mut ways);
        ways.dedup();
        ways
    }
}

fn split(key: &str) -> Vec<String> {
    key.split('.').map(str::to_owned).collect()
}

fn is_head(way: &[String]) -> bool {
    way.first().is_some_and(|key| HEAD.contains(&key.as_str()))
}

/// Returns what a name of the list holds: keys that have a direction, set or not, and whatever the file sets there.
fn held_by(name: &str, base: &Tree) -> Vec<Vec<String>> {
    let is_below = |key: &str| {
        let rest = key.strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let directed = DIRECTED.iter().filter(|(key, _)| is_below(key));
    let mut ways: Vec<Vec<String>> = directed.map(|(key, _)| split(key)).collect();
    if let Some(way) = named(name, base, &[])
        && !is_head(&way)
        && let Some(value) = base.at(&way)
    {
        let whole = |below: &[String]| is_unit(&[way.as_slice(), below].concat());
        if is_unit(&way) {
            ways.push(way);
        } else {
            let below = value.leaves(&whole).into_iter();
            let below: Vec<Vec<String>> =
                below.map(|rest| [way.as_slice(), &rest].concat()).collect();
            ways.extend(below);
        }
    }
    ways
}

/// Finds a key by its name with points; names of jobs may have points themselves.
fn named(name: &str, tree: &Tree, way: &[String]) -> Option<Vec<String>> {
    let Tree::Map(entries) = tree else {
        return None;
    };
    entries.iter().find_map(|(key, value)| {
        let rest = name.strip_prefix(key.as_str())?;
        let way = [way, std::slice::from_ref(key)].concat();
        match rest.strip_prefix('.') {
            None if rest.is_empty() => Some(way),
            None => None,
            Some(rest) => named(rest, value, &way),
        }
    })
}

/// Returns the keys by which a repository's configuration is looser than what is locked.
pub(crate) fn judge(base: &Tree, own: &Tree, locked: &Locked) -> Vec<Loosened> {
    let held = locked.held(base).into_iter();
    held.filter_map(|way| looser(way, base, own)).collect()
}

fn looser(way: Vec<String>, base: &Tree, own: &Tree) -> Option<Loosened> {
    let floor = base.at(&way);
    let order = direction(&way);
    let (way, floor, mine) = match (own.meet(&way), order) {
        (Met::Nothing, _) => return None,
        (Met::Value(mine), Some(order)) => {
            if is_as_strict(order, floor, mine) {
                return None;
            }
            let shown = floor.map_or_else(|| order.usual().to_owned(), Tree::shown);
            (way, shown, mine.shown())
        }
        (Met::Value(mine), None) => {
            let floor = floor?;
            let merged = merge::at(&mut way.clone(), floor, mine);
            if merged == *floor {
                return None;
            }
            let below = differing(floor, mine);
            let shown = |tree: &Tree| tree.at(&below).map_or("nothing".to_owned(), Tree::shown);
            let (floor, mine) = (shown(floor), shown(mine));
            ([way, below].concat(), floor, mine)
        }
        (Met::Instead(mine), _) => {
            let shown = floor.map_or("nothing".to_owned(), Tree::shown);
            (way, shown, mine.shown())
        }
    };
    Some(Loosened {
        way,
        floor,
        own: mine,
        has_stricter: order.is_some(),
    })
}

/// Returns the way to the first value that a repository changes or adds.
fn differing(floor: &Tree, own: &Tree) -> Vec<String> {
    let leaves = own.leaves(&|_| false).into_iter();
    let mut changed = leaves.filter(|way| floor.at(way) != own.at(way));
    let way = changed.next().unwrap_or_default();
    // Where the organisation has no mapping, there is no way on.
    let depth =
        (0..way.len()).find(|depth| !matches!(floor.at(&way[..*depth]), Some(Tree::Map(_))));
    way[..depth.unwrap_or(way.len())].to_vec()
}

impl Order {
    /// Returns what stands for a key that is not set.
    fn usual(self) -> &'static str {
        match self {
            Self::Grows | Self::Adds | Self::Narrows => "nothing",
            Self::Shrinks => "nobody",
            Self::Commands => "what is known of the repository",
            Self::Days(usual) | Self::Less(usual) | Self::Cap(usual) | Self::Words(_, usual) => {
                usual
            }
        }
    }
}

/// Whether a value is as strict as the organisation's; `None` stands for a key that it does not set.
fn is_as_strict(order: Order, floor: Option<&Tree>, own: &Tree) -> bool {
    if floor == Some(own) {
        return true;
    }
    let held = floor.map(Tree::entries).unwrap_or_default();
    let mine = own.entries();
    let floor_text = floor.and_then(Tree::as_text);
    let least = |usual: &'static str, measure: &dyn Fn(&str) -> Option<f64>| {
        let (held, mine) = (floor_text.unwrap_or(usual), own.as_text());
        let mine = mine.and_then(measure);
        matches!((measure(held), mine), (Some(held), Some(mine)) if mine <= held)
    };
    let number = |text: &str| text.trim().parse::<f64>().ok();
    match order {
        Order::Grows => held.iter().all(|entry| mine.contains(entry)),
        Order::Adds => mine
            .iter()
            .all(|entry| held.contains(entry) || !takes_out(entry)),
        Order::Shrinks => mine.iter().all(|entry| held.contains(entry)),
        Order::Narrows => narrows(held, mine),
        Order::Commands => is_narrower(held, mine),
        Order::Days(usual) => least(usual, &|text| days_of(text).map(f64::from)),
        Order::Less(usual) => least(usual, &number),
        Order::Cap(usual) => {
            let is_share = |text: &str| text.trim().ends_with('%');
            let share = |text: &str| number(text.trim().trim_end_matches('%'));
            let held = floor_text.unwrap_or(usual);
            own.as_text().map(is_share) == Some(is_share(held)) && least(usual, &share)
        }
        Order::Words(words, usual) => {
            let rank = |word: &str| words.iter().position(|one| *one == word);
            let mine = own.as_text().and_then(rank);
            mine.is_some() && mine >= rank(floor_text.unwrap_or(usual))
        }
    }
}

fn takes_out(entry: &Tree) -> bool {
    entry.as_text().is_some_and(|text| text.starts_with('!'))
}

/// Whether a list of globs takes in no more than another one. The last glob that matches decides: so all that take out stay, in order, others may go, and
/// more may be taken out.
fn narrows(held: &[Tree], mine: &[Tree]) -> bool {
    let mut rest = mine
        .iter()
        .filter(|entry| held.contains(entry) || !takes_out(entry));
    // Where nothing is taken in, nothing has to be taken out again.
    if mine.iter().all(takes_out) {
        return true;
    }
    if !held.iter().any(takes_out) {
        return rest.all(|entry| held.contains(entry));
    }
    let mut held = held.iter();
    for entry in rest {
        loop {
            match held.next() {
                Some(one) if one == entry => break,
                Some(one) if !takes_out(one) => {}
                _ => return false,
            }
        }
    }
    !held.any(takes_out)
}

fn is_narrower(held: &[Tree], mine: &[Tree]) -> bool {
    let is_form = |long: &str, short: &str| {
        let rest = long.strip_prefix(short);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    };
    let held: Vec<&str> = held.iter().filter_map(Tree::as_text).collect();
    if held.is_empty() || mine.is_empty() {
        return held.is_empty() && mine.is_empty();
    }
    mine.iter().all(|entry| {
        let long = entry.as_text().unwrap_or_default();
        held.iter().any(|short| is_form(long, short))
    })
}

impl<'de> Deserialize<'de> for Locked {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Locked;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("`all`, or a list of keys as `flakes.review_by`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Locked, E> {
                match text {
                    "all" => Ok(Locked::All),
                    text => Err(E::unknown_variant(text, &["all"])),
                }
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Locked, A::Error> {
                let mut names = Vec::new();
                while let Some(name) = seq.next_element()? {
                    names.push(name);
                }
                Ok(Locked::Keys(names))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

#[cfg(test)]
impl JsonSchema for Locked {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Locked".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "anyOf": [{ "const": "all" }, { "type": "array", "items": { "type": "string" } }] })
    }
}

#[cfg(test)]
mod tests;
