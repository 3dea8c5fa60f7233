//! How the broker ends.

use crate::support::{Scene, VENDOR};
use anyhow::{Context as _, Result, ensure};
use archwire_client::SubscribeOptions;
use archwire_opendental_simulator::Fault;
use archwire_tests::{creations, eventually, process};
use std::time::Duration;

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_broker_that_is_killed_takes_its_nats_server_with_it() -> Result<()> {
    let mut scene = Scene::open().await?;
    let nats_server = scene.practice.nats_pid()?;
    ensure!(process::runs(nats_server));
    scene.practice.kill_broker().await?;
    eventually("nats-server is gone", async || {
        ensure!(!process::runs(nats_server), "process {nats_server} still runs");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_broker_that_is_asked_to_stop_takes_its_address_away_and_exits_with_0() -> Result<()> {
    let mut scene = Scene::open().await?;
    let address = scene.practice.data_folder().join("api.address");
    let written = std::fs::read_to_string(&address)?;
    ensure!(
        written == format!("127.0.0.1:{}\n", scene.practice.port()),
        "the address file says where the API is"
    );
    let nats_server = scene.practice.nats_pid().ok();
    scene.practice.stop_broker().await?;
    ensure!(!address.exists(), "the address is still there");
    ensure!(!nats_server.is_some_and(process::runs), "nats-server still runs");
    Ok(())
}

#[tokio::test]
async fn a_stop_ends_open_subscriptions_and_does_not_wait_for_them() -> Result<()> {
    let mut scene = Scene::open().await?;
    let client = scene.practice.vendor(VENDOR).await?;
    let mut subscription = client.subscribe(SubscribeOptions::new("open-all-the-time"));
    scene.type_in(1);
    subscription.next().await?.context("no event")?;
    let began = std::time::Instant::now();
    scene.practice.stop_broker().await?;
    ensure!(
        began.elapsed() < Duration::from_secs(15),
        "it took {:?}",
        began.elapsed()
    );
    scene.practice.start_broker().await?;
    scene.type_in(1);
    // The subscriber comes back by itself.
    while subscription.next().await?.context("no event")?.sequence < 2 {}
    scene.settled().await
}

#[tokio::test]
async fn a_delivery_that_is_under_way_when_the_broker_stops_is_finished() -> Result<()> {
    let mut scene = Scene::open().await?;
    let delay = Fault::delay(Duration::from_secs(1)).after_applying();
    scene.office().set_fault(delay.on("POST", "/patients").times(1));
    scene.register(1).await?;
    eventually("the creation is under way", async || {
        ensure!(!creations(scene.office()).is_empty(), "not yet");
        Ok(())
    })
    .await?;
    scene.practice.stop_broker().await?;
    let requests = scene.office().requests();
    let post = requests
        .iter()
        .find(|request| request.method == "POST")
        .context("no POST")?;
    ensure!(post.status == Some(201), "the broker did not wait for the answer");
    scene.practice.start_broker().await?;
    scene.settled().await?;
    scene.created(1)
}
