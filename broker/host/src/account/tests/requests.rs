//! Requests: pace, order and places in flight, with callers that come, stay and give up as they please.

use super::{account, in_no_time, keeps_the_pace, ms};
use crate::account::{Account, Deferred};
use http::{HeaderMap, StatusCode, header};
use proptest::{collection::vec, option, prelude::*};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

/// A request that somebody wants to make.
#[derive(Debug, Clone)]
struct Wish {
    comes_after: u64,
    takes: u64,
    /// Stops waiting after so long.
    patience: Option<u64>,
    /// For how long the vendor wants to be left alone after it.
    retry_after: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Started,
    Deferred,
    GivenUp,
}

#[derive(Debug, Clone, Copy)]
struct Made {
    number: usize,
    came: Instant,
    /// Started, was deferred or stopped waiting.
    at: Instant,
    fate: Fate,
    gone: Instant,
    pause: Option<u64>,
}

fn wish() -> impl Strategy<Value = Wish> {
    let (patience, pause) = (
        option::weighted(0.2, 0..4000_u64),
        option::weighted(0.05, 0..8_u64),
    );
    (0..20_000_u64, 0..2000_u64, patience, pause).prop_map(|(comes_after, takes, patience, retry_after)| {
        Wish {
            comes_after,
            takes,
            patience,
            retry_after,
        }
    })
}

fn answer(retry_after: Option<u64>) -> (StatusCode, HeaderMap) {
    match retry_after {
        Some(seconds) => {
            let headers = [(header::RETRY_AFTER, seconds.into())].into_iter().collect();
            (StatusCode::TOO_MANY_REQUESTS, headers)
        }
        None => (StatusCode::OK, HeaderMap::new()),
    }
}

async fn make(account: Account, wish: Wish, arrivals: Arc<Mutex<usize>>) -> Made {
    sleep(ms(wish.comes_after)).await;
    let number = {
        let mut arrivals = arrivals.lock().unwrap();
        *arrivals += 1;
        *arrivals
    };
    let came = Instant::now();
    let passed = match wish.patience {
        Some(patience) => timeout(ms(patience), account.pass()).await.ok(),
        None => Some(account.pass().await),
    };
    let at = Instant::now();
    let mut pause = None;
    let fate = match passed {
        None => Fate::GivenUp,
        Some(Err(Deferred { .. })) => Fate::Deferred,
        Some(Ok(passage)) => {
            sleep(ms(wish.takes)).await;
            let (status, headers) = answer(wish.retry_after);
            passage.answered(status, &headers);
            pause = wish.retry_after;
            Fate::Started
        }
    };
    Made {
        number,
        came,
        at,
        fate,
        gone: Instant::now(),
        pause,
    }
}

async fn all(account: &Account, wishes: Vec<Wish>) -> Vec<Made> {
    let arrivals = Arc::new(Mutex::new(0));
    let tasks: JoinSet<Made> = wishes
        .into_iter()
        .map(|wish| make(account.clone(), wish, Arc::clone(&arrivals)))
        .collect();
    let mut made = tasks.join_all().await;
    made.sort_by_key(|made| made.number);
    made
}

/// Everything that was promised of requests.
fn is_kept(made: &[Made], spacing: Duration, burst: u32, in_flight: usize) -> Result<(), TestCaseError> {
    let started: Vec<Made> = made
        .iter()
        .filter(|made| made.fate == Fate::Started)
        .copied()
        .collect();
    let starts: Vec<Instant> = started.iter().map(|made| made.at).collect();
    prop_assert!(starts.is_sorted(), "they did not start in the order of arrival");
    prop_assert_eq!(keeps_the_pace(&starts, spacing, burst), Ok(()));
    for one in &started {
        let open = started
            .iter()
            .filter(|other| other.at <= one.at && one.at < other.gone);
        prop_assert!(open.count() <= in_flight.max(1));
        let pauses = started
            .iter()
            .filter_map(|other| Some((other.gone, ms(other.pause? * 1000))));
        for (from, pause) in pauses {
            prop_assert!(
                one.at <= from || one.at >= from + pause,
                "a request started in a pause"
            );
        }
    }
    for one in made {
        // At 8 times the spacing.
        let longest = ms(5000).max(spacing.max(ms(50)) * 16) + ms(2);
        prop_assert!(one.at - one.came <= longest, "{one:?}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn requests_keep_order_pace_and_places_whoever_gives_up(
        spacing in prop_oneof![Just(0_u64), 1..2000_u64],
        burst in 1..6_u32,
        in_flight in 1..4_usize,
        wishes in vec(wish(), 1..60),
    ) {
        in_no_time(async {
            let account = account(ms(spacing), burst, in_flight);
            let made = all(&account, wishes).await;
            is_kept(&made, ms(spacing), burst, in_flight)?;
            // Nothing is lost: places are free, and the pace goes on.
            sleep(ms(20_000) + account.state().spacing).await;
            let passages = futures_util::future::join_all((0..in_flight).map(|_| account.pass())).await;
            prop_assert!(passages.iter().any(Result::is_ok));
            Ok(())
        })?;
    }
}

#[test]
fn a_request_that_would_wait_for_longer_than_five_seconds_is_deferred_at_once_and_told_when_to_come() {
    in_no_time(async {
        let account = account(ms(1000), 1, 8);
        let begun = Instant::now();
        let all = futures_util::future::join_all((0..8).map(|_| async {
            let passed = account.pass().await;
            if let Err(deferred) = &passed {
                // What a connector makes of it does not slow the account down.
                account.slow_down(deferred.after);
            }
            (passed.map(drop), begun.elapsed().as_millis())
        }));
        let all = all.await;
        let started: Vec<_> = all
            .iter()
            .filter(|(passed, _)| passed.is_ok())
            .map(|(_, at)| *at)
            .collect();
        assert_eq!(started, [0, 1000, 2000, 3000, 4000, 5000]);
        let deferred: Vec<_> = all
            .iter()
            .filter_map(|(passed, at)| Some((passed.err()?.after, *at)))
            .collect();
        assert_eq!(deferred, [(ms(6000), 0), (ms(6000), 0)]);
        assert_eq!(
            (account.state().spacing, account.state().paused_for),
            (ms(1000), None)
        );
    });
}

#[test]
fn a_request_waits_for_two_spacings_where_they_are_longer() {
    in_no_time(async {
        let account = account(ms(20_000), 1, 8);
        let begun = Instant::now();
        let (first, second, third, fourth) =
            tokio::join!(account.pass(), account.pass(), account.pass(), account.pass());
        assert!(first.is_ok() && second.is_ok() && third.is_ok());
        assert_eq!(fourth.map(drop), Err(Deferred { after: ms(60_000) }));
        assert_eq!(begun.elapsed(), ms(40_000));
    });
}

#[test]
fn a_request_that_finds_no_place_in_flight_is_deferred_after_five_seconds() {
    in_no_time(async {
        let account = account(Duration::ZERO, 1, 1);
        let first = account.pass().await;
        let begun = Instant::now();
        assert_eq!(account.pass().await.map(drop), Err(Deferred { after: ms(1000) }));
        assert_eq!(begun.elapsed(), ms(5000));
        drop(first);
        assert!(account.pass().await.is_ok());
        assert_eq!(begun.elapsed(), ms(5000));
    });
}

#[test]
fn a_vendor_in_trouble_is_not_a_vendor_that_is_content() {
    in_no_time(async {
        let account = account(ms(100), 1, 1);
        account
            .pass()
            .await
            .unwrap()
            .answered(StatusCode::TOO_MANY_REQUESTS, &HeaderMap::new());
        let answered = async |status: StatusCode| {
            for _ in 0..10 {
                account.pass().await.unwrap().answered(status, &HeaderMap::new());
            }
            account.state().spacing
        };
        assert_eq!(answered(StatusCode::INTERNAL_SERVER_ERROR).await, ms(200));
        assert_eq!(answered(StatusCode::SERVICE_UNAVAILABLE).await, ms(200));
        assert_eq!(answered(StatusCode::NOT_FOUND).await, ms(100));
    });
}
