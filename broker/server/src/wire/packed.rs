//! Patients as the registry keeps them in memory and in its snapshot.

use super::{WireError, read_patient, write_patient};
use archwire_core::Patient;
use archwire_proto::v1;
use prost::Message as _;
use std::{fmt, sync::Arc};

/// A patient as bytes: how the registry keeps tens of thousands of them in memory, at some 300 bytes each.
#[derive(Clone, PartialEq, Eq)]
pub struct Packed(Arc<[u8]>);

impl Packed {
    /// Packs a patient.
    #[must_use]
    pub fn of(patient: &Patient) -> Self {
        Self(write_patient(patient).encode_to_vec().into())
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// What [`Packed::bytes`] gave, known to be unchanged by a hash.
    #[must_use]
    pub fn trusted(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    /// What the bytes say: these same ones, where they are equal, so that they are kept once.
    #[must_use]
    pub fn or_other(&self, bytes: &[u8]) -> Self {
        if *self.0 == *bytes {
            self.clone()
        } else {
            Self::trusted(bytes)
        }
    }

    /// The patient.
    ///
    /// # Errors
    /// Never for bytes that [`Packed::of`] made.
    pub fn patient(&self) -> Result<Patient, WireError> {
        let message = v1::Patient::decode(&*self.0).map_err(|_| WireError::NotAMessage)?;
        read_patient(message)
    }
}

impl fmt::Debug for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
