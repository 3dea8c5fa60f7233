//! A broker that is killed with -9 takes its server with it, and the next one finds everything.

use crate::support::*;
use archwire_nats::{Log, Supervisor};
use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};
use tempfile::TempDir;

/// The example `supervise`, which `cargo test` builds beside this test.
fn supervise() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let example = test.ancestors().nth(2).unwrap().join("examples/supervise");
    assert!(
        example.is_file(),
        "{} is missing; `cargo test -p archwire-nats` builds it",
        example.display()
    );
    example
}

/// Starts a process that supervises a server in `folder`. Returns it and the server's process id.
fn broker(folder: &Path) -> (Child, u32) {
    let mut command = Command::new(supervise());
    let mut child = command
        .arg(nats_server())
        .arg(folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    (
        child,
        line.trim().parse().expect("it says the server's process id"),
    )
}

#[tokio::test]
async fn the_server_is_gone_and_its_store_can_be_opened_again() {
    let folder = TempDir::new().unwrap();
    let (mut broker, server) = broker(folder.path());
    assert!(is_alive(server));
    broker.kill().unwrap();
    broker.wait().unwrap();
    until("the server is gone", || !is_alive(server)).await;
    let supervisor = Supervisor::start(config(folder.path())).await.unwrap();
    let connection = supervisor.connect().await.unwrap();
    let log = Log::open(&connection, &practice(), &log_config()).await.unwrap();
    assert_eq!(log.last_sequence().await.unwrap(), 0);
    supervisor.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_that_was_left_behind_is_ended_before_another_uses_its_store() {
    let folder = TempDir::new().unwrap();
    Supervisor::start(config(folder.path()))
        .await
        .unwrap()
        .stop()
        .await
        .unwrap();
    // As it would be where the kernel does not end it along with its parent.
    let settings = folder.path().canonicalize().unwrap().join("nats-server.conf");
    let mut command = Command::new(nats_server());
    command.env(
        "ARCHWIRE_STORE_KEY",
        std::fs::read_to_string(folder.path().join("store.key")).unwrap(),
    );
    let mut left = command
        .arg("--config")
        .arg(settings)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    std::fs::write(folder.path().join("nats-server.pid"), left.id().to_string()).unwrap();
    until("it shows up with its command line", || is_alive(left.id())).await;
    let supervisor = Supervisor::start(config(folder.path())).await.unwrap();
    let ended = left.try_wait().unwrap().expect("it was ended");
    assert!(!ended.success());
    supervisor.stop().await.unwrap();
}
