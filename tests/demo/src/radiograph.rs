//! The step of the radiograph: taken at the vendor, and then in the archive and in the patient's chart, byte for byte.

use crate::check;
use crate::screen::Screen;
use crate::stage::Stage;
use anyhow::{Context as _, Result, bail, ensure};
use archwire_client::{NewImage, Receipt};
use archwire_opendental_simulator::{Field, PatientFields};
use archwire_tests::{Radiograph, differences, eventually};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::fs;
use std::io::Cursor;
use std::path::Path;

/// What the vendor calls the image.
const AT_THE_VENDOR: &str = "tracing-1";

/// Most bytes of a file that is taken in place of the radiograph: it is held in memory, more than once.
const MOST_BYTES: u64 = 512 * 1024 * 1024;

/// Reads a file that is taken in place of the radiograph.
///
/// # Errors
/// When it is none, or nothing that could be taken.
pub(crate) fn read(file: &Path) -> Result<Vec<u8>> {
    let named = || format!("--image {}", file.display());
    let about = fs::metadata(file).with_context(named)?;
    ensure!(
        !about.is_dir(),
        "{}: a folder, and no file; name one of the files in it",
        named()
    );
    ensure!(about.is_file(), "{}: no file", named());
    ensure!(
        about.len() > 0,
        "{}: the file is empty, so that there is nothing to take",
        named()
    );
    ensure!(
        about.len() <= MOST_BYTES,
        "{}: {:.1} MB; the demonstration holds it in memory and takes {:.1} MB at most, the bus itself 4 GiB",
        named(),
        megabytes(about.len()),
        megabytes(MOST_BYTES)
    );
    fs::read(file).with_context(named)
}

/// Takes a radiograph at the vendor of somebody who was typed in at the front desk, or `bytes` in its place, and downloads it from
/// the archive and from the chart.
pub(crate) async fn taken_at_the_vendor(
    stage: &mut Stage,
    screen: &mut Screen,
    pat_num: i64,
    person: &PatientFields,
    bytes: Option<Vec<u8>>,
) -> Result<()> {
    screen.begin(
        "a radiograph taken at the vendor",
        "The vendor's machine takes a cephalometric radiograph. Nobody exports, photographs or mails it.",
    );
    let bytes = bytes.unwrap_or_else(|| Radiograph::of(person).bytes());
    let digest = sha256(&bytes);
    let chart = stage
        .office()
        .patient(pat_num)
        .context("Open Dental has no such patient")?;
    let local = stage
        .vendor
        .find(|local| differences(&chart, &local.patient).is_empty())?;
    screen.say(format_args!(
        "{:.1} MB, SHA-256 {}..., of the vendor's {}",
        megabytes(bytes.len() as u64),
        short(&digest),
        local.local_id
    ));
    let mut image = NewImage::of_record(&local.local_id);
    image.local_id = Some(AT_THE_VENDOR.to_owned());
    image.image.view_label = Some("Lateral cephalogram".to_owned());
    let put = stage.vendor.client().put_image(image);
    let receipt = put.reader(&mut Cursor::new(&bytes)).await?;
    let names_another = matches!(receipt.receipt, Receipt::InReview { .. });
    match receipt.receipt {
        Receipt::Recorded { revision, .. } => {
            screen.say(format_args!(
                "the bus has all of it, and tells it at revision {revision}"
            ));
        }
        Receipt::InReview { item, .. } => decide(stage, screen, item).await?,
        Receipt::Unchanged { .. } => bail!("the bus knows this image already"),
    }
    let mut places = u8::from(in_the_chart(stage, screen, pat_num, &digest).await?);
    if stage.has_archive {
        if in_the_archive(stage, screen, &bytes, &digest).await? {
            places += 1;
            archive_settles(stage, screen, names_another).await?;
        }
    } else {
        screen.say("there is no archive on this machine: `cargo xtask setup` fetches one");
    }
    screen.held("downloaded again, each byte the same", places);
    Ok(())
}

/// The file names somebody else, as one from outside will: a person of the practice says that it is right.
async fn decide(stage: &Stage, screen: &Screen, item: u64) -> Result<()> {
    screen.say(format_args!(
        "the file itself names somebody else: it is filed nowhere, and waits as item {item} for a person"
    ));
    let number = item.to_string();
    let link = [
        "review",
        "link",
        &number,
        "--by",
        "Demo",
        "--reason",
        "it is this patient's",
    ];
    stage.practice.ask(&link).await?;
    screen.say("somebody at the front desk says that it is this patient's");
    Ok(())
}

/// Tells whether it could be taken there.
async fn in_the_chart(stage: &Stage, screen: &Screen, pat_num: i64, digest: &[u8]) -> Result<bool> {
    let document = eventually("the radiograph is in the patient's chart", async || {
        let documents = stage.office().documents();
        let mut those = documents
            .into_iter()
            .filter(|document| sha256(&document.bytes) == digest);
        let Some(document) = those.next() else {
            return parked(stage, "front-desk").await.map(Place::Parked);
        };
        ensure!(those.next().is_none(), "Open Dental has it twice");
        Ok(Place::Found(document))
    });
    let document = match document.await? {
        Place::Found(document) => document,
        Place::Parked(reason) => {
            screen.say(format_args!(
                "not in the chart: Open Dental's API cannot take it, it is parked as {reason}"
            ));
            return Ok(false);
        }
    };
    ensure!(document.pat_num == pat_num, "it is in another patient's chart");
    screen.say(format_args!(
        "in the chart: DocNum {} of PatNum {pat_num}, {}, {:?}: SHA-256 {}...",
        document.doc_num,
        document.img_type,
        document.description,
        short(&sha256(&document.bytes)),
    ));
    Ok(true)
}

/// Tells whether it could be taken there.
async fn in_the_archive(stage: &Stage, screen: &Screen, bytes: &[u8], digest: &[u8]) -> Result<bool> {
    let archive = stage.practice.archive()?;
    let found = eventually("the radiograph is in the archive", async || {
        let mut files = archive.files().await?.into_iter();
        let those = files.find(|file| sha256(file) == digest || holds(file, bytes));
        match those {
            Some(file) => Ok(Place::Found(file)),
            None => parked(stage, "archive").await.map(Place::Parked),
        }
    });
    let file = match found.await? {
        Place::Found(file) => file,
        Place::Parked(reason) => {
            screen.say(format_args!(
                "not in the archive: a file of that kind has no place in one, it is parked as {reason}"
            ));
            return Ok(false);
        }
    };
    let how = if sha256(&file) == digest {
        "the file itself"
    } else {
        "within a DICOM file, as it was"
    };
    screen.say(format_args!(
        "in the archive (Orthanc): {how}, SHA-256 {}...",
        short(digest)
    ));
    Ok(true)
}

/// Waits until the bus has read what is in the archive by now. What `names_another` is there under a name and a number of its own.
async fn archive_settles(stage: &mut Stage, screen: &Screen, names_another: bool) -> Result<()> {
    let archive = stage.practice.archive()?;
    eventually("the archive's study is at rest", async || archive.rests().await).await?;
    // A reading that had begun before does not count.
    for _ in 0..2 {
        is_read_again(stage).await?;
    }
    let words = match names_another {
        true => {
            stranger_of_the_archive(stage).await?;
            "the archive files it under the name in the file, of whom the bus had not heard: a patient apart, on both sides \
             (`unknown-patients = \"review\"` on the archive has a person asked first)"
        }
        false => {
            "the bus has read the archive too, and knows whose number is in the file: nobody is there twice"
        }
    };
    check::settled(stage).await?;
    screen.say(words);
    Ok(())
}

/// Waits until whom the file names is in Open Dental, too: one more than everybody so far.
async fn stranger_of_the_archive(stage: &mut Stage) -> Result<()> {
    let known = stage.everybody.len();
    let stranger = eventually("the archive's stranger is in Open Dental", async || {
        let mut patients = stage.office().patients();
        ensure!(patients.len() > known, "{} people there", patients.len());
        patients.pop().context("nobody is there")
    })
    .await?;
    let fields = Field::ALL.into_iter();
    let fields = fields.fold(PatientFields::default(), |fields, field| {
        fields.with(field, stranger.get(field))
    });
    stage.everybody.push(fields);
    stage.from_vendor += 1;
    Ok(())
}

/// What became of an image on its way to a system.
enum Place<T> {
    Found(T),
    /// The system does not take such a thing, for this reason.
    Parked(String),
}

/// Why an image waits for a person on its way to a system.
async fn parked(stage: &Stage, system: &str) -> Result<String> {
    let parked = stage.practice.ask(&["parked", "list"]).await?;
    let lines = parked.pointer("/deliveries").and_then(Value::as_array);
    let mut lines = lines.context("the list of what is parked is none")?.iter();
    let line = lines.find(|line| line["system"] == system);
    let reason = line.and_then(|line| line["reason"].as_str());
    Ok(reason.context("it is not there yet")?.to_owned())
}

/// Waits until the archive was read to its end once more.
async fn is_read_again(stage: &Stage) -> Result<()> {
    let before = last_read(stage).await?;
    eventually("the archive is read", async || {
        ensure!(last_read(stage).await? != before, "it was not read since");
        Ok(())
    })
    .await
}

async fn last_read(stage: &Stage) -> Result<String> {
    let status = stage.practice.ask(&["status"]).await?;
    let systems = status.pointer("/systems").and_then(Value::as_array);
    let mut systems = systems.context("the status lists no systems")?.iter();
    let archive = systems.find(|system| system["system"] == "archive");
    let read = archive.and_then(|archive| archive.get("polled_at")?.as_str());
    Ok(read.unwrap_or_default().to_owned())
}

/// Whether a file holds these bytes in one piece.
fn holds(file: &[u8], bytes: &[u8]) -> bool {
    file.windows(bytes.len().max(1)).any(|window| window == bytes)
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    Sha256::digest(bytes).to_vec()
}

/// The first digits of a digest.
fn short(digest: &[u8]) -> String {
    digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

#[allow(clippy::cast_precision_loss, reason = "a figure for people")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_taken_is_said_before_anything_starts() {
        let folder = tempfile::tempdir().unwrap();
        let empty = folder.path().join("empty.jpg");
        fs::write(&empty, b"").unwrap();
        let large = folder.path().join("large.dcm");
        fs::File::create(&large).unwrap().set_len(MOST_BYTES + 1).unwrap();
        for (file, words) in [
            (folder.path().to_path_buf(), "a folder, and no file"),
            (folder.path().join("missing.dcm"), "No such file"),
            (empty, "the file is empty"),
            (large, "takes 536.9 MB at most"),
        ] {
            let said = format!("{:#}", read(&file).unwrap_err());
            assert!(said.contains(words), "{said}");
            assert!(said.starts_with(&format!("--image {}", file.display())), "{said}");
        }
        let good = folder.path().join("good.jpg");
        fs::write(&good, b"bytes").unwrap();
        assert_eq!(read(&good).unwrap(), b"bytes");
    }
}
