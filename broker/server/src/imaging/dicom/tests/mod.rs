//! Headers as programs write them, and as nobody should.

mod hostile;
mod independent;
mod whole;
pub(in crate::imaging) mod writer;

use super::*;
use archwire_core::{
    AcquiredAt, AdministrativeSex, Calibration, Laterality, Mirror, Mouth, Occlusion, PartialDate, Text,
};
use dicom_core::Tag;
use writer::{How, Writer, excerpt, with_pixels};

fn read_bytes(bytes: &[u8]) -> Result<DicomHeader, HeaderError> {
    read(&excerpt(bytes))
}

/// A file without pixels, which names nobody yet.
fn report() -> Writer {
    Writer::new(How::Explicit).text(Tag(0x0008, 0x0016), "UI", "1.2.840.10008.5.1.4.1.1.88.11")
}

fn given(header: &DicomHeader) -> Vec<(Option<&str>, Vec<&str>)> {
    let names = header.named.iter().flat_map(|patient| &patient.names);
    names
        .map(|name| {
            let given = name.given.iter().map(Text::as_str).collect();
            (name.family.as_ref().map(Text::as_str), given)
        })
        .collect()
}

#[test]
fn a_radiograph_is_read_in_every_way_to_write_it() {
    for how in [How::Explicit, How::Implicit, How::BigEndian, How::Deflated] {
        let header = read_bytes(&with_pixels(how)).unwrap();
        let uid = |uid: &Option<Uid>| uid.as_ref().map(|uid| uid.as_str().to_owned());
        assert_eq!(
            uid(&header.study).as_deref(),
            Some("1.2.826.0.1.3680043.8.498.1"),
            "{how:?}"
        );
        assert_eq!(
            uid(&header.series).as_deref(),
            Some("1.2.826.0.1.3680043.8.498.2")
        );
        assert_eq!(
            uid(&header.instance).as_deref(),
            Some("1.2.826.0.1.3680043.8.498.3")
        );
        assert_eq!(
            uid(&header.sop_class).as_deref(),
            Some("1.2.840.10008.5.1.4.1.1.1.1")
        );
        let pixels = &header.pixels;
        assert_eq!(
            (pixels.rows, pixels.columns, pixels.frames),
            (Some(20), Some(30), None)
        );
        assert_eq!(
            (pixels.lossy, pixels.burned_in_annotation),
            (Some(false), Some(false))
        );
        let spacing = pixels.spacing.as_ref().unwrap();
        assert_eq!(
            (spacing.row_mm.as_str(), spacing.calibration),
            ("0.125", Calibration::Detector)
        );
        let about = &header.about;
        assert_eq!(about.modality.as_deref(), Some("DX"));
        assert_eq!(about.accession, Some("A-1".into()));
        assert_eq!(about.laterality, Some(Laterality::Unpaired));
        assert_eq!(
            about.acquired_at.as_ref().map(AcquiredAt::as_str),
            Some("2026-03-01T09:30:00.25+01:00")
        );
        assert_eq!(about.device, Some("Example Imaging Ceph 9".into()));
        assert_eq!(about.operator, Some("Jane Doe".into()));
        assert_eq!(about.derived_from, ["1.2.3.4".parse().unwrap()]);
        let view = &about.views[0];
        assert_eq!((view.scheme.as_str(), view.value.as_str()), ("SCT", "399198007"));
        assert_eq!(about.anatomy[0].value, "774007");
        let named = header.named.as_ref().unwrap();
        assert_eq!(
            given(&header),
            [
                (Some("Lovelace"), vec!["Ada", "Maria"]),
                (Some("山田"), vec!["太郎"])
            ]
        );
        assert_eq!(
            named.birth_date.as_ref().map(PartialDate::as_str),
            Some("2012-12-10")
        );
        assert_eq!(named.administrative_sex, Some(AdministrativeSex::Female));
        let [identifier] = named.identifiers.as_slice() else {
            panic!()
        };
        assert_eq!(
            (identifier.system.as_str(), identifier.value.as_str()),
            (PATIENT_ID, "C-7")
        );
        assert_eq!(identifier.assigner, Some("Example Practice".into()));
    }
}

#[test]
fn a_photograph_tells_mirror_lips_occlusion_and_progress() {
    let how = How::Explicit;
    let concept = |name: &str, value: Writer| {
        Writer::new(how)
            .sequence(Tag(0x0040, 0xA043), vec![Writer::code(how, "DCM", name)])
            .sequence(Tag(0x0040, 0xA168), vec![value])
    };
    let offset = Writer::new(how)
        .sequence(Tag(0x0040, 0x08EA), vec![Writer::code(how, "UCUM", "wk")])
        .sequence(Tag(0x0040, 0xA043), vec![Writer::code(how, "DCM", "128740")])
        .text(Tag(0x0040, 0xA30A), "DS", "-2");
    let file = Writer::new(how)
        .text(Tag(0x0008, 0x0016), "UI", "1.2.840.10008.5.1.4.1.1.77.1.4")
        .text(Tag(0x0020, 0x000E), "UI", "1.2")
        .sequence(
            Tag(0x0040, 0x0555),
            vec![
                concept("130325", Writer::code(how, "SCT", "262016004")),
                concept("25272006", Writer::code(how, "SCT", "736783005")),
                concept("128741", Writer::code(how, "NCIt", "C37948")),
                offset,
            ],
        )
        .sequence(
            Tag(0x0054, 0x0220),
            vec![
                Writer::code(how, "SCT", "260499007")
                    .sequence(Tag(0x0054, 0x0222), vec![Writer::code(how, "SCT", "789310004")]),
            ],
        )
        .raw(Tag(0x7FE0, 0x0010), "OW", &[0; 4])
        .file();
    let about = read_bytes(&file).unwrap().about;
    assert_eq!(
        (about.mirror, about.flipped),
        (Some(Mirror::Corrected), Some(true))
    );
    assert_eq!(
        (about.occlusion, about.mouth),
        (Some(Occlusion::CentricRelation), Some(Mouth::Open))
    );
    let progress = about.progress.unwrap();
    assert_eq!(
        progress.event.map(|code| (code.scheme, code.value)),
        Some(("NCIt".into(), "C37948".into()))
    );
    assert_eq!(progress.offset_days, Some(-14));
    assert_eq!(about.views.len(), 1, "a modifier is no view");
}

#[test]
fn what_is_empty_or_of_another_kind_is_not_stated() {
    let file = report()
        .text(Tag(0x0008, 0x0018), "UI", "")
        .text(Tag(0x0008, 0x0050), "SH", "")
        .text(Tag(0x0010, 0x0010), "PN", "")
        .text(Tag(0x0010, 0x0020), "LO", "  ")
        .text(Tag(0x0010, 0x0030), "DA", "19")
        .text(Tag(0x0010, 0x0040), "CS", "X")
        .text(Tag(0x0018, 0x1164), "DS", "wide\\high")
        .text(Tag(0x0020, 0x000D), "UI", "1.02.nonsense")
        .text(Tag(0x0028, 0x0010), "IS", "20 ")
        .raw(Tag(0x0028, 0x0011), "OB", &[1, 2, 3, 4, 5, 6])
        .text(Tag(0x0028, 0x2110), "CS", "maybe")
        .text(Tag(0x0054, 0x0220), "LO", "not a sequence")
        .file();
    let header = read_bytes(&file).unwrap();
    assert_eq!(header.named, None);
    assert_eq!((header.study, header.instance), (None, None));
    assert_eq!(
        header.pixels,
        Pixels {
            columns: None,
            rows: header.pixels.rows,
            ..Pixels::default()
        }
    );
    assert_eq!(header.about, ImageAbout::default());
}

#[test]
fn names_are_read_however_they_are_put() {
    let read = |value: &[u8], charset: &str| {
        let file = report()
            .text(Tag(0x0008, 0x0005), "CS", charset)
            .raw(Tag(0x0010, 0x0010), "PN", value)
            .file();
        let header = read_bytes(&file).unwrap();
        given(&header)
            .into_iter()
            .map(|(family, given)| {
                assert!(given.iter().all(|name| !name.is_empty()), "{value:?}");
                format!("{}|{}", family.unwrap_or("none"), given.join("|"))
            })
            .collect::<Vec<_>>()
    };
    for (value, charset, names) in [
        (&b"Lovelace^Ada"[..], "", &["Lovelace|Ada"][..]),
        (b"LOVELACE, ADA", "", &["LOVELACE|ADA"]),
        (b"Ada Lovelace", "", &["Ada Lovelace|"]),
        (b"^Ada", "", &["none|Ada"]),
        (b", Ada", "", &["none|Ada"]),
        (b"LOVELACE, ", "", &["LOVELACE|"]),
        (b" , ", "", &[]),
        (b"^^^Dr.^", "", &[]),
        (b"==", "", &[]),
        (b"Buc^J\xE9r\xF4me", "ISO_IR 100", &["Buc|Jérôme"]),
        (b"Buc^J\xE9r\xF4me", "ISO_IR 203", &[]),
        (
            b"=\x1B$B;3ED\x1B(B^\x1B$BB@O:\x1B(B",
            "\\ISO 2022 IR 87",
            &["山田|太郎"],
        ),
    ] {
        assert_eq!(read(value, charset), names, "{value:?}");
    }
}

#[test]
fn spacing_tells_how_it_is_known() {
    let calibration = |imager: &str, pixel: &str, kind: &str| {
        let written = report()
            .text(Tag(0x0018, 0x1164), "DS", imager)
            .text(Tag(0x0028, 0x0030), "DS", pixel)
            .text(Tag(0x0028, 0x0A02), "CS", kind)
            .file();
        read_bytes(&written)
            .unwrap()
            .pixels
            .spacing
            .map(|spacing| spacing.calibration)
    };
    assert_eq!(calibration("0.1\\0.1", "", ""), Some(Calibration::Detector));
    assert_eq!(
        calibration("0.1\\0.1", "0.1\\0.1", ""),
        Some(Calibration::Detector)
    );
    assert_eq!(
        calibration("0.1\\0.1", "0.09\\0.09", ""),
        Some(Calibration::Unstated)
    );
    assert_eq!(
        calibration("", "0.09\\0.09", "FIDUCIAL"),
        Some(Calibration::Fiducial)
    );
    assert_eq!(
        calibration("0.1\\0.1", "0.09\\0.09", "GEOMETRY"),
        Some(Calibration::Geometry)
    );
    assert_eq!(calibration("", "-1\\0", "GEOMETRY"), None);
    assert_eq!(calibration("", "", ""), None);
}

#[test]
fn nothing_prints_the_person() {
    let header = read_bytes(&with_pixels(How::Explicit)).unwrap();
    let printed = format!("{header:?}");
    for text in ["Lovelace", "Ada", "山田", "C-7", "2012", "A-1", "Doe", "3680043"] {
        assert!(!printed.contains(text), "{text}");
    }
}
