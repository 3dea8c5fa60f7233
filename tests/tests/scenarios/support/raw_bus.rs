//! The bus as the contract has it, without the client library: what is sent is looked at as it comes.

use anyhow::{Context as _, Result};
use archwire_proto::v1::{self, bus_client::BusClient, open, subscribe_request, subscribe_response};
use archwire_tests::Practice;
use prost::Message as _;
use std::time::Duration;
use tokio::{sync::mpsc, time::timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Status, Streaming, transport::Channel};

/// Nothing that should come takes longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A vendor's connection.
#[derive(Clone)]
pub(crate) struct RawBus {
    pub(crate) client: BusClient<Channel>,
    token: String,
}

/// A stream of events, with credit for all that a test needs.
pub(crate) struct RawStream {
    /// Held, so that the stream stays open.
    _requests: mpsc::Sender<v1::SubscribeRequest>,
    answers: Streaming<v1::SubscribeResponse>,
    /// What the last answer named as the one before the next.
    pub(crate) last: u64,
}

impl RawBus {
    pub(crate) async fn connect(practice: &Practice, vendor: &str) -> Result<Self> {
        Self::connect_with(practice, practice.token(vendor)?).await
    }

    /// The same with another token than the practice was planned with.
    pub(crate) async fn connect_with(practice: &Practice, token: &str) -> Result<Self> {
        let endpoint = tonic::transport::Endpoint::from_shared(practice.url())?;
        Ok(Self {
            client: BusClient::new(endpoint.connect().await?),
            token: format!("Bearer {token}"),
        })
    }

    pub(crate) fn with_token<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        let token = self.token.parse().expect("a token is ASCII");
        request.metadata_mut().insert("authorization", token);
        request
    }

    pub(crate) async fn events(&self, patient_id: &str) -> Result<v1::ListEventsResponse, Status> {
        let request = v1::ListEventsRequest {
            patient_id: patient_id.to_owned(),
            ..v1::ListEventsRequest::default()
        };
        let answer = self.client.clone().list_events(self.with_token(request)).await?;
        Ok(answer.into_inner())
    }

    pub(crate) async fn patient(&self, patient_id: &str) -> Result<v1::GetPatientResponse, Status> {
        let key = v1::get_patient_request::Key::PatientId(patient_id.to_owned());
        let request = v1::GetPatientRequest {
            key: Some(key),
            ..v1::GetPatientRequest::default()
        };
        let answer = self.client.clone().get_patient(self.with_token(request)).await?;
        Ok(answer.into_inner())
    }

    /// Follows the bus from the first event on.
    pub(crate) async fn follow(&self, name: &str) -> Result<RawStream> {
        let (requests, waiting) = mpsc::channel(16);
        let open = v1::Open {
            name: name.to_owned(),
            start: Some(open::Start::Earliest(v1::Earliest {})),
            ..v1::Open::default()
        };
        for request in [
            subscribe_request::Request::Open(open),
            subscribe_request::Request::Credit(v1::Credit { events: 1000 }),
        ] {
            let request = Some(request);
            requests.send(v1::SubscribeRequest { request }).await?;
        }
        let request = self.with_token(ReceiverStream::new(waiting));
        let answers = self.client.clone().subscribe(request).await?.into_inner();
        let mut stream = RawStream {
            _requests: requests,
            answers,
            last: 0,
        };
        match stream.answer().await? {
            Some(subscribe_response::Response::Opened(opened)) => stream.last = opened.after,
            _ => anyhow::bail!("`opened` does not come first"),
        }
        Ok(stream)
    }
}

impl RawStream {
    async fn answer(&mut self) -> Result<Option<subscribe_response::Response>, Status> {
        let answer = timeout(PATIENCE, self.answers.message()).await;
        let answer = answer.map_err(|_| Status::deadline_exceeded("nothing comes"))??;
        Ok(answer.and_then(|answer| answer.response))
    }

    /// The next event: where it stands in the log, and its bytes.
    pub(crate) async fn next(&mut self) -> Result<(u64, Vec<u8>), Status> {
        loop {
            match self.answer().await? {
                Some(subscribe_response::Response::Delivery(delivery)) => {
                    if delivery.turn != Some(v1::delivery::Turn::After(self.last)) {
                        return Err(Status::internal("the chain of deliveries has a hole"));
                    }
                    self.last = delivery.sequence;
                    return Ok((delivery.sequence, delivery.event.to_vec()));
                }
                Some(subscribe_response::Response::Heartbeat(_)) => {}
                _ => return Err(Status::internal("the stream ended")),
            }
        }
    }

    /// The next event, read.
    pub(crate) async fn next_event(&mut self) -> Result<v1::Event> {
        let (_, bytes) = self.next().await?;
        v1::Event::decode(bytes.as_slice()).context("no event")
    }

    /// The status with which it ends, whatever comes before.
    pub(crate) async fn end(&mut self) -> Status {
        loop {
            if let Err(status) = self.next().await {
                return status;
            }
        }
    }
}
