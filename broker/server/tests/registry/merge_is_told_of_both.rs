//! Two patients become one: both of them are told of it, with all that they were and are.

use crate::support::*;
use archwire_core::{EventKind, Patient, PatientId, PatientStatus, Revision, Verdict};

/// An office with two patients who have a record at the desk and one elsewhere each, and differ in phone and email.
async fn office() -> (Office, PatientId, PatientId) {
    let office = Office::open().await;
    let one = whom(office.see(says("front-desk", "1", ann())).await);
    office.see(binds("imaging", "9", ann(), one)).await;
    let twice = stranger(4).email("ann@example.org");
    let other = whom(office.see(says("front-desk", "2", twice.clone())).await);
    office.see(binds("archive", "5", twice, other)).await;
    office.asks_nothing();
    (office, one, other)
}

#[tokio::test]
async fn with_before_and_after_and_gapless_revisions() {
    let (mut office, one, other) = office().await;
    let before = [one, other].map(|patient| standing(&office.registry, patient));
    let would_be = in_time(
        office
            .registry
            .merge(one, other, decision(Verdict::Merge), false, true),
    )
    .await
    .unwrap();
    let after = [one, other].map(|patient| standing(&office.registry, patient));
    assert!(before == after, "a dry run changes nothing");
    let merge = office.merge(one, other).await;
    assert!(merge == would_be, "and tells what comes of it");
    office.restart().await;

    let survivor = events(&office.registry, one).await.pop().unwrap();
    let retired = events(&office.registry, other).await.pop().unwrap();
    for event in [&survivor, &retired] {
        assert_eq!(
            (event.kind, event.revision),
            (EventKind::PatientMerged, Revision::new(2))
        );
        assert!(event.merge.as_deref() == Some(&merge) && event.observation.is_none());
        assert!(event.decision.as_ref().unwrap().by == "Dana at the desk".into());
    }
    let [stayed, gone] = &before;
    assert!(merge.survivor.before == *stayed && merge.retired.before == *gone);
    assert!(merge.survivor.after == standing(&office.registry, one));
    assert!(merge.retired.after == standing(&office.registry, other));
    assert!(
        survivor.patient == merge.survivor.after.patient && retired.patient == merge.retired.after.patient
    );
}

#[tokio::test]
async fn the_survivor_has_the_records_of_both_and_what_it_lacked() {
    let (mut office, one, other) = office().await;
    office.merge(one, other).await;
    for _ in 0..2 {
        let records = records_of(&office.registry, one);
        assert_eq!(
            records,
            ["archive/5", "front-desk/1", "front-desk/2*", "imaging/9"]
        );
        let state = office.state(one);
        assert_eq!((family(&state), phones(&state)), ("Smith", vec![PHONE]));
        assert_eq!(emails(&state), ["ann@example.org"]);
        assert_eq!(records_of(&office.registry, other), [""; 0]);
        let gone = office.state(other);
        assert_eq!(
            (gone.status, gone.merged_into),
            (Some(PatientStatus::MergedInto), Some(one))
        );
        assert!(!office.registry.may_deliver(&system("archive"), other));
        office.restart().await;
    }
}

#[tokio::test]
async fn what_is_said_of_either_is_said_of_the_survivor() {
    let (office, one, other) = office().await;
    office.merge(one, other).await;
    let twice = || stranger(4).email("ann@example.org");
    let unchanged = office.see(says("archive", "5", twice())).await;
    assert!(!is_news(unchanged) && whom(unchanged) == one);
    let named = office.see(binds("tracing", "7", ann(), other)).await;
    assert_eq!(whom(named), one, "who knows the old id is understood");
    let edited = Patient {
        marital_status: Some("M".into()),
        ..twice()
    };
    let edited = office.see(says("archive", "5", edited)).await;
    assert!(is_news(edited) && whom(edited) == one);
    events(&office.registry, one).await;
}

#[tokio::test]
async fn records_are_owed_what_the_survivor_is_and_they_are_not() {
    let (mut office, one, other) = office().await;
    office.merge(one, other).await;
    for _ in 0..2 {
        let archive = office.registry.record(&system("archive"), one).unwrap();
        let owed: Vec<_> = archive.owed().iter().map(ToString::to_string).collect();
        assert!(owed.contains(&"names/official/family".to_owned()), "{owed:?}");
        assert!(
            owed.contains(&"telecom/phone-mobile/value".to_owned()),
            "{owed:?}"
        );
        assert!(!owed.contains(&"telecom/email-home/value".to_owned()), "{owed:?}");
        assert!(
            owed.iter().all(|path| !path.starts_with("merged_into")),
            "{owed:?}"
        );
        office.restart().await;
    }
    let due = office
        .registry
        .due(&system("imaging"), one, Revision::new(1), &Default::default())
        .await
        .unwrap()
        .expect("the email is news to it");
    assert!(due.changed.contains(&"telecom/email-home/value".into()));
}

#[tokio::test]
async fn the_standing_of_a_superseded_record_is_not_the_patients() {
    let (office, one, other) = office().await;
    office.merge(one, other).await;
    let archived = Patient {
        status: Some(PatientStatus::Archived),
        ..stranger(4).email("ann@example.org")
    };
    assert!(!is_news(office.see(says("front-desk", "2", archived)).await));
    assert_eq!(office.state(one).status, None);
    let archived = Patient {
        status: Some(PatientStatus::Archived),
        ..ann()
    };
    assert!(is_news(office.see(says("front-desk", "1", archived)).await));
    assert_eq!(office.state(one).status, Some(PatientStatus::Archived));
}
