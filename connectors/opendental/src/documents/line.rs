//! What a document says of an image: its line in the tree of the Imaging Module, its type, its teeth, its date.
//!
//! **Bounds**: a description has at most [`LONGEST`] characters, the mark at its end included. An upload has at most
//! [`MOST_BYTES`]: it lies in the column `Note` (MEDIUMTEXT, 16,777,215 bytes) as base64 text, and a request has at most 16.8
//! million characters (Open Dental API, Implementation and Documents POST Upload).

use crate::clock::Offset;
use crate::documents::mark::{self, Mark};
use crate::documents::{moment, teeth};
use archwire_connector::Image;
use serde_json::{Map, Value};

/// Most bytes of an image that can be uploaded: 12.5 MB, which is 16,666,668 characters of base64.
pub const MOST_BYTES: u64 = 12_500_000;

/// Characters that the column `Description` holds.
pub const LONGEST: usize = 255;

/// Before the description of a document that another one took the place of.
pub const REPLACED: &str = "REPLACED: ";
/// Before the description of a document that is the patient's no more.
pub const WITHDRAWN: &str = "WITHDRAWN: ";

/// `ImgType`, in the vendor's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImgType {
    /// Paper.
    Document,
    /// X-rays.
    Radiograph,
    /// Photographs.
    Photo,
    /// What Open Dental cannot show itself.
    File,
}

impl ImgType {
    fn word(self) -> &'static str {
        match self {
            Self::Document => "Document",
            Self::Radiograph => "Radiograph",
            Self::Photo => "Photo",
            Self::File => "File",
        }
    }

    /// By DICOM Modality where there is one, else by what the bytes are.
    fn of(image: &Image) -> Self {
        let content = image.content_type.as_deref().unwrap_or_default();
        match image.modality.as_deref() {
            Some("DX" | "CR" | "IO" | "PX" | "RG" | "CT" | "RF" | "XA") => Self::Radiograph,
            Some("XC" | "ES" | "GM" | "OP") => Self::Photo,
            Some("DOC" | "SR") => Self::Document,
            Some(_) if content == "application/dicom" => Self::File,
            _ if content == "application/pdf" => Self::Document,
            _ if content.starts_with("image/") => Self::Photo,
            _ => Self::File,
        }
    }
}

/// What is said of a document apart from its bytes and its place.
#[derive(Clone, PartialEq, Eq)]
pub struct Line {
    /// With its mark.
    pub description: String,
    /// What kind of image it is.
    pub img_type: ImgType,
    /// `yyyy-MM-dd HH:mm:ss` by the office's clock.
    pub date_created: Option<String>,
    /// Universal numbers, `1,2,8`.
    pub tooth_numbers: String,
}

impl Line {
    /// What is to be said of an image.
    #[must_use]
    pub fn of(image: &Image, mark: &Mark, clock: Option<Offset>) -> Self {
        let taken = image.acquired_at.as_deref();
        Self {
            description: description(image, mark),
            img_type: ImgType::of(image),
            date_created: taken
                .and_then(|taken| moment::office(taken, clock))
                .map(|taken| taken.text()),
            tooth_numbers: teeth::universal(&image.teeth),
        }
    }

    /// As fields of a request.
    #[must_use]
    pub fn fields(&self) -> Map<String, Value> {
        let mut fields = Map::new();
        fields.insert("Description".into(), self.description.clone().into());
        fields.insert("ImgType".into(), self.img_type.word().into());
        if let Some(date_created) = &self.date_created {
            fields.insert("DateCreated".into(), date_created.clone().into());
        }
        if !self.tooth_numbers.is_empty() {
            fields.insert("ToothNumbers".into(), self.tooth_numbers.clone().into());
        }
        fields
    }
}

/// The extension by which Open Dental tells what a file is.
#[must_use]
pub fn extension(image: &Image) -> Option<&'static str> {
    match image.content_type.as_deref()? {
        "application/dicom" => Some(".dcm"),
        "image/jpeg" => Some(".jpg"),
        "image/png" => Some(".png"),
        "image/tiff" => Some(".tif"),
        "image/bmp" => Some(".bmp"),
        "image/gif" => Some(".gif"),
        "application/pdf" => Some(".pdf"),
        "model/stl" | "application/sla" | "application/vnd.ms-pki.stl" => Some(".stl"),
        _ => None,
    }
}

/// The media type of a file by its name.
#[must_use]
pub fn content_type(file_name: &str) -> Option<&'static str> {
    let (_, extension) = file_name.rsplit_once('.')?;
    match extension.to_ascii_lowercase().as_str() {
        "dcm" | "dicom" => Some("application/dicom"),
        "jpg" | "jpeg" => Some("image/jpeg"),
        "png" => Some("image/png"),
        "tif" | "tiff" => Some("image/tiff"),
        "bmp" => Some("image/bmp"),
        "gif" => Some("image/gif"),
        "pdf" => Some("application/pdf"),
        "stl" => Some("model/stl"),
        _ => None,
    }
}

/// View, progress and primary teeth in words, and the mark. What is too long loses its end, never the mark.
fn description(image: &Image, mark: &Mark) -> String {
    let mut words = view(image);
    if let Some(progress) = progress(image) {
        words = format!("{words}; {progress}");
    }
    let letters = teeth::letters(&image.teeth);
    if !letters.is_empty() {
        let letters: Vec<_> = letters.iter().map(char::to_string).collect();
        words = format!("{words}; primary teeth {}", letters.join(" "));
    }
    marked(&words, mark)
}

/// Words with a mark behind them, within the bound.
fn marked(words: &str, mark: &Mark) -> String {
    let mark = mark.to_string();
    let room = LONGEST.saturating_sub(mark.len() + 1);
    let words: String = words
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .take(room)
        .collect();
    format!("{} {mark}", words.trim())
}

/// A description with a word before it, within the bound and with its mark.
#[must_use]
pub fn prefixed(prefix: &str, description: &str, mark: Option<&Mark>) -> String {
    if description.starts_with(prefix) {
        return description.to_owned();
    }
    match mark.filter(|mark| mark.is_in(description)) {
        Some(mark) => marked(
            &format!("{prefix}{}", mark::strip(description).unwrap_or_default()),
            mark,
        ),
        None => format!("{prefix}{description}").chars().take(LONGEST).collect(),
    }
}

/// The view as the orthodontic terminology calls it, else as the sender does, else what kind of file it is.
fn view(image: &Image) -> String {
    let translated = image
        .translations
        .iter()
        .find(|view| view.code.scheme == ORTHODONTIC);
    let known = translated
        .map(|view| &view.code)
        .or_else(|| image.views.iter().find(|code| code.scheme == ORTHODONTIC));
    let meaning = known.and_then(|code| code.meaning.as_deref());
    let sender = || {
        image
            .view_label
            .as_deref()
            .or_else(|| image.views.iter().find_map(|code| code.meaning.as_deref()))
    };
    let words = meaning
        .or_else(sender)
        .map(str::trim)
        .filter(|words| !words.is_empty());
    match words {
        // The table's displays have no blank after a comma.
        Some(words) => words.replace(", ", ",").replace(',', ", "),
        None => ImgType::of(image).word().to_owned(),
    }
}

/// The coding scheme of the orthodontic views (ADA Standard 1100).
const ORTHODONTIC: &str = "99ADA1100";

fn progress(image: &Image) -> Option<String> {
    let progress = image.progress.as_ref()?;
    let event = progress.event.as_ref().and_then(|event| event.meaning.as_deref());
    let words = progress.label.as_deref().or(event)?.trim();
    (!words.is_empty()).then(|| words.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use archwire_connector::{ImageCode, ImageProgress, ViewTranslation};

    fn code(scheme: &str, meaning: &str) -> ImageCode {
        ImageCode {
            meaning: Some(meaning.into()),
            ..ImageCode::new(scheme, "1")
        }
    }

    fn ceph() -> Image {
        Image {
            modality: Some("DX".into()),
            content_type: Some("application/dicom".into()),
            views: vec![code("99VENDOR", "Ceph L")],
            translations: vec![ViewTranslation {
                code: code(ORTHODONTIC, "Lateral cephalogram,left,centric occlusion"),
                table: "t".into(),
            }],
            progress: Some(ImageProgress {
                label: Some("Initial".into()),
                ..ImageProgress::default()
            }),
            acquired_at: Some("2026-03-15T14:30:00".into()),
            teeth: vec![18, 55],
            ..Image::default()
        }
    }

    fn mark() -> Mark {
        Mark::of("1/1", "ab")
    }

    #[test]
    fn a_line_says_view_progress_and_teeth_and_ends_with_the_mark() {
        let line = Line::of(&ceph(), &mark(), None);
        let words = "Lateral cephalogram, left, centric occlusion; Initial; primary teeth A";
        assert_eq!(line.description, format!("{words} {}", mark()));
        assert_eq!(
            Value::Object(line.fields()),
            serde_json::json!({
                "Description": line.description, "ImgType": "Radiograph", "DateCreated": "2026-03-15 14:30:00",
                "ToothNumbers": "1",
            })
        );
    }

    #[test]
    fn the_senders_words_stand_where_the_view_is_not_known() {
        let sender = Image {
            translations: vec![],
            progress: None,
            teeth: vec![],
            ..ceph()
        };
        assert_eq!(
            Line::of(&sender, &mark(), None).description,
            format!("Ceph L {}", mark())
        );
        let nobody = Image {
            content_type: Some("image/jpeg".into()),
            ..Image::default()
        };
        assert_eq!(
            Line::of(&nobody, &mark(), None).description,
            format!("Photo {}", mark())
        );
    }

    #[test]
    fn a_long_view_loses_its_end_and_never_the_mark() {
        let long = Image {
            view_label: Some("é\n".repeat(300)),
            ..Image::default()
        };
        let line = Line::of(&long, &mark(), None);
        assert!(line.description.chars().count() <= LONGEST);
        assert!(mark().is_in(&line.description) && !line.description.contains('\n'));
        let replaced = prefixed(REPLACED, &line.description, Some(&mark()));
        assert!(replaced.chars().count() <= LONGEST);
        assert!(replaced.starts_with(REPLACED) && mark().is_in(&replaced));
        assert_eq!(prefixed(REPLACED, &replaced, Some(&mark())), replaced);
        assert_eq!(prefixed(WITHDRAWN, "Pano", None), "WITHDRAWN: Pano");
    }

    #[test]
    fn the_type_is_told_by_the_modality_and_else_by_the_bytes() {
        let of = |modality: Option<&str>, content: &str| {
            ImgType::of(&Image {
                modality: modality.map(Into::into),
                content_type: Some(content.into()),
                ..Image::default()
            })
        };
        assert_eq!(of(Some("PX"), "application/dicom"), ImgType::Radiograph);
        assert_eq!(of(Some("IO"), "image/png"), ImgType::Radiograph);
        assert_eq!(of(Some("XC"), "application/dicom"), ImgType::Photo);
        assert_eq!(of(None, "image/jpeg"), ImgType::Photo);
        assert_eq!(of(None, "application/pdf"), ImgType::Document);
        assert_eq!(of(Some("M3D"), "model/stl"), ImgType::File);
        assert_eq!(of(None, "application/dicom"), ImgType::File);
    }

    #[test]
    fn an_upload_fits_into_the_note_and_into_a_request() {
        let text = MOST_BYTES.div_ceil(3) * 4;
        assert!(text + 64 < 16_777_215, "the note");
        assert!(text + 4_096 < 16_800_000, "the request");
    }
}
