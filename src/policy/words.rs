//! Texts of a policy, each looked at where it stands, so that what is wrong is shown at its place.

use jiff::civil::Date;
use serde::{Deserialize, Deserializer};

pub(crate) use crate::config::checked;

/// No reason, fix or name is longer.
const LONGEST: usize = 2000;

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident($inner:ty), $schema:literal, $expecting:literal, $read:expr;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub(crate) struct $name(pub(crate) $inner);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                checked(deserializer, $expecting, $read).map(Self)
            }
        }

        #[cfg(test)]
        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "pattern": $schema })
            }
        }
    )+};
}

texts! {
    /// What an entry is called.
    Id(String), "^[a-z0-9][a-z0-9-]{0,63}$", "expected small letters, digits and `-`", id;
    /// A sentence.
    Words(String), "\\S", "expected a text", words;
    /// A day, as `2026-12-31`.
    Day(Date), "^\\d{4}-\\d{2}-\\d{2}$", "expected a day, as `2026-12-31`", day;
}

fn id(text: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if text.is_empty() || text.len() > 64 || text.starts_with('-') || !text.chars().all(is_plain) {
        return Err(format!(
            "`{text}` is no id: use small letters, digits and `-`, at most 64, as `no-binaries`"
        ));
    }
    Ok(text.to_owned())
}

fn words(text: &str) -> Result<String, String> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err("it says nothing: write a sentence".to_owned());
    }
    if trimmed.len() > LONGEST {
        return Err(format!("it is longer than {LONGEST} bytes"));
    }
    Ok(trimmed.to_owned())
}

/// Reads a day; what is no day is never "for ever" (snyk/policy#203).
fn day(text: &str) -> Result<Date, String> {
    let date = (text.len() == 10)
        .then(|| text.parse::<Date>().ok())
        .flatten();
    date.ok_or_else(|| format!("`{text}` is no day: write it as `2026-12-31`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_can_stand_in_a_file_name_and_in_a_command() {
        for good in ["a", "9", "no-binaries", &"a".repeat(64)] {
            assert_eq!(id(good).as_deref(), Ok(good));
        }
        for bad in [
            "",
            "-a",
            "--id",
            "A",
            "a b",
            "a_b",
            "ä",
            "a/b",
            &"a".repeat(65),
        ] {
            assert!(id(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_sentence_says_something_and_ends() {
        assert_eq!(words(" why\n").as_deref(), Ok("why"));
        assert!(words(" \n").is_err());
        assert!(words(&"a".repeat(LONGEST)).is_ok());
        assert!(words(&"a".repeat(LONGEST + 1)).is_err());
    }

    #[test]
    fn a_day_is_written_whole() {
        assert_eq!(day("2026-12-31").unwrap().to_string(), "2026-12-31");
        for bad in [
            "",
            "never",
            "2026-02-30",
            "20261231",
            "2026-12-31T00:00",
            "+002026-12-31",
        ] {
            assert!(day(bad).is_err(), "{bad}");
        }
    }
}
