//! Sentences of our own with foreign texts in them, kept apart until they are written: each format makes them inert in its own way.

use std::fmt::Write as _;

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use crate::delivery::kpi::Unit;

/// A part of a sentence.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Piece {
    /// Our own words.
    Plain(String),
    /// What somebody else wrote: a test's name, a branch, a message.
    Foreign(String),
    /// An address to open, and what stands for it.
    Link(String, String),
    /// A page that lies beside this one, by its name without an ending, and what stands for it.
    Page(String, String),
}

/// A sentence.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Words(pub(crate) Vec<Piece>);

impl Words {
    pub(crate) fn plain(text: impl Into<String>) -> Self {
        Self(vec![Piece::Plain(text.into())])
    }

    pub(crate) fn foreign(text: impl Into<String>) -> Self {
        Self(vec![Piece::Foreign(text.into())])
    }

    pub(crate) fn link(text: impl Into<String>, address: impl Into<String>) -> Self {
        Self(vec![Piece::Link(text.into(), address.into())])
    }

    /// Leads to a page that lies beside this one; its name is one of our own.
    pub(crate) fn page(text: impl Into<String>, stem: impl Into<String>) -> Self {
        Self(vec![Piece::Page(text.into(), stem.into())])
    }

    /// Adds words of our own.
    pub(crate) fn say(mut self, text: impl Into<String>) -> Self {
        self.0.push(Piece::Plain(text.into()));
        self
    }

    /// Adds what somebody else wrote.
    pub(crate) fn quote(mut self, text: impl Into<String>) -> Self {
        self.0.push(Piece::Foreign(text.into()));
        self
    }

    pub(crate) fn add(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Returns it as text, as it stands.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Plain(words)
                | Piece::Foreign(words)
                | Piece::Link(words, _)
                | Piece::Page(words, _) => {
                    text.push_str(words);
                }
            }
        }
        text
    }

    /// Lets somebody change every foreign text.
    pub(crate) fn each_foreign(&mut self, change: &mut dyn FnMut(&mut String)) {
        for piece in &mut self.0 {
            match piece {
                Piece::Foreign(text) | Piece::Page(text, _) => change(text),
                Piece::Link(text, address) => {
                    change(text);
                    change(address);
                }
                Piece::Plain(_) => {}
            }
        }
    }
}

impl Serialize for Words {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

#[cfg(test)]
impl JsonSchema for Words {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Words".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        String::json_schema(generator)
    }

    fn inline_schema() -> bool {
        true
    }
}

/// Says a count with its noun.
pub(crate) fn times(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(count))
}

/// Writes a count with a comma after each three digits.
fn grouped(count: usize) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Writes a value as people read it.
pub(crate) fn shown(value: f64, unit: Measured) -> String {
    match unit {
        Measured::Seconds => duration(value),
        Measured::Minutes => format!("{} min", number(value)),
        Measured::Share => format!("{} %", number(value * 100.0)),
        Measured::Dollars => format!("${value:.2}"),
        Measured::AWeek => format!("{} a week", number(value)),
        Measured::Count => number(value),
    }
}

/// Writes a difference, with its sign.
pub(crate) fn difference(value: f64, unit: Measured) -> String {
    let sign = if value < 0.0 { "\u{2212}" } else { "+" };
    let shown = match unit {
        Measured::Share => format!("{} points", number(value.abs() * 100.0)),
        unit => shown(value.abs(), unit),
    };
    format!("{sign}{shown}")
}

/// How a value is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum Measured {
    Seconds,
    Minutes,
    Share,
    Dollars,
    AWeek,
    Count,
}

impl From<Unit> for Measured {
    fn from(unit: Unit) -> Self {
        match unit {
            Unit::Seconds => Self::Seconds,
            Unit::Share => Self::Share,
            Unit::Dollars => Self::Dollars,
            Unit::AWeek => Self::AWeek,
        }
    }
}

fn duration(seconds: f64) -> String {
    let (value, unit) = if seconds < 90.0 {
        (seconds, "s")
    } else if seconds < 90.0 * 60.0 {
        (seconds / 60.0, "min")
    } else if seconds < 48.0 * 3600.0 {
        (seconds / 3600.0, "h")
    } else {
        (seconds / 86_400.0, "days")
    };
    format!("{} {unit}", number(value))
}

/// Writes a number with three figures at most behind which nothing is known, and never as `-0`.
fn number(value: f64) -> String {
    let size = value.abs();
    if size >= 1000.0 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it saturates, and is not negative"
        )]
        let whole = size.round() as usize;
        let sign = if value < 0.0 { "\u{2212}" } else { "" };
        return format!("{sign}{}", grouped(whole));
    }
    let places = if size >= 100.0 {
        0
    } else if size >= 10.0 {
        1
    } else {
        2
    };
    let mut text = String::new();
    let _never_fails = write!(text, "{value:.places$}");
    if text.contains('.') {
        text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    }
    if text == "-0" {
        "0".to_owned()
    } else {
        text.replace('-', "\u{2212}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_said_as_people_say_them() {
        for (value, unit, said) in [
            (840.0, Measured::Seconds, "14 min"),
            (45.0, Measured::Seconds, "45 s"),
            (45_360.0, Measured::Seconds, "12.6 h"),
            (345_600.0, Measured::Seconds, "4 days"),
            (0.945, Measured::Share, "94.5 %"),
            (0.0, Measured::Count, "0"),
            (-0.001, Measured::Count, "0"),
            (1940.4, Measured::Minutes, "1,940 min"),
            (3.449_9, Measured::Dollars, "$3.45"),
            (10.0, Measured::Count, "10"),
            (100.0, Measured::Count, "100"),
            (1_234_567.0, Measured::Count, "1,234,567"),
        ] {
            assert_eq!(shown(value, unit), said);
        }
        assert_eq!(difference(-186.0, Measured::Seconds), "\u{2212}3.1 min");
        assert_eq!(difference(0.031, Measured::Share), "+3.1 points");
    }
}
