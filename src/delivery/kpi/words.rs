//! Values and targets in words. A value is shown with as many digits as it takes to stand on its own side of the target: "95.0 %" is never beside
//! `missed` where 95 % is wanted.

use std::cmp::Ordering;

use super::{Target, Unit};

/// So many places are enough for any two values that differ.
const MOST_PLACES: usize = 12;

impl Target {
    pub(crate) fn bound(self) -> f64 {
        match self {
            Self::AtLeast(bound) | Self::AtMost(bound) | Self::Below(bound) => bound,
        }
    }

    /// Says a target as `≥ 95 %`.
    pub(crate) fn words(self, unit: Unit) -> String {
        let sign = match self {
            Self::AtLeast(_) => "≥",
            Self::AtMost(_) => "≤",
            Self::Below(_) => "<",
        };
        let form = Form::of(self.bound(), unit);
        let places = form.places_of(self.bound(), MOST_PLACES);
        let shown = form.shown(self.bound(), places.unwrap_or(MOST_PLACES));
        format!("{sign} {}", form.with_unit(&shown))
    }
}

/// Says a value; where there is a target, on its own side of it.
pub(crate) fn value(value: f64, unit: Unit, target: Option<Target>) -> String {
    let form = Form::of(value, unit);
    let Some(bound) = target.map(Target::bound) else {
        return form.with_unit(&form.shown(value, form.places));
    };
    let side = value.total_cmp(&bound);
    // As many places as the target has, where those are not many more.
    let least = form.places_of(bound, form.places + 2);
    for places in form.places.max(least.unwrap_or(0))..=MOST_PLACES {
        let shown = form.shown(value, places);
        if form.compare(&shown, bound) == side {
            return form.with_unit(&shown);
        }
    }
    // Nobody sees so small a difference, so it is said.
    let word = match side {
        Ordering::Less => "just below",
        Ordering::Equal => "exactly",
        Ordering::Greater => "just above",
    };
    let form = Form::of(bound, unit);
    format!("{word} {}", form.with_unit(&form.shown(bound, form.places)))
}

/// How a value is written.
struct Form {
    before: &'static str,
    after: &'static str,
    /// The value is shown in so many of its unit.
    length: f64,
    /// Digits behind the point, at least.
    places: usize,
}

impl Form {
    fn of(value: f64, unit: Unit) -> Self {
        let form = |before, after, length, places| Self {
            before,
            after,
            length,
            places,
        };
        match unit {
            Unit::Seconds if value >= 2.0 * 86_400.0 => form("", " d", 86_400.0, 1),
            Unit::Seconds if value >= 3_600.0 => form("", " h", 3_600.0, 1),
            Unit::Seconds if value >= 60.0 => form("", " min", 60.0, 1),
            Unit::Seconds => form("", " s", 1.0, 0),
            Unit::Share => form("", " %", 0.01, 1),
            Unit::Dollars => form("$", "", 1.0, 2),
            Unit::AWeek => form("", " a week", 1.0, 1),
        }
    }

    /// Returns how many places a value has; none where there are more than that.
    fn places_of(&self, value: f64, most: usize) -> Option<usize> {
        (0..=most).find(|places| self.compare(&self.shown(value, *places), value).is_eq())
    }

    fn shown(&self, value: f64, places: usize) -> String {
        // One hundredth has no binary form, and a hundred has.
        let scaled = if self.length < 1.0 {
            value * (1.0 / self.length).round()
        } else {
            value / self.length
        };
        format!("{scaled:.places$}")
    }

    /// Compares what is shown with a value.
    fn compare(&self, shown: &str, bound: f64) -> Ordering {
        let shown = if self.length < 1.0 {
            // The point is moved in the text, so that 95 is the very 0.95 that somebody wrote.
            format!("{shown}e-2").parse()
        } else {
            shown.parse::<f64>().map(|shown| shown * self.length)
        };
        let shown = shown.unwrap_or(f64::NAN);
        // Of times less than a microsecond is nothing.
        if self.length > 1.0 && (shown - bound).abs() < 1e-6 {
            return Ordering::Equal;
        }
        shown.total_cmp(&bound)
    }

    fn with_unit(&self, shown: &str) -> String {
        format!("{}{shown}{}", self.before, self.after)
    }
}
