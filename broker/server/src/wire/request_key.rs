//! By what a request to publish is known again: the key that its sender gave it, and what it says.
//!
//! Neither is kept, only the first 16 bytes of a SHA-256 of each: a vendor may make its keys of a chart number, and they stand in
//! headers of the log, where nothing is by which a person could be told.

use archwire_core::SystemName;
use archwire_proto::v1;
use prost::Message as _;
use sha2::{Digest as _, Sha256};

/// Most characters of a key.
const LONGEST: usize = 64;

/// A request to publish, as it is known again. Not printable: see the module.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RequestKey {
    /// Of the system and the key that it gave.
    pub(crate) id: [u8; 16],
    /// Of what it says.
    pub(crate) content: [u8; 16],
}

/// Not a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`idempotency_key` is not 1 to 64 visible ASCII characters")]
pub struct RequestKeyError;

impl RequestKey {
    /// What `system` says under a key. When it was seen, on which revision it is based, and by whom, may differ from one sending to
    /// the next: what the record looks like may not.
    ///
    /// # Errors
    /// When the key is none.
    pub fn new(system: &SystemName, key: &str, said: &v1::Observation) -> Result<Self, RequestKeyError> {
        let is_key = (1..=LONGEST).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_key {
            return Err(RequestKeyError);
        }
        let patient = said.patient.as_ref().map(|patient| patient.encode_to_vec());
        let source = said.source.as_ref();
        let parts = [
            Some(said.local_id.as_bytes()),
            patient.as_deref(),
            source.map(|source| source.media_type.as_bytes()),
            source.map(|source| source.format.as_bytes()),
            source.map(|source| &*source.data),
            said.merged_into_local_id.as_ref().map(|id| id.as_bytes()),
        ];
        Ok(Self {
            id: hash([Some(system.as_str().as_bytes()), Some(key.as_bytes())]),
            content: hash(parts),
        })
    }
}

/// The first 16 bytes of a hash of parts, of which each may be missing.
fn hash<'a>(parts: impl IntoIterator<Item = Option<&'a [u8]>>) -> [u8; 16] {
    let mut hash = Sha256::new();
    for part in parts {
        // No part has so many bytes: a message has at most 1 MiB.
        let length = part.map_or(u64::MAX, |part| part.len() as u64);
        hash.update(length.to_be_bytes());
        hash.update(part.unwrap_or_default());
    }
    let whole: [u8; 32] = hash.finalize().into();
    let mut first = [0; 16];
    first.iter_mut().zip(whole).for_each(|(to, from)| *to = from);
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    fn system(name: &str) -> SystemName {
        name.parse().unwrap()
    }

    fn said(local_id: &str) -> v1::Observation {
        v1::Observation {
            local_id: local_id.to_owned(),
            patient: Some(v1::Patient::default()),
            ..v1::Observation::default()
        }
    }

    fn key(system_name: &str, key: &str, said: &v1::Observation) -> RequestKey {
        RequestKey::new(&system(system_name), key, said).unwrap()
    }

    #[test]
    fn a_key_is_1_to_64_visible_ascii_characters() {
        let tried = |key: &str| RequestKey::new(&system("tracer"), key, &said("1")).is_ok();
        assert!(tried("!") && tried(&"~".repeat(64)));
        for key in ["", &"~".repeat(65), "two words", "tab\t", "new\nline", "é"] {
            assert!(!tried(key), "{key:?}");
        }
    }

    #[test]
    fn the_same_key_of_two_systems_is_two_keys() {
        let (one, other) = (key("tracer", "7", &said("1")), key("scanner", "7", &said("1")));
        assert!(one.id != other.id && one.content == other.content);
        assert!(key("ab", "c", &said("1")).id != key("a", "bc", &said("1")).id);
    }

    #[test]
    fn what_the_record_looks_like_counts_and_when_it_was_seen_does_not() {
        let first = key("tracer", "7", &said("1"));
        let later = v1::Observation {
            based_on_revision: Some(3),
            actor: Some("front desk".to_owned()),
            observed_at: Some(Default::default()),
            ..said("1")
        };
        assert!(first == key("tracer", "7", &later));
        let others = [
            said("2"),
            v1::Observation {
                patient: None,
                ..said("1")
            },
            v1::Observation {
                patient: Some(v1::Patient {
                    birth_date: Some("1987".to_owned()),
                    ..v1::Patient::default()
                }),
                ..said("1")
            },
            v1::Observation {
                source: Some(v1::SourceRecord::default()),
                ..said("1")
            },
            v1::Observation {
                merged_into_local_id: Some("2".to_owned()),
                ..said("1")
            },
        ];
        for other in others {
            assert!(first.content != key("tracer", "7", &other).content);
        }
    }
}
