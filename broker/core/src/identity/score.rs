//! How much two profiles look like one person, in tenths of a bit (Fellegi and Sunter's weights, estimated and rounded,
//! not measured): to rank whom a person should look at, never to link.
//!
//! Members of a household share family name, phones, mail addresses, address and responsible parties. All that together
//! is one piece of evidence with a cap, so that brothers and twins stay below [`REVIEW`], unless their given names are
//! alike too. What should reach it: a mistyped name or date, day and month exchanged, a married name with something of
//! the household, a nickname.

use super::{birth::Dates, compare::Comparison, name::Likeness};

/// From here on a person should look.
pub(super) const REVIEW: i32 = 100;

/// The most that a shared household counts.
const HOUSEHOLD: i32 = 40;

pub(super) fn tenths(of: &Comparison) -> i32 {
    given(of) + birth(of) + sex(of) + generation(of) + identifiers(of) + household(of)
}

fn given(of: &Comparison) -> i32 {
    match of.given {
        None => 0,
        Some(Likeness::Equal) => 70,
        Some(Likeness::Compatible) => 55,
        Some(Likeness::Near | Likeness::Nickname) => 40,
        Some(Likeness::Different) if of.given_is_other_name || of.names_exchanged => 40,
        Some(Likeness::Different) => -60,
    }
}

fn birth(of: &Comparison) -> i32 {
    match of.birth {
        None => 0,
        Some(Dates::Same) => 80,
        Some(Dates::Swapped) => 50,
        Some(Dates::Mistyped) => 30,
        Some(Dates::Compatible) => 20,
        Some(Dates::Different) => -80,
    }
}

fn sex(of: &Comparison) -> i32 {
    of.sex.map_or(0, |same| if same { 10 } else { -30 })
}

fn generation(of: &Comparison) -> i32 {
    of.generation.map_or(0, |same| if same { 10 } else { -60 })
}

fn identifiers(of: &Comparison) -> i32 {
    let shared = match (of.trusted_identifier, of.identifier) {
        (Some(true), _) => 100,
        (_, Some(true)) => 30,
        _ => 0,
    };
    shared - if of.contradiction { 40 } else { 0 }
}

fn household(of: &Comparison) -> i32 {
    let counts = |shared: Option<bool>, tenths: i32| if shared == Some(true) { tenths } else { 0 };
    let contacts =
        counts(of.phone, 20) + counts(of.email, 20) + counts(of.address, 10) + counts(of.party, 10);
    match of.family {
        // Another family name, unless it is a former one, says more against one person than a household says for it;
        // a household makes up for part of it, since people marry.
        Some(Likeness::Different) if !of.family_is_other_name && !of.names_exchanged => {
            contacts.min(HOUSEHOLD) - 70
        }
        Some(Likeness::Equal) => (contacts + 15).min(HOUSEHOLD),
        Some(_) => (contacts + 10).min(HOUSEHOLD),
        None => contacts.min(HOUSEHOLD),
    }
}
