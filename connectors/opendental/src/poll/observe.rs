//! What rows say: of a page, and of records that were merged without a page that told of it.

use super::{Cursor, count};
use crate::api::Api;
use crate::clock::Offset;
use crate::host::Host;
use crate::map;
use crate::office::Office;
use crate::row::{FORMAT, PatNum, Row, Rows};
use crate::walk::MOST_ROWS;
use archwire_connector::log::Level;
use archwire_connector::{Disposition, Observation, SourceRecord};

/// Unreadable rows that are logged with their place, of one page.
const MOST_PLACES: usize = 10;

/// What a row says, as an observation, and which record took its place.
#[must_use]
pub fn observation(
    row: &Row<'_>,
    survivor: Option<PatNum>,
    office: &Office,
    clock: Option<Offset>,
    now_ms: u64,
) -> Observation {
    Observation {
        local_id: row.pat_num.to_string(),
        patient: map::patient(row, &office.system),
        source: SourceRecord::json(FORMAT, row.verbatim),
        observed_at_ms: clock
            .zip(row.stamp)
            .and_then(|(clock, stamp)| clock.utc_ms(stamp, now_ms)),
        actor: None,
        merged_into: survivor.map(|survivor| survivor.to_string()),
    }
}

impl Cursor {
    /// The observations of a page: what was not sent before.
    pub(super) fn take(
        &mut self,
        host: &dyn Host,
        office: &Office,
        api: &Api<'_>,
        rows: &Rows<'_>,
    ) -> Result<Vec<Observation>, Disposition> {
        let mut new = Vec::new();
        for row in rows.rows.iter().take(MOST_ROWS).flatten() {
            if self.seen.has(row) || self.walk.has_passed(row) {
                continue;
            }
            self.seen.add(row);
            new.push(row);
        }
        report(host, self.walk.offset(), rows, new.len());
        self.observe(host, office, api, &new)
    }

    /// What rows say, those of merged records last.
    fn observe(
        &mut self,
        host: &dyn Host,
        office: &Office,
        api: &Api<'_>,
        rows: &[&Row<'_>],
    ) -> Result<Vec<Observation>, Disposition> {
        let survivors = self.merges.survivors(host, api, rows)?;
        let observe = |row: &&Row<'_>| {
            let survivor = survivors.get(&row.pat_num).copied();
            observation(row, survivor, office, self.clock, host.now_ms())
        };
        let mut observations: Vec<_> = rows.iter().map(observe).collect();
        observations.sort_by_key(|observation| observation.merged_into.is_some());
        Ok(observations)
    }

    /// Records that were merged without a page that told of it.
    pub(super) fn late(
        &mut self,
        host: &dyn Host,
        office: &Office,
        api: &Api<'_>,
    ) -> Result<Vec<Observation>, Disposition> {
        let mut bodies = Vec::new();
        for pat_num in self.merges.next_late(host, api)? {
            // A record that is not there has nothing to say any more.
            bodies.extend(api.patient(pat_num)?);
        }
        let texts = bodies.iter().filter_map(|body| str::from_utf8(body).ok());
        let rows: Vec<_> = texts.filter_map(Row::parse).collect();
        if rows.len() < bodies.len() {
            let unread = [("rows", count(bodies.len() - rows.len()))];
            host.log(Level::Warn, "merged-rows-unreadable", &unread);
        }
        let mut observations = self.observe(host, office, api, &rows.iter().collect::<Vec<_>>())?;
        observations.retain(|observation| observation.merged_into.is_some());
        Ok(observations)
    }
}

fn report(host: &dyn Host, offset: usize, rows: &Rows<'_>, new: usize) {
    let unreadable: Vec<_> = rows
        .rows
        .iter()
        .enumerate()
        .filter(|(_, row)| row.is_none())
        .map(|(place, _)| place)
        .collect();
    for place in unreadable.iter().take(MOST_PLACES) {
        host.log(
            Level::Warn,
            "row-unreadable",
            &[("position", count(offset + place))],
        );
    }
    host.log(
        Level::Debug,
        "page-read",
        &[
            ("rows", count(rows.rows.len())),
            ("new", count(new)),
            ("unreadable", count(unreadable.len())),
        ],
    );
}
