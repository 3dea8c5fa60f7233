//! A contract that changes under a call counts for the rest of the call.

use crate::{
    bus::{Bus, TRACER, by, code},
    images::{PIECE, VENDOR, Vendor, scan},
    office::{ann, everything, in_time},
};
use archwire::wire::write_patient;
use archwire_core::{
    FieldGroup, Patient, PatientId,
    contract::{Contract, PatientScope},
};
use archwire_proto::v1::{
    GetPatientRequest, ListEventsRequest, Observation, PublishRequest, PublishResponse, Refused,
    get_image_response::Response as Got, get_patient_request::Key, publish_response::Outcome,
    put_image_request::Request as Put,
};
use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming};

/// A vendor's end of a stream of what it says.
struct Publishing {
    say: mpsc::Sender<PublishRequest>,
    answers: Streaming<PublishResponse>,
}

impl Publishing {
    async fn open(bus: &Bus) -> Self {
        let (say, outgoing) = mpsc::channel(8);
        let request = by(TRACER, ReceiverStream::new(outgoing));
        let answers = in_time(bus.client.clone().publish(request)).await.unwrap();
        Self {
            say,
            answers: answers.into_inner(),
        }
    }

    async fn says(&mut self, patient: &Patient) -> Result<Outcome, Status> {
        let observation = Observation {
            local_id: "t-1".to_owned(),
            patient: Some(write_patient(patient)),
            ..Observation::default()
        };
        let request = PublishRequest {
            tag: 7,
            observation: Some(observation),
            idempotency_key: None,
        };
        // Whoever is not listened to any more hears why.
        _ = in_time(self.say.send(request)).await;
        let answer = in_time(self.answers.message()).await?;
        Ok(answer.expect("the stream has ended").outcome.unwrap())
    }
}

fn refused(outcome: Outcome) -> Refused {
    match outcome {
        Outcome::Refused(refused) => refused,
        _ => panic!("it was taken"),
    }
}

#[tokio::test]
async fn what_is_said_under_a_contract_that_was_narrowed_is_refused_with_the_field() {
    let bus = Bus::open().await;
    let mut publishing = Publishing::open(&bus).await;
    let taken = publishing.says(&ann()).await.unwrap();
    assert!(matches!(taken, Outcome::Recorded(_)));
    let mut narrower = everything(TRACER);
    narrower.write.fields.remove(&FieldGroup::Demographics);
    bus.agree(narrower.clone());
    let other = Patient {
        birth_date: None,
        ..ann()
    };
    let mut older = ann();
    older.birth_date = "1901-01-01".to_owned().try_into().ok();
    assert!(older.birth_date.is_some());
    let refusal = refused(publishing.says(&older).await.unwrap());
    assert_eq!(
        (refusal.code.as_str(), refusal.field.as_str()),
        ("field_denied", "birth_date")
    );
    assert!(!refusal.retryable);
    // What it does not say, it does not take away.
    assert!(matches!(
        publishing.says(&other).await.unwrap(),
        Outcome::Unchanged(_)
    ));
    // And then it is over, also for who has said nothing since.
    narrower.enabled = false;
    bus.agree(narrower);
    let ended = in_time(publishing.answers.message()).await.map(drop).unwrap_err();
    assert_eq!(
        (ended.code(), code(&ended)),
        (Code::PermissionDenied, "vendor_suspended")
    );
    drop(publishing);
    bus.close().await;
}

#[tokio::test]
async fn a_patient_out_of_bounds_is_answered_as_nobody_is() {
    let bus = Bus::open().await;
    let [ann, _] = bus.ann_and_bob().await;
    let nobody = PatientId::generate();
    let mut linked = everything(TRACER);
    linked.patients = PatientScope::LinkedWith("archive".parse().unwrap());
    bus.agree(linked);
    let mut answers = Vec::new();
    for id in [ann, nobody] {
        let get = GetPatientRequest {
            key: Some(Key::PatientId(id.to_string())),
            ..GetPatientRequest::default()
        };
        let list = ListEventsRequest {
            patient_id: id.to_string(),
            ..ListEventsRequest::default()
        };
        let got = bus.client.clone().get_patient(by(TRACER, get)).await.map(drop);
        let listed = bus.client.clone().list_events(by(TRACER, list)).await.map(drop);
        for refused in [got.unwrap_err(), listed.unwrap_err()] {
            answers.push((
                refused.code(),
                code(&refused).to_owned(),
                refused.message().to_owned(),
            ));
        }
    }
    assert!(
        answers
            .iter()
            .all(|(code, own, _)| *code == Code::NotFound && own == "patient_unknown")
    );
    assert_eq!(answers[..2], answers[2..], "an id tells nothing");
    bus.close().await;
}

#[tokio::test]
async fn an_upload_ends_when_images_may_not_be_put_any_more() {
    let vendor = Vendor::open().await;
    let bytes = scan();
    let upload = vendor.put(&bytes, 0);
    upload.begin().await;
    for piece in bytes.slice(..2 * PIECE).chunks(PIECE) {
        upload.send(Put::Data(Bytes::copy_from_slice(piece))).await;
    }
    let pieces = upload.pieces.clone();
    let mut readers = everything(VENDOR);
    readers.images.write = false;
    vendor.agree(readers);
    let ended = upload.answered().await.map(drop).unwrap_err();
    assert_eq!(
        (ended.code(), code(&ended)),
        (Code::PermissionDenied, "images_denied")
    );
    drop(pieces);
    vendor.close().await;
}

/// Of an image that is being read when something else is agreed: how the read ends.
async fn read_under(agreed: Contract) -> Status {
    let vendor = Vendor::open().await;
    let bytes = scan();
    let uid = vendor.stored(&bytes).await;
    let mut answers = vendor.get(&uid).await;
    let header = in_time(answers.message()).await.unwrap().unwrap();
    assert!(matches!(header.response, Some(Got::Header(_))));
    vendor.agree(agreed);
    let mut came = 0;
    let ended = loop {
        match in_time(answers.message()).await {
            Ok(Some(answer)) => match answer.response {
                Some(Got::Data(data)) => came += data.len(),
                _ => panic!("a second header"),
            },
            Ok(None) => panic!("all of it came"),
            Err(ended) => break ended,
        }
    };
    assert!(came < bytes.len());
    vendor.close().await;
    ended
}

#[tokio::test]
async fn a_read_ends_when_images_may_not_be_read_any_more() {
    let mut writers = everything(VENDOR);
    writers.images.read = false;
    let ended = read_under(writers).await;
    assert_eq!(
        (ended.code(), code(&ended)),
        (Code::PermissionDenied, "images_denied")
    );
}

#[tokio::test]
async fn a_read_ends_when_the_patient_goes_out_of_view() {
    let mut linked = everything(VENDOR);
    linked.patients = PatientScope::LinkedWith("archive".parse().unwrap());
    let ended = read_under(linked).await;
    assert_eq!((ended.code(), code(&ended)), (Code::NotFound, "image_unknown"));
}
