//! Accounts held to what they promise, with whatever is done to them, in a time that passes only when everybody waits.

mod pace;
mod requests;
mod turns;

use super::{Account, AccountConfig};
use std::{future::Future, num::NonZeroUsize, time::Duration};
use tokio::time::Instant;

fn account(spacing: Duration, burst: u32, in_flight: usize) -> Account {
    Account::new(AccountConfig {
        spacing,
        burst: burst.try_into().unwrap(),
        in_flight: in_flight.try_into().unwrap(),
        ..AccountConfig::new("remote-api".parse().unwrap())
    })
}

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// Runs a test whose time passes only when everybody waits.
fn in_no_time<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(test)
}

/// In no time that begins with one of the starts are there more than the burst and one for each spacing.
fn keeps_the_pace(starts: &[Instant], spacing: Duration, burst: u32) -> Result<(), String> {
    for (first, begin) in starts.iter().enumerate() {
        for (last, end) in starts.iter().enumerate().skip(first) {
            let (count, time) = (last - first + 1, *end - *begin);
            let allowed = match spacing.as_nanos() {
                0 => return Ok(()),
                spacing => u128::from(burst) + time.as_nanos() / spacing,
            };
            if count as u128 > allowed {
                return Err(format!("{count} starts in {time:?}, {allowed} allowed"));
            }
        }
    }
    Ok(())
}

#[test]
fn an_account_is_as_strict_as_its_strictest_grant() {
    let grant = |spacing, in_flight| crate::Grant {
        to: "https://api.example.com".parse().unwrap(),
        methods: Vec::new(),
        paths: Vec::new(),
        private_addresses: false,
        spacing,
        in_flight: NonZeroUsize::new(in_flight).unwrap(),
    };
    let written = AccountConfig {
        spacing: ms(100),
        burst: 5.try_into().unwrap(),
        ..AccountConfig::new("remote-api".parse().unwrap())
    };
    assert_eq!(
        (written.in_flight.get(), written.clone().within(&[])),
        (64, written.clone())
    );
    let within = written
        .clone()
        .within(&[grant(Duration::ZERO, 8), grant(Duration::ZERO, 3)]);
    assert_eq!(
        (within.spacing, within.burst.get(), within.in_flight.get()),
        (ms(100), 5, 3)
    );
    let within = written.within(&[grant(ms(50), 8), grant(ms(250), 4)]);
    assert_eq!(
        (within.spacing, within.burst.get(), within.in_flight.get()),
        (ms(250), 1, 4)
    );
}
