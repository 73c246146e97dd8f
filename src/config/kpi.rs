//! `kpi:` in the configuration file: what a team wants its indicators to be, in units that people write.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use super::yaml::checked;

/// What a team wants its indicators to be.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct KpiFile {
    /// The targets of `maestro dora kpi`: a target is shown, and judged by, only where one is set.
    #[serde(default)]
    pub(crate) targets: TargetsFile,
}

/// Targets, by the name of the indicator. `<` before a value: less than it, as `<1%`.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct TargetsFile {
    /// The longest that 95 % of the pipelines of CI take, as `15m`.
    #[serde(default, deserialize_with = "longest")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(crate) ci_p95: Option<Bound>,
    /// The longest median of the time from the first commit to the merge, as `12.6h`.
    #[serde(default, deserialize_with = "longest")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(crate) pull_lead_time: Option<Bound>,
    /// The least share of closed pull requests that were merged, as `95%`.
    #[serde(default, deserialize_with = "least_share")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(crate) merge_success: Option<Bound>,
    /// The largest share of test runs with a flaky test, as `<1%`.
    #[serde(default, deserialize_with = "most_share")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(crate) flake_rate: Option<Bound>,
    /// The most that models may cost for a pull request on average, as `$3.45`.
    #[serde(default, deserialize_with = "most_money")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(crate) llm_per_pull: Option<Bound>,
    /// The least number of merged pull requests of agents, as `10/week`.
    #[serde(default, deserialize_with = "least_rate")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(crate) autonomous_pulls: Option<Bound>,
    /// The least share of runs of agents that succeeded, as `80%`.
    #[serde(default, deserialize_with = "least_share")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(crate) agent_success: Option<Bound>,
}

/// A value that somebody set: seconds, a share between 0 and 1, US dollars, or so many a week.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bound {
    pub(crate) value: f64,
    /// Whether the value itself is too much already.
    pub(crate) is_strict: bool,
}

/// Which side of its value is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    /// So much, or more.
    Least,
    /// So much, or less.
    Most,
}

/// A form of value: how it is written, and what a sound text is.
struct Form {
    side: Side,
    what: &'static str,
    example: &'static str,
    read: fn(&str) -> Option<f64>,
}

const LONGEST: Form = Form {
    side: Side::Most,
    what: "length of time",
    example: "15m",
    read: length,
};
const LEAST_SHARE: Form = Form {
    side: Side::Least,
    what: "share",
    example: "95%",
    read: share,
};
const MOST_SHARE: Form = Form {
    side: Side::Most,
    what: "share",
    example: "<1%",
    read: share,
};
const MOST_MONEY: Form = Form {
    side: Side::Most,
    what: "amount of US dollars",
    example: "$3.45",
    read: money,
};
const LEAST_RATE: Form = Form {
    side: Side::Least,
    what: "number a week",
    example: "10/week",
    read: a_week,
};

/// No number needs more characters.
const MOST_DIGITS: usize = 15;

fn longest<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Bound>, D::Error> {
    checked(from, "a length of time, as `15m`", |text| {
        LONGEST.bound(text)
    })
    .map(Some)
}

fn least_share<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Bound>, D::Error> {
    checked(from, "a share, as `95%`", |text| LEAST_SHARE.bound(text)).map(Some)
}

fn most_share<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Bound>, D::Error> {
    checked(from, "a share, as `<1%`", |text| MOST_SHARE.bound(text)).map(Some)
}

fn most_money<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Bound>, D::Error> {
    checked(from, "US dollars, as `$3.45`", |text| {
        MOST_MONEY.bound(text)
    })
    .map(Some)
}

fn least_rate<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Bound>, D::Error> {
    checked(from, "a number a week, as `10/week`", |text| {
        LEAST_RATE.bound(text)
    })
    .map(Some)
}

impl Form {
    fn bound(&self, text: &str) -> Result<Bound, String> {
        let shown: String = text.chars().take(40).flat_map(char::escape_debug).collect();
        let (side, is_strict, rest) = split(text.trim());
        let wanted = side.unwrap_or(self.side);
        if wanted != self.side {
            let words = match self.side {
                Side::Least => "has a least value, and this is a largest one",
                Side::Most => "has a largest value, and this is a least one",
            };
            return Err(format!("`{shown}`: it {words}; write `{}`", self.example));
        }
        if is_strict && self.side == Side::Least {
            return Err(format!(
                "`{shown}`: a least value is reached where it is equal; write `{}`",
                self.example
            ));
        }
        let value = (self.read)(rest.trim());
        let value = value.filter(|value| value.is_finite());
        match value {
            Some(value) => Ok(Bound { value, is_strict }),
            None => Err(format!(
                "`{shown}` is no {}; write it as `{}`",
                self.what, self.example
            )),
        }
    }
}

/// Takes the sign off: which side it asks for, and whether the value itself is out.
fn split(text: &str) -> (Option<Side>, bool, &str) {
    let signs = [
        ("<=", Side::Most, false),
        (">=", Side::Least, false),
        ("≤", Side::Most, false),
        ("≥", Side::Least, false),
        ("<", Side::Most, true),
        (">", Side::Least, true),
    ];
    for (sign, side, is_strict) in signs {
        if let Some(rest) = text.strip_prefix(sign) {
            return (Some(side), is_strict, rest);
        }
    }
    (None, false, text)
}

/// Reads a plain decimal number: no sign, no exponent, nothing that is no number.
fn number(text: &str, times: &str) -> Option<f64> {
    let text = text.trim();
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if text.len() > MOST_DIGITS || !is_digits(whole) || !is_digits(part) {
        return None;
    }
    // The point is moved in the text: 99.9 % is 0.999, and not what a division makes of it.
    format!("{text}{times}").parse().ok()
}

fn length(text: &str) -> Option<f64> {
    let at = text.find(|c: char| c.is_alphabetic())?;
    let (amount, unit) = text.split_at(at);
    let seconds = match unit {
        "s" | "sec" | "second" | "seconds" => 1.0,
        "m" | "min" | "minute" | "minutes" => 60.0,
        "h" | "hour" | "hours" => 3_600.0,
        "d" | "day" | "days" => 86_400.0,
        _ => return None,
    };
    let value = number(amount, "")? * seconds;
    // Whole milliseconds, as times are measured.
    let value = (value * 1000.0).round() / 1000.0;
    (value > 0.0).then_some(value)
}

fn share(text: &str) -> Option<f64> {
    let value = number(text.strip_suffix('%')?, "e-2")?;
    (value <= 1.0).then_some(value)
}

fn money(text: &str) -> Option<f64> {
    number(text.strip_prefix('$')?, "")
}

fn a_week(text: &str) -> Option<f64> {
    let ends = ["/week", "/ week", "a week", "per week"];
    let amount = ends.iter().find_map(|end| text.strip_suffix(end))?;
    let value = number(amount, "")?;
    (value > 0.0).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ConfigFile, read};

    fn targets(text: &str) -> TargetsFile {
        let whole = format!("schema: maestro.config/v1\nkpi:\n  targets:\n    {text}\n");
        read::<ConfigFile>(&whole, "maestro.yaml")
            .unwrap()
            .kpi
            .targets
    }

    fn refused(text: &str) -> String {
        let whole = format!("schema: maestro.config/v1\nkpi:\n  targets:\n    {text}\n");
        let error = read::<ConfigFile>(&whole, "maestro.yaml").unwrap_err();
        format!("{}\n{}", error.message, error.excerpt.unwrap_or_default())
    }

    fn value(bound: Option<Bound>) -> (f64, bool) {
        let bound = bound.unwrap();
        (bound.value, bound.is_strict)
    }

    #[test]
    fn targets_are_read_in_the_units_that_people_write() {
        let read = |text: &str| value(targets(&format!("ci-p95: {text}")).ci_p95);
        for text in [
            "15m",
            "15 min",
            "900s",
            "0.25h",
            "\"<= 15 minutes\"",
            "≤15m",
        ] {
            assert_eq!(read(text), (900.0, false), "{text}");
        }
        assert_eq!(read("<15m"), (900.0, true));
        let lead = targets("pull-lead-time: 12.6h").pull_lead_time;
        assert_eq!(value(lead), (45_360.0, false));
        let share = |text: &str| value(targets(&format!("flake-rate: {text}")).flake_rate);
        assert_eq!(share("<1%"), (0.01, true));
        assert_eq!(share("1 %"), (0.01, false));
        assert_eq!(
            value(targets("merge-success: '>=99.9%'").merge_success),
            (0.999, false)
        );
        assert_eq!(
            value(targets("llm-per-pull: $3.45").llm_per_pull),
            (3.45, false)
        );
        for text in ["10/week", "10 a week", "10 per week", "≥ 10 / week"] {
            let found = targets(&format!("autonomous-pulls: \"{text}\"")).autonomous_pulls;
            assert_eq!(value(found), (10.0, false), "{text}");
        }
        assert_eq!(
            value(targets("agent-success: 80%").agent_success),
            (0.8, false)
        );
    }

    #[test]
    fn what_is_no_target_is_refused_at_its_place() {
        for text in [
            "ci-p95: fast",
            "ci-p95: 15",
            "ci-p95: -15m",
            "ci-p95: 1e9m",
            "ci-p95: nan",
            "ci-p95: 0m",
            "ci-p95: 15m30s",
            "ci-p95: 1111111111111111111111m",
            "ci-p95: [15m]",
            "ci-p95:",
            "merge-success: 0.95",
            "merge-success: 101%",
            "merge-success: <95%",
            "merge-success: '>95%'",
            "flake-rate: '>=1%'",
            "flake-rate: ٣%",
            "llm-per-pull: 3.45",
            "llm-per-pull: €3",
            "autonomous-pulls: 10",
            "autonomous-pulls: 10/day",
        ] {
            let words = refused(text);
            assert!(words.contains("maestro.yaml:4:"), "{text}: {words}");
        }
        assert!(refused("ci-p95: fast").contains("`fast` is no length of time; write it as `15m`"));
        assert!(refused("merge-success: <95%").contains("it has a least value"));
        assert!(refused("\"ci-p95\": \"\\e[31mred\"").contains("\\u{1b}[31mred"));
    }

    #[test]
    fn an_unknown_indicator_names_the_nearest_one() {
        assert!(refused("ci-p59: 15m").starts_with("unknown key `ci-p59`"));
    }
}
