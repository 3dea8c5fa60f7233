//! A DICOM file around a file that is none, without a change to a byte of it (DICOM PS3.3, A.32.4, A.45.1, A.85.1; PS3.5, A.4).
//!
//! | file | object | transfer syntax |
//! |---|---|---|
//! | JPEG, baseline | VL Photographic Image | 1.2.840.10008.1.2.4.50, the JPEG as its one frame |
//! | JPEG, extended | VL Photographic Image | 1.2.840.10008.1.2.4.51 |
//! | PDF | Encapsulated PDF | 1.2.840.10008.1.2.1 |
//! | binary STL | Encapsulated STL, in millimetres | 1.2.840.10008.1.2.1 |
//!
//! The file goes last, so that what is written here is only what comes before it and the few bytes after. Digest and size of it
//! stand in a private block, so that it comes out again as it went in: DICOM pads to an even length. What is known of the
//! view goes in as codes, the sender's own beside the bus's translations, as Performed Protocol Code Sequence.
//!
//! The same image of the same patient gives the same bytes, whenever it is made.

use crate::elements::Elements;
use crate::header::{CREATOR, EXPLICIT, tag};
use crate::person_name;
use crate::picture::{Colour, Content, Jpeg};
use crate::uid::Uid;
use archwire_connector::{AdministrativeSex, Image, ImageCode, Laterality, Patient};

const PHOTOGRAPH: &str = "1.2.840.10008.5.1.4.1.1.77.1.4";
const PDF: &str = "1.2.840.10008.5.1.4.1.1.104.1";
const STL: &str = "1.2.840.10008.5.1.4.1.1.104.3";
const JPEG_BASELINE: &str = "1.2.840.10008.1.2.4.50";
const JPEG_EXTENDED: &str = "1.2.840.10008.1.2.4.51";
/// ImplementationClassUID (0002,0012): a UUID as a number.
const IMPLEMENTATION: &str = "2.25.160834719281370265498127364550918273645";
/// ImplementationVersionName (0002,0013).
const VERSION: &str = "ARCHWIRE_1";

/// What is put around a file.
#[derive(Clone, PartialEq, Eq)]
pub struct Wrapping {
    /// Goes before the file.
    pub head: Vec<u8>,
    /// Goes after it.
    pub tail: Vec<u8>,
}

/// What the object is called, and whose it is.
pub struct Subject<'a> {
    /// StudyInstanceUID.
    pub study: &'a Uid,
    /// SeriesInstanceUID.
    pub series: &'a Uid,
    /// SOPInstanceUID.
    pub instance: &'a Uid,
    /// PatientID.
    pub patient_id: &'a str,
    /// IssuerOfPatientID; empty for none.
    pub issuer: &'a str,
    /// Whose name, birth date and sex it carries.
    pub patient: &'a Patient,
    /// What is known of the image.
    pub image: &'a Image,
    /// SHA-256 of the file within, 64 lower-case hexadecimal digits.
    pub sha256: &'a str,
}

/// What goes around a file of this content. `None` for a file that is DICOM already, and for more bytes than a value may have
/// (4 GiB).
#[must_use]
pub fn around(content: Content, subject: &Subject<'_>) -> Option<Wrapping> {
    let size = u32::try_from(subject.image.size)
        .ok()
        .filter(|size| *size < u32::MAX - 1)?;
    let (class, syntax) = match content {
        Content::Dicom => return None,
        Content::Jpeg(Jpeg { extended: false, .. }) => (PHOTOGRAPH, JPEG_BASELINE),
        Content::Jpeg(_) => (PHOTOGRAPH, JPEG_EXTENDED),
        Content::Pdf => (PDF, EXPLICIT),
        Content::Stl => (STL, EXPLICIT),
    };
    let mut set = Elements::new();
    general(&mut set, content, class, subject);
    patient(&mut set, subject);
    let after = match content {
        Content::Jpeg(jpeg) => picture(&mut set, jpeg, subject, size),
        _ => document(&mut set, content, subject, size),
    };
    let padding = (size % 2 == 1).then_some(0);
    let tail = padding.into_iter().chain(after.bytes()).collect();
    Some(file(class, syntax, subject, set, tail))
}

fn file(class: &str, syntax: &str, subject: &Subject<'_>, set: Elements, tail: Vec<u8>) -> Wrapping {
    let mut meta = Elements::new();
    meta.long((0x0002, 0x0001), b"OB", &[0, 1]);
    meta.text((0x0002, 0x0002), b"UI", class);
    meta.text((0x0002, 0x0003), b"UI", subject.instance.as_str());
    meta.text((0x0002, 0x0010), b"UI", syntax);
    meta.text((0x0002, 0x0012), b"UI", IMPLEMENTATION);
    meta.text((0x0002, 0x0013), b"SH", VERSION);
    let meta = meta.bytes();
    let mut length = Elements::new();
    length.long_number((0x0002, 0x0000), u32::try_from(meta.len()).unwrap_or(u32::MAX));
    let mut head = vec![0; 128];
    head.extend(b"DICM");
    head.extend(length.bytes());
    head.extend(meta);
    head.extend(set.bytes());
    Wrapping { head, tail }
}

/// Group 0008, and the private block behind it.
fn general(set: &mut Elements, content: Content, class: &str, subject: &Subject<'_>) {
    let image = subject.image;
    let acquired = Acquired::read(image.acquired_at.as_deref().unwrap_or_default());
    set.text((0x0008, 0x0005), b"CS", "ISO_IR 192");
    if matches!(content, Content::Jpeg(_)) {
        set.pair((0x0008, 0x0008), "ORIGINAL", "PRIMARY");
    }
    set.text((0x0008, 0x0016), b"UI", class);
    set.text((0x0008, 0x0018), b"UI", subject.instance.as_str());
    set.text((0x0008, 0x0020), b"DA", &acquired.date);
    set.stated((0x0008, 0x0023), b"DA", Some(&acquired.date));
    set.text((0x0008, 0x002A), b"DT", &acquired.moment());
    set.text((0x0008, 0x0030), b"TM", &acquired.time);
    set.stated((0x0008, 0x0033), b"TM", Some(&acquired.time));
    set.text(
        (0x0008, 0x0050),
        b"SH",
        image.accession.as_deref().unwrap_or_default(),
    );
    let modality = match content {
        Content::Pdf => "DOC",
        Content::Stl => "M3D",
        _ => "XC",
    };
    set.text((0x0008, 0x0060), b"CS", modality);
    if !matches!(content, Content::Jpeg(_)) {
        // Made at a workstation.
        set.text((0x0008, 0x0064), b"CS", "WSD");
    }
    set.text((0x0008, 0x0070), b"LO", "");
    set.text((0x0008, 0x0090), b"PN", "");
    set.stated((0x0008, 0x0201), b"SH", Some(&acquired.offset));
    set.stated((0x0008, 0x1070), b"PN", image.operator.as_deref());
    set.stated((0x0008, 0x1090), b"LO", image.device.as_deref());
    if !image.anatomy.is_empty() && matches!(content, Content::Jpeg(_)) {
        set.sequence((0x0008, 0x2218), image.anatomy.iter().take(1).map(code));
    }
    set.text(tag::PRIVATE_CREATOR, b"LO", CREATOR);
    set.text(tag::PAYLOAD_SHA256, b"LO", subject.sha256);
    set.text(tag::PAYLOAD_SIZE, b"LO", &image.size.to_string());
    set.text(tag::FILED_PATIENT_ID, b"LO", subject.patient_id);
    set.stated(tag::FILED_ISSUER, b"LO", Some(subject.issuer));
}

fn patient(set: &mut Elements, subject: &Subject<'_>) {
    let patient = subject.patient;
    let born = patient.birth_date.as_deref().unwrap_or_default();
    let born = Some(born.replace('-', "")).filter(|born| born.len() == 8);
    let sex = match patient.administrative_sex {
        Some(AdministrativeSex::Male) => "M",
        Some(AdministrativeSex::Female) => "F",
        Some(AdministrativeSex::Other) => "O",
        _ => "",
    };
    set.text((0x0010, 0x0010), b"PN", &person_name::write(patient));
    set.text(tag::PATIENT_ID, b"LO", subject.patient_id);
    set.stated(tag::ISSUER_OF_PATIENT_ID, b"LO", Some(subject.issuer));
    set.text((0x0010, 0x0030), b"DA", &born.unwrap_or_default());
    set.text((0x0010, 0x0040), b"CS", sex);
}

/// Groups 0020 to 7FE0 of a photograph, up to the first byte of the JPEG. Returns what comes after it.
fn picture(set: &mut Elements, jpeg: Jpeg, subject: &Subject<'_>, size: u32) -> Elements {
    identify(set, subject);
    set.text((0x0020, 0x0020), b"CS", "");
    let laterality = subject.image.laterality.map(|laterality| match laterality {
        Laterality::Right => "R",
        Laterality::Left => "L",
        Laterality::Both => "B",
        Laterality::Unpaired => "U",
    });
    set.stated((0x0020, 0x0062), b"CS", laterality);
    set.stated((0x0020, 0x4000), b"LT", subject.image.view_label.as_deref());
    let (samples, colour) = match jpeg.colour {
        Colour::Grey => (1, "MONOCHROME2"),
        Colour::Coarse => (3, "YBR_FULL_422"),
        Colour::Full => (3, "YBR_FULL"),
        Colour::Rgb => (3, "RGB"),
    };
    set.number((0x0028, 0x0002), samples);
    set.text((0x0028, 0x0004), b"CS", colour);
    if samples > 1 {
        set.number((0x0028, 0x0006), 0);
    }
    set.number((0x0028, 0x0010), jpeg.rows);
    set.number((0x0028, 0x0011), jpeg.columns);
    set.number((0x0028, 0x0100), 8);
    set.number((0x0028, 0x0101), 8);
    set.number((0x0028, 0x0102), 7);
    set.number((0x0028, 0x0103), 0);
    set.stated((0x0028, 0x0301), b"CS", burned_in(subject.image));
    set.text((0x0028, 0x2110), b"CS", "01");
    set.text((0x0028, 0x2114), b"CS", "ISO_10918_1");
    protocol(set, subject.image);
    set.sequence((0x0040, 0x0555), []);
    set.long_head(tag::PIXEL_DATA, b"OB", u32::MAX);
    set.item_head(0);
    set.item_head(size + size % 2);
    let mut after = Elements::new();
    after.end_of_sequence();
    after
}

/// Groups 0020 to 0042 of a document, up to the first byte of it. Returns what comes after it.
fn document(set: &mut Elements, content: Content, subject: &Subject<'_>, size: u32) -> Elements {
    identify(set, subject);
    if content == Content::Stl {
        // A surface is in a space of its own.
        set.text((0x0020, 0x0052), b"UI", subject.series.as_str());
    }
    set.text((0x0028, 0x0301), b"CS", burned_in(subject.image).unwrap_or("YES"));
    protocol(set, subject.image);
    let media_type = match content {
        Content::Stl => {
            let millimetres = ImageCode {
                scheme: "UCUM".to_owned(),
                value: "mm".to_owned(),
                meaning: Some("mm".to_owned()),
            };
            set.sequence((0x0040, 0x08EA), [code(&millimetres)]);
            "model/stl"
        }
        _ => "application/pdf",
    };
    set.sequence((0x0040, 0xA043), []);
    let title = subject.image.view_label.as_deref().unwrap_or_default();
    set.text((0x0042, 0x0010), b"ST", title);
    set.long_head(tag::ENCAPSULATED_DOCUMENT, b"OB", size + size % 2);
    let mut after = Elements::new();
    after.text((0x0042, 0x0012), b"LO", media_type);
    after.long_number((0x0042, 0x0015), size);
    after
}

fn identify(set: &mut Elements, subject: &Subject<'_>) {
    set.text(tag::STUDY_INSTANCE_UID, b"UI", subject.study.as_str());
    set.text(tag::SERIES_INSTANCE_UID, b"UI", subject.series.as_str());
    set.text((0x0020, 0x0010), b"SH", "");
    set.text((0x0020, 0x0011), b"IS", "1");
    set.text((0x0020, 0x0013), b"IS", "1");
}

/// Performed Protocol Code Sequence: which view it is, in every code that is known.
fn protocol(set: &mut Elements, image: &Image) {
    let translations = image.translations.iter().map(|translation| &translation.code);
    let codes: Vec<_> = image.views.iter().chain(translations).map(code).collect();
    if !codes.is_empty() {
        set.sequence((0x0040, 0x0260), codes);
    }
}

/// A code sequence's item. A value that is too long for CodeValue (0008,0100) goes where long ones go.
fn code(code: &ImageCode) -> Elements {
    let mut item = Elements::new();
    let is_short = code.value.chars().count() <= 16;
    if is_short {
        item.text((0x0008, 0x0100), b"SH", &code.value);
    }
    item.text((0x0008, 0x0102), b"SH", &code.scheme);
    let meaning = code.meaning.as_deref().unwrap_or(&code.value);
    item.text((0x0008, 0x0104), b"LO", meaning);
    if !is_short {
        item.long_text((0x0008, 0x0119), &code.value);
    }
    item
}

fn burned_in(image: &Image) -> Option<&'static str> {
    image
        .burned_in_annotation
        .map(|burned_in| if burned_in { "YES" } else { "NO" })
}

/// A moment in FHIR's writing, in DICOM's.
#[derive(Debug, Default, PartialEq, Eq)]
struct Acquired {
    date: String,
    time: String,
    offset: String,
}

impl Acquired {
    /// Less than a day, such as a month or a year, is not stated: DICOM's dates are whole.
    fn read(text: &str) -> Self {
        let (date, rest) = text.split_once('T').unwrap_or((text, ""));
        let date = date.replace('-', "");
        if date.len() != 8 || !is_number(&date) {
            return Self::default();
        }
        let (time, offset) = match rest.find(['Z', '+', '-']) {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        let time = time.replace(':', "");
        let is_time = time.split('.').all(is_number) && time.len() >= 6;
        let offset = if offset == "Z" {
            "+0000".to_owned()
        } else {
            offset.replace(':', "")
        };
        Self {
            date,
            time: if is_time { time } else { String::new() },
            offset: if is_time { offset } else { String::new() },
        }
    }

    fn moment(&self) -> String {
        format!("{}{}{}", self.date, self.time, self.offset)
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests;
