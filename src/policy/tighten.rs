//! An organisation's policy under a repository's own: what is locked may be tightened and never loosened.
//!
//! Invariant: a locked entry is judged as the organisation wrote it, whatever the repository says. An entry of the same id is judged beside it. So
//! nothing that a repository writes can let through what the organisation stops; that an attempt is refused with its key is for people.

use serde_json::Value;

use super::entry::{Entry, Ignore};
use super::file::{Agents, PolicyFile};
use super::rules::Order;
use super::words::Words;

/// A policy that changes are judged by.
#[derive(Debug, Default)]
pub(crate) struct Policy {
    pub(crate) entries: Vec<Entry>,
    pub(crate) ignores: Vec<Ignored>,
    pub(crate) agents: Vec<Agents>,
    /// Accounts by team.
    pub(crate) teams: Vec<(String, Vec<Words>)>,
    pub(crate) baseline: Option<String>,
}

/// What is ignored, and whether it is the organisation that says so.
#[derive(Debug)]
pub(crate) struct Ignored {
    pub(crate) ignore: Ignore,
    pub(crate) is_floors: bool,
}

/// A key by which a repository would loosen what is locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Loosened {
    /// Where the entry stands in its list, `rules` or `ignores`.
    pub(crate) list: &'static str,
    pub(crate) at: usize,
    pub(crate) id: String,
    pub(crate) key: String,
    /// What the organisation asks for, and what the repository would.
    pub(crate) floor: String,
    pub(crate) own: String,
}

impl Policy {
    /// A policy with nothing under it.
    pub(crate) fn alone(file: PolicyFile) -> Self {
        let mut policy = Self::default();
        policy.take(file, false);
        policy
    }

    fn take(&mut self, file: PolicyFile, is_floors: bool) {
        let owner = file.owner;
        self.entries
            .extend(file.entries.into_iter().map(|entry| Entry {
                is_locked: is_floors && file.locked.has(&entry.id),
                owner: entry.owner.or_else(|| owner.clone()),
                ..entry
            }));
        self.ignores.extend(
            file.ignores
                .into_iter()
                .map(|ignore| Ignored { ignore, is_floors }),
        );
        self.agents.push(file.agents);
        self.teams.extend(file.teams);
        if !is_floors {
            self.baseline = file.baseline;
        }
    }

    /// Whether an account or branch is an agent's.
    pub(crate) fn is_agent(&self, author: Option<&str>, branch: Option<&str>) -> bool {
        self.agents.iter().any(|agents| {
            let is_author = |login: &str| {
                agents
                    .authors
                    .iter()
                    .any(|one| one.0.eq_ignore_ascii_case(login))
            };
            author.is_some_and(is_author)
                || branch.is_some_and(|branch| agents.branches.exactly(branch).is_some())
        })
    }

    /// Returns the teams of an account.
    pub(crate) fn teams_of(&self, author: &str) -> Vec<String> {
        let has = |accounts: &[Words]| {
            accounts
                .iter()
                .any(|one| one.0.eq_ignore_ascii_case(author))
        };
        let teams = self.teams.iter().filter(|(_, accounts)| has(accounts));
        teams.map(|(team, _)| team.clone()).collect()
    }
}

/// Puts a repository's policy over its organisation's, or says what of it is looser.
pub(crate) fn tighten(floor: PolicyFile, own: PolicyFile) -> Result<Policy, Vec<Loosened>> {
    let mut loosened = Vec::new();
    for (at, entry) in own.entries.iter().enumerate() {
        let locked = floor
            .entries
            .iter()
            .filter(|held| floor.locked.has(&held.id));
        for held in locked.filter(|held| held.id == entry.id) {
            let keys = looser_keys(held, entry).into_iter();
            loosened.extend(keys.map(|(key, floor, own)| Loosened {
                list: "rules",
                at,
                id: entry.id.clone(),
                key,
                floor,
                own,
            }));
        }
    }
    for (at, ignore) in own.ignores.iter().enumerate() {
        let id = &ignore.entry.0;
        let is_held = floor.entries.iter().any(|held| held.id == *id) && floor.locked.has(id);
        if is_held {
            loosened.push(Loosened {
                list: "ignores",
                at,
                id: id.clone(),
                key: "entry".to_owned(),
                floor: "nothing ignored".to_owned(),
                own: "something ignored".to_owned(),
            });
        }
    }
    for team in own
        .teams
        .keys()
        .filter(|team| floor.teams.contains_key(*team))
    {
        loosened.push(Loosened {
            list: "teams",
            at: 0,
            id: team.clone(),
            key: team.clone(),
            floor: "the organisation's own list of accounts".to_owned(),
            own: "another one".to_owned(),
        });
    }
    if !loosened.is_empty() {
        return Err(loosened);
    }
    let mut policy = Policy::default();
    policy.take(floor, true);
    // What is not locked is a proposal.
    policy
        .entries
        .retain(|held| held.is_locked || !own.entries.iter().any(|entry| entry.id == held.id));
    policy.take(own, false);
    Ok(policy)
}

/// Returns the keys by which an entry is looser than a locked one, with both values.
fn looser_keys(held: &Entry, own: &Entry) -> Vec<(String, String, String)> {
    let mut keys = Vec::new();
    let mut say = |key: &str, floor: String, own: String| keys.push((key.to_owned(), floor, own));
    if held.rule.name != own.rule.name {
        say("rule", held.rule.name.to_owned(), own.rule.name.to_owned());
        return keys;
    }
    if own.severity < held.severity {
        say(
            "severity",
            held.severity.name().to_owned(),
            own.severity.name().to_owned(),
        );
    }
    if !own.applies_to.covers(&held.applies_to) {
        say(
            "applies_to",
            held.applies_to.to_string(),
            own.applies_to.to_string(),
        );
    }
    if let Some(last) = own.expires
        && held.expires.is_none_or(|held| last < held)
    {
        let floor = held
            .expires
            .map_or("no end".to_owned(), |held| held.to_string());
        say("expires", floor, last.to_string());
    }
    for (key, order) in held.rule.keys {
        let (floor, mine) = (held.keys.get(*key), own.keys.get(*key));
        if !is_as_strict(*order, floor, mine) {
            say(key, shown(floor), shown(mine));
        }
    }
    keys
}

fn shown(value: Option<&Value>) -> String {
    value.map_or("nothing".to_owned(), ToString::to_string)
}

/// Whether a value is as strict as the organisation's; nothing stands for a key that is left out.
fn is_as_strict(order: Order, floor: Option<&Value>, own: Option<&Value>) -> bool {
    let list = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
    let within = |one: &[Value], other: &[Value]| one.iter().all(|value| other.contains(value));
    let number = |value: &Value| {
        value
            .as_f64()
            .or_else(|| value.as_str()?.trim().parse().ok())
    };
    match (order, floor, own) {
        (Order::Same, floor, own) => floor.is_none() || floor == own,
        (Order::Less | Order::More, None, _) => true,
        (Order::Less | Order::More, Some(_), None) => false,
        (Order::Less, Some(floor), Some(own)) => {
            matches!((number(floor), number(own)), (Some(floor), Some(own)) if own <= floor)
        }
        (Order::More, Some(floor), Some(own)) => {
            matches!((number(floor), number(own)), (Some(floor), Some(own)) if own >= floor)
        }
        (Order::Grows, floor, own) => {
            let (floor, own) = (list(floor), list(own));
            within(&floor, &own)
        }
        (Order::Scope, floor, own) => {
            let (floor, own) = (list(floor), list(own));
            // Without a list all is meant, and no list is as much.
            if floor.is_empty() {
                own.is_empty()
            } else {
                own.is_empty() || within(&floor, &own)
            }
        }
        (Order::Shrinks, floor, own) => within(&list(own), &list(floor)),
        (Order::Narrows, floor, own) => {
            let (floor, own) = (list(floor), list(own));
            floor.is_empty() || !own.is_empty() && within(&own, &floor)
        }
        (Order::False(usual), floor, own) => {
            let is_loose = |value: Option<&Value>| value.and_then(Value::as_bool).unwrap_or(usual);
            is_loose(floor) || !is_loose(own)
        }
        (Order::True, floor, own) => floor != Some(&Value::Bool(true)) || own == floor,
        (Order::Words(words, usual), floor, own) => {
            let rank = |value: Option<&Value>| {
                let word = value.and_then(Value::as_str).unwrap_or(usual);
                words.iter().position(|one| *one == word)
            };
            rank(own) >= rank(floor)
        }
    }
}

#[cfg(test)]
mod tests;
