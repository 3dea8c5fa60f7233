//! The source's record is kept byte for byte.

use crate::support::{Scene, VENDOR};
use anyhow::{Context as _, Result, ensure};
use archwire_client::{SubscribeOptions, v1};
use archwire_opendental_simulator::Field;
use sha2::{Digest as _, Sha256};

/// The only row of the office's list, as it goes over the wire.
async fn row(scene: &Scene) -> Result<String> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let request = client.get(format!("{}/patients/Simple", scene.office().base_url()));
    let request = request.header("Authorization", scene.office().authorization());
    let text = request
        .header("Content-Type", "application/json")
        .send()
        .await?
        .text()
        .await?;
    let row = text
        .trim()
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    Ok(row.context("not a list")?.trim().to_owned())
}

fn source(event: &v1::Event) -> Result<&v1::SourceRecord> {
    let observation = event
        .observation
        .as_ref()
        .context("an event without its observation")?;
    observation
        .source
        .as_ref()
        .context("an observation without its source")
}

#[tokio::test]
async fn the_event_carries_the_bytes_that_open_dental_sent_also_after_a_kill() -> Result<()> {
    let mut scene = Scene::open().await?;
    // Rows carry the office's time.
    scene.office().clock().freeze();
    let pat_num = scene.type_in(1)[0];
    // Text that a careless program would write differently: escapes, signs beyond ASCII, numbers.
    scene
        .office()
        .front_desk()
        .set(pat_num, Field::Preferred, "Zoë \"Zo\" \u{1F9B7} \\ /")?;
    scene.settled().await?;
    let sent = row(&scene).await?;
    scene.practice.kill_broker().await?;
    scene.practice.start_broker().await?;
    let patient_id = scene.vendor.records()[0].patient_id.clone().unwrap_or_default();
    let history = scene.vendor.history(&patient_id).await?;
    let last = history.last().context("no event")?;
    let source = source(last)?;
    ensure!(
        source.data == sent.as_bytes(),
        "{} bytes sent, {} kept",
        sent.len(),
        source.data.len()
    );
    ensure!(
        source.sha256 == Sha256::digest(&sent).as_slice(),
        "the hash is of something else"
    );
    ensure!(
        source.media_type == "application/json" && source.format.starts_with("opendental/"),
        "what it is"
    );
    Ok(())
}

#[tokio::test]
async fn a_vendors_own_record_comes_out_as_it_went_in_for_every_reader() -> Result<()> {
    let scene = Scene::open().await?;
    let data: Vec<u8> = (0..=255).cycle().take(200 * 1024).collect();
    let observation = v1::Observation {
        local_id: "S-1".to_owned(),
        patient: Some(archwire_tests::wire_patient(&scene.next(1)[0])),
        source: Some(v1::SourceRecord {
            media_type: "application/octet-stream".to_owned(),
            format: "tracer/record/v1".to_owned(),
            data: data.clone().into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let client = scene.practice.vendor(VENDOR).await?;
    let receipt = client.publisher().publish(observation).await?;
    let mut subscription = client.subscribe(SubscribeOptions::new("bytes"));
    let delivery = subscription.next().await?.context("no event")?;
    ensure!(
        source(&delivery.event)?.data == data,
        "the subscription shows other bytes"
    );
    let page = client.list_events(receipt.patient_id(), 0).await?;
    ensure!(
        page.events[0].raw == delivery.raw,
        "history and subscription show the same event differently"
    );
    Ok(())
}
