//! Waiting for a condition instead of for a time.

use anyhow::Result;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long a condition may take to come true. A slow machine needs some of it; a broken one all of it.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// Looks until `look` succeeds, for at most [`PATIENCE`].
///
/// # Errors
/// At the deadline: what was waited for, and what `look` last said was missing.
pub async fn eventually<T>(what: &str, look: impl AsyncFnMut() -> Result<T>) -> Result<T> {
    eventually_within(PATIENCE, what, look).await
}

/// Looks until `look` succeeds, for at most `deadline`.
///
/// # Errors
/// At the deadline: what was waited for, and what `look` last said was missing.
pub async fn eventually_within<T>(
    deadline: Duration,
    what: &str,
    mut look: impl AsyncFnMut() -> Result<T>,
) -> Result<T> {
    let until = Instant::now() + deadline;
    loop {
        match look().await {
            Ok(found) => return Ok(found),
            Err(missing) if Instant::now() >= until => {
                return Err(missing.context(format!("not within {deadline:?}: {what}")));
            }
            Err(_) => sleep(PAUSE).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::ensure;

    #[tokio::test]
    async fn a_condition_that_comes_true_ends_the_waiting() {
        let mut looks = 0;
        let found = eventually("three looks", async || {
            looks += 1;
            ensure!(looks == 3, "{looks} so far");
            Ok(looks)
        });
        assert_eq!(found.await.unwrap(), 3);
    }

    #[tokio::test]
    async fn at_the_deadline_the_error_says_what_was_missing() {
        let error = eventually_within(Duration::from_millis(1), "a miracle", async || -> Result<()> {
            anyhow::bail!("no miracle yet")
        });
        let text = format!("{:#}", error.await.unwrap_err());
        assert!(
            text.contains("a miracle") && text.contains("no miracle yet"),
            "{text}"
        );
    }
}
