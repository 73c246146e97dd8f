//! `reviews`: how long it waits, or waited, for its first review, and whether reviewers want something changed.
//!
//! A day is free: "one business day is the maximum time it should take to respond to a code review request" (Google, "Engineering Practices",
//! "Speed of Code Reviews"). The clock is the wall's: weekends count.

use super::super::{Evidence, Factor, Subject, count, percent};
use super::About;

pub(super) const ABOUT: About = About {
    name: "reviews",
    what: "how long it waits for its first review, and whether reviewers want something changed",
    weight: 15,
    judge,
};

/// Hours that nobody minds.
const FREE: f64 = 24.0;

/// What each reviewer takes off who wants something changed.
const CHANGES: f64 = 0.15;

fn judge(subject: &Subject<'_>) -> Factor {
    let Some(pull) = subject.pull else {
        return Factor::unknown(ABOUT.name, "nothing is known of its reviews");
    };
    if pull.is_draft && pull.first_review.is_none() {
        return Factor::unknown(ABOUT.name, "it is a draft, and waits for nobody");
    }
    let until = pull.first_review.or(pull.ended).unwrap_or(subject.now);
    let seconds = until
        .as_second()
        .saturating_sub(pull.opened.as_second())
        .max(0);
    let hours = count(seconds.unsigned_abs()) / 3600.0;
    let speed = FREE / hours.max(FREE);
    let asked_for = CHANGES * count(pull.changes_requested);
    let waited = super::super::merge_time::span(seconds);
    let why = match (pull.first_review, pull.is_approved) {
        (None, _) if pull.ended.is_some() => format!("it ended after {waited} without a review"),
        (None, _) => format!("it has waited {waited} for its first review"),
        (Some(_), true) => format!("its first review came after {waited}; it is approved"),
        (Some(_), false) => format!("its first review came after {waited}"),
    };
    let about = |text: String| Evidence {
        url: Some(pull.url.clone()).filter(|url| !url.is_empty()),
        ..Evidence::of(format!("#{}", pull.number), text)
    };
    let mut evidence = vec![about(why.clone())];
    if pull.changes_requested > 0 {
        let who = match pull.changes_requested {
            1 => "a reviewer wants something changed".to_owned(),
            many => format!("{many} reviewers want something changed"),
        };
        evidence.push(about(who));
    }
    let waits = pull.first_review.is_none() && hours > FREE;
    let is_answered = pull.changes_requested > 0;
    Factor::known(ABOUT.name, percent(speed - asked_for), why, evidence)
        .advise(
            "ask somebody who owns the files for a review",
            if waits { vec![0] } else { Vec::new() },
        )
        .advise(
            "answer what the reviewers want changed",
            if is_answered { vec![1] } else { Vec::new() },
        )
}

#[cfg(test)]
mod tests {
    use super::super::super::Pull;
    use super::super::super::tests::{NOTHING, hours};
    use super::*;

    fn factor(
        waited: i64,
        reviewed: Option<i64>,
        changes_requested: u64,
        is_draft: bool,
    ) -> Factor {
        let pull = Pull {
            number: 7,
            opened: hours(0),
            first_review: reviewed.map(hours),
            changes_requested,
            is_draft,
            ..Pull::default()
        };
        judge(&Subject {
            pull: Some(&pull),
            now: hours(waited),
            ..NOTHING
        })
    }

    #[test]
    fn a_day_is_free_and_each_further_one_costs() {
        assert_eq!(factor(3, None, 0, false).score, Some(100));
        assert_eq!(factor(24, None, 0, false).score, Some(100));
        assert_eq!(factor(48, None, 0, false).score, Some(50));
        assert_eq!(factor(240, None, 0, false).score, Some(10));
        assert_eq!(factor(240, Some(2), 0, false).score, Some(100));
        // A review before it was ready.
        assert_eq!(factor(240, Some(-5), 0, false).score, Some(100));
    }

    #[test]
    fn reviewers_who_want_changes_cost_and_are_to_be_answered() {
        let factor = factor(240, Some(2), 2, false);
        assert_eq!(factor.score, Some(70));
        assert_eq!(factor.advice.len(), 1);
        assert_eq!(
            factor.evidence[factor.advice[0].because_of[0]].text,
            "2 reviewers want something changed"
        );
    }

    #[test]
    fn a_draft_waits_for_nobody() {
        assert_eq!(factor(500, None, 0, true).score, None);
        assert_eq!(judge(&NOTHING).score, None);
    }
}
