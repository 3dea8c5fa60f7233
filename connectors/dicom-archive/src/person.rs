//! Whom an archive's images name, as a patient of the bus. Who is the same person is the bus's to decide.
//!
//! | DICOM | Patient |
//! |---|---|
//! | PatientName (0010,0010) | official name: family, given, middle as a second given name, prefix, suffix; `FAMILY, GIVEN` where it has one part |
//! | PatientBirthDate (0010,0030) | birth date |
//! | PatientSex (0010,0040) M, F, O | male, female, other |
//! | PatientID (0010,0020), IssuerOfPatientID (0010,0021) | identifier `urn:dicom:patient-id`, kind MR, with its assigner |
//! | PatientID, where it is a number of another program's | identifier of that namespace, kind MR |

use crate::config::Numbers;
use crate::json::{Dataset, tag};
use crate::record::Record;
use archwire_connector::{AdministrativeSex, HumanName, Identifier, IdentifierStatus, NameUse, Patient};

/// The namespace of PatientID on the bus; who issued it is the assigner.
pub const NAMESPACE: &str = "urn:dicom:patient-id";

/// What a data set says of its patient, whose record is known.
#[must_use]
pub fn patient(dataset: &Dataset, record: &Record, numbers: Option<&Numbers>) -> Patient {
    Patient {
        identifiers: identifiers(record, numbers),
        names: dataset
            .person(tag::PATIENT_NAME)
            .and_then(name)
            .into_iter()
            .collect(),
        birth_date: dataset.text(tag::PATIENT_BIRTH_DATE).and_then(date),
        administrative_sex: dataset.text(tag::PATIENT_SEX).and_then(sex),
        ..Patient::default()
    }
}

fn identifiers(record: &Record, numbers: Option<&Numbers>) -> Vec<Identifier> {
    let Some(number) = record.number() else {
        return Vec::new();
    };
    let identifier = |system: &str, assigner: Option<&str>| Identifier {
        system: system.to_owned(),
        value: number.to_owned(),
        kind: Some("MR".to_owned()),
        assigner: assigner.map(str::to_owned),
        period: None,
        status: None,
    };
    let issuer = Some(record.issuer()).filter(|issuer| !issuer.is_empty());
    let others = numbers.filter(|numbers| numbers.issuer == record.issuer());
    let others = others.map(|numbers| identifier(&numbers.namespace, None));
    [identifier(NAMESPACE, issuer)]
        .into_iter()
        .chain(others)
        .collect()
}

/// The record under which the archive knows the patient, if it does, by a number of another program's.
#[must_use]
pub fn known_number(patient: &Patient, numbers: &Numbers) -> Option<Record> {
    let is_current = |identifier: &&Identifier| {
        identifier.system == numbers.namespace && identifier.status != Some(IdentifierStatus::Retired)
    };
    let mut found = patient.identifiers.iter().filter(is_current);
    // With two of them nobody knows which one the machines are told.
    let number = found.next().filter(|_| found.next().is_none())?;
    let fits = (1..=64).contains(&number.value.chars().count()) && !number.value.contains('\\');
    fits.then(|| Record::patient(&numbers.issuer, &number.value))
}

/// A name of value representation PN: up to five parts between `^`.
fn name(text: &str) -> Option<HumanName> {
    let mut parts = text.split('^');
    let mut next = || parts.next().and_then(stated);
    let (family, given, middle, prefix, suffix) = (next(), next(), next(), next(), next());
    // Programs that know of no parts write a comma, as people do; the bus reads files alike.
    let (family, given) = match (family.as_deref().and_then(|family| family.split_once(',')), given) {
        (Some((family, given)), None) => (stated(family), stated(given)),
        (_, given) => (family, given),
    };
    let name = HumanName {
        use_: Some(NameUse::Official),
        family,
        given: given.into_iter().chain(middle).collect(),
        prefix: prefix.into_iter().collect(),
        suffix: suffix.into_iter().collect(),
        text: None,
        period: None,
    };
    (name.family.is_some() || !name.given.is_empty()).then_some(name)
}

/// A part of a name, unless there is nothing in it.
fn stated(part: &str) -> Option<String> {
    Some(part.trim().to_owned()).filter(|part| !part.is_empty())
}

/// A date of value representation DA, also as older files write it: `20120304`, `2012.03.04`.
pub(crate) fn date(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|character| *character != '.').collect();
    let is_date = digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let (year, month, day) = (digits.get(..4)?, digits.get(4..6)?, digits.get(6..)?);
    let is_real = is_date && ("01"..="12").contains(&month) && ("01"..="31").contains(&day);
    is_real.then(|| format!("{year}-{month}-{day}"))
}

fn sex(text: &str) -> Option<AdministrativeSex> {
    match text {
        "M" => Some(AdministrativeSex::Male),
        "F" => Some(AdministrativeSex::Female),
        "O" => Some(AdministrativeSex::Other),
        _ => None,
    }
}

#[cfg(test)]
pub(crate) fn person(pn: &str, birth_date: &str) -> Patient {
    let json = format!(
        r#"{{"00100010":{{"Value":[{{"Alphabetic":"{pn}"}}]}},"00100030":{{"Value":["{birth_date}"]}}}}"#
    );
    patient(&crate::json::dataset(&json), &Record::patient("", "7"), None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::dataset;

    #[test]
    fn a_study_names_its_patient() {
        let study = dataset(
            r#"{"00100010":{"Value":[{"Alphabetic":"Müller^Jörg^Karl^Dr^Jr"}]},"00100020":{"Value":["P1"]},
                "00100021":{"Value":["MAPLE"]},"00100030":{"Value":["20120304"]},"00100040":{"Value":["M"]},
                "0020000D":{"Value":["1.2"]}}"#,
        );
        let patient = patient(&study, &Record::of(&study).unwrap(), None);
        let name = &patient.names[0];
        assert_eq!(name.family.as_deref(), Some("Müller"));
        assert_eq!(name.given, ["Jörg", "Karl"]);
        assert_eq!((&*name.prefix[0], &*name.suffix[0]), ("Dr", "Jr"));
        assert_eq!(patient.birth_date.as_deref(), Some("2012-03-04"));
        assert_eq!(patient.administrative_sex, Some(AdministrativeSex::Male));
        let identifier = &patient.identifiers[0];
        assert_eq!(
            (&*identifier.value, identifier.assigner.as_deref()),
            ("P1", Some("MAPLE"))
        );
    }

    #[test]
    fn numbers_of_another_program_are_told_as_such_and_found_again() {
        let numbers = Numbers {
            namespace: "urn:archwire:front-desk:chart-number".into(),
            issuer: String::new(),
        };
        let told = |issuer: &str| {
            let record = Record::patient(issuer, "C7");
            patient(&dataset("{}"), &record, Some(&numbers))
        };
        let ours = told("");
        let names: Vec<_> = ours
            .identifiers
            .iter()
            .map(|identifier| &*identifier.system)
            .collect();
        assert_eq!(names, [NAMESPACE, &*numbers.namespace]);
        assert!(known_number(&ours, &numbers) == Some(Record::patient("", "C7")));
        assert_eq!(told("Imaging Center").identifiers.len(), 1);
        assert!(known_number(&told("Imaging Center"), &numbers).is_none());
        let mut two = ours.clone();
        two.identifiers.extend(ours.identifiers);
        assert!(known_number(&two, &numbers).is_none());
    }

    #[test]
    fn a_name_of_one_part_is_read_at_its_comma() {
        let read = |text: &str| name(text).map(|name| (name.family, name.given));
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(read("DOE, ANN"), Some((some("DOE"), vec!["ANN".to_owned()])));
        assert_eq!(
            read("Doe, Jr.^Ann"),
            Some((some("Doe, Jr."), vec!["Ann".to_owned()]))
        );
        assert_eq!(read(", Ann"), Some((None, vec!["Ann".to_owned()])));
        assert_eq!(read("Doe,"), Some((some("Doe"), Vec::new())));
        assert_eq!(read(" , "), None);
    }

    #[test]
    fn what_is_not_a_name_or_a_date_is_not_stated() {
        assert!(name("^^").is_none() && name("").is_none());
        for text in ["", "2012", "20121301", "201203044", "unknown", "00000000"] {
            assert_eq!(date(text), None, "{text}");
        }
        assert_eq!(date("2012.03.04").as_deref(), Some("2012-03-04"));
    }
}
