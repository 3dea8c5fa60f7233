//! Making the office's record match a state of the bus: a POST for a record that is not there ([`crate::create`]), a PUT
//! of the touched fields for one that is.
//!
//! The guarantor goes by a request of its own: Open Dental lets only a family's current guarantor hand that over
//! (Open Dental API, Patients), and a refusal must not cost the patient's other changes. What the office cannot hold is
//! left out and logged by field, never by value.

use crate::api::{Api, Error};
use crate::create::create;
use crate::host::Host;
use crate::map::{self, Field, FieldSet};
use crate::office::Office;
use crate::row::PatNum;
use archwire_connector::log::Level;
use archwire_connector::{Delivered, Delivery, DeliveryAction, Disposition};

/// How often one request is sent again without a field that the office refused.
const MOST_REFUSED_FIELDS: usize = 3;

/// Most numbers of one log entry.
const MOST_NUMBERS: usize = 16;

/// Creates or updates the record.
///
/// # Errors
/// When the record does not hold the state afterwards.
pub fn deliver(host: &dyn Host, office: &Office, delivery: &Delivery) -> Result<Delivered, Disposition> {
    match &delivery.local_id {
        None => create(host, office, delivery),
        Some(local_id) => update(host, office, delivery, local_id),
    }
}

fn update(
    host: &dyn Host,
    office: &Office,
    delivery: &Delivery,
    local_id: &str,
) -> Result<Delivered, Disposition> {
    let pat_num = PatNum::parse(local_id).ok_or_else(|| Disposition::rejected("local-id-invalid"))?;
    let mut written = map::update(&delivery.patient, &delivery.changed, &office.system);
    let guarantor = written.fields.take(Field::Guarantor);
    report(host, "fields-left-out", &written.left_out);
    let api = Api::new(host, &office.url);
    let mut action = DeliveryAction::Unchanged;
    if put(host, &api, pat_num, written.fields)? {
        action = DeliveryAction::Updated;
    }
    if let Some(guarantor) = guarantor {
        let mut fields = FieldSet::default();
        fields.put(Field::Guarantor, guarantor);
        match api.update(pat_num, &fields) {
            Ok(()) => action = DeliveryAction::Updated,
            Err(Error::Refused { .. }) => report(host, "fields-refused", &[Field::Guarantor]),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Delivered::new(pat_num.to_string(), action))
}

/// Writes the fields. Tells whether there was anything to write.
fn put(host: &dyn Host, api: &Api<'_>, pat_num: PatNum, mut fields: FieldSet) -> Result<bool, Error> {
    let mut refused = Vec::new();
    while !fields.is_empty() {
        match api.update(pat_num, &fields) {
            Ok(()) => {
                report(host, "fields-refused", &refused);
                return Ok(true);
            }
            Err(error) => refused.push(give_up(error, &mut fields, refused.len())?),
        }
    }
    report(host, "fields-refused", &refused);
    Ok(false)
}

/// Takes the field out that the office refused by name, so that the request can go without it.
///
/// # Errors
/// The refusal itself when it is about something else, or when too many fields were refused already.
pub(crate) fn give_up(error: Error, fields: &mut FieldSet, so_far: usize) -> Result<Field, Error> {
    let Error::Refused { text, .. } = &error else {
        return Err(error);
    };
    match refused_field(text.as_str(), fields).filter(|_| so_far < MOST_REFUSED_FIELDS) {
        Some(field) => {
            fields.take(field);
            Ok(field)
        }
        None => Err(error),
    }
}

/// The one field that a refusal names, when the record is a record without it. Never one that the duplicate check looks
/// at: sent without it, a duplicate would slip through.
fn refused_field(text: &str, fields: &FieldSet) -> Option<Field> {
    let words: Vec<&str> = text
        .split(|character: char| !character.is_ascii_alphanumeric())
        .collect();
    let mut named = Field::ALL
        .into_iter()
        .filter(|field| words.contains(&field.name()));
    let (first, second) = (named.next()?, named.next());
    let compared = matches!(
        first,
        Field::LName
            | Field::FName
            | Field::Birthdate
            | Field::Email
            | Field::HmPhone
            | Field::WkPhone
            | Field::WirelessPhone
    );
    (second.is_none() && !compared && fields.has(first)).then_some(first)
}

/// Tells the administrator which fields did not go: by name, without their values.
pub(crate) fn report(host: &dyn Host, event: &'static str, fields: &[Field]) {
    let numbers: Vec<_> = fields
        .iter()
        .take(MOST_NUMBERS)
        .map(|field| (field.log_name(), 1))
        .collect();
    if !numbers.is_empty() {
        host.log(Level::Warn, event, &numbers);
    }
}

#[cfg(test)]
mod tests;
