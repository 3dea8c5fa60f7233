//! Which events a vendor asks for, of those that its contract reads.

use super::argument;
use crate::{api::status::refuse_field, audit::kind_of, wire::read_event_kind};
use archwire_core::{EventKind, FieldGroup, Path, PatientId, Subject, contract::Contract};
use archwire_nats::Stored;
use archwire_proto::v1::{self, Filter};
use prost::Message;
use std::collections::BTreeSet;
use tonic::{Code, Status};

/// Most patients in a filter.
const MOST_PATIENTS: usize = 1_000;

/// Which events a vendor asks for. An empty set stands for everything.
#[derive(Default)]
pub(super) struct Wanted {
    kinds: BTreeSet<EventKind>,
    changed: BTreeSet<FieldGroup>,
    patients: BTreeSet<PatientId>,
}

/// What of an event says what it changed; everything else is passed over.
#[derive(Message)]
struct Changes {
    #[prost(string, repeated, tag = "5")]
    changed: Vec<String>,
}

impl Wanted {
    /// What the message says.
    pub(super) fn read(filter: Option<&Filter>) -> Result<Self, Status> {
        let Some(Filter {
            kinds,
            changed_groups,
            patient_ids,
        }) = filter
        else {
            return Ok(Self::default());
        };
        if patient_ids.len() > MOST_PATIENTS {
            return Err(argument(
                "open.filter.patient_ids",
                "`open.filter.patient_ids` holds more than 1,000 ids",
            ));
        }
        let kind = |kind: &i32| {
            read_event_kind(*kind).ok_or_else(|| {
                argument(
                    "open.filter.kinds",
                    "`open.filter.kinds` has a kind that archwire.v1 does not have",
                )
            })
        };
        let group = |word: &String| {
            word.parse().map_err(|_| {
                argument(
                    "open.filter.changed_groups",
                    "`open.filter.changed_groups` has a word that names no group of fields",
                )
            })
        };
        let patient = |id: &String| {
            id.parse().map_err(|_| {
                argument(
                    "open.filter.patient_ids",
                    "`open.filter.patient_ids` has an id that is none of the bus",
                )
            })
        };
        Ok(Self {
            kinds: kinds.iter().map(kind).collect::<Result<_, _>>()?,
            changed: changed_groups.iter().map(group).collect::<Result<_, _>>()?,
            patients: patient_ids.iter().map(patient).collect::<Result<_, _>>()?,
        })
    }

    /// Whether the contract reads all that is asked for.
    pub(super) fn is_within(&self, contract: &Contract) -> Result<(), Status> {
        if self.kinds.iter().any(|kind| !contract.reads(*kind)) {
            return Err(refuse_field(
                Code::PermissionDenied,
                "kind_denied",
                "open.filter.kinds",
                "the filter asks for a kind of events that the contract does not read",
            ));
        }
        if !self.changed.is_subset(&contract.read.fields) {
            return Err(refuse_field(
                Code::PermissionDenied,
                "field_denied",
                "open.filter.changed_groups",
                "the filter asks for a group of fields that the contract does not read",
            ));
        }
        Ok(())
    }

    /// Whether nothing is left out.
    pub(super) fn is_everything(&self) -> bool {
        self.kinds.is_empty() && self.changed.is_empty() && self.patients.is_empty()
    }

    /// Whether an event is asked for, as far as that is to be seen without reading it, and whether it is at all.
    pub(super) fn takes(&self, stored: &Stored) -> bool {
        self.takes_patient(&stored.subject) && self.takes_kind(stored) && self.takes_changes(stored)
    }

    fn takes_patient(&self, subject: &Subject) -> bool {
        match subject {
            Subject::Patient(patient) => self.patients.is_empty() || self.patients.contains(patient),
            _ => false,
        }
    }

    fn takes_kind(&self, stored: &Stored) -> bool {
        let kind = || read_event_kind(kind_of(stored).into());
        self.kinds.is_empty() || kind().is_some_and(|kind| self.kinds.contains(&kind))
    }

    fn takes_changes(&self, stored: &Stored) -> bool {
        if self.changed.is_empty() || kind_of(stored) != v1::EventKind::PatientUpdated {
            return true;
        }
        // Bytes that are no event are for the contract's view to refuse.
        let Ok(Changes { changed }) = Changes::decode(stored.payload.clone()) else {
            return true;
        };
        let group = |path: &String| FieldGroup::of(&Path::from(path.as_str()));
        changed
            .iter()
            .filter_map(group)
            .any(|group| self.changed.contains(&group))
    }
}
