//! One stream of a subscription, from its opening until it breaks.

use super::{
    SubscribeOptions,
    outgoing::{Said, requests},
};
use crate::{
    client::{ANSWER, Bus},
    error::ClientError,
    v1::{Delivery, Open, SubscribeResponse, subscribe_response::Response},
};
use bytes::Bytes;
use std::time::Duration;
use tokio::{sync::watch, time::timeout};
use tonic::{Status, Streaming};

/// How long the bus may take to end a stream that the reader has ended.
const CLOSING: Duration = Duration::from_secs(5);

pub(super) struct Session {
    answers: Streaming<SubscribeResponse>,
    wanted: watch::Sender<Said>,
    /// The last sequence of this stream: the bus takes no acknowledgement beyond it.
    received: u64,
    window: u32,
    /// Events received since credit was last given.
    used: u32,
}

impl Session {
    pub(super) async fn open(
        bus: &mut Bus,
        options: &SubscribeOptions,
        acked: u64,
    ) -> Result<Self, ClientError> {
        let opening = Self::opening(bus, options, acked);
        timeout(ANSWER, opening)
            .await
            .map_err(|_| ClientError::Silent(ANSWER))?
    }

    async fn opening(bus: &mut Bus, options: &SubscribeOptions, acked: u64) -> Result<Self, ClientError> {
        let open = Open {
            name: options.name.clone(),
            start: options.start.into(),
        };
        let (wanted, receiver) = watch::channel(Said::default());
        let mut answers = bus.subscribe(requests(open, receiver)).await?.into_inner();
        let Some(Response::Opened(opened)) = message(&mut answers).await? else {
            return Err(ClientError::Unexpected("the first answer is not `opened`"));
        };
        if opened.last < acked {
            return Err(ClientError::LogBehind {
                last: opened.last,
                acked,
            });
        }
        let session = Self {
            answers,
            wanted,
            received: opened.after,
            window: options.window,
            used: 0,
        };
        session
            .wanted
            .send_modify(|said| said.allowed = u64::from(options.window));
        session.ack(acked);
        Ok(session)
    }

    /// The next event's sequence and bytes.
    pub(super) async fn receive(&mut self) -> Result<(u64, Bytes), ClientError> {
        loop {
            match message(&mut self.answers).await? {
                Some(Response::Delivery(Delivery { sequence, event })) => {
                    self.received = self.received.max(sequence);
                    self.give_credit();
                    return Ok((sequence, event));
                }
                Some(Response::Opened(_)) => return Err(ClientError::Unexpected("`opened` came twice")),
                // A kind of answer that a newer bus knows.
                None => {}
            }
        }
    }

    /// Tells the bus what is done, as far as this stream has shown it.
    pub(super) fn ack(&self, acked: u64) {
        let acked = acked.min(self.received);
        self.wanted.send_if_modified(|said| {
            let is_news = acked > said.acked;
            said.acked = said.acked.max(acked);
            is_news
        });
    }

    /// Says everything that is left to say, and waits until the bus has heard it.
    pub(super) async fn close(self) {
        let Self {
            mut answers, wanted, ..
        } = self;
        drop(wanted);
        let heard = async { while let Ok(Some(_)) = answers.message().await {} };
        if timeout(CLOSING, heard).await.is_err() {
            tracing::debug!("the bus did not end the subscription in time");
        }
    }

    /// Allows more once half the window is used, so that the bus need not stop for every event.
    fn give_credit(&mut self) {
        self.used += 1;
        if self.used >= self.window.div_ceil(2) {
            let used = u64::from(std::mem::take(&mut self.used));
            self.wanted.send_modify(|said| said.allowed += used);
        }
    }
}

async fn message(answers: &mut Streaming<SubscribeResponse>) -> Result<Option<Response>, ClientError> {
    match answers.message().await? {
        Some(answer) => Ok(answer.response),
        None => Err(Status::unavailable("the bus ended the subscription").into()),
    }
}
