//! A span of days, as people write it.

/// Reads a time as `14d` or `2w`, in days: a year at most.
pub(crate) fn days_of(text: &str) -> Option<u16> {
    let text = text.trim();
    let (number, each) = match text.strip_suffix('w') {
        Some(weeks) => (weeks, 7),
        None => (text.strip_suffix('d')?, 1),
    };
    let days = number.trim().parse::<u16>().ok()?.checked_mul(each)?;
    (1..=365).contains(&days).then_some(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_days_or_weeks() {
        let read: Vec<Option<u16>> = [
            "14d", " 2w ", "1 d", "0d", "53w", "14", "d", "-1d", "66000w",
        ]
        .map(days_of)
        .to_vec();
        let none = [None; 6];
        assert_eq!(read, [&[Some(14), Some(14), Some(1)][..], &none].concat());
    }
}
