//! The pace, with any history.

use super::{keeps_the_pace, ms};
use crate::account::pace::{Pace, Slowed};
use proptest::{collection::vec, prelude::*};
use std::time::Duration;
use tokio::time::Instant;

#[derive(Debug, Clone)]
enum Event {
    /// So many milliseconds pass.
    Pass(u64),
    /// A request wants to start.
    Start,
    /// The nth last request went well.
    Well(usize),
    /// The nth last request was answered with a wish for a pause; or somebody says so who made none.
    Fewer(Option<usize>, u64),
    /// A connector was told to come back later.
    Told(u64),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (0..3000_u64).prop_map(Event::Pass),
        6 => Just(Event::Start),
        3 => (0..4_usize).prop_map(Event::Well),
        1 => (proptest::option::of(0..4_usize), 0..20_000_u64).prop_map(|(of, pause)| Event::Fewer(of, pause)),
        1 => (0..20_000_u64).prop_map(Event::Told),
    ]
}

proptest! {
    #[test]
    fn a_pace_is_kept_whatever_happens(
        spacing in prop_oneof![Just(0_u64), 1..2000_u64],
        burst in 1..6_u32,
        events in vec(event(), 1..200),
    ) {
        let spacing = ms(spacing);
        let mut now = Instant::now();
        let mut pace = Pace::new(spacing, burst.try_into().unwrap(), now);
        let (mut starts, mut generations) = (Vec::new(), Vec::new());
        let last = |generations: &[u64], nth: usize| generations.iter().rev().nth(nth).copied();
        for event in events {
            match event {
                Event::Pass(time) => now += ms(time),
                Event::Start => {
                    let ready_at = pace.ready_at(now, 0);
                    match pace.take(now) {
                        Ok(generation) => {
                            prop_assert!(ready_at <= now && pace.paused_until(now).is_none());
                            starts.push(now);
                            generations.push(generation);
                        }
                        Err(again_at) => prop_assert!(again_at > now && again_at == ready_at),
                    }
                }
                Event::Well(nth) => {
                    if let Some(generation) = last(&generations, nth) {
                        pace.went_well(generation);
                    }
                }
                Event::Fewer(nth, pause) => {
                    let of = nth.and_then(|nth| last(&generations, nth));
                    let before = pace.spacing();
                    let (slowed, until) = pace.slow_down(now, ms(pause), of);
                    prop_assert!(slowed == Slowed::Known || pace.paused_until(now).is_none_or(|paused| paused == until));
                    prop_assert!(slowed == Slowed::Further || pace.spacing() == before);
                    prop_assert!(slowed == Slowed::Known || pace.ready_at(now, 0) >= now + ms(pause));
                }
                Event::Told(time) => pace.told(now, ms(time)),
            }
            let slowest = spacing.max(ms(50)) * 8;
            prop_assert!((spacing..=slowest).contains(&pace.spacing()));
        }
        prop_assert_eq!(keeps_the_pace(&starts, spacing, burst), Ok(()));
        // It is never stuck: whoever keeps to it gets back to what was configured.
        for _ in 0..30 {
            now = pace.ready_at(now, 0);
            let generation = pace.take(now);
            prop_assert!(generation.is_ok());
            pace.went_well(generation.unwrap());
        }
        prop_assert_eq!(pace.spacing(), spacing);
    }
}

fn started(spacing: Duration) -> (Pace, Instant, u64) {
    let now = Instant::now();
    let mut pace = Pace::new(spacing, 1.try_into().unwrap(), now);
    let generation = pace.take(now).unwrap();
    (pace, now, generation)
}

#[test]
fn each_wish_doubles_the_spacing_up_to_eight_times_and_ten_good_requests_halve_it() {
    let (mut pace, mut now, mut generation) = started(ms(1000));
    for spacing in [2, 4, 8, 8] {
        assert_eq!(pace.slow_down(now, ms(3000), Some(generation)).0, Slowed::Further);
        assert_eq!(
            (pace.spacing(), pace.ready_at(now, 0)),
            (ms(spacing * 1000), now + ms((3000).max(spacing * 1000)))
        );
        now = pace.ready_at(now, 0);
        generation = pace.take(now).unwrap();
    }
    for spacing in [4, 2, 1] {
        for _ in 0..10 {
            assert!(pace.spacing() > ms(spacing * 1000));
            pace.went_well(generation);
        }
        assert_eq!(pace.spacing(), ms(spacing * 1000));
    }
}

#[test]
fn an_account_without_a_spacing_gets_one_of_a_tenth_of_a_second() {
    let (mut pace, now, generation) = started(Duration::ZERO);
    pace.slow_down(now, Duration::ZERO, Some(generation));
    assert_eq!(pace.spacing(), ms(100));
    assert_eq!(pace.ready_at(now, 0), now + ms(100));
}

#[test]
fn requests_that_were_under_way_and_echoes_slow_nothing_down_again() {
    let now = Instant::now();
    let mut pace = Pace::new(ms(100), 4.try_into().unwrap(), now);
    let under_way: Vec<u64> = (0..4).map(|_| pace.take(now).unwrap()).collect();
    let answers: Vec<_> = under_way
        .iter()
        .map(|of| pace.slow_down(now, ms(2000), Some(*of)).0)
        .collect();
    assert_eq!(
        answers,
        [Slowed::Further, Slowed::Known, Slowed::Known, Slowed::Known]
    );
    // The connector says it too, a little later and in whole seconds.
    assert_eq!(pace.slow_down(now + ms(900), ms(2000), None).0, Slowed::Known);
    assert_eq!(pace.slow_down(now + ms(900), ms(9000), None).0, Slowed::Longer);
    assert_eq!((pace.spacing(), pace.ready_at(now, 0)), (ms(200), now + ms(9900)));
    // What was sent before says nothing about the pace after it.
    (0..20).for_each(|_| _ = pace.went_well(under_way[0]));
    assert_eq!(pace.spacing(), ms(200));
}

#[test]
fn what_a_connector_was_told_by_the_host_slows_nothing_down() {
    let (mut pace, now, _) = started(ms(1000));
    pace.told(now, ms(8000));
    pace.told(now + ms(1000), ms(7000));
    for later in [50, 3000, 7900] {
        assert_eq!(pace.slow_down(now + ms(later), ms(8000), None).0, Slowed::Known);
    }
    assert_eq!(pace.spacing(), ms(1000));
    assert_eq!(pace.slow_down(now + ms(50), ms(30_000), None).0, Slowed::Further);
    let (mut pace, now, _) = started(ms(1000));
    pace.told(now, ms(8000));
    assert_eq!(pace.slow_down(now + ms(8000), ms(8000), None).0, Slowed::Further);
}
