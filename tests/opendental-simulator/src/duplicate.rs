//! The duplicate check of POST: "LName, FName, Birthdate, and Email or phone numbers" (Open Dental API, Patients).
//!
//! How exactly the vendor compares is not documented: names go without case here, phones by their digits, and a
//! missing birthdate or contact never matches. Nothing fails.

use crate::fields::{Field, NO_DATE};
use crate::model::{Patient, PatientFields};
use crate::options::DuplicateRule;

/// Whether the new patient counts as one who is there already.
pub(crate) fn is_duplicate(new: &PatientFields, old: &Patient, rule: DuplicateRule) -> bool {
    // The birthdate first: it is the cheapest to compare and rules out nearly everybody.
    let same_person = !old.deleted
        && new
            .get(Field::Birthdate)
            .is_some_and(|date| date != NO_DATE && date == old.get(Field::Birthdate))
        && [Field::LName, Field::FName]
            .into_iter()
            .all(|field| fold(new.get(field).unwrap_or_default()) == fold(old.get(field)));
    match rule {
        DuplicateRule::Off => false,
        DuplicateRule::NameBirthdate => same_person,
        DuplicateRule::NameBirthdateContact => same_person && shares_contact(new, old),
    }
}

fn shares_contact(new: &PatientFields, old: &Patient) -> bool {
    let email = new.get(Field::Email).map(fold).filter(|email| !email.is_empty());
    if email.is_some_and(|email| email == fold(old.get(Field::Email))) {
        return true;
    }
    Field::PHONES
        .into_iter()
        .filter_map(|field| new.get(field))
        .map(digits)
        .filter(|phone| !phone.is_empty())
        .any(|phone| {
            Field::PHONES
                .into_iter()
                .any(|field| digits(old.get(field)) == phone)
        })
}

fn fold(text: &str) -> String {
    text.trim().to_lowercase()
}

/// The digits of a phone number, which people punctuate as they please.
pub(crate) fn digits(phone: &str) -> String {
    phone.chars().filter(char::is_ascii_digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::datetime;

    const RULE: DuplicateRule = DuplicateRule::NameBirthdateContact;

    fn jane() -> PatientFields {
        PatientFields::named("Smith", "Jane")
            .with(Field::Birthdate, "1976-05-24")
            .with(Field::HmPhone, "(536)624-5871")
    }

    fn stored(fields: &PatientFields) -> Patient {
        Patient::new(1, fields, datetime(2026, 1, 1, 0, 0, 0, 0))
    }

    #[test]
    fn the_same_person_with_the_same_phone_written_differently_is_a_duplicate() {
        let again = PatientFields::named("SMITH", "jane")
            .with(Field::Birthdate, "1976-05-24")
            .with(Field::WirelessPhone, "536-624-5871");
        assert!(is_duplicate(&again, &stored(&jane()), RULE));
    }

    #[test]
    fn without_a_birthdate_or_a_contact_the_same_person_can_be_created_twice() {
        let mut bare = jane();
        bare.unset(Field::HmPhone);
        assert!(!is_duplicate(&bare, &stored(&jane()), RULE));
        assert!(is_duplicate(
            &bare,
            &stored(&jane()),
            DuplicateRule::NameBirthdate
        ));
        let mut ageless = jane();
        ageless.unset(Field::Birthdate);
        assert!(!is_duplicate(
            &ageless,
            &stored(&ageless),
            DuplicateRule::NameBirthdate
        ));
    }
}
