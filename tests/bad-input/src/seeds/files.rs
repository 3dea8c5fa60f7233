//! Small files of each kind: an invented person's radiograph as DICOM in three ways of writing, a photograph's header, and others.

/// The files.
pub(super) fn all() -> [Vec<u8>; 9] {
    let set = radiograph("Example^Ada=\u{5c71}^\u{592a}");
    let deflated = miniz_oxide::deflate::compress_to_vec(&set, 6);
    let mut stl = vec![0; 134];
    if let Some(count) = stl.get_mut(80) {
        *count = 1;
    }
    [
        part10("1.2.840.10008.1.2.1", &set),
        part10("1.2.840.10008.1.2.1.99", &deflated),
        part10("1.2.840.10008.1.2.4.50", &set),
        part10("1.2.840.10008.1.2.1", &radiograph(", Ada")),
        photo(),
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x14\0\0\0\x1e\x08\x02\0\0\0\0\0\0\0".to_vec(),
        b"%PDF-1.4\n%%EOF\n".to_vec(),
        b"solid example\nfacet normal 0 0 1\nendfacet\nendsolid".to_vec(),
        stl,
    ]
}

/// A JPEG file's beginning: EXIF with a time and a camera, and a frame.
fn photo() -> Vec<u8> {
    let mut tiff = b"MM\0\x2a\0\0\0\x08\0\x02".to_vec();
    // Model (text of 4 bytes), and the time as text of 20 bytes behind the directory.
    tiff.extend(b"\x01\x10\0\x02\0\0\0\x04Cam\0");
    tiff.extend(b"\x01\x32\0\x02\0\0\0\x14\0\0\0\x26");
    tiff.extend(b"\0\0\0\0");
    tiff.extend(b"2026:03:01 09:30:00\0");
    let exif = [b"Exif\0\0".to_vec(), tiff].concat();
    let mut bytes = b"\xff\xd8\xff\xe1".to_vec();
    let length = u16::try_from(exif.len() + 2).unwrap_or(u16::MAX);
    bytes.extend(length.to_be_bytes());
    bytes.extend(exif);
    bytes.extend(b"\xff\xc0\0\x0b\x08\0\x14\0\x1e\x01\x01\x11\0\xff\xda\xff\xd9");
    bytes
}

/// A data set in explicit little endian, with its pixels, of whom `name` says.
fn radiograph(name: &str) -> Vec<u8> {
    let code = |value: &str| {
        let mut item = element(0x0008, 0x0100, "SH", value.as_bytes());
        item.extend(element(0x0008, 0x0102, "SH", b"SCT"));
        item.extend(element(0x0008, 0x0104, "LO", b"meaning"));
        item
    };
    let sequence = |item: Vec<u8>| {
        let length = u32::try_from(item.len()).unwrap_or(0).to_le_bytes();
        [b"\xfe\xff\x00\xe0".to_vec(), length.to_vec(), item].concat()
    };
    [
        element(0x0008, 0x0005, "CS", b"ISO_IR 192"),
        element(0x0008, 0x0016, "UI", b"1.2.840.10008.5.1.4.1.1.1.1"),
        element(0x0008, 0x0018, "UI", b"1.2.826.0.1.3680043.8.498.3"),
        element(0x0008, 0x002a, "DT", b"20260301093000.25+0100"),
        element(0x0008, 0x0060, "CS", b"DX"),
        element(0x0008, 0x2218, "SQ", &sequence(code("774007"))),
        element(0x0010, 0x0010, "PN", name.as_bytes()),
        element(0x0010, 0x0020, "LO", b"C-7"),
        element(0x0010, 0x0030, "DA", b"19840229"),
        element(0x0010, 0x0040, "CS", b"F"),
        element(0x0018, 0x1164, "DS", b"0.125\\0.125"),
        element(0x0020, 0x000d, "UI", b"1.2.826.0.1.3680043.8.498.1"),
        element(0x0020, 0x000e, "UI", b"1.2.826.0.1.3680043.8.498.2"),
        element(0x0020, 0x0062, "CS", b"U"),
        element(0x0028, 0x0010, "US", &[20, 0]),
        element(0x0028, 0x0011, "US", &[30, 0]),
        element(0x0054, 0x0220, "SQ", &sequence(code("399198007"))),
        element(0x7fe0, 0x0010, "OW", &[0x55; 600]),
    ]
    .concat()
}

/// An element of an explicit little endian data set.
fn element(group: u16, number: u16, kind: &str, value: &[u8]) -> Vec<u8> {
    let mut bytes = [group.to_le_bytes(), number.to_le_bytes()].concat();
    bytes.extend(kind.bytes());
    let length = value.len().next_multiple_of(2);
    if ["OB", "OW", "SQ", "UN"].contains(&kind) {
        bytes.extend([0, 0]);
        bytes.extend(u32::try_from(length).unwrap_or(0).to_le_bytes());
    } else {
        bytes.extend(u16::try_from(length).unwrap_or(0).to_le_bytes());
    }
    bytes.extend(value);
    let padding = if kind == "UI" { 0 } else { b' ' };
    bytes.resize(bytes.len() + length - value.len(), padding);
    bytes
}

/// A file around a data set.
fn part10(syntax: &str, set: &[u8]) -> Vec<u8> {
    let meta = [
        element(2, 1, "OB", &[0, 1]),
        element(2, 0x10, "UI", syntax.as_bytes()),
    ]
    .concat();
    let length = u32::try_from(meta.len()).unwrap_or(0).to_le_bytes();
    let beginning = element(2, 0, "UL", &length);
    [vec![0; 128], b"DICM".to_vec(), beginning, meta, set.to_vec()].concat()
}
