//! A call ends when its program does not wait for it any more: at the deadline that it said (`grpc-timeout`), and when it takes the call
//! back. Nothing of it goes on, and its place is free.

use crate::{
    calls_that_come_to_nothing_end_a_connection::call_of,
    house::{House, IMAGING, Plan, eventually, paced, token_of},
    office::{ann, id, in_time, says, system, vendor},
};
use archwire_proto::v1::{
    HumanName, Observation, Open, Patient, PublishRequest, PutImageOpen, PutImageRequest, SubscribeRequest,
    put_image_open, put_image_request::Request as Put, subscribe_request::Request as Ask,
};
use bytes::{BufMut as _, Bytes, BytesMut};
use h2::{Reason, RecvStream, SendStream, client::SendRequest};
use http::{HeaderMap, HeaderValue};
use std::time::Duration;
use tokio::{net::TcpStream, time::Instant};

const RECORD: &str = "17";
/// What the calls say how long they are waited for.
const DEADLINE: Duration = Duration::from_millis(400);
const METHODS: [&str; 8] = [
    "Publish",
    "Subscribe",
    "GetPatient",
    "FindPatients",
    "ListEvents",
    "PutImage",
    "ResumeImage",
    "GetImage",
];
/// A digest that no image has.
const DIGEST: [u8; 32] = [7; 32];

/// A house in which a vendor has so many requests a second, and streams.
async fn house(requests: u32, streams: u32) -> House {
    let house = House::with(Plan {
        vendors: vec![vendor(paced(IMAGING, requests, streams), &token_of(IMAGING))],
        images: true,
        ..Plan::default()
    })
    .await;
    house.office.see(says(IMAGING, RECORD, ann())).await;
    house
}

/// A program that goes on sending for as long as it likes, whatever it hears.
struct Program(SendRequest<Bytes>);

/// A call that it makes.
struct Call {
    answer: h2::client::ResponseFuture,
    sending: SendStream<Bytes>,
}

impl Program {
    async fn connect(house: &House) -> Self {
        let stream = TcpStream::connect(house.address).await.unwrap();
        let (send, connection) = in_time(h2::client::handshake(stream)).await.unwrap();
        tokio::spawn(connection);
        Self(send)
    }

    /// Begins a call that is not said to be over.
    async fn begin(&self, method: &str, deadline: Option<Duration>, messages: &[Bytes]) -> Call {
        let mut headers = HeaderMap::new();
        if let Some(deadline) = deadline {
            let text = format!("{}m", deadline.as_millis());
            headers.insert("grpc-timeout", HeaderValue::try_from(text).unwrap());
        }
        let mut ready = in_time(self.0.clone().ready()).await.unwrap();
        let request = call_of(method, &token_of(IMAGING), headers);
        let (answer, mut sending) = ready.send_request(request, false).unwrap();
        for message in messages {
            sending.send_data(message.clone(), false).unwrap();
        }
        Call { answer, sending }
    }
}

impl Call {
    /// How it ends: the code of gRPC and ours. It is not taken back, and nothing of it said to be over.
    async fn ends(self) -> (String, String) {
        let Self { answer, sending } = self;
        let (head, mut body) = in_time(answer).await.unwrap().into_parts();
        let trailers = match head.headers.contains_key("grpc-status") {
            true => head.headers,
            false => in_time(trailers(&mut body)).await,
        };
        drop(sending);
        let text = |name: &str| {
            let value = trailers.get(name);
            value.map_or_else(String::new, |value| value.to_str().unwrap().to_owned())
        };
        (text("grpc-status"), text("archwire-error-code"))
    }

    /// Waits until it begins to be answered, where it is before it is over. Tells whether it was let in.
    async fn is_let_in(&mut self, is_answered_at_once: bool) -> bool {
        if !is_answered_at_once {
            return true;
        }
        let head = in_time(&mut self.answer).await.unwrap();
        !head.headers().contains_key("grpc-status")
    }

    fn take_back(mut self) {
        self.sending.send_reset(Reason::CANCEL);
    }
}

async fn trailers(body: &mut RecvStream) -> HeaderMap {
    while let Some(data) = body.data().await {
        body.flow_control().release_capacity(data.unwrap().len()).unwrap();
    }
    body.trailers().await.unwrap().unwrap()
}

fn framed(request: &impl prost::Message) -> Bytes {
    let mut message = BytesMut::new();
    message.put_u8(0);
    message.put_u32(u32::try_from(request.encoded_len()).unwrap());
    request.encode(&mut message).unwrap();
    message.freeze()
}

/// What begins a call of each kind, where there is something; the others wait for their request.
fn beginning(method: &str) -> Vec<Bytes> {
    match method {
        "Subscribe" => {
            let open = Open {
                name: "one".to_owned(),
                heartbeat: Some(Duration::from_secs(300).try_into().unwrap()),
                ..Open::default()
            };
            vec![framed(&SubscribeRequest {
                request: Some(Ask::Open(open)),
            })]
        }
        "PutImage" => {
            let open = PutImageOpen {
                patient: Some(put_image_open::Patient::RecordLocalId(RECORD.to_owned())),
                sha256: Bytes::copy_from_slice(&DIGEST),
                size: 1_000_000,
                ..PutImageOpen::default()
            };
            vec![framed(&PutImageRequest {
                request: Some(Put::Open(open)),
            })]
        }
        _ => Vec::new(),
    }
}

fn published(record: &str) -> Bytes {
    let name = HumanName {
        family: Some(format!("Family{record}")),
        ..HumanName::default()
    };
    let observation = Observation {
        local_id: record.to_owned(),
        patient: Some(Patient {
            names: vec![name],
            ..Patient::default()
        }),
        ..Observation::default()
    };
    framed(&PublishRequest {
        tag: 1,
        observation: Some(observation),
        ..PublishRequest::default()
    })
}

/// Makes a call until there is a place for it, and waits until it is over at its deadline. Tells when it began.
async fn eventually_let_in(program: &Program, method: &str) -> Instant {
    let mut began = Instant::now();
    eventually("there is a place", async || {
        began = Instant::now();
        let call = program.begin(method, Some(DEADLINE), &beginning(method)).await;
        let (grpc, own) = call.ends().await;
        let is_full = own == "too_many_streams";
        // 4 is DEADLINE_EXCEEDED.
        let is_over = (grpc.as_str(), own.as_str()) == ("4", "deadline_exceeded");
        assert!(is_full || is_over, "{method}: {grpc} {own}");
        is_over
    })
    .await;
    began
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_call_ends_at_its_deadline_and_leaves_its_place() {
    let house = house(10_000, 1).await;
    let program = Program::connect(&house).await;
    for method in METHODS {
        // Of the one before, the place is given back a moment after it is over.
        let began = eventually_let_in(&program, method).await;
        assert!(began.elapsed() >= DEADLINE, "{method}: {:?}", began.elapsed());
    }
    assert_eq!(house.knock(&token_of(IMAGING)).await.ask().await, Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_that_is_over_is_read_for_nobody_although_its_program_keeps_the_stream() {
    let house = house(10_000, 1).await;
    let program = Program::connect(&house).await;
    let mut call = program
        .begin("Subscribe", Some(DEADLINE), &beginning("Subscribe"))
        .await;
    let mut body = in_time(&mut call.answer).await.unwrap().into_body();
    let ended = in_time(trailers(&mut body)).await;
    assert_eq!(ended.get("grpc-status").unwrap(), "4");
    // Its next heartbeat would be in five minutes.
    in_time(house.subscriptions.drain()).await;
    drop(call);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_its_turn_at_the_deadline_is_never_taken() {
    let house = house(2, 2).await;
    // Ten are taken at once, the next after half a second each.
    let all: Vec<_> = (0..20).map(|number| published(&format!("r{number}"))).collect();
    let program = Program::connect(&house).await;
    let call = program.begin("Publish", Some(DEADLINE), &all).await;
    assert_eq!(call.ends().await.0, "4");
    let is_linked = |record: &str| {
        let index = house.office.registry.index();
        index.linked(&system(IMAGING), &id(record)).is_some()
    };
    // By the time that three others had their turns, the next of them would have been taken too.
    let mut later = house.knock(&token_of(IMAGING)).await.publish().await;
    for number in 0..3 {
        later.say(&format!("later{number}"), "Later").await;
    }
    for _ in 0..3 {
        assert!(later.hear().await);
    }
    let taken = (0..20).filter(|number| is_linked(&format!("r{number}"))).count();
    assert!(taken <= 12, "{taken} were taken after the call was over");
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_are_taken_back_leave_their_places() {
    let house = house(10_000, 1).await;
    let program = Program::connect(&house).await;
    for method in METHODS {
        for _ in 0..3 {
            // Of the one before, the place is given back a moment after it was taken back.
            eventually("the vendor has its stream again", async || {
                let is_answered_at_once = ["Publish", "Subscribe"].contains(&method);
                let mut call = program.begin(method, None, &beginning(method)).await;
                let is_let_in = call.is_let_in(is_answered_at_once).await;
                call.take_back();
                is_let_in
            })
            .await;
        }
    }
    assert_eq!(house.knock(&token_of(IMAGING)).await.ask().await, Ok(()));
    // Nobody reads for those that were taken back.
    in_time(house.subscriptions.drain()).await;
}
