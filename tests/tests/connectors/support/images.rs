//! Invented images, and deliveries about them.

use super::{Office, jordan};
use archwire_core::{Image, ImageAbout, ImageDelivery, ImageFile, ImageId, ImageUids, PatientId, Revision};
use archwire_host::MemoryImages;

/// Bytes of no meaning that are no text either.
pub(crate) fn picture(size: usize) -> Vec<u8> {
    (0..size)
        .map(|place| u8::try_from(place * 31 % 251).unwrap())
        .collect()
}

/// A file of Jordan's that the bus has, and that no system has yet.
pub(crate) fn delivery(images: &MemoryImages, content_type: &str, bytes: Vec<u8>) -> ImageDelivery {
    let size = bytes.len().try_into().unwrap();
    let digest = images.insert(bytes);
    let patient = PatientId::generate();
    let revision = Revision::new(2);
    ImageDelivery {
        event_id: PatientId::generate().to_string(),
        patient_id: patient,
        image_id: ImageId {
            patient,
            first: revision,
        },
        revision,
        image: Image {
            uids: ImageUids::generated(patient, digest),
            file: ImageFile::new(content_type, size, digest),
            about: ImageAbout::default(),
            translations: Vec::new(),
            warnings: Vec::new(),
        },
        retracted: false,
        record: None,
        local_id: None,
        patient: jordan(),
        in_doubt_since: None,
    }
}

/// A photograph of the record 1, in the bus's store, that the office does not have.
pub(crate) fn photograph(office: &Office, bytes: Vec<u8>) -> ImageDelivery {
    let mut delivery = delivery(&office.images, "image/jpeg", bytes);
    delivery.record = Some("1".parse().unwrap());
    delivery.image.about.view_label = Some("Smile".into());
    delivery
}
