//! What could not be delivered, kept with its reason until a person decides.

use archwire_core::{PatientId, Reason, SystemName};
use archwire_nats::Bucket;
use serde::Serialize;
use std::time::SystemTime;

/// Why a delivery is parked. `detail` may quote the system: it is stored, never logged.
#[derive(Debug, Clone)]
pub(super) struct Why {
    pub(super) code: String,
    status: Option<u16>,
    detail: Option<String>,
}

impl Why {
    pub(super) fn of_code(code: &str) -> Self {
        Self {
            code: code.to_owned(),
            status: None,
            detail: None,
        }
    }

    pub(super) fn of_reason(reason: &Reason) -> Self {
        Self {
            code: reason.code.as_str().to_owned(),
            status: reason.status,
            detail: reason.detail.clone(),
        }
    }
}

/// An entry of the bucket `parked`, in JSON: one for a patient in a system, because a later delivery brings everything
/// that an earlier one did not.
#[derive(Serialize)]
struct Parked<'a> {
    system: &'a str,
    patient_id: String,
    sequences: &'a [u64],
    reason: &'a str,
    status: Option<u16>,
    detail: Option<&'a str>,
    attempts: u32,
    connector_version: &'a str,
    parked_at_unix: u64,
}

/// What is to be parked.
pub(super) struct Undeliverable<'a> {
    pub(super) system: &'a SystemName,
    pub(super) connector_version: &'a str,
    pub(super) patient: PatientId,
    pub(super) sequences: &'a [u64],
    pub(super) attempts: u32,
    pub(super) why: &'a Why,
}

impl Undeliverable<'_> {
    /// Stores the entry; only then may the event be acknowledged.
    pub(super) async fn park(&self, bucket: &Bucket) -> Result<(), archwire_nats::BucketError> {
        let since_1970 = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let parked = Parked {
            system: self.system.as_str(),
            patient_id: self.patient.to_string(),
            sequences: self.sequences,
            reason: &self.why.code,
            status: self.why.status,
            detail: self.why.detail.as_deref(),
            attempts: self.attempts,
            connector_version: self.connector_version,
            parked_at_unix: since_1970.as_secs(),
        };
        // The entry holds texts and numbers only, which always serialise.
        let json = serde_json::to_vec(&parked).unwrap_or_default();
        bucket
            .put(&format!("{}.{}", self.system, self.patient), json.into())
            .await?;
        tracing::error!(
            system = %self.system,
            patient = %self.patient,
            reason = self.why.code,
            status = self.why.status,
            attempts = self.attempts,
            "a delivery is parked: a person has to look at it"
        );
        Ok(())
    }
}
