//! What goes wrong when somebody types.

use super::{
    dice::Dice,
    names,
    person::{Day, Person},
};

/// One thing that a record says wrongly, or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slip {
    /// One letter of the first given name.
    Given,
    /// One letter of the family name.
    Family,
    /// Day and month exchanged.
    DayAndMonth,
    /// One digit of the birth date.
    Digit,
    /// No birth date.
    NoBirthDate,
    /// The placeholder of a birth date.
    PlaceholderDate,
    /// No sex.
    NoSex,
    /// No phone and no mail address.
    NoContact,
    /// The number that the person had before.
    FormerPhone,
    /// The office's own number.
    OfficePhone,
    /// `000-000-0000`.
    PlaceholderPhone,
    /// `noreply@`.
    PlaceholderEmail,
    /// A nickname for the name.
    Nickname,
    /// The family name before the marriage.
    FormerName,
    /// Only the first given name.
    NoSecondName,
    /// "Unknown" for the given name.
    Unnamed,
    /// Family and given name exchanged.
    NamesExchanged,
}

/// Every slip and how often it happens, in a thousand records.
const OFTEN: [(Slip, u32); 17] = [
    (Slip::Given, 20),
    (Slip::Family, 20),
    (Slip::DayAndMonth, 10),
    (Slip::Digit, 10),
    (Slip::NoBirthDate, 15),
    (Slip::PlaceholderDate, 5),
    (Slip::NoSex, 20),
    (Slip::NoContact, 60),
    (Slip::FormerPhone, 50),
    (Slip::OfficePhone, 15),
    (Slip::PlaceholderPhone, 15),
    (Slip::PlaceholderEmail, 20),
    (Slip::Nickname, 40),
    (Slip::FormerName, 80),
    (Slip::NoSecondName, 70),
    (Slip::Unnamed, 3),
    (Slip::NamesExchanged, 3),
];

/// The slips of one record.
pub(super) fn of_one_record(dice: &mut Dice, person: &Person) -> Vec<Slip> {
    let possible = |slip: Slip| match slip {
        Slip::NoSecondName => person.given.len() > 1 && !person.is_twin_in_name,
        Slip::FormerName => person.former_family.is_some(),
        Slip::Nickname => nickname(person).is_some(),
        Slip::DayAndMonth => person.born.day <= 12,
        // A letter wrong, and one twin is the other: nobody could tell.
        Slip::Given => !person.is_twin_in_name && !person.is_unnamed,
        _ => true,
    };
    let happen: Vec<Slip> = OFTEN
        .iter()
        .filter(|(_, often)| dice.in_thousand(*often))
        .map(|(slip, _)| *slip)
        .collect();
    happen.into_iter().filter(|slip| possible(*slip)).collect()
}

pub(super) fn nickname(person: &Person) -> Option<&'static str> {
    let first = person.given.first()?;
    names::NICKNAMES
        .iter()
        .find(|(name, _)| name == first)
        .map(|(_, nickname)| *nickname)
}

/// A name with one letter left out, doubled, replaced or exchanged with its neighbour.
pub(super) fn mistyped(dice: &mut Dice, name: &str) -> String {
    let mut letters: Vec<char> = name.chars().collect();
    let place = dice.place(letters.len());
    match dice.between(0, 4) {
        0 if letters.len() > 2 => _ = letters.remove(place),
        1 if place + 1 < letters.len() => letters.swap(place, place + 1),
        2 => {
            let double = letters.get(place).copied();
            letters.splice(place..place, double);
        }
        _ => {
            let other = dice.one(&['a', 'e', 'i', 'o', 'n', 'r', 's', 't']);
            if let Some(letter) = letters.get_mut(place) {
                *letter = other;
            }
        }
    }
    letters.into_iter().collect()
}

/// A date with one digit of the year or of the day wrong.
pub(super) fn misread(dice: &mut Dice, born: Day) -> Day {
    let mut day = born;
    if dice.in_thousand(500) {
        day.year += dice.one(&[-10, -1, 1, 10]);
    } else {
        day.day = (born.day / 10) * 10 + dice.between(1, 9);
    }
    day
}
