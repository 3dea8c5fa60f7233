//! A connector that is missing, is none, or was built for another world.

use crate::support::VENDOR;
use anyhow::{Context as _, Result, ensure};
use archwire_tests::{Answer, Practice};
use std::fs;

/// A practice whose connector is this file.
async fn with_connector(name: &str, bytes: &[u8]) -> Result<Practice> {
    let practice = Practice::plan().vendor(VENDOR).open().await?;
    fs::write(practice.folder().join(name), bytes)?;
    let text = practice.configuration()?;
    practice
        .set_configuration(&text.replace("connector = \"opendental\"", &format!("connector = \"{name}\"")))?;
    Ok(practice)
}

async fn refused(practice: &Practice, parts: &[&str]) -> Result<Answer> {
    let answer = practice.run(&["run"]).await?;
    ensure!(matches!(answer.code, Some(1 | 64)), "exit code {:?}", answer.code);
    let checked = practice.run(&["check", "--offline"]).await?;
    ensure!(
        matches!(checked.code, Some(1 | 64)),
        "check finds it too, exit code {:?}",
        checked.code
    );
    for said in [
        &answer.complained,
        &format!("{}{}", checked.said, checked.complained),
    ] {
        for part in parts {
            ensure!(said.contains(part), "{part:?} is not said: {said}");
        }
        ensure!(
            !said.contains("panicked") && !said.contains("backtrace"),
            "{said}"
        );
    }
    ensure!(practice.office().requests().is_empty(), "the office was asked");
    Ok(answer)
}

#[tokio::test]
async fn a_connector_that_is_not_there_is_named_with_its_place() -> Result<()> {
    let practice = Practice::plan().vendor(VENDOR).open().await?;
    let text = practice.configuration()?;
    practice.set_configuration(&text.replace("connector = \"opendental\"", "connector = \"opendentl\""))?;
    let answer = refused(&practice, &["opendentl.wasm", "front-desk"]).await?;
    assert_eq!(answer.code, Some(64), "it is a mistake in the configuration");
    Ok(())
}

#[tokio::test]
async fn a_file_that_is_no_component_is_told_from_one() -> Result<()> {
    let practice = with_connector("text.wasm", b"This is not WebAssembly.").await?;
    refused(&practice, &["text.wasm", "front-desk"]).await?;
    // A core module, as a compiler makes it for another target.
    let practice = with_connector("module.wasm", b"\0asm\x01\0\0\0").await?;
    refused(&practice, &["module.wasm", "component"])
        .await
        .map(|_| ())
}

#[tokio::test]
async fn a_connector_for_another_version_of_the_world_is_refused_with_both_versions() -> Result<()> {
    let practice = Practice::plan().open().await?;
    let mut bytes = fs::read(practice.programs().components.join("opendental.wasm"))?;
    let mut renamed = 0;
    let (name, version) = (b"archwire:connector/".as_slice(), b"@0.1.0".as_slice());
    for start in 0..bytes.len() {
        if !bytes[start..].starts_with(name) {
            continue;
        }
        let end = (start + 80).min(bytes.len());
        let found = bytes[start..end]
            .windows(version.len())
            .position(|window| window == version);
        if let Some(at) = found {
            bytes[start + at + 1] = b'9';
            renamed += 1;
        }
    }
    ensure!(renamed > 0, "the component names its world");
    let practice = with_connector("future.wasm", &bytes).await?;
    let answer = refused(&practice, &["future.wasm", "0.1.0", "9.1.0"]).await?;
    ensure!(answer.code == Some(1), "it is the start that fails");
    Ok(())
}

#[tokio::test]
async fn a_grant_that_the_connector_needs_and_does_not_have_is_shown_by_check() -> Result<()> {
    let practice = Practice::plan().vendor(VENDOR).open().await?;
    let text = practice.configuration()?;
    practice
        .set_configuration(&text.replace("methods = [\"GET\", \"POST\", \"PUT\"]", "methods = [\"GET\"]"))?;
    let answer = practice.run(&["check", "--offline"]).await?;
    let line = answer.said.lines().find(|line| line.contains("NOT GRANTED"));
    let line = line.with_context(|| format!("nothing is said: {}", answer.said))?;
    ensure!(line.contains("POST") || line.contains("PUT"), "{line}");
    Ok(())
}

#[tokio::test]
async fn a_system_that_cannot_list_what_it_has_cannot_be_compared_at_night() -> Result<()> {
    let archive = "[systems.archive]\nconnector = \"echo\"\nreconcile-at = \"02:30\"\n\
                   settings.url = \"http://127.0.0.1:1\"\n";
    let practice = Practice::plan().vendor(VENDOR).extra(archive).open().await?;
    refused(
        &practice,
        &[
            "connector_without_survey",
            "systems.archive",
            "remove `reconcile-at`",
        ],
    )
    .await
    .map(|_| ())
}
