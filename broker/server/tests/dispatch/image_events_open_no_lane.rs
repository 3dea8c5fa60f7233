//! An image is no news about its patient: the system is not looked at for it, and what was given up stays given up.

use crate::{
    office::{self, photo, puts, revision, until},
    support::*,
};
use archwire_core::PatientId;
use axum::http::StatusCode;

/// How often the archive was asked about a patient.
fn asked(town: &Town, patient: PatientId) -> usize {
    let id = patient.to_string();
    let service = town.service();
    let requests = service.requests.iter();
    requests.filter(|(_, about, _)| *about == id).count()
}

async fn images(town: &Town, patient: PatientId, count: u64) {
    let before = revision(&town.office.registry, patient);
    for number in 0..count {
        let image = photo(patient, &format!("{before} {number}"));
        town.office.imaged(puts("camera", patient, image)).await;
    }
    assert_eq!(revision(&town.office.registry, patient), before + count);
}

#[tokio::test]
async fn images_cause_no_look_and_no_write() {
    let town = Town::open().await;
    let patient = town.somebody("1").await;
    town.receipted(patient, 1).await;
    town.settles_to(0).await;
    let (before, writes) = (asked(&town, patient), town.writes());
    images(&town, patient, 100).await;
    // Every event is settled, and nobody was asked anything.
    town.settles_to(0).await;
    assert_eq!((asked(&town, patient), town.writes()), (before, writes));
    let status = town.desk.status();
    assert_eq!((status.patients_behind, status.behind_since), (0, None));
    // What is changed afterwards is brought as ever.
    town.edit("1", "2").await;
    town.keeps(patient, "2").await;
    assert_eq!(town.writes(), writes + 1);
}

#[tokio::test]
async fn what_was_parked_or_dropped_stays_so() {
    let town = Town::open().await;
    let (parked, dropped) = (town.somebody("1").await, town.somebody("2").await);
    for (local_id, patient) in [("1", parked), ("2", dropped)] {
        town.receipted(patient, 1).await;
        let trouble = (patient.to_string(), StatusCode::UNPROCESSABLE_ENTITY);
        town.service().troubled.extend([trouble]);
        town.edit(local_id, "1").await;
        town.parks(patient).await;
        town.receipted(patient, 2).await;
    }
    let (system, registry) = (town.desk.system(), &town.office.registry);
    office::give_up(registry, system, dropped, revision(registry, dropped)).await;
    assert!(town.parked.remove(system, dropped).await.unwrap());
    town.settles_to(0).await;
    let before = (asked(&town, parked), asked(&town, dropped));
    images(&town, parked, 3).await;
    images(&town, dropped, 3).await;
    // Somebody else is brought, so that there was time for everything.
    let other = town.somebody("3").await;
    town.receipted(other, 1).await;
    town.settles_to(0).await;
    assert_eq!((asked(&town, parked), asked(&town, dropped)), before);
    assert!(town.parked.is_parked(system, parked));
    assert!(registry.is_dropped(system, dropped));
    until("nobody is behind", || town.desk.status().patients_behind == 0).await;
}
