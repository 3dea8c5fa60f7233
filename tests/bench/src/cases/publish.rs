//! `Publish` over gRPC against a raw publish to the same nats-server, of the same bytes.
//!
//! The bus decides who the patient is and what is new, and stores an event that holds the whole state beside the source's
//! record; the raw publish stores the observation as it comes.

use crate::{
    arguments::Settings,
    collect::Rounds,
    figure::{Budget, Figure},
    load,
    patients::{Patients, changed},
    practice::{self, VENDORS},
    raw::Raw,
    report::Measured,
    unit::{Unit, quantile, rate},
};
use anyhow::{Result, ensure};
use archwire_client::{Publisher, Receipt, v1::Observation};
use bytes::Bytes;
use prost::Message as _;
use std::time::{Duration, Instant};

/// Observations a round, one at a time and pipelined.
const SINGLY: usize = 400;
const PIPELINED: usize = 4_000;
/// The contract's most unanswered observations of a stream.
const IN_FLIGHT: usize = 256;

pub(super) async fn run(settings: &Settings) -> Result<Measured> {
    let mut practice = practice::with_vendors().await?;
    practice.start_broker().await?;
    let raw = Raw::beside(&practice).await?;
    let [vendor, ..] = VENDORS;
    let publisher = practice.vendor(vendor).await?.publisher();
    let (singly, pipelined) = (settings.sized(SINGLY), settings.sized(PIPELINED));
    let mut patients = Patients::invent(settings.rounds * (singly + pipelined));
    let (mut news, mut changes, mut many) = (Rounds::default(), Rounds::default(), Rounds::default());
    let mut writes = Vec::new();
    for round in 0..settings.rounds {
        let new = patients.next(singly)?;
        let again: Vec<_> = new.iter().map(|one| changed(one.clone(), round)).collect();
        let before = raw.writes().await?;
        let (ours, beside) = in_turns(&publisher, &raw, new).await?;
        news.add(ours, beside);
        writes.push(each(raw.writes().await?.log - before.log, singly));
        let (ours, beside) = in_turns(&publisher, &raw, again).await?;
        changes.add(ours, beside);
        let new = patients.next(pipelined)?;
        let bytes: Vec<_> = new.iter().map(encoded).collect();
        let begun = Instant::now();
        load::at_a_time(IN_FLIGHT, new, |one| publish(&publisher, one)).await?;
        let ours = rate(pipelined, begun.elapsed());
        let begun = Instant::now();
        load::at_a_time(IN_FLIGHT, bytes, |bytes| raw.publish(bytes)).await?;
        many.add(ours, rate(pipelined, begun.elapsed()));
    }
    let name = "raw publish";
    Ok(Measured {
        figures: vec![
            news.ratio(
                "Publish answered, new patient, p50",
                Unit::Seconds,
                name,
                Budget::AtMost(1.5),
            ),
            changes.ratio(
                "Publish answered, changed phone, p50",
                Unit::Seconds,
                name,
                Budget::AtMost(1.5),
            ),
            many.ratio(
                "Publish, 256 in flight, new patients",
                Unit::PerSecond,
                name,
                Budget::AtLeast(0.6),
            ),
            Figure::new("records in the log for a new patient", Unit::Count, writes),
        ],
        ..Measured::default()
    })
}

/// One of ours, one raw, and so on. Tells both medians.
async fn in_turns(publisher: &Publisher, raw: &Raw, observations: Vec<Observation>) -> Result<(f64, f64)> {
    let (mut ours, mut beside) = (Vec::<Duration>::new(), Vec::<Duration>::new());
    for observation in observations {
        let bytes = encoded(&observation);
        let begun = Instant::now();
        publish(publisher, observation).await?;
        ours.push(begun.elapsed());
        let begun = Instant::now();
        raw.publish(bytes).await?;
        beside.push(begun.elapsed());
    }
    Ok((quantile(&mut ours, 0.5), quantile(&mut beside, 0.5)))
}

async fn publish(publisher: &Publisher, observation: Observation) -> Result<()> {
    let receipt = publisher.publish(observation).await?;
    ensure!(
        matches!(receipt, Receipt::Recorded { .. }),
        "it was no news to the bus"
    );
    Ok(())
}

fn encoded(observation: &Observation) -> Bytes {
    observation.encode_to_vec().into()
}

#[allow(clippy::cast_precision_loss, reason = "a figure for people")]
fn each(records: u64, of: usize) -> f64 {
    records as f64 / of as f64
}
