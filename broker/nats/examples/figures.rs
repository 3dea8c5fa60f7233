//! Measures the log against raw JetStream in the same run: `figures <nats-server> [records]`.
//!
//! Prints: start to ready, memory of the server when idle, append against raw publish (one task, and 256 in flight),
//! append of the lease's holder, a bucket of 75 MB, replay, restart after kill -9 until an append succeeds.

use archwire_core::{PatientId, PracticeName, Subject};
use archwire_nats::{
    ByteSize, CloudEvent, DeliveriesConfig, Entry, Expected, Filter, LeaseConfig, Log, LogConfig, Supervisor,
    SupervisorConfig,
};
use async_nats::jetstream::{self, message::PublishMessage, stream};
use futures_util::{StreamExt, TryStreamExt};
use rand::RngCore;
use std::{
    num::NonZeroU32,
    path::Path,
    pin::pin,
    time::{Duration, Instant, SystemTime},
};

const PAYLOAD: usize = 1024;
const IN_FLIGHT: usize = 256;
type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let binary = arguments.next().ok_or("usage: figures <nats-server> [records]")?;
    let records: usize = arguments.next().map_or(Ok(50_000), |records| records.parse())?;
    let folder = tempfile::TempDir::new()?;
    let mut starts: Vec<Duration> = Vec::new();
    for number in 0..10 {
        let config = config(&binary, &folder.path().join(number.to_string()));
        let begun = Instant::now();
        let supervisor = Supervisor::start(config).await?;
        starts.push(begun.elapsed());
        supervisor.stop().await?;
    }
    starts.sort();
    println!(
        "start to ready, empty store: p50 {:?}, worst {:?}",
        middle(&starts),
        starts.last()
    );

    let supervisor = Supervisor::start(config(&binary, &folder.path().join("log"))).await?;
    let connection = supervisor.connect().await?;
    let practice: PracticeName = "figures".parse()?;
    let log = Log::open(&connection, &practice, &LogConfig::new(ByteSize::gibibytes(2))).await?;
    println!("server idle: RSS {}", rss(supervisor.pid()));
    let raw = raw(&folder.path().join("log"), supervisor.address()).await?;

    // Alternating, so that both see the same disk.
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..1000 {
        let begun = Instant::now();
        raw.send_publish("raw.one", message()).await?.await?;
        theirs.push(begun.elapsed());
        let begun = Instant::now();
        log.append(entry()).await?;
        ours.push(begun.elapsed());
    }
    ours.sort();
    theirs.sort();
    println!(
        "append, one task: p50 {:?} against raw {:?}",
        middle(&ours),
        middle(&theirs)
    );

    let mut rates = Vec::new();
    for _ in 0..3 {
        let begun = Instant::now();
        let all = futures_util::stream::iter(0..records / 6);
        all.map(|_| async {
            raw.send_publish("raw.many", message())
                .await?
                .await
                .map_err(Failure::from)
        })
        .buffer_unordered(IN_FLIGHT)
        .try_for_each(|_| async { Ok(()) })
        .await?;
        let raw_rate = (records / 6) as f64 / begun.elapsed().as_secs_f64();
        let begun = Instant::now();
        let all = futures_util::stream::iter(0..records / 3);
        all.map(|_| log.append(entry()))
            .buffer_unordered(IN_FLIGHT)
            .try_for_each(|_| async { Ok(()) })
            .await?;
        rates.push(((records / 3) as f64 / begun.elapsed().as_secs_f64(), raw_rate));
    }
    for (ours, theirs) in rates {
        println!(
            "append, {IN_FLIGHT} in flight: {ours:.0}/s against raw {theirs:.0}/s ({:.2}x)",
            ours / theirs
        );
    }

    let begun = Instant::now();
    let lease = log.lease("figures", LeaseConfig::default()).await?;
    println!("lease that is free: {:?}", begun.elapsed());
    let begun = Instant::now();
    futures_util::stream::iter(0..records / 6)
        .map(|_| {
            let expected = Expected::Writer(lease.fence());
            log.append(Entry { expected, ..entry() })
        })
        .buffer_unordered(IN_FLIGHT)
        .try_for_each(|_| async { Ok(()) })
        .await?;
    let rate = (records / 6) as f64 / begun.elapsed().as_secs_f64();
    println!("append of the lease's holder, {IN_FLIGHT} in flight: {rate:.0}/s");
    bucket(&log).await?;

    for filter in [
        Filter::Everything,
        Filter::Events,
        Filter::Everything,
        Filter::Events,
    ] {
        let begun = Instant::now();
        let count = log
            .replay(1, filter.clone())
            .try_fold(0, |count, _| async move { Ok(count + 1) })
            .await?;
        let rate = count as f64 / begun.elapsed().as_secs_f64();
        println!("replay, {filter:?}: {count} records, {rate:.0}/s");
    }
    let last = log.last_sequence().await?;
    let begun = Instant::now();
    let count = pin!(log.follow(0, Filter::Events))
        .take_while(|stored| std::future::ready(stored.sequence < last))
        .count()
        .await;
    println!(
        "follow from the beginning: {:.0}/s",
        count as f64 / begun.elapsed().as_secs_f64()
    );
    let begun = Instant::now();
    let queue = DeliveriesConfig {
        ack_wait: Duration::from_secs(30),
        max_ack_pending: NonZeroU32::MIN.saturating_add(999),
    };
    let mut deliveries = log.deliveries(&"archive".parse()?, queue).await?;
    for _ in 0..2000 {
        deliveries.next().await?.ack().await?;
    }
    println!(
        "deliveries, one by one, settled: {:.0}/s",
        2000.0 / begun.elapsed().as_secs_f64()
    );
    println!("server after all that: RSS {}", rss(supervisor.pid()));

    let pid = supervisor.pid().ok_or("the server is down")?;
    std::process::Command::new("kill")
        .args(["-9", &pid.to_string()])
        .status()?;
    let begun = Instant::now();
    log.append(entry()).await?;
    println!(
        "append over kill -9 of the server, {last} records: {:?}",
        begun.elapsed()
    );
    supervisor.stop().await?;
    Ok(())
}

/// 100 values of 768 KiB that hardly compress.
async fn bucket(log: &Log) -> Result<(), Failure> {
    let bucket = log.bucket_of(&"index".parse()?, ByteSize::mebibytes(512)).await?;
    let keys: Vec<String> = (0..100).map(|number| format!("part-{number}")).collect();
    let begun = Instant::now();
    for key in &keys {
        let mut value = vec![0; 768 * 1024];
        rand::rng().fill_bytes(&mut value);
        bucket.put(key, value.into()).await?;
    }
    println!(
        "bucket, 100 values of 768 KiB put one by one: {:?}",
        begun.elapsed()
    );
    for at_once in [1, 4, 16] {
        let begun = Instant::now();
        let bytes = futures_util::stream::iter(&keys)
            .map(|key| bucket.get(key))
            .buffer_unordered(at_once)
            .try_fold(0, |bytes, value| async move {
                Ok(bytes + value.map_or(0, |value| value.len()))
            })
            .await?;
        println!(
            "bucket, {bytes} bytes got, {at_once} at once: {:?}",
            begun.elapsed()
        );
    }
    let begun = Instant::now();
    println!(
        "bucket, {} keys: {:?}",
        bucket.keys().await?.len(),
        begun.elapsed()
    );
    Ok(())
}

fn config(binary: &str, folder: &Path) -> SupervisorConfig {
    SupervisorConfig::new(binary.into(), folder.to_owned(), ByteSize::gibibytes(5))
}

/// A client of the same server without the log, and a stream with the same settings.
async fn raw(folder: &Path, address: std::net::SocketAddr) -> Result<jetstream::Context, Failure> {
    let settings = std::fs::read_to_string(folder.join("nats-server.conf"))?;
    let token = settings
        .split("token: \"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .ok_or("no token")?;
    let client = async_nats::ConnectOptions::with_token(token.to_owned())
        .connect(address.to_string())
        .await?;
    let context = jetstream::new(client);
    let config = stream::Config {
        name: "RAW".to_owned(),
        subjects: vec!["raw.>".to_owned()],
        discard: stream::DiscardPolicy::New,
        max_bytes: 1 << 30,
        compression: Some(stream::Compression::S2),
        ..stream::Config::default()
    };
    context.create_stream(config).await?;
    Ok(context)
}

fn message() -> PublishMessage {
    PublishMessage::build().payload(vec![b'x'; PAYLOAD].into())
}

fn entry() -> Entry {
    let patient = PatientId::generate();
    let attributes = CloudEvent {
        id: patient.to_string(),
        kind: "archwire.patient.created.v1",
        source: "/systems/figures".to_owned(),
        time: SystemTime::now(),
        content_type: "application/protobuf",
        traceparent: None,
    };
    let payload = vec![b'x'; PAYLOAD].into();
    Entry {
        subject: Subject::Patient(patient),
        attributes,
        expected: Expected::Nothing,
        payload,
    }
}

fn middle(sorted: &[Duration]) -> Duration {
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

fn rss(pid: Option<u32>) -> String {
    let status = pid
        .and_then(|pid| std::fs::read_to_string(format!("/proc/{pid}/status")).ok())
        .unwrap_or_default();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS"))
        .unwrap_or("unknown");
    line.trim_start_matches("VmRSS:").trim().to_owned()
}
