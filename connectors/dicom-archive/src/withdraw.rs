//! Taking an image out of the archive that is not the patient's: it was withdrawn, or it turned out to be another patient's and
//! has been stored under that one's identifiers.
//!
//! DICOMweb cannot do it, Orthanc can. Only what the bus itself put there goes: files that this connector made around others bear
//! its mark, the SHA-256 of the file within has to be the image's and has to be right, and it has to be of the patient under whom
//! it was made: staff give images to somebody else in the archive, whose it may be by now. A DICOM file that came as it is bears
//! none, and may be the machine's own copy. Where anything speaks against it, nothing goes, and a person is told the identifier.

use crate::archive::{Archive, File};
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
const MOVED: &str = "it is not the patient's any more under whom the bus put it there";
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
    let mut ours = Vec::new();
    for id in &ids {
        match look(archive, id, instance, sha256)? {
            Looked::Ours => ours.push(id),
            Looked::Gone => {}
            Looked::Objection(why) => return Ok(Gone::ByHand(why)),
        }
    }
    for id in &ours {
        if !orthanc::remove(archive, id)? {
            return Ok(Gone::ByHand(NOT_ALLOWED));
        }
        archive.host.log(Level::Info, "image-taken-away", &[]);
    }
    match orthanc::images_named(archive, instance)? {
        // What was not to be read is looked up still: something stands between the two.
        Some(left) if left.iter().any(|id| !ours.contains(&id)) => Ok(Gone::ByHand(NO_WAY)),
        Some(left) if !left.is_empty() => Err(Disposition::retry("still-there", Duration::from_secs(30))),
        _ if ours.is_empty() => Ok(Gone::Before),
        _ => Ok(Gone::Now),
    }
}

/// What an image turned out to be.
enum Looked {
    /// One that this connector put into the archive, around the file.
    Ours,
    /// It is not there any more.
    Gone,
    /// What speaks against it.
    Objection(&'static str),
}

/// Whether an image is one that this connector put into the archive, around a file with this digest. It is read whole.
fn look(archive: &Archive<'_>, id: &str, instance: &Uid, sha256: &str) -> Result<Looked, Disposition> {
    let file = match orthanc::file(archive, id)? {
        File::There(file) => file,
        File::Gone => return Ok(Looked::Gone),
        File::Denied => return Ok(Looked::Objection(NO_WAY)),
    };
    let taken = file::read(archive, file, Purpose::Measure)?;
    let header = &taken.header;
    let is_it = header.instance.as_ref() == Some(instance) && taken.sha256 == sha256;
    Ok(match header.payload {
        Some(_) if is_it && header.is_where_it_was_put() => Looked::Ours,
        Some(_) if is_it => Looked::Objection(MOVED),
        _ => Looked::Objection(NOT_OURS),
    })
}

#[cfg(test)]
mod tests;
