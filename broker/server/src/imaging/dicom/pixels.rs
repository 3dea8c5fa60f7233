//! What the pixels of a DICOM file are, as its header says (PS3.3, C.7.6.3 and 10.7).

use super::data_set::{DataSet, Syntax};
use archwire_core::{Calibration, PixelSpacing};
use dicom_core::Tag;
use dicom_dictionary_std::tags;

/// What the pixels of a DICOM file are. Each is `None` where the file does not say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pixels {
    /// Rows (0028,0010).
    pub rows: Option<u32>,
    /// Columns (0028,0011).
    pub columns: Option<u32>,
    /// NumberOfFrames (0028,0008).
    pub frames: Option<u32>,
    /// PixelSpacing (0028,0030) and its calibration, or ImagerPixelSpacing (0018,1164).
    pub spacing: Option<PixelSpacing>,
    /// LossyImageCompression (0028,2110).
    pub lossy: Option<bool>,
    /// BurnedInAnnotation (0028,0301).
    pub burned_in_annotation: Option<bool>,
}

pub(super) fn pixels(found: &DataSet<'_>, syntax: Syntax) -> Pixels {
    Pixels {
        rows: short(found, tags::ROWS, syntax),
        columns: short(found, tags::COLUMNS, syntax),
        frames: found
            .ascii(tags::NUMBER_OF_FRAMES)
            .and_then(|text| text.parse().ok()),
        spacing: spacing(found),
        lossy: either(found.ascii(tags::LOSSY_IMAGE_COMPRESSION), "01", "00"),
        burned_in_annotation: either(found.ascii(tags::BURNED_IN_ANNOTATION), "YES", "NO"),
    }
}

/// An unsigned short; some write a long one.
fn short(found: &DataSet<'_>, tag: Tag, syntax: Syntax) -> Option<u32> {
    let bytes = found.bytes(tag)?;
    match (bytes, syntax) {
        (&[high, low], Syntax::BigEndian) => Some(u16::from_be_bytes([high, low]).into()),
        (&[low, high], _) => Some(u16::from_le_bytes([low, high]).into()),
        (&[a, b, c, d], Syntax::BigEndian) => Some(u32::from_be_bytes([a, b, c, d])),
        (&[a, b, c, d], _) => Some(u32::from_le_bytes([a, b, c, d])),
        _ => None,
    }
}

pub(super) fn either(text: Option<&str>, yes: &str, no: &str) -> Option<bool> {
    match text? {
        text if text == yes => Some(true),
        text if text == no => Some(false),
        _ => None,
    }
}

fn spacing(found: &DataSet<'_>) -> Option<PixelSpacing> {
    let at_detector = found.ascii(tags::IMAGER_PIXEL_SPACING).and_then(pair);
    let corrected = found.ascii(tags::PIXEL_SPACING).and_then(pair);
    let calibration = match found.ascii(tags::PIXEL_SPACING_CALIBRATION_TYPE) {
        _ if corrected.is_none() => Calibration::Detector,
        Some("GEOMETRY") => Calibration::Geometry,
        Some("FIDUCIAL") => Calibration::Fiducial,
        // The same as at the detector is the one at the detector, where nobody says otherwise (PS3.3, 10.7.1.3).
        _ if corrected == at_detector => Calibration::Detector,
        _ => Calibration::Unstated,
    };
    let (row, column) = corrected.or(at_detector)?;
    Some(PixelSpacing {
        row_mm: row.to_owned(),
        column_mm: column.to_owned(),
        calibration,
    })
}

/// Two decimal strings.
fn pair(text: &str) -> Option<(&str, &str)> {
    let (row, column) = text.split_once('\\')?;
    let is_decimal = |text: &str| {
        let is_written_so = |byte: u8| byte.is_ascii_digit() || b".E+-e".contains(&byte);
        (1..=16).contains(&text.len())
            && text.bytes().all(is_written_so)
            && text
                .parse::<f64>()
                .is_ok_and(|length| length.is_finite() && length > 0.0)
    };
    let (row, column) = (row.trim(), column.trim());
    (is_decimal(row) && is_decimal(column)).then_some((row, column))
}
