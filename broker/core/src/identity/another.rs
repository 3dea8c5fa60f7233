//! Whether a record's number was given to another person.

use super::{Profile, Trust, birth::Dates, compare::Comparison, name::Likeness};

/// From here on, two birth dates are those of a parent and a child, not of one person whose date was put right.
const GENERATION_YEARS: i32 = 12;

/// Whether a record that showed `before` and now shows `after` is about another person: a recycled number.
///
/// It is when at least two of family name, given names, birth date, sex, generation and trusted identifiers are stated
/// in both and differ by more than a slip, a nickname, a former name or a shortening. One alone is a correction or a
/// marriage, but for two exceptions, in which what changed is what tells relatives apart: birth dates that are 12 years
/// or more apart, as those of a father and his son of the same name; and other given names where no birth date says that
/// it is the same person, or where one is said to have a twin. Where the birth date was there and is gone, even a given
/// name that changed by a slip is another one: "Bella" and "Ella" may be mother and daughter.
///
/// Not noticed: a record that was given to somebody's twin, with nothing but the given name changed.
#[must_use]
pub fn is_another_person(before: &Profile, after: &Profile) -> bool {
    let compared = Comparison::of(before, after, &Trust::ByKind);
    let differs =
        |likeness: Option<Likeness>| likeness == Some(Likeness::Different) && !compared.names_exchanged;
    let given_differ = differs(compared.given) && !compared.given_is_other_name;
    let dates_differ = compared.birth == Some(Dates::Different);
    let a_generation_apart = before
        .birth
        .zip(after.birth)
        .is_some_and(|(before, after)| before.years_apart(&after) >= GENERATION_YEARS);
    let given_changed =
        matches!(compared.given, Some(Likeness::Near | Likeness::Different)) && !compared.given_is_other_name;
    let birth_is_gone = before.birth.is_some() && after.birth.is_none();
    let has_a_twin = before.born_with_others.or(after.born_with_others).is_some();
    let of_a_relative = dates_differ && a_generation_apart
        || given_differ && (compared.birth.is_none() || has_a_twin)
        || given_changed && birth_is_gone;
    let differing = [
        differs(compared.family) && !compared.family_is_other_name,
        given_differ,
        dates_differ,
        compared.sex == Some(false),
        compared.generation == Some(false),
        compared.trusted_identifier == Some(false),
    ];
    of_a_relative || differing.into_iter().filter(|differs| *differs).count() >= 2
}

/// Whether a record that showed `before` no longer says whose it is: of name, birth date and sex at least two were there
/// and are gone, the name among them. A record is emptied like that before it is given to somebody else, and a program in
/// trouble shows such records for a moment.
#[must_use]
pub fn is_wiped(before: &Profile, after: &Profile) -> bool {
    let name_is_gone = (before.name.family.is_some() && after.name.family.is_none())
        || (before.name.given.is_some() && after.name.given.is_none());
    let both_are_gone = (before.name.family.is_some() || before.name.given.is_some())
        && after.name.family.is_none()
        && after.name.given.is_none();
    let others_gone = [
        before.birth.is_some() && after.birth.is_none(),
        before.sex.is_some() && after.sex.is_none(),
    ];
    both_are_gone || (name_is_gone && others_gone.contains(&true))
}
