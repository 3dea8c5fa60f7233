//! What to follow and from where.

use super::{DEFAULT_WINDOW, MAX_WINDOW};
use crate::v1::{self, Earliest, EventKind, New, Open, PatientRevision, open};
use std::time::{Duration, SystemTime};

/// How long nothing may come until the bus says that it is there.
const USUAL_HEARTBEAT: Duration = Duration::from_secs(15);

/// Where a name begins that the bus has not seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Start {
    /// At the first event in the log.
    #[default]
    Earliest,
    /// At the next event.
    New,
    /// At the first event that was stored at this time or later.
    Time(SystemTime),
    /// Behind an event of a patient.
    PatientRevision {
        /// The bus patient id.
        patient_id: String,
        /// The event's revision; 0 means before the first one.
        revision: u64,
    },
    /// Behind what a cursor stands for: see [`Delivery::cursor`](super::Delivery::cursor).
    Cursor(String),
}

impl From<Start> for open::Start {
    fn from(start: Start) -> Self {
        match start {
            Start::Earliest => Self::Earliest(Earliest {}),
            Start::New => Self::New(New {}),
            Start::Time(time) => Self::Time(time.into()),
            Start::PatientRevision { patient_id, revision } => {
                Self::PatientRevision(PatientRevision { patient_id, revision })
            }
            Start::Cursor(cursor) => Self::Cursor(cursor),
        }
    }
}

/// Which events to follow, of those that the contract reads. A list that is empty leaves out nothing.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Kinds of events.
    pub kinds: Vec<EventKind>,
    /// Groups of fields as contracts name them, such as "contact": updates that changed none of them are left out.
    pub changed_groups: Vec<String>,
    /// Bus patient ids, at most 1,000.
    pub patient_ids: Vec<String>,
}

impl From<Filter> for v1::Filter {
    fn from(filter: Filter) -> Self {
        Self {
            kinds: filter.kinds.into_iter().map(Into::into).collect(),
            changed_groups: filter.changed_groups,
            patient_ids: filter.patient_ids,
        }
    }
}

/// What to follow and from where.
#[derive(Clone)]
pub struct SubscribeOptions {
    /// The subscription's durable name, 1 to 64 of `[a-z0-9-]`. The bus keeps its position; one name has one reader.
    pub name: String,
    /// Where a name begins that the bus has not seen. A known name goes on after its last acknowledged event.
    pub start: Start,
    /// Whether a known name begins at `start` too, with the first stream of this subscription. For programs that keep the cursor
    /// of what they took beside what they took.
    pub reset: bool,
    /// Which events to follow.
    pub filter: Filter,
    /// Events that may be on their way to the reader; 0 is taken as 1, more than [`MAX_WINDOW`] as that. Default 256.
    pub window: u32,
    /// How long nothing may come until the bus says that it is there; when it misses that three times the subscription is opened
    /// again. Taken as 1 s to 5 minutes. Default 15 s.
    pub heartbeat: Duration,
}

impl SubscribeOptions {
    /// A subscription to everything from the beginning of the log, with a window of 256.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            start: Start::Earliest,
            reset: false,
            filter: Filter::default(),
            window: DEFAULT_WINDOW,
            heartbeat: USUAL_HEARTBEAT,
        }
    }

    /// The same within the contract's bounds.
    pub(super) fn bounded(mut self) -> Self {
        self.window = self.window.clamp(1, MAX_WINDOW);
        let (shortest, longest) = (Duration::from_secs(1), Duration::from_secs(300));
        self.heartbeat = self.heartbeat.clamp(shortest, longest);
        self
    }

    /// What is said of it; `is_first` while no stream of it was opened.
    pub(super) fn open(&self, is_first: bool) -> Open {
        Open {
            name: self.name.clone(),
            start: Some(self.start.clone().into()),
            reset: self.reset && is_first,
            filter: Some(self.filter.clone().into()),
            heartbeat: self.heartbeat.try_into().ok(),
            seen: String::new(),
        }
    }
}
