//! A radiograph that names nobody, in a real archive whose strangers wait for a person: it makes no patient, neither on the bus nor in
//! the office, and nothing of it is lost.

use crate::support::images::{get, image_events, sit};
use crate::support::review::{decide, nothing_open, open_items, queue};
use crate::support::{Scene, VENDOR};
use anyhow::{Context as _, Result, ensure};
use archwire_tests::{Practice, Radiograph, eventually};

#[tokio::test]
async fn a_stranger_of_the_archive_is_no_patient_before_somebody_says_so() -> Result<()> {
    let mut scene = Scene::with(Practice::plan().archive("archive").strangers_wait()).await?;
    let client = scene.practice.vendor(VENDOR).await?;
    let sitter = sit(&mut scene).await?;
    let nameless = || Radiograph {
        patient_id: ("XR-0815".to_owned(), String::new()),
        name: String::new(),
        birth_date: String::new(),
        size: (300, 200),
        ..Radiograph::of(&sitter.fields)
    };
    let (first, second) = (nameless(), nameless());
    scene
        .practice
        .archive()?
        .send(&[&first.bytes(), &second.bytes()])?;
    let item = eventually("a person is asked whose it is", async || {
        let strangers = open_items(&scene.practice, "unknown-record").await?;
        let images = open_items(&scene.practice, "wrong-patient").await?;
        ensure!(
            strangers.len() == 1 && images.len() == 2,
            "{strangers:?} {images:?}"
        );
        strangers[0]["number"].as_u64().context("no number")
    })
    .await?;
    let patients = scene.office().patients().len();
    ensure!(patients == 1, "{patients} patients in the office");
    let number = item.to_string();
    let link = ["review", "link", &number, "--with", &sitter.patient_id];
    let by = [
        "--by",
        crate::support::review::WHO,
        "--reason",
        "asked at the desk",
    ];
    scene.practice.ask(&[&link[..], &by[..]].concat()).await?;
    let events = eventually("its images are the patient's", async || {
        let events = image_events(&client, &sitter.patient_id).await?;
        ensure!(events.len() == 2, "{} events", events.len());
        Ok(events)
    })
    .await?;
    for radiograph in [&first, &second] {
        let stored = scene.practice.archive()?.file(&radiograph.instance).await?;
        ensure!(
            Some(get(&client, &radiograph.instance).await?) == stored,
            "every byte"
        );
    }
    ensure!(events.iter().all(|event| event.patient_id == sitter.patient_id));
    nothing_open(&scene.practice).await?;
    // The next stranger is a new patient.
    let other = Radiograph {
        patient_id: ("XR-0816".to_owned(), String::new()),
        ..nameless()
    };
    scene.practice.archive()?.send(&[&other.bytes()])?;
    let item = eventually("a person is asked again", async || {
        let strangers = open_items(&scene.practice, "unknown-record").await?;
        ensure!(strangers.len() == 1, "{strangers:?}");
        strangers[0]["number"].as_u64().context("no number")
    })
    .await?;
    decide(&scene.practice, "not-same", item).await?;
    eventually("nobody waits", async || {
        let queue = queue(&scene.practice).await?;
        ensure!(queue.is_empty(), "{queue:?}");
        Ok(())
    })
    .await?;
    let stored = scene.practice.archive()?.file(&other.instance).await?;
    ensure!(Some(get(&client, &other.instance).await?) == stored);
    Ok(())
}
