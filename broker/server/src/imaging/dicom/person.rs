//! Whom a DICOM file names (PS3.3, C.7.1.1).

use super::{data_set::DataSet, text::Charset};
use archwire_core::{AdministrativeSex, HumanName, Identifier, PartialDate, Patient, Text};
use dicom_dictionary_std::tags;

/// The namespace of what DICOM calls PatientID (0010,0020), in [`Identifier::system`]. IssuerOfPatientID (0010,0021) is its
/// assigner.
pub const PATIENT_ID: &str = "urn:dicom:patient-id";

/// Most bytes of a name or identifier that is read; DICOM allows 64 characters, three times over for names.
const LONGEST: usize = 1024;

/// Whom a file names: names, birth date, sex and identifier, each where it is stated; `None` where none is.
pub(super) fn named(found: &DataSet<'_>, charset: &Charset) -> Option<Patient> {
    let text = |tag| {
        let bytes = found.bytes(tag).filter(|bytes| bytes.len() <= LONGEST)?;
        charset.text(bytes)
    };
    let identifier = text(tags::PATIENT_ID).map(|value| Identifier {
        system: PATIENT_ID.to_owned(),
        value: value.into(),
        assigner: text(tags::ISSUER_OF_PATIENT_ID).map(Text::from),
        ..Identifier::default()
    });
    let patient = Patient {
        names: text(tags::PATIENT_NAME).map_or_else(Vec::new, |name| names(&name)),
        birth_date: found.ascii(tags::PATIENT_BIRTH_DATE).and_then(date),
        administrative_sex: found.ascii(tags::PATIENT_SEX).and_then(sex),
        identifiers: identifier.into_iter().collect(),
        ..Patient::default()
    };
    (patient != Patient::default()).then_some(patient)
}

/// The alphabetic, the ideographic and the phonetic form of one name (PS3.5, 6.2.1), as far as they are there.
fn names(text: &str) -> Vec<HumanName> {
    // A file may not have several names; of one that does, the first counts.
    let first = text.split('\\').next().unwrap_or_default();
    first.split('=').take(3).filter_map(name).collect()
}

fn name(text: &str) -> Option<HumanName> {
    let mut parts = text.split('^');
    let mut next = || parts.next().and_then(stated);
    let (family, given, middle, prefix, suffix) = (next(), next(), next(), next(), next());
    // Programs that know of no parts write a comma, as people do.
    let (family, given) = match (family.and_then(|family| family.split_once(',')), given) {
        (Some((family, given)), None) => (stated(family), stated(given)),
        _ => (family, given),
    };
    let all = |part: Option<&str>| part.map(Text::from).into_iter().collect::<Vec<_>>();
    let name = HumanName {
        family: family.map(Text::from),
        given: given.into_iter().chain(middle).map(Text::from).collect(),
        prefix: all(prefix),
        suffix: all(suffix),
        ..HumanName::default()
    };
    (name.family.is_some() || !name.given.is_empty()).then_some(name)
}

/// A part of a name, unless there is nothing in it.
fn stated(part: &str) -> Option<&str> {
    let part = part.trim();
    (!part.is_empty()).then_some(part)
}

/// What stands in an element for a person who is no patient, given names first.
pub(super) fn written_out(text: &str) -> Option<Text> {
    let name = names(text).into_iter().next()?;
    let words: Vec<_> = name.given.iter().chain(&name.family).map(Text::as_str).collect();
    Some(words.join(" ").into())
}

/// A date: `YYYYMMDD`, or `YYYY.MM.DD` from before DICOM.
fn date(text: &str) -> Option<PartialDate> {
    let digits = text.replace('.', "");
    let (year, rest) = digits.split_at_checked(4)?;
    let (month, day) = rest.split_at_checked(2)?;
    PartialDate::parse(&format!("{year}-{month}-{day}")).ok()
}

fn sex(text: &str) -> Option<AdministrativeSex> {
    match text {
        "M" => Some(AdministrativeSex::Male),
        "F" => Some(AdministrativeSex::Female),
        "O" => Some(AdministrativeSex::Other),
        _ => None,
    }
}
