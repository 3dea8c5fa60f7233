//! Uploading an image, once.
//!
//! A POST cannot be sent twice without care, as with patients ([`crate::create`]). So every upload carries a mark of its image
//! and bytes in its description ([`crate::documents::mark`]), and nothing is sent before the patient's documents were searched
//! for it. When the answer to a POST is lost, the document is looked for within the same call and, as long as the office may
//! still be working on it, in later ones ([`crate::doubt`]). While it is in doubt, the answer is `retry`.
//!
//! What happens to an image that the office already has:
//!
//! | The bus says | In the office |
//! |---|---|
//! | the same again | nothing |
//! | something else about it | the description is written anew, unless staff took its mark away |
//! | other bytes | they are uploaded, and the document with the former ones is marked `REPLACED` |
//! | it is another patient's | it is uploaded for that patient, and the document of the first one is marked `WITHDRAWN`; where that cannot be, a person is asked |
//! | it is the patient's no more | the document is marked `WITHDRAWN`; where there is none, nothing |
//!
//! Staff may edit a description and the mark with it. An amendment of such a document cannot be told from one that is there
//! already: it is refused with `amendment-unclear`, for a person to look at. One that staff deleted is not made again for the same
//! patient; of one that lay with another patient and is gone, the bus tells no number.
//!
//! What is larger than [`crate::documents::line::MOST_BYTES`] the office's program fetches itself, see
//! [`crate::documents::large`]: the same mark, the same search, the same doubts.
//!
//! **Bounds**: the state has room for about 60 doubts, those of patients included. Without room only the bus remembers the
//! doubt, and the image waits for 31 minutes.

use crate::api::{Api, Error};
use crate::documents::calls::{Bytes, Upload};
use crate::documents::line::{Line, MOST_BYTES, extension};
use crate::documents::mark::{self, Mark};
use crate::documents::row::{DocNum, Document};
use crate::documents::search::{self, Sought};
use crate::documents::{amend, category, large};
use crate::doubt::{Doubt, Patience, SETTLED_AFTER};
use crate::host::{HandedOut, Host};
use crate::office::Office;
use crate::poll::known_clock;
use crate::row::{PatNum, Row};
use archwire_connector::log::Level;
use archwire_connector::{DeliveryAction, Disposition, ImageDelivered, ImageDelivery};
use serde_json::{Map, Value};
use std::time::Duration;

/// An image can wait after a crash for as long as after a lost answer.
const PATIENCE: Patience = Patience {
    after_a_crash: SETTLED_AFTER,
    longest_call: Duration::from_secs(30 * 60),
};

/// How long to wait between two searches for a document that may be about to appear.
const SEARCH_AGAIN: Duration = Duration::from_secs(5);

/// What else is tried again, is tried again after this.
const RETRY_AFTER: Duration = Duration::from_secs(30);

/// What an upload goes without when the office refuses it by name.
const DISPENSABLE: [&str; 3] = ["ToothNumbers", "DateCreated", "ImgType"];

/// How the id begins that an image has which was withdrawn and turned out never to have come: no document has such a one.
const NOT_UPLOADED: &str = "not-uploaded-";

/// Makes the office hold the image, or mark it as withdrawn.
///
/// # Errors
/// When it does not afterwards, or when nobody knows.
pub fn deliver(
    host: &dyn Host,
    office: &Office,
    delivery: &ImageDelivery,
) -> Result<ImageDelivered, Disposition> {
    let record = delivery
        .record
        .as_deref()
        .ok_or_else(|| Disposition::rejected("record-missing"))?;
    let pat_num = PatNum::parse(record).ok_or_else(|| Disposition::rejected("local-id-invalid"))?;
    let sha256 = delivery
        .image
        .sha256
        .as_deref()
        .ok_or_else(|| Disposition::rejected("image-without-bytes"))?;
    let known = match &delivery.local_id {
        Some(local_id) if local_id.starts_with(NOT_UPLOADED) => None,
        Some(local_id) => {
            Some(DocNum::parse(local_id).ok_or_else(|| Disposition::rejected("local-id-invalid"))?)
        }
        None => None,
    };
    let task = Task {
        host,
        office,
        api: Api::new(host, &office.url),
        delivery,
        pat_num,
        sha256,
        known,
        mark: Mark::of(&delivery.image_id, sha256),
    };
    let done = if delivery.retracted {
        task.withdraw()?
    } else {
        Some(task.bring()?)
    };
    host.forget(&task.doubt_key());
    let (local_id, action) = match done {
        Some((doc_num, action)) => (doc_num.to_string(), action),
        None => (
            format!("{NOT_UPLOADED}{}", task.mark.letters()),
            DeliveryAction::Unchanged,
        ),
    };
    Ok(ImageDelivered::new(local_id, action).of_record(pat_num.to_string()))
}

struct Task<'a> {
    host: &'a dyn Host,
    office: &'a Office,
    api: Api<'a>,
    delivery: &'a ImageDelivery,
    pat_num: PatNum,
    sha256: &'a str,
    known: Option<DocNum>,
    mark: Mark,
}

type Done = (DocNum, DeliveryAction);

impl Task<'_> {
    fn bring(&self) -> Result<Done, Disposition> {
        let line = Line::of(&self.delivery.image, &self.mark, known_clock(self.host));
        let doubt = self.remembered_doubt();
        // Before anything can fail: the bus forgets its doubt over an office that cannot be reached.
        let marked = doubt
            .as_ref()
            .is_none_or(|doubt| doubt.keep(self.host, &self.doubt_key()));
        let found = match self.find() {
            Err(disposition) if !marked && !matches!(disposition, Disposition::Rejected(_)) => {
                return Err(Disposition::retry(disposition.reason().code.clone(), RETRY_AFTER));
            }
            found => found?,
        };
        if let Some(row) = found {
            return self.keep(&row, &line);
        }
        if doubt.is_some_and(|doubt| !doubt.is_settled()) {
            return Err(in_doubt(marked));
        }
        let former = self.former()?;
        let doc_num = self.upload(&line)?;
        if let Some(former) = former {
            amend::put_away(self.host, &self.api, &former, self.pat_num)?;
            return Ok((doc_num, DeliveryAction::Updated));
        }
        Ok((doc_num, DeliveryAction::Created))
    }

    /// The document is there: it says what is known of the image, and the one before it says that it is replaced.
    fn keep(&self, row: &Document, line: &Line) -> Result<Done, Disposition> {
        let written = amend::refresh(self.host, &self.api, row, &self.mark, line)?;
        let others = self.known.filter(|known| *known != row.doc_num);
        if let Some(known) = others {
            match self.row(known)? {
                Sought::There(former) => amend::put_away(self.host, &self.api, &former, self.pat_num)?,
                Sought::Gone => {}
                Sought::Unknown => return Err(amend::out_of_sight(known)),
            }
        }
        let action = match (self.known, others, written) {
            (None, ..) => DeliveryAction::Created,
            (_, None, false) => DeliveryAction::Unchanged,
            _ => DeliveryAction::Updated,
        };
        Ok((row.doc_num, action))
    }

    /// The document with the image's former bytes; `None` where there is none yet.
    fn former(&self) -> Result<Option<Document>, Disposition> {
        let Some(known) = self.known else { return Ok(None) };
        match self.row(known)? {
            // Staff merged the record meanwhile, and documents moved along: the bus will hear of it.
            Sought::There(row) if self.mark.is_in(&row.description) && self.is_put_away()? => {
                Err(Disposition::retry("record-put-away", RETRY_AFTER))
            }
            Sought::There(row) if mark::is_marked(&row.description) => Ok(Some(row)),
            Sought::There(_) => Err(Disposition::rejected("amendment-unclear").with_detail(format!(
                "document {known} has lost its mark; whether it has these bytes is not known"
            ))),
            Sought::Unknown => Err(amend::out_of_sight(known)),
            Sought::Gone => Err(Disposition::rejected("document-gone").with_detail(format!(
                "document {known} was deleted in the office and is not made again"
            ))),
        }
    }

    /// Whether the record is archived, as merged ones are.
    fn is_put_away(&self) -> Result<bool, Disposition> {
        let body = self.api.patient(self.pat_num)?.unwrap_or_default();
        let text = str::from_utf8(&body).unwrap_or_default();
        Ok(Row::parse(text).is_some_and(|row| row.is_put_away()))
    }

    /// Marks the document as withdrawn. `None` when it is settled that there is none.
    fn withdraw(&self) -> Result<Option<Done>, Disposition> {
        let found = match self.known {
            Some(known) => Some(known),
            None => self.find()?.map(|row| row.doc_num),
        };
        let doc_num = match (found, self.remembered_doubt()) {
            (Some(doc_num), _) => doc_num,
            (None, Some(doubt)) if !doubt.is_settled() => {
                return Err(in_doubt(doubt.keep(self.host, &self.doubt_key())));
            }
            (None, _) => return Ok(None),
        };
        match amend::withdraw(&self.api, self.office, doc_num, Some(self.pat_num))? {
            true => Ok(Some((doc_num, DeliveryAction::Updated))),
            false => Ok(Some((doc_num, DeliveryAction::Unchanged))),
        }
    }

    fn upload(&self, line: &Line) -> Result<DocNum, Disposition> {
        let (size, sha256) = (self.delivery.image.size, self.sha256);
        let extension =
            extension(&self.delivery.image).ok_or_else(|| Disposition::rejected("no-document-form"))?;
        let mut fields = line.fields();
        if let Some(def_num) = category::def_num(self.host, &self.api, &self.office.image_category)? {
            fields.insert("DocCategory".into(), def_num.into());
        }
        // Handed out until the end of this function, whatever comes of it.
        let handed_out = match size > MOST_BYTES {
            true => Some(large::hand_out(self.host, sha256, extension, size)?),
            false => None,
        };
        let bytes = match &handed_out {
            Some(handed_out) => Bytes::Fetched(handed_out.way()),
            None => Bytes::Sent {
                extension,
                sha256,
                size,
            },
        };
        let mut upload = Upload {
            pat_num: self.pat_num,
            fields,
            bytes,
        };
        loop {
            match self.api.upload(&upload) {
                Ok(doc_num) => return Ok(doc_num),
                Err(error) if error.may_have_arrived() => {
                    if let Some(handed_out) = &handed_out {
                        large::let_it_be_fetched(self.host, handed_out.as_ref());
                    }
                    return self.search_at_once(&error);
                }
                Err(error) => self.give_up(error, &mut upload.fields, handed_out.as_deref())?,
            }
        }
    }

    /// Takes the field out that the office refused by name.
    fn give_up(
        &self,
        error: Error,
        fields: &mut Map<String, Value>,
        handed_out: Option<&dyn HandedOut>,
    ) -> Result<(), Disposition> {
        if let Error::Unauthorized(status) = error {
            // The same key just listed the patient's documents.
            return Err(Disposition::rejected("documents-not-permitted").with_status(status));
        }
        if let Error::Refused { text, .. } = &error
            && let Some(name) = DISPENSABLE.into_iter().find(|name| text.as_str().contains(name))
            && fields.remove(name).is_some()
        {
            self.host.log(Level::Warn, "document-field-refused", &[]);
            return Ok(());
        }
        category::forget(self.host, &error);
        let size = self.delivery.image.size;
        match handed_out.filter(|handed_out| handed_out.taken() < size) {
            Some(_) => Err(large::not_fetched(error)),
            None => Err(error.into()),
        }
    }

    /// The answer to the POST was lost: looks for the document right away.
    fn search_at_once(&self, error: &Error) -> Result<DocNum, Disposition> {
        self.host.log(Level::Warn, "upload-in-doubt", &[]);
        let doubt = Doubt::of_lost_answer(self.host.now_ms());
        if !doubt.keep(self.host, &self.doubt_key()) {
            self.host.log(Level::Warn, "no-room-for-mark", &[]);
        }
        match self.find() {
            Ok(Some(row)) => Ok(row.doc_num),
            Ok(None) => Err(Disposition::retry("upload-in-doubt", SEARCH_AGAIN)),
            // Whatever the search ran into, the doubt comes first.
            Err(_) => Err(Disposition::retry(error.code(), RETRY_AFTER)),
        }
    }

    fn remembered_doubt(&self) -> Option<Doubt> {
        let before_ms = self.delivery.in_doubt_since_ms;
        Doubt::recalled(self.host, &self.doubt_key(), before_ms, PATIENCE)
    }

    fn find(&self) -> Result<Option<Document>, Disposition> {
        search::find(&self.api, self.office, self.pat_num, &self.mark)
    }

    fn row(&self, doc_num: DocNum) -> Result<Sought, Disposition> {
        search::by_number(&self.api, self.office, doc_num, Some(self.pat_num))
    }

    fn doubt_key(&self) -> String {
        format!("uploaded-{}", self.mark.letters())
    }
}

/// It may still arrive. What is not kept is settled by the time since the last attempt alone.
fn in_doubt(is_kept: bool) -> Disposition {
    let again = match is_kept {
        true => SEARCH_AGAIN,
        false => PATIENCE.unkept(),
    };
    Disposition::retry("upload-in-doubt", again)
}

#[cfg(test)]
mod tests;
