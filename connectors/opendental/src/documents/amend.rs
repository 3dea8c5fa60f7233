//! Changing what a document says: after the image was described anew, when another document took its place, or when the image
//! is the patient's no more. Bytes cannot be replaced through the API, and nothing is ever deleted.
//!
//! PUT needs the permission All Others, which an office may not have. What cannot be marked is told: a withdrawn image goes to
//! a person (`retraction-by-hand`), also one that lies with another patient, and one of which the office does not tell where it
//! lies. A replaced one of the same patient goes only to the log (`replaced-unmarked`), since the new one is there.

use crate::api::{Api, Error};
use crate::documents::line::{self, Line, REPLACED, WITHDRAWN};
use crate::documents::mark::{self, Mark};
use crate::documents::row::{DocNum, Document};
use crate::documents::search::{self, Sought};
use crate::documents::teeth;
use crate::host::Host;
use crate::office::Office;
use crate::row::PatNum;
use archwire_connector::Disposition;
use archwire_connector::http::Error as HttpError;
use archwire_connector::log::Level;
use serde_json::{Map, Value};

/// Writes what is said of the image now, when that is another description. A document whose mark is gone belongs to the
/// office's staff: nothing is written. Tells whether anything was.
///
/// # Errors
/// When the document does not say it.
pub fn refresh(
    host: &dyn Host,
    api: &Api<'_>,
    row: &Document,
    mark: &Mark,
    line: &Line,
) -> Result<bool, Disposition> {
    let is_ours = mark.is_in(&row.description) && !row.description.starts_with(REPLACED);
    if !is_ours || row.description == line.description {
        return Ok(false);
    }
    let mut fields = Map::new();
    fields.insert("Description".into(), line.description.clone().into());
    if !line.tooth_numbers.is_empty() && teeth::iso(&row.tooth_numbers) != teeth::iso(&line.tooth_numbers) {
        fields.insert("ToothNumbers".into(), line.tooth_numbers.clone().into());
    }
    match api.change_document(row.doc_num, &fields) {
        Ok(()) => Ok(true),
        Err(error) if cannot(&error) => {
            host.log(Level::Warn, "description-unwritten", &[]);
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

/// Marks a document that another one of the patient took the place of. One that lies with another patient was never theirs: it is
/// withdrawn.
///
/// # Errors
/// When that may work later; for one that lies with another patient, whenever it is not marked afterwards.
pub fn put_away(host: &dyn Host, api: &Api<'_>, row: &Document, pat_num: PatNum) -> Result<(), Disposition> {
    if row.pat_num.is_some_and(|owner| owner != pat_num) {
        return mark_withdrawn(api, row).map(|_| ());
    }
    replace(host, api, row)
}

fn replace(host: &dyn Host, api: &Api<'_>, row: &Document) -> Result<(), Disposition> {
    match put_before(api, row, REPLACED) {
        Ok(_) => Ok(()),
        Err(error) if cannot(&error) => {
            host.log(Level::Warn, "replaced-unmarked", &[]);
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

/// Marks a document that is the patient's no more. Tells whether anything had to be written.
///
/// # Errors
/// When it is not marked afterwards.
pub fn withdraw(
    api: &Api<'_>,
    office: &Office,
    doc_num: DocNum,
    pat_num: Option<PatNum>,
) -> Result<bool, Disposition> {
    match search::by_number(api, office, doc_num, pat_num)? {
        Sought::There(row) => mark_withdrawn(api, &row),
        // The office's staff deleted it: nobody is shown it.
        Sought::Gone => Ok(false),
        Sought::Unknown => Err(out_of_sight(doc_num)),
    }
}

fn mark_withdrawn(api: &Api<'_>, row: &Document) -> Result<bool, Disposition> {
    match put_before(api, row, WITHDRAWN) {
        Ok(written) => Ok(written),
        Err(error) if cannot(&error) => Err(Disposition::rejected("retraction-by-hand").with_detail(
            format!("document {} is to be removed by hand: {error}", row.doc_num),
        )),
        Err(error) => Err(error.into()),
    }
}

/// Of a document that may lie with another patient, where nobody can see it: a person has to look.
#[must_use]
pub fn out_of_sight(doc_num: DocNum) -> Disposition {
    Disposition::rejected("retraction-by-hand").with_detail(format!(
        "document {doc_num} is none of the patient's; where it is another one's it is to be removed by hand. An office from \
         24.2.32 on tells whose it is, and so does any that lets the key use ShortQuery"
    ))
}

fn put_before(api: &Api<'_>, row: &Document, word: &str) -> Result<bool, Error> {
    let ours = mark::of(&row.description);
    let description = line::prefixed(word, &row.description, ours.as_ref());
    if description == row.description {
        return Ok(false);
    }
    let mut fields = Map::new();
    fields.insert("Description".into(), Value::from(description));
    api.change_document(row.doc_num, &fields)?;
    Ok(true)
}

/// Whether the office or the administrator does not let documents be changed.
fn cannot(error: &Error) -> bool {
    matches!(
        error,
        Error::Unauthorized(_) | Error::Refused { .. } | Error::NotFound(_) | Error::Http(HttpError::Denied)
    )
}
