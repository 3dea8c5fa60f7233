//! A bus for tests: keeps what it is told in memory, as strict as the contract, and misbehaves on request.
//!
//! It runs on a runtime of its own, so that killing it closes its sockets like the death of a process does.

mod answer;
mod follow;
mod images;
mod rules;
mod strict;

pub(crate) use images::{Gallery, Mishap};
pub(crate) use strict::BREAKS;

use answer::answer;
use archwire_client::v1::{
    self, Event, GetPatientRequest, GetPatientResponse, ListEventsRequest, ListEventsResponse,
    PublishRequest, PublishResponse, SubscribeRequest, SubscribeResponse, get_patient_request::Key,
    subscribe_request,
};
use archwire_proto::v1::bus_server::{Bus, BusServer};
use bytes::Bytes;
use follow::follow;
use prost::Message as _;
use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::{net::TcpListener, runtime::Runtime, sync::mpsc};
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::{
    Code, Request, Response, Status, Streaming,
    metadata::MetadataValue,
    transport::{Identity, Server, ServerTlsConfig},
};

pub(crate) const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// What the bus does with one request to publish. Answering is what it does when nothing is said.
#[derive(Clone, Copy)]
pub(crate) enum Reaction {
    Answer,
    RefuseForNow,
    RefuseForGood,
    /// Leaves it to a person, as item 7.
    Review,
    /// Knows it from an earlier time.
    Duplicate,
    /// Stores it, and the stream breaks before the answer.
    StoreAndBreak,
    /// Never answers, like a caller that must give up.
    Ignore,
}

/// What the bus does with one subscription stream.
#[derive(Clone, Copy, Default)]
pub(crate) struct Breakage {
    /// Breaks once this many events were sent...
    pub(crate) after_events: u64,
    /// ...and this sequence was acknowledged.
    pub(crate) after_ack: u64,
    /// Forgets the acknowledgements of this stream.
    pub(crate) loses_acks: bool,
    /// Does not break, but leaves an event out, once.
    pub(crate) loses_event: bool,
    /// Keeps the second event back behind the first one, which is refused, and breaks when that was taken after all.
    pub(crate) keeps_back: bool,
}

/// What the bus remembers. Survives its death.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) reactions: VecDeque<Reaction>,
    pub(crate) breakages: VecDeque<Breakage>,
    /// Local ids in the order in which requests came, repetitions included.
    pub(crate) received: Vec<String>,
    /// Their keys.
    pub(crate) keys: Vec<String>,
    pub(crate) stored: Vec<String>,
    pub(crate) publish_streams: usize,
    pub(crate) subscribe_streams: usize,
    /// How long a subscription takes to open.
    pub(crate) opens_after: Duration,
    /// Holds answers back until this many requests wait for one.
    pub(crate) hold_until: usize,
    pub(crate) most_unanswered: usize,
    /// The log: sequence and event.
    pub(crate) log: Vec<(u64, Bytes)>,
    pub(crate) positions: HashMap<String, u64>,
    /// Over all streams: events allowed and sent.
    pub(crate) allowed: u64,
    pub(crate) sent: u64,
    pub(crate) gallery: Gallery,
    /// Set, subscriptions go by the contract to the letter, and break where these dice say.
    pub(crate) seed: Option<u64>,
}

impl Memory {
    /// Fills the log with events at every second sequence, as a log with other entries between them has.
    pub(crate) fn with_events(count: u64) -> Self {
        let event = |revision| {
            Event {
                patient_id: "p".into(),
                revision,
                ..Default::default()
            }
            .encode_to_vec()
            .into()
        };
        let log = (1..=count)
            .map(|revision| (2 * revision, event(revision)))
            .collect();
        Self {
            log,
            ..Self::default()
        }
    }

    /// Stores a record; tells whether it was news and its number.
    fn store(&mut self, local_id: &str) -> (bool, u64) {
        let known = self.stored.iter().position(|stored| stored == local_id);
        let place = known.unwrap_or_else(|| {
            self.stored.push(local_id.to_owned());
            self.stored.len() - 1
        });
        (known.is_none(), place as u64 + 1)
    }
}

/// A running bus.
pub(crate) struct FakeBus {
    address: SocketAddr,
    memory: Arc<Mutex<Memory>>,
    runtime: Option<Runtime>,
    is_tls: bool,
}

impl FakeBus {
    pub(crate) fn start(memory: Memory) -> Self {
        Self::run(
            SocketAddr::from(([127, 0, 0, 1], 0)),
            Arc::new(Mutex::new(memory)),
            None,
        )
    }

    pub(crate) fn start_with_tls(certificate: &str, key: &str) -> Self {
        let identity = Identity::from_pem(certificate, key);
        Self::run(
            SocketAddr::from(([127, 0, 0, 1], 0)),
            Arc::default(),
            Some(identity),
        )
    }

    pub(crate) fn url(&self) -> String {
        if self.is_tls {
            format!("https://localhost:{}", self.address.port())
        } else {
            format!("http://{}", self.address)
        }
    }

    pub(crate) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap()
    }

    /// Dies, with every connection, and starts again at the same address with what it remembers, changed meanwhile.
    pub(crate) async fn restart(mut self, meanwhile: impl FnOnce(&mut Memory)) -> Self {
        self.runtime.take().unwrap().shutdown_background();
        crate::support::until("the bus is dead", || {
            std::net::TcpStream::connect(self.address).is_err()
        })
        .await;
        meanwhile(&mut self.memory());
        Self::run(self.address, Arc::clone(&self.memory), None)
    }

    fn run(address: SocketAddr, memory: Arc<Mutex<Memory>>, identity: Option<Identity>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let service = BusServer::new(Service(Arc::clone(&memory))).max_decoding_message_size(1024 * 1024);
        let is_tls = identity.is_some();
        let listener = std::net::TcpListener::bind(address).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move {
            let mut server = Server::builder();
            if let Some(identity) = identity {
                server = server
                    .tls_config(ServerTlsConfig::new().identity(identity))
                    .unwrap();
            }
            let incoming = TcpListenerStream::new(TcpListener::from_std(listener).unwrap());
            server
                .add_service(service)
                .serve_with_incoming(incoming)
                .await
                .unwrap();
        });
        Self {
            address,
            memory,
            runtime: Some(runtime),
            is_tls,
        }
    }
}

impl Drop for FakeBus {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn refuse(code: Code, own: &'static str) -> Status {
    let mut status = Status::new(code, "as the test asked");
    status
        .metadata_mut()
        .insert("archwire-error-code", MetadataValue::from_static(own));
    status
}

fn admit<T>(request: &Request<T>) -> Result<(), Status> {
    let token = request
        .metadata()
        .get("authorization")
        .and_then(|value| value.to_str().ok());
    let is_known = token == Some(&format!("Bearer {TOKEN}"));
    if is_known {
        Ok(())
    } else {
        Err(refuse(Code::Unauthenticated, "token_unknown"))
    }
}

struct Service(Arc<Mutex<Memory>>);

#[tonic::async_trait]
impl Bus for Service {
    type PublishStream = ReceiverStream<Result<PublishResponse, Status>>;
    type SubscribeStream = ReceiverStream<Result<SubscribeResponse, Status>>;

    async fn publish(
        &self,
        request: Request<Streaming<PublishRequest>>,
    ) -> Result<Response<Self::PublishStream>, Status> {
        admit(&request)?;
        let (answers, receiver) = mpsc::channel(1024);
        self.0.lock().unwrap().publish_streams += 1;
        tokio::spawn(answer(Arc::clone(&self.0), request.into_inner(), answers));
        Ok(Response::new(ReceiverStream::new(receiver)))
    }

    async fn subscribe(
        &self,
        request: Request<Streaming<SubscribeRequest>>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        admit(&request)?;
        let mut requests = request.into_inner();
        let first = requests.message().await?.and_then(|first| first.request);
        let Some(subscribe_request::Request::Open(open)) = first else {
            return Err(refuse(Code::InvalidArgument, "argument_invalid"));
        };
        let (answers, receiver) = mpsc::channel(1024);
        let memory = Arc::clone(&self.0);
        let is_strict = memory.lock().unwrap().seed.is_some();
        match is_strict {
            true => tokio::spawn(strict::follow(memory, open, requests, answers)),
            false => tokio::spawn(follow(memory, open, requests, answers)),
        };
        Ok(Response::new(ReceiverStream::new(receiver)))
    }

    async fn get_patient(
        &self,
        request: Request<GetPatientRequest>,
    ) -> Result<Response<GetPatientResponse>, Status> {
        admit(&request)?;
        let memory = self.0.lock().unwrap();
        let known = match request.into_inner().key {
            Some(Key::LocalId(id)) => memory.stored.contains(&id),
            Some(Key::PatientId(id)) => id == "p",
            None => return Err(refuse(Code::InvalidArgument, "argument_invalid")),
        };
        let patient = Some(v1::Patient::default());
        let found = GetPatientResponse {
            patient_id: "p".into(),
            revision: 1,
            patient,
        };
        if known {
            Ok(Response::new(found))
        } else {
            Err(refuse(Code::NotFound, "patient_unknown"))
        }
    }

    async fn list_events(
        &self,
        request: Request<ListEventsRequest>,
    ) -> Result<Response<ListEventsResponse>, Status> {
        admit(&request)?;
        let after = usize::try_from(request.into_inner().after_revision).unwrap();
        let log = self.0.lock().unwrap().log.clone();
        let events: Vec<Bytes> = log
            .iter()
            .skip(after)
            .take(100)
            .map(|(_, event)| event.clone())
            .collect();
        let more = after + events.len() < log.len();
        let through_revision = u64::try_from(after + events.len()).unwrap();
        Ok(Response::new(ListEventsResponse {
            events,
            more,
            through_revision,
            ..ListEventsResponse::default()
        }))
    }

    async fn find_patients(
        &self,
        request: Request<v1::FindPatientsRequest>,
    ) -> Result<Response<v1::FindPatientsResponse>, Status> {
        admit(&request)?;
        let memory = self.0.lock().unwrap();
        let after = request.get_ref().page_token.clone();
        let mut ids: Vec<String> = memory.stored.iter().map(|id| format!("p{id}")).collect();
        ids.sort();
        ids.retain(|id| *id > after);
        let more = ids.len() > 2;
        ids.truncate(2);
        let next_page_token = ids.last().filter(|_| more).cloned().unwrap_or_default();
        let found = |patient_id| v1::FoundPatient {
            patient_id,
            revision: 1,
            patient: Some(v1::Patient::default()),
        };
        Ok(Response::new(v1::FindPatientsResponse {
            patients: ids.into_iter().map(found).collect(),
            next_page_token,
        }))
    }

    async fn put_image(
        &self,
        request: Request<Streaming<v1::PutImageRequest>>,
    ) -> Result<Response<v1::PutImageResponse>, Status> {
        admit(&request)?;
        images::put(&self.0, request.into_inner())
            .await
            .map(Response::new)
    }

    async fn resume_image(
        &self,
        request: Request<v1::ResumeImageRequest>,
    ) -> Result<Response<v1::ResumeImageResponse>, Status> {
        admit(&request)?;
        let offset = images::offset(&self.0, request.get_ref());
        Ok(Response::new(v1::ResumeImageResponse { offset }))
    }

    type GetImageStream = ReceiverStream<Result<v1::GetImageResponse, Status>>;

    async fn get_image(
        &self,
        request: Request<v1::GetImageRequest>,
    ) -> Result<Response<Self::GetImageStream>, Status> {
        admit(&request)?;
        let (answers, receiver) = mpsc::channel(4);
        tokio::spawn(images::get(Arc::clone(&self.0), request.into_inner(), answers));
        Ok(Response::new(ReceiverStream::new(receiver)))
    }
}
