//! Listing what the office holds: every patient's key with the time of the last change, for reconciliation. One page a
//! call, by the same [`crate::walk`] as a pass. A list that never holds
//! still is left alone for a minute.

use crate::api::Api;
use crate::host::Host;
use crate::office::Office;
use crate::poll::unreadable;
use crate::row::Rows;
use crate::walk::{MOST_ROWS, Step, Walk};
use archwire_connector::{Disposition, SurveyEntry, SurveyPage};
use std::time::Duration;

/// When a list that does not hold still is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(60);

/// Reads the next page. A row may come twice when pages drift; it has the same key then.
///
/// # Errors
/// When the office does not give it, or the list changed too much while it was read.
pub fn survey(host: &dyn Host, office: &Office, cursor: Option<&str>) -> Result<SurveyPage, Disposition> {
    let walk: Walk = match cursor {
        Some(text) => serde_json::from_str(text).map_err(|_| Disposition::rejected("cursor-unreadable"))?,
        None => Walk::default(),
    };
    let paging = [
        ("Offset", walk.offset().to_string()),
        ("Limit", office.page_size.to_string()),
    ];
    let body = Api::new(host, &office.url).simple(&paging)?;
    let rows = Rows::parse(&body).ok_or_else(unreadable)?;
    let entries = rows
        .rows
        .iter()
        .take(MOST_ROWS)
        .flatten()
        .filter(|row| !walk.has_passed(row))
        .map(|row| SurveyEntry {
            local_id: row.pat_num.to_string(),
            version: row.fields.date_t_stamp.stated(),
        });
    let entries = entries.collect();
    let (next, more) = match walk.step(&rows, office.page_size) {
        Step::On(next) | Step::Again(next) => (next, true),
        Step::Complete => (Walk::default(), false),
        Step::GivenUp => return Err(Disposition::retry("pages-drift-too-much", TRY_AGAIN)),
    };
    let cursor = serde_json::to_string(&next).map_err(|_| Disposition::rejected("cursor-unwritable"))?;
    Ok(SurveyPage {
        entries,
        cursor,
        more,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::double::Double;

    fn rows(first: u64, last: u64) -> String {
        let rows = (first..=last).map(|n| format!(r#"{{"PatNum":{n},"DateTStamp":"2026-11-01 10:00:00"}}"#));
        format!("[{}]", rows.collect::<Vec<_>>().join(","))
    }

    #[test]
    fn every_record_is_listed_with_the_time_of_its_last_change() {
        let host = Double::new().answer(200, &rows(1, 10)).answer(200, &rows(6, 12));
        let office = Office::for_tests();
        let first = survey(&host, &office, None).unwrap();
        let second = survey(&host, &office, Some(&first.cursor)).unwrap();
        assert!(first.more && !second.more);
        let listed: Vec<_> = first
            .entries
            .iter()
            .chain(&second.entries)
            .map(|entry| entry.local_id.clone())
            .collect();
        assert_eq!(
            listed,
            (1..=12).map(|number| number.to_string()).collect::<Vec<_>>()
        );
        assert_eq!(first.entries[0].version.as_deref(), Some("2026-11-01 10:00:00"));
        assert_eq!(host.asked()[1], "GET /patients/Simple?Offset=5&Limit=10");
    }
}
