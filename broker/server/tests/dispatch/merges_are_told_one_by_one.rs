//! Changes that wait are put together, merges are not: each is a delivery of its own.

use crate::{office::says, support::*};
use archwire_core::{EventKind, Patient};
use std::collections::BTreeSet;

/// Somebody who has what nobody else has.
fn with_language(local_id: &str, language: &str) -> Patient {
    Patient {
        preferred_language: Some(language.into()),
        ..person(local_id, "0")
    }
}

#[tokio::test]
async fn what_is_due_ends_at_a_merge() {
    let town = Town::closed().await;
    let survivor = town.somebody("1").await;
    let other = crate::office::whom(
        town.office
            .see(says("imaging", "9", with_language("9", "fr")))
            .await,
    );
    let desk = &town.office.registry;
    town.edit("1", "1").await;
    town.office.merge(survivor, other).await;
    town.edit("1", "2").await;
    town.edit("1", "3").await;
    let archive = crate::office::system(ARCHIVE);
    let mut fence = archwire_core::Revision::NONE;
    let mut told = Vec::new();
    while let Some(due) = desk
        .due(&archive, survivor, fence, &BTreeSet::new())
        .await
        .unwrap()
    {
        fence = due.revision;
        told.push((due.revision.get(), due.kind));
    }
    assert_eq!(
        told,
        [(3, EventKind::PatientMerged), (5, EventKind::PatientUpdated)]
    );
}
