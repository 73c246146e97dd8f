//! The table of what somebody may hear of: when it happens, and how often it is told.

use crate::config::notify::NotifyEvent;

/// What somebody may hear of.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) event: NotifyEvent,
    /// As `on:` names it.
    pub(crate) name: &'static str,
    /// When it happens.
    pub(crate) when: &'static str,
    /// Once per what it is told.
    pub(crate) once: &'static str,
    /// Which commands tell of it.
    pub(crate) by: &'static str,
}

macro_rules! events {
    ($($event:ident = $name:literal, $when:literal, $once:literal, $by:literal;)+) => {
        /// Every one, in the order in which they are told.
        pub(crate) const EVENTS: &[Known] = &[$(Known {
            event: NotifyEvent::$event, name: $name, when: $when, once: $once, by: $by,
        }),+];

        /// Returns what is known of an event.
        pub(crate) const fn known(event: NotifyEvent) -> &'static Known {
            match event {
                $(NotifyEvent::$event => &Known {
                    event: NotifyEvent::$event, name: $name, when: $when, once: $once, by: $by,
                },)+
            }
        }
    };
}

events! {
    GateBlocked = "gate-blocked", "the gate blocks a change", "pull request and set of problems", "gate";
    PolicyViolation = "policy-violation", "a policy says of a change that it may not go in, whether that counts or not", "pull request and set of rules", "state sync, notify";
    OverrideUsed = "override-used", "a person let a problem of the gate pass", "override", "state sync, notify, gate";
    BudgetExceeded = "budget-exceeded", "agents spent more than the cap of a pull request, or of the month", "pull request or month, and cap", "state sync, notify, gate";
    Budget95 = "budget-95", "agents spent 95 % of the cap of a pull request, or of the month", "pull request or month, and cap", "state sync, notify, gate";
    Budget80 = "budget-80", "agents spent 80 % of the cap of a pull request, or of the month", "pull request or month, and cap", "state sync, notify, gate";
    Outage = "outage", "runs of tests failed as a whole, and say nothing about single tests", "day (UTC)", "state sync, notify";
    FlakyNew = "flaky-new", "a test that failed in the last seven days is judged flaky", "test", "state sync, notify";
    QuarantineAdded = "quarantine-added", "a test came into quarantine in the last seven days", "test and day", "state sync, notify";
    QuarantineOverdue = "quarantine-overdue", "tests are in quarantine after their review day", "week and set of tests", "state sync, notify";
    Weekly = "weekly", "the page of the last week is written", "week", "learning-pack";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_event_is_known_by_the_name_that_the_configuration_has() {
        for known in EVENTS {
            let read: NotifyEvent =
                serde_json::from_value(serde_json::Value::from(known.name)).unwrap();
            assert_eq!(read, known.event);
            assert_eq!(super::known(read).name, known.name);
        }
    }

    #[test]
    fn the_page_says_the_same() {
        let page = include_str!("../../docs/notify.md");
        for known in EVENTS {
            let row = format!(
                "| `{}` | {} | {} | {} |",
                known.name, known.when, known.once, known.by
            );
            assert!(page.contains(&row), "docs/notify.md lacks\n{row}");
        }
    }
}
