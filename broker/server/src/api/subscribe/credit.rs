//! How many events may be sent.

use crate::api::status::refuse;
use tonic::{Code, Status};

/// Most credit that may be outstanding.
pub(super) const MOST_CREDIT: u32 = 10_000;

/// Events that the vendor allows and that were not sent yet.
#[derive(Default)]
pub(super) struct Credit(u32);

impl Credit {
    /// The vendor allows so many more.
    pub(super) fn grant(&mut self, more: u32) -> Result<(), Status> {
        let sum = self.0.checked_add(more).filter(|sum| *sum <= MOST_CREDIT);
        self.0 = sum.ok_or_else(|| {
            refuse(
                Code::InvalidArgument,
                "credit_too_large",
                "at most 10,000 events may be allowed at a time",
            )
        })?;
        Ok(())
    }

    /// Whether an event may be sent.
    pub(super) fn is_left(&self) -> bool {
        self.0 > 0
    }

    /// So many were not sent after all.
    pub(super) fn give_back(&mut self, events: u32) {
        self.0 = self.0.saturating_add(events);
    }

    /// One is sent.
    pub(super) fn spend(&mut self) {
        self.0 = self.0.saturating_sub(1);
    }
}
