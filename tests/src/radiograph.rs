//! A lateral cephalometric radiograph as a machine would send it: a real DICOM Part 10 file with a plausible header, of
//! somebody who does not exist. Written by hand after DICOM PS3.5 and PS3.10, so that it shares no code with whoever reads it.

use archwire_opendental_simulator::{Field, PatientFields};
use std::io::Write as _;
use uuid::Uuid;

/// Digital X-Ray Image Storage, For Presentation.
const DIGITAL_X_RAY: &str = "1.2.840.10008.5.1.4.1.1.1.1";
/// Explicit VR Little Endian.
const EXPLICIT_LITTLE_ENDIAN: &str = "1.2.840.10008.1.2.1";
/// Value representations whose length takes four bytes.
const LONG: [&str; 3] = ["OW", "OB", "SQ"];

/// What a file says, and how large its picture is.
#[derive(Debug, Clone)]
pub struct Radiograph {
    /// PatientName: `Family^Given`.
    pub name: String,
    /// PatientID, and who gave it.
    pub patient_id: (String, String),
    /// PatientBirthDate: `YYYYMMDD`; empty for none.
    pub birth_date: String,
    /// PatientSex: `F`, `M`, `O`; empty for none.
    pub sex: String,
    /// StudyInstanceUID.
    pub study: String,
    /// SeriesInstanceUID.
    pub series: String,
    /// SOPInstanceUID.
    pub instance: String,
    /// Rows and columns of 16 bits each.
    pub size: (u16, u16),
}

impl Radiograph {
    /// One of somebody who is in a record of the front desk, with identifiers of its own.
    #[must_use]
    pub fn of(person: &PatientFields) -> Self {
        let field = |field| person.get(field).unwrap_or_default();
        let sex = match field(Field::Gender) {
            "Female" => "F",
            "Male" => "M",
            _ => "",
        };
        Self {
            name: format!("{}^{}", field(Field::LName), field(Field::FName)),
            patient_id: ("XR-1001".to_owned(), "Imaging Center".to_owned()),
            birth_date: field(Field::Birthdate).replace('-', ""),
            sex: sex.to_owned(),
            study: fresh_uid(),
            series: fresh_uid(),
            instance: fresh_uid(),
            size: (2_400, 1_935),
        }
    }

    /// The file.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let (id, issuer) = &self.patient_id;
        let (rows, columns) = self.size;
        let mut data = Elements::default();
        data.text(0x0008_0005, "CS", "ISO_IR 192");
        data.text(0x0008_0008, "CS", "ORIGINAL\\PRIMARY");
        data.text(0x0008_0016, "UI", DIGITAL_X_RAY);
        data.text(0x0008_0018, "UI", &self.instance);
        data.text(0x0008_0020, "DA", "20260301");
        data.text(0x0008_002A, "DT", "20260301093000.000000+0100");
        data.text(0x0008_0030, "TM", "093000");
        data.text(0x0008_0050, "SH", "A-20260301-7");
        data.text(0x0008_0060, "CS", "DX");
        data.text(0x0008_0068, "CS", "FOR PRESENTATION");
        data.text(0x0008_0070, "LO", "Invented Imaging");
        data.text(0x0008_1030, "LO", "Lateral cephalogram");
        data.text(0x0008_1090, "LO", "Ceph 3000");
        data.text(0x0010_0010, "PN", &self.name);
        data.text(0x0010_0020, "LO", id);
        data.text(0x0010_0021, "LO", issuer);
        data.text(0x0010_0030, "DA", &self.birth_date);
        data.text(0x0010_0040, "CS", &self.sex);
        data.text(0x0018_1164, "DS", "0.1\\0.1");
        data.text(0x0020_000D, "UI", &self.study);
        data.text(0x0020_000E, "UI", &self.series);
        data.text(0x0020_0013, "IS", "1");
        data.text(0x0020_0062, "CS", "U");
        data.number(0x0028_0002, 1);
        data.text(0x0028_0004, "CS", "MONOCHROME2");
        data.number(0x0028_0010, rows);
        data.number(0x0028_0011, columns);
        data.text(0x0028_0030, "DS", "0.0909\\0.0909");
        data.number(0x0028_0100, 16);
        data.number(0x0028_0101, 12);
        data.number(0x0028_0102, 11);
        data.number(0x0028_0103, 0);
        data.text(0x0028_0301, "CS", "NO");
        data.text(0x0028_0A02, "CS", "GEOMETRY");
        data.text(0x0028_2110, "CS", "00");
        data.element(0x7FE0_0010, "OW", &self.picture());

        let mut meta = Elements::default();
        meta.element(0x0002_0001, "OB", &[0, 1]);
        meta.text(0x0002_0002, "UI", DIGITAL_X_RAY);
        meta.text(0x0002_0003, "UI", &self.instance);
        meta.text(0x0002_0010, "UI", EXPLICIT_LITTLE_ENDIAN);
        meta.text(0x0002_0012, "UI", "2.25.113041226530480");
        let mut length = Elements::default();
        let bytes = u32::try_from(meta.0.len()).unwrap_or(u32::MAX);
        length.element(0x0002_0000, "UL", &bytes.to_le_bytes());

        let mut file = vec![0; 128];
        file.extend_from_slice(b"DICM");
        file.extend([length.0, meta.0, data.0].into_iter().flatten());
        file
    }

    /// Shades of grey around a bright oval, so that it compresses no better than a picture does.
    fn picture(&self) -> Vec<u8> {
        let (rows, columns) = (u32::from(self.size.0), u32::from(self.size.1));
        let mut pixels = Vec::with_capacity(2 * rows as usize * columns as usize);
        let mut noise = 0x2545_F491_u32;
        for row in 0..rows {
            for column in 0..columns {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let (y, x) = (row.abs_diff(rows / 2), column.abs_diff(columns / 2));
                let is_inside = 9 * y * y + 16 * x * x < rows * rows;
                let shade = if is_inside { 2_600 } else { 300 } + row % 512 + (noise >> 24);
                pixels.extend_from_slice(&u16::try_from(shade).unwrap_or(4_095).to_le_bytes());
            }
        }
        pixels
    }
}

/// A new identifier.
#[must_use]
pub fn fresh_uid() -> String {
    format!("2.25.{}", Uuid::new_v4().as_u128())
}

/// Data elements in explicit VR little endian, in ascending order of their tags.
#[derive(Default)]
struct Elements(Vec<u8>);

impl Elements {
    fn element(&mut self, tag: u32, vr: &str, value: &[u8]) {
        let (group, number) = ((tag >> 16) as u16, tag as u16);
        self.0.extend_from_slice(&group.to_le_bytes());
        self.0.extend_from_slice(&number.to_le_bytes());
        self.0.extend_from_slice(vr.as_bytes());
        let padded = value.len() + value.len() % 2;
        if LONG.contains(&vr) {
            self.0.extend_from_slice(&[0, 0]);
            self.0
                .extend_from_slice(&u32::try_from(padded).unwrap_or(u32::MAX).to_le_bytes());
        } else {
            self.0
                .extend_from_slice(&u16::try_from(padded).unwrap_or(u16::MAX).to_le_bytes());
        }
        // Writing to memory does not fail.
        _ = self.0.write_all(value);
        if value.len() % 2 == 1 {
            self.0.push(if vr == "UI" { 0 } else { b' ' });
        }
    }

    fn text(&mut self, tag: u32, vr: &str, value: &str) {
        self.element(tag, vr, value.as_bytes());
    }

    fn number(&mut self, tag: u32, value: u16) {
        self.element(tag, "US", &value.to_le_bytes());
    }
}
