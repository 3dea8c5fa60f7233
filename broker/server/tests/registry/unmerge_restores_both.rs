//! Two patients who were made one are parted: each is what he or she was, with what was said of each one's own records
//! since.

use crate::support::*;
use archwire_core::{EventKind, Fields, Patient, PatientId, Revision, Standing, Verdict};

/// An office with two patients who have a record at the desk and one elsewhere each.
async fn office() -> (Office, PatientId, PatientId) {
    let office = Office::open().await;
    let one = whom(office.see(says("front-desk", "1", ann())).await);
    office.see(binds("imaging", "9", ann(), one)).await;
    let other = whom(office.see(says("front-desk", "2", twice())).await);
    office.see(binds("archive", "5", twice(), other)).await;
    office.asks_nothing();
    (office, one, other)
}

fn twice() -> Patient {
    stranger(4).email("ann@example.org").chart("100")
}

/// Whether two patients are the same in whatever order their elements are.
fn is_same(one: &Patient, other: &Patient) -> bool {
    Fields::of(one).unwrap() == Fields::of(other).unwrap()
}

/// Everything but the revision.
fn is_as(now: &Standing, before: &Standing) -> bool {
    now.patient == before.patient && now.records == before.records
}

fn both(office: &Office, one: PatientId, other: PatientId) -> [Standing; 2] {
    [one, other].map(|patient| standing(&office.registry, patient))
}

fn are_as(now: &[Standing; 2], before: &[Standing; 2]) -> bool {
    now.iter().zip(before).all(|(now, before)| is_as(now, before))
}

#[tokio::test]
async fn exactly_and_says_so_on_both() {
    let (mut office, one, other) = office().await;
    let before = both(&office, one, other);
    office.merge(one, other).await;
    let merged = both(&office, one, other);
    let unmerge = office.unmerge(other).await;
    for _ in 0..2 {
        let now = both(&office, one, other);
        assert!(are_as(&now, &before), "both are as they were");
        for (patient, side) in [(one, &unmerge.survivor), (other, &unmerge.retired)] {
            let event = events(&office.registry, patient).await.pop().unwrap();
            assert_eq!(
                (event.kind, event.revision),
                (EventKind::PatientUnmerged, Revision::new(3))
            );
            assert!(
                event.merge.as_deref() == Some(&unmerge) && side.after == standing(&office.registry, patient)
            );
        }
        assert!(unmerge.survivor.before == merged[0] && unmerge.retired.before == merged[1]);
        office.restart().await;
    }
    for (record, patient) in [("1", one), ("2", other)] {
        let shown = if patient == one { ann() } else { twice() };
        let seen = office.see(says("front-desk", record, shown)).await;
        assert!(!is_news(seen) && whom(seen) == patient);
    }
}

#[tokio::test]
async fn a_dry_run_parts_nobody_and_tells_the_same() {
    let (office, one, other) = office().await;
    office.merge(one, other).await;
    let before = both(&office, one, other);
    let decision = decision(Verdict::Unmerge);
    let would_be = in_time(office.registry.unmerge(other, decision, true))
        .await
        .unwrap();
    assert!(both(&office, one, other) == before);
    assert!(office.unmerge(other).await == would_be);
}

#[tokio::test]
async fn after_a_restart_in_between() {
    let (mut office, one, other) = office().await;
    let before = both(&office, one, other);
    office.merge(one, other).await;
    office.restart().await;
    office.unmerge(other).await;
    assert!(are_as(&both(&office, one, other), &before));
}

#[tokio::test]
async fn with_the_edits_of_each_ones_own_records() {
    let (mut office, one, other) = office().await;
    let before = both(&office, one, other);
    office.merge(one, other).await;
    let own = ann().email("a.smith@example.org");
    assert!(is_news(office.see(says("imaging", "9", own)).await));
    let others = stranger(4).email("ann@example.org").chart("100").male();
    assert!(is_news(office.see(says("archive", "5", others.clone())).await));
    office.restart().await;
    office.unmerge(other).await;
    let [now, then] = both(&office, one, other);
    assert!(is_same(&now.patient, &ann().email("a.smith@example.org")) && now.records == before[0].records);
    assert!(is_same(&then.patient, &others) && then.records == before[1].records);
}

#[tokio::test]
async fn with_what_a_person_decided_in_between_at_the_survivor() {
    let (office, one, other) = office().await;
    office.merge(one, other).await;
    let shown = ann_alone().mobile("541 555 0188").email("ann@example.org");
    office.see(binds("tracing", "7", shown, one)).await;
    let number = office.the_item().await.number;
    office.decide(number, Verdict::Accept).await;
    office.unmerge(other).await;
    let [now, then] = both(&office, one, other);
    assert_eq!(phones(&now.patient), ["541 555 0188"]);
    assert!(is_same(&then.patient, &twice()));
    assert_eq!(
        records_of(&office.registry, one),
        ["front-desk/1", "imaging/9", "tracing/7"],
        "a record that came since stays"
    );
}

#[tokio::test]
async fn in_whatever_order_when_there_was_a_third() {
    for third_first in [false, true] {
        let (mut office, one, other) = office().await;
        let third = whom(
            office
                .see(says("front-desk", "3", stranger(8).ssn("900-12-3456")))
                .await,
        );
        let before = both(&office, one, other);
        let before_third = standing(&office.registry, third);
        office.merge(one, other).await;
        office.merge(one, third).await;
        assert_eq!(
            records_of(&office.registry, one),
            [
                "archive/5",
                "front-desk/1",
                "front-desk/2*",
                "front-desk/3*",
                "imaging/9"
            ]
        );
        let order = if third_first {
            [third, other]
        } else {
            [other, third]
        };
        for patient in order {
            office.unmerge(patient).await;
            office.restart().await;
        }
        assert!(
            are_as(&both(&office, one, other), &before),
            "third first: {third_first}"
        );
        assert!(is_as(&standing(&office.registry, third), &before_third));
        for patient in [one, other, third] {
            events(&office.registry, patient).await;
        }
    }
}

#[tokio::test]
async fn of_two_merged_on_the_last_ones_first() {
    let (office, one, other) = office().await;
    let third = whom(office.see(says("tracing", "3", stranger(8))).await);
    let before = both(&office, one, other);
    office.merge(one, other).await;
    office.merge(third, one).await;
    assert_eq!(
        will_not(office.try_to_unmerge(other).await),
        "unmerge_survivor_merged_on"
    );
    office.unmerge(one).await;
    office.unmerge(other).await;
    assert!(are_as(&both(&office, one, other), &before));
    assert_eq!(records_of(&office.registry, third), ["tracing/3"]);
}

#[tokio::test]
async fn and_again_after_they_were_merged_again() {
    let (office, one, other) = office().await;
    office.merge(one, other).await;
    office.unmerge(other).await;
    office.see(says("archive", "5", twice().male())).await;
    let before = both(&office, one, other);
    let merge = office
        .registry
        .merge(one, other, decision(Verdict::Merge), true, false);
    in_time(merge).await.unwrap();
    office.unmerge(other).await;
    assert!(are_as(&both(&office, one, other), &before));
}

#[tokio::test]
async fn and_brings_the_records_back_to_their_own_state() {
    let (mut office, one, other) = office().await;
    office.merge(one, other).await;
    office.unmerge(other).await;
    for _ in 0..2 {
        let archive = office.registry.record(&system("archive"), other).unwrap();
        let owed: Vec<_> = archive.owed().iter().map(ToString::to_string).collect();
        assert!(owed.contains(&"names/official/family".to_owned()), "{owed:?}");
        let due = office
            .registry
            .due(&system("imaging"), one, Revision::new(2), &Default::default())
            .await
            .unwrap()
            .expect("the email is gone again");
        assert!(due.changed.contains(&"telecom/email-home/value".into()));
        office.restart().await;
    }
}

#[tokio::test]
async fn also_when_they_lived_in_a_third_for_a_time() {
    let (mut office, one, other) = office().await;
    let third = whom(office.see(says("tracing", "3", stranger(8))).await);
    let before = both(&office, one, other);
    office.merge(one, other).await;
    office.merge(third, one).await;
    let own = ann().email("a.smith@example.org");
    assert_eq!(whom(office.see(says("imaging", "9", own.clone())).await), third);
    let others = twice().male();
    assert_eq!(
        whom(office.see(says("archive", "5", others.clone())).await),
        third
    );
    office.unmerge(one).await;
    office.restart().await;
    office.unmerge(other).await;
    let [now, then] = both(&office, one, other);
    assert!(is_same(&now.patient, &own) && now.records == before[0].records);
    assert!(is_same(&then.patient, &others) && then.records == before[1].records);
    assert!(is_same(&office.state(third), &stranger(8)));
}
