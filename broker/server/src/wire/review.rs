//! Review items: what a person has to decide.

use super::{
    WireError,
    decision::{read_decision, write_decision},
    image_news::{read_held_image, write_held_image},
    timestamp,
    view::{read_local_id, read_recorded, read_required_time, read_source, write_observation, write_source},
};
use archwire_core::{Disagreement, Leaf, ReviewCandidate, ReviewItem, ReviewKind, UnreadableImage};
use archwire_proto::v1;
use prost::{Message as _, bytes::Bytes};

/// Writes a kind.
#[must_use]
pub fn write_review_kind(kind: ReviewKind) -> v1::ReviewKind {
    match kind {
        ReviewKind::PossibleDuplicate => v1::ReviewKind::PossibleDuplicate,
        ReviewKind::IdentifierConflict => v1::ReviewKind::IdentifierConflict,
        ReviewKind::RecordConflict => v1::ReviewKind::RecordConflict,
        ReviewKind::Disagreement => v1::ReviewKind::Disagreement,
        ReviewKind::Unreadable => v1::ReviewKind::Unreadable,
        ReviewKind::WrongPatient => v1::ReviewKind::WrongPatient,
        ReviewKind::UnknownRecord => v1::ReviewKind::UnknownRecord,
    }
}

/// Reads a kind; `None` for UNSPECIFIED.
///
/// # Errors
/// When this version does not have it.
pub fn read_review_kind(kind: i32) -> Result<Option<ReviewKind>, WireError> {
    Ok(match v1::ReviewKind::try_from(kind) {
        Ok(v1::ReviewKind::PossibleDuplicate) => Some(ReviewKind::PossibleDuplicate),
        Ok(v1::ReviewKind::IdentifierConflict) => Some(ReviewKind::IdentifierConflict),
        Ok(v1::ReviewKind::RecordConflict) => Some(ReviewKind::RecordConflict),
        Ok(v1::ReviewKind::Disagreement) => Some(ReviewKind::Disagreement),
        Ok(v1::ReviewKind::Unreadable) => Some(ReviewKind::Unreadable),
        Ok(v1::ReviewKind::WrongPatient) => Some(ReviewKind::WrongPatient),
        Ok(v1::ReviewKind::UnknownRecord) => Some(ReviewKind::UnknownRecord),
        Ok(v1::ReviewKind::Unspecified) => None,
        Err(_) => return Err(WireError::UnknownValue("kind")),
    })
}

/// Writes an item.
#[must_use]
pub fn write_review(item: &ReviewItem) -> v1::ReviewItem {
    v1::ReviewItem {
        number: item.number,
        kind: write_review_kind(item.kind).into(),
        opened_at: Some(timestamp(item.opened_at)),
        changed_at: Some(timestamp(item.changed_at)),
        system: item.system.as_ref().map(ToString::to_string),
        local_id: item.local_id.as_ref().map(|id| id.as_str().to_owned()),
        patient_id: item.patient.map(|id| id.to_string()),
        candidates: item.candidates.iter().map(write_candidate).collect(),
        disagreements: item.disagreements.iter().map(write_disagreement).collect(),
        held: item.held.as_deref().map(write_observation),
        reason: item.reason.clone(),
        source: item.source.as_ref().map(write_source),
        decision: item.decision.as_ref().map(write_decision),
        held_image: item.held_image.as_deref().map(write_held_image),
        unreadable_image: item.unreadable_image.as_ref().map(write_unreadable_image),
    }
}

/// An item as the log holds it.
#[must_use]
pub fn encode_review(item: &ReviewItem) -> Bytes {
    write_review(item).encode_to_vec().into()
}

/// Reads an item of the log.
///
/// # Errors
/// When the bytes are not one.
pub fn decode_review(bytes: Bytes) -> Result<ReviewItem, WireError> {
    let item = v1::ReviewItem::decode(bytes).map_err(|_| WireError::NotAMessage)?;
    let name = |field, error| WireError::Name(field, error);
    Ok(ReviewItem {
        number: item.number,
        kind: read_review_kind(item.kind)?.ok_or(WireError::Missing("kind"))?,
        opened_at: read_required_time("opened_at", item.opened_at)?,
        changed_at: read_required_time("changed_at", item.changed_at)?,
        system: item
            .system
            .map(|system| system.parse())
            .transpose()
            .map_err(|error| name("system", error))?,
        local_id: item.local_id.as_deref().map(read_local_id).transpose()?,
        patient: item
            .patient_id
            .map(|id| id.parse())
            .transpose()
            .map_err(|error| name("patient_id", error))?,
        candidates: item
            .candidates
            .into_iter()
            .map(read_candidate)
            .collect::<Result<_, _>>()?,
        disagreements: item
            .disagreements
            .into_iter()
            .map(read_disagreement)
            .collect::<Result<_, _>>()?,
        held: item.held.map(read_recorded).transpose()?.map(Box::new),
        reason: item.reason,
        source: item.source.map(read_source).transpose()?,
        decision: item.decision.map(read_decision).transpose()?,
        held_image: item.held_image.map(read_held_image).transpose()?.map(Box::new),
        unreadable_image: item.unreadable_image.map(read_unreadable_image).transpose()?,
    })
}

fn write_unreadable_image(image: &UnreadableImage) -> v1::UnreadableImage {
    v1::UnreadableImage {
        record_local_id: image.record.as_ref().map(|id| id.as_str().to_owned()),
    }
}

fn read_unreadable_image(image: v1::UnreadableImage) -> Result<UnreadableImage, WireError> {
    Ok(UnreadableImage {
        record: image.record_local_id.as_deref().map(read_local_id).transpose()?,
    })
}

fn write_candidate(candidate: &ReviewCandidate) -> v1::ReviewCandidate {
    v1::ReviewCandidate {
        patient_id: candidate.patient.to_string(),
        score_tenths: candidate.score_tenths,
        agrees: candidate.agrees.clone(),
        differs: candidate.differs.clone(),
        not_same: candidate.not_same,
    }
}

fn read_candidate(candidate: v1::ReviewCandidate) -> Result<ReviewCandidate, WireError> {
    let patient = candidate.patient_id.parse();
    Ok(ReviewCandidate {
        patient: patient.map_err(|error| WireError::Name("candidates.patient_id", error))?,
        score_tenths: candidate.score_tenths,
        agrees: candidate.agrees,
        differs: candidate.differs,
        not_same: candidate.not_same,
    })
}

fn write_disagreement(disagreement: &Disagreement) -> v1::Disagreement {
    v1::Disagreement {
        path: disagreement.path.to_string(),
        bus_json: disagreement.bus.as_ref().map(Leaf::to_json),
        shown_json: disagreement.shown.as_ref().map(Leaf::to_json),
    }
}

fn read_disagreement(disagreement: v1::Disagreement) -> Result<Disagreement, WireError> {
    let leaf = |json: Option<String>| json.as_deref().map(Leaf::from_json).transpose();
    Ok(Disagreement {
        path: disagreement.path.into(),
        bus: leaf(disagreement.bus_json).map_err(|_| WireError::Text("disagreements.bus_json"))?,
        shown: leaf(disagreement.shown_json).map_err(|_| WireError::Text("disagreements.shown_json"))?,
    })
}
