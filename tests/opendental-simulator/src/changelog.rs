//! What was written to the simulated office, by whom and with which answer: the log that tests ask.
//!
//! It is kept apart from the office's own audit trail (`/securitylogs`), which knows less. Every log in here keeps
//! the last 100,000 entries; older ones are dropped and counted.

use std::collections::VecDeque;
use std::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;

use crate::fields::Field;

/// How many entries a log keeps.
pub const LOG_CAPACITY: usize = 100_000;

/// Who wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Author {
    /// A person in the office.
    FrontDesk,
    /// A program, by its developer's name.
    Developer(String),
}

impl fmt::Display for Author {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FrontDesk => f.write_str("front desk user"),
            Self::Developer(name) => f.write_str(name),
        }
    }
}

/// One field that got another value. Dates, numbers and words are canonical text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// Which field.
    pub field: Field,
    /// What was there before; the field's default when the patient is new.
    pub from: String,
    /// What is there now, which may be shorter than what was sent.
    pub to: String,
}

/// One write to one patient.
#[derive(Debug, Clone)]
pub struct Change {
    /// Counts up from 1, without gaps, over all patients.
    pub sequence: u64,
    /// When.
    pub at: Timestamp,
    /// When, by the wall clock of the office.
    pub local: DateTime,
    /// Who.
    pub author: Author,
    /// `POST` or `PUT`; `create`, `edit`, `delete`, `restore`, `merge` or `balance` at the front desk.
    pub method: &'static str,
    /// Which patient.
    pub pat_num: i64,
    /// The fields that changed; empty when a write changed nothing.
    pub fields: Vec<FieldChange>,
    /// The request that caused it, in the request log.
    pub request: Option<u64>,
    /// The status that went over the wire; nothing for the front desk, and for a program that never got an answer.
    pub status_sent: Option<u16>,
}

impl Change {
    /// Whether this write made the patient.
    pub fn is_creation(&self) -> bool {
        matches!(self.method, "POST" | "create")
    }

    /// The new value of a field, when this write changed it.
    pub fn new_value(&self, field: Field) -> Option<&str> {
        self.fields
            .iter()
            .find(|change| change.field == field)
            .map(|change| change.to.as_str())
    }
}

/// The latest entries of something.
#[derive(Debug)]
pub(crate) struct Ring<T> {
    entries: VecDeque<T>,
    dropped: u64,
}

impl<T> Ring<T> {
    pub(crate) fn new() -> Self {
        Self {
            entries: VecDeque::new(),
            dropped: 0,
        }
    }

    /// How many entries there ever were.
    pub(crate) fn total(&self) -> u64 {
        self.dropped + self.entries.len() as u64
    }

    pub(crate) fn push(&mut self, entry: T) {
        if self.entries.len() == LOG_CAPACITY {
            self.entries.pop_front();
            self.dropped += 1;
        }
        self.entries.push_back(entry);
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.entries.iter()
    }

    /// The entry that was pushed as the `number`th, counted from 1, while it is still kept.
    pub(crate) fn number(&mut self, number: u64) -> Option<&mut T> {
        let index = number.checked_sub(self.dropped + 1)?;
        self.entries.get_mut(usize::try_from(index).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_keeps_the_latest_hundred_thousand_and_still_knows_their_numbers() {
        let mut ring = Ring::new();
        for number in 1..=100_002_u64 {
            ring.push(number);
        }
        assert_eq!((ring.total(), ring.iter().count()), (100_002, 100_000));
        assert_eq!(ring.number(2), None);
        assert_eq!(ring.number(3).copied(), Some(3));
        assert_eq!(ring.number(100_003), None);
    }
}
