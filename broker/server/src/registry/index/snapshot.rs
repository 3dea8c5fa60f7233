//! The index as bytes: what a start reads instead of the whole log, and what two indexes are compared by.
//!
//! A sequence of rows in one order, so that the same index always gives the same bytes. What belongs to this process
//! alone (when a record was read, who is being appended) is not in it.

use super::{
    Doubt, Entry, Index, ItemKey, OpenItem, Pending, Record,
    images::{ImageEntry, ImageRow, ImagesRow, image_row},
    requests::{OfSystem, RequestRow},
};
use crate::wire::{Packed, decode_event, encode_event};
use archwire_core::{
    Digest, Event, ImageId, LinkedBy, LocalId, Path, PatientId, ReviewKind, Revision, SystemName,
    identity::Trust,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// An index at one moment. Cheap to take: the patients are shared.
pub struct Frozen {
    sequence: u64,
    last_item: u64,
    patients: Vec<(PatientId, Arc<Entry>)>,
    images: Vec<(ImageId, Arc<ImageEntry>)>,
    requests: Vec<(SystemName, Arc<OfSystem>)>,
    rest: Vec<Row>,
}

/// Bytes that are not a snapshot of this version. The log still has everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the snapshot of the index cannot be read by this version")]
pub struct SnapshotError;

/// One piece of an index.
#[derive(Clone, Serialize, Deserialize)]
pub(super) enum Row {
    Patient(PatientRow),
    Image(ImageRow),
    Images(ImagesRow),
    Creating(SystemName, PatientId, CreatingRow),
    Retired(PatientId, PatientId),
    Half(#[serde(with = "serde_bytes")] Vec<u8>),
    NotSame(PatientId, PatientId),
    Item(u64, ItemRow),
    LastItem(u64),
    Dropped(SystemName, PatientId, u64),
    Request(SystemName, RequestRow),
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct PatientRow {
    id: PatientId,
    revision: u64,
    sequence: u64,
    state_revision: u64,
    state_sequence: u64,
    state_before: u64,
    #[serde(with = "serde_bytes")]
    state: Vec<u8>,
    records: Vec<RecordRow>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct CreatingRow {
    since: u64,
    last: u64,
    revision: u64,
}

#[derive(Clone, Serialize, Deserialize)]
struct RecordRow {
    system: SystemName,
    local_id: LocalId,
    superseded: bool,
    linked_at: u64,
    linked_by: u8,
    #[serde(with = "serde_bytes")]
    shadow: Option<Vec<u8>>,
    delivered: u64,
    reflects: u64,
    joined: u64,
    writing: Option<(BTreeSet<Path>, u64)>,
    owed: BTreeSet<Path>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct ItemRow {
    key: ItemKey,
    kind: String,
    opened_at: u64,
    system: Option<SystemName>,
    patient: Option<PatientId>,
    candidates: Vec<PatientId>,
    paths: BTreeSet<Path>,
    score_tenths: Option<i32>,
    awaits: Option<LocalId>,
    image: Option<[u8; 32]>,
    image_id: Option<LocalId>,
    sequence: u64,
}

const LINKED_BY: [LinkedBy; 6] = [
    LinkedBy::Observed,
    LinkedBy::Named,
    LinkedBy::Delivered,
    LinkedBy::TrustedIdentifier,
    LinkedBy::Demographics,
    LinkedBy::Decided,
];

impl Frozen {
    /// The place in the log up to which it reflects the log.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The bytes, in pieces of about `size` bytes; a piece holds whole rows.
    pub fn pieces(&self, size: usize) -> impl Iterator<Item = Vec<u8>> + '_ {
        let patients = self
            .patients
            .iter()
            .map(|(id, entry)| Row::Patient(patient_row(*id, entry)));
        let images = self
            .images
            .iter()
            .map(|(id, entry)| Row::Image(image_row(*id, entry)));
        let requests = self.requests.iter().flat_map(|(system, requests)| {
            let rows = requests.rows();
            rows.map(|row| Row::Request(system.clone(), row))
        });
        let mut rows = patients
            .chain(images)
            .chain(requests)
            .chain(self.rest.iter().cloned())
            .chain([Row::LastItem(self.last_item)]);
        std::iter::from_fn(move || {
            let mut piece = Vec::new();
            for row in rows.by_ref() {
                // Rows are plain data, which always serialises.
                let bytes = postcard::to_stdvec(&row).unwrap_or_default();
                let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
                piece.extend_from_slice(&length.to_le_bytes());
                piece.extend_from_slice(&bytes);
                if piece.len() >= size {
                    break;
                }
            }
            (!piece.is_empty()).then_some(piece)
        })
    }

    /// SHA-256 over the bytes, in hexadecimal.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for piece in self.pieces(64 * 1024) {
            hash.update(&piece);
        }
        hex::encode(hash.finalize())
    }
}

impl Index {
    /// The index as it is now.
    #[must_use]
    pub fn freeze(&self) -> Frozen {
        let entries = self.patients.iter();
        let mut patients: Vec<_> = entries.map(|(id, entry)| (*id, Arc::clone(entry))).collect();
        patients.sort_unstable_by_key(|(id, _)| *id);
        let creating = self.creating.iter().map(|((system, patient), doubt)| {
            let row = CreatingRow {
                since: nanos(doubt.since),
                last: nanos(doubt.last),
                revision: doubt.revision.get(),
            };
            Row::Creating(system.clone(), *patient, row)
        });
        let dropped = self.dropped.iter().flat_map(|(patient, systems)| {
            let row = |(system, revision): (&SystemName, &Revision)| {
                Row::Dropped(system.clone(), *patient, revision.get())
            };
            systems.iter().map(row)
        });
        let retired = self.retired.iter().map(|(from, to)| Row::Retired(*from, *to));
        let halves = self.halves.values().map(|event| Row::Half(half(event)));
        let not_same = self
            .not_same
            .iter()
            .map(|(one, other)| Row::NotSame(*one, *other));
        let items = self
            .items
            .iter()
            .map(|(number, item)| Row::Item(*number, item_row(item)));
        Frozen {
            sequence: self.sequence,
            last_item: self.last_item,
            patients,
            images: self.images.frozen(),
            requests: self.answered.frozen(),
            rest: creating
                .chain(dropped)
                .chain(retired)
                .chain(halves)
                .chain(not_same)
                .chain(items)
                .chain(self.images.rows())
                .collect(),
        }
    }

    /// An index of what [`Frozen::pieces`] gave, piece by piece; the people are not entered yet.
    ///
    /// # Errors
    /// When a piece is none.
    pub fn thaw(&mut self, piece: &[u8]) -> Result<(), SnapshotError> {
        let mut rest = piece;
        while !rest.is_empty() {
            let (length, after) = rest.split_first_chunk::<4>().ok_or(SnapshotError)?;
            let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| SnapshotError)?;
            let row = after.get(..length).ok_or(SnapshotError)?;
            self.thaw_row(postcard::from_bytes(row).map_err(|_| SnapshotError)?)?;
            rest = after.get(length..).ok_or(SnapshotError)?;
        }
        Ok(())
    }

    /// An index of nothing that goes on behind a place in the log.
    #[must_use]
    pub fn behind(trust: Trust, sequence: u64) -> Self {
        let mut index = Self::new(trust);
        index.sequence = sequence;
        index
    }

    fn thaw_row(&mut self, row: Row) -> Result<(), SnapshotError> {
        match row {
            Row::Patient(row) => self.thaw_patient(row)?,
            Row::Image(row) => self.thaw_image(row),
            Row::Images(row) => self.thaw_images(row),
            Row::Creating(system, patient, row) => {
                let doubt = Doubt {
                    since: time(row.since),
                    last: time(row.last),
                    revision: Revision::new(row.revision),
                };
                self.creating.insert((system, patient), doubt);
            }
            Row::Retired(from, to) => _ = self.retired.insert(from, to),
            Row::Half(bytes) => {
                let event = decode_event(bytes.into()).map_err(|_| SnapshotError)?;
                let merge = event.merge.as_ref().ok_or(SnapshotError)?;
                let pair = (merge.survivor.patient_id, merge.retired.patient_id);
                self.halves.insert(pair, Arc::new(event));
            }
            Row::NotSame(one, other) => _ = self.not_same.insert((one, other)),
            Row::Item(number, row) => self.open(number, thaw_item(row)?),
            Row::LastItem(number) => self.last_item = number,
            Row::Dropped(system, patient, revision) => {
                let system = self.interned(&system);
                let dropped = self.dropped.entry(patient).or_default();
                dropped.insert(system, Revision::new(revision));
            }
            Row::Request(system, row) => {
                let system = self.interned(&system);
                self.answered.thaw(system, &row).ok_or(SnapshotError)?;
            }
        }
        Ok(())
    }

    fn thaw_patient(&mut self, row: PatientRow) -> Result<(), SnapshotError> {
        let state = Packed::trusted(&row.state);
        let records = row.records.into_iter();
        let records: Vec<_> = records
            .map(|row| {
                let system = self.interned(&row.system);
                thaw_record(row, system, &state)
            })
            .collect::<Result<_, _>>()?;
        for record in &records {
            let key = (record.system.clone(), record.local_id.clone());
            self.links.insert(key, row.id);
        }
        let entry = Entry {
            revision: Revision::new(row.revision),
            sequence: row.sequence,
            state_revision: Revision::new(row.state_revision),
            state_sequence: row.state_sequence,
            state_before: Revision::new(row.state_before),
            state,
            records,
        };
        self.ids.insert(row.id);
        self.patients.insert(row.id, Arc::new(entry));
        Ok(())
    }
}

fn thaw_record(row: RecordRow, system: SystemName, state: &Packed) -> Result<Record, SnapshotError> {
    let link = LINKED_BY.get(usize::from(row.linked_by)).ok_or(SnapshotError)?;
    let mut record = Record::new(system, row.local_id, time(row.linked_at), *link);
    record.superseded = row.superseded;
    // Many systems show what the bus holds: the bytes are kept once.
    record.shadow = row.shadow.map(|shadow| state.or_other(&shadow));
    record.delivered = Revision::new(row.delivered);
    record.reflects = Revision::new(row.reflects);
    record.joined = Revision::new(row.joined);
    let pending = Pending {
        writing: row.writing.map(|(paths, since)| (paths, time(since))),
        owed: row.owed,
    };
    record.pending = (pending != Pending::default()).then(|| Box::new(pending));
    Ok(record)
}

fn half(event: &Event) -> Vec<u8> {
    encode_event(event).to_vec()
}

fn patient_row(id: PatientId, entry: &Entry) -> PatientRow {
    PatientRow {
        id,
        revision: entry.revision.get(),
        sequence: entry.sequence,
        state_revision: entry.state_revision.get(),
        state_sequence: entry.state_sequence,
        state_before: entry.state_before.get(),
        state: entry.state.bytes().to_vec(),
        records: entry.records.iter().map(record_row).collect(),
    }
}

fn record_row(record: &Record) -> RecordRow {
    let by = LINKED_BY.iter().position(|by| *by == record.linked_by);
    RecordRow {
        system: record.system.clone(),
        local_id: record.local_id.clone(),
        superseded: record.superseded,
        linked_at: nanos(record.linked_at),
        linked_by: by.and_then(|by| u8::try_from(by).ok()).unwrap_or_default(),
        shadow: record.shadow.as_ref().map(|shadow| shadow.bytes().to_vec()),
        delivered: record.delivered.get(),
        reflects: record.reflects.get(),
        joined: record.joined.get(),
        writing: record
            .writing()
            .map(|(paths, since)| (paths.clone(), nanos(*since))),
        owed: record.owed().clone(),
    }
}

fn item_row(item: &OpenItem) -> ItemRow {
    ItemRow {
        key: item.key.clone(),
        kind: item.kind.as_str().to_owned(),
        opened_at: nanos(item.opened_at),
        system: item.system.clone(),
        patient: item.patient,
        candidates: item.candidates.clone(),
        paths: item.paths.clone(),
        score_tenths: item.score_tenths,
        awaits: item.awaits.clone(),
        image: item.image.as_ref().map(|digest| *digest.as_bytes()),
        image_id: item.image_id.clone(),
        sequence: item.sequence,
    }
}

fn thaw_item(row: ItemRow) -> Result<OpenItem, SnapshotError> {
    Ok(OpenItem {
        key: row.key,
        kind: row.kind.parse::<ReviewKind>().map_err(|_| SnapshotError)?,
        opened_at: time(row.opened_at),
        system: row.system,
        patient: row.patient,
        candidates: row.candidates,
        paths: row.paths,
        score_tenths: row.score_tenths,
        awaits: row.awaits,
        image: row.image.map(Digest::from_bytes),
        image_id: row.image_id,
        sequence: row.sequence,
    })
}

/// Nanoseconds since 1970, which is what the log has; to the year 2554.
pub(super) fn nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

pub(super) fn time(nanos: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(nanos)
}
