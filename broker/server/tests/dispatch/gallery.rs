//! Images in a town: where their bytes are, who tells of them, and the service's second room, which keeps what it is given.

use crate::{
    office::system,
    service::{Asked, Requests, taken},
    support::*,
};
use archwire::{dispatch::ImageDesk, registry::ImageTaken, wire::decode_sighting};
use archwire_core::{
    Copied, Digest, Image, ImageAbout, ImageFile, ImageId, ImageObservation, ImageUids, PatientId, Receipt,
    Sighted,
};
use archwire_host::MemoryImages;
use archwire_nats::Filter;
use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, Method, StatusCode},
    routing::put,
};
use futures_util::TryStreamExt as _;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};
use tokio::sync::Semaphore;

/// How many may look at the same time.
pub(crate) const VIEWERS: usize = 64;
/// Who takes pictures.
pub(crate) const CAMERA: &str = "camera";

/// What the service does with images.
#[derive(Default)]
pub(crate) struct Pictures {
    /// What it keeps, by the id in its address.
    pub(crate) kept: BTreeMap<String, Bytes>,
    /// Under which record it keeps each.
    pub(crate) records: BTreeMap<String, String>,
    pub(crate) requests: Requests,
    /// What everything is answered with, and nothing is done.
    pub(crate) trouble: Option<StatusCode>,
    /// The same for requests about these.
    pub(crate) troubled: BTreeMap<String, StatusCode>,
    /// How often what is sent is kept, and the answer to that is an error of the service.
    pub(crate) loses_answers: usize,
    /// How often one is still not found that is there.
    pub(crate) hidden: usize,
    /// What it shows instead of what it was given.
    pub(crate) shows: Option<&'static [u8]>,
    /// Whether nobody gets to see anything once something was sent, until viewers get their permits back.
    pub(crate) closes_when_sent: bool,
}

/// The service's second room.
#[derive(Clone)]
pub(crate) struct Gallery {
    pub(crate) content: MemoryImages,
    pub(crate) desk: ImageDesk,
    pictures: Arc<Mutex<Pictures>>,
    /// Who wants to see something needs a permit, and gives it back; to send something, none.
    pub(crate) viewers: Arc<Semaphore>,
}

impl Pictures {
    fn answered(&mut self, method: Method, id: &str) -> Option<StatusCode> {
        let asked = Asked {
            is_known: self.kept.contains_key(id),
            method,
            id,
            trouble: self.trouble.or_else(|| self.troubled.get(id).copied()),
        };
        asked.answered(&mut self.requests, &mut self.hidden)
    }

    /// How often something was sent, and taken.
    pub(crate) fn sent(&self) -> usize {
        taken(&self.requests)
    }
}

/// An image's id from its address.
fn whole((patient, first): (String, String)) -> String {
    format!("{patient}/{first}")
}

async fn keep(
    State(gallery): State<Gallery>,
    Path(id): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let id = whole(id);
    let record = headers.get("x-record").expect("it is said whose it is");
    let mut pictures = gallery.pictures();
    if let Some(status) = pictures.answered(Method::PUT, &id) {
        return status;
    }
    pictures
        .records
        .insert(id.clone(), record.to_str().unwrap().to_owned());
    pictures.kept.insert(id, body);
    if pictures.closes_when_sent {
        gallery.viewers.forget_permits(VIEWERS);
    }
    if pictures.loses_answers > 0 {
        pictures.loses_answers -= 1;
        return StatusCode::INTERNAL_SERVER_ERROR;
    }
    StatusCode::OK
}

async fn show(State(gallery): State<Gallery>, Path(id): Path<(String, String)>) -> Result<Bytes, StatusCode> {
    let id = whole(id);
    let _viewer = gallery.viewers.acquire().await.unwrap();
    let mut pictures = gallery.pictures();
    match pictures.answered(Method::GET, &id) {
        Some(status) => Err(status),
        None => Ok(pictures
            .shows
            .map_or_else(|| pictures.kept[&id].clone(), Bytes::from_static)),
    }
}

async fn forget(State(gallery): State<Gallery>, Path(id): Path<(String, String)>) -> StatusCode {
    let id = whole(id);
    let mut pictures = gallery.pictures();
    if let Some(status) = pictures.answered(Method::DELETE, &id) {
        return status;
    }
    pictures.kept.remove(&id);
    pictures.records.remove(&id);
    StatusCode::OK
}

impl Gallery {
    pub(crate) fn open(desk: ImageDesk) -> Self {
        Self {
            content: MemoryImages::default(),
            desk,
            pictures: Arc::default(),
            viewers: Arc::new(Semaphore::new(VIEWERS)),
        }
    }

    pub(crate) fn routes(&self) -> Router {
        Router::new()
            .route("/images/{patient}/{first}", put(keep).get(show).delete(forget))
            .with_state(self.clone())
    }

    pub(crate) fn pictures(&self) -> MutexGuard<'_, Pictures> {
        self.pictures.lock().unwrap()
    }
}

/// What is known of a photograph of a patient.
pub(crate) fn photograph(patient: PatientId, number: &str, bytes: &[u8]) -> Image {
    Image {
        uids: ImageUids::generated(patient, Digest::of(number.as_bytes())),
        file: ImageFile::new("image/jpeg", bytes.len().try_into().unwrap(), Digest::of(bytes)),
        about: ImageAbout::default(),
        translations: Vec::new(),
        warnings: Vec::new(),
    }
}

impl Town {
    /// The camera shows a photograph of a patient, for the first time or with other bytes.
    pub(crate) async fn taken(&self, patient: PatientId, number: &str, bytes: &[u8]) -> ImageId {
        self.gallery.content.insert(bytes.to_vec());
        let observation = ImageObservation {
            system: system(CAMERA),
            patient_id: Some(patient),
            record: None,
            local_id: Some(number.parse().unwrap()),
            image: photograph(patient, number, bytes),
            named: None,
            observed_at: None,
            actor: None,
        };
        let registry = &self.office.registry;
        match registry.take_image(observation).await.unwrap() {
            ImageTaken::Recorded { image, .. } | ImageTaken::Unchanged { image, .. } => image,
            ImageTaken::InReview { item } => panic!("a person is asked about it in item {item}"),
        }
    }

    /// The camera says that a photograph is the patient's no more.
    pub(crate) async fn retracted(&self, image: ImageId) {
        let registry = &self.office.registry;
        let camera = system(CAMERA);
        let retracting = registry.retract_image(&camera, image, None, None);
        retracting.await.unwrap();
    }

    /// What the log tells of an image in the archive.
    pub(crate) async fn copies(&self, image: ImageId) -> Vec<Copied> {
        let filter = Filter::Sightings {
            system: Some(system(ARCHIVE)),
            patient: None,
        };
        let stored = self.office.registry.log().replay(1, filter);
        let stored: Vec<_> = stored.try_collect().await.unwrap();
        let sightings = stored.into_iter();
        sightings
            .filter_map(|stored| match decode_sighting(stored.payload).unwrap().what {
                Sighted::Image(copy) if copy.id == image => Some(copy.what),
                _ => None,
            })
            .collect()
    }

    pub(crate) async fn image_receipts(&self, image: ImageId) -> Vec<Receipt> {
        let copies = self.copies(image).await.into_iter();
        copies
            .filter_map(|copy| match copy {
                Copied::Held { receipt, .. } => receipt,
                Copied::Receipted(receipt) => Some(receipt),
                Copied::Sending { .. } | Copied::Abandoned | Copied::Gone(_) => None,
            })
            .map(|receipt| *receipt)
            .collect()
    }

    /// Waits until there are so many receipts of an image, and no more.
    pub(crate) async fn image_receipted(&self, image: ImageId, count: usize) -> Vec<Receipt> {
        so_many(count, async || self.image_receipts(image).await).await
    }

    /// Under which record the archive keeps an image.
    pub(crate) fn pictured_under(&self, image: ImageId) -> Option<String> {
        self.gallery.pictures().records.get(&image.to_string()).cloned()
    }

    /// What the archive keeps of an image.
    pub(crate) fn pictured(&self, image: ImageId) -> Option<Bytes> {
        self.gallery.pictures().kept.get(&image.to_string()).cloned()
    }
}
