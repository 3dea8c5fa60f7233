//! How a command finds the broker, and what it says when it does not.

use crate::support::*;
use std::fs;

#[tokio::test]
async fn a_broker_that_does_not_run_is_told_with_what_to_do() {
    let data = Data::new();
    let answer = data.run(&["review", "list"]).await;
    assert_eq!(answer.code, Some(1));
    let socket = data.socket().display().to_string();
    let start = format!("archwire run --config {}", data.configuration().display());
    for part in [
        "no broker is running on this data folder",
        &socket,
        &start,
        "[broker_not_running]",
    ] {
        assert!(answer.complained.contains(part), "{part}: {}", answer.complained);
    }
    assert_eq!(
        data.run(&["review", "list", "--json"]).await.refused(),
        "broker_not_running"
    );
}

#[tokio::test]
async fn nothing_of_the_configuration_is_needed_but_the_data_folder() {
    // The configuration names a connector and a secret that are not there.
    let desk = Desk::open().await;
    let said = desk.run(&["review", "list"]).await.well();
    assert!(said.contains("0 in all"), "{said}");
    fs::write(
        desk.data.configuration(),
        "[data]\nfolder = 1\n[practice]\nname = 2\n",
    )
    .unwrap();
    let answer = desk.run(&["review", "list"]).await;
    assert_eq!(answer.code, Some(64), "the folder has to be right");
    assert!(answer.complained.contains("data.folder"), "{}", answer.complained);
    assert!(
        !answer.complained.contains("practice.name"),
        "{}",
        answer.complained
    );
}

#[tokio::test]
async fn a_command_that_misses_who_or_why_is_not_sent() {
    let desk = Desk::open().await;
    for arguments in [
        &["review", "accept", "1", "--by", "Kim"][..],
        &["review", "accept", "1", "--reason", "x"],
        &["review", "show", "1"],
        &["review", "show", "1", "--by", " "],
        &["review", "merge", "1", "2", "--by", "Kim", "--reason", "x"],
        &["rebuild"],
    ] {
        let answer = desk.run(arguments).await;
        assert_eq!(answer.code, Some(64), "{arguments:?}: {}", answer.complained);
    }
    assert!(desk.audited().await.is_empty());
}

#[tokio::test]
async fn each_command_explains_itself_with_an_example() {
    for command in [
        "list", "show", "link", "not-same", "accept", "reject", "merge", "unmerge",
    ] {
        let help = help(&["review", command]).await;
        assert!(help.contains(&format!("archwire review {command} ")), "{help}");
    }
    assert!(help(&["rebuild"]).await.contains("archwire rebuild --by"));
    assert!(
        help(&["audit", "list"])
            .await
            .contains("archwire audit list --patient")
    );
}

async fn help(command: &[&str]) -> String {
    let data = Data::new();
    let help = data.run(&[command, &["--help"]].concat()).await.well();
    assert!(help.contains("Example:"), "{help}");
    assert!(help.lines().all(|line| line.len() <= 100), "{help}");
    help
}
