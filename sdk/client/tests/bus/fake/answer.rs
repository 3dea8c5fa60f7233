//! The double's side of `Publish`.

use super::{Memory, Reaction, refuse};
use archwire_client::v1::{
    Duplicate, InReview, PublishRequest, PublishResponse, Recorded, Refused, Unchanged, duplicate::First,
    publish_response::Outcome,
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{sync::mpsc, time::timeout};
use tonic::{Code, Status, Streaming};

pub(super) async fn answer(
    memory: Arc<Mutex<Memory>>,
    mut requests: Streaming<PublishRequest>,
    answers: mpsc::Sender<Result<PublishResponse, Status>>,
) {
    let mut held = Vec::new();
    while let Ok(Some(request)) = requests.message().await {
        let broken = take(&memory, request, &mut held);
        if broken {
            _ = answers.send(Err(refuse(Code::Unavailable, "stopping"))).await;
            return;
        }
        let hold_until = memory.lock().unwrap().hold_until;
        if held.len() < hold_until {
            continue;
        }
        // Whoever sends more than may be unanswered has a moment to be caught.
        while hold_until > 0
            && let Ok(Ok(Some(request))) = timeout(Duration::from_millis(100), requests.message()).await
        {
            take(&memory, request, &mut held);
        }
        // The last first, because answers may come in any order.
        for answer in held.drain(..).rev() {
            _ = answers.send(Ok(answer)).await;
        }
    }
}

/// Takes one request in; tells whether the stream is to break.
fn take(memory: &Mutex<Memory>, request: PublishRequest, held: &mut Vec<PublishResponse>) -> bool {
    let mut memory = memory.lock().unwrap();
    let local_id = request.observation.unwrap().local_id;
    memory.received.push(local_id.clone());
    memory.keys.push(request.idempotency_key.unwrap_or_default());
    let refused = |code: &str, retryable| {
        Outcome::Refused(Refused {
            code: code.into(),
            message: "as the test asked".into(),
            retryable,
            field: String::new(),
        })
    };
    let outcome = match memory.reactions.pop_front().unwrap_or(Reaction::Answer) {
        Reaction::Answer => match memory.store(&local_id) {
            (true, n) => Outcome::Recorded(Recorded {
                patient_id: format!("p{local_id}"),
                revision: 1,
                sequence: n,
            }),
            (false, _) => Outcome::Unchanged(Unchanged {
                patient_id: format!("p{local_id}"),
                revision: 1,
            }),
        },
        Reaction::RefuseForNow => refused("log_unavailable", true),
        Reaction::RefuseForGood => refused("observation_invalid", false),
        Reaction::Review => Outcome::InReview(InReview {
            item: 7,
            patient_id: format!("p{local_id}"),
        }),
        Reaction::Duplicate => Outcome::Duplicate(Duplicate {
            first: Some(First::Recorded(Recorded {
                patient_id: format!("p{local_id}"),
                revision: 3,
                sequence: 9,
            })),
        }),
        Reaction::StoreAndBreak => {
            memory.store(&local_id);
            return true;
        }
        Reaction::Ignore => return false,
    };
    held.push(PublishResponse {
        tag: request.tag,
        outcome: Some(outcome),
    });
    memory.most_unanswered = memory.most_unanswered.max(held.len());
    false
}
