//! Invented images, and deliveries about them.

use super::{Office, jordan};
use archwire_core::{
    Digest, Image, ImageAbout, ImageDelivery, ImageFile, ImageId, ImageUids, PatientId, Revision, Uid,
};

/// Bytes of no meaning that are no text either.
pub(crate) fn picture(size: usize) -> Vec<u8> {
    (0..size)
        .map(|place| u8::try_from(place * 31 % 251).unwrap())
        .collect()
}

/// A photograph of the record 1, in the bus's store, that the office does not have.
pub(crate) fn photograph(office: &Office, bytes: Vec<u8>) -> ImageDelivery {
    let size = bytes.len().try_into().unwrap();
    let digest = office.images.insert(bytes);
    let patient_id = PatientId::generate();
    ImageDelivery {
        event_id: PatientId::generate().to_string(),
        patient_id,
        image_id: ImageId {
            patient: patient_id,
            first: Revision::new(2),
        },
        revision: Revision::new(2),
        image: photographed(patient_id, digest, size),
        retracted: false,
        record: Some("1".parse().unwrap()),
        local_id: None,
        patient: jordan(),
        in_doubt_since: None,
    }
}

fn photographed(patient: PatientId, digest: Digest, size: u64) -> Image {
    let uid = |what| Uid::generate(what, patient, digest);
    Image {
        uids: ImageUids {
            study: uid("study"),
            series: uid("series"),
            instance: uid("instance"),
            generated: true,
        },
        file: ImageFile {
            content_type: "image/jpeg".to_owned(),
            size,
            digest,
            sop_class: None,
            transfer_syntax: None,
            rows: None,
            columns: None,
            frames: None,
            pixel_spacing: None,
            lossy: None,
            burned_in_annotation: None,
        },
        about: ImageAbout {
            view_label: Some("Smile".into()),
            ..ImageAbout::default()
        },
        translations: Vec::new(),
        warnings: Vec::new(),
    }
}
