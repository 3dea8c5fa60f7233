//! Headers that are made to break whoever reads them.

use super::{
    super::HeaderError,
    read_bytes, report,
    writer::{How, Writer, excerpt, file, radiograph, with_pixels},
};
use crate::{
    imaging::{Excerpt, describe, dicom::read},
    wire::{read_image, write_image},
};
use archwire_core::{ImageClaim, PatientId, Text};
use dicom_core::Tag;
use proptest::prelude::*;
use std::time::{Duration, Instant};

const PRIVATE: Tag = Tag(0x0009, 0x1001);
const VIEWS: Tag = Tag(0x0054, 0x0220);
const ITEM: Tag = Tag(0xFFFE, 0xE000);

fn refused(data_set: &Writer) -> HeaderError {
    let begun = Instant::now();
    let error = read_bytes(&data_set.clone().file()).unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(1));
    error
}

#[test]
fn no_length_is_believed() {
    for how in [How::Explicit, How::Implicit, How::BigEndian, How::Deflated] {
        for length in [u32::MAX - 1, 1 << 31, 70_000] {
            for tag in [PRIVATE, VIEWS, Tag(0x0028, 0x0010)] {
                let huge = Writer::new(how).header(tag, "UN", length);
                assert_eq!(refused(&huge), HeaderError::Truncated, "{how:?} {tag} {length}");
                let item = Writer::new(how)
                    .header(tag, "SQ", u32::MAX)
                    .header(ITEM, "", length);
                assert_eq!(refused(&item), HeaderError::Truncated, "{how:?} {tag} {length}");
            }
        }
    }
    let mut meta = file("1.2.840.10008.1.2.1", &[]);
    meta.truncate(132);
    meta.extend([2, 0, 1, 0, b'O', b'B', 0, 0, 0xFE, 0xFF, 0xFF, 0xFF]);
    assert_eq!(read_bytes(&meta).err(), Some(HeaderError::Truncated));
}

#[test]
fn a_length_of_a_large_file_that_leads_beyond_what_is_looked_at_allocates_nothing() {
    let head = file(
        "1.2.840.10008.1.2.1",
        &radiograph(How::Explicit)
            .header(PRIVATE, "UN", 3_000_000_000)
            .bytes,
    );
    let header = read(&Excerpt {
        size: 4_000_000_000,
        ..excerpt(&head)
    });
    assert!(header.unwrap().named.is_some());
}

#[test]
fn an_item_does_not_reach_beyond_its_sequence() {
    let inner = Writer::new(How::Explicit).header(ITEM, "", 400);
    let mut outer = Writer::new(How::Explicit).header(VIEWS, "SQ", 8);
    outer.bytes.extend(inner.bytes);
    outer = outer.raw(Tag(0x0060, 0x1001), "UN", &[0; 500]);
    assert_eq!(refused(&outer), HeaderError::Malformed);
}

#[test]
fn sequences_within_sequences_are_refused_at_some_depth() {
    for tag in [VIEWS, PRIVATE] {
        for how in [How::Explicit, How::Implicit, How::BigEndian, How::Deflated] {
            let mut deep = Writer::new(how);
            for _ in 0..10_000 {
                deep = deep.header(tag, "SQ", u32::MAX).header(ITEM, "", u32::MAX);
            }
            assert_eq!(refused(&deep), HeaderError::TooDeep, "{tag} {how:?}");
        }
    }
    let mut deep = Writer::new(How::Explicit);
    for _ in 0..500 {
        deep = Writer::new(How::Explicit).sequence(VIEWS, vec![deep]);
    }
    assert_eq!(refused(&deep), HeaderError::TooDeep);
}

#[test]
fn sequences_without_an_end_are_cut_files() {
    for tag in [VIEWS, PRIVATE] {
        let mut endless = Writer::new(How::Explicit).header(tag, "SQ", u32::MAX);
        for _ in 0..2_000 {
            endless = endless.raw(ITEM, "", &[]);
        }
        assert_eq!(refused(&endless), HeaderError::Truncated, "{tag}");
    }
}

#[test]
fn ten_thousand_codes_of_a_view_are_refused_and_ten_thousand_unknown_elements_passed_over() {
    let items = vec![Writer::new(How::Explicit); 10_000];
    let many = Writer::new(How::Explicit).sequence(VIEWS, items);
    assert_eq!(refused(&many), HeaderError::TooManyElements);
    let mut many = report();
    for place in 0..10_000 {
        many = many.raw(Tag(0x0009, 0x1000 + place), "LO", b"");
    }
    many = many.text(Tag(0x0010, 0x0010), "PN", "Lovelace^Ada");
    assert!(read_bytes(&many.file()).unwrap().named.is_some());
}

#[test]
fn a_megabyte_of_the_smallest_elements_takes_no_time() {
    let empty = Writer::new(How::Implicit).raw(PRIVATE, "", b"").bytes;
    let item = Writer::new(How::Implicit).raw(ITEM, "", b"").bytes;
    let private = Writer::new(How::Implicit).header(PRIVATE, "SQ", u32::MAX).bytes;
    let pixels = Writer::new(How::Implicit)
        .header(Tag(0x7FE0, 0x0010), "OB", u32::MAX)
        .bytes;
    for (start, smallest) in [(vec![], empty), (private, item.clone()), (pixels, item)] {
        let bytes = file("1.2.840.10008.1.2", &[start, smallest.repeat(131_000)].concat());
        let begun = Instant::now();
        assert!(read_bytes(&bytes).is_err());
        assert!(begun.elapsed() < Duration::from_secs(1));
    }
}

#[test]
fn deflated_bytes_come_out_no_further_than_the_bound() {
    let mut bomb = radiograph(How::Explicit).header(PRIVATE, "UN", 1 << 30).bytes;
    bomb.resize(64 * 1024 * 1024, 0);
    let deflated = miniz_oxide::deflate::compress_to_vec(&bomb, 9);
    let file = file("1.2.840.10008.1.2.1.99", &deflated);
    assert!(file.len() < 100_000);
    let begun = Instant::now();
    assert!(read_bytes(&file).unwrap().named.is_some());
    assert!(begun.elapsed() < Duration::from_secs(1));
    let rubbish = super::writer::file("1.2.840.10008.1.2.1.99", &[0xFF; 500]);
    assert_eq!(read_bytes(&rubbish).err(), Some(HeaderError::Malformed));
}

#[test]
fn two_names_are_nobodys() {
    let both = Writer::new(How::Explicit)
        .text(Tag(0x0010, 0x0010), "PN", "Lovelace^Ada")
        .text(Tag(0x0010, 0x0010), "PN", "Hopper^Grace");
    assert_eq!(refused(&both), HeaderError::Malformed);
    let twice = report().text(Tag(0x0010, 0x0010), "PN", "Lovelace^Ada").text(
        Tag(0x0010, 0x0010),
        "PN",
        "Lovelace^Ada",
    );
    assert!(read_bytes(&twice.file()).unwrap().named.is_some());
}

#[test]
fn control_characters_are_spaces_so_that_what_is_told_can_be_stored() {
    let mut bytes = with_pixels(How::Explicit);
    for (text, odd) in [
        ("A-1", "A\t1"),
        ("774007", "774\u{1}07"),
        ("Ceph 9", "Ceph\n9"),
        ("Lovelace", "Love\u{7f}ace"),
    ] {
        let is_here = |window: &[u8]| window == text.as_bytes();
        let at = bytes.windows(text.len()).position(is_here).unwrap();
        bytes[at..at + text.len()].copy_from_slice(odd.as_bytes());
    }
    let described = describe(ImageClaim::default(), &excerpt(&bytes), PatientId::generate()).unwrap();
    let (image, named) = (described.image, described.named.unwrap());
    assert!(read_image(write_image(&image)).as_ref() == Ok(&image));
    let text = |text: &Option<Text>| text.as_ref().map(|text| text.as_str().to_owned()).unwrap();
    assert_eq!(text(&image.about.accession), "A 1");
    assert_eq!(text(&image.about.device), "Example Imaging Ceph 9");
    assert_eq!(image.about.anatomy[0].value, "774 07");
    assert_eq!(text(&named.names[0].family), "Love ace");
}

#[test]
fn a_file_that_says_it_has_value_representations_and_has_none_is_read() {
    let mut pixels = radiograph(How::Implicit).raw(Tag(0x7FE0, 0x0010), "OW", &[0; 600]);
    let file = file("1.2.840.10008.1.2.1", &std::mem::take(&mut pixels.bytes));
    assert!(read_bytes(&file).unwrap().named.is_some());
}

#[test]
fn unknown_sequences_are_passed_over_in_the_syntax_that_they_are_in() {
    let inside = Writer::new(How::Implicit).open_sequence(
        Tag(0x0009, 0x1002),
        vec![Writer::new(How::Implicit).raw(Tag(0x0009, 0x1003), "", b"SQUN")],
    );
    let mut outer = report()
        .header(PRIVATE, "UN", u32::MAX)
        .header(ITEM, "", u32::MAX);
    outer.bytes.extend(inside.bytes);
    outer = outer
        .header(Tag(0xFFFE, 0xE00D), "", 0)
        .header(Tag(0xFFFE, 0xE0DD), "", 0)
        .text(Tag(0x0010, 0x0010), "PN", "Lovelace^Ada");
    assert!(read_bytes(&outer.file()).unwrap().named.is_some());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_header_is_too_odd(
        how in prop::sample::select(vec![How::Explicit, How::Implicit, How::BigEndian, How::Deflated]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in any::<prop::sample::Index>(),
        size in prop::option::of(any::<u64>()),
    ) {
        let mut bytes = with_pixels(how);
        for (place, byte) in changes {
            let place = 132 + place.index(bytes.len() - 132);
            bytes[place] = byte;
        }
        let looked_at = &bytes[..=cut.index(bytes.len())];
        let size = size.unwrap_or(0).max(looked_at.len() as u64);
        let _ = read_bytes(looked_at);
        let _ = read(&Excerpt { size, ..excerpt(looked_at) });
    }

    #[test]
    fn no_bytes_are_too_odd(
        syntax in prop::sample::select(vec!["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"]),
        words in prop::collection::vec(
            prop_oneof![
                any::<[u8; 4]>(),
                Just([0xFE, 0xFF, 0x00, 0xE0]),
                Just([0xFE, 0xFF, 0x0D, 0xE0]),
                Just([0xFE, 0xFF, 0xDD, 0xE0]),
                Just([0xFF; 4]),
                Just([0; 4]),
                Just(*b"SQ\0\0"),
                Just(*b"UN\0\0"),
                Just([0x54, 0x00, 0x20, 0x02]),
                Just([0xE0, 0x7F, 0x10, 0x00]),
            ],
            0..200,
        ),
    ) {
        let _ = read_bytes(&file(syntax, &words.concat()));
    }
}
