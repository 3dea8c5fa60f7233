//! The data folder: whose it is, and who works in it.

use crate::support::{Scene, VENDOR};
use anyhow::{Result, ensure};
use archwire_tests::{Answer, Practice};
use std::fs;

fn expect(answer: &Answer, parts: &[&str]) -> Result<()> {
    let said = &answer.complained;
    ensure!(answer.code == Some(1), "exit code {:?}: {said}", answer.code);
    for part in parts {
        ensure!(said.contains(part), "{part:?} is not said: {said}");
    }
    ensure!(
        !said.contains("panicked") && !said.contains("backtrace"),
        "{said}"
    );
    Ok(())
}

#[tokio::test]
async fn the_folder_of_another_practice_is_refused_and_left_as_it_is() -> Result<()> {
    let mut scene = Scene::open().await?;
    scene.type_in(2);
    scene.settled().await?;
    scene.practice.stop_broker().await?;
    let own = scene.practice.configuration()?;
    scene
        .practice
        .set_configuration(&own.replace("\"maple-street\"", "\"elm-street\""))?;
    let answer = scene.practice.run(&["run"]).await?;
    expect(
        &answer,
        &[
            "data_folder_other_practice",
            "maple-street",
            "elm-street",
            "practice.name",
        ],
    )?;
    scene.practice.set_configuration(&own)?;
    scene.practice.start_broker().await?;
    scene.settled().await
}

#[tokio::test]
async fn a_second_broker_in_the_same_folder_is_refused_and_the_first_goes_on() -> Result<()> {
    let mut scene = Scene::open().await?;
    let own = scene.practice.configuration()?;
    let listen = format!("127.0.0.1:{}", scene.practice.port());
    scene
        .practice
        .set_configuration(&own.replace(&listen, "127.0.0.1:0"))?;
    let answer = scene.practice.run(&["run"]).await?;
    expect(&answer, &["data_folder_in_use", "another broker"])?;
    ensure!(
        scene.practice.data_folder().join("api.address").exists(),
        "the first one's address is still there"
    );
    scene.type_in(1);
    scene.settled().await
}

#[tokio::test]
async fn a_place_that_is_no_folder_is_refused_by_name() -> Result<()> {
    let practice = Practice::plan().vendor(VENDOR).open().await?;
    fs::write(practice.folder().join("a-file"), "")?;
    let text = practice.configuration()?;
    practice.set_configuration(&text.replace("folder = \"data\"", "folder = \"a-file\""))?;
    expect(
        &practice.run(&["run"]).await?,
        &["a-file", "data folder", "because"],
    )
}

#[tokio::test]
async fn a_folder_with_something_elses_files_is_refused_and_left_as_it_is() -> Result<()> {
    let practice = Practice::plan().vendor(VENDOR).own_cache().open().await?;
    let folder = practice.data_folder();
    fs::create_dir(&folder)?;
    fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    fs::write(folder.join("photos"), "")?;
    expect(
        &practice.run(&["run"]).await?,
        &["data_folder_foreign", "data.folder"],
    )?;
    let left: Vec<_> = fs::read_dir(&folder)?.collect::<Result<_, _>>()?;
    ensure!(left.len() == 1, "something was put into it");
    Ok(())
}
