//! The calls to the API, and what its answers mean: the only place that looks at a status or an error text.
//!
//! An error's body is one bare JSON string, and the status alone does not tell what went wrong: an office whose
//! eConnector is down answers 400 like a bad request, and so does a key that is not assigned (Open Dental API,
//! Implementation; seen live). A request takes at most [`TIMEOUT`]; the API itself gives up after 60 s with 504.

use crate::host::Host;
use crate::links::{self, Answer, Link};
use crate::map::FieldSet;
use crate::row::{PatNum, Word};
use archwire_connector::Disposition;
use archwire_connector::http::{Error as HttpError, Incoming, Method, Request, Response};
use serde::Deserialize;
use serde_json::json;
use std::fmt;
use std::time::Duration;

/// Longest time for one request.
pub const TIMEOUT: Duration = Duration::from_secs(45);

/// When a call that failed on the office's side may be tried again.
const RETRY_AFTER: Duration = Duration::from_secs(30);

/// Most bytes of a refusal where an answer is read as it comes.
const LONGEST_REFUSAL: usize = 64 * 1024;

/// The office's words. They may quote the request, so they do not print themselves.
#[derive(Clone, PartialEq, Eq)]
pub struct Words(String);

impl Words {
    /// The words, for whoever may see a patient's data.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl From<Words> for String {
    fn from(words: Words) -> Self {
        words.0
    }
}

/// Why a call did not give what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no complete answer.
    #[error("the API did not answer")]
    Http(#[source] HttpError),
    /// The office's eConnector is not running, so that the vendor's servers cannot reach the office.
    #[error("the office's eConnector is not running")]
    OfficeOffline(u16),
    /// The keys are not accepted for this call.
    #[error("the API does not accept the keys")]
    Unauthorized(u16),
    /// Too many requests.
    #[error("the API asks for fewer requests")]
    Throttled(Duration),
    /// The office or the way to it failed. What was asked may have been done.
    #[error("the office failed while it answered")]
    Failed(u16),
    /// There is no such record.
    #[error("there is no such record")]
    NotFound(Words),
    /// The request is not one that the office accepts.
    #[error("the office refused the request")]
    Refused {
        /// HTTP status.
        status: u16,
        /// The office's words.
        text: Words,
    },
    /// The answer says success and is not what was expected. What was asked was done.
    #[error("the answer is not of the expected shape")]
    Unreadable,
    /// The answer says success and is of another kind than documented.
    #[error("the answer is not of the documented kind")]
    Strange,
}

impl Error {
    /// Stable and greppable.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Http(error) => error.code(),
            Self::OfficeOffline(_) => "econnector-down",
            Self::Unauthorized(_) => "key-refused",
            Self::Throttled(_) => "throttled",
            Self::Failed(_) => "office-failed",
            Self::NotFound(_) => "record-gone",
            Self::Refused { .. } => "refused",
            Self::Unreadable => "unreadable-answer",
            Self::Strange => "strange-answer",
        }
    }

    /// The same without a word that nobody is to read: the office may quote what it was sent.
    #[must_use]
    pub fn without(self, word: &str) -> Self {
        let strip = |text: Words| Words(text.0.replace(word, "[redacted]"));
        match self {
            Self::NotFound(text) => Self::NotFound(strip(text)),
            Self::Refused { status, text } => Self::Refused {
                status,
                text: strip(text),
            },
            other => other,
        }
    }

    /// Whether the same request will be refused until the administrator or the office changes something.
    #[must_use]
    pub fn is_lasting(&self) -> bool {
        matches!(
            self,
            Self::Http(HttpError::Denied)
                | Self::Unauthorized(_)
                | Self::NotFound(_)
                | Self::Refused { .. }
                | Self::Strange
        )
    }

    /// Whether the office may have done what it was asked to.
    #[must_use]
    pub fn may_have_arrived(&self) -> bool {
        match self {
            Self::Http(error) => error.may_have_arrived(),
            Self::Failed(_) | Self::Unreadable | Self::Strange => true,
            Self::OfficeOffline(_)
            | Self::Unauthorized(_)
            | Self::Throttled(_)
            | Self::NotFound(_)
            | Self::Refused { .. } => false,
        }
    }
}

impl From<Error> for Disposition {
    fn from(error: Error) -> Self {
        let code = error.code();
        match error {
            Error::Http(error) => error.into(),
            Error::OfficeOffline(status) => Self::unavailable(code).with_status(status),
            Error::Unauthorized(status) => Self::unauthorized(code).with_status(status),
            Error::Throttled(after) => Self::throttled(code, after).with_status(429),
            Error::Failed(status) => Self::retry(code, RETRY_AFTER).with_status(status),
            Error::NotFound(text) => Self::rejected(code).with_status(404).with_detail(text),
            Error::Refused { status, text } => Self::rejected(code).with_status(status).with_detail(text),
            Error::Unreadable | Error::Strange => Self::retry(code, RETRY_AFTER),
        }
    }
}

/// The API of one office.
pub struct Api<'a> {
    host: &'a dyn Host,
    url: &'a str,
}

impl<'a> Api<'a> {
    /// The API at a root: `http://localhost:30223/api/v1`.
    #[must_use]
    pub fn new(host: &'a dyn Host, url: &'a str) -> Self {
        Self { host, url }
    }

    /// GET `/patients/Simple`: a JSON list of whole rows.
    ///
    /// # Errors
    /// When there is no such list.
    pub fn simple(&self, filters: &[(&str, String)]) -> Result<Vec<u8>, Error> {
        let request = self.request(Method::Get, "/patients/Simple");
        let request = filters
            .iter()
            .fold(request, |request, (name, value)| request.query(name, value));
        Ok(self.call(&request)?.body)
    }

    /// GET `/patients/{PatNum}`: one row; `None` when there is no such patient.
    ///
    /// # Errors
    /// When the office did not answer that.
    pub fn patient(&self, pat_num: PatNum) -> Result<Option<Vec<u8>>, Error> {
        match self.call(&self.request(Method::Get, &format!("/patients/{pat_num}"))) {
            Ok(response) => Ok(Some(response.body)),
            Err(Error::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// POST `/patients`: the new record's key.
    ///
    /// # Errors
    /// When no record was made, or when nobody knows: [`Error::may_have_arrived`].
    pub fn create(&self, fields: &FieldSet) -> Result<PatNum, Error> {
        let request = self.request(Method::Post, "/patients").json(&fields.body());
        let response = self.call(&request)?;
        created(&response).ok_or(Error::Unreadable)
    }

    /// PUT `/patients/{PatNum}`: changes the given fields and no others. The answer is the record (Open Dental API, Patients):
    /// a success that shows anything else is not the API's, but that of something in between.
    ///
    /// # Errors
    /// When the record does not hold them, or when nobody knows.
    pub fn update(&self, pat_num: PatNum, fields: &FieldSet) -> Result<(), Error> {
        let request = self
            .request(Method::Put, &format!("/patients/{pat_num}"))
            .json(&fields.body());
        let response = self.call(&request)?;
        match shown(&response) {
            Some(shown) if shown == pat_num => Ok(()),
            _ => Err(Error::Unreadable),
        }
    }

    /// PUT `/queries/ShortQuery`: links of merged records, from the row `offset`, and how many rows there were.
    ///
    /// # Errors
    /// When there is no such list.
    pub fn links(&self, sql: &str, offset: usize) -> Result<(Vec<Link>, usize), Error> {
        let request = self.request(Method::Put, "/queries/ShortQuery");
        let request = if offset == 0 {
            request
        } else {
            request.query("Offset", &offset.to_string())
        };
        let response = self.call(&request.json(&json!({ "SqlCommand": sql })))?;
        match links::read(&response.body) {
            Answer::Rows(links, count) => Ok((links, count)),
            Answer::Strange => Err(Error::Strange),
            Answer::Broken => Err(Error::Unreadable),
        }
    }

    /// The API wants the content type on every request, GET included. The keys are the host's business.
    pub(crate) fn request(&self, method: Method, path: &str) -> Request {
        Request::new(method, format!("{}{path}", self.url))
            .header("Content-Type", "application/json")
            .timeout(TIMEOUT)
    }

    /// The beginning of an answer that is too large to be held.
    pub(crate) fn open(&self, request: &Request) -> Result<Incoming, Error> {
        let answer = self.host.open(request).map_err(Error::Http)?;
        if (200..=299).contains(&answer.status) {
            return Ok(answer);
        }
        let refusal = answer.whole(LONGEST_REFUSAL).map_err(Error::Http)?;
        Err(classify(&refusal))
    }

    pub(crate) fn call(&self, request: &Request) -> Result<Response, Error> {
        let response = self.host.send(request).map_err(Error::Http)?;
        if (200..=299).contains(&response.status) {
            Ok(response)
        } else {
            Err(classify(&response))
        }
    }
}

/// The key of the record that an answer is.
fn shown(response: &Response) -> Option<PatNum> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Shown {
        pat_num: Word,
    }
    let shown = response.json::<Shown>().ok()?;
    PatNum::parse(shown.pat_num.text())
}

/// The key in the answer to a POST: in the object, else at the end of `location`.
fn created(response: &Response) -> Option<PatNum> {
    let location = || {
        PatNum::parse(
            response
                .header("location")?
                .trim_end_matches('/')
                .rsplit('/')
                .next()?,
        )
    };
    shown(response).or_else(location)
}

/// What an answer other than success means. The text weighs more than the status.
fn classify(response: &Response) -> Error {
    let status = response.status;
    let text = error_text(&response.body);
    let says = |words: &str| text.as_str().to_ascii_lowercase().contains(words);
    match status {
        429 => Error::Throttled(response.retry_after().unwrap_or(Response::DEFAULT_RETRY_AFTER)),
        _ if says("econnector") => Error::OfficeOffline(status),
        401 => Error::Unauthorized(status),
        _ if says("api key has not been assigned") => Error::Unauthorized(status),
        404 => Error::NotFound(text),
        400 if says("patient not found") => Error::NotFound(text),
        400 if says("timed out") || says("timeout") => Error::Failed(status),
        408 | 500..=599 => Error::Failed(status),
        _ => Error::Refused { status, text },
    }
}

/// The office's words: the raw body first, and the string in it when it is a JSON string.
fn error_text(body: &[u8]) -> Words {
    let raw = String::from_utf8_lossy(body);
    Words(serde_json::from_str(&raw).unwrap_or_else(|_| raw.trim().to_owned()))
}

#[cfg(test)]
mod tests;
