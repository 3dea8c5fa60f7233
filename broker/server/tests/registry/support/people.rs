//! Invented people, as programs of a practice show them.

use archwire_core::{
    AdministrativeSex, ContactPoint, ContactSystem, ContactUse, HumanName, Identifier, LocalId, NameUse,
    PartialDate, Patient, PersonReference, ResponsibleParty, SystemName,
};

/// Namespace of US social security numbers (FHIR R4, identifier registry).
pub(crate) const SSN: &str = "http://hl7.org/fhir/sid/us-ssn";
/// Namespace of the practice's own chart numbers.
pub(crate) const CHART: &str = "urn:maple-street:chart";
/// Ann's own phone.
pub(crate) const PHONE: &str = "503 555 0142";

/// A woman of whom only name and birth date are known.
pub(crate) fn person(given: &str, family: &str, born: &str) -> Patient {
    Patient {
        names: vec![HumanName {
            r#use: Some(NameUse::Official),
            family: Some(family.into()),
            given: vec![given.into()],
            ..HumanName::default()
        }],
        birth_date: Some(PartialDate::parse(born).unwrap()),
        administrative_sex: Some(AdministrativeSex::Female),
        ..Patient::default()
    }
}

/// The patient of most scenarios, without a way to reach her.
pub(crate) fn ann_alone() -> Patient {
    person("Ann", "Smith", "1987-06-30")
}

/// The patient of most scenarios.
pub(crate) fn ann() -> Patient {
    ann_alone().mobile(PHONE)
}

/// Somebody who cannot be taken for her.
pub(crate) fn bob() -> Patient {
    person("Bob", "Jones", "1951-02-11").male().mobile("541 555 0177")
}

/// A person without a namesake, by number.
pub(crate) fn stranger(number: usize) -> Patient {
    let letters: String = number
        .to_string()
        .bytes()
        .map(|digit| char::from(b'a' + (digit - b'0')))
        .collect();
    let born = format!("19{:02}-0{}-1{}", 40 + number % 50, 1 + number % 9, number % 10);
    person(&format!("Q{letters}x"), &format!("V{letters}{letters}"), &born)
        .mobile(&format!("503 554 {number:04}"))
}

/// What scenarios say about a person beyond name and birth date.
pub(crate) trait With: Sized {
    fn mobile(self, number: &str) -> Self;
    fn email(self, address: &str) -> Self;
    fn number(self, namespace: &str, kind: &str, value: &str) -> Self;
    fn guarantor(self, system: &str, local_id: &str) -> Self;
    fn male(self) -> Self;

    fn ssn(self, value: &str) -> Self {
        self.number(SSN, "SS", value)
    }

    fn chart(self, value: &str) -> Self {
        self.number(CHART, "MR", value)
    }
}

impl With for Patient {
    fn mobile(mut self, number: &str) -> Self {
        self.telecom
            .push(point(ContactSystem::Phone, ContactUse::Mobile, number));
        self
    }

    fn email(mut self, address: &str) -> Self {
        self.telecom
            .push(point(ContactSystem::Email, ContactUse::Home, address));
        self
    }

    fn number(mut self, namespace: &str, kind: &str, value: &str) -> Self {
        self.identifiers.push(Identifier {
            system: namespace.to_owned(),
            value: value.into(),
            kind: Some(kind.into()),
            ..Identifier::default()
        });
        self
    }

    fn guarantor(mut self, system: &str, local_id: &str) -> Self {
        let system: SystemName = system.parse().unwrap();
        let local_id: LocalId = local_id.parse().unwrap();
        self.responsible_parties.push(ResponsibleParty {
            person: Some(PersonReference {
                system,
                local_id,
                patient_id: None,
            }),
            is_guarantor: true,
            ..ResponsibleParty::default()
        });
        self
    }

    fn male(mut self) -> Self {
        self.administrative_sex = Some(AdministrativeSex::Male);
        self
    }
}

fn point(system: ContactSystem, r#use: ContactUse, value: &str) -> ContactPoint {
    ContactPoint {
        system,
        value: value.into(),
        r#use: Some(r#use),
        rank: None,
        period: None,
    }
}
