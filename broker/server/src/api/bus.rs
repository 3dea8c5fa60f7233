//! The service itself: authenticates, reads the request, hands over.

use super::{
    Callers,
    images::ImageCalls,
    publish,
    status::{images_off, invalid, not_audited, unknown_patient},
    subscribe::Subscriptions,
};
use crate::{
    audit::{Disclosure, Terms, Told},
    imaging::Intake,
    registry::{Entry, Registry},
    wire::WireError,
};
use archwire_core::{PatientId, contract::Contract};
use archwire_proto::v1::{
    FindPatientsRequest, FindPatientsResponse, GetImageRequest, GetImageResponse, GetPatientRequest,
    GetPatientResponse, ListEventsRequest, ListEventsResponse, PublishRequest, PublishResponse,
    PutImageRequest, PutImageResponse, ResumeImageRequest, ResumeImageResponse, SubscribeRequest,
    SubscribeResponse, bus_server::Bus,
};
use futures_util::Stream;
use std::{pin::Pin, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

/// `archwire.v1.Bus`.
pub struct BusService {
    pub(super) registry: Arc<Registry>,
    pub(super) callers: Callers,
    pub(super) subscriptions: Arc<Subscriptions>,
    images: Option<ImageCalls>,
    shutdown: CancellationToken,
}

impl BusService {
    /// The service of one practice, which keeps images where there is a way in for them. Open calls end when `shutdown` comes.
    #[must_use]
    pub fn new(
        registry: Arc<Registry>,
        callers: Callers,
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
            callers,
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

    /// What is known of a patient.
    pub(super) async fn entry(&self, id: PatientId) -> Result<Entry, Status> {
        let known = || self.registry.index().entry(id).cloned();
        if let Some(entry) = known() {
            return Ok(entry);
        }
        // The caller may follow the log and have heard of the patient just now.
        self.registry.caught_up(id).await;
        known().ok_or_else(unknown_patient)
    }

    /// Writes down what a vendor is about to be told.
    pub(super) async fn tells(&self, contract: &Contract, told: Told) -> Result<(), Status> {
        let terms = &Terms::of(contract);
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

/// Reads the bus's id of a patient.
pub(super) fn patient_id(text: &str) -> Result<PatientId, Status> {
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
        let admitted = self.callers.caller(&request)?;
        let turns = self.callers.turns(&request)?;
        let traceparent = request.metadata().get("traceparent");
        let traceparent = traceparent.and_then(|value| value.to_str().ok());
        let answers = publish::answers(
            Arc::clone(&self.registry),
            admitted,
            traceparent.map(str::to_owned),
            request.into_inner(),
            turns,
            self.shutdown.clone(),
        );
        Ok(Response::new(Box::pin(answers)))
    }

    async fn subscribe(
        &self,
        request: Request<Streaming<SubscribeRequest>>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let admitted = self.callers.caller(&request)?;
        let answers = Arc::clone(&self.subscriptions)
            .open(admitted, request.into_inner())
            .await?;
        Ok(Response::new(Box::pin(answers)))
    }

    async fn get_patient(
        &self,
        request: Request<GetPatientRequest>,
    ) -> Result<Response<GetPatientResponse>, Status> {
        let admitted = self.callers.caller(&request)?;
        self.patient(&admitted, request.into_inner())
            .await
            .map(Response::new)
    }

    async fn find_patients(
        &self,
        request: Request<FindPatientsRequest>,
    ) -> Result<Response<FindPatientsResponse>, Status> {
        let admitted = self.callers.caller(&request)?;
        self.find(admitted, request.into_inner()).await.map(Response::new)
    }

    async fn list_events(
        &self,
        request: Request<ListEventsRequest>,
    ) -> Result<Response<ListEventsResponse>, Status> {
        let admitted = self.callers.caller(&request)?;
        self.history(&admitted, request.into_inner())
            .await
            .map(Response::new)
    }

    async fn put_image(
        &self,
        request: Request<Streaming<PutImageRequest>>,
    ) -> Result<Response<PutImageResponse>, Status> {
        let admitted = self.callers.caller(&request)?;
        let put = self.images()?.put(admitted, request.into_inner());
        put.await.map(Response::new)
    }

    async fn resume_image(
        &self,
        request: Request<ResumeImageRequest>,
    ) -> Result<Response<ResumeImageResponse>, Status> {
        let admitted = self.callers.caller(&request)?;
        let images = self.images()?;
        images
            .resume(&admitted, request.get_ref())
            .await
            .map(Response::new)
    }

    type GetImageStream = Answers<GetImageResponse>;

    async fn get_image(
        &self,
        request: Request<GetImageRequest>,
    ) -> Result<Response<Self::GetImageStream>, Status> {
        let admitted = self.callers.caller(&request)?;
        let answers = self.images()?.get(admitted, request.get_ref()).await?;
        Ok(Response::new(Box::pin(answers)))
    }
}
