//! What is new in the archive: studies that have become stable, and the images in them that were not told before.
//!
//! The first pass reads the whole archive, study by study; after it, Orthanc's list of changes tells which studies became stable, or
//! [`crate::window`] finds out by QIDO-RS. The number of the last change is noted before the first pass begins, so that what
//! arrives during it is in the list.
//!
//! A call reads some images and comes back: after 60 images, 256 MiB, 20 s or 12 patients; where it stopped is in the cursor.
//! **Bounds** of the cursor: 100 studies that wait, 1,200 images told lately, 500 studies watched, 20 images missed: below 60 KB.
//!
//! An image that the archive does not give is tried again with the next calls, [`TRIES`] times, then put aside, and again every
//! [`AGAIN`]; the others go on. What is deleted in the archive is not noticed: DICOMweb does not tell.

mod batch;
mod cursor;
mod find;

use crate::archive::{Archive, PAGE, Place};
use crate::config::Config;
use crate::file;
use crate::host::{Host, Purpose};
use crate::json::{Dataset, tag};
use crate::orthanc;
use crate::sent::hash;
use crate::uid::Uid;
use archwire_connector::log::Level;
use archwire_connector::{Disposition, Page};
use batch::Batch;
use cursor::{Cursor, Missed, Waiting};
use std::collections::BTreeMap;
use std::time::Duration;

/// How often an image is asked for before the others go on without it.
const TRIES: u32 = 5;
/// How long an image that the archive does not give is left alone after that.
const AGAIN: Duration = Duration::from_secs(3_600);
/// Images that are put aside.
const MOST_MISSED: usize = 20;

/// How reading an image ended.
enum Read {
    On,
    /// The call ends here, with what it has.
    Stop,
}

/// Reads on.
///
/// # Errors
/// When the archive does not answer. The cursor stays where it was.
pub fn poll(host: &dyn Host, config: &Config, cursor: Option<&str>) -> Result<Page, Disposition> {
    let archive = Archive::new(host, config);
    let mut cursor = Cursor::read(&archive, cursor)?;
    let mut batch = Batch::new(host.now_ms());
    let mut more = false;
    if cursor.queue.is_empty() {
        cursor.look_again(&archive, &mut batch)?;
        more = cursor.fill(&archive)?;
    }
    while !cursor.queue.is_empty() && !batch.is_full(&archive) {
        if matches!(cursor.read_on(&archive, &mut batch)?, Read::Stop) {
            return cursor.page(&archive, batch, false);
        }
    }
    more |= !cursor.queue.is_empty() || cursor.first.is_some();
    cursor.page(&archive, batch, more)
}

impl Cursor {
    /// Reads on in the first study that waits.
    fn read_on(&mut self, archive: &Archive<'_>, batch: &mut Batch) -> Result<Read, Disposition> {
        let Some((study, orthanc)) = self.front_study(archive)? else {
            self.next_study();
            return Ok(Read::On);
        };
        let files = match &orthanc {
            Some(id) => orthanc::files(archive, id)?,
            None => BTreeMap::new(),
        };
        let images = archive.images_of(&study, self.at - self.at % PAGE)?;
        let front = images
            .first()
            .and_then(|image| image.text(tag::SOP_INSTANCE_UID))
            .map_or(0, hash);
        let is_again = self.at >= PAGE && self.at.is_multiple_of(PAGE) && front == self.front;
        if is_again || images.is_empty() {
            self.next_study();
            return Ok(Read::On);
        }
        for image in images.iter().skip(self.at % PAGE) {
            if batch.is_full(archive) {
                return Ok(Read::On);
            }
            if matches!(self.read_image(archive, batch, image, &files)?, Read::Stop) {
                return Ok(Read::Stop);
            }
            self.at += 1;
        }
        self.front = front;
        // A server that gives more than it was asked for does not page.
        if images.len() != PAGE {
            self.next_study();
        }
        Ok(Read::On)
    }

    /// The study in front, and Orthanc's id of it. `None` when it is not there any more.
    fn front_study(&self, archive: &Archive<'_>) -> Result<Option<(Uid, Option<String>)>, Disposition> {
        match self.queue.front().cloned() {
            Some(Waiting {
                study: Some(study),
                orthanc,
            }) => Ok(Some((study, orthanc))),
            Some(Waiting {
                study: None,
                orthanc: Some(id),
            }) => {
                let found = orthanc::study(archive, &id)?.and_then(|study| study.uid());
                Ok(found.map(|study| (study, Some(id))))
            }
            _ => Ok(None),
        }
    }

    fn next_study(&mut self) {
        self.queue.pop_front();
        (self.at, self.front, self.tries) = (0, 0, 0);
    }

    fn read_image(
        &mut self,
        archive: &Archive<'_>,
        batch: &mut Batch,
        image: &Dataset,
        files: &BTreeMap<String, String>,
    ) -> Result<Read, Disposition> {
        let Some(place) = Place::of(image) else {
            archive.host.log(
                Level::Warn,
                "image-without-identifiers",
                &[("position", count(self.at))],
            );
            return Ok(Read::On);
        };
        let version = files.get(place.instance.as_str()).map_or("", String::as_str);
        let key = key(&place, version);
        if self.sent.has(&key) {
            return Ok(Read::On);
        }
        match file::take(archive, &place, Purpose::Keep) {
            Ok(taken) => {
                batch.add(taken, image, &place);
                self.sent.add(&key);
            }
            Err(error) if concerns_all(&error) && batch.images.is_empty() => return Err(error),
            Err(error) if concerns_all(&error) => return Ok(Read::Stop),
            Err(error) if is_for_good(&error) => {
                archive
                    .host
                    .log(Level::Warn, "image-refused", &[("position", count(self.at))]);
                self.sent.add(&key);
            }
            Err(_) if self.tries + 1 < TRIES => {
                self.tries += 1;
                return Ok(Read::Stop);
            }
            Err(_) => self.put_aside(archive, place, version.to_owned()),
        }
        self.tries = 0;
        Ok(Read::On)
    }

    fn put_aside(&mut self, archive: &Archive<'_>, place: Place, version: String) {
        self.missed.retain(|missed| missed.instance != place.instance);
        archive.host.log(
            Level::Warn,
            "image-put-aside",
            &[("missed", count(self.missed.len() + 1))],
        );
        if self.missed.len() >= MOST_MISSED {
            archive.host.log(Level::Error, "image-given-up", &[]);
            self.missed.pop_front();
        }
        self.missed.push_back(Missed {
            study: place.study,
            series: place.series,
            instance: place.instance,
            version,
            again_ms: again(archive.host.now_ms()),
        });
    }

    /// Tries the image that was put aside longest ago, when its time has come.
    fn look_again(&mut self, archive: &Archive<'_>, batch: &mut Batch) -> Result<(), Disposition> {
        let now_ms = archive.host.now_ms();
        let Some(missed) = self.missed.pop_front_if(|missed| missed.again_ms <= now_ms) else {
            return Ok(());
        };
        let found = archive.images_named(&missed.instance)?;
        let place = Place {
            study: missed.study,
            series: missed.series,
            instance: missed.instance,
        };
        let Some(image) = found
            .iter()
            .find(|image| Place::of(image).as_ref() == Some(&place))
        else {
            return Ok(());
        };
        match file::take(archive, &place, Purpose::Keep) {
            Ok(taken) => {
                batch.add(taken, image, &place);
                self.sent.add(&key(&place, &missed.version));
            }
            Err(error) if concerns_all(&error) => return Err(error),
            Err(_) => self.put_aside(archive, place, missed.version),
        }
        Ok(())
    }

    fn page(&self, archive: &Archive<'_>, batch: Batch, more: bool) -> Result<Page, Disposition> {
        let numbers = [
            ("images", count(batch.images.len())),
            ("bytes", i64::try_from(batch.bytes).unwrap_or(i64::MAX)),
            ("waiting", count(self.queue.len())),
        ];
        archive.host.log(Level::Debug, "page-read", &numbers);
        Ok(Page {
            observations: batch.observations(archive)?,
            images: batch.images,
            cursor: self.text()?,
            more,
        })
    }
}

/// Whether it would be the same for every image.
fn concerns_all(disposition: &Disposition) -> bool {
    match disposition {
        Disposition::Throttled(_) | Disposition::Unavailable(_) | Disposition::Unauthorized(_) => true,
        Disposition::Retry(later) => later.reason.code.starts_with("image-store-"),
        Disposition::Rejected(_) => false,
    }
}

/// Whether it will never be otherwise.
fn is_for_good(disposition: &Disposition) -> bool {
    matches!(disposition, Disposition::Rejected(reason) if reason.code == "image-too-large" || reason.code == "image-empty")
}

/// An image as it is now.
fn key(place: &Place, version: &str) -> String {
    format!("{}/{version}", place.instance.as_str())
}

fn again(now_ms: u64) -> u64 {
    now_ms.saturating_add(u64::try_from(AGAIN.as_millis()).unwrap_or(u64::MAX))
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
