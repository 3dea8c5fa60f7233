//! A program that speaks SSH properly and SFTP word by word, so that it can stop anywhere.

use crate::{
    counter::{SOON, Told},
    office::until_within,
};
use bytes::Bytes;
use russh::{
    ChannelId, ChannelWriteHalf,
    client::{self, Handle, Msg},
    keys::PublicKeyOrCertificate,
};
use russh_sftp::protocol::{FileAttributes, Init, Open, OpenFlags, Packet, Read};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use tokio_util::sync::CancellationToken;

/// How much a program takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Appetite {
    /// Whatever comes.
    Whole,
    /// About half of an answer. Then it stands still, as a machine that is suspended.
    Half,
    /// One byte, while it goes on to speak SSH: a window of one is never made larger.
    Nothing,
}

pub(crate) struct Program {
    pub(crate) session: Handle<Taking>,
    got: Arc<AtomicU64>,
    awake: CancellationToken,
}

/// Trusts everybody, and counts what comes.
pub(crate) struct Taking {
    appetite: Appetite,
    got: Arc<AtomicU64>,
    awake: CancellationToken,
}

impl client::Handler for Taking {
    type Error = russh::Error;

    async fn check_server_key(&mut self, _: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        Ok(true)
    }

    async fn data(&mut self, _: ChannelId, data: &[u8], _: &mut client::Session) -> Result<(), Self::Error> {
        let got = self.got.fetch_add(data.len() as u64, Ordering::Relaxed) + data.len() as u64;
        if self.appetite == Appetite::Half && got >= u64::from(PIECE) / 4 {
            self.awake.cancelled().await;
        }
        Ok(())
    }
}

impl Program {
    pub(crate) async fn log_in(told: &Told, mut config: client::Config, appetite: Appetite) -> Self {
        match appetite {
            Appetite::Whole => {}
            Appetite::Half => config.window_size = PIECE / 2,
            Appetite::Nothing => config.window_size = 1,
        }
        let (got, awake) = (Arc::<AtomicU64>::default(), CancellationToken::new());
        let taking = Taking {
            appetite,
            got: Arc::clone(&got),
            awake: awake.clone(),
        };
        let mut session = client::connect(Arc::new(config), ("127.0.0.1", told.port), taking)
            .await
            .unwrap();
        let login = session.authenticate_password(&told.user, &told.password).await;
        assert!(login.unwrap().success());
        Self { session, got, awake }
    }

    /// Bytes that came on all channels.
    pub(crate) fn got(&self) -> u64 {
        self.got.load(Ordering::Relaxed)
    }

    /// Waits until so many bytes came.
    pub(crate) async fn gets(&self, bytes: u64) {
        until_within(SOON, "the answers come", || self.got() >= bytes).await;
    }

    /// Goes on after it stood still.
    pub(crate) fn wakes(&self) {
        self.awake.cancel();
    }

    /// Opens the file, as the first that is.
    pub(crate) async fn opens(&self, told: &Told) -> ChannelWriteHalf<Msg> {
        let channel = self.session.channel_open_session().await.unwrap();
        channel.request_subsystem(true, "sftp").await.unwrap();
        // What comes is counted where it arrives.
        let (_, channel) = channel.split();
        let open = Open {
            id: 1,
            filename: told.path.clone(),
            pflags: OpenFlags::READ,
            attrs: FileAttributes::empty(),
        };
        for packet in [Init::new().into(), open.into()] {
            channel.data_bytes(bytes_of(packet)).await.unwrap();
        }
        channel
    }
}

/// Asks for 32 KiB of the first file that was opened.
pub(crate) fn read(number: u32) -> Bytes {
    let read = Read {
        id: number,
        handle: "0".to_owned(),
        offset: u64::from(number % 100) * u64::from(PIECE),
        len: PIECE,
    };
    bytes_of(read.into())
}

pub(crate) const PIECE: u32 = 32 * 1024;

fn bytes_of(packet: Packet) -> Bytes {
    packet.try_into().unwrap()
}
