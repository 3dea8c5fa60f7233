//! A flood of connections finds so many places and no more; whoever is connected notices nothing, and when it has passed, others get in.

use crate::house::{House, IMAGING, Plan, eventually, token_of};
use archwire::config::Connections;
use futures_util::{StreamExt as _, stream};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::{num::NonZeroUsize, time::Duration};
use tokio::{
    io::AsyncReadExt as _,
    net::{TcpSocket, TcpStream},
    time::{Instant, timeout},
};

const ALL: usize = 400;
/// What this machine has of them.
const HERE: usize = 300;

async fn house() -> House {
    House::with(Plan {
        connections: Connections {
            all: NonZeroUsize::new(ALL).unwrap(),
            per_address: NonZeroUsize::new(8).unwrap(),
        },
        ..Plan::default()
    })
    .await
}

/// As many connections as the process may have, if that is less than what is asked for. Each needs two files, one at each end.
fn affordable(asked: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    _ = setrlimit(Resource::Nofile, raised);
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    asked.min(usize::try_from(files.saturating_sub(1000) / 2).unwrap_or(asked))
}

/// Connections, all at once and from this machine.
async fn flood(house: &House, count: usize) -> Vec<TcpStream> {
    let connected: Vec<_> = stream::iter(0..count)
        .map(|_| TcpStream::connect(house.address))
        .buffer_unordered(256)
        .collect()
        .await;
    connected.into_iter().filter_map(Result::ok).collect()
}

/// How many of them the other side has not closed.
async fn open(connections: &mut Vec<TcpStream>) -> usize {
    let open = stream::iter(connections.drain(..))
        .map(|mut connection| async {
            let mut byte = [0; 64];
            // A server of HTTP/2 speaks first, on a connection that it takes.
            let heard = timeout(Duration::from_secs(5), connection.read(&mut byte)).await;
            matches!(heard, Ok(Ok(1..))).then_some(connection)
        })
        .buffer_unordered(4096)
        .filter_map(std::future::ready);
    *connections = open.collect().await;
    connections.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_connections_takes_the_places_of_nobody_who_is_there() {
    let house = house().await;
    let vendor = house.knock(&token_of(IMAGING)).await;
    let mut stream = vendor.subscribe("one").await.unwrap();
    let count = affordable(2_000);
    let began = Instant::now();
    let mut flooding = flood(&house, count).await;
    println!("{} connections in {:?}", flooding.len(), began.elapsed());
    assert!(flooding.len() > ALL, "a flood of {}", flooding.len());
    assert_eq!(vendor.ask().await, Ok(()));
    // The vendor has one of the places.
    assert_eq!(open(&mut flooding).await, HERE - 1);
    assert_eq!(vendor.ask().await, Ok(()));
    assert!(stream.goes_on().await);
    drop(flooding);
    eventually("others get in again", async || {
        match house.try_knock(&token_of(IMAGING)).await {
            Ok(caller) => caller.ask().await.is_ok(),
            Err(_) => false,
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "10,000 connections need 21,000 files: run by hand where a process may have them"]
async fn ten_thousand_connections_are_refused_in_seconds() {
    let house = house().await;
    let vendor = house.knock(&token_of(IMAGING)).await;
    assert_eq!(vendor.ask().await, Ok(()));
    let count = affordable(10_000);
    let began = Instant::now();
    let mut flooding = flood(&house, count).await;
    let took = began.elapsed();
    let began = Instant::now();
    assert_eq!(vendor.ask().await, Ok(()));
    println!(
        "{count} connections in {took:?}; a call after them took {:?}",
        began.elapsed()
    );
    assert_eq!(open(&mut flooding).await, HERE - 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_address_has_its_own_places() {
    let house = house().await;
    let mut held = flood(&house, HERE + 50).await;
    assert_eq!(open(&mut held).await, HERE);
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let mut other = vec![socket.connect(house.address).await.unwrap()];
    assert_eq!(open(&mut other).await, 1);
}
