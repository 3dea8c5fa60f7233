//! An event that is appended twice is stored once, and the second time says so.

use crate::support::*;
use archwire_core::PatientId;
use archwire_nats::{Appended, Expected};

#[tokio::test]
async fn the_same_event_again_is_shown_as_the_duplicate_that_it_is() {
    let office = Office::open().await;
    let entry = event(PatientId::generate(), Expected::Nothing, "one");
    let first = office.log.append(entry.clone()).await.unwrap();
    let again = office.log.append(entry).await.unwrap();
    assert_eq!(
        first,
        Appended {
            sequence: 1,
            duplicate: false
        }
    );
    assert_eq!(
        again,
        Appended {
            sequence: 1,
            duplicate: true
        }
    );
    assert_eq!(office.log.last_sequence().await.unwrap(), 1);
}

#[tokio::test]
async fn it_is_still_known_after_the_server_was_killed() {
    let office = Office::open().await;
    let entry = event(PatientId::generate(), Expected::Nothing, "one");
    office.log.append(entry.clone()).await.unwrap();
    office.kill_server().await;
    let again = office.log.append(entry).await.unwrap();
    assert_eq!(
        again,
        Appended {
            sequence: 1,
            duplicate: true
        }
    );
}
