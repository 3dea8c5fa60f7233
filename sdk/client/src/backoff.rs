//! How long to wait before the next attempt: 50 ms after the first failure, twice as long after each, at most 5 s;
//! of that a random half is left out, so that the programs of a practice do not all come back at once.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(5);

/// Counts failures in a row.
#[derive(Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// One more failure: how long to wait now.
    pub(crate) fn fail(&mut self) -> Duration {
        let whole = FIRST
            .saturating_mul(2_u32.saturating_pow(self.failures))
            .min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        whole.mul_f64(rand::random_range(0.5..=1.0))
    }

    /// It works again.
    pub(crate) fn succeed(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_five_seconds_and_starts_over_after_a_success() {
        let mut backoff = Backoff::default();
        for whole in [50, 100, 200, 400, 800, 1600, 3200, 5000, 5000].map(Duration::from_millis) {
            let wait = backoff.fail();
            assert!(wait >= whole / 2 && wait <= whole, "{wait:?} of {whole:?}");
        }
        backoff.succeed();
        assert!(backoff.fail() <= FIRST);
    }

    #[test]
    fn ten_thousand_failures_in_a_row_still_wait_at_most_five_seconds() {
        let mut backoff = Backoff { failures: 10_000 };
        assert!(backoff.fail() <= LONGEST);
    }
}
