//! Removes bytes that no image has: uploads that nobody went on with, files that were not taken, images that a person gave up.
//!
//! They are kept for as long as configured first, because an upload may yet go on, and bytes come before the event that tells
//! of them. Every night at half past three in the practice, and an hour after each start, so that a broker that runs by day only
//! collects too. What an event ever told of stays for ever. What was removed by itself is noted in the audit.

use crate::{
    audit::{Action, Audit},
    registry::Registry,
};
use archwire_nats::{Collected, ImageStore, ImageStoreError};
use jiff::{Timestamp, ToSpan as _, Zoned, civil::Time, tz::TimeZone};
use std::{sync::Arc, time::Duration};
use tokio::{sync::Mutex, time::sleep};
use tokio_util::sync::CancellationToken;

/// At that time of the practice's day.
const HOUR: (i8, i8) = (3, 30);
/// And so long after a start.
const AFTER_START: Duration = Duration::from_secs(3600);
/// Between two looks at the clock, which may be set.
const BETWEEN_LOOKS: Duration = Duration::from_secs(60);

/// Removes what nobody uses; cheap to clone.
#[derive(Clone)]
pub struct Collector {
    store: ImageStore,
    registry: Arc<Registry>,
    audit: Audit,
    grace: Duration,
    zone: TimeZone,
    /// One at a time.
    collecting: Arc<Mutex<()>>,
}

impl Collector {
    /// A collector that keeps for `grace` what the registry does not use, and works at night in `zone`.
    #[must_use]
    pub fn new(
        store: ImageStore,
        registry: Arc<Registry>,
        audit: Audit,
        grace: Duration,
        zone: TimeZone,
    ) -> Self {
        Self {
            store,
            registry,
            audit,
            grace,
            zone,
            collecting: Arc::default(),
        }
    }

    /// Removes what nobody uses, or with `dry_run` only tells how much that is.
    ///
    /// # Errors
    /// When not all of it was found or removed.
    pub async fn collect(&self, dry_run: bool) -> Result<Collected, ImageStoreError> {
        let _one = self.collecting.lock().await;
        let registry = Arc::clone(&self.registry);
        let in_use = move |digest: &_| registry.uses(digest);
        match dry_run {
            true => self.store.collectable(self.grace, in_use).await,
            false => self.store.collect(self.grace, in_use).await,
        }
    }

    /// Collects every night, until `shutdown`.
    pub async fn nightly(self, shutdown: CancellationToken) {
        let nights = async {
            let started = Timestamp::now();
            let mut next = self.next(started).min(started + AFTER_START);
            loop {
                sleep(BETWEEN_LOOKS).await;
                let now = Timestamp::now();
                if now >= next {
                    next = self.next(now);
                    self.at_night().await;
                }
                // A clock that was wrong must not put it off for longer than a night.
                next = next.min(self.next(now));
            }
        };
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = nights => {}
        }
    }

    /// The next time of night after `now`.
    fn next(&self, now: Timestamp) -> Timestamp {
        let (hour, minute) = HOUR;
        let today = now.to_zoned(self.zone.clone()).date();
        let at = Time::new(hour, minute, 0, 0).unwrap_or_default();
        let nights = (0..3).filter_map(|days| {
            let night = today.checked_add(days.days()).ok()?.to_datetime(at);
            night.to_zoned(self.zone.clone()).ok()
        });
        let mut nights = nights.map(|night: Zoned| night.timestamp());
        nights
            .find(|night| *night > now)
            .unwrap_or(now.saturating_add(24.hours()).unwrap_or(now))
    }

    async fn at_night(&self) {
        let collected = match self.collect(false).await {
            Ok(collected) => collected,
            Err(error) => {
                let code = error.code();
                tracing::warn!(
                    code,
                    "what no image uses was not all removed; it will be the next night"
                );
                return;
            }
        };
        let Collected {
            images,
            uploads,
            bytes,
        } = collected;
        tracing::info!(images, uploads, bytes, "bytes that no image has were looked for");
        if images + uploads == 0 {
            return;
        }
        let words =
            format!("{images} images that nobody has, {uploads} uploads without an end, {bytes} bytes");
        if let Err(error) = self.audit.note(Action::CollectImages, None, words).await {
            tracing::error!(code = error.code(), "what was removed is not in the audit");
        }
    }
}
