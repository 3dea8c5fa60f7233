//! Files that another writer made.

use super::{given, read_bytes, writer::excerpt};
use crate::imaging::dicom::read;
use dicom_core::{DataElement, PrimitiveValue, VR, value::DataSetSequence};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};

fn object() -> InMemDicomObject {
    let code = InMemDicomObject::from_element_iter([
        DataElement::new(tags::CODE_VALUE, VR::SH, PrimitiveValue::from("EV19")),
        DataElement::new(
            tags::CODING_SCHEME_DESIGNATOR,
            VR::SH,
            PrimitiveValue::from("99ADA1100"),
        ),
    ]);
    let text = |tag, vr, text: &str| DataElement::new(tag, vr, PrimitiveValue::from(text));
    InMemDicomObject::from_element_iter([
        text(tags::SPECIFIC_CHARACTER_SET, VR::CS, "ISO_IR 100"),
        text(tags::SOP_CLASS_UID, VR::UI, uids::VL_PHOTOGRAPHIC_IMAGE_STORAGE),
        text(tags::SOP_INSTANCE_UID, VR::UI, "1.2.3"),
        text(tags::PATIENT_NAME, VR::PN, "Buc^Jérôme"),
        text(tags::STUDY_INSTANCE_UID, VR::UI, "1.2.1"),
        text(tags::SERIES_INSTANCE_UID, VR::UI, "1.2.2"),
        DataElement::new(tags::ROWS, VR::US, PrimitiveValue::from(2_u16)),
        DataElement::new(tags::COLUMNS, VR::US, PrimitiveValue::from(3_u16)),
        DataElement::new(
            tags::VIEW_CODE_SEQUENCE,
            VR::SQ,
            DataSetSequence::from(vec![code]),
        ),
        DataElement::new(tags::PIXEL_DATA, VR::OW, PrimitiveValue::from(vec![0_u8; 6])),
    ])
}

#[test]
fn what_another_writer_wrote_is_read() {
    #[allow(deprecated, reason = "retired from the standard, and still in archives")]
    let syntaxes = [
        uids::IMPLICIT_VR_LITTLE_ENDIAN,
        uids::EXPLICIT_VR_LITTLE_ENDIAN,
        uids::EXPLICIT_VR_BIG_ENDIAN,
    ];
    for syntax in syntaxes {
        let meta = FileMetaTableBuilder::new().transfer_syntax(syntax);
        let mut bytes = Vec::new();
        object().with_meta(meta).unwrap().write_all(&mut bytes).unwrap();
        let header = read_bytes(&bytes).unwrap();
        assert_eq!(given(&header), [(Some("Buc"), vec!["Jérôme"])], "{syntax}");
        assert_eq!((header.pixels.rows, header.pixels.columns), (Some(2), Some(3)));
        assert_eq!(header.about.views[0].value, "EV19");
        for length in 132..bytes.len() {
            assert!(
                read(&excerpt(&bytes[..length])).is_err(),
                "{syntax} after {length}"
            );
        }
    }
}
