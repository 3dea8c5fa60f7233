//! How an observation of an image ends.

use archwire_core::{ImageId, PatientId, Revision};

/// What a system said of an image was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageTaken {
    /// It was news: an event tells it.
    Recorded {
        /// On whose subject.
        patient: PatientId,
        /// The event's revision.
        revision: Revision,
        /// Where the event stands in the log.
        sequence: u64,
        /// Which image.
        image: ImageId,
    },
    /// The bus knew all of it.
    Unchanged {
        /// Whose it is.
        patient: PatientId,
        /// Revision of the image's last event.
        revision: Revision,
        /// Which image.
        image: ImageId,
    },
    /// None of it was told: a person decides first whose image it is. It is kept until then.
    InReview {
        /// Number of the item.
        item: u64,
    },
}

impl ImageTaken {
    /// Which of these, as a stable word.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Recorded { .. } => "recorded",
            Self::Unchanged { .. } => "unchanged",
            Self::InReview { .. } => "in_review",
        }
    }
}
