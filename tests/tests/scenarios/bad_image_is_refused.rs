//! Images that are not what they should be: each a clear outcome, nothing half there, nothing told.

use crate::support::images::{Bare, Sitter, code_of, get, image_events, noise, open, put, put_new, sitting};
use anyhow::{Context as _, Result, ensure};
use archwire_client::{Client, NewImage, v1};
use archwire_tests::{Practice, Radiograph};
use std::time::{Duration, UNIX_EPOCH};
use tonic::{Code, Status};

fn whole(bytes: &[u8]) -> Vec<Vec<u8>> {
    bytes.chunks(300_000).map(<[u8]>::to_vec).collect()
}

/// Makes sure that a put was refused so, and that nothing was told.
async fn refused(
    outcome: Result<v1::PutImageResponse, Status>,
    expected: (Code, &str),
    (client, sitter): (&Client, &Sitter),
) -> Result<Status> {
    let status = outcome.err().context("it was taken")?;
    ensure!((status.code(), code_of(&status)) == expected, "{status:?}");
    ensure!(
        image_events(client, &sitter.patient_id).await?.is_empty(),
        "something was told"
    );
    Ok(status)
}

#[tokio::test]
async fn bytes_that_are_not_those_that_were_promised_are_refused_and_removed() -> Result<()> {
    let (scene, client, sitter) = sitting(Practice::plan()).await?;
    let (bare, who) = (Bare::connect(&scene).await?, (&client, &sitter));
    let bytes = noise(1, 700_000);
    let promised = open(&sitter, &bytes);
    // Others than were promised.
    let mut others = bytes.clone();
    others[350_000] ^= 1;
    let put = bare.put(promised.clone(), whole(&others)).await;
    refused(put, (Code::InvalidArgument, "image_digest_differs"), who).await?;
    ensure!(
        bare.offset(&bytes).await? == 0,
        "what is wrong is not gone on with"
    );
    // One more than was promised.
    let more = [bytes.as_slice(), b"!"].concat();
    let put = bare.put(promised.clone(), whole(&more)).await;
    refused(put, (Code::InvalidArgument, "image_size_differs"), who).await?;
    // Fewer than was promised, said to be all.
    let short = v1::PutImageOpen {
        size: 700_001,
        ..promised.clone()
    };
    refused(
        bare.put(short, whole(&bytes)).await,
        (Code::Aborted, "image_incomplete"),
        who,
    )
    .await?;
    // None at all.
    let none = open(&sitter, b"");
    refused(
        bare.put(none, vec![]).await,
        (Code::InvalidArgument, "image_empty"),
        who,
    )
    .await?;
    // More than an image may have.
    let large = v1::PutImageOpen {
        size: 5 << 30,
        ..promised.clone()
    };
    refused(
        bare.put(large, whole(&bytes)).await,
        (Code::ResourceExhausted, "image_too_large"),
        who,
    )
    .await?;
    // The right ones are taken all the same.
    let answer = bare.put(promised, whole(&bytes)).await?;
    let uid = answer.image.context("no image")?.instance_uid;
    ensure!(get(&client, &uid).await? == bytes);
    Ok(())
}

#[tokio::test]
async fn bytes_of_an_image_that_is_there_are_held_to_the_same_promise() -> Result<()> {
    let (scene, client, sitter) = sitting(Practice::plan()).await?;
    let bare = Bare::connect(&scene).await?;
    let bytes = noise(9, 700_000);
    let promised = open(&sitter, &bytes);
    let answer = bare.put(promised.clone(), whole(&bytes)).await?;
    let uid = answer.image.context("no image")?.instance_uid;
    let told = image_events(&client, &sitter.patient_id).await?.len();
    let mut others = bytes.clone();
    others[350_000] ^= 1;
    let more = [bytes.as_slice(), b"!"].concat();
    let of_size = |size| v1::PutImageOpen {
        size,
        ..promised.clone()
    };
    let mut hollow = whole(&bytes);
    hollow.insert(1, Vec::new());
    let cases = [
        (promised.clone(), whole(&others), "image_digest_differs"),
        (promised.clone(), whole(&bytes[..600_000]), "image_size_differs"),
        (promised.clone(), vec![], "image_size_differs"),
        (promised.clone(), whole(&more), "image_size_differs"),
        (of_size(600_000), whole(&bytes[..600_000]), "image_size_differs"),
        (of_size(700_001), whole(&more), "image_size_differs"),
        (promised.clone(), hollow, "image_invalid"),
    ];
    for (open, pieces, code) in cases {
        let status = bare.put(open, pieces).await.err().context("it was taken")?;
        ensure!(
            (status.code(), code_of(&status)) == (Code::InvalidArgument, code),
            "{code}: {status:?}"
        );
    }
    // All of them again, or none of them where the bus says so, is no news.
    let offset = bare.offset(&bytes).await?;
    ensure!(offset == bytes.len() as u64, "{offset}");
    for (offset, pieces) in [(0, whole(&bytes)), (offset, vec![])] {
        let again = v1::PutImageOpen {
            offset,
            ..promised.clone()
        };
        let outcome = bare.put(again, pieces).await?.outcome;
        ensure!(
            matches!(outcome, Some(v1::put_image_response::Outcome::Unchanged(_))),
            "it was news"
        );
    }
    ensure!(image_events(&client, &sitter.patient_id).await?.len() == told);
    ensure!(get(&client, &uid).await? == bytes);
    Ok(())
}

#[tokio::test]
async fn a_request_that_cannot_be_taken_is_refused_before_its_bytes() -> Result<()> {
    let (scene, client, sitter) = sitting(Practice::plan()).await?;
    let (bare, who) = (Bare::connect(&scene).await?, (&client, &sitter));
    let bytes = noise(2, 1000);
    let good = || open(&sitter, &bytes);
    let of = |patient| v1::PutImageOpen {
        patient: Some(patient),
        ..good()
    };
    use v1::put_image_open::Patient;
    let nobody = of(Patient::PatientId(
        "019a8f30-8d5e-7c31-b5a5-02d1f0a4c001".to_owned(),
    ));
    refused(
        bare.put(nobody, whole(&bytes)).await,
        (Code::NotFound, "patient_unknown"),
        who,
    )
    .await?;
    let no_record = of(Patient::RecordLocalId("no such record".to_owned()));
    refused(
        bare.put(no_record, whole(&bytes)).await,
        (Code::NotFound, "record_unknown"),
        who,
    )
    .await?;
    let argument = (Code::InvalidArgument, "argument_invalid");
    let anonymous = v1::PutImageOpen {
        patient: None,
        ..good()
    };
    refused(bare.put(anonymous, whole(&bytes)).await, argument, who).await?;
    let no_digest = v1::PutImageOpen {
        sha256: vec![7; 31].into(),
        ..good()
    };
    refused(bare.put(no_digest, whole(&bytes)).await, argument, who).await?;
    let no_tooth = v1::PutImageOpen {
        image: Some(v1::Image {
            teeth: vec![19],
            ..v1::Image::default()
        }),
        ..good()
    };
    refused(bare.put(no_tooth, whole(&bytes)).await, argument, who).await?;
    let long_actor = v1::PutImageOpen {
        actor: Some("x".repeat(129)),
        ..good()
    };
    refused(bare.put(long_actor, whole(&bytes)).await, argument, who).await?;
    let year_10000 = Duration::from_secs(253_402_300_800);
    for at in [UNIX_EPOCH - Duration::from_secs(1), UNIX_EPOCH + year_10000] {
        let no_time = v1::PutImageOpen {
            observed_at: Some(at.into()),
            ..good()
        };
        refused(bare.put(no_time, whole(&bytes)).await, argument, who).await?;
    }
    let huge = noise(3, 600 * 1024);
    refused(
        bare.put(open(&sitter, &huge), vec![huge.clone()]).await,
        argument,
        who,
    )
    .await?;
    let data = v1::put_image_request::Request::Data(bytes.clone().into());
    let first = v1::PutImageRequest { request: Some(data) };
    refused(bare.put_stream(tokio_stream::once(first)).await, argument, who).await?;
    Ok(())
}

#[tokio::test]
async fn a_dicom_file_that_was_cut_or_lies_is_refused_by_its_code() -> Result<()> {
    let (scene, client, sitter) = sitting(Practice::plan()).await?;
    let (bare, who) = (Bare::connect(&scene).await?, (&client, &sitter));
    let file = sitter.radiograph().bytes();
    let half = file[..file.len() / 2].to_vec();
    let header = file[..600].to_vec();
    // Explicit lengths that no file has, and sequences in sequences.
    let mut hostile = file[..file.len() - 120_000].to_vec();
    let at = hostile
        .windows(4)
        .position(|tag| tag == [0x10, 0, 0x10, 0])
        .context("no name")?;
    hostile[at + 6..at + 8].copy_from_slice(&[0xFF, 0xFF]);
    let mut nested = file[..at].to_vec();
    for _ in 0..100_000 {
        nested.extend_from_slice(&[0x08, 0, 0x40, 0x11, b'S', b'Q', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]);
        nested.extend_from_slice(&[0xFE, 0xFF, 0x00, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF]);
    }
    for (bytes, codes) in [
        (half, &["dicom_truncated"][..]),
        (header, &["dicom_truncated"]),
        (hostile, &["dicom_truncated", "dicom_malformed"]),
        (nested, &["dicom_too_deep", "dicom_truncated", "dicom_malformed"]),
    ] {
        let put = bare.put(open(&sitter, &bytes), whole(&bytes)).await;
        let status = refused(put, (Code::InvalidArgument, "image_invalid"), who).await?;
        let told = codes.iter().any(|code| status.message().starts_with(code));
        ensure!(told, "{codes:?}: {}", status.message());
        ensure!(
            !status.message().contains(&sitter.radiograph().name),
            "no names in messages"
        );
    }
    // What is left of them is nobody's, and removed when its time has come.
    let would = scene.practice.ask(&["images", "collect", "--dry-run"]).await?;
    ensure!(
        would["images"] == 0,
        "it is kept for as long as configured: {would}"
    );
    Ok(())
}

#[tokio::test]
async fn a_jpeg_named_dcm_is_taken_as_what_it_is_with_a_warning() -> Result<()> {
    let (_scene, client, sitter) = sitting(Practice::plan()).await?;
    let new = NewImage {
        image: v1::Image {
            content_type: "application/dicom".to_owned(),
            ..v1::Image::default()
        },
        ..sitter.image()
    };
    let image = put_new(&client, new, &jpeg(40, 30)).await?;
    ensure!(image.content_type == "image/jpeg");
    ensure!((image.rows, image.columns) == (Some(30), Some(40)));
    ensure!(
        image.warnings.contains(&"content_type_differs".to_owned()),
        "{:?}",
        image.warnings
    );
    Ok(())
}

#[tokio::test]
async fn an_image_of_ten_thousand_by_ten_thousand_is_never_decoded() -> Result<()> {
    let (scene, client, sitter) = sitting(Practice::plan()).await?;
    // A JPEG that says so, with next to nothing in it, and a DICOM file with all of it.
    let image = put_new(&client, sitter.image(), &jpeg(10_000, 10_000)).await?;
    ensure!((image.rows, image.columns) == (Some(10_000), Some(10_000)));
    let large = Radiograph {
        size: (10_000, 10_000),
        ..sitter.radiograph()
    };
    let bytes = large.bytes();
    let before = resident(scene.practice.broker_pid()?)?;
    let image = put_new(&client, sitter.image(), &bytes).await?;
    ensure!((image.rows, image.columns) == (Some(10_000), Some(10_000)));
    let grown = resident(scene.practice.broker_pid()?)?.saturating_sub(before);
    ensure!(
        grown < 64 << 20,
        "the broker grew by {grown} bytes for one of {}",
        bytes.len()
    );
    ensure!(get(&client, &image.instance_uid).await? == bytes);
    Ok(())
}

#[tokio::test]
async fn an_image_that_names_somebody_else_waits_for_a_person_and_is_told_of_nobody() -> Result<()> {
    let (scene, client, sitter) = sitting(Practice::plan()).await?;
    let other = Radiograph {
        name: "Nobody^Known^Here".to_owned(),
        birth_date: "19010101".to_owned(),
        ..sitter.radiograph()
    };
    let bytes = other.bytes();
    let receipt = put(&client, sitter.image(), &bytes).await?;
    let archwire_client::Receipt::InReview { item, .. } = receipt.receipt else {
        anyhow::bail!("it was taken: {:?}", receipt.receipt);
    };
    ensure!(receipt.image.is_none());
    ensure!(image_events(&client, &sitter.patient_id).await?.is_empty());
    let unknown = client.get_image(&other.instance).writer(&mut Vec::new()).await;
    ensure!(unknown.err().is_some_and(|error| error.code() == "image_unknown"));
    let open = scene.practice.ask(&["review", "list"]).await?;
    let line = &open["lines"][0];
    ensure!(
        (&line["number"], &line["kind"]) == (&item.into(), &"wrong-patient".into()),
        "{open}"
    );
    // A person knows better.
    let number = item.to_string();
    let by = ["--by", "Kim Doe", "--reason", "her maiden name"];
    scene
        .practice
        .ask(&[&["review", "link", &number][..], &by].concat())
        .await?;
    ensure!(image_events(&client, &sitter.patient_id).await?.len() == 1);
    ensure!(
        get(&client, &other.instance).await? == bytes,
        "its bytes were kept"
    );
    Ok(())
}

/// A JPEG that says that it is so large, with no picture in it.
fn jpeg(columns: u16, rows: u16) -> Vec<u8> {
    let [high, low] = rows.to_be_bytes();
    let [wide_high, wide_low] = columns.to_be_bytes();
    let start = [0xFF, 0xD8, 0xFF, 0xE0, 0, 16];
    let jfif = *b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0";
    let frame = [
        0xFF, 0xC0, 0, 11, 8, high, low, wide_high, wide_low, 1, 1, 0x11, 0,
    ];
    [&start[..], &jfif, &frame, &[0xFF, 0xD9]].concat()
}

/// Resident memory of a process in bytes.
fn resident(pid: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes: u64 = line.context("no VmRSS")?.trim().trim_end_matches(" kB").parse()?;
    Ok(kibibytes * 1024)
}
