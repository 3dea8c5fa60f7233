//! HTTP/2 misused: calls that are begun and taken back, tokens tried by the thousand, headers without end. The connection ends, and
//! nobody else notices.

use crate::{
    house::{House, IMAGING, WRONG, token_of},
    office::in_time,
};
use bytes::Bytes;
use h2::client::SendRequest;
use http::{HeaderMap, HeaderValue, Request, Version};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{net::TcpStream, time::Instant};

/// Somebody who speaks HTTP/2 and nothing above it.
pub(crate) struct Raw {
    send: SendRequest<Bytes>,
    has_ended: Arc<AtomicBool>,
}

impl Raw {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        let (send, connection) = in_time(h2::client::handshake(stream)).await.unwrap();
        let has_ended = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&has_ended);
        tokio::spawn(async move {
            _ = connection.await;
            ended.store(true, Ordering::SeqCst);
        });
        Self { send, has_ended }
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::SeqCst)
    }

    /// Begins a call and takes it back at once.
    pub(crate) async fn begin_and_take_back(&mut self, token: &str) {
        let Ok(mut ready) = self.send.clone().ready().await else {
            return;
        };
        if let Ok((answer, mut stream)) = ready.send_request(call(token, HeaderMap::new()), false) {
            stream.send_reset(h2::Reason::CANCEL);
            drop(answer);
        }
        tokio::task::yield_now().await;
    }

    /// Makes a call, and waits for what comes of it.
    async fn call(&mut self, token: &str, headers: HeaderMap) -> Result<http::StatusCode, h2::Error> {
        let mut ready = self.send.clone().ready().await?;
        let (answer, mut stream) = ready.send_request(call(token, headers), false)?;
        stream.send_data(Bytes::from_static(&[0; 5]), true)?;
        answer.await.map(|answer| answer.status())
    }
}

pub(crate) fn call(token: &str, headers: HeaderMap) -> Request<()> {
    call_of("GetPatient", token, headers)
}

pub(crate) fn call_of(method: &str, token: &str, headers: HeaderMap) -> Request<()> {
    let mut request = Request::post(format!("http://localhost/archwire.v1.Bus/{method}"))
        .version(Version::HTTP_2)
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("authorization", format!("Bearer {token}"))
        .body(())
        .unwrap();
    request.headers_mut().extend(headers);
    request
}

/// Takes calls back until the connection ends: how many.
async fn reset(raw: &mut Raw, token: &str) -> u32 {
    let mut resets = 0;
    while !raw.has_ended() {
        raw.begin_and_take_back(token).await;
        resets += 1;
        assert!(resets < 100_000, "the connection goes on");
    }
    resets
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_are_taken_back_end_the_connection_also_of_a_known_vendor() {
    let house = House::open().await;
    let vendor = house.knock(&token_of(IMAGING)).await;
    for token in [WRONG.to_owned(), token_of(IMAGING)] {
        let mut raw = Raw::connect(house.address).await;
        let began = Instant::now();
        let resets = in_time(reset(&mut raw, &token)).await;
        println!("{resets} resets in {:?}", began.elapsed());
        assert_eq!(vendor.ask().await, Ok(()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_tried_by_the_thousand_end_the_connection() {
    let house = House::open().await;
    let vendor = house.knock(&token_of(IMAGING)).await;
    let began = Instant::now();
    let raw = Raw::connect(house.address).await;
    let try_on = async |mut raw: Raw| {
        let mut tried = 0;
        while raw.call(WRONG, HeaderMap::new()).await.is_ok() {
            tried += 1;
        }
        tried
    };
    let tries = (0..320).map(|_| {
        try_on(Raw {
            send: raw.send.clone(),
            has_ended: Arc::clone(&raw.has_ended),
        })
    });
    let tried: u32 = in_time(futures_util::future::join_all(tries)).await.iter().sum();
    println!("{tried} tries in {:?}", began.elapsed());
    // 1,000 at once, 100 a second, and those that were on their way.
    assert!((1_000..2_500).contains(&tried), "{tried}");
    assert!(began.elapsed() > Duration::from_secs(1));
    assert_eq!(vendor.ask().await, Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_without_end_are_refused() {
    let house = House::open().await;
    let mut raw = Raw::connect(house.address).await;
    let mut headers = HeaderMap::new();
    for number in 0..64 {
        let name = http::HeaderName::try_from(format!("x-{number}")).unwrap();
        headers.insert(name, HeaderValue::try_from("v".repeat(1024)).unwrap());
    }
    let refused = in_time(raw.call(&token_of(IMAGING), headers)).await;
    assert!(
        !matches!(refused, Ok(status) if status.is_success()),
        "{refused:?}"
    );
    assert_eq!(house.knock(&token_of(IMAGING)).await.ask().await, Ok(()));
}
