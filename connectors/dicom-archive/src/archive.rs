//! The archive: what it is asked, and what its answers mean (DICOM PS3.18, chapter 10).
//!
//! Answers of QIDO-RS are read whole, at most 16 MiB; files stream. What names a patient is sought by value and compared once
//! more here: in QIDO-RS `*` and `?` in a value mean something else.

use crate::config::Config;
use crate::host::Host;
use crate::json::{Dataset, tag};
use crate::multipart::{Frame, Part, boundary};
use crate::stow::{self, Stored};
use crate::uid::Uid;
use archwire_connector::Disposition;
use archwire_connector::http::{self, Incoming, Method, Request, Response};
use serde_json::value::RawValue;
use std::cell::Cell;
use std::io::Read;
use std::time::Duration;

/// Studies or images that are asked for at a time.
pub const PAGE: usize = 100;
/// DICOM in JSON.
const JSON: &str = "application/dicom+json";
/// A file as it is stored, whatever its transfer syntax: without that, servers decompress (PS3.18, 8.7.3.5.2).
const AS_STORED: &str = r#"multipart/related; type="application/dicom"; transfer-syntax=*"#;
/// Without a byte moved.
const PATIENCE: Duration = Duration::from_secs(60);

/// One archive, for one call.
pub struct Archive<'a> {
    pub(crate) host: &'a dyn Host,
    pub(crate) config: &'a Config,
    asked: Cell<u32>,
}

/// A study as QIDO-RS shows it, and its bytes.
pub struct Study {
    /// What it says.
    pub data: Dataset,
    /// The same verbatim.
    pub json: Vec<u8>,
}

/// A file that was asked for.
pub enum File {
    /// Its bytes.
    There(Box<dyn Read>),
    /// The archive does not have it any more.
    Gone,
    /// This is no archive that gives files out so, or it may not be asked.
    Denied,
}

/// By what an image is fetched.
#[derive(Clone, PartialEq, Eq)]
pub struct Place {
    /// StudyInstanceUID.
    pub study: Uid,
    /// SeriesInstanceUID.
    pub series: Uid,
    /// SOPInstanceUID.
    pub instance: Uid,
}

impl Place {
    /// Of an image as QIDO-RS shows it.
    #[must_use]
    pub fn of(image: &Dataset) -> Option<Self> {
        Some(Self {
            study: image.uid(tag::STUDY_INSTANCE_UID)?,
            series: image.uid(tag::SERIES_INSTANCE_UID)?,
            instance: image.uid(tag::SOP_INSTANCE_UID)?,
        })
    }
}

impl<'a> Archive<'a> {
    /// The archive of this call.
    #[must_use]
    pub fn new(host: &'a dyn Host, config: &'a Config) -> Self {
        Self {
            host,
            config,
            asked: Cell::new(0),
        }
    }

    /// How many requests this call has sent. The host allows 256.
    #[must_use]
    pub fn asked(&self) -> u32 {
        self.asked.get()
    }

    /// Asks something that does no harm when it is asked twice. Once more where the connection closes: archives keep a quiet one for no more than a
    /// second, and may close it just when the next question is on its way.
    fn ask<T>(&self, question: impl Fn() -> Result<T, http::Error>) -> Result<T, http::Error> {
        self.asked.set(self.asked.get() + 1);
        match question() {
            Err(http::Error::Closed) => {
                self.asked.set(self.asked.get() + 1);
                question()
            }
            answer => answer,
        }
    }

    /// Studies with these attributes, a page of them.
    ///
    /// # Errors
    /// When the archive does not tell.
    pub fn studies(&self, filters: &[(&str, &str)], offset: usize) -> Result<Vec<Study>, Disposition> {
        let mut request = self
            .query("/studies", offset)
            .query("includefield", tag::ISSUER_OF_PATIENT_ID)
            .query("includefield", tag::NUMBER_OF_STUDY_RELATED_INSTANCES);
        for (name, value) in filters {
            request = request.query(name, value);
        }
        let answer = self.list(&request)?;
        let rows: Vec<&RawValue> = rows(&answer)?;
        let study = |row: &&RawValue| {
            let data = serde_json::from_str(row.get()).ok()?;
            let json = row.get().as_bytes().to_vec();
            Some(Study { data, json })
        };
        let studies: Option<Vec<_>> = rows.iter().map(study).collect();
        studies.ok_or_else(unreadable)
    }

    /// The images of a study, a page of them.
    ///
    /// # Errors
    /// When the archive does not tell.
    pub fn images_of(&self, study: &Uid, offset: usize) -> Result<Vec<Dataset>, Disposition> {
        let path = format!("/studies/{}/instances", study.as_str());
        rows(&self.list(&self.images_query(&path, offset))?)
    }

    /// Images by identifier: more than one only where an archive files the same one under several patients.
    ///
    /// # Errors
    /// When the archive does not tell.
    pub fn images_named(&self, instance: &Uid) -> Result<Vec<Dataset>, Disposition> {
        let request = self
            .images_query("/instances", 0)
            .query("SOPInstanceUID", instance.as_str());
        let mut found: Vec<Dataset> = rows(&self.list(&request)?)?;
        found.retain(|image| image.uid(tag::SOP_INSTANCE_UID).as_ref() == Some(instance));
        Ok(found)
    }

    /// What one image says of itself.
    ///
    /// # Errors
    /// When the archive does not tell.
    pub fn metadata(&self, place: &Place) -> Result<Option<Dataset>, Disposition> {
        let request = Request::get(format!("{}/metadata", self.address(place))).header("Accept", JSON);
        let found: Vec<Dataset> = rows(&self.list(&request)?)?;
        Ok(found.into_iter().next())
    }

    /// The file of an image, as it is stored. `None` when it is not there any more.
    ///
    /// # Errors
    /// When the archive does not give it.
    pub fn file(&self, place: &Place) -> Result<Option<Box<dyn Read>>, Disposition> {
        let request = Request::get(self.address(place))
            .header("Accept", AS_STORED)
            .timeout(PATIENCE);
        let incoming = self.ask(|| self.host.open(&request))?;
        if matches!(incoming.status, 404 | 410) {
            return Ok(None);
        }
        let incoming = incoming.success()?;
        part(incoming).map(Some)
    }

    /// Sends a file in these parts.
    ///
    /// # Errors
    /// Why the archive did not take it. When it may have, that is a `retry`.
    pub fn store(&self, sha256: &str, parts: Vec<http::Part>) -> Result<Stored, Disposition> {
        let frame = Frame::around(sha256);
        let mut body = vec![http::Part::from(frame.head)];
        body.extend(parts);
        body.push(http::Part::from(frame.tail));
        let request = Request::post(format!("{}{}/studies", self.config.url, self.config.stow))
            .header("Accept", JSON)
            .body_from(&frame.content_type, body)
            .timeout(PATIENCE);
        let response = self
            .host
            .send(&request)
            .map_err(|error| match error.may_have_arrived() {
                true => Disposition::retry("stored-or-not", Duration::from_secs(30)),
                false => error.into(),
            })?;
        stow::read(response)
    }

    /// What Orthanc itself says to a question. `None` when this is no Orthanc, or it may not be asked.
    ///
    /// # Errors
    /// When the server does not answer.
    pub fn orthanc(&self, request: &Request) -> Result<Option<Response>, Disposition> {
        match self.ask(|| self.host.send(request)) {
            Err(http::Error::Denied) => Ok(None),
            Err(error) => Err(error.into()),
            Ok(response) if matches!(response.status, 404 | 405) => Ok(None),
            Ok(response) => response.success().map(Some),
        }
    }

    /// Asks for something that may be asked for twice.
    pub(crate) fn send(&self, request: &Request) -> Result<Response, http::Error> {
        self.ask(|| self.host.send(request))
    }

    /// A file as Orthanc itself gives it out.
    ///
    /// # Errors
    /// When the server does not give it.
    pub fn orthanc_file(&self, path: &str) -> Result<File, Disposition> {
        let request = self.orthanc_request(Method::Get, path).timeout(PATIENCE);
        let incoming = match self.ask(|| self.host.open(&request)) {
            Err(http::Error::Denied) => return Ok(File::Denied),
            incoming => incoming?,
        };
        match incoming.status {
            401 | 403 | 405 => Ok(File::Denied),
            404 | 410 => Ok(File::Gone),
            _ => Ok(File::There(Box::new(incoming.success()?.body))),
        }
    }

    /// A request beyond DICOMweb.
    #[must_use]
    pub fn orthanc_request(&self, method: Method, path: &str) -> Request {
        Request::new(method, format!("{}{path}", self.config.url))
    }

    fn images_query(&self, path: &str, offset: usize) -> Request {
        self.query(path, offset)
            .query("includefield", tag::ISSUER_OF_PATIENT_ID)
    }

    fn query(&self, path: &str, offset: usize) -> Request {
        Request::get(format!("{}{}{path}", self.config.url, self.config.qido))
            .header("Accept", JSON)
            .query("limit", &PAGE.to_string())
            .query("offset", &offset.to_string())
    }

    fn address(&self, place: &Place) -> String {
        format!(
            "{}{}/studies/{}/series/{}/instances/{}",
            self.config.url,
            self.config.wado,
            place.study.as_str(),
            place.series.as_str(),
            place.instance.as_str()
        )
    }

    /// An answer with rows. There are none, too, when what they would be of is not there.
    fn list(&self, request: &Request) -> Result<Response, Disposition> {
        let response = self.ask(|| self.host.send(request))?;
        match response.status {
            204 | 404 | 410 => Ok(Response {
                body: b"[]".to_vec(),
                ..response
            }),
            _ => response.success(),
        }
    }
}

/// The file in an answer of WADO-RS.
fn part(incoming: Incoming) -> Result<Box<dyn Read>, Disposition> {
    let content_type = incoming.header("content-type").unwrap_or_default().to_owned();
    match boundary(&content_type) {
        Some(boundary) => {
            let part = Part::open(incoming.body, boundary).map_err(broken_off)?;
            Ok(Box::new(part))
        }
        None if content_type.starts_with("application/dicom") && !content_type.contains('+') => {
            Ok(Box::new(incoming.body))
        }
        None => Err(unreadable()),
    }
}

fn rows<'a, T: serde::Deserialize<'a>>(response: &'a Response) -> Result<Vec<T>, Disposition> {
    if response.body.is_empty() {
        return Ok(Vec::new());
    }
    serde_json::from_slice(&response.body).map_err(|_| unreadable())
}

/// A stream that did not come to its end: the archive went away, or sent something else.
pub fn broken_off(error: std::io::Error) -> Disposition {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::InvalidData => {
            Disposition::retry("archive-broke-off", Duration::from_secs(30))
        }
        _ => error.into(),
    }
}

/// An answer that is none of DICOMweb's.
pub fn unreadable() -> Disposition {
    Disposition::retry("unreadable-answer", Duration::from_secs(30))
}
