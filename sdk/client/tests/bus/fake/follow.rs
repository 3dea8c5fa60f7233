//! The double's side of `Subscribe`: sends by credit, takes no acknowledgement ahead of what it sent.

use super::{Memory, refuse};
use archwire_client::v1::{
    Ack, Again, Credit, Delivery, Open, Opened, SubscribeRequest, SubscribeResponse, ack::What,
    delivery::Turn, subscribe_request, subscribe_response,
};
use std::sync::{Arc, Mutex};
use tokio::{sync::mpsc, time::sleep};
use tonic::{Code, Status, Streaming};

pub(super) async fn follow(
    memory: Arc<Mutex<Memory>>,
    open: Open,
    mut requests: Streaming<SubscribeRequest>,
    answers: mpsc::Sender<Result<SubscribeResponse, Status>>,
) {
    let (mut breakage, opens_after) = {
        let mut memory = memory.lock().unwrap();
        memory.subscribe_streams += 1;
        (memory.breakages.pop_front(), memory.opens_after)
    };
    sleep(opens_after).await;
    let after = *memory
        .lock()
        .unwrap()
        .positions
        .entry(open.name.clone())
        .or_default();
    let last = memory
        .lock()
        .unwrap()
        .log
        .last()
        .map_or(0, |(sequence, _)| *sequence);
    let opened = subscribe_response::Response::Opened(Opened {
        after,
        last,
        ..Opened::default()
    });
    _ = answers
        .send(Ok(SubscribeResponse {
            response: Some(opened),
        }))
        .await;
    let (mut refused, mut again) = (None, false);
    // Each event names the one before, whatever gets lost.
    let mut chain = after;
    let (mut position, mut credit, mut acked, mut sent) = (after, 0, after, 0);
    loop {
        if breakage.is_some_and(|breakage| breakage.keeps_back) && sent == 1 {
            // The second one is for later.
            position = position.max(4);
        }
        let next = memory
            .lock()
            .unwrap()
            .log
            .iter()
            .find(|(sequence, _)| *sequence > position)
            .cloned();
        if breakage.is_some_and(|breakage| breakage.loses_event && sent >= breakage.after_events)
            && let Some((lost, _)) = next
        {
            (position, chain, breakage) = (lost, lost, None);
            continue;
        }
        let breaking = breakage.filter(|breakage| !breakage.loses_event && !breakage.keeps_back);
        if breaking.is_some_and(|breakage| sent >= breakage.after_events && acked >= breakage.after_ack) {
            _ = answers.send(Err(refuse(Code::Unavailable, "stopping"))).await;
            return;
        }
        let stops = breaking.is_some_and(|breakage| sent >= breakage.after_events);
        if let Some((sequence, event)) = next
            && credit > 0
            && !stops
        {
            let turn = Some(Turn::After(chain));
            chain = sequence;
            (position, credit, sent) = (sequence, credit - 1, sent + 1);
            memory.lock().unwrap().sent += 1;
            let delivery = subscribe_response::Response::Delivery(Delivery {
                sequence,
                event,
                turn,
                ..Delivery::default()
            });
            _ = answers
                .send(Ok(SubscribeResponse {
                    response: Some(delivery),
                }))
                .await;
            continue;
        }
        match requests
            .message()
            .await
            .ok()
            .flatten()
            .and_then(|request| request.request)
        {
            Some(subscribe_request::Request::Credit(Credit { events: more })) if credit + more <= 10_000 => {
                credit += more;
                memory.lock().unwrap().allowed += u64::from(more);
            }
            Some(subscribe_request::Request::Ack(Ack {
                what: Some(What::Only(sequence)),
            })) if again && refused == Some(sequence) => {
                // Everything is done but what is kept back.
                memory.lock().unwrap().positions.insert(open.name.clone(), 3);
                _ = answers.send(Err(refuse(Code::Unavailable, "stopping"))).await;
                return;
            }
            Some(subscribe_request::Request::Ack(Ack {
                what: Some(What::Through(sequence)),
            })) if sequence <= position => {
                if let Some(refused) = refused {
                    // Something later is done; now the refused one comes again.
                    again = true;
                    let event = memory.lock().unwrap().log[0].1.clone();
                    let delivery = subscribe_response::Response::Delivery(Delivery {
                        sequence: refused,
                        event,
                        turn: Some(Turn::Again(Again { refusals: 1 })),
                        ..Delivery::default()
                    });
                    let response = Some(delivery);
                    _ = answers.send(Ok(SubscribeResponse { response })).await;
                    continue;
                }
                acked = sequence;
                if !breakage.is_some_and(|breakage| breakage.loses_acks) {
                    memory
                        .lock()
                        .unwrap()
                        .positions
                        .insert(open.name.clone(), sequence);
                }
            }
            Some(subscribe_request::Request::Nack(nack))
                if breakage.is_some_and(|breakage| breakage.keeps_back) =>
            {
                refused = Some(nack.sequence);
            }
            Some(_) => {
                _ = answers
                    .send(Err(refuse(Code::InvalidArgument, "argument_invalid")))
                    .await;
                return;
            }
            None => return,
        }
    }
}
