//! Reads the merged layers into the raw structs and finds everything that does not fit, not only the first.
//!
//! Serde stops at the first flaw. So the key of a flaw is noted and reading starts again without it, until it gets
//! through: at most [`MAX_PROBLEMS`] times over at most 1 MiB. That way the raw structs stay the only list of known keys.

use super::{
    flaw::{Flaw, FlawKind},
    problem::MAX_PROBLEMS,
    raw::RawConfig,
    sources::Sources,
};
use config::{Value, ValueKind};
use serde::{
    Deserialize,
    de::{self, DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor},
    forward_to_deserialize_any,
};
use std::collections::BTreeSet;

/// The configuration without what does not fit, and what does not.
pub(super) fn read(sources: &Sources) -> (RawConfig, Vec<Flaw>) {
    let mut flaws = Vec::new();
    let mut skipped = BTreeSet::new();
    while flaws.len() < MAX_PROBLEMS {
        let reader = Reader {
            value: sources.merged(),
            key: String::new(),
            sources,
            skipped: &skipped,
        };
        match RawConfig::deserialize(reader) {
            Ok(raw) => return (raw, flaws),
            Err(flaw) => {
                skipped.insert(list_around(&flaw.key).to_owned());
                skipped.insert(flaw.key.clone());
                flaws.push(flaw);
            }
        }
    }
    (RawConfig::default(), flaws)
}

/// The list whose element `key` is, or `key`. An element has no name by which to leave it out; without the whole list,
/// no other element gets its number.
fn list_around(key: &str) -> &str {
    let around = key.strip_suffix(']').and_then(|key| key.rsplit_once('['));
    around.map_or(key, |(list, _)| list)
}

/// One value, and where it is.
struct Reader<'a> {
    value: &'a Value,
    key: String,
    sources: &'a Sources,
    skipped: &'a BTreeSet<String>,
}

impl Reader<'_> {
    /// The text that an environment variable put here. Variables have no types, so that the wanted type decides.
    fn environment_text(&self) -> Option<&str> {
        match &self.value.kind {
            ValueKind::String(text) if self.sources.is_override(&self.key) => Some(text),
            _ => None,
        }
    }
}

impl<'de> de::Deserializer<'de> for Reader<'_> {
    type Error = Flaw;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Flaw> {
        let visited = match &self.value.kind {
            ValueKind::Nil => visitor.visit_unit(),
            ValueKind::Boolean(yes) => visitor.visit_bool(*yes),
            ValueKind::I64(number) => visitor.visit_i64(*number),
            ValueKind::U64(number) => visitor.visit_u64(*number),
            ValueKind::I128(number) => visitor.visit_i128(*number),
            ValueKind::U128(number) => visitor.visit_u128(*number),
            ValueKind::Float(number) => visitor.visit_f64(*number),
            ValueKind::String(text) => visitor.visit_str(text),
            ValueKind::Table(table) => {
                let entries = table
                    .iter()
                    .map(|(name, value)| (name.as_str(), value))
                    .collect::<Vec<_>>();
                visitor.visit_map(Entries {
                    reader: &self,
                    rest: entries.into_iter(),
                    value: None,
                })
            }
            ValueKind::Array(list) => visitor.visit_seq(Elements {
                reader: &self,
                rest: list.iter().enumerate(),
            }),
        };
        visited.map_err(|flaw| flaw.at(&self.key))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Flaw> {
        match self.environment_text().map(str::parse) {
            Some(Ok(yes)) => visitor.visit_bool(yes),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Flaw> {
        match self.environment_text().map(str::parse) {
            Some(Ok(number)) => visitor.visit_i64(number),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Flaw> {
        visitor.visit_some(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Flaw> {
        match &self.value.kind {
            // Serde would read a struct from a list of its fields' values.
            ValueKind::Array(_) => {
                Err(<Flaw as de::Error>::invalid_type(Unexpected::Seq, &visitor).at(&self.key))
            }
            _ => self.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct newtype_struct seq
        tuple tuple_struct map enum identifier ignored_any
    }
}

/// A table that is being read.
struct Entries<'a, I> {
    reader: &'a Reader<'a>,
    rest: I,
    value: Option<Reader<'a>>,
}

impl<'de, 'a, I: Iterator<Item = (&'a str, &'a Value)>> MapAccess<'de> for Entries<'a, I> {
    type Error = Flaw;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Flaw> {
        let parent = self.reader;
        for (name, value) in self.rest.by_ref() {
            let key = if parent.key.is_empty() {
                name.to_owned()
            } else {
                format!("{}.{name}", parent.key)
            };
            if parent.skipped.contains(&key) {
                continue;
            }
            let read = seed
                .deserialize(name.into_deserializer())
                .map_err(|flaw: Flaw| flaw.at(&key))?;
            self.value = Some(Reader {
                value,
                key,
                ..*parent
            });
            return Ok(Some(read));
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Flaw> {
        let missing = || Flaw {
            key: self.reader.key.clone(),
            kind: FlawKind::Other("no value".to_owned()),
        };
        let reader = self.value.take().ok_or_else(missing)?;
        let key = reader.key.clone();
        seed.deserialize(reader).map_err(|flaw| flaw.at(&key))
    }
}

/// A list that is being read.
struct Elements<'a, I> {
    reader: &'a Reader<'a>,
    rest: I,
}

impl<'de, 'a, I: Iterator<Item = (usize, &'a Value)>> SeqAccess<'de> for Elements<'a, I> {
    type Error = Flaw;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Flaw> {
        let Some((index, value)) = self.rest.next() else {
            return Ok(None);
        };
        let key = format!("{}[{index}]", self.reader.key);
        let reader = Reader {
            value,
            key: key.clone(),
            ..*self.reader
        };
        seed.deserialize(reader).map(Some).map_err(|flaw| flaw.at(&key))
    }
}
