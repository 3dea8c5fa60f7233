//! kill -9 of the broker while a vendor publishes one state of its records after another without waiting for answers, and sends
//! what has none again: the log has each state once, in order.

use crate::support::VENDOR;
use anyhow::{Context as _, Result, bail, ensure};
use archwire_client::{Client, PatientKey};
use archwire_proto::v1::{
    self, Observation, PublishRequest, bus_client::BusClient, duplicate::First, publish_response::Outcome,
};
use archwire_tests::{Practice, invented, set_email, wire_patient};
use std::collections::BTreeMap;
use tonic::{Request, Streaming, transport::Endpoint};

const RECORDS: usize = 8;
const STATES: usize = 16;
const KILLS: usize = 4;

/// A vendor's program without the client library: it knows what it said, and what was answered.
struct Vendor {
    requests: Vec<PublishRequest>,
    /// By tag; what became of a request the first time.
    answers: BTreeMap<u64, First>,
    /// How many of the answers named an earlier time.
    duplicates: usize,
}

fn address(record: usize, state: usize) -> String {
    format!("person{record}-{state}@example.com")
}

impl Vendor {
    /// The first state of every record, then the second of every record, and so on.
    fn new() -> Self {
        let people = invented(7, RECORDS);
        let mut requests = Vec::new();
        for state in 0..STATES {
            for (record, fields) in people.iter().enumerate() {
                let mut patient = wire_patient(fields);
                set_email(&mut patient, &address(record, state));
                let observation = Observation {
                    local_id: format!("V-{record}"),
                    patient: Some(patient),
                    ..Observation::default()
                };
                requests.push(PublishRequest {
                    tag: requests.len() as u64,
                    observation: Some(observation),
                    idempotency_key: Some(format!("row-{record}-{state}")),
                });
            }
        }
        Self {
            requests,
            answers: BTreeMap::new(),
            duplicates: 0,
        }
    }

    /// Sends these again on a new stream, all at once.
    async fn send(
        practice: &Practice,
        requests: Vec<PublishRequest>,
    ) -> Result<Streaming<v1::PublishResponse>> {
        let channel = Endpoint::from_shared(practice.url())?.connect().await?;
        let mut request = Request::new(tokio_stream::iter(requests));
        let token = format!("Bearer {}", practice.token(VENDOR)?);
        request.metadata_mut().insert("authorization", token.parse()?);
        Ok(BusClient::new(channel).publish(request).await?.into_inner())
    }

    fn unanswered(&self) -> Vec<PublishRequest> {
        let requests = self.requests.iter();
        requests
            .filter(|request| !self.answers.contains_key(&request.tag))
            .cloned()
            .collect()
    }

    fn take(&mut self, answer: v1::PublishResponse) -> Result<()> {
        let first = match answer.outcome {
            Some(Outcome::Recorded(recorded)) => First::Recorded(recorded),
            Some(Outcome::Duplicate(duplicate)) => {
                self.duplicates += 1;
                duplicate.first.context("a duplicate of nothing")?
            }
            Some(Outcome::Refused(refused)) => bail!("request {} was refused: {}", answer.tag, refused.code),
            _ => bail!("request {} is answered otherwise", answer.tag),
        };
        let earlier = self.answers.insert(answer.tag, first.clone());
        ensure!(
            earlier.is_none_or(|earlier| earlier == first),
            "request {} is answered otherwise than before",
            answer.tag
        );
        Ok(())
    }
}

fn emails(patient: Option<v1::Patient>) -> Result<String> {
    let telecom = patient.context("no patient")?.telecom;
    let emails = telecom.into_iter().filter(|point| point.value.contains('@'));
    Ok(emails.map(|point| point.value).collect())
}

/// The states of a record that the log tells as the vendor's words, in its order.
async fn told(client: &Client, patient_id: &str) -> Result<Vec<String>> {
    let (mut told, mut last, mut after) = (Vec::new(), 0, Some(0));
    while let Some(revision) = after {
        let page = client.list_events(patient_id, revision).await?;
        for event in page.events.into_iter().map(|stored| stored.event) {
            last += 1;
            ensure!(event.revision == last, "a gap before {}", event.revision);
            let observation = event.observation.context("nobody said it")?;
            // The front desk tells numbers of its own.
            if observation.system == VENDOR {
                told.push(emails(observation.patient)?);
            }
        }
        after = page.next;
    }
    Ok(told)
}

#[tokio::test]
async fn each_state_is_in_the_log_once_and_in_order() -> Result<()> {
    let mut practice = Practice::plan().vendor(VENDOR).open().await?;
    practice.start_broker().await?;
    let mut vendor = Vendor::new();
    for kill in 1..=KILLS {
        let mut answers = Vendor::send(&practice, vendor.unanswered()).await?;
        // Each time at another point of the work, in the middle of a record's states.
        while vendor.answers.len() < kill * (RECORDS * STATES / (KILLS + 1)) + kill {
            let answer = answers.message().await?.context("the stream ended")?;
            vendor.take(answer)?;
        }
        practice.kill_broker().await?;
        // What was answered before the kill may still be on its way here: this vendor never hears it.
        drop(answers);
        practice.start_broker().await?;
    }
    ensure!(!vendor.unanswered().is_empty(), "the kills came too late");
    // Whatever it had heard, it says everything once more, as after a restart of its own.
    let mut answers = Vendor::send(&practice, vendor.requests.clone()).await?;
    while let Some(answer) = answers.message().await? {
        vendor.take(answer)?;
    }
    ensure!(vendor.unanswered().is_empty(), "requests without an answer");
    let client = practice.vendor(VENDOR).await?;
    for record in 0..RECORDS {
        let patient_id = match &vendor.answers[&(record as u64)] {
            First::Recorded(recorded) => recorded.patient_id.clone(),
            _ => bail!("the first state of record {record} is told by no event"),
        };
        let expected: Vec<_> = (0..STATES).map(|state| address(record, state)).collect();
        let told = told(&client, &patient_id).await?;
        ensure!(told == expected, "record {record}: the log tells {told:?}");
        let shown = client.get_patient(PatientKey::PatientId(patient_id)).await?;
        let shown = emails(shown.context("nobody knows the patient")?.patient)?;
        ensure!(
            shown == address(record, STATES - 1),
            "what was said last is what holds: {shown}"
        );
    }
    // At least what had been answered before, and whatever was stored and not heard of.
    ensure!(
        vendor.duplicates > KILLS,
        "only {} requests were known again",
        vendor.duplicates
    );
    Ok(())
}
