//! What a vendor may say: held against its contract here, where what is said comes to something, so that no way in goes around it.
//!
//! | when | what is refused |
//! |---|---|
//! | before anybody is looked for | a kind that the contract does not let the vendor bring about; a field that it may neither see nor say; a patient whom the contract is not about |
//! | when it is known whose the record is | a patient whom the contract is not about; a value that the vendor may see and not say, unless it repeats what it was shown |
//! | when it is known what it comes to | a kind of event, and a changed field, that the contract does not grant: nothing gets by what was asked before |
//!
//! What a vendor does not say outside of its fields is not said: it removes nothing there, and of what is hidden from it, it has
//! taken nothing over. Who a record shows is judged with what the bus has in those fields: a record of nothing but a telephone number
//! is no wiped one.
//!
//! Connectors have no contract, and a person's decision needs none. Who is neither a connector nor in the book, because the vendor was
//! removed while it was speaking, says nothing any more.

use super::{
    Entry, Index, ObserveError, Registry,
    decide::{Decision, fields_for},
};
use archwire_core::{
    EventKind, Fields, LinkedBy, Observation, Patient, PatientId, SystemName,
    contract::{Contract, PatientScope},
};
use std::{collections::BTreeSet, sync::Arc};

/// On what terms somebody speaks.
enum Terms {
    /// For a system, which the practice runs itself.
    Connector,
    /// By a contract.
    Vendor(Arc<Contract>),
    /// Not any more.
    Gone,
}

impl Registry {
    fn terms(&self, system: &SystemName) -> Terms {
        let book = self.config.vendors.as_ref().map(|book| book.borrow());
        let vendor = book.as_ref().and_then(|book| book.vendor(system));
        let is_connector = |connectors: &BTreeSet<SystemName>| connectors.contains(system);
        match vendor {
            Some(vendor) => Terms::Vendor(Arc::clone(&vendor.contract)),
            None if self.config.connectors.as_ref().is_none_or(is_connector) => Terms::Connector,
            None => Terms::Gone,
        }
    }

    /// The contract of who says something; `None` for a connector.
    fn speaker(&self, system: &SystemName) -> Result<Option<Arc<Contract>>, ObserveError> {
        match self.terms(system) {
            Terms::Connector => Ok(None),
            Terms::Vendor(contract) => Ok(Some(contract)),
            Terms::Gone => Err(ObserveError::VendorGone),
        }
    }

    /// The contract by which somebody's record is read, where that is a vendor.
    pub(super) fn agreed(&self, system: &SystemName) -> Option<Arc<Contract>> {
        match self.terms(system) {
            Terms::Vendor(contract) => Some(contract),
            Terms::Connector | Terms::Gone => None,
        }
    }

    /// The same, where the contract leaves some field out.
    pub(super) fn bounded(&self, system: &SystemName) -> Option<Arc<Contract>> {
        self.agreed(system)
            .filter(|contract| !contract.takes_everything())
    }

    /// Refuses what the contract does not let the vendor say, whoever it is about.
    pub(super) fn may_say(&self, observation: &Observation) -> Result<(), ObserveError> {
        let Observation {
            system,
            patient_id,
            view,
            ..
        } = observation;
        let Some(contract) = self.speaker(system)? else {
            return Ok(());
        };
        let is_merged = view.merged_into.is_some();
        if is_merged {
            granted(&contract, EventKind::PatientMerged)?;
        }
        if !is_merged && !contract.writes(EventKind::PatientCreated) {
            granted(&contract, EventKind::PatientUpdated)?;
        }
        if !contract.takes_everything()
            && let Some(path) = contract.unheard(&Fields::of(&view.patient)?)
        {
            return Err(ObserveError::FieldDenied { path: path.clone() });
        }
        if contract.patients == PatientScope::All {
            return Ok(());
        }
        let index = self.index();
        // An id is no proof of knowing somebody: whoever is out of bounds is nobody.
        let named = patient_id.map(|named| index.current(named));
        if named.is_some_and(|named| !is_about(&index, &contract, named, &[])) {
            return Err(ObserveError::UnknownPatient);
        }
        let records = [Some(&view.local_id), view.merged_into.as_ref()];
        let mut linked = records
            .into_iter()
            .flatten()
            .filter_map(|record| index.linked(system, record));
        match linked.all(|patient| is_about(&index, &contract, patient, &[])) {
            true => Ok(()),
            false => Err(ObserveError::PatientDenied),
        }
    }

    /// The same of who is known already, before anything follows from the record but what it shows.
    pub(super) fn may_say_of_linked(&self, observation: &Observation) -> Result<(), ObserveError> {
        let linked = self
            .index()
            .linked(&observation.system, &observation.view.local_id);
        match linked {
            Some(patient) => self.may_say_of(patient, observation, None),
            None => Ok(()),
        }
    }

    /// Refuses that a record becomes a patient whom the contract does not let the vendor make.
    pub(super) fn may_create(&self, system: &SystemName) -> Result<(), ObserveError> {
        match self.speaker(system)? {
            Some(contract) => granted(&contract, EventKind::PatientCreated),
            None => Ok(()),
        }
    }

    /// Refuses a patient whom the contract is not about, by what the record was linked just now. The caller holds the patient's lock,
    /// and asks this first: no other answer may tell that there is such a patient.
    pub(super) fn may_speak_of(
        &self,
        patient: PatientId,
        system: &SystemName,
        linked_by: Option<LinkedBy>,
    ) -> Result<(), ObserveError> {
        let Some(contract) = self.speaker(system)? else {
            return Ok(());
        };
        // A record that identity has just found belongs to the patient in a moment.
        let own = match linked_by {
            None | Some(LinkedBy::Named) => None,
            Some(_) => Some(system),
        };
        let index = self.index();
        let is_new = index.entry(patient).is_none();
        if is_new || is_about(&index, &contract, patient, own.as_slice()) {
            return Ok(());
        }
        // Who may make no patients does not learn either that there is one.
        granted(&contract, EventKind::PatientCreated)?;
        Err(ObserveError::PatientDenied)
    }

    /// Refuses what the contract does not let the vendor say of this patient. `then` is the patient as of what the vendor says that it
    /// has taken over. The caller holds the patient's lock.
    pub(super) fn may_say_of(
        &self,
        patient: PatientId,
        observation: &Observation,
        then: Option<&Fields>,
    ) -> Result<(), ObserveError> {
        let system = &observation.system;
        let bounded = self
            .speaker(system)?
            .filter(|contract| !contract.takes_everything());
        let Some(contract) = bounded else {
            return Ok(());
        };
        let index = self.index();
        let fields = |patient| fields_for(&index, system, patient);
        let said = fields(observation.view.patient.clone())?;
        let Some(entry) = index.entry(patient) else {
            // A new patient was shown to nobody.
            return refuse(&contract, &said, &[]);
        };
        let current = fields(entry.patient()?)?;
        let record = entry.record_of(system, &observation.view.local_id);
        let shadow = record.and_then(|record| record.shadow.as_ref());
        let shadow = shadow.map(|shadow| shadow.patient()).transpose()?;
        let shadow = shadow.map(fields).transpose()?;
        let known: Vec<_> = [Some(&current), shadow.as_ref(), then]
            .into_iter()
            .flatten()
            .collect();
        refuse(&contract, &said, &known)
    }

    /// Refuses what the contract does not grant of what an observation comes to.
    pub(super) fn may_tell(&self, system: &SystemName, decision: &Decision) -> Result<(), ObserveError> {
        let (Some(contract), Some((event, _))) = (self.speaker(system)?, &decision.event) else {
            return Ok(());
        };
        granted(&contract, event.kind)?;
        match event.changed.iter().find(|path| !contract.takes(path)) {
            Some(path) => Err(ObserveError::FieldDenied { path: path.clone() }),
            None => Ok(()),
        }
    }

    /// Refuses an event of an image that the contract does not let the vendor bring about.
    pub(super) fn may_tell_image(&self, system: &SystemName, kind: EventKind) -> Result<(), ObserveError> {
        match self.speaker(system)? {
            Some(contract) => granted(&contract, kind),
            None => Ok(()),
        }
    }

    /// Whether a vendor may say anything of a patient; connectors may of everybody.
    #[must_use]
    pub fn speaks_of(&self, system: &SystemName, patient: PatientId) -> bool {
        match self.terms(system) {
            Terms::Connector => true,
            Terms::Vendor(contract) => is_about(&self.index(), &contract, patient, &[]),
            Terms::Gone => false,
        }
    }
}

impl Index {
    /// What a record shows, with what its vendor cannot say as the bus has it of this patient: by that it is told who it shows.
    pub(super) fn completed(
        &self,
        contract: &Contract,
        shown: Patient,
        entry: &Entry,
    ) -> Result<Patient, ObserveError> {
        let system = &contract.grantee.vendor;
        let said = fields_for(self, system, shown)?;
        let current = fields_for(self, system, entry.patient()?)?;
        Ok(contract.complete(&said, &current).to_patient()?)
    }
}

fn granted(contract: &Contract, kind: EventKind) -> Result<(), ObserveError> {
    match contract.writes(kind) {
        true => Ok(()),
        false => Err(ObserveError::KindDenied { kind }),
    }
}

/// Whether a contract is about a patient: whoever has a record where it says, of `more` systems too, and whoever is known by the
/// vendor's own records alone.
fn is_about(index: &Index, contract: &Contract, patient: PatientId, more: &[&SystemName]) -> bool {
    let Some(entry) = index.entry(index.current(patient)) else {
        return false;
    };
    let records = || entry.records.iter().map(|record| &record.system);
    let own = &contract.grantee.vendor;
    let is_own = records().next().is_some() && records().all(|system| system == own);
    is_own || contract.sees(records().chain(more.iter().copied()))
}

fn refuse(contract: &Contract, said: &Fields, known: &[&Fields]) -> Result<(), ObserveError> {
    match contract.refused(said, known) {
        Some(path) => Err(ObserveError::FieldDenied { path: path.clone() }),
        None => Ok(()),
    }
}
