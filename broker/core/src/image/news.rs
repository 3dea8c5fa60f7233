//! What systems say of images, what the bus says happened to them, and what became of them in a system.

use super::{Digest, Image};
use crate::{LocalId, Patient, PatientId, Receipt, Revision, SystemName};
use std::{fmt, str::FromStr, time::SystemTime};

/// By what the bus tells an image apart: the patient on whose subject it was first told, and at which revision. Never changes,
/// also when the patient is merged into another one. Says nothing about the person; safe to log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageId {
    /// On whose subject.
    pub patient: PatientId,
    /// The revision of the event that first told it.
    pub first: Revision,
}

/// Not an image's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an image's id is a patient id and a revision, with a slash between them")]
pub struct ImageIdError;

impl fmt::Display for ImageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.patient, self.first)
    }
}

impl FromStr for ImageId {
    type Err = ImageIdError;

    fn from_str(text: &str) -> Result<Self, ImageIdError> {
        let (patient, first) = text.split_once('/').ok_or(ImageIdError)?;
        let is_number = !first.starts_with('0') && first.bytes().all(|byte| byte.is_ascii_digit());
        let first = first.parse().ok().filter(|_| is_number).ok_or(ImageIdError)?;
        Ok(Self {
            patient: patient.parse().map_err(|_| ImageIdError)?,
            first: Revision::new(first),
        })
    }
}

/// What a system says of an image whose bytes are stored: "my image 7 of my record 123 is this".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageObservation {
    /// Who says so.
    pub system: SystemName,
    /// Whose image it is, where the system learnt the bus's id.
    pub patient_id: Option<PatientId>,
    /// Whose image it is, by the record that the system keeps of the patient. One of the two is there.
    pub record: Option<LocalId>,
    /// The image's id in the system, where it has one there.
    pub local_id: Option<LocalId>,
    /// What is known of it.
    pub image: Image,
    /// Whom the file itself names, as far as it does: names, birth date, sex, identifiers.
    pub named: Option<Box<Patient>>,
    /// When the system showed it, where it says so.
    pub observed_at: Option<SystemTime>,
    /// Who took or changed it, in the system's own terms. Never a patient.
    pub actor: Option<String>,
}

/// What happened to an image: part of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageNews {
    /// Which image.
    pub id: ImageId,
    /// What is known of it now. Of a retracted image, what was known last.
    pub image: Image,
    /// Who said so; `None` when a person of the practice decided it.
    pub system: Option<SystemName>,
    /// The record that the system keeps of the patient, where it was told by that.
    pub record: Option<LocalId>,
    /// The image's id in the system.
    pub local_id: Option<LocalId>,
    /// When the system showed it.
    pub observed_at: Option<SystemTime>,
    /// Who took or changed it, in the system's own terms.
    pub actor: Option<String>,
    /// The patient whom the system named, where that one had been merged into the patient of whom it is told.
    pub named_patient: Option<PatientId>,
    /// Which image it was, of a patient from whom it came to this one.
    pub moved_from: Option<ImageId>,
}

/// What became of an image in a system: part of a sighting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageCopy {
    /// Which image.
    pub id: ImageId,
    /// What was noted.
    pub what: Copied,
}

/// What was noted of an image in a system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Copied {
    /// The bus is about to have the system take the image. Until another note follows, the system may have it without the bus
    /// knowing its id.
    Sending {
        /// As of this revision.
        revision: Revision,
        /// Under this record; `None` where the system is told none.
        record: Option<LocalId>,
    },
    /// That did not come about.
    Abandoned,
    /// The system has it.
    Held {
        /// The image's id in the system.
        local_id: LocalId,
        /// The record under which it was brought there; `None` where no delivery did.
        record: Option<LocalId>,
        /// Up to which revision of the image the system is up to date, by deliveries or because it showed the image by itself;
        /// [`Revision::NONE`] when it only turned out to have it.
        delivered: Revision,
        /// Of the bytes that the system shows; `None` where it shows none.
        shown: Option<Digest>,
        /// SHA-256 of what the system says of it beside the bytes; `None` where it was not heard.
        described: Option<Digest>,
        /// How the delivery ended; `None` where there was none.
        receipt: Option<Box<Receipt>>,
    },
    /// A delivery ended without the image having been seen.
    Receipted(Box<Receipt>),
    /// The system shows it under this id no more, and shows it still under another one.
    Gone(LocalId),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_written_and_read_back() {
        let id = ImageId {
            patient: PatientId::generate(),
            first: Revision::new(12),
        };
        assert_eq!(id.to_string().parse(), Ok(id));
        for wrong in ["", "/", "12", "x/12"] {
            assert_eq!(wrong.parse::<ImageId>(), Err(ImageIdError), "{wrong}");
        }
        for wrong in ["", "0", "-1", "+1", "01", "1/1"] {
            let wrong = format!("{}/{wrong}", id.patient);
            assert_eq!(wrong.parse::<ImageId>(), Err(ImageIdError), "{wrong}");
        }
    }
}
