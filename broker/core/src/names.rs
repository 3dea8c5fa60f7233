//! Names and numbers by which the bus tells things apart. None of them is derived from a person's data.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, sync::Arc};
use uuid::Uuid;

/// A name or an id that is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Not 1 to 32 of `a-z 0-9 -`, beginning and ending with a letter or digit.
    #[error("a name is 1 to 32 of a-z, 0-9 and -, and begins and ends with a letter or digit")]
    Name,
    /// Not a UUID of version 7.
    #[error("a patient id is a UUID of version 7, as the bus gives it")]
    PatientId,
    /// Not 1 to 256 bytes without control characters.
    #[error("a local id is 1 to 256 bytes of text without control characters")]
    LocalId,
    /// Not a subject of this practice's log.
    #[error("the subject is none of this practice's log")]
    Subject,
}

impl NameError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Name => "name_invalid",
            Self::PatientId => "patient_id_invalid",
            Self::LocalId => "local_id_invalid",
            Self::Subject => "subject_invalid",
        }
    }
}

fn checked(name: &str) -> Result<String, NameError> {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let allowed = (1..=32).contains(&name.len())
        && name.bytes().all(inner)
        && !name.starts_with('-')
        && !name.ends_with('-');
    if allowed {
        Ok(name.to_owned())
    } else {
        Err(NameError::Name)
    }
}

/// A practice: one office with one log. A token of the log's subjects.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PracticeName(String);

/// A system of a practice: one installed program or account, or a vendor. A token of subjects and keys.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SystemName(Arc<str>);

impl PracticeName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl SystemName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PracticeName {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        checked(name).map(Self)
    }
}

impl FromStr for SystemName {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        checked(name).map(|name| Self(name.into()))
    }
}

impl TryFrom<String> for PracticeName {
    type Error = NameError;

    fn try_from(name: String) -> Result<Self, NameError> {
        name.parse()
    }
}

impl TryFrom<String> for SystemName {
    type Error = NameError;

    fn try_from(name: String) -> Result<Self, NameError> {
        name.parse()
    }
}

impl From<PracticeName> for String {
    fn from(name: PracticeName) -> Self {
        name.0
    }
}

impl From<SystemName> for String {
    fn from(name: SystemName) -> Self {
        name.0.as_ref().to_owned()
    }
}

impl fmt::Display for PracticeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for SystemName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The bus's own id of a patient: a UUIDv7, never reused, never derived from a person's data. Safe to log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PatientId(Uuid);

impl PatientId {
    /// The 16 bytes of the UUID.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// A new id.
    #[must_use]
    pub fn generate() -> Self {
        Self(Uuid::now_v7())
    }
}

impl FromStr for PatientId {
    type Err = NameError;

    /// Only the canonical form: 36 characters, lower case. One patient has one spelling, and so one subject.
    fn from_str(text: &str) -> Result<Self, NameError> {
        let id = Uuid::try_parse(text).map_err(|_| NameError::PatientId)?;
        let canonical = id.get_version_num() == 7 && id.as_hyphenated().to_string() == text;
        if canonical {
            Ok(Self(id))
        } else {
            Err(NameError::PatientId)
        }
    }
}

impl fmt::Display for PatientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

/// The id of a record in its system: a chart number, a key. It identifies a person there, so it does not print itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LocalId(Arc<str>);

impl LocalId {
    /// The id, to be given to its own system.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for LocalId {
    type Err = NameError;

    fn from_str(id: &str) -> Result<Self, NameError> {
        let allowed = (1..=256).contains(&id.len()) && !id.chars().any(char::is_control);
        if allowed {
            Ok(Self(id.into()))
        } else {
            Err(NameError::LocalId)
        }
    }
}

impl TryFrom<String> for LocalId {
    type Error = NameError;

    fn try_from(id: String) -> Result<Self, NameError> {
        id.parse()
    }
}

impl From<LocalId> for String {
    fn from(id: LocalId) -> Self {
        id.0.as_ref().to_owned()
    }
}

impl fmt::Debug for LocalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// The number of an event among its patient's: gapless from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Revision(u64);

impl Revision {
    /// Before the first event.
    pub const NONE: Self = Self(0);

    /// A revision by its number; 0 is [`Revision::NONE`].
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The one after this.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_name_never_holds_what_separates_or_matches_subjects(name in "\\PC{0,40}") {
            if let Ok(name) = name.parse::<SystemName>() {
                prop_assert!(!name.as_str().contains(['.', '*', '>', ' ']));
            }
        }
    }

    #[test]
    fn only_the_canonical_spelling_of_a_patient_id_is_read() {
        let id = PatientId::generate();
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!(id.to_string().to_uppercase().parse::<PatientId>().is_err());
        assert!(id.to_string().replace('-', "").parse::<PatientId>().is_err());
        assert!(Uuid::nil().to_string().parse::<PatientId>().is_err());
    }

    #[test]
    fn a_local_id_does_not_print_itself() {
        assert_eq!(format!("{:?}", "4711".parse::<LocalId>().unwrap()), "[redacted]");
    }
}
