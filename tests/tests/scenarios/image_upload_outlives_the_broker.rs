//! kill -9 of the broker, and of its nats-server with it, in the middle of an image: what the vendor sends arrives once, byte
//! for byte, and one event tells it.

use crate::support::images::{get, image_events, noise, sitting};
use anyhow::{Result, ensure};
use archwire_client::Receipt;
use archwire_tests::{Practice, eventually};
use std::{
    io::Cursor,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

/// Where the broker ends itself: after a piece, after 10 MiB of which most must be stored, when all bytes are stored, when the event is in the log.
const PLACES: [&str; 4] = [
    "image_piece:2",
    "image_piece:40",
    "image_stored:1",
    "image_taken:1",
];

#[tokio::test]
async fn an_upload_goes_on_after_the_broker_was_killed_at_any_point_of_it() -> Result<()> {
    let (mut scene, client, sitter) = sitting(Practice::plan()).await?;
    let mut told = 0;
    for (round, place) in (1..).zip(PLACES) {
        scene.practice.stop_broker().await?;
        scene.practice.seat_mut().begin_to_end_at(Some(place))?;
        scene.practice.seat_mut().ready().await?;
        let bytes = noise(round, 15_000_001);
        let (putting, image, sent) = (client.clone(), sitter.image(), bytes.clone());
        let told_so_far = Arc::new(Mutex::new(Vec::new()));
        let progress = Arc::clone(&told_so_far);
        let put = tokio::spawn(async move {
            let put = putting.put_image(image);
            let put = put.on_progress(move |sent, _| progress.lock().expect("no panic").push(sent));
            put.reader(&mut Cursor::new(sent)).await
        });
        scene.practice.seat_mut().ended().await?;
        scene.practice.start_broker().await?;
        let receipt = put.await??;
        told += 1;
        let is_told = match place {
            // The answer was lost, and the image is known by then.
            "image_taken:1" => matches!(receipt.receipt, Receipt::Unchanged { .. }),
            _ => matches!(receipt.receipt, Receipt::Recorded { .. }),
        };
        ensure!(is_told, "{place}: {:?}", receipt.receipt);
        let image = receipt.image.expect("told images are shown");
        ensure!(
            get(&client, &image.instance_uid).await? == bytes,
            "{place}: other bytes"
        );
        let events = image_events(&client, &sitter.patient_id).await?;
        ensure!(
            events.len() == told,
            "{place}: {} events, not {told}",
            events.len()
        );
        let progress = told_so_far.lock().expect("no panic").clone();
        let gone_on_at = progress
            .windows(2)
            .find(|pair| pair[1] < pair[0])
            .map(|pair| pair[1]);
        ensure!(place != "image_piece:40" || gone_on_at > Some(0), "it began anew");
    }
    Ok(())
}

#[tokio::test]
async fn an_upload_goes_on_after_the_nats_server_was_killed_in_the_middle_of_it() -> Result<()> {
    let (mut scene, client, sitter) = sitting(Practice::plan().external_nats()).await?;
    let bytes = noise(7, 20_000_001);
    let (putting, image, sent) = (client.clone(), sitter.image(), bytes.clone());
    let furthest = Arc::new(AtomicU64::new(0));
    let progress = Arc::clone(&furthest);
    let put = tokio::spawn(async move {
        let put = putting.put_image(image);
        let put = put.on_progress(move |sent, _| _ = progress.fetch_max(sent, Ordering::Relaxed));
        put.reader(&mut Cursor::new(sent)).await
    });
    eventually("the upload is under way", async || {
        ensure!(furthest.load(Ordering::Relaxed) > 4_000_000, "it has not begun");
        Ok(())
    })
    .await?;
    scene.practice.nats_server()?.kill()?;
    scene.practice.nats_server()?.start_again().await?;
    let image = put.await??.image.expect("told images are shown");
    ensure!(get(&client, &image.instance_uid).await? == bytes);
    ensure!(image_events(&client, &sitter.patient_id).await?.len() == 1);
    Ok(())
}
