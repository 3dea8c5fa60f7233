//! Whatever has to be audited is found by a search: writes to a system, what a vendor is told, decisions, what somebody is shown, changes
//! of the configuration, tokens, and who was not let in; with who, what, when, for which purpose and by which event, and no value. And
//! of the patient, all that was disclosed is accounted for.

use crate::support::{
    VENDOR,
    images::{get, put_new, sit, sitting},
    raw_bus::RawBus,
    review::WHO,
};
use anyhow::{Context as _, Result, ensure};
use archwire_client::PatientKey;
use archwire_proto::v1::{FindPatientsRequest, GetPatientRequest, RecordKey, bus_client::BusClient};
use archwire_tests::{Practice, eventually};
use serde_json::{Value, json};
use std::{
    io::Write as _,
    process::{Command, Stdio},
};
use tonic::Request;

const PURPOSE: &str = "HOPERAT";
const BASIS: &str = "Agreement of 2026-01-15, annex B";
const ORGANIZATION: &str = "Example Cephalometry Ltd";

/// Everything, for another purpose than usual.
fn contract(organization: &str) -> String {
    let kinds = r#"["created", "updated", "merged", "imaged", "image-amended", "image-retracted"]"#;
    let fields = r#"["identifiers", "name", "demographics", "contact", "responsible-parties", "administrative", "photo"]"#;
    format!(
        "organization = \"{organization}\"\npurpose = \"operations\"\nlegal-basis = \"{BASIS}\"\npatients = \"all\"\n\
         read-kinds = {kinds}\nread-fields = {fields}\nread-source = true\nwrite-kinds = {kinds}\nwrite-fields = {fields}\n\
         images = [\"read\", \"write\"]\nrequests-per-second = 10000\nstreams = 256\n"
    )
}

async fn search(practice: &Practice, arguments: &[&str]) -> Result<(Vec<Value>, String)> {
    let words = [&["audit", "search", "--json"], arguments].concat();
    let answer = practice.run(&words).await?;
    ensure!(answer.code == Some(0), "{}", answer.complained);
    let records = answer.said.lines().map(serde_json::from_str);
    Ok((records.collect::<Result<_, _>>()?, answer.said))
}

/// The first record of an action about a patient that is as it should be, once there is one.
async fn found(
    practice: &Practice,
    action: &str,
    patient: Option<&str>,
    is_right: impl Fn(&Value) -> bool,
) -> Result<Value> {
    eventually("it is in the audit", async || {
        let of_them: Vec<_> = patient
            .map(|id| ["--patient", id])
            .into_iter()
            .flatten()
            .collect();
        let (records, _) = search(practice, &[&["--action", action], &of_them[..]].concat()).await?;
        let record = records.iter().find(|record| is_right(record)).cloned();
        let record = record.with_context(|| format!("{action}: {records:?}"))?;
        ensure!(record["at"].is_string(), "{record}");
        Ok(record)
    })
    .await
}

#[tokio::test]
async fn a_search_finds_everything_that_has_to_be_audited_and_no_value() -> Result<()> {
    let plan = Practice::plan().contract(VENDOR, &contract(ORGANIZATION));
    let (mut scene, client, sitter) = sitting(plan).await?;
    let other = sit(&mut scene).await?.patient_id;
    scene.settled().await?;
    let practice = &scene.practice;
    let patient = sitter.patient_id.as_str();
    let of_contract = |record: &Value| {
        (
            &record["vendor"],
            &record["recipient"],
            &record["purpose"],
            &record["basis"],
        ) == (
            &VENDOR.into(),
            &ORGANIZATION.into(),
            &PURPOSE.into(),
            &BASIS.into(),
        )
    };
    // What the vendor said, what was written to the office because of it, and by which event.
    let event = found(practice, "event.created", Some(patient), |record| {
        record["program"] == VENDOR && record["vendor"] == VENDOR && record["event_id"].is_string()
    })
    .await?;
    found(practice, "delivery.verified", Some(patient), |record| {
        let has_paths = record["paths"].as_array().is_some_and(|paths| !paths.is_empty());
        record["system"] == "front-desk" && record["event_id"] == event["event_id"] && has_paths
    })
    .await?;
    // What the vendor was told, by a subscription and by calls.
    let radiograph = sitter.radiograph();
    let image = put_new(&client, sitter.image(), &radiograph.bytes()).await?;
    get(&client, &image.instance_uid).await?;
    let key = PatientKey::PatientId(patient.to_owned());
    client.get_patient(key).await?.context("nobody is shown")?;
    client.list_events(patient, 0).await?;
    let bus = RawBus::connect(practice, VENDOR).await?;
    let wanted = FindPatientsRequest {
        record: Some(RecordKey {
            system: VENDOR.to_owned(),
            local_id: sitter.local_id.clone(),
        }),
        ..FindPatientsRequest::default()
    };
    let shown = bus.client.clone().find_patients(bus.with_token(wanted)).await?;
    ensure!(shown.get_ref().patients.len() == 1, "nobody is found");
    found(practice, "contract.stated", None, |record| {
        let words = record["statements"].to_string();
        of_contract(record) && words.contains("operations (HOPERAT)")
    })
    .await?;
    found(practice, "disclosure.opened", None, of_contract).await?;
    found(practice, "disclosure.sent", Some(patient), |record| {
        record["vendor"] == VENDOR && record["events"].to_string().contains("patient-imaged")
    })
    .await?;
    for action in [
        "disclosure.patient",
        "disclosure.found",
        "disclosure.events",
        "disclosure.image",
    ] {
        found(practice, action, Some(patient), of_contract).await?;
    }
    // What somebody looked at, and decided.
    let listed = practice.ask(&["images", "list", "--patient", patient]).await?;
    let listed = listed["images"][0]["image"].as_str().context("no image")?;
    practice.ask(&["images", "show", listed, "--by", WHO]).await?;
    found(practice, "images.show", Some(patient), |record| {
        record["person"] == WHO
    })
    .await?;
    let by = ["--by", WHO, "--reason", "asked at the desk"];
    practice
        .ask(&[&["review", "merge", patient, &other][..], &by[..]].concat())
        .await?;
    found(practice, "review.merge", Some(patient), |record| {
        record["person"] == WHO
    })
    .await?;
    found(practice, "event.merged", Some(patient), |record| {
        record["person"] == WHO
    })
    .await?;
    // Who was not let in.
    let mut stranger = BusClient::connect(practice.url()).await?;
    for _ in 0..3 {
        let mut request = Request::new(GetPatientRequest::default());
        request
            .metadata_mut()
            .insert("authorization", "Bearer nobody".parse()?);
        let refused = stranger.get_patient(request).await;
        ensure!(refused.is_err(), "a stranger was let in");
    }
    found(practice, "authentication.failed", None, |record| {
        record["address"] == "127.0.0.1" && record["reason"] == "token_unknown"
    })
    .await?;
    // Who may be let in, and on which terms.
    let made = practice.ask(&["vendor", "token", VENDOR, "--by", WHO]).await?;
    let token = found(practice, "token.made", None, |record| {
        record["person"] == WHO && record["vendor"] == VENDOR
    })
    .await?;
    let secret = made["token"].as_str().context("no token")?.to_owned();
    let text = practice.configuration()?;
    practice.set_configuration(&text.replace(ORGANIZATION, "Another Cephalometry Ltd"))?;
    found(practice, "configuration.changed", None, |record| {
        record["keys"] == json!(["vendors.ceph-tracer.organization"])
            && record["digest_before"] != record["digest_after"]
    })
    .await?;
    found(practice, "contract.stated", None, |record| {
        record["recipient"] == "Another Cephalometry Ltd"
    })
    .await?;
    let id = token["token"].as_str().context("no id")?;
    practice
        .ask(&["vendor", "revoke", VENDOR, id, "--by", WHO])
        .await?;
    found(practice, "token.revoked", None, |record| {
        record["token"] == token["token"]
    })
    .await?;
    // No value is in any of it.
    let (records, said) = search(practice, &[]).await?;
    ensure!(records.len() > 20, "{} records", records.len());
    let (name, _) = radiograph.name.split_once('^').context("no name")?;
    for hidden in [name, &secret, practice.token(VENDOR)?, "Bearer"] {
        ensure!(!said.contains(hidden), "the audit says {hidden}");
    }
    let verified = practice.ask(&["audit", "verify"]).await?;
    ensure!(verified["is_whole"] == true, "{verified}");
    accounted(practice, patient, &other).await?;
    // What changed while nobody ran is found, too.
    let patient = sitter.patient_id.clone();
    scene.practice.stop_broker().await?;
    let text = scene.practice.configuration()?;
    let changed = text.replace("poll-every = \"200ms\"", "poll-every = \"300ms\"");
    ensure!(
        changed != text,
        "the configuration is another one than was thought"
    );
    scene.practice.set_configuration(&changed)?;
    scene.practice.start_broker().await?;
    let practice = &scene.practice;
    found(practice, "configuration.changed", None, |record| {
        record["keys"] == json!(["systems.front-desk.poll-every"])
    })
    .await?;
    let (started, _) = search(practice, &["--action", "broker."]).await?;
    ensure!(started.len() == 4, "{started:?}");
    accounted(practice, &patient, &other).await
}

/// What was disclosed is accounted for on the terms of then, with who was merged into the patient.
async fn accounted(practice: &Practice, patient: &str, other: &str) -> Result<()> {
    let words = ["audit", "disclosures", "--patient", patient];
    let answer = practice
        .run(&[&words[..], &["--format", "fhir"]].concat())
        .await?;
    ensure!(answer.code == Some(0), "{}", answer.complained);
    let events: Vec<Value> = answer
        .said
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    ensure!(events.len() >= 4, "{} disclosures", events.len());
    for event in &events {
        let agent = &event["agent"][1]["who"]["display"];
        let purpose = &event["purposeOfEvent"][0]["coding"][0]["code"];
        ensure!(
            event["resourceType"] == "AuditEvent" && purpose == PURPOSE,
            "{event}"
        );
        ensure!(
            agent == ORGANIZATION || agent == "Another Cephalometry Ltd",
            "{event}"
        );
    }
    ensure!(
        events
            .iter()
            .any(|event| event["agent"][1]["who"]["display"] == ORGANIZATION),
        "what was told under the first contract is told under another one"
    );
    ensure!(answer.said.contains(other), "who was merged is not accounted for");
    let csv = practice.run(&[&words[..], &["--format", "csv"]].concat()).await?;
    ensure!(
        csv.said.split_terminator("\r\n").count() > events.len(),
        "{}",
        csv.said
    );
    as_a_spreadsheet_reads_it(&csv.said, events.len())?;
    let text = practice.run(&words).await?;
    let lines = text.said.lines().filter(|line| line.chars().count() > 100);
    ensure!(lines.count() == 0, "a line is too wide to be read: {}", text.said);
    ensure!(
        text.said.contains(BASIS) && text.said.contains("operations (HOPERAT)"),
        "{}",
        text.said
    );
    Ok(())
}

/// Another reader than ours finds as many cells in each line as there are headings, and in them what was asked for.
fn as_a_spreadsheet_reads_it(csv: &str, lines: usize) -> Result<()> {
    let script = "import csv, json, sys; json.dump(list(csv.DictReader(sys.stdin, strict=True)), sys.stdout)";
    let mut python = Command::new("python3")
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("python3 does not start")?;
    let mut input = python.stdin.take().context("python3 reads nothing")?;
    input.write_all(csv.as_bytes())?;
    drop(input);
    let output = python.wait_with_output()?;
    ensure!(
        output.status.success(),
        "Python's csv module cannot read it: {csv}"
    );
    let rows: Vec<Value> = serde_json::from_slice(&output.stdout)?;
    ensure!(rows.len() == lines, "{} lines instead of {lines}", rows.len());
    for row in &rows {
        let cells = row.as_object().context("no row")?;
        // What is too many or too few has the key or the value null.
        ensure!(cells.len() == 13 && cells.values().all(Value::is_string), "{row}");
        let date = row["date"].as_str().context("no date")?;
        ensure!(date.len() >= 20 && date.ends_with('Z'), "{date}");
        ensure!(row["purpose"] == PURPOSE && row["recipient"] != "", "{row}");
    }
    Ok(())
}
