//! `PutImage`, `ResumeImage` and `GetImage`: bytes in and out with constant memory, and one event at the end.
//!
//! A message brings at most [`LARGEST_PIECE`] bytes and is taken when the one before it is on its way to the store, so that a
//! sender who is faster than the disk waits in its connection. At a time [`PUTS`] uploads and [`GETS`] reads of one vendor; the
//! store takes 16 uploads in all. An upload that is waited for longer than
//! [`IDLE`] for [`LEAST_PACE`] bytes ends, and so does a read of which nobody takes anything for as long. Whatever ends an upload, its
//! bytes stay for going on with, but for those that turn out to be others than were promised, and on a disk without room.
//!
//! Of patients whom the contract is not about there are no images. A call under way ends when the contract does not grant images any
//! more.

mod coming;
mod get;
mod open;
mod put;
mod refusal;

use crate::{
    audit::{Audit, Disclosure, Terms, Told},
    imaging::Intake,
    registry::{ImageTaken, Registry},
    vendors::Admitted,
    wire::{read_digest, write_image},
};
use archwire_core::{
    Digest, ImageId, PatientId, SystemName,
    contract::{Contract, PatientScope},
};
use archwire_nats::UploadKey;
use archwire_proto::v1::{
    InReview, PutImageResponse, Recorded, ResumeImageRequest, ResumeImageResponse, Unchanged,
    put_image_response::Outcome,
};
use refusal::{images_denied, invalid_field, not_stored, size_differs};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tonic::Status;

/// The most bytes of an image in one message.
const LARGEST_PIECE: usize = 512 * 1024;
/// Uploads of one vendor at a time.
const PUTS: usize = 4;
/// Reads of one vendor at a time.
const GETS: usize = 8;
/// How long an upload waits for [`LEAST_PACE`] bytes or its end, and a read for its next piece to be taken.
const IDLE: Duration = Duration::from_secs(60);
/// Bytes of an upload that come within [`IDLE`], if not its end.
const LEAST_PACE: usize = 1024 * 1024;

/// The calls about images.
pub(super) struct ImageCalls {
    registry: Arc<Registry>,
    intake: Intake,
    audit: Audit,
    places: Mutex<HashMap<SystemName, Places>>,
    /// [`IDLE`], but for tests that cannot wait so long.
    idle: Duration,
    shutdown: CancellationToken,
}

/// How many calls of one vendor there may be. There are as many of these as vendors in the configuration.
#[derive(Clone)]
struct Places {
    puts: Arc<Semaphore>,
    gets: Arc<Semaphore>,
}

impl ImageCalls {
    /// The calls of one practice, of which `audit` tells. They end when `shutdown` comes.
    pub(super) fn new(
        registry: Arc<Registry>,
        intake: Intake,
        audit: Audit,
        shutdown: CancellationToken,
    ) -> Self {
        Self {
            registry,
            intake,
            audit,
            places: Mutex::default(),
            idle: IDLE,
            shutdown,
        }
    }

    /// The same calls with another end than after [`IDLE`].
    pub(super) fn with_idle(self, idle: Duration) -> Self {
        Self { idle, ..self }
    }

    /// Where an upload goes on.
    pub(super) async fn resume(
        &self,
        admitted: &Admitted,
        request: &ResumeImageRequest,
    ) -> Result<ResumeImageResponse, Status> {
        let contract = admitted.contract()?;
        may_put(&contract)?;
        let digest = read_digest("sha256", &request.sha256).map_err(|error| invalid_field(&error))?;
        let key = UploadKey {
            owner: admitted.vendor().clone(),
            promised: Some((digest, request.size)),
        };
        let store = self.intake.store();
        let size = store.contains(&digest).await;
        let offset = match size.map_err(|error| not_stored(&error))? {
            Some(size) if self.may_be_brief(&contract, &key, &digest).await? => match size == request.size {
                true => size,
                false => return Err(size_differs(request.size, size)),
            },
            // Of what others sent not even the size is told.
            Some(_) => 0,
            None => {
                let offset = store.offset(&key).await;
                offset.map_err(|error| not_stored(&error))?
            }
        };
        Ok(ResumeImageResponse { offset })
    }

    /// Whether an image that is there need not be sent once more: this vendor sent it, or an event tells of it and the vendor could
    /// get it from whosever it is. Else a digest would fetch the bytes of patients whom the contract is not about.
    async fn may_be_brief(
        &self,
        contract: &Contract,
        key: &UploadKey,
        digest: &Digest,
    ) -> Result<bool, Status> {
        let may_get = contract.images.read && contract.patients == PatientScope::All;
        if may_get && self.registry.uses(digest) {
            return Ok(true);
        }
        let is_theirs = self.intake.store().is_by(key).await;
        is_theirs.map_err(|error| not_stored(&error))
    }

    fn place(&self, vendor: &SystemName, of: fn(&Places) -> &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let places = places.entry(vendor.clone()).or_insert_with(|| Places {
            puts: Arc::new(Semaphore::new(PUTS)),
            gets: Arc::new(Semaphore::new(GETS)),
        });
        Arc::clone(of(places)).try_acquire_owned().ok()
    }

    /// Writes down that a vendor is told what others said of an image. Where that cannot be, it is not told, and has put its image
    /// all the same.
    async fn tells(&self, contract: &Contract, patient: PatientId, image: ImageId) -> bool {
        let (terms, told) = (Terms::of(contract), Told::Image(patient, image));
        let disclosed = self.audit.disclosed(Disclosure { terms: &terms, told }).await;
        disclosed.is_ok()
    }

    /// What the sender is told. What others said of an image is for those who may read images.
    async fn answer(&self, contract: &Contract, taken: ImageTaken) -> Result<PutImageResponse, Status> {
        let (outcome, image) = match taken {
            ImageTaken::Recorded {
                patient,
                revision,
                sequence,
                image,
            } => {
                let recorded = Recorded {
                    patient_id: patient.to_string(),
                    revision: revision.get(),
                    sequence,
                };
                (Outcome::Recorded(recorded), Some(image))
            }
            ImageTaken::Unchanged {
                patient,
                revision,
                image,
            } => {
                let unchanged = Unchanged {
                    patient_id: patient.to_string(),
                    revision: revision.get(),
                };
                let may_be_told = contract.images.read && self.tells(contract, patient, image).await;
                (Outcome::Unchanged(unchanged), may_be_told.then_some(image))
            }
            ImageTaken::InReview { item } => {
                let in_review = InReview {
                    item,
                    patient_id: String::new(),
                };
                (Outcome::InReview(in_review), None)
            }
        };
        let image = match image {
            // It is stored and told, so that a log that cannot be read right now is no reason to send it again.
            Some(id) => self.registry.image_news(id).await.ok().flatten(),
            None => None,
        };
        Ok(PutImageResponse {
            outcome: Some(outcome),
            image: image.map(|news| write_image(&news.image)),
        })
    }
}

/// Whether a contract lets images be put.
fn may_put(contract: &Contract) -> Result<(), Status> {
    contract
        .images
        .write
        .then_some(())
        .ok_or_else(|| images_denied("put"))
}

/// Whether a contract lets images be read.
fn may_get(contract: &Contract) -> Result<(), Status> {
    contract
        .images
        .read
        .then_some(())
        .ok_or_else(|| images_denied("read"))
}
