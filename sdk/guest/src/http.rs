//! A blocking HTTP client over `wasi:http`, with JSON.
//!
//! ```no_run
//! use archwire_connector::{Disposition, http::Request};
//! use std::time::Duration;
//!
//! fn rename(url: &str, id: &str, name: &str) -> Result<u16, Disposition> {
//!     let response = Request::put(format!("{url}/patients/{id}"))
//!         .json(&serde_json::json!({ "name": name }))
//!         .timeout(Duration::from_secs(20))
//!         .send()?
//!         .success()?;
//!     Ok(response.status)
//! }
//! ```
//!
//! The host decides which hosts, methods and paths may be reached, sets `Host` and the header with the secrets, holds
//! the pace, and never follows a redirect: a 3xx is an answer like any other. Both [`Error`] and a refusing answer turn
//! into the usual [`Disposition`](crate::Disposition) with `?`; match on them where the system deserves something better.
//!
//! What is too large for memory goes in parts ([`Request::body_from`]) and comes as a stream ([`Request::open`]).
//!
//! Bounds: a request takes at most [`Request::DEFAULT_TIMEOUT`] from the first byte out to the last byte in, and an
//! answer has at most [`Request::DEFAULT_LIMIT`] bytes; both can be changed per request. With a body in parts or an answer
//! as a stream, the time is that without a byte moved. The host has bounds of its own: 16 MiB for a body either way, but in
//! calls for images as much more as the largest image.

mod body;
mod error;
mod response;
mod url;
mod wire;

pub use body::{Body, Incoming, Part};
pub use error::Error;
pub use response::Response;
pub use url::encode;

use serde::Serialize;
use std::time::Duration;

/// What is done to a resource. Methods that a vendor's API for patients has no use for are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Read.
    Get,
    /// Read the headers only.
    Head,
    /// Make, or whatever else a POST means to the vendor. Not safe to repeat.
    Post,
    /// Replace.
    Put,
    /// Change in part.
    Patch,
    /// Remove.
    Delete,
}

impl Method {
    /// As on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// A request on its way out.
#[derive(Clone)]
pub struct Request {
    method: Method,
    url: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    parts: Vec<Part>,
    timeout: Duration,
    limit: usize,
    malformed: bool,
}

impl Request {
    /// From the first byte out to the last byte in.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
    /// Most bytes of an answer.
    pub const DEFAULT_LIMIT: usize = 16 * 1024 * 1024;

    /// A request to an absolute URL with scheme `http` or `https`.
    #[must_use]
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Self {
            method,
            url: url.into(),
            headers: Vec::new(),
            body: Vec::new(),
            parts: Vec::new(),
            timeout: Self::DEFAULT_TIMEOUT,
            limit: Self::DEFAULT_LIMIT,
            malformed: false,
        }
    }

    /// GET.
    #[must_use]
    pub fn get(url: impl Into<String>) -> Self {
        Self::new(Method::Get, url)
    }

    /// POST.
    #[must_use]
    pub fn post(url: impl Into<String>) -> Self {
        Self::new(Method::Post, url)
    }

    /// PUT.
    #[must_use]
    pub fn put(url: impl Into<String>) -> Self {
        Self::new(Method::Put, url)
    }

    /// PATCH.
    #[must_use]
    pub fn patch(url: impl Into<String>) -> Self {
        Self::new(Method::Patch, url)
    }

    /// DELETE.
    #[must_use]
    pub fn delete(url: impl Into<String>) -> Self {
        Self::new(Method::Delete, url)
    }

    /// Adds `name=value` to the query, percent-encoded.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.url.push(if self.url.contains('?') { '&' } else { '?' });
        self.url.push_str(&encode(name));
        self.url.push('=');
        self.url.push_str(&encode(value));
        self
    }

    /// Adds a header. `Host`, and the header in which the host sends the secrets, are the host's own.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sends bytes.
    #[must_use]
    pub fn bytes(mut self, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header_once("Content-Type", media_type)
    }

    /// Sends a value as JSON.
    #[must_use]
    pub fn json<T: Serialize>(mut self, value: &T) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => self.body = body,
            Err(_) => self.malformed = true,
        }
        self.header_once("Content-Type", "application/json")
    }

    /// Sends several parts one after the other, images among them, without holding them in memory. The length of all is told
    /// beforehand.
    ///
    /// ```no_run
    /// use archwire_connector::{Disposition, Image, http::{Part, Request}};
    ///
    /// fn store(url: &str, image: &Image) -> Result<(), Disposition> {
    ///     let sha256 = image.sha256.clone().unwrap_or_default();
    ///     let parts = [
    ///         Part::from("--edge\r\nContent-Type: application/dicom\r\n\r\n"),
    ///         Part::image(sha256, image.size),
    ///         Part::from("\r\n--edge--\r\n"),
    ///     ];
    ///     let media_type = "multipart/related; type=\"application/dicom\"; boundary=edge";
    ///     Request::post(format!("{url}/studies")).body_from(media_type, parts).send()?.success()?;
    ///     Ok(())
    /// }
    /// ```
    #[must_use]
    pub fn body_from(mut self, media_type: &str, parts: impl IntoIterator<Item = Part>) -> Self {
        self.parts = parts.into_iter().collect();
        self.header_once("Content-Type", media_type)
    }

    /// Gives up after this time, from the first byte out to the last byte in; with [`Self::body_from`] or [`Self::open`], when no
    /// byte moved for this time.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Takes at most this many bytes as an answer.
    #[must_use]
    pub fn limit(mut self, bytes: usize) -> Self {
        self.limit = bytes;
        self
    }

    /// Sends the request and reads the whole answer, whatever its status.
    ///
    /// # Errors
    /// When there is no complete answer.
    pub fn send(&self) -> Result<Response, Error> {
        if self.malformed {
            return Err(Error::InvalidRequest);
        }
        wire::exchange(self)
    }

    /// Sends the request and comes back with the beginning of the answer, whatever its status.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn open(&self) -> Result<Incoming, Error> {
        if self.malformed {
            return Err(Error::InvalidRequest);
        }
        wire::open(self)
    }

    /// What is done.
    #[must_use]
    pub fn method(&self) -> Method {
        self.method
    }

    /// To what, query included.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The headers so far.
    #[must_use]
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// What is sent, unless it is sent in parts.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// What is sent after that, part by part.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Bytes on the wire.
    fn length(&self) -> u64 {
        let body = u64::try_from(self.body.len()).unwrap_or(u64::MAX);
        self.parts
            .iter()
            .map(Part::length)
            .fold(body, u64::saturating_add)
    }

    fn header_once(self, name: &str, value: &str) -> Self {
        let present = self
            .headers
            .iter()
            .any(|(present, _)| present.eq_ignore_ascii_case(name));
        if present { self } else { self.header(name, value) }
    }
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = headers
        .iter()
        .find(|(present, _)| present.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_values_are_encoded_and_joined() {
        let request = Request::get("http://localhost/patients/Simple")
            .query("DateTStamp", "2026-03-08 01:59:59")
            .query("LName", "O'Neil & Söhne");
        assert_eq!(
            request.url(),
            "http://localhost/patients/Simple?DateTStamp=2026-03-08%2001%3A59%3A59&LName=O%27Neil%20%26%20S%C3%B6hne"
        );
    }

    #[test]
    fn json_sets_the_content_type_once() {
        let request = Request::put("http://localhost")
            .header("content-type", "application/fhir+json")
            .json(&1);
        assert_eq!(request.headers().len(), 1);
        assert_eq!(request.body(), b"1");
    }

    #[test]
    fn a_value_that_has_no_json_is_refused_before_anything_is_sent() {
        let unwritable = std::collections::BTreeMap::from([(vec![1], 1)]);
        assert_eq!(
            Request::put("http://localhost").json(&unwritable).send(),
            Err(Error::InvalidRequest)
        );
    }
}
