//! Between the contract's types and the bus's: what comes from a connector is checked here, once, so that nobody after
//! this has to.
//!
//! One unreadable record does not spoil a page: it is set apart with its position and the reason. Reasons are fixed
//! codes; what the connector wrote is not repeated in them.

mod description;
mod exchange;
mod image_in;
mod image_out;
mod images;
mod patient_in;
mod patient_out;

pub use description::DescriptionError;
pub(crate) use description::description;
pub(crate) use exchange::{
    check_report, delivered, delivery, disposition, fetched, incoming, page, received, survey_page,
};
pub(crate) use images::{image_delivered, image_delivery, image_fetched};

/// Why something that a connector said cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flaw(pub(crate) &'static str);

/// A text, unless it is empty: that states nothing, as in the log.
fn stated(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// At most `longest` bytes, cut between characters.
fn shortened(mut text: String, longest: usize) -> String {
    text.truncate(text.floor_char_boundary(longest));
    text
}

#[cfg(test)]
mod tests {
    use super::{patient_in, patient_out};
    use archwire_core::*;

    fn period() -> Option<Period> {
        let date = |text| PartialDate::parse(text).ok();
        Some(Period {
            start: date("2001"),
            end: date("2002-03"),
        })
    }

    fn contact() -> ContactPoint {
        ContactPoint {
            system: ContactSystem::Sms,
            value: "value".into(),
            r#use: Some(ContactUse::Mobile),
            rank: Some(2),
            period: period(),
        }
    }

    fn name() -> HumanName {
        HumanName {
            r#use: Some(NameUse::Maiden),
            family: Some("family".into()),
            given: vec!["first".into(), "second".into()],
            prefix: vec!["prefix".into()],
            suffix: vec!["suffix".into()],
            text: Some("text".into()),
            period: period(),
        }
    }

    fn party() -> ResponsibleParty {
        let person = PersonReference {
            system: "front-desk".parse().unwrap(),
            local_id: "7".parse().unwrap(),
            patient_id: Some(PatientId::generate()),
        };
        ResponsibleParty {
            person: Some(person),
            name: Some(name()),
            relationship: Some("MTH".into()),
            is_guarantor: true,
            may_receive_records: Some(false),
            telecom: vec![contact()],
        }
    }

    /// Every field stated, and no two with the same value.
    fn full() -> Patient {
        Patient {
            identifiers: vec![Identifier {
                system: "urn:example".to_owned(),
                value: "identifier".into(),
                kind: Some("MR".into()),
                assigner: Some("assigner".into()),
                period: period(),
                status: Some(IdentifierStatus::Retired),
            }],
            names: vec![name()],
            birth_date: PartialDate::parse("1987-06").ok(),
            administrative_sex: Some(AdministrativeSex::Other),
            gender_identity: Some("gender identity".into()),
            pronouns: Some("pronouns".into()),
            deceased: Some(true),
            deceased_at: Some("deceased at".into()),
            telecom: vec![contact()],
            addresses: vec![Address {
                r#use: Some(AddressUse::Billing),
                lines: vec!["line 1".into(), "line 2".into()],
                city: Some("city".into()),
                district: Some("district".into()),
                state: Some("state".into()),
                postal_code: Some("postal code".into()),
                country: Some("country".into()),
                period: period(),
            }],
            marital_status: Some("M".into()),
            preferred_language: Some("en-US".into()),
            interpreter_required: Some(false),
            status: Some(PatientStatus::NonPatient),
            responsible_parties: vec![party()],
            primary_provider: Some(Provider {
                system: "archive".parse().unwrap(),
                local_id: "provider".to_owned(),
                display: Some("display".to_owned()),
            }),
            photo_sha256: Some("0a".repeat(32).into()),
            multiple_birth: Some(true),
            multiple_birth_order: Some(3),
            confidentiality: vec!["R".into()],
            merged_into: Some(PatientId::generate()),
        }
    }

    #[test]
    fn a_patient_comes_back_as_it_went_out() {
        for patient in [full(), Patient::default()] {
            assert!(patient_in::read(patient_out::write(&patient)) == Ok(patient));
        }
    }

    #[test]
    fn an_empty_text_of_a_patient_is_not_stated() {
        let emptied = |mut patient: crate::bindings::patients::Patient| {
            let (identifier, address) = (&mut patient.identifiers[0], &mut patient.addresses[0]);
            let party = &mut patient.responsible_parties[0];
            for text in [
                &mut patient.birth_date,
                &mut patient.photo_sha256,
                &mut patient.merged_into,
                &mut patient.gender_identity,
                &mut patient.pronouns,
                &mut patient.deceased_at,
                &mut patient.marital_status,
                &mut patient.preferred_language,
                &mut identifier.kind,
                &mut identifier.assigner,
                &mut address.city,
                &mut address.district,
                &mut address.state,
                &mut address.postal_code,
                &mut address.country,
                &mut party.relationship,
                &mut patient.primary_provider.as_mut().unwrap().display,
            ] {
                *text = Some(String::new());
            }
            let guarantor = party.name.as_mut().unwrap();
            for name in [&mut patient.names[0], guarantor] {
                (name.family, name.text) = (Some(String::new()), Some(String::new()));
                for parts in [&mut name.given, &mut name.prefix, &mut name.suffix] {
                    parts.fill(String::new());
                }
            }
            address.lines.fill(String::new());
            patient.confidentiality.fill(String::new());
            patient
        };
        let patient = full();
        let mut left = patient.clone();
        (left.gender_identity, left.pronouns, left.deceased_at) = (None, None, None);
        (left.marital_status, left.preferred_language) = (None, None);
        (left.birth_date, left.photo_sha256, left.merged_into) = (None, None, None);
        (left.identifiers[0].kind, left.identifiers[0].assigner) = (None, None);
        left.addresses[0] = Address {
            r#use: left.addresses[0].r#use,
            period: period(),
            ..Address::default()
        };
        let party = &mut left.responsible_parties[0];
        party.relationship = None;
        for name in [&mut left.names[0], party.name.as_mut().unwrap()] {
            *name = HumanName {
                r#use: name.r#use,
                period: period(),
                ..HumanName::default()
            };
        }
        left.primary_provider.as_mut().unwrap().display = None;
        left.confidentiality.clear();
        assert!(patient_in::read(emptied(patient_out::write(&patient))) == Ok(left));
    }

    #[test]
    fn what_a_patient_cannot_be_is_refused_with_its_reason() {
        type Change = fn(&mut crate::bindings::patients::Patient);
        let changes: [(&str, Change); 6] = [
            ("birth_date_invalid", |patient| {
                patient.birth_date = Some("30.06.1987".to_owned())
            }),
            ("text_too_long", |patient| {
                patient.pronouns = Some("x".repeat(4097))
            }),
            ("photo_sha256_invalid", |patient| {
                patient.photo_sha256 = Some("0A".repeat(32))
            }),
            ("patient_id_invalid", |patient| {
                patient.merged_into = Some("7".to_owned())
            }),
            ("patient_too_large", |patient| {
                patient.telecom = vec![patient.telecom[0].clone(); 33]
            }),
            ("system_name_invalid", |patient| {
                patient.primary_provider.as_mut().unwrap().system.push('_')
            }),
        ];
        for (code, change) in changes {
            let mut patient = patient_out::write(&full());
            change(&mut patient);
            assert_eq!(patient_in::read(patient).unwrap_err().0, code);
        }
    }

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!(super::shortened("aéb".to_owned(), 2), "a");
        assert_eq!(super::shortened("aéb".to_owned(), 3), "aé");
    }
}
