//! What a delivery carries.

use archwire_core::{ImageId, NameError, PatientId};
use std::{fmt, str::FromStr};

/// What a delivery carries: a patient's record, or one image. Written as the patient's id or as the image's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cargo {
    /// The record of a patient.
    Record(PatientId),
    /// An image.
    Image(ImageId),
}

impl Cargo {
    /// The patient, or the one on whose subject the image was first told.
    #[must_use]
    pub fn patient(self) -> PatientId {
        match self {
            Self::Record(patient) => patient,
            Self::Image(image) => image.patient,
        }
    }

    /// The image, where it is one.
    #[must_use]
    pub fn image(self) -> Option<ImageId> {
        match self {
            Self::Record(_) => None,
            Self::Image(image) => Some(image),
        }
    }
}

impl From<PatientId> for Cargo {
    fn from(patient: PatientId) -> Self {
        Self::Record(patient)
    }
}

impl From<ImageId> for Cargo {
    fn from(image: ImageId) -> Self {
        Self::Image(image)
    }
}

impl fmt::Display for Cargo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record(patient) => write!(f, "{patient}"),
            Self::Image(image) => write!(f, "{image}"),
        }
    }
}

impl FromStr for Cargo {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if text.contains('/') {
            let image: ImageId = text.parse().map_err(|_| NameError::Name)?;
            return Ok(image.into());
        }
        Ok(Self::Record(text.parse()?))
    }
}
