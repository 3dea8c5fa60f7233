//! A vendor that allows everything and reads nothing holds up nobody but itself, and misses nothing.

use crate::support::{Scene, raw_bus::RawBus};
use anyhow::{Context as _, Result, ensure};
use archwire_client::SubscribeOptions;
use archwire_proto::v1::{self, delivery::Turn, subscribe_request::Request, subscribe_response::Response};
use archwire_tests::Practice;
use futures_util::future::try_join_all;
use std::time::Duration;
use tokio::{sync::mpsc, time::timeout};
use tokio_stream::wrappers::ReceiverStream;

const SLOW: &str = "slow-vendor";
const QUICK: &str = "quick-vendor";
/// Streams that nobody reads.
const STREAMS: usize = 8;
/// Records that are published, each of about 40 KiB: together more than the connection and the broker hold of a stream.
const RECORDS: usize = 120;
const SOURCE: usize = 40 * 1024;
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn who_reads_nothing_holds_up_nobody_and_misses_nothing() -> Result<()> {
    let scene = Scene::with(Practice::plan().vendor(SLOW).vendor(QUICK)).await?;
    let slow = RawBus::connect(&scene.practice, SLOW).await?;
    let mut unread = Vec::new();
    for number in 0..STREAMS {
        let (say, requests) = mpsc::channel(4);
        let open = v1::Open {
            name: format!("slow-{number}"),
            ..v1::Open::default()
        };
        for request in [
            Request::Open(open),
            Request::Credit(v1::Credit { events: 10_000 }),
        ] {
            say.send(v1::SubscribeRequest {
                request: Some(request),
            })
            .await?;
        }
        let request = slow.with_token(ReceiverStream::new(requests));
        let answers = slow.client.clone().subscribe(request).await?.into_inner();
        unread.push((say, answers));
    }
    let client = scene.practice.vendor(QUICK).await?;
    let mut reader = client.subscribe(SubscribeOptions::new("quick"));
    let publisher = client.publisher();
    for number in 0..RECORDS {
        let published = publisher.publish(large(number));
        let receipt = timeout(PATIENCE, published).await.context("publishing hangs")??;
        let heard = async {
            while let Some(delivery) = reader.next().await? {
                reader.ack(&delivery);
                if delivery.event.patient_id == receipt.patient_id() {
                    return Ok(());
                }
            }
            anyhow::bail!("the stream has ended")
        };
        timeout(PATIENCE, heard)
            .await
            .context("the quick reader waits")??;
    }
    // And now they read, all at once, as they share a connection: everything is there, each event named by the next.
    let reading = unread.into_iter().map(async |(_say, mut answers)| {
        let (mut last, mut events) = (0, 0);
        while events < RECORDS {
            let answer = timeout(PATIENCE, answers.message())
                .await
                .context("nothing comes")??;
            let answer = answer.context("the stream has ended")?.response;
            if let Some(Response::Delivery(delivery)) = answer {
                ensure!(
                    delivery.turn == Some(Turn::After(last)),
                    "an event is missing behind {last}"
                );
                last = delivery.sequence;
                events += 1;
            }
        }
        Ok(())
    });
    try_join_all(reading).await.map(drop)
}

/// A record whose source is long.
fn large(number: usize) -> v1::Observation {
    let name = v1::HumanName {
        family: Some(format!("Reader{}", letters(number))),
        given: vec![format!("Quick{}", letters(number))],
        ..v1::HumanName::default()
    };
    v1::Observation {
        local_id: format!("large-{number}"),
        patient: Some(v1::Patient {
            names: vec![name],
            ..v1::Patient::default()
        }),
        source: Some(v1::SourceRecord {
            media_type: "text/plain".to_owned(),
            format: "test/1".to_owned(),
            data: noise(number).into(),
            ..v1::SourceRecord::default()
        }),
        ..v1::Observation::default()
    }
}

fn letters(number: usize) -> String {
    number
        .to_string()
        .bytes()
        .map(|digit| char::from(b'a' + (digit - b'0')))
        .collect()
}

/// Bytes that do not get smaller on their way.
fn noise(number: usize) -> Vec<u8> {
    let mut state = u64::try_from(number)
        .unwrap_or_default()
        .wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        b' ' + u8::try_from(state % 90).unwrap_or_default()
    };
    (0..SOURCE).map(|_| next()).collect()
}
