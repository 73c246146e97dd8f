//! YAML files written by people: an error names line and column, shows the place, and suggests the nearest name.

use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, EnumAccess, IgnoredAny, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
use serde::{Deserialize, Deserializer};

/// Why a file was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct YamlError {
    /// What is wrong, as a fragment.
    pub(crate) message: String,
    /// The place, laid out with a caret.
    pub(crate) excerpt: Option<String>,
    /// The way out.
    pub(crate) hint: Option<String>,
    /// Line and column, from one.
    pub(crate) place: Option<(u32, u32)>,
}

/// What a file is, for the hints.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    /// What its `schema:` must say.
    pub(crate) schema: &'static str,
    /// The name that `maestro util schema` knows it by.
    pub(crate) published: &'static str,
}

pub(super) const CONFIG: Kind = Kind {
    schema: super::file::CONFIG_SCHEMA,
    published: "config",
};

/// More opening brackets than this were not written by a person.
const MOST_BRACKETS: usize = 2000;

/// Reads the configuration; `path` is for the messages only.
pub(crate) fn read<T: DeserializeOwned>(text: &str, path: &str) -> Result<T, YamlError> {
    read_as(CONFIG, text, path)
}

fn has_too_many_brackets(text: &str) -> bool {
    text.matches(['[', '{']).nth(MOST_BRACKETS).is_some()
}

/// Reads a document whose form somebody else defines.
pub(crate) fn read_foreign<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    if has_too_many_brackets(text) {
        return Err(format!("it has more than {MOST_BRACKETS} brackets"));
    }
    serde_yaml::from_str(text).map_err(|error| error.to_string())
}

/// Reads a configuration that was put together of two that were read before.
pub(super) fn read_merged<T: DeserializeOwned>(text: &str, path: &str) -> Result<T, YamlError> {
    serde_yaml::from_str(text).map_err(|error| YamlError {
        excerpt: None,
        place: None,
        ..explain(&error, CONFIG, text, path)
    })
}

/// Reads a document of some kind; `path` is for the messages only.
pub(crate) fn read_as<T: DeserializeOwned>(
    kind: Kind,
    text: &str,
    path: &str,
) -> Result<T, YamlError> {
    read_seed(kind, text, path, PhantomData::<T>)
}

/// Reads a document of some kind by whoever knows how; `path` is for the messages only.
pub(crate) fn read_seed<'t, S: DeserializeSeed<'t>>(
    kind: Kind,
    text: &'t str,
    path: &str,
    seed: S,
) -> Result<S::Value, YamlError> {
    let explain = |error: &serde_yaml::Error| explain(error, kind, text, path);
    // The parser's time grows with the square of the depth.
    if has_too_many_brackets(text) {
        return Err(YamlError {
            message: format!("it has more than {MOST_BRACKETS} brackets"),
            excerpt: None,
            hint: Some("write long lists one entry a line, with `- `".to_owned()),
            place: None,
        });
    }
    // Of two entries with one key the library would take the last, and nobody would miss the first.
    serde_yaml::from_str::<UniqueKeys>(text).map_err(|error| explain(&error))?;
    let read = seed.deserialize(serde_yaml::Deserializer::from_str(text));
    read.map_err(|error| explain(&error))
}

/// Any document in which no mapping has a key twice (YAML 1.2.2, section 3.2.1.1).
struct UniqueKeys;

impl<'de> Deserialize<'de> for UniqueKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueVisitor)
    }
}

struct UniqueVisitor;

/// Scalars are all alike.
macro_rules! scalars {
    ($($visit:ident: $type:ty),+) => {
        $(fn $visit<E>(self, _: $type) -> Result<UniqueKeys, E> {
            Ok(UniqueKeys)
        })+
    };
}

impl<'de> Visitor<'de> for UniqueVisitor {
    type Value = UniqueKeys;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a document")
    }

    scalars!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);

    fn visit_unit<E>(self) -> Result<UniqueKeys, E> {
        Ok(UniqueKeys)
    }

    fn visit_none<E>(self) -> Result<UniqueKeys, E> {
        Ok(UniqueKeys)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<UniqueKeys, D::Error> {
        UniqueKeys::deserialize(deserializer)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<UniqueKeys, A::Error> {
        // A tag: whoever reads the value says what is wrong with it.
        let (IgnoredAny, variant) = data.variant()?;
        variant.newtype_variant()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<UniqueKeys, A::Error> {
        while seq.next_element::<UniqueKeys>()?.is_some() {}
        Ok(UniqueKeys)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<UniqueKeys, A::Error> {
        let mut keys = HashSet::new();
        while let Some(key) = map.next_key::<serde_yaml::Value>()? {
            let shown = key
                .as_str()
                .map_or_else(|| format!("{key:?}"), str::to_owned);
            if !keys.insert(key) {
                return Err(de::Error::custom(format!("the key `{shown}` stands twice")));
            }
            map.next_value::<UniqueKeys>()?;
        }
        Ok(UniqueKeys)
    }
}

fn explain(error: &serde_yaml::Error, kind: Kind, text: &str, path: &str) -> YamlError {
    let whole = error.to_string();
    // The library ends its message with the place, which the excerpt shows better.
    let message = match whole.rfind(" at line ") {
        Some(end) if error.location().is_some() => whole[..end].to_owned(),
        _ => whole,
    };
    // The library names our types, which say nothing to a reader.
    let message = match message.find("expected struct ") {
        Some(at) => format!("{}expected a mapping of keys", &message[..at]),
        None => message,
    };
    let names = quoted(&message);
    let is_unknown = message.contains("unknown field");
    let mut hint = None;
    let mut label = String::new();
    if is_unknown && let Some((unknown, known)) = names.split_first() {
        label = "unknown key".into();
        hint = nearest(unknown, known).map(|near| format!("did you mean `{near}`?"));
        if hint.is_none() && !known.is_empty() {
            hint = Some(format!("valid keys here: {}", known.join(", ")));
        }
    } else if message.contains("unknown variant")
        && let Some((unknown, known)) = names.split_first()
    {
        hint = nearest(unknown, known).map(|near| format!("did you mean `{near}`?"));
        hint.get_or_insert_with(|| format!("valid words here: {}", known.join(", ")));
    } else if message.contains("missing field") {
        hint = names.first().map(|name| match *name {
            "schema" => format!("begin the file with `schema: {}`", kind.schema),
            name => format!("add `{name}:`"),
        });
    }
    let hint = hint.or_else(|| {
        let published = kind.published;
        Some(format!(
            "`maestro util schema {published}` prints what may stand where"
        ))
    });
    let place = error
        .location()
        .filter(|place| place.index() > 0 || is_unknown);
    let excerpt = place.map(|place| {
        let start = place.index().min(text.len());
        excerpt(text, path, start, &label)
    });
    let message = if is_unknown {
        match names.first() {
            Some(unknown) => format!("unknown key `{unknown}`"),
            None => message,
        }
    } else {
        message
    };
    let count = |number| u32::try_from(number).unwrap_or(u32::MAX);
    YamlError {
        message,
        excerpt,
        hint,
        place: error
            .location()
            .map(|place| (count(place.line()), count(place.column()))),
    }
}

/// Reads a text into something; what is wrong with it is an error at its place.
pub(crate) fn checked<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    expecting: &'static str,
    read: fn(&str) -> Result<T, String>,
) -> Result<T, D::Error> {
    struct Reader<T>(&'static str, fn(&str) -> Result<T, String>);
    impl<T> Visitor<'_> for Reader<T> {
        type Value = T;

        fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            out.write_str(self.0)
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
            (self.1)(text).map_err(E::custom)
        }
    }
    deserializer.deserialize_str(Reader(expecting, read))
}

/// Returns the names that a message of serde puts in backticks.
fn quoted(message: &str) -> Vec<&str> {
    message.split('`').skip(1).step_by(2).collect()
}

/// Returns the known name that is most like an unknown one.
pub(crate) fn nearest<'a>(unknown: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|name| (strsim::jaro_winkler(unknown, name), *name))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

fn excerpt(text: &str, path: &str, start: usize, label: &str) -> String {
    let mut start = start;
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let rest = &text[start..];
    let length = rest
        .find(|c: char| c.is_whitespace() || matches!(c, ':' | ',' | '}' | ']'))
        .filter(|length| *length > 0)
        .unwrap_or_else(|| rest.chars().next().map_or(0, char::len_utf8));
    let annotation = AnnotationKind::Primary.span(start..start + length);
    let annotation = if label.is_empty() {
        annotation
    } else {
        annotation.label(label)
    };
    let report = Level::ERROR
        .primary_title("here")
        .element(Snippet::source(text).path(path).annotation(annotation));
    let rendered = Renderer::plain().render(&[report]);
    // The first line repeats the title, which the error's own first line says.
    rendered
        .split_once('\n')
        .map_or(String::new(), |(_, rest)| rest.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ConfigFile;

    fn check(text: &str) -> String {
        let error = read::<ConfigFile>(text, "maestro.yaml").unwrap_err();
        format!(
            "{}\n{}\n{}",
            error.message,
            error.excerpt.unwrap_or_default(),
            error.hint.unwrap_or_default()
        )
    }

    #[test]
    fn an_unknown_key_is_shown_with_its_place_and_the_nearest_name() {
        insta::assert_snapshot!(check("schema: maestro.config/v1\njobs:\n  test:\n    junt: a.xml\n"), @r"
        unknown key `junt`
         --> maestro.yaml:4:5
          |
        4 |     junt: a.xml
          |     ^^^^ unknown key
        did you mean `junit`?
        ");
    }

    #[test]
    fn a_key_that_is_like_no_other_lists_the_valid_ones() {
        assert!(
            check("schema: x\nzzz: 1\n")
                .ends_with("valid keys here: schema, requires, extends, locked, enforce, on_internal_error, comment, overrides, jobs, components, run_all_on, ignore, flakes, agents, delivery, models, health, kpi, notify, output, state")
        );
    }

    #[test]
    fn a_wrong_type_is_shown_with_its_place() {
        insta::assert_snapshot!(check("schema: maestro.config/v1\nstate: {redact: perhaps}\n"), @r#"
        state.redact: invalid type: string "perhaps", expected a boolean
         --> maestro.yaml:2:17
          |
        2 | state: {redact: perhaps}
          |                 ^^^^^^^
        `maestro util schema config` prints what may stand where
        "#);
    }

    #[test]
    fn a_missing_schema_says_what_to_write() {
        assert!(check("jobs: {}\n").ends_with("begin the file with `schema: maestro.config/v1`"));
    }
}
