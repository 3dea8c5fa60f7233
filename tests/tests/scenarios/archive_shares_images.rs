//! A real image archive on the bus: what a machine sends to it reaches the vendor and the office's chart, what the vendor takes
//! reaches the archive and the chart, byte for byte and once; nothing lands under somebody else.

use crate::support::images::{get, image_events, put_new, sit};
use crate::support::review::{only_item, queue};
use crate::support::{Scene, VENDOR};
use anyhow::{Context as _, Result, ensure};
use archwire_client::{Client, v1};
use archwire_opendental_simulator::{Field, PatientFields};
use archwire_tests::{Practice, Radiograph, eventually};
use std::time::Instant;

/// The machine is told this number for the patient.
const CHART: &str = "C-4711";

async fn scene() -> Result<Scene> {
    Scene::with(Practice::plan().archive("archive")).await
}

/// Somebody at the front desk with a chart number, whom the vendor lists, too; tells the bus's id.
async fn somebody(scene: &mut Scene, chart: &str) -> Result<(PatientFields, String)> {
    let fields = scene.next(1).remove(0).with(Field::ChartNumber, chart);
    scene.office().front_desk().create(&fields);
    scene.people.push(fields.clone());
    scene.listed(scene.people.len()).await?;
    let family = fields.get(Field::LName).unwrap_or_default().to_owned();
    let local = scene.vendor.find(|local| {
        let mut names = local.patient.names.iter();
        names.any(|name| name.family.as_deref() == Some(family.as_str()))
    })?;
    let patient_id = local
        .patient_id
        .context("the vendor does not know the bus's id")?;
    Ok((fields, patient_id))
}

fn radiograph(fields: &PatientFields, chart: &str) -> Radiograph {
    Radiograph {
        patient_id: (chart.to_owned(), String::new()),
        size: (300, 200),
        ..Radiograph::of(fields)
    }
}

/// Waits until the bus tells of so many images of a patient; all their events.
async fn told(client: &Client, patient_id: &str, count: usize) -> Result<Vec<v1::Event>> {
    eventually("the bus tells of the image", async || {
        let events = image_events(client, patient_id).await?;
        ensure!(events.len() >= count, "{} events", events.len());
        Ok(events)
    })
    .await
}

/// Waits until a document of the office has these bytes.
async fn in_the_chart(scene: &Scene, bytes: &[u8]) -> Result<()> {
    eventually("the chart has it", async || {
        let documents = scene.office().documents();
        let has = documents.iter().any(|document| *document.bytes == *bytes);
        ensure!(has, "{} documents, none of them is it", documents.len());
        Ok(())
    })
    .await
}

/// Waits until the archive has the image; its bytes.
async fn in_the_archive(scene: &Scene, uid: &str) -> Result<Vec<u8>> {
    eventually("the archive has it", async || {
        scene.practice.archive()?.file(uid).await?.context("it has not")
    })
    .await
}

/// Waits until the bus has read everything that is in the archive now: until something later came through. Then there are so
/// many events of images of the patient.
async fn settles(scene: &mut Scene, client: &Client, patient_id: &str, events: usize) -> Result<()> {
    eventually("the archive rests", async || {
        scene.practice.archive()?.rests().await
    })
    .await?;
    let (later, later_id) = somebody(scene, "C-9999").await?;
    let bytes = radiograph(&later, "C-9999").bytes();
    scene.practice.archive()?.send(&[&bytes])?;
    told(client, &later_id, 1).await?;
    let shown = image_events(client, patient_id).await?;
    ensure!(shown.len() == events, "{} events of images", shown.len());
    Ok(())
}

#[tokio::test]
async fn what_a_machine_sends_reaches_the_vendor_and_the_chart() -> Result<()> {
    let mut scene = scene().await?;
    let client = scene.practice.vendor(VENDOR).await?;
    let (fields, patient_id) = somebody(&mut scene, CHART).await?;
    let radiograph = radiograph(&fields, CHART);
    let sent = Instant::now();
    scene.practice.archive()?.send(&[&radiograph.bytes()])?;
    let events = told(&client, &patient_id, 1).await?;
    let at_the_bus = sent.elapsed();
    let news = events[0].image.as_ref().context("no image")?;
    ensure!(news.system.as_deref() == Some("archive"));
    let image = news.image.as_ref().context("no image")?;
    ensure!(image.instance_uid == radiograph.instance && !image.uids_generated);
    let stored = in_the_archive(&scene, &radiograph.instance).await?;
    ensure!(
        get(&client, &image.instance_uid).await? == stored,
        "the bytes are the archive's"
    );
    in_the_chart(&scene, &stored).await?;
    println!(
        "figure: storescu to event {} ms, to the chart {} ms (Orthanc waits 1 s for more, polls every 200 ms)",
        at_the_bus.as_millis(),
        sent.elapsed().as_millis()
    );
    settles(&mut scene, &client, &patient_id, 1).await?;
    let count = scene.practice.archive()?.count().await?;
    ensure!(count == 2, "{count} images: it, and the one that came later");
    let queue = queue(&scene.practice).await?;
    ensure!(queue.is_empty(), "{queue:?}");
    Ok(())
}

#[tokio::test]
async fn what_the_vendor_takes_reaches_the_archive_and_the_chart() -> Result<()> {
    let mut scene = scene().await?;
    let client = scene.practice.vendor(VENDOR).await?;
    let sitter = sit(&mut scene).await?;
    let radiograph = sitter.radiograph();
    let bytes = radiograph.bytes();
    let image = put_new(&client, sitter.image(), &bytes).await?;
    let stored = in_the_archive(&scene, &image.instance_uid).await?;
    ensure!(stored == bytes, "the archive has every byte");
    scene.practice.archive()?.dump(&stored)?;
    in_the_chart(&scene, &bytes).await?;
    // The archive tells of it in turn, which is no news.
    settles(&mut scene, &client, &sitter.patient_id, 1).await?;
    let count = scene.practice.archive()?.count().await?;
    ensure!(count == 2, "{count} images: it, and the one that came later");
    Ok(())
}

#[tokio::test]
async fn a_photograph_is_a_dicom_file_in_the_archive_and_a_photograph_elsewhere() -> Result<()> {
    let mut scene = scene().await?;
    let client = scene.practice.vendor(VENDOR).await?;
    let sitter = sit(&mut scene).await?;
    let pdf = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n";
    let image = put_new(&client, sitter.image(), pdf).await?;
    ensure!(image.uids_generated && image.content_type == "application/pdf");
    let stored = in_the_archive(&scene, &image.instance_uid).await?;
    let dump = scene.practice.archive()?.dump(&stored)?;
    let family = sitter.fields.get(Field::LName).unwrap_or_default();
    ensure!(
        dump.contains("EncapsulatedPDFStorage") && dump.contains(family),
        "{dump}"
    );
    in_the_chart(&scene, pdf).await?;
    settles(&mut scene, &client, &sitter.patient_id, 1).await?;
    Ok(())
}

#[tokio::test]
async fn what_was_taken_while_the_archive_was_away_comes_to_it_after_that() -> Result<()> {
    let mut scene = scene().await?;
    let client = scene.practice.vendor(VENDOR).await?;
    let sitter = sit(&mut scene).await?;
    scene.practice.archive_mut()?.kill()?;
    let mut images = Vec::new();
    for _ in 0..3 {
        let radiograph = sitter.radiograph();
        let image = put_new(&client, sitter.image(), &radiograph.bytes()).await?;
        images.push((image.instance_uid, radiograph.bytes()));
    }
    for (_, bytes) in &images {
        in_the_chart(&scene, bytes).await?;
    }
    scene.practice.archive_mut()?.start_again().await?;
    for (uid, bytes) in &images {
        ensure!(in_the_archive(&scene, uid).await? == *bytes);
    }
    ensure!(scene.practice.archive()?.count().await? == 3);
    Ok(())
}

#[tokio::test]
async fn a_radiograph_under_somebody_elses_number_waits_for_a_person() -> Result<()> {
    let mut scene = scene().await?;
    let client = scene.practice.vendor(VENDOR).await?;
    let (one, one_id) = somebody(&mut scene, CHART).await?;
    scene
        .practice
        .archive()?
        .send(&[&radiograph(&one, CHART).bytes()])?;
    told(&client, &one_id, 1).await?;
    // The next patient sits down, and the machine still has the number of the one before.
    let (other, other_id) = somebody(&mut scene, "C-4712").await?;
    let wrong = radiograph(&other, CHART);
    scene.practice.archive()?.send(&[&wrong.bytes()])?;
    eventually("a person is asked", async || {
        let queue = queue(&scene.practice).await?;
        let asked = queue.iter().any(|(_, kind)| kind == "wrong-patient");
        ensure!(asked, "{queue:?}");
        Ok(())
    })
    .await?;
    ensure!(
        image_events(&client, &one_id).await?.len() == 1,
        "not under the one"
    );
    ensure!(
        image_events(&client, &other_id).await?.is_empty(),
        "nor under the other"
    );
    ensure!(scene.office().documents().len() <= 1, "nor in a chart");
    Ok(())
}

#[tokio::test]
async fn somebody_whom_nothing_but_a_name_connects_is_a_patient_apart() -> Result<()> {
    let mut scene = scene().await?;
    let client = scene.practice.vendor(VENDOR).await?;
    let (fields, patient_id) = somebody(&mut scene, CHART).await?;
    // A number of the machine's own.
    scene.practice.archive()?.send(&[&Radiograph {
        size: (300, 200),
        ..Radiograph::of(&fields)
    }
    .bytes()])?;
    only_item(&scene.practice, "possible-duplicate").await?;
    ensure!(image_events(&client, &patient_id).await?.is_empty());
    Ok(())
}
