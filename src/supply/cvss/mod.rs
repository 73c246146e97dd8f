//! Base scores of CVSS vectors, where a report gives a vector and no word: versions 2, 3.0, 3.1 and 4.0 (first.org/cvss). One file a version.
//!
//! Only the base metrics count: what a scanner knows of threats and surroundings is not ours.

mod v2;
mod v3;
mod v4;

use super::severity::Severity;

/// The metrics of a vector.
struct Metrics<'v>(Vec<(&'v str, &'v str)>);

impl<'v> Metrics<'v> {
    /// Reads `AV:N/AC:L`; a metric that is there twice makes it none.
    fn parse(vector: &'v str) -> Option<Self> {
        let mut metrics: Vec<(&str, &str)> = Vec::new();
        for metric in vector
            .split('/')
            .filter(|metric| !metric.is_empty())
            .take(64)
        {
            let (name, value) = metric.split_once(':')?;
            if metrics.iter().any(|(known, _)| *known == name) {
                return None;
            }
            metrics.push((name, value));
        }
        Some(Self(metrics))
    }

    /// Returns the number that stands for a metric's value.
    fn weight(&self, name: &str, weights: &[(&str, f64)]) -> Option<f64> {
        let value = self.value(name)?;
        weights
            .iter()
            .find(|(known, _)| *known == value)
            .map(|(_, weight)| *weight)
    }

    fn value(&self, name: &str) -> Option<&'v str> {
        self.0
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| *value)
    }
}

/// Returns the base score of a vector, and what its version calls that; nothing for what is no vector.
pub(crate) fn rate(vector: &str) -> Option<(f64, Severity)> {
    let vector = vector.trim();
    if let Some(rest) = vector.strip_prefix("CVSS:4.0/") {
        let score = v4::score(&Metrics::parse(rest)?)?;
        return Some((score, Severity::of_score(score)));
    }
    for (prefix, is_first) in [("CVSS:3.0/", true), ("CVSS:3.1/", false)] {
        if let Some(rest) = vector.strip_prefix(prefix) {
            let score = v3::score(&Metrics::parse(rest)?, is_first)?;
            return Some((score, Severity::of_score(score)));
        }
    }
    let bare = vector.trim_start_matches('(').trim_end_matches(')');
    let bare = bare.strip_prefix("CVSS:2.0/").unwrap_or(bare);
    let score = v2::score(&Metrics::parse(bare)?)?;
    Some((score, Severity::of_second(score)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(vector: &str, wanted: f64) {
        let (score, _) = rate(vector).unwrap_or_else(|| panic!("{vector} is no vector"));
        assert!(
            (score - wanted).abs() < 1e-9,
            "{vector}: {score}, not {wanted}"
        );
    }

    /// first.org/cvss/v2/guide, section 3.3.
    #[test]
    fn examples_of_the_second_version() {
        check("AV:N/AC:L/Au:N/C:N/I:N/A:C", 7.8);
        check("AV:N/AC:L/Au:N/C:C/I:C/A:C", 10.0);
        check("(AV:L/AC:H/Au:N/C:C/I:C/A:C)", 6.2);
        check("AV:N/AC:L/Au:N/C:N/I:N/A:N", 0.0);
    }

    /// first.org/cvss/v3.1/examples.
    #[test]
    fn examples_of_the_third_version() {
        for (vector, score) in [
            ("AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", 6.4),
            ("AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N", 3.1),
            ("AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H", 9.9),
            ("AV:L/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H", 7.8),
            ("AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", 7.5),
            ("AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8),
            ("AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 6.1),
            ("AV:N/AC:L/PR:N/UI:N/S:C/C:N/I:L/A:N", 5.8),
            ("AV:N/AC:H/PR:N/UI:N/S:U/C:L/I:L/A:N", 4.8),
            ("AV:P/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 6.8),
            ("AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0.0),
        ] {
            check(&format!("CVSS:3.1/{vector}"), score);
        }
        // The two versions round otherwise (specification 3.1, appendix A).
        check("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8);
    }

    /// first.org/cvss/v4.0/examples.
    #[test]
    fn examples_of_the_fourth_version() {
        for (vector, score) in [
            (
                "AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
                7.3,
            ),
            (
                "AV:N/AC:L/AT:P/PR:N/UI:P/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
                7.7,
            ),
            (
                "AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:L/VA:L/SC:N/SI:N/SA:N",
                8.8,
            ),
            (
                "AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H",
                10.0,
            ),
            (
                "AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
                9.3,
            ),
            (
                "AV:N/AC:L/AT:N/PR:H/UI:N/VC:L/VI:L/VA:N/SC:N/SI:N/SA:N",
                5.1,
            ),
            (
                "AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N",
                0.0,
            ),
        ] {
            check(&format!("CVSS:4.0/{vector}"), score);
        }
    }

    #[test]
    fn versions_have_words_of_their_own() {
        let word = |vector: &str| rate(vector).map(|(_, word)| word);
        assert_eq!(word("AV:N/AC:L/Au:N/C:C/I:C/A:C"), Some(Severity::High));
        let third = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
        assert_eq!(word(third), Some(Severity::Critical));
        assert_eq!(word(&format!("{third}/E:U")), Some(Severity::Critical));
    }

    #[test]
    fn what_is_no_vector_has_no_score() {
        for vector in [
            "",
            "high",
            "CVSS:5.0/AV:N",
            "CVSS:3.1/AV:N/AC:L",
            "CVSS:3.1/AV:N/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
            "CVSS:3.1/AV:Q/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
            "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N",
        ] {
            assert!(rate(vector).is_none(), "{vector}");
        }
    }
}
