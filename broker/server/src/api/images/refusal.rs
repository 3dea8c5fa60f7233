//! Why an image was not taken or given, as a status: the codes that the contract lists.

use crate::{
    api::status::{refuse, with_causes},
    imaging::{IntakeError, RoomError},
    registry::ObserveError,
    wire::WireError,
};
use archwire_nats::{AppendError, ImageStoreError};
use std::time::Duration;
use tonic::{Code, Status};

/// A field that cannot be taken.
pub(super) fn invalid_field(error: &WireError) -> Status {
    refuse(Code::InvalidArgument, "argument_invalid", with_causes(error))
}

/// Something about the request that cannot be taken.
pub(super) fn invalid(message: &str) -> Status {
    refuse(Code::InvalidArgument, "argument_invalid", message)
}

/// The disk is too full.
pub(super) fn no_room(error: RoomError) -> Status {
    tracing::warn!(code = error.code(), "{error}");
    let message = "there is no room for images; the practice has to make some";
    refuse(Code::ResourceExhausted, error.code(), message)
}

/// More uploads than a vendor may have at a time.
pub(super) fn too_many_puts(most: usize) -> Status {
    let message = format!("a vendor has at most {most} uploads at a time; come again when one has ended");
    refuse(Code::ResourceExhausted, "image_uploads_full", message)
}

/// More reads than a vendor may have at a time.
pub(super) fn too_many_gets(most: usize) -> Status {
    let message = format!("a vendor reads at most {most} images at a time; come again when one has ended");
    refuse(Code::ResourceExhausted, "image_reads_full", message)
}

/// The contract says nothing of images.
pub(super) fn images_denied(what: &str) -> Status {
    let message = format!("the contract does not let this vendor {what} images");
    refuse(Code::PermissionDenied, "images_denied", message)
}

/// Nothing came for too long.
pub(super) fn idle(waited: Duration) -> Status {
    let message =
        format!("less than 1 MiB came in {waited:?} of waiting; ask ResumeImage and go on with the rest");
    refuse(Code::DeadlineExceeded, "image_upload_idle", message)
}

/// Nothing was taken for too long.
pub(super) fn not_read(waited: Duration) -> Status {
    let message = format!("nothing was taken for {waited:?}; ask again from where you are");
    refuse(Code::DeadlineExceeded, "image_read_idle", message)
}

/// A piece that brings nothing.
pub(super) fn empty_piece() -> Status {
    let message = "a piece of `data` has at least one byte";
    refuse(Code::InvalidArgument, "image_invalid", message)
}

/// Another size than the bytes with that digest have.
pub(super) fn size_differs(promised: u64, found: u64) -> Status {
    let error = ImageStoreError::SizeDiffers { promised, found };
    refuse(Code::InvalidArgument, error.code(), error.to_string())
}

/// The broker stops.
pub(super) fn stopping() -> Status {
    let message = "the broker is stopping; come again";
    refuse(Code::Unavailable, "stopping", message)
}

/// A place in an image that has not so many bytes.
pub(super) fn ahead(there: u64) -> Status {
    let message = format!("`offset` is ahead: there are {there} bytes");
    refuse(Code::OutOfRange, "image_offset_ahead", message)
}

/// No image by that name.
pub(super) fn unknown_image() -> Status {
    let message = "the bus has been told of no such image";
    refuse(Code::NotFound, "image_unknown", message)
}

/// An image that was not taken.
pub(super) fn not_taken(error: &IntakeError) -> Status {
    match error {
        IntakeError::Store(error) => not_stored(error),
        IntakeError::Described(described) => {
            tracing::warn!(code = described.code(), "an image of a vendor was not taken");
            let message = format!("{}: {}", described.code(), with_causes(described));
            refuse(Code::InvalidArgument, "image_invalid", message)
        }
        IntakeError::Observe(observe) => not_observed(observe),
    }
}

/// An image that the registry did not take.
pub(super) fn not_observed(error: &ObserveError) -> Status {
    tracing::warn!(code = error.code(), "an image of a vendor was not told");
    let code = match error {
        ObserveError::Invalid(_) | ObserveError::Bound(_) => Code::InvalidArgument,
        ObserveError::KindDenied { .. } | ObserveError::VendorGone => Code::PermissionDenied,
        ObserveError::UnknownPatient => Code::NotFound,
        ObserveError::ImagesFull
        | ObserveError::ReviewFull
        | ObserveError::UnknownFull
        | ObserveError::Append(AppendError::Full { .. }) => Code::ResourceExhausted,
        error if error.is_retryable() => Code::Unavailable,
        _ => Code::Internal,
    };
    refuse(code, error.code(), error.to_string())
}

/// Bytes that were not stored, or cannot be given.
pub(super) fn not_stored(error: &ImageStoreError) -> Status {
    let (code, own) = match error {
        ImageStoreError::SizeDiffers { promised, found } if found < promised => {
            (Code::Aborted, "image_incomplete")
        }
        ImageStoreError::Empty
        | ImageStoreError::DigestDiffers { .. }
        | ImageStoreError::SizeDiffers { .. } => (Code::InvalidArgument, error.code()),
        ImageStoreError::TooLarge { .. } => (Code::ResourceExhausted, error.code()),
        ImageStoreError::UploadsFull { .. } => (Code::ResourceExhausted, error.code()),
        ImageStoreError::Replaced => (Code::Aborted, error.code()),
        ImageStoreError::Unknown { .. } => (Code::NotFound, error.code()),
        ImageStoreError::Full { .. } => {
            tracing::warn!(code = error.code(), "there is no room for images");
            let message = "there is no room for images; the practice has to make some";
            return refuse(Code::ResourceExhausted, error.code(), message);
        }
        ImageStoreError::Damaged { .. } => {
            tracing::error!(code = error.code(), "an image is damaged in the store");
            (Code::DataLoss, error.code())
        }
        ImageStoreError::Unavailable { .. } => {
            tracing::warn!(code = error.code(), "the images cannot be reached for a vendor");
            (Code::Unavailable, error.code())
        }
    };
    refuse(code, own, error.to_string())
}
