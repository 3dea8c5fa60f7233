//! From a row to the typed patient.

use super::{SSN, chart_number_system, language, medicaid_id_system};
use crate::clock::calendar_date;
use crate::row::{Fields, PatNum, Row, Word};
use archwire_connector::{
    Address, AddressUse, AdministrativeSex, ContactPoint, ContactSystem, ContactUse, HumanName, Identifier,
    IdentifierStatus, NameUse, Patient, PatientStatus, PersonReference, Provider, ResponsibleParty,
};

/// The typed patient that a row shows. `system` is the system's name in the practice's configuration.
#[must_use]
pub fn patient(row: &Row<'_>, system: &str) -> Patient {
    let fields = &row.fields;
    let (status, deceased) = standing(fields.pat_status.text());
    Patient {
        identifiers: identifiers(fields, system),
        names: names(fields),
        birth_date: calendar_date(fields.birthdate.text()).map(str::to_owned),
        administrative_sex: sex(fields.gender.text()),
        deceased,
        telecom: telecom(fields),
        addresses: address(fields).into_iter().collect(),
        marital_status: marital_status(fields.position.text()).map(str::to_owned),
        preferred_language: fields.language.stated().map(|kept| language::to_tag(&kept)),
        status,
        responsible_parties: guarantor(row, system).into_iter().collect(),
        primary_provider: provider(fields, system),
        ..Patient::default()
    }
}

fn identifiers(fields: &Fields, system: &str) -> Vec<Identifier> {
    let identifier = |namespace: String, kind: &str, word: &Word| {
        Some(Identifier {
            system: namespace,
            value: word.stated()?,
            kind: Some(kind.to_owned()),
            status: Some(IdentifierStatus::Active),
            ..Identifier::default()
        })
    };
    let known = [
        identifier(SSN.to_owned(), "SS", &fields.ssn),
        identifier(chart_number_system(system), "MR", &fields.chart_number),
        identifier(medicaid_id_system(system), "MA", &fields.medicaid_id),
    ];
    known.into_iter().flatten().collect()
}

fn names(fields: &Fields) -> Vec<HumanName> {
    let given: Vec<String> = [&fields.f_name, &fields.middle_i]
        .into_iter()
        .filter_map(Word::stated)
        .collect();
    let family = fields.l_name.stated();
    let official = (family.is_some() || !given.is_empty()).then(|| HumanName {
        use_: Some(NameUse::Official),
        family,
        given,
        ..HumanName::default()
    });
    let nickname = fields.preferred.stated().map(|preferred| HumanName {
        use_: Some(NameUse::Nickname),
        given: vec![preferred],
        ..HumanName::default()
    });
    official.into_iter().chain(nickname).collect()
}

fn sex(gender: &str) -> Option<AdministrativeSex> {
    match gender {
        "Male" => Some(AdministrativeSex::Male),
        "Female" => Some(AdministrativeSex::Female),
        "Unknown" => Some(AdministrativeSex::Unknown),
        "Other" => Some(AdministrativeSex::Other),
        _ => None,
    }
}

/// Status and deceased. Archived records may be of the living and of the dead; a deleted one, should the API ever show
/// it, is on file for the record only.
fn standing(status: &str) -> (Option<PatientStatus>, Option<bool>) {
    match status {
        "Patient" => (Some(PatientStatus::Active), Some(false)),
        "NonPatient" => (Some(PatientStatus::NonPatient), Some(false)),
        "Inactive" => (Some(PatientStatus::Inactive), Some(false)),
        "Prospective" => (Some(PatientStatus::Prospective), Some(false)),
        "Archived" | "Deleted" => (Some(PatientStatus::Archived), None),
        "Deceased" => (None, Some(true)),
        _ => (None, None),
    }
}

fn marital_status(position: &str) -> Option<&'static str> {
    match position {
        "Single" => Some("S"),
        "Married" => Some("M"),
        "Widowed" => Some("W"),
        "Divorced" => Some("D"),
        _ => None,
    }
}

fn telecom(fields: &Fields) -> Vec<ContactPoint> {
    let point = |word: &Word, system, use_| Some(ContactPoint::new(system, use_, word.stated()?));
    let known = [
        point(&fields.hm_phone, ContactSystem::Phone, Some(ContactUse::Home)),
        point(&fields.wk_phone, ContactSystem::Phone, Some(ContactUse::Work)),
        point(
            &fields.wireless_phone,
            ContactSystem::Phone,
            Some(ContactUse::Mobile),
        ),
        point(&fields.email, ContactSystem::Email, None),
    ];
    known.into_iter().flatten().collect()
}

fn address(fields: &Fields) -> Option<Address> {
    let address = Address {
        use_: Some(AddressUse::Home),
        lines: [&fields.address, &fields.address2]
            .into_iter()
            .filter_map(Word::stated)
            .collect(),
        city: fields.city.stated(),
        state: fields.state.stated(),
        postal_code: zip(&fields.zip),
        ..Address::default()
    };
    let stated = !address.lines.is_empty()
        || address.city.is_some()
        || address.state.is_some()
        || address.postal_code.is_some();
    stated.then_some(address)
}

/// A zip that came as a number has lost its leading zeros: 2134 is Boston's 02134.
fn zip(word: &Word) -> Option<String> {
    let text = word.stated()?;
    match text.len() {
        1..=4 if word.is_number() => Some(format!("{text:0>5}")),
        6..=8 if word.is_number() => Some(format!("{text:0>9}")),
        _ => Some(text),
    }
}

fn guarantor(row: &Row<'_>, system: &str) -> Option<ResponsibleParty> {
    let guarantor =
        PatNum::parse(row.fields.guarantor.text()).filter(|guarantor| *guarantor != row.pat_num)?;
    let person = PersonReference {
        system: system.to_owned(),
        local_id: guarantor.to_string(),
        patient_id: None,
    };
    Some(ResponsibleParty {
        person: Some(person),
        is_guarantor: true,
        ..ResponsibleParty::default()
    })
}

fn provider(fields: &Fields, system: &str) -> Option<Provider> {
    let number = fields.pri_prov.stated().filter(|number| number != "0")?;
    Some(Provider {
        system: system.to_owned(),
        local_id: number,
        display: fields.pri_prov_abbr.stated(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(row: &str) -> Patient {
        patient(&Row::parse(row).unwrap(), "front-desk")
    }

    /// The example of a whole row.
    const FULL: &str = r#"{"PatNum":1234,"LName":"Pratt","FName":"Jordan","MiddleI":"K","Preferred":"Jo",
        "PatStatus":"Patient","Gender":"Female","Position":"Married","Birthdate":"1990-02-01","SSN":"123456789",
        "Address":"421 Front St","Address2":"Apt 2","City":"Salem","State":"OR","Zip":"97301",
        "HmPhone":"(503)555-0100","WkPhone":"503-555-0101","WirelessPhone":"5035550102","Guarantor":1200,
        "Email":"jo@example.com","EstBalance":12.50,"PriProv":3,"priProvAbbr":"DOC3","ChartNumber":"A17",
        "MedicaidID":"M99","Language":"eng","DateTStamp":"2026-11-01 10:00:00","serverDateTime":"2026-11-01 10:05:00"}"#;

    #[test]
    fn every_field_of_a_whole_row_is_read() {
        let patient = read(FULL);
        let [official, nickname] = patient.names.as_slice() else {
            panic!("two names")
        };
        assert_eq!(official.use_, Some(NameUse::Official));
        assert_eq!(official.family.as_deref(), Some("Pratt"));
        assert_eq!(official.given, ["Jordan", "K"]);
        assert_eq!(
            (nickname.use_, &nickname.given),
            (Some(NameUse::Nickname), &vec!["Jo".to_owned()])
        );
        assert_eq!(patient.birth_date.as_deref(), Some("1990-02-01"));
        assert_eq!(patient.administrative_sex, Some(AdministrativeSex::Female));
        assert_eq!(patient.marital_status.as_deref(), Some("M"));
        assert_eq!(
            (patient.status, patient.deceased),
            (Some(PatientStatus::Active), Some(false))
        );
        assert_eq!(patient.preferred_language.as_deref(), Some("en"));

        let identifiers: Vec<_> = patient
            .identifiers
            .iter()
            .map(|identifier| {
                (
                    identifier.system.as_str(),
                    identifier.value.as_str(),
                    identifier.kind.as_deref(),
                )
            })
            .collect();
        assert_eq!(
            identifiers,
            [
                ("http://hl7.org/fhir/sid/us-ssn", "123456789", Some("SS")),
                ("urn:archwire:front-desk:chart-number", "A17", Some("MR")),
                ("urn:archwire:front-desk:medicaid-id", "M99", Some("MA")),
            ]
        );

        let telecom: Vec<_> = patient
            .telecom
            .iter()
            .map(|point| (point.system, point.use_, point.value.as_str()))
            .collect();
        assert_eq!(
            telecom,
            [
                (ContactSystem::Phone, Some(ContactUse::Home), "(503)555-0100"),
                (ContactSystem::Phone, Some(ContactUse::Work), "503-555-0101"),
                (ContactSystem::Phone, Some(ContactUse::Mobile), "5035550102"),
                (ContactSystem::Email, None, "jo@example.com"),
            ]
        );

        let [address] = patient.addresses.as_slice() else {
            panic!("one address")
        };
        assert_eq!(address.use_, Some(AddressUse::Home));
        assert_eq!(address.lines, ["421 Front St", "Apt 2"]);
        assert_eq!(address.city.as_deref(), Some("Salem"));
        assert_eq!(address.state.as_deref(), Some("OR"));
        assert_eq!(address.postal_code.as_deref(), Some("97301"));

        let [party] = patient.responsible_parties.as_slice() else {
            panic!("one party")
        };
        let person = party.person.as_ref().unwrap();
        assert!(party.is_guarantor);
        assert_eq!(
            (person.system.as_str(), person.local_id.as_str()),
            ("front-desk", "1200")
        );

        let provider = patient.primary_provider.unwrap();
        assert_eq!(
            (provider.system.as_str(), provider.local_id.as_str()),
            ("front-desk", "3")
        );
        assert_eq!(provider.display.as_deref(), Some("DOC3"));
    }

    #[test]
    fn empty_fields_and_the_year_one_are_not_stated() {
        let patient = read(
            r#"{"PatNum":1,"LName":"","FName":" ","MiddleI":"","Preferred":"","PatStatus":"","Gender":"","Position":"",
            "Birthdate":"0001-01-01","SSN":"","Address":"","Address2":"","City":"","State":"","Zip":"","HmPhone":"",
            "WkPhone":"","WirelessPhone":"","Guarantor":0,"Email":"","PriProv":0,"priProvAbbr":"","ChartNumber":"",
            "MedicaidID":"","Language":""}"#,
        );
        assert!(patient == Patient::default());
    }

    #[test]
    fn fields_that_an_older_office_does_not_send_are_not_stated() {
        assert!(read(r#"{"PatNum":1}"#) == Patient::default());
    }

    #[test]
    fn statuses_are_read() {
        for (written, status, deceased) in [
            ("Patient", Some(PatientStatus::Active), Some(false)),
            ("NonPatient", Some(PatientStatus::NonPatient), Some(false)),
            ("Inactive", Some(PatientStatus::Inactive), Some(false)),
            ("Archived", Some(PatientStatus::Archived), None),
            ("Deceased", None, Some(true)),
            ("Prospective", Some(PatientStatus::Prospective), Some(false)),
            ("Deleted", Some(PatientStatus::Archived), None),
            ("Martian", None, None),
        ] {
            let patient = read(&format!(r#"{{"PatNum":1,"PatStatus":"{written}"}}"#));
            assert_eq!(
                (patient.status, patient.deceased),
                (status, deceased),
                "{written}"
            );
        }
    }

    #[test]
    fn genders_and_positions_are_read() {
        for (written, sex) in [
            ("Male", Some(AdministrativeSex::Male)),
            ("Female", Some(AdministrativeSex::Female)),
            ("Unknown", Some(AdministrativeSex::Unknown)),
        ] {
            assert_eq!(
                read(&format!(r#"{{"PatNum":1,"Gender":"{written}"}}"#)).administrative_sex,
                sex
            );
        }
        for (written, code) in [
            ("Single", Some("S")),
            ("Married", Some("M")),
            ("Widowed", Some("W")),
            ("Divorced", Some("D")),
            ("Child", None),
        ] {
            let patient = read(&format!(r#"{{"PatNum":1,"Position":"{written}"}}"#));
            assert_eq!(patient.marital_status.as_deref(), code, "{written}");
        }
    }

    #[test]
    fn ones_own_guarantor_is_no_responsible_party() {
        for guarantor in ["0", "7", "\"7\"", "\"\"", "null"] {
            let patient = read(&format!(r#"{{"PatNum":7,"Guarantor":{guarantor}}}"#));
            assert!(patient.responsible_parties.is_empty(), "{guarantor}");
        }
    }

    #[test]
    fn a_zip_that_came_as_a_number_gets_its_zeros_back() {
        for (written, zip) in [
            ("97301", "97301"),
            ("2134", "02134"),
            ("21341234", "021341234"),
            ("973011234", "973011234"),
            ("\"2134\"", "2134"),
            ("\"K1A 0B1\"", "K1A 0B1"),
        ] {
            let patient = read(&format!(r#"{{"PatNum":1,"Zip":{written}}}"#));
            let codes: Vec<_> = patient
                .addresses
                .iter()
                .map(|address| address.postal_code.as_deref())
                .collect();
            assert_eq!(codes, [Some(zip)], "{written}");
        }
    }

    #[test]
    fn a_language_of_the_offices_own_is_kept() {
        assert_eq!(
            read(r#"{"PatNum":1,"Language":"Spanish (Mexico)"}"#)
                .preferred_language
                .as_deref(),
            Some("Spanish (Mexico)")
        );
    }
}
