//! From an event to a subscriber: how much later a gRPC subscriber has it than a raw JetStream consumer of the same log.
//!
//! Both are in this process and wait for the same events, so that each pair differs by the way alone.

use crate::{
    arguments::Settings,
    collect::Rounds,
    figure::{Budget, Figure},
    load,
    patients::Patients,
    practice::{self, VENDORS},
    raw::Raw,
    report::Measured,
    unit::{Unit, quantile},
};
use anyhow::{Context as _, Result};
use archwire_client::{Receipt, Start, SubscribeOptions, Subscription};
use futures_util::{Stream, StreamExt as _};
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// Events a round, and how many a second.
const EVENTS: usize = 400;
const A_SECOND: u32 = 200;

/// When which event came.
type Came = HashMap<u64, Instant>;

pub(super) async fn run(settings: &Settings) -> Result<Measured> {
    let mut practice = practice::with_vendors().await?;
    practice.start_broker().await?;
    let raw = Raw::beside(&practice).await?;
    let [vendor, subscriber, ..] = VENDORS;
    let publisher = practice.vendor(vendor).await?.publisher();
    let options = SubscribeOptions {
        start: Start::Earliest,
        ..SubscribeOptions::new("bench")
    };
    let mut subscription = practice.vendor(subscriber).await?.subscribe(options);
    let mut events = raw.events(practice.name(), 0).await?;
    let count = settings.sized(EVENTS);
    let mut patients = Patients::invent(settings.rounds * count);
    let (mut median, mut rare) = (Rounds::default(), Rounds::default());
    let mut whole = Vec::new();
    for _ in 0..settings.rounds {
        let publishing = load::a_second(A_SECOND, patients.next(count)?, |one| {
            let publisher = publisher.clone();
            async move { Ok(publisher.publish(one).await?) }
        });
        let (published, ours, beside) = tokio::join!(
            publishing,
            subscribed(&mut subscription, count),
            delivered(&mut events, count)
        );
        let (published, ours, beside) = (published?, ours?, beside?);
        let way = |came: &Came| -> Result<Vec<Duration>> {
            let ways = published.iter().map(|(asked, receipt)| {
                let at = came.get(&sequence(receipt)?).context("an event did not come")?;
                Ok(at.duration_since(*asked))
            });
            ways.collect()
        };
        let (mut ours, mut beside) = (way(&ours)?, way(&beside)?);
        // Which of the two is first is different each time, so that the difference of each pair has a sign.
        let mut later: Vec<_> = ours
            .iter()
            .zip(&beside)
            .map(|(ours, beside)| later(*ours, *beside))
            .collect();
        later.sort_unstable_by(f64::total_cmp);
        whole.push(later.get(later.len() / 2).copied().unwrap_or_default());
        median.add(quantile(&mut ours, 0.5), quantile(&mut beside, 0.5));
        rare.add(quantile(&mut ours, 0.99), quantile(&mut beside, 0.99));
    }
    let name = "raw consumer";
    Ok(Measured {
        figures: vec![
            median.added(
                "Publish to subscriber at 200/s, p50",
                Unit::Seconds,
                name,
                Budget::AtMost(0.000_5),
            ),
            rare.figure(
                "Publish to subscriber at 200/s, p99",
                Unit::Seconds,
                name,
                crate::figure::Judged::Added,
            ),
            Figure::new("one event later than the raw consumer, p50", Unit::Seconds, whole),
        ],
        ..Measured::default()
    })
}

fn later(ours: Duration, beside: Duration) -> f64 {
    ours.as_secs_f64() - beside.as_secs_f64()
}

/// The place in the log of what was told.
pub(super) fn sequence(receipt: &Receipt) -> Result<u64> {
    match receipt {
        Receipt::Recorded { sequence, .. } => Ok(*sequence),
        Receipt::Unchanged { .. } | Receipt::InReview { .. } => anyhow::bail!("it was no news to the bus"),
    }
}

async fn subscribed(subscription: &mut Subscription, count: usize) -> Result<Came> {
    let mut came = Came::new();
    while came.len() < count {
        let delivery = subscription.next().await?.context("the subscription ended")?;
        came.insert(delivery.sequence, Instant::now());
        subscription.ack(&delivery);
    }
    Ok(came)
}

async fn delivered(events: &mut (impl Stream<Item = Result<u64>> + Unpin), count: usize) -> Result<Came> {
    let mut came = Came::new();
    while came.len() < count {
        let sequence = events.next().await.context("the consumer ended")??;
        came.insert(sequence, Instant::now());
    }
    Ok(came)
}
