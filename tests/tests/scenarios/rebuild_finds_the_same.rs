//! Whatever happened in a practice: the index made anew from the log is the one in use, and a broker that starts with a
//! snapshot, with an old one, or with none knows the same of everybody.

use crate::support::{
    Scene, VENDOR,
    plain_vendor::PlainVendor,
    review::{WHO, decide, open_items, queue},
    whole_log::{self, WholeLog},
};
use anyhow::{Context as _, Result, ensure};
use archwire_client::v1::ContactUse;
use archwire_client::{PatientKey, v1};
use archwire_opendental_simulator::{Field, PatientFields};
use archwire_tests::{Practice, eventually, set_phone, wire_patient};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const OTHER_VENDOR: &str = "aligner";

fn somebody(first: &str, born: &str, phone: &str) -> PatientFields {
    PatientFields::named("Quillfeather", first)
        .with(Field::Gender, "Female")
        .with(Field::Birthdate, born)
        .with(Field::WirelessPhone, phone)
}

/// What a broker tells of everybody, and of what waits for a person.
#[derive(PartialEq)]
struct Knowledge {
    patients: BTreeMap<String, (u64, v1::Patient, Vec<v1::Event>)>,
    queue: Value,
}

async fn knowledge(scene: &Scene) -> Result<Knowledge> {
    let log = WholeLog::read(&scene.practice).await?;
    log.is_whole()?;
    let ids: BTreeSet<_> = log
        .events
        .values()
        .map(|event| event.patient_id.clone())
        .collect();
    let client = scene.vendor.client();
    let mut patients = BTreeMap::new();
    for id in ids {
        let shown = client.get_patient(PatientKey::PatientId(id.clone())).await?;
        let shown = shown.context("the bus does not know a patient of the log")?;
        let patient = shown.patient.context("no patient")?;
        let events = scene.vendor.history(&id).await?;
        patients.insert(id, (shown.revision, patient, events));
    }
    let queue = scene.practice.ask(&["review", "list", "--limit", "1000"]).await?;
    Ok(Knowledge { patients, queue })
}

/// The same patients, and the same open items.
fn is_same(before: &Knowledge, after: &Knowledge) -> Result<()> {
    for (id, known) in &before.patients {
        ensure!(after.patients.get(id) == Some(known), "{id} is not the same");
    }
    ensure!(before.patients.len() == after.patients.len(), "somebody is new");
    ensure!(before.queue == after.queue, "the queue is not the same");
    Ok(())
}

async fn rebuild(practice: &Practice) -> Result<()> {
    let answer = practice.ask(&["rebuild", "--by", WHO]).await?;
    ensure!(
        answer["same"] == true && answer["digest_before"] == answer["digest_after"],
        "the index in use was another one: {answer}"
    );
    Ok(())
}

/// Waits until nothing is under way: nobody hears or writes anything for some polls.
async fn quiet(scene: &Scene) -> Result<()> {
    eventually("it is quiet", async || {
        let state = || (scene.vendor.events(), scene.office().changes().len());
        let before = state();
        crate::support::polled_again(scene.office(), 5).await?;
        ensure!(state() == before, "something moved");
        Ok(())
    })
    .await
}

async fn patient_of(scene: &Scene, first: &str) -> Result<String> {
    eventually("the vendor has the patient", async || {
        let local = scene.vendor.find(|local| {
            let mut names = local.patient.names.iter();
            names.any(|name| name.given.first().is_some_and(|given| given == first))
        })?;
        local.patient_id.context("not known to the bus")
    })
    .await
}

/// A practice in which people were linked, merged, parted, told apart, disputed and mixed up.
async fn eventful() -> Result<Scene> {
    let plan =
        Practice::plan()
            .external_nats()
            .vendor(OTHER_VENDOR)
            .owns("front-desk", &["contact"], "review");
    let scene = Scene::with(plan).await?;
    let desk = scene.office().front_desk();
    let born = |month: usize| format!("2011-{month:02}-05");
    let phone = |number: usize| format!("(503)555-01{number:02}");
    let names = [
        "Thessalonia",
        "Ignatia",
        "Marmaduke",
        "Wilhelmina",
        "Octavia",
        "Zenobia",
    ];
    for (number, first) in names.iter().enumerate() {
        desk.create(&somebody(first, &born(number + 1), &phone(number)));
    }
    scene.listed(names.len()).await?;
    let other = PlainVendor::connect(&scene.practice, OTHER_VENDOR).await?;
    // One is linked for certain; two may be the same: one is, one is not.
    other
        .say("A-0", &wire_patient(&somebody(names[0], &born(1), &phone(0))))
        .await?;
    for (number, word) in [(1, "link"), (2, "not-same")] {
        let swapped = format!("2011-05-{:02}", number + 1);
        let patient = wire_patient(&somebody(names[number], &swapped, &phone(number)));
        other.say(&format!("A-{number}"), &patient).await?;
        let item = eventually("it is asked", async || {
            let items = open_items(&scene.practice, "possible-duplicate").await?;
            let item = items.first().and_then(|item| item["number"].as_u64());
            item.context("not yet")
        })
        .await?;
        decide(&scene.practice, word, item).await?;
    }
    // Somebody nobody had; two who are merged; two who are merged and parted again.
    scene
        .vendor
        .register(wire_patient(&somebody("Leocadia", "1990-01-02", &phone(40))))
        .await?;
    let ids = [
        patient_of(&scene, names[3]).await?,
        patient_of(&scene, names[4]).await?,
        patient_of(&scene, "Leocadia").await?,
    ];
    let by = ["--by", WHO, "--reason", "asked at the desk"];
    for other in &ids[1..] {
        let words = ["review", "merge", ids[0].as_str(), other];
        scene.practice.ask(&[&words[..], &by[..]].concat()).await?;
    }
    let words = ["review", "unmerge", ids[2].as_str()];
    scene.practice.ask(&[&words[..], &by[..]].concat()).await?;
    // A vendor who disagrees, and a row that shows somebody else.
    let disputed = scene
        .vendor
        .find(|local| local.patient_id.as_ref() == Some(&ids[0]) && local.merged_into.is_none())?;
    scene
        .vendor
        .edit(&disputed.local_id, |patient| {
            set_phone(patient, ContactUse::Mobile, "(971)555-0123");
        })
        .await?;
    let recycled = PatientFields::named("Wobblethwaite", "Hildegard")
        .with(Field::Birthdate, "1955-10-23")
        .with(Field::Gender, "Female");
    desk.edit(6, &recycled)?;
    eventually("both wait for a person", async || {
        let queue = queue(&scene.practice).await?;
        let kinds: BTreeSet<&str> = queue.iter().map(|(_, kind)| kind.as_str()).collect();
        ensure!(
            kinds == BTreeSet::from(["disagreement", "record-conflict"]),
            "{queue:?}"
        );
        Ok(())
    })
    .await?;
    quiet(&scene).await?;
    Ok(scene)
}

#[tokio::test]
async fn an_index_made_anew_from_the_log_is_the_one_in_use() -> Result<()> {
    let mut scene = eventful().await?;
    let before = knowledge(&scene).await?;
    ensure!(before.patients.len() >= 9, "{} patients", before.patients.len());
    rebuild(&scene.practice).await?;
    is_same(&before, &knowledge(&scene).await?)?;

    // Without a snapshot: forget the one that the rebuild wrote.
    scene.practice.stop_broker().await?;
    let (connection, log) = whole_log::open(&scene.practice).await?;
    let index = log.bucket(&"index".parse()?).await?;
    ensure!(!index.keys().await?.is_empty(), "there was no snapshot");
    for key in index.keys().await? {
        index.delete(&key).await?;
    }
    connection.close().await;
    scene.practice.start_broker().await?;
    is_same(&before, &knowledge(&scene).await?)?;
    rebuild(&scene.practice).await?;

    // With the snapshot that the second rebuild wrote, and what came after it, after kill -9.
    let latecomer = somebody("Ermentrude", "1961-03-04", "(503)555-0177");
    scene.vendor.register(wire_patient(&latecomer)).await?;
    decide_first(&scene.practice, "record-conflict", "not-same").await?;
    decide_first(&scene.practice, "disagreement", "accept").await?;
    quiet(&scene).await?;
    let before = knowledge(&scene).await?;
    scene.practice.kill_broker().await?;
    scene.practice.start_broker().await?;
    is_same(&before, &knowledge(&scene).await?)?;
    rebuild(&scene.practice).await?;
    ensure!(
        scene.vendor.complaints().is_empty(),
        "{:?}",
        scene.vendor.complaints()
    );
    let events = scene.vendor.events();
    quiet(&scene).await?;
    ensure!(scene.vendor.events() == events, "{VENDOR} heard something new");
    Ok(())
}

async fn decide_first(practice: &Practice, kind: &str, word: &str) -> Result<()> {
    let items = open_items(practice, kind).await?;
    let item = items.first().and_then(|item| item["number"].as_u64());
    decide(practice, word, item.context("no such item is open")?).await
}
