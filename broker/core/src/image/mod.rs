//! Images: what the bus knows of a photograph, a radiograph, a scan or a document of a patient, apart from its bytes.
//!
//! The bytes lie in the content store under their SHA-256 and are never changed. What is told of them follows DICOM where the
//! file is DICOM, and what its sender says otherwise. The vocabulary is DICOM's; the tag of each field is named.

mod digest;
mod news;
mod uid;

pub use digest::{Digest, DigestError};
pub use news::{Copied, ImageCopy, ImageId, ImageIdError, ImageNews, ImageObservation};
pub use uid::{Uid, UidError};

use crate::{Mouth, Occlusion, Text};
use std::fmt;

/// What the bus knows of one image: one SOP instance in DICOM's words, or one file of another kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// By what DICOM tells it apart.
    pub uids: ImageUids,
    /// What its bytes are.
    pub file: ImageFile,
    /// What it shows.
    pub about: ImageAbout,
    /// The view in other codes than the sender's: added by the bus, never instead. At most 16.
    pub translations: Vec<ViewTranslation>,
    /// What does not fit together in what is said of it.
    pub warnings: Vec<ImageWarning>,
}

/// What a sender says of an image beside its bytes. Each may be left out; what the file itself says counts more.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImageClaim {
    /// DICOM StudyInstanceUID, for a file that has none.
    pub study: Option<Uid>,
    /// DICOM SeriesInstanceUID, for a file that has none.
    pub series: Option<Uid>,
    /// DICOM SOPInstanceUID, for a file that has none.
    pub instance: Option<Uid>,
    /// RFC 2046 media type, as the sender believes; the bytes tell.
    pub content_type: Option<String>,
    /// What it shows.
    pub about: ImageAbout,
}

/// What an image shows, of whom and when. `None` and the empty list mean that nobody says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImageAbout {
    /// DICOM AccessionNumber (0008,0050).
    pub accession: Option<Text>,
    /// DICOM Modality (0008,0060): `DX`, `PX`, `IO`, `XC`. At most 16 characters.
    pub modality: Option<String>,
    /// What is seen, from where: the sender's own codes as they came. At most 16.
    pub views: Vec<Code>,
    /// How the sender calls the view in words.
    pub view_label: Option<Text>,
    /// DICOM AnatomicRegionSequence (0008,2218) and PrimaryAnatomicStructureSequence (0008,2228). At most 16.
    pub anatomy: Vec<Code>,
    /// DICOM ImageLaterality (0020,0062) or Laterality (0020,0060).
    pub laterality: Option<Laterality>,
    /// Teeth by their two-digit number of ISO 3950. At most 52, the milk teeth included.
    pub teeth: Vec<Tooth>,
    /// Whether it was taken in a mirror. DICOM ViewModifierCodeSequence (0054,0222).
    pub mirror: Option<Mirror>,
    /// Whether it is shown the wrong way round. DICOM ImageHorizontalFlip (0070,0041).
    pub flipped: Option<bool>,
    /// How the jaws meet. DICOM AcquisitionContextSequence (0040,0555).
    pub occlusion: Option<Occlusion>,
    /// Lips and mouth. DICOM AcquisitionContextSequence (0040,0555).
    pub mouth: Option<Mouth>,
    /// Where in the treatment it was taken.
    pub progress: Option<Progress>,
    /// When it was taken, as far as the sender knows: DICOM AcquisitionDateTime (0008,002A) or its parts.
    pub acquired_at: Option<AcquiredAt>,
    /// What it was taken with: DICOM Manufacturer (0008,0070) and ManufacturerModelName (0008,1090).
    pub device: Option<Text>,
    /// Who took it. DICOM OperatorsName (0008,1070).
    pub operator: Option<Text>,
    /// What it was made from: SOP instances of DICOM SourceImageSequence (0008,2112). At most 16.
    pub derived_from: Vec<Uid>,
}

/// What the bytes of an image are, as they themselves say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageFile {
    /// RFC 2046 media type: `application/dicom`, `image/jpeg`. At most 128 characters.
    pub content_type: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the bytes.
    pub digest: Digest,
    /// What kind of object it is. DICOM SOPClassUID (0008,0016); `None` for what is no DICOM file.
    pub sop_class: Option<Uid>,
    /// How its bytes are encoded. DICOM TransferSyntaxUID (0002,0010); `None` for what is no DICOM file.
    pub transfer_syntax: Option<Uid>,
    /// DICOM Rows (0028,0010).
    pub rows: Option<u32>,
    /// DICOM Columns (0028,0011).
    pub columns: Option<u32>,
    /// DICOM NumberOfFrames (0028,0008).
    pub frames: Option<u32>,
    /// How large a pixel is, and whether that may be measured with.
    pub pixel_spacing: Option<PixelSpacing>,
    /// Whether it was ever compressed with loss. DICOM LossyImageCompression (0028,2110).
    pub lossy: Option<bool>,
    /// Whether the pixels themselves may tell who it is. DICOM BurnedInAnnotation (0028,0301).
    pub burned_in_annotation: Option<bool>,
}

/// DICOM's three identifiers of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageUids {
    /// StudyInstanceUID (0020,000D).
    pub study: Uid,
    /// SeriesInstanceUID (0020,000E).
    pub series: Uid,
    /// SOPInstanceUID (0008,0018). Tells the image apart from all others, everywhere.
    pub instance: Uid,
    /// Whether the bus made them up, because the file has none.
    pub generated: bool,
}

/// A concept of a terminology, as DICOM writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// Coding Scheme Designator (0008,0102), or the address of the code system. At most 256 characters.
    pub scheme: String,
    /// Code Value (0008,0100). At most 256 characters.
    pub value: String,
    /// Code Meaning (0008,0104).
    pub meaning: Option<Text>,
}

/// A code of what is seen, that the bus added beside the sender's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewTranslation {
    /// The code.
    pub code: Code,
    /// By which table: its name and version. At most 256 characters.
    pub table: String,
}

/// DICOM ImageLaterality.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Laterality {
    /// `R`: the patient's right.
    Right,
    /// `L`: the patient's left.
    Left,
    /// `B`: both.
    Both,
    /// `U`: neither.
    Unpaired,
}

/// A tooth by its two-digit number of ISO 3950: 11 to 48, and 51 to 85 for milk teeth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tooth(u8);

/// Not the number of a tooth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a tooth is a two-digit number of ISO 3950: 11 to 18, 21 to 28, ..., 81 to 85")]
pub struct ToothError;

/// Whether an image was taken in a mirror.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mirror {
    /// No mirror.
    None,
    /// In a mirror, and turned round since. SNOMED CT 787610003.
    Corrected,
    /// In a mirror, as it was. SNOMED CT 789135000.
    Uncorrected,
}

/// Where in the treatment an image was taken. DICOM AcquisitionContextSequence, DCM 128741 and 128740.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The event: initial records, debonding. The sender's own code.
    pub event: Option<Code>,
    /// Days since that event; negative before it.
    pub offset_days: Option<i32>,
    /// How the sender calls it.
    pub label: Option<Text>,
}

/// When an image was taken: FHIR dateTime, to as much as is known, with its offset where the sender tells it.
///
/// `2026`, `2026-03`, `2026-03-01`, `2026-03-01T09:30:00+01:00`; without an offset (`2026-03-01T09:30:00`) the practice's own
/// time is meant.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AcquiredAt(String);

/// Not a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a time is YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS, the last with or without an offset")]
pub struct AcquiredAtError;

/// How large a pixel is. Lengths in millimetres, as the sender wrote them: 1 to 16 of digits, `.`, `E`, `+`, `-`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PixelSpacing {
    /// From one row to the next.
    pub row_mm: String,
    /// From one column to the next.
    pub column_mm: String,
    /// How it is known. A length must not be measured without it.
    pub calibration: Calibration,
}

/// How the size of a pixel is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calibration {
    /// At the detector: ImagerPixelSpacing (0018,1164). The patient is larger there.
    Detector,
    /// Put right for the geometry of the machine. PixelSpacingCalibrationType (0028,0A02) GEOMETRY.
    Geometry,
    /// By something of known size in the picture. FIDUCIAL.
    Fiducial,
    /// PixelSpacing (0028,0030), and nobody says how.
    Unstated,
}

/// Something that does not fit together in what is said of an image. It is kept as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ImageWarning {
    /// The teeth are together, and the mouth is open.
    OcclusionWithOpenMouth,
    /// Two codes of the same kind name different views.
    ViewsDiffer,
    /// The view is no view that this version knows.
    ViewUnknown,
    /// The file is not what its sender said: the kind that its bytes show was taken.
    ContentTypeDiffers,
    /// The file says nothing about whose image it is.
    NobodyNamed,
}

impl ImageWarning {
    /// All warnings.
    pub const ALL: [Self; 5] = [
        Self::OcclusionWithOpenMouth,
        Self::ViewsDiffer,
        Self::ViewUnknown,
        Self::ContentTypeDiffers,
        Self::NobodyNamed,
    ];

    /// Stable code.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OcclusionWithOpenMouth => "occlusion_with_open_mouth",
            Self::ViewsDiffer => "views_differ",
            Self::ViewUnknown => "view_unknown",
            Self::ContentTypeDiffers => "content_type_differs",
            Self::NobodyNamed => "nobody_named",
        }
    }
}

/// More of something than the bus carries of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` of an image has more than {most} entries or bytes")]
pub struct ImageBoundError {
    /// The field.
    pub field: &'static str,
    /// Its bound.
    pub most: usize,
}

impl Image {
    /// Most entries of a list of an image, but for the teeth.
    pub const MOST_ENTRIES: usize = 16;
    /// Most teeth.
    pub const MOST_TEETH: usize = 52;
    /// Most bytes of a text of an image.
    pub const LONGEST_TEXT: usize = 1024;
    /// Most bytes of a code, its scheme, a table's name, or a media type.
    pub const LONGEST_CODE: usize = 256;

    /// Whether it is within the bounds.
    ///
    /// # Errors
    /// Names the first field that is not.
    pub fn check(&self) -> Result<(), ImageBoundError> {
        self.about.check()?;
        most("translations", self.translations.len(), Self::MOST_ENTRIES)?;
        for translation in &self.translations {
            translation.code.check("translations")?;
            most("translations", translation.table.len(), Self::LONGEST_CODE)?;
        }
        most("content_type", self.file.content_type.len(), 128)
    }
}

impl ImageAbout {
    /// Whether it is within the bounds.
    ///
    /// # Errors
    /// Names the first field that is not.
    pub fn check(&self) -> Result<(), ImageBoundError> {
        most("views", self.views.len(), Image::MOST_ENTRIES)?;
        most("anatomy", self.anatomy.len(), Image::MOST_ENTRIES)?;
        most("derived_from", self.derived_from.len(), Image::MOST_ENTRIES)?;
        most("teeth", self.teeth.len(), Image::MOST_TEETH)?;
        most("modality", self.modality.as_ref().map_or(0, String::len), 16)?;
        let texts = [
            ("accession", &self.accession),
            ("view_label", &self.view_label),
            ("device", &self.device),
            ("operator", &self.operator),
        ];
        for (field, text) in texts {
            most(field, length(text), Image::LONGEST_TEXT)?;
        }
        self.views.iter().try_for_each(|code| code.check("views"))?;
        self.anatomy.iter().try_for_each(|code| code.check("anatomy"))?;
        let Some(progress) = &self.progress else {
            return Ok(());
        };
        progress
            .event
            .iter()
            .try_for_each(|code| code.check("progress"))?;
        most("progress", length(&progress.label), Image::LONGEST_TEXT)
    }
}

impl Code {
    fn check(&self, field: &'static str) -> Result<(), ImageBoundError> {
        most(
            field,
            self.scheme.len().max(self.value.len()),
            Image::LONGEST_CODE,
        )?;
        most(field, length(&self.meaning), Image::LONGEST_TEXT)
    }
}

fn most(field: &'static str, count: usize, most: usize) -> Result<(), ImageBoundError> {
    match count <= most {
        true => Ok(()),
        false => Err(ImageBoundError { field, most }),
    }
}

fn length(text: &Option<Text>) -> usize {
    text.as_ref().map_or(0, |text| text.as_str().len())
}

impl Tooth {
    /// The number: 11 to 48, 51 to 85.
    #[must_use]
    pub fn number(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Tooth {
    type Error = ToothError;

    fn try_from(number: u8) -> Result<Self, ToothError> {
        let (quadrant, place) = (number / 10, number % 10);
        match (quadrant, place) {
            (1..=4, 1..=8) | (5..=8, 1..=5) => Ok(Self(number)),
            _ => Err(ToothError),
        }
    }
}

impl AcquiredAt {
    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AcquiredAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl std::str::FromStr for AcquiredAt {
    type Err = AcquiredAtError;

    fn from_str(text: &str) -> Result<Self, AcquiredAtError> {
        match is_date_time(text) {
            true => Ok(Self(text.to_owned())),
            false => Err(AcquiredAtError),
        }
    }
}

/// Whether it is a FHIR dateTime whose parts are in their ranges, with or without an offset.
fn is_date_time(text: &str) -> bool {
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let parts: Vec<_> = date.split('-').collect();
    let number = |text: &str, digits: usize| {
        let is_number = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse::<u32>().unwrap_or(u32::MAX))
    };
    let within = |text: &str, range: std::ops::RangeInclusive<u32>| {
        number(text, 2).is_some_and(|number| range.contains(&number))
    };
    let is_date = match parts.as_slice() {
        [year] => number(year, 4).is_some() && time.is_none(),
        [year, month] => number(year, 4).is_some() && within(month, 1..=12) && time.is_none(),
        [year, month, day] => number(year, 4).is_some() && within(month, 1..=12) && within(day, 1..=31),
        _ => false,
    };
    is_date && time.is_none_or(|time| is_time(time, within))
}

fn is_time(time: &str, within: impl Fn(&str, std::ops::RangeInclusive<u32>) -> bool) -> bool {
    let (clock, offset) = match time
        .find(['Z', '+', '-'])
        .and_then(|at| time.split_at_checked(at))
    {
        Some((clock, offset)) => (clock, offset),
        None => (time, ""),
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let is_fraction = (1..=9).contains(&fraction.len()) && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let is_clock = match clock.split(':').collect::<Vec<_>>().as_slice() {
        [hour, minute, second] => within(hour, 0..=23) && within(minute, 0..=59) && within(second, 0..=60),
        _ => false,
    };
    let is_offset = match offset.strip_prefix(['+', '-']) {
        Some(offset) => match offset.split_once(':') {
            Some((hours, minutes)) => within(hours, 0..=14) && within(minutes, 0..=59),
            None => false,
        },
        None => matches!(offset, "" | "Z"),
    };
    is_clock && is_fraction && is_offset
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_says_as_much_as_is_known_and_no_nonsense() {
        for text in [
            "2026",
            "2026-03",
            "2026-03-01",
            "2026-03-01T09:30:00",
            "2026-03-01T09:30:00Z",
            "2026-03-01T09:30:00.125+01:00",
            "2026-03-01T09:30:00-10:30",
        ] {
            assert!(text.parse::<AcquiredAt>().is_ok(), "{text}");
        }
        for text in [
            "",
            "26",
            "2026-13",
            "2026-03-32",
            "2026T09:30:00",
            "2026-03-01T09:30",
            "2026-03-01T25:30:00",
            "2026-03-01T09:30:00+1",
            "2026-03-01T09:30:00.+01:00",
            "2026-03-01T09:30:00ZZ",
            "2026-03-01 09:30:00",
        ] {
            assert!(text.parse::<AcquiredAt>().is_err(), "{text}");
        }
    }

    #[test]
    fn there_are_fifty_two_teeth() {
        let teeth = (0..=u8::MAX).filter(|number| Tooth::try_from(*number).is_ok());
        assert_eq!(teeth.count(), Image::MOST_TEETH);
    }
}
