//! Images: what the bus knows of a photograph, a radiograph, a scan or a document of a patient, apart from its bytes.
//!
//! The bytes lie in the content store under their SHA-256 and are never changed. What is told of them follows DICOM where the
//! file is DICOM, and what its sender says otherwise. The vocabulary is DICOM's; the tag of each field is named.

mod acquired_at;
mod bounds;
mod digest;
mod news;
mod tooth;
mod uid;

pub use acquired_at::{AcquiredAt, AcquiredAtError};
pub use bounds::ImageBoundError;
pub use digest::{Digest, DigestError};
pub use news::{Copied, ImageCopy, ImageId, ImageIdError, ImageNews, ImageObservation};
pub use tooth::{Tooth, ToothError};
pub use uid::{Uid, UidError};

use crate::{Mouth, Occlusion, PatientId, Text};

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

impl ImageFile {
    /// A file of which nothing is known but these.
    #[must_use]
    pub fn new(content_type: impl Into<String>, size: u64, digest: Digest) -> Self {
        Self {
            content_type: content_type.into(),
            size,
            digest,
            sop_class: None,
            transfer_syntax: None,
            rows: None,
            columns: None,
            frames: None,
            pixel_spacing: None,
            lossy: None,
            burned_in_annotation: None,
        }
    }
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

impl ImageUids {
    /// The identifiers of a file of a patient that has none of its own.
    #[must_use]
    pub fn generated(patient: PatientId, digest: Digest) -> Self {
        Self {
            study: Uid::generate("study", patient, digest),
            series: Uid::generate("series", patient, digest),
            instance: Uid::generate("instance", patient, digest),
            generated: true,
        }
    }
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
