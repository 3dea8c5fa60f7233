//! How much memory a large image takes on its way through the sandbox, in each direction.
//!
//! A program of its own with one test, because what is measured is the process: connector, host, and the server at the other
//! end. 128 MiB go each way, or as many as the variable says:
//!
//! ```text
//! cargo xtask guests
//! IMAGE_MIB=2048 cargo test -p archwire-host --test image_memory -- --nocapture
//! ```

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of tests may fail loudly, like the tests themselves"
)]

#[path = "scenarios/support/set_up.rs"]
mod set_up;

use archwire_core::{Cursor, Digest, SystemName};
use archwire_host::{
    Connector, ImageBytes, ImageContent, ImageContentError, ImageSink, Limits, MemoryStateStore, StoredImage,
    SystemConfig,
};
use axum::{Router, body::Body, extract::State, routing::get};
use bytes::Bytes;
use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture, stream};
use set_up::{config, delivery, grant, load};
use sha2::{Digest as _, Sha256};
use std::{
    collections::BTreeMap,
    fs,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use tokio::net::TcpListener;

const MEBIBYTE: u64 = 1024 * 1024;
/// What the whole may grow by.
const ROOM: u64 = 64 * MEBIBYTE;

/// Four pieces make a mebibyte.
static PIECE: LazyLock<Bytes> = LazyLock::new(|| {
    let mut number = 1_u64;
    let bytes = (0..256 * 1024).map(|_| {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        number.to_be_bytes()[0]
    });
    bytes.collect::<Vec<_>>().into()
});

fn pieces(mebibytes: u64) -> impl Iterator<Item = Bytes> + Send {
    (0..mebibytes * 4).map(|_| PIECE.clone())
}

fn digest(mebibytes: u64) -> Digest {
    let mut hash = Sha256::new();
    pieces(mebibytes).for_each(|piece| hash.update(piece));
    Digest::from_bytes(hash.finalize().into())
}

/// A store that has every image, and keeps of what it is given the digest.
struct Generated(u64);

impl ImageContent for Generated {
    fn open<'a>(
        &'a self,
        _: &'a SystemName,
        _: Digest,
    ) -> BoxFuture<'a, Result<ImageBytes, ImageContentError>> {
        let pieces = stream::iter(pieces(self.0).map(Ok)).boxed();
        async move { Ok(pieces) }.boxed()
    }

    fn create<'a>(
        &'a self,
        _: &'a SystemName,
    ) -> BoxFuture<'a, Result<Box<dyn ImageSink>, ImageContentError>> {
        async { Ok(Box::new(Hashing::default()) as Box<dyn ImageSink>) }.boxed()
    }
}

#[derive(Default)]
struct Hashing(Sha256, u64);

impl ImageSink for Hashing {
    fn write(&mut self, bytes: Bytes) -> BoxFuture<'_, Result<(), ImageContentError>> {
        self.0.update(&bytes);
        self.1 += u64::try_from(bytes.len()).unwrap();
        async { Ok(()) }.boxed()
    }

    fn finish(self: Box<Self>) -> BoxFuture<'static, Result<StoredImage, ImageContentError>> {
        let digest = Digest::from_bytes(self.0.finalize().into());
        let stored = StoredImage { digest, size: self.1 };
        async move { Ok(stored) }.boxed()
    }
}

/// A server that counts what it is sent, and sends as much as the store has.
async fn server(mebibytes: u64, received: Arc<AtomicU64>) -> String {
    let router = Router::new()
        .route(
            "/images/{id}",
            get(move || async move {
                let pieces = pieces(mebibytes).map(Ok::<_, std::io::Error>);
                Body::from_stream(stream::iter(pieces))
            })
            .put(count),
        )
        .with_state(received);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

async fn count(State(received): State<Arc<AtomicU64>>, body: Body) {
    let mut body = body.into_data_stream();
    while let Some(piece) = body.next().await {
        received.fetch_add(u64::try_from(piece.unwrap().len()).unwrap(), Ordering::Relaxed);
    }
}

async fn connector(mebibytes: u64, url: &str) -> Connector {
    let mut grant = grant(url);
    grant.methods = vec!["GET".parse().unwrap(), "PUT".parse().unwrap()];
    let config = SystemConfig {
        settings: BTreeMap::from([("url".to_owned(), url.to_owned())]),
        grants: vec![grant],
        limits: Limits::default(),
        images: Some(Arc::new(Generated(mebibytes))),
        ..config()
    };
    Connector::new(
        load("gallery").await,
        config,
        Arc::new(MemoryStateStore::default()),
    )
    .unwrap()
}

fn resident() -> u64 {
    let pages = fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

/// The most that the process had while something ran, looked at every 5 ms.
struct Watch(Arc<AtomicBool>, Option<thread::JoinHandle<u64>>);

impl Watch {
    fn begin() -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&over);
        let watch = thread::spawn(move || {
            let mut most = 0;
            while !seen.load(Ordering::Relaxed) {
                most = most.max(resident());
                thread::sleep(Duration::from_millis(5));
            }
            most
        });
        Self(over, Some(watch))
    }

    fn most(mut self) -> u64 {
        self.0.store(true, Ordering::Relaxed);
        self.1.take().unwrap().join().unwrap()
    }
}

#[test]
fn memory_does_not_grow_with_the_image() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mebibytes = std::env::var("IMAGE_MIB").map_or(128, |text| text.parse().unwrap());
    runtime.block_on(measure(1, false));
    runtime.block_on(measure(mebibytes, true));
}

async fn measure(mebibytes: u64, counts: bool) {
    let received = Arc::new(AtomicU64::new(0));
    let url = server(mebibytes, Arc::clone(&received)).await;
    let connector = connector(mebibytes, &url).await;
    let digest = digest(mebibytes);
    let delivery = delivery(digest, mebibytes * MEBIBYTE);
    let shown = "shown".parse().unwrap();
    let take = Cursor("take shown".to_owned());
    let before = resident();
    let told = |what: &str, begun: Instant, watch: Watch| {
        let grown = watch.most().saturating_sub(before);
        let rate = mebibytes as f64 / begun.elapsed().as_secs_f64();
        println!(
            "{what:<10} {mebibytes} MiB at {rate:.0} MiB/s, memory grew by {} KiB",
            grown / 1024
        );
        assert!(!counts || grown < ROOM, "{what}: {grown} bytes");
    };
    let (watch, begun) = (Watch::begin(), Instant::now());
    connector.deliver_image(&delivery).await.unwrap();
    told("delivered", begun, watch);
    assert_eq!(received.load(Ordering::Relaxed), mebibytes * MEBIBYTE);
    let (watch, begun) = (Watch::begin(), Instant::now());
    let view = connector.fetch_image(&shown, None).await.unwrap().unwrap();
    told("read back", begun, watch);
    assert_eq!(view.digest, Some(digest));
    let (watch, begun) = (Watch::begin(), Instant::now());
    let answer = connector.poll(Some(&take)).await.unwrap();
    told("taken in", begun, watch);
    assert_eq!(answer.page.images[0].digest, Some(digest));
}
