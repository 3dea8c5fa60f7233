//! Taking a file from the archive: its bytes go where they are wanted, and its header is looked at on the way.
//!
//! A file that this connector once put into a DICOM file is taken out of it again: what counts are the bytes that were
//! delivered. Memory is [`HEAD_BYTES`] and what the streams hold, whatever the size of the file.

use crate::archive::{Archive, Place, broken_off};
use crate::header::{HEAD_BYTES, Header, Payload};
use crate::host::Purpose;
use crate::picture::{Content, look};
use archwire_connector::Disposition;
use std::io::{self, Read, Write};

/// A file that was taken.
pub struct Taken {
    /// What its DICOM header says.
    pub header: Header,
    /// RFC 2046 media type of the bytes.
    pub media_type: &'static str,
    /// SHA-256 of the bytes.
    pub sha256: String,
    /// How many bytes.
    pub size: u64,
    /// Bytes that came over the wire.
    pub moved: u64,
}

/// Fetches a file. `None` when the archive does not have it any more.
///
/// # Errors
/// When it could not be taken whole, or the file within is not the one of which the DICOM file tells the size and the SHA-256.
pub fn take(archive: &Archive<'_>, place: &Place, purpose: Purpose) -> Result<Option<Taken>, Disposition> {
    match archive.file(place)? {
        Some(file) => read(archive, file, purpose).map(Some),
        None => Ok(None),
    }
}

/// Takes a file that the archive gives out.
///
/// # Errors
/// As [`take`].
pub fn read(archive: &Archive<'_>, mut file: Box<dyn Read>, purpose: Purpose) -> Result<Taken, Disposition> {
    let head = head(&mut file)?;
    let header = Header::read(&head).ok_or_else(|| Disposition::rejected("no-dicom-file"))?;
    let mut sink = archive.host.sink(purpose)?;
    let (media_type, size, moved) = match &header.payload {
        None => {
            let moved = copy(&mut head.as_slice().chain(file), &mut sink)?;
            ("application/dicom", moved, moved)
        }
        Some(payload) => {
            let mut whole = head.as_slice().chain(file);
            copy(&mut (&mut whole).take(payload.offset), &mut io::sink())?;
            let start = head.get(usize::try_from(payload.offset).unwrap_or(usize::MAX)..);
            let media_type = media_type(start.unwrap_or_default(), payload.size);
            let size = copy(&mut (&mut whole).take(payload.size), &mut sink)?;
            // Only a message that came to its end is one.
            let rest = copy(&mut whole, &mut io::sink())?;
            (media_type, size, payload.offset + size + rest)
        }
    };
    let sha256 = sink.finish()?;
    // Bytes that are not those that were put in are nobody's image, and no other image either.
    let is_whole = |payload: &Payload| payload.size == size && payload.sha256 == sha256;
    if !header.payload.as_ref().is_none_or(is_whole) {
        return Err(broken_off(io::ErrorKind::InvalidData.into()));
    }
    Ok(Taken {
        sha256,
        header,
        media_type,
        size,
        moved,
    })
}

/// The first bytes of a stream, as many as are looked at.
///
/// # Errors
/// When it breaks off.
pub fn head(file: &mut dyn Read) -> Result<Vec<u8>, Disposition> {
    let mut head = Vec::new();
    let most = u64::try_from(HEAD_BYTES).unwrap_or(u64::MAX);
    file.take(most).read_to_end(&mut head).map_err(broken_off)?;
    Ok(head)
}

fn copy(from: &mut impl Read, to: &mut impl Write) -> Result<u64, Disposition> {
    archwire_connector::images::copy(from, to).map_err(broken_off)
}

fn media_type(head: &[u8], size: u64) -> &'static str {
    match look(head, size) {
        Ok(Content::Jpeg(_)) => "image/jpeg",
        Ok(Content::Pdf) => "application/pdf",
        Ok(Content::Stl) => "model/stl",
        _ => "application/octet-stream",
    }
}
