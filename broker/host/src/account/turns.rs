//! Turns: who may set about something with an account, by urgency.
//!
//! Whoever waits has a deadline, its arrival and its [patience](Priority::patience); the earliest is let in first. So
//! those who are less urgent wait for those who are more, but for no more of them than arrived before the deadline: nobody
//! starves. Within a priority the order is that of arrival.

use archwire_core::{Priority, SystemName, metric};
use std::{
    collections::BTreeMap,
    fmt,
    future::pending,
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{
    sync::{oneshot, watch},
    time::{Instant, sleep_until},
};

/// A turn. Whoever drops it lets the next one in.
#[must_use = "a turn that is dropped is over"]
pub struct Turn(Arc<Turns>);

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Turn").field(&self.0.account).finish()
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.give_back();
    }
}

/// All turns of one account.
pub(super) struct Turns {
    account: SystemName,
    state: Mutex<State>,
    /// Until when nobody is let in; whoever waits has to know when to look again.
    pauses: watch::Sender<Option<Instant>>,
}

struct State {
    /// How many may be taken at a time.
    most: usize,
    taken: usize,
    waiting: BTreeMap<Place, Waiter>,
    arrived: u64,
    paused_until: Option<Instant>,
}

/// A place in the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    deadline: Instant,
    number: u64,
}

struct Waiter {
    priority: Priority,
    let_in: oneshot::Sender<()>,
}

impl State {
    /// Lets in whoever may go.
    fn let_in(&mut self, now: Instant) {
        if self.paused_until.is_some_and(|until| until > now) {
            return;
        }
        while self.taken < self.most
            && let Some((_, waiter)) = self.waiting.pop_first()
        {
            self.taken += 1;
            // Whoever stopped waiting at this very moment finds itself let in, and gives the turn back.
            _ = waiter.let_in.send(());
        }
    }
}

impl Turns {
    pub(super) fn new(account: SystemName, most: NonZeroUsize) -> Self {
        Self {
            account,
            state: Mutex::new(State {
                most: most.get(),
                taken: 0,
                waiting: BTreeMap::new(),
                arrived: 0,
                paused_until: None,
            }),
            pauses: watch::Sender::new(None),
        }
    }

    pub(super) async fn wait(self: &Arc<Self>, priority: Priority) -> Turn {
        let arrived = Instant::now();
        let mut pauses = self.pauses.subscribe();
        let mut waiting = self.stand_in_line(priority, arrived);
        loop {
            let now = Instant::now();
            let paused_until = pauses.borrow_and_update().filter(|until| *until > now);
            self.lock().let_in(now);
            tokio::select! {
                biased;
                _ = &mut waiting.let_in => break,
                _ = pauses.changed() => {}
                () = after(paused_until) => {}
            }
        }
        waiting.place = None;
        metrics::histogram!(
            metric::TURN_WAIT_SECONDS,
            "account" => self.account.as_str().to_owned(), "priority" => priority.as_str()
        )
        .record(arrived.elapsed());
        Turn(Arc::clone(self))
    }

    /// Lets nobody in until then.
    pub(super) fn pause(&self, until: Instant) {
        let until = {
            let mut state = self.lock();
            state.paused_until = state.paused_until.max(Some(until));
            state.paused_until
        };
        self.pauses.send_replace(until);
    }

    /// So many turns are taken at a time from now on. Those that are taken already stay.
    pub(super) fn allow(&self, most: NonZeroUsize) {
        let mut state = self.lock();
        state.most = most.get();
        state.let_in(Instant::now());
    }

    /// How many turns are taken, and who waits.
    pub(super) fn counts(&self) -> (usize, BTreeMap<Priority, usize>) {
        let state = self.lock();
        let mut waiting: BTreeMap<_, _> = Priority::ALL.map(|priority| (priority, 0)).into();
        for waiter in state.waiting.values() {
            *waiting.entry(waiter.priority).or_default() += 1;
        }
        (state.taken, waiting)
    }

    fn stand_in_line(&self, priority: Priority, arrived: Instant) -> Waiting<'_> {
        let (sender, receiver) = oneshot::channel();
        let mut state = self.lock();
        state.arrived += 1;
        let place = Place {
            deadline: arrived + priority.patience(),
            number: state.arrived,
        };
        let waiter = Waiter {
            priority,
            let_in: sender,
        };
        state.waiting.insert(place, waiter);
        Waiting {
            turns: self,
            place: Some(place),
            let_in: receiver,
        }
    }

    fn give_back(&self) {
        let mut state = self.lock();
        state.taken -= 1;
        state.let_in(Instant::now());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn after(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => pending().await,
    }
}

/// Somebody in the line. Whoever stops waiting leaves it, and gives back what it was just given.
struct Waiting<'a> {
    turns: &'a Turns,
    /// `None` once it has its turn.
    place: Option<Place>,
    let_in: oneshot::Receiver<()>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(place) = self.place
            && self.turns.lock().waiting.remove(&place).is_none()
        {
            self.turns.give_back();
        }
    }
}
