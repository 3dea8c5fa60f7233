//! What the reader has to say to the bus: open, then acknowledgements, refusals and credit, in their order. What can be said
//! together waits together, so that a slow connection makes it grow by refusals only, of which the bus takes 11,000.

use crate::v1::{Ack, Credit, Nack, Open, SubscribeRequest, ack::What, subscribe_request::Request};
use futures_util::{Stream, stream};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::Notify;

/// The reader's side. What was said before it is dropped is still sent.
pub(super) struct Voice(Arc<Shared>);

#[derive(Default)]
struct Shared {
    wanted: Mutex<Wanted>,
    news: Notify,
}

/// What the bus has to hear yet.
#[derive(Default)]
struct Wanted {
    /// The order counts: an acknowledgement covers what was not refused before it.
    done: VecDeque<Done>,
    allowed: u32,
    is_over: bool,
}

/// What became of events.
enum Done {
    /// Everything up to there is done.
    Through(u64),
    /// This one is, which came again.
    One(u64),
    /// This one could not be taken.
    Refused(u64, Duration),
}

/// Both ends: what is said, and the requests of one stream, which end when the voice is dropped and everything is said.
pub(super) fn voice(open: Open) -> (Voice, impl Stream<Item = SubscribeRequest> + Send) {
    let shared = Arc::new(Shared::default());
    let saying = (Some(open), Arc::clone(&shared));
    let requests = stream::unfold(saying, |(open, shared)| async {
        let request = match open {
            Some(open) => Request::Open(open),
            None => shared.next().await?,
        };
        let request = SubscribeRequest {
            request: Some(request),
        };
        Some((request, (None, shared)))
    });
    (Voice(shared), requests)
}

impl Voice {
    /// Everything up to there is done.
    pub(super) fn ack(&self, sequence: u64) {
        let mut wanted = self.0.wanted();
        match wanted.done.back_mut() {
            Some(Done::Through(through)) => *through = sequence.max(*through),
            _ => wanted.done.push_back(Done::Through(sequence)),
        }
        self.0.news.notify_one();
    }

    /// This event is done, which came again.
    pub(super) fn ack_one(&self, sequence: u64) {
        self.0.wanted().done.push_back(Done::One(sequence));
        self.0.news.notify_one();
    }

    /// This event could not be taken.
    pub(super) fn nack(&self, sequence: u64, delay: Duration) {
        self.0.wanted().done.push_back(Done::Refused(sequence, delay));
        self.0.news.notify_one();
    }

    /// So many more may be sent.
    pub(super) fn allow(&self, more: u32) {
        let mut wanted = self.0.wanted();
        wanted.allowed = wanted.allowed.saturating_add(more);
        self.0.news.notify_one();
    }
}

impl Drop for Voice {
    fn drop(&mut self) {
        self.0.wanted().is_over = true;
        self.0.news.notify_one();
    }
}

impl Shared {
    fn wanted(&self) -> MutexGuard<'_, Wanted> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn next(&self) -> Option<Request> {
        loop {
            if let Some(next) = self.wanted().take() {
                return next;
            }
            self.news.notified().await;
        }
    }
}

impl Wanted {
    /// The next request, or the end; none when there is nothing to be said yet.
    fn take(&mut self) -> Option<Option<Request>> {
        if let Some(done) = self.done.pop_front() {
            return Some(Some(match done {
                Done::Through(sequence) => acked(What::Through(sequence)),
                Done::One(sequence) => acked(What::Only(sequence)),
                Done::Refused(sequence, delay) => Request::Nack(Nack {
                    sequence,
                    // One that is too long to be said is too long for the bus as well, which says so.
                    delay: delay.try_into().ok(),
                }),
            }));
        }
        if self.allowed > 0 {
            let events = std::mem::take(&mut self.allowed);
            return Some(Some(Request::Credit(Credit { events })));
        }
        self.is_over.then_some(None)
    }
}

fn acked(what: What) -> Request {
    Request::Ack(Ack { what: Some(what) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(sequence: u64) -> Ack {
        Ack {
            what: Some(What::Through(sequence)),
        }
    }
    use futures_util::StreamExt as _;

    #[tokio::test]
    async fn what_piled_up_is_said_in_one_acknowledgement_and_one_credit_and_the_end_waits_for_it() {
        let (voice, requests) = voice(Open::default());
        for n in 1..=50 {
            voice.ack(n);
            voice.allow(2);
        }
        drop(voice);
        let said: Vec<_> = requests.filter_map(async |said| said.request).collect().await;
        let [
            Request::Open(_),
            Request::Ack(ack),
            Request::Credit(Credit { events: 100 }),
        ] = &said[..]
        else {
            panic!("something else is said");
        };
        assert!(*ack == through(50));
    }

    #[tokio::test]
    async fn a_refusal_is_heard_before_a_later_acknowledgement() {
        let (voice, requests) = voice(Open::default());
        voice.ack(3);
        voice.nack(5, Duration::from_secs(2));
        voice.ack(7);
        voice.ack_one(5);
        drop(voice);
        let said: Vec<_> = requests.filter_map(async |said| said.request).collect().await;
        let [
            Request::Open(_),
            Request::Ack(before),
            Request::Nack(Nack { sequence: 5, .. }),
            Request::Ack(behind),
            Request::Ack(alone),
        ] = &said[..]
        else {
            panic!("something else is said");
        };
        let only = Some(What::Only(5));
        assert!(*before == through(3) && *behind == through(7) && *alone == Ack { what: only });
    }
}
