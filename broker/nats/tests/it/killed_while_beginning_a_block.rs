//! A server that was killed between making a block's file and its key loses nothing at its next start.

use crate::support::*;
use archwire_core::PatientId;
use archwire_nats::{Log, Supervisor};
use std::{fs, path::Path};

#[tokio::test]
async fn a_block_that_was_only_begun_does_not_cost_the_stream() {
    let Office {
        log,
        connection,
        supervisor,
        folder,
    } = Office::open().await;
    let patient = PatientId::generate();
    let appended = append_all(&log, patient, &["one", "two", "three"]).await;
    drop((log, connection));
    supervisor.stop().await.unwrap();
    let begun = leave_begun_blocks(&folder.path().join("store/jetstream"));
    assert!(begun > 0, "there is a stream to leave a block in");

    let supervisor = Supervisor::start(config(folder.path())).await.unwrap();
    let connection = supervisor.connect().await.unwrap();
    let log = Log::open(&connection, &practice(), &log_config()).await.unwrap();
    assert_eq!(Some(&log.last_sequence().await.unwrap()), appended.last());
    let last = log.last(patient).await.unwrap().unwrap();
    assert_eq!(text(&last.payload), "three");
}

/// What a kill at that moment leaves behind in every stream: an empty block without a key.
fn leave_begun_blocks(jetstream: &Path) -> usize {
    let mut begun = 0;
    for account in fs::read_dir(jetstream).unwrap() {
        for stream in fs::read_dir(account.unwrap().path().join("streams")).unwrap() {
            fs::write(stream.unwrap().path().join("msgs/99.blk"), "").unwrap();
            begun += 1;
        }
    }
    begun
}
