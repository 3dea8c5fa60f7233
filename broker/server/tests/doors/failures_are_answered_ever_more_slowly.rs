//! Whoever tries tokens is answered ten times at once, then once in ten seconds; it is audited, and nobody else notices.

use crate::{
    house::{House, IMAGING, WRONG, code_of, is_too_much, token_of},
    office::in_time,
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use std::time::Duration;
use tokio::time::Instant;

#[tokio::test]
async fn attempts_that_fail_are_counted_by_address_and_a_good_token_is_let_in_all_the_same() {
    let house = House::open().await;
    let caller = house.knock(WRONG).await;
    for _ in 0..10 {
        assert_eq!(caller.ask().await, Err("token_unknown".to_owned()));
    }
    let began = Instant::now();
    is_too_much(&caller.asked().await, "too_many_failures");
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
    // Whoever shares the address is not to blame.
    let other = house.knock(&token_of(IMAGING)).await;
    let began = Instant::now();
    assert_eq!(other.ask().await, Ok(()));
    assert!(began.elapsed() < Duration::from_secs(1));
    is_too_much(&house.knock(WRONG).await.asked().await, "too_many_failures");
    house.audit.settle().await.unwrap();
    let records: Vec<_> = house.audit.read(0).try_collect().await.unwrap();
    let failed = records
        .iter()
        .map(|(_, record)| record)
        .find(|record| record.action == "authentication.failed")
        .expect("it is audited");
    assert_eq!(
        (failed.reason.as_str(), failed.address.as_str()),
        ("token_unknown", "127.0.0.1")
    );
}

#[tokio::test]
async fn a_connection_gets_no_more_refusals_a_second_than_it_has_streams() {
    let house = House::open().await;
    let caller = house.knock(WRONG).await;
    let began = Instant::now();
    let codes: Vec<String> = in_time(
        stream::iter(0..700)
            .map(|_| caller.asked())
            .buffer_unordered(700)
            .map(|status| code_of(&status))
            .collect(),
    )
    .await;
    // 10 at once, 690 in three times 320.
    assert!(began.elapsed() >= Duration::from_secs(2), "{:?}", began.elapsed());
    let told = |code: &str| codes.iter().filter(|told| *told == code).count();
    assert_eq!((told("token_unknown"), told("too_many_failures")), (10, 690));
}
