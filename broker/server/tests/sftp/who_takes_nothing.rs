//! A program that asks and does not take the answers holds nothing up: not the end of its offer, nor a stop, nor itself.

use crate::{
    counter::{Counter, SOON, Told},
    office::until_within,
    program::{Appetite, PIECE, Program, read},
};
use russh::{ChannelWriteHalf, client};
use std::{future::pending, time::Duration};
use tokio::{runtime::Handle, time::timeout};

/// How many tasks there are, ours and those of russh and NATS.
fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

async fn all_tasks_end(before: usize) {
    until_within(SOON, "no task is left", || tasks() <= before).await;
}

/// A program that has asked for a piece and does not take the answer.
async fn stalled(told: &Told, appetite: Appetite) -> (Program, ChannelWriteHalf<client::Msg>) {
    let program = Program::log_in(told, client::Config::default(), appetite).await;
    let channel = program.opens(told).await;
    channel.data_bytes(read(0)).await.unwrap();
    let taken = match appetite {
        Appetite::Half => u64::from(PIECE / 4),
        _ => 1,
    };
    program.gets(taken).await;
    (program, channel)
}

#[tokio::test]
async fn its_offer_ends_all_the_same_and_so_does_the_broker() {
    for appetite in [Appetite::Half, Appetite::Nothing] {
        let counter = Counter::open(4).await;
        let (offer, told) = counter.hand_out().await;
        let before = tasks();
        let (program, channel) = stalled(&told, appetite).await;
        assert_eq!(offer.taken(), 0, "what nobody took is not taken");
        drop(offer);
        timeout(Duration::from_secs(5), counter.close())
            .await
            .expect("a stop does not wait for it");
        program.wakes();
        drop((program, channel));
        all_tasks_end(before).await;
    }
}

#[tokio::test]
async fn nothing_is_left_of_it_when_it_goes_away() {
    let counter = Counter::open(4).await;
    let (_offer, told) = counter.hand_out().await;
    let before = tasks();
    for _ in 0..3 {
        drop(stalled(&told, Appetite::Nothing).await);
    }
    all_tasks_end(before).await;
}

#[tokio::test]
async fn it_may_give_up_and_begin_again() {
    let counter = Counter::open(4).await;
    let (_offer, told) = counter.hand_out().await;
    let (program, channel) = stalled(&told, Appetite::Nothing).await;
    channel.close().await.unwrap();
    program.opens(&told).await;
    program.gets(2).await;
}

#[tokio::test]
async fn it_is_cut_off_when_it_asks_without_an_end() {
    let counter = Counter::open(4).await;
    let (_offer, told) = counter.hand_out().await;
    let (program, channel) = stalled(&told, Appetite::Nothing).await;
    let many: Vec<u8> = (0..1000).flat_map(read).collect();
    let asking = async {
        while channel.data_bytes(many.clone()).await.is_ok() {}
        pending::<()>().await;
    };
    tokio::select! {
        () = asking => {}
        () = until_within(SOON, "it is cut off", || program.session.is_closed()) => {}
    }
}

#[tokio::test]
async fn a_channel_for_nothing_holds_nothing_up() {
    let counter = Counter::open(1).await;
    let before = tasks();
    let (offer, told) = counter.hand_out().await;
    let program = Program::log_in(&told, client::Config::default(), Appetite::Whole).await;
    let channel = program.session.channel_open_session().await.unwrap();
    // More than the window at a time, so that the broker has to have read what came before.
    let telling = async {
        for _ in 0..200 {
            channel.data_bytes(vec![0; 32 * 1024]).await.unwrap();
        }
    };
    timeout(SOON, telling).await.expect("nobody waits for it");
    drop(offer);
    until_within(SOON, "it is cut off", || program.session.is_closed()).await;
    all_tasks_end(before).await;
}

/// Nobody waits for the other: the one that is to send more, and the one that is to be taken from first.
#[tokio::test]
async fn all_is_answered_however_much_is_asked_ahead_and_in_whatever_packets() {
    const PIECES: u32 = 400;
    let counter = Counter::open(4).await;
    let (offer, told) = counter.hand_out().await;
    for (maximum_packet_size, at_once) in [(1024, 1), (1024, 400), (32 * 1024, 40)] {
        let before = offer.taken();
        let config = client::Config {
            maximum_packet_size,
            ..client::Config::default()
        };
        let program = Program::log_in(&told, config, Appetite::Whole).await;
        let channel = program.opens(&told).await;
        let all: Vec<u32> = (0..PIECES).collect();
        let asking = async {
            for some in all.chunks(at_once) {
                let requests: Vec<u8> = some.iter().copied().flat_map(read).collect();
                channel.data_bytes(requests).await.unwrap();
            }
        };
        timeout(SOON, asking).await.expect("it may ask");
        let bytes = u64::from(PIECES * PIECE);
        program.gets(bytes).await;
        until_within(SOON, "all is said to be taken", || {
            offer.taken() - before == bytes
        })
        .await;
    }
}
