//! How much the audit takes of somebody else's server: what it has beside the log, where nobody wrote how much, and nothing less than
//! it had before.

use crate::support::{Scene, whole_log};
use anyhow::{Context as _, Result, ensure};
use archwire_nats::ByteSize;
use archwire_tests::{Practice, eventually};

async fn most(practice: &Practice) -> Result<ByteSize> {
    let (connection, log) = whole_log::open(practice).await?;
    let size = log.audit_size().await?;
    connection.close().await;
    size.context("there is no audit")
}

#[tokio::test]
async fn a_server_without_so_much_room_gives_the_audit_what_it_has() -> Result<()> {
    let mut scene = Scene::with(Practice::plan().external_nats_of("3GiB")).await?;
    scene.type_in(1);
    scene.settled().await?;
    let taken = most(&scene.practice).await?;
    ensure!(
        (ByteSize::mebibytes(64)..ByteSize::gibibytes(4)).contains(&taken),
        "{taken}"
    );
    scene.practice.restart().await?;
    ensure!(most(&scene.practice).await? == taken, "a start changes it");
    eventually("the audit goes on", async || {
        let found = scene
            .practice
            .run(&["audit", "search", "--json", "--action", "broker.started"])
            .await?;
        ensure!(found.said.lines().count() == 2, "{}", found.said);
        Ok(())
    })
    .await?;
    // What somebody wrote is asked for, and nothing else.
    let text = scene.practice.configuration()?;
    scene.practice.stop_broker().await?;
    scene
        .practice
        .set_configuration(&format!("{text}\n[audit]\nmax-size = \"4GiB\"\n"))?;
    ensure!(
        scene.practice.start_broker().await.is_err(),
        "there is no such room"
    );
    ensure!(most(&scene.practice).await? == taken);
    Ok(())
}
