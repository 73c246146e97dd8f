//! `budget`: what models cost for this pull request, beside what they may cost.

use super::super::{Evidence, Factor, Subject, count, percent};
use super::About;

pub(super) const ABOUT: About = About {
    name: "budget",
    what: "what models cost for it, beside the cap of a pull request",
    weight: 10,
    judge,
};

/// Up to this part of the cap nothing is wrong.
const FREE: f64 = 0.5;

/// A call that nobody could price may have cost anything.
const UNPRICED: f64 = 0.1;

fn judge(subject: &Subject<'_>) -> Factor {
    let Some(spending) = subject.spending else {
        return Factor::unknown(ABOUT.name, "no call of a model is recorded for it");
    };
    // In thousandths; a cap of nothing is reached by nothing.
    let share = spending
        .spent
        .times(1000)
        .and_then(|spent| spent.over(spending.cap));
    let share = share.map_or(1.0, |share| count(share) / 1000.0);
    let left = ((1.0 - share) / (1.0 - FREE)).clamp(0.0, 1.0);
    let unpriced = UNPRICED * count(spending.unpriced);
    let why = format!("${} of ${} spent", spending.spent, spending.cap);
    let mut evidence = vec![Evidence::of(
        why.clone(),
        "of what models may cost for a pull request",
    )];
    if spending.unpriced > 0 {
        evidence.push(Evidence::of(
            format!("{} calls", spending.unpriced),
            "could not be priced, and may have cost anything",
        ));
    }
    let (near, unpriced_at) = (left < 1.0, spending.unpriced > 0);
    Factor::known(ABOUT.name, percent(left - unpriced), why, evidence)
        .advise(
            "let a cheaper model do what is left, or raise the cap (`maestro budget set`)",
            if near { vec![0] } else { Vec::new() },
        )
        .advise(
            "add the models' prices (`maestro budget prices import`)",
            if unpriced_at { vec![1] } else { Vec::new() },
        )
}

#[cfg(test)]
mod tests {
    use super::super::super::Spending;
    use super::super::super::tests::{NOTHING, cents};
    use super::*;

    fn score(spent: u64, cap: u64, unpriced: u64) -> Option<u8> {
        let spending = Spending {
            spent: cents(spent),
            cap: cents(cap),
            unpriced,
        };
        judge(&Subject {
            spending: Some(&spending),
            ..NOTHING
        })
        .score
    }

    #[test]
    fn half_of_the_cap_is_free_and_all_of_it_is_nothing_left() {
        assert_eq!(score(0, 1000, 0), Some(100));
        assert_eq!(score(500, 1000, 0), Some(100));
        assert_eq!(score(750, 1000, 0), Some(50));
        assert_eq!(score(1000, 1000, 0), Some(0));
        assert_eq!(score(5000, 1000, 0), Some(0));
        assert_eq!(score(0, 0, 0), Some(0));
    }

    #[test]
    fn what_has_no_price_counts_against_it() {
        assert_eq!(score(0, 1000, 3), Some(70));
        assert_eq!(score(0, 1000, 99), Some(0));
    }

    #[test]
    fn nobody_knows_without_an_account() {
        assert_eq!(judge(&NOTHING).score, None);
    }
}
