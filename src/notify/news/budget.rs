//! `budget-80`, `budget-95`, `budget-exceeded`: how near agents came to a cap.

use super::below;
use crate::config::notify::NotifyEvent;
use crate::money::Usd;
use crate::notify::{Account, Facts, Item, News, Purse, Title, events};

/// The steps, the highest first.
const STEPS: [(NotifyEvent, Option<u64>); 3] = [
    (NotifyEvent::BudgetExceeded, None),
    (NotifyEvent::Budget95, Some(95)),
    (NotifyEvent::Budget80, Some(80)),
];

/// Every step that an account has come to; a channel hears of the highest only, by the ladder.
pub(super) fn accounts(facts: &Facts) -> Vec<News> {
    let recent = facts
        .accounts
        .iter()
        .filter(|account| account.spent > Usd::ZERO && super::is_recent(facts, account.at));
    let mut all = Vec::new();
    for account in recent {
        let steps = STEPS
            .iter()
            .filter(|(_, share)| has_come_to(account, *share));
        all.extend(steps.map(|(event, _)| told(facts, account, *event)));
    }
    // The worst comes first, whichever account it is.
    crate::order::sort_by_key(&mut all, |news| {
        STEPS.iter().position(|(event, _)| *event == news.event)
    });
    all
}

/// Whether a share of the cap is spent, or, without one, more than the cap, as the gate reckons.
fn has_come_to(account: &Account, share: Option<u64>) -> bool {
    match share {
        None => account.spent > account.cap,
        Some(share) => match (account.spent.times(100), account.cap.times(share)) {
            (Some(spent), Some(line)) => spent >= line,
            // No sum of this world.
            _ => false,
        },
    }
}

fn told(facts: &Facts, account: &Account, event: NotifyEvent) -> News {
    let (of, key, link) = match &account.of {
        Purse::PullRequest(number) => (
            format!("pull request #{number}"),
            format!("pull-request-{number}"),
            below(facts, &format!("pull/{number}")),
        ),
        Purse::Month(month) => (month.clone(), month.clone(), None),
    };
    let (spent, cap) = (account.spent, account.cap);
    let title = match spent.times(100).and_then(|all| all.over(cap)) {
        Some(share) if spent <= cap => format!("Agents spent {share} % of the cap of {of}"),
        _ => format!("Agents spent more than the cap of {of}"),
    };
    let name = events::known(event).name;
    News {
        event,
        title: Title::Fixed(title),
        items: vec![Item {
            key: format!("{name}/{key}/{cap}"),
            line: format!("${spent} of ${cap}"),
        }],
        link,
        ladder: Some(key),
    }
}
