//! Who sends nothing of an image, or takes nothing of one, holds it for so long and no longer: 60 s in a practice, less here.

use crate::office::{Office, PATIENCE, ann, books, everything, in_time, says, vendor};
use archwire::{
    api::{ApiServer, BusService, Callers, Subscriptions},
    audit::Audit,
    config::{Api, Connections},
    imaging::{Intake, Room},
};
use archwire_core::Digest;
use archwire_nats::{ByteSize, ImageStoreConfig};
use archwire_proto::v1::{
    GetImageRequest, GetImageResponse, PutImageOpen, PutImageRequest, PutImageResponse, ResumeImageRequest,
    bus_client::BusClient, get_image_response::Response as Got, put_image_open::Patient,
    put_image_request::Request as Put, put_image_response::Outcome,
};
use bytes::Bytes;
use std::time::Duration;
use tokio::{sync::mpsc, task::JoinHandle, time::Instant};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Status, Streaming, transport::Channel};

const VENDOR: &str = "imaging";
const RECORD: &str = "17";
const TOKEN: &str = "0123456789abcdef0123456789abcdef";
/// Instead of 60 s.
const IDLE: Duration = Duration::from_millis(500);
/// The most bytes of a message.
const PIECE: usize = 512 * 1024;
const CHUNK: u64 = 512 * 1024;
/// More than the connection, the call and the broker hold of an image on its way.
const PIECES: u8 = 16;

/// A vendor of an office in which idle calls end soon.
struct Vendor {
    bus: BusClient<Channel>,
    serving: JoinHandle<()>,
    shutdown: CancellationToken,
    _office: Office,
}

impl Vendor {
    async fn open() -> Self {
        let office = Office::open().await;
        office.see(says(VENDOR, RECORD, ann())).await;
        let shutdown = CancellationToken::new();
        let service = service(&office, &shutdown).await;
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
            serving,
            shutdown,
            _office: office,
        }
    }

    /// Begins an upload; what is sent goes through the sender, and the end is told by the answer.
    fn put(&self, bytes: &Bytes, offset: u64) -> Upload {
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

    async fn offset(&self, bytes: &Bytes) -> u64 {
        let request = ResumeImageRequest {
            sha256: sha256(bytes),
            size: bytes.len() as u64,
        };
        let resumed = in_time(self.bus.clone().resume_image(authorised(request))).await;
        resumed.unwrap().into_inner().offset
    }

    /// Puts all of an image; tells its instance UID.
    async fn stored(&self, bytes: &Bytes) -> String {
        let answer = self.put(bytes, 0).all(bytes).await.unwrap();
        assert!(matches!(answer.outcome, Some(Outcome::Recorded(_))));
        answer.image.unwrap().instance_uid
    }

    async fn get(&self, instance_uid: &str) -> Streaming<GetImageResponse> {
        let request = GetImageRequest {
            instance_uid: instance_uid.to_owned(),
            ..GetImageRequest::default()
        };
        let answers = in_time(self.bus.clone().get_image(authorised(request))).await;
        answers.unwrap().into_inner()
    }

    /// Ends, which nothing that is idle may hold up.
    async fn close(self) {
        let Self {
            bus,
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
struct Upload {
    open: PutImageOpen,
    pieces: mpsc::Sender<PutImageRequest>,
    answer: JoinHandle<Result<PutImageResponse, Status>>,
}

impl Upload {
    async fn begin(&self) {
        self.send(Put::Open(self.open.clone())).await;
    }

    async fn send(&self, request: Put) {
        let request = PutImageRequest {
            request: Some(request),
        };
        in_time(self.pieces.send(request)).await.unwrap();
    }

    async fn answered(self) -> Result<PutImageResponse, Status> {
        in_time(self.answer).await.unwrap()
    }

    /// Sends all that comes from the offset on.
    async fn all(self, bytes: &Bytes) -> Result<PutImageResponse, Status> {
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

async fn service(office: &Office, shutdown: &CancellationToken) -> BusService {
    let log = office.registry.log();
    let config = ImageStoreConfig {
        max_bytes: ByteSize::mebibytes(128),
        largest: ByteSize::mebibytes(64),
    };
    let store = log.images(&config).await.unwrap();
    let room = Room::new(None, "1 MiB".parse().unwrap());
    let intake = Intake::new(store, office.registry.clone(), room, config.largest);
    let callers = Callers::new(books([vendor(everything(VENDOR), TOKEN)]).reader());
    let audit = Audit::open(log, ByteSize::mebibytes(16)).await.unwrap();
    let positions = log.bucket(&"subscriptions".parse().unwrap()).await.unwrap();
    let subscriptions = Subscriptions::new(office.registry.clone(), positions, audit, shutdown.clone());
    let subscriptions = subscriptions.await.unwrap();
    let registry = office.registry.clone();
    let service = BusService::new(registry, callers, subscriptions, Some(intake), shutdown.clone());
    service.with_image_idle(IDLE)
}

fn authorised<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    let token = format!("Bearer {TOKEN}").parse().unwrap();
    request.metadata_mut().insert("authorization", token);
    request
}

fn sha256(bytes: &Bytes) -> Bytes {
    Bytes::copy_from_slice(Digest::of(bytes).as_bytes())
}

/// An image of no kind that the bus knows, in which no two pieces are alike.
fn scan() -> Bytes {
    let pieces = (0..PIECES).map(|number| vec![number; PIECE]);
    pieces.flatten().collect::<Vec<_>>().into()
}

/// The code of gRPC, and ours.
fn code(status: &Status) -> (Code, &str) {
    let code = status.metadata().get("archwire-error-code");
    (status.code(), code.map_or("", |code| code.to_str().unwrap()))
}

#[tokio::test]
async fn an_upload_of_which_nothing_comes_ends_and_goes_on_from_what_came() {
    let vendor = Vendor::open().await;
    let bytes = scan();
    let upload = vendor.put(&bytes, 0);
    upload.begin().await;
    for piece in bytes.slice(..3 * PIECE).chunks(PIECE) {
        upload.send(Put::Data(Bytes::copy_from_slice(piece))).await;
    }
    // The sender stays, and sends nothing more.
    let pieces = upload.pieces.clone();
    let ended = upload.answered().await.map(drop).unwrap_err();
    assert_eq!(code(&ended), (Code::DeadlineExceeded, "image_upload_idle"));
    drop(pieces);
    let offset = vendor.offset(&bytes).await;
    assert!((1..=3).contains(&(offset / CHUNK)), "it goes on at {offset}");
    let answer = vendor.put(&bytes, offset).all(&bytes).await.unwrap();
    assert!(matches!(answer.outcome, Some(Outcome::Recorded(_))));
    vendor.close().await;
}

#[tokio::test]
async fn an_upload_that_trickles_ends_although_something_comes() {
    let vendor = Vendor::open().await;
    let bytes = scan();
    let upload = vendor.put(&bytes, 0);
    upload.begin().await;
    let pieces = upload.pieces.clone();
    let trickling = tokio::spawn(async move {
        let mut pause = tokio::time::interval(IDLE / 10);
        loop {
            pause.tick().await;
            let request = Some(Put::Data(Bytes::from_static(&[0])));
            if pieces.send(PutImageRequest { request }).await.is_err() {
                return;
            }
        }
    });
    let ended = upload.answered().await.map(drop).unwrap_err();
    assert_eq!(code(&ended), (Code::DeadlineExceeded, "image_upload_idle"));
    in_time(trickling).await.unwrap();
    vendor.close().await;
}

#[tokio::test]
async fn a_read_of_which_nothing_is_taken_ends_with_an_error_and_one_that_is_taken_does_not() {
    let vendor = Vendor::open().await;
    let bytes = scan();
    let uid = vendor.stored(&bytes).await;
    let deadline = Instant::now() + PATIENCE;
    let mut pause = IDLE * 2;
    let ended = loop {
        let mut answers = vendor.get(&uid).await;
        let first = in_time(answers.message()).await.unwrap().unwrap();
        assert!(matches!(first.response, Some(Got::Header(_))));
        // Taking nothing for so long is what the test is about. A busy machine may need longer to notice.
        tokio::time::sleep(pause).await;
        match taken(&mut answers).await {
            Err(status) => break status,
            Ok(all) => assert!(all == bytes && Instant::now() < deadline, "nobody noticed"),
        }
        pause *= 2;
    };
    assert_eq!(code(&ended), (Code::DeadlineExceeded, "image_read_idle"));
    let mut answers = vendor.get(&uid).await;
    in_time(answers.message()).await.unwrap().unwrap();
    assert!(taken(&mut answers).await.unwrap() == bytes);
    vendor.close().await;
}

/// All that comes after the header.
async fn taken(answers: &mut Streaming<GetImageResponse>) -> Result<Vec<u8>, Status> {
    let mut all = Vec::new();
    while let Some(answer) = in_time(answers.message()).await? {
        match answer.response {
            Some(Got::Data(data)) => all.extend_from_slice(&data),
            _ => panic!("a header in the middle"),
        }
    }
    Ok(all)
}
