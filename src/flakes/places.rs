//! A set of places of a list as text, about as short as such a set can be.
//!
//! Golomb–Rice coding (S. W. Golomb, IEEE Trans. Inf. Theory 12, 1966; R. F. Rice, JPL 79-22, 1979) of the number of places
//! that are left out before each one, in hexadecimal digits: the first digit is `k`; then, for each place, the number divided
//! by 2^k as so many one bits and a zero bit, and its `k` lowest bits, most significant first. One bits fill the last digit.

/// Writes places, which are sorted and different.
pub(crate) fn write(places: &[u32]) -> String {
    let Some(&last) = places.last() else {
        return String::new();
    };
    let count = u32::try_from(places.len()).unwrap_or(u32::MAX);
    let left_out = last + 1 - count.min(last + 1);
    // The best parameter for evenly spread places: the mean times the logarithm of two, as a power of two.
    let mean = f64::from(left_out) / f64::from(count);
    let mut k = 0;
    while k < 15 && f64::from(1_u32 << (k + 1)) <= mean * std::f64::consts::LN_2 + 1.0 {
        k += 1;
    }
    let mut bits = Bits {
        text: format!("{k:x}"),
        digit: 0,
        filled: 0,
    };
    let mut next = 0;
    for &place in places {
        let gap = place - next;
        next = place + 1;
        for _ in 0..gap >> k {
            bits.push(true);
        }
        bits.push(false);
        for bit in (0..k).rev() {
            bits.push(gap >> bit & 1 == 1);
        }
    }
    while bits.filled > 0 {
        bits.push(true);
    }
    bits.text
}

struct Bits {
    text: String,
    digit: u32,
    filled: u32,
}

impl Bits {
    fn push(&mut self, bit: bool) {
        self.digit = self.digit << 1 | u32::from(bit);
        self.filled += 1;
        if self.filled == 4 {
            self.text.extend(char::from_digit(self.digit, 16));
            self.digit = 0;
            self.filled = 0;
        }
    }
}

/// Reads places; nothing when the text is not of this form.
pub(crate) fn read(text: &str) -> Option<Vec<u32>> {
    let mut digits = text.chars().map(|digit| digit.to_digit(16));
    let Some(k) = digits.next() else {
        return Some(Vec::new());
    };
    let k = k?;
    let mut places = Vec::new();
    let mut next: u64 = 0;
    let mut high: u64 = 0;
    let mut low: u64 = 0;
    let mut wanted: Option<u32> = None;
    for digit in digits {
        let digit = digit?;
        for bit in (0..4).rev() {
            let bit = u64::from(digit >> bit & 1);
            wanted = match wanted {
                None if bit == 1 => {
                    high += 1;
                    None
                }
                None => Some(k),
                Some(left) => {
                    low = low << 1 | bit;
                    Some(left - 1)
                }
            };
            if wanted == Some(0) {
                let place = next + (high << k) + low;
                places.push(u32::try_from(place).ok()?);
                next = place + 1;
                (high, low, wanted) = (0, 0, None);
            }
        }
    }
    // What fills the last digit is fewer than four ones.
    (wanted.is_none() && high < 4).then_some(places)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_few_places_read_as_documented() {
        assert_eq!(write(&[]), "");
        assert_eq!(write(&[0]), "07");
        assert_eq!(read("07"), Some(vec![0]));
        assert_eq!(read("2x"), None);
        assert_eq!(read("2fff"), None);
    }

    #[test]
    fn no_other_parameter_makes_places_much_shorter() {
        for rarity in [2, 3, 4, 5, 8, 13, 20, 100, 1000] {
            let is_in = |place: &u32| place.wrapping_mul(2_654_435_769) >> 8 < (1 << 24) / rarity;
            let places: Vec<u32> = (0..400 * rarity).filter(is_in).collect();
            let before = std::iter::once(0).chain(places.iter().map(|place| place + 1));
            let gaps: Vec<u32> = places
                .iter()
                .zip(before)
                .map(|(at, next)| at - next)
                .collect();
            let bits = |k: u32| gaps.iter().map(|gap| (gap >> k) + 1 + k).sum::<u32>();
            let least = (0..16).map(bits).min().unwrap();
            let taken = u32::try_from(write(&places).len()).unwrap() * 4;
            assert!(taken <= least + least / 10 + 8, "{rarity}: {taken} {least}");
        }
    }

    #[test]
    fn fifty_of_ten_thousand_take_about_sixty_bytes() {
        let places: Vec<u32> = (0..50).map(|at| at * 200 + (at * 7919) % 150).collect();
        assert!(write(&places).len() <= 125);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(places in prop::collection::btree_set(any::<u32>().prop_map(|place| place >> 8), 0..60)) {
            let places: Vec<u32> = places.into_iter().collect();
            prop_assert_eq!(read(&write(&places)), Some(places));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[0-9a-g]{0,40}") {
            if let Some(places) = read(&text) {
                prop_assert!(places.is_sorted_by(|a, b| a < b));
            }
        }
    }
}
