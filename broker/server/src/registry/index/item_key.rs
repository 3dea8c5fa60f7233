//! What an item is about, by which it is found again: there is one open item for each.

use archwire_core::{ImageObservation, LocalId, PatientId, ReviewItem, ReviewKind, SystemName};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What an item is about: there is one open item for each.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ItemKey {
    /// Whom else the patient may be.
    Patient(PatientId),
    /// Whom the record is about.
    Record(SystemName, LocalId),
    /// What the record says otherwise.
    Disagreement(SystemName, LocalId),
    /// A record that cannot be read; by its id, or where that is not known by the hash of what it is.
    Unreadable(SystemName, LocalId),
    /// A merge that a system made, and that cannot be made yet.
    Awaiting(SystemName, LocalId),
    /// An image of which it is not clear whose it is: by the SHA-256 of its id in the system, or of its bytes where it has none,
    /// and of whose it is said to be.
    Image(SystemName, [u8; 32]),
    /// A record that cannot be read and has no id.
    UnreadableBytes(SystemName, [u8; 32]),
    /// An image that cannot be taken as it is, by its id.
    UnreadableImage(SystemName, LocalId),
    /// One that has no id, by the SHA-256 of the record with which it is filed and of why it cannot be taken.
    UnreadableImageOf(SystemName, [u8; 32]),
    /// Whose a record is of which the bus has not heard.
    Unknown(SystemName, LocalId),
}

impl ItemKey {
    /// The record by whose observations an open item changes or ends.
    pub(in crate::registry) fn record(&self) -> Option<(SystemName, LocalId)> {
        match self {
            Self::Record(system, id) | Self::Disagreement(system, id) | Self::Unknown(system, id) => {
                Some((system.clone(), id.clone()))
            }
            _ => None,
        }
    }

    /// What an item is about.
    #[must_use]
    pub fn of(item: &ReviewItem) -> Option<Self> {
        let system = || item.system.clone();
        let record = || Some((system()?, item.local_id.clone()?));
        match item.kind {
            ReviewKind::PossibleDuplicate | ReviewKind::IdentifierConflict => item.patient.map(Self::Patient),
            ReviewKind::WrongPatient => {
                let observation = &item.held_image.as_ref()?.observation;
                Some(Self::Image(
                    system()?,
                    which_image(observation, item.patient, false),
                ))
            }
            ReviewKind::RecordConflict => record().map(|(system, id)| Self::Record(system, id)),
            ReviewKind::UnknownRecord => record().map(|(system, id)| Self::Unknown(system, id)),
            ReviewKind::Disagreement => record().map(|(system, id)| Self::Disagreement(system, id)),
            ReviewKind::Unreadable if item.unreadable_image.is_some() => Some(match record() {
                Some((system, id)) => Self::UnreadableImage(system, id),
                None => Self::UnreadableImageOf(system()?, without_id(item)),
            }),
            ReviewKind::Unreadable => match record() {
                Some((system, id)) if item.held.is_some() => Some(Self::Awaiting(system, id)),
                Some((system, id)) => Some(Self::Unreadable(system, id)),
                None => {
                    let hash = match (&item.source, &item.reason) {
                        (Some(source), _) => *source.sha256(),
                        (None, reason) => Sha256::digest(reason.as_deref().unwrap_or_default()).into(),
                    };
                    Some(Self::UnreadableBytes(system()?, hash))
                }
            },
        }
    }
}

/// What a person decides about: an image by its id in its system, or by its bytes where it has none or where these count too, of
/// the record or the patient whose it is said to be.
pub(in crate::registry) fn which_image(
    observation: &ImageObservation,
    patient: Option<PatientId>,
    with_bytes: bool,
) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hash.update(bytes.len().to_le_bytes());
        hash.update(bytes);
    };
    part(observation.system.as_str().as_bytes());
    part(
        observation
            .local_id
            .as_ref()
            .map_or(b"", |id| id.as_str().as_bytes()),
    );
    if with_bytes || observation.local_id.is_none() {
        part(observation.image.file.digest.as_bytes());
    }
    match (&observation.record, patient) {
        (Some(record), _) => part(record.as_str().as_bytes()),
        (None, Some(patient)) => part(patient.to_string().as_bytes()),
        (None, None) => {}
    }
    hash.finalize().into()
}

/// What tells images apart that cannot be taken and have no id.
fn without_id(item: &ReviewItem) -> [u8; 32] {
    let record = item
        .unreadable_image
        .as_ref()
        .and_then(|image| image.record.as_ref());
    let mut hash = Sha256::new();
    for part in [record.map(LocalId::as_str), item.reason.as_deref()] {
        let part = part.unwrap_or_default().as_bytes();
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}
