//! A YAML document as a tree that loses nothing of how its values are written: `1.10` stays `1.10`, which a text wants and a number would not keep.
//!
//! A document is read twice. The first time tells what each value is, the second asks for its text; only then can two documents be put over one
//! another and be read again by the types that know what may stand where.

use std::fmt;

use serde::de::{DeserializeSeed, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::YamlError;
use super::yaml::{CONFIG, read_seed};

/// A value of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tree {
    Leaf(Leaf),
    List(Vec<Tree>),
    Map(Vec<(String, Tree)>),
}

/// A value that is no list and no mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leaf {
    pub(crate) kind: LeafKind,
    /// As it is written, without quotes.
    pub(crate) text: String,
}

/// What YAML takes a value for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LeafKind {
    Text,
    /// A number or a truth value.
    Other,
    Null,
}

/// What a way through a document comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Met<'t> {
    /// Nothing, which `null` is too.
    Nothing,
    Value(&'t Tree),
    /// Something else stands on the way.
    Instead(&'t Tree),
}

impl Default for Tree {
    fn default() -> Self {
        Self::Map(Vec::new())
    }
}

impl Tree {
    /// Reads a configuration; `path` is for the messages only.
    pub(crate) fn read(text: &str, path: &str) -> Result<Self, YamlError> {
        let shape = read_seed(CONFIG, text, path, std::marker::PhantomData::<Shape>)?;
        read_seed(CONFIG, text, path, &shape)
    }

    #[cfg(test)]
    fn text(text: &str) -> Self {
        Self::Leaf(Leaf {
            kind: LeafKind::Text,
            text: text.to_owned(),
        })
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Self::Leaf(leaf) if leaf.kind == LeafKind::Null)
    }

    /// Returns the value of a key.
    pub(crate) fn key(&self, name: &str) -> Option<&Self> {
        let Self::Map(entries) = self else {
            return None;
        };
        entries
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    }

    /// Follows keys.
    pub(crate) fn meet(&self, way: &[String]) -> Met<'_> {
        let mut here = self;
        for name in way {
            if !matches!(here, Self::Map(_)) {
                return Met::Instead(here);
            }
            match here.key(name) {
                None => return Met::Nothing,
                Some(value) if value.is_null() => return Met::Nothing,
                Some(value) => here = value,
            }
        }
        Met::Value(here)
    }

    /// Returns the value at the end of a way.
    pub(crate) fn at(&self, way: &[String]) -> Option<&Self> {
        match self.meet(way) {
            Met::Value(value) => Some(value),
            Met::Nothing | Met::Instead(_) => None,
        }
    }

    /// Returns the entries of a list; of everything else none.
    pub(crate) fn entries(&self) -> &[Self] {
        match self {
            Self::List(entries) => entries,
            Self::Leaf(_) | Self::Map(_) => &[],
        }
    }

    /// Returns a leaf's text.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Leaf(leaf) if leaf.kind != LeafKind::Null => Some(&leaf.text),
            _ => None,
        }
    }

    /// Returns the ways to all that is neither a mapping nor below `stop`, in order; an empty mapping sets nothing.
    pub(crate) fn leaves(&self, stop: &dyn Fn(&[String]) -> bool) -> Vec<Vec<String>> {
        let mut found = Vec::new();
        self.gather(&mut Vec::new(), stop, &mut found);
        found
    }

    fn gather(
        &self,
        way: &mut Vec<String>,
        stop: &dyn Fn(&[String]) -> bool,
        found: &mut Vec<Vec<String>>,
    ) {
        match self {
            Self::Map(entries) if way.is_empty() || !stop(way) => {
                for (key, value) in entries {
                    way.push(key.clone());
                    value.gather(way, stop, found);
                    way.pop();
                }
            }
            value if value.is_null() => {}
            _ => found.push(way.clone()),
        }
    }

    /// Writes it so that it is read as the same.
    pub(crate) fn write(&self, out: &mut String) {
        match self {
            Self::Leaf(leaf) => leaf.write(out),
            Self::List(entries) => {
                out.push('[');
                for (at, entry) in entries.iter().enumerate() {
                    out.push_str(if at > 0 { ", " } else { "" });
                    entry.write(out);
                }
                out.push(']');
            }
            Self::Map(entries) => {
                out.push('{');
                for (at, (key, value)) in entries.iter().enumerate() {
                    out.push_str(if at > 0 { ", " } else { "" });
                    quote(key, out);
                    out.push_str(": ");
                    value.write(out);
                }
                out.push('}');
            }
        }
    }

    /// Returns it in one line, for people.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Leaf(leaf) if leaf.kind == LeafKind::Null => "nothing".to_owned(),
            Self::Leaf(leaf) => match leaf.text.trim_end().split_once('\n') {
                Some((first, _)) => format!("{first} …"),
                None => leaf.text.trim_end().to_owned(),
            },
            Self::List(entries) => {
                let entries: Vec<String> = entries.iter().map(Self::shown).collect();
                format!("[{}]", entries.join(", "))
            }
            Self::Map(entries) => {
                let entries: Vec<String> = entries
                    .iter()
                    .map(|(key, value)| format!("{key}: {}", value.shown()))
                    .collect();
                format!("{{{}}}", entries.join(", "))
            }
        }
    }
}

impl Leaf {
    fn write(&self, out: &mut String) {
        let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.' | '_');
        match self.kind {
            LeafKind::Null => out.push_str("null"),
            LeafKind::Other if !self.text.is_empty() && self.text.chars().all(is_word) => {
                out.push_str(&self.text);
            }
            LeafKind::Text | LeafKind::Other => quote(&self.text, out),
        }
    }
}

/// Writes a text in double quotes (YAML 1.2.2, section 7.3.1); whatever does not show is escaped.
fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            ' '..='~' => out.push(c),
            c => out.push_str(&format!("\\U{:08X}", u32::from(c))),
        }
    }
    out.push('"');
}

/// What the values of a document are.
#[derive(Debug)]
enum Shape {
    Leaf(LeafKind),
    List(Vec<Shape>),
    Map(Vec<Shape>),
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShapeVisitor)
    }
}

struct ShapeVisitor;

macro_rules! leaves {
    ($($visit:ident($type:ty) = $kind:ident;)+) => {
        $(fn $visit<E>(self, _: $type) -> Result<Shape, E> {
            Ok(Shape::Leaf(LeafKind::$kind))
        })+
    };
}

impl<'de> Visitor<'de> for ShapeVisitor {
    type Value = Shape;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a document")
    }

    leaves! {
        visit_bool(bool) = Other;
        visit_i64(i64) = Other;
        visit_u64(u64) = Other;
        visit_i128(i128) = Other;
        visit_u128(u128) = Other;
        visit_f64(f64) = Other;
        visit_str(&str) = Text;
    }

    fn visit_unit<E>(self) -> Result<Shape, E> {
        Ok(Shape::Leaf(LeafKind::Null))
    }

    fn visit_none<E>(self) -> Result<Shape, E> {
        Ok(Shape::Leaf(LeafKind::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Shape, D::Error> {
        Shape::deserialize(deserializer)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<Shape, A::Error> {
        // A tag, which nothing here has a use for.
        let (_, variant) = data.variant::<serde::de::IgnoredAny>()?;
        variant.newtype_variant()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Shape, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = seq.next_element()? {
            entries.push(entry);
        }
        Ok(Shape::List(entries))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Shape, A::Error> {
        let mut entries = Vec::new();
        while map.next_key::<String>()?.is_some() {
            entries.push(map.next_value()?);
        }
        Ok(Shape::Map(entries))
    }
}

impl<'de> DeserializeSeed<'de> for &Shape {
    type Value = Tree;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree, D::Error> {
        match self {
            Shape::Leaf(_) => deserializer.deserialize_str(self),
            Shape::List(_) => deserializer.deserialize_seq(self),
            Shape::Map(_) => deserializer.deserialize_map(self),
        }
    }
}

impl<'de> Visitor<'de> for &Shape {
    type Value = Tree;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("the same document")
    }

    fn visit_str<E>(self, text: &str) -> Result<Tree, E> {
        let kind = match self {
            Shape::Leaf(kind) => *kind,
            Shape::List(_) | Shape::Map(_) => LeafKind::Text,
        };
        // It is written in many ways, and as nothing at all.
        let text = match kind {
            LeafKind::Null => "null",
            LeafKind::Text | LeafKind::Other => text,
        };
        Ok(Tree::Leaf(Leaf {
            kind,
            text: text.to_owned(),
        }))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Tree, A::Error> {
        let Shape::List(shapes) = self else {
            return Err(serde::de::Error::custom("a list where none was"));
        };
        let mut entries = Vec::new();
        for shape in shapes {
            entries.extend(seq.next_element_seed(shape)?);
        }
        // The reader wants to hear that nobody waits for more.
        while seq.next_element::<serde::de::IgnoredAny>()?.is_some() {}
        Ok(Tree::List(entries))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let Shape::Map(shapes) = self else {
            return Err(serde::de::Error::custom("a mapping where none was"));
        };
        let mut shapes = shapes.iter();
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            let Some(shape) = shapes.next() else {
                return Err(serde::de::Error::custom("a key where none was"));
            };
            entries.push((key, map.next_value_seed(shape)?));
        }
        Ok(Tree::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tree(text: &str) -> Tree {
        Tree::read(text, "f").unwrap_or_else(|error| panic!("{text}: {error:?}"))
    }

    fn written(tree: &Tree) -> String {
        let mut out = String::new();
        tree.write(&mut out);
        out
    }

    #[test]
    fn values_stay_as_they_are_written() {
        let text = "a: 1.10\nb: \"1.10\"\nc: 0x1F\nd: true\ne: ~\nf:\ng: [x, 2, null]\nh: |\n  one\n  two\n1: {}\n";
        assert_eq!(
            written(&tree(text)),
            "{\"a\": 1.10, \"b\": \"1.10\", \"c\": 0x1F, \"d\": true, \"e\": null, \"f\": null, \"g\": [\"x\", 2, null], \"h\": \"one\\U0000000Atwo\\U0000000A\", \"1\": {}}"
        );
    }

    #[test]
    fn ways_end_at_values_and_stop_at_what_stands_there_instead() {
        let tree = tree("a: {b: {c: 1}}\nd: [x]\ne: ~\n");
        let way = |text: &str| text.split('.').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(tree.at(&way("a.b.c")).and_then(Tree::as_text), Some("1"));
        assert_eq!(tree.meet(&way("a.x.c")), Met::Nothing);
        assert_eq!(tree.meet(&way("e")), Met::Nothing);
        assert!(matches!(
            tree.meet(&way("d.x")),
            Met::Instead(Tree::List(_))
        ));
        let leaves: Vec<String> = tree
            .leaves(&|way| way.join(".") == "a.b")
            .iter()
            .map(|way| way.join("."))
            .collect();
        assert_eq!(leaves, ["a.b", "d"]);
    }

    #[test]
    fn what_is_no_document_has_its_place() {
        assert_eq!(Tree::read("a: [\n", "f").unwrap_err().place, Some((2, 1)));
        assert!(Tree::read("? [a]\n: b\n", "f").is_err());
        assert!(Tree::read(&"- ".repeat(5000), "f").is_err());
    }

    fn any_tree() -> impl Strategy<Value = Tree> {
        let leaf = prop_oneof![
            any::<String>().prop_map(|text| Tree::text(&text)),
            prop::sample::select(vec!["1", "-0.50", "1e3", "true", "false", "0x10", ".5"])
                .prop_map(|text| Tree::Leaf(Leaf {
                    kind: LeafKind::Other,
                    text: text.to_owned()
                })),
            Just(Tree::Leaf(Leaf {
                kind: LeafKind::Null,
                text: "null".to_owned()
            })),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Tree::List),
                prop::collection::btree_map("[ -~äß\u{1}]{0,8}", inner, 0..4)
                    .prop_map(|map| Tree::Map(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_as_the_same(tree in any_tree()) {
            let text = written(&tree);
            prop_assert_eq!(Tree::read(&text, "f").unwrap(), tree, "{}", text);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[a-c:\\-\\[\\]{}\n \"'&*!|>~,#0-9]{0,60}") {
            if let Ok(tree) = Tree::read(&text, "f") {
                prop_assert_eq!(Tree::read(&written(&tree), "f").ok(), Some(tree));
            }
        }
    }
}
