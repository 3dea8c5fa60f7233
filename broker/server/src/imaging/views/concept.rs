//! What a photograph's view is put together from, and which views fit (DICOM PS3.16, TID 3465, in the codes of the orthodontic
//! profile; ANSI/ADA Standard 1100, whose mnemonics say the same in letters).

use archwire_core::{Mouth, Occlusion, OrthodonticView};
use std::collections::BTreeSet;

/// One thing that is said of a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Concept {
    Face,
    InMouth,
    Front,
    Right,
    Left,
    Oblique,
    Occlusal,
    FromBelow,
    FromAbove,
    RightSide,
    LeftSide,
    BuccalSpace,
    OralCavity,
    UpperArch,
    LowerArch,
    Frenulum,
    MirrorCorrected,
    MirrorUncorrected,
    CentricOcclusion,
    CentricRelation,
    LipsRelaxed,
    LipsClosed,
    FullSmile,
    MouthOpen,
    TeethApart,
    JawForward,
    CloseUp,
    GingivalRecession,
    OcclusalCant,
    Palsy,
    TongueThrust,
    Probe,
}

/// Of what a concept says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Region,
    Projection,
    Side,
    Structure,
    Mirror,
    Occlusion,
    Mouth,
    /// What only some views show.
    Special,
}

const KINDS: [Kind; 8] = [
    Kind::Region,
    Kind::Projection,
    Kind::Side,
    Kind::Structure,
    Kind::Mirror,
    Kind::Occlusion,
    Kind::Mouth,
    Kind::Special,
];

impl Concept {
    pub(super) fn kind(self) -> Kind {
        match self {
            Self::Face | Self::InMouth => Kind::Region,
            Self::Front
            | Self::Right
            | Self::Left
            | Self::Oblique
            | Self::Occlusal
            | Self::FromBelow
            | Self::FromAbove => Kind::Projection,
            Self::RightSide | Self::LeftSide => Kind::Side,
            Self::BuccalSpace | Self::OralCavity | Self::UpperArch | Self::LowerArch | Self::Frenulum => {
                Kind::Structure
            }
            Self::MirrorCorrected | Self::MirrorUncorrected => Kind::Mirror,
            Self::CentricOcclusion | Self::CentricRelation => Kind::Occlusion,
            Self::LipsRelaxed
            | Self::LipsClosed
            | Self::FullSmile
            | Self::MouthOpen
            | Self::TeethApart
            | Self::JawForward => Kind::Mouth,
            Self::CloseUp
            | Self::GingivalRecession
            | Self::OcclusalCant
            | Self::Palsy
            | Self::TongueThrust
            | Self::Probe => Kind::Special,
        }
    }
}

impl From<Occlusion> for Concept {
    fn from(occlusion: Occlusion) -> Self {
        match occlusion {
            Occlusion::CentricOcclusion => Self::CentricOcclusion,
            Occlusion::CentricRelation => Self::CentricRelation,
        }
    }
}

impl From<Mouth> for Concept {
    fn from(mouth: Mouth) -> Self {
        match mouth {
            Mouth::LipsRelaxed => Self::LipsRelaxed,
            Mouth::LipsClosed => Self::LipsClosed,
            Mouth::FullSmile => Self::FullSmile,
            Mouth::Open => Self::MouthOpen,
        }
    }
}

/// What a concept of SNOMED CT says of a view.
pub(super) fn of_snomed(code: &str) -> impl Iterator<Item = Concept> + use<> {
    use Concept as C;
    let concepts: &'static [Concept] = match code {
        // Region and structure.
        "774007" | "89545001" => &[C::Face],
        "123851003" => &[C::InMouth],
        "261063000" => &[C::InMouth, C::BuccalSpace],
        "74262004" => &[C::InMouth, C::OralCavity],
        "39481002" => &[C::InMouth, C::UpperArch],
        "88176008" => &[C::InMouth, C::LowerArch],
        "7652006" => &[C::InMouth, C::Frenulum],
        "24028007" => &[C::RightSide],
        "7771000" => &[C::LeftSide],
        // Projection.
        "399033003" => &[C::Front],
        "399198007" => &[C::Right],
        "399173006" => &[C::Left],
        "260454004" | "399182000" | "787612006" => &[C::Oblique],
        "260424009" => &[C::Oblique, C::RightSide],
        "260421001" => &[C::Oblique, C::LeftSide],
        "260499007" => &[C::Occlusal],
        "399255003" => &[C::FromBelow],
        "260461000" => &[C::FromAbove],
        // Mirror, and flipped afterwards.
        "787610003" | "789310004" | "789311000" | "789312007" => &[C::MirrorCorrected],
        "789135000" | "789134001" | "789132002" | "789133007" => &[C::MirrorUncorrected],
        // Jaws, lips and mouth.
        "110320000" => &[C::CentricOcclusion],
        "736783005" => &[C::CentricRelation],
        "1336028006" | "789314008" => &[C::LipsRelaxed],
        "1336029003" | "787607005" => &[C::LipsClosed],
        "225583004" => &[C::FullSmile],
        "262016004" => &[C::MouthOpen],
        "789130005" | "1332210001" => &[C::TeethApart],
        "1336026005" | "787611004" => &[C::JawForward],
        // What only some views show.
        "789131009" => &[C::CloseUp],
        "4356008" => &[C::GingivalRecession],
        "710793000" => &[C::OcclusalCant],
        "193093009" => &[C::Palsy],
        "110343009" => &[C::TongueThrust],
        "462735007" => &[C::Probe],
        _ => &[],
    };
    concepts.iter().copied()
}

/// Whether a concept of SNOMED CT is a mirror image that was flipped from left to right.
pub(super) fn is_flipped(code: &str) -> bool {
    matches!(code, "789134001" | "789132002" | "789310004" | "789312007")
}

/// What a view is put together from.
pub(super) fn of_view(view: &OrthodonticView) -> BTreeSet<Concept> {
    use Concept as C;
    let is_face = view.mnemonic.starts_with("EO.");
    let mut concepts = BTreeSet::new();
    for part in view.mnemonic.split('.') {
        concepts.extend::<&[Concept]>(match part {
            "EO" => &[C::Face],
            "IO" => &[C::InMouth],
            "FF" => &[C::Front],
            "RP" => &[C::Right],
            "LP" => &[C::Left],
            "RB" => &[C::Right, C::BuccalSpace],
            "LB" => &[C::Left, C::BuccalSpace],
            "FV" => &[C::Front, C::OralCavity],
            "RL" => &[C::Right, C::OralCavity],
            "LL" => &[C::Left, C::OralCavity],
            "OV" => &[C::Occlusal],
            "MX" => &[C::UpperArch],
            "MD" if !is_face => &[C::LowerArch],
            "FR" => &[C::Frenulum],
            "IV" if is_face => &[C::FromBelow],
            "SV" => &[C::FromAbove],
            "CS" => &[C::Front, C::FullSmile, C::CloseUp],
            "OC" => &[C::Front, C::OcclusalCant],
            "NW" => &[C::Palsy],
            "GR" => &[C::GingivalRecession],
            "PA" => &[C::Probe],
            "TT" => &[C::TongueThrust],
            "TA" => &[C::TeethApart],
            "MO" => &[C::MouthOpen],
            "LR" => &[C::LipsRelaxed],
            "LC" => &[C::LipsClosed],
            "FS" => &[C::FullSmile],
            "PF" => &[C::JawForward],
            "CO" => &[C::CentricOcclusion],
            "CR" => &[C::CentricRelation],
            "WM" => &[C::MirrorUncorrected],
            _ => &[],
        });
    }
    if view.mnemonic.ends_with(".BC") {
        concepts.remove(&C::MirrorUncorrected);
        concepts.insert(C::MirrorCorrected);
    }
    if view.mnemonic.ends_with(".45") {
        let side = match concepts.remove(&C::Left) {
            true => C::LeftSide,
            false => C::RightSide,
        };
        concepts.remove(&C::Right);
        concepts.extend([C::Oblique, side]);
    }
    concepts
}

/// Whether concepts make a view: they say all that it is put together from, and nothing else that would make another one.
pub(super) fn make(told: &BTreeSet<Concept>, view: &OrthodonticView) -> bool {
    let wanted = of_view(view);
    // Of interest in general, and of anomalies: what they show is not said.
    let says_too_little = wanted.len() < 2;
    !says_too_little
        && KINDS.into_iter().all(|kind| {
            let (told, wanted) = (those(told, kind), those(&wanted, kind));
            match kind {
                Kind::Region | Kind::Mirror => told == wanted,
                Kind::Projection | Kind::Occlusion | Kind::Mouth => wanted.is_empty() || told == wanted,
                // Left out by some where the rest says it.
                Kind::Structure => told.is_empty() || wanted.is_empty() || told == wanted,
                Kind::Side => is_side(&told, &wanted, view),
                Kind::Special => is_special(told, &wanted, view),
            }
        })
}

/// Whether concepts do not rule a view out: of no kind do they say only something else.
pub(super) fn allow(told: &BTreeSet<Concept>, view: &OrthodonticView) -> bool {
    let wanted = of_view(view);
    KINDS.into_iter().all(|kind| {
        let (told, wanted) = (those(told, kind), those(&wanted, kind));
        told.is_empty() || wanted.is_empty() || !told.is_disjoint(&wanted)
    })
}

fn those(concepts: &BTreeSet<Concept>, kind: Kind) -> BTreeSet<Concept> {
    let those = concepts.iter().filter(|concept| concept.kind() == kind);
    those.copied().collect()
}

/// A view from the right may say that it shows the right side, and need not.
fn is_side(told: &BTreeSet<Concept>, wanted: &BTreeSet<Concept>, view: &OrthodonticView) -> bool {
    let projections = those(&of_view(view), Kind::Projection);
    let implied = match projections.first() {
        Some(Concept::Right) => Some(Concept::RightSide),
        Some(Concept::Left) => Some(Concept::LeftSide),
        _ => None,
    };
    match wanted.is_empty() {
        true => told.iter().all(|side| Some(*side) == implied),
        false => told == wanted,
    }
}

/// Every photograph of the mouth is a close-up, said or not.
fn is_special(mut told: BTreeSet<Concept>, wanted: &BTreeSet<Concept>, view: &OrthodonticView) -> bool {
    if view.mnemonic.starts_with("IO.") {
        told.remove(&Concept::CloseUp);
    }
    told == *wanted
}
