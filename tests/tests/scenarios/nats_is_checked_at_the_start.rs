//! A NATS server that is missing, too old, or out of reach.

use crate::support::VENDOR;
use anyhow::{Context as _, Result, ensure};
use archwire_tests::{Answer, Practice};
use std::fs::{self, Permissions};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

/// A practice with another `[nats]` section.
async fn with_nats(section: &str) -> Result<Practice> {
    let practice = Practice::plan().vendor(VENDOR).open().await?;
    let text = practice.configuration()?;
    let server = text
        .lines()
        .find(|line| line.starts_with("server = "))
        .context("no server is configured")?;
    practice.set_configuration(&text.replace(server, section))?;
    Ok(practice)
}

async fn refused(practice: &Practice, code: i32, parts: &[&str]) -> Result<Answer> {
    let answer = practice.run(&["run"]).await?;
    let said = &answer.complained;
    ensure!(answer.code == Some(code), "exit code {:?}: {said}", answer.code);
    for part in parts {
        ensure!(said.contains(part), "{part:?} is not said: {said}");
    }
    ensure!(
        !said.contains("panicked") && !said.contains("backtrace"),
        "{said}"
    );
    ensure!(practice.office().requests().is_empty(), "the office was asked");
    Ok(answer)
}

#[tokio::test]
async fn a_server_out_of_reach_is_named() -> Result<()> {
    let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let practice = with_nats(&format!("url = \"nats://{closed}\"")).await?;
    refused(&practice, 1, &["NATS", &closed.to_string(), "because"])
        .await
        .map(|_| ())
}

#[tokio::test]
async fn an_external_server_that_is_too_old_is_refused_with_its_version_and_the_one_needed() -> Result<()> {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let server = tokio::spawn(old_server(listener));
    let practice = with_nats(&format!("url = \"nats://{address}\"")).await?;
    refused(&practice, 1, &["2.9.10", "2.12.4"]).await?;
    server.abort();
    Ok(())
}

/// Greets as a server of 2022 and answers pings.
async fn old_server(listener: tokio::net::TcpListener) -> Result<()> {
    let greeting = "INFO {\"server_id\":\"A\",\"server_name\":\"old\",\"version\":\"2.9.10\",\"go\":\"go1.19\",\
                    \"host\":\"127.0.0.1\",\"port\":4222,\"headers\":true,\"max_payload\":1048576,\"proto\":1,\
                    \"jetstream\":true}\r\n";
    loop {
        let (socket, _) = listener.accept().await?;
        tokio::spawn(async move {
            let (read, mut write) = socket.into_split();
            write.write_all(greeting.as_bytes()).await?;
            let mut lines = BufReader::new(read).lines();
            while let Some(line) = lines.next_line().await? {
                if line.starts_with("PING") {
                    write.write_all(b"PONG\r\n").await?;
                }
            }
            anyhow::Ok(())
        });
    }
}

#[tokio::test]
async fn a_binary_that_is_too_old_is_refused_with_its_version_and_the_one_needed() -> Result<()> {
    let practice = with_nats("server = \"old-nats-server\"").await?;
    let binary = practice.folder().join("old-nats-server");
    fs::write(&binary, "#!/bin/sh\necho \"nats-server: v2.9.10\"\n")?;
    fs::set_permissions(&binary, Permissions::from_mode(0o755))?;
    refused(
        &practice,
        1,
        &["old-nats-server", "2.9.10", "2.12.4", "cargo xtask setup"],
    )
    .await
    .map(|_| ())
}

#[tokio::test]
async fn a_binary_that_is_not_there_is_named_with_the_way_out() -> Result<()> {
    let practice = with_nats("server = \"no-nats-server\"").await?;
    let answer = practice.run(&["run"]).await?;
    ensure!(matches!(answer.code, Some(1 | 64)), "exit code {:?}", answer.code);
    for part in ["no-nats-server", "nats.server"] {
        ensure!(
            answer.complained.contains(part),
            "{part:?} is not said: {}",
            answer.complained
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_broker_runs_on_an_external_server_just_as_well() -> Result<()> {
    let mut practice = Practice::plan().external_nats().vendor(VENDOR).open().await?;
    practice.start_broker().await?;
    let vendor = archwire_tests::TracingProgram::start(VENDOR, practice.vendor(VENDOR).await?);
    let people = archwire_tests::invented(1, 3);
    for fields in &people {
        practice.office().front_desk().create(fields);
    }
    archwire_tests::eventually("both sides hold the same people", async || {
        archwire_tests::same_people(practice.office(), &vendor, &people)
    })
    .await?;
    practice.stop_broker().await
}
