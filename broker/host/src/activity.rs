//! When something last moved: a byte of an image or of a body, or a request that began. A call about images ends when nothing
//! did for a while, because nobody can say beforehand how long a gigabyte takes.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::{Instant, sleep_until};

/// When something last moved. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub(crate) struct Activity {
    began: Instant,
    /// Milliseconds since it began.
    moved: Arc<AtomicU64>,
}

impl Activity {
    /// Something moves now.
    pub(crate) fn begin() -> Self {
        Self {
            began: Instant::now(),
            moved: Arc::new(AtomicU64::new(0)),
        }
    }

    /// Something moved.
    pub(crate) fn moved(&self) {
        let since = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.moved.fetch_max(since, Ordering::Relaxed);
    }

    /// Comes back when nothing has moved for that long.
    pub(crate) async fn quiet(&self, time: Duration) {
        loop {
            let moved = Duration::from_millis(self.moved.load(Ordering::Relaxed));
            let until = self.began + moved + time;
            if Instant::now() >= until {
                return;
            }
            sleep_until(until).await;
        }
    }

    /// What comes of it, or `None` when nothing has moved for that long.
    pub(crate) async fn while_moving<T>(&self, time: Duration, what: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            came = what => Some(came),
            () = self.quiet(time) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::sleep;

    #[tokio::test(start_paused = true)]
    async fn what_moves_goes_on_for_ever_and_what_stands_still_is_given_up() {
        let (began, activity) = (Instant::now(), Activity::begin());
        let moving = activity.clone();
        let work = async {
            for _ in 0..10 {
                sleep(Duration::from_secs(40)).await;
                moving.moved();
            }
            sleep(Duration::from_secs(100)).await;
        };
        assert_eq!(activity.while_moving(Duration::from_secs(60), work).await, None);
        assert_eq!(began.elapsed().as_secs(), 460);
        let done = activity.while_moving(Duration::ZERO, async { 7 }).await;
        assert_eq!(done, Some(7), "what is done is done");
    }
}
