//! Files within DICOM files, as they come out again.

use super::*;
use crate::header::Header;
use crate::person::person;
use crate::picture::look;
use crate::picture::samples::jpeg;
use archwire_connector::ViewTranslation;

const SHA256: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

fn image(size: usize) -> Image {
    Image {
        acquired_at: Some("2026-03-01T09:30:00.5+01:00".into()),
        views: vec![ImageCode::new("99ADA1100", "EV19")],
        translations: vec![ViewTranslation {
            code: ImageCode::new("SCT", "1306664005"),
            table: "1".into(),
        }],
        size: u64::try_from(size).unwrap(),
        ..Image::default()
    }
}

/// The whole DICOM file around a file.
fn wrapped(payload: &[u8], image: &Image) -> Option<Vec<u8>> {
    let uid = |text| Uid::parse(text).unwrap();
    let (study, series, instance) = (uid("1.2"), uid("1.3"), uid("1.4"));
    let mut patient = person("Müller^Jörg", "20120304");
    patient.administrative_sex = Some(AdministrativeSex::Male);
    let subject = Subject {
        study: &study,
        series: &series,
        instance: &instance,
        patient_id: "P1",
        issuer: "MAPLE",
        patient: &patient,
        image,
        sha256: SHA256,
    };
    let size = u64::try_from(payload.len()).unwrap();
    let wrapping = around(look(payload, size).unwrap(), &subject)?;
    Some([wrapping.head, payload.to_vec(), wrapping.tail].concat())
}

fn stl() -> Vec<u8> {
    let mut stl = vec![0; 80];
    stl.extend(1_u32.to_le_bytes());
    stl.resize(134, 7);
    stl
}

#[test]
fn the_file_within_is_found_again_with_its_own_length() {
    for odd in [false, true] {
        let mut payload = jpeg(0xC0, &[0x22, 0x11, 0x11]);
        if odd == payload.len().is_multiple_of(2) {
            payload.push(0);
        }
        let pdf = if odd {
            b"%PDF-1".to_vec()
        } else {
            b"%PDF-1.7".to_vec()
        };
        for payload in [payload, pdf, stl()] {
            let file = wrapped(&payload, &image(payload.len())).unwrap();
            assert_eq!(file.len() % 2, 0);
            let header = Header::read(&file).unwrap();
            let within = header.payload.unwrap();
            let offset = usize::try_from(within.offset).unwrap();
            assert!(file[offset..].starts_with(&payload));
            assert_eq!(within.size, u64::try_from(payload.len()).unwrap());
            assert_eq!(within.sha256, SHA256);
            assert_eq!(header.patient_id.as_deref(), Some("P1"));
            assert_eq!(header.issuer.as_deref(), Some("MAPLE"));
            assert!(header.study == Uid::parse("1.2").ok() && header.instance == Uid::parse("1.4").ok());
        }
    }
}

/// Tags have to rise (DICOM PS3.5, 7.1).
#[test]
fn elements_stand_in_the_order_of_their_tags() {
    for payload in [jpeg(0xC0, &[0x11]), b"%PDF-1.7".to_vec(), stl()] {
        let file = wrapped(&payload, &image(payload.len())).unwrap();
        let mut tags = Vec::new();
        let mut at = 132;
        while let Some(head) = file.get(at..at + 8) {
            let word = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
            tags.push((word(0), word(2)));
            let is_long = matches!(&head[4..6], b"OB" | b"SQ" | b"UC");
            let length = if is_long {
                u32::from_le_bytes(file[at + 8..at + 12].try_into().unwrap())
            } else {
                u32::from(word(6))
            };
            if length == u32::MAX {
                break;
            }
            at += if is_long { 12 } else { 8 } + usize::try_from(length).unwrap();
        }
        assert!(tags.is_sorted() && tags.len() > 30, "{tags:04X?}");
    }
}

#[test]
fn the_same_image_gives_the_same_bytes() {
    let payload = b"%PDF-1.7";
    assert!(wrapped(payload, &image(8)) == wrapped(payload, &image(8)));
}

#[test]
fn what_is_dicom_already_or_too_long_for_a_value_is_not_wrapped() {
    let mut dicom = vec![0; 128];
    dicom.extend(b"DICM");
    assert!(wrapped(&dicom, &image(132)).is_none());
    let endless = Image {
        size: u64::from(u32::MAX) - 1,
        ..Image::default()
    };
    assert!(wrapped(b"%PDF-1.7", &endless).is_none());
}

#[test]
fn moments_are_written_as_far_as_they_are_known() {
    let read = |text| {
        let Acquired { date, time, offset } = Acquired::read(text);
        (date, time, offset)
    };
    let expected =
        |date: &str, time: &str, offset: &str| (date.to_owned(), time.to_owned(), offset.to_owned());
    assert_eq!(
        read("2026-03-01T09:30:00.5+01:00"),
        expected("20260301", "093000.5", "+0100")
    );
    assert_eq!(
        read("2026-03-01T09:30:00Z"),
        expected("20260301", "093000", "+0000")
    );
    assert_eq!(read("2026-03-01T09:30:00-08:00").2, "-0800");
    assert_eq!(read("2026-03-01T09:30"), expected("20260301", "", ""));
    assert_eq!(read("2026-03-01"), expected("20260301", "", ""));
    for text in ["2026-03", "2026", "", "soon"] {
        assert_eq!(read(text), expected("", "", ""), "{text}");
    }
}
