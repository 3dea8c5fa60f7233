//! There is no room left: the log has reached its size, or the disk is full.

use crate::eventually;
use crate::faults::disk::Disk;
use crate::faults::evidence::{Allowed, Writes};
use crate::faults::load::{self, Load};
use crate::faults::stage::{Outcome, Stage, VENDOR, plan};
use crate::faults::town::Town;
use anyhow::{Context as _, Result, anyhow, bail, ensure};
use archwire_client::{PublishError, Publisher};
use archwire_nats::{ByteSize, Credentials, ExternalConfig, Log, LogConfig};
use std::time::Duration;
use tokio::time::Instant;

/// How long the vendor that probes waits for an answer.
const LONGEST_ANSWER: Duration = Duration::from_secs(3);
/// What the log may grow to again: more than any run writes.
const ROOM: ByteSize = ByteSize::mebibytes(320);
/// Of a disk that is too small.
const MEBIBYTES: u64 = 48;

/// The log reaches its size while so many people are registered; then it may grow. The broker goes on throughout.
///
/// # Errors
/// When publishing is not refused as it should, and with everything that the checker found.
pub async fn log_is_full(people: usize) -> Result<Outcome> {
    let stage = Stage::start(plan().in_flight(8).external_nats(), 5, people + 1).await?;
    let probe = Probe::of(&stage, people).await?;
    let broker = stage.practice.broker_pid()?;
    load::register(&stage.town, 0..people / 10).await?;
    stage.settled().await?;
    let limit = smallest_limit(&stage).await?;
    let town = stage.town.clone();
    let registering = tokio::spawn(async move { load::register(&town, people / 10..people).await });
    let code = probe.refused().await?;
    ensure!(code == "append_full", "publishing is refused as {code}");
    let answers = stage.town.answers();
    println!("full at {limit} MiB after {answers} answers: {code}");
    ensure!(
        !registering.is_finished(),
        "everybody was taken although the log is full"
    );
    let again = Instant::now();
    resize(&stage, ROOM).await?;
    probe.taken().await?;
    let again = again.elapsed();
    registering.await??;
    ensure!(stage.practice.broker_pid()? == broker, "the broker did not go on");
    let mut outcome = stage.finish(&Allowed::default()).await?;
    outcome.notes.push(format!(
        "refused as {code}; publishing goes on {again:.1?} after there was room"
    ));
    Ok(outcome)
}

/// Waits until a publisher has been told that its observation was not taken; with which code.
async fn not_taken(stage: &Stage) -> Result<String> {
    eventually("publishing is refused", async || {
        let refusals = stage
            .practice
            .logs()?
            .about("an observation of a vendor was not taken");
        let last = refusals.last().context("nothing was refused yet")?;
        let code = last.get("code").and_then(|code| code.as_str());
        Ok(code.context("a refusal without a code")?.to_owned())
    })
    .await
}

/// Makes the log so small that hardly anything fits any more. Tells how many MiB that is.
async fn smallest_limit(stage: &Stage) -> Result<u64> {
    for mebibytes in 1..256 {
        if resize(stage, ByteSize::mebibytes(mebibytes)).await.is_ok() {
            return Ok(mebibytes);
        }
    }
    bail!("the log cannot be made smaller")
}

async fn resize(stage: &Stage, size: ByteSize) -> Result<()> {
    let external = ExternalConfig {
        url: stage
            .practice
            .nats_url()
            .context("the broker runs its own server")?,
        credentials: Credentials::None,
        root_certificate: None,
        connect_timeout: Duration::from_secs(10),
    };
    let connection = external.connect().await?;
    let opened = Log::open(
        &connection,
        &stage.practice.name().parse()?,
        &LogConfig::new(size),
    )
    .await;
    connection.close().await;
    Ok(opened.map(drop)?)
}

/// The disk fills up under load; then there is room again. A nats-server (2.15.1) that could not write once refuses every
/// later write to that stream, whatever room there is, until it is started again: its supervision does that, and the broker
/// goes on.
///
/// # Errors
/// When publishing is not refused as it should, or does not go on, and with everything that the checker found. `None` where
/// no disk can be had.
pub async fn disk_is_full(people: usize) -> Result<Option<Outcome>> {
    if let Some(obstacle) = Disk::obstacle() {
        println!("not shown here: {obstacle}");
        return Ok(None);
    }
    let plan = plan().in_flight(4).own_disk(MEBIBYTES);
    let mut stage = Stage::start(plan, 6, people + 1).await?;
    let probe = Probe::of(&stage, people).await?;
    let load = Load::begin_with(&stage.town, 4, 6, people);
    eventually("people are at work", async || {
        ensure!(stage.town.answers() > 20, "{}", stage.town.answers());
        Ok(())
    })
    .await?;
    stage.practice.disk()?.fill()?;
    let code = not_taken(&stage).await?;
    stage.practice.seat().said("nats-server").await?;
    ensure!(
        stage.practice.logs()?.text().contains("no space left on device"),
        "the log does not say what is wrong"
    );
    let answers = stage.town.answers();
    println!("full after {answers} answers: {code}");
    stage.practice.disk()?.make_room()?;
    let again = Instant::now();
    let broker = stage.practice.broker_pid()?;
    probe.taken().await.context("after there was room")?;
    ensure!(stage.practice.broker_pid()? == broker, "the broker did not go on");
    let again = again.elapsed();
    load.end().await?;
    let allowed = Allowed {
        writes: Writes::PerRevision { repeated: 2 },
        ..Allowed::default()
    };
    let mut outcome = stage.finish(&allowed).await?;
    outcome.notes.push(format!(
        "refused as {code}; publishing goes on {again:.1?} after there was room"
    ));
    Ok(Some(outcome))
}

/// Somebody whom nobody else sees to, and a publisher that does not wait long.
struct Probe {
    town: Town,
    number: usize,
    publisher: Publisher,
}

impl Probe {
    async fn of(stage: &Stage, number: usize) -> Result<Self> {
        let town = stage.town.clone();
        town.register(number).await?;
        let vendor = stage.practice.vendor(VENDOR).await?;
        Ok(Self {
            town,
            number,
            publisher: vendor.publisher_with_deadline(LONGEST_ANSWER),
        })
    }

    /// Publishes news until it is refused; tells the reason's code.
    async fn refused(&self) -> Result<String> {
        eventually("publishing is refused", async || {
            match self.town.correct_by(self.number, &self.publisher).await {
                Err(PublishError::Refused(refusal)) => Ok(refusal.code),
                Err(error) => bail!("not refused, but {}", error.code()),
                Ok(()) => bail!("it is taken"),
            }
        })
        .await
    }

    /// Publishes the same news until it is taken.
    async fn taken(&self) -> Result<()> {
        eventually("publishing goes on", async || {
            let taken = self.town.correct_by(self.number, &self.publisher).await;
            taken.map_err(|error| anyhow!("it is not taken: {}", error.code()))
        })
        .await
    }
}
