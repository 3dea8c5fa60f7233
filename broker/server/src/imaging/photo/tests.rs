//! Photographs, cut and hostile ones too.

use super::*;
use proptest::prelude::*;

fn jpeg_with(segments: &[(u8, &[u8])]) -> Vec<u8> {
    let mut bytes = vec![0xFF, 0xD8];
    for (marker, payload) in segments {
        bytes.extend([0xFF, *marker]);
        bytes.extend(u16::try_from(payload.len() + 2).unwrap().to_be_bytes());
        bytes.extend(*payload);
    }
    bytes
}

fn frame(rows: u16, columns: u16) -> Vec<u8> {
    let mut payload = vec![8];
    payload.extend(rows.to_be_bytes());
    payload.extend(columns.to_be_bytes());
    payload.extend([3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1]);
    payload
}

/// EXIF with a camera's make, and when and in which offset the photograph was taken.
fn exif_block(is_little: bool) -> Vec<u8> {
    let short = |number: u16| match is_little {
        true => number.to_le_bytes(),
        false => number.to_be_bytes(),
    };
    let long = |number: u32| match is_little {
        true => number.to_le_bytes(),
        false => number.to_be_bytes(),
    };
    let entry = |tag: u16, kind: u16, count: u32, value: u32| {
        [&short(tag)[..], &short(kind), &long(count), &long(value)].concat()
    };
    let first = [
        &short(2)[..],
        &entry(0x010F, 2, 8, 100),
        &entry(0x8769, 4, 1, 40),
        &long(0),
    ]
    .concat();
    let second = [
        &short(2)[..],
        &entry(0x9003, 2, 20, 110),
        &entry(0x9011, 2, 7, 130),
        &long(0),
    ]
    .concat();
    let mut tiff = match is_little {
        true => b"II\x2A\0".to_vec(),
        false => b"MM\0\x2A".to_vec(),
    };
    tiff.extend(long(8));
    tiff.extend(first);
    tiff.resize(40, 0);
    tiff.extend(second);
    tiff.resize(100, 0);
    tiff.extend(b"Example\0");
    tiff.resize(110, 0);
    tiff.extend(b"2026:03:01 09:30:00\0");
    tiff.extend(b"+01:00\0");
    [b"Exif\0\0", tiff.as_slice()].concat()
}

#[test]
fn the_size_of_a_jpeg_is_that_of_its_frame_and_not_of_its_thumbnail() {
    let mut thumbnail = b"JFIF\0".to_vec();
    thumbnail.extend(jpeg_with(&[(0xC0, &frame(1, 1))]));
    let photo = jpeg(&jpeg_with(&[
        (0xE0, &thumbnail),
        (0xC4, &[0; 30]),
        (0xC2, &frame(3000, 4000)),
    ]));
    assert_eq!(
        (photo.rows, photo.columns, photo.lossy),
        (Some(3000), Some(4000), Some(true))
    );
    let lossless = jpeg(&jpeg_with(&[(0xC3, &frame(10, 20))]));
    assert_eq!((lossless.columns, lossless.lossy), (Some(20), Some(false)));
    assert_eq!(
        jpeg(&jpeg_with(&[(0xDA, &[]), (0xC0, &frame(1, 1))])),
        Photo::default()
    );
}

#[test]
fn exif_tells_when_and_with_what() {
    for is_little in [true, false] {
        let photo = jpeg(&jpeg_with(&[
            (0xE1, &exif_block(is_little)),
            (0xC0, &frame(2, 3)),
        ]));
        let taken = photo.acquired_at.as_ref().map(AcquiredAt::as_str);
        assert_eq!(taken, Some("2026-03-01T09:30:00+01:00"));
        assert_eq!(photo.device, Some("Example".into()));
        assert_eq!(photo.rows, Some(2));
    }
}

#[test]
fn the_size_of_a_png_is_in_its_first_chunk() {
    let mut bytes = b"\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR".to_vec();
    bytes.extend(10_000_u32.to_be_bytes());
    bytes.extend(20_000_u32.to_be_bytes());
    let photo = png(&bytes);
    assert_eq!((photo.columns, photo.rows), (Some(10_000), Some(20_000)));
    assert_eq!(png(&bytes[..20]).rows, None);
    assert_eq!(png(b""), Photo::default());
}

#[test]
fn nothing_of_exif_leads_anywhere() {
    let whole = exif_block(true);
    for place in 6..whole.len() {
        for byte in [0, 1, 0x7F, 0xFF] {
            let mut changed = whole.clone();
            changed[place] = byte;
            let _ = jpeg(&jpeg_with(&[(0xE1, &changed)]));
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_are_too_odd(
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(0xFF), Just(0xE1), Just(0xC0), Just(0)], 0..400),
    ) {
        let _ = png(&bytes);
        let _ = jpeg(&[&[0xFF, 0xD8], bytes.as_slice()].concat());
        let _ = jpeg(&jpeg_with(&[(0xE1, &[b"Exif\0\0II\x2A\0\x08\0\0\0", bytes.as_slice()].concat())]));
    }
}
