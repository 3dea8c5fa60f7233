//! The NATS server is killed, or is away for a while, under a broker that goes on.

use super::kills::kill;
use crate::eventually;
use crate::faults::evidence::{Allowed, Writes};
use crate::faults::load::Load;
use crate::faults::stage::{Outcome, Stage, plan};
use anyhow::{Context as _, Result, ensure};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Between the return of a server and its next death.
const LONGEST_LIFE: Duration = Duration::from_millis(1_500);

/// How much is done.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// How often the server dies.
    pub times: usize,
    /// How long it is away, where it does not come back by itself.
    pub away: Duration,
    /// Decides who does what, and when the server dies.
    pub seed: u64,
    /// Patients.
    pub people: usize,
    /// People at work.
    pub workers: usize,
}

impl Size {
    /// The short form.
    #[must_use]
    pub fn short(seed: u64) -> Self {
        Self {
            times: 3,
            away: Duration::from_secs(8),
            seed,
            people: 60,
            workers: 4,
        }
    }
}

/// How a server is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absence {
    /// It stands still, with its connections open.
    Frozen,
    /// It was killed, and is started again on the same store.
    Killed,
}

/// kill -9 of the broker's own server, several times. Ten deaths without a minute of health in between are too many for its
/// supervision.
///
/// # Errors
/// With everything that the checker found.
pub async fn own_server_is_killed(size: Size) -> Result<Outcome> {
    let stage = Stage::start(plan().in_flight(4), size.seed, size.people).await?;
    let broker = stage.practice.broker_pid()?;
    let load = Load::begin(&stage.town, size.workers, size.seed);
    let mut dice = ChaCha8Rng::seed_from_u64(size.seed);
    println!("nats-server killed: seed {}", size.seed);
    for number in 1..=size.times {
        sleep(dice.random_range(Duration::ZERO..LONGEST_LIFE)).await;
        let killed = stage.practice.nats_pid()?;
        kill(killed)?;
        eventually("another nats-server is started", async || {
            let pid = stage.practice.nats_pid()?;
            ensure!(pid != killed, "not yet");
            Ok(())
        })
        .await?;
        let answers = stage.town.answers();
        println!("death {number}/{}, {answers} answers so far", size.times);
        goes_on(&stage, answers).await?;
    }
    load.end().await?;
    ensure!(stage.practice.broker_pid()? == broker, "the broker did not go on");
    stage.finish(&allowed(size.times)).await
}

/// A server that is not the broker's own is away for so long, as often as that.
///
/// # Errors
/// With everything that the checker found.
pub async fn server_is_away(size: Size, absence: Absence) -> Result<Outcome> {
    let mut stage = Stage::start(plan().in_flight(4).external_nats(), size.seed, size.people).await?;
    let broker = stage.practice.broker_pid()?;
    let load = Load::begin(&stage.town, size.workers, size.seed);
    println!("NATS away, {absence:?}: seed {}", size.seed);
    let mut back = Vec::new();
    for _ in 0..size.times {
        let before = stage.town.answers();
        goes_on(&stage, before).await?;
        let server = stage.practice.nats_server()?;
        match absence {
            Absence::Frozen => server.freeze().await?,
            Absence::Killed => server.kill()?,
        }
        sleep(size.away).await;
        let answers = stage.town.answers();
        let again = Instant::now();
        let server = stage.practice.nats_server()?;
        match absence {
            Absence::Frozen => server.thaw()?,
            Absence::Killed => server.start_again().await?,
        }
        goes_on(&stage, answers).await?;
        println!("away for {:?}, {answers} answers so far", size.away);
        back.push(again.elapsed());
    }
    load.end().await?;
    ensure!(stage.practice.broker_pid()? == broker, "the broker did not go on");
    let mut outcome = stage.finish(&allowed(size.times)).await?;
    outcome.notes.push(format!("publishing goes on {back:.1?} later"));
    Ok(outcome)
}

/// Waits until the bus takes something again.
async fn goes_on(stage: &Stage, answers: usize) -> Result<()> {
    eventually("the bus takes what is published", async || {
        ensure!(
            stage.town.answers() > answers + 20,
            "{} answers",
            stage.town.answers()
        );
        Ok(())
    })
    .await
    .context("publishing does not go on")
}

fn allowed(times: usize) -> Allowed {
    Allowed {
        writes: Writes::PerRevision { repeated: times },
        ..Allowed::default()
    }
}
