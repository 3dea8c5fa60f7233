//! What is said of an image, apart from its bytes, and what a connector and the bus say to each other about images. The
//! vocabulary is DICOM's; the tag of each field is named. `None`, an empty optional text and the empty list mean
//! "not stated".
//!
//! The bytes themselves go through [`crate::images`].

use crate::patient::Patient;
use serde::{Deserialize, Serialize};

pub use crate::bindings::archwire::connector::imaging::{Calibration, Laterality, Mirror, Mouth, Occlusion};
use crate::exchange::DeliveryAction;

/// What is said of one image. From a connector it is a claim: what the file itself says counts more, and `size`,
/// `sop_class_uid`, `transfer_syntax_uid`, `warnings`, `rows` and `columns` are read from the file whatever is said.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Image {
    /// DICOM StudyInstanceUID (0020,000D). To a connector always set.
    pub study_uid: Option<String>,
    /// DICOM SeriesInstanceUID (0020,000E). To a connector always set.
    pub series_uid: Option<String>,
    /// DICOM SOPInstanceUID (0008,0018). To a connector always set. Tells the image apart from all others, everywhere.
    pub instance_uid: Option<String>,
    /// Whether the bus made the three up, because the file has none.
    pub uids_generated: bool,
    /// DICOM SOPClassUID (0008,0016); `None` for what is no DICOM file.
    pub sop_class_uid: Option<String>,
    /// DICOM TransferSyntaxUID (0002,0010); `None` for what is no DICOM file.
    pub transfer_syntax_uid: Option<String>,
    /// DICOM AccessionNumber (0008,0050).
    pub accession: Option<String>,
    /// DICOM Modality (0008,0060): `DX`, `PX`, `IO`, `XC`. At most 16 bytes.
    pub modality: Option<String>,
    /// What is seen, from where: the sender's own codes as they came. At most 16.
    pub views: Vec<ImageCode>,
    /// The view in other codes than the sender's: added by the bus.
    pub translations: Vec<ViewTranslation>,
    /// How the sender calls the view in words.
    pub view_label: Option<String>,
    /// DICOM AnatomicRegionSequence (0008,2218), PrimaryAnatomicStructureSequence (0008,2228). At most 16.
    pub anatomy: Vec<ImageCode>,
    /// DICOM ImageLaterality (0020,0062).
    pub laterality: Option<Laterality>,
    /// Two-digit numbers of ISO 3950: 11 to 48, 51 to 85. At most 52.
    pub teeth: Vec<u8>,
    /// DICOM ViewModifierCodeSequence (0054,0222).
    pub mirror: Option<Mirror>,
    /// Whether it is shown the wrong way round.
    pub flipped: Option<bool>,
    /// How the jaws meet.
    pub occlusion: Option<Occlusion>,
    /// Lips and mouth.
    pub mouth: Option<Mouth>,
    /// Where in the treatment it was taken.
    pub progress: Option<ImageProgress>,
    /// FHIR dateTime, to as much as is known, with its offset where that is known: `2026`, `2026-03-01`,
    /// `2026-03-01T09:30:00+01:00`.
    pub acquired_at: Option<String>,
    /// What it was taken with.
    pub device: Option<String>,
    /// Who took it.
    pub operator: Option<String>,
    /// DICOM Rows (0028,0010).
    pub rows: Option<u32>,
    /// DICOM Columns (0028,0011).
    pub columns: Option<u32>,
    /// DICOM NumberOfFrames (0028,0008).
    pub frames: Option<u32>,
    /// How large a pixel is, and whether that may be measured with.
    pub pixel_spacing: Option<PixelSpacing>,
    /// RFC 2046 media type: `application/dicom`, `image/jpeg`. To a connector always set.
    pub content_type: Option<String>,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the bytes, 64 lower-case hexadecimal digits: what [`crate::images::open`] takes. In an observation, what
    /// [`crate::images::Upload::finish`] gave; `None` where the system shows no bytes.
    pub sha256: Option<String>,
    /// Whether it was ever compressed with loss. DICOM LossyImageCompression (0028,2110).
    pub lossy: Option<bool>,
    /// Whether the pixels themselves may tell who it is. DICOM BurnedInAnnotation (0028,0301).
    pub burned_in_annotation: Option<bool>,
    /// SOP instances that it was made from. At most 16.
    pub derived_from: Vec<String>,
    /// What does not fit together in what is said of it, as stable codes.
    pub warnings: Vec<String>,
}

/// A concept of a terminology, as DICOM writes it.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ImageCode {
    /// Coding Scheme Designator (0008,0102), or the address of the code system: `99ADA1100`, `SCT`.
    pub scheme: String,
    /// Code Value (0008,0100): `EV19`.
    pub value: String,
    /// Code Meaning (0008,0104).
    pub meaning: Option<String>,
}

impl ImageCode {
    /// A code without its meaning.
    #[must_use]
    pub fn new(scheme: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            scheme: scheme.into(),
            value: value.into(),
            meaning: None,
        }
    }
}

/// A code of what is seen, that the bus added beside the sender's.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ViewTranslation {
    /// The code.
    pub code: ImageCode,
    /// By which table: its name and version.
    pub table: String,
}

/// Where in the treatment an image was taken.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ImageProgress {
    /// The event: initial records, debonding.
    pub event: Option<ImageCode>,
    /// Days since that event; negative before it.
    pub offset_days: Option<i32>,
    /// How the sender calls it.
    pub label: Option<String>,
}

/// How large a pixel is. Lengths in millimetres, as the sender wrote them: 1 to 16 of digits, `.`, `E`, `+`, `-`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PixelSpacing {
    /// From one row to the next.
    pub row_mm: String,
    /// From one column to the next.
    pub column_mm: String,
    /// How it is known. A length must not be measured without it.
    pub calibration: Calibration,
}

/// What the system says of an image: "my image 7 of my record 123 is this".
#[derive(Clone, PartialEq, Eq)]
pub struct ImageObservation {
    /// The image's id in the system, 1 to 256 bytes.
    pub local_id: String,
    /// The local id of the record that the system keeps of the patient. The bus has to know it: say it with an observation
    /// of the patient in this page or an earlier one.
    pub record: String,
    /// What it says of the image. Its bytes must have been stored with [`crate::images::create`] or
    /// [`crate::images::take_file`], but for `fetch_image`, where [`crate::images::measure`] does.
    pub image: Image,
    /// Whether the system says that it is the patient's no more; `image` may be empty then.
    pub retracted: bool,
    /// When the system showed it, in milliseconds since 1970 UTC, before the year 10000.
    pub observed_at_ms: Option<u64>,
    /// Who took or changed it, in the system's own terms (a user name, a workstation). At most 128 bytes; never a patient.
    pub actor: Option<String>,
}

impl ImageObservation {
    /// An image as it was shown just now, by nobody in particular.
    #[must_use]
    pub fn new(local_id: impl Into<String>, record: impl Into<String>, image: Image) -> Self {
        Self {
            local_id: local_id.into(),
            record: record.into(),
            image,
            retracted: false,
            observed_at_ms: None,
            actor: None,
        }
    }

    /// An image that the system says is the patient's no more.
    #[must_use]
    pub fn retracted(local_id: impl Into<String>, record: impl Into<String>) -> Self {
        Self {
            retracted: true,
            ..Self::new(local_id, record, Image::default())
        }
    }
}

/// Make the system hold this image of the patient. May come more than once for the same image: it must never be there twice.
#[derive(Clone, PartialEq, Eq)]
pub struct ImageDelivery {
    /// UUIDv7 of the event.
    pub event_id: String,
    /// The bus patient id.
    pub patient_id: String,
    /// By what the bus tells the image apart: opaque, 1 to 64 of `0-9 a-f - /`, the same for ever. Good for finding it again.
    pub image_id: String,
    /// Revision of what is known of it.
    pub revision: u64,
    /// What is known of it. Its bytes: [`crate::images::open`] with its `sha256`, or a body made with
    /// [`crate::http::Request::body_from`].
    pub image: Image,
    /// Whether it is the patient's no more: it should be shown no more, or be marked. `rejected` where that cannot be.
    pub retracted: bool,
    /// The record that the system keeps of the patient; `None` only for connectors that do not `deliver` patients.
    pub record: Option<String>,
    /// The image's id in this system; `None` when the system is not known to have it.
    pub local_id: Option<String>,
    /// The patient's current state.
    pub patient: Patient,
    /// When the last attempt began, if the bus did not learn how it ended, in milliseconds since 1970 UTC: search before
    /// sending it again. With `local_id` too: other bytes, or the image of another patient, may have got another id by then. An
    /// attempt that only searches counts as one: who waits for longer than until the next one keeps until when, with
    /// [`crate::state`].
    pub in_doubt_since_ms: Option<u64>,
}

/// The system now holds the image.
#[derive(Clone, PartialEq, Eq)]
pub struct ImageDelivered {
    /// The image's id in the system.
    pub local_id: String,
    /// The record under which the system now shows it, where it tells.
    pub record: Option<String>,
    /// What it took.
    pub action: DeliveryAction,
}

impl ImageDelivered {
    /// The image has this id, and this is what it took. Under which record is not told.
    #[must_use]
    pub fn new(local_id: impl Into<String>, action: DeliveryAction) -> Self {
        Self {
            local_id: local_id.into(),
            record: None,
            action,
        }
    }

    /// The record under which the system shows it.
    #[must_use]
    pub fn of_record(mut self, record: impl Into<String>) -> Self {
        self.record = Some(record.into());
        self
    }
}
