//! What is too large for a request: the office's program fetches it by SFTP (Open Dental API, Documents POST UploadSftp).
//!
//! It wants address, user and password in the request's body. The broker hands the one image out, for as long as the call
//! lasts, with a user and a password that it made for it. So the administrator's own secrets stay unknown here, and nothing
//! has to be put on a server.
//!
//! The API answers 504 after 60 s, and the office may well be fetching still. So the image stays handed out while bytes are
//! taken, until nothing was for [`PAUSE`] or all were.

use crate::documents::line::MOST_BYTES;
use crate::host::{HandedOut, Host};
use archwire_connector::Disposition;
use archwire_connector::images::OfferError;
use std::time::Duration;

/// Without a byte for that long, the office fetches no more.
const PAUSE: Duration = Duration::from_secs(10);

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
pub fn let_it_be_fetched(host: &dyn Host, handed_out: &dyn HandedOut, size: u64) {
    loop {
        let before = handed_out.taken();
        if before >= size {
            return;
        }
        host.wait(PAUSE);
        if handed_out.taken() == before {
            return;
        }
    }
}
