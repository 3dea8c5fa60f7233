//! As long as it is not known whether a record was created, nobody's unknown record of that system is taken: so that is found
//! out before anything else that waits.

use crate::{
    office::{system, until},
    support::*,
};
use archwire_core::Revision;
use axum::http::Method;

const PEOPLE: usize = 60;
/// More than the system is asked at a time.
const AMONG_THE_FIRST: usize = 9;

#[tokio::test]
async fn after_a_start_what_may_have_been_created_comes_before_what_waits() {
    let mut town = Town::closed().await;
    let mut last = None;
    for number in 0..PEOPLE {
        last = Some(town.somebody(&number.to_string()).await);
    }
    let last = last.unwrap();
    let (registry, archive) = (&town.office.registry, system(ARCHIVE));
    let begun = registry.begin_creation(&archive, last, Revision::new(1));
    // Killed before the system answered.
    drop(begun.await.unwrap());
    town.start().await;
    until("everybody is in the archive", || {
        town.service().writes() == PEOPLE
    })
    .await;
    let service = town.service();
    let mut written = service
        .requests
        .iter()
        .filter(|(method, ..)| *method == Method::PUT);
    let place = written.position(|(_, id, _)| *id == last.to_string()).unwrap();
    assert!(place < AMONG_THE_FIRST, "{place} others came before");
}
