//! A connection that nobody uses has no place for long, and one that is used keeps it.

use crate::{
    authority::{Authority, Files},
    house::{House, IMAGING, Plan, WRONG, token_of},
    office::in_time,
};
use archwire::api::Patience;
use std::time::Duration;
use tokio::{io::AsyncReadExt as _, net::TcpStream, time::Instant};

const SHORT: Duration = Duration::from_millis(300);

fn short() -> Patience {
    Patience {
        handshake: SHORT,
        first_call: SHORT,
        idle: SHORT,
        ..Patience::default()
    }
}

/// Until the other side has closed a connection on which nothing is said.
async fn closed(mut stream: TcpStream) -> Duration {
    let began = Instant::now();
    let mut heard = Vec::new();
    _ = in_time(stream.read_to_end(&mut heard)).await;
    began.elapsed()
}

#[tokio::test]
async fn a_connection_without_a_call_is_closed() {
    let house = House::with(Plan {
        patience: short(),
        ..Plan::default()
    })
    .await;
    let silent = TcpStream::connect(house.address).await.unwrap();
    let after = closed(silent).await;
    assert!(after >= SHORT - Duration::from_millis(20), "{after:?}");
}

#[tokio::test]
async fn a_handshake_that_does_not_go_on_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let files = Files::new(folder.path());
    files.put(&Authority::new().server());
    let house = House::with(Plan {
        patience: Patience {
            first_call: Duration::from_secs(60),
            ..short()
        },
        tls: Some(files.tls()),
        ..Plan::default()
    })
    .await;
    let silent = TcpStream::connect(house.address).await.unwrap();
    assert!(closed(silent).await >= SHORT - Duration::from_millis(20));
}

#[tokio::test]
async fn a_connection_with_an_open_stream_stays_and_one_that_is_only_refused_does_not() {
    let house = House::with(Plan {
        patience: short(),
        ..Plan::default()
    })
    .await;
    let mut used = house
        .knock(&token_of(IMAGING))
        .await
        .subscribe("one")
        .await
        .unwrap();
    let refused = house.knock(WRONG).await;
    let end = Instant::now() + 4 * SHORT;
    while Instant::now() < end {
        // Being refused is no use of a connection; the client makes a new one each time.
        _ = refused.ask().await;
        assert!(used.goes_on().await);
    }
}
