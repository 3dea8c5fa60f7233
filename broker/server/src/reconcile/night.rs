//! When a system is compared by itself: every night at the same hour of the practice's clock.
//!
//! Once a night, whatever the clock does: an hour that does not exist when daylight saving begins is taken as the one after
//! it, and of one that comes twice the first. A broker that was not there at the hour compares at its next start, if that is
//! within [`GRACE`], or if the last comparison is longer ago than [`LONGEST_AGO`]; in both cases after the system was polled
//! to its end. A comparison that fails is tried again the next night.

use super::Reconciler;
use crate::{audit::Action, config::Reconcile};
use archwire_core::SystemName;
use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use std::time::Duration;
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

/// How late a comparison may still begin.
const GRACE: Duration = Duration::from_secs(60 * 60);
/// After that long without a comparison, the hour does not matter.
const LONGEST_AGO: Duration = Duration::from_secs(36 * 60 * 60);
/// Between two looks at the clock, which may be set.
const BETWEEN_LOOKS: Duration = Duration::from_secs(15);
/// How long a poll to the end is waited for.
const LONGEST_POLL: Duration = Duration::from_secs(600);

/// When a system is compared by itself.
#[derive(Debug, Clone)]
pub struct Night {
    /// The system.
    pub system: SystemName,
    /// When, and what to do about what is found.
    pub order: Reconcile,
    /// Whose clock counts.
    pub zone: TimeZone,
}

impl Night {
    /// Whether the system is to be compared now, when it was last at `last`.
    fn is_due(&self, now: Timestamp, last: Timestamp) -> bool {
        // A clock that was wrong when it was last compared must not keep it from being compared for ever.
        let last = Some(last).filter(|last| seconds(*last, now) > -GRACE.as_secs_f64());
        let is_long_ago = |last| seconds(last, now) >= LONGEST_AGO.as_secs_f64();
        if last.is_some_and(is_long_ago) {
            return true;
        }
        let today = now.to_zoned(self.zone.clone()).date();
        // Around midnight the last hour may be yesterday's, and a practice that crosses the date line loses a whole day.
        let hours = (0..3).filter_map(|days| {
            let date = today.checked_sub(days.days()).ok()?;
            let hour = date.to_datetime(self.order.at);
            self.zone.to_ambiguous_timestamp(hour).compatible().ok()
        });
        let hour = hours.filter(|hour| *hour <= now).max();
        hour.is_some_and(|hour| {
            last.is_none_or(|last| last < hour) && seconds(hour, now) < GRACE.as_secs_f64()
        })
    }
}

fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64()
}

impl Reconciler {
    /// Compares a system every night, until `shutdown`.
    pub async fn nightly(self, night: Night, shutdown: CancellationToken) {
        let nights = async {
            let mut last = self.last_night(&night.system).await;
            loop {
                let now = Timestamp::now();
                if night.is_due(now, last) {
                    self.polled(&night.system).await;
                    last = now;
                    self.compare_at_night(&night).await;
                }
                sleep(BETWEEN_LOOKS).await;
            }
        };
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = nights => {}
        }
    }

    /// When the system was last compared; when it never was, since when that has been asked for.
    async fn last_night(&self, system: &SystemName) -> Timestamp {
        loop {
            match self.began_last(system).await {
                Ok(last) => return last,
                Err(error) => {
                    tracing::warn!(%system, code = error.code(), "it is not known when the system was last compared");
                }
            }
            sleep(BETWEEN_LOOKS).await;
        }
    }

    /// Waits until the system was polled to its end since the start, so that nothing is reported that is about to be heard.
    async fn polled(&self, system: &SystemName) {
        let Some(system) = self.system(system) else { return };
        let began = Instant::now();
        while system.is_polled() && system.last_poll.get().is_none() && began.elapsed() < LONGEST_POLL {
            sleep(Duration::from_millis(250)).await;
        }
    }

    async fn compare_at_night(&self, night: &Night) {
        let Night { system, order, .. } = night;
        let compared = async {
            let begun = self.begin(system)?;
            if order.repair {
                let words = "every night, as configured".to_owned();
                self.audit().note(Action::Repair, Some(system), words).await?;
            }
            begun.run(order.repair, &watch::Sender::default()).await
        };
        match compared.await {
            Ok(report) => {
                tracing::info!(%system, findings = report.found(), "the system was compared with the log")
            }
            Err(error) => tracing::warn!(
                %system,
                code = error.code(),
                "the system could not be compared with the log; it will be the next night"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::Time;

    fn night(zone: &str, at: &str) -> Night {
        Night {
            system: "front-desk".parse().unwrap(),
            order: Reconcile {
                at: at.parse::<Time>().unwrap(),
                repair: false,
            },
            zone: TimeZone::get(zone).unwrap(),
        }
    }

    /// When a system is compared between two moments if somebody looks at the clock every five minutes.
    fn compared(night: &Night, from: &str, days: i64, is_up: impl Fn(Timestamp) -> bool) -> Vec<Timestamp> {
        let from: Timestamp = from.parse().unwrap();
        let end = from + (days * 24).hours();
        let (mut now, mut last, mut times) = (from, from, Vec::new());
        while now < end {
            if is_up(now) && night.is_due(now, last) {
                last = now;
                times.push(now);
            }
            now += 5.minutes();
        }
        times
    }

    /// Nights around changes of the clock, of half an hour, of an hour, at midnight, of a whole day.
    const CHANGES: [(&str, &str, i64); 10] = [
        ("UTC", "2026-03-01T12:00:00Z", 10),
        ("America/Los_Angeles", "2026-03-05T20:00:00Z", 8),
        ("America/Los_Angeles", "2026-10-28T20:00:00Z", 8),
        ("Europe/London", "2026-03-25T12:00:00Z", 8),
        ("Europe/London", "2026-10-21T12:00:00Z", 8),
        ("Australia/Lord_Howe", "2026-04-01T00:00:00Z", 8),
        ("Australia/Lord_Howe", "2026-10-01T00:00:00Z", 8),
        ("America/Sao_Paulo", "2018-11-01T15:00:00Z", 8),
        ("Asia/Kathmandu", "2026-03-01T06:00:00Z", 8),
        ("Pacific/Apia", "2011-12-26T22:00:00Z", 8),
    ];

    #[test]
    fn whatever_the_clock_does_a_system_is_compared_once_a_night() {
        for (zone, from, days) in CHANGES {
            for at in [
                "00:00", "00:30", "01:30", "01:45", "02:00", "02:15", "02:30", "03:00", "13:00", "23:59",
            ] {
                let night = night(zone, at);
                let times = compared(&night, from, days, |_| true);
                let dates: std::collections::BTreeSet<_> = times
                    .iter()
                    .map(|time| time.to_zoned(night.zone.clone()).date())
                    .collect();
                let count = i64::try_from(times.len()).unwrap();
                assert_eq!(dates.len(), times.len(), "{zone} at {at}: twice in one night");
                assert!(
                    (count - days).abs() <= 1,
                    "{zone} at {at}: {count} times in {days} days"
                );
                for pair in times.windows(2) {
                    let hours = seconds(pair[0], pair[1]) / 3600.0;
                    assert!((22.9..=25.1).contains(&hours), "{zone} at {at}: {hours} h apart");
                }
            }
        }
    }

    #[test]
    fn the_hour_that_does_not_exist_is_the_one_after_it_and_the_one_that_comes_twice_is_the_first() {
        let night = night("America/Los_Angeles", "02:30");
        for (from, expected) in [
            ("2026-03-08T08:00:00Z", "2026-03-08T10:30:00Z"),
            ("2026-11-01T07:00:00Z", "2026-11-01T10:30:00Z"),
        ] {
            assert_eq!(compared(&night, from, 1, |_| true), [expected.parse().unwrap()]);
        }
        let twice = self::night("America/Los_Angeles", "01:30");
        let times = compared(&twice, "2026-11-01T07:00:00Z", 1, |_| true);
        assert_eq!(times, ["2026-11-01T08:30:00Z".parse().unwrap()]);
    }

    #[test]
    fn a_broker_that_was_not_there_compares_within_the_hour_and_otherwise_after_a_day_and_a_half() {
        let night = night("UTC", "02:30");
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let last = at("2026-03-01T02:30:00Z");
        for (now, is_due) in [
            ("2026-03-01T02:31:00Z", false),
            ("2026-03-02T02:29:59Z", false),
            ("2026-03-02T02:30:00Z", true),
            ("2026-03-02T03:29:59Z", true),
            ("2026-03-02T03:30:00Z", false),
            ("2026-03-02T14:29:59Z", false),
            ("2026-03-02T14:30:00Z", true),
        ] {
            assert_eq!(night.is_due(at(now), last), is_due, "{now}");
        }
    }

    #[test]
    fn a_broker_that_runs_by_day_only_compares_every_other_day() {
        let night = night("UTC", "02:30");
        let by_day = |now: Timestamp| (7..19).contains(&now.to_zoned(TimeZone::UTC).hour());
        let times = compared(&night, "2026-03-01T12:00:00Z", 11, by_day);
        assert_eq!(times.len(), 5, "{times:?}");
    }

    #[test]
    fn a_clock_that_was_wrong_for_a_while_stops_nothing() {
        let night = night("UTC", "02:30");
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let future = at("2031-01-01T00:00:00Z");
        assert!(!night.is_due(at("2026-03-02T02:29:00Z"), future));
        assert!(night.is_due(at("2026-03-02T02:30:00Z"), future));
    }
}
