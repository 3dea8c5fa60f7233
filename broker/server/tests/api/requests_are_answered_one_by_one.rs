//! Each request of a stream is answered by what became of it, whatever became of the others.

use crate::{
    bus::{Bus, TRACER, by},
    office::{With as _, ann_alone, everything, in_time, person},
};
use archwire::wire::write_patient;
use archwire_core::{FieldGroup, Patient};
use archwire_proto::v1::{
    Duplicate, InReview, Observation, PublishRequest, Recorded, Refused, Unchanged, duplicate::First,
    publish_response::Outcome,
};
use std::collections::BTreeMap;
use tokio_stream as stream;

fn says(key: Option<&str>, record: &str, patient: &Patient) -> PublishRequest {
    let observation = Observation {
        local_id: record.to_owned(),
        patient: Some(write_patient(patient)),
        ..Observation::default()
    };
    PublishRequest {
        tag: 0,
        observation: Some(observation),
        idempotency_key: key.map(str::to_owned),
    }
}

/// Sends everything at once; tells the answers in the order of the requests.
async fn answers(bus: &Bus, requests: Vec<PublishRequest>) -> Vec<Outcome> {
    let tagged: Vec<_> = (0..)
        .zip(requests)
        .map(|(tag, request)| PublishRequest { tag, ..request })
        .collect();
    let request = by(TRACER, stream::iter(tagged));
    let mut stream = in_time(bus.client.clone().publish(request))
        .await
        .unwrap()
        .into_inner();
    let mut answers = BTreeMap::new();
    while let Some(answer) = in_time(stream.message()).await.unwrap() {
        let earlier = answers.insert(answer.tag, answer.outcome.unwrap());
        assert!(earlier.is_none(), "one request has one answer");
    }
    answers.into_values().collect()
}

fn refusal(outcome: &Outcome) -> (&str, &str, bool) {
    match outcome {
        Outcome::Refused(Refused {
            code,
            field,
            retryable,
            message,
        }) => {
            assert!(!message.is_empty());
            (code, field, *retryable)
        }
        _ => panic!("it was taken"),
    }
}

#[tokio::test]
async fn stored_duplicate_no_change_in_review_and_refused_with_a_field() {
    let bus = Bus::open().await;
    let mut narrower = everything(TRACER);
    narrower.write.fields.remove(&FieldGroup::Contact);
    bus.agree(narrower);
    let ann = ann_alone();
    let mut no_date = says(Some("no-date"), "2", &ann);
    let patient = no_date.observation.as_mut().unwrap().patient.as_mut().unwrap();
    patient.birth_date = Some("some day".to_owned());
    let nothing = PublishRequest {
        observation: None,
        ..no_date.clone()
    };
    let requests = vec![
        says(Some("first"), "1", &ann),
        says(Some("first"), "1", &ann),
        says(None, "1", &ann),
        says(Some("waits"), "1", &person("Bob", "Jones", "1951-02-11").male()),
        no_date,
        nothing,
        says(Some("phone"), "3", &ann.clone().mobile("503 555 0142")),
        says(Some("first"), "4", &ann),
        says(Some(""), "1", &ann),
        says(Some("two words"), "1", &ann),
    ];
    let answers = answers(&bus, requests).await;
    let Outcome::Recorded(recorded) = &answers[0] else {
        panic!("it was not stored");
    };
    let patient_id = recorded.patient_id.clone();
    assert_eq!(recorded.revision, 1);
    assert!(recorded.sequence > 0);
    let first = First::Recorded(Recorded::clone(recorded));
    assert!(answers[1] == Outcome::Duplicate(Duplicate { first: Some(first) }));
    let unchanged = Unchanged {
        patient_id: patient_id.clone(),
        revision: 1,
    };
    assert!(answers[2] == Outcome::Unchanged(unchanged));
    let waits = InReview { item: 1, patient_id };
    assert!(answers[3] == Outcome::InReview(waits));
    let refusals: Vec<_> = answers[4..].iter().map(refusal).collect();
    let fields: Vec<_> = refusals.iter().map(|(code, field, _)| (*code, *field)).collect();
    assert_eq!(fields[0].0, "observation_invalid");
    assert!(fields[0].1.ends_with("birth_date"), "{}", fields[0].1);
    assert_eq!(fields[1], ("observation_invalid", "observation"));
    assert_eq!(fields[2].0, "field_denied");
    assert!(fields[2].1.starts_with("telecom/"), "{}", fields[2].1);
    assert_eq!(
        fields[3..],
        [
            ("idempotency_key_reused", ""),
            ("idempotency_key_invalid", ""),
            ("idempotency_key_invalid", "")
        ]
    );
    assert!(refusals.iter().all(|(_, _, retryable)| !retryable));
    bus.close().await;
}
