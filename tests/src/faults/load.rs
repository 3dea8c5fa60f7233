//! People at work at the office and at the vendor, for as long as a run wants them to.

use super::town::Town;
use anyhow::{Result, ensure};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// Between two things that one of them does: at most so long.
const LONGEST_PAUSE: Duration = Duration::from_millis(60);
/// How many of them work on everybody at once when a case has a list of changes to get done.
const AT_ONCE: usize = 64;

/// People at work. Each sees to patients of their own, so that nobody's newest details depend on a race.
pub struct Load {
    workers: JoinSet<Result<()>>,
    stop: CancellationToken,
}

impl Load {
    /// Has so many people enter and change everybody of the town, in an order that the seed decides.
    #[must_use]
    pub fn begin(town: &Town, workers: usize, seed: u64) -> Self {
        Self::begin_with(town, workers, seed, town.size())
    }

    /// The same with the first so many people only.
    #[must_use]
    pub fn begin_with(town: &Town, workers: usize, seed: u64, people: usize) -> Self {
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        for worker in 0..workers {
            let own = (worker..people).step_by(workers).collect();
            let dice = ChaCha8Rng::seed_from_u64(seed.wrapping_mul(1_000) + worker as u64);
            tasks.spawn(work(town.clone(), own, dice, stop.clone()));
        }
        Self { workers: tasks, stop }
    }

    /// Has them finish what they are at.
    ///
    /// # Errors
    /// When something was not taken.
    pub async fn end(mut self) -> Result<()> {
        self.stop.cancel();
        while let Some(ended) = self.workers.join_next().await {
            ended??;
        }
        Ok(())
    }

    /// Whether one of them could not go on.
    #[must_use]
    pub fn has_failed(&mut self) -> bool {
        self.workers.try_join_next().is_some()
    }
}

async fn work(town: Town, own: Vec<usize>, mut dice: ChaCha8Rng, stop: CancellationToken) -> Result<()> {
    while !stop.is_cancelled() {
        let Some(number) = own.get(dice.random_range(0..own.len().max(1))).copied() else {
            return Ok(());
        };
        let at_the_vendor: bool = dice.random();
        match (town.is_entered(number), at_the_vendor) {
            (false, true) => town.register(number).await?,
            (false, false) => town.type_in(number).map(drop)?,
            (true, true) => town.correct(number).await.map(drop)?,
            (true, false) => town.retype(number).map(drop)?,
        }
        let pause = dice.random_range(Duration::ZERO..LONGEST_PAUSE);
        tokio::select! {
            () = stop.cancelled() => {}
            () = sleep(pause) => {}
        }
    }
    Ok(())
}

/// Registers these people at the vendor, many at once.
///
/// # Errors
/// When somebody was not taken.
pub async fn register(town: &Town, people: impl IntoIterator<Item = usize>) -> Result<Duration> {
    for_each(people, |number| {
        let town = town.clone();
        async move { town.register(number).await }
    })
    .await
}

/// Corrects these people at the vendor, many at once. Who occurs twice may be corrected twice at the same time: give each
/// person once.
///
/// # Errors
/// When somebody was not taken, or the vendor does not know somebody.
pub async fn correct(town: &Town, people: impl IntoIterator<Item = usize>) -> Result<Duration> {
    for_each(people, |number| {
        let town = town.clone();
        async move {
            ensure!(
                town.correct(number).await?,
                "the vendor does not know person {number}"
            );
            Ok(())
        }
    })
    .await
}

async fn for_each<F>(
    people: impl IntoIterator<Item = usize>,
    mut change: impl FnMut(usize) -> F,
) -> Result<Duration>
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    let begun = Instant::now();
    let mut changes = JoinSet::new();
    for number in people {
        if changes.len() >= AT_ONCE
            && let Some(changed) = changes.join_next().await
        {
            changed??;
        }
        changes.spawn(change(number));
    }
    while let Some(changed) = changes.join_next().await {
        changed??;
    }
    Ok(begun.elapsed())
}
