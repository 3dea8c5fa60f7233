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
