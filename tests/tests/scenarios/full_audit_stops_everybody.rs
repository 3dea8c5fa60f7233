//! An audit that is full: nobody acts, and vendors are told nothing, until it may take more. Nothing is removed to make room.

use crate::support::{
    Scene, VENDOR,
    images::{code_of, noise},
    raw_bus::RawBus,
    review::WHO,
    whole_log,
};
use anyhow::{Context as _, Result, ensure};
use archwire_nats::{AppendError, AuditAppend, ByteSize};
use archwire_tests::Practice;
use std::time::{Duration, SystemTime};
use tokio::time::timeout;
use tonic::Status;

const ROOM: ByteSize = ByteSize::mebibytes(64);
/// A vendor hears within 10 s that nothing can be audited.
const PATIENCE: Duration = Duration::from_secs(15);

/// Fills the audit from beside the broker.
async fn fill(practice: &Practice) -> Result<()> {
    let (connection, log) = whole_log::open(practice).await?;
    let audit = log.audit_stream(ROOM).await?;
    for size in [512 * 1024, 16 * 1024, 256, 0] {
        for number in 0.. {
            let after = audit.last().await?.map_or(0, |last| last.sequence);
            let appended = audit.append(AuditAppend {
                id: format!("{size}-{number}"),
                kind: "filling",
                time: SystemTime::now(),
                after,
                payload: noise(number, size).into(),
            });
            match appended.await {
                Ok(_) | Err(AppendError::Conflict) => {}
                Err(AppendError::Full { .. }) => break,
                Err(error) => return Err(error.into()),
            }
        }
    }
    connection.close().await;
    Ok(())
}

fn is_refused(status: &Status) -> bool {
    code_of(status) == "audit_unavailable"
}

#[tokio::test]
async fn nobody_acts_and_vendors_are_told_nothing_until_the_audit_may_take_more() -> Result<()> {
    let plan = Practice::plan()
        .external_nats()
        .extra("[audit]\nmax-size = \"64MiB\"\n");
    let mut scene = Scene::with(plan).await?;
    scene.type_in(1);
    scene.settled().await?;
    let patient = scene
        .vendor
        .find(|_| true)?
        .patient_id
        .context("unknown to the bus")?;
    fill(&scene.practice).await?;
    let bus = RawBus::connect(&scene.practice, VENDOR).await?;
    let told = timeout(PATIENCE, bus.patient(&patient)).await?;
    let refusal = told.err().context("the vendor was told")?;
    ensure!(is_refused(&refusal), "{refusal:?}");
    let opened = timeout(PATIENCE, bus.follow("late")).await?;
    let refusal = opened.err().context("the vendor reads")?;
    let refusal = refusal
        .downcast_ref::<Status>()
        .context("it is no refusal of the bus")?;
    ensure!(is_refused(refusal), "{refusal:?}");
    let acted = scene.practice.run(&["rebuild", "--by", WHO, "--json"]).await?;
    ensure!(
        acted.code == Some(1) && acted.complained.contains("audit_unavailable"),
        "{acted:?}"
    );
    // What the practice's systems say is taken all the same.
    scene.type_in(1);
    let text = scene.practice.configuration()?;
    scene.practice.stop_broker().await?;
    scene
        .practice
        .set_configuration(&text.replace("64MiB", "128MiB"))?;
    scene.practice.start_broker().await?;
    scene.settled().await?;
    let bus = RawBus::connect(&scene.practice, VENDOR).await?;
    bus.patient(&patient).await?;
    let found = ["audit", "search", "--json", "--action", "disclosure.patient"];
    let found = scene.practice.run(&found).await?;
    ensure!(found.said.contains(&patient), "{}", found.said);
    Ok(())
}
