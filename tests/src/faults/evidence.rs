//! What a run left behind, in the words of the checker: nothing here knows how it was gathered.

use super::values::Values;
use std::collections::BTreeMap;

/// Everything that is known about a run after its end.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// The log's events of patients, in the log's order.
    pub events: Vec<Logged>,
    /// What publishers were told.
    pub told: Vec<Told>,
    /// The systems and vendors by name: what each holds, and what was written to it.
    pub stores: BTreeMap<String, Store>,
    /// Everybody with their newest details, as they were last typed or published successfully.
    pub expected: Vec<Values>,
    /// Deliveries that wait for a person.
    pub parked: Vec<String>,
    /// Review items that are open.
    pub review: Vec<String>,
    /// What a vendor's program found wrong by itself: revisions with gaps, for one.
    pub complaints: Vec<String>,
}

/// One event of the log.
#[derive(Debug, Clone)]
pub struct Logged {
    /// Its place in the log.
    pub sequence: u64,
    /// Whom it concerns, by the bus's id.
    pub patient: String,
    /// Its number among the patient's events.
    pub revision: u64,
    /// The patient's state after it.
    pub values: Values,
    /// The system and the record that were observed.
    pub record: Option<(String, String)>,
}

/// An observation whose success a publisher was told.
#[derive(Debug, Clone)]
pub struct Told {
    /// Who published it.
    pub system: String,
    /// Its record there.
    pub local_id: String,
    /// What was new in it.
    pub said: Values,
    /// What the bus answered.
    pub answer: Answer,
}

/// What the bus answered.
#[derive(Debug, Clone)]
pub enum Answer {
    /// It is in the log.
    Recorded {
        /// Whom it concerns.
        patient: String,
        /// The event's number among the patient's.
        revision: u64,
        /// The event's place in the log.
        sequence: u64,
    },
    /// The bus knew it.
    Unchanged {
        /// Whom it concerns.
        patient: String,
        /// The patient's newest revision.
        revision: u64,
    },
    /// A person decides.
    InReview,
}

/// A system or a vendor after the run.
#[derive(Debug, Clone, Default)]
pub struct Store {
    /// Its records of patients.
    pub records: BTreeMap<String, Values>,
    /// What was written to them, in order. Empty where nobody keeps such a list.
    pub writes: Vec<Write>,
}

/// One write to a record.
#[derive(Debug, Clone)]
pub struct Write {
    /// Its place among all writes to the store.
    pub sequence: u64,
    /// Which record.
    pub record: String,
    /// Whether the bus wrote it; else somebody who works there.
    pub by_bus: bool,
    /// Whether it made the record.
    pub creates: bool,
    /// The fields that got another value.
    pub fields: Values,
}

/// What a run may leave behind.
#[derive(Debug, Clone, Copy)]
pub struct Allowed {
    /// How often the bus may write to a record.
    pub writes: Writes,
    /// How many deliveries may wait for a person.
    pub parked: usize,
}

/// How often the bus may write to a record that it did not create, or after having created it.
#[derive(Debug, Clone, Copy)]
pub enum Writes {
    /// At most once for each revision of the patient, and this often again: an update whose answer was lost is repeated.
    PerRevision {
        /// Repetitions.
        repeated: usize,
    },
    /// At most so often behind a write of the store.
    AtMost {
        /// So often.
        times: usize,
        /// Behind the write with this sequence.
        after: u64,
    },
}

impl Default for Allowed {
    fn default() -> Self {
        Self {
            writes: Writes::PerRevision { repeated: 0 },
            parked: 0,
        }
    }
}
