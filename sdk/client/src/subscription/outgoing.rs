//! What the reader has to say to the bus: open, then acknowledgements and credit. Only the newest state waits to be
//! sent, so that a slow connection never makes it grow.

use crate::v1::{Open, SubscribeRequest, subscribe_request::Request};
use futures_util::{Stream, stream};
use tokio::sync::watch;

/// What the bus should have heard by now.
#[derive(Clone, Copy, Default)]
pub(super) struct Said {
    /// The last sequence that is done.
    pub(super) acked: u64,
    /// Events allowed since the stream was opened.
    pub(super) allowed: u64,
}

/// The requests of one stream. It ends when the sender is dropped and everything is said.
pub(super) fn requests(
    open: Open,
    wanted: watch::Receiver<Said>,
) -> impl Stream<Item = SubscribeRequest> + Send {
    let outgoing = Outgoing {
        open: Some(open),
        wanted,
        said: Said::default(),
    };
    stream::unfold(outgoing, |mut outgoing| async {
        let request = outgoing.next().await?;
        Some((
            SubscribeRequest {
                request: Some(request),
            },
            outgoing,
        ))
    })
}

struct Outgoing {
    open: Option<Open>,
    wanted: watch::Receiver<Said>,
    said: Said,
}

impl Outgoing {
    async fn next(&mut self) -> Option<Request> {
        if let Some(open) = self.open.take() {
            return Some(Request::Open(open));
        }
        loop {
            let wanted = *self.wanted.borrow_and_update();
            if wanted.acked > self.said.acked {
                self.said.acked = wanted.acked;
                return Some(Request::Ack(wanted.acked));
            }
            if wanted.allowed > self.said.allowed {
                let more = u32::try_from(wanted.allowed - self.said.allowed).unwrap_or(u32::MAX);
                self.said.allowed += u64::from(more);
                return Some(Request::Credit(more));
            }
            self.wanted.changed().await.ok()?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::StreamExt as _;

    #[tokio::test]
    async fn what_piled_up_is_said_in_one_acknowledgement_and_one_credit_and_the_end_waits_for_it() {
        let (wanted, receiver) = watch::channel(Said::default());
        let mut requests = Box::pin(requests(Open::default(), receiver));
        assert!(matches!(
            requests.next().await.unwrap().request,
            Some(Request::Open(_))
        ));
        for n in 1..=50 {
            wanted.send_modify(|said| {
                *said = Said {
                    acked: n,
                    allowed: 2 * n,
                }
            });
        }
        drop(wanted);
        assert!(matches!(
            requests.next().await.unwrap().request,
            Some(Request::Ack(50))
        ));
        assert!(matches!(
            requests.next().await.unwrap().request,
            Some(Request::Credit(100))
        ));
        assert!(requests.next().await.is_none());
    }
}
