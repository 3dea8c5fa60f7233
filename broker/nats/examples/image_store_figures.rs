//! Measures the image store against the raw JetStream Object Store in the same run, on the same server:
//! `image_store_figures <nats-server> [MiB of an image] [MiB of a large one]`, 256 and 2,048 when nothing else is said.
//!
//! Prints: MiB/s in and out, alternating with those of async-nats' own Object Store with its own chunks of 128 KiB and with
//! chunks of 496 KiB; images of 100 KiB one after the other and at once; how far this process grows while a large image is
//! written, gone on with, read and read slowly; how long that takes, and how long it takes to remove it. Needs about four times
//! the large image on the disk, and leaves nothing there.

use archwire_core::{Digest, PracticeName};
use archwire_nats::{
    ByteSize, ImageRange, ImageStore, ImageStoreConfig, Log, LogConfig, Supervisor, SupervisorConfig,
    UploadKey,
};
use async_nats::jetstream::{
    self,
    object_store::{self, ObjectMetadata, ObjectStore},
};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use rand::{RngCore, SeedableRng, rngs::StdRng};
use std::{
    path::Path,
    time::{Duration, Instant},
};
use tokio::io::AsyncReadExt;

const ROUNDS: usize = 3;
const MIB: usize = 1 << 20;
const SMALL: usize = 100 * 1024;
const SMALL_ONES: u64 = 200;
type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: image_store_figures <nats-server> [MiB of an image] [MiB of a large one]";
    let binary = arguments.next().ok_or(usage)?;
    let mut size = |usual: usize| arguments.next().map_or(Ok(usual), |mebibytes| mebibytes.parse());
    let (size, large): (usize, usize) = (size(256)?, size(2048)?);
    let folder = tempfile::TempDir::new()?;
    let room = ByteSize::mebibytes((2 * ROUNDS * size + 4 * large + 2048) as u64);
    let supervisor = Supervisor::start(SupervisorConfig::new(
        binary.into(),
        folder.path().to_owned(),
        room,
    ))
    .await?;
    let connection = supervisor.connect().await?;
    let practice: PracticeName = "figures".parse()?;
    let log = Log::open(&connection, &practice, &LogConfig::new(ByteSize::mebibytes(64))).await?;
    let config = ImageStoreConfig {
        max_bytes: ByteSize::mebibytes((ROUNDS * size + 2 * large + 256) as u64),
        largest: ByteSize::gibibytes(64),
    };
    let store = log.images(&config).await?;
    let raw = raw(folder.path(), supervisor.address(), 3 * size).await?;
    throughput(&store, &raw, size).await?;
    small(&store).await?;
    collect(&store).await?;
    memory(&store, large).await?;
    collect_beside_others(&store).await?;
    supervisor.stop().await?;
    Ok(())
}

async fn throughput(store: &ImageStore, raw: &ObjectStore, size: usize) -> Result<(), Failure> {
    for round in 0..ROUNDS {
        let image = image(round as u64, size * MIB);
        let digest = Digest::of(&image);
        let mut theirs = Vec::new();
        for chunk in [128 * 1024, 512 * 1024] {
            let metadata = ObjectMetadata {
                name: "image".to_owned(),
                chunk_size: Some(chunk),
                ..ObjectMetadata::default()
            };
            let begun = Instant::now();
            raw.put(metadata, &mut image.as_ref()).await?;
            let put = rate(size, begun);
            let begun = Instant::now();
            let mut object = raw.get("image").await?;
            let mut part = vec![0; 512 * 1024];
            while object.read(&mut part).await? > 0 {}
            theirs.push((put, rate(size, begun)));
        }
        let begun = Instant::now();
        write(store, promise(digest, image.len())?, [image.clone()].into_iter()).await?;
        let put = rate(size, begun);
        let begun = Instant::now();
        let read = read(store, &digest).await?;
        let get = rate(size, begun);
        assert_eq!(read, image.len() as u64);
        for ((their_put, their_get), chunk) in theirs.into_iter().zip([128, 512]) {
            println!(
                "{size} MiB: in {put:.0} MiB/s, out {get:.0} MiB/s; raw Object Store, chunks of {chunk} KiB: in \
                 {their_put:.0} MiB/s ({:.2}x), out {their_get:.0} MiB/s ({:.2}x)",
                put / their_put,
                get / their_get
            );
        }
        raw.delete("image").await?;
    }
    Ok(())
}

async fn small(store: &ImageStore) -> Result<(), Failure> {
    for at_once in [1, 8] {
        let begun = Instant::now();
        stream::iter(0..SMALL_ONES)
            .map(|number| async move {
                let image = image(1_000 * at_once as u64 + number, SMALL);
                let key = promise(Digest::of(&image), image.len())?;
                write(store, key, [image].into_iter()).await
            })
            .buffer_unordered(at_once)
            .try_collect::<Vec<_>>()
            .await?;
        let rate = SMALL_ONES as f64 / begun.elapsed().as_secs_f64();
        println!("images of 100 KiB, {at_once} at once: {rate:.0}/s");
    }
    Ok(())
}

async fn memory(store: &ImageStore, size: usize) -> Result<(), Failure> {
    let block = image(7, MIB);
    // So that no two chunks are alike.
    let blocks = |from: usize| {
        let block = block.clone();
        (from..size).map(move |number| {
            let mut bytes = block.to_vec();
            bytes.splice(..8, (number as u64).to_le_bytes());
            Bytes::from(bytes)
        })
    };
    let digest = digest(blocks(0));
    let key = promise(digest, size * MIB)?;
    let grown = Growth::begin()?;
    let begun = Instant::now();
    let half = blocks(0).take(size / 2);
    let mut upload = store.upload(key.clone()).await?;
    for part in half {
        upload.write(part).await?;
    }
    drop(upload);
    println!(
        "{size} MiB, written up to the middle: {:?}, {grown}",
        begun.elapsed()
    );
    let grown = Growth::begin()?;
    let begun = Instant::now();
    let mut upload = store.upload(key).await?;
    let at = usize::try_from(upload.offset())?;
    println!(
        "  gone on with at {} MiB: {:?}, {grown}",
        at / MIB,
        begun.elapsed()
    );
    let grown = Growth::begin()?;
    let begun = Instant::now();
    let skipped = at % MIB;
    for (number, part) in blocks(at / MIB).enumerate() {
        upload
            .write(part.slice(if number == 0 { skipped } else { 0 }..))
            .await?;
    }
    upload.finish().await?;
    println!("  written to the end: {:?}, {grown}", begun.elapsed());
    let grown = Growth::begin()?;
    let begun = Instant::now();
    let bytes = read(store, &digest).await?;
    println!("  read, {bytes} bytes: {:?}, {grown}", begun.elapsed());
    let grown = Growth::begin()?;
    let begun = Instant::now();
    let mut slow = store.read(&digest, ImageRange::WHOLE).await?;
    for _ in 0..50 {
        slow.try_next().await?.ok_or("it ends too early")?;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!("  read slowly, 50 parts: {:?}, {grown}", begun.elapsed());
    let begun = Instant::now();
    store.tail(&digest, 4096).await?;
    println!("  its last 4 KiB: {:?}", begun.elapsed());
    Ok(())
}

async fn collect(store: &ImageStore) -> Result<(), Failure> {
    let begun = Instant::now();
    let collected = store.collect(Duration::ZERO, |_| false).await?;
    let left = store.usage().await?.bytes;
    println!("removed: {collected:?} in {:?}; {left} left", begun.elapsed());
    Ok(())
}

/// Removes everything while small images are stored.
async fn collect_beside_others(store: &ImageStore) -> Result<(), Failure> {
    let collecting = tokio::spawn({
        let store = store.clone();
        async move { collect(&store).await }
    });
    let (mut longest, mut count) = (Duration::ZERO, 0);
    while !collecting.is_finished() {
        count += 1;
        let image = image(1_000_000 + count, SMALL);
        let begun = Instant::now();
        write(
            store,
            promise(Digest::of(&image), image.len())?,
            [image].into_iter(),
        )
        .await?;
        longest = longest.max(begun.elapsed());
    }
    collecting.await??;
    println!("  {count} images of 100 KiB stored meanwhile, the slowest in {longest:?}");
    Ok(())
}

async fn write(
    store: &ImageStore,
    key: UploadKey,
    parts: impl Iterator<Item = Bytes>,
) -> Result<(), Failure> {
    let mut upload = store.upload(key).await?;
    for part in parts {
        upload.write(part).await?;
    }
    upload.finish().await?;
    Ok(())
}

async fn read(store: &ImageStore, digest: &Digest) -> Result<u64, Failure> {
    let reader = store.read(digest, ImageRange::WHOLE).await?;
    let count = |bytes: u64, part: Bytes| async move { Ok(bytes + part.len() as u64) };
    Ok(reader.try_fold(0, count).await?)
}

fn promise(digest: Digest, size: usize) -> Result<UploadKey, Failure> {
    Ok(UploadKey {
        owner: "imaging".parse()?,
        promised: Some((digest, size as u64)),
    })
}

fn image(seed: u64, length: usize) -> Bytes {
    let mut bytes = vec![0; length];
    StdRng::seed_from_u64(seed).fill_bytes(&mut bytes);
    bytes.into()
}

fn digest(parts: impl Iterator<Item = Bytes>) -> Digest {
    use sha2::{Digest as _, Sha256};
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(&part);
    }
    Digest::from_bytes(hash.finalize().into())
}

fn rate(mebibytes: usize, begun: Instant) -> f64 {
    mebibytes as f64 / begun.elapsed().as_secs_f64()
}

/// How far this process grows, at its largest, beyond what it was at the beginning.
struct Growth {
    before: u64,
}

impl Growth {
    fn begin() -> Result<Self, Failure> {
        // Linux: the largest size ever is that of now from here on.
        std::fs::write("/proc/self/clear_refs", "5")?;
        let before = status("VmRSS")?;
        Ok(Self { before })
    }
}

impl std::fmt::Display for Growth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let largest = status("VmHWM").map_err(|_| std::fmt::Error)?;
        let grown = largest.saturating_sub(self.before) as f64 / 1024.0;
        write!(
            f,
            "this process grew by {grown:.1} MiB to {:.1} MiB",
            largest as f64 / 1024.0
        )
    }
}

/// A line of the process's status, in KiB.
fn status(name: &str) -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find(|line| line.starts_with(name))
        .ok_or("no such line")?;
    let number = line.split_whitespace().nth(1).ok_or("no number")?;
    Ok(number.parse()?)
}

/// The Object Store of the client library on the same server, with the same settings.
async fn raw(folder: &Path, address: std::net::SocketAddr, room: usize) -> Result<ObjectStore, Failure> {
    let settings = std::fs::read_to_string(folder.join("nats-server.conf"))?;
    let token = settings
        .split("token: \"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .ok_or("no token")?;
    let client = async_nats::ConnectOptions::with_token(token.to_owned())
        .connect(address.to_string())
        .await?;
    let config = object_store::Config {
        bucket: "raw".to_owned(),
        num_replicas: 1,
        max_bytes: i64::try_from(room * MIB)?,
        ..object_store::Config::default()
    };
    Ok(jetstream::new(client).create_object_store(config).await?)
}
