//! The parts of a contract that grant something.

use crate::{EventKind, FieldGroup, Path, SystemName};
use std::{collections::BTreeSet, num::NonZeroU32};

/// What a vendor may be told. Nothing by default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    /// Kinds of events.
    pub kinds: BTreeSet<EventKind>,
    /// Fields of patients, in events and elsewhere.
    pub fields: BTreeSet<FieldGroup>,
    /// Whether also the source's own record verbatim, and who in the practice did or decided something and why.
    pub source: bool,
}

/// What a vendor may say. Nothing by default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Writing {
    /// Kinds of events that it may lead to.
    pub kinds: BTreeSet<EventKind>,
    /// Fields of patients that it may change.
    pub fields: BTreeSet<FieldGroup>,
}

/// Whom a contract is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PatientScope {
    /// All patients of the practice.
    All,
    /// Those of whom this system keeps a record; it may be the vendor itself.
    LinkedWith(SystemName),
}

/// What a vendor may do with the bytes of images. Nothing by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ImageAccess {
    /// Get them.
    pub read: bool,
    /// Put them.
    pub write: bool,
}

/// How much a vendor may ask for at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Requests a second in the long run.
    pub requests_per_second: NonZeroU32,
    /// Streams that are open at the same time.
    pub streams: NonZeroU32,
}

impl Pace {
    const REQUESTS_PER_SECOND: NonZeroU32 = NonZeroU32::MIN.saturating_add(49);
    const STREAMS: NonZeroU32 = NonZeroU32::MIN.saturating_add(15);
}

impl Default for Pace {
    /// 50 requests a second, 16 streams.
    fn default() -> Self {
        Self {
            requests_per_second: Self::REQUESTS_PER_SECOND,
            streams: Self::STREAMS,
        }
    }
}

/// Whether what stands at a path is granted with these groups. A responsible party's own record is named by its id in a
/// system, so that it takes the group of identifiers too; what no patient has is never granted.
pub(super) fn covers(groups: &BTreeSet<FieldGroup>, path: &Path) -> bool {
    let names_a_record = || path.as_str().ends_with("/person");
    match FieldGroup::of(path) {
        Some(FieldGroup::ResponsibleParties) if names_a_record() => {
            names_records(groups) && groups.contains(&FieldGroup::ResponsibleParties)
        }
        Some(group) => groups.contains(&group),
        None => false,
    }
}

/// Whether the ids by which systems know people are granted with these groups.
pub(super) fn names_records(groups: &BTreeSet<FieldGroup>) -> bool {
    groups.contains(&FieldGroup::Identifiers)
}

impl Reading {
    /// Whether the ids are shown by which systems know people. A vendor's own are no secret to it.
    #[must_use]
    pub fn shows_local_ids(&self) -> bool {
        names_records(&self.fields)
    }
}
