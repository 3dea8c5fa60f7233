//! What is new in the archive: studies that have become stable, and the images in them that were not told before.
//!
//! The first pass reads the whole archive, study by study; after it, Orthanc's list of changes tells which studies became stable, or
//! [`crate::window`] finds out by QIDO-RS. The number of the last change is noted before the first pass begins, so that what
//! arrives during it is in the list.
//!
//! A call reads some images and comes back: at most [`MOST_IMAGES`] images, [`MOST_BYTES`], [`MOST_TIME`], [`MOST_RECORDS`]
//! patients; where it stopped is in the cursor. **Bounds** of the cursor: 50 studies that wait, 1,500 images told lately, 500
//! studies watched, 20 images missed: below 60 KB.
//!
//! An image that the archive does not give is tried again with the next calls, [`TRIES`] times, then put aside, and again every
//! [`AGAIN`]; the others go on. What is deleted in the archive is not noticed: DICOMweb does not tell.

use crate::archive::{Archive, PAGE, Place};
use crate::config::{Config, Wish};
use crate::file::{self, Taken};
use crate::host::{Host, Purpose};
use crate::json::{Dataset, tag};
use crate::observed;
use crate::orthanc;
use crate::record::Record;
use crate::records;
use crate::sent::{Sent, hash};
use crate::uid::Uid;
use crate::window::{self, Window};
use archwire_connector::log::Level;
use archwire_connector::{Disposition, ImageObservation, Observation, Page};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// Images of one call.
const MOST_IMAGES: usize = 60;
/// Bytes of one call; the last image may go beyond.
const MOST_BYTES: u64 = 256 * 1024 * 1024;
/// Time of one call; the last image may go beyond.
const MOST_TIME: Duration = Duration::from_secs(20);
/// Patients of one call: each costs 1 to 11 requests.
const MOST_RECORDS: usize = 12;
/// Requests of one call but those for patients; the host allows 256 in all.
const MOST_REQUESTS: u32 = 110;
/// How often an image is asked for before the others go on without it.
const TRIES: u32 = 5;
/// How long an image that the archive does not give is left alone after that.
const AGAIN: Duration = Duration::from_secs(3_600);
/// How often the first pass begins anew because the pages do not fit together.
const MOST_RESTARTS: u32 = 3;
/// Images that are put aside.
const MOST_MISSED: usize = 20;

/// How the archive is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum By {
    Changes,
    Qido,
}

/// Where the reading stands.
#[derive(Serialize, Deserialize)]
struct Cursor {
    by: By,
    /// The first pass, while it is not through.
    first: Option<First>,
    /// The last change that was seen.
    since: u64,
    /// Studies to be read.
    queue: VecDeque<Waiting>,
    /// How far the first of them was read.
    at: usize,
    /// The first image of the page before, as a hash, to see when a server does not page.
    front: u64,
    /// The image in front, and how often it was asked for in vain.
    tries: u32,
    missed: VecDeque<Missed>,
    sent: Sent,
    window: Window,
}

/// How far the first pass got.
#[derive(Default, Serialize, Deserialize)]
struct First {
    offset: usize,
    /// The last study of the page before, as a hash: the next page has to begin with it, or studies were removed meanwhile.
    last: Option<u64>,
    restarts: u32,
}

/// A study that waits to be read.
#[derive(Clone, Serialize, Deserialize)]
struct Waiting {
    /// Orthanc's id of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    orthanc: Option<String>,
    /// StudyInstanceUID; `None` while only Orthanc's id is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    study: Option<Uid>,
}

/// An image that the archive did not give.
#[derive(Serialize, Deserialize)]
struct Missed {
    study: Uid,
    series: Uid,
    instance: Uid,
    again_ms: u64,
}

/// What a call has read so far.
struct Batch {
    images: Vec<ImageObservation>,
    records: BTreeMap<Record, Uid>,
    bytes: u64,
    until_ms: u64,
}

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
    fn read(archive: &Archive<'_>, text: Option<&str>) -> Result<Self, Disposition> {
        let Some(text) = text else {
            return Self::begin(archive);
        };
        let cursor: Self =
            serde_json::from_str(text).map_err(|_| Disposition::rejected("cursor-unreadable"))?;
        let other = match archive.config.feed {
            Wish::Auto => false,
            Wish::Changes => cursor.by != By::Changes,
            Wish::Qido => cursor.by != By::Qido,
        };
        match other {
            // The administrator chose another way: from the beginning, what was told is known.
            true => Ok(Self {
                sent: cursor.sent,
                ..Self::begin(archive)?
            }),
            false => Ok(cursor),
        }
    }

    fn begin(archive: &Archive<'_>) -> Result<Self, Disposition> {
        let last = match archive.config.feed {
            Wish::Qido => None,
            Wish::Auto => orthanc::last_change(archive)?,
            Wish::Changes => Some(
                orthanc::last_change(archive)?.ok_or_else(|| Disposition::rejected("no-list-of-changes"))?,
            ),
        };
        Ok(Self {
            by: if last.is_some() { By::Changes } else { By::Qido },
            first: Some(First::default()),
            since: last.unwrap_or_default(),
            queue: VecDeque::new(),
            at: 0,
            front: 0,
            tries: 0,
            missed: VecDeque::new(),
            sent: Sent::default(),
            window: Window::default(),
        })
    }

    /// Finds studies to read. Tells whether there is more to be found at once.
    fn fill(&mut self, archive: &Archive<'_>) -> Result<bool, Disposition> {
        match (self.first.take(), self.by) {
            (Some(first), by) => self.list(archive, first, by).map(|()| true),
            (None, By::Changes) => self.follow(archive),
            (None, By::Qido) => self.watch(archive).map(|()| false),
        }
    }

    /// The next page of the first pass. Pages overlap by one study.
    fn list(&mut self, archive: &Archive<'_>, first: First, by: By) -> Result<(), Disposition> {
        let studies = match by {
            By::Changes => listed_by_orthanc(archive, first.offset)?,
            By::Qido => listed_by_qido(archive, first.offset)?,
        };
        let drifted = first
            .last
            .is_some_and(|last| studies.first().is_none_or(|study| study.key() != last));
        if drifted && first.restarts < MOST_RESTARTS {
            archive
                .host
                .log(Level::Warn, "studies-drifted", &[("offset", count(first.offset))]);
            self.first = Some(First {
                restarts: first.restarts + 1,
                ..First::default()
            });
            return Ok(());
        }
        // Where the order is another one each time, nothing can be left out.
        let overlap = usize::from(first.last.is_some() && !drifted);
        if let Some(last) = studies.last().filter(|_| studies.len() > overlap) {
            self.first = Some(First {
                offset: first.offset + studies.len() - 1,
                last: Some(last.key()),
                restarts: first.restarts,
            });
        }
        // What is not stable yet comes with the list of changes.
        let stable = studies.into_iter().skip(overlap).filter(|study| study.stable);
        self.queue.extend(stable.map(|study| study.waiting));
        Ok(())
    }

    /// What Orthanc's list of changes tells. Tells whether it goes on.
    fn follow(&mut self, archive: &Archive<'_>) -> Result<bool, Disposition> {
        let changes = orthanc::changes(archive, self.since)?;
        if changes.last < self.since {
            // Another archive behind the same address, or a new beginning of it.
            archive.host.log(Level::Warn, "changes-begin-anew", &[]);
            (self.since, self.first) = (changes.last, Some(First::default()));
            return Ok(true);
        }
        let is_stuck = changes.last == self.since;
        self.since = changes.last;
        self.queue.extend(changes.stable.into_iter().map(|id| Waiting {
            orthanc: Some(id),
            study: None,
        }));
        Ok(!changes.done && !is_stuck)
    }

    /// The studies of the last days that have come to rest.
    fn watch(&mut self, archive: &Archive<'_>) -> Result<(), Disposition> {
        let now_ms = archive.host.now_ms();
        let dates = window::dates(now_ms, archive.config.window_days);
        let filter = [("StudyDate", dates.as_str())];
        let filters = if archive.config.window_days == 0 {
            &[][..]
        } else {
            &filter[..]
        };
        let mut studies: Vec<Dataset> = Vec::new();
        // A page more than is watched, to see that it is too much.
        while studies.len() <= window::MOST {
            let page = archive.studies(filters, studies.len())?;
            let ended = page.len() < PAGE;
            studies.extend(page.into_iter().map(|study| study.data));
            if ended {
                break;
            }
        }
        if studies.len() > window::MOST {
            let numbers = [("studies", count(studies.len())), ("most", count(window::MOST))];
            archive.host.log(Level::Warn, "window-too-full", &numbers);
        }
        let age = |study: &Dataset| {
            [tag::STUDY_DATE, tag::STUDY_TIME].map(|tag| study.text(tag).unwrap_or_default().to_owned())
        };
        studies.sort_by_key(|study| std::cmp::Reverse(age(study)));
        let ready = self.window.look(&studies, now_ms, archive.config.stable_after);
        self.queue.extend(ready.into_iter().map(|study| Waiting {
            orthanc: None,
            study: study.uid(tag::STUDY_INSTANCE_UID),
        }));
        Ok(())
    }

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
        let key = format!("{}/{version}", place.instance.as_str());
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
            Err(_) => self.put_aside(archive, place),
        }
        self.tries = 0;
        Ok(Read::On)
    }

    fn put_aside(&mut self, archive: &Archive<'_>, place: Place) {
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
            Ok(taken) => batch.add(taken, image, &place),
            Err(error) if concerns_all(&error) => return Err(error),
            Err(_) => self.put_aside(archive, place),
        }
        Ok(())
    }

    fn page(&self, archive: &Archive<'_>, batch: Batch, more: bool) -> Result<Page, Disposition> {
        let cursor = serde_json::to_string(self).map_err(|_| Disposition::rejected("cursor-unwritable"))?;
        let numbers = [
            ("images", count(batch.images.len())),
            ("bytes", i64::try_from(batch.bytes).unwrap_or(i64::MAX)),
            ("waiting", count(self.queue.len())),
        ];
        archive.host.log(Level::Debug, "page-read", &numbers);
        Ok(Page {
            observations: batch.observations(archive)?,
            images: batch.images,
            cursor,
            more,
        })
    }
}

impl Batch {
    fn new(now_ms: u64) -> Self {
        let time = u64::try_from(MOST_TIME.as_millis()).unwrap_or(u64::MAX);
        Self {
            images: Vec::new(),
            records: BTreeMap::new(),
            bytes: 0,
            until_ms: now_ms.saturating_add(time),
        }
    }

    fn is_full(&self, archive: &Archive<'_>) -> bool {
        self.images.len() >= MOST_IMAGES
            || self.bytes >= MOST_BYTES
            || self.records.len() >= MOST_RECORDS
            || archive.asked() >= MOST_REQUESTS
            || archive.host.now_ms() >= self.until_ms
    }

    /// Takes an image in. One that is not there any more has nothing to say.
    fn add(&mut self, taken: Option<Taken>, image: &Dataset, place: &Place) {
        let Some(taken) = taken else { return };
        self.bytes += taken.moved;
        let record = observed::record(image, &taken, place);
        self.images.push(observed::observation(&record, &taken, place));
        self.records.entry(record).or_insert_with(|| place.study.clone());
    }

    /// The patients of the images.
    fn observations(&self, archive: &Archive<'_>) -> Result<Vec<Observation>, Disposition> {
        let mut observations = Vec::new();
        for (record, study) in &self.records {
            let read = records::read_with(archive, record, study)?;
            // A study that was removed a moment ago; what it had is still told, and waits for a person.
            observations.extend(read);
        }
        Ok(observations)
    }
}

/// A study of the first pass.
struct Listed {
    waiting: Waiting,
    stable: bool,
}

impl Listed {
    fn key(&self) -> u64 {
        let orthanc = self.waiting.orthanc.as_deref();
        hash(orthanc.unwrap_or_else(|| self.waiting.study.as_ref().map_or("", Uid::as_str)))
    }
}

fn listed_by_orthanc(archive: &Archive<'_>, offset: usize) -> Result<Vec<Listed>, Disposition> {
    let studies = orthanc::studies(archive, offset)?.into_iter();
    let listed = studies.map(|study| Listed {
        stable: study.is_stable,
        waiting: Waiting {
            study: study.uid(),
            orthanc: Some(study.id),
        },
    });
    Ok(listed.collect())
}

fn listed_by_qido(archive: &Archive<'_>, offset: usize) -> Result<Vec<Listed>, Disposition> {
    let studies = archive.studies(&[], offset)?;
    let listed = studies.into_iter().take(orthanc::STUDIES).map(|study| Listed {
        stable: true,
        waiting: Waiting {
            study: study.data.uid(tag::STUDY_INSTANCE_UID),
            orthanc: None,
        },
    });
    Ok(listed.collect())
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

fn again(now_ms: u64) -> u64 {
    now_ms.saturating_add(u64::try_from(AGAIN.as_millis()).unwrap_or(u64::MAX))
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
