//! Numbers of teeth: two digits of ISO 3950 on the bus, the Universal numbering 1 to 32 in `ToothNumbers`.
//!
//! Primary teeth have letters in the Universal numbering, A to T. `ToothNumbers` is documented to take numbers only, so primary
//! teeth stand in the description.

use std::collections::BTreeSet;

/// Permanent teeth as `ToothNumbers` takes them: `1,2,8`. Empty where there are none.
#[must_use]
pub fn universal(teeth: &[u8]) -> String {
    let numbers: BTreeSet<u8> = teeth.iter().filter_map(|tooth| permanent(*tooth)).collect();
    numbers.iter().map(u8::to_string).collect::<Vec<_>>().join(",")
}

/// Primary teeth by their letters, in the order of the alphabet.
#[must_use]
pub fn letters(teeth: &[u8]) -> Vec<char> {
    let letters: BTreeSet<char> = teeth.iter().filter_map(|tooth| primary(*tooth)).collect();
    letters.into_iter().collect()
}

/// `ToothNumbers` as numbers of ISO 3950: single numbers and ranges; what is none is left out.
#[must_use]
pub fn iso(tooth_numbers: &str) -> Vec<u8> {
    let number = |text: &str| {
        text.trim()
            .parse::<u8>()
            .ok()
            .filter(|number| (1..=32).contains(number))
    };
    let range = |part: &str| match part.split_once('-') {
        Some((first, last)) => number(first).zip(number(last)),
        None => number(part).map(|number| (number, number)),
    };
    let numbers = tooth_numbers.split(',').filter_map(range);
    let teeth: BTreeSet<u8> = numbers
        .flat_map(|(first, last)| first..=last)
        .map(of_universal)
        .collect();
    teeth.into_iter().collect()
}

/// From the upper right third molar along the upper jaw, then back along the lower one.
fn permanent(tooth: u8) -> Option<u8> {
    match (tooth / 10, tooth % 10) {
        (1, place @ 1..=8) => Some(9 - place),
        (2, place @ 1..=8) => Some(8 + place),
        (3, place @ 1..=8) => Some(25 - place),
        (4, place @ 1..=8) => Some(24 + place),
        _ => None,
    }
}

fn of_universal(number: u8) -> u8 {
    match number {
        0..=8 => 10 + (9 - number.clamp(1, 8)),
        9..=16 => 20 + (number - 8),
        17..=24 => 30 + (25 - number),
        _ => 40 + (number.min(32) - 24),
    }
}

fn primary(tooth: u8) -> Option<char> {
    let place = match (tooth / 10, tooth % 10) {
        (5, place @ 1..=5) => 5 - place,
        (6, place @ 1..=5) => 4 + place,
        (7, place @ 1..=5) => 15 - place,
        (8, place @ 1..=5) => 14 + place,
        _ => return None,
    };
    Some(char::from(b'A' + place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_corners_of_both_numberings_meet() {
        for (iso, number) in [
            (18, "1"),
            (11, "8"),
            (21, "9"),
            (28, "16"),
            (38, "17"),
            (31, "24"),
            (41, "25"),
            (48, "32"),
        ] {
            assert_eq!(universal(&[iso]), number);
        }
        for (iso, letter) in [
            (55, 'A'),
            (51, 'E'),
            (61, 'F'),
            (65, 'J'),
            (75, 'K'),
            (71, 'O'),
            (81, 'P'),
            (85, 'T'),
        ] {
            assert_eq!(letters(&[iso]), [letter]);
        }
    }

    #[test]
    fn every_permanent_tooth_comes_back_as_it_was() {
        for quadrant in 1..=4 {
            for place in 1..=8 {
                let tooth = quadrant * 10 + place;
                assert_eq!(iso(&universal(&[tooth])), [tooth]);
            }
        }
    }

    #[test]
    fn teeth_are_sorted_and_told_once_and_what_is_none_is_left_out() {
        assert_eq!(universal(&[21, 18, 21, 55, 99, 0]), "1,9");
        assert_eq!(letters(&[65, 55, 18]), ['A', 'J']);
        assert_eq!(iso("1-3, 8,A,40,,9-7"), [11, 16, 17, 18]);
    }
}
