//! The level of risk: of the weighted mean of what is known, and of the worst of it.
//!
//! A worse score never makes the level lower. What is unknown makes nothing better: with less than half of the weight known nothing is low.

use super::Factor;

/// How much care a change needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Risk {
    Low,
    Medium,
    High,
}

impl Risk {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// With a mean below this the risk is high.
const HIGH_MEAN: u64 = 50;

/// And with any factor below this.
const HIGH_WORST: u8 = 20;

/// Low needs a mean of this, and no factor below the other.
const LOW_MEAN: u64 = 80;
const LOW_WORST: u8 = 50;

/// Returns the level, the mean, and why.
pub(super) fn of(factors: &[Factor]) -> (Risk, Option<u8>, String) {
    let counted = || factors.iter().filter(|factor| factor.weight > 0);
    let known: Vec<(&Factor, u8)> = counted()
        .filter_map(|factor| Some((factor, factor.score?)))
        .collect();
    let weight = |factor: &Factor| u64::from(factor.weight);
    let all: u64 = counted().map(weight).sum();
    let of_known: u64 = known.iter().map(|(factor, _)| weight(factor)).sum();
    let unknown: Vec<&str> = counted()
        .filter(|factor| factor.score.is_none())
        .map(|factor| factor.name)
        .collect();
    let Some(worst) = known.iter().min_by_key(|(_, score)| *score) else {
        return (Risk::Medium, None, "nothing is known of it".into());
    };
    let sum: u64 = known
        .iter()
        .map(|(factor, score)| weight(factor) * u64::from(*score))
        .sum();
    let mean = sum / of_known.max(1);
    let (factor, score) = *worst;
    let of_worst = format!("`{}` is {score} of 100: {}", factor.name, factor.why);
    let (risk, reason) = if score < HIGH_WORST {
        (Risk::High, of_worst)
    } else if mean < HIGH_MEAN {
        (
            Risk::High,
            format!("the whole is {mean} of 100; {of_worst}"),
        )
    } else if mean < LOW_MEAN || score < LOW_WORST {
        (Risk::Medium, of_worst)
    } else if of_known * 2 < all {
        (
            Risk::Medium,
            format!("too little is known: nothing of {}", unknown.join(", ")),
        )
    } else {
        (
            Risk::Low,
            format!("the whole is {mean} of 100, and no factor is below {LOW_WORST}"),
        )
    };
    (risk, u8::try_from(mean).ok(), reason)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn factors(scores: &[Option<u8>]) -> Vec<Factor> {
        let factors = scores.iter().map(|score| Factor {
            weight: 10,
            score: *score,
            ..Factor::unknown("f", "w")
        });
        factors.collect()
    }

    fn level(scores: &[Option<u8>]) -> Risk {
        of(&factors(scores)).0
    }

    #[test]
    fn the_mean_and_the_worst_make_the_level() {
        assert_eq!(level(&[Some(100), Some(90)]), Risk::Low);
        assert_eq!(level(&[Some(100), Some(60)]), Risk::Low);
        assert_eq!(level(&[Some(100), Some(49)]), Risk::Medium);
        assert_eq!(level(&[Some(100), Some(100), Some(19)]), Risk::High);
        assert_eq!(level(&[Some(49), Some(49)]), Risk::High);
    }

    #[test]
    fn little_knowledge_is_never_low() {
        assert_eq!(level(&[Some(100), None, None]), Risk::Medium);
        assert_eq!(level(&[Some(100), None]), Risk::Low);
        assert_eq!(
            of(&factors(&[None, None])),
            (Risk::Medium, None, "nothing is known of it".into())
        );
    }

    #[test]
    fn what_has_no_weight_does_not_count() {
        let mut factors = factors(&[Some(100), Some(0)]);
        factors[1].weight = 0;
        assert_eq!(of(&factors).0, Risk::Low);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_worse_score_never_makes_it_lower(scores in prop::collection::vec(prop::option::of(0..=100_u8), 1..7), which: prop::sample::Index, less in 0..=100_u8) {
            let before = of(&factors(&scores));
            let mut worse = scores.clone();
            let at = which.index(scores.len());
            worse[at] = worse[at].map(|score| score.min(less));
            let after = of(&factors(&worse));
            prop_assert!(after.0 >= before.0);
            prop_assert!(after.1 <= before.1);
        }
    }
}
