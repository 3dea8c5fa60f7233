//! What is shown of a patient: as [`Reading::patient`](archwire_core::contract::Reading::patient) cuts it, which a test holds.

use super::{VendorView, whole};
use archwire_core::FieldGroup;
use archwire_proto::v1;

impl VendorView {
    /// The patient without what is hidden. Whether the contract is about this patient at all is [`Self::is_about`].
    #[must_use]
    pub fn patient(&self, patient: v1::Patient) -> v1::Patient {
        let v1::Patient {
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
        } = patient;
        v1::Patient {
            identifiers: self.list(FieldGroup::Identifiers, identifiers, whole::identifier),
            names: self.list(FieldGroup::Name, names, whole::name),
            birth_date: self.with(FieldGroup::Demographics, birth_date),
            administrative_sex: self.with(FieldGroup::Demographics, administrative_sex),
            gender_identity: self.with(FieldGroup::Demographics, gender_identity),
            pronouns: self.with(FieldGroup::Demographics, pronouns),
            deceased: self.with(FieldGroup::Demographics, deceased),
            deceased_at: self.with(FieldGroup::Demographics, deceased_at),
            telecom: self.list(FieldGroup::Contact, telecom, whole::contact),
            addresses: self.list(FieldGroup::Contact, addresses, whole::address),
            marital_status: self.with(FieldGroup::Demographics, marital_status),
            preferred_language: self.with(FieldGroup::Demographics, preferred_language),
            interpreter_required: self.with(FieldGroup::Demographics, interpreter_required),
            status: self.with(FieldGroup::Administrative, status),
            responsible_parties: self.parties(responsible_parties),
            primary_provider: self.with(FieldGroup::Administrative, primary_provider.map(whole::provider)),
            photo_sha256: self.with(FieldGroup::Photo, photo_sha256),
            multiple_birth: self.with(FieldGroup::Demographics, multiple_birth),
            multiple_birth_order: self.with(FieldGroup::Demographics, multiple_birth_order),
            confidentiality: self.with(FieldGroup::Administrative, confidentiality),
            merged_into: self.with(FieldGroup::Administrative, merged_into),
        }
    }

    fn list<T>(&self, group: FieldGroup, elements: Vec<T>, whole: fn(T) -> T) -> Vec<T> {
        let shown = self.with(group, elements).into_iter();
        shown.map(whole).collect()
    }

    fn parties(&self, parties: Vec<v1::ResponsibleParty>) -> Vec<v1::ResponsibleParty> {
        let shown = self.with(FieldGroup::ResponsibleParties, parties).into_iter();
        shown.filter_map(|party| self.party(party)).collect()
    }

    /// A party without its record where ids are hidden; none when nothing else is said of it.
    fn party(&self, party: v1::ResponsibleParty) -> Option<v1::ResponsibleParty> {
        let v1::ResponsibleParty {
            person,
            name,
            relationship,
            is_guarantor,
            may_receive_records,
            telecom,
        } = party;
        let person = self.with(FieldGroup::Identifiers, person.map(whole::person));
        let is_said = self.reads(FieldGroup::Identifiers)
            || name.is_some()
            || relationship.is_some()
            || may_receive_records.is_some()
            || !telecom.is_empty();
        is_said.then(|| v1::ResponsibleParty {
            person,
            name: name.map(whole::name),
            relationship,
            is_guarantor,
            may_receive_records,
            telecom: telecom.into_iter().map(whole::contact).collect(),
        })
    }
}
