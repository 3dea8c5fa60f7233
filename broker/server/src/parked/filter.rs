//! Which parked deliveries are meant.

use super::{Cargo, ParkedLine};
use archwire_core::{ImageId, NameError, PatientId, SystemName};
use std::{
    fmt,
    str::FromStr,
    time::{Duration, SystemTime},
};

/// Whose delivery to which system; also the key of its entry in the bucket: `<system>.<patient id>` of a record, and
/// `<system>.<patient id>.<first revision>` of an image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParkedKey {
    /// The system.
    pub system: SystemName,
    /// The patient; of an image, the one on whose subject it was first told.
    pub patient: PatientId,
    /// The image, where it is one.
    pub image: Option<ImageId>,
}

impl ParkedKey {
    /// The key of what is to go to a system.
    pub fn new(system: &SystemName, cargo: impl Into<Cargo>) -> Self {
        let cargo = cargo.into();
        Self {
            system: system.clone(),
            patient: cargo.patient(),
            image: cargo.image(),
        }
    }

    /// What is to go to the system.
    #[must_use]
    pub fn cargo(&self) -> Cargo {
        self.image.map_or(Cargo::Record(self.patient), Cargo::Image)
    }
}

impl fmt::Display for ParkedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.system, self.patient)?;
        match self.image {
            Some(image) => write!(f, ".{}", image.first),
            None => Ok(()),
        }
    }
}

impl FromStr for ParkedKey {
    type Err = NameError;

    fn from_str(key: &str) -> Result<Self, NameError> {
        let (system, cargo) = key.split_once('.').ok_or(NameError::Name)?;
        if cargo.contains('/') {
            return Err(NameError::Name);
        }
        let cargo: Cargo = cargo.replacen('.', "/", 1).parse()?;
        Ok(Self::new(&system.parse()?, cargo))
    }
}

/// All that fit everything that is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ParkedFilter {
    /// Of this system.
    pub system: Option<SystemName>,
    /// Of this patient: the record, and the images that were first told of the patient.
    pub patient: Option<PatientId>,
    /// This image.
    pub image: Option<ImageId>,
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
        let ParkedKey {
            system,
            patient,
            image,
        } = &line.key;
        let age = now.duration_since(line.parked_at).unwrap_or_default();
        self.system.as_ref().is_none_or(|wanted| wanted == system)
            && self.patient.as_ref().is_none_or(|wanted| wanted == patient)
            && self.image.is_none_or(|wanted| *image == Some(wanted))
            && self.reason.as_ref().is_none_or(|wanted| *wanted == line.reason)
            && self.older_than.is_none_or(|wanted| age >= wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_records_and_of_images_come_out_as_they_went_in() {
        let patient = PatientId::generate();
        for key in [
            format!("front-desk.{patient}"),
            format!("front-desk.{patient}.12"),
        ] {
            let parsed: ParkedKey = key.parse().unwrap();
            assert_eq!((parsed.to_string(), parsed.patient), (key, patient));
        }
        for key in [
            format!("front-desk.{patient}.0"),
            format!("front-desk.{patient}.x"),
            format!("front-desk.{patient}.1.2"),
            format!("front-desk.{patient}/12"),
            "front-desk".to_owned(),
        ] {
            assert!(key.parse::<ParkedKey>().is_err(), "{key}");
        }
    }
}
