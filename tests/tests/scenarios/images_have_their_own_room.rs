//! How much images may take: refused loudly when that is used up, with the log as it was, and nothing removed to make room.

use crate::support::images::{Bare, code_of, get, image_events, noise, open, put, put_new, sitting};
use anyhow::{Context as _, Result, ensure};
use archwire_tests::{Practice, eventually};
use tonic::Code;

const MEBIBYTE: usize = 1024 * 1024;

#[tokio::test]
async fn an_archive_of_images_that_is_full_refuses_loudly_and_patients_go_on() -> Result<()> {
    let plan = Practice::plan().extra("[images]\nmax-size = \"64MiB\"\n");
    let (mut scene, client, sitter) = sitting(plan).await?;
    let mut kept = Vec::new();
    let refused = loop {
        let bytes = noise(kept.len() as u64 + 1, 9 * MEBIBYTE);
        match put(&client, sitter.image(), &bytes).await {
            Ok(receipt) => {
                let uid = receipt.image.context("no image")?.instance_uid;
                kept.push((uid, bytes));
            }
            Err(error) => break error,
        }
        ensure!(kept.len() < 8, "more was taken than there is room for");
    };
    ensure!(kept.len() >= 5, "{} images of 9 MiB in 64 MiB", kept.len());
    let error = refused.downcast_ref::<archwire_client::ImageError>();
    let error = error.context("it is no refusal of the bus")?;
    ensure!(
        (error.code(), error.is_retryable()) == ("images_full", false),
        "{error}"
    );
    // Nothing was removed, nothing half is there, and what is smaller has room.
    for (uid, bytes) in &kept {
        ensure!(&get(&client, uid).await? == bytes);
    }
    ensure!(image_events(&client, &sitter.patient_id).await?.len() == kept.len());
    put_new(&client, sitter.image(), &noise(99, 100_000)).await?;
    scene.type_in(1);
    scene.settled().await?;
    // More room is made by asking for it, without losing anything.
    let text = scene.practice.configuration()?;
    scene.practice.stop_broker().await?;
    scene
        .practice
        .set_configuration(&text.replace("64MiB", "256MiB"))?;
    scene.practice.start_broker().await?;
    put_new(&client, sitter.image(), &noise(100, 9 * MEBIBYTE)).await?;
    for (uid, bytes) in &kept {
        ensure!(&get(&client, uid).await? == bytes);
    }
    Ok(())
}

#[tokio::test]
async fn a_disk_that_is_nearly_full_takes_no_images_and_still_takes_events() -> Result<()> {
    let plan = Practice::plan().extra("[images]\nkeep-free = \"64TiB\"\n");
    let (mut scene, client, sitter) = sitting(plan).await?;
    let bytes = noise(1, 1000);
    let put = Bare::connect(&scene)
        .await?
        .put(open(&sitter, &bytes), vec![bytes.clone()])
        .await;
    let status = put.err().context("this machine has a terabyte to spare")?;
    ensure!(
        (status.code(), code_of(&status)) == (Code::ResourceExhausted, "images_full"),
        "{status:?}"
    );
    ensure!(image_events(&client, &sitter.patient_id).await?.is_empty());
    scene.type_in(1);
    scene.settled().await
}

#[tokio::test]
async fn a_broker_without_images_says_so_and_keeps_those_it_has() -> Result<()> {
    let (mut scene, client, sitter) = sitting(Practice::plan()).await?;
    let bytes = noise(1, 300_000);
    let image = put_new(&client, sitter.image(), &bytes).await?;
    let text = scene.practice.configuration()?;
    scene.practice.stop_broker().await?;
    scene
        .practice
        .set_configuration(&format!("{text}\n[images]\nenabled = false\n"))?;
    scene.practice.start_broker().await?;
    for refused in [
        put(&client, sitter.image(), &bytes)
            .await
            .err()
            .map(|error| code(&error)),
        get(&client, &image.instance_uid)
            .await
            .err()
            .map(|error| code(&error)),
    ] {
        ensure!(refused.as_deref() == Some("images_off"), "{refused:?}");
    }
    let answer = scene.practice.run(&["images", "usage", "--json"]).await?;
    ensure!(
        answer.code == Some(1) && answer.complained.contains("images_off"),
        "{answer:?}"
    );
    // A smaller share than before is taken too, as long as what there is fits.
    scene.practice.stop_broker().await?;
    scene
        .practice
        .set_configuration(&format!("{text}\n[images]\nmax-size = \"64MiB\"\n"))?;
    scene.practice.start_broker().await?;
    ensure!(get(&client, &image.instance_uid).await? == bytes);
    Ok(())
}

#[tokio::test]
async fn a_small_store_for_the_log_takes_nothing_from_images() -> Result<()> {
    let (mut scene, client, sitter) = sitting(Practice::plan()).await?;
    let text = scene.practice.configuration()?;
    scene.practice.stop_broker().await?;
    scene
        .practice
        .set_configuration(&text.replace("[nats]\n", "[nats]\nmax-store = \"2GiB\"\n"))?;
    scene.practice.start_broker().await?;
    put_new(&client, sitter.image(), &noise(1, 300_000)).await?;
    let usage = scene.practice.ask(&["images", "usage"]).await?;
    ensure!(usage["max_bytes"] == 200_u64 << 30, "{usage}");
    Ok(())
}

#[tokio::test]
async fn a_server_of_the_practices_own_gives_images_the_room_that_it_has() -> Result<()> {
    let (scene, client, sitter) = sitting(Practice::plan().external_nats()).await?;
    let bytes = noise(1, 300_000);
    let image = put_new(&client, sitter.image(), &bytes).await?;
    ensure!(get(&client, &image.instance_uid).await? == bytes);
    let usage = scene.practice.ask(&["images", "usage"]).await?;
    let most = usage["max_bytes"].as_u64().context("no bound")?;
    ensure!((1 << 30..=200 << 30).contains(&most), "{usage}");
    ensure!(usage.get("free_bytes").is_none(), "its disk is not seen");
    Ok(())
}

#[tokio::test]
async fn at_most_four_uploads_of_a_vendor_run_at_a_time() -> Result<()> {
    let (scene, _client, sitter) = sitting(Practice::plan()).await?;
    let bare = std::sync::Arc::new(Bare::connect(&scene).await?);
    let mut open_ended = Vec::new();
    let mut calls = tokio::task::JoinSet::new();
    for seed in 0..5 {
        let bytes = noise(seed, 1_000_000);
        let (pieces, stream) = tokio::sync::mpsc::channel(2);
        let first = archwire_proto::v1::put_image_request::Request::Open(open(&sitter, &bytes));
        let request = archwire_proto::v1::PutImageRequest { request: Some(first) };
        pieces.send(request).await?;
        open_ended.push(pieces);
        let bare = std::sync::Arc::clone(&bare);
        calls.spawn(async move {
            bare.put_stream(tokio_stream::wrappers::ReceiverStream::new(stream))
                .await
        });
    }
    let refused = calls.join_next().await.context("no call")??;
    let status = refused.err().context("it was taken")?;
    ensure!(
        (status.code(), code_of(&status)) == (Code::ResourceExhausted, "image_uploads_full"),
        "{status:?}"
    );
    drop(open_ended);
    let mut incomplete = 0;
    while let Some(ended) = calls.join_next().await {
        let status = ended?.err().context("it was taken")?;
        ensure!(code_of(&status) == "image_incomplete", "{status:?}");
        incomplete += 1;
    }
    ensure!(incomplete == 4);
    eventually("there is a place again", async || {
        let bytes = noise(9, 1000);
        let put = bare.put(open(&sitter, &bytes), vec![bytes.clone()]).await;
        ensure!(put.is_ok(), "refused");
        Ok(())
    })
    .await
}

fn code(error: &anyhow::Error) -> String {
    let error = error.downcast_ref::<archwire_client::ImageError>();
    error.map_or_else(String::new, |error| error.code().to_owned())
}
