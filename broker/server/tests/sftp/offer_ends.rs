//! User and password are good for one image and as long as it is handed out.

use crate::{
    counter::{Counter, SOON, Told},
    openssh::{OpenSsh, said},
};
use russh::{client, keys::PublicKeyOrCertificate};
use russh_sftp::client::SftpSession;
use std::sync::Arc;
use tokio::{io::AsyncReadExt as _, time::timeout};

async fn is_refused(openssh: &OpenSsh, told: &Told) {
    let tried = openssh.sftp(told, "ls\n").await;
    let said_so = said(&tried);
    assert!(!tried.status.success(), "{said_so}");
    assert!(said_so.contains("Permission denied"), "{said_so}");
    assert!(!said_so.contains(&told.password), "{said_so}");
}

#[tokio::test]
async fn who_was_told_something_else_is_refused() {
    let counter = Counter::open(1).await;
    let (_offer, told) = counter.hand_out().await;
    let (_other, other) = counter.hand_out().await;
    let openssh = OpenSsh::new();
    for wrong in [
        Told {
            password: "guess".into(),
            ..told.clone()
        },
        Told {
            user: "root".into(),
            ..told.clone()
        },
        Told {
            password: other.password.clone(),
            ..told.clone()
        },
    ] {
        is_refused(&openssh, &wrong).await;
    }
    let right = openssh.sftp(&told, "ls\n").await;
    assert!(right.status.success(), "{}", said(&right));
    for told in [&told, &other] {
        assert_eq!((told.user.len(), told.password.len()), (16, 32));
    }
    assert!(told.user != other.user && told.password != other.password && told.path != other.path);
}

#[tokio::test]
async fn nobody_logs_in_once_it_is_over() {
    let counter = Counter::open(1).await;
    let (offer, told) = counter.hand_out().await;
    let openssh = OpenSsh::new();
    let before = openssh.sftp(&told, "ls\n").await;
    assert!(before.status.success(), "{}", said(&before));
    drop(offer);
    is_refused(&openssh, &told).await;
    counter.close().await;
}

/// Takes any key.
struct Trusting;

impl client::Handler for Trusting {
    type Error = russh::Error;

    async fn check_server_key(&mut self, _: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        Ok(true)
    }
}

#[tokio::test]
async fn who_is_fetching_is_cut_off_when_it_is_over() {
    let counter = Counter::open(16).await;
    let (offer, told) = counter.hand_out().await;
    let config = Arc::new(client::Config::default());
    let mut session = client::connect(config, ("127.0.0.1", told.port), Trusting)
        .await
        .unwrap();
    let login = session.authenticate_password(&told.user, &told.password).await;
    assert!(login.unwrap().success());
    let channel = session.channel_open_session().await.unwrap();
    channel.request_subsystem(true, "sftp").await.unwrap();
    let sftp = SftpSession::new(channel.into_stream()).await.unwrap();
    let mut file = sftp.open(&told.path).await.unwrap();
    let mut piece = vec![0; 100_000];
    file.read_exact(&mut piece).await.unwrap();
    assert_eq!(piece[..16], [0_u64.to_le_bytes(), 8_u64.to_le_bytes()].concat());
    assert!(offer.taken() >= 100_000);
    drop(offer);
    let rest = timeout(SOON, async {
        loop {
            match file.read(&mut piece).await {
                Ok(0) => panic!("that was not the end"),
                Ok(_) => {}
                Err(_) => return,
            }
        }
    });
    rest.await.expect("it is cut off");
    counter.close().await;
}

#[tokio::test]
async fn who_does_not_log_in_does_not_hold_up_a_stop() {
    let counter = Counter::open(1).await;
    let silent = tokio::net::TcpStream::connect(("127.0.0.1", counter.port))
        .await
        .unwrap();
    counter.close().await;
    drop(silent);
}
