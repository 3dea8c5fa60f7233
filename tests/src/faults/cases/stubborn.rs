//! One patient whose record cannot be written, whatever is tried, among many whose can.

use crate::eventually;
use crate::faults::evidence::{Allowed, Writes};
use crate::faults::load::{correct, register};
use crate::faults::stage::{Outcome, Stage, plan};
use anyhow::{Context as _, Result, ensure};
use archwire_opendental_simulator::{Fault, Handle};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

/// Who is never written.
const STUBBORN: usize = 0;
/// How much the broker's memory may grow while everything goes on: what waits is a sequence a patient, not an event.
const MOST_GROWTH_KIB: u64 = 48 * 1024;
/// Between two looks at the memory.
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// How much is done.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Patients.
    pub patients: usize,
    /// Events of all of them.
    pub events: usize,
}

impl Size {
    /// The short form.
    #[must_use]
    pub fn short() -> Self {
        Self {
            patients: 100,
            events: 1_000,
        }
    }
}

/// The writes of one patient always fail, at every attempt, while everybody is changed again and again: all others are
/// complete while that one is not.
///
/// # Errors
/// With everything that the checker found, and when somebody else waits or the broker's memory grows.
pub async fn one_of_many(size: Size) -> Result<Outcome> {
    let stage = Stage::start(plan().in_flight(8), 7, size.patients).await?;
    register(&stage.town, 0..size.patients).await?;
    stage.settled().await?;
    let pat_num = stage.town.pat_num(STUBBORN)?.context("the office has nobody")?;
    let path = format!("/patients/{pat_num}");
    stage.office().set_fault(Fault::status(500).on("PUT", &path));
    let (before, _) = stage.memory();
    let memory = Memory::watch(&stage)?;
    correct(&stage.town, [STUBBORN]).await?;
    eventually("the first write has failed", async || {
        ensure!(failures(stage.office()) > 0, "not yet");
        Ok(())
    })
    .await?;
    let begun = Instant::now();
    for _ in 0..size.events / size.patients {
        correct(&stage.town, 0..size.patients).await?;
    }
    let published = begun.elapsed();
    let others = stage.settled_but(&[STUBBORN]).await?;
    let fastest = lone_change(&stage, 1).await?;
    let failed = failures(stage.office());
    let written = stage.office().changes().into_iter();
    let of_the_stubborn = written.filter(|change| change.pat_num == pat_num && change.method == "PUT");
    ensure!(
        of_the_stubborn.count() == 0,
        "the office took what it should refuse"
    );
    let most = memory.most();
    stage.office().clear_faults();
    println!(
        "{} events published in {published:.1?}; the others complete {others:.1?} later, after {failed} failures of the one; \
         a change of another one takes {fastest:.1?}; broker {before} KiB before, at most {most} KiB",
        size.events
    );
    ensure!(
        most < before + MOST_GROWTH_KIB,
        "the broker's memory grew from {before} to {most} KiB"
    );
    let allowed = Allowed {
        writes: Writes::PerRevision { repeated: 0 },
        ..Allowed::default()
    };
    let mut outcome = stage.finish(&allowed).await?;
    outcome.notes.push(format!(
        "the others complete {others:.1?} after the last event, one change {fastest:.1?}, broker {before} to {most} KiB"
    ));
    Ok(outcome)
}

/// From the publishing of a change until the office shows it.
async fn lone_change(stage: &Stage, number: usize) -> Result<Duration> {
    let pat_num = stage.town.pat_num(number)?;
    let mark = stage.office().changes().len() as u64;
    let begun = Instant::now();
    correct(&stage.town, [number]).await?;
    eventually("the office has the change", async || {
        let changes = stage.office().changes_after(mark);
        let is_theirs = changes.iter().any(|change| Some(change.pat_num) == pat_num);
        ensure!(is_theirs, "not yet");
        Ok(())
    })
    .await?;
    Ok(begun.elapsed())
}

/// How often a write was answered by the fault.
fn failures(office: &Handle) -> usize {
    let requests = office.requests();
    let failed = requests
        .iter()
        .filter(|request| request.method == "PUT" && request.fault.is_some());
    failed.count()
}

/// The most memory that the broker was seen to hold.
struct Memory {
    most: Arc<AtomicU64>,
    watcher: JoinHandle<()>,
}

impl Memory {
    fn watch(stage: &Stage) -> Result<Self> {
        let pid = stage.practice.broker_pid()?;
        let most = Arc::new(AtomicU64::new(0));
        let seen = Arc::clone(&most);
        let watcher = tokio::spawn(async move {
            while let Some(now) = crate::process::resident_kib(pid) {
                seen.fetch_max(now, Ordering::Relaxed);
                sleep(BETWEEN_LOOKS).await;
            }
        });
        Ok(Self { most, watcher })
    }

    fn most(&self) -> u64 {
        self.most.load(Ordering::Relaxed)
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.watcher.abort();
    }
}
