//! Images over gRPC: byte for byte in and out, in ranges, and told by one event.

use crate::support::images::{Bare, code_of, get, image_events, noise, open, put, put_new, sit, sitting};
use anyhow::{Context as _, Result, ensure};
use archwire_client::{NewImage, Receipt, SubscribeOptions, v1};
use archwire_tests::{Practice, eventually};
use std::time::{Duration, Instant};
use tonic::Code;

#[tokio::test]
async fn a_radiograph_comes_out_byte_for_byte_and_one_event_tells_what_it_shows() -> Result<()> {
    let (_scene, client, sitter) = sitting(Practice::plan()).await?;
    let radiograph = sitter.radiograph();
    let bytes = radiograph.bytes();
    let image = put_new(&client, sitter.image(), &bytes).await?;
    ensure!(image.instance_uid == radiograph.instance && !image.uids_generated);
    ensure!(image.study_uid == radiograph.study && image.series_uid == radiograph.series);
    ensure!(image.modality.as_deref() == Some("DX") && image.content_type == "application/dicom");
    ensure!((image.rows, image.columns) == (Some(300), Some(200)));
    ensure!(image.size == bytes.len() as u64);
    ensure!(
        image.acquired_at.as_deref() == Some("2026-03-01T09:30:00.000000+01:00"),
        "{:?}",
        image.acquired_at
    );
    ensure!(get(&client, &image.instance_uid).await? == bytes);
    // The same again is no news.
    let again = put(&client, sitter.image(), &bytes).await?;
    ensure!(
        matches!(again.receipt, Receipt::Unchanged { .. }),
        "{:?}",
        again.receipt
    );
    ensure!(again.image.is_some_and(|known| known == image));
    let events = image_events(&client, &sitter.patient_id).await?;
    ensure!(events.len() == 1, "{} events", events.len());
    let event = &events[0];
    ensure!(event.kind() == v1::EventKind::PatientImaged && event.changed.is_empty());
    let news = event.image.as_ref().context("no image")?;
    ensure!(news.image.as_ref() == Some(&image));
    ensure!(news.system.as_deref() == Some("ceph-tracer"));
    ensure!(event.patient.is_some(), "every event carries the whole patient");
    Ok(())
}

#[tokio::test]
async fn who_follows_the_bus_hears_of_an_image_and_can_get_it_at_once() -> Result<()> {
    let (_scene, client, sitter) = sitting(Practice::plan()).await?;
    let mut reader = client.subscribe(SubscribeOptions::new("images"));
    let bytes = noise(1, 1000);
    for round in 0..20 {
        let bytes = [bytes.as_slice(), &[round]].concat();
        let (putting, image) = (client.clone(), sitter.image());
        let put = tokio::spawn(async move { put_new(&putting, image, &bytes).await });
        let uid = loop {
            let delivery = reader.next().await?.context("the subscription ended")?;
            reader.ack(&delivery);
            if let Some(image) = delivery.event.image.and_then(|news| news.image) {
                break image.instance_uid;
            }
        };
        let got = get(&client, &uid)
            .await
            .with_context(|| format!("round {round}"))?;
        ensure!(got.last() == Some(&round));
        put.await??;
    }
    Ok(())
}

#[tokio::test]
async fn a_file_that_is_no_dicom_gets_identifiers_and_keeps_what_its_sender_says_of_it() -> Result<()> {
    let (_scene, client, sitter) = sitting(Practice::plan()).await?;
    let about = v1::Image {
        view_label: Some("smile".to_owned()),
        content_type: "image/x-of-my-own".to_owned(),
        teeth: vec![11, 21],
        ..v1::Image::default()
    };
    let new = NewImage {
        local_id: Some("photo-1".to_owned()),
        image: about,
        ..sitter.image()
    };
    let image = put_new(&client, new.clone(), &noise(2, 5000)).await?;
    ensure!(image.uids_generated && image.instance_uid.starts_with("2.25."));
    ensure!(image.view_label.as_deref() == Some("smile") && image.teeth == [11, 21]);
    // By its id at the vendor, a later one amends it.
    let amended = put_new(&client, new, &noise(3, 6000)).await?;
    ensure!(amended.size == 6000);
    let kinds: Vec<_> = image_events(&client, &sitter.patient_id)
        .await?
        .iter()
        .map(v1::Event::kind)
        .collect();
    ensure!(
        kinds == [v1::EventKind::PatientImaged, v1::EventKind::ImageAmended],
        "{} events",
        kinds.len()
    );
    ensure!(get(&client, &amended.instance_uid).await? == noise(3, 6000));
    Ok(())
}

#[tokio::test]
async fn the_same_bytes_of_two_patients_are_two_images_of_one_content() -> Result<()> {
    let (mut scene, client, one) = sitting(Practice::plan()).await?;
    let other = sit(&mut scene).await?;
    let bytes = noise(4, 100_000);
    let first = put_new(&client, one.image(), &bytes).await?;
    let second = put_new(&client, other.image(), &bytes).await?;
    ensure!(first.instance_uid != second.instance_uid && first.sha256 == second.sha256);
    for (sitter, image) in [(&one, &first), (&other, &second)] {
        let events = image_events(&client, &sitter.patient_id).await?;
        ensure!(events.len() == 1);
        ensure!(events[0].image.as_ref().and_then(|news| news.image.as_ref()) == Some(image));
        ensure!(get(&client, &image.instance_uid).await? == bytes);
    }
    let usage = scene.practice.ask(&["images", "usage"]).await?;
    ensure!(usage["images"] == 1, "{usage}");
    Ok(())
}

#[tokio::test]
async fn a_part_of_an_image_is_got_by_its_range_and_none_beyond_its_end() -> Result<()> {
    let (scene, client, sitter) = sitting(Practice::plan()).await?;
    let bytes = noise(5, 1_500_001);
    let image = put_new(&client, sitter.image(), &bytes).await?;
    for (offset, length) in [
        (0, 1),
        (0, 1_500_001),
        (262_143, 2),
        (600_000, 600_000),
        (1_500_000, 1),
        (1_000_000, u64::MAX / 2),
    ] {
        let mut part = Vec::new();
        let get = client.get_image(&image.instance_uid).range(offset, Some(length));
        let found = get.writer(&mut part).await?;
        let end = offset.saturating_add(length).min(1_500_001);
        ensure!(part == bytes[offset as usize..end as usize], "{offset} {length}");
        ensure!(found.written == part.len() as u64 && found.patient_id == sitter.patient_id);
    }
    let bare = Bare::connect(&scene).await?;
    let ask = |instance_uid: &str, offset| v1::GetImageRequest {
        instance_uid: instance_uid.to_owned(),
        offset,
        length: 0,
    };
    let beyond = bare
        .get(ask(&image.instance_uid, 1_500_002))
        .await
        .err()
        .context("it was taken")?;
    ensure!(
        (beyond.code(), code_of(&beyond)) == (Code::OutOfRange, "image_offset_ahead"),
        "{beyond:?}"
    );
    let unknown = bare.get(ask("2.25.1", 0)).await.err().context("it was taken")?;
    ensure!(
        (unknown.code(), code_of(&unknown)) == (Code::NotFound, "image_unknown"),
        "{unknown:?}"
    );
    let none = bare.get(ask("no uid", 0)).await.err().context("it was taken")?;
    ensure!(
        (none.code(), code_of(&none)) == (Code::InvalidArgument, "argument_invalid"),
        "{none:?}"
    );
    Ok(())
}

#[tokio::test]
async fn an_upload_that_was_cut_short_goes_on_and_nothing_is_told_before_all_of_it_is_there() -> Result<()> {
    let (scene, client, sitter) = sitting(Practice::plan()).await?;
    let bare = Bare::connect(&scene).await?;
    let bytes = noise(6, 1_200_000);
    let pieces = |from: usize, to: usize| bytes[from..to].chunks(200_000).map(<[u8]>::to_vec).collect();
    let cut = bare
        .put(open(&sitter, &bytes), pieces(0, 800_000))
        .await
        .err()
        .context("it was taken")?;
    ensure!(
        (cut.code(), code_of(&cut)) == (Code::Aborted, "image_incomplete"),
        "{cut:?}"
    );
    ensure!(image_events(&client, &sitter.patient_id).await?.is_empty());
    let there = bare.offset(&bytes).await?;
    ensure!((1..=800_000).contains(&there), "{there} bytes are there");
    let ahead = v1::PutImageOpen {
        offset: there + 1,
        ..open(&sitter, &bytes)
    };
    let refused = bare.put(ahead, vec![]).await.err().context("it was taken")?;
    ensure!(code_of(&refused) == "image_offset_ahead", "{refused:?}");
    // A sender that does not ask where to go on begins anew, and what is there is passed over.
    let answer = bare.put(open(&sitter, &bytes), pieces(0, 1_200_000)).await?;
    let uid = answer.image.context("no image")?.instance_uid;
    ensure!(get(&client, &uid).await? == bytes);
    ensure!(image_events(&client, &sitter.patient_id).await?.len() == 1);
    ensure!(bare.offset(&bytes).await? == 1_200_000, "all of it is there");
    Ok(())
}

#[tokio::test]
async fn a_caller_who_goes_away_leaves_an_upload_that_goes_on() -> Result<()> {
    let (scene, client, sitter) = sitting(Practice::plan()).await?;
    let bare = Bare::connect(&scene).await?;
    let bytes = noise(7, 3_000_000);
    let (pieces, stream) = tokio::sync::mpsc::channel(8);
    let request = |request| v1::PutImageRequest {
        request: Some(request),
    };
    pieces
        .send(request(v1::put_image_request::Request::Open(open(
            &sitter, &bytes,
        ))))
        .await?;
    for piece in bytes[..2_000_000].chunks(500_000) {
        let data = v1::put_image_request::Request::Data(piece.to_vec().into());
        pieces.send(request(data)).await?;
    }
    let stream = tokio_stream::wrappers::ReceiverStream::new(stream);
    let calling = bare.put_stream(stream);
    let gone = eventually("something of it is there", async || {
        let there = Bare::connect(&scene).await?.offset(&bytes).await?;
        ensure!(there > 0, "nothing is there yet");
        Ok(())
    });
    tokio::select! {
        answer = calling => anyhow::bail!("it was answered: {:?}", answer.err()),
        gone = gone => gone?,
    }
    let image = put_new(&client, sitter.image(), &bytes).await?;
    ensure!(get(&client, &image.instance_uid).await? == bytes);
    Ok(())
}

#[tokio::test]
async fn who_reads_an_image_and_takes_nothing_does_not_hold_up_a_stop() -> Result<()> {
    let (mut scene, client, sitter) = sitting(Practice::plan()).await?;
    let image = put_new(&client, sitter.image(), &noise(7, 12 << 20)).await?;
    let bare = Bare::connect(&scene).await?;
    let request = v1::GetImageRequest {
        instance_uid: image.instance_uid,
        offset: 0,
        length: 0,
    };
    let stalled = bare.ask(request).await?;
    let begun = Instant::now();
    scene.practice.stop_broker().await?;
    let took = begun.elapsed();
    ensure!(took < Duration::from_secs(15), "the stop took {took:?}");
    drop(stalled);
    Ok(())
}
