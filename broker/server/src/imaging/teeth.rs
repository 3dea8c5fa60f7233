//! Which teeth codes mean.

use archwire_core::{Code, Image, Tooth, is_snomed_ct};

/// SNOMED CT's concepts of single teeth and their numbers in ISO 3950 (DICOM PS3.16, CID 4018 and 4019; SNOMED CT under its
/// owner's terms).
const TEETH: [(&str, u8); 52] = [
    ("245575001", 11),
    ("245574002", 12),
    ("245572003", 13),
    ("245571005", 14),
    ("245570006", 15),
    ("245568002", 16),
    ("245567007", 17),
    ("245566003", 18),
    ("245587008", 21),
    ("245586004", 22),
    ("245584001", 23),
    ("245583007", 24),
    ("245582002", 25),
    ("245579007", 26),
    ("245578004", 27),
    ("245577009", 28),
    ("245611006", 31),
    ("245610007", 32),
    ("245608005", 33),
    ("245607000", 34),
    ("245606009", 35),
    ("245604007", 36),
    ("245603001", 37),
    ("245602006", 38),
    ("245600003", 41),
    ("245599001", 42),
    ("245597004", 43),
    ("245596008", 44),
    ("245595007", 45),
    ("245592005", 46),
    ("245591003", 47),
    ("245590002", 48),
    ("245620002", 51),
    ("245619008", 52),
    ("245617005", 53),
    ("245616001", 54),
    ("245615002", 55),
    ("245627004", 61),
    ("245626008", 62),
    ("245624006", 63),
    ("245623000", 64),
    ("245622005", 65),
    ("245642001", 71),
    ("245641008", 72),
    ("245639007", 73),
    ("245638004", 74),
    ("245637009", 75),
    ("245635001", 81),
    ("245634002", 82),
    ("245632003", 83),
    ("245631005", 84),
    ("245630006", 85),
];

/// The teeth among some codes of anatomy, each once, in order.
pub(super) fn of(codes: impl Iterator<Item = Code>) -> Vec<Tooth> {
    let mut teeth: Vec<_> = codes.filter_map(|code| tooth(&code)).collect();
    teeth.sort_unstable();
    teeth.dedup();
    teeth.truncate(Image::MOST_TEETH);
    teeth
}

fn tooth(code: &Code) -> Option<Tooth> {
    let number = match is_snomed_ct(&code.scheme) {
        true => TEETH.iter().find(|(concept, _)| *concept == code.value)?.1,
        false if code.scheme.contains("3950") => code.value.parse().ok()?,
        false => return None,
    };
    Tooth::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tooth_has_one_concept() {
        let code = |scheme: &str, value: &str| Code {
            scheme: scheme.to_owned(),
            value: value.to_owned(),
            meaning: None,
        };
        let all = of(TEETH.iter().rev().map(|(concept, _)| code("SCT", concept)));
        assert_eq!(all.len(), Image::MOST_TEETH);
        let numbers: Vec<_> = of(["48", "11", "11", "99", "x"]
            .iter()
            .map(|number| code("ISO3950", number)))
        .iter()
        .map(|tooth| tooth.number())
        .collect();
        assert_eq!(numbers, [11, 48]);
        assert!(of([code("99X", "245575001")].into_iter()).is_empty());
    }
}
