//! What a DICOM file says of itself and of the patient, read from its header.

/// The namespace of what DICOM calls PatientID, in [`archwire_core::Identifier::system`]; the issuer is its assigner.
pub const PATIENT_ID: &str = "urn:dicom:patient-id";

/// Why the header of a DICOM file cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// The file ends before what it says is in it.
    #[error("the DICOM file ends before its own header says that it does")]
    Truncated,
}

impl HeaderError {
    /// Stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Truncated => "dicom_truncated",
        }
    }
}
