//! Blocking keys: what a profile is looked up by. Only patients that share a key are compared.
//!
//! A key is 32 bits of a hash and says nothing by itself; two values with the same key cost one comparison more, since
//! whatever is found is compared in full.

use super::{Profile, contact::Contact, identifier::Token};
use std::hash::{DefaultHasher, Hash, Hasher};

/// A blocking key.
pub(super) type Key = u32;

/// All keys of a profile, each once: about 8, at most 99 (one a contact and an identifier, and three of the name).
pub(super) fn all(profile: &Profile) -> Vec<Key> {
    let mut keys: Vec<Key> = profile.contacts.iter().map(contact).collect();
    keys.extend(profile.tokens.iter().map(token));
    keys.extend(
        [
            names(profile),
            family_and_birth(profile),
            given_and_birth(profile),
        ]
        .into_iter()
        .flatten(),
    );
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// For a mistyped birth date, and where there is none. The same when family and given name are exchanged.
fn names(profile: &Profile) -> Option<Key> {
    let family = profile.name.family.as_ref()?.joined.as_str();
    let given = profile.name.given.as_ref()?.first();
    Some(hash("names", (family.min(given), family.max(given))))
}

/// For a nickname and a mistyped given name. The same when day and month are exchanged.
pub(super) fn family_and_birth(profile: &Profile) -> Option<Key> {
    let family = profile.name.family.as_ref()?;
    Some(hash(
        "family",
        (&family.joined, profile.birth?.either_way_round()?),
    ))
}

/// For a married and a mistyped family name. The same when day and month are exchanged.
fn given_and_birth(profile: &Profile) -> Option<Key> {
    let given = profile.name.given.as_ref()?;
    Some(hash("given", (given.first(), profile.birth?.either_way_round()?)))
}

pub(super) fn contact(contact: &Contact) -> Key {
    hash("contact", contact.key())
}

pub(super) fn token(token: &Token) -> Key {
    hash("token", (&token.namespace, &token.value))
}

/// Under which the index finds a patient's own entry.
pub(super) fn own(id: crate::PatientId) -> Key {
    hash("id", id)
}

#[allow(clippy::cast_possible_truncation, reason = "any 32 bits of the hash will do")]
fn hash(what: &str, value: impl Hash) -> Key {
    // Its keys are fixed, so that the same values have the same key in every index of this program.
    let mut hasher = DefaultHasher::new();
    (what, value).hash(&mut hasher);
    hasher.finish() as u32
}
