//! User and password are good for one image and as long as it is handed out.

use crate::{
    counter::{Counter, SOON, Told},
    openssh::{OpenSsh, said},
    program::{Appetite, Program},
};
use russh::client;
use russh_sftp::client::SftpSession;
use tokio::{io::AsyncReadExt as _, net::TcpStream, time::timeout};

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
    // Another's, so that it is not the port that is closed.
    let (other, _) = counter.hand_out().await;
    drop(offer);
    is_refused(&openssh, &told).await;
    drop(other);
    counter.close().await;
}

#[tokio::test]
async fn who_is_fetching_is_cut_off_when_it_is_over() {
    let counter = Counter::open(16).await;
    let (offer, told) = counter.hand_out().await;
    let program = Program::log_in(&told, client::Config::default(), Appetite::Whole).await;
    let channel = program.session.channel_open_session().await.unwrap();
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
    let (offer, _) = counter.hand_out().await;
    let mut silent = TcpStream::connect(("127.0.0.1", counter.port)).await.unwrap();
    let mut greeting = [0; 8];
    silent.read_exact(&mut greeting).await.unwrap();
    assert_eq!(&greeting, b"SSH-2.0-");
    drop(offer);
    counter.close().await;
}

#[tokio::test]
async fn while_nothing_is_handed_out_nobody_is_let_in() {
    let counter = Counter::open(1).await;
    for _ in 0..100 {
        let mut stranger = TcpStream::connect(("127.0.0.1", counter.port)).await.unwrap();
        let mut heard = Vec::new();
        let closed = timeout(SOON, stranger.read_to_end(&mut heard)).await;
        // Closed either way; what counts is that nothing is said, and that it is at once.
        _ = closed.expect("it is closed at once");
        assert!(heard.is_empty(), "{heard:?}");
    }
    let (_offer, told) = counter.hand_out().await;
    let openssh = OpenSsh::new();
    let now = openssh.sftp(&told, "ls\n").await;
    assert!(now.status.success(), "{}", said(&now));
}
