//! Brings events to the systems of the practice: hops 6 to 8 of the way of a change.
//!
//! One dispatcher per system reads the log through a durable consumer. What it gets says only *whom* there is something to
//! tell about; what that is, is asked of the registry when it is delivered, so that what waits costs little, is never stale,
//! and may come in any order. Each patient has a lane, and patients do not wait for each other: there are [`MOST_LANES`] for
//! events and [`MOST_ASKED`] for those whom somebody wants looked at, and the rest waits in the log. A lane holds at most one
//! event, which is acknowledged after the system showed its state back, or after it was parked with its reason, so that a
//! restart repeats what was not finished.
//!
//! | module | what it is |
//! |---|---|
//! | `book` | who waits, and which event stands for that: pure |
//! | `tries` | when an attempt is made again, and when given up: pure |
//! | `breaker` | when a system is left alone |
//! | `board` | the book, with the events and those who wait for it |
//! | `lane` | the job of one lane |
//! | `attempt`, `create` | look, write, read back, settle; the first time, create |
//! | `parking` | what is given up, and how that ends |
//! | `images` | the same for images, which have no queue |
//! | `turn` | when a system may be called |
//! | `desk` | what others may see and ask |
//! | `traced` | the lanes' places in traces |

mod attempt;
mod board;
mod book;
mod breaker;
mod create;
mod desk;
mod ended;
mod images;
mod lane;
mod parking;
mod traced;
mod tries;
mod turn;

pub use book::{MOST_ASKED, MOST_LANES, MOST_PUT_OFF};
pub use breaker::{Breaker, BreakerState, Outage, Pass, Purpose};
pub use desk::{Desk, DeskStatus};
pub use images::{AT_A_TIME as IMAGES_AT_A_TIME, ImageDesk, ImageDeskStatus, ImageRunner};
pub use turn::Permission;

use crate::{failpoint::reach, parked::ParkedStore, registry::Registry};
use archwire_core::{EventKind, PatientId, Priority};
use archwire_host::Connector;
use archwire_nats::{Deliveries, HandedOut, Work};
use board::Taken;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use lane::Shared;
use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{interval, sleep},
};
use tokio_util::sync::CancellationToken;

/// How long the log waits for a sign of life of an event that is held. What was held by a broker that is gone comes again
/// after that time; a start does not wait for it, see [`Dispatcher::run`].
pub const ACK_WAIT: Duration = Duration::from_secs(20);
/// Between two attempts to read a log that does not answer.
const BETWEEN_READS: Duration = Duration::from_millis(500);
/// How long the log keeps to itself what it was given back at a stop.
const GIVEN_BACK_FOR: Duration = Duration::from_millis(100);
/// Most events of a system that the queue may have handed out: those of the lanes, and those that were given back for a while
/// because too many patients failed. Beyond that, nothing more comes until some are settled.
pub const MOST_HANDED_OUT: usize = MOST_LANES + MOST_PUT_OFF;
/// Before a lane begins anew that crashed.
const AFTER_A_CRASH: Duration = Duration::from_secs(60);
/// Events that are settled at a time because newer ones stand for them, or given back at a stop.
const SETTLED_AT_A_TIME: usize = 64;

/// Brings events to one system.
pub struct Dispatcher {
    /// Its connector.
    pub connector: Arc<Connector>,
    /// The registry.
    pub registry: Arc<Registry>,
    /// What waits in the log.
    pub deliveries: Deliveries,
    /// What was given up and waits for a person.
    pub parked: ParkedStore,
    /// Whether the system may be called.
    pub breaker: Arc<Breaker>,
    /// Where others see and ask.
    pub desk: Desk,
}

/// What runs.
struct Running {
    shared: Arc<Shared>,
    lanes: JoinSet<()>,
    settling: JoinSet<()>,
}

impl Dispatcher {
    /// Runs until `shutdown`, and then until what is being written is settled. What is not begun stays in the log.
    ///
    /// Patients of whom an earlier broker may have held an event are looked at first, as are those to whose record something
    /// is owed, and those whose parked delivery somebody asked to have tried again.
    pub async fn run(self, shutdown: CancellationToken) {
        let Self {
            connector,
            registry,
            mut deliveries,
            parked,
            breaker,
            desk,
        } = self;
        let system = desk.system().clone();
        let board = Arc::clone(desk.board());
        let shared = Arc::new(Shared {
            system: system.clone(),
            connector,
            registry: Arc::clone(&registry),
            parked,
            breaker,
            board: Arc::clone(&board),
            shutdown: shutdown.clone(),
        });
        let mut running = Running {
            shared: Arc::clone(&shared),
            lanes: JoinSet::new(),
            settling: JoinSet::new(),
        };
        let mut handed_out = deliveries.handed_out();
        shared.begin();
        shared.look_again(&mut handed_out);
        let mut signs_of_life = interval(ACK_WAIT / 3);
        while !shutdown.is_cancelled() {
            running.admit();
            tokio::select! {
                () = shutdown.cancelled() => break,
                Some(_) = running.lanes.join_next() => {}
                Some(_) = running.settling.join_next() => {}
                woken = registry.woken(&system) => woken.into_iter().for_each(|patient| board.ask(patient, Priority::Live)),
                () = board.asked() => {}
                Ok(()) = handed_out.changed() => shared.look_again(&mut handed_out),
                _ = signs_of_life.tick() => {
                    if board.is_idle() {
                        shared.breaker.nothing_to_write();
                    }
                    shared.give_signs_of_life().await;
                }
                work = deliveries.next(), if board.has_room() && running.settling.len() < SETTLED_AT_A_TIME => match work {
                    Ok(work) => running.take(work),
                    // The consumer is made anew by the next call; what was handed out comes again.
                    Err(error) => {
                        tracing::warn!(%system, code = error.code(), "the log could not be read; trying again");
                        sleep(BETWEEN_READS).await;
                    }
                },
            }
        }
        while running.lanes.join_next().await.is_some() {}
        while running.settling.join_next().await.is_some() {}
        // What is not settled need not wait for a sign of life that will not come.
        shared.give_back().await;
        deliveries.close().await;
    }
}

impl Running {
    /// Opens lanes for those who wait for one, as far as there is room.
    fn admit(&mut self) {
        while let Some(patient) = self.shared.board.admit() {
            self.open(patient);
        }
    }

    fn take(&mut self, work: Work) {
        reach("handed-out");
        let Taken { settle, opens } = match is_of_an_image(&work) {
            // Nothing about the patient follows from it: who was parked or dropped is not tried again for it.
            true => Taken {
                settle: Some(work),
                opens: None,
            },
            false => self.shared.board.take(work),
        };
        if let Some(work) = settle {
            let shared = Arc::clone(&self.shared);
            self.settling
                .spawn(async move { shared.acknowledge(&work).await });
        }
        if let Some(patient) = opens {
            self.open(patient);
        }
    }

    fn open(&mut self, patient: PatientId) {
        let shared = Arc::clone(&self.shared);
        self.lanes.spawn(async move {
            // Attempts that crash are looked after by the lane. Should the lane itself, it begins anew.
            while AssertUnwindSafe(shared.work_off(patient))
                .catch_unwind()
                .await
                .is_err()
            {
                tracing::error!(system = %shared.system, "a lane crashed; it begins anew");
                tokio::select! {
                    () = shared.shutdown.cancelled() => return,
                    () = sleep(AFTER_A_CRASH) => {}
                }
            }
        });
    }
}

/// Whether an event that was handed out tells of an image.
fn is_of_an_image(work: &Work) -> bool {
    let kinds = [
        EventKind::PatientImaged,
        EventKind::ImageAmended,
        EventKind::ImageRetracted,
    ];
    kinds
        .into_iter()
        .any(|kind| kind.cloud_event_type() == work.stored.kind)
}

impl Shared {
    /// What there is to be done at a start, whatever the queue says.
    fn begin(&self) {
        let Self {
            system,
            registry,
            parked,
            board,
            ..
        } = self;
        // What was given up waits for a person, or for the next change.
        let waits = |patient: &PatientId| {
            !parked.is_parked(system, *patient) && !registry.is_dropped(system, *patient)
        };
        // As long as these are open, nobody's unknown record is taken.
        let in_doubt = registry.index().creating_in(system);
        for patient in in_doubt.into_iter().filter(waits) {
            board.ask(patient, Priority::Interactive);
        }
        let owed = registry.index().owed(system);
        for patient in owed.into_iter().filter(waits) {
            board.ask(patient, Priority::Backfill);
        }
        for patient in parked.redriven(system) {
            board.ask(patient, Priority::Live);
        }
    }

    /// Looks at those of whom the queue has handed something out that it may wait for in vain.
    fn look_again(&self, handed_out: &mut watch::Receiver<HandedOut>) {
        let Self {
            system,
            registry,
            parked,
            board,
            ..
        } = self;
        let HandedOut { settled, up_to } = *handed_out.borrow_and_update();
        board.was_handed_out(up_to);
        if settled >= up_to {
            return;
        }
        let changed = registry.changed_between(settled, up_to);
        for patient in changed {
            if !parked.is_parked(system, patient) && !registry.is_dropped(system, patient) {
                board.ask(patient, Priority::Live);
            }
        }
    }

    /// Tells the log that what is held is not forgotten.
    async fn give_signs_of_life(&self) {
        // Nobody hears it then, and to say it would keep everything else waiting.
        if !self.registry.log().status().connected {
            return;
        }
        for work in self.board.held() {
            if let Err(error) = work.in_progress().await {
                tracing::warn!(system = %self.system, code = error.code(), "the log does not hear that events are held");
                return;
            }
        }
    }

    /// Gives the log back what is not settled, for the next start.
    async fn give_back(&self) {
        let held = stream::iter(self.board.held());
        let given_back = held.for_each_concurrent(SETTLED_AT_A_TIME, async |work| {
            if let Err(error) = work.nak(GIVEN_BACK_FOR).await {
                tracing::warn!(system = %self.system, code = error.code(), "the log was not given an event back");
            }
        });
        given_back.await;
    }
}
