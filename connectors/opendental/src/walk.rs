//! Reading all pages of a list that changes while it is read.
//!
//! The API pages by `Offset` and `Limit`, tells no total, and states no order (Open Dental API, Implementation). When a
//! row before the current offset leaves the list between two requests, every later row moves one place forward, and the
//! row that was first on the next page is now last on the page already read: it would never be seen. So each page
//! begins some rows *before* the end of the page before it, and must contain at least one of those rows:
//!
//! - It does: then no row between the two pages was skipped. Rows that moved in the order did so because they changed,
//!   and have a change time later than the beginning of the walk: the next walk from that time on sees them.
//! - It does not: more rows left than the pages overlap, or the order is another one. The walk begins again from the
//!   first page, at most [`RESTARTS`] times; after that it is given up, nothing moves forward, and the next interval
//!   tries again.
//!
//! That holds for every order in which rows that did not change stay in the same order among themselves. A list without
//! any order would be seen as broken by the missing overlap, and what slipped through is found by reconciliation.

use crate::row::{Digest, PatNum, Row, Rows};
use serde::{Deserialize, Serialize};

/// How often a walk begins again before it is given up.
const RESTARTS: u8 = 3;

/// The shortest page that some office is documented to cut at: 100 rows in mode Remote. A page of just that length is
/// not taken for the last one, should the office allow less than the settings say.
pub const SHORTEST_MAXIMUM: usize = 100;

/// Most rows of a page that are used: the bus takes 1,000 observations at a time.
pub const MOST_ROWS: usize = 1_000;

/// Where a walk stands. Goes into a cursor.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Walk {
    offset: usize,
    /// The last rows of the page before, at most ten, as they were.
    tail: Vec<(PatNum, Digest)>,
    restarts: u8,
}

/// How a walk goes on after a page.
#[derive(Clone, PartialEq, Eq)]
pub enum Step {
    /// With another page.
    On(Walk),
    /// It is complete.
    Complete,
    /// From the first page again: rows may have been skipped.
    Again(Walk),
    /// Not at all: it began again too often.
    GivenUp,
}

impl Walk {
    /// The row at which the next page begins.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Whether the next page is the first one.
    #[must_use]
    pub fn is_at_start(&self) -> bool {
        self.offset == 0
    }

    /// Whether a row was on the page before, and has not changed since.
    #[must_use]
    pub fn has_passed(&self, row: &Row<'_>) -> bool {
        self.tail.contains(&(row.pat_num, row.digest))
    }

    /// Goes on after a page that was asked for with `limit` rows.
    #[must_use]
    pub fn step(&self, page: &Rows<'_>, limit: usize) -> Step {
        let rows: Vec<_> = page.rows.iter().take(MOST_ROWS).collect();
        let known = |row: &Row<'_>| self.tail.iter().any(|(pat_num, _)| *pat_num == row.pat_num);
        let connected = self.tail.is_empty() || rows.iter().copied().flatten().any(known);
        if !connected {
            return self.again();
        }
        if rows.len() < limit && rows.len() != SHORTEST_MAXIMUM {
            return Step::Complete;
        }
        let overlap = overlap(rows.len());
        let last = rows.iter().skip(rows.len() - overlap).copied().flatten();
        let tail = last.map(|row| (row.pat_num, row.digest)).collect();
        Step::On(Self {
            offset: self.offset + rows.len() - overlap,
            tail,
            restarts: self.restarts,
        })
    }

    fn again(&self) -> Step {
        if self.restarts >= RESTARTS {
            return Step::GivenUp;
        }
        Step::Again(Self {
            restarts: self.restarts + 1,
            ..Self::default()
        })
    }
}

/// How many rows two pages have in common: ten, but no more than half a page.
fn overlap(rows: usize) -> usize {
    (rows / 2).min(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: [u64; 0] = [];

    /// Walks over an office whose list changes after each page.
    fn walk(
        mut list: Vec<u64>,
        limit: usize,
        mut change: impl FnMut(usize, &mut Vec<u64>),
    ) -> (Vec<u64>, bool) {
        let mut seen = Vec::new();
        let mut walk = Walk::default();
        for page in 0..100 {
            let rows: Vec<_> = list
                .iter()
                .skip(walk.offset())
                .take(limit)
                .map(u64::to_string)
                .collect();
            let body = format!(
                "[{}]",
                rows.iter()
                    .map(|row| format!(r#"{{"PatNum":{row}}}"#))
                    .collect::<Vec<_>>()
                    .join(",")
            );
            let page_rows = Rows::parse(body.as_bytes()).unwrap();
            let step = walk.step(&page_rows, limit);
            seen.extend(page_rows.readable().map(|row| row.pat_num.get()));
            match step {
                Step::On(next) | Step::Again(next) => walk = next,
                Step::Complete => return (seen, true),
                Step::GivenUp => return (seen, false),
            }
            change(page, &mut list);
        }
        panic!("the walk does not end")
    }

    fn missing(list: impl Iterator<Item = u64>, seen: &[u64]) -> Vec<u64> {
        list.filter(|row| !seen.contains(row)).collect()
    }

    #[test]
    fn a_list_that_does_not_change_is_read_whole() {
        for (rows, limit) in [
            (0, 10),
            (1, 10),
            (9, 10),
            (10, 10),
            (11, 10),
            (95, 10),
            (250, 100),
            (7, 2),
            (300, 1_000),
        ] {
            let (seen, complete) = walk((1..=rows).collect(), limit, |_, _| {});
            assert!(complete);
            assert_eq!(missing(1..=rows, &seen), NONE, "{rows} rows by {limit}");
        }
    }

    #[test]
    fn an_office_that_allows_fewer_rows_than_asked_for_is_read_whole() {
        let mut walk = Walk::default();
        let mut seen = Vec::new();
        loop {
            let rows = (walk.offset() + 1..=250)
                .take(100)
                .map(|row| format!(r#"{{"PatNum":{row}}}"#));
            let body = format!("[{}]", rows.collect::<Vec<_>>().join(","));
            let page = Rows::parse(body.as_bytes()).unwrap();
            seen.extend(page.readable().map(|row| row.pat_num.get()));
            match walk.step(&page, 1_000) {
                Step::On(next) => walk = next,
                _ => break,
            }
        }
        assert_eq!(missing(1..=250, &seen), NONE);
    }

    #[test]
    fn a_row_that_leaves_an_earlier_page_makes_no_other_row_unseen() {
        let (seen, complete) = walk((1..=60).collect(), 10, |_, list| _ = list.remove(0));
        assert!(complete);
        let never_left: Vec<u64> = (1..=60).filter(|row| *row > 7).collect();
        assert_eq!(missing(never_left.into_iter(), &seen), NONE);
    }

    #[test]
    fn rows_that_join_or_move_to_the_end_make_no_other_row_unseen() {
        let (seen, complete) = walk((1..=60).collect(), 10, |page, list| {
            list.insert(0, 1_000 + page as u64);
            let moved = list.remove(3);
            list.push(moved);
            let end = list.len();
            list.truncate(end.min(70));
        });
        assert!(complete);
        let stayed: Vec<u64> = (10..=60).collect();
        assert_eq!(missing(stayed.into_iter(), &seen), NONE);
    }

    #[test]
    fn a_walk_begins_again_when_more_rows_left_than_the_pages_overlap() {
        let (seen, complete) = walk((1..=60).collect(), 10, |page, list| {
            if page == 1 {
                list.drain(0..8);
            }
        });
        assert!(complete);
        assert_eq!(missing(9..=60, &seen), NONE);
    }

    #[test]
    fn a_walk_over_a_list_without_any_order_is_given_up() {
        let (_, complete) = walk((1..=60).collect(), 10, |_, list| {
            let fresh = list.iter().map(|row| row + 1_000).collect();
            *list = fresh;
        });
        assert!(!complete);
    }
}
