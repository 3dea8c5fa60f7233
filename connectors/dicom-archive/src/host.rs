//! What the flows need from around them: a way to the archive, the bytes of images, a clock and a log. The real one is the
//! host's; tests put a double in its place.

use archwire_connector::http::{Error, Incoming, Request, Response};
use archwire_connector::log::Level;
use archwire_connector::{Disposition, images, log};
use std::io::{Read, Write};
use std::time::SystemTime;

/// Everything outside of the connector.
pub trait Host {
    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// When there is no complete answer.
    fn send(&self, request: &Request) -> Result<Response, Error>;

    /// Sends a request; the answer is read as it comes.
    ///
    /// # Errors
    /// When there is no answer.
    fn open(&self, request: &Request) -> Result<Incoming, Error>;

    /// The bytes of the image of this delivery.
    ///
    /// # Errors
    /// When they are not to be had.
    fn image(&self, sha256: &str) -> Result<Box<dyn Read>, Disposition>;

    /// Where the bytes of an image that the archive shows go.
    ///
    /// # Errors
    /// When the broker takes none.
    fn sink(&self, purpose: Purpose) -> Result<Box<dyn Sink>, Disposition>;

    /// Milliseconds since 1970 UTC.
    fn now_ms(&self) -> u64;

    /// Tells the administrator: a fixed word and numbers, never a patient.
    fn log(&self, level: Level, event: &'static str, numbers: &[(&'static str, i64)]);
}

/// What becomes of the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// They are stored, to be told in the page.
    Keep,
    /// Only their digest is wanted.
    Measure,
}

/// Takes the bytes of an image.
pub trait Sink: Write {
    /// That was all. The SHA-256, 64 lower-case hexadecimal digits.
    ///
    /// # Errors
    /// When they were not stored.
    fn finish(self: Box<Self>) -> Result<String, images::Error>;
}

impl Sink for images::Upload {
    fn finish(self: Box<Self>) -> Result<String, images::Error> {
        images::Upload::finish(*self)
    }
}

/// The host that runs the component.
#[derive(Debug)]
pub struct Broker;

impl Host for Broker {
    fn send(&self, request: &Request) -> Result<Response, Error> {
        request.send()
    }

    fn open(&self, request: &Request) -> Result<Incoming, Error> {
        request.open()
    }

    fn image(&self, sha256: &str) -> Result<Box<dyn Read>, Disposition> {
        Ok(Box::new(images::open(sha256)?))
    }

    fn sink(&self, purpose: Purpose) -> Result<Box<dyn Sink>, Disposition> {
        Ok(Box::new(match purpose {
            Purpose::Keep => images::create()?,
            Purpose::Measure => images::measure()?,
        }))
    }

    fn now_ms(&self) -> u64 {
        let since = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn log(&self, level: Level, event: &'static str, numbers: &[(&'static str, i64)]) {
        log::write(level, event, numbers);
    }
}

#[cfg(test)]
pub(crate) mod double;
