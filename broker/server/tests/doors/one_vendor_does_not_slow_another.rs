//! A vendor that does everything wrong at once, and one beside it that notices nothing of it.

use crate::{
    calls_that_come_to_nothing_end_a_connection::Raw,
    house::{CEPH, Caller, House, IMAGING, Plan, paced, token_of},
    office::{PATIENCE, ann, says, vendor},
};
use archwire_proto::v1::{Credit, SubscribeRequest, subscribe_request::Request as Ask};
use std::{fmt, time::Duration};
use tokio::{net::TcpStream, task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

/// Calls that are measured.
const CALLS: usize = 300;
/// No call may take longer than this one in twenty does, whatever the machine: a broker that serves everybody in turn is far below.
const BOUND: Duration = Duration::from_millis(250);

/// How long things take, one after another, the shortest first.
struct Took(Vec<Duration>);

impl Took {
    async fn each(mut thing: impl AsyncFnMut(usize)) -> Self {
        let mut took = Vec::with_capacity(CALLS);
        for number in 0..CALLS {
            let began = Instant::now();
            thing(number).await;
            took.push(began.elapsed());
        }
        took.sort();
        Self(took)
    }

    /// Of a hundred.
    fn percentile(&self, percent: usize) -> Duration {
        self.0[(self.0.len() - 1) * percent / 100]
    }
}

impl fmt::Display for Took {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p50 {:?} p95 {:?}", self.percentile(50), self.percentile(95))
    }
}

/// How long calls take of a vendor that keeps to everything, and how long what it publishes.
async fn measure(caller: &Caller, when: &str) -> (Took, Took) {
    let calls = Took::each(async |_| assert_eq!(caller.ask().await, Ok(()))).await;
    let mut publishing = caller.publish().await;
    let published = Took::each(async |number| {
        publishing
            .say(&format!("{when}{number}"), &format!("{when}{number}"))
            .await;
        assert!(publishing.hear().await);
    });
    (calls, published.await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_vendor_that_misbehaves_in_every_way_slows_nobody_else() {
    let house = House::with(Plan {
        vendors: vec![
            vendor(paced(IMAGING, 50, 16), &token_of(IMAGING)),
            vendor(paced(CEPH, 10_000, 256), &token_of(CEPH)),
        ],
        ..Plan::default()
    })
    .await;
    for number in 0..200 {
        house
            .office
            .see(says("front-desk", &format!("r{number}"), ann()))
            .await;
    }
    let good = house.knock(&token_of(CEPH)).await;
    let quiet = measure(&good, "Quiet").await;
    let mut bad = JoinSet::new();
    let end = CancellationToken::new();
    // It reads nothing of what it let be sent.
    let reader = house.knock(&token_of(IMAGING)).await;
    let mut unread = Vec::new();
    for number in 0..4 {
        let stream = reader.subscribe(&format!("unread-{number}")).await.unwrap();
        let credit = SubscribeRequest {
            request: Some(Ask::Credit(Credit { events: 10_000 })),
        };
        stream.asks.send(credit).await.unwrap();
        unread.push(stream);
    }
    // It publishes as fast as it can, and hears no answer.
    for _ in 0..8 {
        let publishing = house.knock(&token_of(IMAGING)).await.publish().await;
        let end = end.clone();
        bad.spawn(async move {
            let mut number = 0;
            while !end.is_cancelled() {
                let family = format!("Flood{number}");
                let say = publishing.say("flood", &family);
                _ = tokio::time::timeout(Duration::from_millis(100), say).await;
                number += 1;
            }
        });
    }
    // It asks as fast as it can, on several connections.
    for _ in 0..8 {
        let (caller, end) = (house.knock(&token_of(IMAGING)).await, end.clone());
        bad.spawn(async move {
            while !end.is_cancelled() {
                let calls = (0..32).map(|_| caller.asked());
                futures_util::future::join_all(calls).await;
            }
        });
    }
    // It takes back what it asks, over and over.
    for _ in 0..2 {
        let (address, end) = (house.address, end.clone());
        bad.spawn(async move {
            while !end.is_cancelled() {
                let mut raw = Raw::connect(address).await;
                while !raw.has_ended() && !end.is_cancelled() {
                    raw.begin_and_take_back(&token_of(IMAGING)).await;
                }
            }
        });
    }
    // It connects and says nothing.
    let (address, ended) = (house.address, end.clone());
    bad.spawn(async move {
        let mut held = Vec::new();
        while !ended.is_cancelled() && held.len() < 1_000 {
            held.extend(TcpStream::connect(address).await);
        }
        ended.cancelled().await;
    });
    let busy = measure(&good, "Busy").await;
    end.cancel();
    let ended = async { while bad.join_next().await.is_some() {} };
    tokio::time::timeout(PATIENCE, ended).await.unwrap();
    println!("calls: alone {}; beside the other {}", quiet.0, busy.0);
    println!("publishing: alone {}; beside the other {}", quiet.1, busy.1);
    for took in [busy.0, busy.1] {
        assert!(took.percentile(95) < BOUND, "{took}");
    }
}
