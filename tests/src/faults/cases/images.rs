//! kill -9 of the broker, and of its nats-server, while images are put on the bus, brought to the office and fetched again: each
//! comes into its own patient's chart once, byte for byte, and is told by one event.

use super::kills::kill;
use crate::eventually_within;
use crate::faults::evidence::{Allowed, Writes};
use crate::faults::load;
use crate::faults::stage::{LONGEST_SETTLING, Outcome, Stage, plan};
use anyhow::{Context as _, Result, bail, ensure};
use archwire_client::{Client, NewImage};
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, RngCore as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// The places on the way of an image at which a debug build of the broker can be had to kill itself.
const PLACES: [&str; 7] = [
    "image_piece",
    "image_stored",
    "image_taken",
    "image-noted",
    "image-delivered",
    "image-read-back",
    "image-settled",
];
/// How long a place may take to be reached; then the kill comes from outside.
const LONGEST_WAY: Duration = Duration::from_secs(15);
/// How long an upload may go without moving, whoever is killed meanwhile.
const PATIENCE: Duration = Duration::from_secs(300);
/// Uploads at the same time.
const AT_ONCE: usize = 4;
/// Bytes of an image: below what the office takes over its API.
const SIZES: std::ops::Range<usize> = 1_000..4_000_000;
/// Of so many images one is fetched again.
const FETCHED: usize = 3;

/// How much is done.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Kills.
    pub kills: usize,
    /// Decides what the images are, and when who is killed.
    pub seed: u64,
    /// Patients.
    pub people: usize,
    /// Images of all of them together.
    pub images: usize,
}

/// One that the vendor took of somebody.
struct Taken {
    person: usize,
    bytes: Vec<u8>,
}

/// Kills at times and places that the seed decides.
///
/// # Errors
/// With what is lost, there twice, or another patient's, and with everything that the checker found.
pub async fn survive_kills(size: Size) -> Result<Outcome> {
    let mut stage = Stage::start(plan().in_flight(4), size.seed, size.people).await?;
    load::register(&stage.town, 0..size.people).await?;
    stage.settled().await?;
    let mut dice = ChaCha8Rng::seed_from_u64(size.seed);
    let taken: Vec<Taken> = (0..size.images)
        .map(|number| taken(number, &size, &mut dice))
        .collect();
    let bytes: usize = taken.iter().map(|taken| taken.bytes.len()).sum();
    let putting = tokio::spawn(put_all(stage.vendor.client().clone(), uploads(&stage, &taken)?));
    stage.practice.stop_broker().await?;
    let mut unreached = 0;
    for number in 1..=size.kills {
        let reached = strike(&mut stage, &mut dice).await;
        unreached += usize::from(!reached.with_context(|| format!("kill {number}"))?);
        let there = stage.office().documents().len();
        println!(
            "kill {number}/{}: {there} of {} images in charts",
            size.kills, size.images
        );
    }
    stage.practice.start_broker().await?;
    let uids = putting.await??;
    let told: BTreeSet<&String> = uids.iter().collect();
    ensure!(
        told.len() == size.images,
        "{} images were told, not {}",
        told.len(),
        size.images
    );
    let filed = eventually_within(LONGEST_SETTLING, "every image is in a chart", async || {
        let there = stage.office().documents().len();
        ensure!(there >= size.images, "{there} of {}", size.images);
        Ok(())
    });
    filed.await?;
    in_the_right_charts(&stage, &taken)?;
    let fetched = fetched_again(stage.vendor.client(), &taken, &uids).await?;
    told_once(&stage, &size).await?;
    let allowed = Allowed {
        writes: Writes::PerRevision { repeated: size.kills },
        ..Allowed::default()
    };
    let mut outcome = stage.finish(&allowed).await?;
    outcome.notes.push(format!(
        "{} images of {:.1} MB in their charts once, {fetched} fetched again, {} kills, {unreached} places not reached in time, seed {}",
        size.images,
        megabytes(bytes),
        size.kills,
        size.seed
    ));
    Ok(outcome)
}

#[allow(clippy::cast_precision_loss, reason = "a figure for people")]
fn megabytes(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}

/// A document with bytes that no other one has.
fn taken(number: usize, size: &Size, dice: &mut ChaCha8Rng) -> Taken {
    let mut noise = vec![0; dice.random_range(SIZES)];
    dice.fill_bytes(&mut noise);
    Taken {
        person: number % size.people,
        bytes: [&b"%PDF-1.4\n"[..], &noise, b"\n%%EOF\n"].concat(),
    }
}

fn uploads(stage: &Stage, taken: &[Taken]) -> Result<Vec<(NewImage, Vec<u8>)>> {
    let upload = |taken: &Taken| {
        let record = stage.town.record_at_the_vendor(taken.person)?;
        let record = record.context("the vendor does not know the person")?;
        Ok((NewImage::of_record(record), taken.bytes.clone()))
    };
    taken.iter().map(upload).collect()
}

/// Puts them, some at a time. Tells their instance UIDs, in the order of the images.
async fn put_all(client: Client, uploads: Vec<(NewImage, Vec<u8>)>) -> Result<Vec<String>> {
    let (mut putting, mut uids) = (JoinSet::new(), BTreeMap::new());
    for (number, (image, bytes)) in uploads.into_iter().enumerate() {
        if putting.len() >= AT_ONCE {
            uids.extend(put_one(&mut putting).await?);
        }
        let put = client.put_image(image).patience(PATIENCE);
        putting.spawn(async move { (number, put.reader(&mut Cursor::new(bytes)).await) });
    }
    while !putting.is_empty() {
        uids.extend(put_one(&mut putting).await?);
    }
    Ok(uids.into_values().collect())
}

type Put = (
    usize,
    Result<archwire_client::ImageReceipt, archwire_client::ImageError>,
);

async fn put_one(putting: &mut JoinSet<Put>) -> Result<Option<(usize, String)>> {
    let Some(ended) = putting.join_next().await else {
        return Ok(None);
    };
    let (number, receipt) = ended?;
    let image = receipt?.image.context("an image was not told")?;
    Ok(Some((number, image.instance_uid)))
}

/// Starts the broker and kills it. Tells whether that was where it was meant to be.
async fn strike(stage: &mut Stage, dice: &mut ChaCha8Rng) -> Result<bool> {
    let (within, then) = (dice.random_range(300..2_500), dice.random_range(0..700));
    let (within, then) = (Duration::from_millis(within), Duration::from_millis(then));
    let place = PLACES.choose(dice).copied().unwrap_or("image_piece");
    let times = dice.random_range(1..4);
    let how = dice.random_range(0..6);
    let seat = stage.practice.seat_mut();
    match how {
        0..4 => {
            seat.begin_to_end_at(Some(&format!("{place}:{times}")))?;
            if seat.ended_within(LONGEST_WAY).await?.is_some() {
                return Ok(true);
            }
            seat.kill().await?;
            return Ok(false);
        }
        4 => {
            seat.start().await?;
            sleep(within).await;
        }
        _ => {
            seat.start().await?;
            sleep(within).await;
            kill(seat.nats_pid()?)?;
            sleep(then).await;
        }
    }
    stage.practice.kill_broker().await?;
    Ok(true)
}

/// Every image is one document, of its patient, and nothing else is there.
fn in_the_right_charts(stage: &Stage, taken: &[Taken]) -> Result<()> {
    let documents = stage.office().documents();
    let mut wrong = Vec::new();
    for (number, image) in taken.iter().enumerate() {
        let whose = stage.town.pat_num(image.person)?;
        let found = documents
            .iter()
            .filter(|document| *document.bytes == *image.bytes);
        let charts: Vec<i64> = found.map(|document| document.pat_num).collect();
        if charts.iter().map(|chart| Some(*chart)).ne([whose]) {
            wrong.push(format!(
                "image {number} lies in {charts:?}, not once in {whose:?}"
            ));
        }
    }
    if documents.len() != taken.len() {
        wrong.push(format!("{} documents, not {}", documents.len(), taken.len()));
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => bail!("{}", wrong.join("\n  ")),
    }
}

/// Fetches some of them again. Tells how many.
async fn fetched_again(client: &Client, taken: &[Taken], uids: &[String]) -> Result<usize> {
    let some = taken.iter().zip(uids).step_by(FETCHED);
    let mut fetched = 0;
    for (image, uid) in some {
        let mut bytes = Vec::new();
        client.get_image(uid).writer(&mut bytes).await?;
        ensure!(bytes == image.bytes, "an image came back with other bytes");
        fetched += 1;
    }
    Ok(fetched)
}

/// Of everybody there are as many events of images as there are images.
async fn told_once(stage: &Stage, size: &Size) -> Result<()> {
    let client = stage.vendor.client();
    let mut events = 0;
    for person in 0..size.people {
        let record = stage.town.record_at_the_vendor(person)?;
        let key = archwire_client::PatientKey::LocalId(record.context("nobody")?);
        let shown = client.get_patient(key).await?;
        let patient = shown.context("the bus does not know the record")?.patient_id;
        let mut after = Some(0);
        while let Some(revision) = after {
            let page = client.list_events(&patient, revision).await?;
            let of_images = page.events.iter().filter(|stored| stored.event.image.is_some());
            events += of_images.count();
            after = page.next;
        }
    }
    ensure!(
        events == size.images,
        "{events} events tell of {} images",
        size.images
    );
    Ok(())
}
