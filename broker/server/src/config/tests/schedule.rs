//! The practice's time zone, and when systems are compared with the log.

use super::{Office, system};
use crate::config::Reconcile;
use jiff::civil::time;

#[test]
fn a_time_zone_is_known_by_its_name() {
    let office = Office::with("time-zone = \"America/Los_Angeles\"\n");
    assert_eq!(office.config().time_zone.iana_name(), Some("America/Los_Angeles"));
    let office = Office::with("").variable("ARCHWIRE__PRACTICE__TIME_ZONE", "Europe/Berlin");
    assert_eq!(office.config().time_zone.iana_name(), Some("Europe/Berlin"));
}

#[test]
fn a_time_zone_that_does_not_exist_is_named_with_the_nearest_one() {
    let problem = Office::with("time-zone = \"America/Los_Angelos\"\n").problem();
    let expected = "line 3: config_value practice.time-zone \"America/Los_Angelos\" is no time zone \
                    -> did you mean \"America/Los_Angeles\"?";
    assert!(problem.ends_with(expected), "{problem}");
    let problem = Office::with("time-zone = \"+1\"\n").problem();
    assert!(
        problem.ends_with("-> write its name in the database of time zones: \"America/Los_Angeles\""),
        "{problem}"
    );
}

fn reconcile(more: &str) -> Option<Reconcile> {
    let config = Office::with(&system(more)).config();
    config.systems.into_values().next().unwrap().reconcile
}

#[test]
fn a_system_is_compared_at_the_time_of_day_that_is_written_and_mended_only_if_that_is_too() {
    let at = time(2, 30, 0, 0);
    assert_eq!(reconcile(""), None);
    assert_eq!(
        reconcile("reconcile-at = \"02:30\"\n"),
        Some(Reconcile { at, repair: false })
    );
    assert_eq!(
        reconcile("reconcile-at = \"02:30\"\nreconcile-repair = true\n"),
        Some(Reconcile { at, repair: true })
    );
}

#[test]
fn what_is_no_time_of_day_is_refused() {
    for written in [
        "2:30", "24:00", "02:60", "02:30:00", "0230", "02:30 PM", "-1:00", "noon", "",
    ] {
        let problem = Office::with(&system(&format!("reconcile-at = \"{written}\"\n"))).problem();
        let expected = format!(
            "line 5: config_value systems.front-desk.reconcile-at \"{written}\" is no time of day \
             -> write hours and minutes of a day of 24 hours: \"02:30\""
        );
        assert!(problem.ends_with(&expected), "{problem}");
    }
}

#[test]
fn to_repair_without_a_time_is_refused() {
    for repair in ["true", "false"] {
        let problem = Office::with(&system(&format!("reconcile-repair = {repair}\n"))).problem();
        let expected = "line 5: config_conflict systems.front-desk.reconcile-repair says what happens when the system is \
                        compared, but not when that is -> write the hour beside it: reconcile-at = \"02:30\"";
        assert!(problem.ends_with(expected), "{problem}");
    }
}
