//! What is made of a file and of what its sender says.

use super::*;
use crate::imaging::dicom::tests::writer::{How, Writer, excerpt, with_pixels};
use archwire_core::{Digest, Mouth, Occlusion, Text, ViewTranslation};
use dicom_core::Tag;
use proptest::prelude::*;

const JPEG: &[u8] = b"\xFF\xD8\xFF\xC0\0\x11\x08\0\x02\0\x03\x03\x01\x22\0\x02\x11\x01\x03\x11\x01\xFF\xD9";

fn described(claim: ImageClaim, bytes: &[u8]) -> Result<Described, DescribeError> {
    describe(claim, &excerpt(bytes), PatientId::generate())
}

fn claim(content_type: &str) -> ImageClaim {
    ImageClaim {
        content_type: Some(content_type.to_owned()),
        ..ImageClaim::default()
    }
}

fn warnings(described: &Described) -> Vec<&'static str> {
    described
        .image
        .warnings
        .iter()
        .map(|warning| warning.as_str())
        .collect()
}

fn view(scheme: &str, value: &str) -> Code {
    Code {
        scheme: scheme.to_owned(),
        value: value.to_owned(),
        meaning: Some("as the sender calls it".into()),
    }
}

#[test]
fn what_a_file_is_is_told_by_its_bytes() {
    let mut stl = vec![b' '; 80];
    stl.extend(2_u32.to_le_bytes());
    stl.resize(84 + 100, 0);
    for (bytes, claimed, content_type, differs) in [
        (JPEG, "image/jpeg", "image/jpeg", false),
        (JPEG, "image/jpg; quality=9", "image/jpeg", false),
        (JPEG, "IMAGE/JPEG", "image/jpeg", false),
        (JPEG, "", "image/jpeg", false),
        (JPEG, "application/octet-stream", "image/jpeg", false),
        (JPEG, "application/dicom", "image/jpeg", true),
        (JPEG, "image/tiff", "image/jpeg", true),
        (b"%PDF-1.7", "application/pdf", "application/pdf", false),
        (
            b"solid x\nfacet normal 0 0 1\nendsolid x",
            "application/sla",
            "model/stl",
            false,
        ),
        (&stl, "model/stl", "model/stl", false),
        (&stl[..183], "model/stl", "application/octet-stream", true),
        (b"II\x2A\0", "image/tiff", "image/tiff", false),
        (b"II\x2A\0", "image/jpeg", "application/octet-stream", true),
        (b"II\x2A\0", "nonsense", "application/octet-stream", false),
        (b"solid ground", "", "application/octet-stream", false),
        (b"\0", "", "application/octet-stream", false),
    ] {
        let described = described(claim(claimed), bytes).unwrap();
        assert_eq!(described.image.file.content_type, content_type, "{claimed}");
        let warned = described
            .image
            .warnings
            .contains(&ImageWarning::ContentTypeDiffers);
        assert_eq!(warned, differs, "{claimed} {content_type}");
    }
}

#[test]
fn a_photograph_without_identifiers_gets_those_of_this_file_of_this_patient() {
    let patient = PatientId::generate();
    let of = |patient| describe(ImageClaim::default(), &excerpt(JPEG), patient).unwrap();
    let one = of(patient);
    assert_eq!(one, of(patient));
    assert_eq!(one.image.uids, ImageUids::generated(patient, Digest::of(JPEG)));
    assert!(one.image.uids.generated);
    assert_ne!(
        one.image.uids.instance,
        of(PatientId::generate()).image.uids.instance
    );
    assert_eq!((one.image.file.rows, one.image.file.columns), (Some(2), Some(3)));
    assert_eq!((one.image.file.size, one.named), (JPEG.len() as u64, None));
    let own = ImageClaim {
        instance: "1.2.3".parse().ok(),
        ..ImageClaim::default()
    };
    let uids = described(own, JPEG).unwrap().image.uids;
    assert_eq!((uids.instance, uids.generated), ("1.2.3".parse().unwrap(), false));
}

#[test]
fn the_sender_is_heard_where_the_file_says_nothing_and_only_there() {
    let claim = ImageClaim {
        study: "9.9".parse().ok(),
        instance: "9.9".parse().ok(),
        about: ImageAbout {
            modality: Some("XC".to_owned()),
            view_label: Some("lateral".into()),
            device: Some("another".into()),
            views: vec![view("99ADA1100", "EV19")],
            mouth: Some(Mouth::FullSmile),
            ..ImageAbout::default()
        },
        ..ImageClaim::default()
    };
    let described = described(claim, &with_pixels(How::Explicit)).unwrap();
    let Image { uids, about, .. } = &described.image;
    assert_eq!(uids.instance, "1.2.826.0.1.3680043.8.498.3".parse().unwrap());
    assert_eq!(
        (about.modality.as_deref(), &about.device),
        (Some("DX"), &Some("Example Imaging Ceph 9".into()))
    );
    assert_eq!(
        (&about.view_label, about.mouth),
        (&Some(Text::from("lateral")), Some(Mouth::FullSmile))
    );
    let [view] = about.views.as_slice() else { panic!() };
    assert_eq!((view.scheme.as_str(), view.value.as_str()), ("SCT", "399198007"));
    assert!(described.named.is_some() && warnings(&described).is_empty());
}

#[test]
fn the_senders_codes_stay_as_they_came_and_translations_go_beside_them() {
    let own = view("99OPOR", "EV-19");
    let claim = ImageClaim {
        about: ImageAbout {
            views: vec![own.clone(), view("99VENDOR", "smile")],
            ..ImageAbout::default()
        },
        ..ImageClaim::default()
    };
    let image = described(claim, JPEG).unwrap().image;
    assert_eq!(image.about.views, [own, view("99VENDOR", "smile")]);
    let codes = image.translations.iter().map(|ViewTranslation { code, .. }| code);
    let codes: Vec<_> = codes
        .map(|code| (code.scheme.as_str(), code.value.as_str()))
        .collect();
    assert_eq!(codes, [("99ADA1100", "EV19"), ("SCT", "1306664005")]);
}

#[test]
fn a_claim_that_names_another_view_than_the_file_is_warned_of() {
    let photograph = Writer::new(How::Explicit)
        .text(Tag(0x0008, 0x0016), "UI", "1.2.840.10008.5.1.4.1.1.77.1.4")
        .text(Tag(0x0008, 0x0018), "UI", "1.2.3")
        .text(Tag(0x0020, 0x000D), "UI", "1.2.1")
        .text(Tag(0x0020, 0x000E), "UI", "1.2.2")
        .sequence(
            Tag(0x0054, 0x0220),
            vec![Writer::code(How::Explicit, "99ADA1100", "EV17")],
        )
        .raw(Tag(0x7FE0, 0x0010), "OW", &[0; 4]);
    let claimed = |value| ImageClaim {
        about: ImageAbout {
            views: vec![view("99ADA1100", value)],
            ..ImageAbout::default()
        },
        ..ImageClaim::default()
    };
    let bytes = photograph.file();
    assert_eq!(
        warnings(&described(claimed("EV17"), &bytes).unwrap()),
        ["nobody_named"]
    );
    let differs = described(claimed("EV19"), &bytes).unwrap();
    assert_eq!(warnings(&differs), ["views_differ", "nobody_named"]);
    assert_eq!(differs.image.about.views[0].value, "EV17");
}

#[test]
fn together_teeth_in_an_open_mouth_are_warned_of() {
    let claim = ImageClaim {
        about: ImageAbout {
            occlusion: Some(Occlusion::CentricOcclusion),
            mouth: Some(Mouth::Open),
            ..ImageAbout::default()
        },
        ..ImageClaim::default()
    };
    assert_eq!(
        warnings(&described(claim, JPEG).unwrap()),
        ["occlusion_with_open_mouth"]
    );
}

#[test]
fn what_is_no_image_is_refused_with_its_reason() {
    let code = |claim, bytes: &[u8]| described(claim, bytes).unwrap_err().code();
    let dicom = with_pixels(How::Explicit);
    assert_eq!(code(ImageClaim::default(), b""), "image_empty");
    assert_eq!(
        code(claim("application/dicom"), &dicom[..131]),
        "dicom_not_part10"
    );
    assert_eq!(code(claim("application/dicom"), b"anything"), "dicom_not_part10");
    assert_eq!(code(ImageClaim::default(), &dicom[..700]), "dicom_truncated");
    let without = Writer::new(How::Explicit)
        .text(Tag(0x0008, 0x0016), "UI", "1.2.840.10008.5.1.4.1.1.88.11")
        .file();
    assert_eq!(code(ImageClaim::default(), &without), "dicom_uid_missing");
    let too_much = ImageClaim {
        about: ImageAbout {
            views: vec![view("99ADA1100", "EV19"); 17],
            ..ImageAbout::default()
        },
        ..ImageClaim::default()
    };
    assert_eq!(code(too_much, JPEG), "image_bounds");
}

#[test]
fn nothing_prints_the_person() {
    let described = described(ImageClaim::default(), &with_pixels(How::Explicit)).unwrap();
    let printed = format!("{described:?}");
    for text in ["Lovelace", "山田", "C-7", "2012", "A-1", "Doe", "3680043"] {
        assert!(!printed.contains(text), "{text}");
    }
}

proptest! {
    #[test]
    fn no_bytes_and_no_claims_are_too_odd(
        start in prop::sample::select(vec![&b""[..], b"\xFF\xD8\xFF", b"%PDF-", b"\x89PNG\r\n\x1A\n", b"solid"]),
        rest in prop::collection::vec(any::<u8>(), 0..300),
        content_type in "\\PC{0,40}",
        scheme in "(SCT|99ADA1100|99OPOR|\\PC{0,12})",
        value in "(EV[0-9]{2}|\\PC{0,12})",
    ) {
        let claim = ImageClaim {
            content_type: Some(content_type),
            about: ImageAbout {
                views: vec![view(&scheme, &value)],
                ..ImageAbout::default()
            },
            ..ImageClaim::default()
        };
        let bytes = [start, &rest].concat();
        if let Ok(described) = described(claim.clone(), &bytes) {
            prop_assert!(described.image.check().is_ok());
            prop_assert_eq!(described.image.about.views, claim.about.views);
        }
    }
}
