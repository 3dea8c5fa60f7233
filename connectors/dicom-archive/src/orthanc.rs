//! What Orthanc tells and does beyond DICOMweb (Orthanc REST API): its list of changes, which studies are stable, and taking an
//! image away, which DICOMweb cannot.

use crate::archive::{Archive, File, unreadable};
use crate::uid::Uid;
use archwire_connector::Disposition;
use archwire_connector::http::{self, Method};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Changes that are asked for at a time.
const CHANGES: usize = 100;
/// Studies that are listed at a time.
pub const STUDIES: usize = 50;

/// A page of the list of changes.
pub struct Changes {
    /// The studies that became stable, by Orthanc's own ids, each once.
    pub stable: Vec<String>,
    /// The number of the last change in the page.
    pub last: u64,
    /// Whether that was the end of the list.
    pub done: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    #[serde(default)]
    changes: Vec<Change>,
    last: u64,
    #[serde(default)]
    done: bool,
}

#[derive(Deserialize)]
struct Change {
    #[serde(rename = "ChangeType")]
    kind: String,
    #[serde(rename = "ID")]
    id: String,
}

/// A study as Orthanc lists it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Study {
    /// Orthanc's own id.
    #[serde(rename = "ID")]
    pub id: String,
    /// Whether nothing was added for a while.
    #[serde(default = "yes")]
    pub is_stable: bool,
    main_dicom_tags: Tags,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Image {
    main_dicom_tags: Tags,
    /// Another one whenever another file takes the image's place.
    #[serde(default)]
    file_uuid: String,
}

/// What an identifier is that was looked up.
#[derive(Deserialize)]
struct Found {
    #[serde(rename = "Type")]
    kind: String,
    #[serde(rename = "ID")]
    id: String,
}

/// What Orthanc says of itself.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct System {
    version: String,
}

#[derive(Deserialize)]
struct Tags {
    #[serde(rename = "StudyInstanceUID", default)]
    study: String,
    #[serde(rename = "SOPInstanceUID", default)]
    instance: String,
}

fn yes() -> bool {
    true
}

impl Study {
    /// StudyInstanceUID.
    #[must_use]
    pub fn uid(&self) -> Option<Uid> {
        Uid::parse(&self.main_dicom_tags.study).ok()
    }
}

/// The number of the last change. `None` when this is no Orthanc, or its list may not be asked.
///
/// # Errors
/// When the server does not answer.
pub fn last_change(archive: &Archive<'_>) -> Result<Option<u64>, Disposition> {
    let Some(answer) = archive.orthanc(&asking(archive, "/changes?last"))? else {
        return Ok(None);
    };
    Ok(answer.json::<Page>().ok().map(|page| page.last))
}

/// What changed since a number.
///
/// # Errors
/// When the server does not tell.
pub fn changes(archive: &Archive<'_>, since: u64) -> Result<Changes, Disposition> {
    let page: Page =
        ask(archive, &format!("/changes?since={since}&limit={CHANGES}"))?.ok_or_else(unreadable)?;
    let mut stable: Vec<String> = Vec::new();
    for change in page.changes {
        if change.kind == "StableStudy" && is_id(&change.id) && !stable.contains(&change.id) {
            stable.push(change.id);
        }
    }
    Ok(Changes {
        stable,
        last: page.last,
        done: page.done,
    })
}

/// Studies in the order in which Orthanc keeps them.
///
/// # Errors
/// When the server does not tell.
pub fn studies(archive: &Archive<'_>, offset: usize) -> Result<Vec<Study>, Disposition> {
    let path = format!("/studies?expand&since={offset}&limit={STUDIES}");
    ask(archive, &path)?.ok_or_else(unreadable)
}

/// One study. `None` when it is not there any more.
///
/// # Errors
/// When the server does not tell.
pub fn study(archive: &Archive<'_>, id: &str) -> Result<Option<Study>, Disposition> {
    ask(archive, &format!("/studies/{id}"))
}

/// Which file is behind each image of a study, by SOPInstanceUID. Empty where that cannot be had.
///
/// # Errors
/// When the server does not answer.
pub fn files(archive: &Archive<'_>, id: &str) -> Result<BTreeMap<String, String>, Disposition> {
    let images: Vec<Image> = ask(archive, &format!("/studies/{id}/instances"))?.unwrap_or_default();
    let file = |image: Image| (image.main_dicom_tags.instance, image.file_uuid);
    Ok(images.into_iter().map(file).collect())
}

/// Which version of Orthanc it is. `None` when this is none, or it may not be asked.
///
/// # Errors
/// When the server does not answer.
pub fn version(archive: &Archive<'_>) -> Result<Option<String>, Disposition> {
    let answer = archive.orthanc(&asking(archive, "/system"))?;
    let system = answer.and_then(|answer| answer.json::<System>().ok());
    Ok(system.map(|system| system.version))
}

/// The images with a SOPInstanceUID, by Orthanc's own ids: several where the same one is filed under several patients. `None` when
/// this is no Orthanc, or it may not be asked.
///
/// # Errors
/// When the server does not tell.
pub fn images_named(archive: &Archive<'_>, instance: &Uid) -> Result<Option<Vec<String>>, Disposition> {
    let request = archive.orthanc_request(Method::Post, "/tools/lookup");
    let answer = match archive.send(&request.bytes("text/plain", instance.as_str())) {
        Err(http::Error::Denied) => return Ok(None),
        // Who may not look up may still store.
        Ok(response) if matches!(response.status, 401 | 403 | 404 | 405) => return Ok(None),
        answer => answer?.success()?,
    };
    let found: Vec<Found> = answer.json().map_err(|_| unreadable())?;
    let images = found.into_iter().filter(|found| found.kind == "Instance");
    let ids = images.map(|image| Some(image.id).filter(|id| is_id(id)));
    ids.collect::<Option<Vec<_>>>().map(Some).ok_or_else(unreadable)
}

/// The file of an image, as it is stored.
///
/// # Errors
/// When the server does not give it.
pub fn file(archive: &Archive<'_>, id: &str) -> Result<File, Disposition> {
    archive.orthanc_file(&format!("/instances/{id}/file"))
}

/// Takes an image away. Tells whether that was allowed: by the administrator's grants, and by the archive.
///
/// # Errors
/// When the server does not answer.
pub fn remove(archive: &Archive<'_>, id: &str) -> Result<bool, Disposition> {
    let request = archive.orthanc_request(Method::Delete, &format!("/instances/{id}"));
    match archive.send(&request) {
        Err(http::Error::Denied) => Ok(false),
        Err(error) => Err(error.into()),
        Ok(response) if matches!(response.status, 401 | 403 | 405) => Ok(false),
        // Somebody else was faster, or an answer was lost.
        Ok(response) if response.status == 404 => Ok(true),
        Ok(response) => response.success().map(|_| true),
    }
}

fn asking(archive: &Archive<'_>, path: &str) -> http::Request {
    archive
        .orthanc_request(Method::Get, path)
        .header("Accept", "application/json")
}

fn ask<T: serde::de::DeserializeOwned>(archive: &Archive<'_>, path: &str) -> Result<Option<T>, Disposition> {
    match archive.orthanc(&asking(archive, path))? {
        Some(answer) => answer.json().map(Some).map_err(|_| unreadable()),
        None => Ok(None),
    }
}

/// Orthanc's ids are digits of SHA-1 in groups; they become part of an address.
fn is_id(text: &str) -> bool {
    text.len() == 44 && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}
