//! Answers that nobody takes wait in memory: no more of them than a vendor has places for, whatever it asks.

use crate::{
    calls_that_come_to_nothing_end_a_connection::call,
    house::{CEPH, House, IMAGING, token_of},
    office::{ann, in_time, says},
};
use archwire_proto::v1::{GetPatientRequest, get_patient_request::Key};
use bytes::{BufMut as _, Bytes, BytesMut};
use h2::client::{ResponseFuture, SendRequest};
use http::HeaderMap;
use prost::Message as _;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{net::TcpStream, task::JoinSet};

const RECORD: &str = "17";
/// Calls of a vendor at the same time that are no streams.
const CALLS: usize = 32;

fn asks() -> Bytes {
    let request = GetPatientRequest {
        key: Some(Key::LocalId(RECORD.to_owned())),
        ..GetPatientRequest::default()
    };
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

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_are_not_taken_are_no_more_than_a_vendor_has_places_for() {
    let house = House::open().await;
    house.office.see(says(IMAGING, RECORD, ann())).await;
    let stream = TcpStream::connect(house.address).await.unwrap();
    // Not a byte of an answer may be sent.
    let mut builder = h2::client::Builder::new();
    builder.initial_window_size(0);
    let (send, connection) = in_time(builder.handshake(stream)).await.unwrap();
    let reading = tokio::spawn(connection);
    let begun = Arc::new(AtomicUsize::new(0));
    let mut answers = JoinSet::new();
    for _ in 0..3 * CALLS {
        let (answer, begun) = (ask(&send).await, Arc::clone(&begun));
        answers.spawn(async move {
            let answer = answer.await.unwrap();
            begun.fetch_add(1, Ordering::SeqCst);
            // Kept, so that its place is kept too.
            std::future::pending::<()>().await;
            drop(answer);
        });
    }
    crate::house::eventually("the first answers begin", async || {
        begun.load(Ordering::SeqCst) >= CALLS
    })
    .await;
    let ceph = house.knock(&token_of(CEPH)).await;
    for _ in 0..100 {
        assert_eq!(ceph.ask().await, Ok(()));
    }
    assert_eq!(begun.load(Ordering::SeqCst), CALLS);
    // On another connection it is the same vendor, which waits for itself.
    let imaging = house.knock(&token_of(IMAGING)).await;
    let waits = tokio::time::timeout(Duration::from_millis(200), imaging.ask()).await;
    assert!(waits.is_err(), "{waits:?}");
    // Who goes leaves its places.
    answers.shutdown().await;
    drop(send);
    reading.abort();
    assert_eq!(imaging.ask().await, Ok(()));
}
