//! How far a pinned file is from the newest one.

/// Where a pin stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Newest,
    /// Older, and the file is the same; so many commits.
    Same(Option<u64>),
    /// Older; so many commits, where they could be counted.
    Behind(Option<u64>),
    /// Nobody could compare it.
    Unknown,
}

/// What a pin was compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Against {
    /// The default branch of the file's repository.
    Branch,
    /// The newest pin of the repositories that are listed: the file's own repository could not be asked.
    Fleet,
}

impl Against {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Branch => "default-branch",
            Self::Fleet => "fleet",
        }
    }
}

impl Standing {
    /// Judges a pin that is so many commits behind; `is_same` tells whether the file has the same bytes.
    pub(crate) fn of(is_newest: bool, commits: Option<u64>, is_same: Option<bool>) -> Self {
        match (is_newest || commits == Some(0), is_same) {
            (true, _) => Self::Newest,
            (false, Some(true)) => Self::Same(commits),
            (false, _) => Self::Behind(commits),
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Newest => "newest",
            Self::Same(_) => "same",
            Self::Behind(_) => "behind",
            Self::Unknown => "unknown",
        }
    }

    pub(crate) fn commits(self) -> Option<u64> {
        match self {
            Self::Newest => Some(0),
            Self::Same(commits) | Self::Behind(commits) => commits,
            Self::Unknown => None,
        }
    }

    /// Whether it is at most so many commits behind, or lacks nothing.
    pub(crate) fn is_within(self, most: u64) -> bool {
        match self {
            Self::Newest | Self::Same(_) => true,
            Self::Behind(commits) => commits.is_some_and(|commits| commits <= most),
            Self::Unknown => false,
        }
    }

    pub(crate) fn words(self) -> String {
        match self {
            Self::Newest => "the newest".to_owned(),
            Self::Same(_) => "older, with the same text".to_owned(),
            Self::Behind(Some(1)) => "1 commit behind".to_owned(),
            Self::Behind(Some(commits)) => format!("{commits} commits behind"),
            Self::Behind(None) => "behind, or on a branch of its own".to_owned(),
            Self::Unknown => "at a commit that nobody could compare".to_owned(),
        }
    }
}

/// Returns the newest of the pins that a fleet has, each with the time of its commit in seconds, where that is known. With several pins of which one
/// has no time, or two have the last one, nobody knows.
pub(crate) fn newest_of_fleet(pins: &[(String, Option<i64>)]) -> Option<String> {
    let (first, _) = pins.first()?;
    if pins.iter().all(|(pin, _)| pin == first) {
        return Some(first.clone());
    }
    let dated: Option<Vec<(i64, &String)>> =
        pins.iter().map(|(pin, at)| Some(((*at)?, pin))).collect();
    let dated = dated?;
    let (last, newest) = dated.iter().max()?;
    let is_alone = dated.iter().all(|(at, pin)| at != last || pin == newest);
    is_alone.then(|| (*newest).clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_not_the_newest() {
        assert_eq!(Standing::of(true, None, None), Standing::Newest);
        assert_eq!(Standing::of(false, Some(0), None), Standing::Newest);
        assert_eq!(
            Standing::of(false, Some(4), Some(true)),
            Standing::Same(Some(4))
        );
        assert_eq!(
            Standing::of(false, Some(4), Some(false)),
            Standing::Behind(Some(4))
        );
        assert_eq!(Standing::of(false, None, None), Standing::Behind(None));
        let within = |standing: Standing| standing.is_within(3);
        assert!(within(Standing::Behind(Some(3))) && within(Standing::Same(Some(9))));
        assert!(!within(Standing::Behind(Some(4))) && !within(Standing::Behind(None)));
        assert!(!within(Standing::Unknown));
    }

    #[test]
    fn the_newest_of_a_fleet_needs_times_where_pins_differ() {
        let newest = |pins: &[(&str, Option<i64>)]| {
            let pins: Vec<(String, Option<i64>)> = pins
                .iter()
                .map(|(pin, at)| ((*pin).to_owned(), *at))
                .collect();
            newest_of_fleet(&pins)
        };
        assert_eq!(newest(&[]), None);
        assert_eq!(newest(&[("a", None), ("a", None)]).as_deref(), Some("a"));
        assert_eq!(
            newest(&[("a", Some(1)), ("b", Some(2)), ("a", Some(1))]).as_deref(),
            Some("b")
        );
        assert_eq!(newest(&[("a", Some(1)), ("b", None)]), None);
        assert_eq!(newest(&[("a", Some(1)), ("b", Some(1))]), None);
    }
}
