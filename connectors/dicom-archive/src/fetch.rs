//! Reading back: one patient, one image, and the list of all patients.

use crate::archive::{Archive, PAGE, Place};
use crate::file;
use crate::host::Purpose;
use crate::observed;
use crate::record::Record;
use crate::records;
use crate::uid::Uid;
use archwire_connector::{Disposition, ImageObservation, Observation, SurveyEntry, SurveyPage};
use std::collections::BTreeSet;

/// Reads a patient. `None` when the archive has nothing of them.
///
/// # Errors
/// When the archive does not tell.
pub fn patient(archive: &Archive<'_>, local_id: &str) -> Result<Option<Observation>, Disposition> {
    match Record::parse(local_id) {
        Some(record) => records::read(archive, &record),
        None => Ok(None),
    }
}

/// Reads an image, and measures its bytes. Where the archive files the same one under several patients, the one of `record` counts.
///
/// # Errors
/// When the archive does not give it.
pub fn image(
    archive: &Archive<'_>,
    local_id: &str,
    record: Option<&str>,
) -> Result<Option<ImageObservation>, Disposition> {
    let Ok(instance) = Uid::parse(local_id) else {
        return Ok(None);
    };
    let images = archive.images_named(&instance)?;
    let is_wanted = |image: &&_| Record::of(image).is_some_and(|of| Some(of.to_string().as_str()) == record);
    let Some(image) = images.iter().find(is_wanted).or(images.first()) else {
        return Ok(None);
    };
    let Some(place) = Place::of(image) else {
        return Ok(None);
    };
    let taken = file::take(archive, &place, Purpose::Measure)?;
    Ok(taken.map(|taken| {
        let record = observed::record(image, &taken, &place);
        observed::observation(&record, &taken, &place)
    }))
}

/// Lists the patients of the archive, by its studies: whoever has several comes several times. The cursor is how many studies
/// were listed.
///
/// # Errors
/// When the archive does not tell.
pub fn survey(archive: &Archive<'_>, cursor: Option<&str>) -> Result<SurveyPage, Disposition> {
    let offset: usize = match cursor {
        Some(text) => text
            .parse()
            .map_err(|_| Disposition::rejected("cursor-unreadable"))?,
        None => 0,
    };
    let studies = archive.studies(&[], offset)?;
    let records: BTreeSet<String> = studies
        .iter()
        .filter_map(|study| Some(Record::of(&study.data)?.to_string()))
        .collect();
    let entry = |local_id| SurveyEntry {
        local_id,
        version: None,
    };
    Ok(SurveyPage {
        entries: records.into_iter().map(entry).collect(),
        cursor: (offset + studies.len()).to_string(),
        more: studies.len() == PAGE,
    })
}
