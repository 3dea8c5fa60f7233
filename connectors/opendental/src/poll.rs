//! What changed since the last time.
//!
//! A *pass* reads all pages of `/patients/Simple?DateTStamp=`, one page a call. It asks for what changed since the
//! office's own "now" (`serverDateTime`) of the first page of the pass before, less an overlap. That covers what
//! changed while the pass before was running, the office's slower transactions, and the open question whether the API's
//! filter means "since" or "after". The watermark moves when a pass is complete and not before; pages that shift while
//! they are read are [`crate::walk`]'s business. The first pass has no watermark and reads everything.
//!
//! **The office's clock** is never converted. When daylight saving ends it repeats an hour, and rows changed in the
//! repeated hour look older than the watermark. So whenever the office's "now" has another distance from ours than
//! before, or is earlier than the watermark, the watermark goes back by an hour (or by as much as the clock moved, if
//! that is more) and everything sent is forgotten, because two changes of one patient in the two hours may show the
//! same time. A quiet office shows no "now", so a call asks for one row after [`QUIET`] without one.
//!
//! **Merges** are [`crate::merges`]'s business: which records of a page were merged, and which were merged although no page
//! told of them. Within a page, merged records come last, so that the bus knows before who took their place.
//!
//! **Images** that the office's staff made come after the patients, where the A-to-Z folder is granted:
//! [`crate::documents::take`].
//!
//! **Bounds**: what was sent is kept in mind within the cursor as [`crate::seen`] says. A row that cannot be read is
//! counted and logged with its place, and does not stop the pass.

use crate::api::Api;
use crate::clock::{OfficeTime, Offset};
use crate::documents::take::{Documents, Taken};
use crate::host::{Host, recall, remember};
use crate::map;
use crate::merges::Merges;
use crate::office::Office;
use crate::row::{FORMAT, PatNum, Row, Rows};
use crate::seen::Seen;
use crate::walk::{MOST_ROWS, Step, Walk};
use archwire_connector::log::Level;
use archwire_connector::{Disposition, Observation, Page, SourceRecord};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long a quiet office is trusted to keep its clock.
const QUIET: Duration = Duration::from_secs(15 * 60);

/// How far the watermark goes back at least when the office's clock changes, in seconds.
const CLOCK_CHANGE: i64 = 3_600;

/// How much earlier than the watermark the office's "now" may be without its clock having gone back, in seconds: the
/// programs of one office may run on several machines.
const JITTER: i64 = 60;

/// Unreadable rows that are logged with their place, of one page.
const MOST_PLACES: usize = 10;

/// The state's key for the clock, so that `fetch` and `check` know it too.
const CLOCK: &str = "clock";

/// Where the reading stands.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
struct Cursor {
    /// The next pass, or the running one, reads what changed since then, less the overlap. `None` reads everything.
    watermark: Option<OfficeTime>,
    /// The running pass.
    walk: Walk,
    /// The watermark once the running pass is complete.
    next: Option<OfficeTime>,
    /// The office's clock when it was last heard of.
    clock: Option<Offset>,
    /// When that was, in milliseconds since 1970 UTC.
    heard_ms: u64,
    /// The clock changed: another pass follows at once.
    again: bool,
    #[serde(default = "Merges::unread")]
    merges: Merges,
    seen: Seen,
    documents: Documents,
}

/// What follows a page.
enum Next {
    Page,
    /// The pass is complete.
    Links,
    /// The next interval.
    Rest,
}

/// Reads the next page.
///
/// # Errors
/// When the office does not give it. The cursor stays where it was.
pub fn poll(host: &dyn Host, office: &Office, cursor: Option<&str>) -> Result<Page, Disposition> {
    let mut cursor = Cursor::read(cursor)?;
    let api = Api::new(host, &office.url);
    // Also while documents are being read: the first pass of an old office takes hours.
    let (observations, more) = cursor.patients(host, office, &api)?;
    let taken = if more {
        Taken::default()
    } else {
        cursor.documents.step(host, office, &api, cursor.watermark)
    };
    let mut page = cursor.page(observations, more || taken.more)?;
    page.images = taken.images;
    Ok(page)
}

/// What a row says, as an observation, and which record took its place.
#[must_use]
pub fn observation(
    row: &Row<'_>,
    survivor: Option<PatNum>,
    office: &Office,
    clock: Option<Offset>,
    now_ms: u64,
) -> Observation {
    Observation {
        local_id: row.pat_num.to_string(),
        patient: map::patient(row, &office.system),
        source: SourceRecord::json(FORMAT, row.verbatim),
        observed_at_ms: clock
            .zip(row.stamp)
            .and_then(|(clock, stamp)| clock.utc_ms(stamp, now_ms)),
        actor: None,
        merged_into: survivor.map(|survivor| survivor.to_string()),
    }
}

/// The office's clock as far as it is known.
#[must_use]
pub fn known_clock(host: &dyn Host) -> Option<Offset> {
    recall(host, CLOCK)
}

/// An answer that is no list of rows. The office may be in the middle of an update of its programs.
pub fn unreadable() -> Disposition {
    Disposition::retry("unreadable-answer", Duration::from_secs(30))
}

impl Cursor {
    fn read(text: Option<&str>) -> Result<Self, Disposition> {
        let Some(text) = text else {
            return Ok(Self::default());
        };
        serde_json::from_str(text).map_err(|_| Disposition::rejected("cursor-unreadable"))
    }

    /// Reads the next page of patients. Tells whether there is more to be had now.
    fn patients(
        &mut self,
        host: &dyn Host,
        office: &Office,
        api: &Api<'_>,
    ) -> Result<(Vec<Observation>, bool), Disposition> {
        if self.merges.has_late() {
            return self.follow(Next::Links, host, office, api);
        }
        if self.is_long_quiet(host.now_ms()) {
            let body = api.simple(&[("Limit", "1".into())])?;
            self.ask_the_time(host, Rows::parse(&body).ok_or_else(unreadable)?.server_time);
            return Ok((Vec::new(), true));
        }
        let body = api.simple(&self.filters(office))?;
        let rows = Rows::parse(&body).ok_or_else(unreadable)?;
        self.begin_page(host, rows.server_time);
        let mut observations = self.take(host, office, api, &rows)?;
        let next = self.advance(host, office, &rows);
        let (late, more) = self.follow(next, host, office, api)?;
        observations.extend(late);
        Ok((observations, more))
    }

    /// Whether nothing was heard of the office's clock for long, between two passes.
    fn is_long_quiet(&self, now_ms: u64) -> bool {
        let quiet = Duration::from_millis(now_ms.saturating_sub(self.heard_ms)) > QUIET;
        self.watermark.is_some() && self.walk.is_at_start() && quiet
    }

    fn filters(&self, office: &Office) -> Vec<(&'static str, String)> {
        let since = self
            .watermark
            .map(|watermark| ("DateTStamp", watermark.minus(office.overlap).text()));
        let paging = [
            ("Offset", self.walk.offset().to_string()),
            ("Limit", office.page_size.to_string()),
        ];
        since.into_iter().chain(paging).collect()
    }

    /// Between two passes: what the office's clock shows.
    fn ask_the_time(&mut self, host: &dyn Host, server_time: Option<OfficeTime>) {
        self.heard_ms = host.now_ms();
        if let Some(server_time) = server_time
            && let Some(back) = self.hear(host, server_time)
        {
            self.watermark = earliest([self.watermark, Some(server_time)], back);
        }
    }

    /// At each page of a pass: the first one sets what the next pass begins with.
    fn begin_page(&mut self, host: &dyn Host, server_time: Option<OfficeTime>) {
        let Some(server_time) = server_time else { return };
        match self.hear(host, server_time) {
            None => self.next = self.next.or(Some(server_time)),
            Some(back) => {
                self.next = earliest([self.next, self.watermark, Some(server_time)], back);
                self.again = true;
            }
        }
    }

    /// Learns from the office's "now". Tells how many seconds the watermark has to go back because the clock changed.
    fn hear(&mut self, host: &dyn Host, server_time: OfficeTime) -> Option<i64> {
        let now_ms = host.now_ms();
        self.heard_ms = now_ms;
        let before = self.clock;
        let kept = before.filter(|clock| clock.fits(server_time, now_ms));
        let clock = kept.unwrap_or_else(|| Offset::learn(server_time, now_ms));
        self.clock = Some(clock);
        if known_clock(host) != Some(clock) {
            remember(host, CLOCK, &clock);
        }
        let moved = before.map_or(0, |before| (clock.minutes() - before.minutes()).abs() * 60);
        let went_back = self.walk.is_at_start()
            && self
                .watermark
                .is_some_and(|watermark| watermark.since(server_time) > JITTER);
        if moved == 0 && !went_back {
            return None;
        }
        let back = moved.max(CLOCK_CHANGE);
        self.seen = Seen::default();
        let numbers = [("offset-minutes", clock.minutes()), ("back-seconds", back)];
        host.log(Level::Info, "office-clock-changed", &numbers);
        Some(back)
    }

    /// The observations of a page: what was not sent before.
    fn take(
        &mut self,
        host: &dyn Host,
        office: &Office,
        api: &Api<'_>,
        rows: &Rows<'_>,
    ) -> Result<Vec<Observation>, Disposition> {
        let mut new = Vec::new();
        for row in rows.rows.iter().take(MOST_ROWS).flatten() {
            if self.seen.has(row) || self.walk.has_passed(row) {
                continue;
            }
            self.seen.add(row);
            new.push(row);
        }
        report(host, self.walk.offset(), rows, new.len());
        self.observe(host, office, api, &new)
    }

    /// What rows say, those of merged records last.
    fn observe(
        &mut self,
        host: &dyn Host,
        office: &Office,
        api: &Api<'_>,
        rows: &[&Row<'_>],
    ) -> Result<Vec<Observation>, Disposition> {
        let survivors = self.merges.survivors(host, api, rows)?;
        let observe = |row: &&Row<'_>| {
            let survivor = survivors.get(&row.pat_num).copied();
            observation(row, survivor, office, self.clock, host.now_ms())
        };
        let mut observations: Vec<_> = rows.iter().map(observe).collect();
        observations.sort_by_key(|observation| observation.merged_into.is_some());
        Ok(observations)
    }

    /// Records that were merged without a page that told of it.
    fn late(
        &mut self,
        host: &dyn Host,
        office: &Office,
        api: &Api<'_>,
    ) -> Result<Vec<Observation>, Disposition> {
        let mut bodies = Vec::new();
        for pat_num in self.merges.next_late(host, api)? {
            // A record that is not there has nothing to say any more.
            bodies.extend(api.patient(pat_num)?);
        }
        let texts = bodies.iter().filter_map(|body| str::from_utf8(body).ok());
        let rows: Vec<_> = texts.filter_map(Row::parse).collect();
        if rows.len() < bodies.len() {
            let unread = [("rows", count(bodies.len() - rows.len()))];
            host.log(Level::Warn, "merged-rows-unreadable", &unread);
        }
        let mut observations = self.observe(host, office, api, &rows.iter().collect::<Vec<_>>())?;
        observations.retain(|observation| observation.merged_into.is_some());
        Ok(observations)
    }

    /// What follows: late links, and whether there is more to be had now.
    fn follow(
        &mut self,
        next: Next,
        host: &dyn Host,
        office: &Office,
        api: &Api<'_>,
    ) -> Result<(Vec<Observation>, bool), Disposition> {
        let (late, more) = match next {
            Next::Page => (Vec::new(), true),
            Next::Rest => (Vec::new(), false),
            Next::Links => {
                let late = self.late(host, office, api)?;
                (late, self.merges.has_late() || std::mem::take(&mut self.again))
            }
        };
        if !self.merges.begins_again() {
            return Ok((late, more));
        }
        host.log(Level::Info, "merges-readable", &[]);
        self.walk = Walk::default();
        (self.watermark, self.next, self.seen) = (None, None, Seen::default());
        Ok((late, true))
    }

    /// Moves on.
    fn advance(&mut self, host: &dyn Host, office: &Office, rows: &Rows<'_>) -> Next {
        let next = match self.walk.step(rows, office.page_size) {
            Step::On(walk) => {
                self.walk = walk;
                Next::Page
            }
            Step::Again(walk) => {
                host.log(
                    Level::Warn,
                    "pages-drifted",
                    &[("offset", count(self.walk.offset()))],
                );
                self.walk = walk;
                Next::Page
            }
            Step::Complete => {
                self.walk = Walk::default();
                if let Some(watermark) = self.watermark {
                    self.merges.begin_late(watermark.minus(office.overlap));
                }
                self.watermark = self.next.take().or(self.watermark);
                Next::Links
            }
            Step::GivenUp => {
                host.log(
                    Level::Warn,
                    "pages-drift-too-much",
                    &[("offset", count(self.walk.offset()))],
                );
                self.walk = Walk::default();
                self.next = None;
                Next::Rest
            }
        };
        self.forget(office);
        next
    }

    /// Forgets what cannot come again: what this pass and the next one do not ask for.
    fn forget(&mut self, office: &Office) {
        if let Some(from) = earliest([self.next, self.watermark], office.overlap) {
            self.seen.forget_before(from);
            self.merges.forget_before(from);
        }
    }

    fn page(&self, observations: Vec<Observation>, more: bool) -> Result<Page, Disposition> {
        let cursor = serde_json::to_string(self).map_err(|_| Disposition::rejected("cursor-unwritable"))?;
        Ok(Page {
            observations,
            images: Vec::new(),
            cursor,
            more,
        })
    }
}

/// The earliest of some times, less some seconds.
fn earliest<const N: usize>(times: [Option<OfficeTime>; N], back: i64) -> Option<OfficeTime> {
    times.into_iter().flatten().min().map(|time| time.minus(back))
}

fn report(host: &dyn Host, offset: usize, rows: &Rows<'_>, new: usize) {
    let unreadable: Vec<_> = rows
        .rows
        .iter()
        .enumerate()
        .filter(|(_, row)| row.is_none())
        .map(|(place, _)| place)
        .collect();
    for place in unreadable.iter().take(MOST_PLACES) {
        host.log(
            Level::Warn,
            "row-unreadable",
            &[("position", count(offset + place))],
        );
    }
    host.log(
        Level::Debug,
        "page-read",
        &[
            ("rows", count(rows.rows.len())),
            ("new", count(new)),
            ("unreadable", count(unreadable.len())),
        ],
    );
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
