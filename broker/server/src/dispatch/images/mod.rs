//! Brings images to the systems of the practice.
//!
//! Beside the lanes of patients and without a queue of its own: which images a system lacks follows from the index. One runner a
//! system sends [`AT_A_TIME`] at a time and one of each patient, so that a thousand of one patient keep nobody else waiting. A
//! system that takes patients is sent an image only when it has a record of the patient.
//!
//! **Images and patients share an account.** An image waits for its turn behind everything that happens, but for no longer
//! than what has time ([`Priority::Backfill`], 30 s), and gives it back after 20 s while it goes on, see
//! [`Permission::during`]: so an upload of half an hour holds up neither lanes nor polls, and at most half of the turns go to
//! images when there is only one. What an account allows at a time counts for requests all the same: where that is one, an upload that
//! is under way is that one, and the others are told to come again until it is over; nothing is parked because of that.
//!
//! **They do not share the breaker.** A key that is good for patients may not be for images: what refuses images does not keep
//! patients waiting, and the other way round.
//!
//! | module | what it is |
//! |---|---|
//! | `line`, `book` | which images wait, and whose turn it is: pure |
//! | `board` | the book, for those who share it, and what others may see and ask |
//! | `runner` | one image, until nothing is left to do |
//! | `pass` | how far a pass over all images is: pure |
//! | `attempt` | note, send, read back, settle |
//! | `stray` | what an earlier attempt may have sent to somewhere else |
//! | `parking` | what is given up, and how that ends |
//! | `receipt` | the receipt of how bringing an image ended |

mod attempt;
mod board;
mod book;
mod line;
mod parking;
mod pass;
mod receipt;
mod runner;
mod stray;

pub use board::{ImageDesk, ImageDeskStatus};
pub use book::AT_A_TIME;

use super::Breaker;
use crate::{parked::ParkedStore, registry::Registry};
use archwire_core::{ImageId, Priority};
use archwire_host::{Ability, Connector};
use pass::{AT_A_LOOK, Pass};
use runner::Shared;
use std::{future::pending, sync::Arc, time::Duration};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

/// How long a stop waits for what is being sent. What takes longer is in doubt afterwards, and looked for at the next start.
const LONGEST_STOP: Duration = Duration::from_secs(10);

/// Brings images to one system.
pub struct ImageRunner {
    /// Its connector.
    pub connector: Arc<Connector>,
    /// The registry.
    pub registry: Arc<Registry>,
    /// What was given up and waits for a person.
    pub parked: ParkedStore,
    /// Counts how often the system is read, which says whether it is there.
    pub breaker: Arc<Breaker>,
    /// Where others see and ask. Whether the system takes images at all is for a breaker of its own.
    pub desk: ImageDesk,
}

impl ImageRunner {
    /// Runs until `shutdown`, and then until what is being sent is settled, for at most 10 s.
    pub async fn run(self, shutdown: CancellationToken) {
        let Self {
            connector,
            registry,
            parked,
            breaker,
            desk,
        } = self;
        let board = Arc::clone(desk.board());
        let abilities = &connector.component().description().abilities;
        let needs_record = abilities.contains(&Ability::Deliver);
        let shared = Arc::new(Shared {
            system: desk.system().clone(),
            needs_record,
            connector,
            registry,
            parked,
            system_breaker: breaker,
            breaker: Arc::clone(desk.breaker()),
            board,
            shutdown: shutdown.clone(),
        });
        let mut sending = JoinSet::new();
        let mut pass = Pass::new(Instant::now());
        shared.registry.delivers_images(&shared.system);
        shared.begin();
        while !shutdown.is_cancelled() {
            while let Some(begun) = shared.board.begin() {
                let shared = Arc::clone(&shared);
                sending.spawn(async move { shared.bring(begun).await });
            }
            if shared.board.is_idle() {
                shared.breaker.nothing_to_write();
            }
            tokio::select! {
                () = shutdown.cancelled() => {}
                Some(_) = sending.join_next() => {}
                woken = shared.registry.images_woken(&shared.system) => shared.want(woken),
                () = shared.board.asked() => {}
                () = until(shared.board.next_time()) => shared.board.release(),
                () = sleep_until(pass.next_time()) => shared.look_on(&mut pass),
            }
        }
        let settled = async { while sending.join_next().await.is_some() {} };
        if timeout(LONGEST_STOP, settled).await.is_err() {
            tracing::info!(system = %shared.system, "images are still being sent; the next start looks for them");
        }
        sending.shutdown().await;
    }
}

impl Shared {
    /// What there is to be done at a start.
    fn begin(&self) {
        self.want(self.registry.images_due(&self.system));
        for image in self.parked.redriven_images(&self.system) {
            self.board.ask(image, Priority::Live);
        }
        // What was given up may have come to its end while nobody was here.
        let over = self.parked.images(&self.system);
        let over = over
            .into_iter()
            .filter(|image| self.registry.image_due(&self.system, *image).is_none());
        over.for_each(|image| self.board.ask(image, Priority::Backfill));
    }

    /// Looks at the next piece of all images.
    fn look_on(&self, pass: &mut Pass) {
        let looked = self
            .registry
            .images_due_behind(&self.system, pass.after(), AT_A_LOOK);
        let (due, up_to) = looked;
        self.want(due);
        pass.looked(up_to, Instant::now());
    }

    /// Images may be due to the system. What was given up waits for a person, or for news of it.
    fn want(&self, images: Vec<ImageId>) {
        for image in images {
            let line = self.parked.line_of(&self.system, image);
            let is_wanted = match (self.registry.image_due(&self.system, image), line) {
                (Some(due), Some(line)) => line.redriven || line.sequence < due.sequence,
                (Some(_), None) | (None, Some(_)) => true,
                (None, None) => self.board.waits(image),
            };
            if is_wanted {
                self.board.ask(image, Priority::Backfill);
            }
        }
    }
}

async fn until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => pending().await,
    }
}
