//! A record that an archive made by itself for images which the bus knows is the record of those images' patient.

use crate::support::*;
use archwire_core::{ImageClaim, ImageId, ImageView, LinkedBy, Patient, PatientId};

const ARCHIVE: &str = "archive";
const CEPH: &str = "1.2.7";

/// Ann with a radiograph, and Bob with another one.
struct Practice {
    office: Office,
    ann: PatientId,
    bob: PatientId,
    ceph: ImageId,
}

async fn practice() -> Practice {
    let office = Office::open().await;
    let ann = whom(office.see(says("desk", "1", ann())).await);
    let bob = whom(office.see(says("desk", "2", bob())).await);
    let ceph = office.imaged(puts("camera", ann, radiograph(CEPH, "ceph"))).await;
    office
        .imaged(puts("camera", bob, radiograph("1.2.8", "pan")))
        .await;
    Practice {
        office,
        ann,
        bob,
        ceph,
    }
}

/// What a page of the archive says of an image of a record.
fn filed(record: &str, instance: &str) -> ImageView {
    let uid = instance.parse().unwrap();
    ImageView {
        local_id: id(instance),
        record: id(record),
        image: ImageClaim {
            instance: Some(uid),
            ..ImageClaim::default()
        },
        digest: None,
        retracted: false,
        observed_at: None,
        actor: None,
    }
}

/// As an archive writes her: what the header of a file has room for, in its own way.
fn ann_in_a_header() -> Patient {
    person("ANN", "SMITH", "1987-06-30")
}

impl Office {
    /// Takes a page as a poll does: first whose the records are.
    async fn page(&self, views: &[(&str, Patient)], images: &[ImageView]) -> Vec<PatientId> {
        self.links(views, images).await;
        let mut patients = Vec::new();
        for (record, shown) in views {
            patients.push(whom(self.see(says(ARCHIVE, record, shown.clone())).await));
        }
        patients
    }

    /// The first half of that.
    async fn links(&self, views: &[(&str, Patient)], images: &[ImageView]) {
        let archive = system(ARCHIVE);
        let views = views.iter().map(|(record, shown)| view(record, shown.clone()));
        let views: Vec<_> = views.collect();
        let linking = self.registry.link_by_images(&archive, &views, images);
        in_time(linking).await.unwrap();
    }

    fn owner(&self, record: &str) -> Option<PatientId> {
        self.registry.index().linked(&system(ARCHIVE), &id(record))
    }

    fn patients(&self) -> usize {
        self.registry.index().patients()
    }
}

#[tokio::test]
async fn it_makes_no_second_patient_and_asks_nothing() {
    let Practice {
        office, ann, ceph, ..
    } = practice().await;
    let before = revision(&office.registry, ann);
    let shown = ann_in_a_header();
    let known = office
        .page(&[("issuer|100", shown)], &[filed("issuer|100", CEPH)])
        .await;
    assert_eq!(known, [ann]);
    assert_eq!(office.patients(), 2);
    office.asks_nothing();
    assert_eq!(
        revision(&office.registry, ann),
        before,
        "it is no news how the archive writes her"
    );
    let link = office.registry.index().entry(ann).cloned().unwrap();
    let link = link.record(&system(ARCHIVE)).unwrap().link();
    assert_eq!(
        (link.local_id, link.linked_by),
        (id("issuer|100"), LinkedBy::Delivered)
    );
    // Its images come in as those that the bus has.
    let shown = shows(ARCHIVE, "issuer|100", CEPH, radiograph(CEPH, "ceph"));
    assert_eq!(office.known(shown).await, ceph);
    let anew = office.reopened().await;
    assert_eq!(
        anew.index().linked(&system(ARCHIVE), &id("issuer|100")),
        Some(ann),
        "a start knows it"
    );
}

/// Somebody of whom only the name is known.
fn named_alone(given: &str, family: &str) -> Patient {
    Patient {
        names: person(given, family, "1970-01-01").names,
        ..Patient::default()
    }
}

#[tokio::test]
async fn a_record_that_names_nobody_is_not_linked() {
    let Practice { office, .. } = practice().await;
    let half = [
        Patient::default(),
        named_alone("ANN", "SMITH"),
        Patient {
            names: Vec::new(),
            ..ann_in_a_header()
        },
    ];
    for shown in half {
        // The number that a machine gives to everybody for whom it was told none.
        office.links(&[("0", shown)], &[filed("0", CEPH)]).await;
        assert_eq!(office.owner("0"), None);
    }
}

#[tokio::test]
async fn unless_its_number_is_one_that_the_bus_gave() {
    let Practice { office, ann, bob, .. } = practice().await;
    let (hers, his) = (format!("ARCHWIRE|{ann}"), format!("ARCHWIRE|{bob}"));
    let images = [filed(&hers, CEPH), filed(&his, CEPH)];
    let nobody = Patient::default();
    let views = [(hers.as_str(), nobody.clone()), (his.as_str(), nobody)];
    office.links(&views, &images).await;
    assert_eq!((office.owner(&hers), office.owner(&his)), (Some(ann), None));
}

#[tokio::test]
async fn also_when_the_image_is_somebody_elses_by_now() {
    let Practice {
        office, ann, ceph, ..
    } = practice().await;
    let hers = format!("ARCHWIRE|{ann}");
    let camera = system("camera");
    let retracted = office.registry.retract_image(&camera, ceph, None, None);
    in_time(retracted).await.unwrap();
    let known = office
        .page(&[(&hers, ann_in_a_header())], &[filed(&hers, CEPH)])
        .await;
    assert_eq!(known, [ann]);
    // Unless it names somebody else.
    let zoe = person("Zoe", "Quimby", "1970-01-01");
    let other = format!("OTHER|{ann}");
    office.links(&[(&other, zoe)], &[]).await;
    assert_eq!(office.owner(&other), None);
}

#[tokio::test]
async fn a_record_that_names_somebody_else_is_not_linked() {
    let Practice { office, ann, bob, .. } = practice().await;
    let zoe = person("Zoe", "Quimby", "1970-01-01");
    let known = office.page(&[("100", zoe)], &[filed("100", CEPH)]).await;
    assert!(![ann, bob].contains(&known[0]), "she is a patient of her own");
    assert_eq!(office.owner("100"), Some(known[0]));
}

#[tokio::test]
async fn images_of_two_patients_tell_nothing() {
    let Practice { office, .. } = practice().await;
    let images = [filed("100", CEPH), filed("100", "1.2.8")];
    office.links(&[("100", ann_in_a_header())], &images).await;
    assert_eq!(office.owner("100"), None);
}

#[tokio::test]
async fn nor_do_images_of_another_record_or_such_as_the_bus_does_not_know_or_retracted() {
    let Practice { office, ceph, .. } = practice().await;
    office
        .registry
        .retract_image(&system("camera"), ceph, None, None)
        .await
        .unwrap();
    let images = [filed("100", CEPH), filed("100", "1.2.99"), filed("101", "1.2.8")];
    office.links(&[("100", ann_in_a_header())], &images).await;
    assert_eq!(office.owner("100"), None);
}

#[tokio::test]
async fn a_second_record_of_the_patient_is_one_of_several() {
    let Practice { office, ann, .. } = practice().await;
    office
        .imaged(puts("camera", ann, radiograph("1.2.9", "profile")))
        .await;
    let before = revision(&office.registry, ann);
    let views = [("100", ann_in_a_header()), ("200", ann_alone())];
    let images = [filed("100", CEPH), filed("200", "1.2.9")];
    for _ in 0..3 {
        assert_eq!(office.page(&views, &images).await, [ann, ann]);
    }
    assert_eq!((office.patients(), revision(&office.registry, ann)), (2, before));
    office.asks_nothing();
    let records = |office: &Office| -> Vec<_> {
        let entry = office.registry.index().entry(ann).cloned().unwrap();
        let of_archive = entry
            .records
            .iter()
            .filter(|record| record.system == system(ARCHIVE));
        of_archive
            .map(|record| (record.local_id.clone(), record.superseded))
            .collect()
    };
    assert_eq!(records(&office), [(id("100"), false), (id("200"), true)]);
    // Images of both are hers.
    office
        .imaged(shows(ARCHIVE, "100", "1.2.20", radiograph("1.2.20", "left")))
        .await;
    office
        .imaged(shows(ARCHIVE, "200", "1.2.21", radiograph("1.2.21", "right")))
        .await;
    assert_eq!(images_of(&office.registry, ann).len(), 4);
    // What is changed in either is news, and not taken back by what the other one still shows.
    let moved = ann_alone().mobile("503 555 0999");
    office.page(&[("200", moved.clone())], &[]).await;
    let after = office.state(ann);
    assert!(
        phones(&after).contains(&"503 555 0999"),
        "{:?}",
        phones(&after).len()
    );
    let now = revision(&office.registry, ann);
    for _ in 0..2 {
        office
            .page(&[("100", ann_in_a_header()), ("200", moved.clone())], &[])
            .await;
    }
    assert_eq!(revision(&office.registry, ann), now);
    assert!(office.state(ann) == after);
    office.asks_nothing();
    // Somebody else in it is asked about, as in any record.
    office.page(&[("200", bob())], &[]).await;
    assert_eq!(open_items(&office.registry).len(), 1);
    assert!(office.state(ann) == after);
}

#[tokio::test]
async fn a_record_that_is_somebodys_already_is_left_alone() {
    let Practice { office, bob, .. } = practice().await;
    office.see(binds(ARCHIVE, "100", bob_in_a_header(), bob)).await;
    let views = [("100", ann_in_a_header())];
    office.links(&views, &[filed("100", CEPH)]).await;
    assert_eq!(office.owner("100"), Some(bob));
    office.asks_nothing();
}

fn bob_in_a_header() -> Patient {
    person("BOB", "JONES", "1951-02-11").male()
}

#[tokio::test]
async fn of_images_of_somebody_merged_it_is_the_survivors() {
    let Practice { office, ann, .. } = practice().await;
    let again = whom(
        office
            .see(says("chart", "9", named_alone("Annie", "Smithe")))
            .await,
    );
    office
        .imaged(puts("camera", again, radiograph("1.2.9", "profile")))
        .await;
    office.merge(ann, again).await;
    // Of both of them, who are one now.
    let images = [filed("100", CEPH), filed("100", "1.2.9")];
    let known = office.page(&[("100", ann_in_a_header())], &images).await;
    assert_eq!(known, [ann]);
}
