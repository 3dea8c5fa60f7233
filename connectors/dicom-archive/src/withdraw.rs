//! Taking an image out of the archive that is not the patient's: it was withdrawn, or it turned out to be another patient's and
//! has been stored under that one's identifiers.
//!
//! DICOMweb cannot do it, Orthanc can. Only what the bus itself put there goes: files that this connector made around others bear
//! its mark, and the SHA-256 of the file within has to be the image's and has to be right. A DICOM file that came as it is bears
//! none, and may be the machine's own copy. Where anything speaks against it, nothing goes, and a person is told the identifier.

use crate::archive::Archive;
use crate::file;
use crate::host::Purpose;
use crate::orthanc;
use crate::uid::Uid;
use archwire_connector::log::Level;
use archwire_connector::{DeliveryAction, Disposition, ImageDelivered, ImageDelivery};
use std::time::Duration;

/// What the archive has under an identifier after that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// Nothing, and nothing had to be done.
    Before,
    /// Nothing any more.
    Now,
    /// What was there. Why it was not taken away, for a person who does it by hand.
    ByHand(&'static str),
}

const NO_WAY: &str = "only Orthanc can take an image away, and only where it may be looked up and read";
const NOT_OURS: &str = "it does not bear the bus's mark with the digest of this image";
const NOT_ALLOWED: &str = "the grants or the archive's own rules do not allow DELETE";

/// Withdraws an image that is the patient's no more.
///
/// # Errors
/// `archive-keeps-images` when a person has to do it.
pub fn withdraw(
    archive: &Archive<'_>,
    delivery: &ImageDelivery,
    sha256: &str,
) -> Result<ImageDelivered, Disposition> {
    let named = delivery.local_id.as_deref();
    let named = named.or(delivery.image.instance_uid.as_deref());
    let Some(instance) = named.and_then(|named| Uid::parse(named).ok()) else {
        return Err(Disposition::rejected("delivery-incomplete").with_detail("instance-uid is missing"));
    };
    let action = match take_away(archive, &instance, sha256)? {
        Gone::Before => DeliveryAction::Unchanged,
        Gone::Now => DeliveryAction::Updated,
        Gone::ByHand(why) => {
            let uid = instance.as_str();
            let detail = format!("{uid} was withdrawn and has to be removed by hand in the archive: {why}");
            return Err(Disposition::rejected("archive-keeps-images").with_detail(detail));
        }
    };
    Ok(ImageDelivered {
        record: delivery.record.clone(),
        ..ImageDelivered::new(instance.as_str(), action)
    })
}

/// Takes everything away that the archive has under an identifier, if all of it is an image with this digest that the bus put
/// there.
///
/// # Errors
/// When the archive does not tell, or goes on showing it.
pub fn take_away(archive: &Archive<'_>, instance: &Uid, sha256: &str) -> Result<Gone, Disposition> {
    let Some(ids) = orthanc::images_named(archive, instance)? else {
        return Ok(match archive.images_named(instance)?.is_empty() {
            true => Gone::Before,
            false => Gone::ByHand(NO_WAY),
        });
    };
    for id in &ids {
        if let Some(why) = objection(archive, id, instance, sha256)? {
            return Ok(Gone::ByHand(why));
        }
    }
    for id in &ids {
        if !orthanc::remove(archive, id)? {
            return Ok(Gone::ByHand(NOT_ALLOWED));
        }
        archive.host.log(Level::Info, "image-taken-away", &[]);
    }
    match orthanc::images_named(archive, instance)? {
        Some(left) if !left.is_empty() => Err(Disposition::retry("still-there", Duration::from_secs(30))),
        _ if ids.is_empty() => Ok(Gone::Before),
        _ => Ok(Gone::Now),
    }
}

/// What speaks against an image being one that this connector put into the archive, around a file with this digest. It is read
/// whole.
fn objection(
    archive: &Archive<'_>,
    id: &str,
    instance: &Uid,
    sha256: &str,
) -> Result<Option<&'static str>, Disposition> {
    let Some(file) = orthanc::file(archive, id)? else {
        return Ok(Some(NO_WAY));
    };
    let taken = file::read(archive, file, Purpose::Measure)?;
    let header = &taken.header;
    let is_it = header.instance.as_ref() == Some(instance) && taken.sha256 == sha256;
    Ok((!is_it || header.payload.is_none()).then_some(NOT_OURS))
}

#[cfg(test)]
mod tests;
