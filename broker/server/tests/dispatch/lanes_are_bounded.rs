//! More patients wait than there are lanes: the rest waits in the log, and everybody is brought once.

use crate::{
    office::{until, until_within},
    support::*,
};
use archwire::dispatch::MOST_LANES;
use axum::http::StatusCode;
use futures_util::{StreamExt as _, stream};
use std::time::Duration;

/// How long a busy machine may take for everybody.
const LONGEST: Duration = Duration::from_secs(120);

#[tokio::test]
async fn patients_beyond_the_bound_wait_in_the_log_and_are_counted() {
    let mut town = Town::closed().await;
    town.service().trouble = Some(StatusCode::UNAUTHORIZED);
    let many = MOST_LANES + 100;
    let created = stream::iter(0..many).map(|number| {
        let town = &town;
        async move { town.somebody(&number.to_string()).await }
    });
    let patients: Vec<_> = created.buffer_unordered(64).collect().await;
    town.start().await;
    until("all lanes are taken", || {
        let status = town.desk.status();
        status.working + status.waiting + status.backing_off == MOST_LANES
    })
    .await;
    assert_eq!(town.desk.status().patients_behind, many);
    town.service().trouble = None;
    // The system is tried after pauses that have grown by then.
    until_within(LONGEST, "everybody is brought", || {
        town.service().writes() >= many
    })
    .await;
    town.settles_to(0).await;
    assert_eq!(town.service().writes(), many, "once");
    assert!(patients.iter().all(|patient| town.kept(*patient).is_some()));
    assert_eq!(town.desk.status(), Default::default());
}
