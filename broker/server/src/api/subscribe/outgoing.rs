//! What goes out to the vendor: answers in their order, and the reason of an end before whatever still waits.
//!
//! What waits for the connection can be taken back: after the contract has changed it is looked at again.

use archwire_proto::v1::{SubscribeResponse, subscribe_response::Response};
use futures_util::{Stream, stream};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tonic::Status;

/// Answers on their way to the connection; beyond that the log is not read on.
const MOST: usize = 64;

/// The bus's side. Dropped, it ends behind what waits.
pub(super) struct Outgoing(Arc<Shared>);

/// The connection's side.
struct Incoming(Arc<Shared>);

/// There is nobody any more to send to.
pub(super) struct Gone;

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    news: Notify,
    room: Notify,
    gone: CancellationToken,
}

#[derive(Default)]
struct Queue {
    answers: VecDeque<Response>,
    end: End,
    is_gone: bool,
}

/// Whether, and how, it ends.
#[derive(Default)]
enum End {
    #[default]
    None,
    BehindWhatWaits,
    Refused(Box<Status>),
    Told,
}

/// Both ends of what goes out.
pub(super) fn outgoing() -> (
    Outgoing,
    impl Stream<Item = Result<SubscribeResponse, Status>> + Send + use<>,
) {
    let shared = Arc::new(Shared::default());
    let incoming = Incoming(Arc::clone(&shared));
    let answers = stream::unfold(incoming, |incoming| async {
        Some((incoming.0.next().await?, incoming))
    });
    (Outgoing(shared), answers)
}

impl Outgoing {
    /// Sends an answer. To be called only while there is room.
    pub(super) fn send(&mut self, response: Response) -> Result<(), Gone> {
        let mut queue = self.0.queue();
        if queue.is_gone {
            return Err(Gone);
        }
        queue.answers.push_back(response);
        self.0.news.notify_one();
        Ok(())
    }

    /// Whether nothing more can be sent now.
    pub(super) fn is_full(&self) -> bool {
        self.0.queue().answers.len() >= MOST
    }

    /// Waits until something can be sent.
    pub(super) async fn has_room(&self) -> Result<(), Gone> {
        loop {
            {
                let queue = self.0.queue();
                if queue.is_gone {
                    return Err(Gone);
                }
                if queue.answers.len() < MOST {
                    return Ok(());
                }
            }
            self.0.room.notified().await;
        }
    }

    /// Waits until there is nobody any more to send to.
    pub(super) async fn gone(&self) {
        self.0.gone.cancelled().await;
    }

    /// Takes back what is not on its way yet, in its order.
    pub(super) fn take_back(&mut self) -> VecDeque<Response> {
        std::mem::take(&mut self.0.queue().answers)
    }

    /// Ends with a reason. What waits is not sent any more: it was not acknowledged, and comes again.
    pub(super) fn refuse(self, refusal: Status) {
        let mut queue = self.0.queue();
        queue.end = End::Refused(Box::new(refusal));
        self.0.news.notify_one();
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        let mut queue = self.0.queue();
        if matches!(queue.end, End::None) {
            queue.end = End::BehindWhatWaits;
        }
        self.0.news.notify_one();
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        self.0.queue().is_gone = true;
        self.0.gone.cancel();
        self.0.room.notify_one();
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn next(&self) -> Option<Result<SubscribeResponse, Status>> {
        loop {
            if let Some(next) = self.queue().next() {
                self.room.notify_one();
                return next;
            }
            self.news.notified().await;
        }
    }
}

impl Queue {
    /// The next answer, or the end; none while there is neither.
    fn next(&mut self) -> Option<Option<Result<SubscribeResponse, Status>>> {
        if let End::Refused(_) = self.end
            && let End::Refused(refusal) = std::mem::replace(&mut self.end, End::Told)
        {
            self.answers.clear();
            return Some(Some(Err(*refusal)));
        }
        if let Some(response) = self.answers.pop_front() {
            let response = Some(response);
            return Some(Some(Ok(SubscribeResponse { response })));
        }
        (!matches!(self.end, End::None)).then_some(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use archwire_proto::v1::Delivery;
    use futures_util::StreamExt as _;
    use std::pin::pin;

    fn delivery(sequence: u64) -> Response {
        Response::Delivery(Delivery {
            sequence,
            ..Delivery::default()
        })
    }

    #[tokio::test]
    async fn the_reason_of_an_end_comes_before_what_waits_and_nothing_comes_behind_it() {
        let (mut outgoing, answers) = outgoing();
        let mut answers = pin!(answers);
        for sequence in 1..=64 {
            assert!(outgoing.send(delivery(sequence)).is_ok());
        }
        assert!(outgoing.is_full());
        assert!(answers.next().await.unwrap().is_ok());
        assert!(!outgoing.is_full());
        outgoing.refuse(Status::aborted("over"));
        assert!(answers.next().await.unwrap().is_err());
        assert!(answers.next().await.is_none());
    }

    #[tokio::test]
    async fn an_end_without_a_reason_leaves_out_nothing() {
        let (mut outgoing, answers) = outgoing();
        for sequence in 1..=64 {
            assert!(outgoing.send(delivery(sequence)).is_ok());
        }
        let sending = async {
            assert!(outgoing.has_room().await.is_ok());
            assert!(outgoing.send(delivery(65)).is_ok());
            drop(outgoing);
        };
        let (count, ()) = tokio::join!(answers.count(), sending);
        assert_eq!(count, 65);
    }

    #[tokio::test]
    async fn what_is_not_on_its_way_can_be_taken_back() {
        let (mut outgoing, answers) = outgoing();
        let mut answers = pin!(answers);
        for sequence in 1..=3 {
            assert!(outgoing.send(delivery(sequence)).is_ok());
        }
        assert!(answers.next().await.unwrap().is_ok());
        assert_eq!(outgoing.take_back().len(), 2);
        drop(outgoing);
        assert!(answers.next().await.is_none());
    }

    #[tokio::test]
    async fn who_waits_for_room_hears_that_nobody_is_there() {
        let (mut outgoing, answers) = outgoing();
        for sequence in 1..=64 {
            assert!(outgoing.send(delivery(sequence)).is_ok());
        }
        drop(answers);
        assert!(outgoing.has_room().await.is_err());
        assert!(outgoing.send(delivery(65)).is_err());
    }
}
