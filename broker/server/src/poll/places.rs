//! Where a pass over a system has been: a pass ends.

use super::PollError;
use archwire_core::Cursor;
use std::{
    collections::HashSet,
    hash::{BuildHasher as _, RandomState},
};

/// Most pages of one pass: ten million records.
const MOST_PAGES: usize = 10_000;

/// The places where a pass has been, by hash.
pub(super) struct Places {
    hasher: RandomState,
    seen: HashSet<u64>,
}

impl Places {
    pub(super) fn from(cursor: Option<&Cursor>) -> Self {
        let mut places = Self {
            hasher: RandomState::new(),
            seen: HashSet::new(),
        };
        if let Some(cursor) = cursor {
            _ = places.go_on(cursor);
        }
        places
    }

    /// Goes on to a place, unless the pass has been there, or has been at too many.
    pub(super) fn go_on(&mut self, cursor: &Cursor) -> Result<(), PollError> {
        if self.seen.len() >= MOST_PAGES {
            return Err(PollError::Endless);
        }
        match self.seen.insert(self.hasher.hash_one(&cursor.0)) {
            true => Ok(()),
            false => Err(PollError::CursorRepeats),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(number: usize) -> Cursor {
        Cursor(number.to_string())
    }

    #[test]
    fn a_pass_does_not_follow_a_cursor_to_where_it_has_been() {
        let begun_at = cursor(1);
        let mut places = Places::from(Some(&begun_at));
        assert!(places.go_on(&cursor(2)).is_ok());
        assert!(places.go_on(&cursor(3)).is_ok());
        for been in [1, 2, 3] {
            let error = places.go_on(&cursor(been)).expect_err("it has been there");
            assert_eq!(error.code(), "cursor_repeats");
        }
        assert!(places.go_on(&cursor(4)).is_ok());
    }

    #[test]
    fn a_pass_without_end_ends() {
        let mut places = Places::from(None);
        let pages = (0..).take_while(|number| places.go_on(&cursor(*number)).is_ok());
        assert_eq!(pages.count(), 10_000);
        let error = places.go_on(&cursor(0)).expect_err("it is over");
        assert_eq!(error.code(), "poll_endless");
    }
}
