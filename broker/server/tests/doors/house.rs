//! A practice with an API, and those who knock at its doors.

use crate::office::{Office, PATIENCE, everything, in_time, vendor};
use archwire::{
    api::{ApiServer, BusService, Callers, Patience, Subscriptions},
    audit::Audit,
    config::{Api, Connections, Tls},
    imaging::{Intake, Room},
    tokens::Tokens,
    vendors::{Book, Books, Clock, Vendor, turn},
};
use archwire_core::contract::{Contract, Pace};
use archwire_nats::{ByteSize, ImageStoreConfig};
use archwire_proto::v1::{
    FindPatientsRequest, GetPatientRequest, HumanName, Observation, Open, Patient, PublishRequest,
    PublishResponse, SubscribeRequest, SubscribeResponse, bus_client::BusClient, get_patient_request::Key,
    publish_response::Outcome, subscribe_request::Request as Ask,
};
use jiff::tz::TimeZone;
use std::{net::SocketAddr, num::NonZeroU32, sync::Arc, time::Duration};
use tokio::{sync::mpsc, time::Instant};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{
    Code, Request, Status, Streaming,
    transport::{Channel, Endpoint},
};

/// Vendors that every house has, and the tokens of its configuration.
pub(crate) const IMAGING: &str = "imaging";
pub(crate) const CEPH: &str = "ceph";
/// Somebody whom nobody knows.
pub(crate) const WRONG: &str = "a token that nobody has, as long as a token";

pub(crate) fn token_of(vendor: &str) -> String {
    format!("{vendor}-0123456789abcdef0123456789abcdef")
}

/// A contract with a pace.
pub(crate) fn paced(vendor: &str, requests: u32, streams: u32) -> Contract {
    Contract {
        pace: Pace {
            requests_per_second: NonZeroU32::new(requests).unwrap(),
            streams: NonZeroU32::new(streams).unwrap(),
        },
        ..everything(vendor)
    }
}

/// What a house is built with.
pub(crate) struct Plan {
    pub(crate) tls: Option<Tls>,
    pub(crate) connections: Connections,
    pub(crate) patience: Patience,
    pub(crate) vendors: Vec<Vendor>,
    pub(crate) clock: Clock,
    /// Whether images are kept.
    pub(crate) images: bool,
}

impl Default for Plan {
    fn default() -> Self {
        let usual = |name| vendor(paced(name, 10_000, 256), &token_of(name));
        Self {
            tls: None,
            connections: Connections::default(),
            patience: Patience::default(),
            vendors: vec![usual(IMAGING), usual(CEPH)],
            clock: Clock::default(),
            images: false,
        }
    }
}

/// A practice with an API.
pub(crate) struct House {
    pub(crate) books: Books,
    pub(crate) tokens: Tokens,
    pub(crate) audit: Audit,
    pub(crate) subscriptions: Arc<Subscriptions>,
    pub(crate) address: SocketAddr,
    pub(crate) office: Office,
    shutdown: CancellationToken,
}

impl House {
    pub(crate) async fn open() -> Self {
        Self::with(Plan::default()).await
    }

    pub(crate) async fn with(plan: Plan) -> Self {
        let office = Office::open().await;
        let books = Books::new(Book::new(plan.vendors, TimeZone::UTC).by(plan.clock));
        let log = office.registry.log();
        let tokens = Tokens::open(log, books.clone()).await.unwrap();
        let audit = Audit::open(log, ByteSize::mebibytes(16)).await.unwrap();
        let positions = log.bucket(&"subscriptions".parse().unwrap()).await.unwrap();
        let shutdown = CancellationToken::new();
        let registry = office.registry.clone();
        let subscriptions = Subscriptions::new(registry.clone(), positions, audit.clone(), shutdown.clone());
        let subscriptions = subscriptions.await.unwrap();
        let callers = Callers::new(books.reader());
        let images = match plan.images {
            true => Some(intake(&office).await),
            false => None,
        };
        let service = BusService::new(
            registry,
            callers,
            Arc::clone(&subscriptions),
            images,
            shutdown.clone(),
        );
        let api = Api {
            listen: "127.0.0.1:0".parse().unwrap(),
            tls: plan.tls,
            connections: plan.connections,
        };
        let server = ApiServer::bind(&api).await.unwrap().with_patience(plan.patience);
        let address = server.address().unwrap();
        let stopped = shutdown.clone();
        let watching = tokens.clone().watch(audit.clone(), shutdown.clone());
        let turning = turn(books.clone(), shutdown.clone());
        tokio::spawn(async move {
            let (served, (), ()) = tokio::join!(server.run(service, stopped), watching, turning);
            served.unwrap();
        });
        Self {
            books,
            tokens,
            audit,
            subscriptions,
            address,
            office,
            shutdown,
        }
    }

    /// A vendor on a connection of its own.
    pub(crate) async fn knock(&self, token: &str) -> Caller {
        self.try_knock(token).await.unwrap()
    }

    pub(crate) async fn try_knock(&self, token: &str) -> Result<Caller, tonic::transport::Error> {
        let endpoint = Endpoint::from_shared(format!("http://{}", self.address)).unwrap();
        let channel = in_time(endpoint.connect()).await?;
        Ok(Caller::over(channel, Some(token)))
    }
}

/// A way in for images, on a store of their own.
async fn intake(office: &Office) -> Intake {
    let config = ImageStoreConfig {
        max_bytes: ByteSize::mebibytes(128),
        largest: ByteSize::mebibytes(64),
    };
    let store = office.registry.log().images(&config).await.unwrap();
    let room = Room::new(None, "1 MiB".parse().unwrap());
    Intake::new(store, office.registry.clone(), room, config.largest)
}

impl Drop for House {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// Somebody with a connection.
#[derive(Clone)]
pub(crate) struct Caller {
    bus: BusClient<Channel>,
    token: Option<String>,
}

impl Caller {
    pub(crate) fn over(channel: Channel, token: Option<&str>) -> Self {
        Self {
            bus: BusClient::new(channel),
            token: token.map(str::to_owned),
        }
    }

    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self {
            bus: self.bus.clone(),
            token: Some(token.to_owned()),
        }
    }

    /// Asks for somebody who is not there: whoever is let in hears `patient_unknown`.
    pub(crate) async fn ask(&self) -> Result<(), String> {
        let status = self.asked().await;
        match code_of(&status) {
            code if code == "patient_unknown" => Ok(()),
            code => Err(code),
        }
    }

    /// The same, as it is answered.
    pub(crate) async fn asked(&self) -> Status {
        let nobody = "019a8f30-8d5e-7c31-b5a5-02d1f0a4c001".to_owned();
        let request = GetPatientRequest {
            key: Some(Key::PatientId(nobody)),
            ..GetPatientRequest::default()
        };
        let answer = in_time(self.bus.clone().get_patient(self.signed(request))).await;
        answer.map(drop).expect_err("nobody is there")
    }

    /// Looks for patients.
    pub(crate) async fn find(&self, request: FindPatientsRequest) -> Result<(), Status> {
        let found = in_time(self.bus.clone().find_patients(self.signed(request))).await;
        found.map(drop)
    }

    /// Opens a subscription, and allows no event.
    pub(crate) async fn subscribe(&self, name: &str) -> Result<Stream, Status> {
        let (asks, outgoing) = mpsc::channel(4);
        let open = Open {
            name: name.to_owned(),
            ..Open::default()
        };
        let request = SubscribeRequest {
            request: Some(Ask::Open(open)),
        };
        asks.send(request).await.unwrap();
        let request = self.signed(ReceiverStream::new(outgoing));
        let answers = in_time(self.bus.clone().subscribe(request)).await?.into_inner();
        let mut stream = Stream { answers, asks };
        // The first answer says that it is open.
        match in_time(stream.answers.message()).await {
            Ok(opened) => assert!(opened.is_some()),
            Err(status) => return Err(status),
        }
        Ok(stream)
    }

    /// Opens a stream to publish on.
    pub(crate) async fn publish(&self) -> Publishing {
        let (says, outgoing) = mpsc::channel(64);
        let request = self.signed(ReceiverStream::new(outgoing));
        let answers = in_time(self.bus.clone().publish(request)).await.unwrap();
        Publishing {
            says,
            answers: answers.into_inner(),
        }
    }

    fn signed<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if let Some(token) = &self.token {
            let token = format!("Bearer {token}").parse().unwrap();
            request.metadata_mut().insert("authorization", token);
        }
        request
    }
}

/// An open subscription.
pub(crate) struct Stream {
    answers: Streaming<SubscribeResponse>,
    pub(crate) asks: mpsc::Sender<SubscribeRequest>,
}

impl Stream {
    /// The code with which it ends, whatever it says before, and after how long.
    pub(crate) async fn ends(mut self) -> (String, Duration) {
        let began = Instant::now();
        let end = async {
            loop {
                match self.answers.message().await {
                    Ok(Some(_)) => {}
                    Ok(None) => return String::new(),
                    Err(status) => return code_of(&status),
                }
            }
        };
        (in_time(end).await, began.elapsed())
    }

    /// Whether it is still open after everybody else had a turn.
    pub(crate) async fn goes_on(&mut self) -> bool {
        let next = tokio::time::timeout(Duration::from_millis(50), self.answers.message());
        !matches!(next.await, Ok(Err(_) | Ok(None)))
    }
}

/// A stream to publish on.
pub(crate) struct Publishing {
    says: mpsc::Sender<PublishRequest>,
    answers: Streaming<PublishResponse>,
}

impl Publishing {
    /// Says who has a record, without waiting for an answer.
    pub(crate) async fn say(&self, record: &str, family: &str) {
        let name = HumanName {
            family: Some(family.to_owned()),
            given: vec!["Ann".to_owned()],
            ..HumanName::default()
        };
        let observation = Observation {
            local_id: record.to_owned(),
            patient: Some(Patient {
                names: vec![name],
                ..Patient::default()
            }),
            ..Observation::default()
        };
        let request = PublishRequest {
            tag: 0,
            observation: Some(observation),
            idempotency_key: None,
        };
        _ = self.says.send(request).await;
    }

    /// The next answer: whether it was recorded.
    pub(crate) async fn hear(&mut self) -> bool {
        let answer = in_time(self.answers.message()).await.unwrap().unwrap();
        matches!(answer.outcome, Some(Outcome::Recorded(_)))
    }
}

/// Our own code of a refusal, or that of gRPC where there is none.
pub(crate) fn code_of(status: &Status) -> String {
    let code = status.metadata().get("archwire-error-code");
    code.map_or_else(
        || format!("{:?}: {}", status.code(), status.message()),
        |code| code.to_str().unwrap().to_owned(),
    )
}

/// Waits until something that is asked again and again holds.
pub(crate) async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < end, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// That a status is the one of too much, and says when to come again.
pub(crate) fn is_too_much(status: &Status, code: &str) {
    use tonic_types::StatusExt as _;
    assert_eq!(
        (status.code(), code_of(status).as_str()),
        (Code::ResourceExhausted, code)
    );
    let wait = status.get_details_retry_info().and_then(|info| info.retry_delay);
    assert!(wait.is_some_and(|wait| wait > Duration::ZERO), "{status:?}");
}
