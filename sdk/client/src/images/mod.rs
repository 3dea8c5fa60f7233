//! Images: large files that arrive whole, or not at all.
//!
//! [`PutImage`] and [`GetImage`] go on by themselves where a broken connection or a restart of the bus left them, and check every
//! byte. They give up when nothing has moved for their patience, 60 s if nothing else is said. Memory: four pieces of at most 512
//! KiB for each, however large the image is.

mod error;
mod get;
mod put;

pub use error::ImageError;
pub use get::{FoundImage, GetImage};
pub use put::{ImageReceipt, NewImage, PutImage};

use crate::{backoff::Backoff, error::ClientError};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep, timeout};
use tonic::Status;

/// How long nothing may move when nothing else is said.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long one piece may take, and the answer after the last one.
const STALLED: Duration = Duration::from_secs(60);
/// Bytes in a piece.
const PIECE: usize = 128 * 1024;
/// Pieces between the file and the connection.
const PIECES: usize = 2;

/// Told how many bytes have gone, of how many.
type OnProgress = Arc<dyn Fn(u64, u64) + Send + Sync>;

/// What the bus answers within so long.
async fn within<T>(
    longest: Duration,
    answer: impl Future<Output = Result<T, Status>>,
) -> Result<T, ClientError> {
    let answered = timeout(longest, answer).await;
    Ok(answered.map_err(|_| ClientError::Silent(longest))??)
}

/// Attempts, with pauses between them, for as long as something moves.
struct Attempts {
    patience: Duration,
    backoff: Backoff,
    moved_at: Instant,
    furthest: u64,
}

impl Attempts {
    fn new(patience: Duration) -> Self {
        Self {
            patience,
            backoff: Backoff::default(),
            moved_at: Instant::now(),
            furthest: 0,
        }
    }

    /// So many bytes have come to their end so far.
    fn at(&mut self, bytes: u64) {
        if bytes > self.furthest {
            self.furthest = bytes;
            self.moved_at = Instant::now();
            self.backoff.succeed();
        }
    }

    /// Waits before the next attempt, if there is to be one.
    async fn failed(&mut self, error: ClientError) -> Result<(), ImageError> {
        match error.is_retryable() {
            true => self.again(error).await,
            false => Err(error.into()),
        }
    }

    /// The same for what may succeed later although its code does not say so.
    async fn again(&mut self, error: ClientError) -> Result<(), ImageError> {
        let pause = self.backoff.fail();
        if self.moved_at.elapsed() + pause > self.patience {
            return Err(ImageError::GaveUp {
                patience: self.patience,
                source: Box::new(error),
            });
        }
        sleep(pause).await;
        Ok(())
    }
}
