//! The job of one image: brings it to the system, or finds out why that cannot be.

use super::{
    attempt::{Attempt, Step},
    board::Board,
    book::Begun,
};
use crate::{
    dispatch::{
        Breaker, Permission, Purpose,
        ended::{Brought, Failure},
        lane::{count, guarded},
        tries::{LONGEST_PAUSE, Next, Tries},
    },
    parked::ParkedStore,
    registry::Registry,
    telemetry::traces,
};
use archwire_core::{ImageId, Priority, SystemName, span};
use archwire_host::Connector;
use futures_util::FutureExt as _;
use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, Span, field::Empty, info_span};

/// What all that is sent to a system shares.
pub(super) struct Shared {
    pub(super) system: SystemName,
    pub(super) connector: Arc<Connector>,
    pub(super) registry: Arc<Registry>,
    pub(super) parked: ParkedStore,
    /// Whether the system may be called for images.
    pub(super) breaker: Arc<Breaker>,
    /// The one of everything else.
    pub(super) system_breaker: Arc<Breaker>,
    pub(super) board: Arc<Board>,
    /// Whether no image is taken of a patient of whom the system has no record.
    pub(super) needs_record: bool,
    pub(super) shutdown: CancellationToken,
}

/// How it ended.
enum Round {
    Over(Brought),
    Parked,
    /// Another attempt, after that time.
    Again(Duration),
    /// The broker stops.
    Stopped,
}

impl Shared {
    /// Brings one image, and says in the book what is next for it.
    pub(super) async fn bring(&self, begun: Begun) {
        let Begun {
            image,
            mut tries,
            is_hurried,
        } = begun;
        let lane = info_span!(
            target: span::TARGET, parent: None, span::LANE, system = %self.system, outcome = Empty, code = Empty,
            otel.status_code = Empty
        );
        self.place(image, &lane).await;
        let round = self.round(image, is_hurried, &mut tries).instrument(lane.clone());
        // Attempts that crash are looked after in there. Should the rest, it is tried again.
        let round = AssertUnwindSafe(round).catch_unwind().await.unwrap_or_else(|_| {
            tracing::error!(system = %self.system, %image, "bringing an image crashed; it will be tried again");
            Round::Again(LONGEST_PAUSE)
        });
        match round {
            Round::Over(Brought::Held) => {
                lane.record("outcome", Brought::Held.name());
                self.board.hold(image);
            }
            Round::Over(brought) => {
                lane.record("outcome", brought.name());
                self.board.finish(image);
            }
            Round::Parked => {
                lane.record("outcome", "parked");
                self.board.finish(image);
            }
            Round::Again(wait) => self.board.back_off(image, tries, wait),
            Round::Stopped => {}
        }
    }

    async fn round(&self, image: ImageId, is_hurried: bool, tries: &mut Tries) -> Round {
        let attempt = Attempt {
            system: &self.system,
            registry: &self.registry,
            connector: &self.connector,
            image,
            needs_record: self.needs_record,
            number: tries.number(),
        };
        let ended = match attempt.next() {
            Step::Over(brought) => Ok(brought),
            Step::Send(_) => {
                let Some(mut permission) = self.permitted(is_hurried).await else {
                    return Round::Stopped;
                };
                let run = Box::pin(guarded(attempt.run(&mut permission)));
                let ended = run.await.and_then(|ended| ended);
                permission.heed(self.connector.account(), &ended);
                ended
            }
        };
        match ended {
            Ok(brought) => self.over(image, brought).await,
            Err(failure) => self.failed(image, failure, tries).await,
        }
    }

    /// Waits until the system may be called; `None` when the broker stops.
    async fn permitted(&self, is_hurried: bool) -> Option<Permission<'_>> {
        let priority = match is_hurried {
            true => Priority::Interactive,
            false => Priority::Backfill,
        };
        let permission = Permission::obtain(
            &self.breaker,
            self.connector.account(),
            Purpose::Writing,
            priority,
        );
        self.shutdown.run_until_cancelled(permission).await
    }

    async fn over(&self, image: ImageId, brought: Brought) -> Round {
        if brought == Brought::Written {
            self.board.succeeded();
        }
        match self.tidy(image, brought).await {
            Ok(()) => Round::Over(brought),
            Err(code) => {
                let system = &self.system;
                tracing::warn!(%system, %image, code, "what is left of a parked image stays for now");
                Round::Again(LONGEST_PAUSE)
            }
        }
    }

    async fn failed(&self, image: ImageId, failure: Failure, tries: &mut Tries) -> Round {
        let (system, attempts) = (&self.system, tries.number());
        let readings = self.system_breaker.readings_of(&self.connector);
        match tries.after(failure, self.board.failed(image, readings)) {
            Next::Again(wait, trouble) => {
                count(system, &trouble);
                tracing::warn!(%system, %image, attempts, reason = trouble.why.code, "an image will be tried again");
                Round::Again(wait)
            }
            Next::Park(trouble) => {
                count(system, &trouble);
                match self.park(image, attempts, &trouble).await {
                    Ok(()) => {
                        traces::failed(&Span::current(), trouble.class);
                        Round::Parked
                    }
                    Err(code) => {
                        tracing::error!(%system, %image, code, "an image could not be parked; it will be tried again");
                        Round::Again(LONGEST_PAUSE)
                    }
                }
            }
        }
    }

    /// Has it go on in the trace of the image's last event. Costs a look at the log, and only where traces are collected.
    async fn place(&self, image: ImageId, lane: &Span) {
        if !lane.is_disabled()
            && let Some(known) = self.registry.image(image)
            && let Ok(told) = self.registry.image_told_at(image, known.sequence).await
        {
            traces::continue_from(lane, told.traceparent.as_deref());
        }
    }
}
