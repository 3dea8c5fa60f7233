//! One patient's trouble is not another's, and the system's is nobody's.

use crate::{office::until, support::*};
use archwire::dispatch::BreakerState;
use axum::http::StatusCode;
use futures_util::{StreamExt as _, stream};

#[tokio::test]
async fn a_patient_whose_writes_always_fail_keeps_nobody_waiting() {
    let town = Town::open().await;
    let troubled = town.somebody("0").await;
    town.receipted(troubled, 1).await;
    let id = troubled.to_string();
    town.service()
        .troubled
        .insert(id, StatusCode::INTERNAL_SERVER_ERROR);
    town.edit("0", "1").await;
    let others = stream::iter(1..=50).map(|number| {
        let town = &town;
        async move { town.somebody(&number.to_string()).await }
    });
    let others: Vec<_> = others.buffer_unordered(16).collect().await;
    for change in 1..=5 {
        town.edit("0", &format!("0{change}")).await;
    }
    for other in others {
        town.receipted(other, 1).await;
    }
    town.settles_to(1).await;
    assert_eq!(town.desk.breaker().state(), BreakerState::Closed);
    let status = town.desk.status();
    assert_eq!((status.backing_off, status.patients_behind), (1, 1));
}

#[tokio::test]
async fn a_person_who_asks_does_not_wait_for_the_pause_to_end() {
    let town = Town::open().await;
    let patient = town.somebody("1").await;
    town.receipted(patient, 1).await;
    let id = patient.to_string();
    // The connector asks for 30 s.
    town.service()
        .troubled
        .insert(id, StatusCode::INTERNAL_SERVER_ERROR);
    town.edit("1", "1").await;
    until("it waits to be tried again", || {
        town.desk.status().backing_off == 1
    })
    .await;
    town.service().troubled.clear();
    town.desk.look_at(patient, archwire_core::Priority::Interactive);
    town.keeps(patient, "1").await;
    town.settles_to(0).await;
}

#[tokio::test]
async fn credentials_that_are_refused_for_a_while_park_nobody() {
    let town = Town::open().await;
    town.service().trouble = Some(StatusCode::UNAUTHORIZED);
    let mut patients = Vec::new();
    for number in 0..20 {
        patients.push(town.somebody(&number.to_string()).await);
    }
    let refused = || {
        let service = town.service();
        service
            .requests
            .iter()
            .filter(|(_, _, status)| *status == 401)
            .count()
    };
    until("the archive refuses some", || refused() >= 3).await;
    let state = town.desk.breaker().state();
    assert_eq!(state.outage().unwrap().reason, "credentials-refused");
    town.service().trouble = None;
    for patient in patients {
        town.receipted(patient, 1).await;
        assert!(!town.parked.is_parked(town.desk.system(), patient));
    }
    assert_eq!(town.desk.breaker().state(), BreakerState::Closed);
    // One at a time found out, not twenty.
    assert!(refused() < 20, "{} requests were refused", refused());
}

#[tokio::test]
async fn what_a_system_said_itself_waits_for_no_turn_while_it_is_left_alone() {
    let town = Town::open().await;
    let patient = town.somebody("1").await;
    town.receipted(patient, 1).await;
    town.service().trouble = Some(StatusCode::UNAUTHORIZED);
    town.edit("1", "1").await;
    until("it is left alone", || {
        town.desk.breaker().state() != BreakerState::Closed
    })
    .await;
    // Nobody has to be called for what the archive itself made known.
    let before = town.unsettled().await;
    for number in 0..20 {
        let record = crate::office::says(
            ARCHIVE,
            &format!("own-{number}"),
            person(&format!("own{number}"), "0"),
        );
        town.office.see(record).await;
    }
    town.settles_to(before).await;
    assert_eq!((before, town.desk.status().patients_behind), (1, 1));
}
