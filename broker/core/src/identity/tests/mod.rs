//! The rules as a practice meets them. Every person here is invented.

mod bad_input;
mod clauses;
mod conflicts;
mod households;
mod properties;
mod ranking;
mod recycled;

use super::{Known, People, Profile, Rule, Trust, Verdict};
use crate::{
    AdministrativeSex, ContactPoint, ContactSystem, ContactUse, HumanName, Identifier, PartialDate, Patient,
    PatientId, Text,
};
use std::collections::BTreeMap;

pub(super) const CHART: &str = "urn:example:chart";
pub(super) const SSN: &str = "http://hl7.org/fhir/sid/us-ssn";
pub(super) const PHONE: &str = "503 555 0142";

/// Everybody whom the bus knows.
pub(super) struct Practice {
    people: People,
    known: BTreeMap<PatientId, Known>,
}

impl Practice {
    pub(super) fn new() -> Self {
        Self::trusting(Trust::by_kind())
    }

    pub(super) fn trusting(trust: Trust) -> Self {
        Self {
            people: People::new(trust),
            known: BTreeMap::new(),
        }
    }

    pub(super) fn knows(&mut self, patient: &Patient) -> PatientId {
        let id = PatientId::generate();
        let known = Known {
            profile: Profile::of(patient).into(),
            has_record_in_system: false,
            ruled_out: false,
        };
        self.people.put(id, &known.profile);
        self.known.insert(id, known);
        id
    }

    pub(super) fn rules_out(&mut self, id: PatientId) {
        self.known.get_mut(&id).unwrap().ruled_out = true;
    }

    pub(super) fn has_record(&mut self, id: PatientId) {
        self.known.get_mut(&id).unwrap().has_record_in_system = true;
    }

    pub(super) fn forgets(&mut self, id: PatientId) {
        self.known.remove(&id);
    }

    pub(super) fn identifies(&self, patient: &Patient) -> Verdict {
        self.people
            .identify(&Profile::of(patient), &|id| self.known.get(&id).cloned())
    }

    /// By which rule the patient is linked to `id`; linking to anybody else fails the test.
    pub(super) fn links(&self, patient: &Patient, id: PatientId) -> Option<Rule> {
        let (same, rule) = self.identifies(patient).same?;
        assert_eq!(same, id, "linked to somebody else");
        Some(rule)
    }

    /// Links to nobody, and has those in review.
    pub(super) fn asks(&self, patient: &Patient, whom: &[PatientId]) {
        let verdict = self.identifies(patient);
        assert_eq!(verdict.same, None);
        let mut listed: Vec<PatientId> = verdict.review.iter().map(|candidate| candidate.patient).collect();
        let mut whom = whom.to_vec();
        listed.sort();
        whom.sort();
        assert_eq!(listed, whom, "in review: {:?}", verdict.review);
    }
}

/// Whether a practice that knows `known` alone links `shown` to it.
pub(super) fn linked(known: &Patient, shown: &Patient) -> Option<Rule> {
    let mut practice = Practice::new();
    let id = practice.knows(known);
    practice.links(shown, id)
}

pub(super) fn person(given: &str, family: &str, birth_date: &str) -> Patient {
    Patient {
        names: vec![HumanName {
            family: Some(Text::from(family)),
            given: given.split('|').map(Text::from).collect(),
            ..HumanName::default()
        }],
        birth_date: PartialDate::parse(birth_date).ok(),
        administrative_sex: Some(AdministrativeSex::Female),
        ..Patient::default()
    }
}

pub(super) fn contact(system: ContactSystem, value: &str, r#use: Option<ContactUse>) -> ContactPoint {
    ContactPoint {
        system,
        value: Text::from(value),
        r#use,
        rank: None,
        period: None,
    }
}

/// What tests say about a person beyond name and birth date.
pub(super) trait With {
    fn phone(self, number: &str) -> Self;
    fn email(self, address: &str) -> Self;
    fn number(self, namespace: &str, kind: &str, value: &str) -> Self;
    fn male(self) -> Self;
}

impl With for Patient {
    fn phone(mut self, number: &str) -> Self {
        self.telecom.push(contact(ContactSystem::Phone, number, None));
        self
    }

    fn email(mut self, address: &str) -> Self {
        self.telecom.push(contact(ContactSystem::Email, address, None));
        self
    }

    fn number(mut self, namespace: &str, kind: &str, value: &str) -> Self {
        self.identifiers.push(Identifier {
            system: namespace.to_owned(),
            value: Text::from(value),
            kind: (!kind.is_empty()).then(|| Text::from(kind)),
            ..Identifier::default()
        });
        self
    }

    fn male(mut self) -> Self {
        self.administrative_sex = Some(AdministrativeSex::Male);
        self
    }
}
