//! The vendor's API is off the network for a day, and work goes on without it.

use crate::faults::evidence::{Allowed, Writes};
use crate::faults::load::{correct, register};
use crate::faults::stage::{Outcome, Stage, plan};
use anyhow::Result;
use archwire_opendental_simulator::Fault;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// For how long the office's own clock runs while it is away.
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// How much is done.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Patients, half of whom the office does not have yet when it goes away.
    pub patients: usize,
    /// Changes that wait for it when it comes back.
    pub changes: usize,
    /// Who they are.
    pub seed: u64,
}

impl Size {
    /// The short form.
    #[must_use]
    pub fn short() -> Self {
        Self {
            patients: 100,
            changes: 1_000,
            seed: 4,
        }
    }
}

/// An office that is away for a day by its own clock, with this many changes of this many patients waiting: afterwards each
/// patient costs at most one write, and the creation where the office did not have them.
///
/// # Errors
/// With everything that the checker found.
pub async fn for_a_day(size: Size) -> Result<Outcome> {
    let stage = Stage::start(plan().in_flight(8), size.seed, size.patients).await?;
    let known = size.patients / 2;
    register(&stage.town, 0..known).await?;
    stage.settled().await?;
    let mark = stage.office().changes().len() as u64;
    stage.office().set_reachable(false);
    let away = Instant::now();
    let mut publishing = register(&stage.town, known..size.patients).await?;
    for _ in 0..size.changes / size.patients {
        publishing += correct(&stage.town, 0..size.patients).await?;
    }
    // People in the office work on, and what they typed comes with the first reading.
    for number in (0..known).step_by(10) {
        stage.town.retype(number)?;
    }
    stage.office().clock().advance(DAY);
    let (broker, nats) = stage.memory();
    println!(
        "{} changes published in {publishing:.1?}, away for {:.1?}, broker {broker} KiB, nats-server {nats} KiB",
        size.changes,
        away.elapsed()
    );
    stage.office().set_reachable(true);
    let allowed = Allowed {
        writes: Writes::AtMost {
            times: 1,
            after: mark,
        },
        ..Allowed::default()
    };
    let mut outcome = stage.finish(&allowed).await?;
    outcome
        .notes
        .push(format!("broker at most {broker} KiB while the office was away"));
    Ok(outcome)
}

/// An office that answers 500 to everything for so long, with one change of each patient waiting: nothing is given up, whatever
/// the outage looks like, and afterwards each patient costs at most one write and the creation.
///
/// # Errors
/// With everything that the checker found.
pub async fn of_errors(patients: usize, lasting: Duration) -> Result<Outcome> {
    let stage = Stage::start(plan().in_flight(4), 9, patients).await?;
    let known = patients.div_ceil(2);
    register(&stage.town, 0..known).await?;
    stage.settled().await?;
    let mark = stage.office().changes().len() as u64;
    stage.office().set_fault(Fault::status(500));
    register(&stage.town, known..patients).await?;
    correct(&stage.town, 0..patients).await?;
    sleep(lasting).await;
    let failed = stage
        .office()
        .requests()
        .iter()
        .filter(|request| request.fault.is_some())
        .count();
    stage.office().clear_faults();
    let allowed = Allowed {
        writes: Writes::AtMost {
            times: 1,
            after: mark,
        },
        ..Allowed::default()
    };
    let mut outcome = stage.finish(&allowed).await?;
    outcome
        .notes
        .push(format!("{failed} requests failed in {lasting:.0?}"));
    Ok(outcome)
}
