//! A vendor whose program is in Python and made of the `.proto` files alone does what ours does: the contract is what is
//! written there, and not what our client library makes of it.

use crate::support::{Scene, VENDOR, images::noise};
use anyhow::{Context as _, Result, ensure};
use archwire_client::PatientKey;
use archwire_tests::{Practice, PythonVendor, eventually};
use serde_json::json;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;

/// The vendor with the program in Python.
const SLATE: &str = "slate";

async fn scene() -> Result<(Scene, PythonVendor)> {
    let scene = Scene::with(Practice::plan().vendor(SLATE)).await?;
    let slate = PythonVendor::new(&scene.practice, SLATE).await?;
    Ok((scene, slate))
}

/// Registers somebody; tells the bus patient id.
async fn registered(slate: &PythonVendor) -> Result<String> {
    let people = json!([["1", "Okafor", "Ada", "2011-04-02"]]).to_string();
    let answer = slate.one(&["publish", &people]).await?;
    ensure!(answer["outcome"] == "recorded", "{answer}");
    let id = answer["patient_id"].as_str();
    Ok(id.context("no patient id")?.to_owned())
}

#[tokio::test]
async fn it_publishes_records_at_once_and_hears_of_each_what_became_of_it() -> Result<()> {
    let (scene, slate) = scene().await?;
    let people = json!([
        ["1", "Okafor", "Ada", "2011-04-02"],
        ["2", "Lindqvist", "Per", "some day"],
        ["3", "Moreau", "Inès", "1987-12-24"],
        ["", "Nobody", "Nemo", "1990-01-01"],
    ]);
    let mut answers = slate.run(&["publish", &people.to_string()]).await?;
    answers.sort_by_key(|answer| answer["tag"].as_u64());
    let outcomes: Vec<_> = answers.iter().map(|answer| answer["outcome"].as_str()).collect();
    ensure!(
        outcomes == ["recorded", "refused", "recorded", "refused"].map(Some),
        "{answers:?}"
    );
    for refused in [&answers[1], &answers[3]] {
        ensure!(refused["code"] == "observation_invalid", "{refused}");
    }
    ensure!(
        answers[1]["field"]
            .as_str()
            .is_some_and(|field| field.contains("birth_date")),
        "{}",
        answers[1]
    );
    // Both are at the front desk, as whatever our own client publishes.
    eventually("both are at the front desk", async || scene.created(2)).await?;
    let ada = slate.one(&["ask", "1"]).await?;
    ensure!(
        ada["family"] == "Okafor" && ada["patient_id"] == answers[0]["patient_id"],
        "{ada}"
    );
    let again = json!([
        ["1", "Okafor", "Ada", "2011-04-02"],
        ["1", "Okafor-Bello", "Ada", "2011-04-02"]
    ]);
    let mut answers = slate.run(&["publish", &again.to_string()]).await?;
    answers.sort_by_key(|answer| answer["tag"].as_u64());
    let outcomes: Vec<_> = answers.iter().map(|answer| answer["outcome"].as_str()).collect();
    ensure!(outcomes == [Some("unchanged"), Some("recorded")], "{answers:?}");
    let id = ada["patient_id"].as_str().context("no id")?;
    let history = slate.run(&["history", id]).await?;
    let revisions: Vec<_> = history
        .iter()
        .filter_map(|event| event["revision"].as_u64())
        .collect();
    ensure!(
        revisions == (1..=revisions.len() as u64).collect::<Vec<_>>(),
        "{history:?}"
    );
    ensure!(history[0]["kind"] == "EVENT_KIND_PATIENT_CREATED", "{history:?}");
    Ok(())
}

#[tokio::test]
async fn it_says_the_same_again_by_keys_of_its_own_and_that_counts_once() -> Result<()> {
    let (_scene, slate) = scene().await?;
    let states = json!([
        ["1", "Okafor", "Ada", "2011-04-02"],
        ["1", "Okafor-Bello", "Ada", "2011-04-02"]
    ])
    .to_string();
    let mut heard = Vec::new();
    for expected in ["recorded", "duplicate"] {
        // A program of its own each time, as after a restart.
        let mut answers = slate.run(&["publish", &states, "--key", "outbox-7"]).await?;
        answers.sort_by_key(|answer| answer["tag"].as_u64());
        ensure!(
            answers.iter().all(|answer| answer["outcome"] == expected),
            "{answers:?}"
        );
        heard.push(answers);
    }
    let [first, again] = &heard[..] else {
        anyhow::bail!("it was not said twice");
    };
    for (first, again) in first.iter().zip(again) {
        ensure!(
            again["first"] == "recorded"
                && (&again["patient_id"], &again["revision"]) == (&first["patient_id"], &first["revision"]),
            "{first} and then {again}"
        );
    }
    let ada = slate.one(&["ask", "1"]).await?;
    ensure!(
        ada["family"] == "Okafor-Bello",
        "what was said last is what holds: {ada}"
    );
    let other = json!([["1", "Moreau", "Ada", "2011-04-02"]]).to_string();
    let reused = slate.one(&["publish", &other, "--key", "outbox-7"]).await?;
    ensure!(reused["code"] == "idempotency_key_reused", "{reused}");
    Ok(())
}

/// What the vendor wrote down: of each patient the revisions, in the order in which they came first.
fn rows(table: &Path) -> Result<BTreeMap<String, Vec<u64>>> {
    let text = fs::read_to_string(table).unwrap_or_default();
    let mut rows = BTreeMap::<String, Vec<u64>>::new();
    // A row that a kill cut off is none.
    for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
        let words: Vec<_> = line.split_whitespace().collect();
        let [_, patient, revision] = words[..] else {
            anyhow::bail!("a row is {line:?}");
        };
        let revision = revision.parse()?;
        let revisions = rows.entry(patient.to_owned()).or_default();
        if !revisions.contains(&revision) {
            revisions.push(revision);
        }
    }
    Ok(rows)
}

fn count(table: &Path) -> Result<usize> {
    Ok(rows(table)?.values().map(Vec::len).sum())
}

#[tokio::test]
async fn it_is_killed_while_it_follows_and_goes_on_without_a_gap() -> Result<()> {
    let (mut scene, slate) = scene().await?;
    scene.type_in(30);
    let table = scene.practice.folder().join("table");
    let follow = ["follow", "charts"].map(OsStr::new);
    let arguments = [follow[0], follow[1], table.as_os_str(), OsStr::new("--credit=1")];
    for kills in 1..=3 {
        let mut running = slate.start(&arguments)?;
        eventually("it takes events over", async || {
            running.runs()?;
            let taken = count(&table)?;
            ensure!(taken >= kills * 7, "{taken} so far");
            Ok(())
        })
        .await?;
        running.kill()?;
    }
    scene.type_in(3);
    scene.agreed().await?;
    let _running = slate.start(&arguments)?;
    let client = scene.practice.vendor(VENDOR).await?;
    eventually("it has every event of everybody", async || {
        let rows = rows(&table)?;
        ensure!(rows.len() == 33, "{} people so far", rows.len());
        for (patient, revisions) in &rows {
            let shown = client.get_patient(PatientKey::PatientId(patient.clone())).await?;
            let newest = shown.context("nobody knows the patient")?.revision;
            ensure!(
                *revisions == (1..=newest).collect::<Vec<_>>(),
                "{patient} is at {newest}, and came as {revisions:?}"
            );
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn it_puts_an_image_and_gets_the_same_bytes_back() -> Result<()> {
    let (scene, slate) = scene().await?;
    let patient = registered(&slate).await?;
    let bytes = noise(11, 1_300_007);
    let [file, copy] = ["photo", "copy"].map(|name| scene.practice.folder().join(name));
    fs::write(&file, &bytes)?;
    let [file_name, copy_name] = [&file, &copy].map(|path| path.display().to_string());
    let put = slate.one(&["put", "1", &file_name]).await?;
    ensure!(put["outcome"] == "recorded", "{put}");
    let uid = put["instance_uid"].as_str().context("no UID")?;
    let got = slate.one(&["get", uid, &copy_name]).await?;
    ensure!(fs::read(&copy)? == bytes, "other bytes came back");
    ensure!(
        got["patient_id"] == patient.as_str() && got["size"] == bytes.len(),
        "{got}"
    );
    let again = slate.one(&["put", "1", &file_name]).await?;
    ensure!(again["outcome"] == "unchanged", "{again}");
    Ok(())
}

#[tokio::test]
async fn every_refusal_carries_its_code_in_the_metadata_and_in_the_details() -> Result<()> {
    let (_scene, slate) = scene().await?;
    let refusals = slate.run(&["fail"]).await?;
    let expected = [
        ("nobody", "NOT_FOUND", "patient_unknown", None),
        (
            "no id",
            "INVALID_ARGUMENT",
            "argument_invalid",
            Some("patient_id"),
        ),
        (
            "no history",
            "INVALID_ARGUMENT",
            "argument_invalid",
            Some("patient_id"),
        ),
        ("no image", "NOT_FOUND", "image_unknown", None),
        ("no name", "INVALID_ARGUMENT", "argument_invalid", Some("name")),
        ("stranger", "UNAUTHENTICATED", "token_unknown", None),
        ("without a token", "UNAUTHENTICATED", "token_missing", None),
    ];
    ensure!(refusals.len() == expected.len(), "{refusals:?}");
    for (refusal, (call, code, own, field)) in refusals.iter().zip(expected) {
        ensure!(
            refusal["call"] == call && refusal["code"] == code && refusal["own"] == own,
            "{refusal}"
        );
        ensure!(
            refusal["reason"] == own && refusal["domain"] == "archwire",
            "{refusal}"
        );
        let fields: Vec<_> = refusal["fields"].as_array().into_iter().flatten().collect();
        let named: Vec<_> = fields.iter().filter_map(|field| field.as_str()).collect();
        let is_named = |field: &str| named.iter().any(|name| name.ends_with(field));
        ensure!(field.is_none_or(is_named), "{refusal}");
    }
    Ok(())
}
