//! The client and the rules of the bus together, over streams that break anywhere: a program that takes some events and refuses others
//! gets everything, and of no patient an older state last. One that holds several in its hands gets everything, too; the order in which
//! it ends what it has twice is its own affair, which is why it looks at revisions.

use crate::{
    fake::{BREAKS, FakeBus, Memory},
    support::{SOON, client},
};
use archwire_client::{
    Delivery, SubscribeOptions,
    v1::{Event, EventKind},
};
use bytes::Bytes;
use prost::Message as _;
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::{Duration, Instant},
};
use tokio::{task::JoinSet, time::timeout};

const EVENTS: u64 = 40;
const PATIENTS: u64 = 4;
const SCHEDULES: u64 = 24;
const AT_A_TIME: u64 = 12;
/// So long nothing comes when there is nothing.
const QUIET: Duration = Duration::from_millis(15);

/// Some patients' events, at some places.
fn log(dice: &mut StdRng) -> Memory {
    let (mut revisions, mut sequence) = (BTreeMap::new(), 0);
    let log = (0..EVENTS).map(|_| {
        let patient = dice.random_range(0..PATIENTS);
        let revision = revisions.entry(patient).or_insert(0);
        *revision += 1;
        sequence += dice.random_range(1..4);
        let event = Event {
            patient_id: format!("p{patient}"),
            revision: *revision,
            kind: EventKind::PatientUpdated.into(),
            ..Event::default()
        };
        (sequence, Bytes::from(event.encode_to_vec()))
    });
    let log = log.collect();
    Memory {
        log,
        ..Memory::default()
    }
}

/// Runs a program until the bus knows that it has taken everything, and says what is wrong with what it took.
async fn run(seed: u64) -> Result<(), String> {
    let mut dice = StdRng::seed_from_u64(seed);
    let mut memory = log(&mut dice);
    memory.seed = Some(seed);
    let bus = FakeBus::start(memory);
    let log = bus.memory().log.clone();
    let last = log.last().map_or(0, |(sequence, _)| *sequence);
    let client = client(&bus).await;
    let mut taken: Vec<(String, u64)> = Vec::new();
    let mut refusals_left = 60;
    let has_one_hand = seed.is_multiple_of(2);
    let begun = Instant::now();
    let is_through = || bus.memory().positions.get("program") == Some(&last);
    while !is_through() {
        // A program that is started anew has nothing in its hands.
        let mut subscription = client.subscribe(SubscribeOptions {
            window: dice.random_range(1..8),
            ..SubscribeOptions::new("program")
        });
        let mut in_hand: VecDeque<Delivery> = VecDeque::new();
        let mut steps = dice.random_range(20..200);
        while !is_through() && steps > 0 {
            steps -= 1;
            if begun.elapsed() > 3 * SOON {
                return Err(format!("it never comes to an end: {taken:?}"));
            }
            if let Ok(delivery) = timeout(QUIET, subscription.next()).await {
                let delivery = delivery.map_err(|error| error.to_string())?;
                in_hand.push_back(delivery.ok_or("it ended")?);
            }
            let most = match has_one_hand {
                true => 0,
                false => dice.random_range(0..4),
            };
            while in_hand.len() > most
                && let Some(delivery) = in_hand.pop_front()
            {
                if refusals_left > 0 && dice.random_bool(0.3) {
                    refusals_left -= 1;
                    let delay = Duration::from_millis(dice.random_range(0..40));
                    subscription.nack(&delivery, delay);
                } else {
                    taken.push((delivery.event.patient_id.clone(), delivery.event.revision));
                    subscription.ack(&delivery);
                }
            }
        }
    }
    let mut newest = BTreeMap::new();
    let came: BTreeSet<_> = taken.iter().cloned().collect();
    for (_, event) in &log {
        let event = Event::decode(event.clone()).map_err(|error| error.to_string())?;
        if !came.contains(&(event.patient_id.clone(), event.revision)) {
            return Err(format!("{} {} never came", event.patient_id, event.revision));
        }
        newest.insert(event.patient_id, event.revision);
    }
    let at_the_end: BTreeMap<String, u64> = taken.into_iter().collect();
    match at_the_end == newest || !has_one_hand {
        true => Ok(()),
        false => Err(format!("{at_the_end:?} came last, {newest:?} is the newest")),
    }
}

#[tokio::test]
async fn whatever_a_program_refuses_and_wherever_streams_break_it_gets_everything_and_the_newest_last() {
    const { assert!(BREAKS > 3, "nothing would be shown") };
    let mut schedules = 0..SCHEDULES;
    let mut running = JoinSet::new();
    let mut begin = |running: &mut JoinSet<_>| {
        if let Some(seed) = schedules.next() {
            running.spawn(async move { (seed, run(seed).await) });
        }
    };
    for _ in 0..AT_A_TIME {
        begin(&mut running);
    }
    while let Some(ended) = running.join_next().await {
        let (seed, ended) = ended.unwrap();
        assert_eq!(ended, Ok(()), "with the seed {seed}");
        begin(&mut running);
    }
}
