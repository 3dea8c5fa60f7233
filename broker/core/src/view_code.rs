//! The views of orthodontic photographs and scans, and how programs spell them.
//!
//! One view goes by many codes: `99ADA1100|EV19`, `99OPOR|EV19` from older programs, the same letters as numbers
//! (`69864957`), SNOMED CT `1306664005`, the mnemonic `EO.FF.FS.CO`. Whoever receives an image keeps the sender's code as it
//! is, and puts what it recognises beside it, with [`OrthodonticView::TABLE_VERSION`]: a translation never takes a code's place.
//!
//! Source: ANSI/ADA Standard 1100 as published by Open-Ortho, with its map to SNOMED CT; see `view_code/generate.py`.

mod table;

use std::fmt;

/// The namespace of ADA 1100's codes in DICOM: a Coding Scheme Designator (0008,0102).
pub const ADA_1100: &str = "99ADA1100";
/// SNOMED CT in DICOM.
pub const SNOMED_CT: &str = "SCT";

/// Namespaces in which the codes are ADA 1100's own, apart from the addresses under [`OPEN_ORTHO`].
const OWN: [&str; 2] = [ADA_1100, "99OPOR"];
/// What the addresses of ADA 1100's code systems begin with in FHIR.
const OPEN_ORTHO: &str = "https://terminology.open-ortho.org/fhir/";
/// SNOMED CT in DICOM, in FHIR, and as an OID.
const SNOMED: [&str; 4] = [
    SNOMED_CT,
    "http://snomed.info/sct",
    "urn:oid:2.16.840.1.113883.6.96",
    "2.16.840.1.113883.6.96",
];

/// Whether a namespace is SNOMED CT, however it is written.
#[must_use]
pub fn is_snomed_ct(scheme: &str) -> bool {
    SNOMED.contains(&scheme.trim())
}

/// A list of views.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ViewProtocol {
    /// Photographs of the face.
    Extraoral2d,
    /// Photographs of the teeth.
    Intraoral2d,
    /// Scans of the head.
    Extraoral3d,
    /// Scans of the teeth.
    Intraoral3d,
}

impl ViewProtocol {
    /// The code system's address in FHIR.
    #[must_use]
    pub fn url(self) -> String {
        let name = match self {
            Self::Extraoral2d => "extraoral-2d-photographic",
            Self::Intraoral2d => "intraoral-2d-photographic",
            Self::Extraoral3d => "extraoral-3d-visible-light",
            Self::Intraoral3d => "intraoral-3d-visible-light",
        };
        format!("{OPEN_ORTHO}sid/ada1100/CodeSystem/{name}-scheduled-protocol")
    }
}

/// One view of ADA 1100.
#[derive(Debug, PartialEq, Eq)]
pub struct OrthodonticView {
    /// The list that it is in.
    pub protocol: ViewProtocol,
    /// Its code: `EV19`.
    pub code: &'static str,
    /// Its mnemonic, of which each part says something: `EO.FF.FS.CO`.
    pub mnemonic: &'static str,
    /// The equivalent concept of SNOMED CT; scans have none.
    pub snomed: Option<&'static str>,
    /// Its name in English.
    pub display: &'static str,
}

impl fmt::Display for OrthodonticView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)
    }
}

/// How the jaws meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Occlusion {
    /// Where the teeth fit best. SNOMED CT 110320000.
    CentricOcclusion,
    /// Where the joints are at rest. SNOMED CT 736783005.
    CentricRelation,
}

/// Lips and mouth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mouth {
    /// SNOMED CT 1336028006.
    LipsRelaxed,
    /// SNOMED CT 1336029003.
    LipsClosed,
    /// SNOMED CT 225583004.
    FullSmile,
    /// SNOMED CT 262016004.
    Open,
}

impl Occlusion {
    /// What a code of SNOMED CT says of it, as DICOM has it in the acquisition context.
    #[must_use]
    pub fn of_snomed(code: &str) -> Option<Self> {
        match code {
            "110320000" => Some(Self::CentricOcclusion),
            "736783005" => Some(Self::CentricRelation),
            _ => None,
        }
    }
}

impl Mouth {
    /// What a code of SNOMED CT says of it, as DICOM has it in the acquisition context.
    #[must_use]
    pub fn of_snomed(code: &str) -> Option<Self> {
        match code {
            "1336028006" => Some(Self::LipsRelaxed),
            "1336029003" => Some(Self::LipsClosed),
            "225583004" => Some(Self::FullSmile),
            "262016004" => Some(Self::Open),
            _ => None,
        }
    }

    /// Whether the jaws can meet like that: who bites together cannot have an open mouth.
    #[must_use]
    pub fn allows(self, occlusion: Occlusion) -> bool {
        (self, occlusion) != (Self::Open, Occlusion::CentricOcclusion)
    }
}

impl OrthodonticView {
    /// Which table recognised a view, to be kept beside a translation.
    pub const TABLE_VERSION: &str = table::VERSION;

    /// All views.
    #[must_use]
    pub fn all() -> &'static [Self] {
        &table::VIEWS
    }

    /// The view that a code names in a namespace, both as the sender wrote them; without a namespace only a code or mnemonic
    /// that nothing else looks like. `None` for what is no view, and for what could be several.
    #[must_use]
    pub fn recognise(scheme: &str, code: &str) -> Option<&'static Self> {
        // DICOM pads values with spaces.
        let (scheme, code) = (scheme.trim(), code.trim());
        let is_numeric = code.bytes().all(|byte| byte.is_ascii_digit());
        if is_snomed_ct(scheme) {
            return only(|view| view.snomed == Some(code));
        }
        if Self::is_namespace(scheme) {
            return match is_numeric {
                true => only(|view| as_numbers(view.code) == code),
                false => by_name(code),
            };
        }
        by_name(code).filter(|_| scheme.is_empty())
    }

    /// Whether a namespace has no codes but those of views, however it is written.
    #[must_use]
    pub fn is_namespace(scheme: &str) -> bool {
        let scheme = scheme.trim();
        OWN.contains(&scheme) || scheme.starts_with(OPEN_ORTHO)
    }

    /// The codes under which others know the view: namespace and code, as DICOM writes them.
    pub fn codes(&self) -> impl Iterator<Item = (&'static str, &'static str)> + use<> {
        let snomed = self.snomed.map(|code| (SNOMED_CT, code));
        [(ADA_1100, self.code)].into_iter().chain(snomed)
    }

    /// How the jaws meet in it, where it says so.
    #[must_use]
    pub fn occlusion(&self) -> Option<Occlusion> {
        self.parts().find_map(|part| match part {
            "CO" => Some(Occlusion::CentricOcclusion),
            "CR" => Some(Occlusion::CentricRelation),
            _ => None,
        })
    }

    /// Lips and mouth in it, where it says so.
    #[must_use]
    pub fn mouth(&self) -> Option<Mouth> {
        self.parts().find_map(|part| match part {
            "LR" => Some(Mouth::LipsRelaxed),
            "LC" => Some(Mouth::LipsClosed),
            "FS" => Some(Mouth::FullSmile),
            "MO" => Some(Mouth::Open),
            _ => None,
        })
    }

    fn parts(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.mnemonic.split('.')
    }
}

/// A code (`EV19`, `EV-19`) or mnemonic; one that was written before photographs without a mirror said so, too.
fn by_name(name: &str) -> Option<&'static OrthodonticView> {
    // The number has two digits, after the dash where there is one.
    let dashed = name.split_once('-').filter(|(_, number)| number.len() == 2);
    let is_code = |view: &OrthodonticView| match dashed {
        Some((list, number)) => view.code.strip_prefix(list) == Some(number),
        None => view.code == name,
    };
    only(is_code)
        .or_else(|| only(|view| view.mnemonic == name))
        .or_else(|| only(|view| view.mnemonic.strip_suffix(".NM") == Some(name)))
}

/// The one view of which that is so.
fn only(is: impl Fn(&OrthodonticView) -> bool) -> Option<&'static OrthodonticView> {
    let mut those = OrthodonticView::all().iter().filter(|view| is(view));
    those.next().filter(|_| those.next().is_none())
}

/// Each character's number, one after the other, as the first edition of the terminology spelled codes.
fn as_numbers(code: &str) -> String {
    code.bytes().map(|byte| byte.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    /// Everything that a sender may call a view.
    fn spellings(view: &OrthodonticView) -> Vec<(String, String)> {
        let dashed = view.code.replacen('V', "V-", 1).replace("V-3D", "V3D-");
        let own = [
            view.code.to_owned(),
            dashed,
            as_numbers(view.code),
            view.mnemonic.to_owned(),
        ];
        let mut spellings = Vec::new();
        for scheme in [ADA_1100, "99OPOR", " 99ADA1100 ", &view.protocol.url()] {
            spellings.extend(own.iter().map(|code| (scheme.to_owned(), code.clone())));
        }
        for scheme in SNOMED {
            spellings.extend(view.snomed.map(|code| (scheme.to_owned(), code.to_owned())));
        }
        spellings.extend([view.code, view.mnemonic].map(|code| (String::new(), code.to_owned())));
        spellings
    }

    #[test]
    fn every_view_is_recognised_however_it_is_spelled() {
        assert_eq!(OrthodonticView::all().len(), 82);
        for view in OrthodonticView::all() {
            for (scheme, code) in spellings(view) {
                let recognised = OrthodonticView::recognise(&scheme, &code);
                assert_eq!(recognised, Some(view), "{scheme}|{code}");
            }
        }
    }

    #[test]
    fn the_four_spellings_of_a_full_smile_are_one_view() {
        let smile = OrthodonticView::recognise(ADA_1100, "EV19").unwrap();
        assert_eq!(smile.mnemonic, "EO.FF.FS.CO");
        for (scheme, code) in [
            ("99OPOR", "EV19"),
            ("99OPOR", "69864957"),
            (ADA_1100, "EV19"),
            ("SCT", "1306664005"),
        ] {
            assert_eq!(
                OrthodonticView::recognise(scheme, code),
                Some(smile),
                "{scheme}|{code}"
            );
        }
        let codes: Vec<_> = smile.codes().collect();
        assert_eq!(codes, [(ADA_1100, "EV19"), (SNOMED_CT, "1306664005")]);
    }

    #[test]
    fn a_mnemonic_from_before_mirrors_were_told_is_the_view_without_one() {
        let view = OrthodonticView::recognise("99OPOR", "IO.RB.CO").unwrap();
        assert_eq!((view.code, view.mnemonic), ("IV01", "IO.RB.CO.NM"));
        let scan = OrthodonticView::recognise("", "IO.MX").unwrap();
        assert_eq!(
            scan.code, "IV3D01",
            "a whole mnemonic comes before a shortened one"
        );
    }

    #[test]
    fn what_is_no_view_or_of_another_namespace_is_not_recognised() {
        for (scheme, code) in [
            ("", ""),
            ("", "1306664005"),
            ("", "69864957"),
            ("SCT", "EV19"),
            ("SCT", ""),
            (ADA_1100, ""),
            (ADA_1100, "EV00"),
            (ADA_1100, "EV1-9"),
            (ADA_1100, "ev19"),
            (ADA_1100, "1306664005"),
            ("99MDOC", "EV19"),
            ("http://example.org", "EV19"),
        ] {
            assert_eq!(OrthodonticView::recognise(scheme, code), None, "{scheme}|{code}");
        }
    }

    #[test]
    fn no_two_views_share_a_spelling() {
        let mut owners: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for view in OrthodonticView::all() {
            for spelling in spellings(view) {
                owners.entry(spelling).or_default().insert(view.code);
            }
        }
        assert!(owners.values().all(|codes| codes.len() == 1));
    }

    #[test]
    fn whoever_bites_together_has_no_open_mouth() {
        assert!(!Mouth::Open.allows(Occlusion::CentricOcclusion));
        assert!(Mouth::Open.allows(Occlusion::CentricRelation));
        for view in OrthodonticView::all() {
            if let (Some(mouth), Some(occlusion)) = (view.mouth(), view.occlusion()) {
                assert!(mouth.allows(occlusion), "{view}");
            }
        }
        let told = (Mouth::of_snomed("262016004"), Occlusion::of_snomed("110320000"));
        assert_eq!(told, (Some(Mouth::Open), Some(Occlusion::CentricOcclusion)));
        let smile = OrthodonticView::recognise("", "EV19").unwrap();
        let said = (smile.mouth(), smile.occlusion());
        assert_eq!(said, (Some(Mouth::FullSmile), Some(Occlusion::CentricOcclusion)));
    }
}
