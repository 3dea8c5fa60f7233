//! The answer to a request is lost, a good minute later the answer to the next one, and with it the broker; what the second one
//! asked for is done only after that. The office makes it once all the same, be it a patient or an image.
//!
//! Takes 80 to 100 s, because the office may be at work for 60 s on what nobody heard the end of.

use crate::support::images::{image_events, noise, put_new, sit};
use crate::support::{Scene, VENDOR};
use anyhow::{Result, ensure};
use archwire_opendental_simulator::{Fault, Handle, RequestRecord};
use archwire_tests::{eventually, eventually_within};
use serde_json::Value;
use std::time::Duration;

/// Until the second request: 65 s after the first one, and what a busy machine needs beside.
const A_GOOD_MINUTE: Duration = Duration::from_secs(150);

fn posts(office: &Handle, path: &str) -> Vec<RequestRecord> {
    let mut requests = office.requests();
    requests.retain(|request| request.method == "POST" && request.path == path);
    requests
}

/// The first request to `path` is lost on its way, the second one is carried out so much later.
fn loses(office: &Handle, path: &str, later: Duration) {
    office.set_fault(Fault::drop_before().on("POST", path).times(1));
    office.set_fault(Fault::delay(later).on("POST", path).times(1));
}

/// Kills the broker while the office works on the second request.
async fn killed_during_the_second(scene: &mut Scene, path: &str) -> Result<()> {
    eventually_within(A_GOOD_MINUTE, "it is asked for a second time", async || {
        let posts = posts(scene.office(), path);
        let begun = posts.iter().filter(|request| request.begun).count();
        ensure!((posts.len(), begun) == (2, 1), "{} requests", posts.len());
        Ok(())
    })
    .await?;
    scene.practice.kill_broker().await?;
    scene.practice.start_broker().await?;
    Ok(())
}

/// Waits until nothing is to be brought to the office any more.
async fn rests(scene: &Scene) -> Result<()> {
    eventually_within(A_GOOD_MINUTE, "everything is brought", async || {
        let status = scene.practice.run(&["status", "--json"]).await?.said;
        let status: Value = serde_json::from_str(&status)?;
        let system = &status["systems"][0];
        let open = [
            "patients_behind",
            "lanes_working",
            "lanes_waiting",
            "lanes_backing_off",
            "images_working",
            "images_waiting",
            "images_backing_off",
        ];
        ensure!(open.iter().all(|count| system[count] == 0), "{status}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_patient_is_made_once() -> Result<()> {
    const PATH: &str = "/patients";
    let mut scene = Scene::open().await?;
    // An office that works as usual has carried out what was on its way some seconds after a kill.
    loses(scene.office(), PATH, Duration::from_secs(7));
    scene.register(1).await?;
    killed_during_the_second(&mut scene, PATH).await?;
    eventually("the office has the patient", async || scene.created(1)).await?;
    scene.settled().await?;
    rests(&scene).await?;
    scene.created(1)?;
    ensure!(
        posts(scene.office(), PATH).len() == 2,
        "it was asked for once more"
    );
    ensure!(scene.office().patients().len() == 1);
    Ok(())
}

#[tokio::test]
async fn an_image_is_filed_once() -> Result<()> {
    const PATH: &str = "/documents/Upload";
    let mut scene = Scene::open().await?;
    let sitter = sit(&mut scene).await?;
    scene.agreed().await?;
    loses(scene.office(), PATH, Duration::from_secs(25));
    let client = scene.practice.vendor(VENDOR).await?;
    let pdf = [&b"%PDF-1.4\n"[..], &noise(1, 200_000), b"\n%%EOF\n"].concat();
    put_new(&client, sitter.image(), &pdf).await?;
    killed_during_the_second(&mut scene, PATH).await?;
    eventually("the chart has it", async || {
        ensure!(!scene.office().documents().is_empty(), "not yet");
        Ok(())
    })
    .await?;
    rests(&scene).await?;
    let documents = scene.office().documents();
    ensure!(documents.len() == 1, "{} documents", documents.len());
    ensure!(*documents[0].bytes == *pdf, "other bytes");
    ensure!(posts(scene.office(), PATH).len() == 2, "it was sent once more");
    ensure!(image_events(&client, &sitter.patient_id).await?.len() == 1);
    Ok(())
}
