//! What is parked is there after a start, whichever version parked it, and is counted on over all attempts.

use crate::{
    office::{Office, system},
    support::parked_bucket,
};
use archwire::parked::{ParkedFilter, ParkedKey, ParkedStore, UNREADABLE, Undeliverable, Why};
use archwire_core::{PatientId, SystemName};
use std::time::{Duration, UNIX_EPOCH};

async fn park(store: &ParkedStore, system: &SystemName, patient: PatientId, sequence: u64, code: &str) {
    let undeliverable = Undeliverable {
        system,
        cargo: patient.into(),
        sequence,
        attempts: 12,
        why: &Why::of_code(code),
        connector_version: "0.1.0",
    };
    store.park(undeliverable).await.unwrap();
}

#[tokio::test]
async fn a_start_knows_what_was_parked_and_what_was_to_be_tried_again() {
    let office = Office::open().await;
    let bucket = parked_bucket(&office).await;
    let (imaging, archive) = (system("imaging"), system("archive"));
    let [one, other] = [PatientId::generate(), PatientId::generate()];
    let store = ParkedStore::open(bucket.clone()).await.unwrap();
    park(&store, &imaging, one, 7, "record_gone").await;
    park(&store, &imaging, other, 9, "record_gone").await;
    park(&store, &archive, one, 0, "refused").await;
    assert!(store.mark_redriven(&imaging, other).await.unwrap());
    assert!(!store.mark_redriven(&archive, other).await.unwrap());
    let all = store.lines_of(&ParkedFilter::default());
    let store = ParkedStore::open(bucket).await.unwrap();
    assert_eq!(store.lines_of(&ParkedFilter::default()), all);
    assert_eq!(store.redriven(&imaging), [other]);
    assert!(store.redriven(&archive).is_empty());
    assert_eq!((store.count(&imaging), store.count(&archive)), (2, 1));
    assert!(store.remove(&imaging, one).await.unwrap());
    assert!(!store.remove(&imaging, one).await.unwrap());
    assert!(!store.is_parked(&imaging, one) && store.is_parked(&archive, one));
    assert!(store.get(&imaging, one).await.unwrap().is_none());
}

#[tokio::test]
async fn what_is_given_up_once_more_has_waited_since_the_first_time() {
    let office = Office::open().await;
    let store = ParkedStore::open(parked_bucket(&office).await).await.unwrap();
    let (imaging, patient) = (system("imaging"), PatientId::generate());
    park(&store, &imaging, patient, 7, "record_gone").await;
    let first = store.lines_of(&ParkedFilter::default());
    store.mark_redriven(&imaging, patient).await.unwrap();
    park(&store, &imaging, patient, 3, "refused").await;
    let lines = store.lines_of(&ParkedFilter::default());
    assert_eq!(lines.len(), 1);
    assert_eq!((lines[0].attempts, lines[0].sequence), (24, 7));
    assert_eq!(lines[0].reason, "refused");
    assert_eq!(lines[0].parked_at, first[0].parked_at);
    assert!(!lines[0].redriven && store.redriven(&imaging).is_empty());
}

#[tokio::test]
async fn entries_that_nobody_understands_are_listed_and_stop_nothing() {
    let office = Office::open().await;
    let bucket = parked_bucket(&office).await;
    let [one, other] = [PatientId::generate(), PatientId::generate()];
    // As the first version wrote it.
    let earlier = format!(
        r#"{{"system":"imaging","patient_id":"{one}","sequences":[0,5,12],"reason":"record_gone","status":404,
        "detail":"gone","attempts":12,"connector_version":"0.1.0","parked_at_unix":1772373802}}"#
    );
    for (key, value) in [
        (format!("imaging.{one}"), earlier),
        (format!("imaging.{other}"), "{\"of\":\"tomorrow\"}".to_owned()),
        ("of-another-kind".to_owned(), "?".to_owned()),
    ] {
        bucket.put(&key, value.into()).await.unwrap();
    }
    let store = ParkedStore::open(bucket.clone()).await.unwrap();
    let imaging = system("imaging");
    let earlier = store.get(&imaging, one).await.unwrap().unwrap();
    assert_eq!(earlier.line.sequence, 12);
    assert_eq!(
        earlier.line.parked_at,
        UNIX_EPOCH + Duration::from_secs(1_772_373_802)
    );
    assert_eq!(earlier.detail.as_deref(), Some("gone"));
    let unreadable = ParkedFilter {
        reason: Some(UNREADABLE.to_owned()),
        ..ParkedFilter::default()
    };
    assert_eq!(store.lines_of(&unreadable).len(), 1);
    assert_eq!(store.lines_of(&ParkedFilter::default()).len(), 2);
    // Tried again, it is still there for who understands it.
    assert!(store.mark_redriven(&imaging, other).await.unwrap());
    assert_eq!(store.redriven(&imaging), [other]);
    let kept = bucket.get(&format!("imaging.{other}")).await.unwrap().unwrap();
    assert_eq!(kept, "{\"of\":\"tomorrow\"}");
    assert!(store.remove(&imaging, other).await.unwrap());
}

#[tokio::test]
async fn what_nobody_can_try_again_waits_for_a_person_again() {
    let office = Office::open().await;
    let bucket = parked_bucket(&office).await;
    let store = ParkedStore::open(bucket.clone()).await.unwrap();
    let (imaging, patient) = (system("imaging"), PatientId::generate());
    store.unmark_redriven(&imaging, patient).await.unwrap();
    park(&store, &imaging, patient, 7, "record_gone").await;
    store.mark_redriven(&imaging, patient).await.unwrap();
    let nowhere = store.waiting(|_| true);
    assert!(nowhere.is_empty(), "{nowhere:?}");
    // Nobody tries what is parked for a system to which nothing is written any more.
    assert_eq!(store.waiting(|_| false).get(&imaging), Some(&1));
    store.unmark_redriven(&imaging, patient).await.unwrap();
    assert_eq!(store.waiting(|_| true).get(&imaging), Some(&1));
    let store = ParkedStore::open(bucket).await.unwrap();
    assert!(store.redriven(&imaging).is_empty());
}

#[tokio::test]
async fn a_full_bucket_parks_nothing_and_says_so() {
    let office = Office::open().await;
    let store = ParkedStore::open(parked_bucket(&office).await).await.unwrap();
    let (imaging, patient) = (system("imaging"), PatientId::generate());
    let why = Why {
        detail: Some("x".repeat(800 * 1024)),
        ..Why::of_code("refused")
    };
    let undeliverable = Undeliverable {
        system: &imaging,
        cargo: patient.into(),
        sequence: 7,
        attempts: 1,
        why: &why,
        connector_version: "0.1.0",
    };
    let refused = store.park(undeliverable).await.unwrap_err();
    assert_eq!(refused.code(), "parked_full");
    assert!(!store.is_parked(&imaging, patient));
}

#[tokio::test]
async fn a_page_goes_on_where_the_one_before_ended() {
    let office = Office::open().await;
    let store = ParkedStore::open(parked_bucket(&office).await).await.unwrap();
    for name in ["imaging", "archive", "front-desk"] {
        for number in 0..3 {
            park(&store, &system(name), PatientId::generate(), number, "refused").await;
        }
    }
    let everything = ParkedFilter::default();
    let mut after: Option<ParkedKey> = None;
    let mut found = Vec::new();
    loop {
        let page = store.page(&everything, after.as_ref(), 4);
        assert_eq!(page.count, 9);
        after = page.lines.last().map(|line| line.key.clone());
        found.extend(page.lines);
        if !page.more {
            break;
        }
    }
    assert_eq!(found, store.lines_of(&everything));
    let of_one = ParkedFilter {
        system: Some(system("front-desk")),
        ..ParkedFilter::default()
    };
    let page = store.page(&of_one, None, 3);
    assert!(page.lines.len() == 3 && page.count == 3 && !page.more);
    let old = ParkedFilter {
        older_than: Some(Duration::from_secs(3600)),
        ..ParkedFilter::default()
    };
    assert_eq!(store.page(&old, None, 3).count, 0);
}
