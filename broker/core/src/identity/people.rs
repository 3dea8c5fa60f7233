//! The index over all current patients.

use super::{Known, Profile, Trust, Verdict};
use crate::PatientId;

/// A compact index over all current patients.
#[derive(Debug, Default)]
pub struct People {
    #[allow(dead_code, reason = "read by the rules that follow")]
    trust: Trust,
}

impl People {
    /// An empty index.
    #[must_use]
    pub fn new(trust: Trust) -> Self {
        Self { trust }
    }

    /// Inserts or replaces a patient.
    pub fn put(&mut self, _id: PatientId, _profile: &Profile) {}

    /// Removes a patient.
    pub fn remove(&mut self, _id: PatientId) {}

    /// Who the person of `profile` is.
    #[must_use]
    pub fn identify(&self, _profile: &Profile, _known: &dyn Fn(PatientId) -> Option<Known>) -> Verdict {
        Verdict::default()
    }
}
