//! Files that were cut.

use super::{
    super::HeaderError,
    read_bytes,
    writer::{How, Writer, excerpt, file, radiograph, with_fragments, with_pixels},
};
use crate::imaging::{Excerpt, dicom::read};
use dicom_core::Tag;

#[test]
fn a_file_that_is_cut_anywhere_is_refused() {
    for how in [How::Explicit, How::Implicit, How::BigEndian, How::Deflated] {
        let bytes = with_pixels(how);
        assert!(read_bytes(&bytes).is_ok());
        for length in 0..bytes.len() {
            let cut = read_bytes(&bytes[..length]);
            let is_refused = match (length, cut.unwrap_err()) {
                (0..132, error) => error == HeaderError::NotPart10,
                // Before it says of what class it is.
                (_, error) => matches!(error, HeaderError::Truncated | HeaderError::UidMissing),
            };
            assert!(is_refused, "{how:?} after {length} of {}", bytes.len());
        }
    }
}

#[test]
fn compressed_pixels_that_are_cut_anywhere_are_refused() {
    let bytes = with_fragments(&[&[0xAB; 40], &[0xCD; 22]]);
    assert!(read_bytes(&bytes).is_ok());
    for length in 300..bytes.len() {
        assert_eq!(
            read_bytes(&bytes[..length]).err(),
            Some(HeaderError::Truncated),
            "after {length}"
        );
    }
}

#[test]
fn compressed_pixels_beyond_what_is_looked_at_end_with_their_delimiter() {
    let frame = vec![0xAB; 1_500_000];
    let bytes = with_fragments(&[&frame, &frame]);
    assert!(read_bytes(&bytes).is_ok());
    for cut in [1, 8, 9, 100_000, 1_500_008, 1_600_000] {
        let bytes = &bytes[..bytes.len() - cut];
        assert_eq!(
            read_bytes(bytes).err(),
            Some(HeaderError::Truncated),
            "{cut} from the end"
        );
    }
}

#[test]
fn two_gigabytes_of_pixels_are_not_looked_at() {
    let rows = radiograph(How::Explicit).header(Tag(0x7FE0, 0x0010), "OW", 2_000_000_000);
    let head = file("1.2.840.10008.1.2.1", &rows.bytes);
    let of_size = |size| {
        read(&Excerpt {
            size,
            ..excerpt(&head)
        })
    };
    let whole = head.len() as u64 + 2_000_000_000;
    assert!(of_size(whole).is_ok());
    assert_eq!(of_size(whole - 1).err(), Some(HeaderError::Truncated));
}

#[test]
fn what_comes_after_the_pixels_is_part_of_the_file_and_rubbish_is_not() {
    let padded = radiograph(How::Explicit)
        .raw(Tag(0x7FE0, 0x0010), "OW", &[0; 8])
        .raw(Tag(0xFFFC, 0xFFFC), "OB", &[0; 64])
        .file();
    assert!(read_bytes(&padded).is_ok());
    assert_eq!(
        read_bytes(&padded[..padded.len() - 1]).err(),
        Some(HeaderError::Truncated)
    );
    let mut rubbish = with_pixels(How::Explicit);
    rubbish.extend([0; 77]);
    assert!(read_bytes(&rubbish).is_ok());
}

#[test]
fn a_document_that_is_cut_is_refused_and_one_beyond_what_is_looked_at_is_read() {
    let pdf = |length: usize| {
        Writer::new(How::Explicit)
            .text(Tag(0x0008, 0x0016), "UI", "1.2.840.10008.5.1.4.1.1.104.1")
            .text(Tag(0x0010, 0x0010), "PN", "Lovelace^Ada")
            .text(Tag(0x0020, 0x000E), "UI", "1.2.3")
            .raw(Tag(0x0042, 0x0011), "OB", &vec![b'%'; length])
            .text(Tag(0x0042, 0x0012), "LO", "application/pdf")
            .file()
    };
    let small = pdf(100);
    assert!(read_bytes(&small).is_ok());
    // What ends before its last element, but with its document, is a document.
    for length in 230..small.len() - 24 {
        assert_eq!(
            read_bytes(&small[..length]).err(),
            Some(HeaderError::Truncated),
            "after {length}"
        );
    }
    let large = pdf(3_000_000);
    let header = read_bytes(&large).unwrap();
    assert!(header.named.is_some());
    assert_eq!(
        read_bytes(&large[..2_000_000]).err(),
        Some(HeaderError::Truncated)
    );
}

#[test]
fn a_header_that_does_not_say_in_time_whose_image_it_is_is_refused() {
    let late = Writer::new(How::Explicit)
        .raw(Tag(0x0009, 0x1001), "UN", &vec![0; 1_200_000])
        .text(Tag(0x0010, 0x0010), "PN", "Lovelace^Ada")
        .text(Tag(0x0020, 0x000E), "UI", "1.2.3")
        .file();
    assert_eq!(read_bytes(&late).err(), Some(HeaderError::TooLong));
}
