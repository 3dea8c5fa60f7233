//! An answer that is read to its end, and what most systems mean by its status.

use super::{Error, header};
use crate::exchange::Disposition;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// An answer, read to its end.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Names in lower case. A value that is not UTF-8 has replacement characters.
    pub headers: Vec<(String, String)>,
    /// The bytes as they came.
    pub body: Vec<u8>,
}

impl Response {
    /// How long a throttled call waits where the system does not say.
    pub const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(5);

    /// The first value of a header; any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// `Retry-After` in seconds. `None` where there is none or it is a date.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.header("retry-after")?
            .trim()
            .parse()
            .ok()
            .map(Duration::from_secs)
    }

    /// Reads the body as JSON.
    ///
    /// # Errors
    /// [`Error::Unreadable`] with the place, never with the content.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|error| Error::Unreadable {
            line: error.line(),
            column: error.column(),
        })
    }

    /// The answer itself when its status is 2xx.
    ///
    /// # Errors
    /// What most systems mean by the other statuses: 401 and 403 are `unauthorized`, 429 and a 503 with `Retry-After`
    /// are `throttled`, other 5xx `retry` after 30 s, and the rest `rejected` with the body as detail.
    pub fn success(self) -> Result<Self, Disposition> {
        let disposition = match (self.status, self.retry_after()) {
            (200..=299, _) => return Ok(self),
            (401 | 403, _) => Disposition::unauthorized("credentials-refused"),
            (429, after) => Disposition::throttled("throttled", after.unwrap_or(Self::DEFAULT_RETRY_AFTER)),
            (503, Some(after)) => Disposition::throttled("throttled", after),
            (500..=599, _) => Disposition::retry("system-failed", Duration::from_secs(30)),
            _ => Disposition::rejected("refused"),
        };
        Err(disposition
            .with_status(self.status)
            .with_detail(String::from_utf8_lossy(&self.body)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Response {
            status,
            headers,
            body: body.as_bytes().to_vec(),
        }
    }

    #[test]
    fn statuses_become_the_dispositions_that_most_systems_mean() {
        let disposition = |response: Response| response.success().unwrap_err();
        assert!(answer(201, &[], "").success().is_ok());
        assert!(matches!(
            disposition(answer(401, &[], "")),
            Disposition::Unauthorized(_)
        ));
        assert!(matches!(disposition(answer(502, &[], "")), Disposition::Retry(_)));
        assert!(matches!(
            disposition(answer(404, &[], "")),
            Disposition::Rejected(_)
        ));
        let Disposition::Throttled(later) = disposition(answer(429, &[("retry-after", "7")], "")) else {
            panic!("429 is throttling")
        };
        assert_eq!(later.after_ms, 7_000);
    }

    #[test]
    fn an_unreadable_answer_tells_the_place_and_not_the_content() {
        let error = answer(200, &[], "{\n \"LName\": \"Lovelace\" \"}")
            .json::<Vec<u8>>()
            .unwrap_err();
        assert!(!error.to_string().contains("Lovelace"));
        assert!(matches!(error, Error::Unreadable { .. }));
    }
}
