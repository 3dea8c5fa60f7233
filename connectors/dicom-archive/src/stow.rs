//! What a server says to a file that was sent to it by STOW-RS (DICOM PS3.18, 10.5.3), and what follows.

use crate::json::{Dataset, tag};
use archwire_connector::Disposition;
use archwire_connector::http::Response;
use std::time::Duration;

/// How long an archive without room, or one that failed, is left alone before the next try.
const AGAIN: Duration = Duration::from_secs(60);

/// The archive has the file, though perhaps not for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// It took it, with a warning where it changed or missed something.
    Taken {
        /// WarningReason (0008,1196).
        warning: Option<u32>,
    },
    /// It says that it had an instance with this identifier before, and kept that.
    HadOne,
}

/// Reads the answer to one file.
///
/// # Errors
/// Why the archive did not take it. 202 and 409 say for each file what became of it; one file was sent.
pub fn read(response: Response) -> Result<Stored, Disposition> {
    match response.status {
        200..=299 | 409 | 400 => {}
        _ => return Err(refusal(response)),
    }
    let answer: Dataset = response.json().unwrap_or_default();
    if let Some(failed) = answer.items(tag::FAILED_SOP_SEQUENCE).first() {
        return reason(failed.number(tag::FAILURE_REASON), &response);
    }
    match response.status {
        200..=299 => {
            let stored = answer.items(tag::REFERENCED_SOP_SEQUENCE);
            // What neither failed nor was stored: Orthanc says so of a file that it could not write to its disk.
            if stored.is_empty() && answer.has(tag::REFERENCED_SOP_SEQUENCE) {
                return Err(Disposition::retry("archive-stored-nothing", AGAIN).with_status(response.status));
            }
            let warning = stored.first().and_then(|item| item.number(tag::WARNING_REASON));
            Ok(Stored::Taken { warning })
        }
        _ => Err(refused("refused", &response)),
    }
}

fn refusal(response: Response) -> Disposition {
    let status = response.status;
    match status {
        413 => refused("too-large-for-archive", &response),
        // Insufficient storage.
        507 => Disposition::retry("archive-full", AGAIN).with_status(status),
        _ => match response.success() {
            Err(disposition) => disposition,
            Ok(_) => Disposition::rejected("refused").with_status(status),
        },
    }
}

/// FailureReason (0008,1197): the status codes of the DIMSE service (PS3.4, table B.2-1; PS3.18, table 10.5.3-3).
fn reason(code: Option<u32>, response: &Response) -> Result<Stored, Disposition> {
    let word = match code {
        Some(0x0111) => return Ok(Stored::HadOne),
        Some(0xA700..=0xA7FF) => return Err(Disposition::retry("archive-full", AGAIN)),
        Some(0x0110) => return Err(Disposition::retry("archive-failed", AGAIN)),
        Some(0x0124) => return Err(Disposition::unauthorized("storing-not-allowed")),
        Some(0x0122) => "sop-class-not-supported",
        Some(0xC122) => "transfer-syntax-not-supported",
        Some(0xA900..=0xA9FF) => "data-set-does-not-fit",
        Some(0xC000..=0xCFFF) => "data-set-not-understood",
        _ => "refused",
    };
    Err(refused(word, response))
}

fn refused(code: &'static str, response: &Response) -> Disposition {
    Disposition::rejected(code)
        .with_status(response.status)
        .with_detail(String::from_utf8_lossy(&response.body))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Result<Stored, Disposition> {
        read(Response {
            status,
            headers: Vec::new(),
            body: body.as_bytes().to_vec(),
        })
    }

    fn told(status: u16, body: &str) -> (&'static str, String) {
        let disposition = answer(status, body).unwrap_err();
        let name = match &disposition {
            Disposition::Rejected(_) => "rejected",
            Disposition::Retry(_) => "retry",
            Disposition::Throttled(_) => "throttled",
            Disposition::Unavailable(_) => "unavailable",
            Disposition::Unauthorized(_) => "unauthorized",
        };
        (name, disposition.reason().code.clone())
    }

    fn failed(code: u32) -> String {
        format!(r#"{{"00081198":{{"vr":"SQ","Value":[{{"00081197":{{"vr":"US","Value":[{code}]}}}}]}}}}"#)
    }

    #[test]
    fn what_was_stored_may_come_with_a_warning() {
        let stored = |item: &str| format!(r#"{{"00081199":{{"Value":[{{{item}}}]}}}}"#);
        assert_eq!(answer(200, &stored("")), Ok(Stored::Taken { warning: None }));
        let coerced = stored(r#""00081196":{"Value":[45056]}"#);
        assert_eq!(
            answer(202, &coerced),
            Ok(Stored::Taken {
                warning: Some(0xB000)
            })
        );
        let nothing = r#"{"00081198":{"vr":"SQ"},"00081199":{"vr":"SQ"}}"#;
        assert_eq!(told(200, nothing), ("retry", "archive-stored-nothing".to_owned()));
        // An answer in XML, say: the file is read back anyhow.
        assert_eq!(answer(200, "<xml/>"), Ok(Stored::Taken { warning: None }));
    }

    #[test]
    fn a_failure_that_may_pass_is_tried_again_and_the_others_wait_for_a_person() {
        for (code, said) in [
            (0xA700, ("retry", "archive-full")),
            (0x0110, ("retry", "archive-failed")),
            (0x0124, ("unauthorized", "storing-not-allowed")),
            (0x0122, ("rejected", "sop-class-not-supported")),
            (0xC122, ("rejected", "transfer-syntax-not-supported")),
            (0xA900, ("rejected", "data-set-does-not-fit")),
            (0xC001, ("rejected", "data-set-not-understood")),
            (0x9999, ("rejected", "refused")),
        ] {
            for status in [202, 409] {
                let (name, word) = told(status, &failed(code));
                assert_eq!((name, word.as_str()), said, "{code:04X}");
            }
        }
        assert_eq!(answer(409, &failed(0x0111)), Ok(Stored::HadOne));
    }

    #[test]
    fn refusals_of_the_whole_message_are_told_apart() {
        let nothing = r#"{"00081198":{"vr":"SQ"},"00081199":{"vr":"SQ"}}"#;
        for (status, said) in [
            (400, ("rejected", "refused")),
            (401, ("unauthorized", "credentials-refused")),
            (403, ("unauthorized", "credentials-refused")),
            (409, ("rejected", "refused")),
            (413, ("rejected", "too-large-for-archive")),
            (415, ("rejected", "refused")),
            (503, ("retry", "system-failed")),
            (507, ("retry", "archive-full")),
        ] {
            let (name, word) = told(status, nothing);
            assert_eq!((name, word.as_str()), said, "{status}");
        }
    }
}
