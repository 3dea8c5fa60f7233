//! The connection to one bus, and the calls that ask once. Every call is bounded in time by [`ANSWER`].

use crate::{
    PatientKey,
    endpoint::{Bearer, Endpoint},
    error::ClientError,
    images::{GetImage, NewImage, PutImage},
    publisher::Publisher,
    subscription::{SubscribeOptions, Subscription},
    v1::{
        Event, FindPatientsRequest, FindPatientsResponse, FoundPatient, GetPatientRequest,
        GetPatientResponse, ListEventsRequest, ListEventsResponse, bus_client::BusClient,
    },
};
use bytes::Bytes;
use prost::Message as _;
use std::{
    fmt::{Debug, Formatter},
    ops::RangeInclusive,
    sync::Arc,
    time::Duration,
};
use tokio::time::timeout;
use tonic::{Code, Request, service::interceptor::InterceptedService, transport::Channel};

/// How long the bus may take to answer a call or to open a stream.
pub(crate) const ANSWER: Duration = Duration::from_secs(30);
/// The most bytes of one answer. A page of events is the largest.
const LARGEST_ANSWER: usize = 16 * 1024 * 1024;
/// How long a publisher tries when nothing else is said.
const DEFAULT_DEADLINE: Duration = Duration::from_secs(30);

pub(crate) type Bus = BusClient<InterceptedService<Channel, Bearer>>;

/// A connection to one bus. Clones share it. When it breaks, the next call makes a new one.
#[derive(Clone)]
pub struct Client {
    bus: Bus,
}

impl Client {
    /// Connects, within the endpoint's `connect_timeout`. Whether the bus knows the token or the certificate shows at the first call.
    ///
    /// # Errors
    /// When the endpoint cannot be used as it is, or the bus cannot be reached.
    pub async fn connect(endpoint: Endpoint) -> Result<Self, ClientError> {
        let (transport, bearer) = (endpoint.transport()?, endpoint.bearer()?);
        let channel = timeout(endpoint.connect_timeout, transport.connect())
            .await
            .map_err(|_| ClientError::Silent(endpoint.connect_timeout))?
            .map_err(|source| ClientError::Unreachable {
                url: endpoint.url,
                source: Arc::new(source),
            })?;
        Ok(Self::over(channel, bearer))
    }

    /// A client that connects at its first call, for a program that may start before the bus does.
    ///
    /// # Errors
    /// When the endpoint cannot be used as it is.
    pub fn connect_lazily(endpoint: &Endpoint) -> Result<Self, ClientError> {
        Ok(Self::over(
            endpoint.transport()?.connect_lazy(),
            endpoint.bearer()?,
        ))
    }

    fn over(channel: Channel, bearer: Bearer) -> Self {
        let bus = BusClient::with_interceptor(channel, bearer).max_decoding_message_size(LARGEST_ANSWER);
        Self { bus }
    }

    /// A publisher that tries for 30 s before it gives an observation up.
    #[must_use]
    pub fn publisher(&self) -> Publisher {
        self.publisher_with_deadline(DEFAULT_DEADLINE)
    }

    /// A publisher that tries for this long before it gives an observation up.
    #[must_use]
    pub fn publisher_with_deadline(&self, deadline: Duration) -> Publisher {
        Publisher::start(self.bus.clone(), deadline)
    }

    /// A subscription. It opens with the first call of [`Subscription::next`].
    #[must_use]
    pub fn subscribe(&self, options: SubscribeOptions) -> Subscription {
        Subscription::new(self.bus.clone(), options)
    }

    /// The current state of a patient, by the bus's patient id or by your own local id; `None` when the bus knows
    /// neither.
    ///
    /// # Errors
    /// When the bus does not answer or refuses.
    pub async fn get_patient(&self, key: PatientKey) -> Result<Option<GetPatientResponse>, ClientError> {
        let request = bounded(GetPatientRequest {
            key: Some(key),
            mask: None,
        });
        match self.bus.clone().get_patient(request).await {
            Ok(response) => Ok(Some(response.into_inner())),
            Err(status) if status.code() == Code::NotFound => Ok(None),
            Err(status) => Err(status.into()),
        }
    }

    /// Puts an image on the bus: `client.put_image(NewImage::of_record("17")).file("ceph.dcm").await?`.
    pub fn put_image(&self, image: NewImage) -> PutImage {
        PutImage::new(self.bus.clone(), image)
    }

    /// Gets the bytes of an image, which events name by its `instance_uid`: `client.get_image(uid).file("ceph.dcm").await?`.
    pub fn get_image(&self, instance_uid: impl Into<String>) -> GetImage {
        GetImage::new(self.bus.clone(), instance_uid.into())
    }

    /// A page of those who are as was asked for, in the order of their ids. For the next page, ask the same again with
    /// [`FoundPage::next`] as `page_token`. A page may be empty although more follow.
    ///
    /// # Errors
    /// When the bus does not answer or refuses, such as for fields that the contract does not read (`field_denied`).
    pub async fn find_patients(&self, request: FindPatientsRequest) -> Result<FoundPage, ClientError> {
        let response = self.bus.clone().find_patients(bounded(request)).await?;
        let FindPatientsResponse {
            patients,
            next_page_token,
        } = response.into_inner();
        let next = Some(next_page_token).filter(|token| !token.is_empty());
        Ok(FoundPage { patients, next })
    }

    /// A page of a patient's history, oldest first: what came after `after_revision`, 0 for all. For the next page,
    /// ask again with [`EventPage::next`].
    ///
    /// # Errors
    /// When the bus does not answer or refuses, or an event cannot be read.
    pub async fn list_events(&self, patient_id: &str, after_revision: u64) -> Result<EventPage, ClientError> {
        let request = ListEventsRequest {
            patient_id: patient_id.to_owned(),
            after_revision,
            ..ListEventsRequest::default()
        };
        let response = self.bus.clone().list_events(bounded(request)).await?;
        let ListEventsResponse {
            events: raw,
            more,
            withheld,
            through_revision,
        } = response.into_inner();
        let withheld = withheld
            .into_iter()
            .map(|revisions| revisions.first..=revisions.last);
        let withheld: Vec<_> = withheld.collect();
        let mut events = Vec::with_capacity(raw.len());
        let revisions = after_revision.saturating_add(1)..;
        let shown = revisions.filter(|revision| !withheld.iter().any(|withheld| withheld.contains(revision)));
        for (raw, revision) in raw.into_iter().zip(shown) {
            let event = Event::decode(raw.clone()).map_err(|source| ClientError::Unreadable {
                sequence: revision,
                source,
            })?;
            events.push(StoredEvent { event, raw });
        }
        Ok(EventPage {
            events,
            withheld,
            next: more.then_some(through_revision),
        })
    }
}

pub(crate) fn bounded<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(ANSWER);
    request
}

/// Part of a patient's history.
#[derive(Debug)]
pub struct EventPage {
    /// The events, oldest first.
    pub events: Vec<StoredEvent>,
    /// Revisions among these that the contract does not show: they were not lost.
    pub withheld: Vec<RangeInclusive<u64>>,
    /// The revision after which the next page begins; `None` at the end.
    pub next: Option<u64>,
}

/// Part of those who were looked for.
pub struct FoundPage {
    /// Who was found, in the order of their ids.
    pub patients: Vec<FoundPatient>,
    /// The token of the next page; `None` at the end.
    pub next: Option<String>,
}

impl Debug for FoundPage {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FoundPage")
            .field("patients", &self.patients.len())
            .finish_non_exhaustive()
    }
}

/// One event of a patient's history.
pub struct StoredEvent {
    /// The event.
    pub event: Event,
    /// Its bytes as the log holds them, with fields that this version does not know.
    pub raw: Bytes,
}

impl Debug for StoredEvent {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredEvent")
            .field("revision", &self.event.revision)
            .finish_non_exhaustive()
    }
}
