//! News out of facts: one file a subject. Order is that of the table of events.

mod budget;
mod changes;
mod tests_went;

use super::{Facts, Item, News, Title};
use crate::config::notify::NotifyEvent;

/// Returns what happened.
pub(crate) fn news(facts: &Facts) -> Vec<News> {
    let mut all = Vec::new();
    all.extend(changes::blocked(facts));
    all.extend(changes::verdicts(facts));
    all.extend(changes::overrides(facts));
    all.extend(budget::accounts(facts));
    all.extend(tests_went::outages(facts));
    all.extend(tests_went::flaky(facts));
    all.extend(tests_went::added(facts));
    all.extend(tests_went::overdue(facts));
    all.extend(week(facts));
    all
}

/// The page of a week.
fn week(facts: &Facts) -> Option<News> {
    let page = facts.week.as_ref()?;
    let key = format!("weekly/{}", page.name);
    // A page without lines is news as well.
    let lines = if page.lines.is_empty() {
        vec![String::new()]
    } else {
        page.lines.clone()
    };
    let item = |line| Item {
        key: key.clone(),
        line,
    };
    Some(News {
        event: NotifyEvent::Weekly,
        title: Title::Fixed(format!("Week {}: {}", page.name, page.answer)),
        items: lines.into_iter().map(item).collect(),
        link: page.link.clone(),
        ladder: None,
    })
}

/// Returns the address below the repository's.
fn below(facts: &Facts, path: &str) -> Option<String> {
    let web = facts.web.as_ref()?;
    Some(format!("{}/{path}", web.trim_end_matches('/')))
}

/// Returns how people name a change: by its pull request, else by its head.
fn change(pull_request: Option<u64>, head: &str) -> String {
    match pull_request {
        Some(number) => format!("#{number}"),
        None => head.get(..9).unwrap_or(head).to_owned(),
    }
}

/// Returns the part of a key that stands for a change.
fn change_key(pull_request: Option<u64>, head: &str) -> String {
    match pull_request {
        Some(number) => format!("pull-request-{number}"),
        None => super::digest(&[head]),
    }
}

/// Returns the address of a change.
fn change_link(facts: &Facts, pull_request: Option<u64>, head: &str) -> Option<String> {
    let is_commit = !head.is_empty() && head.bytes().all(|byte| byte.is_ascii_hexdigit());
    match pull_request {
        Some(number) => below(facts, &format!("pull/{number}")),
        None if is_commit => below(facts, &format!("commit/{head}")),
        None => None,
    }
}

/// Whether something happened lately.
fn is_recent(facts: &Facts, at: jiff::Timestamp) -> bool {
    facts.now.duration_since(at) <= super::RECENT
}
