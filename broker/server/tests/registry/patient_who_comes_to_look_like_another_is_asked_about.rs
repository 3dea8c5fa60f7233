//! Two patients of whom an edit shows that they may be one person are asked about, and never merged for it.

use crate::support::*;
use archwire_core::{Patient, PatientId, ReviewKind};
use std::collections::BTreeSet;

/// Ann as somebody typed her in who knew only her name.
fn only_named() -> Patient {
    Patient {
        birth_date: None,
        administrative_sex: None,
        ..ann_alone()
    }
}

async fn office() -> (Office, PatientId, PatientId) {
    let office = Office::open().await;
    let known = whom(office.see(says("front-desk", "1", ann())).await);
    let other = whom(office.see(says("imaging", "9", only_named())).await);
    office.asks_nothing();
    (office, known, other)
}

#[tokio::test]
async fn when_a_birth_date_is_added() {
    let (mut office, known, other) = office().await;
    let observed = office.see(says("imaging", "9", ann_alone())).await;
    assert!(is_news(observed) && whom(observed) == other);
    let item = office.the(ReviewKind::PossibleDuplicate).await;
    assert_eq!(
        (item.patient, candidates(&item)),
        (Some(other), BTreeSet::from([known]))
    );
    office.restart().await;
    assert_eq!(office.the_item().await, item);
    assert_eq!(office.registry.patients(), 2);
}

#[tokio::test]
async fn also_when_by_now_a_rule_would_link_them() {
    let (office, known, other) = office().await;
    office.see(says("imaging", "9", ann())).await;
    let item = office.the(ReviewKind::PossibleDuplicate).await;
    assert_eq!(
        (item.patient, candidates(&item)),
        (Some(other), BTreeSet::from([known]))
    );
    assert_eq!(revision(&office.registry, known), 1, "they are not merged");
}

#[tokio::test]
async fn not_when_the_edit_says_nothing_about_who_it_is() {
    let office = Office::open().await;
    office.see(says("front-desk", "1", ann())).await;
    office.see(says("front-desk", "2", ann())).await;
    let item = office.the_item().await;
    let edited = Patient {
        marital_status: Some("M".into()),
        ..ann()
    };
    assert!(is_news(office.see(says("front-desk", "2", edited)).await));
    assert_eq!(office.the_item().await, item);
}
