//! What a practice agreed with a vendor: which patients, fields and events it may read and write, for which purpose, on what
//! basis and until when. Whatever is not granted is denied.
//!
//! Pure: who is asking, what day it is and who keeps a record of a patient is for the caller to find out. A contract names no
//! patient, so that it may be printed, logged and named in the audit by its [`Contract::digest`].

mod digest;
mod grants;
mod patient;
mod purpose;
#[cfg(test)]
mod tests;
mod validity;
mod words;
mod writing;

pub use digest::ContractDigest;
pub use grants::{ImageAccess, Pace, PatientScope, Reading, Writing};
pub use purpose::{Purpose, PurposeError};
pub use validity::{Day, DayError, NotInForce, Validity, ValidityError};

use crate::{EventKind, FieldGroup, Path, SystemName};

/// What a practice agreed with one vendor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contract {
    /// With whom.
    pub grantee: Grantee,
    /// Whether it counts at present. A practice suspends a vendor without changing what was agreed.
    pub enabled: bool,
    /// What for.
    pub purpose: Purpose,
    /// On what basis in law: "Business associate agreement of 2026-01-15". At most [`Contract::LONGEST_BASIS`] bytes.
    pub basis: String,
    /// When.
    pub validity: Validity,
    /// What the vendor may be told.
    pub read: Reading,
    /// What the vendor may say.
    pub write: Writing,
    /// Of whom.
    pub patients: PatientScope,
    /// What it may do with the bytes of images.
    pub images: ImageAccess,
    /// How much of it at a time.
    pub pace: Pace,
}

/// The other side of a contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grantee {
    /// The vendor's name on the bus.
    pub vendor: SystemName,
    /// Who that is: the recipient in the accounting of disclosures.
    pub organization: String,
    /// Whom to write to there.
    pub contact: Option<String>,
}

impl Contract {
    /// Longest legal basis, in bytes.
    pub const LONGEST_BASIS: usize = 256;
    /// Longest name of an organization, in bytes.
    pub const LONGEST_ORGANIZATION: usize = 128;
    /// Longest address of a contact, in bytes.
    pub const LONGEST_CONTACT: usize = 256;

    /// Whether it counts on this day of the practice's calendar.
    ///
    /// # Errors
    /// Says why not.
    pub fn holds_at(&self, today: Day) -> Result<(), NotInForce> {
        match self.enabled {
            true => self.validity.holds_at(today),
            false => Err(NotInForce::Suspended),
        }
    }

    /// Whether the vendor may be told of events of this kind. Those of an image are told only to whom may read images.
    #[must_use]
    pub fn reads(&self, kind: EventKind) -> bool {
        self.read.kinds.contains(&kind) && (self.images.read || !kind.is_of_an_image())
    }

    /// Whether what stands at a path is shown to the vendor.
    #[must_use]
    pub fn shows(&self, path: &Path) -> bool {
        grants::covers(&self.read.fields, path)
    }

    /// Whether what the vendor says may lead to an event of this kind. Those of an image only where it may write images.
    #[must_use]
    pub fn writes(&self, kind: EventKind) -> bool {
        self.write.kinds.contains(&kind) && (self.images.write || !kind.is_of_an_image())
    }

    /// Whether the vendor may say something about what stands at a path.
    #[must_use]
    pub fn takes(&self, path: &Path) -> bool {
        grants::covers(&self.write.fields, path)
    }

    /// Whether a patient of whom these systems keep a record is one that the contract is about. The record of any vendor or
    /// system counts, superseded or not, while it is linked.
    pub fn sees<'a>(&self, records: impl IntoIterator<Item = &'a SystemName>) -> bool {
        match &self.patients {
            PatientScope::All => true,
            PatientScope::LinkedWith(system) => records.into_iter().any(|record| record == system),
        }
    }

    /// Whether the vendor decides itself of whom it is: by showing a record of anybody whom it can describe.
    #[must_use]
    pub fn opens_patients_itself(&self) -> bool {
        let PatientScope::LinkedWith(system) = &self.patients else {
            return false;
        };
        let links = [EventKind::PatientCreated, EventKind::PatientUpdated];
        *system == self.grantee.vendor && links.into_iter().any(|kind| self.writes(kind))
    }

    /// Whether nothing of any event that the vendor may be told of is hidden from it.
    #[must_use]
    pub fn shows_whole_events(&self) -> bool {
        let Reading {
            kinds: _,
            fields,
            source,
        } = &self.read;
        *source
            && self.patients == PatientScope::All
            && FieldGroup::ALL.iter().all(|group| fields.contains(group))
    }

    /// Whether nothing at all is hidden from the vendor, so that what is stored need not be looked at.
    #[must_use]
    pub fn shows_everything(&self) -> bool {
        self.shows_whole_events() && EventKind::ALL.into_iter().all(|kind| self.reads(kind))
    }
}
