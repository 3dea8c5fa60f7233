//! Images in and out over gRPC, against raw Object Store on the same nats-server; a very large one; many small ones.
//!
//! The bus computes and checks digests on both ways, reads the header, decides whose image it is and tells it in an event; the
//! raw store takes the bytes as they come, and computes a digest too.

use crate::{
    arguments::Settings,
    collect::Rounds,
    figure::{Budget, Figure},
    load,
    patients::Patients,
    practice::{self, VENDORS},
    raw::Raw,
    report::Measured,
    unit::{Unit, rate},
};
use anyhow::{Context as _, Result, ensure};
use archwire_client::{Client, NewImage, Receipt};
use archwire_tests::{Practice, Radiograph, fresh_uid};
use async_nats::jetstream::object_store::ObjectStore;
use std::{
    fs::File,
    io::{Cursor, Write as _},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::io::{self, AsyncReadExt as _};

/// Rows and columns of the image of each round: 64 MB, and 4 MB for a quick look.
const USUAL: (u16, u16) = (8_000, 4_000);
const QUICK: (u16, u16) = (2_000, 1_000);
/// Small images of one patient, of about 40 kB each.
const MANY: usize = 1_000;
const SMALL: (u16, u16) = (160, 128);
/// Small ones that are put at the same time: as many as a vendor may.
const AT_A_TIME: usize = 4;
/// The very large one: 2 GiB, and 128 MiB for a quick look.
const HUGE: u64 = 2 * 1024 * 1024 * 1024;
const QUICK_HUGE: u64 = 128 * 1024 * 1024;
/// Between two looks at the broker's memory.
const LOOK_EVERY: Duration = Duration::from_millis(50);

pub(super) async fn run(settings: &Settings) -> Result<Measured> {
    let mut practice = practice::with_vendors().await?;
    practice.start_broker().await?;
    let raw = Raw::beside(&practice).await?.objects().await?;
    let [vendor, ..] = VENDORS;
    let bus = practice.vendor(vendor).await?;
    let record = registered(&bus).await?;
    let (mut into, mut out) = (Rounds::default(), Rounds::default());
    for round in 0..settings.rounds {
        let image = radiograph(if settings.quick { QUICK } else { USUAL });
        let (bytes, uid) = (image.bytes(), image.instance.clone());
        let ours = put(&bus, &record, &bytes).await?;
        into.add(ours, put_raw(&raw, round, &bytes).await?);
        let ours = get(&bus, &uid, bytes.len()).await?;
        out.add(ours, get_raw(&raw, round, bytes.len()).await?);
    }
    let many = small_ones(settings, &bus, &record).await?;
    let grew = huge(settings, &practice, &bus, &record).await?;
    let name = "raw Object Store";
    Ok(Measured {
        figures: vec![
            into.ratio("image in", Unit::MegabytesPerSecond, name, Budget::AtLeast(0.7)),
            out.ratio("image out", Unit::MegabytesPerSecond, name, Budget::AtLeast(0.7)),
            Figure::new("small images of one patient, 4 at a time", Unit::PerSecond, many),
            Figure::new("broker grows, 2 GiB in and out", Unit::Megabytes, vec![grew])
                .promised(Budget::AtMost(64.0)),
        ],
        ..Measured::default()
    })
}

/// Somebody to have images of; tells the vendor's id of the record.
async fn registered(bus: &Client) -> Result<String> {
    let mut people = Patients::invent(1).next(1)?;
    let person = people.pop().context("nobody was invented")?;
    let record = person.local_id.clone();
    bus.publisher().publish(person).await?;
    Ok(record)
}

/// One that names nobody, and so is believed.
fn radiograph(size: (u16, u16)) -> Radiograph {
    Radiograph {
        name: String::new(),
        patient_id: (String::new(), String::new()),
        birth_date: String::new(),
        sex: String::new(),
        study: fresh_uid(),
        series: fresh_uid(),
        instance: fresh_uid(),
        size,
    }
}

async fn put(bus: &Client, record: &str, bytes: &[u8]) -> Result<f64> {
    let begun = Instant::now();
    let put = bus.put_image(NewImage::of_record(record));
    let receipt = put.reader(&mut Cursor::new(bytes)).await?;
    ensure!(
        matches!(receipt.receipt, Receipt::Recorded { .. }),
        "it was no news"
    );
    Ok(megabytes_a_second(bytes.len(), begun))
}

async fn get(bus: &Client, uid: &str, size: usize) -> Result<f64> {
    let begun = Instant::now();
    let found = bus.get_image(uid).writer(&mut io::sink()).await?;
    ensure!(
        usize::try_from(found.written)? == size,
        "another number of bytes came back"
    );
    Ok(megabytes_a_second(size, begun))
}

async fn put_raw(raw: &ObjectStore, round: usize, bytes: &[u8]) -> Result<f64> {
    let begun = Instant::now();
    raw.put(round.to_string().as_str(), &mut Cursor::new(bytes))
        .await?;
    Ok(megabytes_a_second(bytes.len(), begun))
}

async fn get_raw(raw: &ObjectStore, round: usize, size: usize) -> Result<f64> {
    let begun = Instant::now();
    let mut object = raw.get(round.to_string()).await?;
    let mut buffer = vec![0; 256 * 1024];
    let mut came = 0;
    loop {
        match object.read(&mut buffer).await? {
            0 => break,
            count => came += count,
        }
    }
    ensure!(came == size, "another number of bytes came back");
    Ok(megabytes_a_second(size, begun))
}

#[allow(clippy::cast_precision_loss, reason = "a figure for people")]
fn megabytes_a_second(bytes: usize, begun: Instant) -> f64 {
    bytes as f64 / 1e6 / begun.elapsed().as_secs_f64()
}

/// Many images of one patient, each with an event of its own.
async fn small_ones(settings: &Settings, bus: &Client, record: &str) -> Result<Vec<f64>> {
    let count = settings.sized(MANY);
    let images = (0..count).map(|_| radiograph(SMALL).bytes()).collect();
    let begun = Instant::now();
    load::at_a_time(AT_A_TIME, images, async |bytes: Vec<u8>| {
        put(bus, record, &bytes).await.map(drop)
    })
    .await?;
    Ok(vec![rate(count, begun.elapsed())])
}

/// How much more the broker holds at the most while a very large image comes in and goes out, in MB.
async fn huge(settings: &Settings, practice: &Practice, bus: &Client, record: &str) -> Result<f64> {
    let size = if settings.quick { QUICK_HUGE } else { HUGE };
    let file = practice.folder().join("huge.bin");
    write_huge(&file, size)?;
    let before = practice::resident(practice)?;
    let most = Arc::new(AtomicU64::new(0));
    let (pid, seen) = (practice.broker_pid()?, Arc::clone(&most));
    let looks = tokio::spawn(async move {
        loop {
            if let Some(kibibytes) = archwire_tests::process::resident_kib(pid) {
                seen.fetch_max(kibibytes, Ordering::Relaxed);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    });
    let receipt = bus.put_image(NewImage::of_record(record)).file(&file).await?;
    let image = receipt.image.context("the bus tells nothing of the image")?;
    let found = bus
        .get_image(image.instance_uid.as_str())
        .writer(&mut io::sink())
        .await?;
    ensure!(found.written == size, "another number of bytes came back");
    looks.abort();
    #[allow(clippy::cast_precision_loss, reason = "a figure for people")]
    let most = most.load(Ordering::Relaxed) as f64 * crate::machine::KIBIBYTE;
    Ok(most - before)
}

/// A file of no kind that the bus knows: most of it is nothing.
fn write_huge(path: &Path, size: u64) -> Result<()> {
    let mut file = File::create(path)?;
    file.write_all(b"a surface scan of a kind of its own\n")?;
    Ok(file.set_len(size)?)
}
