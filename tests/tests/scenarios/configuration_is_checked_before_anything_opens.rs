//! A configuration that cannot be used: everything that is wrong is told at once, with the place and the way out.

use crate::support::VENDOR;
use anyhow::{Result, ensure};
use archwire_tests::{Answer, Practice};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

const BAD_CONFIGURATION: i32 = 64;

async fn practice() -> Result<Practice> {
    Practice::plan().vendor(VENDOR).open().await
}

/// Says all of this, and nothing that it must not say.
fn expect(practice: &Practice, answer: &Answer, code: i32, parts: &[&str]) -> Result<()> {
    let said = &answer.complained;
    ensure!(answer.code == Some(code), "exit code {:?}: {said}", answer.code);
    for part in parts {
        ensure!(said.contains(part), "{part:?} is not said: {said}");
    }
    for never in [
        "panicked",
        "backtrace",
        "SimulatorCustomerKey",
        practice.token(VENDOR)?,
    ] {
        ensure!(
            !said.contains(never) && !answer.said.contains(never),
            "{never:?} is said: {said}"
        );
    }
    Ok(())
}

/// Runs the broker with the configuration changed like this; nothing may have been opened.
async fn refused(change: impl Fn(&str) -> String, parts: &[&str]) -> Result<()> {
    let practice = practice().await?;
    let before = practice.configuration()?;
    let after = change(&before);
    ensure!(after != before, "the change changes nothing");
    practice.set_configuration(&after)?;
    for command in [["run"].as_slice(), &["check", "--offline"]] {
        let answer = practice.run(command).await?;
        expect(&practice, &answer, BAD_CONFIGURATION, parts)?;
    }
    ensure!(
        !practice.data_folder().join("archwire.json").exists(),
        "the data folder was touched"
    );
    ensure!(practice.office().requests().is_empty(), "the office was asked");
    Ok(())
}

#[tokio::test]
async fn an_unknown_key_is_named_with_its_line_and_the_nearest_known_one() -> Result<()> {
    let change = |text: &str| text.replace("poll-every", "pol-every");
    refused(
        change,
        &[
            "archwire.toml, line",
            "systems.front-desk.pol-every",
            "poll-every",
            "->",
        ],
    )
    .await
}

#[tokio::test]
async fn a_value_of_the_wrong_type_is_named_with_what_is_expected() -> Result<()> {
    let change = |text: &str| text.replace("poll-every = \"200ms\"", "poll-every = 200");
    refused(change, &["archwire.toml, line", "systems.front-desk.poll-every"]).await
}

#[tokio::test]
async fn several_mistakes_are_told_at_once() -> Result<()> {
    let change = |text: &str| {
        text.replace("poll-every = \"200ms\"", "poll-every = \"soon\"")
            .replace("in-flight = 1", "in-flight = 0")
            + "\n[sytems.x]\n"
    };
    refused(
        change,
        &["3 problems", "poll-every", "in-flight", "sytems", "systems"],
    )
    .await
}

#[tokio::test]
async fn a_file_that_is_no_toml_is_told_with_the_line() -> Result<()> {
    refused(
        |text| text.replace("[practice]", "[practice"),
        &["archwire.toml, line 1"],
    )
    .await
}

#[tokio::test]
async fn a_secret_whose_file_is_missing_is_named_without_a_value() -> Result<()> {
    let change = |text: &str| text.replace("secrets/front-desk-customer-key", "secrets/not-there");
    refused(
        change,
        &["systems.front-desk.secrets.customer-key", "secrets/not-there"],
    )
    .await
}

#[tokio::test]
async fn a_secret_whose_variable_is_missing_is_named() -> Result<()> {
    let change = |text: &str| {
        text.replace(
            "{ file = \"secrets/front-desk-customer-key\" }",
            "{ env = \"NO_SUCH_VARIABLE_7\" }",
        )
    };
    refused(
        change,
        &["systems.front-desk.secrets.customer-key", "NO_SUCH_VARIABLE_7"],
    )
    .await
}

#[tokio::test]
async fn a_secret_that_others_may_read_is_refused_with_the_command_that_mends_it() -> Result<()> {
    let practice = practice().await?;
    fs::set_permissions(practice.token_file(VENDOR), Permissions::from_mode(0o644))?;
    let answer = practice.run(&["run"]).await?;
    expect(
        &practice,
        &answer,
        BAD_CONFIGURATION,
        &["vendors.ceph-tracer.token", "chmod 600"],
    )
}

#[tokio::test]
async fn a_configuration_that_is_not_there_is_named() -> Result<()> {
    let practice = practice().await?;
    fs::remove_file(practice.configuration_file())?;
    let answer = practice.run(&["run"]).await?;
    expect(&practice, &answer, BAD_CONFIGURATION, &["archwire.toml"])
}

#[tokio::test]
async fn a_port_that_somebody_else_has_is_named_before_nats_is_started() -> Result<()> {
    let practice = practice().await?;
    let _taken = std::net::TcpListener::bind(("127.0.0.1", practice.port()))?;
    let answer = practice.run(&["run"]).await?;
    let address = format!("127.0.0.1:{}", practice.port());
    expect(
        &practice,
        &answer,
        1,
        &[&address, "api.listen", "api_listen_failed", "because"],
    )?;
    ensure!(
        !practice.data_folder().join("nats").exists(),
        "nats-server was started"
    );
    Ok(())
}

#[tokio::test]
async fn a_good_configuration_is_checked_without_changing_anything() -> Result<()> {
    let practice = practice().await?;
    let answer = practice.run(&["check"]).await?;
    ensure!(answer.code == Some(0), "{} {}", answer.said, answer.complained);
    for part in ["valid", "maple-street", "front-desk", "opendental", VENDOR] {
        ensure!(
            answer.said.contains(part),
            "{part:?} is not said: {}",
            answer.said
        );
    }
    ensure!(!practice.office().requests().is_empty(), "the office was asked");
    ensure!(practice.office().changes().is_empty(), "the office was changed");
    ensure!(
        !practice.data_folder().join("archwire.json").exists(),
        "the data folder was taken"
    );
    Ok(())
}

#[tokio::test]
async fn a_check_says_when_the_office_does_not_take_the_key() -> Result<()> {
    let practice = practice().await?;
    let key = archwire_opendental_simulator::ApiKey::default().customer_key;
    let disabled = archwire_opendental_simulator::KeyStatus::Disabled;
    ensure!(
        practice.office().set_key_status(&key, disabled),
        "the office knows the key"
    );
    let offline = practice.run(&["check", "--offline"]).await?;
    ensure!(offline.code == Some(0), "{} {}", offline.said, offline.complained);
    let answer = practice.run(&["check"]).await?;
    ensure!(answer.code == Some(1), "{} {}", answer.said, answer.complained);
    ensure!(answer.said.contains("front-desk"), "{}", answer.said);
    Ok(())
}

#[tokio::test]
async fn a_command_line_that_cannot_be_meant_is_refused_and_the_version_is_told() -> Result<()> {
    let broker = practice().await?.programs().broker.clone();
    let run = |arguments: &[&str]| std::process::Command::new(&broker).args(arguments).output();
    let version = run(&["--version"])?;
    ensure!(version.status.code() == Some(0), "{version:?}");
    ensure!(
        String::from_utf8_lossy(&version.stdout).starts_with("archwire 0."),
        "{version:?}"
    );
    for arguments in [["fly"].as_slice(), &["run", "--hgih"], &[]] {
        let refused = run(arguments)?;
        ensure!(
            refused.status.code() == Some(BAD_CONFIGURATION),
            "{arguments:?}: {refused:?}"
        );
        ensure!(
            String::from_utf8_lossy(&refused.stderr).contains("Usage"),
            "{arguments:?}: {refused:?}"
        );
    }
    Ok(())
}
