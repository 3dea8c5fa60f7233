//! The second stage of what happens at an hour of the day: the practice's time zone, and when systems are compared with
//! the log.

use super::{
    check::{Check, nearest},
    model::Reconcile,
    problem::ProblemKind,
    raw::RawConfig,
};
use jiff::{civil::Time, tz::TimeZone};

/// Parses `practice.time-zone`. Without it the machine is asked, which has to know only where an hour of the day is written.
pub(super) fn time_zone(check: &mut Check<'_>, raw: &RawConfig) -> Option<TimeZone> {
    let key = "practice.time-zone";
    match &raw.practice.time_zone {
        Some(written) => named(check, key, written),
        None => match TimeZone::try_system() {
            Ok(zone) => Some(zone),
            Err(_) if raw.systems.values().all(|system| system.reconcile_at.is_none()) => Some(TimeZone::UTC),
            Err(_) => {
                let way_out =
                    "this machine does not say its own: time-zone = \"America/Los_Angeles\" under [practice]";
                check.required(key, None, way_out)
            }
        },
    }
}

fn named(check: &mut Check<'_>, key: &str, written: &str) -> Option<TimeZone> {
    let zone = TimeZone::get(written).ok();
    if zone.is_none() {
        let known: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
        let way_out = match nearest(written, known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None if known.is_empty() => {
                "this machine has no database of time zones: install tzdata".to_owned()
            }
            None => "write its name in the database of time zones: \"America/Los_Angeles\"".to_owned(),
        };
        check.value(key, format!("\"{written}\" is no time zone"), way_out);
    }
    zone
}

/// Parses `reconcile-at` and `reconcile-repair` of the system `key`.
pub(super) fn reconcile(
    check: &mut Check<'_>,
    key: &str,
    at: Option<String>,
    repair: Option<bool>,
) -> Option<Option<Reconcile>> {
    let at_key = format!("{key}.reconcile-at");
    let Some(written) = at else {
        if repair.is_some() {
            let what = "says what happens when the system is compared, but not when that is";
            let way_out = "write the hour beside it: reconcile-at = \"02:30\"";
            check.problem(
                &format!("{key}.reconcile-repair"),
                ProblemKind::Conflict,
                what,
                way_out,
            );
            return None;
        }
        return Some(None);
    };
    let at = hour_of_day(&written);
    if at.is_none() {
        let way_out = "write hours and minutes of a day of 24 hours: \"02:30\"";
        check.value(&at_key, format!("\"{written}\" is no time of day"), way_out);
    }
    Some(Some(Reconcile {
        at: at?,
        repair: repair.unwrap_or(false),
    }))
}

/// Exactly `HH:MM`: what else could be read as a time could be read in two ways.
fn hour_of_day(written: &str) -> Option<Time> {
    let digits = |part: &str| {
        (part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| part.parse::<i8>().ok())
            .flatten()
    };
    let (hour, minute) = written.split_once(':')?;
    Time::new(digits(hour)?, digits(minute)?, 0, 0).ok()
}
