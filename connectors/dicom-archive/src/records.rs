//! A patient of the archive as it shows them: what its newest study of that number says.
//!
//! Older studies may name the same patient otherwise (a maiden name, capitals). One study has to speak for all of them, or the
//! patient would change back and forth; whether an image's own header fits the patient is the bus's to check.

use crate::archive::{Archive, PAGE, Place, Study};
use crate::json::{Dataset, tag};
use crate::person;
use crate::record::Record;
use crate::uid::Uid;
use archwire_connector::{Disposition, Observation, SourceRecord};

/// The format of the source records: a study in DICOM JSON, as QIDO-RS shows it.
const FORMAT: &str = "dicomweb/study/v1";
/// Studies of a number whose issuer is looked up in an image because the archive does not tell it with the study.
const MOST_LOOKED_UP: usize = 5;

/// Most studies with one number that are looked through: ten pages.
const MOST_WITH_A_NUMBER: usize = 10 * PAGE;

/// Reads a record. `None` when the archive has no study of it (any more).
///
/// # Errors
/// When the archive does not tell.
pub fn read(archive: &Archive<'_>, record: &Record) -> Result<Option<Observation>, Disposition> {
    let Some(study) = newest(archive, record)? else {
        return Ok(None);
    };
    Ok(Some(observation(archive, record, &study.data, study.json)))
}

/// Reads the record of an image of this study, by the study itself where it is not found by its number: a number may hold
/// what means something else in a query.
///
/// # Errors
/// When the archive does not tell.
pub fn read_with(
    archive: &Archive<'_>,
    record: &Record,
    study: &Uid,
) -> Result<Option<Observation>, Disposition> {
    if let Some(found) = read(archive, record)? {
        return Ok(Some(found));
    }
    let studies = archive.studies(&[("StudyInstanceUID", study.as_str())], 0)?;
    let study = studies
        .into_iter()
        .find(|found| found.data.uid(tag::STUDY_INSTANCE_UID).as_ref() == Some(study));
    Ok(study.map(|study| observation(archive, record, &study.data, study.json)))
}

/// What a study says of a record.
fn observation(archive: &Archive<'_>, record: &Record, data: &Dataset, json: Vec<u8>) -> Observation {
    let source = SourceRecord {
        media_type: "application/dicom+json".to_owned(),
        format: FORMAT.to_owned(),
        data: json,
    };
    let patient = person::patient(data, record, archive.config.numbers.as_ref());
    Observation::new(record.to_string(), patient, source)
}

/// The newest study of a record. `None` when the archive has none of it (any more).
///
/// # Errors
/// When the archive does not tell.
pub fn newest(archive: &Archive<'_>, record: &Record) -> Result<Option<Study>, Disposition> {
    let mut studies = match record {
        Record::Patient { id, .. } => archive.studies(&[("PatientID", id)], 0)?,
        Record::Study(uid) => archive.studies(&[("StudyInstanceUID", uid.as_str())], 0)?,
    };
    studies.retain(|study| may_be(&study.data, record));
    studies.sort_by_key(|study| std::cmp::Reverse(age(&study.data)));
    for (looked_up, study) in studies.into_iter().enumerate() {
        if study.data.text(tag::ISSUER_OF_PATIENT_ID).is_some() || matches!(record, Record::Study(_)) {
            return Ok(Some(study));
        }
        if looked_up < MOST_LOOKED_UP && issuer(archive, &study.data)?.as_deref() == Some(record.issuer()) {
            return Ok(Some(study));
        }
    }
    Ok(None)
}

/// Every study that the archive may file together with a record: those with its PatientID, whoever issued it, since an archive may
/// not look at that. `None` where that are more than [`MOST_WITH_A_NUMBER`].
///
/// # Errors
/// When the archive does not tell.
pub fn filed_with(archive: &Archive<'_>, record: &Record) -> Result<Option<Vec<Study>>, Disposition> {
    let (filter, value) = match record {
        Record::Patient { id, .. } => ("PatientID", id.as_str()),
        Record::Study(uid) => ("StudyInstanceUID", uid.as_str()),
    };
    let mut found = Vec::new();
    for offset in (0..MOST_WITH_A_NUMBER).step_by(PAGE) {
        let page = archive.studies(&[(filter, value)], offset)?;
        let is_last = page.len() < PAGE;
        found.extend(
            page.into_iter()
                .filter(|study| is_filed_with(&study.data, record)),
        );
        if is_last {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn is_filed_with(study: &Dataset, record: &Record) -> bool {
    match record {
        Record::Patient { id, .. } => study.text(tag::PATIENT_ID) == Some(id),
        Record::Study(_) => may_be(study, record),
    }
}

/// Whether the study is the record's, as far as the study tells.
#[must_use]
pub fn may_be(study: &Dataset, record: &Record) -> bool {
    match record {
        Record::Study(uid) => study.uid(tag::STUDY_INSTANCE_UID).as_ref() == Some(uid),
        Record::Patient { issuer, id } => {
            let told = study.text(tag::ISSUER_OF_PATIENT_ID);
            study.text(tag::PATIENT_ID) == Some(id) && told.is_none_or(|told| told == issuer)
        }
    }
}

/// The issuer that an image of the study states; empty for none. `None` when there is no image to ask.
fn issuer(archive: &Archive<'_>, study: &Dataset) -> Result<Option<String>, Disposition> {
    let Some(uid) = study.uid(tag::STUDY_INSTANCE_UID) else {
        return Ok(None);
    };
    let images = archive.images_of(&uid, 0)?;
    let Some(place) = images.first().and_then(Place::of) else {
        return Ok(None);
    };
    let told = archive.metadata(&place)?;
    Ok(told.map(|image| {
        image
            .text(tag::ISSUER_OF_PATIENT_ID)
            .unwrap_or_default()
            .to_owned()
    }))
}

/// Compares by age: date, time, and the identifier where they are the same.
fn age(study: &Dataset) -> [String; 3] {
    let tags = [tag::STUDY_DATE, tag::STUDY_TIME, tag::STUDY_INSTANCE_UID];
    tags.map(|tag| study.text(tag).unwrap_or_default().to_owned())
}
