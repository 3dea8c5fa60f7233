//! From stored bytes and what a system says of them to the registry: the one way in for images, whoever brings them.
//!
//! Reads the first [`HEAD_BYTES`] and the last [`TAIL_BYTES`] of an image, never its pixels, and at most that much is in memory
//! for each image that is taken. What the file says and what the system claims is for [`describe`]; whose the image is, whether the
//! file names that patient, and whether it is news, for the registry.
//!
//! May fail with [`IntakeError`]. Nothing was told then, and bytes that no image has are collected later.

use super::{
    DescribeError, Excerpt, HEAD_BYTES, TAIL_BYTES, describe,
    room::{Room, RoomError},
};
use crate::registry::{ImageTaken, ObserveError, Registry};
use archwire_core::{Digest, ImageClaim, ImageObservation, LocalId, PatientId, SystemName};
use archwire_nats::{ByteSize, ImageStore, ImageStoreError};
use std::{sync::Arc, time::SystemTime};

/// Where images come in; cheap to clone.
#[derive(Clone)]
pub struct Intake {
    store: ImageStore,
    registry: Arc<Registry>,
    room: Room,
    largest: ByteSize,
}

/// What a system says of an image whose bytes are stored.
#[derive(Debug, Clone)]
pub struct ImageArrived {
    /// Who says so.
    pub system: SystemName,
    /// Whose image it is, where the system learnt the bus's id.
    pub patient_id: Option<PatientId>,
    /// Whose image it is, by the record that the system keeps of the patient. One of the two is there.
    pub record: Option<LocalId>,
    /// The image's id in the system, where it has one there.
    pub local_id: Option<LocalId>,
    /// SHA-256 of the bytes.
    pub digest: Digest,
    /// What the system says of it beside the bytes.
    pub claim: ImageClaim,
    /// When the system showed it, where it says so.
    pub observed_at: Option<SystemTime>,
    /// Who took or changed it, in the system's own terms. Never a patient.
    pub actor: Option<String>,
}

/// An image that was not taken.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// Its bytes cannot be read back.
    #[error("the bytes of the image cannot be read")]
    Store(#[from] ImageStoreError),
    /// Its bytes are no image that the bus carries.
    #[error("the file is none that the bus carries")]
    Described(#[from] DescribeError),
    /// It was not told.
    #[error("the image was not told")]
    Observe(#[from] ObserveError),
}

impl IntakeError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::Described(error) => error.code(),
            Self::Observe(error) => error.code(),
        }
    }

    /// Whether the same image may be taken later without anybody changing anything.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Store(error) => matches!(error, ImageStoreError::Unavailable { .. }),
            Self::Described(_) => false,
            Self::Observe(error) => error.is_retryable(),
        }
    }
}

impl Intake {
    /// The way into a registry for images of a store, of which one has at most `largest` bytes.
    #[must_use]
    pub fn new(store: ImageStore, registry: Arc<Registry>, room: Room, largest: ByteSize) -> Self {
        Self {
            store,
            registry,
            room,
            largest,
        }
    }

    /// Where the bytes are.
    #[must_use]
    pub fn store(&self) -> &ImageStore {
        &self.store
    }

    /// The most bytes of one image.
    #[must_use]
    pub fn largest(&self) -> ByteSize {
        self.largest
    }

    /// Whether so many bytes more may be put on the disk.
    ///
    /// # Errors
    /// When they may not.
    pub fn has_room(&self, bytes: u64) -> Result<(), RoomError> {
        self.room.has(bytes)
    }

    /// How full the disk is.
    #[must_use]
    pub fn room(&self) -> &Room {
        &self.room
    }

    /// Takes an image whose bytes are stored. Returns after what came of it is stored too.
    ///
    /// # Errors
    /// When it was not taken; then nothing was told of it.
    pub async fn take(&self, arrived: ImageArrived) -> Result<ImageTaken, IntakeError> {
        let ImageArrived {
            system,
            patient_id,
            record,
            local_id,
            digest,
            claim,
            observed_at,
            actor,
        } = arrived;
        let whose = self.whose(&system, patient_id, record.as_ref());
        let described = self
            .looked_at(claim, &digest, whose.unwrap_or_else(nobody))
            .await?;
        let observation = ImageObservation {
            system,
            patient_id,
            record,
            local_id,
            image: described.image,
            named: described.named.map(Box::new),
            observed_at,
            actor,
        };
        Ok(self.registry.take_image(observation).await?)
    }

    /// The patient whose image it is said to be, as far as that is known.
    #[must_use]
    pub fn whose(
        &self,
        system: &SystemName,
        patient_id: Option<PatientId>,
        record: Option<&LocalId>,
    ) -> Option<PatientId> {
        let index = self.registry.index();
        match (patient_id, record) {
            (Some(patient), _) => Some(index.current(patient)),
            (None, Some(record)) => index.linked(system, record),
            (None, None) => None,
        }
    }

    async fn looked_at(
        &self,
        claim: ImageClaim,
        digest: &Digest,
        patient: PatientId,
    ) -> Result<super::Described, IntakeError> {
        let unknown = || ImageStoreError::Unknown { digest: *digest };
        let size = self.store.contains(digest).await?.ok_or_else(unknown)?;
        let head = self.store.head(digest, HEAD_BYTES).await?;
        let tail = match usize::try_from(size) {
            Ok(size) if size == head.len() => head.slice(size.saturating_sub(TAIL_BYTES)..),
            _ => self.store.tail(digest, TAIL_BYTES).await?,
        };
        let excerpt = Excerpt {
            head: &head,
            tail: &tail,
            size,
            digest: *digest,
        };
        Ok(describe(claim, &excerpt, patient)?)
    }
}

/// Stands for the patient of a record that the bus has not heard of. Such an image waits for a person, and gets identifiers of its
/// patient when that is decided.
fn nobody() -> PatientId {
    let nobody = "00000000-0000-7000-8000-000000000000";
    nobody.parse().unwrap_or_else(|_| PatientId::generate())
}
