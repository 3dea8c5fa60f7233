//! What an image costs at hand. A measurement, for whoever changes what is kept: it counts the memory of the whole process, so it
//! runs alone:
//! `cargo test -p archwire --test registry -- --ignored --exact --nocapture images_cost_little::an_image_in_three_systems_costs_little_more_than_a_kilobyte`

use crate::support::*;
use archwire::registry::Index;
use archwire_core::{
    Copied, Event, EventKind, Image, ImageCopy, ImageId, ImageNews, LocalId, Patient, PatientId, Revision,
    Sighted, Sighting, identity::Trust,
};
use std::{
    collections::BTreeSet,
    fs,
    time::{Instant, SystemTime},
};

const PATIENTS: u64 = 1_000;
const IMAGES: u64 = 100;

fn resident() -> usize {
    let statm = fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

fn event(patient_id: PatientId, revision: u64, image: Option<ImageNews>) -> Event {
    Event {
        id: "019a8f30-8d5e-7c31-b5a5-02d1f0a4c001".to_owned(),
        kind: match image {
            Some(_) => EventKind::PatientImaged,
            None => EventKind::PatientCreated,
        },
        patient_id,
        revision: Revision::new(revision),
        changed: BTreeSet::new(),
        patient: Patient::default(),
        observation: None,
        decision: None,
        merge: None,
        image: image.map(Box::new),
        linked_by: None,
        owed: BTreeSet::new(),
        first_sight: false,
        recorded_at: SystemTime::now(),
    }
}

fn news(id: ImageId, image: Image, instance: &str) -> ImageNews {
    ImageNews {
        id,
        image,
        system: Some(system("camera")),
        record: None,
        local_id: Some(instance.parse().unwrap()),
        observed_at: None,
        actor: None,
        named_patient: None,
        moved_from: None,
    }
}

fn record_of(patient: PatientId) -> LocalId {
    patient.to_string().parse().unwrap()
}

/// A record of a patient.
fn linked(name: &str, patient: PatientId) -> Sighting {
    Sighting {
        patient_id: patient,
        system: system(name),
        seen_at: SystemTime::now(),
        what: Sighted::Seen {
            local_id: record_of(patient),
            shown: None,
            delivered: Revision::NONE,
            reflects: None,
            owed: BTreeSet::new(),
            linked_by: None,
            receipt: None,
        },
    }
}

/// What a system took, as a delivery notes it.
fn held(name: &str, id: ImageId, local_id: &str, image: &Image) -> Sighting {
    Sighting {
        patient_id: id.patient,
        system: system(name),
        seen_at: SystemTime::now(),
        what: Sighted::Image(Box::new(ImageCopy {
            id,
            what: Copied::Held {
                local_id: local_id.parse().unwrap(),
                record: Some(record_of(id.patient)),
                delivered: id.first,
                shown: Some(image.file.digest),
                described: None,
                receipt: None,
            },
        })),
    }
}

#[test]
#[ignore = "counts the memory of the whole process, so it has to run alone"]
fn an_image_in_three_systems_costs_little_more_than_a_kilobyte() {
    let mut index = Index::new(Trust::by_kind());
    let patients: Vec<_> = (0..PATIENTS).map(|_| PatientId::generate()).collect();
    let mut sequence = 0;
    for patient in &patients {
        sequence += 1;
        index.apply_event(sequence, &event(*patient, 1, None));
        for name in ["archive", "chart"] {
            sequence += 1;
            index.apply_sighting(sequence, &linked(name, *patient));
        }
    }
    let before = resident();
    for patient in patients {
        for first in 2..2 + IMAGES {
            let id = ImageId {
                patient,
                first: Revision::new(first),
            };
            let instance = format!("1.2.826.0.1.3680043.8.498.{sequence}.84739284739");
            let image = radiograph(&instance, &instance);
            let told = news(id, image.clone(), &instance);
            sequence += 3;
            index.apply_event(sequence - 2, &event(patient, first, Some(told)));
            index.apply_sighting(sequence - 1, &held("archive", id, &instance, &image));
            index.apply_sighting(sequence, &held("chart", id, &sequence.to_string(), &image));
        }
    }
    let images = index.images();
    assert_eq!(images as u64, PATIENTS * IMAGES);
    let each = (resident() - before) / images;
    let frozen = index.freeze();
    let stored: usize = frozen.pieces(512 * 1024).map(|piece| piece.len()).sum();
    println!(
        "{images} images in three systems: {each} bytes each at hand, {} in a snapshot",
        stored / images
    );
    assert!((300..1_500).contains(&each), "{each} bytes");
}

/// What a look for images that are due costs, during which nobody else gets at the index: of all at once, and of a piece.
/// `cargo test -p archwire --test registry -- --ignored --exact --nocapture images_cost_little::a_piece_of_all_images_is_looked_at_in_no_time`
#[tokio::test]
#[ignore = "a measurement, for a machine that does nothing else"]
async fn a_piece_of_all_images_is_looked_at_in_no_time() {
    const AT_A_LOOK: usize = 5_000;
    let office = Office::open().await;
    let mut sequence = 1_000;
    for _ in 0..2 * PATIENTS {
        let patient = PatientId::generate();
        let mut index = office.registry.index();
        index.apply_event(sequence, &event(patient, 1, None));
        for name in ["archive", "chart"] {
            sequence += 1;
            index.apply_sighting(sequence, &linked(name, patient));
        }
        for first in 2..2 + IMAGES {
            let id = ImageId {
                patient,
                first: Revision::new(first),
            };
            let instance = format!("1.2.826.0.1.3680043.8.498.{sequence}.84739284739");
            let image = radiograph(&instance, &instance);
            let told = news(id, image.clone(), &instance);
            sequence += 3;
            index.apply_event(sequence - 2, &event(patient, first, Some(told)));
            index.apply_sighting(sequence - 1, &held("archive", id, &instance, &image));
            index.apply_sighting(sequence, &held("chart", id, &sequence.to_string(), &image));
        }
    }
    for name in ["archive", "chart", "camera"] {
        let name = system(name);
        let begun = Instant::now();
        assert!(office.registry.images_due(&name).is_empty());
        let all = begun.elapsed();
        let begun = Instant::now();
        let (due, up_to) = office.registry.images_due_behind(&name, None, AT_A_LOOK);
        let piece = begun.elapsed();
        assert!(due.is_empty() && up_to.is_some());
        println!(
            "{name}: {} images at once {all:?}, {AT_A_LOOK} of them {piece:?}: {:.0} to 1",
            office.registry.index().images(),
            all.as_secs_f64() / piece.as_secs_f64()
        );
    }
}
