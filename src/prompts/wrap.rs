//! What templates see of what comes from outside: a value that only the filter `data` can write out.
//!
//! Every other way to its text (`{{ x }}`, `~`, `tojson`, `pprint`) writes nothing and is remembered, and the rendering fails.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use minijinja::value::{Enumerator, Kwargs, Object, ObjectRepr};
use minijinja::{Error, ErrorKind, Value};
use serde_json::Value as Json;

use super::file::{TypeWord, VariableFile};
use super::untrusted::{Piece, block};
use super::variables::Values;

/// What holds for one rendering.
pub(super) struct Frame {
    delimiter: String,
    /// The first value that was written out without the filter.
    leaked: OnceLock<String>,
}

impl Frame {
    pub(super) fn new(delimiter: String) -> Arc<Self> {
        Arc::new(Self {
            delimiter,
            leaked: OnceLock::new(),
        })
    }

    pub(super) fn leaked(&self) -> Option<&str> {
        self.leaked.get().map(String::as_str)
    }
}

struct Untrusted {
    json: Json,
    path: String,
    frame: Arc<Frame>,
}

impl Untrusted {
    fn leak(&self) {
        // Only the first is told.
        let _ = self.frame.leaked.set(self.path.clone());
    }
}

impl fmt::Debug for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.leak();
        f.write_str("untrusted")
    }
}

impl Object for Untrusted {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn is_true(self: &Arc<Self>) -> bool {
        match &self.json {
            Json::Null => false,
            Json::Bool(value) => *value,
            Json::Number(number) => number.as_f64() != Some(0.0),
            Json::String(text) => !text.is_empty(),
            Json::Array(entries) => !entries.is_empty(),
            Json::Object(fields) => !fields.is_empty(),
        }
    }

    fn render(self: &Arc<Self>, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.leak();
        Ok(())
    }
}

/// The filter `data`: `{{ issue.body | data }}`, `{{ issue.body | data("the issue", markdown=true) }}`, `{{ file.text | data("file", of=file.path) }}`.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the engine hands arguments over"
)]
pub(super) fn data(value: &Value, name: Option<Value>, options: Kwargs) -> Result<Value, Error> {
    let wrong = |words: &'static str| Error::new(ErrorKind::InvalidOperation, words);
    let is_markdown = options.get::<Option<bool>>("markdown")?.unwrap_or(false);
    let of = options.get::<Option<Value>>("of")?;
    options.assert_all_used()?;
    let Some(untrusted) = value.downcast_object_ref::<Untrusted>() else {
        return Err(wrong("`data` is for what is declared `untrusted: true`"));
    };
    // A file could be called as another block is.
    let mut name = match name {
        None => untrusted.path.clone(),
        Some(name) if name.downcast_object_ref::<Untrusted>().is_some() => {
            return Err(wrong(
                "the name of a block is not from outside; `of` may be",
            ));
        }
        Some(name) => name.to_string(),
    };
    if let Some(of) = of {
        let of = match of.downcast_object_ref::<Untrusted>() {
            Some(of) => of.json.as_str().unwrap_or_default().replace(' ', "_"),
            None => of.to_string(),
        };
        name = format!("{name}: {of}");
    }
    let json;
    let text = match &untrusted.json {
        Json::String(text) => text.as_str(),
        other => {
            json = crate::json::pretty(other).unwrap_or_default();
            &json
        }
    };
    let piece = Piece {
        name: &name,
        text,
        is_markdown: is_markdown && untrusted.json.is_string(),
    };
    Ok(Value::from(block(&piece, &untrusted.frame.delimiter)))
}

/// Returns checked values as templates see them.
pub(super) fn context(
    declared: &BTreeMap<String, VariableFile>,
    values: Values,
    frame: &Arc<Frame>,
) -> BTreeMap<String, Value> {
    let values = values.into_iter().filter_map(|(name, value)| {
        let kind = declared.get(&name)?;
        let value = seen(kind, value, name.clone(), frame);
        Some((name, value))
    });
    crate::order::map(values)
}

/// Whether anything of a type is untrusted.
pub(super) fn has_untrusted(kind: &VariableFile) -> bool {
    kind.untrusted
        || kind.kind == TypeWord::Json
        || kind.items.as_deref().is_some_and(has_untrusted)
        || kind
            .fields
            .iter()
            .flatten()
            .any(|(_, kind)| has_untrusted(kind))
}

fn seen(kind: &VariableFile, json: Json, path: String, frame: &Arc<Frame>) -> Value {
    if kind.untrusted || kind.kind == TypeWord::Json {
        return Value::from_object(Untrusted {
            json,
            path,
            frame: Arc::clone(frame),
        });
    }
    match (json, &kind.items, &kind.fields) {
        (Json::Array(entries), Some(items), _) => {
            let entries = entries.into_iter().enumerate();
            let entries =
                entries.map(|(at, json)| seen(items, json, format!("{path}[{at}]"), frame));
            entries.collect()
        }
        (Json::Object(values), _, Some(declared)) => {
            let values = values.into_iter().filter_map(|(name, json)| {
                let value = seen(declared.get(&name)?, json, format!("{path}.{name}"), frame);
                Some((name, value))
            });
            Value::from_pairs(values)
        }
        (Json::String(text), ..) => Value::from(text),
        (Json::Bool(value), ..) => Value::from(value),
        (Json::Number(number), ..) => match (number.as_i64(), number.as_u64()) {
            (Some(whole), _) => Value::from(whole),
            (None, Some(whole)) => Value::from(whole),
            (None, None) => Value::from(number.as_f64().unwrap_or_default()),
        },
        _ => Value::from(()),
    }
}
