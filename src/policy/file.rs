//! `.maestro/policy.yaml`: read whole or refused with its place.
//!
//! An entry's keys are its own and its rule's. They are read where they stand, each by whoever knows it, so that an error has a line and a
//! column; a generic reader that collects keys first would lose them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::entry::{AppliesTo, Entry, Ignore};
use super::globs::Globs;
use super::rules::{self, About};
use super::standing::STANDING;
use super::words::{Day, Id, Words};
use super::{Rule, Weight};
use crate::config::extends::Extends;
use crate::config::{Kind, YamlError, read_as, read_seed};

/// What `schema:` must say.
pub(crate) const SCHEMA: &str = "maestro.policy/v1";

/// Where it lies, from the top of the repository.
pub(crate) const PATH: &str = ".maestro/policy.yaml";

/// A policy larger than this was not written by a person.
const LARGEST: usize = 256 * 1024;

const KIND: Kind = Kind {
    schema: SCHEMA,
    published: "policy",
};

/// What stands at the top of the file.
pub(super) const TOP: [&str; 9] = [
    "schema", "extends", "owner", "agents", "teams", "baseline", "locked", "ignores", "rules",
];

/// What every entry may have beside its rule's own keys.
pub(super) const COMMON: [&str; 8] = [
    "rule",
    "id",
    "severity",
    "reason",
    "fix",
    "owner",
    "expires",
    "applies_to",
];

/// Who counts as an agent.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Agents {
    /// Accounts, as `claude[bot]`; compared without regard to case.
    pub(crate) authors: Vec<Words>,
    /// Globs of branches that agents push.
    pub(crate) branches: Globs,
}

/// What an organisation holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Locked {
    #[default]
    Nothing,
    All,
    Entries(Vec<String>),
}

impl Locked {
    pub(crate) fn has(&self, id: &str) -> bool {
        match self {
            Self::Nothing => false,
            Self::All => true,
            Self::Entries(ids) => ids.iter().any(|one| one == id),
        }
    }
}

/// The file.
#[derive(Debug, Default)]
pub(crate) struct PolicyFile {
    pub(crate) extends: Option<Extends>,
    /// Whose entries are that name nobody.
    pub(crate) owner: Option<String>,
    pub(crate) agents: Agents,
    /// Accounts of teams.
    pub(crate) teams: BTreeMap<String, Vec<Words>>,
    /// A file of what was there before, from the top of the repository.
    pub(crate) baseline: Option<String>,
    pub(crate) locked: Locked,
    pub(crate) ignores: Vec<Ignore>,
    pub(crate) entries: Vec<Entry>,
}

/// Reads a policy; `path` is for the messages only.
pub(crate) fn read(text: &str, path: &str) -> Result<PolicyFile, YamlError> {
    if text.len() > LARGEST {
        return Err(YamlError {
            message: format!("it has more than {} KiB", LARGEST / 1024),
            excerpt: None,
            hint: Some(
                "split it: an organisation's part can stand in a file that `extends:` names"
                    .to_owned(),
            ),
            place: Some((1, 1)),
        });
    }
    let value: Value = read_as(KIND, text, path)?;
    let raw = value.get("rules").and_then(Value::as_array);
    let raw: Vec<Raw> = raw.into_iter().flatten().map(Raw::of).collect();
    read_seed(KIND, text, path, Top { raw: &raw })
}

/// An entry as it is written.
struct Raw {
    rule: Option<String>,
    keys: Map<String, Value>,
}

impl Raw {
    fn of(entry: &Value) -> Self {
        let mut keys = entry.as_object().cloned().unwrap_or_default();
        let rule = keys.get("rule").and_then(Value::as_str).map(str::to_owned);
        keys.retain(|key, _| !COMMON.contains(&key.as_str()));
        Self { rule, keys }
    }
}

struct Top<'r> {
    raw: &'r [Raw],
}

impl<'de> DeserializeSeed<'de> for Top<'_> {
    type Value = PolicyFile;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<PolicyFile, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Top<'_> {
    type Value = PolicyFile;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a mapping of keys")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<PolicyFile, A::Error> {
        let mut file = PolicyFile::default();
        let mut has_schema = false;
        while let Some(key) = map.next_key::<TopKey>()? {
            match key.0 {
                "schema" => {
                    map.next_value::<SchemaWord>()?;
                    has_schema = true;
                }
                "extends" => file.extends = Some(map.next_value()?),
                "owner" => file.owner = Some(map.next_value::<Words>()?.0),
                "agents" => file.agents = map.next_value()?,
                "teams" => file.teams = map.next_value()?,
                "baseline" => file.baseline = Some(map.next_value::<BaselinePath>()?.0),
                "locked" => file.locked = map.next_value()?,
                "ignores" => file.ignores = map.next_value()?,
                _ => file.entries = map.next_value_seed(Entries(self.raw))?,
            }
        }
        if !has_schema {
            return Err(A::Error::missing_field("schema"));
        }
        check(&file).map_err(A::Error::custom)?;
        Ok(file)
    }
}

/// What keys say about each other.
fn check(file: &PolicyFile) -> Result<(), String> {
    if file.entries.is_empty() && file.extends.is_none() {
        return Err("it has no `rules`: a policy without rules guards nothing".to_owned());
    }
    let has = |id: &str| file.entries.iter().any(|entry| entry.id == id);
    if let Some(about) = STANDING.iter().find(|about| has(about.name)) {
        return Err(format!(
            "the id `{}` is that of what stands in every policy; take another one",
            about.name
        ));
    }
    if let Locked::Entries(ids) = &file.locked
        && let Some(id) = ids.iter().find(|id| !has(id))
    {
        return Err(format!("`locked` names `{id}`, and no entry is called so"));
    }
    for ignore in &file.ignores {
        let id = &ignore.entry.0;
        if file.extends.is_none() && !has(id) {
            return Err(format!("`ignores` names `{id}`, and no entry is called so"));
        }
        if ignore.path.is_some() == ignore.package.is_some() {
            return Err(format!(
                "what is ignored of `{id}` needs either a `path` or a `package`"
            ));
        }
    }
    Ok(())
}

/// A key at the top, looked at where it stands.
struct TopKey(&'static str);

impl<'de> Deserialize<'de> for TopKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        super::words::checked(deserializer, "a key", |text| {
            let known = TOP.iter().find(|key| **key == text);
            known
                .map(|key| Self(key))
                .ok_or_else(|| unknown_field(text, &TOP))
        })
    }
}

/// In the words of serde, which the reader of YAML makes a hint of.
fn unknown_field<'k>(text: &str, known: impl IntoIterator<Item = &'k &'k str>) -> String {
    let known: Vec<String> = known.into_iter().map(|key| format!("`{key}`")).collect();
    format!(
        "unknown field `{text}`, expected one of {}",
        known.join(", ")
    )
}

struct SchemaWord;

impl<'de> Deserialize<'de> for SchemaWord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        super::words::checked(deserializer, "`maestro.policy/v1`", |text| match text {
            SCHEMA => Ok(Self),
            text => Err(format!(
                "its schema is `{text}`, and this version reads `{SCHEMA}`"
            )),
        })
    }
}

/// A file of the repository, from its top.
struct BaselinePath(String);

impl<'de> Deserialize<'de> for BaselinePath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        super::words::checked(
            deserializer,
            "a path from the top",
            |text| match super::paths::oddity(text, true) {
                Some(oddity) => Err(format!(
                    "`{text}` {oddity}: name a file from the top of the repository"
                )),
                None => Ok(Self(text.to_owned())),
            },
        )
    }
}

impl<'de> Deserialize<'de> for Locked {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Locked;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("`all`, or a list of ids of entries")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Locked, E> {
                if text == "all" {
                    return Ok(Locked::All);
                }
                Err(E::unknown_variant(text, &["all"]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Locked, A::Error> {
                let mut ids = Vec::new();
                while let Some(id) = seq.next_element::<Id>()? {
                    ids.push(id.0);
                }
                Ok(Locked::Entries(ids))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

struct Entries<'r>(&'r [Raw]);

impl<'de> DeserializeSeed<'de> for Entries<'_> {
    type Value = Vec<Entry>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Entry>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Entries<'_> {
    type Value = Vec<Entry>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list of entries")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<Entry>, A::Error> {
        let mut taken = BTreeSet::new();
        let mut entries = Vec::new();
        let none = Raw::of(&Value::Null);
        while let Some(entry) = seq.next_element_seed(One {
            raw: self.0.get(entries.len()).unwrap_or(&none),
            taken: &mut taken,
        })? {
            entries.push(entry);
        }
        Ok(entries)
    }
}

/// One entry.
struct One<'r, 't> {
    raw: &'r Raw,
    taken: &'t mut BTreeSet<String>,
}

impl<'de> DeserializeSeed<'de> for One<'_, '_> {
    type Value = Entry;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Entry, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for One<'_, '_> {
    type Value = Entry;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an entry, which begins with `rule:`")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Entry, A::Error> {
        let Some(about) = self.raw.rule.as_deref().and_then(rules::find) else {
            // The rule's name says at its place what is wrong with it.
            while let Some(key) = map.next_key::<Words>()? {
                if key.0 == "rule" {
                    map.next_value::<RuleName>()?;
                } else {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            return Err(A::Error::missing_field("rule"));
        };
        let mut common = Common::default();
        let check = rules::read(
            about,
            Rest {
                map: &mut map,
                common: &mut common,
                fields: &[],
            },
        )?;
        check.is_sound().map_err(A::Error::custom)?;
        common
            .entry(about, check, &mut self)
            .map_err(|error| match error {
                Incomplete::Missing(key) => A::Error::missing_field(key),
                Incomplete::Twice(id) => A::Error::custom(format!("the id `{id}` stands twice")),
            })
    }
}

struct RuleName;

impl<'de> Deserialize<'de> for RuleName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        super::words::checked(deserializer, "the name of a rule", |text| {
            if rules::find(text).is_some() {
                return Ok(Self);
            }
            let known: Vec<String> = rules::RULES
                .iter()
                .map(|about| format!("`{}`", about.name))
                .collect();
            Err(format!(
                "unknown variant `{text}`, expected one of {}",
                known.join(", ")
            ))
        })
    }
}

/// What an entry says beside its rule's settings.
#[derive(Default)]
struct Common {
    id: Option<Id>,
    severity: Option<Weight>,
    reason: Option<Words>,
    fix: Option<Words>,
    owner: Option<Words>,
    expires: Option<Day>,
    applies_to: Option<AppliesTo>,
}

enum Incomplete {
    Missing(&'static str),
    Twice(String),
}

impl Common {
    fn read<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "id" => self.id = Some(map.next_value()?),
            "severity" => self.severity = Some(map.next_value()?),
            "reason" => self.reason = Some(map.next_value()?),
            "fix" => self.fix = Some(map.next_value()?),
            "owner" => self.owner = Some(map.next_value()?),
            "expires" => self.expires = Some(map.next_value()?),
            "applies_to" => self.applies_to = Some(map.next_value()?),
            _ => {
                map.next_value::<RuleName>()?;
            }
        }
        Ok(())
    }

    fn entry(
        self,
        about: &'static About,
        check: Box<dyn Rule>,
        one: &mut One<'_, '_>,
    ) -> Result<Entry, Incomplete> {
        let id = self.id.ok_or(Incomplete::Missing("id"))?.0;
        if !one.taken.insert(id.clone()) {
            return Err(Incomplete::Twice(id));
        }
        Ok(Entry {
            id,
            rule: about,
            severity: self.severity.ok_or(Incomplete::Missing("severity"))?,
            reason: self.reason.ok_or(Incomplete::Missing("reason"))?.0,
            fix: self.fix.map(|fix| fix.0),
            owner: self.owner.map(|owner| owner.0),
            expires: self.expires.map(|day| day.0),
            applies_to: self.applies_to.unwrap_or(AppliesTo::ALL),
            check,
            keys: one.raw.keys.clone(),
            is_locked: false,
        })
    }
}

/// The keys of an entry that are its rule's; the others are read on the way.
struct Rest<'a, A> {
    map: &'a mut A,
    common: &'a mut Common,
    fields: &'static [&'static str],
}

impl<'de, A: MapAccess<'de>> Deserializer<'de> for Rest<'_, A> {
    type Error = A::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, A::Error> {
        visitor.visit_map(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        mut self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.fields = fields;
        visitor.visit_map(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct newtype_struct seq tuple
        tuple_struct map enum identifier ignored_any
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Rest<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        mut seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        loop {
            let fields = self.fields;
            match self.map.next_key_seed(KeyOf { seed, fields })? {
                None => return Ok(None),
                Some(Key::Own(key)) => return Ok(Some(key)),
                Some(Key::Common(key, same)) => {
                    self.common.read(key, self.map)?;
                    seed = same;
                }
            }
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

/// A key of an entry.
enum Key<V, K> {
    /// Every entry may have it; whoever wanted a key goes on wanting one.
    Common(&'static str, K),
    Own(V),
}

struct KeyOf<K> {
    seed: K,
    fields: &'static [&'static str],
}

impl<'de, K: DeserializeSeed<'de>> DeserializeSeed<'de> for KeyOf<K> {
    type Value = Key<K::Value, K>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de, K: DeserializeSeed<'de>> Visitor<'de> for KeyOf<K> {
    type Value = Key<K::Value, K>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a key")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        if let Some(key) = COMMON.iter().find(|key| **key == text) {
            return Ok(Key::Common(key, self.seed));
        }
        if !self.fields.contains(&text) {
            return Err(E::custom(unknown_field(
                text,
                self.fields.iter().chain(&COMMON),
            )));
        }
        self.seed
            .deserialize(StrDeserializer::new(text))
            .map(Key::Own)
    }
}

#[cfg(test)]
mod tests;
