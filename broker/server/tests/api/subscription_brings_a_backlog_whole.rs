//! What was published while nobody followed comes whole, however much there is and however it is asked for.

use crate::{
    bus::{Bus, DESK, SCANNER, TRACER, after, by, named},
    office::{in_time, says, stranger},
};
use archwire_proto::v1::{self, ListEventsRequest, PublishRequest, Revisions, publish_response::Outcome};
use std::collections::BTreeSet;

/// More than is looked at before anything else has its turn, than waits for the connection, and than one batch.
const EVENTS: u64 = 500;

/// Publishes so many records at once, and tells where the events stand.
async fn publish(bus: &Bus) -> BTreeSet<u64> {
    let requests = (1..=EVENTS).map(|tag| {
        let digits = tag.to_string().into_bytes();
        let letters = digits.iter().map(|digit| char::from(digit - b'0' + b'a'));
        let letters: String = letters.collect();
        let name = v1::HumanName {
            family: Some(format!("Q{letters}x")),
            given: vec![format!("V{letters}{letters}")],
            ..v1::HumanName::default()
        };
        let observation = v1::Observation {
            local_id: format!("r{tag}"),
            patient: Some(v1::Patient {
                names: vec![name],
                ..v1::Patient::default()
            }),
            ..v1::Observation::default()
        };
        PublishRequest {
            tag,
            observation: Some(observation),
            ..PublishRequest::default()
        }
    });
    let requests = tokio_stream::iter(requests.collect::<Vec<_>>());
    let answers = bus.client.clone().publish(by(SCANNER, requests)).await;
    let mut answers = answers.unwrap().into_inner();
    let mut sequences = BTreeSet::new();
    while let Some(answer) = in_time(answers.message()).await.unwrap() {
        match answer.outcome.unwrap() {
            Outcome::Recorded(recorded) => sequences.insert(recorded.sequence),
            _ => panic!("{} is no news", answer.tag),
        };
    }
    sequences
}

#[tokio::test]
async fn every_event_of_a_backlog_comes_once_in_its_turn() {
    let bus = Bus::open().await;
    let published = publish(&bus).await;
    assert_eq!(published.len(), usize::try_from(EVENTS).unwrap());
    // All at once, a few at a time, and one by one.
    for (name, credit) in [("all", 10_000), ("some", 33), ("few", 3)] {
        let mut reader = bus.subscribe(TRACER, named(name)).await.unwrap();
        reader.allow(credit).await;
        let (mut came, mut last, mut allowed) = (Vec::new(), 0, credit);
        while came.len() < published.len() {
            let (delivery, _) = reader.event().await;
            assert_eq!(after(&delivery), Some(last), "the chain has no hole");
            last = delivery.sequence;
            came.push(last);
            allowed -= 1;
            if allowed == 0 {
                reader.allow(credit).await;
                allowed = credit;
            }
        }
        assert!(came.iter().eq(&published), "{name}: something is missing");
        reader.ack(last).await;
        assert_eq!(reader.heartbeat().await.through, last);
    }
    bus.close().await;
}

#[tokio::test]
async fn a_long_history_is_read_in_pages_from_any_revision() {
    const REVISIONS: u64 = 300;
    let bus = Bus::open().await;
    let mut patient = None;
    for revision in 1..=REVISIONS {
        let number = usize::try_from(revision).unwrap();
        let said = archwire_core::Patient {
            telecom: stranger(number).telecom,
            ..stranger(0)
        };
        patient = Some(bus.says("long", said).await);
        if revision % 50 == 0 {
            bus.office
                .see(says(DESK, &format!("other-{revision}"), stranger(number)))
                .await;
        }
    }
    let patient = patient.unwrap();
    let page = async |after_revision, page_size| {
        let request = ListEventsRequest {
            patient_id: patient.to_string(),
            after_revision,
            page_size,
            ..ListEventsRequest::default()
        };
        let answer = bus.client.clone().list_events(by(TRACER, request)).await;
        let answer = answer.unwrap().into_inner();
        let revisions = answer.events.iter().map(|event| {
            let event = <v1::Event as prost::Message>::decode(event.clone()).unwrap();
            event.revision
        });
        (
            revisions.collect::<Vec<_>>(),
            answer.more,
            answer.through_revision,
            answer.withheld,
        )
    };
    for behind in [0, 1, 2, 100, 255, 298, 299, 300, 301, u64::MAX] {
        let (revisions, more, through, withheld) = page(behind, 2).await;
        let last = behind.saturating_add(2).min(REVISIONS);
        let expected: Vec<u64> = (behind.saturating_add(1)..=last).collect();
        assert_eq!(revisions, expected, "behind {behind}");
        assert_eq!(more, last < REVISIONS && !expected.is_empty(), "behind {behind}");
        assert_eq!(through, expected.last().copied().unwrap_or(behind));
        assert!(withheld.is_empty());
    }
    // What a contract does not show is told as what follows on each other.
    let mut contract = crate::office::everything(TRACER);
    contract.read.fields.remove(&archwire_core::FieldGroup::Contact);
    contract.read.source = false;
    bus.agree(contract);
    let (revisions, more, through, withheld) = page(0, 100).await;
    assert_eq!((revisions, more, through), (vec![1], false, REVISIONS));
    assert!(
        withheld
            == [Revisions {
                first: 2,
                last: REVISIONS
            }]
    );
    bus.close().await;
}
