//! Which records were merged, as the office's table `patientlink` tells it. Pure: statements, rows, and what they mean.
//!
//! Open Dental's tool for merging archives the record that is given up and writes a row: `PatNumFrom` was merged into
//! `PatNumTo` at `DateTimeLink`, with `LinkType` 1 (Open Dental documentation, database schema). There is no resource for
//! it; the table is read with the method ShortQuery (Open Dental API, Queries), which gives [`PAGE`] rows at a time.
//!
//! A link counts as long as nobody was merged *into* its `PatNumFrom` later: that is how Open Dental itself tells who is
//! a merged patient, and it is what ends a circle. Of several links from one record the newest counts. Only direct links
//! are told; chains are the bus's business.

use crate::clock::OfficeTime;
use crate::row::{PatNum, Word};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most rows that ShortQuery gives at a time.
pub const PAGE: usize = 100;

/// One record was merged into another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// The record that was given up.
    pub from: PatNum,
    /// The record that took its place.
    pub to: PatNum,
    /// When, on the office's clock; `None` where that cannot be read, which counts as long ago.
    pub at: Option<OfficeTime>,
}

/// The links from and into some records. Without any record there is nothing to be found.
#[must_use]
pub fn about(records: &[PatNum]) -> String {
    let mut list: Vec<_> = records.iter().map(PatNum::to_string).collect();
    if list.is_empty() {
        list.push("0".to_owned());
    }
    let list = list.join(",");
    statement(&format!("(PatNumFrom IN ({list}) OR PatNumTo IN ({list}))"))
}

/// The links that were made at that time or later.
#[must_use]
pub fn since(time: OfficeTime) -> String {
    statement(&format!("DateTimeLink >= '{}'", time.text()))
}

/// In the order of the table's own key, so that pages do not shift while they are read.
fn statement(condition: &str) -> String {
    format!(
        "SELECT PatNumFrom, PatNumTo, DateTimeLink FROM patientlink WHERE LinkType = 1 AND {condition} \
         ORDER BY PatientLinkNum"
    )
}

/// An answer of ShortQuery.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// Rows, and how many there were with those that cannot be read.
    Rows(Vec<Link>, usize),
    /// Complete, and nothing that could be rows.
    Strange,
    /// Not complete.
    Broken,
}

/// Reads an answer. What an office says when there are no rows is not documented: everything empty will do, and the `OK`
/// that it puts into files then.
#[must_use]
pub fn read(body: &[u8]) -> Answer {
    if matches!(body.trim_ascii(), b"" | b"OK") {
        return Answer::Rows(Vec::new(), 0);
    }
    match serde_json::from_slice(body) {
        Ok(serde_json::Value::Array(rows)) => {
            let count = rows.len();
            Answer::Rows(rows.into_iter().filter_map(link).collect(), count)
        }
        Ok(serde_json::Value::Null) => Answer::Rows(Vec::new(), 0),
        Ok(serde_json::Value::String(text)) if matches!(text.trim(), "" | "OK") => {
            Answer::Rows(Vec::new(), 0)
        }
        Ok(_) => Answer::Strange,
        Err(_) => Answer::Broken,
    }
}

/// A row; `None` also where a record is said to be merged into itself.
fn link(row: serde_json::Value) -> Option<Link> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Columns {
        pat_num_from: Word,
        pat_num_to: Word,
        #[serde(default)]
        date_time_link: Word,
    }
    let columns: Columns = serde_json::from_value(row).ok()?;
    let (from, to) = (
        PatNum::parse(columns.pat_num_from.text())?,
        PatNum::parse(columns.pat_num_to.text())?,
    );
    let at = OfficeTime::parse(columns.date_time_link.text());
    (from != to).then_some(Link { from, to, at })
}

/// The links that count, out of all links from and into the records that they are about. Later rows are newer where the
/// times are the same.
#[must_use]
pub fn in_force(links: &[Link]) -> BTreeMap<PatNum, Link> {
    let mut newest: BTreeMap<PatNum, Link> = BTreeMap::new();
    let mut joined: BTreeMap<PatNum, Option<OfficeTime>> = BTreeMap::new();
    for link in links {
        let kept = newest.entry(link.from).or_insert(*link);
        if link.at >= kept.at {
            *kept = *link;
        }
        let last = joined.entry(link.to).or_insert(link.at);
        *last = link.at.max(*last);
    }
    newest.retain(|from, link| joined.get(from).is_none_or(|last| *last <= link.at));
    newest
}

/// The links of the last passes that were told, so that the overlap of two passes is not told twice.
///
/// At most [`Told::MOST`] are kept, the newest. What is forgotten too early costs a request for each record as long as it
/// is within the overlap, and is no news to the bus.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Told(BTreeMap<PatNum, (PatNum, Option<OfficeTime>)>);

impl Told {
    /// Most links; with the longest numbers they take 9 KiB of the cursor.
    pub const MOST: usize = 150;

    /// Whether this link was told.
    #[must_use]
    pub fn has(&self, link: &Link) -> bool {
        self.0.get(&link.from).is_some_and(|(to, _)| *to == link.to)
    }

    /// Keeps a link in mind, at the bound instead of the oldest.
    pub fn add(&mut self, link: &Link) {
        self.0.insert(link.from, (link.to, link.at));
        if self.0.len() > Self::MOST {
            let oldest = self.0.iter().min_by_key(|(_, (_, at))| *at);
            if let Some(from) = oldest.map(|(from, _)| *from) {
                self.0.remove(&from);
            }
        }
    }

    /// Forgets what was linked before `oldest`.
    pub fn forget_before(&mut self, oldest: OfficeTime) {
        self.0.retain(|_, (_, at)| *at >= Some(oldest));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(number: u64) -> PatNum {
        PatNum::parse(&number.to_string()).unwrap()
    }

    /// At so many seconds after noon.
    fn made(from: u64, to: u64, second: u32) -> Link {
        Link {
            from: number(from),
            to: number(to),
            at: OfficeTime::parse(&format!("2026-11-01 12:00:{second:02}")),
        }
    }

    fn survivors(links: &[Link]) -> Vec<(u64, u64)> {
        in_force(links)
            .values()
            .map(|link| (link.from.get(), link.to.get()))
            .collect()
    }

    #[test]
    fn statements_only_read_and_name_the_columns() {
        assert_eq!(
            about(&[number(7), number(9)]),
            "SELECT PatNumFrom, PatNumTo, DateTimeLink FROM patientlink WHERE LinkType = 1 AND (PatNumFrom IN (7,9) OR \
             PatNumTo IN (7,9)) ORDER BY PatientLinkNum"
        );
        assert!(about(&[]).contains("PatNumFrom IN (0)"));
        assert!(since(made(1, 2, 5).at.unwrap()).contains("AND DateTimeLink >= '2026-11-01 12:00:05' ORDER"));
    }

    #[test]
    fn rows_are_read_whatever_the_types_of_their_columns() {
        let body = br#"[{"PatNumFrom":2,"PatNumTo":"3","DateTimeLink":"2026-11-01T12:00:05"},
            {"PatNumFrom":4,"PatNumTo":5},{"PatNumFrom":6,"PatNumTo":6},{"PatNumFrom":0,"PatNumTo":1},{"x":1},7]"#;
        let undated = Link {
            at: None,
            ..made(4, 5, 0)
        };
        assert_eq!(read(body), Answer::Rows(vec![made(2, 3, 5), undated], 6));
    }

    #[test]
    fn no_rows_have_many_faces_and_an_answer_cut_off_is_none_of_them() {
        for empty in ["", "[]", "null", "\"\"", "\"OK\"", "OK", " \r\n"] {
            assert_eq!(read(empty.as_bytes()), Answer::Rows(Vec::new(), 0), "{empty:?}");
        }
        for strange in ["{}", "7", "\"Query failed\""] {
            assert_eq!(read(strange.as_bytes()), Answer::Strange, "{strange}");
        }
        for broken in ["[{\"PatNumFrom\":2", "<html>"] {
            assert_eq!(read(broken.as_bytes()), Answer::Broken, "{broken}");
        }
    }

    #[test]
    fn the_newest_link_of_a_record_counts() {
        assert_eq!(survivors(&[made(1, 3, 9), made(1, 2, 5)]), [(1, 3)]);
        assert_eq!(survivors(&[made(1, 2, 5), made(1, 3, 5)]), [(1, 3)]);
        let undated = Link {
            at: None,
            ..made(1, 4, 0)
        };
        assert_eq!(survivors(&[made(1, 2, 5), undated]), [(1, 2)]);
        assert_eq!(survivors(&[undated]), [(1, 4)]);
    }

    #[test]
    fn a_chain_is_told_link_by_link() {
        assert_eq!(survivors(&[made(1, 2, 5), made(2, 3, 6)]), [(1, 2), (2, 3)]);
    }

    #[test]
    fn a_record_that_somebody_was_merged_into_later_is_nobodys_duplicate_any_more() {
        assert_eq!(survivors(&[made(1, 2, 5), made(2, 1, 6)]), [(2, 1)]);
        assert_eq!(
            survivors(&[made(1, 2, 5), made(2, 3, 6), made(3, 1, 7)]),
            [(2, 3), (3, 1)]
        );
        assert_eq!(
            survivors(&[made(3, 1, 4), made(1, 2, 5)]),
            [(1, 2), (3, 1)],
            "merged into before is a chain"
        );
    }

    #[test]
    fn told_links_are_kept_within_their_bound_and_the_overlap() {
        let mut told = Told::default();
        for from in 1..=200 {
            told.add(&made(from, 999, u32::from(from > 50)));
        }
        assert!(!told.has(&made(50, 999, 0)) && told.has(&made(51, 999, 0)) && told.has(&made(200, 999, 0)));
        assert!(!told.has(&made(200, 998, 0)), "merged into another one since");
        told.forget_before(made(1, 2, 2).at.unwrap());
        assert!(!told.has(&made(200, 999, 0)));
    }
}
