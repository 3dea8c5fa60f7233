//! What is shown of a patient: the rule, to which what is sent is held. The compiler sees to it that no field is forgotten: the patient
//! is taken apart whole.

use super::{Reading, grants::covers};
use crate::{FieldGroup, Path, Patient, ResponsibleParty};
use std::collections::BTreeSet;

impl Reading {
    /// The patient without what is hidden: not stated, as if nobody had said it. An element of a list of which nothing is left
    /// is left out, so that a later one with the same key may get its number.
    #[must_use]
    pub fn patient(&self, patient: &Patient) -> Patient {
        let Patient {
            identifiers,
            names,
            birth_date,
            administrative_sex,
            gender_identity,
            pronouns,
            deceased,
            deceased_at,
            telecom,
            addresses,
            marital_status,
            preferred_language,
            interpreter_required,
            status,
            responsible_parties,
            primary_provider,
            photo_sha256,
            multiple_birth,
            multiple_birth_order,
            confidentiality,
            merged_into,
        } = patient.clone();
        let identifiers = self.with(FieldGroup::Identifiers, identifiers);
        let parties = self.with(FieldGroup::ResponsibleParties, responsible_parties);
        Patient {
            identifiers,
            names: self.with(FieldGroup::Name, names),
            birth_date: self.with(FieldGroup::Demographics, birth_date),
            administrative_sex: self.with(FieldGroup::Demographics, administrative_sex),
            gender_identity: self.with(FieldGroup::Demographics, gender_identity),
            pronouns: self.with(FieldGroup::Demographics, pronouns),
            deceased: self.with(FieldGroup::Demographics, deceased),
            deceased_at: self.with(FieldGroup::Demographics, deceased_at),
            telecom: self.with(FieldGroup::Contact, telecom),
            addresses: self.with(FieldGroup::Contact, addresses),
            marital_status: self.with(FieldGroup::Demographics, marital_status),
            preferred_language: self.with(FieldGroup::Demographics, preferred_language),
            interpreter_required: self.with(FieldGroup::Demographics, interpreter_required),
            status: self.with(FieldGroup::Administrative, status),
            responsible_parties: parties
                .into_iter()
                .filter_map(|party| self.party(party))
                .collect(),
            primary_provider: self.with(FieldGroup::Administrative, primary_provider),
            photo_sha256: self.with(FieldGroup::Photo, photo_sha256),
            multiple_birth: self.with(FieldGroup::Demographics, multiple_birth),
            multiple_birth_order: self.with(FieldGroup::Demographics, multiple_birth_order),
            confidentiality: self.with(FieldGroup::Administrative, confidentiality),
            merged_into: self.with(FieldGroup::Administrative, merged_into),
        }
    }

    /// The paths that are shown, of some.
    #[must_use]
    pub fn paths(&self, paths: &BTreeSet<Path>) -> BTreeSet<Path> {
        let shown = paths.iter().filter(|path| covers(&self.fields, path));
        shown.cloned().collect()
    }

    fn with<T: Default>(&self, group: FieldGroup, value: T) -> T {
        match self.fields.contains(&group) {
            true => value,
            false => T::default(),
        }
    }

    /// A party without its record where ids are hidden; none when nothing else is said of it.
    fn party(&self, party: ResponsibleParty) -> Option<ResponsibleParty> {
        if self.shows_local_ids() {
            return Some(party);
        }
        let nothing = ResponsibleParty {
            is_guarantor: party.is_guarantor,
            ..ResponsibleParty::default()
        };
        let party = ResponsibleParty {
            person: None,
            ..party
        };
        (party != nothing).then_some(party)
    }
}
