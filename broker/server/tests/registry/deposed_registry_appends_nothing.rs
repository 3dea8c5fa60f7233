//! A broker that was frozen while another one became the practice's writer may go on believing that it is: nothing of
//! what it appends then doubles anybody.

use crate::support::*;
use archwire_core::Revision;
use std::collections::BTreeSet;

#[tokio::test]
async fn not_a_patient_nor_what_it_saw_of_one() {
    let office = Office::open().await;
    let patient = whom(office.see(says("front-desk", "1", ann())).await);
    let successor = office.successor().await;
    let before = records(&office.registry).await.len();

    for _ in 0..2 {
        let new = office.observe(says("front-desk", "2", bob())).await;
        assert_eq!(refused(new), "append_deposed");
        let linked = office.observe(says("imaging", "9", ann())).await;
        assert_eq!(refused(linked), "append_deposed");
    }
    let desk = system("front-desk");
    let registry = &office.registry;
    let unreadable = registry.unreadable(&desk, Some(id("3")), None, "broken").await;
    assert_eq!(refused(unreadable), "append_deposed");
    let creation = registry
        .begin_creation(&system("archive"), patient, Revision::new(1))
        .await;
    assert_eq!(refused(creation.map(drop)), "append_deposed");
    let writing = registry.begin_writing(&desk, patient, BTreeSet::new()).await;
    assert_eq!(refused(writing), "append_deposed");
    assert_eq!(records(registry).await.len(), before, "nothing was appended");

    let taken = in_time(successor.observe(says("front-desk", "2", bob()), None)).await;
    assert!(is_news(taken.unwrap()));
    assert_eq!(
        successor.patients(),
        2,
        "whoever comes again comes to the successor"
    );
}

#[tokio::test]
async fn and_no_revision_twice() {
    let office = Office::open().await;
    let patient = whom(office.see(says("front-desk", "1", ann())).await);
    let successor = office.successor().await;
    let (mut said, mut taken) = (1, 1);
    for round in 0..5 {
        let edited = |program: &str| ann_alone().mobile(&format!("541 555 01{program}{round}"));
        let own = in_time(successor.observe(says("front-desk", "1", edited("1")), None)).await;
        assert!(is_news(own.unwrap()));
        taken += 1;
        // An edit of a known patient is guarded by the patient's own last event, so that it may still be taken.
        let late = office.observe(says("front-desk", "1", edited("2"))).await;
        taken += u64::from(late.is_ok_and(is_news));
        said += 2;
    }
    assert!(taken <= said);
    let events = events(&successor, patient).await;
    assert_eq!(
        events.len() as u64,
        taken,
        "what was refused is not there, and what was taken is there once"
    );
    let again = office.reopened().await;
    assert_eq!(again.patients(), 1);
    assert_eq!(revision(&again, patient), taken);
}
