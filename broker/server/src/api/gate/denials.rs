//! What a vendor asked for, or said, that its contract does not grant: counted for the audit, so that nobody tries out unseen for months
//! what there is.

use crate::{api::status::ERROR_CODE, audit::Audit};
use archwire_core::SystemName;
use http::HeaderMap;

/// The codes that say so.
const DENIED: [&str; 4] = ["field_denied", "images_denied", "kind_denied", "patient_denied"];

/// Counts for one vendor. Cheap to clone.
#[derive(Clone)]
pub(in crate::api) struct Denials {
    audit: Audit,
    vendor: SystemName,
}

impl Denials {
    pub(super) fn new(audit: Audit, vendor: SystemName) -> Self {
        Self { audit, vendor }
    }

    /// Counts an answer with this code, if it is one that says so.
    pub(in crate::api) fn heed(&self, code: &str) {
        if let Some(code) = DENIED.into_iter().find(|denied| *denied == code) {
            self.audit.access_denied(&self.vendor, code);
        }
    }

    /// The same of the end of a call, where it carries a code.
    pub(super) fn heed_end(&self, headers: &HeaderMap) {
        if let Some(Ok(code)) = headers.get(ERROR_CODE).map(|code| code.to_str()) {
            self.heed(code);
        }
    }
}
