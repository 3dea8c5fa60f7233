//! kill -9 of the broker: at every place on the way of a change, and at any time under load. Its nats-server goes with it.

use crate::faults::evidence::{Allowed, Writes};
use crate::faults::load::Load;
use crate::faults::stage::{Outcome, Stage, plan};
use anyhow::{Context as _, Result, ensure};
use archwire_opendental_simulator::Fault;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rustix::process::{Pid, Signal, kill_process};
use std::fmt::{self, Display, Formatter};
use std::os::unix::process::ExitStatusExt as _;
use std::time::Duration;
use tokio::time::sleep;

/// The places on the way of a change at which a debug build of the broker can be had to kill itself, in their order.
pub const PLACES: [&str; 11] = [
    "observed",
    "identified",
    "appended",
    "handed-out",
    "looked",
    "creating-noted",
    "delivered",
    "read-back",
    "settled",
    "acked",
    "cursor-stored",
];

/// The place that only a delivery reaches which a person has to look at.
pub const PARKED: &str = "parked";

/// How long a place may take to be reached under load: while a creation is in doubt, a reading of unknown records waits 20 s, and
/// comes again.
const LONGEST_WAY: Duration = Duration::from_secs(120);
/// The same where the kill may as well come from outside.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// How much is done.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Kills.
    pub kills: usize,
    /// Decides who does what, and when who is killed.
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
            kills: 8,
            seed,
            people: 60,
            workers: 4,
        }
    }
}

/// How the broker is killed.
#[derive(Debug, Clone, Copy)]
enum Blow {
    /// By itself, at a place.
    Place(&'static str, u32),
    /// So long after it got ready.
    AtWork(Duration),
    /// So long after its start, ready or not.
    Starting(Duration),
    /// Its nats-server so long after it got ready, and then the broker so long after that.
    ServerFirst(Duration, Duration),
}

impl Blow {
    fn thrown(dice: &mut ChaCha8Rng) -> Self {
        let mut within = |milliseconds| Duration::from_millis(dice.random_range(0..milliseconds));
        let (short, long) = (within(700), within(1_500));
        match dice.random_range(0..8) {
            0..4 => {
                let place = PLACES.choose(dice).copied().unwrap_or("appended");
                Self::Place(place, dice.random_range(1..12))
            }
            4..6 => Self::AtWork(long),
            6 => Self::Starting(short),
            _ => Self::ServerFirst(long, short),
        }
    }
}

impl Display for Blow {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Place(place, times) => write!(f, "at {place}, time {times}"),
            Self::AtWork(after) => write!(f, "{after:?} after it was ready"),
            Self::Starting(after) => write!(f, "{after:?} after its start"),
            Self::ServerFirst(server, broker) => {
                write!(
                    f,
                    "{broker:?} after its nats-server, {server:?} after it was ready"
                )
            }
        }
    }
}

/// Kills at times and places that the seed decides, under load.
///
/// # Errors
/// With everything that the checker found.
pub async fn at_random(size: Size) -> Result<Outcome> {
    let mut stage = Stage::open(plan().in_flight(4), size.seed, size.people).await?;
    let mut load = Load::begin(&stage.town, size.workers, size.seed);
    let mut dice = ChaCha8Rng::seed_from_u64(size.seed);
    let mut unreached = 0;
    println!("kills: seed {}", size.seed);
    for number in 1..=size.kills {
        let blow = Blow::thrown(&mut dice);
        let reached = strike(&mut stage, blow)
            .await
            .with_context(|| format!("kill {number}: {blow}"))?;
        unreached += usize::from(!reached);
        let (answers, entered) = (stage.town.answers(), stage.town.expected().len());
        println!(
            "kill {number}/{}: {blow}; {entered} people, {answers} answers so far",
            size.kills
        );
        if load.has_failed() {
            break;
        }
    }
    stage.practice.start_broker().await?;
    load.end().await?;
    let allowed = Allowed {
        writes: Writes::PerRevision { repeated: size.kills },
        ..Allowed::default()
    };
    let mut outcome = stage.finish(&allowed).await?;
    let note = format!(
        "{} kills, {unreached} places not reached in time, seed {}",
        size.kills, size.seed
    );
    outcome.notes.push(note);
    Ok(outcome)
}

/// Starts the broker and kills it. Tells whether it was where the blow wanted it.
async fn strike(stage: &mut Stage, blow: Blow) -> Result<bool> {
    let seat = stage.practice.seat_mut();
    match blow {
        Blow::Place(place, times) => {
            seat.begin_to_end_at(Some(&format!("{place}:{times}")))?;
            if let Some(status) = seat.ended_within(LONGEST_WAIT).await? {
                ensure!(status.signal() == Some(9), "the broker ended with {status}");
                return Ok(true);
            }
            seat.kill().await?;
            return Ok(false);
        }
        Blow::AtWork(after) => {
            seat.start().await?;
            sleep(after).await;
        }
        Blow::Starting(after) => {
            seat.begin()?;
            sleep(after).await;
        }
        Blow::ServerFirst(server, broker) => {
            seat.start().await?;
            sleep(server).await;
            kill(seat.nats_pid()?)?;
            sleep(broker).await;
        }
    }
    stage.practice.kill_broker().await?;
    Ok(true)
}

/// kill -9 of a process that somebody else waits for.
pub(super) fn kill(pid: u32) -> Result<()> {
    let pid = Pid::from_raw(i32::try_from(pid)?).context("no process id")?;
    kill_process(pid, Signal::KILL).context("the process cannot be killed")
}

/// Kills once or more often at every place on the way of a change.
///
/// # Errors
/// When a place is not reached, and with everything that the checker found.
pub async fn at_every_place(size: Size) -> Result<Outcome> {
    let mut stage = Stage::open(plan().in_flight(2), size.seed, size.people).await?;
    let load = Load::begin(&stage.town, size.workers, size.seed);
    let mut dice = ChaCha8Rng::seed_from_u64(size.seed);
    println!("every place: seed {}", size.seed);
    let rounds = size.kills.div_ceil(PLACES.len());
    for place in (0..rounds).flat_map(|_| PLACES) {
        // Readings come rarely while many records are being made.
        let times = match place {
            "cursor-stored" => 1,
            _ => dice.random_range(1..4),
        };
        let seat = stage.practice.seat_mut();
        seat.begin_to_end_at(Some(&format!("{place}:{times}")))?;
        let ended = seat.ended_within(LONGEST_WAY).await?;
        let status = ended.with_context(|| format!("{place} is not reached {times} times"))?;
        ensure!(
            status.signal() == Some(9),
            "{place}: the broker ended with {status}"
        );
        println!("killed at {place}, time {times}");
    }
    stage.practice.start_broker().await?;
    load.end().await?;
    stage.settled().await?;
    while_parking(&mut stage).await?;
    let allowed = Allowed {
        writes: Writes::PerRevision {
            repeated: rounds * PLACES.len(),
        },
        ..Allowed::default()
    };
    stage.finish(&allowed).await
}

/// Kills when a delivery has been put aside for a person, and then has the next change of the patient bring everything.
async fn while_parking(stage: &mut Stage) -> Result<()> {
    let (number, _) = stage
        .town
        .expected()
        .first()
        .cloned()
        .context("nobody is there")?;
    let pat_num = stage.town.pat_num(number)?.context("the office has nobody")?;
    stage.practice.stop_broker().await?;
    stage
        .office()
        .set_fault(Fault::status(400).on("PUT", &format!("/patients/{pat_num}")));
    stage
        .practice
        .seat_mut()
        .begin_to_end_at(Some(&format!("{PARKED}:1")))?;
    ensure!(
        stage.town.correct(number).await?,
        "the vendor does not know the person"
    );
    let ended = stage.practice.seat_mut().ended_within(LONGEST_WAY).await?;
    ended.context("nothing is parked")?;
    println!("killed at {PARKED}");
    stage.practice.start_broker().await?;
    stage.office().clear_faults();
    ensure!(
        stage.town.correct(number).await?,
        "the vendor does not know the person"
    );
    Ok(())
}
