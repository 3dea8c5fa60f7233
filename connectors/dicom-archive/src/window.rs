//! The studies of the last days, and whether they have become stable: how new images are found by QIDO-RS alone.
//!
//! DICOMweb does not tell when something arrived. So the studies of the last days are asked for by their date, and what counts
//! is the number of their images: a study is told when it was the same for a while, and again when it has grown and come to
//! rest. At most [`MOST`] studies are watched, the newest by their date. What arrives with an older date than the window
//! is not seen, nor an image that takes another's place.

use crate::json::{Dataset, tag};
use crate::sent::hash;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// At most 55 characters of the cursor each: 26 KB.
pub const MOST: usize = 500;
/// Studies that are read at a time; the others are found with the next look.
const MOST_READY: usize = 50;
const SECONDS_OF_A_DAY: u64 = 86_400;

/// What is known of each study, by a hash of its identifier.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Window(BTreeMap<u64, Seen>);

/// How many images, since when (seconds since 1970 UTC), and how many when it was told.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Seen(u32, u64, u32);

impl Window {
    /// Looks at the studies of the last days, and says which of them are to be read: stable, and not as they were when they were told.
    pub fn look<'a>(
        &mut self,
        studies: &'a [Dataset],
        now_ms: u64,
        stable_after: Duration,
    ) -> Vec<&'a Dataset> {
        let now = now_ms / 1_000;
        let mut known = BTreeMap::new();
        let mut ready = Vec::new();
        for study in studies.iter().take(MOST) {
            let Some(uid) = study.text(tag::STUDY_INSTANCE_UID) else {
                continue;
            };
            // A server that does not count shows every study as one of one image: told once.
            let count = study.number(tag::NUMBER_OF_STUDY_RELATED_INSTANCES).unwrap_or(1);
            let mut seen = match self.0.get(&hash(uid)) {
                Some(Seen(before, since, told)) if *before == count => Seen(count, *since, *told),
                Some(Seen(_, _, told)) => Seen(count, now, *told),
                None => Seen(count, now, 0),
            };
            let is_stable = now.saturating_sub(seen.1) >= stable_after.as_secs();
            if seen.2 != count && is_stable && ready.len() < MOST_READY {
                seen.2 = count;
                ready.push(study);
            }
            known.insert(hash(uid), seen);
        }
        self.0 = known;
        ready
    }
}

/// The dates of the last days in DICOM's writing, from and to. A day more at each end: clocks and time zones differ.
#[must_use]
pub fn dates(now_ms: u64, days: u32) -> String {
    let today = now_ms / 1_000 / SECONDS_OF_A_DAY;
    let first = today.saturating_sub(u64::from(days) + 1);
    format!("{}-{}", date(first), date(today + 1))
}

/// The date of a day since 1970 (proleptic Gregorian calendar; Howard Hinnant's `civil_from_days`).
fn date(days: u64) -> String {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}{month:02}{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::dataset;

    fn study(uid: &str, count: u32) -> Dataset {
        dataset(&format!(
            r#"{{"0020000D":{{"Value":["{uid}"]}},"00201208":{{"Value":[{count}]}}}}"#
        ))
    }

    fn told(window: &mut Window, studies: &[(&str, u32)], seconds: u64) -> Vec<String> {
        let studies: Vec<_> = studies.iter().map(|(uid, count)| study(uid, *count)).collect();
        let ready = window.look(&studies, seconds * 1_000, Duration::from_secs(60));
        ready
            .iter()
            .map(|study| study.text(tag::STUDY_INSTANCE_UID).unwrap().to_owned())
            .collect()
    }

    #[test]
    fn a_study_is_told_when_it_has_come_to_rest_and_again_when_it_has_grown() {
        let mut window = Window::default();
        let none: [&str; 0] = [];
        assert_eq!(told(&mut window, &[("1.2", 1)], 1_000), none);
        assert_eq!(told(&mut window, &[("1.2", 2)], 1_030), none);
        assert_eq!(told(&mut window, &[("1.2", 2)], 1_089), none);
        assert_eq!(told(&mut window, &[("1.2", 2)], 1_090), ["1.2"]);
        assert_eq!(told(&mut window, &[("1.2", 2)], 2_000), none);
        assert_eq!(told(&mut window, &[("1.2", 3), ("1.3", 1)], 3_000), none);
        assert_eq!(
            told(&mut window, &[("1.2", 3), ("1.3", 1)], 3_060),
            ["1.2", "1.3"]
        );
    }

    #[test]
    fn what_is_known_survives_a_cursor_and_has_a_bound() {
        let mut window = Window::default();
        let studies: Vec<_> = (0..2 * MOST)
            .map(|number| study(&format!("1.{number}"), 1_000_000))
            .collect();
        let ready = window.look(&studies, 1_700_000_000_000, Duration::ZERO);
        assert_eq!(ready.len(), MOST_READY);
        let text = serde_json::to_string(&window).unwrap();
        assert!(text.len() < 55 * MOST, "{}", text.len());
        assert!(serde_json::from_str::<Window>(&text).unwrap() == window);
        assert_eq!(window.0.len(), MOST);
    }

    #[test]
    fn the_window_is_written_in_dates() {
        // 2024-02-29 12:00 UTC.
        assert_eq!(dates(1_709_208_000_000, 0), "20240228-20240301");
        assert_eq!(dates(1_709_208_000_000, 59), "20231231-20240301");
        assert_eq!(date(0), "19700101");
        assert_eq!(date(20_779), "20261122");
    }
}
