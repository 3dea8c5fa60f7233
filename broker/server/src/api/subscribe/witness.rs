//! Whether the log is still the one in which a place was remembered.
//!
//! Positions and cursors are kept outside of the log. When a practice restores its log from an older copy, it goes on with other
//! events under the numbers of those that are gone, and whoever went on at such a number would miss what stands before it in
//! silence. So each place comes with a witness: the last event that the bus had looked at when it gave the place. A log that does
//! not hold it is another one.

use crate::api::status::{refuse_field, unreadable};
use archwire_nats::{Log, Stored};
use sha2::{Digest as _, Sha256};
use std::fmt;
use tonic::{Code, Status};

/// A place in the log, and by what the log is known again. That before the first event needs no witness.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) sequence: u64,
    pub(super) witness: Option<Witness>,
}

/// An event that the log held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Witness {
    /// Its place.
    pub(super) sequence: u64,
    /// The beginning of the SHA-256 of its id.
    pub(super) mark: u64,
}

impl Witness {
    pub(super) fn of(stored: &Stored) -> Self {
        let digest: [u8; 32] = Sha256::digest(&stored.id).into();
        let [a, b, c, d, e, f, g, h, ..] = digest;
        Self {
            sequence: stored.sequence,
            mark: u64::from_be_bytes([a, b, c, d, e, f, g, h]),
        }
    }
}

/// As it stands in the bucket: `SEQUENCE`, or `SEQUENCE WITNESS MARK`.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.sequence)?;
        match self.witness {
            Some(Witness { sequence, mark }) => write!(f, " {sequence} {mark:016x}"),
            None => Ok(()),
        }
    }
}

impl Place {
    /// What [`fmt::Display`] wrote.
    pub(super) fn read(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split(' ').collect();
        let (sequence, witness) = match words[..] {
            [sequence] => (sequence, None),
            [sequence, witness, mark] => {
                let (sequence_of_it, mark) = (witness.parse().ok()?, u64::from_str_radix(mark, 16).ok()?);
                let witness = Witness {
                    sequence: sequence_of_it,
                    mark,
                };
                (sequence, Some(witness))
            }
            _ => return None,
        };
        let sequence = sequence.parse().ok()?;
        Some(Self { sequence, witness })
    }

    /// The place of this number, with the event that stands there as its witness.
    pub(super) async fn at(log: &Log, sequence: u64) -> Result<Self, Status> {
        let stored = match sequence {
            0 => None,
            sequence => log.at(sequence).await.map_err(|error| unreadable(&error))?,
        };
        let witness = stored.as_ref().map(Witness::of);
        Ok(Self { sequence, witness })
    }

    /// Refuses a place that was given in another log, or in what this one has lost since; `field` is where the vendor named it.
    pub(super) async fn is_of(self, log: &Log, field: &'static str) -> Result<Self, Status> {
        if let Some(witness) = self.witness {
            let there = log.at(witness.sequence).await;
            match there.map_err(|error| unreadable(&error))? {
                Some(there) if Witness::of(&there) == witness => return Ok(self),
                Some(_) => return Err(differs(field)),
                None => {}
            }
        }
        // Whoever was asked may be a moment behind; the leader is not.
        let last = log.last_sequence().await.map_err(|error| unreadable(&error))?;
        let needed = self.witness.map_or(self.sequence, |witness| witness.sequence);
        match (needed > last, self.witness) {
            (true, _) => Err(shorter(field)),
            (false, Some(_)) => Err(super::talk::unread()),
            (false, None) => Ok(self),
        }
    }
}

fn shorter(field: &'static str) -> Status {
    let message =
        "the log is shorter than it was: it was restored from an older copy; begin elsewhere, with `reset`";
    refuse_field(Code::OutOfRange, "cursor_ahead", field, message)
}

fn differs(field: &'static str) -> Status {
    let message = "the log was restored from an older copy and has gone on with other events since; begin elsewhere, with \
                   `reset`, and compare what you hold";
    refuse_field(Code::FailedPrecondition, "log_differs", field, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_place_is_read_as_it_was_written(sequence: u64, witness in proptest::option::of((any::<u64>(), any::<u64>()))) {
            let witness = witness.map(|(sequence, mark)| Witness { sequence, mark });
            let place = Place { sequence, witness };
            prop_assert_eq!(Place::read(&place.to_string()), Some(place));
        }

        #[test]
        fn what_is_no_place_is_not_read(text in "[0-9a-f ]{0,40}|.{0,20}") {
            if let Some(place) = Place::read(&text) {
                prop_assert_eq!(Place::read(&place.to_string()), Some(place));
            }
        }
    }

    #[test]
    fn half_a_witness_is_none() {
        for text in ["", " ", "7 ", "7 8", "7 8 x", "7 8 9 10", "-1", "seven"] {
            assert_eq!(Place::read(text), None, "{text:?}");
        }
    }
}
