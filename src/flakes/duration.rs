//! How long a test takes: as it was measured, and as a power of two, which is as much as a list of tests remembers.

/// What was measured: hundredths of a millisecond, up to 11.9 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Time(u32);

impl Time {
    pub(crate) const UNKNOWN: Self = Self(u32::MAX);

    pub(crate) fn of_seconds(seconds: f64) -> Self {
        Self::of_milliseconds(seconds * 1000.0)
    }

    pub(crate) fn of_milliseconds(milliseconds: f64) -> Self {
        if !milliseconds.is_finite() || milliseconds < 0.0 {
            return Self::UNKNOWN;
        }
        // A float that does not fit becomes the largest number.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it saturates, and is not negative"
        )]
        let hundredths = (milliseconds * 100.0).round() as u32;
        Self(hundredths.min(u32::MAX - 1))
    }

    pub(crate) fn milliseconds(self) -> Option<f64> {
        (self != Self::UNKNOWN).then(|| f64::from(self.0) / 100.0)
    }

    pub(crate) fn duration(self) -> Duration {
        self.milliseconds()
            .map_or(Duration::UNKNOWN, Duration::of_milliseconds)
    }

    /// Returns the longer one of what is known.
    pub(crate) fn longest(self, other: Self) -> Self {
        match (self, other) {
            (Self::UNKNOWN, known) | (known, Self::UNKNOWN) => known,
            (one, other) => one.max(other),
        }
    }

    /// Returns the time of two executions, one after the other.
    pub(crate) fn plus(self, other: Self) -> Self {
        match (self, other) {
            (Self::UNKNOWN, known) | (known, Self::UNKNOWN) => known,
            (one, other) => Self(one.0.saturating_add(other.0).min(u32::MAX - 1)),
        }
    }
}

/// A bucket of durations: unknown, under a millisecond, or from 2^n to 2^(n+1) milliseconds.
///
/// Written as one character: `-` unknown, `a` under 1 ms, `b` from 1 to 2 ms, `c` from 2 to 4 ms, …, `z` from 2^24 ms
/// (4.7 hours).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Duration(u8);

impl Duration {
    pub(crate) const UNKNOWN: Self = Self(0);

    const LONGEST: u8 = 26;

    pub(crate) fn of_milliseconds(milliseconds: f64) -> Self {
        if !milliseconds.is_finite() || milliseconds < 0.0 {
            return Self::UNKNOWN;
        }
        let mut bucket = 1;
        let mut bound = 1.0;
        while milliseconds >= bound && bucket < Self::LONGEST {
            bucket += 1;
            bound *= 2.0;
        }
        Self(bucket)
    }

    pub(crate) fn letter(self) -> char {
        match self.0 {
            0 => '-',
            bucket => char::from(b'a' + bucket - 1),
        }
    }

    /// Reads a letter; whatever else stands there is unknown.
    pub(crate) fn from_letter(letter: u8) -> Self {
        match letter {
            b'a'..=b'z' => Self(letter - b'a' + 1),
            _ => Self::UNKNOWN,
        }
    }

    pub(crate) fn is_known(self) -> bool {
        self != Self::UNKNOWN
    }

    /// Whether a duration is another one than before: new, or more than twice as long or short. A neighbouring bucket is
    /// noise, and so is everything under 16 milliseconds.
    pub(crate) fn has_moved(self, before: Self) -> bool {
        if !before.is_known() {
            return self.is_known();
        }
        let is_noise = self.0.max(before.0) <= Self::of_milliseconds(15.0).0;
        self.is_known() && !is_noise && self.0.abs_diff(before.0) > 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_letter_doubles_the_time() {
        let of = |milliseconds| Duration::of_milliseconds(milliseconds).letter();
        assert_eq!(
            [
                of(0.0),
                of(0.9),
                of(1.0),
                of(1.9),
                of(2.0),
                of(1000.0),
                of(1e12)
            ],
            ['a', 'a', 'b', 'b', 'c', 'k', 'z']
        );
        assert_eq!([of(-1.0), of(f64::NAN), of(f64::INFINITY)], ['-'; 3]);
    }

    #[test]
    fn times_are_kept_to_a_hundredth_of_a_millisecond() {
        let of = Time::of_milliseconds;
        assert_eq!(of(12.345).milliseconds(), Some(12.35));
        assert_eq!(Time::of_seconds(1.5).milliseconds(), Some(1500.0));
        assert_eq!([of(-1.0), of(f64::NAN)], [Time::UNKNOWN; 2]);
        assert_eq!(of(0.0).milliseconds(), Some(0.0));
        assert!(of(1e300).milliseconds() > Some(4e7));
        assert_eq!(of(1.0).plus(of(2.0)), of(3.0));
        assert_eq!(Time::UNKNOWN.plus(of(2.0)), of(2.0));
        assert_eq!(of(1e300).plus(of(1e300)), of(1e300));
        assert_eq!(of(1.9).duration().letter(), 'b');
        assert_eq!(Time::UNKNOWN.duration(), Duration::UNKNOWN);
    }

    #[test]
    fn letters_read_back() {
        for letter in b'a'..=b'z' {
            assert_eq!(Duration::from_letter(letter).letter(), char::from(letter));
        }
        assert_eq!(Duration::from_letter(b'A'), Duration::UNKNOWN);
    }

    #[test]
    fn a_neighbouring_bucket_is_noise() {
        let of = Duration::of_milliseconds;
        assert!(!of(1.9).has_moved(of(2.1)));
        assert!(of(90.0).has_moved(of(21.0)));
        assert!(!of(15.0).has_moved(of(0.5)));
        assert!(of(9.0).has_moved(Duration::UNKNOWN));
        assert!(!Duration::UNKNOWN.has_moved(of(9.0)));
    }
}
