//! Who is who: whether a record that a system shows is about a patient whom the bus knows.
//!
//! A duplicate is a nuisance, a false merge is harm. So a record is linked to a patient without asking only by one of
//! two rules, and everything else that looks alike is for a person to decide:
//!
//! - **Trusted identifier**: one that belongs to one person (by its kind in HL7 v2-0203, or by the administrator's
//!   list), of the same namespace and assigner, held by exactly one known patient, where family name, given names
//!   (but for initials of later ones), birth date, sex and generation agree.
//! - **Demographics**: full given names, family name, birth date and sex are stated and equal, exactly one known patient
//!   has them, and a phone or mail address is in common that no other patient with that given name has.
//!
//! Under both, no identifier may contradict, a person must not have ruled it out, the patient must not have another
//! record in the same system, and a name whose accents differ is another name unless one of the programs writes none.
//! Stricter than it may seem needed, because a family shares so much:
//!
//! | Who | Why they stay apart |
//! |---|---|
//! | twins "Jayden" and "Jaydon" | another patient of that birth date and household is called almost the same |
//! | twins "Juan" and "Juan Carlos" with a family's one chart number | later given names must not be missing |
//! | two times "Baby Girl" | no given name is known: never linked |
//! | father and son of one name | birth date; generation; a phone that both have counts for neither |
//! | a guardian's number, phone or mail address on every child | held by several |
//! | a recycled chart number | a conflict, which is reported |
//! | the office's own phone | patients of more than 5 family names have it |
//! | twins who are said to be twins | only a trusted identifier, or the same order of birth |
//!
//! What no rule can tell: two people of one birth date whom *two* programs show alike, because both shortened what
//! tells them apart, and of whom only one is known so far.
//!
//! Names are compared in folded form in any script; nicknames are not equal. Likeness is scored only to rank whom a
//! person should look at. Nothing here fails, panics or grows with the number of patients, see [`People`].

mod another;
mod birth;
mod compare;
mod contact;
mod decide;
mod fold;
mod holders;
mod identifier;
mod key;
mod name;
mod nickname;
mod people;
mod profile;
mod score;
mod verdict;
mod whose;

pub use another::{is_another_person, is_wiped};
pub use fold::{comparable, is_rendering_of};
pub use people::People;
pub use profile::Profile;
pub use verdict::{Candidate, Evidence, Known, Rule, Trust, Verdict};
pub use whose::contradictions;

#[cfg(test)]
mod tests;
