//! A record of which the bus has not heard, of a system whose records make no patients by themselves, waits with its images until a
//! person says whose it is, or that it is a new patient's, or until that turns out by itself.

use crate::support::*;
use archwire::registry::{Decided, Observed};
use archwire_core::{Patient, PatientId, ReviewItem, ReviewKind, Verdict};

/// Nobody says who that is, as a machine does that was told a number only.
fn nameless() -> Patient {
    Patient::default()
}

/// Sees a record of which nobody knows whose it is; the item that asks.
async fn asked(office: &Office, record: &str, patient: Patient) -> ReviewItem {
    let observed = office.see(says(STRANGERS, record, patient)).await;
    let Observed::Waits { item } = observed else {
        panic!("it makes no patient: {observed:?}");
    };
    let item = office.item(item).await;
    assert_eq!((item.kind, item.patient), (ReviewKind::UnknownRecord, None));
    item
}

/// An image of it waits, too.
async fn imaged(office: &Office, record: &str) -> u64 {
    let image = radiograph("1.2.7", "pan");
    office.waits(shows(STRANGERS, record, "7", image)).await.0
}

async fn has_its_image(office: &Office, image: u64, patient: PatientId) {
    until_nothing_is_asked(&office.registry).await;
    assert_eq!(office.ended(image).await, Some(Verdict::Settled));
    assert_eq!(images_of(&office.registry, patient).len(), 1);
}

#[tokio::test]
async fn a_person_says_whose_it_is() {
    let office = Office::open().await;
    let ann_is = whom(office.see(says("desk", "1", ann())).await);
    let item = asked(&office, "A", nameless()).await.number;
    let image = imaged(&office, "A").await;
    let refusal = will_not(office.try_to_decide(item, Verdict::Link, None).await);
    assert_eq!(refusal, "review_patient_needed");
    let decided = office.try_to_decide(item, Verdict::Link, Some(ann_is)).await;
    assert_eq!(decided.unwrap(), Decided::Taken { patient: ann_is });
    has_its_image(&office, image, ann_is).await;
    assert_eq!(office.ended(item).await, Some(Verdict::Link));
    assert_eq!(
        office.state(ann_is).names,
        ann().names,
        "what it does not say it takes from nobody"
    );
    // What the record shows next is the patient's, and no question.
    assert_eq!(whom(office.see(says(STRANGERS, "A", ann())).await), ann_is);
    office.asks_nothing();
}

#[tokio::test]
async fn a_person_says_that_it_is_a_new_patient() {
    let office = Office::open().await;
    let item = asked(&office, "A", nameless()).await.number;
    let image = imaged(&office, "A").await;
    let Decided::Separated { patient } = office.decide(item, Verdict::NotSame).await else {
        panic!("it is a patient of its own now");
    };
    has_its_image(&office, image, patient).await;
    assert_eq!(office.ended(item).await, Some(Verdict::NotSame));
    assert_eq!(whom(office.see(says(STRANGERS, "A", nameless())).await), patient);
}

#[tokio::test]
async fn whom_it_may_be_is_shown_and_not_asked_again() {
    let office = Office::open().await;
    let ann_is = whom(office.see(says("desk", "1", ann_alone())).await);
    let item = asked(&office, "A", ann_alone()).await;
    assert_eq!(candidates(&item), [ann_is].into());
    office.decide(item.number, Verdict::NotSame).await;
    office.asks_nothing();
    // One candidate needs no naming.
    let other = asked(&office, "B", ann_alone()).await;
    assert!(candidates(&other).contains(&ann_is));
    let decided = office
        .try_to_decide(other.number, Verdict::Link, Some(ann_is))
        .await;
    assert_eq!(decided.unwrap(), Decided::Taken { patient: ann_is });
}

#[tokio::test]
async fn whoever_is_known_for_sure_is_not_asked_about() {
    let office = Office::open().await;
    let ann_is = whom(office.see(says("desk", "1", ann().ssn("900-12-3456"))).await);
    let observed = office.see(says(STRANGERS, "A", ann().ssn("900-12-3456"))).await;
    assert_eq!(whom(observed), ann_is);
    // Elsewhere a stranger is a patient.
    assert!(is_news(office.see(says("archive", "9", nameless())).await));
}

#[tokio::test]
async fn there_is_one_item_with_what_was_shown_last() {
    let mut office = Office::open().await;
    let first = asked(&office, "A", nameless()).await.number;
    let again = asked(&office, "A", bob()).await;
    assert_eq!(again.number, first);
    assert_eq!(again.held.unwrap().view.patient.names, bob().names);
    office.restart().await;
    assert_eq!(asked(&office, "A", bob()).await.number, first);
    assert_eq!(office.the_item().await.number, first);
}

#[tokio::test]
async fn when_it_turns_out_whose_it_is_nobody_is_asked_any_more() {
    let office = Office::open().await;
    let item = asked(&office, "A", ann_alone()).await.number;
    let image = imaged(&office, "A").await;
    let ann_is = whom(office.see(says("desk", "1", ann().ssn("900-12-3456"))).await);
    // The machine was told the number meanwhile.
    assert_eq!(
        whom(office.see(says(STRANGERS, "A", ann().ssn("900-12-3456"))).await),
        ann_is
    );
    has_its_image(&office, image, ann_is).await;
    assert_eq!(office.ended(item).await, Some(Verdict::Settled));
}

#[tokio::test]
async fn whoever_a_person_denied_it_is_not_also_when_it_would_be_sure_by_now() {
    let office = Office::open().await;
    let ann_is = whom(office.see(says("desk", "1", ann_alone())).await);
    let item = asked(&office, "A", ann()).await;
    assert_eq!(candidates(&item), [ann_is].into());
    // With her phone she would be recognised.
    office.see(says("desk", "1", ann())).await;
    let Decided::Separated { patient } = office.decide(item.number, Verdict::NotSame).await else {
        panic!("it is a patient of its own now");
    };
    assert_ne!(patient, ann_is);
    assert_eq!(records_of(&office.registry, ann_is), ["desk/1"]);
    office.asks_nothing();
    let item = office.item(item.number).await;
    assert!(item.candidates.iter().all(|candidate| candidate.not_same));
    assert_eq!(
        (candidates(&item), item.patient),
        ([ann_is].into(), Some(patient))
    );
}

#[tokio::test]
async fn a_record_that_leaves_a_patient_does_not_come_back_to_it_at_once() {
    let office = Office::open().await;
    let ann_is = whom(office.see(says("desk", "1", ann())).await);
    let held = office.see(says("archive", "A", ann())).await;
    assert_eq!(whom(held), ann_is);
    let Observed::InReview { item, .. } = office.see(says("archive", "A", bob())).await else {
        panic!("it shows somebody else");
    };
    // Meanwhile the patient turns out to be that one, at the desk: a person has to have it corrected there.
    let Observed::InReview { item: desk, .. } = office.see(says("desk", "1", bob())).await else {
        panic!("it shows somebody else, too");
    };
    office.decide(desk, Verdict::Link).await;
    let Decided::Separated { patient } = office.decide(item, Verdict::NotSame).await else {
        panic!("it is a patient of its own now");
    };
    assert_ne!(patient, ann_is);
}

#[tokio::test]
async fn what_is_shown_while_a_person_decides_is_not_lost() {
    let office = Office::open().await;
    for number in 0..8 {
        let record = format!("A{number}");
        let item = asked(&office, &record, stranger(number)).await.number;
        let newer = stranger(number).email("new@example.org");
        let (seen, decided) = tokio::join!(
            office.see(says(STRANGERS, &record, newer)),
            office.try_to_decide(item, Verdict::NotSame, None),
        );
        let Ok(Decided::Separated { patient }) = decided else {
            panic!("it is a patient of its own now: {decided:?}");
        };
        assert!(
            emails(&office.state(patient)).contains(&"new@example.org"),
            "{seen:?} came before or after"
        );
    }
}

#[tokio::test]
async fn what_waited_is_not_put_over_what_was_taken_since() {
    let office = Office::open().await;
    for number in 0..8 {
        let (record, ssn) = (format!("A{number}"), format!("900-12-345{number}"));
        let known = stranger(number).ssn(&ssn);
        let patient = whom(office.see(says("desk", &record, known)).await);
        let item = asked(&office, &record, nameless().email("old@example.org"))
            .await
            .number;
        let newer = stranger(number).ssn(&ssn).email("new@example.org");
        let (seen, decided) = tokio::join!(
            office.see(says(STRANGERS, &record, newer)),
            office.try_to_decide(item, Verdict::Link, Some(patient)),
        );
        assert_eq!(whom(seen), patient);
        assert!(
            emails(&office.state(patient)).contains(&"new@example.org"),
            "whichever came first: {decided:?}"
        );
    }
}

#[tokio::test]
async fn who_decided_is_known_also_after_a_kill_in_the_middle_of_it() {
    let office = Office::open().await;
    let ann_is = whom(office.see(says("desk", "1", ann_alone())).await);
    let item = asked(&office, "A", ann_alone()).await.number;
    let Decided::Separated { patient } = office.decide(item, Verdict::NotSame).await else {
        panic!("it is a patient of its own now");
    };
    // All that was stored up to the new patient, and nothing after.
    let log = records(&office.registry).await;
    let of_the_new =
        |stored: &archwire_nats::Stored| stored.subject == archwire_core::Subject::Patient(patient);
    let upto = log.iter().position(of_the_new).unwrap();
    for is_polled in [true, false] {
        let killed = office_of(&log[..=upto]).await;
        assert_eq!(open_items(&killed.registry), [item]);
        if is_polled {
            assert_eq!(whom(killed.see(says(STRANGERS, "A", ann_alone())).await), patient);
        } else {
            let again = killed.decide(item, Verdict::NotSame).await;
            assert_eq!(again, Decided::Separated { patient });
        }
        let ended = killed.item(item).await;
        let decision = ended.decision.unwrap();
        assert_eq!(
            (decision.verdict, decision.by.as_str()),
            (Verdict::NotSame, "Dana at the desk")
        );
        assert!(killed.registry.index().is_not_same(ann_is, patient));
        killed.asks_nothing();
    }
}

#[tokio::test]
async fn a_patient_gets_no_second_record_where_patients_are_written() {
    let office = Office::open().await;
    let ann_is = whom(office.see(says("desk", "1", ann())).await);
    assert_eq!(whom(office.see(says(CHAIRSIDE, "A", ann())).await), ann_is);
    let Observed::Waits { item } = office.see(says(CHAIRSIDE, "B", nameless())).await else {
        panic!("nobody knows whose it is");
    };
    let refusal = will_not(office.try_to_decide(item, Verdict::Link, Some(ann_is)).await);
    assert_eq!(refusal, "review_second_record");
    assert_eq!(records_of(&office.registry, ann_is), ["chairside/A", "desk/1"]);
    // Where nothing is written a patient may have several.
    assert_eq!(whom(office.see(says(STRANGERS, "A", ann())).await), ann_is);
    let item = asked(&office, "B", nameless()).await.number;
    let decided = office.try_to_decide(item, Verdict::Link, Some(ann_is)).await;
    assert_eq!(decided.unwrap(), Decided::Taken { patient: ann_is });
}

#[tokio::test]
async fn strangers_of_one_system_stop_that_system_alone() {
    let mut office = Office::open().await;
    assert_eq!(archwire::registry::MOST_UNKNOWN, 20_000);
    let first = asked(&office, "A0", nameless()).await.number;
    imaged(&office, "A0").await;
    for number in 2..MOST_UNKNOWN {
        asked(&office, &format!("A{number}"), nameless()).await;
    }
    for _ in 0..2 {
        let one_more = office.observe(says(STRANGERS, "more", nameless())).await;
        assert_eq!(refused(one_more), "unknown_records_full");
        let image = office
            .try_image(shows(STRANGERS, "A2", "8", radiograph("1.2.8", "bitewing")))
            .await;
        assert_eq!(refused(image), "unknown_records_full");
        // What is known, what waits already, and other systems go on.
        assert_eq!(asked(&office, "A0", bob()).await.number, first);
        office.see(says("desk", "1", ann())).await;
        office.see(says(CHAIRSIDE, "1", nameless())).await;
        office.restart().await;
    }
    office.decide(first, Verdict::NotSame).await;
    asked(&office, "more", nameless()).await;
}
