//! Which model a prompt is for: a score that can be read, and the money that is left.
//!
//! Pure: prompt, tiers, prices and budget come in as values. What is said here is advice; who calls a model decides.

pub(crate) mod backtest;
pub(crate) mod cascade;
pub(crate) mod dataset;
pub(crate) mod features;
pub(crate) mod tiers;

use features::{Counts, Feature};

use crate::money::Usd;

/// How strong a model is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tier {
    Small,
    Medium,
    Large,
}

impl Tier {
    pub(crate) const ALL: [Self; 3] = [Self::Small, Self::Medium, Self::Large];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Medium => "medium",
            Self::Large => "large",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tier| tier.name() == name)
    }

    /// Returns the next stronger one.
    pub(crate) fn up(self) -> Option<Self> {
        Self::ALL.into_iter().find(|tier| *tier > self)
    }
}

/// Thousandths of a point.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Points(pub(crate) u64);

impl Points {
    pub(crate) fn as_f64(self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "scores are far below 2^53")]
        let points = self.0 as f64 / 1000.0;
        points
    }
}

/// What a feature adds to a score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reason {
    pub(crate) feature: Feature,
    pub(crate) count: u64,
    pub(crate) points: Points,
}

/// How much a prompt asks of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Score {
    /// The sum of all reasons.
    pub(crate) points: Points,
    /// What added to it, the most first.
    pub(crate) reasons: Vec<Reason>,
}

/// Scores a prompt; a higher score wants a stronger model.
pub(crate) fn score(prompt: &str) -> Score {
    let counts = Counts::of(prompt);
    let reasons = Feature::ALL.into_iter().map(|feature| Reason {
        feature,
        count: counts.get(feature),
        points: Points(feature.points(counts.get(feature))),
    });
    let mut reasons: Vec<Reason> = reasons.filter(|reason| reason.count > 0).collect();
    crate::order::sort_by_key(&mut reasons, |reason| std::cmp::Reverse(reason.points));
    let points = Points(reasons.iter().map(|reason| reason.points.0).sum());
    Score { points, reasons }
}

/// From which scores on the stronger tiers are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Thresholds {
    pub(crate) medium: Points,
    pub(crate) large: Points,
}

impl Thresholds {
    /// Returns the tier that a score wants.
    pub(crate) fn tier(&self, score: Points) -> Tier {
        if score >= self.large {
            Tier::Large
        } else if score >= self.medium {
            Tier::Medium
        } else {
            Tier::Small
        }
    }
}

/// So many calls of a tier must be in what is left, for the call, a second try, and a review.
pub(crate) const CALLS: u64 = 3;

/// What money says to a wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The tier that the score wants.
    Wanted(Tier),
    /// A weaker one, of which what is left pays [`CALLS`] calls.
    Down(Tier),
    /// The weakest one, of which what is left pays one call but not [`CALLS`].
    Last(Tier),
    /// What is left pays no call.
    Stop,
    /// No tier that is weak enough has a price.
    Unpriced,
}

impl Verdict {
    pub(crate) fn tier(self) -> Option<Tier> {
        match self {
            Self::Wanted(tier) | Self::Down(tier) | Self::Last(tier) => Some(tier),
            Self::Stop | Self::Unpriced => None,
        }
    }
}

/// What a call costs at worst, by tier; nothing where that is not known.
pub(crate) type Worst = [Option<Usd>; 3];

/// Returns the strongest tier up to the wanted one that can be paid for.
pub(crate) fn afford(wanted: Tier, worst: &Worst, remaining: Usd) -> Verdict {
    let down = || Tier::ALL.into_iter().rev().filter(|tier| *tier <= wanted);
    let pays = |tier: &Tier, calls: u64| {
        let cost = worst[*tier as usize].and_then(|usd| usd.times(calls));
        cost.is_some_and(|cost| cost <= remaining)
    };
    if let Some(tier) = down().find(|tier| pays(tier, CALLS)) {
        return if tier == wanted {
            Verdict::Wanted(tier)
        } else {
            Verdict::Down(tier)
        };
    }
    let mut up = Tier::ALL.into_iter().filter(|tier| *tier <= wanted);
    if let Some(tier) = up.find(|tier| pays(tier, 1)) {
        return Verdict::Last(tier);
    }
    if down().all(|tier| worst[tier as usize].is_none()) {
        Verdict::Unpriced
    } else {
        Verdict::Stop
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_is_the_sum_of_its_reasons() {
        let score = score("Anna has twice as many pens as Bob.");
        let sum: u64 = score.reasons.iter().map(|reason| reason.points.0).sum();
        assert_eq!(score.points.0, sum);
        assert!(score.reasons.is_sorted_by(|a, b| a.points >= b.points));
        assert_eq!(super::score("").points, Points(0));
    }

    #[test]
    fn a_prompt_that_says_more_never_scores_less() {
        let words = [
            "Anna,",
            "twice",
            "x = 1;",
            "\n- more",
            "race",
            "Ötzi",
            "```\n1\n```",
        ];
        let mut text = String::new();
        let mut last = Points(0);
        for word in words.iter().cycle().take(500) {
            text.push_str(word);
            text.push(' ');
            let now = score(&text).points;
            assert!(now >= last, "{text}");
            last = now;
        }
    }

    #[test]
    fn thresholds_belong_to_the_stronger_tier() {
        let thresholds = Thresholds {
            medium: Points(10),
            large: Points(20),
        };
        let tier = |points| thresholds.tier(Points(points)).name();
        assert_eq!(
            [0, 9, 10, 19, 20].map(tier),
            ["small", "small", "medium", "medium", "large"]
        );
    }

    #[test]
    fn money_takes_a_wish_down_and_never_up() {
        let usd = |pico| Some(Usd::from_pico(pico));
        let worst = [usd(1), usd(10), usd(100)];
        let says = |wanted, left| afford(wanted, &worst, Usd::from_pico(left));
        assert_eq!(says(Tier::Large, 300), Verdict::Wanted(Tier::Large));
        assert_eq!(says(Tier::Large, 299), Verdict::Down(Tier::Medium));
        assert_eq!(says(Tier::Large, 29), Verdict::Down(Tier::Small));
        assert_eq!(says(Tier::Large, 2), Verdict::Last(Tier::Small));
        assert_eq!(says(Tier::Large, 0), Verdict::Stop);
        assert_eq!(says(Tier::Small, 1000), Verdict::Wanted(Tier::Small));
        let unknown = [None, None, usd(1)];
        assert_eq!(
            afford(Tier::Medium, &unknown, Usd::from_pico(9)),
            Verdict::Unpriced
        );
        assert_eq!(
            afford(Tier::Large, &unknown, Usd::from_pico(9)),
            Verdict::Wanted(Tier::Large)
        );
    }
}
