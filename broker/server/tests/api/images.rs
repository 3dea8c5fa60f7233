//! A vendor that puts images and gets them, in pieces as a test says.

use crate::office::{Office, ann, books, everything, in_time, says, vendor};
use archwire::{
    api::{ApiServer, BusService, Callers, Subscriptions},
    audit::Audit,
    config::{Api, Connections},
    imaging::{Intake, Room},
    registry::Registry,
    vendors::Books,
};
use archwire_core::{Digest, contract::Contract};
use archwire_nats::{ByteSize, ImageStoreConfig};
use archwire_proto::v1::{
    GetImageRequest, GetImageResponse, PutImageOpen, PutImageRequest, PutImageResponse, ResumeImageRequest,
    bus_client::BusClient, get_image_response::Response as Got, put_image_open::Patient,
    put_image_request::Request as Put, put_image_response::Outcome,
};
use bytes::Bytes;
use std::{sync::Arc, time::Duration};
use tokio::{sync::mpsc, task::JoinHandle};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Status, Streaming, transport::Channel};

pub(crate) const VENDOR: &str = "imaging";
pub(crate) const RECORD: &str = "17";
const TOKEN: &str = "0123456789abcdef0123456789abcdef";
/// Instead of 60 s.
pub(crate) const IDLE: Duration = Duration::from_millis(500);
/// The most bytes of a message.
pub(crate) const PIECE: usize = 512 * 1024;
pub(crate) const CHUNK: u64 = 496 * 1024;
/// More than the connection, the call and the broker hold of an image on its way.
const PIECES: u8 = 16;

/// A vendor of an office in which idle calls end soon.
pub(crate) struct Vendor {
    bus: BusClient<Channel>,
    books: Books,
    serving: JoinHandle<()>,
    shutdown: CancellationToken,
    _office: Option<Office>,
}

impl Vendor {
    pub(crate) async fn open() -> Self {
        let office = Office::open().await;
        let registry = Arc::clone(&office.registry);
        Self {
            _office: Some(office),
            ..Self::of(registry).await
        }
    }

    /// The same on a registry that the test keeps.
    pub(crate) async fn of(registry: Arc<Registry>) -> Self {
        let observed = registry.observe(says(VENDOR, RECORD, ann()), None);
        in_time(observed).await.unwrap();
        let shutdown = CancellationToken::new();
        let books = books([vendor(everything(VENDOR), TOKEN)]);
        let service = service(registry, &books, &shutdown).await;
        let api = Api {
            listen: "127.0.0.1:0".parse().unwrap(),
            tls: None,
            connections: Connections::default(),
        };
        let server = ApiServer::bind(&api).await.unwrap();
        let url = format!("http://{}", server.address().unwrap());
        let stopped = shutdown.clone();
        let serving = tokio::spawn(async move { server.run(service, stopped).await.unwrap() });
        let bus = BusClient::connect(url).await.unwrap();
        Self {
            bus,
            books,
            serving,
            shutdown,
            _office: None,
        }
    }

    /// What the practice agreed with the vendor from now on.
    pub(crate) fn agree(&self, contract: Contract) {
        self.books.put_vendors([vendor(contract, TOKEN)]);
    }

    /// Begins an upload; what is sent goes through the sender, and the end is told by the answer.
    pub(crate) fn put(&self, bytes: &Bytes, offset: u64) -> Upload {
        let (pieces, outgoing) = mpsc::channel(1);
        let mut bus = self.bus.clone();
        let request = authorised(ReceiverStream::new(outgoing));
        let answer =
            tokio::spawn(async move { bus.put_image(request).await.map(tonic::Response::into_inner) });
        let open = PutImageOpen {
            patient: Some(Patient::RecordLocalId(RECORD.to_owned())),
            sha256: sha256(bytes),
            size: bytes.len() as u64,
            offset,
            ..PutImageOpen::default()
        };
        Upload { open, pieces, answer }
    }

    pub(crate) async fn offset(&self, bytes: &Bytes) -> u64 {
        self.resume(bytes, bytes.len() as u64).await.unwrap()
    }

    /// Where an upload goes on of which so many bytes are promised.
    pub(crate) async fn resume(&self, bytes: &Bytes, size: u64) -> Result<u64, Status> {
        let request = ResumeImageRequest {
            sha256: sha256(bytes),
            size,
        };
        let resumed = in_time(self.bus.clone().resume_image(authorised(request))).await;
        resumed.map(|resumed| resumed.into_inner().offset)
    }

    /// Puts all of an image; tells its instance UID.
    pub(crate) async fn stored(&self, bytes: &Bytes) -> String {
        let answer = self.put(bytes, 0).all(bytes).await.unwrap();
        assert!(matches!(answer.outcome, Some(Outcome::Recorded(_))));
        answer.image.unwrap().instance_uid
    }

    pub(crate) async fn get(&self, instance_uid: &str) -> Streaming<GetImageResponse> {
        let request = GetImageRequest {
            instance_uid: instance_uid.to_owned(),
            ..GetImageRequest::default()
        };
        let answers = in_time(self.bus.clone().get_image(authorised(request))).await;
        answers.unwrap().into_inner()
    }

    /// Ends, which nothing that is idle may hold up.
    pub(crate) async fn close(self) {
        let Self {
            bus,
            books: _,
            serving,
            shutdown,
            _office,
        } = self;
        drop(bus);
        shutdown.cancel();
        in_time(serving).await.unwrap();
    }
}

/// An upload under way.
pub(crate) struct Upload {
    open: PutImageOpen,
    pub(crate) pieces: mpsc::Sender<PutImageRequest>,
    answer: JoinHandle<Result<PutImageResponse, Status>>,
}

impl Upload {
    /// The same upload of which so many bytes are promised.
    pub(crate) fn promising(mut self, size: u64) -> Self {
        self.open.size = size;
        self
    }

    pub(crate) async fn begin(&self) {
        self.send(Put::Open(self.open.clone())).await;
    }

    pub(crate) async fn send(&self, request: Put) {
        let request = PutImageRequest {
            request: Some(request),
        };
        in_time(self.pieces.send(request)).await.unwrap();
    }

    pub(crate) async fn answered(self) -> Result<PutImageResponse, Status> {
        in_time(self.answer).await.unwrap()
    }

    /// Sends all that comes from the offset on.
    pub(crate) async fn all(self, bytes: &Bytes) -> Result<PutImageResponse, Status> {
        self.begin().await;
        let rest = bytes.slice(usize::try_from(self.open.offset).unwrap()..);
        for piece in rest.chunks(PIECE) {
            self.send(Put::Data(Bytes::copy_from_slice(piece))).await;
        }
        let Self { pieces, answer, .. } = self;
        drop(pieces);
        in_time(answer).await.unwrap()
    }
}

async fn service(registry: Arc<Registry>, books: &Books, shutdown: &CancellationToken) -> BusService {
    let log = registry.log();
    let config = ImageStoreConfig {
        max_bytes: ByteSize::mebibytes(128),
        largest: ByteSize::mebibytes(64),
    };
    let store = log.images(&config).await.unwrap();
    let room = Room::new(None, "1 MiB".parse().unwrap());
    let intake = Intake::new(store, Arc::clone(&registry), room, config.largest);
    let callers = Callers::new(books.reader());
    let audit = Audit::open(log, ByteSize::mebibytes(16)).await.unwrap();
    let positions = log.bucket(&"subscriptions".parse().unwrap()).await.unwrap();
    let subscriptions = Subscriptions::new(Arc::clone(&registry), positions, audit, shutdown.clone());
    let subscriptions = subscriptions.await.unwrap();
    let service = BusService::new(registry, callers, subscriptions, Some(intake), shutdown.clone());
    service.with_image_idle(IDLE)
}

fn authorised<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    let token = format!("Bearer {TOKEN}").parse().unwrap();
    request.metadata_mut().insert("authorization", token);
    request
}

pub(crate) fn sha256(bytes: &Bytes) -> Bytes {
    Bytes::copy_from_slice(Digest::of(bytes).as_bytes())
}

/// An image of no kind that the bus knows, in which no two pieces are alike.
pub(crate) fn scan() -> Bytes {
    let pieces = (0..PIECES).map(|number| vec![number; PIECE]);
    pieces.flatten().collect::<Vec<_>>().into()
}

/// The code of gRPC, and ours.
pub(crate) fn code(status: &Status) -> (Code, &str) {
    let code = status.metadata().get("archwire-error-code");
    (status.code(), code.map_or("", |code| code.to_str().unwrap()))
}

/// All that comes after the header.
pub(crate) async fn taken(answers: &mut Streaming<GetImageResponse>) -> Result<Vec<u8>, Status> {
    let mut all = Vec::new();
    while let Some(answer) = in_time(answers.message()).await? {
        match answer.response {
            Some(Got::Data(data)) => all.extend_from_slice(&data),
            _ => panic!("a header in the middle"),
        }
    }
    Ok(all)
}
