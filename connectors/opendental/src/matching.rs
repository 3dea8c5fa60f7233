//! Whether the office has a record of the person already.
//!
//! A duplicate is a nuisance, a false merge is harm. Families share surname, address, phone and mail address, and
//! sometimes a name through the generations or a birth date. So a record of the office is *adopted* only when
//!
//! - family and first name are the same in full, ignoring case, and so is the birth date, which must be known;
//! - the mail address or one of the phones is the same, ignoring punctuation;
//! - nothing contradicts: sex, middle initial, social security number, chart number;
//! - it is not archived or deleted;
//! - and there is exactly one such record.
//!
//! A record is *our own* from a POST whose answer was lost when every field that was sent is there as it was sent, the
//! record was entered since the bus knows the patient, nothing contradicts, and there is exactly one. Where neither is
//! sure but somebody of that name and birth date was entered since, a person has to look.

use crate::clock::OfficeTime;
use crate::map::{Field, FieldSet};
use crate::row::{Fields, PatNum, Row};
use serde_json::Value;

/// Fewest digits of a phone that say anything.
const PHONE_DIGITS: usize = 7;

/// What the office's records of that name say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nobody.
    Nobody,
    /// The record that an earlier POST made.
    Ours(PatNum),
    /// A record of the same person that somebody else made.
    Adopt(PatNum),
    /// Somebody of that name and birth date, and it is not sure who.
    Unsure,
}

/// An earlier attempt to create the record may have arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doubt {
    /// It cannot have been made before this day on the office's clock.
    pub since_day: i64,
}

/// Judges the office's records of that name against what is to be created.
#[must_use]
pub fn judge(rows: &[&Row<'_>], fields: &FieldSet, doubt: Option<Doubt>) -> Verdict {
    let namesakes: Vec<&Row<'_>> = rows
        .iter()
        .copied()
        .filter(|row| is_namesake(&row.fields, fields))
        .collect();
    let since = |row: &Row<'_>| {
        doubt.is_some_and(|doubt| entered_day(&row.fields).is_some_and(|day| day >= doubt.since_day))
    };
    let ours =
        |row: &&&Row<'_>| since(row) && holds_all(&row.fields, fields) && !contradicts(&row.fields, fields);
    let same = |row: &&&Row<'_>| {
        shares_contact(&row.fields, fields) && !contradicts(&row.fields, fields) && is_in_use(&row.fields)
    };
    match only(namesakes.iter().filter(ours)) {
        Count::One(row) => return Verdict::Ours(row.pat_num),
        Count::Many => return Verdict::Unsure,
        Count::None => {}
    }
    match only(namesakes.iter().filter(same)) {
        Count::One(row) => Verdict::Adopt(row.pat_num),
        Count::Many => Verdict::Unsure,
        Count::None if namesakes.iter().any(|row| since(row)) => Verdict::Unsure,
        Count::None => Verdict::Nobody,
    }
}

/// Whether anybody of that name and birth date is on file.
#[must_use]
pub fn has_namesake(rows: &[&Row<'_>], fields: &FieldSet) -> bool {
    rows.iter().any(|row| is_namesake(&row.fields, fields))
}

enum Count<T> {
    None,
    One(T),
    Many,
}

fn only<T>(mut items: impl Iterator<Item = T>) -> Count<T> {
    match (items.next(), items.next()) {
        (None, _) => Count::None,
        (Some(item), None) => Count::One(item),
        (Some(_), Some(_)) => Count::Many,
    }
}

fn is_namesake(row: &Fields, sent: &FieldSet) -> bool {
    row.pat_status.text() != "Deleted"
        && same_text(row.l_name.text(), sent.text(Field::LName))
        && same_text(row.f_name.text(), sent.text(Field::FName))
        && birth_day(row.birthdate.text()) == birth_day(sent.text(Field::Birthdate))
}

fn birth_day(text: &str) -> Option<i64> {
    OfficeTime::parse(text).map(OfficeTime::day)
}

/// The day of the record's creation; for want of it, of its last change.
fn entered_day(row: &Fields) -> Option<i64> {
    let entered =
        OfficeTime::parse(row.sec_date_entry.text()).or_else(|| OfficeTime::parse(row.date_t_stamp.text()));
    entered.map(OfficeTime::day)
}

fn is_in_use(row: &Fields) -> bool {
    row.pat_status.text() != "Archived"
}

/// The same mail address or one phone in common, with a birth date to go by.
fn shares_contact(row: &Fields, sent: &FieldSet) -> bool {
    let email = sent.text(Field::Email);
    let same_email = !email.is_empty() && same_text(row.email.text(), email);
    let theirs = [&row.hm_phone, &row.wk_phone, &row.wireless_phone].map(|word| phone(word.text()));
    let ours = [Field::HmPhone, Field::WkPhone, Field::WirelessPhone].map(|field| phone(sent.text(field)));
    let same_phone = ours
        .iter()
        .flatten()
        .any(|number| theirs.iter().flatten().any(|other| other == number));
    birth_day(sent.text(Field::Birthdate)).is_some() && (same_email || same_phone)
}

/// The digits of a phone without the United States' country code; `None` when there are too few to say anything.
fn phone(text: &str) -> Option<String> {
    let digits = digits(text);
    let national = digits
        .strip_prefix('1')
        .filter(|rest| rest.len() == 10)
        .unwrap_or(&digits);
    (national.len() >= PHONE_DIGITS).then(|| national.to_owned())
}

/// Two statements that cannot both be true of one person.
fn contradicts(row: &Fields, sent: &FieldSet) -> bool {
    let differ = |theirs: String, ours: String| !theirs.is_empty() && !ours.is_empty() && theirs != ours;
    let sexes = [row.gender.text(), sent.text(Field::Gender)];
    let initial = |text: &str| {
        text.chars()
            .next()
            .map(|initial| initial.to_lowercase().to_string())
            .unwrap_or_default()
    };
    sexes == ["Male", "Female"]
        || sexes == ["Female", "Male"]
        || differ(initial(row.middle_i.text()), initial(sent.text(Field::MiddleI)))
        || differ(digits(row.ssn.text()), digits(sent.text(Field::Ssn)))
        || differ(
            row.chart_number.text().to_owned(),
            sent.text(Field::ChartNumber).to_owned(),
        )
}

/// Whether every field that was sent is there as it was sent, punctuation aside.
fn holds_all(row: &Fields, sent: &FieldSet) -> bool {
    sent.iter().all(|(field, value)| {
        let sent = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let shown = shown(row, field);
        match field {
            Field::HmPhone | Field::WkPhone | Field::WirelessPhone | Field::Ssn => {
                digits(shown) == digits(&sent)
            }
            Field::Zip => same_text(&shown.replace(['-', ' '], ""), &sent.replace(['-', ' '], "")),
            Field::Birthdate => birth_day(shown) == birth_day(&sent),
            _ => same_text(shown, &sent),
        }
    })
}

fn shown(row: &Fields, field: Field) -> &str {
    let word = match field {
        Field::LName => &row.l_name,
        Field::FName => &row.f_name,
        Field::MiddleI => &row.middle_i,
        Field::Preferred => &row.preferred,
        Field::PatStatus => &row.pat_status,
        Field::Gender => &row.gender,
        Field::Position => &row.position,
        Field::Birthdate => &row.birthdate,
        Field::Ssn => &row.ssn,
        Field::Address => &row.address,
        Field::Address2 => &row.address2,
        Field::City => &row.city,
        Field::State => &row.state,
        Field::Zip => &row.zip,
        Field::HmPhone => &row.hm_phone,
        Field::WkPhone => &row.wk_phone,
        Field::WirelessPhone => &row.wireless_phone,
        Field::Guarantor => &row.guarantor,
        Field::Email => &row.email,
        Field::PriProv => &row.pri_prov,
        Field::ChartNumber => &row.chart_number,
        Field::MedicaidId => &row.medicaid_id,
        Field::Language => &row.language,
    };
    word.text()
}

fn same_text(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The day before the record of [`record`] was entered.
    const DOUBT: Option<Doubt> = Some(Doubt { since_day: 20_757 });

    fn sent() -> FieldSet {
        let mut fields = FieldSet::default();
        for (field, text) in [
            (Field::LName, "Pratt"),
            (Field::FName, "Jordan"),
            (Field::Birthdate, "1990-02-01"),
            (Field::HmPhone, "(503) 555-0100"),
            (Field::Email, "jo@example.com"),
        ] {
            fields.put(field, text);
        }
        fields
    }

    /// The office's record of what was sent, with some fields otherwise.
    fn record(pat_num: u64, otherwise: Value) -> String {
        let mut row = json!({
            "PatNum": pat_num, "LName": "Pratt", "FName": "Jordan", "Birthdate": "1990-02-01",
            "HmPhone": "503-555-0100", "Email": "jo@example.com", "PatStatus": "Patient", "SecDateEntry": "2026-11-01"
        });
        for (name, value) in otherwise.as_object().unwrap() {
            row[name] = value.clone();
        }
        row.to_string()
    }

    fn verdict(records: &[String], fields: &FieldSet, doubt: Option<Doubt>) -> Verdict {
        let rows: Vec<_> = records.iter().map(|record| Row::parse(record).unwrap()).collect();
        judge(&rows.iter().collect::<Vec<_>>(), fields, doubt)
    }

    fn one(otherwise: Value) -> Verdict {
        verdict(&[record(7, otherwise)], &sent(), None)
    }

    fn seven() -> PatNum {
        PatNum::parse("7").unwrap()
    }

    #[test]
    fn a_record_of_the_same_name_birth_date_and_one_contact_is_adopted() {
        for otherwise in [
            json!({}),
            json!({ "LName": "PRATT", "Email": "" }),
            json!({ "HmPhone": "", "Email": "JO@example.com" }),
            json!({ "HmPhone": "", "Email": "", "WirelessPhone": "+1 503 555 0100" }),
        ] {
            assert_eq!(one(otherwise.clone()), Verdict::Adopt(seven()), "{otherwise}");
        }
    }

    #[test]
    fn another_name_birth_date_or_no_contact_in_common_is_somebody_else() {
        for otherwise in [
            json!({ "FName": "Jordana" }),
            json!({ "LName": "Prattler" }),
            json!({ "Birthdate": "1990-02-02" }),
            json!({ "Birthdate": "0001-01-01" }),
            json!({ "HmPhone": "", "Email": "" }),
            json!({ "HmPhone": "555-0199", "Email": "other@example.com" }),
            json!({ "PatStatus": "Deleted" }),
        ] {
            assert_eq!(one(otherwise.clone()), Verdict::Nobody, "{otherwise}");
        }
    }

    #[test]
    fn family_members_with_the_same_name_and_birth_date_are_never_adopted_when_something_contradicts() {
        let mut twin = sent();
        twin.put(Field::Gender, "Female");
        twin.put(Field::MiddleI, "K");
        twin.put(Field::Ssn, "123456789");
        twin.put(Field::ChartNumber, "A17");
        for otherwise in [
            json!({ "Gender": "Male" }),
            json!({ "MiddleI": "Lee" }),
            json!({ "SSN": "987654321" }),
            json!({ "ChartNumber": "B2" }),
            json!({ "PatStatus": "Archived" }),
        ] {
            assert_eq!(
                verdict(&[record(7, otherwise.clone())], &twin, None),
                Verdict::Nobody,
                "{otherwise}"
            );
        }
    }

    #[test]
    fn without_a_birth_date_nobody_is_adopted() {
        let mut fields = sent();
        fields.take(Field::Birthdate);
        assert_eq!(
            verdict(&[record(7, json!({ "Birthdate": "0001-01-01" }))], &fields, None),
            Verdict::Nobody
        );
    }

    #[test]
    fn two_records_that_fit_are_unsure() {
        let records = [record(7, json!({})), record(8, json!({ "Email": "" }))];
        assert_eq!(verdict(&records, &sent(), None), Verdict::Unsure);
    }

    #[test]
    fn a_lost_answer_is_recognised_by_everything_that_was_sent() {
        assert_eq!(
            verdict(&[record(7, json!({}))], &sent(), DOUBT),
            Verdict::Ours(seven())
        );
        let mut bare = sent();
        for field in [Field::HmPhone, Field::Email, Field::Birthdate] {
            bare.take(field);
        }
        let made = record(
            7,
            json!({ "HmPhone": "", "Email": "", "Birthdate": "0001-01-01" }),
        );
        assert_eq!(verdict(&[made], &bare, DOUBT), Verdict::Ours(seven()));
    }

    #[test]
    fn a_record_from_before_the_bus_knew_the_patient_is_not_ours() {
        let old = record(7, json!({ "SecDateEntry": "2020-01-01" }));
        assert_eq!(
            verdict(std::slice::from_ref(&old), &sent(), DOUBT),
            Verdict::Adopt(seven())
        );
        let no_contact = record(
            7,
            json!({ "SecDateEntry": "2020-01-01", "HmPhone": "", "Email": "" }),
        );
        assert_eq!(verdict(&[no_contact], &sent(), DOUBT), Verdict::Nobody);
    }

    #[test]
    fn a_new_namesake_who_is_neither_ours_nor_the_same_is_for_a_person_to_look_at() {
        let namesake = record(7, json!({ "HmPhone": "", "Email": "other@example.com" }));
        assert_eq!(verdict(&[namesake], &sent(), DOUBT), Verdict::Unsure);
        assert_eq!(
            verdict(&[record(7, json!({})), record(8, json!({}))], &sent(), DOUBT),
            Verdict::Unsure
        );
    }
}
