//! Many subscribers at a time: what each of them costs while nothing happens, how much later an event comes to all of them than
//! to a raw consumer, and how fast ten of them read the history together.

use super::subscribe::sequence;
use crate::{
    arguments::Settings,
    collect::Rounds,
    figure::{Figure, Judged},
    load,
    patients::Patients,
    practice::{self, VENDORS, resident},
    raw::Raw,
    report::Measured,
    unit::{Unit, quantile, rate},
};
use anyhow::{Context as _, Result, ensure};
use archwire_client::{Client, MAX_WINDOW, Publisher, SubscribeOptions};
use archwire_tests::Practice;
use futures_util::{StreamExt as _, future::try_join_all};
use std::{
    collections::HashMap,
    pin::pin,
    time::{Duration, Instant},
};
use tokio::{sync::mpsc, task::JoinSet, time::timeout};

/// Subscribers at a time, each a name of its own.
const CROWD: usize = 1_000;
/// Streams of one connection: fewer than it may have.
const OF_A_CONNECTION: usize = 50;
/// Events that all of them get, and how many a second.
const EVENTS: usize = 50;
const A_SECOND: u32 = 2;
/// Those who read the history together, and how long it is.
const READERS: usize = 10;
const HISTORY: usize = 20_000;
/// The contract's most unanswered observations of a stream.
const IN_FLIGHT: usize = 256;
/// How long all subscribers may take to get what is there.
const LONGEST: Duration = Duration::from_secs(120);

/// Which event came when to somebody.
type Came = (u64, Instant);
/// What came, or why nothing comes to somebody any more.
type Told = Result<Came>;

pub(super) async fn run(settings: &Settings) -> Result<Measured> {
    let mut practice = practice::with_crowd().await?;
    practice.start_broker().await?;
    let [vendor, ..] = VENDORS;
    let publisher = practice.vendor(vendor).await?.publisher();
    let (crowd, events) = (settings.sized(CROWD), settings.sized(EVENTS));
    let mut people = Patients::invent(1 + events + settings.sized(HISTORY));
    let mut figures = at_once(&practice, &publisher, &mut people, (crowd, events)).await?;
    let history = people.next(settings.sized(HISTORY))?;
    let told = load::at_a_time(IN_FLIGHT, history, |one| {
        let publisher = publisher.clone();
        async move { Ok(publisher.publish(one).await?) }
    });
    let last = told
        .await?
        .iter()
        .map(sequence)
        .try_fold(0, |last, next| next.map(|next| last.max(next)))?;
    figures.push(history_of(&practice, settings, 1, last).await?);
    figures.push(history_of(&practice, settings, READERS, last).await?);
    Ok(Measured {
        figures,
        ..Measured::default()
    })
}

/// All subscribers open and idle, and then a few events for all of them.
async fn at_once(
    practice: &Practice,
    publisher: &Publisher,
    people: &mut Patients,
    (crowd, count): (usize, usize),
) -> Result<Vec<Figure>> {
    // Whoever has got it is open.
    let mut first = 0;
    for one in people.next(1)? {
        first = sequence(&publisher.publish(one).await?)?;
    }
    let before = resident(practice)?;
    let (sender, mut came) = mpsc::unbounded_channel();
    let mut subscribers = JoinSet::new();
    let mut client = None;
    for number in 0..crowd {
        if number % OF_A_CONNECTION == 0 {
            let vendor = practice::in_crowd(number / OF_A_CONNECTION);
            client = Some(practice.vendor(&vendor).await?);
        }
        let client = client.clone().context("there is no connection")?;
        let (name, told) = (format!("crowd-{number}"), sender.clone());
        subscribers.spawn(async move {
            if let Err(error) = follow(client, name, &told).await {
                // Nobody listens once all that was waited for has come.
                _ = told.send(Err(error));
            }
        });
    }
    everybody_got(&mut came, crowd).await?;
    #[allow(clippy::cast_precision_loss, reason = "a figure for people")]
    let each = (resident(practice)? - before) / crowd as f64;
    let raw = Raw::beside(practice).await?;
    let mut beside = pin!(raw.events(practice.name(), first).await?);
    let publishing = load::a_second(A_SECOND, people.next(count)?, |one| {
        let publisher = publisher.clone();
        async move { Ok(publisher.publish(one).await?) }
    });
    let raw = async {
        let mut came = HashMap::new();
        while came.len() < count {
            let sequence = beside.next().await.context("the consumer ended")??;
            came.insert(sequence, Instant::now());
        }
        anyhow::Ok(came)
    };
    let (published, ours, beside) = tokio::join!(publishing, everybody_got(&mut came, crowd * count), raw);
    let (ours, beside) = (ours?, beside?);
    let mut asked = HashMap::new();
    for (at, receipt) in published? {
        asked.insert(sequence(&receipt)?, at);
    }
    let way = |(sequence, at): (u64, Instant)| asked.get(&sequence).map(|asked| at.duration_since(*asked));
    let mut ways: Vec<_> = ours.into_iter().filter_map(way).collect();
    let mut raw_ways: Vec<_> = beside.into_iter().filter_map(way).collect();
    let mut figure = |what: &str, part| {
        let (ours, beside) = (quantile(&mut ways, part), quantile(&mut raw_ways, part));
        Figure::new(
            format!("Publish to each of {crowd} subscribers, {what}"),
            Unit::Seconds,
            vec![ours],
        )
        .beside("one raw consumer", Judged::Added, &[beside])
    };
    let figures = vec![
        Figure::new(
            format!("memory of an idle stream, of {crowd}"),
            Unit::Megabytes,
            vec![each],
        ),
        figure("p50", 0.5),
        figure("p99", 0.99),
    ];
    subscribers.shutdown().await;
    Ok(figures)
}

/// Follows the log from its beginning and tells what came when.
async fn follow(client: Client, name: String, came: &mpsc::UnboundedSender<Told>) -> Result<()> {
    let mut subscription = client.subscribe(SubscribeOptions::new(name));
    while let Some(delivery) = subscription.next().await? {
        subscription.ack(&delivery);
        came.send(Ok((delivery.sequence, Instant::now())))?;
    }
    Ok(())
}

/// Waits until so many events have come to somebody.
async fn everybody_got(came: &mut mpsc::UnboundedReceiver<Told>, count: usize) -> Result<Vec<Came>> {
    let mut all = Vec::with_capacity(count);
    let whole = async {
        while all.len() < count {
            all.push(came.recv().await.context("nobody subscribes any more")??);
        }
        anyhow::Ok(())
    };
    timeout(LONGEST, whole)
        .await
        .context("not everybody got everything in time")??;
    Ok(all)
}

/// All events to so many subscribers at a time, and to as many raw consumers: events a second, of all together.
async fn history_of(practice: &Practice, settings: &Settings, readers: usize, last: u64) -> Result<Figure> {
    let raw = Raw::beside(practice).await?;
    let [_, vendor, ..] = VENDORS;
    let mut rounds = Rounds::default();
    for round in 0..settings.rounds {
        let begun = Instant::now();
        let reading = (0..readers).map(async |reader| {
            let name = format!("replay-{readers}-{round}-{reader}");
            replay(practice.vendor(vendor).await?, name, last).await
        });
        let told: usize = try_join_all(reading).await?.into_iter().sum();
        let ours = rate(told, begun.elapsed());
        let begun = Instant::now();
        let reading = (0..readers).map(async |_| {
            let (mut events, mut count) = (pin!(raw.events(practice.name(), 0).await?), 0);
            while let Some(sequence) = events.next().await {
                count += 1;
                if sequence? >= last {
                    break;
                }
            }
            anyhow::Ok(count)
        });
        let count: usize = try_join_all(reading).await?.into_iter().sum();
        ensure!(told == count, "of {count} events {told} came to the subscribers");
        rounds.add(ours, rate(count, begun.elapsed()));
    }
    let what = match readers {
        1 => "replay to one subscriber".to_owned(),
        many => format!("replay to {many} subscribers, together"),
    };
    Ok(rounds.figure(what, Unit::PerSecond, "as many raw consumers", Judged::Ratio))
}

/// Reads up to the last event, and tells how many there were.
async fn replay(client: Client, name: String, last: u64) -> Result<usize> {
    let mut subscription = client.subscribe(SubscribeOptions {
        window: MAX_WINDOW,
        ..SubscribeOptions::new(name)
    });
    let mut count = 0;
    while let Some(delivery) = subscription.next().await? {
        count += 1;
        subscription.ack(&delivery);
        if delivery.sequence >= last {
            break;
        }
    }
    subscription.close().await;
    Ok(count)
}
