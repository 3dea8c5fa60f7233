//! What a vendor is shown: messages cut to what its contract grants, before they leave the bus.
//!
//! | what | is shown |
//! |---|---|
//! | ids, kind, revisions, times, the system of an observation | always |
//! | fields of patients, and the paths of changed and owed ones | where the contract reads their group |
//! | ids of records, links, the record of a responsible party | with the group `identifiers`; a vendor's own always |
//! | the source's record verbatim, who did or decided something, and why | with `read-source` |
//! | an image | to whom may read images and its kind of event |
//! | another patient (of a merge, of an image that moved) | where the contract is about that one |
//!
//! A message is taken apart whole, so that a field which comes new into the contract's messages does not compile until
//! somebody decided whether it is shown; and what this version does not know never passes, because it is lost in decoding.
//! The bytes of an image are not cut: a DICOM file names its patient, and `images = ["read"]` grants that too.
//!
//! Whether the contract is in force is asked before ([`Contract::holds_at`]). May fail with [`WireError`] for bytes that are no
//! event; then nothing is shown.

mod event;
mod image;
mod merge;
mod patient;
#[cfg(test)]
mod tests;
mod whole;

use crate::wire::{WireError, read_event_kind};
use archwire_core::{
    EventKind, FieldGroup, PatientId, SystemName,
    contract::{Contract, PatientScope},
};
use archwire_proto::v1;
use prost::{Message as _, bytes::Bytes};
use std::sync::Arc;

/// Whether a system keeps a record of a patient at present.
pub type KeepsRecord = dyn Fn(&SystemName, PatientId) -> bool + Send + Sync;

/// One vendor's view of what the bus has. Cheap to clone.
#[derive(Clone)]
pub struct VendorView {
    contract: Arc<Contract>,
    keeps_record: Arc<KeepsRecord>,
}

/// What of an event a vendor is sent.
pub enum Disclosed {
    /// All of it: the bytes as they are stored.
    Whole,
    /// This much of it.
    Part(Box<v1::Event>),
    /// Nothing: not even that there was one.
    Withheld,
}

impl Disclosed {
    /// The bytes to send in place of those that are stored; none when nothing is to be sent.
    #[must_use]
    pub fn into_bytes(self, stored: Bytes) -> Option<Bytes> {
        match self {
            Self::Whole => Some(stored),
            Self::Part(event) => Some(event.encode_to_vec().into()),
            Self::Withheld => None,
        }
    }
}

impl VendorView {
    /// The view that a contract gives. `keeps_record` says whether a system keeps a record of a patient at present; who was
    /// merged into somebody counts as that one. It must know at least as much of the log as is shown.
    #[must_use]
    pub fn new(contract: Arc<Contract>, keeps_record: Arc<KeepsRecord>) -> Self {
        Self {
            contract,
            keeps_record,
        }
    }

    /// The contract that gives it.
    #[must_use]
    pub fn contract(&self) -> &Arc<Contract> {
        &self.contract
    }

    /// Whether the contract is about this patient.
    #[must_use]
    pub fn is_about(&self, patient: PatientId) -> bool {
        match &self.contract.patients {
            PatientScope::All => true,
            PatientScope::LinkedWith(system) => (self.keeps_record)(system, patient),
        }
    }

    /// What is shown of an event of the log. It is withheld where its kind or its patient is not in the contract, and where it
    /// changed only what is hidden.
    ///
    /// # Errors
    /// When the bytes are no event.
    pub fn event(&self, stored: &Bytes) -> Result<Disclosed, WireError> {
        if self.contract.shows_everything() {
            return Ok(Disclosed::Whole);
        }
        let event = v1::Event::decode(stored.clone()).map_err(|_| WireError::NotAMessage)?;
        // A kind that this version does not know is one that nobody granted.
        let Some(kind) = read_event_kind(event.kind) else {
            return Ok(Disclosed::Withheld);
        };
        if !self.contract.reads(kind) || !self.is_told(&event) {
            return Ok(Disclosed::Withheld);
        }
        if self.contract.shows_whole_events() {
            return Ok(Disclosed::Whole);
        }
        let event = self.cut_event(event);
        if kind == EventKind::PatientUpdated && event.changed.is_empty() {
            return Ok(Disclosed::Withheld);
        }
        Ok(Disclosed::Part(Box::new(event)))
    }

    /// Whether the contract is about somebody whom an event concerns: the patient, or who was one with the patient.
    fn is_told(&self, event: &v1::Event) -> bool {
        self.is_about_id(&event.patient_id)
            || event.merge.as_ref().is_some_and(|merge| self.knew(event, merge))
    }

    /// As [`Self::is_about`], of an id in a message. What is no id is nobody.
    fn is_about_id(&self, patient: &str) -> bool {
        self.contract.patients == PatientScope::All
            || patient.parse().is_ok_and(|patient| self.is_about(patient))
    }

    fn reads(&self, group: FieldGroup) -> bool {
        self.contract.read.fields.contains(&group)
    }

    /// The value where its group is shown, else as if nobody had stated it.
    fn with<T: Default>(&self, group: FieldGroup, value: T) -> T {
        match self.reads(group) {
            true => value,
            false => T::default(),
        }
    }

    /// What goes with the source's own record: who, and why.
    fn with_source<T: Default>(&self, value: T) -> T {
        match self.contract.read.source {
            true => value,
            false => T::default(),
        }
    }

    /// What tells a record of a system.
    fn of_record<T: Default>(&self, system: &str, value: T) -> T {
        let is_own = self.contract.grantee.vendor.as_str() == system;
        match is_own || self.contract.read.shows_local_ids() {
            true => value,
            false => T::default(),
        }
    }

    fn paths(&self, mut paths: Vec<String>) -> Vec<String> {
        paths.retain(|path| self.contract.shows(&path.as_str().into()));
        paths
    }
}
