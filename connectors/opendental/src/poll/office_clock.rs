//! What is learnt of the office's clock, and how far the watermark goes back when it changes.
//!
//! The office's clock is never converted. When daylight saving ends it repeats an hour, and rows changed in the
//! repeated hour look older than the watermark. So whenever the office's "now" has another distance from ours than
//! before, or is earlier than the watermark, the watermark goes back by an hour (or by as much as the clock moved, if
//! that is more) and everything sent is forgotten, because two changes of one patient in the two hours may show the
//! same time. A quiet office shows no "now", so a call asks for one row after [`QUIET`] without one.

use super::{Cursor, earliest};
use crate::clock::{OfficeTime, Offset};
use crate::host::{Host, recall, remember};
use crate::seen::Seen;
use archwire_connector::log::Level;
use std::time::Duration;

/// How long a quiet office is trusted to keep its clock.
const QUIET: Duration = Duration::from_secs(15 * 60);

/// How far the watermark goes back at least when the office's clock changes, in seconds.
const CLOCK_CHANGE: i64 = 3_600;

/// How much earlier than the watermark the office's "now" may be without its clock having gone back, in seconds: the
/// programs of one office may run on several machines.
const JITTER: i64 = 60;

/// The state's key for the clock, so that `fetch` and `check` know it too.
const CLOCK: &str = "clock";

/// The office's clock as far as it is known.
#[must_use]
pub fn known_clock(host: &dyn Host) -> Option<Offset> {
    recall(host, CLOCK)
}

impl Cursor {
    /// Whether nothing was heard of the office's clock for long, between two passes.
    pub(super) fn is_long_quiet(&self, now_ms: u64) -> bool {
        let quiet = Duration::from_millis(now_ms.saturating_sub(self.heard_ms)) > QUIET;
        self.watermark.is_some() && self.walk.is_at_start() && quiet
    }

    /// Between two passes: what the office's clock shows.
    pub(super) fn ask_the_time(&mut self, host: &dyn Host, server_time: Option<OfficeTime>) {
        self.heard_ms = host.now_ms();
        if let Some(server_time) = server_time
            && let Some(back) = self.hear(host, server_time)
        {
            self.watermark = earliest([self.watermark, Some(server_time)], back);
        }
    }

    /// At each page of a pass: the first one sets what the next pass begins with.
    pub(super) fn begin_page(&mut self, host: &dyn Host, server_time: Option<OfficeTime>) {
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
}
