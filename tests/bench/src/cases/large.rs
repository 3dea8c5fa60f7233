//! A large practice with three connectors and with a record of each patient in three vendors' programs: its memory, its
//! start, and the replay of its history to a subscriber.

use crate::{
    arguments::Settings,
    collect::Rounds,
    figure::{Budget, Figure, Judged},
    load,
    patients::Patients,
    practice::{self, VENDORS, resident, resident_of_nats},
    raw::Raw,
    report::Measured,
    sink::Sink,
    unit::{Unit, rate},
};
use anyhow::{Context as _, Result, ensure};
use archwire_client::{MAX_WINDOW, SubscribeOptions, v1::Observation};
use archwire_tests::Practice;
use futures_util::StreamExt as _;
use std::time::Instant;

/// The contract's most unanswered observations of a stream.
const IN_FLIGHT: usize = 256;

pub(super) async fn run(settings: &Settings) -> Result<Measured> {
    let sink = Sink::open().await?;
    let mut practice = practice::with_three_connectors(&sink).await?;
    practice.start_broker().await?;
    let filled = fill(&practice, settings.patients).await?;
    let (after_filling, nats) = (resident(&practice)?, resident_of_nats(&practice)?);
    let replay = replay(&practice, settings, filled.last).await?;
    let (mut orderly, mut killed, mut memory) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..settings.rounds {
        orderly.push(practice.restart().await?.as_secs_f64());
        practice.kill_broker().await?;
        killed.push(practice.start_broker().await?.as_secs_f64());
        memory.push(resident(&practice)?);
    }
    let who = format!("{} patients", settings.patients);
    let longest = Budget::AtMost(3.0);
    let most = Budget::AtMost(150.0);
    Ok(Measured {
        figures: vec![
            Figure::new(
                format!("broker's memory, {who}, filled"),
                Unit::Megabytes,
                vec![after_filling],
            )
            .promised(most),
            Figure::new(
                format!("broker's memory, {who}, started"),
                Unit::Megabytes,
                memory,
            )
            .promised(most),
            Figure::new("its nats-server's memory", Unit::Megabytes, vec![nats]),
            Figure::new(format!("stop to ready, {who}"), Unit::Seconds, orderly).promised(longest),
            Figure::new(format!("kill -9 to ready, {who}"), Unit::Seconds, killed).promised(longest),
            replay,
            Figure::new(
                "observations taken while filling",
                Unit::PerSecond,
                vec![filled.rate],
            ),
        ],
        notes: vec![format!(
            "{} records in the log, each patient has one in {} programs; the connectors poll and are delivered nothing",
            filled.records,
            VENDORS.len()
        )],
        ..Measured::default()
    })
}

/// What filling a practice came to.
struct Filled {
    /// The sequence of the last event.
    last: u64,
    records: u64,
    /// Observations a second.
    rate: f64,
}

/// Everybody is told by the first vendor as new, by the others under the id that the bus gave.
async fn fill(practice: &Practice, count: usize) -> Result<Filled> {
    let people = Patients::invent(count).next(count)?;
    let (mut ids, mut last) = (Vec::new(), 0);
    let begun = Instant::now();
    for vendor in VENDORS {
        let publisher = practice.vendor(vendor).await?.publisher();
        let numbered: Vec<_> = people.iter().cloned().enumerate().collect();
        let told = load::at_a_time(IN_FLIGHT, numbered, |(number, observation)| {
            let observation = Observation {
                patient_id: ids.get(number).cloned(),
                ..observation
            };
            let publisher = publisher.clone();
            async move { Ok((number, publisher.publish(observation).await?)) }
        });
        let mut given = vec![String::new(); people.len()];
        for (number, receipt) in told.await? {
            let slot = given.get_mut(number).context("nobody has that number")?;
            receipt.patient_id().clone_into(slot);
            if let archwire_client::Receipt::Recorded { sequence, .. } = receipt {
                last = last.max(sequence);
            }
        }
        ids = given;
    }
    let rate = rate(count * VENDORS.len(), begun.elapsed());
    let records = Raw::beside(practice).await?.writes().await?.log;
    Ok(Filled { last, records, rate })
}

/// All events to one subscriber, and to one raw consumer.
async fn replay(practice: &Practice, settings: &Settings, last: u64) -> Result<Figure> {
    let raw = Raw::beside(practice).await?;
    let [_, vendor, ..] = VENDORS;
    let client = practice.vendor(vendor).await?;
    let mut rounds = Rounds::default();
    for round in 0..settings.rounds {
        let options = SubscribeOptions {
            window: MAX_WINDOW,
            ..SubscribeOptions::new(format!("replay-{round}"))
        };
        let mut subscription = client.subscribe(options);
        let (begun, mut count) = (Instant::now(), 0);
        loop {
            let delivery = subscription.next().await?.context("the subscription ended")?;
            count += 1;
            subscription.ack(&delivery);
            if delivery.sequence >= last {
                break;
            }
        }
        let (told, ours) = (count, rate(count, begun.elapsed()));
        subscription.close().await;
        let begun = Instant::now();
        let mut events = raw.events(practice.name(), 0).await?;
        let mut count = 0;
        while let Some(sequence) = events.next().await {
            count += 1;
            if sequence? >= last {
                break;
            }
        }
        ensure!(told == count, "of {count} events {told} came to the subscriber");
        rounds.add(ours, rate(count, begun.elapsed()));
    }
    let what = "replay of history to a subscriber";
    let figure = rounds.figure(what, Unit::PerSecond, "raw consumer", Judged::Itself);
    Ok(figure.promised(Budget::AtLeast(50_000.0)))
}
