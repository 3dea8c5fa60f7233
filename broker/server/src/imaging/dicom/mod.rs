//! What a DICOM file says of itself and of the patient, read from its header (PS3.3, PS3.5, PS3.10).
//!
//! Looks at the bytes of an [`Excerpt`] only, never at a pixel, and stops where the pixels begin. Time is that of a few looks at
//! the excerpt, memory at most about 1 MB, or 2 MB for a deflated file, whatever the file says: no length is believed, nothing is
//! nested without a bound, and what goes on beyond the excerpt is left. The dicom-rs project's own readers of whole files are not
//! used, because they allocate what a length says and follow nested sequences by recursion.

mod about;
mod data_set;
mod part10;
mod person;
mod pixels;
mod text;
mod wanted;
mod whole;

#[cfg(test)]
pub(in crate::imaging) mod tests;

use super::{Excerpt, views::Told};
use archwire_core::{ImageAbout, Patient, Uid};
use data_set::{DataSet, End};
use dicom_dictionary_std::tags;
pub use person::PATIENT_ID;
pub use pixels::Pixels;

/// What the header of a DICOM file says. Patient data: `Debug` shows nothing of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DicomHeader {
    /// StudyInstanceUID (0020,000D).
    pub study: Option<Uid>,
    /// SeriesInstanceUID (0020,000E).
    pub series: Option<Uid>,
    /// SOPInstanceUID (0008,0018).
    pub instance: Option<Uid>,
    /// SOPClassUID (0008,0016).
    pub sop_class: Option<Uid>,
    /// TransferSyntaxUID (0002,0010).
    pub transfer_syntax: Uid,
    /// What the pixels are.
    pub pixels: Pixels,
    /// What the image shows. Longer lists than the bus carries are cut, longer texts left out; the file has them all.
    pub about: ImageAbout,
    /// Whom the file names; `None` where it names nobody.
    pub named: Option<Patient>,
    /// Everything that is said of the view in codes.
    pub(super) told: Told,
}

/// Why the header of a DICOM file cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// It has no preamble, or none of DICOM.
    #[error("the file is not one of DICOM Part 10")]
    NotPart10,
    /// The file ends before what it says is in it.
    #[error("the DICOM file ends before its own header says that it does")]
    Truncated,
    /// Something in it contradicts how DICOM files are written.
    #[error("the DICOM file is not written as DICOM files are")]
    Malformed,
    /// Sequences within sequences.
    #[error("the DICOM file has sequences within sequences beyond all measure")]
    TooDeep,
    /// More elements than anybody has use for.
    #[error("the DICOM file has too many elements of one kind")]
    TooManyElements,
    /// What tells whose image it is comes later than is looked.
    #[error("the DICOM file does not say within its first megabyte whose image it is")]
    TooLong,
    /// A study, series or SOP instance UID is not there, or is none.
    #[error("the DICOM file lacks a valid study, series or SOP instance UID")]
    UidMissing,
}

impl HeaderError {
    /// Stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NotPart10 => "dicom_not_part10",
            Self::Truncated => "dicom_truncated",
            Self::Malformed => "dicom_malformed",
            Self::TooDeep => "dicom_too_deep",
            Self::TooManyElements => "dicom_too_many_elements",
            Self::TooLong => "dicom_header_too_long",
            Self::UidMissing => "dicom_uid_missing",
        }
    }
}

/// Reads the header of a DICOM file.
///
/// # Errors
/// When it is none, when it was cut, and when it is not written as DICOM files are.
pub fn read(excerpt: &Excerpt<'_>) -> Result<DicomHeader, HeaderError> {
    let opened = part10::open(excerpt)?;
    let (found, end) = data_set::read(&opened.bytes, opened.start, opened.syntax, opened.size)?;
    check_end(excerpt, &opened, &found, &end)?;
    let charset = text::Charset::of(found.ascii(tags::SPECIFIC_CHARACTER_SET));
    let uid = |tag| found.ascii(tag).and_then(|text| text.parse::<Uid>().ok());
    let sop_class = uid(tags::SOP_CLASS_UID);
    let told = about::told(&found, &charset);
    Ok(DicomHeader {
        study: uid(tags::STUDY_INSTANCE_UID),
        series: uid(tags::SERIES_INSTANCE_UID),
        instance: uid(tags::SOP_INSTANCE_UID),
        pixels: pixels::pixels(&found, opened.syntax),
        about: about::about(&found, &charset, &told, opened.syntax),
        named: person::named(&found, &charset),
        transfer_syntax: opened.transfer_syntax,
        sop_class,
        told,
    })
}

/// Checks that the file goes as far as it says.
fn check_end(
    excerpt: &Excerpt<'_>,
    opened: &part10::Opened<'_>,
    found: &DataSet<'_>,
    end: &End,
) -> Result<(), HeaderError> {
    let is_all = opened.size == Some(opened.bytes.len() as u64);
    let class = found.ascii(tags::SOP_CLASS_UID).unwrap_or_default();
    let lacks_pixels = whole::has_pixels(class) && !found.has(tags::PIXEL_DATA_PROVIDER_URL);
    let lacks_document = whole::has_document(class) && !found.has(tags::ENCAPSULATED_DOCUMENT);
    match end {
        End::Pixels(header, at) if opened.is_deflated() => match header.length {
            Some(length) if is_all && *at as u64 + u64::from(length) > opened.bytes.len() as u64 => {
                Err(HeaderError::Truncated)
            }
            _ => Ok(()),
        },
        End::Pixels(header, at) => whole::check_pixels(excerpt, *header, *at, opened.syntax),
        // Without it nobody can tell whether it ends too early.
        End::Complete if class.is_empty() => Err(HeaderError::UidMissing),
        End::Complete if lacks_pixels || lacks_document => Err(HeaderError::Truncated),
        End::Complete => Ok(()),
        End::Cut if is_all => Err(HeaderError::Truncated),
        // The patient and the series come before anything large; what has not told them by now never may.
        End::Cut if !found.has(tags::SERIES_INSTANCE_UID) => Err(HeaderError::TooLong),
        End::Cut => Ok(()),
    }
}
