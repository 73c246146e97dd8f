//! Money: whole pico-dollars (10⁻¹² USD), so that sums are exact.
//!
//! Written as decimals without an exponent and without trailing zeros. Every operation that could overflow says so.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Digits behind the point.
const PLACES: u32 = 12;

/// Pico-dollars in a dollar.
const DOLLAR: u128 = 10_u128.pow(PLACES);

/// An amount of US dollars that is not negative.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(into = "String", try_from = "String")]
pub(crate) struct Usd(u128);

/// Why a text is no amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MoneyProblem {
    #[error("`{0}` is no decimal number")]
    NotANumber(String),
    #[error("`{0}` is negative")]
    Negative(String),
    #[error("`{0}` is more than can be counted")]
    TooLarge(String),
    #[error("`{0}` has more than {PLACES} places")]
    TooFine(String),
}

impl Usd {
    pub(crate) const ZERO: Self = Self(0);

    pub(crate) const fn from_pico(pico: u128) -> Self {
        Self(pico)
    }

    pub(crate) fn pico(self) -> u128 {
        self.0
    }

    pub(crate) fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    pub(crate) fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    pub(crate) fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// Returns how many times another amount is in this one, rounded down; nothing when that is nothing.
    pub(crate) fn over(self, other: Self) -> Option<u64> {
        self.0
            .checked_div(other.0)
            .and_then(|whole| u64::try_from(whole).ok())
    }

    /// Returns what so many of something cost that each cost this.
    pub(crate) fn times(self, count: u64) -> Option<Self> {
        self.0.checked_mul(u128::from(count)).map(Self)
    }
}

impl fmt::Display for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0 / DOLLAR)?;
        let rest = self.0 % DOLLAR;
        if rest == 0 {
            return Ok(());
        }
        let digits = format!("{rest:012}");
        write!(f, ".{}", digits.trim_end_matches('0'))
    }
}

impl From<Usd> for String {
    fn from(usd: Usd) -> Self {
        usd.to_string()
    }
}

impl TryFrom<String> for Usd {
    type Error = MoneyProblem;

    fn try_from(text: String) -> Result<Self, MoneyProblem> {
        text.parse()
    }
}

impl FromStr for Usd {
    type Err = MoneyProblem;

    /// Reads an amount that somebody wrote: nothing is rounded.
    fn from_str(text: &str) -> Result<Self, MoneyProblem> {
        let (pico, is_exact) = scaled(text, PLACES)?;
        if is_exact {
            Ok(Self(pico))
        } else {
            Err(MoneyProblem::TooFine(shown(text)))
        }
    }
}

/// Returns a decimal number times a power of ten, rounded up, and whether that is exact. An exponent is understood: tables of prices
/// are full of `2.5e-06`.
pub(crate) fn scaled(text: &str, power: u32) -> Result<(u128, bool), MoneyProblem> {
    let wrong = || MoneyProblem::NotANumber(shown(text));
    let large = || MoneyProblem::TooLarge(shown(text));
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent.parse::<i32>().map_err(|_| wrong())?),
        None => (text, 0),
    };
    let is_negative = number.starts_with('-');
    let number = number.strip_prefix('-').unwrap_or(number);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(fraction) || number.ends_with('.') {
        return Err(wrong());
    }
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return Ok((0, true));
    }
    if is_negative {
        return Err(MoneyProblem::Negative(shown(text)));
    }
    let places = i64::try_from(fraction.len()).map_err(|_| large())?;
    let shift = i64::from(exponent) + i64::from(power) - places;
    if shift >= 0 {
        let factor = u32::try_from(shift)
            .ok()
            .and_then(|shift| 10_u128.checked_pow(shift));
        let value = digits.parse::<u128>().ok();
        let value = value
            .zip(factor)
            .and_then(|(value, factor)| value.checked_mul(factor));
        return value.map(|value| (value, true)).ok_or_else(large);
    }
    let gone = usize::try_from(-shift).map_err(|_| wrong())?;
    let kept = digits.len().saturating_sub(gone);
    let is_exact = digits[kept..].bytes().all(|digit| digit == b'0');
    let value: u128 = match &digits[..kept] {
        "" => 0,
        kept => kept.parse().map_err(|_| large())?,
    };
    let up = u128::from(!is_exact);
    value
        .checked_add(up)
        .map(|value| (value, is_exact))
        .ok_or_else(large)
}

/// Returns the beginning of a text, for messages.
fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn usd(text: &str) -> Usd {
        text.parse().unwrap()
    }

    #[test]
    fn amounts_are_exact_decimals() {
        for text in [
            "0",
            "1",
            "10",
            "0.1",
            "0.00246875",
            "0.000000000001",
            "12345678901234567.000000000001",
        ] {
            assert_eq!(usd(text).to_string(), text);
        }
        assert_eq!(usd("1.500").to_string(), "1.5");
        assert_eq!(usd("-0.0"), Usd::ZERO);
        assert_eq!(usd("2.5e-06"), Usd::from_pico(2_500_000));
        assert_eq!(usd("1E3"), usd("1000"));
    }

    #[test]
    fn what_is_no_amount_is_an_error() {
        let problem = |text: &str| text.parse::<Usd>().unwrap_err();
        for text in [
            "", ".5", "5.", "1,5", "0x1", "nan", "inf", "1e", "1e1.5", "--1", "1 ",
        ] {
            assert!(
                matches!(problem(text), MoneyProblem::NotANumber(_)),
                "{text}"
            );
        }
        assert!(matches!(problem("-1"), MoneyProblem::Negative(_)));
        assert!(matches!(problem("1e30"), MoneyProblem::TooLarge(_)));
        assert!(matches!(problem("1e2147483647"), MoneyProblem::TooLarge(_)));
        assert!(matches!(
            problem(&"9".repeat(40)),
            MoneyProblem::TooLarge(_)
        ));
        assert!(matches!(
            problem("0.0000000000001"),
            MoneyProblem::TooFine(_)
        ));
        assert!(matches!(problem("1e-2147483648"), MoneyProblem::TooFine(_)));
    }

    #[test]
    fn what_does_not_fit_is_rounded_up() {
        assert_eq!(scaled("0.0000001", 6), Ok((1, false)));
        assert_eq!(scaled("1.9999999", 6), Ok((2_000_000, false)));
        assert_eq!(scaled("1.9999990", 6), Ok((1_999_999, true)));
        assert_eq!(scaled("0e-999", 6), Ok((0, true)));
        assert_eq!(usd("0.1").times(3), Some(usd("0.3")));
        assert_eq!(Usd::from_pico(u128::MAX).times(2), None);
        assert_eq!(Usd::from_pico(u128::MAX).checked_add(usd("1")), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(pico in any::<u128>()) {
            let usd = Usd::from_pico(pico);
            prop_assert_eq!(usd.to_string().parse::<Usd>(), Ok(usd));
        }

        #[test]
        fn a_rounded_number_is_the_next_above(digits in "[0-9]{1,6}", fraction in "[0-9]{0,12}", exponent in -8_i32..4, power in 0_u32..6) {
            let text = format!("{digits}.{fraction}0e{exponent}");
            let (value, is_exact) = scaled(&text, power).unwrap();
            // The same number in units so small that nothing is lost.
            let (fine, all) = scaled(&text, power + 21).unwrap();
            prop_assert!(all);
            let unit = 10_u128.pow(21);
            prop_assert_eq!(value, fine.div_ceil(unit));
            prop_assert_eq!(is_exact, fine % unit == 0);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*") {
            let _ = text.parse::<Usd>();
        }
    }
}
