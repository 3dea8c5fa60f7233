//! `archwire images`: what there is of a patient, its bytes in a file, and who asked for them in the audit.

use crate::support::images::{Bare, noise, open, put_new, sitting};
use anyhow::{Context as _, Result, ensure};
use archwire_tests::Practice;
use serde_json::Value;
use std::{fs, os::unix::fs::PermissionsExt as _};

#[tokio::test]
async fn an_image_is_listed_without_saying_who_it_is_and_got_with_its_trace() -> Result<()> {
    let (scene, client, sitter) = sitting(Practice::plan()).await?;
    let radiograph = sitter.radiograph();
    let bytes = radiograph.bytes();
    put_new(&client, sitter.image(), &bytes).await?;
    put_new(&client, sitter.image(), &noise(1, 1000)).await?;
    let practice = &scene.practice;
    let listed = practice
        .ask(&["images", "list", "--patient", &sitter.patient_id])
        .await?;
    ensure!(
        (&listed["count"], &listed["more"]) == (&2.into(), &false.into()),
        "{listed}"
    );
    let (name, _) = radiograph.name.split_once('^').context("no name")?;
    for hidden in [name, &radiograph.instance, &radiograph.patient_id.0, "2026"] {
        ensure!(!listed.to_string().contains(hidden), "the list shows {hidden}");
    }
    let first = listed["images"][0]["image"].as_str().context("no id")?;
    let page = ["images", "list", "--patient", &sitter.patient_id, "--limit", "1"];
    let page = practice.ask(&page).await?;
    ensure!(
        page["more"] == true && page["images"][0]["image"] == first,
        "{page}"
    );
    let rest = [
        "images",
        "list",
        "--patient",
        &sitter.patient_id,
        "--after",
        first,
    ];
    let rest = practice.ask(&rest).await?;
    ensure!(
        rest["images"][0]["content_type"] == "application/octet-stream",
        "{rest}"
    );
    // What is known of it, and its bytes.
    let shown = practice
        .ask(&["images", "show", first, "--by", "Kim Doe"])
        .await?;
    ensure!(
        shown["news"]["image"]["instance_uid"] == radiograph.instance.as_str(),
        "{shown}"
    );
    ensure!(
        shown["copies"][0].get("shows").is_none(),
        "nobody was asked: {shown}"
    );
    let file = practice.folder().join("copy.dcm");
    let to = file.to_str().context("not UTF-8")?;
    practice
        .ask(&["images", "get", first, "--to", to, "--by", "Kim Doe"])
        .await?;
    ensure!(fs::read(&file)? == bytes);
    ensure!(
        fs::metadata(&file)?.permissions().mode() & 0o077 == 0,
        "others may read it"
    );
    let again = practice
        .run(&["images", "get", first, "--to", to, "--by", "Kim Doe"])
        .await?;
    ensure!(again.code == Some(1), "a file that is there is kept");
    let nameless = practice
        .run(&["images", "get", first, "--to", "other.dcm"])
        .await?;
    ensure!(nameless.code == Some(64), "{nameless:?}");
    let unknown = format!("{}/999", sitter.patient_id);
    let unknown = practice
        .run(&["images", "show", &unknown, "--by", "Kim Doe", "--json"])
        .await?;
    ensure!(
        unknown.code == Some(1) && unknown.complained.contains("image_unknown"),
        "{unknown:?}"
    );
    let audit = practice.run(&["audit", "list", "--json"]).await?;
    let records: Vec<Value> = audit
        .said
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    let acts: Vec<_> = records
        .iter()
        .filter(|record| record["image"].is_string())
        .map(|record| {
            (
                record["action"].as_str(),
                record["image"].as_str(),
                record["patient_ids"][0].as_str(),
            )
        })
        .collect();
    let patient = Some(sitter.patient_id.as_str());
    ensure!(
        acts == [
            (Some("images.show"), Some(first), patient),
            (Some("images.get"), Some(first), patient),
        ],
        "{acts:?}"
    );
    Ok(())
}

#[tokio::test]
async fn what_nobody_has_is_counted_and_what_is_young_is_kept() -> Result<()> {
    let (scene, client, sitter) = sitting(Practice::plan()).await?;
    put_new(&client, sitter.image(), &noise(1, 700_000)).await?;
    let bytes = noise(2, 1_500_000);
    let pieces = bytes[..1_200_000].chunks(400_000).map(<[u8]>::to_vec).collect();
    let cut = Bare::connect(&scene)
        .await?
        .put(open(&sitter, &bytes), pieces)
        .await;
    ensure!(cut.is_err());
    let practice = &scene.practice;
    let usage = practice.ask(&["images", "usage"]).await?;
    ensure!(usage["images"] == 1, "{usage}");
    ensure!(
        usage["bytes"].as_u64().is_some_and(|bytes| bytes > 1_200_000),
        "{usage}"
    );
    for arguments in [
        &["images", "collect", "--dry-run"][..],
        &["images", "collect", "--by", "Kim Doe"],
    ] {
        let collected = practice.ask(arguments).await?;
        ensure!(
            (&collected["images"], &collected["uploads"]) == (&0.into(), &0.into()),
            "{collected}"
        );
    }
    let people = practice.run(&["images", "usage"]).await?;
    ensure!(people.said.contains("of 200.0 GiB"), "{}", people.said);
    let audit = practice.run(&["audit", "list"]).await?;
    ensure!(
        audit.said.matches("images.collect").count() == 1,
        "{}",
        audit.said
    );
    Ok(())
}
