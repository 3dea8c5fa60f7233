//! The first message of `PutImage`, read.

use super::refusal::{invalid, invalid_field};
use crate::wire::{WireError, read_digest, read_image_claim, read_said_time};
use archwire_core::{Digest, ImageClaim, LocalId, PatientId};
use archwire_proto::v1::{PutImageOpen, put_image_open};
use std::time::SystemTime;
use tonic::Status;

/// Most bytes of who took or changed an image, as for records.
const LONGEST_ACTOR: usize = 128;

/// What a vendor is about to put.
pub(super) struct Open {
    pub(super) patient_id: Option<PatientId>,
    pub(super) record: Option<LocalId>,
    pub(super) local_id: Option<LocalId>,
    pub(super) digest: Digest,
    pub(super) size: u64,
    pub(super) offset: u64,
    pub(super) claim: ImageClaim,
    pub(super) observed_at: Option<SystemTime>,
    pub(super) actor: Option<String>,
}

impl Open {
    /// Reads it.
    pub(super) fn read(message: PutImageOpen) -> Result<Self, Status> {
        use put_image_open::Patient;
        let (mut patient_id, mut record) = (None, None);
        match message.patient {
            Some(Patient::PatientId(id)) => {
                let parsed = id.parse().map_err(|error| WireError::Name("patient_id", error));
                patient_id = Some(parsed.map_err(|error| invalid_field(&error))?);
            }
            Some(Patient::RecordLocalId(id)) => record = Some(local_id("record_local_id", &id)?),
            None => return Err(invalid_field(&WireError::Missing("patient"))),
        }
        let own_id = message.local_id.filter(|id| !id.is_empty());
        let actor = message.actor.filter(|actor| !actor.is_empty());
        let is_long = |actor: &String| actor.len() > LONGEST_ACTOR || actor.contains(char::is_control);
        if actor.as_ref().is_some_and(is_long) {
            return Err(invalid("`actor` has at most 128 bytes and no control characters"));
        }
        let observed_at = message.observed_at.map(|at| read_said_time("observed_at", at));
        let claim = read_image_claim(message.image.unwrap_or_default());
        let digest = read_digest("sha256", &message.sha256);
        Ok(Self {
            patient_id,
            record,
            local_id: own_id.map(|id| local_id("local_id", &id)).transpose()?,
            digest: digest.map_err(|error| invalid_field(&error))?,
            size: message.size,
            offset: message.offset,
            claim: claim.map_err(|error| invalid_field(&error))?,
            observed_at: observed_at.transpose().map_err(|error| invalid_field(&error))?,
            actor,
        })
    }
}

fn local_id(field: &'static str, text: &str) -> Result<LocalId, Status> {
    let parsed = text.parse().map_err(|error| WireError::Name(field, error));
    parsed.map_err(|error| invalid_field(&error))
}
