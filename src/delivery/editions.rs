//! What reports of past years called fast and stable: dated data, not judgement. The report of 2025 has no tiers, so that there are none for it;
//! it has the answers that dora.dev's quick check asks for, on a scale from 0 to 10, and how others answered.
//!
//! Sources. 2021: Accelerate State of DevOps 2021, page 13. 2023: Accelerate State of DevOps Report 2023, page 12, as Apache DevLake has it
//! (migration 20240223 of backend/plugins/dora, 420e494b4ede). 2024: Accelerate State of DevOps Report 2024, page 14. 2025: dora-team/dora.dev
//! fcaf07b49791, svelte/quick-check/src/lib/data (levels, industry_metrics.json, "all industries").

/// A metric that reports tell of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    LeadTime,
    Frequency,
    ChangeFail,
    Recovery,
    Rework,
}

const HOUR: f64 = 3600.0;
const DAY: f64 = 24.0 * HOUR;
const WEEK: f64 = 7.0 * DAY;
const MONTH: f64 = 30.0 * DAY;

/// The edition of a report, and what each tier ends with: a value up to it is of that tier, what is beyond all of the last.
#[derive(Debug)]
pub(crate) struct Edition {
    pub(crate) year: u16,
    pub(crate) source: &'static str,
    tiers: &'static [(Key, [f64; 3])],
}

/// The tiers, the best first.
const TIERS: [&str; 4] = ["elite", "high", "medium", "low"];

pub(crate) const EDITIONS: [Edition; 3] = [
    Edition {
        year: 2021,
        source: "Accelerate State of DevOps 2021, page 13",
        tiers: &[
            // Between six months and one month is medium, a week to a month high.
            (Key::LeadTime, [HOUR, WEEK, 6.0 * MONTH]),
            (Key::Recovery, [HOUR, DAY, WEEK]),
            (Key::ChangeFail, [0.15, 0.30, 0.30]),
        ],
    },
    Edition {
        year: 2023,
        source: "Accelerate State of DevOps Report 2023, page 12; apache/incubator-devlake 420e494b4ede, migration 20240223",
        tiers: &[
            (Key::LeadTime, [DAY, WEEK, MONTH]),
            (Key::Recovery, [HOUR, DAY, WEEK]),
            (Key::ChangeFail, [0.05, 0.10, 0.15]),
        ],
    },
    Edition {
        year: 2024,
        source: "Accelerate State of DevOps Report 2024, page 14",
        tiers: &[
            (Key::LeadTime, [DAY, WEEK, MONTH]),
            (Key::Recovery, [HOUR, DAY, WEEK]),
            // The medium cluster failed less often than the high one; the report says so, and the bounds stand as it has them.
            (Key::ChangeFail, [0.05, 0.20, 0.10]),
        ],
    },
];

impl Edition {
    /// Returns the tier of a duration in seconds or of a share; none for what this edition has no tier of.
    pub(crate) fn tier(&self, key: Key, value: f64) -> Option<&'static str> {
        let (_, bounds) = self.tiers.iter().find(|(known, _)| *known == key)?;
        // Where a worse tier has a better bound, the least bound that holds the value names it.
        let fits = bounds
            .iter()
            .zip(TIERS)
            .filter(|(bound, _)| value <= **bound);
        let best = fits.min_by(|(one, _), (other, _)| one.total_cmp(other));
        best.map(|(_, tier)| tier).or(Some(TIERS[3]))
    }
}

/// An answer of dora.dev's quick check, and the points of 2025.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Answer {
    pub(crate) words: &'static str,
    /// From 0 to 10.
    pub(crate) points: f64,
}

/// What others answered in 2025: the mean and the standard deviation of the points.
pub(crate) fn others(key: Key) -> (f64, f64) {
    match key {
        Key::LeadTime => (5.5, 2.4),
        Key::Frequency => (4.8, 2.8),
        Key::Recovery => (7.4, 2.1),
        Key::ChangeFail => (1.9, 2.1),
        Key::Rework => (2.2, 2.2),
    }
}

/// The answers for durations, the worst first, each with what is above it.
const DURATIONS: [(f64, &str); 6] = [
    (6.0 * MONTH, "more than six months"),
    (MONTH, "one to six months"),
    (WEEK, "one week to one month"),
    (DAY, "one day to one week"),
    (HOUR, "less than one day"),
    (0.0, "less than one hour"),
];

/// The answers for a rhythm, by the deployments of a day, the worst first, each with what it begins with.
const RHYTHMS: [(f64, &str); 6] = [
    (0.0, "fewer than once in six months"),
    (1.0 / 182.5, "once a month to once in six months"),
    (1.0 / 30.4, "once a week to once a month"),
    (1.0 / 7.0, "once a day to once a week"),
    (1.0, "once an hour to once a day"),
    (24.0, "on demand, several times an hour"),
];

/// Returns the answer that a value is.
pub(crate) fn answer(key: Key, value: f64) -> Answer {
    let of = |place: usize, words: &'static str| Answer {
        words,
        points: super::quantiles::float(place) / 5.0 * 10.0,
    };
    match key {
        // Shares are points themselves: here fewer are better.
        Key::ChangeFail | Key::Rework => Answer {
            words: "a share",
            points: value * 10.0,
        },
        Key::Frequency => {
            let found = RHYTHMS.iter().rposition(|(from, _)| value >= *from);
            let place = found.unwrap_or(0);
            of(place, RHYTHMS[place].1)
        }
        Key::LeadTime | Key::Recovery => {
            let found = DURATIONS.iter().position(|(above, _)| value > *above);
            let place = found.unwrap_or(DURATIONS.len() - 1);
            of(place, DURATIONS[place].1)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_the_one_that_dora_dev_has_for_it() {
        for (seconds, points) in [
            (1800.0, 10.0),
            (2.0 * HOUR, 8.0),
            (2.0 * DAY, 6.0),
            (2.0 * WEEK, 4.0),
            (3.0 * MONTH, 2.0),
            (400.0 * DAY, 0.0),
        ] {
            let found = answer(Key::LeadTime, seconds).points;
            assert!((found - points).abs() < 1e-9, "{seconds} {found}");
        }
        for (per_day, points) in [
            (0.001, 0.0),
            (0.01, 2.0),
            (0.05, 4.0),
            (0.3, 6.0),
            (3.0, 8.0),
            (30.0, 10.0),
        ] {
            let found = answer(Key::Frequency, per_day).points;
            assert!((found - points).abs() < 1e-9, "{per_day} {found}");
        }
    }

    #[test]
    fn tiers_are_those_of_their_edition_and_there_are_none_for_2025() {
        let tier = |year, key, value| {
            let edition = EDITIONS.iter().find(|edition| edition.year == year);
            edition.and_then(|edition| edition.tier(key, value))
        };
        assert_eq!(tier(2023, Key::LeadTime, 2.0 * DAY), Some("high"));
        assert_eq!(tier(2021, Key::LeadTime, 2.0 * HOUR), Some("high"));
        assert_eq!(tier(2023, Key::ChangeFail, 0.12), Some("medium"));
        // The medium cluster of 2024 failed less often than the high one.
        assert_eq!(tier(2024, Key::ChangeFail, 0.08), Some("medium"));
        assert_eq!(tier(2024, Key::ChangeFail, 0.15), Some("high"));
        assert_eq!(tier(2024, Key::ChangeFail, 0.5), Some("low"));
        assert_eq!(tier(2024, Key::Rework, 0.1), None);
        assert_eq!(tier(2025, Key::LeadTime, HOUR), None);
    }
}
