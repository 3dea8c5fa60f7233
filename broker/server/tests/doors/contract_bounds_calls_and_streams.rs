//! How much a vendor may ask for is in its contract, and each vendor has its own.

use crate::{
    house::{CEPH, House, IMAGING, Plan, eventually, is_too_much, paced, token_of},
    office::vendor,
};
use std::time::Duration;
use tokio::time::Instant;

async fn house(requests: u32, streams: u32) -> House {
    let vendors = [(IMAGING, requests, streams), (CEPH, 10_000, 256)];
    let vendors =
        vendors.map(|(name, requests, streams)| vendor(paced(name, requests, streams), &token_of(name)));
    House::with(Plan {
        vendors: vendors.into(),
        ..Plan::default()
    })
    .await
}

#[tokio::test]
async fn more_requests_than_agreed_are_refused_and_another_vendor_is_not() {
    let house = house(20, 16).await;
    let (imaging, ceph) = (
        house.knock(&token_of(IMAGING)).await,
        house.knock(&token_of(CEPH)).await,
    );
    for _ in 0..20 {
        assert_eq!(imaging.ask().await, Ok(()));
    }
    // As many at once as in a second, and one every 50 ms.
    let calls = futures_util::future::join_all((0..100).map(|_| imaging.asked()));
    let refused = calls.await;
    let refused: Vec<_> = refused
        .iter()
        .filter(|status| status.code() == tonic::Code::ResourceExhausted)
        .collect();
    assert!(refused.len() >= 50, "{}", refused.len());
    is_too_much(refused[0], "too_many_requests");
    for _ in 0..200 {
        assert_eq!(ceph.ask().await, Ok(()));
    }
    eventually("it may ask again", async || imaging.ask().await.is_ok()).await;
}

#[tokio::test]
async fn what_is_published_waits_for_its_turn_and_is_all_taken() {
    let house = house(20, 16).await;
    let caller = house.knock(&token_of(IMAGING)).await;
    let mut publishing = caller.publish().await;
    let began = Instant::now();
    // 20 at once, the others every 50 ms.
    for number in 0..50 {
        publishing
            .say(&format!("r{number}"), &format!("Family{number}"))
            .await;
    }
    // Asking is counted by itself.
    assert_eq!(caller.ask().await, Ok(()));
    for _ in 0..50 {
        assert!(publishing.hear().await);
    }
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(30 * 50 - 100), "{took:?}");
}

#[tokio::test]
async fn more_streams_than_agreed_are_refused_until_one_has_ended() {
    let house = house(10_000, 2).await;
    let imaging = house.knock(&token_of(IMAGING)).await;
    let first = imaging.subscribe("one").await.unwrap();
    // On another connection it is the same vendor.
    let elsewhere = house.knock(&token_of(IMAGING)).await;
    let mut second = elsewhere.subscribe("two").await.unwrap();
    is_too_much(
        &imaging.subscribe("three").await.err().unwrap(),
        "too_many_streams",
    );
    // Calls that are no streams go on.
    assert_eq!(imaging.ask().await, Ok(()));
    assert!(house.knock(&token_of(CEPH)).await.subscribe("one").await.is_ok());
    drop(first);
    eventually("a stream may be opened again", async || {
        imaging.subscribe("three").await.is_ok()
    })
    .await;
    assert!(second.goes_on().await);
}
