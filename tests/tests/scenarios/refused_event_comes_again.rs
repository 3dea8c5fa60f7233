//! What a vendor's program cannot take now comes again, also when the broker is killed meanwhile.

use crate::support::{Scene, VENDOR};
use anyhow::{Context as _, Result, ensure};
use archwire_client::{Start, SubscribeOptions, Subscription};
use std::time::Duration;

const DELAY: Duration = Duration::from_secs(1);
/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(3600);

async fn next(reader: &mut Subscription) -> Result<archwire_client::Delivery> {
    let delivery = tokio::time::timeout(Duration::from_secs(60), reader.next()).await;
    delivery.context("nothing comes")??.context("it has ended")
}

#[tokio::test]
async fn a_refused_event_comes_again_and_holds_nobody_else_up() -> Result<()> {
    let mut scene = Scene::open().await?;
    scene.type_in(4);
    scene.settled().await?;
    let client = scene.practice.vendor(VENDOR).await?;
    let mut reader = client.subscribe(SubscribeOptions::new("refuses"));
    let refused = next(&mut reader).await?;
    reader.nack(&refused, DELAY);
    let mut others = 0;
    loop {
        let delivery = next(&mut reader).await?;
        reader.ack(&delivery);
        if delivery.sequence == refused.sequence {
            ensure!(delivery.redeliveries == 1, "{} times", delivery.redeliveries);
            break;
        }
        others += usize::from(delivery.event.patient_id != refused.event.patient_id);
    }
    ensure!(others >= 3, "{others} events of others came meanwhile");
    Ok(())
}

#[tokio::test]
async fn a_kill_of_the_broker_forgets_the_delay_and_not_the_event() -> Result<()> {
    let mut scene = Scene::open().await?;
    scene.type_in(4);
    scene.settled().await?;
    let client = scene.practice.vendor(VENDOR).await?;
    let mut reader = client.subscribe(SubscribeOptions::new("refuses"));
    let refused = next(&mut reader).await?;
    reader.nack(&refused, LONG);
    let second = next(&mut reader).await?.sequence;
    for _ in 0..2 {
        let delivery = next(&mut reader).await?;
        reader.ack(&delivery);
    }
    scene.practice.kill_broker().await?;
    scene.practice.start_broker().await?;
    let again = next(&mut reader).await?;
    ensure!(
        again.sequence == refused.sequence,
        "it goes on with {}, {} was refused",
        again.sequence,
        refused.sequence
    );
    // A cursor holds for the broker that was started since.
    let mut other = client.subscribe(SubscribeOptions {
        start: Start::Cursor(refused.cursor),
        ..SubscribeOptions::new("elsewhere")
    });
    let next = next(&mut other).await?.sequence;
    ensure!(next == second, "behind the cursor comes {next}, not {second}");
    Ok(())
}
