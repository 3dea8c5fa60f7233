//! What the archive says of an image that was taken from it.

use crate::archive::Place;
use crate::file::Taken;
use crate::json::{Dataset, tag};
use crate::record::Record;
use archwire_connector::{Image, ImageObservation};

/// Whose it is: as QIDO-RS shows it, which knows all character sets, and by the file's own header what QIDO-RS does not show.
#[must_use]
pub fn record(image: &Dataset, taken: &Taken, place: &Place) -> Record {
    let header = &taken.header;
    let issuer = image.text(tag::ISSUER_OF_PATIENT_ID).or(header.issuer.as_deref());
    let id = image.text(tag::PATIENT_ID).or(header.patient_id.as_deref());
    Record::named(issuer, id, place.study.clone())
}

/// The image, by its place. What a DICOM file says the bus reads from the file itself, and of what was put into one it knows
/// more than the archive.
#[must_use]
pub fn observation(record: &Record, taken: &Taken, place: &Place) -> ImageObservation {
    let claim = Image {
        study_uid: Some(place.study.as_str().to_owned()),
        series_uid: Some(place.series.as_str().to_owned()),
        instance_uid: Some(place.instance.as_str().to_owned()),
        // What we put into a DICOM file got its identifiers from the bus.
        uids_generated: taken.header.payload.is_some(),
        content_type: Some(taken.media_type.to_owned()),
        size: taken.size,
        sha256: Some(taken.sha256.clone()),
        ..Image::default()
    };
    ImageObservation::new(place.instance.as_str(), record.to_string(), claim)
}
