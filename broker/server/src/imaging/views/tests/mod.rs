//! What the codes of programs come to.

mod dicom4ortho;

use super::*;

fn code(scheme: &str, value: &str) -> Code {
    Code {
        scheme: scheme.to_owned(),
        value: value.to_owned(),
        meaning: None,
    }
}

fn concepts(codes: &[&str]) -> Told {
    let mut told = Told::default();
    codes.iter().for_each(|value| told.tell(&code("SCT", value)));
    told
}

/// The view that an image is translated to, and what is warned of.
fn come_to(views: &[(&str, &str)], told: &Told) -> (Option<String>, Vec<&'static str>) {
    let about = ImageAbout {
        views: views.iter().map(|(scheme, value)| code(scheme, value)).collect(),
        occlusion: told.occlusion(),
        mouth: told.mouth(),
        modality: Some("XC".to_owned()),
        ..ImageAbout::default()
    };
    let translated = translate(&about, told);
    let ours = translated
        .translations
        .iter()
        .find(|translation| translation.code.scheme == "99ADA1100");
    let warnings = translated.warnings.iter().map(|warning| warning.as_str());
    (ours.map(|ours| ours.code.value.clone()), warnings.collect())
}

#[test]
fn every_spelling_of_a_view_is_translated_into_those_that_the_sender_did_not_use() {
    let told = Told::default();
    for (views, expected) in [
        (
            ("99OPOR", "EV19"),
            ["99ADA1100|EV19", "SCT|1306664005"].as_slice(),
        ),
        (("99OPOR", "69864957"), &["99ADA1100|EV19", "SCT|1306664005"]),
        (("99ADA1100", "EV19 "), &["SCT|1306664005"]),
        (("SCT", "1306664005"), &["99ADA1100|EV19"]),
        (("99ADA1100", "IV3D01"), &[]),
    ] {
        let about = ImageAbout {
            views: vec![code(views.0, views.1)],
            ..ImageAbout::default()
        };
        let translated = translate(&about, &told);
        let codes: Vec<_> = translated
            .translations
            .iter()
            .map(|translation| format!("{}|{}", translation.code.scheme, translation.code.value))
            .collect();
        assert_eq!(codes, expected, "{views:?}");
        assert!(translated.warnings.is_empty());
        let tables = translated
            .translations
            .iter()
            .map(|translation| translation.table.as_str());
        assert!(
            tables
                .into_iter()
                .all(|table| table == "open-ortho-terminology 2.1.1")
        );
    }
}

#[test]
fn concepts_make_a_view_when_they_make_only_one() {
    for (codes, view) in [
        // Face, lips, occlusion.
        (
            &["774007", "89545001", "399198007", "1336028006", "110320000"][..],
            Some("EV01"),
        ),
        (
            &["774007", "24028007", "399198007", "1336028006", "110320000"],
            Some("EV01"),
        ),
        (
            &["774007", "24028007", "260454004", "1336028006", "110320000"],
            Some("EV08"),
        ),
        (
            &["774007", "7771000", "260454004", "1336028006", "110320000"],
            Some("EV29"),
        ),
        (&["774007", "260421001", "1336028006", "110320000"], Some("EV29")),
        (
            &["774007", "89545001", "399033003", "225583004", "110320000"],
            Some("EV19"),
        ),
        // A side that contradicts, no side, nothing of the lips.
        (
            &["774007", "7771000", "399198007", "1336028006", "110320000"],
            None,
        ),
        (&["774007", "260454004", "1336028006", "110320000"], None),
        (&["774007", "89545001", "399173006", "110320000"], None),
        // Mouth, mirror.
        (
            &["123851003", "261063000", "399198007", "110320000"],
            Some("IV01"),
        ),
        (
            &[
                "123851003",
                "261063000",
                "399198007",
                "110320000",
                "789135000",
                "47162009",
            ],
            Some("IV02"),
        ),
        (
            &["123851003", "261063000", "399198007", "110320000", "787610003"],
            Some("IV03"),
        ),
        (
            &["123851003", "39481002", "260499007", "787610003", "262016004"],
            Some("IV25"),
        ),
        (
            &["123851003", "88176008", "260499007", "787610003", "262016004"],
            Some("IV27"),
        ),
        (&["123851003", "74262004", "399033003", "262016004"], Some("IV10")),
        // Buccal or with the overjet; with and without a look from below.
        (&["123851003", "399198007", "110320000"], None),
        (&["123851003", "74262004", "399033003", "110320000"], None),
        (&[], None),
    ] {
        let (made, warnings) = come_to(&[], &concepts(codes));
        assert_eq!(made.as_deref(), view, "{codes:?}");
        assert!(warnings.is_empty());
    }
}

#[test]
fn what_is_made_from_concepts_says_so() {
    let told = concepts(&["774007", "399033003", "225583004", "110320000"]);
    let translated = translate(&ImageAbout::default(), &told);
    assert_eq!(
        translated.translations[0].table,
        "open-ortho-terminology 2.1.1 by DICOM TID 3465"
    );
}

#[test]
fn a_radiograph_is_not_made_a_photograph() {
    let about = ImageAbout {
        modality: Some("DX".to_owned()),
        views: vec![code("SCT", "399033003")],
        ..ImageAbout::default()
    };
    let told = concepts(&["774007", "399033003", "225583004", "110320000"]);
    assert_eq!(translate(&about, &told), Translated::default());
}

#[test]
fn what_does_not_fit_together_is_warned_of_and_not_translated() {
    let smile = concepts(&["774007", "399033003", "225583004", "110320000"]);
    let nothing = Told::default();
    let own = |view| ("99ADA1100", view);
    let smile_code = ("SCT", "1306664005");
    assert_eq!(come_to(&[own("EV19"), smile_code], &nothing), (None, vec![]));
    assert_eq!(
        come_to(&[own("EV17"), smile_code], &nothing),
        (None, vec!["views_differ"])
    );
    assert_eq!(come_to(&[own("EV17")], &smile), (None, vec!["views_differ"]));
    assert_eq!(come_to(&[own("EV99")], &nothing), (None, vec!["view_unknown"]));
    assert_eq!(
        come_to(&[("SCT", "399173006")], &nothing),
        (None, vec!["view_unknown"])
    );
    assert_eq!(come_to(&[], &nothing), (None, vec![]));
    let bitten = concepts(&["262016004", "110320000"]);
    assert_eq!(come_to(&[], &bitten).1, ["occlusion_with_open_mouth"]);
    let open = concepts(&["262016004"]);
    let (view, warnings) = come_to(&[smile_code], &open);
    assert_eq!(
        (view.as_deref(), warnings),
        (Some("EV19"), vec!["occlusion_with_open_mouth"])
    );
}

#[test]
fn a_comment_decides_between_views_and_does_not_overrule() {
    let commented = |view, codes: &[&str]| Told {
        commented: OrthodonticView::recognise("", view),
        ..concepts(codes)
    };
    let frontal = ["123851003", "74262004", "399033003", "110320000"];
    assert_eq!(
        come_to(&[], &commented("IV11", &frontal)).0.as_deref(),
        Some("IV11")
    );
    assert_eq!(
        come_to(&[], &commented("IV07", &frontal)).0.as_deref(),
        Some("IV07")
    );
    assert_eq!(
        come_to(&[], &commented("EV22", &frontal)),
        (None, vec!["views_differ"])
    );
    assert_eq!(come_to(&[], &commented("EV22", &[])).0.as_deref(), Some("EV22"));
}

#[test]
fn no_two_views_that_concepts_make_are_alike_but_those_that_are_known() {
    let made = |view: &OrthodonticView| {
        let told = Told {
            concepts: concept::of_view(view),
            ..Told::default()
        };
        told.view().map(|made| made.code)
    };
    let not_made: Vec<_> = photographs()
        .filter(|view| made(view) != Some(view.code))
        .map(|view| view.code)
        .collect();
    // Of forensic interest, anomalies; with and without a look from below.
    assert_eq!(not_made, ["EV40", "EV41", "IV07", "IV08", "IV11", "IV12"]);
}

/// What a program of this field writes has no code of the view, only concepts, and its code before the comment.
#[test]
fn what_dicom4ortho_writes_is_the_view_that_it_means_or_none() {
    let view_of = |name: &str, codes: &[&str], is_commented: bool| {
        let told = Told {
            commented: OrthodonticView::recognise("", name).filter(|_| is_commented),
            ..concepts(codes)
        };
        come_to(&[], &told).0
    };
    let without_comment: Vec<_> = dicom4ortho::VIEWS
        .iter()
        .map(|(name, codes)| (*name, view_of(name, codes, false)))
        .filter(|(name, view)| view.as_deref() != Some(*name))
        .collect();
    let none = |name| (name, None);
    let expected = [
        // The lips are not said.
        none("EV22"),
        none("EV23"),
        none("EV24"),
        none("EV25"),
        // A smile and a jaw put forward at once.
        none("EV35"),
        // Of forensic interest, and anomalies: what they show is not said.
        none("EV40"),
        none("EV41"),
        // With and without a look from below.
        none("IV07"),
        none("IV08"),
        none("IV11"),
        none("IV12"),
        // Its own table has the centric relation for this one, which makes it IV23.
        ("IV20", Some("IV23".to_owned())),
    ];
    assert_eq!(without_comment, expected);
    let with_comment: Vec<_> = dicom4ortho::VIEWS
        .iter()
        .map(|(name, codes)| (*name, view_of(name, codes, true)))
        .filter(|(name, view)| view.as_deref() != Some(*name))
        .collect();
    assert_eq!(with_comment, [none("IV20")]);
}
