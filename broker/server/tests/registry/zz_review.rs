//! Throw-away.

use crate::support::*;
use archwire::registry::Observed;
use archwire_core::{FieldGroup, Observation, OnDisagreement, Owner, Ownership, Patient, Subject, Verdict};
use std::time::Duration;

fn owned() -> Ownership {
    let mut ownership = Ownership::default();
    for group in [FieldGroup::Name, FieldGroup::Contact] {
        ownership.assign(group, Owner { system: system("front-desk"), on_disagreement: OnDisagreement::Restore });
    }
    ownership
}

fn merged(local: &str, patient: Patient, into: &str) -> Observation {
    let mut observation = says("front-desk", local, patient);
    observation.view.merged_into = Some(id(into));
    observation
}

fn blank() -> Patient {
    let mut patient = person("Unknown", "Unknown", "1987-06-30");
    patient.birth_date = None;
    patient.administrative_sex = None;
    patient
}

#[tokio::test]
async fn zz01_recycled_through_a_blank() {
    let office = Office::open().await;
    let ann_id = whom(office.see(says("front-desk", "1", ann())).await);
    office.see(binds("imaging", "9", ann(), ann_id)).await;
    println!("ZZ01 blank: {:?}", office.see(says("front-desk", "1", blank())).await);
    println!("ZZ01 empty: {:?}", office.see(says("front-desk", "1", Patient::default())).await);
    println!("ZZ01 bob: {:?}", office.see(says("front-desk", "1", bob())).await);
    println!("ZZ01 open items {:?}; records {:?}; is bob {}", open_items(&office.registry), records_of(&office.registry, ann_id), office.state(ann_id).birth_date == bob().birth_date);
}

#[tokio::test]
async fn zz02_item_opened_while_merged() {
    let office = Office::owned(owned()).await;
    let one = whom(office.see(says("front-desk", "1", ann())).await);
    let other = whom(office.see(says("front-desk", "2", stranger(4))).await);
    office.see(binds("imaging", "5", stranger(4), other)).await;
    office.merge(one, other).await;
    println!("ZZ02 items after merge {:?}", open_items(&office.registry));
    let mut edited = stranger(4);
    edited.telecom.clear();
    let edited = edited.mobile("541 555 0999");
    println!("ZZ02 {:?}", office.see(says("imaging", "5", edited)).await);
    let items = open_items(&office.registry);
    println!("ZZ02 items {:?}", items);
    office.unmerge(other).await;
    for number in items {
        println!("ZZ02 decide {:?}", office.try_to_decide(number, Verdict::Accept, None).await);
    }
    println!("ZZ02 one's phones {:?}, other's phones {:?}", phones(&office.state(one)), phones(&office.state(other)));
}

#[tokio::test]
async fn zz02b_conflict_opened_while_merged() {
    let office = Office::open().await;
    let one = whom(office.see(says("front-desk", "1", ann())).await);
    let other = whom(office.see(says("front-desk", "2", stranger(4))).await);
    office.see(binds("imaging", "5", stranger(4), other)).await;
    office.merge(one, other).await;
    println!("ZZ02b {:?}", office.see(says("imaging", "5", bob())).await);
    let items = open_items(&office.registry);
    office.unmerge(other).await;
    println!("ZZ02b decide {:?}", office.try_to_decide(items[0], Verdict::Link, None).await);
    println!("ZZ02b one {:?} other {:?} linked to one: {}", records_of(&office.registry, one), records_of(&office.registry, other), office.registry.index().linked(&system("imaging"), &id("5")) == Some(one));
    let before = digest(&office.registry);
    let again = office.reopened().await;
    println!("ZZ02b digest same after replay {} linked to one: {}", before == digest(&again), again.index().linked(&system("imaging"), &id("5")) == Some(one));
}

#[tokio::test]
async fn zz03_link_after_a_failed_not_same() {
    let office = Office::open().await;
    let one = whom(office.see(says("front-desk", "1", ann())).await);
    let waits = whom(office.see(says("imaging", "8", stranger(7))).await);
    office.see(says("front-desk", "1", bob())).await;
    let item = office.the_item().await.number;
    let (permit, _) = office.registry.begin_creation(&system("front-desk"), waits, archwire_core::Revision::new(1)).await.unwrap();
    drop(permit);
    let decided = office.registry.decide_item(item, decision(Verdict::NotSame), None).await;
    println!("ZZ03 not-same {decided:?}");
    office.registry.abandon(&system("front-desk"), waits).await.unwrap();
    let x = office.see(says("front-desk", "1", bob())).await;
    println!("ZZ03 poll {x:?} items {:?}", open_items(&office.registry));
    println!("ZZ03 link {:?}", office.try_to_decide(item, Verdict::Link, None).await);
    println!("ZZ03 one {:?} x {:?}", records_of(&office.registry, one), records_of(&office.registry, whom(x)));
}

#[tokio::test]
async fn zz04_kill_between_event_and_sighting() {
    let office = Office::owned(owned()).await;
    let one = whom(office.see(says("front-desk", "1", ann())).await);
    office.see(binds("imaging", "9", ann(), one)).await;
    let mut edited = person("Anna Maria", "Smythe", "1988-06-30");
    edited = edited.mobile(PHONE);
    println!("ZZ04 {:?}", office.see(says("imaging", "9", edited.clone())).await);
    println!("ZZ04 whole owed {:?}", office.registry.record(&system("imaging"), one).map(|r| r.owed().clone()));
    let mut half = records(&office.registry).await;
    let last = half.pop().unwrap();
    println!("ZZ04 cut {:?}", last.subject);
    let again = Office::owned(owned()).await;
    let mut again = copy(again, &half).await;
    println!("ZZ04 again {:?}", again.see(says("imaging", "9", edited)).await);
    println!("ZZ04 owed after repeat {:?} items {:?}", again.registry.record(&system("imaging"), one).map(|r| r.owed().clone()), open_items(&again.registry));
    again.restart().await;
}

async fn copy(mut office: Office, records: &[archwire_nats::Stored]) -> Office {
    for record in records {
        let kind = match &record.subject {
            Subject::Patient(_) => archwire::wire::decode_event(record.payload.clone()).unwrap().kind.cloud_event_type(),
            Subject::Sighting(..) => "archwire.sighting.v1",
            Subject::Review(_) => "archwire.review.v1",
            Subject::Writer => continue,
        };
        let entry = archwire_nats::Entry {
            subject: record.subject.clone(),
            attributes: archwire_nats::CloudEvent { id: record.id.clone(), kind, source: "/p".to_owned(), time: record.time, content_type: "application/protobuf" },
            payload: record.payload.clone(),
            expected: archwire_nats::Expected::Anything,
        };
        office.registry.log().append(entry).await.unwrap();
    }
    office.restart().await;
    office
}

#[tokio::test]
async fn zz04b_first_sight_cut() {
    let office = Office::open().await;
    let one = whom(office.see(says("front-desk", "1", ann())).await);
    office.see(says("front-desk", "1", ann().email("a@example.org"))).await;
    let shown = ann_alone().mobile("541 555 0188").chart("77");
    println!("ZZ04b {:?}", office.see(binds("imaging", "9", shown.clone(), one)).await);
    let r = office.registry.record(&system("imaging"), one).unwrap();
    println!("ZZ04b whole delivered {:?} owed {:?}", r.delivered, r.owed());
    let mut half = records(&office.registry).await;
    println!("ZZ04b cut {:?}", half.pop().unwrap().subject);
    let again = copy(Office::open().await, &half).await;
    println!("ZZ04b again {:?}", again.see(binds("imaging", "9", shown, one)).await);
    let r = again.registry.record(&system("imaging"), one).unwrap();
    println!("ZZ04b repeat delivered {:?} owed {:?}", r.delivered, r.owed());
    let due = again.registry.due(&system("imaging"), one, r.delivered, r.owed()).await.unwrap();
    println!("ZZ04b due {:?}", due.map(|d| d.changed));
}

#[tokio::test]
async fn zz05_merge_waits_for_a_third_system() {
    let office = Office::open().await;
    let one = whom(office.see(says("front-desk", "1", ann())).await);
    let _other = office.see(says("front-desk", "2", stranger(4))).await;
    let (permit, _) = office.registry.begin_creation(&system("archive"), one, archwire_core::Revision::new(1)).await.unwrap();
    drop(permit);
    println!("ZZ05 {:?}", office.observe(merged("2", stranger(4), "1")).await.map_err(|e| (e.code(), e.is_retryable())));
}

#[tokio::test]
async fn zz06_chain() {
    let office = Office::open().await;
    let a = whom(office.see(says("front-desk", "1", ann())).await);
    let b = whom(office.see(says("front-desk", "2", stranger(4))).await);
    let c = whom(office.see(says("front-desk", "3", stranger(5))).await);
    office.see(binds("imaging", "9", ann(), a)).await;
    office.merge(b, a).await;
    office.merge(c, b).await;
    let edited = ann().email("ann.own@example.org");
    println!("ZZ06 {:?}", office.see(says("imaging", "9", edited.clone())).await);
    office.unmerge(b).await;
    office.unmerge(a).await;
    println!("ZZ06 a is as her record shows: {}; a telecom {} b telecom {} (b had 1)", office.state(a).telecom.len() == edited.telecom.len(), office.state(a).telecom.len(), office.state(b).telecom.len());
    println!("ZZ06 c telecom {}", office.state(c).telecom.len());
    println!("ZZ06 repeat {:?}", office.see(says("imaging", "9", edited)).await);
}

#[tokio::test]
async fn zz08_held_record_is_merged() {
    let office = Office::open().await;
    let a = whom(office.see(says("front-desk", "1", ann())).await);
    let b = whom(office.see(says("front-desk", "2", stranger(4))).await);
    office.see(says("front-desk", "1", bob())).await;
    println!("ZZ08 {:?}", office.see(merged("1", bob(), "2")).await);
    let item = office.the_item().await.number;
    println!("ZZ08 link {:?}", office.try_to_decide(item, Verdict::Link, None).await);
    println!("ZZ08 merged: {:?} items {:?}", office.registry.index().retired_into(a) == Some(b), open_items(&office.registry));
}

#[tokio::test]
async fn zz09_unreadable_over_awaiting() {
    let office = Office::open().await;
    let a = whom(office.see(says("front-desk", "1", ann())).await);
    office.see(merged("1", ann(), "2")).await;
    println!("ZZ09 items {:?}", open_items(&office.registry));
    office.registry.unreadable(&system("front-desk"), Some(id("1")), None, "source_too_large").await.unwrap();
    let b = whom(office.see(says("front-desk", "2", stranger(4))).await);
    tokio::time::sleep(Duration::from_millis(500)).await;
    println!("ZZ09 merged {:?} items {:?}", office.registry.index().retired_into(a) == Some(b), open_items(&office.registry));
}

#[tokio::test]
async fn zz11_orphan_item() {
    let office = Office::open().await;
    office.see(says("front-desk", "1", ann())).await;
    let shown = person("Anna", "Smith", "1987-06-30").mobile(PHONE);
    println!("ZZ11 {:?} items {:?}", office.see(says("imaging", "9", shown.clone())).await, open_items(&office.registry));
    let mut half = records(&office.registry).await;
    while !matches!(half.last().unwrap().subject, Subject::Review(_)) { half.pop(); }
    let again = copy(Office::open().await, &half).await;
    println!("ZZ11 after kill {:?}", open_items(&again.registry));
    again.see(says("imaging", "9", shown)).await;
    let items = open_items(&again.registry);
    println!("ZZ11 after repeat {:?}", items);
    println!("ZZ11 link orphan {:?}", again.try_to_decide(items[0], Verdict::Link, None).await);
}

#[tokio::test]
async fn zz12_vendor_names_the_wrong_twin() {
    let office = Office::open().await;
    let a = whom(office.see(says("front-desk", "1", ann())).await);
    let twin = person("Charlotte", "Smith", "1987-06-30").mobile("541 555 0123");
    println!("ZZ12 twin {:?} items {:?}", office.see(binds("tracing", "7", twin, a)).await, open_items(&office.registry));
    let brother = person("Xavier", "Smith", "1995-01-30").mobile("541 555 0123");
    println!("ZZ12 sibling {:?} items {:?}", office.see(binds("archive", "7", brother, a)).await, open_items(&office.registry));
    let r = office.registry.record(&system("tracing"), a).map(|r| (r.delivered, r.owed().clone()));
    println!("ZZ12 {r:?}");
}

#[tokio::test]
async fn zz13_recycled_in_two_steps() {
    let office = Office::open().await;
    let a = whom(office.see(says("front-desk", "1", ann())).await);
    office.see(binds("imaging", "9", ann(), a)).await;
    println!("ZZ13 step1 {:?}", office.see(says("front-desk", "1", person("Charlotte", "Smith", "1987-06-30").mobile(PHONE))).await);
    println!("ZZ13 step2 {:?}", office.see(says("front-desk", "1", person("Charlotte", "Smith", "1992-11-02").mobile(PHONE))).await);
    println!("ZZ13 step3 {:?}", office.see(says("front-desk", "1", person("Charlotte", "Ng", "1992-11-02").mobile("541 555 0321"))).await);
    println!("ZZ13 records {:?} items {:?}", records_of(&office.registry, a), open_items(&office.registry));
}

#[tokio::test]
async fn zz14_vendor_merges_two_people() {
    let office = Office::open().await;
    let a = whom(office.see(says("front-desk", "1", ann())).await);
    let b = whom(office.see(says("front-desk", "2", bob())).await);
    office.see(binds("imaging", "11", ann(), a)).await;
    office.see(binds("imaging", "12", bob(), b)).await;
    let mut observation = says("imaging", "12", bob());
    observation.view.merged_into = Some(id("11"));
    println!("ZZ14 {:?} items {:?} bob retired {}", office.see(observation).await, open_items(&office.registry), office.registry.index().retired_into(b).is_some());
    println!("ZZ14 {:?}", records_of(&office.registry, a));
    println!("ZZ14 desk record 2 edited {:?}", office.see(says("front-desk", "2", bob().email("bob@example.org").ssn("123456780"))).await);
    println!("ZZ14 ann now has bob's mail {} ", office.state(a).telecom.len());
}

#[tokio::test]
async fn zz15_vendor_merge_of_not_same() {
    let office = Office::open().await;
    let a = whom(office.see(says("front-desk", "1", ann())).await);
    let b = whom(office.see(says("front-desk", "2", bob())).await);
    office.merge(a, b).await;
    office.unmerge(b).await;
    println!("ZZ15 {:?} items {:?}", office.see(merged("2", bob(), "1")).await, open_items(&office.registry));
}

#[tokio::test]
async fn zz17_merge_fills_an_owned_group() {
    let office = Office::owned(owned()).await;
    let a = whom(office.see(says("front-desk", "1", ann())).await);
    let b = whom(office.see(says("imaging", "9", stranger(4).email("q@example.org"))).await);
    office.merge(a, b).await;
    println!("ZZ17 telecom of a, owned by the desk: {}", office.state(a).telecom.len());
}

#[tokio::test]
async fn zz18_cycle() {
    let office = Office::open().await;
    office.see(says("front-desk", "1", ann())).await;
    office.see(says("front-desk", "2", stranger(4))).await;
    for _ in 0..3 {
        println!("ZZ18 {:?}", office.see(merged("1", ann(), "2")).await);
        println!("ZZ18 {:?}", office.see(merged("2", stranger(4), "1")).await);
    }
    println!("ZZ18 log {}", records(&office.registry).await.len());
    let _ = Observed::InReview { item: 0, patient: whom(office.see(says("front-desk", "1", ann())).await) };
}

#[tokio::test]
async fn zz19_named_and_held_then_link() {
    let office = Office::open().await;
    let a = whom(office.see(says("front-desk", "1", ann())).await);
    println!("ZZ19 {:?}", office.see(binds("tracing", "7", bob(), a)).await);
    let item = office.the_item().await.number;
    println!("ZZ19 link {:?}", office.try_to_decide(item, Verdict::Link, None).await);
    println!("ZZ19 again {:?} items {:?}", office.see(binds("tracing", "7", bob(), a)).await, open_items(&office.registry));
}
