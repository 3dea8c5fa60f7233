//! Turns: who is let in, in which order, and that nobody is lost.

use super::{account, in_no_time, ms};
use crate::{Account, account::Turn};
use archwire_core::Priority;
use proptest::{collection::vec, option, prelude::*, sample::select};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

/// Somebody who wants a turn.
#[derive(Debug, Clone)]
struct Visitor {
    comes_after: u64,
    priority: Priority,
    stays: u64,
    /// Stops waiting after so long.
    patience: Option<u64>,
}

/// What became of a visitor.
#[derive(Debug, Clone, Copy)]
struct Visit {
    priority: Priority,
    /// Who came before.
    number: usize,
    came: Instant,
    entered: Option<Instant>,
    /// Left, or stopped waiting.
    gone: Instant,
}

impl Visit {
    fn deadline(&self) -> (Instant, usize) {
        (self.came + self.priority.patience(), self.number)
    }
}

fn visitor() -> impl Strategy<Value = Visitor> {
    let patience = option::weighted(0.3, 0..8000_u64);
    (0..20_000_u64, select(&Priority::ALL), 0..3000_u64, patience).prop_map(
        |(comes_after, priority, stays, patience)| Visitor {
            comes_after,
            priority,
            stays,
            patience,
        },
    )
}

async fn visit(account: Account, visitor: Visitor, arrivals: Arc<Mutex<usize>>) -> Visit {
    sleep(ms(visitor.comes_after)).await;
    let number = {
        let mut arrivals = arrivals.lock().unwrap();
        *arrivals += 1;
        *arrivals
    };
    let came = Instant::now();
    let turn = account.turn(visitor.priority);
    let turn: Option<Turn> = match visitor.patience {
        Some(patience) => timeout(ms(patience), turn).await.ok(),
        None => Some(turn.await),
    };
    let entered = turn.is_some().then(Instant::now);
    if turn.is_some() {
        sleep(ms(visitor.stays)).await;
    }
    Visit {
        priority: visitor.priority,
        number,
        came,
        entered,
        gone: Instant::now(),
    }
}

async fn visits(account: &Account, visitors: Vec<Visitor>, pause: Option<(u64, u64)>) -> Vec<Visit> {
    let arrivals = Arc::new(Mutex::new(0));
    let tasks: JoinSet<Visit> = visitors
        .into_iter()
        .map(|visitor| visit(account.clone(), visitor, Arc::clone(&arrivals)))
        .collect();
    if let Some((after, pause)) = pause {
        sleep(ms(after)).await;
        account.slow_down(ms(pause));
    }
    tasks.join_all().await
}

/// Whoever was let in had an earlier deadline than everybody who was waiting then.
fn the_earliest_went_first(visits: &[Visit]) -> Result<(), TestCaseError> {
    for visit in visits {
        let Some(entered) = visit.entered else { continue };
        let waited = |other: &&Visit| {
            other.came < entered
                && other.entered.unwrap_or(other.gone) > entered
                && other.number != visit.number
        };
        for other in visits.iter().filter(waited) {
            prop_assert!(
                visit.deadline() < other.deadline(),
                "{visit:?} went before {other:?}"
            );
        }
    }
    Ok(())
}

fn most_at_a_time(visits: &[Visit]) -> usize {
    let inside = |at: Instant| {
        let is_inside = |visit: &&Visit| {
            visit
                .entered
                .is_some_and(|entered| entered <= at && at < visit.gone)
        };
        visits.iter().filter(is_inside).count()
    };
    visits
        .iter()
        .filter_map(|visit| visit.entered)
        .map(inside)
        .max()
        .unwrap_or(0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn turns_go_to_the_earliest_deadline_and_are_never_lost(
        in_flight in 1..4_usize,
        visitors in vec(visitor(), 1..60),
        pause in option::of((0..20_000_u64, 0..10_000_u64)),
    ) {
        in_no_time(async {
            let account = account(Duration::ZERO, 1, in_flight);
            let began = Instant::now();
            let stay: Vec<_> = visitors.iter().map(|visitor| visitor.patience.is_none()).collect();
            let visits = visits(&account, visitors, pause).await;
            prop_assert!(most_at_a_time(&visits) <= in_flight);
            the_earliest_went_first(&visits)?;
            let entered = visits.iter().filter(|visit| visit.entered.is_some()).count();
            prop_assert!(entered >= stay.into_iter().filter(|stay| *stay).count());
            if let Some((after, pause)) = pause {
                let (from, to) = (began + ms(after), began + ms(after + pause));
                let early = |entered: Instant| from < entered && entered < to;
                prop_assert!(!visits.iter().filter_map(|visit| visit.entered).any(early));
            }
            let state = account.state();
            prop_assert_eq!((state.taken, state.waiting.values().sum::<usize>()), (0, 0));
            let all = futures_util::future::join_all((0..in_flight).map(|_| account.turn(Priority::Live)));
            prop_assert!(timeout(ms(60_000), all).await.is_ok(), "a turn is lost");
            Ok(())
        })?;
    }
}

/// Asks for a turn, keeps it for a while and asks again, for ever.
async fn insist(account: Account, priority: Priority) {
    loop {
        let turn = account.turn(priority).await;
        sleep(ms(100)).await;
        drop(turn);
    }
}

#[test]
fn nobody_starves_while_more_urgent_ones_never_stop_coming() {
    in_no_time(async {
        let account = account(Duration::ZERO, 1, 1);
        let mut others: JoinSet<()> = (0..20)
            .map(|_| insist(account.clone(), Priority::Interactive))
            .collect();
        sleep(ms(1000)).await;
        for priority in [Priority::Live, Priority::Backfill] {
            let begun = Instant::now();
            _ = account.turn(priority).await;
            // Its patience, and those who came before that ran out, 100 ms each.
            let longest = priority.patience() + ms(100) * 21;
            assert!(
                begun.elapsed() <= longest,
                "{priority:?} waited for {:?}",
                begun.elapsed()
            );
            assert!(begun.elapsed() >= priority.patience());
        }
        others.shutdown().await;
    });
}

#[test]
fn a_turn_that_was_given_to_somebody_who_just_stopped_waiting_goes_to_the_next() {
    in_no_time(async {
        let account = account(Duration::ZERO, 1, 1);
        let first = account.turn(Priority::Live).await;
        let mut second = Box::pin(account.turn(Priority::Live));
        let mut third = Box::pin(account.turn(Priority::Live));
        assert!(futures_util::poll!(second.as_mut()).is_pending());
        assert!(futures_util::poll!(third.as_mut()).is_pending());
        assert_eq!(account.state().waiting[&Priority::Live], 2);
        drop(first);
        // The second was let in, and does not know it.
        assert_eq!(
            (account.state().taken, account.state().waiting[&Priority::Live]),
            (1, 1)
        );
        drop(second);
        let third = third.await;
        assert_eq!(account.state().taken, 1);
        drop(third);
        assert_eq!(account.state().taken, 0);
    });
}

#[test]
fn nobody_gets_a_turn_while_the_vendor_wants_to_be_left_alone() {
    in_no_time(async {
        let account = account(ms(100), 1, 1);
        let taken = account.turn(Priority::Live).await;
        let waiting = tokio::spawn({
            let account = account.clone();
            async move {
                _ = account.turn(Priority::Interactive).await;
                Instant::now()
            }
        });
        sleep(ms(10)).await;
        let begun = Instant::now();
        account.slow_down(ms(7000));
        assert_eq!(account.state().paused_for, Some(ms(7000)));
        assert_eq!(account.state().spacing, ms(200));
        drop(taken);
        let entered = waiting.await.unwrap() - begun;
        assert!((ms(7000)..ms(7010)).contains(&entered), "{entered:?}");
        assert_eq!(account.state().paused_for, None);
    });
}

#[test]
fn a_vendor_is_left_alone_for_an_hour_at_most() {
    in_no_time(async {
        let account = account(Duration::ZERO, 1, 1);
        account.slow_down(Duration::MAX);
        assert_eq!(account.state().paused_for, Some(Account::LONGEST_PAUSE));
        assert_eq!(Account::LONGEST_PAUSE, Duration::from_secs(3600));
    });
}

/// Whoever has a turn makes three requests in a row.
async fn three_requests(account: Account) -> usize {
    let _turn = account.turn(Priority::Backfill).await;
    let mut deferred = 0;
    for _ in 0..3 {
        deferred += usize::from(account.pass().await.is_err());
    }
    deferred
}

#[test]
fn who_has_a_turn_is_not_told_to_come_again_because_of_others_with_turns() {
    for spacing in [100, 900, 2_000, 4_000, 20_000] {
        in_no_time(async {
            let account = account(ms(spacing), 1, 4);
            let mut all: JoinSet<usize> = (0..50).map(|_| three_requests(account.clone())).collect();
            while let Some(deferred) = all.join_next().await {
                assert_eq!(deferred.unwrap(), 0, "a spacing of {spacing} ms");
            }
        });
    }
}

#[test]
fn an_account_that_is_slowed_down_has_fewer_turns_until_it_is_as_fast_as_before() {
    in_no_time(async {
        let account = account(ms(500), 1, 4);
        let at_a_time = async || {
            let mut turns = Vec::new();
            while let Ok(turn) = timeout(ms(10), account.turn(Priority::Live)).await {
                turns.push(turn);
            }
            turns.len()
        };
        assert_eq!(at_a_time().await, 4);
        account.slow_down(ms(1_000));
        sleep(ms(1_000)).await;
        assert_eq!(at_a_time().await, 2, "a second apart");
        for _ in 0..10 {
            let passage = account.pass().await.unwrap();
            passage.answered(http::StatusCode::OK, &http::HeaderMap::new());
        }
        assert_eq!(at_a_time().await, 4);
    });
}
