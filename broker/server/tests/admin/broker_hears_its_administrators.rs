//! The whole broker, as it is started: its administrators are heard while it runs and not after.

use crate::{
    office::{PATIENCE, nats_server, until},
    support::*,
};
use std::{fs, process::Stdio};
use tokio::process::{Child, Command};

async fn start(data: &Data) -> Child {
    fs::remove_dir(data.path()).unwrap();
    let configuration = "[practice]\nname = \"maple-street\"\n[data]\nfolder = \"data\"\n[api]\nlisten = \"127.0.0.1:0\"\nplaintext = \"loopback-only\"\n";
    fs::write(data.configuration(), configuration).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_archwire"));
    command.arg("run").arg("--config").arg(data.configuration());
    command.env("ARCHWIRE_NATS_SERVER", nats_server());
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let child = command.spawn().unwrap();
    until("a socket", || data.socket().exists()).await;
    child
}

async fn stop(mut child: Child) {
    let id = child.id().unwrap().to_string();
    let asked = Command::new("kill").args(["-TERM", &id]).status().await;
    assert!(asked.unwrap().success());
    let ended = tokio::time::timeout(PATIENCE, child.wait()).await.unwrap();
    assert!(ended.unwrap().success());
}

#[tokio::test]
async fn a_running_broker_answers_and_a_stopped_one_leaves_no_socket() {
    let data = Data::new();
    let broker = start(&data).await;
    let list = data.run(&["review", "list", "--json"]).await.json();
    assert_eq!(list["open"], 0);
    let rebuilt = data.run(&["rebuild", "--by", "Kim Doe", "--json"]).await.json();
    assert_eq!(rebuilt["same"], true, "{rebuilt}");
    let audit = data.run(&["audit", "list", "--json"]).await.json();
    assert_eq!(audit["action"], "registry.rebuild");
    let show = data
        .run(&["review", "show", "1", "--by", "Kim Doe", "--json"])
        .await;
    assert_eq!(show.refused(), "review_item_unknown");
    stop(broker).await;
    assert!(!data.socket().exists());
    let gone = data.run(&["review", "list", "--json"]).await;
    assert_eq!(gone.refused(), "broker_not_running");
}
