//! Chance that is the same for the same seed.

use rand::{Rng, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// Whether something happens that happens so often in a thousand.
    pub(super) fn in_thousand(&mut self, often: u32) -> bool {
        self.0.random_range(0..1000) < often
    }

    /// From `low` up to but not including `high`.
    pub(super) fn between(&mut self, low: i32, high: i32) -> i32 {
        self.0.random_range(low..high)
    }

    pub(super) fn place(&mut self, length: usize) -> usize {
        self.0.random_range(0..length.max(1))
    }

    pub(super) fn one<T: Copy + Default>(&mut self, of: &[T]) -> T {
        let place = self.place(of.len());
        of.get(place).copied().unwrap_or_default()
    }

    pub(super) fn digits(&mut self, count: usize) -> String {
        (0..count)
            .filter_map(|_| char::from_digit(self.0.random_range(0..10), 10))
            .collect()
    }

    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        items.shuffle(&mut self.0);
    }
}
