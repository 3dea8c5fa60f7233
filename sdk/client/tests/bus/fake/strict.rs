//! The double's side of `Subscribe` to the letter: it keeps back and sends again, and breaks wherever it likes.

use super::{
    Memory, refuse,
    rules::{Place, Rules, Turn},
};
use archwire_client::v1::{
    Ack, Again, Credit, Delivery, Event, Open, Opened, SubscribeRequest, SubscribeResponse, ack::What,
    delivery, subscribe_request::Request, subscribe_response::Response,
};
use prost::Message as _;
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::{sync::mpsc, time::sleep_until};
use tonic::{Code, Status, Streaming};

/// So often at most it breaks.
pub(crate) const BREAKS: usize = 12;

pub(super) async fn follow(
    memory: Arc<Mutex<Memory>>,
    open: Open,
    mut requests: Streaming<SubscribeRequest>,
    answers: mpsc::Sender<Result<SubscribeResponse, Status>>,
) {
    let claim;
    let (mut dice, log, begun) = {
        let mut memory = memory.lock().unwrap();
        memory.subscribe_streams += 1;
        let seed = memory.seed.unwrap_or_default() * 1000 + memory.subscribe_streams as u64;
        let begun = *memory.positions.entry(open.name.clone()).or_default();
        // Whoever had the name before stores nothing of it any more.
        claim = memory.subscribe_streams;
        (StdRng::seed_from_u64(seed), memory.log.clone(), begun)
    };
    let places = log.iter().map(|(sequence, event)| Place {
        sequence: *sequence,
        patient: Event::decode(event.clone()).unwrap().patient_id,
    });
    let mut rules = Rules::behind(begun, places.collect());
    let opened = Response::Opened(Opened {
        after: begun,
        last: log.last().map_or(0, |(sequence, _)| *sequence),
        ..Opened::default()
    });
    if say(&answers, opened).await.is_err() {
        return;
    }
    let breaks = memory.lock().unwrap().subscribe_streams <= BREAKS;
    let mut steps_left = match breaks {
        true => dice.random_range(1..60),
        false => usize::MAX,
    };
    let mut credit = 0;
    while steps_left > 0 {
        steps_left -= 1;
        if credit > 0
            && let Some((sequence, turn)) = rules.next(Instant::now())
        {
            credit -= 1;
            let event = log.iter().find(|(place, _)| *place == sequence);
            let turn = match turn {
                Turn::After(after) => delivery::Turn::After(after),
                Turn::Again(refusals) => delivery::Turn::Again(Again { refusals }),
            };
            let delivery = Delivery {
                sequence,
                event: event.unwrap().1.clone(),
                turn: Some(turn),
                ..Delivery::default()
            };
            if say(&answers, Response::Delivery(delivery)).await.is_err() {
                return;
            }
            continue;
        }
        let soon = Instant::now() + Duration::from_millis(20);
        let due = rules.next_due().unwrap_or(soon).max(soon);
        let request = tokio::select! {
            request = requests.message() => request.ok().flatten().and_then(|request| request.request),
            () = sleep_until(due.into()) => continue,
        };
        let is_taken = match request {
            None => return,
            Some(Request::Credit(Credit { events })) => {
                credit += events;
                credit <= 10_000
            }
            Some(Request::Ack(Ack {
                what: Some(What::Through(sequence)),
            })) => rules.done_through(sequence),
            Some(Request::Ack(Ack {
                what: Some(What::Only(sequence)),
            })) => rules.done_alone(sequence),
            Some(Request::Nack(nack)) => {
                let delay = nack.delay.and_then(|delay| Duration::try_from(delay).ok());
                rules.refuse(nack.sequence, Instant::now() + delay.unwrap_or_default())
            }
            Some(_) => false,
        };
        if !is_taken {
            _ = answers
                .send(Err(refuse(Code::InvalidArgument, "ack_ahead")))
                .await;
            return;
        }
        // It may be a while until a position is stored, and never when the bus dies.
        if !breaks || dice.random_bool(0.7) {
            let mut memory = memory.lock().unwrap();
            if memory.subscribe_streams == claim {
                memory.positions.insert(open.name.clone(), rules.position());
            }
        }
    }
    _ = answers.send(Err(refuse(Code::Unavailable, "stopping"))).await;
}

async fn say(
    answers: &mpsc::Sender<Result<SubscribeResponse, Status>>,
    response: Response,
) -> Result<(), ()> {
    let response = Some(response);
    answers
        .send(Ok(SubscribeResponse { response }))
        .await
        .map_err(drop)
}
