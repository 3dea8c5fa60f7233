//! Files that are no DICOM files, small and valid.

/// A photograph of 32 by 24 pixels, in colour, baseline.
pub(crate) fn jpeg() -> Vec<u8> {
    let digits: Vec<u8> = JPEG.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

/// A document with one empty page.
pub(crate) fn pdf() -> Vec<u8> {
    let text = "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n\
        2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n\
        3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 72]>>endobj\n\
        trailer<</Root 1 0 R>>\n%%EOF\n";
    text.into()
}

/// A surface of four triangles.
pub(crate) fn stl() -> Vec<u8> {
    let mut bytes = vec![0; 80];
    bytes.extend(4_u32.to_le_bytes());
    for triangle in 0..4_u8 {
        for number in 0..12_u8 {
            bytes.extend(f32::from(triangle * number).to_le_bytes());
        }
        bytes.extend([0, 0]);
    }
    bytes
}

const JPEG: &str = "\
     ffd8ffe000104a46494600010100000100010000ffdb004300140e0f120f0d14121012171514181e32211e1c1c1e3d2c2e24\
     3249404c4b47404645505a736250556d5645466488656d777b8182814e608d978c7d96737e817cffdb0043011517171e1a1e\
     3b21213b7c5346537c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c\
     7c7c7c7c7c7c7c7cffc00011080018002003012200021101031101ffc4001700010101010000000000000000000000000400\
     0306ffc40017100003010000000000000000000000000000020361ffc4001701010101010000000000000000000000000405\
     0306ffc40017110003010000000000000000000000000000020301ffda000c03010002110311003f00e75218212182d21821\
     2182daa651b844861ba4305a430424303b54b31b99a430dd21844199b4e462fa2121821218441d9b4b117d3fffd9";
