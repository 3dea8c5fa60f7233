//! A document that lies in a real archive and turns out to be somebody else's, because two patients are parted, is found under the
//! right patient, byte for byte, and under nobody else; where the archive may not be changed, a person is told what is left.

use crate::support::images::{get, image_events, put_new, sit};
use crate::support::review::WHO;
use crate::support::{Scene, VENDOR};
use anyhow::{Context as _, Result, ensure};
use archwire_client::v1;
use archwire_tests::{Plan, Practice, eventually};

const DOCUMENT: &[u8] = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n";

/// What was archived for one of two, of whom the other one is the right one.
struct Archived {
    scene: Scene,
    /// The right one's id.
    right: String,
    former: String,
}

/// Two are merged by mistake, a document of the second is archived, and the two are parted.
async fn parted(plan: Plan) -> Result<Archived> {
    let mut scene = Scene::with(plan).await?;
    let client = scene.practice.vendor(VENDOR).await?;
    let (one, other) = (sit(&mut scene).await?, sit(&mut scene).await?);
    let by = ["--by", WHO, "--reason", "asked at the desk"];
    let merging = ["review", "merge", &one.patient_id, &other.patient_id];
    // Not while the office is given a record of one of them.
    eventually("the two are merged", async || {
        scene.practice.ask(&[&merging[..], &by[..]].concat()).await
    })
    .await?;
    let image = put_new(&client, other.image(), DOCUMENT).await?;
    eventually("the archive has it", async || {
        let file = scene.practice.archive()?.file(&image.instance_uid).await?;
        file.map(drop).context("it has not")
    })
    .await?;
    let parting = ["review", "unmerge", &other.patient_id];
    eventually("the two are parted", async || {
        scene.practice.ask(&[&parting[..], &by[..]].concat()).await
    })
    .await?;
    Ok(Archived {
        scene,
        right: other.patient_id,
        former: image.instance_uid,
    })
}

/// The image as the bus tells it of the right one.
async fn moved(archived: &Archived) -> Result<v1::Image> {
    let client = archived.scene.practice.vendor(VENDOR).await?;
    let events = eventually("it is told of the other", async || {
        let events = image_events(&client, &archived.right).await?;
        ensure!(!events.is_empty(), "nothing is told");
        Ok(events)
    })
    .await?;
    let last = events.last().and_then(|event| event.image.as_ref());
    let image = last.and_then(|news| news.image.clone()).context("no image")?;
    ensure!(
        image.instance_uid != archived.former,
        "its identifiers tell whose it is"
    );
    ensure!(
        get(&client, &image.instance_uid).await? == DOCUMENT,
        "the bytes are the same"
    );
    Ok(image)
}

/// That the archive has the document under the right patient's number.
async fn is_the_right_ones(archived: &Archived, image: &v1::Image) -> Result<()> {
    let archive = archived.scene.practice.archive()?;
    let file = eventually("the archive has it for the other", async || {
        archive.file(&image.instance_uid).await?.context("it has not")
    })
    .await?;
    let dump = archive.dump(&file)?;
    let number = format!("(0010,0020) LO [{}]", archived.right);
    ensure!(dump.contains(&number), "{dump}");
    let is_within = file.windows(DOCUMENT.len()).any(|bytes| bytes == DOCUMENT);
    ensure!(is_within, "every byte of it");
    Ok(())
}

#[tokio::test]
async fn after_a_parting_it_is_under_the_right_patient_only() -> Result<()> {
    let archived = parted(Practice::plan().archive("archive")).await?;
    let image = moved(&archived).await?;
    is_the_right_ones(&archived, &image).await?;
    let archive = archived.scene.practice.archive()?;
    eventually("the former one is gone", async || {
        ensure!(archive.file(&archived.former).await?.is_none(), "it is there");
        Ok(())
    })
    .await?;
    ensure!(archive.count().await? == 1);
    eventually("nothing is left to do", async || {
        let parked = archived.scene.practice.ask(&["parked", "list"]).await?;
        let lines = parked["deliveries"].as_array().map_or(0, Vec::len);
        ensure!(lines == 0, "{parked}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn where_nothing_may_be_removed_a_person_is_told_both() -> Result<()> {
    let archived = parted(Practice::plan().archive("archive").archives_keep_all()).await?;
    let image = moved(&archived).await?;
    is_the_right_ones(&archived, &image).await?;
    let practice = &archived.scene.practice;
    let archive = practice.archive()?;
    let parked = async |count: usize| -> Result<String> {
        let parked = practice.ask(&["parked", "list"]).await?;
        let lines = parked["deliveries"].as_array().cloned().unwrap_or_default();
        ensure!(lines.len() == count, "{parked}");
        Ok(parked.to_string())
    };
    let shown = eventually("it is parked", async || parked(1).await).await?;
    ensure!(shown.contains("archived-under-another-uid"), "{shown}");
    ensure!(
        archive.file(&archived.former).await?.is_some(),
        "the former one is there"
    );
    // It stays so until somebody has removed it, whatever the archive shows meanwhile.
    eventually("the archive rests", async || archive.rests().await).await?;
    ensure!(parked(1).await.is_ok());
    archive.remove(&archived.former).await?;
    practice.ask(&["parked", "redrive", "--all", "--by", WHO]).await?;
    eventually("nothing is left to do", async || parked(0).await).await?;
    ensure!(archive.count().await? == 1);
    Ok(())
}
