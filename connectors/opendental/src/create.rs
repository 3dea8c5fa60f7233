//! Making a record, once.
//!
//! A POST cannot be sent twice without care: the API has no key that makes it one. So a POST whose answer was lost, by
//! a time-out, a broken connection or an error on the office's side, is followed by a search before anything else:
//!
//! 1. within the same call, because the record is usually there already;
//! 2. in later calls, because the office may take up to 60 s: a *mark* in the state says that a POST is in doubt, and
//!    no second one is sent before the record was looked for until [`crate::doubt::SETTLED_AFTER`] after the first;
//! 3. when the bus itself does not know how an earlier attempt ended (`in_doubt_since_ms`: it was killed, or the call
//!    was): then for the 10 s of [`Patience::after_a_crash`] from the first look on, in which an office that works as usual has
//!    carried the request out. See [`crate::doubt`].
//!
//! While it is in doubt, the answer is `retry`: the bus then keeps unknown records of this office from becoming new
//! patients. What counts as the record that was made, and what is adopted, says [`crate::matching`].
//!
//! The office's own duplicate check may refuse a POST (400, in words that are not documented). Then the record of the
//! same person is searched for and adopted, or the delivery is rejected with `duplicate-refused`.
//!
//! **Bounds**: a search reads at most [`MOST_PAGES`] pages. The state has room for about 60 marks; where there is none,
//! the call says `retry` whatever the trouble is, and the bus remembers the doubt by itself. It counts from the last attempt, so
//! the next one comes when that is settled.

use crate::api::{Api, Error};
use crate::clock::Offset;
use crate::deliver::{give_up, report};
use crate::doubt::{Doubt, Patience};
use crate::host::Host;
use crate::map::{self, Field, FieldSet};
use crate::matching::{self, Verdict, has_namesake, judge};
use crate::office::Office;
use crate::poll::{known_clock, unreadable};
use crate::row::{Row, Rows};
use archwire_connector::log::Level;
use archwire_connector::{Delivered, Delivery, DeliveryAction, Disposition};
use std::time::Duration;

/// After a crash of the bus: long enough for a request that was on its way to be carried out. Not the full limit, since
/// nothing says that the office was slow.
const PATIENCE: Patience = Patience {
    after_a_crash: Duration::from_secs(10),
    longest_call: Duration::from_secs(60),
};

/// How long to wait between two searches for a record that may be about to appear.
const SEARCH_AGAIN: Duration = Duration::from_secs(5);

/// What else is tried again, is tried again after this.
const RETRY_AFTER: Duration = Duration::from_secs(30);

/// Most pages of people with one name.
const MOST_PAGES: usize = 10;

/// Creates the record, or finds the one that is there already.
///
/// # Errors
/// When there is no record afterwards that is surely the patient's.
pub fn create(host: &dyn Host, office: &Office, delivery: &Delivery) -> Result<Delivered, Disposition> {
    let written = map::creation(&delivery.patient, &office.system);
    for name in [Field::LName, Field::FName] {
        if written.left_out.contains(&name) {
            return Err(Disposition::rejected("name-too-long"));
        }
        if !written.fields.has(name) {
            return Err(Disposition::rejected("name-incomplete"));
        }
    }
    report(host, "fields-left-out", &written.left_out);
    let creation = Creation {
        host,
        office,
        api: Api::new(host, &office.url),
        delivery,
    };
    let delivered = creation.run(written.fields)?;
    host.forget(&creation.mark_key());
    Ok(delivered)
}

struct Creation<'a> {
    host: &'a dyn Host,
    office: &'a Office,
    api: Api<'a>,
    delivery: &'a Delivery,
}

impl Creation<'_> {
    fn run(&self, mut fields: FieldSet) -> Result<Delivered, Disposition> {
        if let Some(mark) = self.remembered_mark()
            && let Some(delivered) = self.settle_doubt(&fields, &mark)?
        {
            return Ok(delivered);
        }
        let mut refused = Vec::new();
        loop {
            match self.api.create(&fields) {
                Ok(pat_num) => {
                    report(self.host, "fields-refused", &refused);
                    return Ok(Delivered::new(pat_num.to_string(), DeliveryAction::Created));
                }
                Err(error) if error.may_have_arrived() => return self.search_at_once(&fields, &error),
                Err(error) => match give_up(error, &mut fields, refused.len()) {
                    Ok(field) => refused.push(field),
                    Err(error @ Error::Refused { .. }) => return self.adopt_refused(&fields, error),
                    Err(error) => return Err(error.into()),
                },
            }
        }
    }

    /// The answer to the POST was lost: looks for the record right away.
    fn search_at_once(&self, fields: &FieldSet, error: &Error) -> Result<Delivered, Disposition> {
        let now_ms = self.host.now_ms();
        self.host.log(Level::Warn, "create-in-doubt", &[]);
        let marked = Doubt::of_lost_answer(now_ms).keep(self.host, &self.mark_key());
        if !marked {
            self.host.log(Level::Warn, "no-room-for-mark", &[]);
        }
        let again = |after| if marked { after } else { PATIENCE.unkept() };
        match self.find(fields) {
            Ok(Some(delivered)) => Ok(delivered),
            Ok(None) => Err(Disposition::retry("create-in-doubt", again(SEARCH_AGAIN))),
            Err(disposition @ Disposition::Rejected(_)) => Err(disposition),
            // Whatever the search ran into, the doubt comes first.
            Err(_) => Err(Disposition::retry(error.code(), again(RETRY_AFTER))),
        }
    }

    fn remembered_mark(&self) -> Option<Doubt> {
        let before_ms = self.delivery.in_doubt_since_ms;
        Doubt::recalled(self.host, &self.mark_key(), before_ms, PATIENCE)
    }

    /// An earlier POST may have arrived: looks for the record. `None` when it surely did not.
    fn settle_doubt(&self, fields: &FieldSet, mark: &Doubt) -> Result<Option<Delivered>, Disposition> {
        // Kept before anything can fail: the bus forgets its doubt over an office that cannot be reached.
        let marked = mark.keep(self.host, &self.mark_key());
        let found = match self.find(fields) {
            Err(disposition) if !marked && !matches!(disposition, Disposition::Rejected(_)) => {
                return Err(Disposition::retry(disposition.reason().code.clone(), RETRY_AFTER));
            }
            found => found?,
        };
        match found {
            None if !mark.is_settled() => {
                let again = if marked { SEARCH_AGAIN } else { PATIENCE.unkept() };
                Err(Disposition::retry("create-in-doubt", again))
            }
            found => Ok(found),
        }
    }

    /// The record that an earlier POST made, or one that can be adopted.
    fn find(&self, fields: &FieldSet) -> Result<Option<Delivered>, Disposition> {
        let verdict = self.search(fields, |rows| judge(rows, fields, Some(self.possible_since())))?;
        match verdict {
            Verdict::Ours(pat_num) => Ok(Some(Delivered::new(pat_num.to_string(), DeliveryAction::Created))),
            Verdict::Adopt(pat_num) => Ok(Some(Delivered::new(pat_num.to_string(), DeliveryAction::Adopted))),
            Verdict::Unsure => Err(Disposition::rejected("create-unclear")),
            Verdict::Nobody => Ok(None),
        }
    }

    /// The office refused the POST: adopts the record of the same person.
    fn adopt_refused(&self, fields: &FieldSet, error: Error) -> Result<Delivered, Disposition> {
        let (verdict, namesake) = self.search(fields, |rows| {
            (judge(rows, fields, None), has_namesake(rows, fields))
        })?;
        match (verdict, error) {
            (Verdict::Adopt(pat_num), _) => Ok(Delivered::new(pat_num.to_string(), DeliveryAction::Adopted)),
            (_, Error::Refused { status, text }) if namesake => {
                Err(Disposition::rejected("duplicate-refused")
                    .with_status(status)
                    .with_detail(text))
            }
            (_, error) => Err(error.into()),
        }
    }

    /// Reads the office's records of that name and birth date and judges them.
    fn search<T>(&self, fields: &FieldSet, judge: impl FnOnce(&[&Row<'_>]) -> T) -> Result<T, Disposition> {
        let names = [
            ("LName", Field::LName),
            ("FName", Field::FName),
            ("Birthdate", Field::Birthdate),
        ];
        let filters = names.map(|(name, field)| (name, fields.text(field).to_owned()));
        let filters: Vec<_> = filters
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .collect();
        let mut bodies = Vec::new();
        let mut offset = 0;
        for _ in 0..MOST_PAGES {
            let paging = [
                ("Offset", offset.to_string()),
                ("Limit", self.office.page_size.to_string()),
            ];
            let body = self
                .api
                .simple(&[filters.as_slice(), paging.as_slice()].concat())?;
            let count = Rows::parse(&body).ok_or_else(unreadable)?.rows.len();
            bodies.push(body);
            if count < self.office.page_size {
                let pages: Vec<Rows<'_>> = bodies.iter().filter_map(|body| Rows::parse(body)).collect();
                let rows: Vec<&Row<'_>> = pages.iter().flat_map(Rows::readable).collect();
                return Ok(judge(&rows));
            }
            offset += count;
        }
        Err(Disposition::rejected("too-many-namesakes"))
    }

    /// The bus cannot have had the record made before it knew the patient. A day less, because the office tells the
    /// day of creation only, and its clock may be another one than ours.
    fn possible_since(&self) -> matching::Doubt {
        let now_ms = self.host.now_ms();
        let known_since = uuid_v7_ms(&self.delivery.patient_id).unwrap_or(now_ms);
        let clock = known_clock(self.host).unwrap_or(Offset::UTC);
        matching::Doubt {
            since_day: clock.office(known_since).day() - 1,
        }
    }

    /// The bus patient id is lower-case hexadecimal with dashes, which is what a key may hold.
    fn mark_key(&self) -> String {
        format!("posted-{}", self.delivery.patient_id.to_ascii_lowercase())
    }
}

/// The moment in a UUID of version 7, in milliseconds since 1970 UTC (RFC 9562, section 5.7).
fn uuid_v7_ms(id: &str) -> Option<u64> {
    let digits: String = id.chars().filter(|character| *character != '-').collect();
    let is_v7 = digits.len() == 32 && digits.as_bytes().get(12) == Some(&b'7');
    is_v7.then(|| u64::from_str_radix(digits.get(..12)?, 16).ok())?
}

#[cfg(test)]
mod tests;
