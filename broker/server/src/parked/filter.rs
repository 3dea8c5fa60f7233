//! Which parked deliveries are meant.

use super::ParkedLine;
use archwire_core::{NameError, PatientId, SystemName};
use std::{
    fmt,
    str::FromStr,
    time::{Duration, SystemTime},
};

/// Whose delivery to which system; also the key of its entry in the bucket: `<system>.<patient id>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParkedKey {
    /// The system.
    pub system: SystemName,
    /// The patient.
    pub patient: PatientId,
}

impl fmt::Display for ParkedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.system, self.patient)
    }
}

impl FromStr for ParkedKey {
    type Err = NameError;

    fn from_str(key: &str) -> Result<Self, NameError> {
        let (system, patient) = key.split_once('.').ok_or(NameError::Name)?;
        Ok(Self {
            system: system.parse()?,
            patient: patient.parse()?,
        })
    }
}

/// All that fit everything that is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ParkedFilter {
    /// Of this system.
    pub system: Option<SystemName>,
    /// Of this patient.
    pub patient: Option<PatientId>,
    /// With this reason.
    pub reason: Option<String>,
    /// Parked at least this long ago.
    pub older_than: Option<Duration>,
}

impl ParkedFilter {
    /// Whether everything is meant.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a line is meant at this moment.
    pub(super) fn fits(&self, line: &ParkedLine, now: SystemTime) -> bool {
        let ParkedKey { system, patient } = &line.key;
        let age = now.duration_since(line.parked_at).unwrap_or_default();
        self.system.as_ref().is_none_or(|wanted| wanted == system)
            && self.patient.as_ref().is_none_or(|wanted| wanted == patient)
            && self.reason.as_ref().is_none_or(|wanted| *wanted == line.reason)
            && self.older_than.is_none_or(|wanted| age >= wanted)
    }
}
