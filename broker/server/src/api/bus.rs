//! The service itself: authenticates, reads the request, hands over.

use super::{
    Vendors,
    images::ImageCalls,
    publish,
    status::{images_off, invalid, not_audited, unanswered, unknown_patient, unknown_record, unreadable},
    subscribe::Subscriptions,
};
use crate::{
    audit::{Disclosure, Terms, Told, kind_of},
    imaging::Intake,
    registry::{Entry, Registry},
    wire::{WireError, write_patient},
};
use archwire_core::{PatientId, SystemName};
use archwire_proto::v1::{
    GetImageRequest, GetImageResponse, GetPatientRequest, GetPatientResponse, ListEventsRequest,
    ListEventsResponse, PublishRequest, PublishResponse, PutImageRequest, PutImageResponse,
    ResumeImageRequest, ResumeImageResponse, SubscribeRequest, SubscribeResponse, bus_server::Bus,
    get_patient_request::Key,
};
use futures_util::{Stream, StreamExt as _};
use std::{pin::Pin, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

/// Events in a page when the caller does not say, and at most.
const PAGE: usize = 100;
const LONGEST_PAGE: usize = 1000;
/// Bytes after which a page ends early, so that the answer fits into a message that every gRPC client takes.
const LARGEST_PAGE: usize = 3 * 1024 * 1024;

/// `archwire.v1.Bus`.
pub struct BusService {
    registry: Arc<Registry>,
    vendors: Vendors,
    subscriptions: Arc<Subscriptions>,
    images: Option<ImageCalls>,
    shutdown: CancellationToken,
}

impl BusService {
    /// The service of one practice, which keeps images where there is a way in for them. Open calls end when `shutdown` comes.
    #[must_use]
    pub fn new(
        registry: Arc<Registry>,
        vendors: Vendors,
        subscriptions: Arc<Subscriptions>,
        images: Option<Intake>,
        shutdown: CancellationToken,
    ) -> Self {
        let images = images.map(|intake| {
            let audit = subscriptions.audit().clone();
            ImageCalls::new(Arc::clone(&registry), intake, audit, shutdown.clone())
        });
        Self {
            registry,
            vendors,
            subscriptions,
            images,
            shutdown,
        }
    }

    /// The same service, in which an upload and a read of an image end after another silence than 60 s.
    #[must_use]
    pub fn with_image_idle(self, idle: Duration) -> Self {
        let images = self.images.map(|images| images.with_idle(idle));
        Self { images, ..self }
    }

    async fn entry(&self, id: PatientId) -> Result<Entry, Status> {
        let known = || self.registry.index().entry(id).cloned();
        if let Some(entry) = known() {
            return Ok(entry);
        }
        // The caller may follow the log and have heard of the patient just now.
        self.registry.caught_up(id).await;
        known().ok_or_else(unknown_patient)
    }

    /// Writes down what a vendor is about to be told.
    async fn tells(&self, vendor: SystemName, told: Told) -> Result<(), Status> {
        let terms = &Terms::without_contract(vendor);
        let disclosed = self
            .subscriptions
            .audit()
            .disclosed(Disclosure { terms, told })
            .await;
        disclosed.map_err(|error| not_audited(&error))
    }

    fn images(&self) -> Result<&ImageCalls, Status> {
        self.images.as_ref().ok_or_else(images_off)
    }
}

fn patient_id(text: &str) -> Result<PatientId, Status> {
    text.parse()
        .map_err(|error| invalid(&WireError::Name("patient_id", error)))
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl Bus for BusService {
    type PublishStream = Answers<PublishResponse>;
    type SubscribeStream = Answers<SubscribeResponse>;

    async fn publish(
        &self,
        request: Request<Streaming<PublishRequest>>,
    ) -> Result<Response<Self::PublishStream>, Status> {
        let vendor = self.vendors.caller(&request)?;
        let traceparent = request.metadata().get("traceparent");
        let traceparent = traceparent.and_then(|value| value.to_str().ok());
        let answers = publish::answers(
            Arc::clone(&self.registry),
            vendor,
            traceparent.map(str::to_owned),
            request.into_inner(),
            self.shutdown.clone(),
        );
        Ok(Response::new(Box::pin(answers)))
    }

    async fn subscribe(
        &self,
        request: Request<Streaming<SubscribeRequest>>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let vendor = self.vendors.caller(&request)?;
        let answers = Arc::clone(&self.subscriptions)
            .open(vendor, request.into_inner())
            .await?;
        Ok(Response::new(Box::pin(answers)))
    }

    async fn get_patient(
        &self,
        request: Request<GetPatientRequest>,
    ) -> Result<Response<GetPatientResponse>, Status> {
        let vendor = self.vendors.caller(&request)?;
        let key = request
            .into_inner()
            .key
            .ok_or_else(|| invalid(&WireError::Missing("key")))?;
        let id = match key {
            Key::PatientId(id) => patient_id(&id)?,
            Key::LocalId(id) => {
                let local_id = id
                    .parse()
                    .map_err(|error| invalid(&WireError::Name("local_id", error)))?;
                self.registry
                    .index()
                    .linked(&vendor, &local_id)
                    .ok_or_else(unknown_record)?
            }
        };
        let entry = self.entry(id).await?;
        let patient = entry.patient().map_err(|error| unanswered(&error.into()))?;
        self.tells(vendor, Told::Patient(id)).await?;
        Ok(Response::new(GetPatientResponse {
            patient_id: id.to_string(),
            revision: entry.revision.get(),
            patient: Some(write_patient(&patient)),
        }))
    }

    async fn list_events(
        &self,
        request: Request<ListEventsRequest>,
    ) -> Result<Response<ListEventsResponse>, Status> {
        let vendor = self.vendors.caller(&request)?;
        let ListEventsRequest {
            patient_id: id,
            after_revision,
            page_size,
        } = request.into_inner();
        let id = patient_id(&id)?;
        self.entry(id).await?;
        let page = match usize::try_from(page_size).unwrap_or(LONGEST_PAGE) {
            0 => PAGE,
            size => size.min(LONGEST_PAGE),
        };
        let mut answer = ListEventsResponse::default();
        let (mut bytes, mut told) = (0, Vec::new());
        // Revisions are gapless from 1, so the number of events to pass over is known.
        let passed_over = usize::try_from(after_revision).unwrap_or(usize::MAX);
        let mut history = std::pin::pin!(self.registry.log().history(id, 0).skip(passed_over));
        while let Some(stored) = history.next().await {
            let stored = stored.map_err(|error| unreadable(&error))?;
            bytes += stored.payload.len();
            let is_full = answer.events.len() == page || (bytes > LARGEST_PAGE && !answer.events.is_empty());
            if is_full {
                answer.more = true;
                break;
            }
            told.push((stored.sequence, kind_of(&stored)));
            answer.events.push(stored.payload);
        }
        self.tells(vendor, Told::Events(id, told)).await?;
        Ok(Response::new(answer))
    }

    async fn put_image(
        &self,
        request: Request<Streaming<PutImageRequest>>,
    ) -> Result<Response<PutImageResponse>, Status> {
        let vendor = self.vendors.caller(&request)?;
        let put = self.images()?.put(vendor, request.into_inner());
        put.await.map(Response::new)
    }

    async fn resume_image(
        &self,
        request: Request<ResumeImageRequest>,
    ) -> Result<Response<ResumeImageResponse>, Status> {
        let vendor = self.vendors.caller(&request)?;
        let images = self.images()?;
        images.resume(vendor, request.get_ref()).await.map(Response::new)
    }

    type GetImageStream = Answers<GetImageResponse>;

    async fn get_image(
        &self,
        request: Request<GetImageRequest>,
    ) -> Result<Response<Self::GetImageStream>, Status> {
        let vendor = self.vendors.caller(&request)?;
        let answers = self.images()?.get(vendor, request.get_ref()).await?;
        Ok(Response::new(Box::pin(answers)))
    }
}
