//! A subscription's name has one reader and a place of its own.

use crate::support::{Scene, VENDOR};
use anyhow::{Context as _, Result, ensure};
use archwire_client::{Start, SubscribeOptions};
use archwire_tests::eventually;

#[tokio::test]
async fn a_second_reader_of_the_same_name_ends_the_first() -> Result<()> {
    let mut scene = Scene::open().await?;
    scene.type_in(1);
    scene.settled().await?;
    let client = scene.practice.vendor(VENDOR).await?;
    let mut first = client.subscribe(SubscribeOptions::new("same-name"));
    first.next().await?.context("no event")?;
    let mut second = client.subscribe(SubscribeOptions::new("same-name"));
    second.next().await?.context("no event")?;
    let error = first.next().await.expect_err("its place is taken");
    assert_eq!(error.code(), "subscription_replaced");
    ensure!(
        !error.is_retryable(),
        "two readers that both came back would end each other for ever"
    );
    scene.type_in(1);
    second.next().await?.context("the second one goes on")?;
    Ok(())
}

#[tokio::test]
async fn a_subscription_goes_on_where_it_was_acknowledged_also_after_a_kill() -> Result<()> {
    let mut scene = Scene::open().await?;
    scene.type_in(5);
    scene.settled().await?;
    let client = scene.practice.vendor(VENDOR).await?;
    let mut reader = client.subscribe(SubscribeOptions::new("durable"));
    let mut came = Vec::new();
    for _ in 0..3 {
        came.push(reader.next().await?.context("no event")?);
    }
    reader.ack(&came[1]);
    reader.close().await;
    scene.practice.kill_broker().await?;
    scene.practice.start_broker().await?;
    let mut reader = client.subscribe(SubscribeOptions::new("durable"));
    let next = reader.next().await?.context("no event")?.sequence;
    ensure!(
        next == came[2].sequence,
        "it goes on with {next}, acknowledged was {}",
        came[1].sequence
    );
    Ok(())
}

#[tokio::test]
async fn a_subscription_that_starts_with_what_is_new_shows_nothing_old() -> Result<()> {
    let mut scene = Scene::open().await?;
    scene.type_in(3);
    scene.settled().await?;
    let client = scene.practice.vendor(VENDOR).await?;
    let mut options = SubscribeOptions::new("only-new");
    options.start = Start::New;
    let mut reader = client.subscribe(options);
    let old = scene.vendor.events();
    let watching = tokio::spawn(async move { reader.next().await });
    // The place is taken when the stream is open, of which the reader hears nothing; so somebody is typed in until it
    // is heard of.
    eventually("the reader hears of somebody", async || {
        scene.type_in(1);
        scene.settled().await?;
        ensure!(watching.is_finished(), "not yet");
        Ok(())
    })
    .await?;
    let delivery = watching.await??.context("no event")?;
    let first_new = delivery.event.patient.unwrap_or_default();
    let position = scene
        .people
        .iter()
        .position(|fields| archwire_tests::wire_patient(fields).names == first_new.names);
    ensure!(
        position.is_some_and(|position| position as u64 >= old),
        "somebody of before the opening was shown"
    );
    Ok(())
}
