//! What somebody should hear of: news out of facts, each with a key by which it is told once, and notices for one channel.
//!
//! Rule: only what is known is told, and what happened more than seven days ago is no news: whoever begins to listen is not flooded. Keys hold
//! our own words, numbers and digests, never a foreign text. Addresses and secrets never come in here.

pub(crate) mod events;
pub(crate) mod letters;
mod news;
pub(crate) mod slack;
pub(crate) mod teams;
pub(crate) mod webhook;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::config::notify::NotifyEvent;
use crate::money::Usd;
use crate::sha::Sha;

pub(crate) use news::news;

/// What happened before that is no news.
const RECENT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// No notice has more lines.
const MOST_LINES: usize = 10;

/// No line is longer, in characters.
const LONGEST_LINE: usize = 240;

/// No title is longer, in characters: Slack takes 150 for a header.
const LONGEST_TITLE: usize = 140;

/// No notice tells of more that has a key of its own; the rest comes the next time.
const MOST_KEYS: usize = 200;

/// So many notices go to a channel at once; the rest comes the next time.
const MOST_NOTICES: usize = 20;

/// What is known, as far as it was asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    pub(crate) now: Timestamp,
    /// The repository's address in a browser.
    pub(crate) web: Option<String>,
    pub(crate) accounts: Vec<Account>,
    pub(crate) quarantine: Vec<Quarantined>,
    pub(crate) flaky: Vec<Flaky>,
    pub(crate) spoilt: Vec<Spoilt>,
    pub(crate) verdicts: Vec<Verdict>,
    pub(crate) overrides: Vec<Used>,
    pub(crate) blocked: Option<Blocked>,
    pub(crate) week: Option<WeekPage>,
    /// Of what nothing is known, and why.
    pub(crate) unknown: BTreeMap<NotifyEvent, String>,
}

/// Whose money it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Purse {
    PullRequest(u64),
    /// As `2026-11`.
    Month(String),
}

/// What was spent under a cap.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) of: Purse,
    pub(crate) spent: Usd,
    pub(crate) cap: Usd,
    /// The last call.
    pub(crate) at: Timestamp,
}

/// A test in quarantine.
#[derive(Debug, Clone)]
pub(crate) struct Quarantined {
    pub(crate) test: String,
    pub(crate) owner: Option<String>,
    pub(crate) reason: String,
    pub(crate) since: Date,
    pub(crate) review_by: Date,
}

/// A test that is judged flaky.
#[derive(Debug, Clone)]
pub(crate) struct Flaky {
    pub(crate) test: String,
    pub(crate) owner: Option<String>,
    /// Failure rate in per cent with its interval, as `flakes report` says it.
    pub(crate) rate: String,
    /// When it failed last.
    pub(crate) at: Timestamp,
}

/// A run of tests that is an outage.
#[derive(Debug, Clone)]
pub(crate) struct Spoilt {
    pub(crate) run: String,
    pub(crate) job: String,
    pub(crate) failed: u64,
    pub(crate) at: Timestamp,
}

/// A policy blocks a change.
#[derive(Debug, Clone)]
pub(crate) struct Verdict {
    pub(crate) at: Timestamp,
    pub(crate) head: String,
    pub(crate) pull_request: Option<u64>,
    pub(crate) enforced: bool,
    pub(crate) blocked_by: Vec<String>,
}

/// Somebody let something pass.
#[derive(Debug, Clone)]
pub(crate) struct Used {
    /// When it was used.
    pub(crate) at: Timestamp,
    pub(crate) said_at: Timestamp,
    pub(crate) by: String,
    pub(crate) rule: String,
    pub(crate) reason: String,
    pub(crate) head: String,
    pub(crate) pull_request: Option<u64>,
    pub(crate) expires: Timestamp,
}

/// What the gate blocks.
#[derive(Debug, Clone)]
pub(crate) struct Blocked {
    pub(crate) head: String,
    pub(crate) pull_request: Option<u64>,
    /// Of each problem the rule, what it is about, and it in words.
    pub(crate) problems: Vec<(String, String, String)>,
    /// The run, where it is one of GitHub's.
    pub(crate) run: Option<String>,
}

/// The page of a week.
#[derive(Debug, Clone)]
pub(crate) struct WeekPage {
    pub(crate) name: String,
    pub(crate) answer: String,
    pub(crate) lines: Vec<String>,
    pub(crate) link: Option<String>,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    /// Once told, it is not told again. Several items may share one.
    pub(crate) key: String,
    pub(crate) line: String,
}

/// What stands above items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Title {
    Fixed(String),
    /// Words after the number one, and after others.
    Counted(&'static str, &'static str),
}

/// What happened, of one kind and about one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct News {
    pub(crate) event: NotifyEvent,
    pub(crate) title: Title,
    pub(crate) items: Vec<Item>,
    pub(crate) link: Option<String>,
    /// Of news with the same ladder only the first is told that a channel hears of.
    pub(crate) ladder: Option<String>,
}

/// What a channel is told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Notice {
    pub(crate) event: &'static str,
    pub(crate) title: String,
    pub(crate) lines: Vec<String>,
    pub(crate) link: Option<String>,
    pub(crate) keys: BTreeSet<String>,
}

/// Takes secrets out of a text; nothing where it has none.
pub(crate) type Redact<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What a channel is told, and why of the rest it is not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Chosen {
    pub(crate) notices: Vec<Notice>,
    /// How many notices wait for the next time.
    pub(crate) waiting: u64,
    /// Events of which nothing is told, each with the reason.
    pub(crate) quiet: Vec<(&'static events::Known, String)>,
}

/// Chooses what a channel is told that hears of some events and was told some keys before.
pub(crate) fn choose(
    news: &[News],
    on: &[NotifyEvent],
    told: &BTreeSet<String>,
    unknown: &BTreeMap<NotifyEvent, String>,
    redact: Redact<'_>,
) -> Chosen {
    let mut chosen = Chosen::default();
    // One thing may have been stored more than once.
    let mut given: BTreeSet<&String> = BTreeSet::new();
    let mut ladders = BTreeSet::new();
    let mut seen: BTreeMap<NotifyEvent, (bool, bool)> = BTreeMap::new();
    for one in news.iter().filter(|one| on.contains(&one.event)) {
        let is_lower = one
            .ladder
            .as_ref()
            .is_some_and(|name| !ladders.insert(name));
        if is_lower {
            continue;
        }
        let mut keys = BTreeSet::new();
        let fresh: Vec<&Item> = one
            .items
            .iter()
            .filter(|item| !told.contains(&item.key) && !given.contains(&item.key))
            .take_while(|item| {
                keys.insert(&item.key);
                keys.len() <= MOST_KEYS
            })
            .collect();
        let (was_told, is_news) = seen.entry(one.event).or_default();
        if fresh.is_empty() {
            *was_told = true;
            continue;
        }
        *is_news = true;
        given.extend(fresh.iter().map(|item| &item.key));
        if chosen.notices.len() == MOST_NOTICES {
            chosen.waiting += 1;
        } else {
            chosen.notices.push(notice(one, &fresh, redact));
        }
    }
    for known in events::EVENTS {
        if !on.contains(&known.event) {
            continue;
        }
        let why = match (seen.get(&known.event), unknown.get(&known.event)) {
            (Some((_, true)), _) => continue,
            (Some((true, _)), _) => "it was told before".to_owned(),
            (_, Some(why)) => why.clone(),
            _ => "nothing happened".to_owned(),
        };
        chosen.quiet.push((known, why));
    }
    chosen
}

fn notice(news: &News, items: &[&Item], redact: Redact<'_>) -> Notice {
    let title = match &news.title {
        Title::Fixed(text) => text.clone(),
        Title::Counted(one, _) if items.len() == 1 => format!("1 {one}"),
        Title::Counted(_, many) => format!("{} {many}", items.len()),
    };
    let mut lines: Vec<String> = items
        .iter()
        .filter(|item| !item.line.is_empty())
        .take(MOST_LINES)
        .map(|item| clean(&item.line, LONGEST_LINE, redact))
        .collect();
    let more = items.len().saturating_sub(MOST_LINES);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    Notice {
        event: events::known(news.event).name,
        title: clean(&title, LONGEST_TITLE, redact),
        lines,
        link: news.link.clone().filter(|link| is_address(link)),
        keys: items.iter().map(|item| item.key.clone()).collect(),
    }
}

/// Returns a text on one line without secrets, what acts instead of being seen spelled out, and not too long.
fn clean(text: &str, longest: usize, redact: Redact<'_>) -> String {
    let text = redact(text).unwrap_or_else(|| text.to_owned());
    let line = crate::inert::line(&text);
    match line.char_indices().nth(longest) {
        Some((end, _)) => format!("{}\u{2026}", &line[..end]),
        None => line,
    }
}

/// Whether an address may be opened by a click: one of the web, over TLS, with nothing in it that could end it early.
fn is_address(text: &str) -> bool {
    text.strip_prefix("https://").is_some_and(|rest| {
        !rest.is_empty()
            && text.len() <= 2000
            && text
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && !b"<>|\"`\\".contains(&byte))
    })
}

/// Returns a short digest of texts, for keys.
fn digest(parts: &[&str]) -> String {
    // Lengths go before the texts, so that no two lists look alike.
    let mut text = String::new();
    for part in parts {
        text.push_str(&format!("{}:{part}", part.len()));
    }
    let mut digest = Sha::of(text.as_bytes()).to_string();
    digest.truncate(16);
    digest
}

/// Returns a number with its noun.
fn count(count: u64, noun: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{s}")
}

/// What is sent to try a channel out.
pub(crate) fn sample(to: &str, on: &[NotifyEvent], web: Option<String>) -> Notice {
    let names: Vec<&str> = on.iter().map(|event| events::known(*event).name).collect();
    Notice {
        event: "test",
        title: "maestro reaches this channel".to_owned(),
        lines: vec![
            format!(
                "This is a sample of `maestro notify --test`, sent to `{to}`; nothing happened."
            ),
            format!("Told here: {}.", names.join(", ")),
        ],
        link: web.filter(|link| is_address(link)),
        keys: BTreeSet::new(),
    }
}

#[cfg(test)]
mod tests;
