//! A system that falls over, answers, and falls over again, on a clock that runs as fast as the machine.

use super::*;
use crate::dispatch::tries::{Lately, Next, Tries};
use archwire_core::{PatientId, Reason};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicUsize},
};
use tokio::time::Instant;

fn unavailable() -> Disposition {
    Disposition::Unavailable(Reason {
        code: "unreachable".parse().unwrap(),
        status: None,
        detail: None,
    })
}

fn breaker() -> Arc<Breaker> {
    Arc::new(Breaker::new("front-desk".parse().unwrap()))
}

fn open(breaker: &Breaker, purpose: Purpose) {
    breaker
        .pass(purpose)
        .expect("it is closed")
        .failed(&unavailable());
}

fn outage(standing: BreakerState) -> Outage {
    match standing {
        BreakerState::Closed => panic!("it is closed"),
        BreakerState::HalfOpen(outage) | BreakerState::Open(outage) => outage,
    }
}

/// Runs beside a test: `check` always succeeds.
fn watched(breaker: &Arc<Breaker>) {
    let breaker = Arc::clone(breaker);
    tokio::spawn(async move { breaker.watch_over(|| std::future::ready(Ok(()))).await });
}

#[tokio::test(start_paused = true)]
async fn one_goes_first_and_the_others_follow_when_it_worked() {
    let breaker = breaker();
    open(&breaker, Purpose::Writing);
    assert!(breaker.pass(Purpose::Writing).is_none());
    watched(&breaker);
    let first = breaker.admitted(Purpose::Writing).await;
    assert!(matches!(breaker.state(), BreakerState::HalfOpen(_)));
    assert!(breaker.pass(Purpose::Writing).is_none(), "one at a time");
    first.worked();
    assert_eq!(breaker.state(), BreakerState::Closed);
    let both = [breaker.pass(Purpose::Writing), breaker.pass(Purpose::Writing)];
    assert!(both.iter().all(Option::is_some));
}

#[tokio::test(start_paused = true)]
async fn whoever_learns_nothing_lets_the_next_one_try() {
    let breaker = breaker();
    open(&breaker, Purpose::Reading);
    watched(&breaker);
    drop(breaker.admitted(Purpose::Writing).await);
    let second = breaker.pass(Purpose::Reading).expect("the first one is gone");
    // A pass of an earlier time takes nothing from the one of now.
    let stale = Pass {
        breaker: &breaker,
        purpose: Purpose::Reading,
        trial: Some(0),
    };
    drop(stale);
    assert!(breaker.pass(Purpose::Reading).is_none());
    second.worked();
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn where_a_writing_was_refused_reading_goes_on_and_proves_nothing() {
    let breaker = breaker();
    open(&breaker, Purpose::Writing);
    watched(&breaker);
    let write = breaker.admitted(Purpose::Writing).await;
    let reads = [breaker.pass(Purpose::Reading), breaker.pass(Purpose::Reading)];
    for read in reads {
        read.expect("reading goes on").worked();
    }
    assert!(matches!(breaker.state(), BreakerState::HalfOpen(_)));
    write.worked();
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn the_pauses_grow_to_half_a_minute_while_it_falls_back_and_begin_anew_afterwards() {
    let breaker = breaker();
    open(&breaker, Purpose::Writing);
    let since = outage(breaker.state()).since;
    watched(&breaker);
    for seconds in [1, 2, 4, 8, 16, 30, 30] {
        let opened = Instant::now();
        let trial = breaker.admitted(Purpose::Writing).await;
        assert_eq!(opened.elapsed().as_secs(), seconds);
        trial.failed(&unavailable());
    }
    assert_eq!(outage(breaker.state()).since, since, "it is one outage");
    breaker.admitted(Purpose::Writing).await.worked();
    open(&breaker, Purpose::Writing);
    let opened = Instant::now();
    breaker.admitted(Purpose::Writing).await.worked();
    assert_eq!(opened.elapsed().as_secs(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_system_whose_check_fails_is_asked_ever_more_rarely() {
    let breaker = breaker();
    open(&breaker, Purpose::Reading);
    let asked = Arc::new(AtomicUsize::new(0));
    let (watched, counter) = (Arc::clone(&breaker), Arc::clone(&asked));
    tokio::spawn(async move {
        let check = || {
            counter.fetch_add(1, Ordering::Relaxed);
            std::future::ready(Err("unreachable".to_owned()))
        };
        watched.watch_over(check).await;
    });
    sleep(Duration::from_secs(3600)).await;
    let asked = asked.load(Ordering::Relaxed);
    assert!((110..=125).contains(&asked), "{asked} times in an hour");
    assert!(matches!(breaker.state(), BreakerState::Open(_)));
}

#[tokio::test(start_paused = true)]
async fn what_only_looked_does_not_prove_that_writing_works() {
    let breaker = breaker();
    open(&breaker, Purpose::Writing);
    watched(&breaker);
    breaker.admitted(Purpose::Writing).await.only_read();
    assert!(matches!(breaker.state(), BreakerState::HalfOpen(_)));
    // Unless nobody wants to write any more.
    breaker.nothing_to_write();
    assert_eq!(breaker.state(), BreakerState::Closed);
    open(&breaker, Purpose::Reading);
    breaker.nothing_to_write();
    assert!(matches!(breaker.state(), BreakerState::Open(_)));
    breaker.admitted(Purpose::Writing).await.only_read();
    assert_eq!(
        breaker.state(),
        BreakerState::Closed,
        "where reading was refused it does"
    );
}

/// A system with 30 patients to be written, which answers each `check` and each reading, and takes no writing for an hour.
#[tokio::test(start_paused = true)]
async fn a_system_that_answers_and_takes_nothing_for_an_hour_parks_nobody() {
    let breaker = breaker();
    watched(&breaker);
    let lately = Arc::new(Mutex::new(Lately::default()));
    let takes = Arc::new(AtomicBool::new(false));
    let (writings, readings) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let reader = {
        let (breaker, readings) = (Arc::clone(&breaker), Arc::clone(&readings));
        tokio::spawn(async move {
            loop {
                breaker.admitted(Purpose::Reading).await.worked();
                readings.fetch_add(1, Ordering::Relaxed);
                sleep(Duration::from_secs(10)).await;
            }
        })
    };
    let mut lanes = tokio::task::JoinSet::new();
    for number in 0..30 {
        let whose: PatientId = format!("00000000-0000-7000-8000-{number:012x}").parse().unwrap();
        let (breaker, takes) = (Arc::clone(&breaker), Arc::clone(&takes));
        let (lately, writings) = (Arc::clone(&lately), Arc::clone(&writings));
        lanes.spawn(async move {
            let mut tries = Tries::default();
            loop {
                let pass = breaker.admitted(Purpose::Writing).await;
                writings.fetch_add(1, Ordering::Relaxed);
                sleep(Duration::from_millis(50)).await;
                if takes.load(Ordering::Relaxed) {
                    pass.worked();
                    lately.lock().unwrap().succeeded();
                    return true;
                }
                pass.failed(&unavailable());
                let others = lately.lock().unwrap().failed(whose, Some(breaker.readings()));
                match tries.after(unavailable().into(), others) {
                    Next::Again(wait, _) => sleep(wait).await,
                    Next::Park(_) => return false,
                }
            }
        });
    }
    sleep(Duration::from_secs(3600)).await;
    let tried = writings.load(Ordering::Relaxed);
    assert!(tried < 200, "{tried} attempts at a system that takes nothing");
    let read = readings.load(Ordering::Relaxed);
    assert!(read > 100, "reading went on, {read} times");
    takes.store(true, Ordering::Relaxed);
    let delivered = lanes.join_all().await;
    assert_eq!(delivered, [true; 30], "nobody was given up");
    assert_eq!(breaker.state(), BreakerState::Closed);
    reader.abort();
}
