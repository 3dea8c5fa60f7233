//! A delivery that was given up is a person's business: seen, looked into, tried again when its cause is gone, or dropped.

use crate::support::{Scene, review::WHO};
use anyhow::{Context as _, Result, ensure};
use archwire_opendental_simulator::{Fault, Field};
use archwire_tests::{Practice, eventually, set_email};
use serde_json::Value;

const EMAIL: &str = "refused@example.com";

/// How the deliveries of a patient ended, oldest first.
async fn outcomes(practice: &Practice, patient: &str) -> Result<Vec<String>> {
    let answer = practice
        .run(&["receipts", "--patient", patient, "--json"])
        .await?;
    let receipts = answer.said.lines().map(serde_json::from_str::<Value>);
    let receipts = receipts.collect::<Result<Vec<_>, _>>()?;
    let outcome = |receipt: &Value| receipt["outcome"].as_str().unwrap_or_default().to_owned();
    Ok(receipts.iter().map(outcome).collect())
}

async fn parked(practice: &Practice, count: u64) -> Result<Value> {
    eventually("so many deliveries are parked", async || {
        let parked = practice.ask(&["parked", "list"]).await?;
        ensure!(parked["count"] == count, "{parked}");
        Ok(parked)
    })
    .await
}

/// A practice whose office refuses what was written about one of its patients: the patient, and the number there.
async fn refused() -> Result<(Scene, String, i64)> {
    let mut scene = Scene::open().await?;
    let locals = scene.register(1).await?;
    scene.settled().await?;
    let number = scene.office().patients()[0].pat_num;
    scene
        .office()
        .set_fault(Fault::status(400).on("PUT", &format!("/patients/{number}")));
    scene
        .vendor
        .edit(&locals[0], |patient| set_email(patient, EMAIL))
        .await?;
    parked(&scene.practice, 1).await?;
    let patient = scene.vendor.record(&locals[0])?.patient_id;
    Ok((scene, patient.context("it was registered")?, number))
}

#[tokio::test]
async fn what_was_refused_comes_through_once_its_cause_is_gone() -> Result<()> {
    let (scene, patient, number) = refused().await?;
    let practice = &scene.practice;
    let line = &parked(practice, 1).await?["deliveries"][0];
    ensure!(
        line["patient_id"] == patient.as_str() && line["status"] == 400,
        "{line}"
    );
    let system = line["system"].as_str().context("it has a system")?.to_owned();
    let status = practice.run(&["status", "--json"]).await?;
    ensure!(
        status.code == Some(1) && status.said.contains("archwire parked list"),
        "{}",
        status.said
    );
    let show = ["parked", "show", &system, &patient, "--by", WHO];
    let shown = practice.ask(&show).await?;
    let due = shown["due"].to_string();
    ensure!(due.contains("telecom/email"), "{due}");

    // Still refused: given up once more, and it has waited since the first time. An edit at the front desk is another reason
    // to try, so that it may have been tried more than once before.
    let redrive = ["parked", "redrive", &system, &patient, "--by", WHO];
    let since = line["parked_at"].clone();
    let before = line["attempts"].as_u64();
    practice.ask(&redrive).await?;
    eventually("it is given up once more", async || {
        let line = &parked(practice, 1).await?["deliveries"][0];
        ensure!(
            line["attempts"].as_u64() > before && line["is_redriven"] == false,
            "{line}"
        );
        ensure!(line["parked_at"] == since, "{line}");
        Ok(())
    })
    .await?;

    scene.office().clear_faults();
    practice.ask(&redrive).await?;
    scene.office_shows(number, Field::Email, EMAIL).await?;
    parked(practice, 0).await?;
    let ended = outcomes(practice, &patient).await?;
    ensure!(
        ended.ends_with(&["parked".into(), "parked".into(), "verified".into()]),
        "{ended:?}"
    );
    let status = practice.run(&["status"]).await?;
    ensure!(status.code == Some(0), "{}", status.said);
    scene.settled().await
}

#[tokio::test]
async fn what_was_dropped_is_brought_by_the_next_change() -> Result<()> {
    let (scene, patient, number) = refused().await?;
    let practice = &scene.practice;
    let drop = [
        "parked",
        "drop",
        "--all",
        "--by",
        WHO,
        "--reason",
        "not treated here",
    ];
    let dropped = practice.ask(&drop).await?;
    ensure!(dropped["count"] == 1, "{dropped}");
    parked(practice, 0).await?;
    scene.office().clear_faults();
    let ended = outcomes(practice, &patient).await?;
    ensure!(ended.ends_with(&["parked".into(), "dropped".into()]), "{ended:?}");
    let local = scene.vendor.records().remove(0).local_id;
    scene
        .vendor
        .edit(&local, |patient| set_email(patient, "accepted@example.com"))
        .await?;
    scene
        .office_shows(number, Field::Email, "accepted@example.com")
        .await?;
    scene.settled().await
}
