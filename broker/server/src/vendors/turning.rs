//! Time goes on: days of the practice's calendar begin, on which contracts begin and end, and tokens expire. Whoever holds a call open
//! is told of it within [`LOOK_EVERY`].

use super::Books;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// How often the clock is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Until `shutdown`: has everybody ask again for whom time may have changed something.
pub async fn turn(books: Books, shutdown: CancellationToken) {
    let mut looks = interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut before = books.now().clock();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = looks.tick() => {}
        }
        let now = books.now().clock();
        books.turn_if_due(before, now);
        before = now;
    }
}
