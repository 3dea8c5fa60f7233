//! A stop is not kept waiting by a system that is away, and forgets nothing that a person asked for.

use crate::{
    office::{id, in_time, open_items, system},
    support::*,
};
use archwire::dispatch::{Breaker, Purpose};
use archwire_core::{Disposition, Reason, Verdict};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn what_was_to_be_read_again_waits_for_a_person_again() {
    let town = Town::closed().await;
    let registry = &town.office.registry;
    let breaker = Arc::new(Breaker::new(system(ARCHIVE)));
    let away = Disposition::Unavailable(Reason {
        code: "away".parse().unwrap(),
        status: None,
        detail: None,
    });
    // Nobody watches over it, so that it stays open.
    breaker.admitted(Purpose::Reading).await.failed(&away);
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(town.poller(&breaker).await.run(shutdown.clone()));
    let archive = system(ARCHIVE);
    registry.reads(&archive);
    let unreadable = registry.unreadable(&archive, Some(id("1")), None, "broken");
    in_time(unreadable).await.unwrap();
    let number = town.office.the_item().await.number;
    town.office.decide(number, Verdict::Accept).await;
    assert!(open_items(registry).is_empty());
    shutdown.cancel();
    in_time(running).await.unwrap();
    let item = town.office.the_item().await;
    assert_ne!(item.number, number);
    assert_eq!(item.reason.as_deref(), Some("broker_stopped"));
}
