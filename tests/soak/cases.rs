//! The runs by name, and how long each is.

use crate::Options;
use crate::flood;
use crate::fuzz::{self, Fuzzed};
use anyhow::{Result, bail};
use archwire_tests::faults::cases::kills::PLACES;
use archwire_tests::faults::cases::{full, images, kills, nats, outage, power, stubborn, vendor};
use clap::ValueEnum;
use std::time::Duration;

/// How long a NATS server that is nobody's child stays away.
const AWAY: Duration = Duration::from_secs(30);
/// How long an office answers nothing but errors: longer than the attempts of a single patient would last.
const ERRORS: Duration = Duration::from_secs(12 * 60);
/// Patients of the runs with random load.
const PEOPLE: usize = 300;
/// The same where new people must come to the end.
const MANY: usize = 3_000;
/// How often the broker's own server dies in a run: it gives up at the tenth death without a minute of health in between.
const DEATHS: usize = 9;
/// People at work in them.
const WORKERS: usize = 6;

/// A run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Case {
    /// kill -9 of the broker at every place on the way of a change, three times each.
    Places,
    /// kill -9 of the broker at random under load, `--kills` times.
    Kills,
    /// kill -9 of the broker and of its nats-server while images are put, brought and fetched, 12 times.
    Images,
    /// kill -9 of the broker's own nats-server, 9 times in a row.
    NatsKilled,
    /// A NATS server that stands still for 30 s, three times.
    NatsFrozen,
    /// A NATS server that is down for 30 s, three times.
    NatsDown,
    /// 20 power cuts.
    Power,
    /// A log that has reached its size while 3,000 people are registered.
    LogFull,
    /// A disk that is full.
    DiskFull,
    /// Every way in which the vendor's API fails, twice in a row each.
    Vendor,
    /// A vendor that is away for a day: 10,000 changes of 1,000 patients wait.
    Day,
    /// A vendor that answers everything with 500 for 12 minutes: 40 patients wait.
    Errors,
    /// One patient whose writes always fail among 10,000 events of 1,000 patients.
    Stubborn,
    /// 10,000 connections to the API at once.
    Connections,
    /// Bad input of every kind, chosen by libFuzzer: each target of `tests/fuzz` for `--fuzz-seconds`. Needs cargo-fuzz.
    Fuzz,
}

/// All of them, or those that were asked for.
pub(crate) fn chosen(only: &[Case]) -> Vec<Case> {
    let all = Case::value_variants().iter().copied();
    all.filter(|case| only.is_empty() || only.contains(case))
        .collect()
}

impl Case {
    /// As it is written after `--only`.
    pub(crate) fn name(self) -> String {
        self.to_possible_value()
            .map(|value| value.get_name().to_owned())
            .unwrap_or_default()
    }

    /// Runs it to its end. Tells what it came to.
    pub(crate) async fn run(self, options: &Options, seed: u64) -> Result<String> {
        let killing = |kills| kills::Size {
            kills,
            seed,
            people: PEOPLE,
            workers: WORKERS,
        };
        let away = |times| nats::Size {
            times,
            away: AWAY,
            seed,
            people: PEOPLE,
            workers: WORKERS,
        };
        let outcome = match self {
            Self::Places => {
                let size = kills::Size {
                    people: MANY,
                    ..killing(3 * PLACES.len())
                };
                kills::at_every_place(size).await?
            }
            Self::Kills => kills::at_random(killing(options.kills)).await?,
            Self::Images => {
                let size = images::Size {
                    kills: 12,
                    seed,
                    people: 20,
                    images: 60,
                };
                images::survive_kills(size).await?
            }
            Self::NatsKilled => nats::own_server_is_killed(away(DEATHS)).await?,
            Self::NatsFrozen => nats::server_is_away(away(3), nats::Absence::Frozen).await?,
            Self::NatsDown => nats::server_is_away(away(3), nats::Absence::Killed).await?,
            Self::Power => {
                let size = power::Size {
                    cuts: 20,
                    seed,
                    people: PEOPLE,
                    workers: WORKERS,
                };
                power::is_cut(size).await?
            }
            Self::LogFull => full::log_is_full(3_000).await?,
            Self::DiskFull => match full::disk_is_full(PEOPLE).await? {
                Some(outcome) => outcome,
                None => return Ok("not shown here: no disk can be made".to_owned()),
            },
            Self::Vendor => {
                let outcomes = vendor::each(2, 7).await?;
                return Ok(format!("{} ways to fail", outcomes.len()));
            }
            Self::Day => {
                let size = outage::Size {
                    patients: 1_000,
                    changes: 10_000,
                    seed,
                };
                outage::for_a_day(size).await?
            }
            Self::Errors => outage::of_errors(40, ERRORS).await?,
            Self::Stubborn => {
                let size = stubborn::Size {
                    patients: 1_000,
                    events: 10_000,
                };
                stubborn::one_of_many(size).await?
            }
            Self::Connections => return flood::of_connections(),
            Self::Fuzz => {
                let time = Duration::from_secs(options.fuzz_seconds);
                return match fuzz::each(time)? {
                    Fuzzed::Held(outcome) => Ok(outcome),
                    // Who asks for nothing else has to know.
                    Fuzzed::Lacking(what) if options.only.contains(&self) => bail!(what),
                    Fuzzed::Lacking(what) => Ok(format!("not shown here: {what}")),
                };
            }
        };
        Ok(outcome.to_string())
    }
}
