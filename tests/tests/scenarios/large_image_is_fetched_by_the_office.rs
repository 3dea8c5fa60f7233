//! An image that is too large for a request gets into the chart all the same: the office fetches it from the broker, once, and
//! nobody can after that. Where the administrator does not want that, it waits for a person and says why.

use crate::support::images::{Sitter, put_new, sit};
use crate::support::{Scene, VENDOR};
use anyhow::{Context as _, Result, ensure};
use archwire_client::Client;
use archwire_opendental_simulator::{Fault, Field, Invitation, Options};
use archwire_tests::{Plan, Practice, eventually};
use serde_json::{Value, json};
use std::net::TcpListener;
use std::time::Duration;

const POST: &str = "/documents/UploadSftp";
const GRANTED: &str = "hand-out-images = true\n";

/// A practice whose office finds SFTP servers on a port of this machine, and what is configured of it.
fn plan(handed_out: bool, keys: &str, options: Options) -> Result<Plan> {
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let options = Options {
        sftp_port: port,
        ..options
    };
    let plan = Practice::plan()
        .system("front-desk", options)
        .keys("front-desk", keys);
    Ok(match handed_out {
        true => plan.extra(&format!(
            "[images.sftp]\nlisten = \"127.0.0.1:{port}\"\naddress = \"127.0.0.1\"\n"
        )),
        false => plan,
    })
}

async fn scene(handed_out: bool, keys: &str) -> Result<(Scene, Client, Sitter)> {
    sitting(plan(handed_out, keys, Options::service())?).await
}

async fn sitting(plan: Plan) -> Result<(Scene, Client, Sitter)> {
    let mut scene = Scene::with(plan).await?;
    let sitter = sit(&mut scene).await?;
    scene.agreed().await?;
    let client = scene.practice.vendor(VENDOR).await?;
    Ok((scene, client, sitter))
}

/// A model of teeth, 20 MB: an STL file of so many triangles that no two of its pieces are alike.
fn model() -> Vec<u8> {
    const TRIANGLES: u32 = 400_000;
    let mut bytes = vec![b' '; 80];
    bytes.extend(TRIANGLES.to_le_bytes());
    for number in 0..TRIANGLES {
        bytes.extend([0; 46]);
        bytes.extend(number.to_le_bytes());
    }
    bytes
}

/// Waits until the chart has it; then it does so once, and the office was asked to fetch it so often.
async fn in_the_chart(scene: &Scene, bytes: &[u8], asked: usize) -> Result<()> {
    let office = scene.office();
    eventually("the chart has it", async || {
        let documents = office.documents();
        ensure!(documents.len() == 1, "{} documents", documents.len());
        ensure!(*documents[0].bytes == *bytes, "other bytes");
        Ok(())
    })
    .await?;
    eventually("the delivery is over", async || {
        let status = scene.practice.run(&["status", "--json"]).await?.said;
        let read: Value = serde_json::from_str(&status)?;
        let system = &read["systems"][0];
        let open = ["images_working", "images_waiting", "images_backing_off"];
        ensure!(open.iter().all(|count| system[count] == 0), "{status}");
        Ok(())
    })
    .await?;
    let documents = office.documents();
    ensure!(documents.len() == 1, "{} documents", documents.len());
    ensure!(documents[0].unopened.is_none(), "it is a file at once");
    let invitations = office.invitations();
    ensure!(invitations.len() == asked, "{} times", invitations.len());
    Ok(())
}

/// Has the office fetch what somebody was told of earlier.
async fn fetched_again(scene: &Scene, invitation: &Invitation) -> Result<(u16, String)> {
    let office = scene.office();
    let body = json!({
        "PatNum": office.patients()[0].pat_num,
        "SftpAddress": invitation.address,
        "SftpUsername": invitation.user,
        "SftpPassword": invitation.password,
    });
    let answer = reqwest::Client::new()
        .post(format!("{}{POST}", office.base_url()))
        .header("Authorization", office.authorization())
        .json(&body)
        .send()
        .await?;
    Ok((answer.status().as_u16(), answer.text().await?))
}

#[tokio::test]
async fn a_model_of_20_megabytes_is_fetched_once_and_never_again() -> Result<()> {
    let (scene, client, sitter) = scene(true, GRANTED).await?;
    let bytes = model();
    ensure!(bytes.len() > 20_000_000);
    put_new(&client, sitter.image(), &bytes).await?;
    in_the_chart(&scene, &bytes, 1).await?;
    let invitation = scene.office().invitations().remove(0);
    for field in [Field::LName, Field::FName] {
        let name = sitter.fields.get(field).context("a name")?;
        ensure!(!invitation.address.contains(name), "{invitation:?}");
    }
    let (status, said) = fetched_again(&scene, &invitation).await?;
    // Nothing is handed out now, so that the port lets nobody in, whatever the password.
    ensure!(
        status == 400 && said.contains("could not be reached"),
        "{status} {said}"
    );
    let log = scene.practice.seat().logs()?;
    ensure!(log.text().contains("hands images out by SFTP"));
    ensure!(
        !log.text().contains(&invitation.password),
        "the password is in the log"
    );
    Ok(())
}

#[tokio::test]
async fn an_answer_that_is_lost_makes_no_second_document() -> Result<()> {
    let (scene, client, sitter) = scene(true, GRANTED).await?;
    scene
        .office()
        .set_fault(Fault::drop_after().on("POST", POST).times(1));
    let bytes = model();
    put_new(&client, sitter.image(), &bytes).await?;
    in_the_chart(&scene, &bytes, 1).await
}

#[tokio::test]
async fn an_office_that_fetches_after_the_api_gave_up_is_waited_for() -> Result<()> {
    let options = Options {
        processing_limit: Duration::from_secs(1),
        ..Options::service()
    };
    let (scene, client, sitter) = sitting(plan(true, GRANTED, options)?).await?;
    scene
        .office()
        .set_fault(Fault::delay(Duration::from_secs(3)).on("POST", POST).times(1));
    let bytes = model();
    put_new(&client, sitter.image(), &bytes).await?;
    in_the_chart(&scene, &bytes, 1).await
}

/// The image is parked, and what would let it through is said.
async fn parked(scene: &Scene, setting: &str) -> Result<()> {
    let parked = eventually("it is parked", async || {
        let parked = scene.practice.ask(&["parked", "list"]).await?;
        ensure!(parked["count"] == 1, "{parked}");
        Ok(parked)
    })
    .await?;
    let line = &parked["deliveries"][0];
    ensure!(line.to_string().contains("document-too-large"), "{line}");
    let system = line["system"].as_str().context("a system")?;
    let image = line["image_id"].as_str().context("an image")?;
    let show = ["parked", "show", system, image, "--by", "Kim Doe"];
    let shown: Value = scene.practice.ask(&show).await?;
    ensure!(shown.to_string().contains(setting), "{shown}");
    ensure!(scene.office().documents().is_empty() && scene.office().invitations().is_empty());
    Ok(())
}

#[tokio::test]
async fn what_is_not_handed_out_at_all_waits_for_a_person() -> Result<()> {
    let (scene, client, sitter) = scene(false, "").await?;
    put_new(&client, sitter.image(), &model()).await?;
    parked(&scene, "[images.sftp]").await
}

#[tokio::test]
async fn what_is_not_handed_out_to_this_system_waits_for_a_person() -> Result<()> {
    let (scene, client, sitter) = scene(true, "").await?;
    put_new(&client, sitter.image(), &model()).await?;
    parked(&scene, "hand-out-images = true for this system").await
}
