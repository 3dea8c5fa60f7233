//! Whoever was told gets the file, byte for byte, and nothing else: no other file, no writing, no shell, no way on.

use crate::{
    counter::Counter,
    openssh::{OpenSsh, digest_of, said},
};

#[tokio::test]
async fn the_file_is_fetched_byte_for_byte() {
    let counter = Counter::open(20).await;
    let (offer, told) = counter.hand_out().await;
    let openssh = OpenSsh::new();
    for path in [told.path.clone(), format!("/{}", told.path)] {
        let fetched = openssh.sftp(&told, &format!("get {path} fetched\n")).await;
        assert!(fetched.status.success(), "{}", said(&fetched));
        assert_eq!(digest_of(&openssh.path("fetched")), counter.digest);
    }
    let size = counter.size().await;
    assert_eq!(offer.taken(), 2 * size);
    assert!(counter.moved() > 100, "whoever waits hears that it goes on");
    drop(offer);
    counter.close().await;
}

#[tokio::test]
async fn a_part_is_fetched_from_where_the_last_attempt_ended() {
    let counter = Counter::open(4).await;
    let (_offer, told) = counter.hand_out().await;
    let openssh = OpenSsh::new();
    let whole = openssh.sftp(&told, &format!("get {} whole\n", told.path)).await;
    assert!(whole.status.success(), "{}", said(&whole));
    let bytes = std::fs::read(openssh.path("whole")).unwrap();
    std::fs::write(openssh.path("part"), &bytes[..3_000_001]).unwrap();
    let rest = openssh.sftp(&told, &format!("reget {} part\n", told.path)).await;
    assert!(rest.status.success(), "{}", said(&rest));
    assert_eq!(digest_of(&openssh.path("part")), counter.digest);
}

#[tokio::test]
async fn the_folders_show_that_file_and_no_other() {
    let counter = Counter::open(1).await;
    let (_offer, told) = counter.hand_out().await;
    // Somebody else's is not seen.
    let (_other, other) = counter.hand_out().await;
    let openssh = OpenSsh::new();
    let (folder, file) = told.path.split_once('/').unwrap();
    let listed = openssh
        .sftp(&told, &format!("pwd\nls -1 /\ncd {folder}\nls -1\nls -l\n"))
        .await;
    assert!(listed.status.success(), "{}", said(&listed));
    let said_so = said(&listed);
    assert!(said_so.contains(folder) && said_so.contains(file), "{said_so}");
    assert!(said_so.contains("-r--------"), "{said_so}");
    for path in [
        "/etc/passwd",
        "../../etc/passwd",
        "sftp-host-key",
        other.path.as_str(),
        &format!("{folder}/../../etc/passwd"),
        &format!("{folder}/{file}/x"),
    ] {
        let fetched = openssh.sftp(&told, &format!("get {path} stolen\n")).await;
        assert!(!fetched.status.success(), "{path}: {}", said(&fetched));
        assert!(!openssh.path("stolen").exists(), "{path}");
    }
}

#[tokio::test]
async fn nothing_can_be_written() {
    let counter = Counter::open(1).await;
    let (_offer, told) = counter.hand_out().await;
    let openssh = OpenSsh::new();
    std::fs::write(openssh.path("mine"), "mine").unwrap();
    let path = &told.path;
    let folder = path.split('/').next().unwrap();
    for command in [
        format!("put mine {path}"),
        format!("put mine {folder}/mine"),
        "put mine mine".to_owned(),
        format!("rm {path}"),
        format!("rename {path} {folder}/mine"),
        format!("chmod 777 {path}"),
        "mkdir mine".to_owned(),
        format!("rmdir {folder}"),
        format!("ln -s {path} mine"),
    ] {
        let tried = openssh.sftp(&told, &format!("{command}\n")).await;
        assert!(!tried.status.success(), "{command}: {}", said(&tried));
    }
    let fetched = openssh.sftp(&told, &format!("get {path} fetched\n")).await;
    assert!(fetched.status.success(), "{}", said(&fetched));
    assert_eq!(digest_of(&openssh.path("fetched")), counter.digest);
}

#[tokio::test]
async fn there_is_no_shell_and_no_way_on() {
    let counter = Counter::open(1).await;
    let (_offer, told) = counter.hand_out().await;
    let openssh = OpenSsh::new();
    let beyond = format!("127.0.0.1:{}", counter.port);
    for (before, after) in [
        (vec!["-T"], vec!["id"]),
        (vec!["-T"], vec![]),
        (vec!["-T", "-W", beyond.as_str()], vec![]),
        (vec!["-T", "-s"], vec!["netconf"]),
        (
            vec![
                "-N",
                "-T",
                "-o",
                "ExitOnForwardFailure=yes",
                "-R",
                "0:127.0.0.1:9",
            ],
            vec![],
        ),
    ] {
        let tried = openssh.ssh(&told, &before, &after).await;
        let said_so = said(&tried);
        assert!(!tried.status.success(), "{before:?} {after:?}: {said_so}");
        assert!(!said_so.contains("uid="), "{said_so}");
        assert!(!said_so.contains("SSH-2.0-"), "nobody was reached: {said_so}");
        assert!(!said_so.contains("Permission denied"), "it did log in: {said_so}");
    }
}
