//! Files as they come from outside: deflated, of two kinds at once, hardly there at all. Each is taken for what it is or refused by
//! its code, and one that names somebody else waits for a person however it is written.

use crate::support::images::{Bare, Sitter, code_of, get, image_events, open, put, put_new, sit, sitting};
use crate::support::{Scene, VENDOR};
use anyhow::{Context as _, Result, bail, ensure};
use archwire_client::{NewImage, Receipt, v1};
use archwire_tests::{Practice, Radiograph, eventually};
use miniz_oxide::deflate::compress_to_vec;

/// Where the file meta information's own elements begin, behind its length.
const META: usize = 144;

/// A DICOM file with its data set deflated (PS3.5, A.5), as it is or as somebody tampered with it.
fn deflated(file: &[u8], tamper: impl FnOnce(&[u8]) -> Vec<u8>) -> Vec<u8> {
    const PLAIN: &[u8] = b"UI\x14\x001.2.840.10008.1.2.1\0";
    const DEFLATED: &[u8] = b"UI\x16\x001.2.840.10008.1.2.1.99";
    let length = u32::from_le_bytes(file[META - 4..META].try_into().expect("four bytes"));
    let (meta, set) = file[META..].split_at(length as usize);
    let at = meta.windows(PLAIN.len()).position(|part| part == PLAIN);
    let (before, after) = meta.split_at(at.expect("a transfer syntax"));
    let mut packed = tamper(&compress_to_vec(set, 6));
    if packed.len() % 2 == 1 {
        packed.push(0);
    }
    [
        &file[..META - 4],
        &(length + 2).to_le_bytes(),
        before,
        DEFLATED,
        &after[PLAIN.len()..],
        &packed,
    ]
    .concat()
}

fn whole(file: &[u8]) -> Vec<u8> {
    deflated(file, <[u8]>::to_vec)
}

fn somebody_else(sitter: &Sitter) -> Radiograph {
    Radiograph {
        name: "Nobody^Known^Here".to_owned(),
        birth_date: "19010101".to_owned(),
        ..sitter.radiograph()
    }
}

fn claimed(sitter: &Sitter, content_type: &str) -> NewImage {
    NewImage {
        image: v1::Image {
            content_type: content_type.to_owned(),
            ..v1::Image::default()
        },
        ..sitter.image()
    }
}

#[tokio::test]
async fn a_deflated_file_reaches_archive_and_chart_under_the_patient_whom_it_names() -> Result<()> {
    let mut scene = Scene::with(Practice::plan().archive("archive")).await?;
    let client = scene.practice.vendor(VENDOR).await?;
    let sitter = sit(&mut scene).await?;
    let bytes = whole(&sitter.radiograph().bytes());
    let image = put_new(&client, sitter.image(), &bytes).await?;
    ensure!(image.transfer_syntax_uid.as_deref() == Some("1.2.840.10008.1.2.1.99"));
    ensure!((image.rows, image.columns) == (Some(300), Some(200)));
    let stored = eventually("the archive has it", async || {
        let file = scene.practice.archive()?.file(&image.instance_uid).await?;
        file.context("it has not")
    })
    .await?;
    ensure!(stored == bytes, "the archive has every byte");
    eventually("the chart has it", async || {
        let documents = scene.office().documents();
        ensure!(documents.iter().any(|document| *document.bytes == *bytes));
        Ok(())
    })
    .await?;
    let parked = scene.practice.ask(&["parked", "list"]).await?;
    ensure!(parked["count"] == 0, "{parked}");
    Ok(())
}

#[tokio::test]
async fn a_deflated_file_that_names_somebody_else_waits_for_a_person() -> Result<()> {
    let (_scene, client, sitter) = sitting(Practice::plan()).await?;
    let bytes = whole(&somebody_else(&sitter).bytes());
    let receipt = put(&client, sitter.image(), &bytes).await?;
    ensure!(
        matches!(receipt.receipt, Receipt::InReview { .. }),
        "{:?}",
        receipt.receipt
    );
    ensure!(image_events(&client, &sitter.patient_id).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn what_is_broken_is_refused_by_its_code_and_nothing_is_told() -> Result<()> {
    let (scene, client, sitter) = sitting(Practice::plan()).await?;
    let bare = Bare::connect(&scene).await?;
    let file = sitter.radiograph().bytes();
    let dicm = [&[0; 128][..], b"DICM"].concat();
    let altered = |packed: &[u8]| {
        let mut packed = packed.to_vec();
        // A block of a kind that there is none of.
        packed[0] |= 0b110;
        packed
    };
    // No more than 60 MB comes out of it, which nobody waits for.
    let bomb = |_: &[u8]| compress_to_vec(&vec![0; 60_000_000], 9);
    let cases = [
        ("a preamble and nothing", dicm.clone(), "dicom_truncated"),
        ("one byte more", [&dicm[..], b"\x02"].concat(), "dicom_truncated"),
        (
            "words behind the preamble",
            [&dicm[..], b"what follows is no DICOM"].concat(),
            "dicom_malformed",
        ),
        (
            "deflated and cut",
            deflated(&file, |packed| packed[..packed.len() / 2].to_vec()),
            "dicom_truncated",
        ),
        (
            "deflated and altered",
            deflated(&file, altered),
            "dicom_malformed",
        ),
        ("deflated zeros", deflated(&file, bomb), "dicom_"),
        ("deflated nothing", deflated(&file, |_| Vec::new()), "dicom_"),
        (
            "a JPEG with DICM in it",
            [b"\xFF\xD8\xFF\xE0".as_slice(), &[0; 124], b"DICM", &[0; 200]].concat(),
            "dicom_",
        ),
    ];
    for (what, bytes, code) in cases {
        let outcome = bare.put(
            open(&sitter, &bytes),
            bytes.chunks(300_000).map(<[u8]>::to_vec).collect(),
        );
        let Err(status) = outcome.await else {
            bail!("{what}: it was taken")
        };
        ensure!(code_of(&status) == "image_invalid", "{what}: {status:?}");
        ensure!(status.message().starts_with(code), "{what}: {}", status.message());
    }
    let text = b"<html>a page of a portal</html>".to_vec();
    let error = put(&client, claimed(&sitter, "application/dicom"), &text)
        .await
        .err();
    let error = error.and_then(|error| error.downcast::<archwire_client::ImageError>().ok());
    let error = error.context("text was taken for DICOM")?.to_string();
    ensure!(error.contains("dicom_not_part10"), "{error}");
    ensure!(image_events(&client, &sitter.patient_id).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn what_is_hardly_a_file_is_carried_as_it_is_and_never_said_to_be_more() -> Result<()> {
    let (_scene, client, sitter) = sitting(Practice::plan()).await?;
    let no_triangles = [&[b' '; 80][..], &[0; 4]].concat();
    let cases: [(&str, Vec<u8>, &str); 6] = [
        ("image/jpeg", vec![0], "application/octet-stream"),
        ("image/jpeg", b"\xFF\xD8\xFF".to_vec(), "image/jpeg"),
        ("image/jpeg", b"\x89PNG\r\n\x1A\n".to_vec(), "image/png"),
        (
            "application/pdf",
            b"MZ\x90\0 a program".to_vec(),
            "application/octet-stream",
        ),
        ("", b"%PDF-".to_vec(), "application/pdf"),
        ("model/stl", no_triangles, "model/stl"),
    ];
    for (says, bytes, is) in cases {
        let image = put_new(&client, claimed(&sitter, says), &bytes).await?;
        ensure!(image.content_type == is, "{says}: {}", image.content_type);
        let differs = image.warnings.contains(&"content_type_differs".to_owned());
        ensure!(
            differs == (!says.is_empty() && says != is),
            "{says}: {:?}",
            image.warnings
        );
        ensure!((image.rows, image.columns) == (None, None), "{says}");
        ensure!(get(&client, &image.instance_uid).await? == bytes, "{says}");
    }
    Ok(())
}
