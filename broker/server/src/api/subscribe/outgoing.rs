//! What goes out to the vendor: answers in their order, and the reason of an end before whatever still waits.

use archwire_proto::v1::{SubscribeResponse, subscribe_response::Response};
use futures_util::{Stream, stream};
use tokio::sync::{mpsc, oneshot};
use tonic::Status;

/// Answers on their way to the connection; beyond that the log is not read on.
const BUFFERED: usize = 64;

/// The bus's side.
pub(super) struct Outgoing {
    answers: mpsc::Sender<SubscribeResponse>,
    /// For the reason of an end.
    refusal: oneshot::Sender<Status>,
    /// What did not fit in.
    waits: Option<SubscribeResponse>,
}

/// There is nobody any more to send to.
pub(super) struct Gone;

struct Incoming {
    answers: mpsc::Receiver<SubscribeResponse>,
    refusal: Option<oneshot::Receiver<Status>>,
    has_ended: bool,
}

/// Both ends of what goes out.
pub(super) fn outgoing() -> (
    Outgoing,
    impl Stream<Item = Result<SubscribeResponse, Status>> + Send + use<>,
) {
    let (answers, received) = mpsc::channel(BUFFERED);
    let (refusal, refused) = oneshot::channel();
    let outgoing = Outgoing {
        answers,
        refusal,
        waits: None,
    };
    let incoming = Incoming {
        answers: received,
        refusal: Some(refused),
        has_ended: false,
    };
    let answers = stream::unfold(incoming, |mut incoming| async {
        Some((incoming.next().await?, incoming))
    });
    (outgoing, answers)
}

impl Outgoing {
    /// Sends an answer, or keeps it until there is room: nothing else may be sent before [`Self::has_room`] came back.
    pub(super) fn send(&mut self, response: Response) -> Result<(), Gone> {
        let response = SubscribeResponse {
            response: Some(response),
        };
        match self.answers.try_send(response) {
            Ok(()) => Ok(()),
            Err(mpsc::error::TrySendError::Full(response)) => {
                self.waits = Some(response);
                Ok(())
            }
            Err(mpsc::error::TrySendError::Closed(_)) => Err(Gone),
        }
    }

    /// Whether something waits for room.
    pub(super) fn is_full(&self) -> bool {
        self.waits.is_some()
    }

    /// Waits until what waited is on its way.
    pub(super) async fn has_room(&mut self) -> Result<(), Gone> {
        if self.waits.is_some() {
            let permit = self.answers.reserve().await.map_err(|_| Gone)?;
            if let Some(waits) = self.waits.take() {
                permit.send(waits);
            }
        }
        Ok(())
    }

    /// Ends with a reason. What waits is not sent any more: it was not acknowledged, and comes again.
    pub(super) fn refuse(self, refusal: Status) {
        // Nobody is there to hear it, or it is heard.
        _ = self.refusal.send(refusal);
    }
}

impl Incoming {
    async fn next(&mut self) -> Option<Result<SubscribeResponse, Status>> {
        if self.has_ended {
            return None;
        }
        if let Some(refusal) = &mut self.refusal {
            tokio::select! {
                biased;
                refused = refusal => {
                    self.refusal = None;
                    if let Ok(refused) = refused {
                        self.has_ended = true;
                        return Some(Err(refused));
                    }
                }
                answer = self.answers.recv() => return answer.map(Ok),
            }
        }
        self.answers.recv().await.map(Ok)
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
        for sequence in 1..=65 {
            assert!(outgoing.send(delivery(sequence)).is_ok());
        }
        assert!(outgoing.is_full());
        assert!(answers.next().await.unwrap().is_ok());
        outgoing.refuse(Status::aborted("over"));
        assert!(answers.next().await.unwrap().is_err());
        assert!(answers.next().await.is_none());
    }

    #[tokio::test]
    async fn an_end_without_a_reason_leaves_out_nothing() {
        let (mut outgoing, answers) = outgoing();
        for sequence in 1..=65 {
            assert!(outgoing.send(delivery(sequence)).is_ok());
        }
        let sending = async {
            assert!(outgoing.has_room().await.is_ok());
            drop(outgoing);
        };
        let (count, ()) = tokio::join!(answers.count(), sending);
        assert_eq!(count, 65);
    }
}
