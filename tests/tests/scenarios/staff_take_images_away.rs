//! Staff delete an image in their program, or give it to another patient there, and no program tells the bus. Whoever asks is told; the
//! bus keeps its own bytes, brings the image no second time, and undoes nothing that staff did.

use crate::support::images::{Sitter, get, noise, put, put_new, sit};
use crate::support::{Scene, VENDOR, polled_again};
use anyhow::{Context as _, Result, ensure};
use archwire_client::{Client, ImageReceipt, NewImage, v1};
use archwire_tests::{Plan, Practice, eventually};
use serde_json::Value;

/// A vendor's PDF in the office's chart.
struct Filed {
    scene: Scene,
    client: Client,
    sitter: Sitter,
    bytes: Vec<u8>,
    uid: String,
    /// The bus's id of the image.
    image: String,
}

fn pdf(seed: u64) -> Vec<u8> {
    [&b"%PDF-1.4\n"[..], &noise(seed, 50_000), b"\n%%EOF\n"].concat()
}

impl Filed {
    async fn open(plan: Plan) -> Result<Self> {
        let mut scene = Scene::with(plan).await?;
        let sitter = sit(&mut scene).await?;
        scene.agreed().await?;
        let client = scene.practice.vendor(VENDOR).await?;
        let bytes = pdf(1);
        let uid = put_new(&client, titled(&sitter, "smile"), &bytes)
            .await?
            .instance_uid;
        let patient = sitter.patient_id.clone();
        let filed = Self {
            image: listed(&scene, &patient).await?,
            scene,
            client,
            sitter,
            bytes,
            uid,
        };
        filed.is_settled("front-desk").await?;
        Ok(filed)
    }

    /// Waits until the bus has brought the image to a system, and has seen that.
    async fn is_settled(&self, system: &str) -> Result<()> {
        eventually("it is brought", async || {
            let copy = self.copy(system).await?;
            ensure!(copy["state"] == "up-to-date", "{copy}");
            Ok(())
        })
        .await
    }

    /// What `archwire images show --look` says of a system.
    async fn copy(&self, system: &str) -> Result<Value> {
        let show = ["images", "show", &self.image, "--look", "--by", "Kim Doe"];
        let shown = self.scene.practice.ask(&show).await?;
        let copies = shown["copies"].as_array().context("no copies")?;
        let copy = copies
            .iter()
            .find(|copy| copy["system"] == system && copy["state"] != "replaced");
        copy.cloned()
            .with_context(|| format!("nothing of {system}: {shown}"))
    }

    async fn shows(&self, system: &str, expected: &str) -> Result<()> {
        let copy = self.copy(system).await?;
        ensure!(copy["shows"] == expected, "{copy}");
        Ok(())
    }

    /// The vendor gives the image another title.
    async fn retitled(&self, title: &str, bytes: &[u8]) -> Result<ImageReceipt> {
        put(&self.client, titled(&self.sitter, title), bytes).await
    }

    fn uploads(&self) -> usize {
        let requests = self.scene.office().requests();
        let uploads = requests.iter().filter(|request| request.method == "POST");
        uploads
            .filter(|request| request.path == "/documents/Upload")
            .count()
    }

    async fn is_parked_as(&self, code: &str) -> Result<()> {
        eventually("it is parked", async || {
            let parked = self.scene.practice.ask(&["parked", "list"]).await?;
            let line = &parked["deliveries"][0];
            ensure!(line["reason"] == code, "{parked}");
            Ok(())
        })
        .await
    }
}

fn titled(sitter: &Sitter, title: &str) -> NewImage {
    NewImage {
        local_id: Some("photo-1".to_owned()),
        image: v1::Image {
            view_label: Some(title.to_owned()),
            ..v1::Image::default()
        },
        ..sitter.image()
    }
}

/// The bus's id of a patient's only image.
async fn listed(scene: &Scene, patient: &str) -> Result<String> {
    let listed = scene
        .practice
        .ask(&["images", "list", "--patient", patient])
        .await?;
    let image = listed["images"][0]["image"].as_str();
    image.map(str::to_owned).context("it is not listed")
}

#[tokio::test]
async fn an_image_that_staff_deleted_is_told_kept_and_not_brought_again() -> Result<()> {
    let mut filed = Filed::open(Practice::plan()).await?;
    filed.shows("front-desk", "same-bytes").await?;
    let document = filed.scene.office().documents().remove(0).doc_num;
    filed.scene.office().front_desk().delete_document(document)?;
    filed.shows("front-desk", "gone").await?;
    // Neither reading the office nor a start brings it again.
    filed.scene.practice.restart().await?;
    polled_again(filed.scene.office(), 3).await?;
    filed.shows("front-desk", "gone").await?;
    ensure!((filed.uploads(), filed.scene.office().documents().len()) == (1, 0));
    // What the vendor says of it next is for a person, as often as it is tried.
    filed.retitled("smile, retouched", &filed.bytes).await?;
    filed.is_parked_as("document-gone").await?;
    let copy = filed.copy("front-desk").await?;
    ensure!(copy["state"] == "parked", "{copy}");
    let redrive = ["parked", "redrive", "front-desk", &filed.image, "--by", "Kim Doe"];
    filed.scene.practice.ask(&redrive).await?;
    eventually("it is parked anew", async || {
        let receipts = ["receipts", "--patient", &filed.sitter.patient_id, "--json"];
        let receipts = filed.scene.practice.run(&receipts).await?.said;
        ensure!(receipts.matches("document-gone").count() >= 2, "{receipts}");
        Ok(())
    })
    .await?;
    ensure!((filed.uploads(), filed.scene.office().documents().len()) == (1, 0));
    ensure!(
        get(&filed.client, &filed.uid).await? == filed.bytes,
        "the bus keeps it"
    );
    Ok(())
}

#[tokio::test]
async fn an_image_that_staff_gave_to_another_patient_stays_there() -> Result<()> {
    let mut filed = Filed::open(Practice::plan()).await?;
    let other = filed.scene.type_in(1)[0];
    filed.scene.agreed().await?;
    let before = filed.scene.office().documents().remove(0);
    let desk = filed.scene.office().front_desk();
    desk.move_document(before.doc_num, other)?;
    filed.shows("front-desk", "another-record").await?;
    // Other bytes of it, and other words: neither goes to the one, nor is the other's marked as withdrawn.
    filed.retitled("smile, retouched", &pdf(2)).await?;
    eventually("it waits", async || {
        let status = filed.scene.practice.run(&["status", "--json"]).await?.said;
        let status: Value = serde_json::from_str(&status)?;
        ensure!(status["systems"][0]["images_backing_off"] == 1, "{status}");
        Ok(())
    })
    .await?;
    filed.shows("front-desk", "another-record").await?;
    let documents = filed.scene.office().documents();
    ensure!((filed.uploads(), documents.len()) == (1, 1));
    ensure!(documents[0].pat_num == other && documents[0].description == before.description);
    // When staff put it back, it gets what it lacks.
    desk.move_document(before.doc_num, before.pat_num)?;
    filed.is_settled("front-desk").await?;
    let documents = filed.scene.office().documents();
    ensure!(
        documents
            .iter()
            .all(|document| document.pat_num == before.pat_num)
    );
    ensure!(documents.iter().any(|document| *document.bytes == *pdf(2)));
    Ok(())
}

#[tokio::test]
async fn an_image_that_was_deleted_in_the_archive_is_told_and_not_brought_again() -> Result<()> {
    let mut filed = Filed::open(Practice::plan().archive("archive")).await?;
    filed.is_settled("archive").await?;
    filed.shows("archive", "same-bytes").await?;
    filed.scene.practice.archive()?.remove(&filed.uid).await?;
    filed.shows("archive", "gone").await?;
    filed.shows("front-desk", "same-bytes").await?;
    filed.scene.practice.restart().await?;
    polled_again(filed.scene.office(), 3).await?;
    filed.shows("archive", "gone").await?;
    ensure!(
        filed.scene.practice.archive()?.count().await? == 0,
        "it was brought again"
    );
    ensure!(
        get(&filed.client, &filed.uid).await? == filed.bytes,
        "the bus keeps it"
    );
    // An archive that does not answer is no archive that has nothing.
    filed.scene.practice.archive_mut()?.kill()?;
    let copy = filed.copy("archive").await?;
    ensure!(copy["shows"].is_string() && copy["shows"] != "gone", "{copy}");
    Ok(())
}
