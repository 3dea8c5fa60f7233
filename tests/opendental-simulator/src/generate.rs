//! Invented patients from a seed. The same seed gives the same people on every machine.
//!
//! Names are made of syllables and belong to nobody; phone numbers are from the range 555-0100 to 555-0199, which is
//! kept free for fiction; addresses are streets that do not exist.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};

use crate::fields::Field;
use crate::model::PatientFields;

const STARTS: [&str; 12] = [
    "Bra", "Cal", "Dor", "El", "Fen", "Gal", "Hor", "Il", "Kel", "Mar", "Nor", "Tav",
];
const MIDDLES: [&str; 8] = ["", "de", "li", "ma", "ne", "ri", "so", "vi"];
const ENDS: [&str; 10] = [
    "an", "beck", "den", "ford", "in", "lo", "mer", "son", "ta", "well",
];
const CITIES: [(&str, &str, &str); 4] = [
    ("Salem", "OR", "97301"),
    ("Peabody", "MA", "01960"),
    ("Round Rock", "TX", "78664"),
    ("Boulder", "CO", "80301"),
];

/// So many patients, each valid for the API.
pub fn patients(seed: u64, count: usize) -> Vec<PatientFields> {
    let mut random = StdRng::seed_from_u64(seed);
    (0..count).map(|_| patient(&mut random)).collect()
}

fn patient(random: &mut StdRng) -> PatientFields {
    let (city, state, zip) = pick(random, &CITIES);
    let first = name(random);
    let last = name(random);
    let year = random.random_range(1935..2019);
    let (month, day) = (random.random_range(1..=12), random.random_range(1..=28));
    let phone = format!(
        "({})555-{:04}",
        random.random_range(200..990),
        random.random_range(100..200)
    );
    let email = format!("{}.{}@example.com", first.to_lowercase(), last.to_lowercase());
    PatientFields::named(&last, &first)
        .with(Field::Gender, pick(random, &["Male", "Female", "Unknown"]))
        .with(
            Field::Position,
            if year > 2006 {
                "Child"
            } else {
                pick(random, &["Single", "Married"])
            },
        )
        .with(Field::Birthdate, format!("{year}-{month:02}-{day:02}"))
        .with(
            Field::Address,
            format!("{} {} Street", random.random_range(1..2000), name(random)),
        )
        .with(Field::City, city)
        .with(Field::State, state)
        .with(Field::Zip, zip)
        .with(
            if random.random() {
                Field::HmPhone
            } else {
                Field::WirelessPhone
            },
            phone,
        )
        .with(Field::Email, email)
        .with(Field::Language, pick(random, &["", "eng", "spa"]))
        .with(Field::TxtMsgOk, pick(random, &["Unknown", "Yes", "No"]))
}

fn name(random: &mut StdRng) -> String {
    format!(
        "{}{}{}",
        pick(random, &STARTS),
        pick(random, &MIDDLES),
        pick(random, &ENDS)
    )
}

fn pick<T: Copy + Default>(random: &mut StdRng, choices: &[T]) -> T {
    choices.choose(random).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_list_and_another_seed_another() {
        assert_eq!(patients(7, 50), patients(7, 50));
        assert_ne!(patients(7, 50), patients(8, 50));
    }
}
