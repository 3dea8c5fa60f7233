//! A record says in which trace it was made, to whoever reads it and however.

use crate::support::*;
use archwire_core::PatientId;
use archwire_nats::{AppendError, DeliveriesConfig, Entry, Expected, Filter};
use futures_util::TryStreamExt;
use std::{num::NonZeroU32, time::Duration};

const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn made_in(traceparent: Option<&str>, patient: PatientId, expected: Expected) -> Entry {
    let mut entry = event(patient, expected, "x");
    entry.attributes.traceparent = traceparent.map(str::to_owned);
    entry
}

#[tokio::test]
async fn the_trace_of_a_record_is_read_back_with_it() {
    let office = Office::open().await;
    let log = &office.log;
    let patient = PatientId::generate();
    let first = made_in(Some(TRACEPARENT), patient, Expected::Nothing);
    let first = log.append(first).await.unwrap().sequence;
    let second = made_in(None, patient, Expected::Sequence(first));
    log.append(second).await.unwrap();
    let expected = [Some(TRACEPARENT.to_owned()), None];
    let history: Vec<_> = log.history(patient, 0).try_collect().await.unwrap();
    let replay: Vec<_> = log.replay(1, Filter::Events).try_collect().await.unwrap();
    for records in [history, replay] {
        let found: Vec<_> = records.into_iter().map(|stored| stored.traceparent).collect();
        assert_eq!(found, expected);
    }
    let config = DeliveriesConfig {
        ack_wait: Duration::from_secs(60),
        max_ack_pending: NonZeroU32::new(10).unwrap(),
    };
    let mut queue = log.deliveries(&"archive".parse().unwrap(), config).await.unwrap();
    for expected in expected {
        let work = tokio::time::timeout(PATIENCE, queue.next())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(work.stored.traceparent, expected);
    }
}

#[tokio::test]
async fn what_cannot_be_a_header_is_refused_and_not_stored() {
    let office = Office::open().await;
    let patient = PatientId::generate();
    let before = office.log.last_sequence().await.unwrap();
    for bad in ["", "with space", "line\r\nNats-Rollup: all", "über"] {
        let refused = office
            .log
            .append(made_in(Some(bad), patient, Expected::Nothing))
            .await;
        assert!(
            matches!(refused, Err(AppendError::Attribute { name: "traceparent" })),
            "{bad:?}: {refused:?}"
        );
    }
    assert_eq!(office.log.last_sequence().await.unwrap(), before);
}
