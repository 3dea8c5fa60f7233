//! How urgent a call to a system is.

use std::time::Duration;

/// How urgent a call is, when a system can be called only so often. The most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// A person is waiting for it.
    Interactive,
    /// It happened just now.
    Live,
    /// It is about something older: what piled up, or is compared.
    Backfill,
}

impl Priority {
    /// Every priority, the most urgent first.
    pub const ALL: [Self; 3] = [Self::Interactive, Self::Live, Self::Backfill];

    /// How long a call of this priority lets more urgent ones go first that came after it. It is a bound, so that nobody
    /// waits for ever behind those who are more urgent.
    #[must_use]
    pub fn patience(self) -> Duration {
        match self {
            Self::Interactive => Duration::ZERO,
            Self::Live => Duration::from_secs(2),
            Self::Backfill => Duration::from_secs(30),
        }
    }

    /// The priority's own word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Interactive => "interactive",
            Self::Live => "live",
            Self::Backfill => "backfill",
        }
    }
}
