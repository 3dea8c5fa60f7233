//! A publisher need not wait for an answer before it says the next thing about the same record: what it says last is
//! what holds.

use crate::support::*;
use futures_util::{StreamExt as _, stream};
use std::sync::Arc;

const ROUNDS: usize = 10;

/// As the API works on one stream of requests: all begun in order, answered as they are done.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_last_of_many_holds() {
    let office = Office::open().await;
    for round in 0..ROUNDS {
        let record = round.to_string();
        let phones_told: Vec<_> = (0..8).map(|number| format!("555-010{number}")).collect();
        let answers = stream::iter(&phones_told).map(|phone| {
            let (registry, record) = (Arc::clone(&office.registry), &record);
            async move {
                registry
                    .observe(says("imaging", record, with_phone(phone)), None)
                    .await
            }
        });
        let answers: Vec<_> = in_time(answers.buffer_unordered(256).collect()).await;
        let patients: Vec<_> = answers.into_iter().map(|answer| whom(answer.unwrap())).collect();
        assert!(
            patients.iter().all(|patient| *patient == patients[0]),
            "one record is one patient"
        );
        assert_eq!(phones(&office.state(patients[0])), ["555-0107"]);
        assert_eq!(revision(&office.registry, patients[0]), 8);
    }
}
