//! What changed since the last time.
//!
//! A *pass* reads all pages of `/patients/Simple?DateTStamp=`, one page a call. It asks for what changed since the
//! office's own "now" (`serverDateTime`) of the first page of the pass before, less an overlap. That covers what
//! changed while the pass before was running, the office's slower transactions, and the open question whether the API's
//! filter means "since" or "after". The watermark moves when a pass is complete and not before; pages that shift while
//! they are read are [`crate::walk`]'s business. The first pass has no watermark and reads everything.
//!
//! **The office's clock** is never converted. What is learnt of it, and what follows when it changes, is
//! `poll/office_clock.rs`; what the rows of a page say is `poll/observe.rs`.
//!
//! **Merges** are [`crate::merges`]'s business: which records of a page were merged, and which were merged although no page
//! told of them. Within a page, merged records come last, so that the bus knows before who took their place.
//!
//! **Images** that the office's staff made come after the patients, where the A-to-Z folder is granted:
//! [`crate::documents::take`].
//!
//! **Bounds**: what was sent is kept in mind within the cursor as [`crate::seen`] says. A row that cannot be read is
//! counted and logged with its place, and does not stop the pass.

mod observe;
mod office_clock;

pub use observe::observation;
pub use office_clock::known_clock;

use crate::api::Api;
use crate::clock::{OfficeTime, Offset};
use crate::documents::take::{Documents, Taken};
use crate::host::Host;
use crate::merges::Merges;
use crate::office::Office;
use crate::row::Rows;
use crate::seen::Seen;
use crate::walk::{Step, Walk};
use archwire_connector::log::Level;
use archwire_connector::{Disposition, Observation, Page};
use serde::{Deserialize, Serialize};
use std::time::Duration;

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

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
