//! What the log holds of images comes out as it went in.

use crate::wire::{
    WireError, decode_event, decode_review, decode_sighting, encode_event, encode_review, encode_sighting,
};
use archwire_core::{
    Calibration, Code, Copied, Digest, Event, EventKind, HeldImage, Image, ImageAbout, ImageCopy, ImageFile,
    ImageId, ImageNews, ImageObservation, ImageUids, ImageWarning, Laterality, Mirror, Mouth, Occlusion,
    Patient, PatientId, PixelSpacing, Progress, Receipt, ReceiptOutcome, ReviewItem, ReviewKind, Revision,
    Sighted, Sighting, ViewTranslation,
};
use std::{
    collections::BTreeSet,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

fn code(value: &str) -> Code {
    Code {
        scheme: "99ADA1100".to_owned(),
        value: value.to_owned(),
        meaning: Some("Lateral, right".into()),
    }
}

/// One that states everything.
fn image() -> Image {
    let uid = |uid: &str| uid.parse().unwrap();
    Image {
        uids: ImageUids {
            study: uid("1.2.3"),
            series: uid("1.2.4"),
            instance: uid("1.2.5"),
            generated: true,
        },
        file: ImageFile {
            content_type: "application/dicom".to_owned(),
            size: 42,
            digest: Digest::of(b"ceph"),
            sop_class: Some(uid("1.2.840.10008.5.1.4.1.1.1.1")),
            transfer_syntax: Some(uid("1.2.840.10008.1.2.1")),
            rows: Some(2000),
            columns: Some(1500),
            frames: Some(1),
            pixel_spacing: Some(PixelSpacing {
                row_mm: "0.1".to_owned(),
                column_mm: "0.1".to_owned(),
                calibration: Calibration::Detector,
            }),
            lossy: Some(false),
            burned_in_annotation: Some(true),
        },
        about: ImageAbout {
            accession: Some("A-7".into()),
            modality: Some("DX".to_owned()),
            views: vec![code("EV19")],
            view_label: Some("Lateral".into()),
            anatomy: vec![code("A1")],
            laterality: Some(Laterality::Right),
            teeth: vec![11.try_into().unwrap()],
            mirror: Some(Mirror::Corrected),
            flipped: Some(false),
            occlusion: Some(Occlusion::CentricOcclusion),
            mouth: Some(Mouth::LipsClosed),
            progress: Some(Progress {
                event: Some(code("P1")),
                offset_days: Some(-3),
                label: Some("Initial".into()),
            }),
            acquired_at: Some("2026-03-01T09:30:00+01:00".parse().unwrap()),
            device: Some("Ceph One".into()),
            operator: Some("Dana".into()),
            derived_from: vec![uid("1.2.6")],
        },
        translations: vec![ViewTranslation {
            code: code("EV20"),
            table: "open-ortho-terminology 2.1.1".to_owned(),
        }],
        warnings: vec![ImageWarning::ViewsDiffer],
    }
}

fn id(patient: PatientId) -> ImageId {
    ImageId {
        patient,
        first: Revision::new(7),
    }
}

fn at() -> SystemTime {
    UNIX_EPOCH + Duration::new(1_700_000_000, 123_456_789)
}

fn event(kind: EventKind, image: Option<ImageNews>) -> Event {
    Event {
        id: "019a8f30-8d5e-7c31-b5a5-02d1f0a4c001".to_owned(),
        kind,
        patient_id: PatientId::generate(),
        revision: Revision::new(8),
        changed: BTreeSet::new(),
        patient: Patient::default(),
        observation: None,
        decision: None,
        merge: None,
        image: image.map(Box::new),
        linked_by: None,
        owed: BTreeSet::new(),
        first_sight: false,
        recorded_at: at(),
    }
}

fn news() -> ImageNews {
    let (patient, other) = (PatientId::generate(), PatientId::generate());
    ImageNews {
        id: id(patient),
        image: image(),
        system: Some("archive".parse().unwrap()),
        record: Some("A|100".parse().unwrap()),
        local_id: Some("1.2.5".parse().unwrap()),
        observed_at: Some(at()),
        actor: Some("desk-2".to_owned()),
        named_patient: Some(other),
        moved_from: Some(id(other)),
    }
}

#[test]
fn an_event_of_an_image_comes_out_as_it_went_in() {
    let kinds = [
        EventKind::PatientImaged,
        EventKind::ImageAmended,
        EventKind::ImageRetracted,
    ];
    for kind in kinds {
        let event = event(kind, Some(news()));
        assert!(decode_event(encode_event(&event)).unwrap() == event, "{kind:?}");
        let without = self::event(kind, None);
        let refused = decode_event(encode_event(&without));
        assert_eq!(refused.unwrap_err(), WireError::Missing("image"));
    }
    let misplaced = event(EventKind::PatientUpdated, Some(news()));
    let refused = decode_event(encode_event(&misplaced));
    assert_eq!(refused.unwrap_err(), WireError::Missing("image"));
}

#[test]
fn what_is_noted_of_an_image_comes_out_as_it_went_in() {
    let receipt = Receipt {
        event_id: "019a8f30-8d5e-7c31-b5a5-02d1f0a4c001".to_owned(),
        revision: Revision::new(8),
        outcome: ReceiptOutcome::Unreadable,
        action: None,
        written: BTreeSet::new(),
        rendered: BTreeSet::new(),
        differs: BTreeSet::new(),
        reason: Some("image_not_shown".to_owned()),
        attempts: 3,
        connector_version: "1.0.0".to_owned(),
    };
    let held = Copied::Held {
        local_id: "d7".parse().unwrap(),
        record: Some("A|100".parse().unwrap()),
        delivered: Revision::new(8),
        shown: Some(Digest::of(b"ceph")),
        described: Some(Digest::of(b"said")),
        receipt: Some(Box::new(receipt.clone())),
    };
    let notes = [
        Copied::Sending {
            revision: Revision::new(8),
            record: None,
        },
        Copied::Sending {
            revision: Revision::new(8),
            record: Some("A|100".parse().unwrap()),
        },
        Copied::Abandoned,
        held,
        Copied::Receipted(Box::new(receipt)),
        Copied::Gone("d8".parse().unwrap()),
    ];
    for what in notes {
        let patient_id = PatientId::generate();
        let copy = ImageCopy {
            id: id(patient_id),
            what,
        };
        let sighting = Sighting {
            patient_id,
            system: "archive".parse().unwrap(),
            seen_at: at(),
            what: Sighted::Image(Box::new(copy)),
        };
        assert!(decode_sighting(encode_sighting(&sighting)).unwrap() == sighting);
    }
}

#[test]
fn an_image_that_waits_comes_out_as_it_went_in() {
    let held = HeldImage {
        observation: ImageObservation {
            system: "archive".parse().unwrap(),
            patient_id: Some(PatientId::generate()),
            record: Some("A|100".parse().unwrap()),
            local_id: Some("1.2.5".parse().unwrap()),
            image: image(),
            named: Some(Box::default()),
            observed_at: Some(at()),
            actor: Some("desk-2".to_owned()),
        },
        differs: vec!["name".to_owned(), "instance-uid".to_owned()],
    };
    let item = ReviewItem {
        number: 12,
        kind: ReviewKind::WrongPatient,
        opened_at: at(),
        changed_at: at(),
        system: Some("archive".parse().unwrap()),
        local_id: Some("1.2.5".parse().unwrap()),
        patient: None,
        candidates: Vec::new(),
        disagreements: Vec::new(),
        held: None,
        held_image: Some(Box::new(held)),
        unreadable_image: None,
        reason: None,
        source: None,
        decision: None,
    };
    assert!(decode_review(encode_review(&item)).unwrap() == item);
}
