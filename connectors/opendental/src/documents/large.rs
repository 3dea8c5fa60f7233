//! What is too large for a request: the office's program fetches it by SFTP (Open Dental API, Documents POST UploadSftp).
//!
//! It wants address, user and password in the request's body. The broker hands the one image out, for as long as the call
//! lasts, with a user and a password that it made for it. So the administrator's own secrets stay unknown here, and nothing
//! has to be put on a server.
//!
//! The API answers 504 after 60 s, and the office may well be fetching still. So the image stays handed out while bytes are
//! taken, until none was for [`PAUSE`]: also when all were, because the last ones are on their way then, and an office may read
//! some of them twice.
//!
//! An office that does not get there says so with a refusal, like one that does not want what it was sent. As long as it did
//! not have the whole image, it is tried again.

use crate::api::Error;
use crate::documents::line::MOST_BYTES;
use crate::host::{HandedOut, Host};
use archwire_connector::Disposition;
use archwire_connector::images::OfferError;
use std::time::Duration;

/// Without a byte for that long, the office fetches no more.
const PAUSE: Duration = Duration::from_secs(10);

/// When to let the office try again that could not fetch it.
const FETCH_AGAIN: Duration = Duration::from_secs(30);

/// Hands the image out to the office's program.
///
/// # Errors
/// `document-too-large`, with what the administrator has to set, where images are not handed out.
pub fn hand_out(
    host: &dyn Host,
    sha256: &str,
    extension: &str,
    size: u64,
) -> Result<Box<dyn HandedOut>, Disposition> {
    host.hand_out(sha256, extension).map_err(|error| {
        let setting = match error {
            OfferError::NotConfigured => "set [images.sftp], and hand-out-images = true for this system",
            OfferError::NotGranted => "set hand-out-images = true for this system",
            other => return other.into(),
        };
        Disposition::rejected("document-too-large").with_detail(format!(
            "the image has {size} bytes; the API takes {MOST_BYTES} in a request, and larger ones are fetched by SFTP from \
             the broker when the administrator wants it: {setting}"
        ))
    })
}

/// Waits while the office goes on fetching although the API gave up.
pub fn let_it_be_fetched(host: &dyn Host, handed_out: &dyn HandedOut) {
    loop {
        let before = handed_out.taken();
        host.wait(PAUSE);
        if handed_out.taken() == before {
            return;
        }
    }
}

/// What a refusal means of an image that the office does not have all of: the way to it may be better later.
#[must_use]
pub fn not_fetched(error: Error) -> Disposition {
    match error {
        Error::Refused { status: 400, text } => Disposition::retry("document-not-fetched", FETCH_AGAIN)
            .with_status(400)
            .with_detail(text),
        other => other.into(),
    }
}
