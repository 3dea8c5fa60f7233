//! What a program asks that was told how to fetch an image by SFTP: any bytes, and requests in which single things are wrong.
//!
//! It logs in properly, once for many inputs. What it asks for is answered with what may be answered, no piece of the file is longer than
//! 32 KiB or is of another file, and the conversation ends when the program has said all.

use crate::input::Input;
use anyhow::{Context as _, Result};
use archwire::sftp::{HostKey, Offers, SftpServer};
use archwire_host::{HandOut, ImageOffer};
use archwire_nats::{ByteSize, ImageStoreConfig, Log, UploadKey};
use bytes::Bytes;
use russh::{
    ChannelMsg,
    client::{self, Handle},
    keys::PublicKeyOrCertificate,
};
use secrecy::ExposeSecret as _;
use std::{path::Path, sync::Arc, time::Duration};
use tokio::{sync::Mutex, time::timeout};
use tokio_util::sync::CancellationToken;

/// Longer than an answer takes on a busy machine.
const SOON: Duration = Duration::from_secs(20);
/// Every byte of the file.
const FILE: u8 = 0x5a;
const SIZE: usize = 100_000;
/// Most requests of a script: fewer than may wait to be answered.
const REQUESTS: usize = 200;
const LONGEST_READ: usize = 32 * 1024;

/// Types of packets (draft-ietf-secsh-filexfer-02).
const INIT: u8 = 1;
const READ: u8 = 5;
const PATHS: [u8; 8] = [3, 7, 11, 13, 14, 15, 16, 17];
const HANDLES: [u8; 5] = [4, 8, 10, 12, 6];
/// Those of answers: version, status, handle, data, name, attributes.
const ANSWERS: [u8; 6] = [2, 101, 102, 103, 104, 105];
const DATA: u8 = 103;

/// Where an image is handed out.
pub(crate) struct Counter {
    port: u16,
    offer: Box<dyn ImageOffer>,
    session: Mutex<Option<Handle<Trusting>>>,
}

/// Trusts everybody.
struct Trusting;

impl client::Handler for Trusting {
    type Error = russh::Error;

    async fn check_server_key(&mut self, _: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        Ok(true)
    }
}

impl Counter {
    pub(crate) async fn open(log: &Log, folder: &Path, shutdown: CancellationToken) -> Result<Self> {
        let config = ImageStoreConfig {
            max_bytes: ByteSize::mebibytes(512),
            largest: ByteSize::mebibytes(64),
        };
        let store = log.images(&config).await?;
        let key = UploadKey {
            owner: "desk".parse()?,
            promised: None,
        };
        let mut upload = store.upload(key).await?;
        upload.write(Bytes::from(vec![FILE; SIZE])).await?;
        let digest = upload.finish().await?.digest;
        let offers = Offers::new(store, "broker.example".to_owned());
        let what = HandOut {
            digest,
            extension: ".dcm".to_owned(),
            moved: Arc::new(|| {}),
        };
        let server = SftpServer::bind("127.0.0.1:0".parse()?, HostKey::of(folder)?, offers.clone()).await?;
        let port = server.address().context("the port is not known")?.port();
        let offer = offers.hand_out(what).await?;
        tokio::spawn(server.run(shutdown));
        Ok(Self {
            port,
            offer,
            session: Mutex::default(),
        })
    }

    async fn logged_in(&self) -> Result<Handle<Trusting>> {
        let config = Arc::new(client::Config {
            nodelay: true,
            ..client::Config::default()
        });
        let mut session = client::connect(config, ("127.0.0.1", self.port), Trusting).await?;
        let way = self.offer.way();
        let login = session
            .authenticate_password(&way.user, way.password.expose_secret())
            .await?;
        anyhow::ensure!(login.success(), "the program is not let in");
        Ok(session)
    }

    /// Asks, and takes everything that is answered.
    async fn ask(&self, requests: Vec<u8>) -> Result<Vec<u8>> {
        let mut kept = self.session.lock().await;
        let session = match kept.take().filter(|session| !session.is_closed()) {
            Some(session) => session,
            None => self.logged_in().await?,
        };
        let mut channel = session.channel_open_session().await?;
        channel.request_subsystem(false, "sftp").await?;
        // Whoever is cut off hears nothing more.
        _ = channel.data(requests.as_slice()).await;
        _ = channel.eof().await;
        let mut answers = Vec::new();
        while let Some(message) = channel.wait().await {
            match message {
                ChannelMsg::Data { data } => answers.extend_from_slice(&data),
                ChannelMsg::Close => break,
                _ => {}
            }
        }
        *kept = Some(session);
        Ok(answers)
    }
}

/// The first byte chooses between bytes as they are and a script.
pub fn sftp(bus: &crate::Bus, input: &[u8]) {
    let mut input = Input::of(input);
    let counter = &bus.counter;
    let requests = match input.byte() % 3 {
        0 => input.rest().to_vec(),
        _ => script(input, &counter.offer.way().path),
    };
    let asked = async { timeout(SOON, counter.ask(requests)).await };
    let asked = bus.runtime.block_on(asked);
    let asked = asked.expect("the conversation goes on and on");
    // A session that was cut off begins anew.
    if let Ok(answers) = asked {
        are_answers(&answers);
    }
}

fn script<'a>(mut input: Input<'a>, path: &'a str) -> Vec<u8> {
    let mut requests = packet(INIT, &3_u32.to_be_bytes());
    for number in 0..REQUESTS {
        if input.is_empty() {
            break;
        }
        let mut body = u32::try_from(number).unwrap_or(0).to_be_bytes().to_vec();
        match input.byte() % 6 {
            0 => {
                body.extend(text(path_of(&mut input, path)));
                body.extend(input.long().to_be_bytes());
                body.extend([0; 4]);
                requests.extend(packet(3, &body));
            }
            1 => {
                body.extend(text(handle_of(&mut input)));
                body.extend([0; 4]);
                body.extend(input.long().to_be_bytes());
                body.extend(input.long().to_be_bytes());
                requests.extend(packet(READ, &body));
            }
            2 => {
                let kind = input.one_of(&PATHS);
                body.extend(text(path_of(&mut input, path)));
                body.extend(input.part());
                requests.extend(packet(kind, &body));
            }
            3 => {
                let kind = input.one_of(&HANDLES);
                body.extend(text(handle_of(&mut input)));
                body.extend(input.part());
                requests.extend(packet(kind, &body));
            }
            4 => {
                let kind = input.byte();
                body.extend(input.part());
                requests.extend(packet(kind, &body));
            }
            _ => {
                let length = input.long();
                requests.extend(length.to_be_bytes());
                requests.extend(input.part());
            }
        }
    }
    requests
}

fn path_of<'a>(input: &mut Input<'a>, path: &'a str) -> &'a [u8] {
    let folder = path.split('/').next().unwrap_or_default();
    match input.byte() % 5 {
        0 | 1 => path.as_bytes(),
        2 => folder.as_bytes(),
        3 => b"/",
        _ => input.part(),
    }
}

fn handle_of<'a>(input: &mut Input<'a>) -> &'a [u8] {
    match input.byte() % 4 {
        0 | 1 => b"0",
        2 => b"1",
        _ => input.part(),
    }
}

fn text(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes(), bytes].concat()
}

fn packet(kind: u8, body: &[u8]) -> Vec<u8> {
    text(&[&[kind], body].concat())
}

/// That what came is answers, whole but for the last one, and that a piece of the file is one of it.
fn are_answers(mut bytes: &[u8]) {
    while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
        let length = usize::try_from(u32::from_be_bytes(*length)).expect("it is a length");
        let Some((answer, after)) = rest.split_at_checked(length) else {
            return;
        };
        let (kind, body) = answer.split_first().expect("an answer of nothing");
        assert!(ANSWERS.contains(kind), "an answer of the kind {kind}");
        if *kind == DATA {
            let piece = body.get(8..).expect("a piece has an id and a length");
            assert!(piece.len() <= LONGEST_READ && piece.iter().all(|byte| *byte == FILE));
        }
        bytes = after;
    }
}
