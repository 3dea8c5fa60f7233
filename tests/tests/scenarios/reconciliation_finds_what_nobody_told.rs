//! What happened to an office behind the bus's back is found by looking, told, and repaired where that is asked for.

use crate::support::{
    Scene,
    reconciling::{LONG_AGO, last, reconcile},
    review::WHO,
};
use anyhow::{Context as _, Result, ensure};
use archwire_client::v1::ContactUse;
use archwire_opendental_simulator::{Fault, Field, PatientFields};
use archwire_tests::{Practice, eventually, invented, phone_of, set_email, wire_patient};
use serde_json::Value;

const NEW_NUMBER: &str = "(971)555-0123";

/// The records of the audit that say what was done about comparisons: who acted, and what.
async fn audited(practice: &Practice) -> Result<Vec<(String, String, String)>> {
    let answer = practice.run(&["audit", "list", "--json"]).await?;
    let records = answer.said.lines().map(serde_json::from_str::<Value>);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let record = |record: Value| {
        (
            text(&record["program"]),
            text(&record["person"]),
            text(&record["action"]),
        )
    };
    let mut acted: Vec<_> = records
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .map(record)
        .collect();
    acted.retain(|(_, _, action)| action.starts_with("reconcile"));
    Ok(acted)
}

#[tokio::test]
async fn what_nobody_told_is_found_and_only_repaired_when_that_is_asked_for() -> Result<()> {
    let mut people = invented(1, 7);
    let (parked, unseen) = (people.remove(6), people.remove(5));
    let scene = Scene::with_old_patients(Practice::plan(), people).await?;
    scene.listed(5).await?;
    let (office, practice) = (scene.office(), &scene.practice);
    let desk = office.front_desk();

    // Written, and the answer lost: the broker looks before it writes again, and nothing is wrong.
    office.set_fault(Fault::drop_after().on("PUT", "/patients/3").times(1));
    let third = scene.vendor.find(|local| {
        let patient = office.patient(3);
        patient.is_some_and(|patient| archwire_tests::differences(&patient, &local.patient).is_empty())
    })?;
    scene
        .vendor
        .edit(&third.local_id, |patient| {
            set_email(patient, "written@example.com")
        })
        .await?;
    scene.office_shows(3, Field::Email, "written@example.com").await?;

    // Never delivered: the office refuses the record.
    office.set_fault(Fault::status(400).on("POST", "/patients"));
    let (local_id, _) = scene.vendor.register(wire_patient(&parked)).await?;
    let never = eventually("the delivery is parked", async || {
        let parked = practice.ask(&["parked", "list"]).await?;
        ensure!(parked["count"] == 1, "{parked}");
        scene.vendor.record(&local_id)?.patient_id.context("not known")
    })
    .await?;

    // And what leaves no trace.
    desk.edit_undated(1, &PatientFields::new().with(Field::WirelessPhone, NEW_NUMBER))?;
    desk.delete(2)?;
    let extra = desk.create_dated(&unseen, LONG_AGO);

    let (changes, events) = (office.changes().len(), scene.vendor.events());
    let found = reconcile(practice, &[]).await?;
    ensure!(
        found.code == Some(3) && found.counts() == [1, 1, 1, 1],
        "{found:?}"
    );
    ensure!(
        found.count("listed") == 5 && found.count("compared") == 4,
        "{found:?}"
    );
    let extra = extra.to_string();
    ensure!(found.findings("extra")[0].0 == Some(&extra), "{found:?}");
    ensure!(found.findings("missing")[0].0 == Some("2"), "{found:?}");
    ensure!(
        found.findings("unlinked")[0].1 == Some(never.as_str()),
        "{found:?}"
    );
    let (record, _, paths) = &found.findings("differing")[0];
    ensure!(
        *record == Some("1") && paths == &["telecom/phone-mobile/value"],
        "{found:?}"
    );
    ensure!(
        (office.changes().len(), scene.vendor.events()) == (changes, events),
        "something was changed"
    );
    let again = last(practice).await?;
    ensure!(again.code == Some(3) && again.report == found.report, "{again:?}");
    people_can_read_it(practice, &found.report).await?;

    // With what the office refused out of the way.
    office.clear_faults();
    let repaired = reconcile(practice, &["--repair"]).await?;
    ensure!(
        repaired.code == Some(3) && repaired.counts() == [1, 1, 1, 1] && repaired.count("repaired") == 4,
        "{repaired:?}"
    );
    eventually("the repair has come to its end", async || {
        let phones = scene
            .vendor
            .records()
            .into_iter()
            .filter(|local| phone_of(&local.patient, ContactUse::Mobile) == Some(NEW_NUMBER));
        ensure!(phones.count() == 1, "the vendor has not heard of the edit");
        ensure!(scene.vendor.records().len() == 7, "nor of the record");
        ensure!(
            office.patients().len() == 7,
            "the office has not been given the patient"
        );
        let parked = practice.ask(&["parked", "list"]).await?;
        ensure!(
            parked["count"] == 1 && parked["deliveries"][0]["reason"] == "record_gone",
            "{parked}"
        );
        Ok(())
    })
    .await?;
    // What is gone waits for a person. Nothing else is left, and nothing was written twice.
    let left = reconcile(practice, &[]).await?;
    ensure!(left.code == Some(3) && left.counts() == [1, 0, 0, 0], "{left:?}");
    let of_the_bus = |change: &&archwire_opendental_simulator::Change| change.request.is_some();
    let written: Vec<_> = office
        .changes()
        .iter()
        .filter(of_the_bus)
        .map(|change| change.method)
        .collect();
    ensure!(written == ["PUT", "POST"], "{written:?}");

    desk.restore(2)?;
    practice
        .ask(&["parked", "redrive", "front-desk", "--by", WHO])
        .await?;
    eventually("nothing is parked", async || {
        let parked = practice.ask(&["parked", "list"]).await?;
        ensure!(parked["count"] == 0, "{parked}");
        Ok(())
    })
    .await?;
    let nothing = reconcile(practice, &[]).await?;
    ensure!(
        nothing.code == Some(0) && nothing.counts() == [0; 4],
        "{nothing:?}"
    );
    let itself = |action: &str| ("archwire".to_owned(), String::new(), action.to_owned());
    let person = (
        "archwire-admin".to_owned(),
        WHO.to_owned(),
        "reconcile.repair".to_owned(),
    );
    ensure!(
        audited(practice).await?
            == [
                itself("reconcile"),
                person,
                itself("reconcile"),
                itself("reconcile"),
                itself("reconcile")
            ],
        "the audit says otherwise: {:?}",
        audited(practice).await?
    );
    Ok(())
}

/// The same in words: every kind with what can be done about it, and nobody's name.
async fn people_can_read_it(practice: &Practice, report: &Value) -> Result<()> {
    let answer = practice.run(&["reconcile", "front-desk", "--last"]).await?;
    ensure!(answer.code == Some(3), "{answer:?}");
    for word in [
        "missing",
        "extra",
        "differing",
        "unlinked",
        "--repair",
        "archwire parked list",
    ] {
        ensure!(answer.said.contains(word), "{word} is not in it: {}", answer.said);
    }
    ensure!(
        answer.said.lines().all(|line| line.chars().count() <= 100),
        "{}",
        answer.said
    );
    let told = format!("{}{report}", answer.said);
    for patient in practice.office().patients() {
        let (name, phone) = (patient.get(Field::LName), patient.get(Field::WirelessPhone));
        ensure!(!told.contains(name), "a name is in it");
        ensure!(phone.is_empty() || !told.contains(phone), "a number is in it");
    }
    Ok(())
}
