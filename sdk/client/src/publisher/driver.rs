//! The task behind a publisher: keeps one stream open, hands answers out, and after a broken stream sends what is
//! unanswered again on a new one. It waits between attempts, longer each time, and never gives up by itself: callers
//! do, at their deadline.

use super::{
    MAX_UNANSWERED,
    unanswered::{Job, Unanswered},
};
use crate::{
    backoff::Backoff,
    client::{ANSWER, Bus},
    error::ClientError,
    v1::{PublishRequest, PublishResponse},
};
use std::time::Duration;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_stream::wrappers::ReceiverStream;

pub(super) struct Driver {
    bus: Bus,
    queue: mpsc::Receiver<Job>,
    trouble: watch::Sender<Option<ClientError>>,
    /// How long a stream may owe answers without giving any.
    patience: Duration,
    unanswered: Unanswered,
    backoff: Backoff,
    last_progress: Instant,
}

impl Driver {
    pub(super) fn new(
        bus: Bus,
        queue: mpsc::Receiver<Job>,
        trouble: watch::Sender<Option<ClientError>>,
        patience: Duration,
    ) -> Self {
        Self {
            bus,
            queue,
            trouble,
            patience,
            unanswered: Unanswered::default(),
            backoff: Backoff::default(),
            last_progress: Instant::now(),
        }
    }

    /// Runs until the last publisher is gone.
    pub(super) async fn run(mut self) {
        while let Some(requests) = self.work().await {
            let Err(error) = self.stream(requests).await else {
                return;
            };
            if !error.is_retryable() {
                self.unanswered.fail(&error);
                continue;
            }
            let pause = self.backoff.fail();
            tracing::warn!(
                code = error.code(),
                ?pause,
                "the publishing stream broke; what is unanswered goes again"
            );
            self.trouble.send_replace(Some(error));
            sleep(pause).await;
        }
    }

    /// What a new stream has to send first: at least one request. `None` when nobody is left who could ask.
    async fn work(&mut self) -> Option<Vec<PublishRequest>> {
        let mut requests = self.unanswered.again();
        if requests.is_empty() {
            let job = self.queue.recv().await?;
            requests.push(self.unanswered.add(job));
        }
        while let Ok(job) = self.queue.try_recv() {
            requests.push(self.unanswered.add(job));
        }
        Some(requests)
    }

    /// One stream, from its opening until it breaks, or until the last publisher is gone.
    async fn stream(&mut self, first: Vec<PublishRequest>) -> Result<(), ClientError> {
        let (requests, outgoing) = mpsc::channel(MAX_UNANSWERED);
        for request in first {
            post(&requests, request)?;
        }
        let mut answers = timeout(ANSWER, self.bus.publish(ReceiverStream::new(outgoing)))
            .await
            .map_err(|_| ClientError::Silent(ANSWER))??
            .into_inner();
        self.last_progress = Instant::now();
        loop {
            let stalled = sleep_until(self.last_progress + self.patience);
            tokio::select! {
                answer = answers.message() => self.settle(answer?)?,
                job = self.queue.recv() => {
                    let Some(job) = job else { return Ok(()) };
                    if self.unanswered.is_empty() {
                        self.last_progress = Instant::now();
                    }
                    post(&requests, self.unanswered.add(job))?;
                }
                () = stalled, if !self.unanswered.is_empty() => return Err(ClientError::Silent(self.patience)),
            }
        }
    }

    fn settle(&mut self, answer: Option<PublishResponse>) -> Result<(), ClientError> {
        let Some(answer) = answer else {
            return Err(tonic::Status::unavailable("the bus ended the publishing stream").into());
        };
        self.unanswered.settle(answer);
        self.last_progress = Instant::now();
        self.backoff.succeed();
        self.trouble.send_if_modified(|trouble| trouble.take().is_some());
        Ok(())
    }
}

/// Puts a request on the stream. There is room for as many as may be unanswered, so it never waits.
fn post(requests: &mpsc::Sender<PublishRequest>, request: PublishRequest) -> Result<(), ClientError> {
    match requests.try_send(request) {
        // A closed stream says why in its answers.
        Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => Ok(()),
        Err(mpsc::error::TrySendError::Full(_)) => {
            Err(ClientError::Unexpected("it answers what it was not asked"))
        }
    }
}
