//! Images that the office's staff made, taken from the A-to-Z folder.
//!
//! The API tells that there are documents and gives no bytes. Where the administrator granted the folder in which Open Dental
//! keeps its files (read only), radiographs, photographs, and DICOM and STL files are taken from there; letters and forms stay
//! where they are. Without the grant nothing is asked.
//!
//! A *pass* reads the table `document` with ShortQuery in the order of its key, one page of at most 100 rows and
//! [`MOST_FILES`] files a call, beginning with what changed since the pass of patients before, less the overlap: the first pass
//! reads everything. It follows the patients' pass, so that the bus knows whose images they are. What goes wrong here is
//! logged and tried again at the next interval; it never stops the reading of patients.
//!
//! - Uploads that nobody opened have no file yet; opening one changes the row.
//! - What the bus brought bears its mark and is not told back.
//! - Deleted documents leave no trace in Open Dental: they are not told.
//!
//! **Bounds**: [`MOST_TOLD`] documents of the overlap are kept in mind, 24 bytes each; more are told twice, which is no news.

use crate::api::Api;
use crate::clock::OfficeTime;
use crate::documents::fetch::{PROBE, folders, observation};
use crate::documents::line::content_type;
use crate::documents::mark;
use crate::documents::row::{Document, List};
use crate::host::{Host, recall, remember};
use crate::links::PAGE;
use crate::office::Office;
use crate::row::PatNum;
use archwire_connector::log::Level;
use archwire_connector::{ImageObservation, images};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most files that one call takes.
pub const MOST_FILES: usize = 20;

/// Most documents that are kept in mind.
const MOST_TOLD: usize = 300;

/// The state's key for whether the folder is granted, so that `check` knows it too.
const FOLDER: &str = "images-folder";

/// Where the reading of documents stands. Part of the cursor.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Documents {
    /// The next pass reads what changed since then, less the overlap. `None` reads everything.
    since: Option<OfficeTime>,
    running: Option<Pass>,
    /// What was told of the overlap, with its change time.
    told: BTreeMap<u64, OfficeTime>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Pass {
    from: Option<OfficeTime>,
    /// What the next pass begins with.
    next: OfficeTime,
    /// The last row that was read.
    after: u64,
}

/// What a page of documents came to.
#[derive(Default)]
pub struct Taken {
    /// What was taken.
    pub images: Vec<ImageObservation>,
    /// Whether there is more to be had now.
    pub more: bool,
}

/// What `check` tells of it.
#[must_use]
pub fn report(host: &dyn Host) -> &'static str {
    match recall(host, FOLDER) {
        Some(true) => "images are taken from the A-to-Z folder",
        _ => "the API gives no bytes; grant the A-to-Z folder read-only to take images from Open Dental",
    }
}

impl Documents {
    /// Takes the next images. `watermark` is where the patients' next pass begins: what changed before is known.
    pub fn step(
        &mut self,
        host: &dyn Host,
        office: &Office,
        api: &Api<'_>,
        watermark: Option<OfficeTime>,
    ) -> Taken {
        let granted = !matches!(host.take_file(PROBE), Err(images::Error::Denied));
        if recall(host, FOLDER) != Some(granted) {
            remember(host, FOLDER, &granted);
        }
        let Some(pass) = self.pass(office, watermark).filter(|_| granted) else {
            self.running = None;
            return Taken::default();
        };
        match api.query_documents(&statement(&pass)) {
            Ok(list) => self.take(host, office, api, pass, list),
            Err(error) => {
                host.log(Level::Warn, "documents-unread", &[]);
                // A pass that cannot go on begins anew.
                self.running = (!error.is_lasting()).then_some(pass);
                Taken::default()
            }
        }
    }

    /// The running pass, or the next one.
    fn pass(&self, office: &Office, watermark: Option<OfficeTime>) -> Option<Pass> {
        if let Some(running) = &self.running {
            return Some(running.clone());
        }
        let next = watermark?;
        // The watermark goes back when the office's clock does.
        let from = self.since.map(|since| since.min(next).minus(office.overlap));
        Some(Pass { from, next, after: 0 })
    }

    fn take(&mut self, host: &dyn Host, office: &Office, api: &Api<'_>, mut pass: Pass, list: List) -> Taken {
        let wanted: Vec<&Document> = list
            .documents
            .iter()
            .filter(|row| self.wants(row))
            .take(MOST_FILES)
            .collect();
        let owners: Vec<PatNum> = wanted.iter().filter_map(|row| row.pat_num).collect();
        let folders = if owners.is_empty() {
            Ok(BTreeMap::new())
        } else {
            folders(api, &owners)
        };
        let Ok(folders) = folders else {
            host.log(Level::Warn, "documents-unread", &[]);
            self.running = Some(pass);
            return Taken::default();
        };
        let mut taken = Taken::default();
        let mut missing = 0;
        for row in &wanted {
            let Some((pat_num, place)) = row.pat_num.and_then(|owner| {
                let place = folders.get(&owner).and_then(|folder| row.place_in(folder));
                Some((owner, place?))
            }) else {
                missing += 1;
                pass.after = row.doc_num.get();
                continue;
            };
            match host.take_file(&place) {
                Ok(digest) => taken.images.push(observation(host, row, pat_num, Some(digest))),
                Err(
                    images::Error::NotFound
                    | images::Error::Denied
                    | images::Error::Empty
                    | images::Error::TooLarge,
                ) => {
                    missing += 1;
                }
                Err(_) => {
                    // The folder or the store is away: from here on at the next interval.
                    host.log(Level::Warn, "documents-folder-away", &[]);
                    self.running = Some(pass);
                    return taken;
                }
            }
            self.tell(row);
            pass.after = row.doc_num.get();
        }
        if missing > 0 {
            host.log(Level::Warn, "documents-without-file", &[("documents", missing)]);
        }
        taken.more = self.advance(office, pass, &list, wanted.len());
        taken
    }

    /// Goes on after a page. Tells whether there is more of the pass.
    fn advance(&mut self, office: &Office, mut pass: Pass, list: &List, taken: usize) -> bool {
        let is_whole = taken < MOST_FILES;
        if let (true, Some(last)) = (is_whole, list.documents.last()) {
            pass.after = last.doc_num.get();
        }
        if is_whole && list.rows < PAGE {
            self.since = Some(pass.next);
            self.running = None;
            self.told
                .retain(|_, stamp| *stamp >= pass.next.minus(office.overlap));
            return false;
        }
        self.running = Some(pass);
        true
    }

    /// Whether a document is an image that is to be told.
    fn wants(&self, row: &Document) -> bool {
        let is_image = row.shown_as.is_some()
            || matches!(
                content_type(&row.file_name),
                Some("application/dicom" | "model/stl")
            );
        let is_told = row.stamp.is_some() && self.told.get(&row.doc_num.get()).copied() == row.stamp;
        is_image && !row.has_no_file() && !mark::is_marked(&row.description) && !is_told
    }

    fn tell(&mut self, row: &Document) {
        let Some(stamp) = row.stamp else { return };
        self.told.insert(row.doc_num.get(), stamp);
        if self.told.len() > MOST_TOLD {
            let oldest = self
                .told
                .iter()
                .min_by_key(|(_, stamp)| **stamp)
                .map(|(doc_num, _)| *doc_num);
            oldest.and_then(|oldest| self.told.remove(&oldest));
        }
    }
}

/// In the order of the table's own key, so that nothing moves while it is read.
fn statement(pass: &Pass) -> String {
    let since = pass.from.map_or(String::new(), |from| {
        format!("DateTStamp >= '{}' AND ", from.text())
    });
    format!(
        "SELECT DocNum, PatNum, Description, DateCreated, FileName, ImgType, ToothNumbers, DateTStamp FROM document WHERE \
         {since}DocNum > {} ORDER BY DocNum",
        pass.after
    )
}

#[cfg(test)]
mod tests;
