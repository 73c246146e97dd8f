//! `gate-blocked`, `policy-violation`, `override-used`: what became of changes.

use std::collections::BTreeSet;

use super::{below, change, change_key, change_link, is_recent};
use crate::config::notify::NotifyEvent;
use crate::notify::{Facts, Item, News, Title, digest};

/// The gate blocks a change.
pub(super) fn blocked(facts: &Facts) -> Option<News> {
    let blocked = facts.blocked.as_ref()?;
    let (number, head) = (blocked.pull_request, blocked.head.as_str());
    let set: BTreeSet<(&str, &str)> = blocked
        .problems
        .iter()
        .map(|(rule, about, _)| (rule.as_str(), about.as_str()))
        .collect();
    let parts: Vec<&str> = set
        .iter()
        .flat_map(|(rule, about)| [*rule, *about])
        .collect();
    let key = format!(
        "gate-blocked/{}/{}",
        change_key(number, head),
        digest(&parts)
    );
    let items = blocked.problems.iter().map(|(rule, _, words)| Item {
        key: key.clone(),
        line: format!("{rule}: {words}"),
    });
    let count = blocked.problems.len();
    let s = if count == 1 { "" } else { "s" };
    let run = blocked
        .run
        .as_ref()
        .filter(|run| run.bytes().all(|byte| byte.is_ascii_digit()));
    let link = change_link(facts, number, head)
        .filter(|_| number.is_some())
        .or_else(|| below(facts, &format!("actions/runs/{}", run?)));
    Some(News {
        event: NotifyEvent::GateBlocked,
        title: Title::Fixed(format!(
            "The gate blocks {}: {count} problem{s}",
            change(number, head)
        )),
        items: items.collect(),
        link,
        ladder: None,
    })
}

/// A policy says of a change that it may not go in.
pub(super) fn verdicts(facts: &Facts) -> Vec<News> {
    let recent = facts.verdicts.iter().filter(|one| is_recent(facts, one.at));
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for one in recent {
        let rules: BTreeSet<&str> = one.blocked_by.iter().map(String::as_str).collect();
        let rules: Vec<&str> = rules.into_iter().collect();
        let of = change_key(one.pull_request, &one.head);
        let key = format!("policy-violation/{of}/{}", digest(&rules));
        // Each push of a pull request is judged again.
        if !seen.insert(key.clone()) {
            continue;
        }
        let counts = if one.enforced {
            "it blocks"
        } else {
            "in shadow: it blocks nothing"
        };
        all.push(News {
            event: NotifyEvent::PolicyViolation,
            title: Title::Fixed(format!(
                "{} breaks the policy",
                change(one.pull_request, &one.head)
            )),
            items: vec![Item {
                key,
                line: format!("{} ({counts})", rules.join(", ")),
            }],
            link: change_link(facts, one.pull_request, &one.head),
            ladder: None,
        });
    }
    all
}

/// People let problems pass.
pub(super) fn overrides(facts: &Facts) -> Vec<News> {
    let recent = facts
        .overrides
        .iter()
        .filter(|one| is_recent(facts, one.at));
    let news = recent.map(|one| {
        let of = change(one.pull_request, &one.head);
        let at = one.said_at.to_string();
        let said = [&one.rule, &one.by, &one.head, &at].map(String::as_str);
        let until = one.expires.strftime("%Y-%m-%d");
        News {
            event: NotifyEvent::OverrideUsed,
            title: Title::Fixed(format!("A person let a problem of {of} pass")),
            items: vec![Item {
                key: format!("override-used/{}", digest(&said)),
                line: format!("{} by {}, until {until}: {}", one.rule, one.by, one.reason),
            }],
            link: change_link(facts, one.pull_request, &one.head),
            ladder: None,
        }
    });
    news.collect()
}
