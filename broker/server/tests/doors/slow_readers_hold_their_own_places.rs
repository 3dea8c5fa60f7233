//! Answers that nobody takes wait in memory: no more of them than a vendor has places for, whatever it asks.

use crate::{
    calls_that_come_to_nothing_end_a_connection::{call, call_of},
    house::{CEPH, House, IMAGING, Plan, eventually, token_of},
    office::{ann, everything, in_time, says, vendor},
};
use archwire::api::Patience;
use archwire_proto::v1::{
    GetPatientRequest, Open, SubscribeRequest, get_patient_request::Key, subscribe_request::Request as Ask,
};
use bytes::{BufMut as _, Bytes, BytesMut};
use h2::client::{ResponseFuture, SendRequest};
use http::HeaderMap;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{io::AsyncWriteExt as _, net::TcpStream, task::JoinSet};

const RECORD: &str = "17";
/// Calls of a vendor at the same time that are no streams.
const CALLS: usize = 32;

fn asks() -> Bytes {
    framed(&GetPatientRequest {
        key: Some(Key::LocalId(RECORD.to_owned())),
        ..GetPatientRequest::default()
    })
}

/// A message as gRPC sends it.
fn framed(request: &impl prost::Message) -> Bytes {
    let mut message = BytesMut::new();
    message.put_u8(0);
    message.put_u32(u32::try_from(request.encoded_len()).unwrap());
    request.encode(&mut message).unwrap();
    message.freeze()
}

/// Asks for a patient; the answer begins, and none of it is taken.
async fn ask(send: &SendRequest<Bytes>) -> ResponseFuture {
    let mut ready = send.clone().ready().await.unwrap();
    let request = call(&token_of(IMAGING), HeaderMap::new());
    let (answer, mut stream) = ready.send_request(request, false).unwrap();
    stream.send_data(asks(), true).unwrap();
    answer
}

/// Connects, and asks 96 times; not a byte of an answer may be sent, and those that begin are counted. The connection ends with what is
/// given back.
async fn ask_and_take_nothing(house: &House, begun: &Arc<AtomicUsize>) -> (SendRequest<Bytes>, JoinSet<()>) {
    let stream = TcpStream::connect(house.address).await.unwrap();
    let mut builder = h2::client::Builder::new();
    builder.initial_window_size(0);
    let (send, connection) = in_time(builder.handshake(stream)).await.unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { _ = connection.await });
    for _ in 0..3 * CALLS {
        let (answer, begun) = (ask(&send).await, Arc::clone(begun));
        tasks.spawn(async move {
            let answer = answer.await;
            begun.fetch_add(1, Ordering::SeqCst);
            // Kept, so that its place is kept too.
            std::future::pending::<()>().await;
            drop(answer);
        });
    }
    eventually("the first answers begin", async || {
        begun.load(Ordering::SeqCst) >= CALLS
    })
    .await;
    (send, tasks)
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_are_not_taken_are_no_more_than_a_vendor_has_places_for() {
    let house = House::open().await;
    house.office.see(says(IMAGING, RECORD, ann())).await;
    let begun = Arc::new(AtomicUsize::new(0));
    let (_send, mut tasks) = ask_and_take_nothing(&house, &begun).await;
    let ceph = house.knock(&token_of(CEPH)).await;
    for _ in 0..100 {
        assert_eq!(ceph.ask().await, Ok(()));
    }
    assert_eq!(begun.load(Ordering::SeqCst), CALLS);
    // Who goes leaves its places.
    tasks.shutdown().await;
    assert_eq!(house.knock(&token_of(IMAGING)).await.ask().await, Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_nothing_of_its_answers_is_cut_off_and_its_vendor_is_served_again() {
    let house = House::with(Plan {
        patience: Patience {
            taken: Duration::from_secs(1),
            ..Patience::default()
        },
        ..Plan::default()
    })
    .await;
    house.office.see(says(IMAGING, RECORD, ann())).await;
    let begun = Arc::new(AtomicUsize::new(0));
    let (_send, _tasks) = ask_and_take_nothing(&house, &begun).await;
    // On another connection it is the same vendor, which waits for itself and is answered.
    assert_eq!(house.knock(&token_of(IMAGING)).await.ask().await, Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_nothing_does_not_keep_what_was_revoked() {
    let house = House::with(Plan {
        patience: Patience {
            taken: Duration::from_secs(1),
            ..Patience::default()
        },
        ..Plan::default()
    })
    .await;
    let stream = TcpStream::connect(house.address).await.unwrap();
    let mut builder = h2::client::Builder::new();
    builder.initial_window_size(0);
    let (send, connection) = in_time(builder.handshake::<_, Bytes>(stream)).await.unwrap();
    let ended = tokio::spawn(connection);
    let mut ready = send.clone().ready().await.unwrap();
    let request = call_of("Subscribe", &token_of(IMAGING), HeaderMap::new());
    let (answer, mut stream) = ready.send_request(request, false).unwrap();
    let open = Open {
        name: "one".to_owned(),
        ..Open::default()
    };
    let open = SubscribeRequest {
        request: Some(Ask::Open(open)),
    };
    stream.send_data(framed(&open), false).unwrap();
    let _answer = in_time(answer).await.unwrap();
    house
        .books
        .put_vendors([vendor(everything(CEPH), &token_of(CEPH))]);
    // The stream cannot be told that it is over; its connection is.
    _ = in_time(ended).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_signs_of_life_and_reads_none_is_cut_off() {
    let house = House::with(Plan {
        patience: Patience {
            stall: Duration::from_millis(300),
            ..Patience::default()
        },
        ..Plan::default()
    })
    .await;
    let mut stream = TcpStream::connect(house.address).await.unwrap();
    stream
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        .await
        .unwrap();
    // SETTINGS with nothing in them, then PING after PING; nothing is read.
    stream.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await.unwrap();
    let ping = [0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];
    let pings = ping.repeat(4096);
    let flood = async { while stream.write_all(&pings).await.is_ok() {} };
    in_time(flood).await;
    assert_eq!(house.knock(&token_of(IMAGING)).await.ask().await, Ok(()));
}
