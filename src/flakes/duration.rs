//! How long a test takes, as a power of two: as much as a list of tests remembers.

/// A bucket of durations: unknown, under a millisecond, or from 2^n to 2^(n+1) milliseconds.
///
/// Written as one character: `-` unknown, `a` under 1 ms, `b` from 1 to 2 ms, `c` from 2 to 4 ms, …, `z` from 2^24 ms
/// (4.7 hours).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Duration(u8);

impl Duration {
    pub(crate) const UNKNOWN: Self = Self(0);

    const LONGEST: u8 = 26;

    pub(crate) fn of_seconds(seconds: f64) -> Self {
        Self::of_milliseconds(seconds * 1000.0)
    }

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
