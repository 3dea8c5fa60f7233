//! Reading an image back: what the office says of it, and the SHA-256 of its bytes where they are to be had.
//!
//! They are, once somebody opened the document, in the A-to-Z folder when the administrator granted it, and before that in the
//! row's note when the key may use ShortQuery. Otherwise the row is told without a digest: the API gives no bytes.

use crate::api::Api;
use crate::documents::line::{WITHDRAWN, content_type};
use crate::documents::row::{DocNum, Document, Shown};
use crate::documents::search::{self, Sought};
use crate::documents::{mark, moment, note, teeth};
use crate::host::Host;
use crate::office::Office;
use crate::poll::known_clock;
use crate::row::PatNum;
use archwire_connector::{Disposition, Image, ImageObservation, images};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// When to look again for one of which the office does not tell whether it is there.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// Reads one document back; `None` when there is no such document.
///
/// # Errors
/// When the office did not answer as expected.
pub fn fetch(
    host: &dyn Host,
    office: &Office,
    local_id: &str,
    record: Option<&str>,
) -> Result<Option<ImageObservation>, Disposition> {
    let Some(doc_num) = DocNum::parse(local_id) else {
        return Ok(None);
    };
    let api = Api::new(host, &office.url);
    let record = record.and_then(PatNum::parse);
    let row = match search::by_number(&api, office, doc_num, record)? {
        Sought::There(row) => row,
        Sought::Gone => return Ok(None),
        Sought::Unknown => return Err(out_of_sight(doc_num)),
    };
    let Some(pat_num) = row.pat_num.or(record) else {
        return Ok(None);
    };
    let sha256 = digest(host, &api, &row, pat_num)?;
    Ok(Some(observation(host, &row, pat_num, sha256)))
}

fn out_of_sight(doc_num: DocNum) -> Disposition {
    Disposition::retry("document-out-of-sight", LOOK_AGAIN).with_detail(format!(
        "document {doc_num} is none of the patient's, and the office does not tell whether it is another one's"
    ))
}

fn digest(
    host: &dyn Host,
    api: &Api<'_>,
    row: &Document,
    pat_num: PatNum,
) -> Result<Option<String>, Disposition> {
    if row.has_no_file() || row.file_name.is_empty() {
        return Ok(note::digest(host, api, row.doc_num)?);
    }
    // Without a granted folder, whose files these are need not be asked.
    if matches!(host.take_file(PROBE), Err(images::Error::Denied)) {
        return Ok(None);
    }
    let place = match row.place() {
        Some(place) => Some(place),
        None => folders(api, &[pat_num])?
            .get(&pat_num)
            .and_then(|folder| row.place_in(folder)),
    };
    match place.map(|place| host.take_file(&place)) {
        Some(Ok(digest)) => Ok(Some(digest)),
        None | Some(Err(images::Error::NotFound | images::Error::Denied | images::Error::Empty)) => Ok(None),
        Some(Err(error)) => Err(error.into()),
    }
}

/// A file that no office has: asking for it tells whether a folder is granted.
pub const PROBE: &str = "archwire-probe";

/// The patients' `ImageFolder`, by ShortQuery; none where that is not to be had.
///
/// # Errors
/// When that may be known later.
pub fn folders(api: &Api<'_>, patients: &[PatNum]) -> Result<BTreeMap<PatNum, String>, crate::api::Error> {
    #[derive(Deserialize, Default)]
    #[serde(default, rename_all = "PascalCase")]
    struct Columns {
        pat_num: crate::row::Word,
        image_folder: crate::row::Word,
    }
    let list = patients
        .iter()
        .map(PatNum::to_string)
        .collect::<Vec<_>>()
        .join(",");
    let sql = format!("SELECT PatNum, ImageFolder FROM patient WHERE PatNum IN ({list})");
    let response = match api.call(&api.short_query(&sql)) {
        Ok(response) => response,
        Err(error) if error.is_lasting() => return Ok(BTreeMap::new()),
        Err(error) => return Err(error),
    };
    let rows: Vec<Columns> = serde_json::from_slice(&response.body).unwrap_or_default();
    let folder = |row: Columns| Some((PatNum::parse(row.pat_num.text())?, row.image_folder.stated()?));
    Ok(rows.into_iter().filter_map(folder).collect())
}

/// What a document's row says, as an observation.
#[must_use]
pub fn observation(
    host: &dyn Host,
    row: &Document,
    pat_num: PatNum,
    sha256: Option<String>,
) -> ImageObservation {
    let words = mark::strip(&row.description).unwrap_or_else(|| row.description.clone());
    let image = Image {
        modality: match row.shown_as {
            Some(Shown::Photo) => Some("XC".to_owned()),
            // Which kind of radiograph is not told.
            Some(Shown::Radiograph) | None => None,
        },
        view_label: (!words.is_empty()).then_some(words),
        teeth: teeth::iso(&row.tooth_numbers),
        acquired_at: row.date_created.map(moment::fhir),
        content_type: content_type(&row.file_name).map(str::to_owned),
        sha256,
        ..Image::default()
    };
    let changed = known_clock(host)
        .zip(row.stamp)
        .and_then(|(clock, stamp)| clock.utc_ms(stamp, host.now_ms()));
    ImageObservation {
        observed_at_ms: changed,
        retracted: row.description.starts_with(WITHDRAWN),
        ..ImageObservation::new(row.doc_num.to_string(), pat_num.to_string(), image)
    }
}
