//! A broker's counter on which images are handed out: a store with one image in it, and a port.

use crate::office::{in_time, nats_server, practice};
use archwire::sftp::{HostKey, Offers, SftpServer};
use archwire_core::Digest;
use archwire_host::{HandOut, ImageOffer};
use archwire_nats::{
    ByteSize, Connection, ImageStore, ImageStoreConfig, Log, LogConfig, Supervisor, SupervisorConfig,
    UploadKey,
};
use bytes::Bytes;
use secrecy::ExposeSecret as _;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const MEBIBYTE: u64 = 1024 * 1024;

pub(crate) struct Counter {
    pub(crate) offers: Offers,
    pub(crate) port: u16,
    pub(crate) digest: Digest,
    store: ImageStore,
    moved: Arc<AtomicU64>,
    shutdown: CancellationToken,
    serving: JoinHandle<()>,
    _connection: Connection,
    _supervisor: Supervisor,
    _folder: TempDir,
}

/// What somebody knows who was told.
#[derive(Clone)]
pub(crate) struct Told {
    pub(crate) port: u16,
    pub(crate) path: String,
    pub(crate) user: String,
    pub(crate) password: String,
}

/// Bytes of which no two pieces are alike.
pub(crate) fn scan(mebibytes: u64) -> impl Iterator<Item = Bytes> {
    let piece = |number: u64| {
        let words = (0..MEBIBYTE / 8).flat_map(move |word| (number * MEBIBYTE + word * 8).to_le_bytes());
        words.collect::<Vec<u8>>().into()
    };
    (0..mebibytes).map(piece)
}

impl Counter {
    /// With an image of so many MiB and 7 bytes.
    pub(crate) async fn open(mebibytes: u64) -> Self {
        let folder = TempDir::new().unwrap();
        let nats = folder.path().join("nats");
        let config = SupervisorConfig::new(nats_server(), nats, ByteSize::gibibytes(8));
        let supervisor = Supervisor::start(config).await.unwrap();
        let connection = supervisor.connect().await.unwrap();
        let config = LogConfig::new(ByteSize::mebibytes(64));
        let log = Log::open(&connection, &practice(), &config).await.unwrap();
        let config = ImageStoreConfig {
            max_bytes: ByteSize::mebibytes(2 * mebibytes + 64),
            largest: ByteSize::mebibytes(mebibytes + 1),
        };
        let store = log.images(&config).await.unwrap();
        let key = UploadKey {
            owner: "desk".parse().unwrap(),
            promised: None,
        };
        let mut upload = store.upload(key).await.unwrap();
        for piece in scan(mebibytes).chain([Bytes::from_static(b"the end")]) {
            upload.write(piece).await.unwrap();
        }
        let digest = upload.finish().await.unwrap().digest;
        let offers = Offers::new(store.clone(), "broker.example".to_owned());
        let key = HostKey::of(folder.path()).unwrap();
        let server = SftpServer::bind("127.0.0.1:0".parse().unwrap(), key, offers.clone());
        let server = server.await.unwrap();
        let port = server.address().unwrap().port();
        let shutdown = CancellationToken::new();
        Self {
            offers,
            port,
            digest,
            store,
            moved: Arc::default(),
            serving: tokio::spawn(server.run(shutdown.clone())),
            shutdown,
            _connection: connection,
            _supervisor: supervisor,
            _folder: folder,
        }
    }

    /// Hands the image out.
    pub(crate) async fn hand_out(&self) -> (Box<dyn ImageOffer>, Told) {
        let moved = Arc::clone(&self.moved);
        let what = HandOut {
            digest: self.digest,
            extension: ".dcm".to_owned(),
            moved: Arc::new(move || _ = moved.fetch_add(1, Ordering::Relaxed)),
        };
        let offer = self.offers.hand_out(what).await.unwrap();
        let way = offer.way();
        assert_eq!(way.host, "broker.example");
        let told = Told {
            port: self.port,
            path: way.path.clone(),
            user: way.user.clone(),
            password: way.password.expose_secret().to_owned(),
        };
        (offer, told)
    }

    /// How often something moved.
    pub(crate) fn moved(&self) -> u64 {
        self.moved.load(Ordering::Relaxed)
    }

    /// The store's own view: how many bytes the image has.
    pub(crate) async fn size(&self) -> u64 {
        self.store.contains(&self.digest).await.unwrap().unwrap()
    }

    /// Ends, which nobody may hold up.
    pub(crate) async fn close(self) {
        self.shutdown.cancel();
        in_time(self.serving).await.unwrap();
    }
}

/// Long enough for whatever is to be cut off.
pub(crate) const SOON: Duration = Duration::from_secs(10);
